"""Members' flags on clips: one of a person for a clip and place, open until a moderator has looked."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import people
from db.batches import drop_some
from db.records import Asker, Report
from db.rows import asker_of, asker_values, storable
from db.tables import clips, reports
from db.tables import people as known

_OPEN = reports.c.outcome == ""
_FALSE = "false"


async def add(tx: AsyncConnection, report: Report) -> bool:
    """False: this person (any identity of theirs) has reported the clip here before, and nothing changes."""
    theirs = _by(await people.identities(tx, report.asker))
    before = select(reports.c.id).where(_on(report.clip, report.surface, report.place), theirs).limit(1)
    if (await tx.execute(before)).first() is not None:
        return False
    values = {
        "id": report.id,
        "clip": report.clip,
        "surface": report.surface,
        "place": report.place,
        **asker_values(report.asker),
        "reason": storable(report.reason),
        "created_at": report.created_at,
        "outcome": report.outcome,
    }
    await tx.execute(insert(reports).values(values))
    return True


async def of_clip(tx: AsyncConnection, clip: str, surface: str, place: str) -> list[Report]:
    """What nobody has looked at yet, the oldest first."""
    rows = await tx.execute(select(reports).where(_on(clip, surface, place), _OPEN))
    return sorted(map(_report_of, rows), key=lambda report: (report.created_at, report.id))


async def reporters(tx: AsyncConnection, clip: str, surface: str, place: str, *, since: float, false_limit: int) -> int:
    """How many different people's open reports count: whose false ones here after `since` are fewer than `false_limit`.
    What moderators of another place think of them is of no weight."""
    joined = reports.outerjoin(known, and_(*_same_asker()))
    query: Select[Any] = select(reports.c.asker_surface, reports.c.asker_id, known.c.person).select_from(joined)
    rows = (await tx.execute(query.where(_on(clip, surface, place), _OPEN))).all()
    persons: dict[Asker, object] = {asker_of(row): row.person or asker_of(row) for row in rows}
    persons |= await _all_identities({row.person for row in rows if row.person}, tx)
    false = await _false_by_person(tx, persons, surface, place, since)
    return sum(false[person] < false_limit for person in set(persons.values()))


async def settle(tx: AsyncConnection, clip: str, surface: str, place: str, outcome: str) -> list[Report]:
    """A moderator has looked: upheld, dismissed or false. Returns the reports that were open, as they are now."""
    settled = [replace(report, outcome=outcome) for report in await of_clip(tx, clip, surface, place)]
    await tx.execute(update(reports).where(_on(clip, surface, place), _OPEN).values(outcome=outcome))
    return settled


async def false_count(tx: AsyncConnection, asker: Asker, surface: str, place: str, since: float) -> int:
    """How many reports that the person made in a place after `since` were false, as its moderators say."""
    return await _count(tx, asker, since, _false_in(surface, place))


async def count_by(tx: AsyncConnection, asker: Asker, since: float) -> int:
    """How many reports the person made after `since`, anywhere."""
    return await _count(tx, asker, since)


async def forget(tx: AsyncConnection, before: float) -> int:
    """Drop what was reported before a moment and looked at, or is gone; a batch of it (`db.batches`)."""
    gone = exists().where(clips.c.id == reports.c.clip, clips.c.forgotten)
    return await drop_some(tx, reports, and_(reports.c.created_at < before, or_(~_OPEN, gone)))


async def _all_identities(persons: set[str], tx: AsyncConnection) -> dict[Asker, object]:
    rows = await tx.execute(select(known).where(known.c.person.in_(sorted(persons))))
    return {asker_of(row): row.person for row in rows}


async def _false_by_person(
    tx: AsyncConnection, persons: dict[Asker, object], surface: str, place: str, since: float
) -> Counter[object]:
    false = and_(_by(tuple(persons)), _false_in(surface, place), reports.c.created_at > since)
    query: Select[Any] = select(reports.c.asker_surface, reports.c.asker_id).where(false)
    return Counter(persons[asker_of(row)] for row in await tx.execute(query))


async def _count(tx: AsyncConnection, asker: Asker, since: float, *which: ColumnElement[bool]) -> int:
    theirs = and_(_by(await people.identities(tx, asker)), reports.c.created_at > since, *which)
    return (await tx.execute(select(func.count()).select_from(reports).where(theirs))).scalar_one()


def _same_asker() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return known.c.asker_surface == reports.c.asker_surface, known.c.asker_id == reports.c.asker_id


def _false_in(surface: str, place: str) -> ColumnElement[bool]:
    return and_(reports.c.outcome == _FALSE, reports.c.surface == surface, reports.c.place == place)


def _by(identities: tuple[Asker, ...]) -> ColumnElement[bool]:
    return people.one_of(identities, reports.c.asker_surface, reports.c.asker_id)


def _on(clip: str, surface: str, place: str) -> ColumnElement[bool]:
    return and_(reports.c.clip == clip, reports.c.surface == surface, reports.c.place == place)


def _report_of(row: Row[Any]) -> Report:
    return Report(
        id=row.id,
        clip=row.clip,
        surface=row.surface,
        place=row.place,
        asker=asker_of(row),
        reason=row.reason,
        created_at=row.created_at,
        outcome=row.outcome,
    )
