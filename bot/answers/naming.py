"""Who and how much is meant: what moderators type beside a command, checked. Each wrong thing is one sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import specs, typed
from bot.cards import bench as sentences
from bot.menu import MOST_HOURS, SAFE_INTEGER
from bot.moderation.desk import NUMBER
from bot.moderation.striking import REASON_CHARS
from bot.specs import Problem
from db import members, people
from db.records import Asker, Caller

HOUR = 3600.0
LEAST_HOURS = 0.01

_MEMBER = re.compile(r"<@!?([0-9A-Za-z_-]{1,64})>|([0-9A-Za-z_-]{1,64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Said:
    """Who is meant, for how long (None: nothing was said), and why."""

    who: Asker
    seconds: float | None
    reason: str


async def somebody(tx: AsyncConnection, caller: Caller, text: str) -> Asker | Problem:
    """The person whose id, or mention, was typed: a number as platforms give it, or whoever has been in this place."""
    found = _MEMBER.fullmatch(text.strip())
    if found is None:
        return Problem(sentences.not_a_member(text))
    asker = Asker(caller.address.surface, found[1] or found[2])
    if NUMBER.fullmatch(asker.id) or asker == caller.asker or await is_known(tx, caller, asker):
        return asker
    return Problem(sentences.not_a_member(text))


async def somebody_else(tx: AsyncConnection, caller: Caller, text: str) -> Asker | Problem:
    """The same, but nobody who is the caller, under whatever identity."""
    asker = await somebody(tx, caller, text)
    if isinstance(asker, Asker) and await is_oneself(tx, caller, asker):
        return Problem(sentences.yourself())
    return asker


async def is_oneself(tx: AsyncConnection, caller: Caller, asker: Asker) -> bool:
    return caller.asker in await people.identities(tx, asker)


async def is_known(tx: AsyncConnection, caller: Caller, asker: Asker) -> bool:
    """Whether they have ever been heard of in the caller's place."""
    return await members.is_known(tx, asker, caller.address.surface, caller.address.place)


async def said(tx: AsyncConnection, caller: Caller, member: str, hours: str, why: str) -> Said | Problem:
    """What was typed about somebody else, or the first thing that is wrong with it."""
    who, span, because = await somebody_else(tx, caller, member), seconds(hours), reason(why)
    if isinstance(who, Problem):
        return who
    if isinstance(span, Problem):
        return span
    return because if isinstance(because, Problem) else Said(who, span, because)


def case_number(text: str) -> int | None:
    """None: it is the number of no case."""
    number = typed.whole(text.strip().removeprefix("#"))
    return number if number is not None and 1 <= number <= SAFE_INTEGER else None


def seconds(text: str) -> float | Problem | None:
    """Of the hours that were typed; None: nothing was."""
    if not text.strip():
        return None
    hours = typed.number(text)
    if hours is None or not LEAST_HOURS <= hours <= MOST_HOURS:
        return Problem(sentences.not_a_number("hours", text, LEAST_HOURS, MOST_HOURS))
    return hours * HOUR


def reason(text: str) -> str | Problem:
    """Why something is done, in one line."""
    said = specs.clean(text)
    return said if len(said) <= REASON_CHARS else Problem(sentences.reason_too_long(REASON_CHARS))
