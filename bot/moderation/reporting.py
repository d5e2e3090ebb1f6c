"""A member's flag on a clip: so many people, and it is hidden until a moderator has looked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import cards, specs
from bot.cards import moderation as sentences
from bot.language import say, speaking
from bot.moderation import gate, showing, telling
from bot.moderation.striking import DAY, REASON_CHARS, Striking
from bot.outcomes import Outcome, Result
from db import cases, gallery, people, places, queue, reports, reviews
from db.config import ModerationConfig
from db.records import NOBODY, Action, Caller, Case, Clip, Curb, Job, Report, Review, ReviewKind


@dataclass(frozen=True, slots=True)
class Reporting:
    """All of it happens in the caller's transaction, in the language that is being spoken."""

    config: ModerationConfig
    make_id: Callable[[], str]
    striking: Striking

    async def report(self, tx: AsyncConnection, caller: Caller, clip_id: str, reason: str, now: float) -> Outcome:
        """A report counts where it is made, and there the clip must be to be seen."""
        clip = await gallery.get(tx, clip_id)
        job = await queue.get(tx, clip.job) if clip else None
        if clip is None or job is None or not await gate.may_see(tx, caller, job, clip):
            return Outcome(Result.UNKNOWN, say(cards.NO_SUCH_CLIP))
        if no := await self._no(tx, caller, job, now):
            return Outcome(Result.PROBLEM, no)
        here = caller.address
        report = Report(
            self.make_id(), clip_id, here.surface, here.place, caller.asker, specs.clean(reason)[:REASON_CHARS], now
        )
        if not await reports.add(tx, report):
            return Outcome(Result.REPORTED, say(sentences.REPORTED_BEFORE), job.id)
        await self._let_somebody_look(tx, caller, clip, now)
        is_hidden = await self._hide_if_enough(tx, caller, clip, job, now)
        return Outcome(Result.REPORTED, say(sentences.REPORTED_HIDDEN if is_hidden else sentences.REPORTED), job.id)

    async def count_false(self, tx: AsyncConnection, settled: list[Report], case: Case, now: float) -> None:
        """Somebody who reports falsely here again and again gets a strike, at each so many. One person, who may have
        reported as several identities that are linked now, gets one at most."""
        since, each = now - self.config.strike_days * DAY, self.config.false_reports
        while settled:
            report = settled[0]
            theirs = await people.identities(tx, report.asker)
            new = sum(other.asker in theirs and other.created_at > since for other in settled)
            count = await reports.false_count(tx, report.asker, report.surface, report.place, since)
            if count // each > (count - new) // each:
                await self._strike(tx, report, count, case, now)
            settled = [other for other in settled if other.asker not in theirs]

    async def _no(self, tx: AsyncConnection, caller: Caller, job: Job, now: float) -> str:
        """Why the caller may not report this, or nothing."""
        if sentence := await gate.barred(tx, caller, Curb.MUTE, now):
            return sentence
        if await gate.is_theirs(tx, caller, job):
            return say(sentences.YOUR_OWN)
        if await reports.count_by(tx, caller.asker, now - DAY) >= self.config.reports_a_day:
            return say(sentences.TOO_MANY_REPORTS)
        return ""

    async def _let_somebody_look(self, tx: AsyncConnection, caller: Caller, clip: Clip, now: float) -> None:
        here = caller.address
        asked = Review(
            self.make_id(), here.surface, here.place, here.thread, ReviewKind.REPORTED, clip.id, clip.asker, now
        )
        await reviews.open(tx, asked)
        await reviews.stale(tx, ReviewKind.REPORTED, clip.id)  # its card tells how many there are

    async def _hide_if_enough(self, tx: AsyncConnection, caller: Caller, clip: Clip, job: Job, now: float) -> bool:
        """Whether the clip is hidden now. Those whose reports were false again and again hide nothing. What its asker
        has hidden counts for nothing: they could show it again."""
        surface, place = caller.address.surface, caller.address.place
        if await showing.moderators_hid(tx, clip, surface, place):
            return True
        since = now - self.config.strike_days * DAY
        count = await reports.reporters(tx, clip.id, surface, place, since=since, false_limit=self.config.false_reports)
        enough = (await places.settings(tx, surface, place)).reporters or self.config.reporters
        if count < enough:
            return False
        await showing.hide_here(tx, clip, surface, place, now)
        about = (("clip", clip.id), ("count", str(count)))
        await cases.add(tx, Case(surface, place, 0, NOBODY, clip.asker, Action.HIDE, "", now, about=about))
        ear = await telling.under_clip(tx, clip, job, surface, place)
        with speaking(ear.language):
            await telling.tell(tx, self.make_id, ear, say(sentences.REPORTED_AND_HIDDEN), now)
        return True

    async def _strike(self, tx: AsyncConnection, report: Report, count: int, case: Case, now: float) -> None:
        about = (("clip", report.clip), ("count", str(count)), ("case", str(case.number)))
        strike = Case(
            report.surface, report.place, 0, NOBODY, report.asker, Action.STRIKE, "", now, "false reports", about=about
        )
        struck = await self.striking.strike(tx, await cases.add(tx, strike), now)
        ear = await telling.anywhere(tx, report.asker, report.surface, report.place)
        if ear is not None:
            with speaking(ear.language):
                told = sentences.struck_for_false_reports(count, struck, now)
            await telling.tell(tx, self.make_id, ear, told, now)
