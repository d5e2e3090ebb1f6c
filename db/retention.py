"""What is past its time, a little at a time: each function does at most a batch, so that nobody waits long for it.

Nothing here touches what is unfinished, nor what a moderator is still to look at. Each returns how much it did; as
much as `BATCH` means that there may be more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, delete, exists, not_, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import blanking, room
from db.batches import BATCH, drop_some
from db.records import END_STATES, UNFINISHED_STATES, Clip, JobState, RequestState
from db.tables import clips, credit_entries, jobs, places, platform_files, refusals, requests, reviews, room_messages

_EXPIRED = "The clip was kept as long as clips are kept here."


@dataclass(frozen=True, slots=True)
class Keeping:
    """A place and after how many days its clips are deleted."""

    surface: str
    place: str
    days: int


async def keepings(tx: AsyncConnection) -> list[Keeping]:
    """The places whose moderators have said how long clips are kept."""
    days = places.c.settings["keep_days"].as_integer()
    rows = await tx.execute(select(places.c.surface, places.c.place, days.label("days")).where(days > 0))
    return [Keeping(row.surface, row.place, row.days) for row in rows]


async def expire_clips(tx: AsyncConnection, before: float, now: float, keeping: Keeping | None = None) -> list[Clip]:
    """Forget the oldest clips from before a moment, words and all; those of one place where `keeping` names it.

    Their cards are redrawn without them. Returns them as they were: the caller removes their files after the commit.
    """
    old = and_(clips.c.created_at < before, clips.c.forgotten.is_(False), not_(_is_looked_at(clips)))
    if keeping is not None:
        old = and_(old, clips.c.surface == keeping.surface, clips.c.place == keeping.place)
    found = (
        await tx.execute(select(clips.c.id, clips.c.job).where(old).order_by(clips.c.created_at).limit(BATCH))
    ).all()
    expired = await blanking.forget_clips(tx, clips.c.id.in_([row.id for row in found]), _EXPIRED)
    of_them = [row.job for row in found]
    await blanking.jobs_and_what_they_left(tx, of_them)
    await tx.execute(update(jobs).where(jobs.c.id.in_(of_them)).values(changed_at=now))
    return expired


async def blank_jobs(tx: AsyncConnection, before: float, state: JobState | None = None) -> int:
    """Take the words of jobs that ended, were asked for before a moment, and have no clip (any more); of those in one
    state where it is named."""
    kept = exists().where(clips.c.job == jobs.c.id, clips.c.forgotten.is_(False))
    states = [state] if state else sorted(END_STATES)
    old = and_(jobs.c.created_at < before, jobs.c.state.in_(states), not_(kept), not_(_is_looked_at(jobs)))
    says = or_(jobs.c.spec["prompt"].as_string() != "", jobs.c.spec["negative"].as_string() != "")
    ids = await _ids(tx, select(jobs.c.id).where(old, says))
    await blanking.jobs_and_what_they_left(tx, ids)
    return len(ids)


async def forget_refusals(tx: AsyncConnection, before: float) -> int:
    """Drop what was refused before a moment, with the words of its request, unless somebody is to look at an appeal."""
    old = and_(refusals.c.created_at < before, not_(_is_looked_at(refusals)))
    ids = await _ids(tx, select(refusals.c.id).where(old))
    those = refusals.c.id.in_(ids)
    origin = select(refusals.c.surface, refusals.c.request).where(those)
    await blanking.wishes(tx, and_(tuple_(requests.c.origin, requests.c.id).in_(origin), requests.c.job.is_(None)))
    await tx.execute(delete(refusals).where(those))
    return len(ids)


async def forget_requests(tx: AsyncConnection, state: RequestState, before: float) -> int:
    """Drop what came in before a moment and is still, or has ended, in this state."""
    return await drop_some(tx, requests, and_(requests.c.state == state, requests.c.created_at < before))


async def forget_credits(tx: AsyncConnection, before: float) -> int:
    """Drop charges and grants from before a moment that count for nothing any more."""
    over = or_(credit_entries.c.until.is_(None), credit_entries.c.until < before)
    return await drop_some(tx, credit_entries, and_(credit_entries.c.created_at < before, over))


async def empty_room(tx: AsyncConnection, before: float) -> int:
    """Delete the web page's messages from before a moment that carry no clip, nor wait for one."""
    waiting = select(jobs.c.message).where(jobs.c.state.in_(sorted(UNFINISHED_STATES)))
    kept = and_(room_messages.c.deleted.is_(False), room_messages.c.rendition == "")
    old = and_(kept, room_messages.c.created_at < before, room_messages.c.id.not_in(waiting))
    ids = await _ids(tx, select(room_messages.c.id).where(old))
    for message in ids:
        await room.delete(tx, message)
    return len(ids)


async def forget_platform_files(tx: AsyncConnection) -> int:
    """Drop what platforms call clips that are forgotten: a delivery may have noted one a moment later."""
    forgotten = select(clips.c.id).where(clips.c.forgotten)
    return await drop_some(tx, platform_files, platform_files.c.clip.in_(forgotten))


def _is_looked_at(table: Table) -> ColumnElement[bool]:
    """Whether a moderator, of any place, is still to look at it."""
    return exists().where(reviews.c.subject == table.c.id, reviews.c.decision == "")


async def _ids(tx: AsyncConnection, query: Select[Any]) -> list[str]:
    found: list[str] = list((await tx.execute(query.limit(BATCH))).scalars())
    return found
