"""Codes that were tried and were not good, so that nobody tries codes until one is."""

from __future__ import annotations

from sqlalchemy import and_, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.ids import new_id
from db.records import Asker
from db.rows import asker_values
from db.tables import link_tries


async def note(tx: AsyncConnection, asker: Asker, now: float) -> None:
    """The identity has just tried a code that was not good."""
    await tx.execute(insert(link_tries).values(id=new_id(), **asker_values(asker), tried_at=now))


async def count(tx: AsyncConnection, asker: Asker, since: float) -> int:
    """How many of the identity's tries failed after `since`."""
    theirs = and_(link_tries.c.asker_surface == asker.surface, link_tries.c.asker_id == asker.id)
    query = select(func.count()).select_from(link_tries).where(theirs, link_tries.c.tried_at > since)
    return (await tx.execute(query)).scalar_one()


async def forget(tx: AsyncConnection, before: float) -> None:
    """What was tried that long ago counts for nothing."""
    await tx.execute(delete(link_tries).where(link_tries.c.tried_at <= before))
