"""A message of the room as it is stored and as the page gets it. Pure.

Stored: `{"card": the card's fields, "media": what clip it carries or null, "note": a sentence or "", "asker": whom it
answers or null}`. The page puts every text into text nodes; nothing here is markup.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from bot import intents
from bot.cards import Card
from bot.port import Rendition
from db.records import ModelFacts
from db.room import RoomMessage

FORMATS = ("gif", "mp4", "webp")
Json = dict[str, Any]
Tag = Callable[[str], str]  # by which people are told apart, of an asker's id


def stored(card: Card, media: Json | None = None, note: str = "", asker: Json | None = None) -> Json:
    """What the room keeps of a card. `asker` is whom it answered so far: a deleted clip's card names nobody."""
    fields = asdict(card)
    return {"card": fields, "media": media, "note": note, "asker": fields["asker"] or asker}


def media_of(rendition: Rendition) -> Json:
    return {
        "format": rendition.format,
        "bytes": rendition.bytes,
        "width": rendition.width,
        "height": rendition.height,
    }


def is_over(kept: RoomMessage) -> bool:
    """Whether a card may leave the room: nothing more will happen to it, and it carries no clip."""
    card = kept.card["card"]
    return bool(card["final"]) and not card["clip"]


def message(kept: RoomMessage, tag: Tag) -> Json:
    """What the page draws; a deleted message is its id alone."""
    if kept.deleted:
        return {"id": kept.id, "deleted": True}
    card, asker = kept.card["card"], kept.card.get("asker")
    drawn = {key: card[key] for key in ("title", "status", "tone", "facts", "bar", "clip", "ready_at", "spoiler")}
    drawn |= {"id": kept.id, "at": kept.created_at, "note": kept.card["note"], "over": is_over(kept)}
    drawn["by"] = tag(asker["id"]) if asker else ""
    drawn["buttons"] = [_button(**button) for button in card["buttons"]]
    is_made = card["preview"] and not card["final"]  # a preview goes when its job ends
    drawn["preview"] = f"/previews/{quote(card['preview'])}?v={kept.version}" if is_made else ""
    drawn["media"] = _media(kept)
    return drawn


def private(card: Card) -> Json:
    """A card that one browser alone is shown."""
    drawn: Json = {"title": card.title, "status": card.status, "tone": card.tone, "facts": card.facts}
    drawn["buttons"] = [_button(button.label, button.token, button.dangerous) for button in card.buttons]
    return drawn | {"bar": None, "clip": "", "preview": "", "media": None, "note": "", "over": True, "ready_at": None}


def models(known: list[ModelFacts]) -> list[Json]:
    """What the page says about models: suggestions for the chips."""
    return [{"name": model.name, "title": model.title, "suggestions": list(model.suggestions)} for model in known]


_ASKS = {intents.Delete: "delete", intents.Report: "report"}
_OWN = intents.Cancel | intents.Edit | intents.Delete | intents.Appeal | intents.Unhide


def _button(label: str, token: str, dangerous: bool) -> Json:
    """`asks`: what the page asks once more before it sends this one; `own` and `others`: it would only refuse anybody
    but the asker, or the asker; `moderated`: it would not refuse a moderator either."""
    intent = intents.parse(token)
    return {
        "label": label,
        "token": token,
        "dangerous": dangerous,
        "asks": _ASKS.get(type(intent), ""),
        "own": isinstance(intent, _OWN),
        "others": isinstance(intent, intents.Report),
        "moderated": isinstance(intent, intents.Cancel | intents.Delete),
    }


def _media(kept: RoomMessage) -> Json | None:
    media, clip = kept.card["media"], kept.card["card"]["clip"]
    if media is None or not clip:
        return None
    files = {name: f"/clips/{kept.id}.{name}?v={quote(clip)}" for name in FORMATS}
    return {**media, "src": files[media["format"]], "files": files}
