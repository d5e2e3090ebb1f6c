"""A message of the room as it is stored and as the page gets it. Pure.

Stored: `{"card": the card's fields, "media": what clip it carries or null, "note": a sentence or ""}`.
The page puts every text into text nodes; nothing here is markup.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from bot.cards import Card
from bot.port import Rendition
from db.records import ModelFacts
from db.room import RoomMessage

FORMATS = ("gif", "mp4", "webp")
Json = dict[str, Any]


def stored(card: Card, media: Json | None = None, note: str = "") -> Json:
    """What the room keeps of a card."""
    return {"card": asdict(card), "media": media, "note": note}


def media_of(rendition: Rendition) -> Json:
    return {
        "format": rendition.format,
        "bytes": rendition.bytes,
        "width": rendition.width,
        "height": rendition.height,
    }


def message(kept: RoomMessage) -> Json:
    """What the page draws; a deleted message is its id alone."""
    if kept.deleted:
        return {"id": kept.id, "deleted": True}
    card = kept.card["card"]
    drawn = {key: card[key] for key in ("title", "status", "tone", "facts", "buttons", "bar", "clip")}
    drawn |= {"id": kept.id, "at": kept.created_at, "note": kept.card["note"]}
    drawn["preview"] = f"/previews/{quote(card['preview'])}?v={kept.version}" if card["preview"] else ""
    drawn["media"] = _media(kept)
    return drawn


def models(known: list[ModelFacts]) -> list[Json]:
    """What the page says about models: names for the choice, suggestions for the chips, defaults as hints."""
    return [
        {
            "name": model.name,
            "title": model.title,
            "suggestions": list(model.suggestions),
            "defaults": asdict(model.defaults),
        }
        for model in known
    ]


def _media(kept: RoomMessage) -> Json | None:
    media, clip = kept.card["media"], kept.card["card"]["clip"]
    if media is None or not clip:
        return None
    files = {name: f"/clips/{kept.id}.{name}?v={quote(clip)}" for name in FORMATS}
    return {**media, "src": files[media["format"]], "files": files}
