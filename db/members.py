"""Whether somebody has ever been in a place, as far as is remembered."""

from __future__ import annotations

from sqlalchemy import and_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from db import people
from db.records import Asker
from db.tables import cases, jobs, refusals, reports, requests, restrictions, strikes

_LEAVES_TRACES = (jobs, requests, refusals, reports, strikes, restrictions)


async def is_known(tx: AsyncConnection, asker: Asker, surface: str, place: str) -> bool:
    """Whether the person (any identity) has asked for or reported something there, or something was decided on them."""
    identities = await people.identities(tx, asker)
    traces = [
        select(table.c.asker_id).where(
            people.one_of(identities, table.c.asker_surface, table.c.asker_id),
            and_(table.c.surface == surface, table.c.place == place),
        )
        for table in _LEAVES_TRACES
    ]
    about = people.one_of(identities, cases.c.target_surface, cases.c.target_id)
    decided = select(cases.c.target_id).where(about, cases.c.surface == surface, cases.c.place == place)
    return (await tx.execute(union_all(*traces, decided).limit(1))).first() is not None
