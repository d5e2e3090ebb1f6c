"""What a button asks, as a value and as a token of at most 64 bytes.

A token carries everything: nothing about a button lives in memory, so it works after a restart. Tokens come back from
clients, so they are hostile input: whatever is not exactly one of ours parses to `None`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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


Intent = Cancel | Again | Delete | Edit | Appeal | Show | Page


def token(intent: Intent) -> str:
    """The token that `parse` turns back into the same intent."""
    match intent:
        case Cancel(job):
            return f"c:{job}"
        case Again(job):
            return f"a:{job}"
        case Delete(clip):
            return f"d:{clip}"
        case Edit(job):
            return f"e:{job}"
        case Appeal(refusal):
            return f"p:{refusal}"
        case Show(clip):
            return f"s:{clip}"
        case Page(number):
            return f"g:{number}"


def parse(text: str) -> Intent | None:
    """The intent of a token, or `None` for anything that is not one of ours."""
    found = _TOKEN.fullmatch(text)
    if found is None:
        return None
    letter, subject = found.groups()
    match letter:
        case "c":
            return Cancel(subject)
        case "a":
            return Again(subject)
        case "d":
            return Delete(subject)
        case "e":
            return Edit(subject)
        case "p":
            return Appeal(subject)
        case "s":
            return Show(subject)
        case "g":
            return Page(int(subject)) if re.fullmatch(r"[1-9][0-9]{0,5}", subject) else None
        case _:
            return None
