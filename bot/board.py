"""What the cards show, as far as this process knows, and one hand at a time on each card.

Three parts of the bot draw on cards: the commands, the progress loop and the delivery loop. Whoever draws holds the
card's pen, so that a slow redraw never lands on top of a newer one. All of this is forgotten at a restart, which costs
one redraw of each living card and nothing else.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from bot.cards import Card
from db.records import Handle


class Board:
    """The memory of what was drawn."""

    def __init__(self) -> None:
        self._shown: dict[Handle, Card] = {}
        self._pens: WeakValueDictionary[Handle, asyncio.Lock] = WeakValueDictionary()

    def pen(self, handle: Handle) -> asyncio.Lock:
        """The lock to hold while drawing on this card."""
        pen = self._pens.get(handle)
        if pen is None:
            pen = self._pens[handle] = asyncio.Lock()
        return pen

    def shows(self, handle: Handle) -> Card | None:
        return self._shown.get(handle)

    def drew(self, handle: Handle, card: Card) -> None:
        """`card` is what the message shows now. A final card need not be remembered: nobody redraws it."""
        if card.final:
            self._shown.pop(handle, None)
        else:
            self._shown[handle] = card

    def forget(self, handle: Handle) -> None:
        """The message is gone, or finished."""
        self._shown.pop(handle, None)
