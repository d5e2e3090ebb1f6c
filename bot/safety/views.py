"""One text in several spellings: each undoes one family of disguises, and a rule may match any of them.

    plain      compatibility forms unified (NFKC), invisible and combining marks gone, case folded
    skeleton   letters of other alphabets read as the Latin letters they look like (after Unicode UTS #39)
    leet       digits and signs inside words read as letters, where a token mixes both
    joined     runs of three or more single letters glued together ("k i l l")
    squeezed   a letter three times or more in a row read once ("ladiiies"); doubled: read twice
    reversed   the text backwards, only where it holds characters that turn the direction round

A view is for comparison only and is never shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

Tokens = tuple[str, ...]

_TURNS = frozenset("\u202d\u202e")
_DROPPED = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Me"})
_BLANKS = str.maketrans(dict.fromkeys("\u115f\u1160\u2800\u3164\uffa0\n\r\t\v\f", " "))

# The letters of other alphabets that pass for Latin ones; keys are already case-folded.
_LOOKALIKES = str.maketrans(
    "авеԁһіјкӏмнопрԛсѕтуѵԝхᴜɡɩοαβεικνρτυχγωϲϳ",
    "abedhijklmhonpqcstyvwxugioabeikvptuxywcj",
)
_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})

_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_MIXED = re.compile(r"(?=\S*[^\W\d_])(?=\S*[0134570@$!])\S+")
_POSSESSIVE = re.compile(r"['’]s?$|['’]")
_LETTERS_APART = re.compile(r"(?<![^\W_])[^\W\d_](?:[\W_]{1,3}[^\W\d_](?![^\W_])){2,}")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")


def views(text: str) -> Iterator[tuple[str, Tokens]]:
    """(name, tokens) of each spelling that differs from those before it."""
    seen: set[Tokens] = set()
    for name, spelling in _spellings(text):
        tokens = _tokens(spelling)
        if tokens not in seen:
            seen.add(tokens)
            yield name, tokens


def plain(text: str) -> str:
    """The first view as text: also the form in which word lists are compared."""
    unified = unicodedata.normalize("NFKC", text.translate(_BLANKS))
    decomposed = unicodedata.normalize("NFD", "".join(char for char in unified if _is_drawn(char)))
    return unicodedata.normalize("NFC", "".join(char for char in decomposed if _is_drawn(char))).casefold()


def tokens_of(phrase: str) -> Tokens:
    """A word or phrase of a list as the tokens it is looked for as."""
    return _tokens(plain(phrase))


def _spellings(text: str) -> Iterator[tuple[str, str]]:
    straight = plain(text)
    yield "plain", straight
    skeleton = straight.translate(_LOOKALIKES)
    yield "skeleton", skeleton
    leet = _MIXED.sub(lambda found: found[0].rstrip("!").translate(_LEET), skeleton)
    yield "leet", leet
    joined = _LETTERS_APART.sub(lambda found: re.sub(r"[\W_]+", "", found[0]), leet)
    yield "joined", joined
    yield "squeezed", _STRETCHED.sub(r"\1", joined)
    yield "doubled", _STRETCHED.sub(r"\1\1", joined)
    if _TURNS.intersection(text):
        yield "reversed", skeleton[::-1]


def _tokens(spelling: str) -> Tokens:
    return tuple(_POSSESSIVE.sub("", found) for found in _TOKEN.findall(spelling))


def _is_drawn(char: str) -> bool:
    return unicodedata.category(char) not in _DROPPED
