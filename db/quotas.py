"""Quota as reservations: held with the job, settled with the clip, released when nothing came of it.

Besides those there are entries that no job holds: charges (for refused prompts) and grants. A person's use counts over
all their linked identities.

The caller decides (usage, then a pure decision, then reserve) inside one write transaction, which is what makes
fifty requests at once get exactly what the credit allows.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, insert, select, tuple_, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import moves, people
from db.records import EVERYWHERE, UNFINISHED_STATES, Asker, Usage
from db.rows import asker_values
from db.tables import ReservationState, credit_entries, jobs, reservations


async def usage(
    tx: AsyncConnection, asker: Asker, since: float, now: float, surface: str = "", place: str = ""
) -> Usage:
    """What the person reserved, settled or was charged after `since`, oldest first; what they were granted that still
    counts at `now`, everywhere and in this place; how many of their jobs are unfinished, and when they last asked for
    one."""
    identities = await people.identities(tx, asker)
    theirs = people.one_of(identities, jobs.c.asker_surface, jobs.c.asker_id)
    unfinished = and_(theirs, jobs.c.state.in_(sorted(UNFINISHED_STATES)))
    there = tuple_(credit_entries.c.surface, credit_entries.c.place).in_([EVERYWHERE, (surface, place)])
    figures = select(  # in one statement: this is asked twice for every clip
        select(func.count()).select_from(jobs).where(unfinished).scalar_subquery().label("waiting"),
        _granted(identities, now, there).scalar_subquery().label("granted"),
        select(func.max(jobs.c.created_at)).where(theirs).scalar_subquery().label("last_at"),
    )
    found = (await tx.execute(figures)).one()
    spent = await tx.execute(union_all(_reserved(identities, since), _charged(identities, since)))
    return Usage(
        spent=tuple(sorted((row.created_at, row.credits) for row in spent)),
        waiting=found.waiting,
        granted=-(found.granted or 0),
        last_at=found.last_at,
    )


async def spent_in(tx: AsyncConnection, surface: str, place: str, since: float) -> tuple[tuple[float, int], ...]:
    """(time, credits) of what everybody together reserved or spent on jobs asked for in the place, whatever it was
    called then, after `since`, oldest first."""
    counted = and_(
        jobs.c.surface == surface,
        jobs.c.place.in_(await moves.names(tx, surface, place)),
        jobs.c.created_at > since,
        jobs.c.changed_at > since,  # follows from the line above; there is an index for it
        reservations.c.state != ReservationState.RELEASED,
    )
    rows = await tx.execute(
        select(jobs.c.created_at, reservations.c.credits)
        .join(reservations, reservations.c.job == jobs.c.id)
        .where(counted)
        .order_by(jobs.c.created_at)
    )
    return tuple((row.created_at, row.credits) for row in rows)


async def reserve(tx: AsyncConnection, job_id: str, asker: Asker, credits: int, now: float) -> None:  # noqa: A002
    """Hold `credits` (thousandths of a standard clip) for a job enqueued in the same transaction."""
    held = {"job": job_id, **asker_values(asker), "credits": credits, "created_at": now}
    await tx.execute(insert(reservations).values(**held, state=ReservationState.RESERVED))


async def settle(tx: AsyncConnection, job_id: str) -> None:
    """The clip exists: the credits are spent. Again, or after a release: nothing changes."""
    await _close(tx, job_id, ReservationState.SETTLED)


async def release(tx: AsyncConnection, job_id: str) -> None:
    """Nothing came of the job: the credits are free again. Again, or after a settlement: nothing changes."""
    await _close(tx, job_id, ReservationState.RELEASED)


async def charge(tx: AsyncConnection, entry: str, asker: Asker, amount: int, reason: str, now: float) -> None:
    """Credits that are spent without a job; `entry` is a new id."""
    values = {"id": entry, **asker_values(asker), "credits": amount, "reason": reason, "created_at": now}
    await tx.execute(insert(credit_entries).values(values))


async def grant(
    tx: AsyncConnection,
    entry: str,
    asker: Asker,
    amount: int,
    now: float,
    until: float,
    surface: str = "",
    place: str = "",
) -> None:
    """Credits on top of what anyone may use, good until a moment, in one place where one is named; `entry` is a new
    id."""
    values = {"id": entry, **asker_values(asker), "credits": -amount, "reason": "granted"}
    there = {"surface": surface, "place": place}
    await tx.execute(insert(credit_entries).values(**values, **there, created_at=now, until=until))


async def granted_in(tx: AsyncConnection, asker: Asker, now: float, surface: str, place: str) -> int:
    """What the person was granted for this place alone and that still counts."""
    of_place = and_(credit_entries.c.surface == surface, credit_entries.c.place == place)
    good = _granted(await people.identities(tx, asker), now, of_place)
    total: int | None = (await tx.execute(good)).scalar_one()
    return -(total or 0)


async def _close(tx: AsyncConnection, job_id: str, state: ReservationState) -> None:
    still_held: ColumnElement[bool] = and_(
        reservations.c.job == job_id, reservations.c.state == ReservationState.RESERVED
    )
    await tx.execute(update(reservations).where(still_held).values(state=state))


def _reserved(identities: tuple[Asker, ...], since: float) -> Select[tuple[float, int]]:
    counted = and_(
        people.one_of(identities, reservations.c.asker_surface, reservations.c.asker_id),
        reservations.c.created_at > since,
        reservations.c.state != ReservationState.RELEASED,
    )
    return select(reservations.c.created_at, reservations.c.credits).where(counted)


def _charged(identities: tuple[Asker, ...], since: float) -> Select[tuple[float, int]]:
    counted = and_(_entries_of(identities), credit_entries.c.credits > 0, credit_entries.c.created_at > since)
    return select(credit_entries.c.created_at, credit_entries.c.credits).where(counted)


def _granted(identities: tuple[Asker, ...], now: float, where: ColumnElement[bool]) -> Select[Any]:
    """What was granted and still counts, as a sum below zero, or NULL."""
    good = and_(_entries_of(identities), credit_entries.c.credits < 0, credit_entries.c.until > now, where)
    return select(func.sum(credit_entries.c.credits)).where(good)


def _entries_of(identities: tuple[Asker, ...]) -> ColumnElement[bool]:
    return people.one_of(identities, credit_entries.c.asker_surface, credit_entries.c.asker_id)
