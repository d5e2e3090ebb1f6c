"""What moderators do by a command: block, unblock, grant, purge, amend. Each is a case; what destroys asks first.

What was asked for waits in the database until it is confirmed; then everything is checked anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import typed
from bot.answers import naming
from bot.answers.purging import Purging
from bot.answers.seat import Seat, here
from bot.cards import Card
from bot.cards import answers as notes
from bot.cards import bench as sentences
from bot.menu import MOST_CREDITS
from bot.moderation import gate
from bot.moderation.house import Confirmed
from bot.specs import Problem
from db import cases, pending, purges, queue, quotas, standing
from db.purges import Scope
from db.records import MILLI, Action, Asker, Caller, Case, Curb, Pending

CONFIRM_SECONDS = 600.0  # how long a question may be answered
LEAST_CREDITS = 0.001
BLOCK, PURGE = "block", "purge"


@dataclass(frozen=True, slots=True)
class Acts:
    """Every act is one transaction with its case."""

    seat: Seat
    purging: Purging

    def register(self) -> None:
        """What is confirmed comes back here."""
        self.seat.commands.moderation.handlers.update({BLOCK: self.carry_out_block, PURGE: self.carry_out_purge})

    # --- block and unblock ---

    async def block(self, caller: Caller, member: str, hours: str, reason: str) -> Card:
        async def ask(tx: AsyncConnection, now: float) -> Card | Problem:
            said = await naming.said(tx, caller, member, hours, reason)
            if isinstance(said, Problem):
                return said
            who = said.who
            stands = await standing.standing(tx, who, *here(caller), now)
            if stands.curb is Curb.BAN and _lasts_as_long(stands.until, said.seconds, now):
                left = None if stands.until is None else stands.until - now
                return Problem(sentences.blocked_already(who.id, left))
            span = "" if said.seconds is None else str(said.seconds)
            values = {"member": who.id, "seconds": span, "reason": said.reason}
            waiting = len(await queue.waiting_of(tx, who, *here(caller)))
            facts = sentences.block_facts(waiting, await naming.is_known(tx, caller, who), said.reason)
            question = await self._keep(tx, caller, BLOCK, values, now)
            return sentences.question(sentences.ask_block(who.id, said.seconds), question, facts)

        return await self.seat.act(caller, ask)

    async def carry_out_block(self, tx: AsyncConnection, caller: Caller, asked: Pending) -> Confirmed:
        now, said = self.seat.commands.clock(), dict(asked.values)
        who = Asker(caller.address.surface, said["member"])
        if not await gate.moderates(tx, caller, now):
            return Confirmed(notes.only_moderators())
        if await naming.is_oneself(tx, caller, who):  # linked meanwhile
            return Confirmed(sentences.yourself())
        span = float(said["seconds"]) if said["seconds"] else None
        until = None if span is None else now + span
        moderation = self.seat.commands.moderation
        case = await moderation.curb(tx, caller, who, Curb.BAN, until, said["reason"])
        return Confirmed(sentences.blocked(who.id, span, case.number))

    async def unblock(self, caller: Caller, member: str, reason: str) -> Card:
        async def lift(tx: AsyncConnection, now: float) -> Card | Problem:
            said = await naming.said(tx, caller, member, "", reason)
            if isinstance(said, Problem):
                return said
            who = said.who
            lifted = await standing.lift(tx, who, *here(caller), now)
            if not lifted:
                still = (await standing.standing(tx, who, *here(caller), now)).curb is not None
                return Problem(sentences.still_curbed(who.id) if still else sentences.nothing_to_lift(who.id))
            case = await self._case(tx, caller, who, Action.UNBLOCK, said.reason, now, count=str(lifted))
            return notes.note(sentences.unblocked(who.id, case.number))

        return await self.seat.act(caller, lift)

    # --- grant ---

    async def grant(self, caller: Caller, member: str, credits_: str, hours: str, reason: str) -> Card:
        allowance = self.seat.commands.allowance

        async def give(tx: AsyncConnection, now: float) -> Card | Problem:
            said, amount = await naming.said(tx, caller, member, hours, reason), _thousandths(credits_)
            if isinstance(said, Problem):
                return said
            if isinstance(amount, Problem):
                return amount
            left = allowance.most - await quotas.granted_in(tx, said.who, now, *here(caller))
            if amount > left:
                return Problem(sentences.granted_enough(left))
            lasts = allowance.window if said.seconds is None else said.seconds
            entry = self.seat.commands.make_id()
            await quotas.grant(tx, entry, said.who, amount, now, now + lasts, *here(caller))
            about = {"credits": f"{amount / MILLI:g}", "until": f"{now + lasts:.0f}"}
            case = await self._case(tx, caller, said.who, Action.GRANT, said.reason, now, **about)
            return notes.note(sentences.granted(said.who.id, amount, lasts, case.number))

        return await self.seat.act(caller, give)

    # --- purge ---

    async def purge(self, caller: Caller, member: str, hours: str) -> Card:
        async def ask(tx: AsyncConnection, now: float) -> Card | Problem:
            who = await naming.somebody(tx, caller, member) if member.strip() else None
            span = naming.seconds(hours)
            if isinstance(who, Problem):
                return who
            if isinstance(span, Problem):
                return span
            if who is None and span is None:
                return Problem(sentences.purge_what())
            scope = Scope(*here(caller), who, 0.0 if span is None else now - span, now)
            count = await purges.count(tx, scope)
            if not count:
                return Problem(sentences.nothing_to_purge())
            values = {"member": who.id if who else "", "since": repr(scope.since), "until": repr(now)}
            question = await self._keep(tx, caller, PURGE, values, now)
            return sentences.question(sentences.ask_purge(count, who.id if who else "", span), question)

        return await self.seat.act(caller, ask)

    async def carry_out_purge(self, tx: AsyncConnection, caller: Caller, asked: Pending) -> Confirmed:
        """Exactly the clips that were there when it was asked: newer ones were not counted in the question."""
        now, said = self.seat.commands.clock(), dict(asked.values)
        if not await gate.moderates(tx, caller, now):
            return Confirmed(notes.only_moderators())
        who = Asker(caller.address.surface, said["member"]) if said["member"] else None
        scope = Scope(*here(caller), who, float(said["since"]), float(said["until"]))
        count = await purges.count(tx, scope)
        if not count:
            return Confirmed(sentences.nothing_to_purge())
        case = await self._case(tx, caller, who, Action.PURGE, "", now, count=str(count))
        await self.purging.begin(tx, caller.asker, scope)
        return Confirmed(sentences.purged(count, case.number))

    # --- cases ---

    async def amend(self, caller: Caller, number: str, reason: str) -> Card:
        async def add(tx: AsyncConnection, now: float) -> Card | Problem:
            wanted, why = naming.case_number(number), naming.reason(reason)
            found = await cases.get(tx, *here(caller), wanted) if wanted else None
            if found is None:
                return Problem(sentences.no_case(number))
            if isinstance(why, Problem):
                return why
            if not why:
                return Problem(sentences.no_reason())
            root = found.amends or found.number
            case = Case(*here(caller), 0, caller.asker, found.target, Action.AMEND, why, now, amends=root)
            return notes.note(sentences.amended(root, (await cases.add(tx, case)).number))

        return await self.seat.act(caller, add)

    # --- small ones ---

    async def _keep(self, tx: AsyncConnection, caller: Caller, what: str, values: dict[str, str], now: float) -> str:
        """What is to be confirmed; its id."""
        question = self.seat.commands.make_id()
        until = now + CONFIRM_SECONDS
        await pending.keep(tx, Pending(question, caller.asker, *here(caller), what, tuple(values.items()), until))
        return question

    async def _case(
        self,
        tx: AsyncConnection,
        caller: Caller,
        target: Asker | None,
        action: Action,
        reason: str,
        now: float,
        **about: str,
    ) -> Case:
        case = Case(*here(caller), 0, caller.asker, target, action, reason, now, about=tuple(about.items()))
        return await cases.add(tx, case)


def _lasts_as_long(until: float | None, seconds: float | None, now: float) -> bool:
    """Whether a ban until then (None: it is lifted by hand) is over no earlier than one that begins now."""
    return until is None or (seconds is not None and until >= now + seconds)


def _thousandths(text: str) -> int | Problem:
    credits_ = typed.number(text)
    if credits_ is None or not LEAST_CREDITS <= credits_ <= MOST_CREDITS:
        return Problem(sentences.not_a_number("credits", text, LEAST_CREDITS, MOST_CREDITS))
    return round(credits_ * MILLI)
