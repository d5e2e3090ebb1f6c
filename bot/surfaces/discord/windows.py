"""The windows in which something is written. Their custom id says for what, and what comes back is read by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from bot.cards import asking, questions, shorten
from bot.surfaces.discord.callers import Interaction

DRAFT, EDIT = "w", "e"  # the prompt of a draft, by the id of its request; other words for a job, by its id
REPORT = "r"  # why a clip is reported, by the id of the message that carries it
PROMPT, REASON = "prompt", "reason"
FIELDS = {DRAFT: PROMPT, EDIT: PROMPT, REPORT: REASON}
REASON_CHARS = 300
LABEL_CHARS = 45
TEXT_CHARS = 4000  # the most that Discord takes in a window

_ID = re.compile(r"([wer]):([0-9a-z]{1,32})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Written:
    """What came back: `kind` is DRAFT, EDIT or REPORT, `subject` the id of the request, the job or the message."""

    kind: str
    subject: str
    words: str


def window(kind: str, subject: str, prompt_chars: int, prompt: str = "") -> ui.Modal:
    """For a prompt, in the language that is being spoken."""
    longest = min(prompt_chars, TEXT_CHARS)
    field: ui.TextInput[Any] = ui.TextInput(
        custom_id=PROMPT,
        style=discord.TextStyle.paragraph,
        placeholder=questions.prompt_placeholder(),
        default=shorten(prompt, longest) or None,
        max_length=longest,
    )
    return _around(field, kind, subject, asking.title(), asking.question())


def reason_window(message: str) -> ui.Modal:
    """For why a clip is reported, which may be left empty."""
    field: ui.TextInput[Any] = ui.TextInput(
        custom_id=REASON, style=discord.TextStyle.paragraph, required=False, max_length=REASON_CHARS
    )
    return _around(field, REPORT, message, asking.report_title(), asking.report_question())


def _around(field: ui.TextInput[Any], kind: str, subject: str, title: str, question: str) -> ui.Modal:
    made = ui.Modal(title=shorten(title, LABEL_CHARS), custom_id=f"{kind}:{subject}", timeout=None)
    made.add_item(ui.Label(text=shorten(question, LABEL_CHARS), component=field))
    return made


def read(interaction: Interaction) -> Written | None:
    """What was written; None: it is none of our windows, or not as one of ours comes back."""
    data: Any = interaction.data or {}
    found = _ID.fullmatch(str(data.get("custom_id", "")))
    if found is None:
        return None
    words = [field.get("value") for field in _fields(data) if field.get("custom_id") == FIELDS[found[1]]]
    if len(words) != 1 or not isinstance(words[0], str):
        return None
    return Written(found[1], found[2], words[0])


def _fields(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What stands in the labels of a window, or in its rows."""
    for item in _dicts(data.get("components")):
        yield from _dicts([item.get("component")])
        yield from _dicts(item.get("components"))


def _dicts(found: object) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
