"""The short notation of word lists, and the plain phrases it stands for. Pure.

    massacre~            the word with all its inflections: massacres, massacred, massacring
    kill~|murder~ him    alternatives at one place; an empty one makes the place optional ("the|"), and `_` is a space
                         inside an alternative ("soldier~|police_officer~")
    <1-17> year|years    a number, in digits and in words; it may be a part of a word ("<1-17>yo")
    вешать*  *tötung     an open end: the word may go on there
    @other               all entries of another list

Scripts that are written without spaces (Chinese, Japanese, Korean, Thai) are open at both ends by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from bot.safety.views import words_of

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_NUMBERS = re.compile(r"<(\d{1,2})-(\d{1,2})>")
_SPACELESS = re.compile(r"[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_DOUBLING = re.compile(r".*[^aeiou][aeiou][bdfgklmnprtvz]")

Irregular = Mapping[str, tuple[str, ...]]


class EntryError(Exception):
    """An entry can't be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What may stand at each place, as views spell it ("" where the place may be left out); and the open ends."""

    places: tuple[tuple[str, ...], ...]
    open_start: bool
    open_end: bool

    @property
    def count(self) -> int:
        """How many phrases it stands for."""
        return prod(map(len, self.places))

    def phrases(self) -> Iterator[str]:
        """Everything that it stands for."""
        return filter(None, (" ".join(filter(None, words)) for words in product(*self.places)))

    def words(self) -> Iterator[str]:
        """The words of its phrases, and what stands at an open end."""
        return (word for forms in self.places for form in forms for word in form.split())


def entry_of(text: str, irregular: Irregular) -> Entry:
    """Read the notation. Raises EntryError."""
    bare = text.strip()
    at_start, at_end = bare.startswith("*"), bare.endswith("*") and len(bare) > 1
    bare = bare.removeprefix("*").removesuffix("*")
    places = tuple(_spelled(place, irregular) for place in bare.split())
    if not any(form for forms in places for form in forms):
        raise EntryError(f"{text!r} holds no letter")
    if any(forms == ("",) for forms in places):
        places = tuple(forms for forms in places if forms != ("",))
    spaceless = _SPACELESS.search(bare) is not None
    return Entry(places, at_start or spaceless, at_end or spaceless)


def _spelled(place: str, irregular: Irregular) -> tuple[str, ...]:
    """The forms at a place, longer ones first, so that a wide entry takes all the words it can."""
    forms = {words_of(form).strip() for form in _forms_at(place, irregular)}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def _forms_at(place: str, irregular: Irregular) -> Iterator[str]:
    for alternative in place.split("|"):
        words = alternative.replace("_", " ")
        for form in inflected(words[:-1], irregular) if words[:-1] and words[-1] == "~" else (words,):
            yield from _numbered(form)


def _numbered(form: str) -> Iterator[str]:
    span = _NUMBERS.search(form)
    if span is None:
        yield form
        return
    for number in range(int(span[1]), int(span[2]) + 1):
        for written in {str(number), in_words(number)}:
            yield form.replace(span[0], written)


def in_words(number: int) -> str:
    """An English numeral below a hundred, its parts joined by a space."""
    if number < 20:
        return _ONES[number]
    tens, ones = divmod(number, 10)
    return f"{_TENS[tens - 2]} {_ONES[ones]}" if ones else _TENS[tens - 2]


def inflected(words: str, irregular: Irregular) -> tuple[str, ...]:
    """The last word of `words` as noun and as verb: itself, plural or third person, past, and -ing.

    A form too many ("childed") does no harm: nobody writes it.
    """
    before, space, word = words.rpartition(" ")
    forms = irregular[word] if word in irregular else (_with_s(word), _past(word), *_with_ing(word))
    return tuple(dict.fromkeys(before + space + form for form in (word, *forms, *_doubled(word, irregular))))


def _with_s(word: str) -> str:
    if re.fullmatch(r".*[^aeiou]y", word):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "z", "ch", "sh")) else f"{word}s"


def _past(word: str) -> str:
    if re.fullmatch(r".*[^aeiou]y", word):
        return f"{word[:-1]}ied"
    return f"{word}d" if word.endswith("e") else f"{word}ed"


def _with_ing(word: str) -> tuple[str, ...]:
    if word.endswith("ie"):
        return (f"{word[:-2]}ying",)
    if word.endswith("e") and not word.endswith(("ee", "oe", "ye")):
        return (f"{word[:-1]}ing",)
    return (f"{word}ing",)


def _doubled(word: str, irregular: Irregular) -> tuple[str, ...]:
    """Stab, stabbed; whether the stress asks for it ("opened") can't be seen, so both spellings are made."""
    if word in irregular or not _DOUBLING.fullmatch(word):
        return ()
    twice = word + word[-1]
    return (f"{twice}ed", f"{twice}ing")
