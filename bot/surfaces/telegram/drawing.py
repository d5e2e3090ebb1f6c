"""A card as Telegram's HTML and as the rows of its keyboard; nothing that a person wrote is obeyed."""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.cards import Button, Card, shorten

TEXT_UNITS = 4096  # of a message, in UTF-16 code units, once its tags are read
CAPTION_UNITS = 1024
ALERT_CHARS = 200  # of the answer to a button
PLACEHOLDER_CHARS = 64  # in an empty field
BAR_CELLS = 10
ROW_BUTTONS = 3
ROW_CHARS = 30  # so that no label is cut on a telephone

_JOINER = "\u2060"  # invisible; what stands on both sides of it is no name and no address
_URL = re.compile(r"https?://\S+")
_LINKS = re.compile(r"@(?=\w)|(?<=\w)\.(?=[^\W\d])|:(?=//)")


@dataclass(frozen=True, slots=True)
class _Piece:
    """Words under one tag; `head` stands before them and is never shortened.

    What is `copied` by a touch stands there as it is, and leads nowhere all the same.
    """

    text: str
    tag: str = ""
    head: str = ""
    copied: bool = False

    @property
    def units(self) -> int:
        return units(self.head + self.text)

    @property
    def html(self) -> str:
        words = plain(self.head) + (quoted(self.text) if self.copied else plain(self.text))
        return f"<{self.tag}>{words}</{self.tag}>" if self.tag else words


def drawn(card: Card, limit: int) -> str:
    """The whole card in at most `limit` UTF-16 code units; what is too long ends with an ellipsis."""
    lines = _lines(card)
    while (excess := sum(line.units + 1 for line in lines) - 1 - limit) > 0:
        longest = max(range(len(lines)), key=lambda at: units(lines[at].text))
        if lines[longest].text:
            lines[longest] = _shorter(lines[longest], excess)
        else:
            lines.pop()
    return "\n".join(line.html for line in lines)


def keyboard(buttons: Sequence[Button]) -> list[list[Button]]:
    """The buttons in rows that fit a telephone."""
    rows: list[list[Button]] = []
    for button in buttons:
        row = rows[-1] if rows else []
        taken = sum(len(each.label) for each in row)
        if row and len(row) < ROW_BUTTONS and taken + len(button.label) <= ROW_CHARS:
            row.append(button)
        else:
            rows.append([button])
    return rows


def mention(asker: str, sentence: str) -> str:
    """A sentence that makes a sound for one person. Channels and groups, whose ids are negative, can't be mentioned."""
    words = plain(sentence)
    return f'<a href="tg://user?id={asker}">{words}</a>' if asker.isdecimal() else words


def leading(url: str, sentence: str) -> str:
    """A sentence that leads somewhere when touched."""
    return f'<a href="{html.escape(url)}">{plain(sentence)}</a>'


def quoted(words: str) -> str:
    """What a touch copies, and what leads nowhere."""
    return f"<code>{html.escape(words, quote=False)}</code>"


def plain(text: str) -> str:
    """Nothing in it is a tag, and nothing in it calls anybody or leads anywhere."""
    return html.escape(_LINKS.sub(lambda found: found[0] + _JOINER, text), quote=False)


def units(text: str) -> int:
    """Its length as Telegram counts it."""
    return len(_LINKS.sub(lambda found: found[0] + _JOINER, text).encode("utf-16-le", "surrogatepass")) // 2


def _lines(card: Card) -> list[_Piece]:
    lines = [_Piece(card.title, "b")] if card.title else []
    lines.append(_Piece(card.status))
    if card.bar is not None:
        lines.append(_Piece("", head=bar(card.bar)))
    if card.clip and card.facts:
        lines.append(_Piece(" · ".join(f"{label} {value}" for label, value in card.facts)))
    else:
        lines += [_Piece(value, head=f"{label}: ", copied=bool(_URL.fullmatch(value))) for label, value in card.facts]
    return lines


def bar(share: float) -> str:
    """Which part of the work is done."""
    done = min(max(share, 0.0), 1.0)
    cells = round(done * BAR_CELLS)
    return f"{'▰' * cells}{'▱' * (BAR_CELLS - cells)} {done:.0%}"


def _shorter(piece: _Piece, excess: int) -> _Piece:
    """Cut so that it ends `excess` units earlier, or as early as it can."""
    wanted = units(piece.text) - excess
    fitting = range(1, len(piece.text))
    keep = bisect_right(fitting, wanted, key=lambda chars: units(shorten(piece.text, chars)))
    return replace(piece, text=shorten(piece.text, keep) if keep else "")
