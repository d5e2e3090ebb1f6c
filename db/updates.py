"""What a platform sent: stored before it is confirmed, handled from here, so that each update has its effect once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert  # ON CONFLICT DO NOTHING; PostgreSQL's dialect has the same construct
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables import updates


@dataclass(frozen=True, slots=True)
class Update:
    """One update under the number its platform gave it."""

    number: int
    body: dict[str, Any]
    received_at: float


async def record(tx: AsyncConnection, surface: str, number: int, body: dict[str, Any], now: float) -> bool:
    """False: it was received before, and nothing changes."""
    row = insert(updates).values(surface=surface, number=number, body=body, received_at=now)
    return (await tx.execute(row.on_conflict_do_nothing())).rowcount == 1


async def waiting(tx: AsyncConnection, surface: str) -> list[Update]:
    """What was received and not handled yet, in the platform's order."""
    open_ones = and_(updates.c.surface == surface, updates.c.handled_at.is_(None))
    rows = await tx.execute(select(updates).where(open_ones).order_by(updates.c.number))
    return [Update(row.number, row.body, row.received_at) for row in rows]


async def handled(tx: AsyncConnection, surface: str, number: int, now: float) -> None:
    """Its effect is there. What people wrote in it is not kept any longer, its number is."""
    it = and_(updates.c.surface == surface, updates.c.number == number)
    await tx.execute(update(updates).where(it).values(handled_at=now, body={}))


async def last_number(tx: AsyncConnection, surface: str) -> int | None:
    """The highest number that was ever received; None: nothing yet."""
    highest: int | None = (
        await tx.execute(select(func.max(updates.c.number)).where(updates.c.surface == surface))
    ).scalar_one()
    return highest


async def forget(tx: AsyncConnection, surface: str, before: float) -> None:
    """Drop the numbers of what was handled before a moment when no platform repeats it any more; the last one stays."""
    last = select(func.max(updates.c.number)).where(updates.c.surface == surface).scalar_subquery()
    old = and_(updates.c.surface == surface, updates.c.handled_at < before, updates.c.number < last)
    await tx.execute(delete(updates).where(old))
