"""What a button asks, as a value and as a token of at most 64 bytes.

A token carries everything: nothing about a button lives in memory, so it works after a restart. Tokens come back from
clients, so they are hostile input: whatever is not exactly one of ours parses to `None`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import astuple, dataclass

MAX_TOKEN_BYTES = 64

_TOKEN = re.compile(r"([a-z]):([0-9a-z]{1,32})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop this job, or take it out of the queue."""

    job: str


@dataclass(frozen=True, slots=True)
class Again:
    """The same spec as this job's with a new seed."""

    job: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Forget this clip and remove its files."""

    clip: str


@dataclass(frozen=True, slots=True)
class Edit:
    """The same spec as this job's with other words: the surface asks for them."""

    job: str


@dataclass(frozen=True, slots=True)
class Appeal:
    """A moderator shall look at this refusal."""

    refusal: str


@dataclass(frozen=True, slots=True)
class Show:
    """Show this clip once more, here."""

    clip: str


@dataclass(frozen=True, slots=True)
class Page:
    """Another page of the gallery, the first being 1."""

    number: int


@dataclass(frozen=True, slots=True)
class Report:
    """A moderator shall look at this clip."""

    clip: str


@dataclass(frozen=True, slots=True)
class Hide:
    """Show this clip of one's own to nobody."""

    clip: str


@dataclass(frozen=True, slots=True)
class Unhide:
    """Show this clip of one's own again."""

    clip: str


@dataclass(frozen=True, slots=True)
class Approve:
    """A moderator's decision: all is well."""

    review: str


@dataclass(frozen=True, slots=True)
class Remove:
    """A moderator's decision: it goes, and its asker gets a strike."""

    review: str


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """A moderator's decision: the filter, or whoever reported it, was wrong."""

    review: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """Do what was asked for."""

    pending: str


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Do nothing of what was asked for."""

    pending: str


Intent = (
    Cancel
    | Again
    | Delete
    | Edit
    | Appeal
    | Show
    | Page
    | Report
    | Hide
    | Unhide
    | Approve
    | Remove
    | FalseAlarm
    | Confirm
    | Dismiss
)

_OF_ONE_THING: dict[str, Callable[[str], Intent]] = {
    "c": Cancel,
    "a": Again,
    "d": Delete,
    "e": Edit,
    "p": Appeal,
    "s": Show,
    "r": Report,
    "h": Hide,
    "u": Unhide,
    "y": Approve,
    "x": Remove,
    "f": FalseAlarm,
    "k": Confirm,
    "n": Dismiss,
}
_LETTERS = {kind: letter for letter, kind in _OF_ONE_THING.items()}


def token(intent: Intent) -> str:
    """The token that `parse` turns back into the same intent."""
    if isinstance(intent, Page):
        return f"g:{intent.number}"
    (subject,) = astuple(intent)
    return f"{_LETTERS[type(intent)]}:{subject}"


def parse(text: str) -> Intent | None:
    """The intent of a token, or `None` for anything that is not one of ours."""
    found = _TOKEN.fullmatch(text)
    if found is None:
        return None
    letter, subject = found.groups()
    if letter == "g":
        return Page(int(subject)) if re.fullmatch(r"[1-9][0-9]{0,5}", subject) else None
    return _OF_ONE_THING[letter](subject) if letter in _OF_ONE_THING else None
