"""Moderation as the commands ask for it: what somebody presses is one transaction, and files go after its commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import cards, specs
from bot.cards import moderation as sentences
from bot.erasing import Eraser
from bot.language import say, speaking
from bot.moderation import gate, showing, telling
from bot.moderation.deciding import Deciding
from bot.moderation.reporting import Reporting
from bot.moderation.striking import ACTIONS, DAY, Striking
from bot.outcomes import Outcome, Result
from db import cases, deliveries, gallery, moves, pending, people, queue, refusals, reports, reviews
from db.config import ModerationConfig
from db.database import Database
from db.ids import new_id
from db.records import (
    Action,
    Address,
    Asker,
    Caller,
    Case,
    Clip,
    Curb,
    Decision,
    Job,
    Pending,
    Refusal,
    Review,
    ReviewKind,
)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What became of something that was confirmed. `afterwards` runs once it is committed: files are removed there."""

    sentence: str
    afterwards: Callable[[], Awaitable[None]] | None = None


Handler = Callable[[AsyncConnection, Caller, Pending], Awaitable[Confirmed]]


@dataclass(frozen=True)
class Moderation:
    """Whatever comes back is in the language that the caller speaks. `clock` gives seconds since the epoch.

    `handlers` carry out what was asked for and is confirmed, by the name it was kept under: in the transaction that
    takes it, so that it happens once. Whether the caller may still do it is theirs to ask, there.
    """

    database: Database
    eraser: Eraser
    clock: Callable[[], float]
    config: ModerationConfig
    make_id: Callable[[], str] = new_id
    handlers: dict[str, Handler] = field(default_factory=dict)

    @cached_property
    def striking(self) -> Striking:
        return Striking(self.config, self.make_id)

    @cached_property
    def _reporting(self) -> Reporting:
        return Reporting(self.config, self.make_id, self.striking)

    @cached_property
    def _deciding(self) -> Deciding:
        return Deciding(self.make_id, self.eraser, self.striking, self._reporting)

    # --- what members do ---

    async def report(self, caller: Caller, clip_id: str, reason: str = "") -> Outcome:
        """A moderator shall look at this clip, which the caller sees where they are."""
        with speaking(caller.circumstances.language):
            async with self.database.transaction() as tx:
                return await self._reporting.report(tx, caller, clip_id, reason, self.clock())

    async def report_message(self, caller: Caller, message: str, reason: str = "") -> Outcome:
        """The same for the clip that a message here carries."""
        here = caller.address
        with speaking(caller.circumstances.language):
            async with self.database.transaction() as tx:
                delivery = await deliveries.of_message(tx, here.surface, here.place, message)
                if delivery is None:
                    return Outcome(Result.UNKNOWN, say(sentences.NOT_A_CLIP))
                return await self._reporting.report(tx, caller, delivery.clip, reason, self.clock())

    async def appeal(self, caller: Caller, refusal_id: str) -> Outcome:
        """A moderator shall look at this refusal. Asked a second time, it is answered like the first time,
        or with what was decided."""
        now = self.clock()
        with speaking(caller.circumstances.language):
            async with self.database.transaction() as tx:
                refusal = await refusals.get(tx, refusal_id)
                if refusal is None:
                    return Outcome(Result.UNKNOWN, say(cards.UNKNOWN_BUTTON))
                if caller.asker not in await people.identities(tx, refusal.asker):
                    if not await gate.is_same_place(tx, caller.address, refusal.address):
                        return Outcome(Result.UNKNOWN, say(cards.UNKNOWN_BUTTON))
                    return Outcome(Result.NOT_YOURS, say(cards.NOT_YOURS))
                if decision := await reviews.decision_of(tx, ReviewKind.APPEAL, refusal_id):
                    return Outcome(Result.DECIDED_ALREADY, sentences.appeal_decided(decision, refusal.verdict))
                if refusal.appealed_at is None and (no := await self._no_appeal(tx, caller, refusal, now)):
                    return Outcome(Result.PROBLEM, no)
                if await refusals.appeal(tx, refusal_id, now):
                    await self._open(tx, ReviewKind.APPEAL, refusal_id, refusal.address, refusal.asker)
            return Outcome(Result.APPEALED, say(cards.APPEALED))

    async def hide(self, caller: Caller, clip_id: str) -> Outcome:
        """By the one who asked for it, everywhere; by a moderator, where the clip is theirs to moderate."""
        return await self._on_clip(caller, clip_id, self._hide)

    async def unhide(self, caller: Caller, clip_id: str) -> Outcome:
        """What oneself has hidden, or as a moderator what moderators have."""
        return await self._on_clip(caller, clip_id, self._unhide)

    async def hide_or_show(self, caller: Caller, clip_id: str) -> Outcome:
        """The one or the other, as it stands now: how it is typed."""
        return await self._on_clip(caller, clip_id, self._hide_or_show)

    # --- what moderators do ---

    async def decide(self, caller: Caller, review_id: str, decision: Decision, reason: str = "") -> Outcome:
        """A moderator's word on a review of the place they are in."""
        with speaking(caller.circumstances.language):
            async with self.database.transaction() as tx:
                decided = await self._deciding.decide(tx, caller, review_id, decision, reason, self.clock())
            await self.eraser.remove(decided.gone)
            return decided.outcome

    # --- what was asked for and waits to be confirmed ---

    async def confirm(self, caller: Caller, pending_id: str) -> Outcome:
        """Do it, once."""
        with speaking(caller.circumstances.language):
            async with self.database.transaction() as tx:
                asked = await pending.take(tx, pending_id, caller, self.clock())
                if asked is None:
                    return Outcome(Result.UNKNOWN, say(sentences.NOT_TO_CONFIRM))
                handler = self.handlers.get(asked.what)
                if handler is None:  # an earlier version asked for it
                    return Outcome(Result.UNKNOWN, say(sentences.NOT_TO_CONFIRM))
                confirmed = await handler(tx, caller, asked)
            if confirmed.afterwards is not None:
                await confirmed.afterwards()
            return Outcome(Result.CONFIRMED, confirmed.sentence)

    async def dismiss(self, caller: Caller, pending_id: str) -> Outcome:
        """Do nothing of it."""
        with speaking(caller.circumstances.language):
            async with self.database.transaction() as tx:
                asked = await pending.take(tx, pending_id, caller, self.clock())
            if asked is None:
                return Outcome(Result.UNKNOWN, say(sentences.NOT_TO_CONFIRM))
            return Outcome(Result.DISMISSED, say(sentences.DISMISSED))

    # --- in the transaction of others ---

    async def open_held(self, tx: AsyncConnection, job: Job) -> None:
        """The job was enqueued as held: a moderator shall look at it."""
        await self._open(tx, ReviewKind.HELD, job.id, job.handle.address, job.asker)

    async def open_labelled(self, tx: AsyncConnection, clip: Clip) -> None:
        """The clip was delivered with a label: a moderator looks at it afterwards."""
        job = await queue.get(tx, clip.job)
        assert job is not None
        await self._open(tx, ReviewKind.LABELLED, clip.id, job.handle.address, clip.asker)

    async def refused(self, tx: AsyncConnection, refusal: Refusal, now: float) -> None:
        """The prompt was refused, and that was written down: again and again for what is never made earns a strike."""
        await self.striking.refused(tx, refusal, now)

    async def curb(
        self, tx: AsyncConnection, caller: Caller, target: Asker, curb: Curb, until: float | None, reason: str
    ) -> Case:
        """By a moderator's own hand, where they are; told under the newest card that the person has there."""
        now, here = self.clock(), caller.address
        case = Case(here.surface, here.place, 0, caller.asker, target, ACTIONS[curb], specs.clean(reason), now)
        written = await self.striking.curb(tx, case, curb, until, now)
        ear = await telling.anywhere(tx, target, here.surface, here.place)
        if ear is not None:
            with speaking(ear.language):
                told = sentences.curb_told(curb, until, now)
            await telling.tell(tx, self.make_id, ear, told, now)
        return written

    async def stopped(self, tx: AsyncConnection, caller: Caller, job: Job) -> None:
        """A moderator has cancelled the job of somebody else, whose card says that it is cancelled."""
        now, here = self.clock(), caller.address
        about = (("job", job.id),)
        await cases.add(
            tx, Case(here.surface, here.place, 0, caller.asker, job.asker, Action.REMOVE, "", now, about=about)
        )

    async def note(
        self, tx: AsyncConnection, caller: Caller, clip: Clip, job: Job, action: Action, sentence: str = ""
    ) -> Case:
        """A case, and a word to the one who asked for the clip, where there is one to say."""
        now, here = self.clock(), caller.address
        about = (("clip", clip.id),)
        case = Case(here.surface, here.place, 0, caller.asker, clip.asker, action, "", now, about=about)
        written = await cases.add(tx, case)
        if sentence:
            ear = await telling.under_clip(tx, clip, job, here.surface, here.place)
            with speaking(ear.language):
                told = say(sentence)
            await telling.tell(tx, self.make_id, ear, told, now)
        return written

    # --- their parts ---

    async def _open(self, tx: AsyncConnection, kind: ReviewKind, subject: str, asked: Address, target: Asker) -> None:
        place = await moves.moved(tx, asked.surface, asked.place)
        thread = asked.thread
        await reviews.open(
            tx, Review(self.make_id(), asked.surface, place, thread, kind, subject, target, self.clock())
        )

    async def _no_appeal(self, tx: AsyncConnection, caller: Caller, refusal: Refusal, now: float) -> str:
        """Why the caller may not appeal, or nothing. How they stand counts where it was refused."""
        if sentence := await gate.barred(tx, replace(caller, address=refusal.address), Curb.MUTE, now):
            return sentence
        if await refusals.appeals_of(tx, caller.asker, now - DAY) >= self.config.appeals_a_day:
            return say(sentences.TOO_MANY_APPEALS)
        return ""

    async def _on_clip(self, caller: Caller, clip_id: str, act: _Act) -> Outcome:
        with speaking(caller.circumstances.language):
            async with self.database.transaction() as tx:
                clip = await gallery.get(tx, clip_id)
                job = await queue.get(tx, clip.job) if clip else None
                if clip is None or job is None or not await self._is_known_here(tx, caller, clip, job):
                    return Outcome(Result.UNKNOWN, say(cards.NO_SUCH_CLIP))
                if await gate.is_theirs(tx, caller, job):
                    return await act(tx, caller, clip, job, own=True)
                if not await gate.moderates(tx, caller, self.clock()):
                    return Outcome(Result.NOT_YOURS, say(sentences.HIDE_WHOSE))
                return await act(tx, caller, clip, job, own=False)

    async def _is_known_here(self, tx: AsyncConnection, caller: Caller, clip: Clip, job: Job) -> bool:
        """Whether the clip is the caller's own, or may be seen by them, or they moderate a place that does not want
        it."""
        here = caller.address
        if await gate.is_theirs(tx, caller, job) or await gate.may_see(tx, caller, job, clip):
            return True
        withheld = await gallery.is_withheld(tx, clip.id, here.surface, here.place)
        return withheld and await gate.moderates(tx, caller, self.clock())

    async def _hide(self, tx: AsyncConnection, caller: Caller, clip: Clip, job: Job, *, own: bool) -> Outcome:
        now, here = self.clock(), caller.address
        if own:
            await showing.hide_own(tx, clip, now)
            return Outcome(Result.HIDDEN, say(sentences.HIDDEN_BY_YOU), job.id)
        if await showing.hide_here(tx, clip, here.surface, here.place, now):
            await self.note(tx, caller, clip, job, Action.HIDE, sentences.HIDDEN_BY_MODERATOR)
        return Outcome(Result.HIDDEN, say(sentences.MODERATORS_HID), job.id)

    async def _hide_or_show(self, tx: AsyncConnection, caller: Caller, clip: Clip, job: Job, *, own: bool) -> Outcome:
        here = caller.address
        hidden = clip.hidden if own else await showing.is_hidden_here(tx, clip, here.surface, here.place)
        return await (self._unhide if hidden else self._hide)(tx, caller, clip, job, own=own)

    async def _unhide(self, tx: AsyncConnection, caller: Caller, clip: Clip, job: Job, *, own: bool) -> Outcome:
        now, here = self.clock(), caller.address
        if own:
            if not await showing.show_own(tx, clip, now):
                return Outcome(Result.PROBLEM, say(sentences.HIDDEN_BY_OTHERS))
            return Outcome(Result.SHOWN_AGAIN, say(sentences.SHOWN_BY_YOU), job.id)
        had_hidden = await showing.moderators_hid(tx, clip, here.surface, here.place)
        is_shown = await showing.show_here(tx, clip, here.surface, here.place, now)
        if had_hidden:
            told = sentences.SHOWN_AGAIN if is_shown else ""
            case = await self.note(tx, caller, clip, job, Action.APPROVE, told)
            await self._dismiss_reports(tx, caller, clip, case, now)
        if clip.hidden and not is_shown:
            return Outcome(Result.PROBLEM, say(sentences.HIDDEN_BY_ASKER))
        return Outcome(Result.SHOWN_AGAIN, say(sentences.SHOWN_BY_MODERATORS), job.id)

    async def _dismiss_reports(self, tx: AsyncConnection, caller: Caller, clip: Clip, case: Case, now: float) -> None:
        """Who shows a clip again has looked at it: else the next report would hide it once more, all by itself."""
        here = caller.address
        await reports.settle(tx, clip.id, here.surface, here.place, "dismissed")
        review = await reviews.open_of(tx, here.surface, here.place, ReviewKind.REPORTED, clip.id)
        if review is not None:
            await reviews.decide(tx, review.id, Decision.APPROVE, caller.asker, now, case.number)


class _Act(Protocol):
    """Something that is done to a clip, by its asker or by a moderator."""

    async def __call__(self, tx: AsyncConnection, caller: Caller, clip: Clip, job: Job, *, own: bool) -> Outcome: ...
