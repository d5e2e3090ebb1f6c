"""Cards: everything a person can read, made from values.

A card is finished: a surface draws it whole, each time, and adds nothing. Every user-visible sentence of the bot is in
this file, so that it can be translated.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Button:
    """A label and the intent token it sends when pressed (at most 64 bytes, valid after a restart)."""

    label: str
    token: str
    dangerous: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """What one message shows. `status` is one sentence; `facts` are (label, value) pairs in order.

    `bar` is the share of the work that is done (0 to 1) or None; `preview` the name of the preview file below the
    previews folder, or empty; `clip` the id of the clip the card carries, or empty.
    """

    title: str
    status: str
    tone: str = "plain"  # plain, busy, good, bad: how a surface may colour it
    facts: tuple[tuple[str, str], ...] = ()
    buttons: tuple[Button, ...] = ()
    bar: float | None = None
    preview: str = ""
    clip: str = ""
