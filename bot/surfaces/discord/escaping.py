"""Words that people wrote, made harmless in Discord's markdown: they are shown as they stand and obeyed in nothing."""

from __future__ import annotations

import re
import unicodedata

_MARKS = re.compile(r"[\\`*_~|<>@\[\]]|:(?=//)")
_CALLS = re.compile(r"@(?=everyone|here)")  # a backslash alone is not known to keep these from being heard
_NUMBERED = re.compile(r"\d+(?=[.)])")
_STEERING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}  # they turn the text around them
_MENTION = re.compile(r"<(?:@[!&]?|#|id:)[0-9a-z]+>|</[^>:]+:\d+>")
_EMOJI = re.compile(r"<a?(:\w+:)\d+>")
_MOMENT = re.compile(r"<t:-?\d+(?::[A-Za-z])?>")


def one_line(text: str) -> str:
    """The same words without line breaks and without characters that only steer."""
    return " ".join("".join(_kept(sign) for sign in text).split())


def escaped(text: str) -> str:
    """`text` on one line so that Discord shows exactly it: no markdown, mention, link or emoji is made of it."""
    line = _CALLS.sub("@\u200b", _MARKS.sub(lambda mark: f"\\{mark[0]}", one_line(text)))
    if line[:1] in {"#", "+", "-"}:
        return f"\\{line}"
    number = _NUMBERED.match(line)
    return f"{number[0]}\\{line[number.end() :]}" if number else line


def said(content: str) -> str:
    """What a message says, as words for a prompt: own emoji by name, mentions and moments left out."""
    without = _MOMENT.sub(" ", _MENTION.sub(" ", _EMOJI.sub(r"\1", content)))
    return one_line(without)


def _kept(sign: str) -> str:
    if ord(sign) in _STEERING:
        return ""
    return " " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign
