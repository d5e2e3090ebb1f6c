"""What a browser posts: bounded in bytes, JSON or a plain form, every field checked before it becomes a wish."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from bot import cards
from db.records import Wish

MOST_BYTES = 64 * 1024
_ID = re.compile(r"[0-9A-Za-z-]{8,64}", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?[0-9]{1,30}([.,][0-9]{1,30})?", re.ASCII)
_WHOLE_FIELDS = ("seed", "steps", "frames", "width", "height", "fps")


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

    def id(self) -> str:
        """The browser's own id of this post, or empty: the same post sent twice acts once."""
        given = self.fields.get("id", "")
        return given if _ID.fullmatch(given) else ""


async def read(request: Request) -> Posted:
    """Raise Unreadable for a body that is too long, of another kind, or broken."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await _body(request)
    try:
        if kind == "application/json":
            return Posted(_texts(json.loads(body)), scripted=True)
        if kind == "application/x-www-form-urlencoded":
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50)
            return Posted(dict(pairs), scripted=False)
    except (ValueError, RecursionError) as error:
        raise Unreadable(400, cards.UNREADABLE) from error
    raise Unreadable(415, cards.UNKNOWN_KIND)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Unreadable(413, cards.TOO_MUCH)
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
        texts[name] = "" if value is None else str(value)
    return texts


def wish(fields: Mapping[str, str]) -> Wish | str:
    """The wish in the fields, or the sentence that says which of them is no number. Blank fields are not said."""
    texts = {name: value.strip() for name, value in fields.items()}
    numbers: dict[str, int | None] = {}
    for name in _WHOLE_FIELDS:
        text = texts.get(name, "")
        if text and not _WHOLE.fullmatch(text):
            return cards.not_a_number(name, text)
        numbers[name] = int(text) if text else None
    guidance = texts.get("guidance", "")
    if guidance and not _DECIMAL.fullmatch(guidance):
        return cards.not_a_number("guidance", guidance)
    return Wish(
        prompt=fields.get("prompt", ""),
        negative=fields.get("negative", ""),
        guidance=float(guidance.replace(",", ".")) if guidance else None,
        model=texts.get("model") or None,
        format=texts.get("format", "").lower() or None,
        **numbers,
    )
