"""What the moderators' pages ask across several tables: which places there are, and who stands out in one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, and_, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from db.records import Asker, ReviewKind
from db.tables import cases, jobs, places, refusals, requests, restrictions, reviews, strikes


@dataclass(frozen=True, slots=True)
class PlaceSeen:
    """A place where something has been asked for or decided; `waiting` are its open reviews.

    `private`: something was asked for there while nobody else read along.
    """

    surface: str
    place: str
    private: bool
    last_at: float
    waiting: int


async def places_seen(tx: AsyncConnection) -> list[PlaceSeen]:
    """Every place, those with open reviews first, then by when something happened there last."""
    traces = _traces().subquery()
    query = select(traces.c.surface, traces.c.place, func.max(traces.c.at)).group_by(traces.c.surface, traces.c.place)
    waiting = await _waiting(tx)
    private = await _private(tx)
    found = [
        PlaceSeen(surface, place, (surface, place) in private, at, waiting.get((surface, place), 0))
        for surface, place, at in await tx.execute(query)
        if surface
    ]
    return sorted(found, key=lambda seen: (not seen.waiting, -seen.last_at, seen.surface, seen.place))


async def is_seen(tx: AsyncConnection, surface: str, place: str) -> bool:
    """Whether `places_seen` would name it."""
    traces = _traces().subquery()
    query = select(traces.c.at).where(traces.c.surface == surface, traces.c.place == place).limit(1)
    return (await tx.execute(query)).first() is not None


async def stood_out(tx: AsyncConnection, surface: str, place: str, offset: int = 0, limit: int = 50) -> list[Asker]:
    """Who has or had strikes or restrictions in a place, the latest first; each identity once."""
    one = select(strikes.c.asker_surface, strikes.c.asker_id, strikes.c.created_at.label("at")).where(
        strikes.c.surface == surface, strikes.c.place == place
    )
    other = select(restrictions.c.asker_surface, restrictions.c.asker_id, restrictions.c.since.label("at")).where(
        restrictions.c.surface == surface, restrictions.c.place == place
    )
    both = union_all(one, other).subquery()
    who = (both.c.asker_surface, both.c.asker_id)
    query = select(*who).group_by(*who).order_by(func.max(both.c.at).desc(), *who).offset(offset).limit(limit)
    return [Asker(row.asker_surface, row.asker_id) for row in await tx.execute(query)]


async def is_reviewed(tx: AsyncConnection, surface: str, place: str, clip: str) -> bool:
    """Whether the moderators of a place were ever asked to look at a clip, which is why they may."""
    of_clips = reviews.c.kind.in_([ReviewKind.REPORTED, ReviewKind.LABELLED])
    here = and_(reviews.c.surface == surface, reviews.c.place == place, of_clips, reviews.c.subject == clip)
    return (await tx.execute(select(reviews.c.id).where(here).limit(1))).first() is not None


def _traces() -> Select[tuple[str, str, float]]:
    """Whatever says that a place is one, with its moment."""
    asked = select(jobs.c.surface, jobs.c.place, jobs.c.created_at.label("at"))
    refused = select(refusals.c.surface, refusals.c.place, refusals.c.created_at)
    opened = select(reviews.c.surface, reviews.c.place, reviews.c.opened_at)
    decided = select(cases.c.surface, cases.c.place, cases.c.created_at)
    settled = select(places.c.surface, places.c.place, places.c.changed_at)
    return select(union_all(asked, refused, opened, decided, settled).subquery())


async def _waiting(tx: AsyncConnection) -> dict[tuple[str, str], int]:
    query = select(reviews.c.surface, reviews.c.place, func.count()).where(reviews.c.decision == "")
    grouped = query.group_by(reviews.c.surface, reviews.c.place)
    return {(surface, place): count for surface, place, count in await tx.execute(grouped)}


async def _private(tx: AsyncConnection) -> set[tuple[str, str]]:
    alone = requests.c.circumstances["private"].as_boolean()
    query = select(requests.c.surface, requests.c.place).where(alone).distinct()
    return {(surface, place) for surface, place in await tx.execute(query)}
