"""Who is who, and what they prefer: settings by identity, and identities of several surfaces linked to one person."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select, tuple_, update
from sqlalchemy.dialects.sqlite import insert  # ON CONFLICT; PostgreSQL's dialect has the same construct
from sqlalchemy.ext.asyncio import AsyncConnection

from db.ids import new_id
from db.records import Asker, PersonSettings
from db.rows import asker_of, asker_values
from db.tables import link_codes, people


async def settings(tx: AsyncConnection, asker: Asker) -> PersonSettings:
    """What they prefer; the defaults for somebody who has set nothing."""
    stored = (await tx.execute(select(people.c.settings).where(_is(asker)))).scalar_one_or_none()
    return PersonSettings(**(stored or {}))


async def put(tx: AsyncConnection, asker: Asker, settings: PersonSettings) -> None:
    """These are their settings from now on."""
    await _keep(tx, asker, settings=asdict(settings))


async def identities(tx: AsyncConnection, asker: Asker) -> tuple[Asker, ...]:
    """Every identity of the person, this one first; alone where nothing is linked."""
    person = await _person(tx, asker)
    if not person:
        return (asker,)
    rows = await tx.execute(select(people).where(people.c.person == person).order_by(*_KEY))
    return (asker, *(other for other in map(asker_of, rows) if other != asker))


async def offer(tx: AsyncConnection, asker: Asker, code_hash: str, until: float) -> None:
    """Whoever says the code before `until` joins this identity. Only the last code offered is good."""
    await tx.execute(delete(link_codes).where(_offered_by(asker)))
    await tx.execute(insert(link_codes).values(code_hash=code_hash, **asker_values(asker), until=until))


async def forget_codes(tx: AsyncConnection, now: float) -> None:
    """Drop the codes that are past their time."""
    await tx.execute(delete(link_codes).where(link_codes.c.until <= now))


async def offered_by(tx: AsyncConnection, code_hash: str, now: float) -> Asker | None:
    """Who offered this code; None: nobody, or it is past its time."""
    good = and_(link_codes.c.code_hash == code_hash, link_codes.c.until > now)
    row = (await tx.execute(select(link_codes).where(good))).one_or_none()
    return None if row is None else asker_of(row)


async def join(tx: AsyncConnection, asker: Asker, code_hash: str, now: float) -> Asker | None:
    """The identity that offered this code and `asker` are one person from now on, with all that either was linked to.

    The code is used up. None: no such code, it is past its time, or it is one's own.
    """
    await forget_codes(tx, now)
    row = (await tx.execute(select(link_codes).where(link_codes.c.code_hash == code_hash))).one_or_none()
    if row is None or asker_of(row) == asker:
        return None
    await tx.execute(delete(link_codes).where(link_codes.c.code_hash == code_hash))
    offering = asker_of(row)
    person = await _person(tx, offering) or new_id()
    for identity in (*await identities(tx, offering), *await identities(tx, asker)):
        await _keep(tx, identity, person=person)
    return offering


async def leave(tx: AsyncConnection, asker: Asker) -> None:
    """This identity is a person of its own again."""
    await tx.execute(update(people).where(_is(asker)).values(person=""))


def one_of(identities: tuple[Asker, ...], surface: ColumnElement[str], id_: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a row's two asker columns name one of `identities`.

    The first two conditions say nothing new; SQLite searches an index by them, where for three pairs or more alone it
    would read the whole table. Most people have one identity, for which there is a shorter way to say it.
    """
    if len(identities) == 1:
        return and_(surface == identities[0].surface, id_ == identities[0].id)
    return and_(
        surface.in_({identity.surface for identity in identities}),
        id_.in_({identity.id for identity in identities}),
        tuple_(surface, id_).in_([(identity.surface, identity.id) for identity in identities]),
    )


_KEY = (people.c.asker_surface, people.c.asker_id)


def _is(asker: Asker) -> ColumnElement[bool]:
    return and_(people.c.asker_surface == asker.surface, people.c.asker_id == asker.id)


def _offered_by(asker: Asker) -> ColumnElement[bool]:
    return and_(link_codes.c.asker_surface == asker.surface, link_codes.c.asker_id == asker.id)


async def _person(tx: AsyncConnection, asker: Asker) -> str:
    return (await tx.execute(select(people.c.person).where(_is(asker)))).scalar_one_or_none() or ""


async def _keep(tx: AsyncConnection, asker: Asker, **values: Any) -> None:
    row = {**asker_values(asker), "settings": {}, "person": "", **values}
    await tx.execute(insert(people).values(row).on_conflict_do_update(index_elements=list(_KEY), set_=values))
