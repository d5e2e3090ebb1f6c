"""What happened in a place, day by day: what its moderators see as a chart."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, Table, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import moves
from db.records import JobState
from db.tables import clips, jobs, refusals, reports

DAY_SECONDS = 86400.0

Moment = tuple[float, float]
Refused = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Day:
    """A day of UTC from `start` on. `refusals` are (category, how many), the most frequent first; `waiting` is the
    median of the seconds from asking until the clip was there, None where there was no clip."""

    start: float
    clips: int
    refusals: tuple[tuple[str, int], ...]
    reports: int
    waiting: float | None


@dataclass(frozen=True, slots=True)
class Week:
    """Some days, the oldest first; the last one is not over yet."""

    days: tuple[Day, ...]


async def week(tx: AsyncConnection, surface: str, place: str, now: float, days: int = 7) -> Week:
    """The day of `now` and those before it, `days` in all. Clips that were deleted since were made all the same."""
    first = (now // DAY_SECONDS - days + 1) * DAY_SECONDS
    waits = await _waits(tx, surface, place, first)
    refused = await _refused(tx, surface, place, first)
    reported = await tx.execute(select(reports.c.created_at).where(_there(reports, surface, place, first)))
    flags = Counter(_day(moment) for moment in reported.scalars())
    starts = [first + number * DAY_SECONDS for number in range(days)]
    return Week(tuple(_of_day(start, waits, refused, flags) for start in starts))


def _of_day(start: float, waits: list[Moment], refused: list[Refused], flags: Counter[float]) -> Day:
    waited = [seconds for moment, seconds in waits if _day(moment) == start]
    categories = Counter(category for moment, category in refused if _day(moment) == start)
    often = tuple(sorted(categories.items(), key=lambda pair: (-pair[1], pair[0])))
    return Day(start, len(waited), often, flags[start], statistics.median(waited) if waited else None)


async def _waits(tx: AsyncConnection, surface: str, place: str, since: float) -> list[Moment]:
    """When each clip was there, and how long after it was asked for."""
    made = select(clips.c.created_at, jobs.c.created_at.label("asked_at")).join(jobs, jobs.c.id == clips.c.job)
    rows = await tx.execute(made.where(_there(clips, surface, place, since)))
    return [(row.created_at, max(0.0, row.created_at - row.asked_at)) for row in rows]


async def _refused(tx: AsyncConnection, surface: str, place: str, since: float) -> list[Refused]:
    """Prompts that were refused, and jobs that were refused by a second look."""
    prompts = select(refusals.c.created_at, refusals.c.verdict).where(_there(refusals, surface, place, since))
    names = await moves.names(tx, surface, place)
    there = and_(jobs.c.surface == surface, jobs.c.place.in_(names), jobs.c.created_at >= since)
    looked_at = select(jobs.c.created_at, jobs.c.verdict).where(jobs.c.state == JobState.REFUSED, there)
    return [*_categories(await tx.execute(prompts)), *_categories(await tx.execute(looked_at))]


def _categories(rows: Iterable[Row[tuple[float, dict[str, str]]]]) -> list[Refused]:
    return [(row.created_at, row.verdict["category"]) for row in rows]


def _there(table: Table, surface: str, place: str, since: float) -> ColumnElement[bool]:
    return and_(table.c.surface == surface, table.c.place == place, table.c.created_at >= since)


def _day(moment: float) -> float:
    return moment // DAY_SECONDS * DAY_SECONDS
