"""What moderators are shown by a command: why something was decided, what a prompt would meet, cases, standings, what
waits, and the way into the moderators' pages. Whatever is named by an id belongs to the place they are in."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import cards, safety, specs, typed
from bot.answers import naming
from bot.answers.seat import Seat, here
from bot.cards import Card
from bot.cards import answers as notes
from bot.cards import bench as sentences
from bot.cards import moderation as reviewing
from bot.cards.bench import Decided, Stand
from bot.commands import deciding
from bot.language import say
from bot.moderation import gate, subjects
from bot.specs import Problem
from db import allowed, cases, console, gallery, moves, places, queue, refusals, reviews, standing
from db.records import GRAVEST, Asker, Caller, ConsoleSession, Verdict

PAGE_CASES = 8
LINK_SECONDS = 600.0
MOST_TRIED = 5  # reviews whose subject is gone, until one is shown

_ID = re.compile(r"[0-9a-z]{1,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Looks:
    """`address` is where the web page is reached, empty where there is none."""

    seat: Seat
    address: str

    # --- why, and what would be ---

    async def why(self, caller: Caller, id_: str) -> Card:
        async def look(tx: AsyncConnection, _now: float) -> Card | Problem:
            named = id_.strip().casefold()
            decided = await _decided(tx, caller, named) if _ID.fullmatch(named) else None
            return Problem(sentences.nothing_by_id(id_)) if decided is None else sentences.why(decided)

        return await self.seat.look(caller, look)

    async def test(self, caller: Caller, prompt: str, negative: str) -> Card:
        """Nothing of it is stored anywhere."""
        commands = self.seat.commands

        async def judge(tx: AsyncConnection, _now: float) -> Card | Problem:
            writing = safety.Writing(specs.clean(prompt), specs.clean(negative))
            if trouble := self._unreadable(writing):
                return Problem(trouble)
            place = await places.settings(tx, *here(caller))
            house = deciding.house(place, caller.circumstances, await allowed.prompts(tx, *here(caller)))
            verdict = safety.judge(writing, commands.policy, house)
            preset = house.among(commands.policy.presets)
            return sentences.test(verdict, preset, age_restricted=caller.circumstances.age_restricted)

        return await self.seat.look(caller, judge)

    def _unreadable(self, writing: safety.Writing) -> str:
        """What is wrong with the words before anybody judges them, or nothing."""
        most = self.seat.commands.limits.prompt_chars
        if not writing.prompt:
            return say(cards.EMPTY_PROMPT)
        if len(writing.prompt) > most:
            return cards.too_long("prompt", most)
        return cards.too_long("negative", most) if len(writing.negative) > most else ""

    # --- cases ---

    async def cases(self, caller: Caller, member: str, words: str, page: str) -> Card:
        async def look(tx: AsyncConnection, _now: float) -> Card | Problem:
            who = await naming.somebody(tx, caller, member) if member.strip() else None
            number = typed.whole(page)
            if isinstance(who, Problem):
                return who
            if number is None:
                return Problem(cards.not_a_number("page", page))
            count = await cases.count(tx, *here(caller), words=words, target=who)
            pages = -(-count // PAGE_CASES)
            if not 1 <= number <= pages:
                return sentences.cases((), number, pages, count)
            found = await cases.browse(
                tx, *here(caller), words=words, target=who, offset=(number - 1) * PAGE_CASES, limit=PAGE_CASES
            )
            return sentences.cases(found, number, pages, count)

        return await self.seat.look(caller, look)

    async def case(self, caller: Caller, number: str) -> Card:
        async def look(tx: AsyncConnection, _now: float) -> Card | Problem:
            wanted = naming.case_number(number)
            found = await cases.get(tx, *here(caller), wanted) if wanted else None
            if found is None:
                return Problem(sentences.no_case(number))
            return sentences.case(found, await cases.amendments(tx, *here(caller), found.number))

        return await self.seat.look(caller, look)

    # --- people ---

    async def strikes(self, caller: Caller, member: str) -> Card:
        async def look(tx: AsyncConnection, now: float) -> Card | Problem:
            who = await naming.somebody(tx, caller, member)
            if isinstance(who, Problem):
                return who
            about = await cases.browse(tx, *here(caller), target=who, limit=sentences.MOST_LINES)
            waiting = await queue.waiting_of(tx, who, *here(caller))
            return sentences.strikes(who.id, await stand(tx, who, *here(caller), now), len(waiting), about, now)

        return await self.seat.look(caller, look)

    # --- what waits ---

    async def review(self, caller: Caller) -> Card:
        async def look(tx: AsyncConnection, now: float) -> Card | Problem:
            for review in await reviews.waiting(tx, *here(caller), limit=MOST_TRIED):
                looked = await subjects.look(tx, review, now)
                if looked.subject is None:
                    continue
                subject = looked.subject
                card = reviewing.review(
                    review,
                    subject.prompt,
                    subject.verdict,
                    subject.clip,
                    looked.reports,
                    looked.standing.points,
                    subject.negative,
                )
                clip = subject.clip.id if subject.clip else ""
                return sentences.waiting(card, await reviews.count_waiting(tx, *here(caller)), clip)
            return notes.note(sentences.nothing_waits())

        return await self.seat.look(caller, look)

    # --- the moderators' pages ---

    async def console(self, caller: Caller, *, whispered: bool) -> Card:
        async def offer(tx: AsyncConnection, now: float) -> Card | Problem:
            if not whispered:
                return Problem(sentences.not_alone())
            if not self.address:
                return Problem(sentences.no_pages())
            secret = secrets.token_hex(32)
            session = ConsoleSession(caller.asker, *here(caller), created_at=now, until=now + LINK_SECONDS)
            await console.offer(tx, hashlib.sha256(secret.encode()).hexdigest(), session)
            return sentences.console(f"{self.address}/moderation/enter/{secret}", LINK_SECONDS)

        return await self.seat.act(caller, offer)


async def stand(tx: AsyncConnection, asker: Asker, surface: str, place: str, now: float) -> Stand:
    """How somebody stands in a place, and why."""
    strikes = tuple(await standing.strikes_of(tx, asker, surface, place))[: sentences.MOST_LINES]
    curbs = tuple(await standing.restrictions_of(tx, asker, surface, place))[: sentences.MOST_LINES]
    reasons: dict[int, str] = {}
    for number in {*(each.case for each in strikes), *(each.case for each in curbs)}:
        found = await cases.get(tx, surface, place, number)
        reasons[number] = found.reason if found else ""
    return Stand(await standing.standing(tx, asker, surface, place, now), strikes, curbs, reasons)


async def _decided(tx: AsyncConnection, caller: Caller, id_: str) -> Decided | None:
    """The clip, job or refusal of this place that has the id."""
    clip = await gallery.get(tx, id_)
    job = await queue.get(tx, clip.job if clip else id_)
    if job is not None:
        if not await gate.is_home(tx, caller.address, job):
            return None
        if clip is not None:
            words = _words(clip.spec.prompt, clip.verdict)
            return Decided("clip", clip.id, clip.asker, words, clip.verdict, clip.created_at)
        return Decided("job", job.id, job.asker, _words(job.spec.prompt, job.verdict), job.verdict, job.created_at)
    refusal = await refusals.get(tx, id_)
    if refusal is None:
        return None
    place = await moves.moved(tx, refusal.surface, refusal.address.place)
    if here(caller) != (refusal.surface, place):
        return None
    words = _words(refusal.prompt, refusal.verdict)
    return Decided("refusal", refusal.id, refusal.asker, words, refusal.verdict, refusal.created_at)


def _words(prompt: str, verdict: Verdict) -> str:
    """Of the gravest kind nobody is shown any."""
    return "" if verdict.category == GRAVEST else prompt
