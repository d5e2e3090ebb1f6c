"""Words that are nearly one of a policy's words: with a slip of typing, letters repeated or masked, or run together.

Only a word that is in no list and is no ordinary word is looked at. One slip is one letter too many, too few, another
one, or two neighbours exchanged (optimal string alignment distance 1); candidates come from an index of the words with
one letter left out (Garbe's symmetric deletes). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

Key = TypeVar("Key")

SHORTEST_CORE = 6  # letters of a word that may be met with a slip
_SHORTEST_PART = 3  # letters of each of two words that are run together
_LONGEST = 60  # letters of a word that is looked at; stretched ones are still read
_SHORTEST_STRETCHED = 2  # letters of a word that has a letter three times or more
_LONGEST_RUN = 400
_SHORTEST_INSIDE = 4  # letters of a word inside a run of spelled letters
_REPEATS = re.compile(r"(.)\1+")
_THRICE = re.compile(r"(.)\1\1")
_MASK = re.compile(r"[*#•✱]")
_MASKED = re.compile(r"[a-z]+(?:[*#•✱]+[a-z]+)+")
_AROUND = ".,:;!?\"'()[]"
_MOST_MASKED = 30  # words of one text, so that nobody can keep the filter busy


@dataclass(frozen=True, slots=True)
class Slips:
    """`words` are the single words of all lists, `vocabulary` those and the words of their phrases.

    `core` are the words that may be met with a slip, `ordinary` words (and pairs of words) that are what they are.
    """

    core: frozenset[str]
    words: frozenset[str]
    vocabulary: frozenset[str]
    ordinary: frozenset[str]
    left_out: Mapping[str, tuple[str, ...]]
    unrepeated: Mapping[str, tuple[str, ...]]
    by_length: Mapping[int, tuple[str, ...]]

    @classmethod
    def of(
        cls, core: Iterable[str], words: frozenset[str], vocabulary: frozenset[str], ordinary: frozenset[str]
    ) -> Slips:
        long = frozenset(word for word in core if len(word) >= SHORTEST_CORE and word.isalpha() and word.isascii())
        left_out = _index((shorter, word) for word in long for shorter in {word, *_one_left_out(word)})
        unrepeated = _index((_once(word), word) for word in vocabulary if len(word) >= _SHORTEST_STRETCHED)
        by_length = _index((len(word), word) for word in vocabulary if len(word) >= _SHORTEST_INSIDE)
        return cls(long, words, vocabulary, ordinary, left_out, unrepeated, by_length)

    def of_word(self, word: str) -> Iterator[str]:
        """What `word` may stand for."""
        if word in self.vocabulary or word in self.ordinary or not word.isalpha() or len(word) > _LONGEST:
            return
        if len(word) >= SHORTEST_CORE - 1:
            yield from self._slips(word)
        if _REPEATS.search(word):
            yield from self._repeats(word)
        if len(word) >= 2 * _SHORTEST_PART:
            yield from self._run_together(word)

    def of_pair(self, one: str, other: str) -> str:
        """The core word that was written as two ("mas sacre"), or nothing."""
        whole = one + other
        return whole if whole in self.core and f"{one} {other}" not in self.ordinary else ""

    def inside(self, run: str) -> Iterator[str]:
        """The words that stand anywhere in a run of spelled letters, in their order."""
        run = run[:_LONGEST_RUN]
        found = [word for length, words in self.by_length.items() if length < len(run) for word in words if word in run]
        return iter(sorted(found, key=run.index))

    def masked(self, text: str) -> Iterator[str]:
        """The words of which letters are hidden by signs ("n*ked"), a sign a letter."""
        hidden = dict.fromkeys(word.strip(_AROUND) for word in text.split() if _MASK.search(word))
        for word in islice(filter(_MASKED.fullmatch, hidden), _MOST_MASKED):
            shape = re.compile(_MASK.sub("[a-z]", word))
            yield from (known for known in self.by_length.get(len(word), ()) if shape.fullmatch(known))

    def _slips(self, word: str) -> Iterator[str]:
        nearly = {core for shorter in (word, *_one_left_out(word)) for core in self.left_out.get(shorter, ())}
        yield from sorted(core for core in nearly if is_one_slip(word, core))

    def _repeats(self, word: str) -> Iterator[str]:
        """A letter three times is never right; one that is doubled may be, so only words of four letters count then."""
        least = _SHORTEST_STRETCHED if _THRICE.search(word) else _SHORTEST_INSIDE
        same = self.unrepeated.get(_once(word), ())
        yield from (known for known in same if len(known) >= least and len(known) < len(word))

    def _run_together(self, word: str) -> Iterator[str]:
        for cut in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1):
            if word[:cut] in self.words and word[cut:] in self.words:
                yield f"{word[:cut]} {word[cut:]}"


def is_one_slip(one: str, other: str) -> bool:
    """Whether the optimal string alignment distance is at most 1."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest, remains = one[start:], other[start:]
    changed, extra, missing = rest[1:] == remains[1:], rest[1:] == remains, rest == remains[1:]
    swapped = rest[:2] == remains[:2][::-1] and rest[2:] == remains[2:]
    return changed or extra or missing or swapped


def _once(word: str) -> str:
    return _REPEATS.sub(r"\1", word)


def _one_left_out(word: str) -> Iterator[str]:
    return (word[:place] + word[place + 1 :] for place in range(len(word)))


def _index(pairs: Iterable[tuple[Key, str]]) -> dict[Key, tuple[str, ...]]:
    found: dict[Key, set[str]] = {}
    for key, word in pairs:
        found.setdefault(key, set()).add(word)
    return {key: tuple(sorted(words)) for key, words in found.items()}
