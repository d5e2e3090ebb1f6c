"""Refused prompts: kept so that their askers can appeal, and so that the same request meets the same answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, select, update
from sqlalchemy.dialects.sqlite import insert  # ON CONFLICT DO NOTHING; PostgreSQL's dialect has the same construct
from sqlalchemy.ext.asyncio import AsyncConnection

from db import moves, people
from db.records import Asker, Refusal
from db.rows import address_of, address_values, asker_of, asker_values, verdict_of
from db.tables import refusals


async def record(tx: AsyncConnection, refusal: Refusal) -> bool:
    """False: this request was refused before, and that one stays."""
    values = {
        "id": refusal.id,
        "request": refusal.request,
        **asker_values(refusal.asker),
        **address_values(refusal.address),
        "verdict": asdict(refusal.verdict),
        "prompt": refusal.prompt,
        "created_at": refusal.created_at,
        "appealed_at": refusal.appealed_at,
    }
    return (await tx.execute(insert(refusals).values(values).on_conflict_do_nothing())).rowcount == 1


async def get(tx: AsyncConnection, refusal_id: str) -> Refusal | None:
    return await _one(tx, refusals.c.id == refusal_id)


async def of_request(tx: AsyncConnection, surface: str, request: str) -> Refusal | None:
    """The refusal of the request that `surface` received under this id."""
    return await _one(tx, and_(refusals.c.surface == surface, refusals.c.request == request))


async def appeal(tx: AsyncConnection, refusal_id: str, now: float) -> bool:
    """A moderator shall look at it. False: that was asked before (or there is none), and nothing changes."""
    silent = and_(refusals.c.id == refusal_id, refusals.c.appealed_at.is_(None))
    return (await tx.execute(update(refusals).where(silent).values(appealed_at=now))).rowcount == 1


async def appealed(tx: AsyncConnection, surface: str, place: str) -> list[Refusal]:
    """What waits for a look by the moderators of a place, the oldest appeal first."""
    theirs = and_(refusals.c.surface == surface, refusals.c.place == place, refusals.c.appealed_at.is_not(None))
    rows = await tx.execute(select(refusals).where(theirs).order_by(refusals.c.appealed_at))
    return [_refusal_of(row) for row in rows]


async def count(
    tx: AsyncConnection, asker: Asker, surface: str, place: str, categories: Collection[str], since: float
) -> int:
    """How many prompts of the person (all their identities) were refused in a place after `since` for one of these."""
    names = await moves.names(tx, surface, place)
    there = and_(refusals.c.surface == surface, refusals.c.place.in_(names), refusals.c.created_at > since)
    grave = refusals.c.verdict["category"].as_string().in_(categories)
    return await _count(tx, asker, and_(there, grave))


async def appeals_of(tx: AsyncConnection, asker: Asker, since: float) -> int:
    """How many appeals the person made after `since`, anywhere."""
    return await _count(tx, asker, refusals.c.appealed_at > since)


async def _count(tx: AsyncConnection, asker: Asker, which: ColumnElement[bool]) -> int:
    identities = await people.identities(tx, asker)
    theirs = people.one_of(identities, refusals.c.asker_surface, refusals.c.asker_id)
    return (await tx.execute(select(func.count()).select_from(refusals).where(theirs, which))).scalar_one()


async def _one(tx: AsyncConnection, where: ColumnElement[bool]) -> Refusal | None:
    row = (await tx.execute(select(refusals).where(where))).one_or_none()
    return None if row is None else _refusal_of(row)


def _refusal_of(row: Row[Any]) -> Refusal:
    return Refusal(
        id=row.id,
        surface=row.surface,
        request=row.request,
        asker=asker_of(row),
        address=address_of(row),
        verdict=verdict_of(row.verdict),
        prompt=row.prompt,
        created_at=row.created_at,
        appealed_at=row.appealed_at,
    )
