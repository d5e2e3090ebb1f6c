"""The window in which a prompt is written. Its custom id says for what, and what comes back is read by hand."""

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
PROMPT = "prompt"
LABEL_CHARS = 45
TEXT_CHARS = 4000  # the most that Discord takes in a window

_ID = re.compile(r"([we]):([0-9a-z]{1,32})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Written:
    """What came back: `kind` is DRAFT or EDIT, `subject` the id of the request or the job."""

    kind: str
    subject: str
    prompt: str


def window(kind: str, subject: str, prompt_chars: int, prompt: str = "") -> ui.Modal:
    """In the language that is being spoken."""
    longest = min(prompt_chars, TEXT_CHARS)
    field: ui.TextInput[Any] = ui.TextInput(
        custom_id=PROMPT,
        style=discord.TextStyle.paragraph,
        placeholder=questions.prompt_placeholder(),
        default=shorten(prompt, longest) or None,
        max_length=longest,
    )
    made = ui.Modal(title=shorten(asking.title(), LABEL_CHARS), custom_id=f"{kind}:{subject}", timeout=None)
    made.add_item(ui.Label(text=shorten(asking.question(), LABEL_CHARS), component=field))
    return made


def read(interaction: Interaction) -> Written | None:
    """What was written; None: it is none of our windows, or not as one of ours comes back."""
    data: Any = interaction.data or {}
    found = _ID.fullmatch(str(data.get("custom_id", "")))
    prompts = [field.get("value") for field in _fields(data) if field.get("custom_id") == PROMPT]
    if found is None or len(prompts) != 1 or not isinstance(prompts[0], str):
        return None
    return Written(found[1], found[2], prompts[0])


def _fields(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What stands in the labels of a window, or in its rows."""
    for item in _dicts(data.get("components")):
        yield from _dicts([item.get("component")])
        yield from _dicts(item.get("components"))


def _dicts(found: object) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
