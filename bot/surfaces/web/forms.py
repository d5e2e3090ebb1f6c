"""What a browser posts: bounded in bytes, JSON or a plain form, and what was chosen beside the words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from starlette.requests import Request

from bot import cards, menu
from bot.language import say
from bot.typed import Line

MOST_BYTES = 64 * 1024
MOST_FIELDS = 50
_ID = re.compile(r"[0-9A-Za-z-]{8,64}", re.ASCII)


class Unreadable(Exception):
    """The body is not what our page sends; carries a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Posted:
    """The fields of a post, as texts, and whether a script sent them (or a form without one)."""

    fields: Mapping[str, str]
    scripted: bool

    def get(self, name: str) -> str:
        return self.fields.get(name, "")

    def id(self) -> str:
        """The browser's own id of this post, or empty: the same post sent twice acts once."""
        given = self.get("id")
        return given if _ID.fullmatch(given) else ""


async def read(request: Request, most_fields: int = MOST_FIELDS) -> Posted:
    """Raise Unreadable for a body that is too long, of another kind, or broken; a form has so many fields at most."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await _body(request)
    try:
        if kind == "application/json":
            return Posted(_texts(json.loads(body)), scripted=True)
        if kind == "application/x-www-form-urlencoded":
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=most_fields)
            return Posted(dict(pairs), scripted=False)
    except (ValueError, RecursionError) as error:
        raise Unreadable(400, say(cards.UNREADABLE)) from error
    raise Unreadable(415, say(cards.UNKNOWN_KIND))


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Unreadable(413, say(cards.TOO_MUCH))
    return bytes(body)


def _texts(content: object) -> dict[str, str]:
    """A flat JSON object; numbers are taken as they were written, so that they meet the same checks as texts.

    Raises ValueError for anything else: to the caller every unreadable body is of one kind.
    """
    if not isinstance(content, dict):
        raise ValueError("not an object")  # noqa: TRY004
    texts = {}
    for name, value in content.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float | None):
            raise ValueError("a field is no text and no number")  # noqa: TRY004
        texts[_whole(name)] = "" if value is None else _whole(str(value))
    return texts


def _whole(text: str) -> str:
    """JSON may hold half of a character (a field that cuts an emoji in two does that), which can be kept nowhere."""
    return text.encode(errors="replace").decode()


def completed(line: Line, fields: Mapping[str, str]) -> Line:
    """The typed line of a clip with what was chosen in the fields beside it; what was typed goes before."""
    known = menu.find("video")
    if line.command not in {"", "video"} or known is None:
        return line
    names = [option.name for option in known.options if option.name != "prompt"]
    chosen = {name: fields[name].strip() for name in names if fields.get(name, "").strip()}
    return replace(line, options={**chosen, **line.options})
