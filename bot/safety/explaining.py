"""What the filter sees in a text, for operators: every view, and what of the lists stands in it. Pure.

It names the words that matched, so it is never shown in a chat.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.safety.judging import Seen, read
from bot.safety.policy import Policy


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase that stands in a view, the lists it belongs to, and whether an allowed phrase explains it away."""

    phrase: str
    lists: tuple[str, ...]
    explained: bool


@dataclass(frozen=True, slots=True)
class View:
    """One view of a text."""

    name: str
    words: str
    matches: tuple[Match, ...]


def explain(text: str, policy: Policy) -> tuple[View, ...]:
    """Every view of `text` with what matches in it."""
    return tuple(View(seen.name, seen.words.strip(), tuple(_matches(seen, policy))) for seen in read(text, policy).seen)


def _matches(seen: Seen, policy: Policy) -> Iterator[Match]:
    for hit in dict.fromkeys(seen.hits):
        lists = tuple(name for name, bit in policy.bits.items() if hit.lists & bit)
        yield Match(hit.phrase, lists, hit not in seen.left)
