"""The buttons that change what is there: cancel, delete, appeal. Who may press them is asked anew at every press."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import cards, permissions
from bot.language import say
from bot.outcomes import Outcome, Result
from bot.renditions import Renditions
from db import deliveries, gallery, moves, people, places, queue, quotas, refusals
from db.clip_files import ClipFiles
from db.database import Database
from db.errors import StoreError
from db.records import Address, Caller, Clip, Job, JobState

log = logging.getLogger(__name__)

NOT_YOURS = (Result.NOT_YOURS, cards.NOT_YOURS)
UNKNOWN = (Result.UNKNOWN, cards.UNKNOWN_BUTTON)
NO_CLIP = (Result.UNKNOWN, cards.NO_SUCH_CLIP)


def no(why: tuple[Result, str]) -> Outcome:
    """A no to a press, in the language that is being spoken."""
    result, sentence = why
    return Outcome(result, say(sentence))


@dataclass(frozen=True, slots=True)
class Buttons:
    """Each press is one transaction; pressed twice, it acts once."""

    database: Database
    files: ClipFiles
    renditions: Renditions
    clock: Callable[[], float]

    async def cancel(self, caller: Caller, job_id: str) -> Outcome:
        async with self.database.transaction() as tx:
            job = await queue.get(tx, job_id)
            if job is None:
                return no(UNKNOWN)
            if not await may_end(tx, caller, job):
                return no(NOT_YOURS)
            state = await queue.ask_to_cancel(tx, job_id, self.clock())
            if state is JobState.CANCELLED:
                await quotas.release(tx, job_id)
        match state:
            case JobState.CANCELLED:
                return Outcome(Result.CANCELLED, say(cards.CANCELLED), job_id, job.handle)
            case JobState.RENDERING:
                return Outcome(Result.STOPPING, say(cards.STOPPING), job_id, job.handle)
            case _:
                return Outcome(Result.FINISHED, say(cards.TOO_LATE_TO_CANCEL), job_id, job.handle)

    async def delete(self, caller: Caller, clip_id: str) -> Outcome:
        async with self.database.transaction() as tx:
            clip = await gallery.get(tx, clip_id)
            job = await queue.get(tx, clip.job) if clip else None
            if clip is None or job is None:
                return no(NO_CLIP)
            if not await may_end(tx, caller, job):
                return no(NOT_YOURS)
            await gallery.forget(tx, clip_id)
            for delivery in await deliveries.of_clip(tx, clip_id):
                await deliveries.give_up(tx, delivery.id, cards.DELETED)
            await queue.touch(tx, clip.job, self.clock())  # the progress loop redraws its cards, after a crash as well
        await self._remove_files(clip)
        return Outcome(Result.DELETED, say(cards.DELETED), clip.job)

    async def _remove_files(self, clip: Clip) -> None:
        """The clip is forgotten already: what can't be removed now is removed by the next sweep."""
        try:
            await self.files.remove(clip.master)
            await self.renditions.forget(clip.id)
        except (OSError, StoreError):
            log.exception("The files of clip %s could not be removed yet.", clip.id)

    async def appeal(self, caller: Caller, refusal_id: str) -> Outcome:
        """Asked a second time, it is answered like the first time and changes nothing."""
        async with self.database.transaction() as tx:
            refusal = await refusals.get(tx, refusal_id)
            if refusal is None:
                return no(UNKNOWN)
            if caller.asker not in await people.identities(tx, refusal.asker):
                return no(NOT_YOURS)
            await refusals.appeal(tx, refusal_id, self.clock())
        return Outcome(Result.APPEALED, say(cards.APPEALED))


async def is_theirs(tx: AsyncConnection, caller: Caller, job: Job) -> bool:
    """Whether the caller is the person who asked for the job, as any of their identities."""
    return caller.asker in await people.identities(tx, job.asker)


async def may_end(tx: AsyncConnection, caller: Caller, job: Job) -> bool:
    """Whether the caller may cancel the job or delete its clip: its asker, or a moderator of its place."""
    if await is_theirs(tx, caller, job):
        return True
    here = caller.address
    if not await _asked_for_here(tx, here, job):
        return False
    return permissions.moderates(caller.circumstances, await places.settings(tx, here.surface, here.place))


async def may_see(tx: AsyncConnection, caller: Caller, job: Job, clip: Clip | None) -> bool:
    """Whether a card of the job, or of its clip, may stand where the caller is."""
    if await _asked_for_here(tx, caller.address, job) or await is_theirs(tx, caller, job):
        return True
    return clip is not None and await gallery.may_see(tx, clip, caller.asker, caller.address)


async def _asked_for_here(tx: AsyncConnection, here: Address, job: Job) -> bool:
    """Also if the place has got another name since."""
    there = job.handle.address
    return here.surface == there.surface and here.place in (
        there.place,
        await moves.moved(tx, there.surface, there.place),
    )
