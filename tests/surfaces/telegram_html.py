"""Telegram's HTML: the few tags it knows, and the words in which it refuses the rest.

Follows `do_parse_html` of TDLib's MessageEntity.cpp: the tags, the four named entities, the error sentences with byte
offsets, and entity offsets in UTF-16 code units.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

KINDS = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
TAG = re.compile(r"<(/?)([^\s>/]*)([^>]*)>")
ATTRIBUTE = re.compile(r"([a-zA-Z-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"']+)))?")
ESCAPE = re.compile(r"&(?:#(\d+)|#x([0-9a-fA-F]+)|(lt|gt|amp|quot));?")


class CannotParse(Exception):
    """What Telegram says about this HTML."""


@dataclass
class _Open:
    tag: str
    entity: dict[str, Any]


def parse(html: str) -> tuple[str, list[dict[str, Any]]]:
    """The words without their tags, and the entities, outer ones first."""
    words, at = "", 0
    opened: list[_Open] = []
    entities: list[dict[str, Any]] = []
    while (start := html.find("<", at)) >= 0:
        words += unescape(html[at:start])
        found = TAG.match(html, start)
        offset = len(html[:start].encode())
        if found is None:
            raise CannotParse(
                f"Unclosed {'end' if html[start + 1 : start + 2] == '/' else 'start'} tag at byte offset {offset}"
            )
        if found[1]:
            _close(found[2].lower(), offset, words, opened, entities)
        else:
            opened.append(_Open(found[2].lower(), _entity(found[2].lower(), found[3], offset, utf16(words))))
        at = found.end()
    if opened:
        raise CannotParse(f'Can\'t find end tag corresponding to start tag "{opened[-1].tag}"')
    return words + unescape(html[at:]), sorted(entities, key=lambda one: (one["offset"], -one["length"]))


def unescape(text: str) -> str:
    """Only four names are entities; any other ampersand stands for itself."""

    def meant(found: re.Match[str]) -> str:
        if found[3]:
            return NAMED[found[3]]
        code = int(found[1]) if found[1] else int(found[2], 16)
        return chr(code) if 0 < code < 0x110000 else found[0]

    return ESCAPE.sub(meant, text)


def utf16(text: str) -> int:
    """Length in UTF-16 code units, as Telegram counts offsets."""
    return len(text.encode("utf-16-le")) // 2


def _entity(tag: str, attributes: str, offset: int, at: int) -> dict[str, Any]:
    given = {name.lower(): a or b or c for name, a, b, c in ATTRIBUTE.findall(attributes)}
    if tag not in KINDS or (tag == "span" and given.get("class") != "tg-spoiler"):
        if tag == "span":
            raise CannotParse(f'Tag "span" must have class "tg-spoiler" at byte offset {offset}')
        raise CannotParse(f'Unsupported start tag "{tag}" at byte offset {offset}')
    entity: dict[str, Any] = {"type": KINDS[tag], "offset": at, "length": 0}
    if tag == "a" and given.get("href"):
        entity["url"] = unescape(given["href"])
    if tag == "blockquote" and "expandable" in given:
        entity["type"] = "expandable_blockquote"
    if tag == "tg-emoji":
        entity["custom_emoji_id"] = given.get("emoji-id", "")
    return entity


def _close(tag: str, offset: int, words: str, opened: list[_Open], entities: list[dict[str, Any]]) -> None:
    if not opened:
        raise CannotParse(f"Unexpected end tag at byte offset {offset}")
    last = opened.pop()
    if tag not in {"", last.tag}:
        raise CannotParse(f'Unmatched end tag at byte offset {offset}, expected "</{last.tag}>", found "</{tag}>"')
    last.entity["length"] = utf16(words) - last.entity["offset"]
    if last.entity["length"]:
        entities.append(last.entity)
