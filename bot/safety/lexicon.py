"""All phrases of a policy in one automaton: a text is read once, however many phrases there are. Pure.

A text to be read is its words, each between single spaces (" a naked child "), so that whole words are found by their
spaces. Aho and Corasick, "Efficient string matching", CACM 18(6), 1975; here by pyahocorasick.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import ahocorasick

Phrase = tuple[str, bool, bool]  # words, open at the start, open at the end


class Hit(NamedTuple):
    """`lists` is a set of lists as bits; `start` and `end` are places in the text, spaces at the ends left out."""

    start: int
    end: int
    lists: int
    phrase: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Phrases with the lists they belong to (as bits), and the allowed ones."""

    automaton: Any
    words: frozenset[str]  # every word that stands alone as a phrase of a list

    @classmethod
    def of(cls, phrases: Iterable[tuple[Phrase, int]], allow: Iterable[Phrase] = ()) -> Lexicon:
        """`phrases` are normalised, and each is met as the bits beside it."""
        patterns: dict[str, tuple[int, bool]] = {}
        for phrase, bits in phrases:
            pattern = _pattern(phrase)
            known, allowed = patterns.get(pattern, (0, False))
            patterns[pattern] = (known | bits, allowed)
        for phrase in allow:
            pattern = _pattern(phrase)
            patterns[pattern] = (patterns.get(pattern, (0, False))[0], True)
        automaton = ahocorasick.Automaton()
        for pattern, (bits, allowed) in patterns.items():
            automaton.add_word(pattern, (len(pattern), bits, allowed, pattern))
        if patterns:
            automaton.make_automaton()
        words = frozenset(
            pattern.strip() for pattern, (bits, _) in patterns.items() if bits and pattern.count(" ") == 2
        )
        return cls(automaton if patterns else None, words)

    def read(self, text: str) -> tuple[list[Hit], list[Hit]]:
        """Everything of the lists that stands in `text`, and what of it no allowed phrase explains away."""
        if self.automaton is None:
            return [], []
        hits: list[Hit] = []
        allowed: list[Hit] = []
        for last, (length, bits, allow, pattern) in self.automaton.iter(text):
            phrase = pattern.strip()
            start = last - length + 1 + (pattern[0] == " ")
            hit = Hit(start, start + len(phrase), bits, phrase)
            if allow:
                allowed.append(hit)
            if bits:
                hits.append(hit)
        return hits, [hit for hit in hits if not any(_explains(good, hit) for good in allowed)] if allowed else hits


def _explains(good: Hit, hit: Hit) -> bool:
    """An allowed phrase takes the words it stands on, except from a longer phrase that holds it as a part."""
    apart = hit.end <= good.start or good.end <= hit.start
    inside = hit.start <= good.start and good.end <= hit.end and hit.end - hit.start > good.end - good.start
    return not apart and not inside


def _pattern(phrase: Phrase) -> str:
    words, open_start, open_end = phrase
    return f"{'' if open_start else ' '}{words}{'' if open_end else ' '}"


def lists_of(hits: Iterable[Hit]) -> int:
    """The lists that any of `hits` belongs to."""
    met = 0
    for hit in hits:
        met |= hit.lists
    return met


def single_words(phrases: Iterable[Phrase]) -> Iterator[str]:
    """The phrases that are one whole word."""
    return (words for words, open_start, open_end in phrases if not open_start and not open_end and " " not in words)
