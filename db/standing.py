"""How people stand in a place: points that decay, and curbs that end or are lifted.

Both are written under one identity and count for the person: for every identity that is linked to it now. Whoever parts
from their other identities takes along what counts against them (`share`), as a copy that counts once where they are
linked again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Row,
    Table,
    and_,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db import people
from db.batches import drop_some
from db.ids import new_id
from db.records import EVERYWHERE, NOBODY, Asker, Curb, Restriction, Standing, Strike
from db.rows import asker_of, asker_values
from db.tables import restrictions, strikes

Laid = TypeVar("Laid", Strike, Restriction)

_SAME_STRIKE = (
    strikes.c.surface,
    strikes.c.place,
    strikes.c.case,
    strikes.c.points,
    strikes.c.created_at,
    strikes.c.until,
)
_GRAVITY = {curb: gravity for gravity, curb in enumerate(Curb)}


async def standing(tx: AsyncConnection, asker: Asker, surface: str, place: str, now: float) -> Standing:
    """What counts against the person at `now` in this place, with what the operator has laid down everywhere."""
    identities = await people.identities(tx, asker)
    there = ((surface, place), EVERYWHERE)
    struck = and_(_theirs(strikes, identities, *there), _strike_counts(now))
    each = select(*_SAME_STRIKE).where(struck).distinct().subquery()
    points = select(
        literal("").label("curb"), null().label("until"), func.coalesce(func.sum(each.c.points), 0).label("points")
    )
    held = and_(_theirs(restrictions, identities, *there), _restriction_holds(now))
    curbs = select(restrictions.c.curb, restrictions.c.until, literal(0)).where(held)
    rows = (await tx.execute(union_all(points, curbs))).all()  # in one statement: this is asked at every request
    return Standing(
        sum(row.points for row in rows), *_gravest([(Curb(row.curb), row.until) for row in rows if row.curb])
    )


async def strike(tx: AsyncConnection, strike: Strike) -> None:
    """Write the points down, in the transaction of their case."""
    values = {
        "id": strike.id,
        "surface": strike.surface,
        "place": strike.place,
        **asker_values(strike.asker),
        "points": strike.points,
        "case": strike.case,
        "created_at": strike.created_at,
        "until": strike.until,
        "lifted_at": strike.lifted_at,
    }
    await tx.execute(insert(strikes).values(values))


async def strikes_of(tx: AsyncConnection, asker: Asker, surface: str, place: str) -> list[Strike]:
    """All that the person ever got in this place and that is remembered, the newest first."""
    theirs = _theirs(strikes, await people.identities(tx, asker), (surface, place))
    query = select(strikes).where(theirs).order_by(strikes.c.created_at.desc(), strikes.c.case.desc(), strikes.c.id)
    return _once([_strike_of(row) for row in await tx.execute(query)])


async def restrict(tx: AsyncConnection, restriction: Restriction) -> None:
    """Write the curb down, in the transaction of its case."""
    values = {
        "id": restriction.id,
        "surface": restriction.surface,
        "place": restriction.place,
        **asker_values(restriction.asker),
        "curb": restriction.curb,
        "case": restriction.case,
        "since": restriction.since,
        "until": restriction.until,
        "lifted_at": restriction.lifted_at,
    }
    await tx.execute(insert(restrictions).values(values))


async def restrictions_of(tx: AsyncConnection, asker: Asker, surface: str, place: str) -> list[Restriction]:
    """All curbs that the person ever had in this place and that are remembered, the newest first."""
    theirs = _theirs(restrictions, await people.identities(tx, asker), (surface, place))
    newest_first = (restrictions.c.since.desc(), restrictions.c.case.desc(), restrictions.c.id)
    rows = await tx.execute(select(restrictions).where(theirs).order_by(*newest_first))
    return _once([_restriction_of(row) for row in rows])


async def lift(tx: AsyncConnection, asker: Asker, surface: str, place: str, now: float) -> int:
    """Nothing counts against the person in this place any more. Returns how many strikes and curbs that ended."""
    identities = await people.identities(tx, asker)
    struck = and_(_theirs(strikes, identities, (surface, place)), _strike_counts(now))
    held = and_(_theirs(restrictions, identities, (surface, place)), _restriction_holds(now))
    lifted = (await tx.execute(update(strikes).where(struck).values(lifted_at=now))).rowcount
    return lifted + (await tx.execute(update(restrictions).where(held).values(lifted_at=now))).rowcount


async def share(tx: AsyncConnection, asker: Asker, now: float) -> None:
    """What counts against the person at `now` counts against each of their identities by itself, as if each had earned
    it: before they part, or one of them is erased. Nobody gets rid of a ban by naming another account theirs."""
    identities = await people.identities(tx, asker)
    if len(identities) == 1:
        return
    struck = select(strikes).where(_of_person(strikes, identities), _strike_counts(now))
    for earned in [_strike_of(row) for row in await tx.execute(struck)]:
        for copy in await _lacking(tx, strikes, earned, identities):
            await strike(tx, copy)
    held = select(restrictions).where(_of_person(restrictions, identities), _restriction_holds(now))
    for laid in [_restriction_of(row) for row in await tx.execute(held)]:
        for curbed in await _lacking(tx, restrictions, laid, identities):
            await restrict(tx, curbed)


async def _lacking(tx: AsyncConnection, table: Table, one: Laid, identities: tuple[Asker, ...]) -> list[Laid]:
    """Copies for those who can be in its place and have it not yet."""
    it = and_(table.c.surface == one.surface, table.c.place == one.place, table.c.case == one.case)
    rows = await tx.execute(select(table).where(_of_person(table, identities), it))
    have = {asker_of(row) for row in rows}
    there = [each for each in identities if one.surface in ("", each.surface)]
    return [replace(one, id=new_id(), asker=each) for each in there if each not in have]


def _once(laid: list[Laid]) -> list[Laid]:
    """What was shared among identities that are linked again is one thing."""
    return list({replace(one, id="", asker=NOBODY, lifted_at=None): one for one in laid}.values())


async def forget(tx: AsyncConnection, before: float) -> int:
    """Drop what was over before a moment: decayed, ended or lifted; a batch of each (`db.batches`)."""
    struck = await drop_some(tx, strikes, or_(strikes.c.until < before, strikes.c.lifted_at < before))
    held = await drop_some(tx, restrictions, or_(restrictions.c.until < before, restrictions.c.lifted_at < before))
    return max(struck, held)


def _theirs(table: Table, identities: tuple[Asker, ...], *where: tuple[str, str]) -> ColumnElement[bool]:
    there = tuple_(table.c.surface, table.c.place).in_(where)
    return and_(_of_person(table, identities), there)


def _of_person(table: Table, identities: tuple[Asker, ...]) -> ColumnElement[bool]:
    return people.one_of(identities, table.c.asker_surface, table.c.asker_id)


def _strike_counts(now: float) -> ColumnElement[bool]:
    return and_(strikes.c.until > now, strikes.c.lifted_at.is_(None))


def _restriction_holds(now: float) -> ColumnElement[bool]:
    lasts = or_(restrictions.c.until.is_(None), restrictions.c.until > now)
    return and_(lasts, restrictions.c.lifted_at.is_(None))


def _gravest(held: list[tuple[Curb, float | None]]) -> tuple[Curb | None, float | None]:
    """The gravest curb and when the last of its kind ends; None: when a moderator lifts it."""
    if not held:
        return None, None
    gravest = max((curb for curb, _ in held), key=_GRAVITY.__getitem__)
    ends = [until for curb, until in held if curb is gravest]
    return gravest, None if None in ends else max(end for end in ends if end is not None)


def _strike_of(row: Row[Any]) -> Strike:
    return Strike(
        id=row.id,
        surface=row.surface,
        place=row.place,
        asker=asker_of(row),
        points=row.points,
        case=row.case,
        created_at=row.created_at,
        until=row.until,
        lifted_at=row.lifted_at,
    )


def _restriction_of(row: Row[Any]) -> Restriction:
    return Restriction(
        id=row.id,
        surface=row.surface,
        place=row.place,
        asker=asker_of(row),
        curb=Curb(row.curb),
        case=row.case,
        since=row.since,
        until=row.until,
        lifted_at=row.lifted_at,
    )
