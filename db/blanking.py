"""Taking words away while the rows stay: that something was asked for is kept, what it said is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import gallery
from db.records import Clip, DeliveryState, Wish
from db.tables import clips, deliveries, jobs, requests

_NO_WORDS = {"prompt": "", "negative": ""}


async def specs(tx: AsyncConnection, table: Table, where: ColumnElement[bool]) -> None:
    """The prompts of `jobs` or `clips`; seed, size and whatever else is no words stay, so that lineage can be told."""
    rows = (await tx.execute(select(table.c.id, table.c.spec).where(where))).all()
    blank: list[dict[str, Any]] = [{"of": row.id, "wordless": {**row.spec, **_NO_WORDS}} for row in rows]
    if blank:
        change = update(table).where(table.c.id == bindparam("of")).values(spec=bindparam("wordless"))
        await tx.execute(change, blank)


async def wishes(tx: AsyncConnection, where: ColumnElement[bool]) -> None:
    """Everything that requests asked for; that they came, and what came of them, stays."""
    await tx.execute(update(requests).where(where).values(wish=asdict(Wish(""))))


async def jobs_and_what_they_left(tx: AsyncConnection, ids: Sequence[str]) -> None:
    """The words of jobs, of the requests that they came from, and of the clips that they became."""
    await specs(tx, jobs, jobs.c.id.in_(ids))
    await specs(tx, clips, clips.c.job.in_(ids))
    await wishes(tx, requests.c.job.in_(ids))


async def forget_clips(tx: AsyncConnection, where: ColumnElement[bool], reason: str) -> list[Clip]:
    """Forget clips for good: no file, no words, no promise to bring them. What stays is that there was one.

    Returns them as they were: the caller removes their files after the commit.
    """
    theirs = select(clips.c.id).where(where)
    promised = (deliveries.c.clip.in_(theirs)) & (deliveries.c.state == DeliveryState.PROMISED)
    await tx.execute(update(deliveries).where(promised).values(state=DeliveryState.GIVEN_UP, reason=reason))
    forgotten = await gallery.forget_all(tx, where)
    await specs(tx, clips, where)
    return forgotten
