"""The buttons that change what is there: cancel and delete. Who may press them is asked anew at every press; of what is
not to be seen where they are, nobody finds out that it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot import cards
from bot.cards import moderation as sentences
from bot.language import say
from bot.moderation import Moderation, gate
from bot.outcomes import Outcome, Result
from db import gallery, queue, quotas, reports, reviews
from db.database import Database
from db.records import Action, Caller, JobState

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
    moderation: Moderation
    clock: Callable[[], float]

    async def cancel(self, caller: Caller, job_id: str) -> Outcome:
        async with self.database.transaction() as tx:
            job = await queue.get(tx, job_id)
            if job is None:
                return no(UNKNOWN)
            if not await gate.may_end(tx, caller, job, self.clock()):
                return no(NOT_YOURS if await gate.may_see(tx, caller, job, None) else UNKNOWN)
            if not job.state.is_end and not job.cancel_asked and not await gate.is_theirs(tx, caller, job):
                await self.moderation.stopped(tx, caller, job)
            state = await queue.ask_to_cancel(tx, job_id, self.clock())
            if state is JobState.CANCELLED:
                await quotas.release(tx, job_id)
                await reviews.lapse(tx, job_id, self.clock())
        match state:
            case JobState.CANCELLED:
                return Outcome(Result.CANCELLED, say(cards.CANCELLED), job_id, job.handle)
            case JobState.RENDERING:
                return Outcome(Result.STOPPING, say(cards.STOPPING), job_id, job.handle)
            case _:
                return Outcome(Result.FINISHED, say(cards.TOO_LATE_TO_CANCEL), job_id, job.handle)

    async def delete(self, caller: Caller, clip_id: str) -> Outcome:
        """By a moderator it is a case, and the one who asked for it is told."""
        async with self.database.transaction() as tx:
            clip = await gallery.get(tx, clip_id)
            job = await queue.get(tx, clip.job) if clip else None
            if clip is None or job is None:
                return no(NO_CLIP)
            if not await gate.may_end(tx, caller, job, self.clock()):
                return no(NOT_YOURS if await gate.may_see(tx, caller, job, clip) else NO_CLIP)
            if not await gate.is_theirs(tx, caller, job):
                await self.moderation.note(tx, caller, clip, job, Action.REMOVE, sentences.REMOVED)
                await reports.settle(tx, clip_id, caller.address.surface, caller.address.place, "upheld")
            await self.moderation.eraser.forget(tx, clip_id, self.clock())
        await self.moderation.eraser.remove([clip])
        return Outcome(Result.DELETED, say(cards.DELETED), clip.job)
