"""A moderator's word on a review, carried out: once, in one transaction, with its case, and told to who it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import specs
from bot.cards import moderation as sentences
from bot.erasing import Eraser
from bot.language import say, speaking
from bot.moderation import gate, showing, subjects, telling
from bot.moderation.reporting import Reporting
from bot.moderation.striking import REASON_CHARS, Striking
from bot.moderation.subjects import Subject
from bot.outcomes import Outcome, Result
from bot.safety.policy import NEVER
from db import allowed, blanking, cases, gallery, queue, quotas, reports, reviews
from db.records import (
    BY_MODERATOR,
    GRAVEST,
    NOBODY,
    Action,
    Caller,
    Case,
    Clip,
    Decision,
    Review,
    ReviewKind,
    Ruling,
)


@dataclass(frozen=True, slots=True)
class Decided:
    """What a press came to; the files of `gone` are removed once it is committed."""

    outcome: Outcome
    gone: tuple[Clip, ...] = ()


@dataclass(frozen=True, slots=True)
class Deciding:
    """All of it happens in the caller's transaction, in the language that is being spoken."""

    make_id: Callable[[], str]
    eraser: Eraser
    striking: Striking
    reporting: Reporting

    async def decide(
        self, tx: AsyncConnection, caller: Caller, review_id: str, decision: Decision, reason: str, now: float
    ) -> Decided:
        """The first moderator's word holds; the next is told what it was."""
        review = await reviews.get(tx, review_id)
        if review is None or (review.surface, review.place) != (caller.address.surface, caller.address.place):
            return Decided(Outcome(Result.UNKNOWN, say(sentences.NO_REVIEW)))
        if not await gate.moderates(tx, caller, now):
            return Decided(Outcome(Result.NOT_YOURS, say(sentences.MODERATORS_ONLY)))
        if review.decision is not None:
            await reviews.set_drawn(tx, review_id, review.handle is None)  # they saw a card that told no truth
            return Decided(Outcome(Result.DECIDED_ALREADY, sentences.decided_already(review)))
        subject = await subjects.of(tx, review)
        if subject is None:
            await reviews.decide(tx, review_id, Decision.LAPSED, NOBODY, now, None)
            return Decided(Outcome(Result.DECIDED_ALREADY, say(sentences.NOTHING_LEFT)))
        if decision is Decision.APPROVE and not sentences.offers_approval(review.kind, subject.verdict):
            never = subject.verdict.category in NEVER
            return Decided(Outcome(Result.PROBLEM, say(sentences.NEVER_LOOSENED if never else sentences.WORDS_STAND)))
        return await self._carry_out(tx, caller, review, subject, decision, reason, now)

    async def _carry_out(
        self,
        tx: AsyncConnection,
        caller: Caller,
        review: Review,
        subject: Subject,
        decision: Decision,
        reason: str,
        now: float,
    ) -> Decided:
        case = await cases.add(tx, _case(caller, review, subject, decision, reason, now))
        await reviews.decide(tx, review.id, decision, caller.asker, now, case.number)
        gone: Clip | None = None
        match decision:
            case Decision.REMOVE:
                gone = await self._remove(tx, review, subject, case, now)
            case _:
                await self._let(tx, review, subject, case, now)
        if _was_wrong(review.kind, decision):
            await self._allow(tx, subject, case, now)
        outcome = Outcome(
            Result.DECIDED, sentences.decided(review, decision, case.number), subject.job.id if subject.job else ""
        )
        return Decided(outcome, (gone,) if gone else ())

    # --- it goes ---

    async def _remove(
        self, tx: AsyncConnection, review: Review, subject: Subject, case: Case, now: float
    ) -> Clip | None:
        """The clip whose files are to be removed, if there is one."""
        match review.kind:
            case ReviewKind.HELD:
                await self._decline(tx, subject, case, now)
            case ReviewKind.APPEAL:
                await self._tell(tx, subject, sentences.DECLINED_APPEAL, now)
            case ReviewKind.REPORTED | ReviewKind.LABELLED:
                return await self._take_down(tx, review, subject, case, now)
        return None

    async def _decline(self, tx: AsyncConnection, subject: Subject, case: Case, now: float) -> None:
        assert subject.job is not None
        await queue.reject(tx, subject.job.id, replace(subject.verdict, ruling=Ruling.REFUSED, view=BY_MODERATOR), now)
        await quotas.release(tx, subject.job.id)
        if subject.verdict.category == GRAVEST:
            await blanking.jobs_and_what_they_left(tx, [subject.job.id])
        struck = await self.striking.strike(tx, case, now)
        with speaking(subject.ear.language):
            told = sentences.declined(struck, now)
        await telling.tell(tx, self.make_id, subject.ear, told, now)

    async def _take_down(
        self, tx: AsyncConnection, review: Review, subject: Subject, case: Case, now: float
    ) -> Clip | None:
        """At home the clip is gone for good; elsewhere it stays where it belongs."""
        assert subject.clip is not None
        clip, surface, place = subject.clip, review.surface, review.place
        await reports.settle(tx, clip.id, surface, place, "upheld")
        gone: Clip | None = None
        if await gallery.is_at_home(tx, clip.id, surface, place):
            gone = await self.eraser.forget(tx, clip.id, now)
        else:
            await showing.hide_here(tx, clip, surface, place, now)
        struck = await self.striking.strike(tx, case, now)
        with speaking(subject.ear.language):
            told = sentences.removed(struck, now) if gone else sentences.removed_here(struck, now)
        await telling.tell(tx, self.make_id, subject.ear, told, now)
        return gone

    # --- it is well ---

    async def _let(self, tx: AsyncConnection, review: Review, subject: Subject, case: Case, now: float) -> None:
        match review.kind:
            case ReviewKind.HELD:
                await self._queue(tx, subject, now)
            case ReviewKind.REPORTED:
                await self._clear(tx, review, subject, case, now)
            case ReviewKind.APPEAL:
                await self._grant(tx, subject, now)
            case ReviewKind.LABELLED:
                return  # it is where it belongs

    async def _queue(self, tx: AsyncConnection, subject: Subject, now: float) -> None:
        assert subject.job is not None
        await queue.approve(tx, subject.job.id, replace(subject.verdict, ruling=Ruling.ALLOWED), now)
        await self._tell(tx, subject, sentences.APPROVED, now)

    async def _clear(self, tx: AsyncConnection, review: Review, subject: Subject, case: Case, now: float) -> None:
        """The reports are looked at, and what they have hidden is shown again."""
        assert subject.clip is not None
        is_false = case.action is Action.FALSE_ALARM
        settled = await reports.settle(
            tx, subject.clip.id, review.surface, review.place, "false" if is_false else "dismissed"
        )
        if await showing.show_here(tx, subject.clip, review.surface, review.place, now):
            await self._tell(tx, subject, sentences.SHOWN_AGAIN, now)
        if is_false:
            await self.reporting.count_false(tx, settled, case, now)

    async def _grant(self, tx: AsyncConnection, subject: Subject, now: float) -> None:
        """What stays refused all the same is passed on: that the filter was wrong."""
        helps = sentences.offers_approval(ReviewKind.APPEAL, subject.verdict)
        await self._tell(tx, subject, sentences.GRANTED if helps else sentences.AGREED, now)

    async def _allow(self, tx: AsyncConnection, subject: Subject, case: Case, now: float) -> None:
        """In this place from now on, unless it is never made: that is a note for the operator alone."""
        prompt = specs.clean(subject.prompt).casefold()
        if prompt:  # of the gravest kind there are no words
            counts = subject.verdict.category not in NEVER
            await allowed.add(
                tx, case.surface, case.place, prompt, subject.verdict, case.number, counts=counts, now=now
            )

    async def _tell(self, tx: AsyncConnection, subject: Subject, sentence: str, now: float) -> None:
        with speaking(subject.ear.language):
            told = say(sentence)
        await telling.tell(tx, self.make_id, subject.ear, told, now)


def _was_wrong(kind: ReviewKind, decision: Decision) -> bool:
    """Whether the decision says that the filter should have let the words pass; of reports it had no part in."""
    if kind is ReviewKind.APPEAL:
        return decision is not Decision.REMOVE
    return decision is Decision.FALSE_ALARM and kind is not ReviewKind.REPORTED


def _case(caller: Caller, review: Review, subject: Subject, decision: Decision, reason: str, now: float) -> Case:
    links = (("review", review.id), (_kind_of_subject(review.kind), review.subject))
    return Case(
        surface=review.surface,
        place=review.place,
        number=0,
        actor=caller.asker,
        target=review.target,
        action=_action(review.kind, decision),
        reason=specs.clean(reason)[:REASON_CHARS],
        created_at=now,
        rule=" ".join(subject.verdict.rules),
        policy=subject.verdict.policy,
        about=links,
    )


def _action(kind: ReviewKind, decision: Decision) -> Action:
    """What the case of a decision records: of what was never made nothing is removed."""
    match decision, kind:
        case Decision.REMOVE, ReviewKind.HELD | ReviewKind.APPEAL:
            return Action.DECLINE
        case Decision.REMOVE, _:
            return Action.REMOVE
        case Decision.FALSE_ALARM, _:
            return Action.FALSE_ALARM
        case _:
            return Action.APPROVE


def _kind_of_subject(kind: ReviewKind) -> str:
    match kind:
        case ReviewKind.HELD:
            return "job"
        case ReviewKind.APPEAL:
            return "refusal"
        case _:
            return "clip"
