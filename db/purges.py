"""Clips that moderators have asked to be deleted together, and the purges that are not done yet.

A purge is a row of `pending` that nobody confirms any more: it stays until the last of its clips is gone, also when the
bot is stopped in the middle.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, RowMapping, and_, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import people
from db.records import Asker, Clip
from db.rows import asker_values, clip_of
from db.tables import clips, pending

PURGING = "purging"  # what a purge that was confirmed is called
_NEVER = 1e12  # a moment that does not come: a purge has no time to be over


@dataclass(frozen=True, slots=True)
class Scope:
    """Which clips of a place: those made after `since` and until `until`, by `asker` alone (all their identities) where
    one is given; hidden ones as well."""

    surface: str
    place: str
    asker: Asker | None
    since: float
    until: float


async def count(tx: AsyncConnection, scope: Scope) -> int:
    """How many clips there are to delete."""
    return (await tx.execute(select(func.count()).select_from(clips).where(await _in(tx, scope)))).scalar_one()


async def some(tx: AsyncConnection, scope: Scope, limit: int) -> list[Clip]:
    """The newest of them."""
    query = select(clips).where(await _in(tx, scope)).order_by(clips.c.created_at.desc(), clips.c.id).limit(limit)
    return [clip_of(row) for row in await tx.execute(query)]


async def begin(tx: AsyncConnection, purge_id: str, by: Asker, scope: Scope) -> None:
    """These clips are to be deleted; in the transaction of the case that says so."""
    asker = scope.asker
    values = [
        ["since", repr(scope.since)],
        ["until", repr(scope.until)],
        *([["asker_surface", asker.surface], ["asker_id", asker.id]] if asker else []),
    ]
    row = {"id": purge_id, **asker_values(by), "surface": scope.surface, "place": scope.place, "until": _NEVER}
    await tx.execute(insert(pending).values(**row, what=PURGING, values=values))


async def begun(tx: AsyncConnection) -> list[tuple[str, Scope]]:
    """The purges that are not done yet, by their ids. A place that has moved meanwhile has its new name."""
    rows = await tx.execute(select(pending).where(pending.c.what == PURGING).order_by(pending.c.id))
    return [(row["id"], _scope_of(row)) for row in rows.mappings()]


async def done(tx: AsyncConnection, purge_ids: Collection[str]) -> None:
    await tx.execute(delete(pending).where(pending.c.what == PURGING, pending.c.id.in_(purge_ids)))


def _scope_of(row: RowMapping) -> Scope:
    said = dict(row["values"])
    asker = Asker(said["asker_surface"], said["asker_id"]) if "asker_id" in said else None
    return Scope(row["surface"], row["place"], asker, float(said["since"]), float(said["until"]))


async def _in(tx: AsyncConnection, scope: Scope) -> ColumnElement[bool]:
    made = and_(clips.c.created_at > scope.since, clips.c.created_at <= scope.until)
    here = and_(clips.c.surface == scope.surface, clips.c.place == scope.place, clips.c.forgotten.is_(False), made)
    if scope.asker is None:
        return here
    identities = await people.identities(tx, scope.asker)
    return and_(here, people.one_of(identities, clips.c.asker_surface, clips.c.asker_id))
