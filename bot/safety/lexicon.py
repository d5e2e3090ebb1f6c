"""All phrases of a policy in one automaton: a text is read once, however many phrases there are. Pure.

A text to be read is its words, each between single spaces (" a naked child "), so that whole words are found by their
spaces. Aho and Corasick, "Efficient string matching", CACM 18(6), 1975; here by pyahocorasick. Of an entry that stands
for very many phrases the automaton knows the forms at one of its places alone, and the others are compared where one
of those is found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import ahocorasick

from bot.safety.entries import Entry

_ALLOWED = 0  # the lists of an allowed phrase
_MANY = 60  # phrases of one entry that are all put into the automaton


class Hit(NamedTuple):
    """`lists` is a set of lists as bits; `start` and `end` are places in the text, spaces at the ends left out."""

    start: int
    end: int
    lists: int
    phrase: str


@dataclass(frozen=True, slots=True)
class Wide:
    """An entry of many phrases: its lists (none: it is an allowed one), and the place by which it is found."""

    entry: Entry
    lists: int
    anchor: int

    def around(self, text: str, start: int, end: int) -> tuple[int, int] | None:
        """Where the whole entry stands when its anchor stands at `start` to `end`, or None."""
        places = self.entry.places
        first = _before(text, start, places[: self.anchor])
        last = _after(text, end, places[self.anchor + 1 :])
        return None if first is None or last is None else (first, last)


@dataclass(slots=True)
class _Pattern:
    lists: int = 0
    allowed: bool = False
    wide: list[Wide] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Entries with the lists they belong to (as bits), and the allowed ones."""

    automaton: Any
    words: frozenset[str]  # every word that stands alone as a phrase of a list

    @classmethod
    def of(cls, entries: Iterable[tuple[Entry, int]], allow: Iterable[Entry] = ()) -> Lexicon:
        """Each entry is met as the bits beside it."""
        patterns: defaultdict[str, _Pattern] = defaultdict(_Pattern)
        words: set[str] = set()
        for entry, lists in entries:
            words.update(_alone(entry))
            _add(patterns, entry, lists)
        for entry in allow:
            _add(patterns, entry, _ALLOWED)
        return cls(_automaton(patterns), frozenset(words))

    def read(self, text: str) -> tuple[list[Hit], list[Hit]]:
        """Everything of the lists that stands in `text`, and what of it no allowed phrase explains away."""
        if self.automaton is None:
            return [], []
        hits: list[Hit] = []
        allowed: list[Hit] = []
        for last, (text_of, lead, found) in self.automaton.iter(text):
            start = last + 1 - lead - len(text_of)
            hit = Hit(start, start + len(text_of), found.lists, text_of)
            if found.lists:
                hits.append(hit)
            if found.allowed:
                allowed.append(hit)
            for wide in _wide_hits(text, hit, found.wide) if found.wide else ():
                (hits if wide.lists else allowed).append(wide)
        return hits, [hit for hit in hits if not any(_explains(good, hit) for good in allowed)] if allowed else hits


def lists_of(hits: Iterable[Hit]) -> int:
    """The lists that any of `hits` belongs to."""
    met = 0
    for hit in hits:
        met |= hit.lists
    return met


def _add(patterns: dict[str, _Pattern], entry: Entry, lists: int) -> None:
    """Put an entry among the patterns: all of its phrases, or the forms at one of its places."""
    if (anchor := _anchor(entry)) is not None:
        for form in entry.places[anchor]:
            patterns[f" {form} "].wide.append(Wide(entry, lists, anchor))
        return
    for phrase in entry.phrases():
        pattern = patterns[_pattern(phrase, entry)]
        pattern.lists |= lists
        pattern.allowed = pattern.allowed or lists == _ALLOWED


def _automaton(patterns: dict[str, _Pattern]) -> Any:
    if not patterns:
        return None
    automaton = ahocorasick.Automaton()
    for pattern, found in patterns.items():
        automaton.add_word(pattern, (pattern.strip(), int(pattern[-1] == " "), found))
    automaton.make_automaton()
    return automaton


def _pattern(phrase: str, entry: Entry) -> str:
    return f"{'' if entry.open_start else ' '}{phrase}{'' if entry.open_end else ' '}"


def _alone(entry: Entry) -> Iterator[str]:
    """The single words among what an entry stands for."""
    if entry.open_start or entry.open_end:
        return
    needed = [forms for forms in entry.places if "" not in forms]
    if len(needed) <= 1:
        yield from (form for forms in needed or entry.places for form in forms if form and " " not in form)


def _anchor(entry: Entry) -> int | None:
    """The place by which a wide entry is found: one that is never left out, with the longest shortest form."""
    needed = [place for place, forms in enumerate(entry.places) if "" not in forms]
    if entry.count <= _MANY or not needed or entry.open_start or entry.open_end:
        return None
    return max(needed, key=lambda place: min(map(len, entry.places[place])))


def _wide_hits(text: str, anchor: Hit, wide: list[Wide]) -> Iterator[Hit]:
    for candidate in wide:
        if around := candidate.around(text, anchor.start, anchor.end):
            yield Hit(*around, candidate.lists, text[slice(*around)])


def _after(text: str, end: int, places: tuple[tuple[str, ...], ...]) -> int | None:
    """The end of `places` when they follow on `end`, or None."""
    if not places:
        return end
    for form in places[0]:
        if not form:
            found = _after(text, end, places[1:])
        elif text.startswith(f" {form} ", end):
            found = _after(text, end + 1 + len(form), places[1:])
        else:
            continue
        if found is not None:
            return found
    return None


def _before(text: str, start: int, places: tuple[tuple[str, ...], ...]) -> int | None:
    """The start of `places` when they end before `start`, or None."""
    if not places:
        return start
    for form in places[-1]:
        if not form:
            found = _before(text, start, places[:-1])
        elif text.endswith(f" {form} ", 0, start):
            found = _before(text, start - 1 - len(form), places[:-1])
        else:
            continue
        if found is not None:
            return found
    return None


def _explains(good: Hit, hit: Hit) -> bool:
    """An allowed phrase takes the words it stands on, except from a longer phrase that holds it as a part."""
    apart = hit.end <= good.start or good.end <= hit.start
    inside = hit.start <= good.start and good.end <= hit.end and hit.end - hit.start > good.end - good.start
    return not apart and not inside
