"""A place that has a new name on its platform: what was stored under the old one goes on under the new one."""

from __future__ import annotations

from sqlalchemy import and_, delete, exists, select, update
from sqlalchemy.dialects.sqlite import insert  # ON CONFLICT; PostgreSQL's dialect has the same construct
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables import clips, moved_places, places


async def moved(tx: AsyncConnection, surface: str, place: str) -> str:
    """Where the place is now: itself, unless it has moved (any number of times)."""
    seen = {place}
    while (to := await _next(tx, surface, place)) and to not in seen:
        seen.add(to)
        place = to
    return place


async def note(tx: AsyncConnection, surface: str, place: str, to: str, now: float) -> None:
    """The place is called `to` from now on; its settings and its gallery move along. Said twice: nothing changes."""
    row = insert(moved_places).values(surface=surface, place=place, to=to, moved_at=now)
    await tx.execute(row.on_conflict_do_update(index_elements=["surface", "place"], set_={"to": to, "moved_at": now}))
    await _move_settings(tx, surface, place, to)
    await tx.execute(update(clips).where(clips.c.surface == surface, clips.c.place == place).values(place=to))


async def _next(tx: AsyncConnection, surface: str, place: str) -> str:
    where = and_(moved_places.c.surface == surface, moved_places.c.place == place)
    return (await tx.execute(select(moved_places.c.to).where(where))).scalar_one_or_none() or ""


async def _move_settings(tx: AsyncConnection, surface: str, place: str, to: str) -> None:
    """What was set under the new name already stays."""
    old = and_(places.c.surface == surface, places.c.place == place)
    new = exists().where(places.c.surface == surface, places.c.place == to)
    if (await tx.execute(select(new))).scalar_one():
        await tx.execute(delete(places).where(old))
    else:
        await tx.execute(update(places).where(old).values(place=to))
