"""What a card says when it does not stand where it was first shown."""

from __future__ import annotations

from dataclasses import replace

from bot.cards import Card
from bot.language import say


def anew(card: Card) -> Card:
    """In the same place, as a new message."""
    return _saying(card, say("This is a new message because the first one can't be changed any more."))


def in_private(card: Card) -> Card:
    """With the asker alone."""
    return _saying(card, say("This comes to you in private because it can't be shown where you asked."))


def _saying(card: Card, sentence: str) -> Card:
    return replace(card, status=f"{card.status}\n{sentence}" if card.status else sentence)
