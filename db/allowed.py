"""Prompts that moderators of a place found harmless: refused there no more, and a lesson for the filter.

What counts for nothing in the place (`counts` False) is kept as a lesson alone. Prompts come cleaned and casefolded,
as they are compared.
"""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.dialects.sqlite import insert  # ON CONFLICT; PostgreSQL's dialect has the same construct
from sqlalchemy.ext.asyncio import AsyncConnection

from db.records import Verdict
from db.rows import verdict_of
from db.tables import allowed_prompts as allowed

_KEY = ["surface", "place", "prompt"]


async def add(
    tx: AsyncConnection, surface: str, place: str, prompt: str, verdict: Verdict, case: int, counts: bool, now: float
) -> None:
    """`verdict` was wrong about this prompt, says case number `case`. What counted before goes on counting."""
    values = {"verdict": asdict(verdict), "case": case, "counts": counts, "created_at": now}
    row = insert(allowed).values(surface=surface, place=place, prompt=prompt, **values)
    still = {**values, "counts": or_(allowed.c.counts, row.excluded.counts)}
    await tx.execute(row.on_conflict_do_update(index_elements=_KEY, set_=still))


async def prompts(tx: AsyncConnection, surface: str, place: str) -> tuple[str, ...]:
    """What is let through in a place."""
    there = and_(allowed.c.surface == surface, allowed.c.place == place, allowed.c.counts)
    return tuple((await tx.execute(select(allowed.c.prompt).where(there).order_by(allowed.c.prompt))).scalars())


async def exported(tx: AsyncConnection) -> list[tuple[str, str, str, Verdict, bool]]:
    """Everything the filter was found wrong about, as (surface, place, prompt, the verdict, whether it counts)."""
    rows = await tx.execute(select(allowed).order_by(*(allowed.c[name] for name in _KEY)))
    return [(row.surface, row.place, row.prompt, verdict_of(row.verdict), row.counts) for row in rows]


async def remove(tx: AsyncConnection, surface: str, place: str, prompt: str) -> bool:
    """It is judged as everywhere again. False: it was not on the list."""
    there = and_(allowed.c.surface == surface, allowed.c.place == place, allowed.c.prompt == prompt)
    return (await tx.execute(delete(allowed).where(there))).rowcount == 1
