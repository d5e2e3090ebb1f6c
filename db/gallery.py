"""Finished clips: published with the job's end, browsed and found by their words, hidden, forgotten on request.

Who sees what: the clips of a place are for those who are there; in private only one's own. Hidden and forgotten clips
are never among what is browsed or found. The words of every clip that can be found are in `clip_words` (FTS5), which is
written here and nowhere else.
"""

from __future__ import annotations

import re
import statistics
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    column,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert  # ON CONFLICT; PostgreSQL's dialect has the same construct
from sqlalchemy.ext.asyncio import AsyncConnection

from db import moves, people
from db.records import Address, Asker, Clip, Ruling
from db.rows import asker_values, clip_of, storable
from db.tables import clips, deliveries, jobs, moved_places, platform_files, withheld

MOST_WORDS = 12  # of a search
ASKER, MODERATORS, BOTH = "asker", "moderators", "both"  # who has hidden a clip

_KEPT = clips.c.forgotten.is_(False)
_WITHHELD_AT_HOME = exists().where(
    withheld.c.clip == clips.c.id, withheld.c.surface == clips.c.surface, withheld.c.place == clips.c.place
)
_SHOWN = and_(_KEPT, clips.c.hidden.is_(False), ~_WITHHELD_AT_HOME)
_WORDS = table("clip_words", column("clip", Text), column("prompt", Text), column("clip_words", Text))
_NEWEST_FIRST = (clips.c.created_at.desc(), clips.c.id)


async def publish(tx: AsyncConnection, clip: Clip) -> None:
    """Write the clip down in the transaction that finishes its job, whose place it belongs to from now on, by the name
    that the place has now.

    A job has one clip at most. A labelled one is on the list of what moderators are to look at.
    """
    asked_for = (await tx.execute(select(jobs.c.surface, jobs.c.place).where(jobs.c.id == clip.job))).one()
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
        "hidden_by": clip.hidden_by or (MODERATORS if clip.hidden else ""),
        "unlisted": clip.verdict.ruling is Ruling.LABELLED,
        "surface": asked_for.surface,
        "place": await moves.moved(tx, asked_for.surface, asked_for.place),
    }
    await tx.execute(insert(clips).values(values))
    if not clip.hidden:
        await _keep_words(tx, clip)


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
        gone = {"hidden": True, "forgotten": True, "master": "", "unlisted": False}
        await tx.execute(update(clips).where(clips.c.id == clip_id).values(gone))
        await _forget_words(tx, clip_id)
        await tx.execute(delete(platform_files).where(platform_files.c.clip == clip_id))  # posted again by nobody
    return clip


async def forget_all(tx: AsyncConnection, where: ColumnElement[bool]) -> list[Clip]:
    """`forget` for every clip that a condition on `clips` names, in a few statements."""
    forgotten = await _clips(tx, select(clips).where(where, _KEPT))
    theirs = select(clips.c.id).where(where)
    await tx.execute(delete(_WORDS).where(_WORDS.c.clip.in_(theirs)))
    await tx.execute(delete(platform_files).where(platform_files.c.clip.in_(theirs)))
    await tx.execute(update(clips).where(where).values(hidden=True, forgotten=True, master="", unlisted=False))
    return forgotten


async def forget_words(tx: AsyncConnection) -> None:
    """Words of what was forgotten leave the search index for good: FTS5 only marks them as deleted until it merges its
    parts, which this makes it do (https://sqlite.org/fts5.html#the_optimize_command)."""
    await tx.execute(insert(_WORDS).values(clip_words="optimize"))


async def hide(tx: AsyncConnection, clip_id: str, by: str) -> bool:
    """Nobody is shown it any more, says its ASKER or its place's MODERATORS; its files stay.

    Both may say so, and it stays hidden until both have taken it back. False: there is none, or they said so before.
    """
    clip = await get(tx, clip_id)
    if clip is None or clip.hidden_by in (by, BOTH):
        return False
    await _set_hidden_by(tx, clip_id, BOTH if clip.hidden_by else by)
    await _forget_words(tx, clip_id)
    return True


async def unhide(tx: AsyncConnection, clip_id: str, by: str) -> bool:
    """Its ASKER, or the MODERATORS, take back that they have hidden it. True: it is shown again. False: there is none,
    it was not hidden, or the others have hidden it (as well)."""
    clip = await get(tx, clip_id)
    if clip is None or clip.hidden_by not in (by, BOTH):
        return False
    if clip.hidden_by == BOTH:
        await _set_hidden_by(tx, clip_id, ASKER if by == MODERATORS else MODERATORS)
        return False
    await _set_hidden_by(tx, clip_id, "")
    await _keep_words(tx, clip)
    return True


async def withhold(tx: AsyncConnection, clip_id: str, surface: str, place: str) -> bool:
    """It is shown no more in this place, which is not its own; elsewhere it is. False: that was so before."""
    row = upsert(withheld).values(clip=clip_id, surface=surface, place=place)
    return (await tx.execute(row.on_conflict_do_nothing())).rowcount == 1


async def unwithhold(tx: AsyncConnection, clip_id: str, surface: str, place: str) -> bool:
    """It may be shown there again. False: it was not withheld."""
    return (await tx.execute(delete(withheld).where(_withheld(clip_id, surface, place)))).rowcount == 1


async def is_withheld(tx: AsyncConnection, clip_id: str, surface: str, place: str) -> bool:
    """Also under the name that the place had before it moved."""
    now = await moves.moved(tx, surface, place)
    return bool((await tx.execute(select(exists().where(_withheld(clip_id, surface, now))))).scalar_one())


async def is_at_home(tx: AsyncConnection, clip_id: str, surface: str, place: str) -> bool:
    """Whether the clip belongs to this place, because it was asked for here, whatever the place was called then."""
    now = await moves.moved(tx, surface, place)
    home = and_(clips.c.id == clip_id, clips.c.surface == surface, clips.c.place == now)
    return bool((await tx.execute(select(exists().where(home)))).scalar_one())


async def browse(
    tx: AsyncConnection, surface: str, place: str, asker: Asker | None, words: str, offset: int, limit: int
) -> list[Clip]:
    """The clips of a place, newest first; of `asker` alone (all their identities) where one is given.

    `words`: all of them must be in the prompt, each from its beginning; without any, all clips.
    """
    scope = await _scope(tx, surface, place, asker)
    page = select(clips).where(scope, *_with(words)).order_by(*_NEWEST_FIRST).offset(offset).limit(limit)
    return await _clips(tx, page)


async def page(
    tx: AsyncConnection, surface: str, place: str, words: str, after: tuple[float, str] | None, limit: int
) -> list[Clip]:
    """As `browse`, for endless scrolling: what follows the clip with this `created_at` and id (None: from the newest
    on), which costs the same however far down it is."""
    scope = await _scope(tx, surface, place, None)
    below = [] if after is None else [_older(*after)]
    query = select(clips).where(scope, *below, *_with(words)).order_by(*_NEWEST_FIRST).limit(limit)
    return await _clips(tx, query)


async def ids(
    tx: AsyncConnection, surface: str, place: str, words: str, until: tuple[float, str], limit: int
) -> list[str]:
    """The ids of what `page` would give from the newest on down to a clip, that one included if it is there."""
    scope = await _scope(tx, surface, place, None)
    query = select(clips.c.id).where(scope, _not_older(*until), *_with(words)).order_by(*_NEWEST_FIRST).limit(limit)
    return list((await tx.execute(query)).scalars())


async def shown(tx: AsyncConnection, surface: str, place: str, clip_id: str) -> Clip | None:
    """A clip of a place by its id. None: there is none, or nobody is to see it."""
    return await _one(tx, and_(clips.c.id == clip_id, await _scope(tx, surface, place, None)))


async def count(tx: AsyncConnection, surface: str, place: str, asker: Asker | None, words: str = "") -> int:
    """How many `browse` would give in all."""
    scope = await _scope(tx, surface, place, asker)
    return (await tx.execute(select(func.count()).select_from(clips).where(scope, *_with(words)))).scalar_one()


async def random(tx: AsyncConnection, surface: str, place: str, asker: Asker | None, chance: float) -> Clip | None:
    """One of what `browse` would give, chosen by `chance` (0 to 1, without 1). None: there is none."""
    there = await count(tx, surface, place, asker)
    found = await browse(tx, surface, place, asker, "", int(chance * there), 1)
    return found[0] if found else None


async def found(tx: AsyncConnection, asker: Asker, words: str, limit: int) -> list[Clip]:
    """Clips of the asker (all their identities), and of others in places of this surface where the asker has asked for
    one as well; newest first. Nobody else has ever asked in somebody's private chat."""
    theirs = people.one_of(await people.identities(tx, asker), clips.c.asker_surface, clips.c.asker_id)
    been = select(jobs.c.place).where(
        jobs.c.asker_surface == asker.surface, jobs.c.asker_id == asker.id, jobs.c.surface == asker.surface
    )
    moved = select(moved_places.c.to).where(moved_places.c.surface == asker.surface, moved_places.c.place.in_(been))
    near = and_(clips.c.surface == asker.surface, or_(clips.c.place.in_(been), clips.c.place.in_(moved)))
    query = select(clips).where(_SHOWN, or_(theirs, near), *_with(words)).order_by(*_NEWEST_FIRST).limit(limit)
    return await _clips(tx, query)


async def may_see(tx: AsyncConnection, clip: Clip, asker: Asker, address: Address) -> bool:
    """Whether a clip is this asker's own, or belongs to or was shown in the place they are in, and is not withheld
    there, which it is for its asker as well."""
    if await is_withheld(tx, clip.id, address.surface, address.place):
        return False
    if clip.asker in await people.identities(tx, asker):
        return True
    here = and_(clips.c.id == clip.id, clips.c.surface == address.surface, clips.c.place == address.place)
    shown = and_(
        deliveries.c.clip == clip.id,
        deliveries.c.surface == address.surface,
        deliveries.c.place.in_(await moves.names(tx, address.surface, address.place)),
    )
    there = select(clips.c.id).where(here).union_all(select(deliveries.c.id).where(shown)).limit(1)
    return (await tx.execute(there)).first() is not None


async def typical_seconds(tx: AsyncConnection, model: str, count: int = 20) -> float | None:
    """Median over the model's last `count` clips of the seconds all stages took together; None: no clip yet."""
    last = select(clips.c.seconds).where(clips.c.model == model).order_by(clips.c.created_at.desc()).limit(count)
    totals = [sum(seconds.values()) for seconds in (await tx.execute(last)).scalars()]
    return statistics.median(totals) if totals else None


async def masters(tx: AsyncConnection) -> set[str]:
    """Every master that a clip names: what a sweep of the store must leave alone."""
    return set((await tx.execute(select(clips.c.master).where(_KEPT))).scalars())


async def _scope(tx: AsyncConnection, surface: str, place: str, asker: Asker | None) -> ColumnElement[bool]:
    scope = and_(_SHOWN, clips.c.surface == surface, clips.c.place == place)
    if asker is None:
        return scope
    own = people.one_of(await people.identities(tx, asker), clips.c.asker_surface, clips.c.asker_id)
    return and_(scope, own)


def _older(created_at: float, clip_id: str) -> ColumnElement[bool]:
    """Whether a clip comes after that one. The first comparison is what the index is searched by."""
    then = clips.c.created_at
    return and_(then <= created_at, or_(then < created_at, clips.c.id > clip_id))


def _not_older(created_at: float, clip_id: str) -> ColumnElement[bool]:
    """The opposite, in the same form."""
    then = clips.c.created_at
    return and_(then >= created_at, or_(then > created_at, clips.c.id <= clip_id))


def _with(words: str) -> list[ColumnElement[bool]]:
    """The condition on the prompt, if any. Every word is quoted: nothing a person writes is FTS5's own language. What
    comes after the first few words is not looked for: thousands of them would keep the database busy for seconds."""
    tokens = list(dict.fromkeys(re.findall(r"\w+", words.casefold())))[:MOST_WORDS]
    if not tokens:
        return []
    query = " ".join(f'"{token}"*' for token in tokens)
    return [clips.c.id.in_(select(_WORDS.c.clip).where(_WORDS.c.clip_words.op("MATCH")(query)))]


def _withheld(clip_id: str, surface: str, place: str) -> ColumnElement[bool]:
    return and_(withheld.c.clip == clip_id, withheld.c.surface == surface, withheld.c.place == place)


async def _set_hidden_by(tx: AsyncConnection, clip_id: str, by: str) -> None:
    await tx.execute(update(clips).where(clips.c.id == clip_id).values(hidden=bool(by), hidden_by=by))


async def _keep_words(tx: AsyncConnection, clip: Clip) -> None:
    await tx.execute(insert(_WORDS).values(clip=clip.id, prompt=storable(clip.spec.prompt)))  # JSON keeps more


async def _forget_words(tx: AsyncConnection, clip_id: str) -> None:
    await tx.execute(delete(_WORDS).where(_WORDS.c.clip == clip_id))


async def _clips(tx: AsyncConnection, query: Select[Any]) -> list[Clip]:
    return [clip_of(row) for row in await tx.execute(query)]


async def _one(tx: AsyncConnection, where: ColumnElement[bool]) -> Clip | None:
    row = (await tx.execute(select(clips).where(where, _KEPT))).one_or_none()
    return None if row is None else clip_of(row)
