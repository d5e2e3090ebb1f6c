"""Runners and their last sign of life."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables import runners


@dataclass(frozen=True, slots=True)
class RunnerRow:
    """A runner by name, the device its engine sits on, and when it was last seen."""

    name: str
    device: str
    seen_at: float


async def seen(tx: AsyncConnection, runner: str, device: str, now: float) -> None:
    """The runner lives."""
    again = update(runners).where(runners.c.name == runner).values(device=device, seen_at=now)
    if (await tx.execute(again)).rowcount == 0:
        await tx.execute(insert(runners).values(name=runner, device=device, seen_at=now))


async def alive(tx: AsyncConnection, since: float) -> list[RunnerRow]:
    """The runners seen at `since` or later, by name."""
    rows = await tx.execute(select(runners).where(runners.c.seen_at >= since).order_by(runners.c.name))
    return [RunnerRow(row.name, row.device, row.seen_at) for row in rows]
