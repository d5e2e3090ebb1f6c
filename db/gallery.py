"""Finished clips: published with the job's end, shown, forgotten on request."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.records import Clip
from db.rows import asker_of, asker_values, spec_of, verdict_of
from db.tables import clips

_KEPT = clips.c.forgotten.is_(False)


async def publish(tx: AsyncConnection, clip: Clip) -> None:
    """Write the clip down in the transaction that finishes its job. A job has one clip at most."""
    values = {
        "id": clip.id,
        "job": clip.job,
        **asker_values(clip.asker),
        "model": clip.spec.model,
        "spec": asdict(clip.spec),
        "verdict": asdict(clip.verdict),
        "master": clip.master,
        "sha256": clip.sha256,
        "bytes": clip.bytes,
        "seconds": clip.seconds,
        "created_at": clip.created_at,
        "hidden": clip.hidden,
    }
    await tx.execute(insert(clips).values(values))


async def get(tx: AsyncConnection, clip_id: str) -> Clip | None:
    """None: there is no such clip, or it was forgotten."""
    return await _one(tx, clips.c.id == clip_id)


async def of_job(tx: AsyncConnection, job_id: str) -> Clip | None:
    """None: the job has no clip (yet), or it was forgotten."""
    return await _one(tx, clips.c.job == job_id)


async def forget(tx: AsyncConnection, clip_id: str) -> Clip | None:
    """Leave a tombstone without a file. Returns the clip as it was, whose files the caller removes after the commit;
    None: there was none to forget."""
    clip = await get(tx, clip_id)
    if clip is not None:
        await tx.execute(update(clips).where(clips.c.id == clip_id).values(hidden=True, forgotten=True, master=""))
    return clip


async def typical_seconds(tx: AsyncConnection, model: str, count: int = 20) -> float | None:
    """Median over the model's last `count` clips of the seconds all stages took together; None: no clip yet."""
    last = select(clips.c.seconds).where(clips.c.model == model).order_by(clips.c.created_at.desc()).limit(count)
    totals = [sum(seconds.values()) for seconds in (await tx.execute(last)).scalars()]
    return statistics.median(totals) if totals else None


async def masters(tx: AsyncConnection) -> set[str]:
    """Every master that a clip names: what a sweep of the store must leave alone."""
    return set((await tx.execute(select(clips.c.master).where(_KEPT))).scalars())


async def _one(tx: AsyncConnection, where: ColumnElement[bool]) -> Clip | None:
    row = (await tx.execute(select(clips).where(where, _KEPT))).one_or_none()
    return None if row is None else _clip_of(row)


def _clip_of(row: Row[Any]) -> Clip:
    return Clip(
        id=row.id,
        job=row.job,
        asker=asker_of(row),
        spec=spec_of(row.spec),
        verdict=verdict_of(row.verdict),
        master=row.master,
        sha256=row.sha256,
        bytes=row.bytes,
        seconds=row.seconds,
        created_at=row.created_at,
        hidden=row.hidden,
    )
