"""Runners and their last sign of life."""

from __future__ import annotations

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables import runners


async def seen(tx: AsyncConnection, runner: str, device: str, now: float) -> None:
    """The runner lives."""
    again = update(runners).where(runners.c.name == runner).values(device=device, seen_at=now)
    if (await tx.execute(again)).rowcount == 0:
        await tx.execute(insert(runners).values(name=runner, device=device, seen_at=now))
