"""Cases: what was decided about people and clips, numbered per place, amended and never edited.

The database itself refuses an edit (a trigger); only ids can be taken out of a case. A number is given once, also when
the case that had it was forgotten meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Table,
    Text,
    and_,
    cast,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert  # ON CONFLICT; PostgreSQL's dialect has the same construct
from sqlalchemy.ext.asyncio import AsyncConnection

from db import people
from db.batches import drop_some
from db.records import Action, Asker, Case
from db.rows import storable
from db.tables import case_numbers, cases, restrictions, strikes

MOST_WORDS = 8  # of a search
DELETED = "deleted"  # the id of whoever has none any more

_NEWEST_FIRST = cases.c.number.desc()


async def add(tx: AsyncConnection, case: Case) -> Case:
    """Write the case down under the next number of its place; the number given is not looked at."""
    numbered = replace(case, number=await _next_number(tx, case.surface, case.place))
    await tx.execute(insert(cases).values(_values(numbered)))
    return numbered


async def get(tx: AsyncConnection, surface: str, place: str, number: int) -> Case | None:
    found = await _cases(tx, select(cases).where(_of(surface, place), cases.c.number == number))
    return found[0] if found else None


async def browse(
    tx: AsyncConnection,
    surface: str,
    place: str,
    *,
    words: str = "",
    target: Asker | None = None,
    offset: int = 0,
    limit: int = 20,
) -> list[Case]:
    """The cases of a place, newest first; about `target` (all their identities) alone where one is given.

    `words`: each must be in the reason, rule or action, or be the number, the id of somebody, or of what it is about.
    """
    scope = await _scope(tx, surface, place, words, target)
    return await _cases(tx, select(cases).where(scope).order_by(_NEWEST_FIRST).offset(offset).limit(limit))


async def count(tx: AsyncConnection, surface: str, place: str, *, words: str = "", target: Asker | None = None) -> int:
    """How many `browse` would give in all."""
    scope = await _scope(tx, surface, place, words, target)
    return (await tx.execute(select(func.count()).select_from(cases).where(scope))).scalar_one()


async def amendments(tx: AsyncConnection, surface: str, place: str, number: int) -> list[Case]:
    """What was added to a case later, the oldest first."""
    query = select(cases).where(_of(surface, place), cases.c.amends == number)
    return await _cases(tx, query.order_by(cases.c.number))


async def forget(tx: AsyncConnection, before: float) -> int:
    """Drop the cases that were written before a moment, but for those of curbs and strikes that lasted until then or
    still do, with what was added to them; a batch of them (`db.batches`)."""
    lasting = or_(_of_one_that_lasts(restrictions, before), _of_one_that_lasts(strikes, before))
    return await drop_some(tx, cases, and_(cases.c.created_at < before, ~lasting))


def _of_one_that_lasts(table: Table, before: float) -> ColumnElement[bool]:
    return exists().where(
        table.c.surface == cases.c.surface,
        table.c.place == cases.c.place,
        table.c.case == func.coalesce(cases.c.amends, cases.c.number),
        table.c.lifted_at.is_(None),
        or_(table.c.until.is_(None), table.c.until >= before),
    )


async def unname(tx: AsyncConnection, identities: Collection[Asker]) -> None:
    """The accounts are no more: cases by or about them stay, their ids do not."""
    gone = [(identity.surface, identity.id) for identity in identities]
    by = tuple_(cases.c.actor_surface, cases.c.actor_id).in_(gone)
    about = tuple_(cases.c.target_surface, cases.c.target_id).in_(gone)
    await tx.execute(update(cases).where(by).values(actor_id=DELETED))
    await tx.execute(update(cases).where(about).values(target_id=DELETED))


async def _next_number(tx: AsyncConnection, surface: str, place: str) -> int:
    first = upsert(case_numbers).values(surface=surface, place=place, last=1)
    following = first.on_conflict_do_update(index_elements=["surface", "place"], set_={"last": case_numbers.c.last + 1})
    number: int = (await tx.execute(following.returning(case_numbers.c.last))).scalar_one()
    return number


async def _scope(
    tx: AsyncConnection, surface: str, place: str, words: str, target: Asker | None
) -> ColumnElement[bool]:
    wanted = list(dict.fromkeys(storable(words).split()))[:MOST_WORDS]
    scope = and_(_of(surface, place), *map(_says, wanted))
    if target is None:
        return scope
    identities = await people.identities(tx, target)
    return and_(scope, people.one_of(identities, cases.c.target_surface, cases.c.target_id))


def _says(word: str) -> ColumnElement[bool]:
    """A value of `about` is compared whole: it stands between the quotes of its JSON."""
    said: list[ColumnElement[bool]] = [
        column.icontains(word, autoescape=True) for column in (cases.c.reason, cases.c.rule, cases.c.action)
    ]
    said += [cases.c.actor_id == word, cases.c.target_id == word]
    said.append(cast(cases.c.about, Text).contains(f'"{word}"', autoescape=True))
    number = word.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 10:
        said.append(cases.c.number == int(number))
    return or_(*said)


def _of(surface: str, place: str) -> ColumnElement[bool]:
    return and_(cases.c.surface == surface, cases.c.place == place)


async def _cases(tx: AsyncConnection, query: Select[Any]) -> list[Case]:
    return [_case_of(row) for row in await tx.execute(query)]


def _values(case: Case) -> dict[str, Any]:
    return {
        "surface": case.surface,
        "place": case.place,
        "number": case.number,
        "actor_surface": case.actor.surface,
        "actor_id": case.actor.id,
        "target_surface": None if case.target is None else case.target.surface,
        "target_id": None if case.target is None else case.target.id,
        "action": case.action,
        "rule": case.rule,
        "policy": case.policy,
        "reason": storable(case.reason),
        "about": [list(link) for link in case.about],
        "amends": case.amends,
        "created_at": case.created_at,
    }


def _case_of(row: Row[Any]) -> Case:
    return Case(
        surface=row.surface,
        place=row.place,
        number=row.number,
        actor=Asker(row.actor_surface, row.actor_id),
        target=None if row.target_id is None else Asker(row.target_surface, row.target_id),
        action=Action(row.action),
        reason=row.reason,
        created_at=row.created_at,
        rule=row.rule,
        policy=row.policy,
        about=tuple((name, value) for name, value in row.about),
        amends=row.amends,
    )
