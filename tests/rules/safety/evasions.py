"""Disguises that people put harmful prompts in, so that a list of words no longer knows them.

Each trick is a function from a prompt to what its author would send instead; one that changes nothing about a prompt
(there are no Latin letters in it to disguise, say) gives None. Everything is decided by a seed made from the prompt.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from bot.safety import Writing

_HOMOGLYPHS = str.maketrans("aceijopsxyhkmntvABCEHIKMOPTX", "асеіјорѕхуһкмпτνΑВСЕНІКМОРТХ")
_LEET = str.maketrans({"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"})
_SIGNS = str.maketrans({"a": "@", "s": "$", "i": "!", "o": "0", "e": "3"})
_ACCENTS = str.maketrans("aeiounscyz", "àéîöüñšçÿž")
_INVISIBLE = ("\u200b", "\u200c", "\u200d", "\u2060", "\u00ad", "\ufeff", "\ufe0f", "\U000e0061")
_OVERLAYS = ("\u0301", "\u0336", "\u0323", "\u035c", "\u0489")
_EMOJI = ("🔥", "💀", "✨", "😈")
_LONG: Final = 7

Trick = Callable[[str, random.Random], Writing | None]


def copies(prompt: str) -> Iterator[tuple[str, Writing]]:
    """(trick, what is sent) for every trick that changes this prompt."""
    for name, trick in TRICKS.items():
        writing = trick(prompt, random.Random(f"{name} {prompt}"))
        if writing is not None and writing != Writing(prompt):
            yield name, writing


def _written(change: Callable[[str, random.Random], str]) -> Trick:
    return lambda prompt, rng: Writing(change(prompt, rng))


def _each_word(change: Callable[[str, random.Random], str]) -> Trick:
    """`change` applied to every word of Latin letters."""
    return _written(lambda prompt, rng: re.sub(r"[A-Za-z]{2,}", lambda word: change(word[0], rng), prompt))


def _apart(separator: str, gap: str) -> Trick:
    """Letters of every word kept apart by `separator`, words by `gap`."""
    return lambda prompt, _: (
        Writing(gap.join(separator.join(word) for word in re.findall(r"[A-Za-z0-9]+", prompt)))
        if prompt.isascii()
        else None
    )


def _fullwidth(prompt: str, _: random.Random) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in prompt)


def _shifted(capital: int, small: int) -> Trick:
    """Latin letters from another block of Unicode, where A and a stand at the given code points."""

    def shift(char: str) -> str:
        if char.isascii() and char.isalpha():
            return chr((capital if char.isupper() else small) + ord(char.lower()) - ord("a"))
        return char

    return _written(lambda prompt, _: "".join(map(shift, prompt)))


def _after_letters(marks: tuple[str, ...]) -> Callable[[str, random.Random], str]:
    return lambda text, rng: "".join(char + rng.choice(marks) if char.isalpha() else char for char in text)


def _emoji_inside(word: str, rng: random.Random) -> str:
    middle = len(word) // 2
    return word[:middle] + rng.choice(_EMOJI) + word[middle:]


def _stretched(word: str, rng: random.Random) -> str:
    place = rng.randrange(len(word))
    return word[:place] + word[place] * rng.randint(3, 5) + word[place + 1 :]


def _opened(mark: str) -> Callable[[str, random.Random], str]:
    return lambda word, _: f"{word[:2]}{mark}{word[2:]}{mark}" if len(word) > 2 else word


def _left_out(word: str, rng: random.Random) -> str:
    return _edited(word, rng, lambda place: word[:place] + word[place + 1 :])


def _mistyped(word: str, rng: random.Random) -> str:
    return _edited(word, rng, lambda place: word[:place] + rng.choice("qxzjw") + word[place + 1 :])


def _doubled(word: str, rng: random.Random) -> str:
    return _edited(word, rng, lambda place: word[:place] + word[place] + word[place:])


def _edited(word: str, rng: random.Random, edit: Callable[[int], str]) -> str:
    """Longer words with one slip inside; nobody mistypes the first letter of a word that has to be understood."""
    return edit(rng.randrange(1, len(word) - 1)) if len(word) >= _LONG else word


def _one_word_misspelt(change: Callable[[str, random.Random], str]) -> Trick:
    """One slip in one of the longer words of the prompt."""

    def misspell(prompt: str, rng: random.Random) -> Writing | None:
        words = [word for word in re.finditer(r"[A-Za-z]+", prompt) if len(word[0]) >= _LONG]
        if not words:
            return None
        word = rng.choice(words)
        return Writing(prompt[: word.start()] + change(word[0], rng) + prompt[word.end() :])

    return misspell


def _in_two(prompt: str) -> tuple[str, str] | None:
    words = prompt.split()
    middle = len(words) // 2
    return (" ".join(words[:middle]), " ".join(words[middle:])) if middle else None


def _in_two_messages(prompt: str, _: random.Random) -> Writing | None:
    parts = _in_two(prompt)
    return Writing(parts[1], earlier=(parts[0],)) if parts else None


def _in_a_name(prompt: str, _: random.Random) -> Writing | None:
    """The second half is the name of an uploaded file."""
    parts = _in_two(prompt)
    return Writing(parts[0], names=(parts[1].replace(" ", "_") + ".png",)) if parts else None


TRICKS: Final[Mapping[str, Trick]] = {
    "upper case": _written(lambda prompt, _: prompt.upper()),
    "mixed case": _written(lambda prompt, rng: "".join(rng.choice((c.upper(), c.lower())) for c in prompt)),
    "homoglyphs": _written(lambda prompt, _: prompt.translate(_HOMOGLYPHS)),
    "leet digits": _each_word(lambda word, _: word.translate(_LEET)),
    "leet signs": _each_word(lambda word, _: word.translate(_SIGNS)),
    "zero width": _written(_after_letters(_INVISIBLE)),
    "overlays": _written(_after_letters(_OVERLAYS)),
    "accents": _each_word(lambda word, _: word.translate(_ACCENTS)),
    "fullwidth": _written(_fullwidth),
    "bold script": _shifted(0x1D400, 0x1D41A),
    "circled": _shifted(0x24B6, 0x24D0),
    "squared": _shifted(0x1F130, 0x1F130),
    "spaced": _apart(" ", "   "),
    "dotted": _apart(".", " "),
    "hyphened": _apart("-", " "),
    "starred": _apart("*", " "),
    "underscored": _written(lambda prompt, _: prompt.replace(" ", "_")),
    "stretched": _each_word(_stretched),
    "reversed": _written(lambda prompt, _: f"\u202e{unicodedata.normalize('NFC', prompt)[::-1]}\u202c"),
    "spoilers": _each_word(lambda word, _: f"||{word}||"),
    "spoilers inside": _each_word(_opened("||")),
    "markdown inside": _each_word(_opened("**")),
    "code": _written(lambda prompt, _: f"`{prompt}`"),
    "weights": _each_word(lambda word, _: f"({word}:1.3)"),
    "emoji between words": _written(lambda prompt, rng: f" {rng.choice(_EMOJI)} ".join(prompt.split())),
    "emoji in words": _each_word(_emoji_inside),
    "line by line": _written(lambda prompt, _: "\n".join(prompt.split())),
    "letter left out": _one_word_misspelt(_left_out),
    "letter mistyped": _one_word_misspelt(_mistyped),
    "letter doubled": _one_word_misspelt(_doubled),
    "two messages": _in_two_messages,
    "file name": _in_a_name,
}
