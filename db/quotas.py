"""Quota as reservations: held with the job, settled with the clip, released when nothing came of it.

The caller decides (usage, then a pure decision, then reserve) inside one write transaction, which is what makes
fifty requests at once get exactly what the credit allows.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.records import UNFINISHED_STATES, Asker, Usage
from db.rows import asker_values
from db.tables import ReservationState, jobs, reservations


async def usage(tx: AsyncConnection, asker: Asker, since: float) -> Usage:
    """What the asker reserved or settled after `since`, oldest first, and how many of their jobs are unfinished."""
    counted = and_(
        reservations.c.asker_surface == asker.surface,
        reservations.c.asker_id == asker.id,
        reservations.c.created_at > since,
        reservations.c.state != ReservationState.RELEASED,
    )
    spent = select(reservations.c.created_at, reservations.c.credits).where(counted)
    rows = await tx.execute(spent.order_by(reservations.c.created_at))
    return Usage(tuple((row.created_at, row.credits) for row in rows), await _waiting(tx, asker))


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


async def _close(tx: AsyncConnection, job_id: str, state: ReservationState) -> None:
    still_held: ColumnElement[bool] = and_(
        reservations.c.job == job_id, reservations.c.state == ReservationState.RESERVED
    )
    await tx.execute(update(reservations).where(still_held).values(state=state))


async def _waiting(tx: AsyncConnection, asker: Asker) -> int:
    theirs = and_(jobs.c.asker_surface == asker.surface, jobs.c.asker_id == asker.id)
    unfinished = select(func.count()).select_from(jobs).where(theirs, jobs.c.state.in_(sorted(UNFINISHED_STATES)))
    return (await tx.execute(unfinished)).scalar_one()
