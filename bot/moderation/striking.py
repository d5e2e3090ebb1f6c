"""Strikes, and what they lead to: points that decay, thresholds, curbs. Each is a case in the same transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cards import moderation as sentences
from bot.cards.moderation import Struck
from bot.language import speaking
from bot.moderation import gate, telling
from bot.safety.policy import NEVER
from db import cases, queue, quotas, refusals, reviews, standing
from db.config import ModerationConfig
from db.records import NOBODY, Action, Asker, Case, Curb, JobState, Refusal, Restriction, Strike

DAY = 24 * 3600.0
REASON_CHARS = 300  # of a case
MOST_STRIKES = 50  # of somebody that are looked through: who has more is banned
ACTIONS = {Curb.COOL_DOWN: Action.COOL_DOWN, Curb.MUTE: Action.MUTE, Curb.BAN: Action.BAN}


@dataclass(frozen=True, slots=True)
class Striking:
    """All of it happens in the caller's transaction."""

    config: ModerationConfig
    make_id: Callable[[], str]

    async def strike(self, tx: AsyncConnection, case: Case, now: float) -> Struck:
        """A point against the case's target in its place, and the curb that so many points lead to, if it is graver
        than what they have already."""
        target = case.target
        assert target is not None
        before = await standing.standing(tx, target, case.surface, case.place, now)
        until = now + self.config.strike_days * DAY
        await standing.strike(tx, Strike(self.make_id(), case.surface, case.place, target, 1, case.number, now, until))
        points = before.points + 1
        curb = self._earned(points)
        if curb is not None and before.curb is not None and gate.GRAVITY[curb] <= gate.GRAVITY[before.curb]:
            curb = None  # they are under it, or under a graver one
        ends = self._end_of(curb, now)
        if curb is not None:
            about = (("points", str(points)), ("case", str(case.number)))
            await self.curb(tx, replace(case, actor=NOBODY, reason="", about=about), curb, ends, now)
        return Struck(points, curb, ends, *self._next(points))

    async def curb(self, tx: AsyncConnection, case: Case, curb: Curb, until: float | None, now: float) -> Case:
        """From now on the case's target may do less in its place; `case` is numbered and written with it.

        Who is banned waits for nothing any more: what is queued is cancelled and costs nothing, what is being rendered
        is stopped after its step.
        """
        target = case.target
        assert target is not None
        ends = (("until", "" if until is None else f"{until:.0f}"),)
        reason = case.reason[:REASON_CHARS]
        written = await cases.add(tx, replace(case, action=ACTIONS[curb], reason=reason, about=(*case.about, *ends)))
        await standing.restrict(
            tx,
            Restriction(self.make_id(), case.surface, case.place, target, curb, written.number, now, until),
        )
        if curb is Curb.BAN:
            await self._stop_all(tx, target, case.surface, case.place, now)
        return written

    async def refused(self, tx: AsyncConnection, refusal: Refusal, now: float) -> None:
        """So many refusals within a day for what is never made are no accident. Those that have earned a strike already
        earn no second one."""
        if refusal.verdict.category not in NEVER or self.config.refusals == 0:
            return
        place = refusal.address
        count = await refusals.count(tx, refusal.asker, place.surface, place.place, NEVER, now - DAY)
        if count < self.config.refusals * (await self._struck_for_refusals(tx, refusal, now) + 1):
            return
        struck = await self._strike_for_rule(tx, refusal, count, now)
        ear = await telling.under_refusal(tx, refusal)
        with speaking(ear.language):
            told = sentences.struck_for_refusals(count, struck, now)
        await telling.tell(tx, self.make_id, ear, told, now)

    async def _struck_for_refusals(self, tx: AsyncConnection, refusal: Refusal, now: float) -> int:
        """How many strikes the person got within a day for refusals alone."""
        here = refusal.address
        found = await cases.browse(
            tx, here.surface, here.place, words=Action.STRIKE, target=refusal.asker, limit=MOST_STRIKES
        )
        by_itself = [case for case in found if case.action is Action.STRIKE and "refusal" in dict(case.about)]
        return sum(case.created_at > now - DAY for case in by_itself)

    async def _strike_for_rule(self, tx: AsyncConnection, refusal: Refusal, count: int, now: float) -> Struck:
        """By nobody but the rule that fired last."""
        case = Case(
            surface=refusal.address.surface,
            place=refusal.address.place,
            number=0,
            actor=NOBODY,
            target=refusal.asker,
            action=Action.STRIKE,
            reason="",
            created_at=now,
            rule=" ".join(refusal.verdict.rules),
            policy=refusal.verdict.policy,
            about=(("refusal", refusal.id), ("count", str(count))),
        )
        return await self.strike(tx, await cases.add(tx, case), now)

    async def _stop_all(self, tx: AsyncConnection, asker: Asker, surface: str, place: str, now: float) -> None:
        for job in await queue.waiting_of(tx, asker, surface, place):
            if await queue.ask_to_cancel(tx, job.id, now) is JobState.CANCELLED:
                await quotas.release(tx, job.id)
                await reviews.lapse(tx, job.id, now)

    def _earned(self, points: int) -> Curb | None:
        """The gravest curb that so many points lead to."""
        return next((curb for at, curb in self._thresholds() if points >= at), None)

    def _next(self, points: int) -> tuple[int, Curb | None]:
        """At how many points the next curb comes, and which; 0: there is none left."""
        more = [(at, curb) for at, curb in self._thresholds() if at > points]
        return min(more, key=lambda pair: pair[0]) if more else (0, None)

    def _thresholds(self) -> tuple[tuple[int, Curb], ...]:
        """At how many points each curb comes, the gravest first."""
        config = self.config
        return (
            (config.ban_points, Curb.BAN),
            (config.mute_points, Curb.MUTE),
            (config.cool_down_points, Curb.COOL_DOWN),
        )

    def _end_of(self, curb: Curb | None, now: float) -> float | None:
        match curb:
            case Curb.COOL_DOWN:
                return now + self.config.cool_down_minutes * 60
            case Curb.MUTE:
                return now + self.config.mute_hours * 3600
            case _:
                return None
