"""A place that has a new name on its platform: what was stored under the old one goes on under the new one.

Where cards stand is left as it is: their messages stayed behind, and whoever speaks to the platform asks `moved`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, and_, column, delete, exists, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert  # ON CONFLICT; PostgreSQL's dialect has the same construct
from sqlalchemy.ext.asyncio import AsyncConnection

from db.records import Decision
from db.tables import (
    allowed_prompts,
    case_numbers,
    cases,
    clips,
    console_links,
    console_sessions,
    credit_entries,
    moved_places,
    pending,
    places,
    refusals,
    reports,
    restrictions,
    reviews,
    strikes,
    withheld,
)

_SIMPLY = (clips, refusals, strikes, restrictions, pending, credit_entries, console_links, console_sessions)
_NUMBERED = (strikes, restrictions, reviews, allowed_prompts)  # which name their case


async def moved(tx: AsyncConnection, surface: str, place: str) -> str:
    """Where the place is now: itself, unless it has moved (any number of times)."""
    seen = {place}
    while (to := await _next(tx, surface, place)) and to not in seen:
        seen.add(to)
        place = to
    return place


async def names(tx: AsyncConnection, surface: str, place: str) -> tuple[str, ...]:
    """Every name the place has or had, this one first."""
    known = [place]
    for name in known:  # which grows meanwhile
        led_here = and_(moved_places.c.surface == surface, moved_places.c.to == name)
        before = await tx.execute(select(moved_places.c.place).where(led_here).order_by(moved_places.c.place))
        known += [earlier for earlier in before.scalars() if earlier not in known]
    return tuple(known)


async def note(tx: AsyncConnection, surface: str, place: str, to: str, now: float) -> None:
    """The place is called `to` from now on; what it has stored and what was decided there moves along.

    Cases keep their numbers. Where both names have some, those of the new name are counted on after the old ones.
    Said twice: nothing changes.
    """
    row = upsert(moved_places).values(surface=surface, place=place, to=to, moved_at=now)
    await tx.execute(row.on_conflict_do_update(index_elements=["surface", "place"], set_={"to": to, "moved_at": now}))
    if place == to:
        return
    await _move_unless_there(tx, places, surface, place, to)
    await _move_cases(tx, surface, place, to)
    await _move_unless_there(tx, allowed_prompts, surface, place, to, "prompt")
    await _move_unless_there(tx, withheld, surface, place, to, "clip")
    await _move_unless_there(tx, reports, surface, place, to, "clip", "asker_surface", "asker_id")
    await _move_reviews(tx, surface, place, to, now)
    for table in _SIMPLY:
        await tx.execute(update(table).where(_of(table, surface, place)).values(place=to))


async def _next(tx: AsyncConnection, surface: str, place: str) -> str:
    where = and_(moved_places.c.surface == surface, moved_places.c.place == place)
    return (await tx.execute(select(moved_places.c.to).where(where))).scalar_one_or_none() or ""


async def _move_unless_there(tx: AsyncConnection, table: Table, surface: str, place: str, to: str, *key: str) -> None:
    """Of rows that have the same key under both names, the one under the new name stays."""
    there = table.alias("there")
    same = and_(_of(there, surface, to), *(there.c[name] == table.c[name] for name in key))
    await tx.execute(delete(table).where(_of(table, surface, place), exists().where(same)))
    await tx.execute(update(table).where(_of(table, surface, place)).values(place=to))


async def _move_cases(tx: AsyncConnection, surface: str, place: str, to: str) -> None:
    last = await _last_number(tx, surface, place)
    later = await _last_number(tx, surface, to)
    if later:
        await _count_on(tx, surface, place, to, last)
    await tx.execute(update(cases).where(_of(cases, surface, place)).values(place=to))
    await tx.execute(delete(case_numbers).where(_of(case_numbers, surface, place)))
    row = upsert(case_numbers).values(surface=surface, place=to, last=last + later)
    await tx.execute(row.on_conflict_do_update(index_elements=["surface", "place"], set_={"last": last + later}))


async def _count_on(tx: AsyncConnection, surface: str, place: str, to: str, last: int) -> None:
    """Give the cases under the new name the numbers after `last`. They are never edited, so they are written anew:
    under the old name for now, where those numbers are free."""
    found = (await tx.execute(select(cases).where(_of(cases, surface, to)))).mappings().all()
    if found:
        await tx.execute(insert(cases), [{**_counted_on(row, last), "place": place} for row in found])
        await tx.execute(delete(cases).where(_of(cases, surface, to)))
    for table in _NUMBERED:
        await tx.execute(update(table).where(_of(table, surface, to)).values(case=column("case") + last))


def _counted_on(case: RowMapping, last: int) -> dict[str, Any]:
    """The case with every number in it that is one of its place's cases."""
    about = [[name, str(int(value) + last) if name == "case" else value] for name, value in case["about"]]
    amends = None if case["amends"] is None else case["amends"] + last
    return {**case, "number": case["number"] + last, "amends": amends, "about": about}


async def _last_number(tx: AsyncConnection, surface: str, place: str) -> int:
    query = select(case_numbers.c.last).where(_of(case_numbers, surface, place))
    return (await tx.execute(query)).scalar_one_or_none() or 0


async def _move_reviews(tx: AsyncConnection, surface: str, place: str, to: str, now: float) -> None:
    """Their cards stay behind, so that the open ones get new ones. What is open under both names is so once."""
    old = _of(reviews, surface, place)
    there = reviews.alias("there")
    same = and_(there.c.kind == reviews.c.kind, there.c.subject == reviews.c.subject, there.c.decision == "")
    twice = exists().where(_of(there, surface, to), same)
    lapsed = {"decision": Decision.LAPSED, "decided_at": now}
    await tx.execute(update(reviews).where(old, reviews.c.decision == "", twice).values(lapsed))
    without = {"place": to, "card_thread": "", "card_message": "", "drawn": reviews.c.decision != ""}
    await tx.execute(update(reviews).where(old).values({**without, "version": reviews.c.version + 1}))


def _of(table: Any, surface: str, place: str) -> ColumnElement[bool]:
    return and_(table.c.surface == surface, table.c.place == place)
