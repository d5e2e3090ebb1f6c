"""One text in several spellings: each undoes some disguises, and a rule may match any of them. Pure.

Letters first, one view each:

    plain      compatibility forms unified (NFKC), invisible and combining marks gone, case folded
    skeleton   letters of other alphabets read as the Latin letters they look like (after Unicode UTS #39)
    ascii      other alphabets read by their sound
    named      emoji read as what they show; everywhere else they are left out

then what is done to words, on top of each ("skeleton+leet+joined"):

    camel      WordsLikeThis taken apart
    leet       digits and signs read as letters, in words that mix them with letters ("n4k3d"); `leet-l` takes 1 for l,
               `leet-end` an exclamation mark at the end for a letter, `leet-all` (where several words are mixed)
               reads words of digits and signs alone
    opened     words with marks of spoilers and emphasis in them ("k||i||ll") put together
    joined     words split by any signs ("mas-sacre") put together: never across a space
    spelled    runs of three or more single letters put together ("k i l l", also with signs or emoji between)
    reversed   backwards, where the text holds marks that turn its direction round

A view is for comparison only and is never shown.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from urllib.parse import unquote

from anyascii import anyascii

from bot.safety.lookalikes import LOOKALIKES

_TURNS = re.compile("[\u202d\u202e\u2067]([^\u202c\u2069]*)")
_DROPPED = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Me"})
_BLANKS = str.maketrans(dict.fromkeys("\u115f\u1160\u2800\u3164\uffa0\n\r\t\v\f", " "))
_SIGNS = frozenset({"So", "Sk"})
# Marks that are vowels of their script, or change a letter into another one, and so belong to the word.
_LETTER_MARKS = "\u0901-\u0903\u093a-\u094f\u0962\u0963\u0981-\u0983\u09bc-\u09d7\u0e30-\u0e4e\u3099\u309a"
_IS_LETTER_MARK = re.compile(f"[{_LETTER_MARKS}]")

_SKELETON = str.maketrans(LOOKALIKES)
_LEET = {
    "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "!": "i", "|": "i", "+": "t", "€": "e", "£": "l", "¥": "y", "¢": "c",
}  # fmt: skip
_LEET_I = str.maketrans(_LEET)
_LEET_L = str.maketrans(_LEET | dict.fromkeys("1|", "l"))
_LEETS = (("leet", _LEET_I, "!|+"), ("leet-l", _LEET_L, "!|+"), ("leet-end", _LEET_I, ""))  # signs at an end left out
_HABIT = 2  # mixed words, from which on words of digits and signs alone are read as letters too

_LETTER = rf"(?:[^\W_]|[{_LETTER_MARKS}])"
_TOKEN = re.compile(rf"{_LETTER}+")
_POSSESSIVE = re.compile(r"['’`]s?(?=[\W_]|$)|(?<=\w)['’](?=\w)")
_HAS_LETTER = re.compile(r"[^\W\d_]")
_HAS_LEET = re.compile(r"[013456789@$!|+€£¥¢]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_SPLIT = re.compile(rf"(?<={_LETTER})[^\w\s]+(?={_LETTER})|(?<={_LETTER})_+(?={_LETTER})|(?<=\w)[*_~|`]+(?=\w)")
_APART = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,4}[^\W_](?![^\W_])){2,}")
_GAP = re.compile(r"[\W_]+")
_MARKUP = re.compile(r"[|*_~`\\]+")
_WEIGHT = re.compile(r":\s*-?\d+(?:\.\d+)?\s*(?=[)\]}])")  # "(word:1.3)", which some programs read as an emphasis
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}|&#?\w+;")

Emoji = Mapping[str, str]


def views(text: str, emoji: Emoji) -> Iterator[tuple[str, str]]:
    """(name, words) of each spelling that differs from those before it; the words stand between single spaces."""
    seen: set[str] = set()
    for name, spelling in _spellings(_decoded(text), emoji):
        words = words_of(spelling)
        if words not in seen:
            seen.add(words)
            yield name, words


def words_of(text: str) -> str:
    """A text as a lexicon reads it: the words of its plain view, each between single spaces."""
    return f" {' '.join(_TOKEN.findall(_POSSESSIVE.sub('', plain(text))))} "


def plain(text: str) -> str:
    """Compatibility forms unified, invisible and combining marks gone, case folded."""
    if text.isascii():
        return text.translate(_BLANKS).casefold()
    drawn = "".join(filter(_is_drawn, text.translate(_BLANKS)))
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", drawn).translate(_BLANKS))
    bare = "".join(filter(_is_drawn, apart))
    return unicodedata.normalize("NFC", "".join(map(_letter, bare))).casefold()


def _decoded(text: str) -> str:
    """What was percent-encoded or written as an HTML entity, as the letters meant; weights of words left out."""
    meant = html.unescape(unquote(text)) if _ENCODED.search(text) else text
    return _WEIGHT.sub("", meant) if ":" in meant else meant


def _spellings(text: str, emoji: Emoji) -> Iterator[tuple[str, str]]:
    for name, letters in _letters(text, emoji):
        yield name, letters
        yield from _undone(name, letters)
    if _CAMEL.search(text):
        yield "plain+camel", plain(_CAMEL.sub(" ", text))


def _letters(text: str, emoji: Emoji) -> Iterator[tuple[str, str]]:
    if text.isascii():
        yield "plain", plain(text)
        return
    straight = plain(text)
    without = "".join("" if _is_sign(char) else char for char in straight)
    yield "plain", straight
    yield "skeleton", straight.translate(_SKELETON)
    if without != straight:
        yield "bare", without
    yield "ascii", anyascii(without).casefold()
    if without != straight:
        yield "named", plain(_named(text, emoji))
    if _TURNS.search(text):
        turned = _TURNS.sub(lambda found: found[1][::-1], text)
        yield "reversed", plain(turned)
        yield "skeleton+reversed", plain(turned).translate(_SKELETON)


def _undone(name: str, letters: str) -> Iterator[tuple[str, str]]:
    """What may have been done to the words of one view."""
    yield from _opened(name, letters)
    words = letters.split(" ")
    mixed = sum(map(_is_leet, words))
    for kind, table, ends in _LEETS if mixed else ():
        read = " ".join(_unleeted(word, table, ends) for word in words)
        yield f"{name}+{kind}", read
        yield from _opened(f"{name}+{kind}", read)
    if mixed >= _HABIT:
        yield f"{name}+leet-all", letters.translate(_LEET_I)


def _opened(name: str, letters: str) -> Iterator[tuple[str, str]]:
    if _MARKUP.search(letters):
        yield f"{name}+opened", _MARKUP.sub("", letters)
    if _SPLIT.search(letters):
        yield f"{name}+joined", _SPLIT.sub("", letters)
    if _APART.search(letters):
        yield f"{name}+spelled", _APART.sub(_run_together, letters)


def _run_together(run: re.Match[str]) -> str:
    """The letters of a run as one word, also without an article before it ("a n u d e")."""
    parts = _GAP.split(run[0].strip())
    gaps = [found[0] for found in _GAP.finditer(run[0])]
    widest = max(map(len, gaps))
    narrow = min(map(len, gaps))
    if narrow < widest:  # words are further apart than letters
        words = parts[0]
        for gap, letter in zip(gaps, parts[1:], strict=True):
            words += f"{' ' if len(gap) > narrow else ''}{letter}"
        return f"{words} {''.join(parts)}"
    whole = "".join(parts)
    return f"{whole} {whole[1:]}" if whole[0] in "ai" and len(whole) > 3 else whole


def _is_leet(token: str) -> bool:
    """Mixed, and not just a word with a sign at its end."""
    bare = token.strip("!|+.,:;?\"'()*")
    return _HAS_LEET.search(bare) is not None and _HAS_LETTER.search(bare) is not None


def _unleeted(token: str, table: dict[int, str], ends: str) -> str:
    return token.rstrip(ends).translate(table) if _is_leet(token) else token


def _named(text: str, emoji: Emoji) -> str:
    return "".join(f" {_name(char, emoji)} " if not char.isascii() and _may_be_sign(char) else char for char in text)


def _name(char: str, emoji: Emoji) -> str:
    return str(emoji.get(char, "")) or unicodedata.name(char, "")


@lru_cache(maxsize=8192)
def _may_be_sign(char: str) -> bool:
    return unicodedata.category(char) in _SIGNS and _letter(char) == char


def _is_sign(char: str) -> bool:
    return not char.isascii() and unicodedata.category(char) in _SIGNS


@lru_cache(maxsize=8192)
def _is_drawn(char: str) -> bool:
    return unicodedata.category(char) not in _DROPPED or _IS_LETTER_MARK.match(char) is not None


@lru_cache(maxsize=8192)
def _letter(char: str) -> str:
    """The letter on a sign that shows one (squared, negative circled, regional indicator), and small capitals."""
    if char.isascii():
        return char
    found = re.fullmatch(
        r"(?:(?:NEGATIVE |CROSSED NEGATIVE )?(?:SQUARED|CIRCLED) LATIN CAPITAL LETTER|REGIONAL INDICATOR SYMBOL LETTER"
        r"|LATIN LETTER SMALL CAPITAL) ([A-Z])",
        unicodedata.name(char, ""),
    )
    return found[1].lower() if found else char
