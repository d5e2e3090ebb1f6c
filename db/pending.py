"""What was asked for and must be confirmed, by the same person in the same place, before its time is over."""

from __future__ import annotations

from sqlalchemy import and_, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.records import Caller, Pending
from db.rows import asker_of, asker_values
from db.tables import pending


async def keep(tx: AsyncConnection, asked: Pending) -> None:
    values = {
        "id": asked.id,
        **asker_values(asked.caller),
        "surface": asked.surface,
        "place": asked.place,
        "what": asked.what,
        "values": [list(value) for value in asked.values],
        "until": asked.until,
    }
    await tx.execute(insert(pending).values(values))


async def take(tx: AsyncConnection, pending_id: str, caller: Caller, now: float) -> Pending | None:
    """What the caller asked for here; it is gone afterwards. None: not theirs, asked elsewhere, past its time or
    taken already."""
    good = and_(
        pending.c.id == pending_id,
        pending.c.asker_surface == caller.asker.surface,
        pending.c.asker_id == caller.asker.id,
        pending.c.surface == caller.address.surface,
        pending.c.place == caller.address.place,
        pending.c.until > now,
    )
    row = (await tx.execute(select(pending, pending.c["values"].label("values_")).where(good))).one_or_none()
    if row is None:
        return None
    await tx.execute(delete(pending).where(pending.c.id == pending_id))
    values = tuple((name, value) for name, value in row.values_)
    return Pending(row.id, asker_of(row), row.surface, row.place, row.what, values, row.until)


async def forget(tx: AsyncConnection, now: float) -> None:
    """Drop what is past its time."""
    await tx.execute(delete(pending).where(pending.c.until <= now))
