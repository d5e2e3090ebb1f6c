"""A card as Discord's components: one container with the words, the clip in its midst, the facts and the buttons.

Components V2 and not embeds: a GIF, an MP4 and a WebP play in the same place, covered where asked for, with a text for
those who can't see them; and neither a missing permission nor a person's setting to hide embeds takes the card away.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord
from discord import ui

from bot.cards import Button, Card, shorten
from bot.port import Rendition
from bot.surfaces.discord.buttons import LABEL_CHARS, IntentButton
from bot.surfaces.discord.escaping import escaped, one_line
from db.records import Asker

NAME = "discord"
FORMATS = ("gif", "mp4", "webp")
TEXT_CHARS = 4000  # of all the texts of a message together
PART_CHARS = 900  # of a title, and of the value of a fact
STATUS_CHARS = 1200
ALT_CHARS = 1024
A_ROW, ROWS = 5, 5
BAR_CELLS = 20
SHORT = 28  # facts that are no longer stand in one line
COLOURS = {"busy": 0xF0B232, "good": 0x23A55A, "bad": 0xDA373C}


@dataclass(frozen=True, slots=True)
class Picture:
    """What a message shall show: a card and, where there is one, the file of its clip.

    `kept` is the name of a file that the message carries already and goes on carrying; `document` is a file to be
    taken home, `link` where a button of its own leads: in the words of a card no link can be followed.
    """

    card: Card
    rendition: Rendition | None = None
    kept: str = ""
    document: Path | None = None
    link: str = ""

    @property
    def file_name(self) -> str:
        if self.rendition is None:
            return self.kept
        return f"zoetrope-{self.card.clip or 'clip'}.{self.rendition.format}"

    def view(self) -> ui.LayoutView:
        return layout(self.card, self.file_name, self.document.name if self.document else "", self.link)

    def files(self) -> list[discord.File]:
        """Opened anew for each request, which closes them."""
        clip = [] if self.rendition is None else [discord.File(self.rendition.path, filename=self.file_name)]
        return clip if self.document is None else [*clip, discord.File(self.document)]


def layout(card: Card, file_name: str = "", document: str = "", link: str = "") -> ui.LayoutView:
    """The card drawn whole; `file_name` is the attachment that holds its clip, `document` one to be taken home."""
    view = ui.LayoutView(timeout=None)
    parts = [*_parts(card, file_name, document), *_way(card, link)]
    view.add_item(ui.Container(*parts, accent_colour=COLOURS.get(card.tone)))
    return view


def _parts(card: Card, file_name: str, document: str) -> Iterator[ui.Item[Any]]:
    head, facts = _head(card), _facts(card.facts)
    if head:
        yield ui.TextDisplay(head)
    if file_name:
        yield _gallery(card, file_name)
    if facts:
        yield ui.TextDisplay(_cut(facts, TEXT_CHARS - len(head)))
    if document:
        yield ui.File(f"attachment://{document}")
    buttons = card.buttons[: A_ROW * ROWS]
    for start in range(0, len(buttons), A_ROW):
        yield ui.ActionRow(*[_button(button) for button in buttons[start : start + A_ROW]])


def _way(card: Card, link: str) -> Iterator[ui.Item[Any]]:
    """A button that leads out of Discord."""
    if link:
        label = shorten(card.title, LABEL_CHARS)
        yield ui.ActionRow(ui.Button[Any](style=discord.ButtonStyle.link, label=label, url=link))


def _head(card: Card) -> str:
    lines = []
    if card.title:
        lines.append(f"### {_bounded(card.title, PART_CHARS)}")
    if mention := mentioned(card.asker):
        lines.append(f"-# {mention}")
    status = _paragraphs(card.status)
    if card.ready_at is not None:
        status = f"{status} <t:{math.ceil(card.ready_at)}:R>"
    if status:
        lines.append(status)
    if card.bar is not None:
        lines.append(_bar(card.bar))
    return "\n".join(lines)


def mentioned(asker: Asker | None) -> str:
    """The person as Discord shows people, if it knows them."""
    return f"<@{asker.id}>" if asker and asker.surface == NAME and asker.id.isdecimal() else ""


def _paragraphs(text: str) -> str:
    """A status may have several lines; each is made harmless by itself."""
    return "\n".join(escaped(line) for line in shorten(text, STATUS_CHARS).splitlines())


def _bar(share: float) -> str:
    share = min(max(share, 0.0), 1.0)
    done = round(share * BAR_CELLS)
    return f"`{'█' * done}{'░' * (BAR_CELLS - done)}` {math.floor(share * 100)} %"


def _facts(facts: tuple[tuple[str, str], ...]) -> str:
    """Short ones in one line, longer ones each in its own."""
    drawn = [f"**{escaped(label)}** {_bounded(value, PART_CHARS)}" for label, value in facts]
    short = all(len(label) + len(value) <= SHORT for label, value in facts)
    return (" · " if short else "\n").join(drawn)


def _gallery(card: Card, file_name: str) -> ui.MediaGallery[Any]:
    words = shorten(one_line(card.title), ALT_CHARS)
    item = discord.MediaGalleryItem(f"attachment://{file_name}", description=words or None, spoiler=card.spoiler)
    return ui.MediaGallery(item)


def _button(button: Button) -> IntentButton:
    return IntentButton(button.token, button.label, button.dangerous)


def _bounded(text: str, limit: int) -> str:
    """Escaped and at most `limit` characters; what is left out shows as an ellipsis."""
    whole = escaped(text)
    return whole if len(whole) <= limit else escaped(shorten(text, limit // 2))


def _cut(text: str, limit: int) -> str:
    """Whole lines, as many as fit."""
    if len(text) <= limit:
        return text
    return f"{text[: text.rfind(chr(10), 0, limit - 2)]}\n…" if "\n" in text[: limit - 2] else "…"
