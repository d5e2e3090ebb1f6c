"""The way of a request, steps 2 to 6, and everything else people can ask for, in the order in which they meet it.

A request that can't be shown now stays RECEIVED in the database, and `take_up` goes through it again; nothing about it
lives in memory but the note that somebody is at it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import cards, intents, quota, safety, specs
from bot.board import Board
from bot.cards import Card
from bot.commands import buttons, deciding
from bot.commands.buttons import Buttons, no
from bot.commands.deciding import Plan, Rules, Situation
from bot.language import say, speaking
from bot.moderation import Moderation, gate, showing
from bot.outcomes import Outcome, Result
from bot.port import Gone, Refused, Surface, SurfaceError
from bot.renditions import Renditions
from db import (
    allowed,
    blanking,
    deliveries,
    gallery,
    models,
    moves,
    people,
    places,
    queue,
    quotas,
    refusals,
    requests,
    reviews,
    standing,
)
from db.clip_files import ClipFiles
from db.config import LimitsConfig, RetentionConfig
from db.database import Database
from db.ids import new_id
from db.records import (
    GRAVEST,
    Address,
    Caller,
    Circumstances,
    Clip,
    Curb,
    Decision,
    Delivery,
    DeliveryState,
    Handle,
    Job,
    JobState,
    PlaceSettings,
    Refusal,
    Request,
    RequestState,
    Ruling,
    Verdict,
    Wish,
)
from db.trouble import surviving

TOO_LATE_SECONDS = 600.0  # a request older than this is closed with a sentence instead of surprising its asker
RETRY_SECONDS = 15.0  # how often requests that could not be shown are gone through again
EARLIER_SECONDS, EARLIER_PROMPTS = 600.0, 4  # what is read together with a prompt
CHAIN = 8  # clips that a clip goes back to, as far as they are read

log = logging.getLogger(__name__)

Moderating = (
    intents.Report
    | intents.Appeal
    | intents.Hide
    | intents.Unhide
    | intents.Approve
    | intents.Remove
    | intents.FalseAlarm
    | intents.Confirm
    | intents.Dismiss
)


@dataclass
class Commands:
    """The use cases. `clock` gives seconds since the epoch, `rng` seeds for wishes that name none; `hash_key` is the
    secret under which a prompt that must not be kept can be recognized.

    Whatever comes back is in the caller's language.
    """

    database: Database
    surfaces: Mapping[str, Surface]
    files: ClipFiles
    renditions: Renditions
    board: Board
    policy: safety.Policy
    allowance: quota.Allowance
    limits: LimitsConfig
    default_model: str
    clock: Callable[[], float]
    rng: random.Random
    hash_key: bytes = field(repr=False)
    moderation: Moderation
    retention: RetentionConfig = field(default_factory=RetentionConfig)
    make_id: Callable[[], str] = new_id
    _in_hand: set[tuple[str, str]] = field(default_factory=set, repr=False)

    # --- a clip ---

    async def request_clip(self, caller: Caller, wish: Wish, origin: str, made_from: str = "") -> Outcome:
        """Steps 2 to 6 of the way of a clip. `origin` is the platform's own id of the request: seen twice, acts once.

        `made_from` is the clip this one is made again from, if any.
        """
        request = replace(self._request(caller, origin, wish), made_from=made_from)
        return await self._once(request, lambda tx: requests.record(tx, request))

    async def draft(self, caller: Caller, wish: Wish, origin: str) -> None:
        """What was typed waits until its prompt is written."""
        request = replace(self._request(caller, origin, wish), state=RequestState.DRAFT)
        async with self.database.transaction() as tx:
            await requests.record(tx, request)

    async def write(self, caller: Caller, draft: str, prompt: str, more: Wish | None = None) -> Outcome:
        """The prompt of the draft that came as `draft`, which goes on its way under that id; options of `more` win."""
        async with self.database.reading() as tx:
            first = await requests.get(tx, caller.address.surface, draft)
        if first is None or first.asker != caller.asker:
            with speaking(caller.circumstances.language):
                return no((Result.UNKNOWN, cards.NO_DRAFT))
        request = self._request(caller, draft, replace(_also(first.wish, more), prompt=prompt))
        return await self._once(request, lambda tx: requests.complete(tx, request))

    async def edit(self, caller: Caller, job_id: str, prompt: str, origin: str, more: Wish | None = None) -> Outcome:
        """The same as the job with other words and a new seed; options of `more` win."""
        job, clip = await self._found(caller, job_id)
        with speaking(caller.circumstances.language):
            editable = await self._editable(caller, job, clip)
        if isinstance(editable, Outcome):
            return editable
        wish = replace(_also(_same_wish(editable, caller), more), prompt=prompt)
        return await self.request_clip(caller, wish, origin, clip.id if clip else "")

    async def show_clip(self, caller: Caller, clip_id: str, origin: str) -> Outcome:
        """A new card here for a finished clip that the caller may see."""
        async with self.database.reading() as tx:
            visible = await _visible_clip(tx, caller, clip_id)
        if visible is None:
            with speaking(caller.circumstances.language):
                return no(buttons.NO_CLIP)
        request = replace(self._request(caller, origin, Wish("")), shows=clip_id)
        return await self._once(request, lambda tx: requests.record(tx, request))

    def _request(self, caller: Caller, origin: str, wish: Wish) -> Request:
        return Request(
            surface=caller.address.surface,
            id=origin,
            asker=caller.asker,
            address=caller.address,
            wish=specs.storable(wish, self.limits),
            created_at=self.clock(),
            circumstances=caller.circumstances,
        )

    async def _once(self, request: Request, enter: Callable[[AsyncConnection], Awaitable[bool]]) -> Outcome:
        """Go through a request that `enter` says is new."""
        with speaking(request.circumstances.language):
            if _key(request) in self._in_hand:
                return await self._recall(request)
            with self._holding(request):
                async with self.database.transaction() as tx:
                    is_new = await enter(tx)  # 2
                return await self._go_through(request) if is_new else await self._recall(request)

    @contextmanager
    def _holding(self, request: Request) -> Iterator[None]:
        """Somebody is at this request: nobody else takes it up meanwhile."""
        self._in_hand.add(_key(request))
        try:
            yield
        finally:
            self._in_hand.discard(_key(request))

    async def _go_through(self, request: Request, again: bool = False) -> Outcome:
        plan: Plan | None = None
        try:
            if request.shows:
                return await self._show_clip(request, again)
            plan = self._decide(request, await self._look(request))  # 3 judged, 4 paid for
            handle = await self._show(request, plan.card, again)  # 5
            return await self._commit(request, plan, handle)  # 6
        except (Gone, Refused):
            refusal = plan.refusal if plan else None
            return await self._close(request, Outcome(Result.UNSHOWN, say(cards.UNSHOWN)), refusal=refusal)
        except SurfaceError:
            return Outcome(Result.UNREACHED, say(cards.UNREACHED))

    @property
    def rules(self) -> Rules:
        """What the operator has set."""
        return Rules(self.policy, self.allowance, self.limits, self.default_model)

    def _decide(self, request: Request, situation: Situation) -> Plan:
        return deciding.decide(request, situation, self.rules, self.make_id, lambda: self.rng.getrandbits(31))

    async def _look(self, request: Request) -> Situation:
        limits = await self.surfaces[request.surface].limits(request.address)
        now = self.clock()
        async with self.database.reading() as tx:
            here = await _as_it_is_called_now(tx, request.address)
            place = await places.settings(tx, here.surface, here.place)
            model = request.wish.model or place.model or self.default_model
            return Situation(
                now=now,
                models=await models.known(tx),
                usage=await quotas.usage(tx, request.asker, now - self.allowance.window, now, here.surface, here.place),
                ahead=await queue.waiting_count(tx),
                typical=await gallery.typical_seconds(tx, model),
                formats=limits.formats,
                place=place,
                person=await people.settings(tx, request.asker),
                earlier=await _earlier(tx, request),
                spent_here=await self.spent_here(tx, here, place, now),
                standing=await standing.standing(tx, request.asker, here.surface, here.place, now),
                allowed=await allowed.prompts(tx, here.surface, here.place),
            )

    async def spent_here(
        self, tx: AsyncConnection, here: Address, place: PlaceSettings, now: float
    ) -> tuple[tuple[float, int], ...]:
        """What everybody in the place spent within the window, where somebody has to know."""
        if place.budget is None:
            return ()
        return await quotas.spent_in(tx, here.surface, here.place, now - self.allowance.window)

    async def _show(self, request: Request, card: Card, again: bool) -> Handle:
        """Post the card. One that is taken up `again` may stand there already with an old content, so it is redrawn."""
        surface = self.surfaces[request.surface]
        if request.message:
            handle = Handle(request.address, request.message)
        else:
            handle = await surface.show(request.address, card, nonce=request.id)
        async with self.board.pen(handle):
            if again:
                await surface.redraw(handle, card)
            self.board.drew(handle, card)
        return handle

    async def _commit(self, request: Request, plan: Plan, handle: Handle) -> Outcome:
        """One transaction: the handle, and for a job its quota and its place in the queue. All or nothing."""
        if plan.job is None:
            return await self._close(request, plan.outcome(handle), handle.message, plan.refusal)
        job, now = replace(plan.job, handle=handle), self.clock()
        async with self.database.transaction() as tx:
            await requests.set_message(tx, request.surface, request.id, handle.message)
            granted = await self._grant(tx, request, plan, now)
            if isinstance(granted, quota.Granted):
                await queue.enqueue(tx, job)
                await quotas.reserve(tx, job.id, job.asker, granted.cost, now)
                await requests.take(tx, request.surface, request.id, job.id)
                if job.state is JobState.HELD:
                    await self.moderation.open_held(tx, job)
        if isinstance(granted, Plan):
            return await self._deny(request, handle, granted)
        return plan.outcome(handle)

    async def _grant(self, tx: AsyncConnection, request: Request, plan: Plan, now: float) -> quota.Granted | Plan:
        """Decided a second time, alone among writers: what was left may be somebody else's by now, and who asked may
        have been told not to, or had everything of theirs deleted."""
        assert plan.job is not None
        first = await requests.get(tx, request.surface, request.id)
        if first is None or first.state is not RequestState.RECEIVED:
            return Plan(Result.PROBLEM, cards.erased())
        here, cost = await _as_it_is_called_now(tx, request.address), plan.job.cost
        place = await places.settings(tx, here.surface, here.place)
        stands = await standing.standing(tx, request.asker, here.surface, here.place, now)
        if sentence := deciding.closed(request, place, stands, now):
            return Plan(Result.PROBLEM, cards.not_here(sentence, request.asker), verdict=plan.verdict)
        allowance = self.allowance.at(place, request.circumstances.roles)
        spent = await self.spent_here(tx, here, place, now)
        granted = quota.decide_here(spent, place.budget, allowance.window, cost, now)
        if isinstance(granted, quota.Granted):
            since = now - allowance.window
            usage = await quotas.usage(tx, request.asker, since, now, here.surface, here.place)
            granted = quota.decide(usage, allowance, cost, now)
        if isinstance(granted, quota.Denied):
            return Plan(Result.DENIED, cards.denied(granted, now, request.asker), verdict=plan.verdict)
        return granted

    async def _deny(self, request: Request, handle: Handle, plan: Plan) -> Outcome:
        """Others were faster since the first look. The request is closed only after its card has said so."""
        async with self.board.pen(handle):
            await self.surfaces[request.surface].redraw(handle, plan.card)
            self.board.drew(handle, plan.card)
        return await self._close(request, plan.outcome(handle), handle.message)

    async def _close(
        self, request: Request, outcome: Outcome, message: str = "", refusal: Refusal | None = None
    ) -> Outcome:
        """The request is answered. A refused one is kept for an appeal and costs a little, both in one transaction."""
        too_grave = refusal is None and self._is_too_grave(request, outcome.verdict)
        async with self.database.transaction() as tx:
            if message:
                await requests.set_message(tx, request.surface, request.id, message)
            is_closed = await requests.close(tx, request.surface, request.id)
            if refusal is not None and is_closed:
                await self._keep_refusal(tx, refusal)
            if too_grave and is_closed:
                await requests.blank(tx, request.surface, request.id)
        return outcome

    def _is_too_grave(self, request: Request, verdict: Verdict | None) -> bool:
        """Whether the words must not be kept, though the answer was about something else."""
        verdict = verdict or safety.judge(safety.Writing(request.wish.prompt, request.wish.negative), self.policy)
        return verdict.category == GRAVEST and verdict.ruling is Ruling.REFUSED

    async def _keep_refusal(self, tx: AsyncConnection, refusal: Refusal) -> None:
        if refusal.verdict.category == GRAVEST:
            refusal = replace(refusal, prompt=f"hash:{self._fingerprint(refusal.prompt)}")
            await requests.blank(tx, refusal.surface, refusal.request)
        await refusals.record(tx, refusal)
        if self.allowance.refused:
            await quotas.charge(
                tx, refusal.id, refusal.asker, self.allowance.refused, "a refused prompt", refusal.created_at
            )
        await self.moderation.refused(tx, refusal, self.clock())

    def _fingerprint(self, prompt: str) -> str:
        """By which the same words can be recognized by whoever has the key, and be read by nobody."""
        return hmac.new(self.hash_key, specs.clean(prompt).casefold().encode(), hashlib.sha256).hexdigest()

    async def _show_clip(self, request: Request, again: bool) -> Outcome:
        """A card that says the clip is on its way, and the promise that it comes, or the card that says why not."""
        limits = await self.surfaces[request.surface].limits(request.address)
        async with self.database.reading() as tx:
            here = await _as_it_is_called_now(tx, request.address)
            clip = await _visible_clip(tx, replace(request.caller, address=here), request.shows)
            place = await places.settings(tx, here.surface, here.place)
            person = await people.settings(tx, request.asker)
            stands = await standing.standing(tx, request.asker, here.surface, here.place, self.clock())
            harmless = await allowed.prompts(tx, here.surface, here.place)
        closed = deciding.closed(request, place, stands, self.clock())
        if sentence := closed or self._unshowable(clip, place, request.circumstances, harmless):
            plan = Plan(Result.PROBLEM, cards.not_here(sentence, request.asker))
            handle = await self._show(request, plan.card, again)
            return await self._close(request, plan.outcome(handle), handle.message)
        assert clip is not None
        plan = Plan(Result.SHOWN, cards.bringing(clip, request.asker))
        handle = await self._show(request, plan.card, again)
        wanted = specs.preferred(Wish(""), person, place, limits.formats).format or ""
        async with self.database.transaction() as tx:
            await requests.set_message(tx, request.surface, request.id, handle.message)
            if await requests.close(tx, request.surface, request.id):
                await deliveries.promise(tx, self._promise(clip, handle, wanted))
        return replace(plan.outcome(handle), job=clip.job)

    def _unshowable(
        self, clip: Clip | None, place: PlaceSettings, circumstances: Circumstances, harmless: tuple[str, ...]
    ) -> str:
        """Why a clip is not shown in a place, or nothing. It may be from a place where other rules hold."""
        if clip is None:
            return say(cards.NO_SUCH_CLIP)
        stands = deciding.may_stand(clip, place, circumstances, self.policy, harmless)
        return "" if stands else say(cards.NOT_SHOWN_HERE)

    def _promise(self, clip: Clip, handle: Handle, kind: str) -> Delivery:
        now = self.clock()
        return Delivery(self.make_id(), clip.id, clip.job, handle, kind, DeliveryState.PROMISED, 0, now, now)

    async def _recall(self, request: Request) -> Outcome:
        """The first outcome of a request that was seen before: nothing is done a second time."""
        async with self.database.reading() as tx:
            first = await requests.get(tx, request.surface, request.id)
            job = await queue.get(tx, first.job) if first and first.job else None
            refusal = await refusals.of_request(tx, request.surface, request.id)
        if first is not None and first.asker != request.asker:
            return no((Result.UNKNOWN, cards.ANSWERED_ALREADY))  # somebody guessed the id of somebody else's request
        if first is None or first.state in (RequestState.RECEIVED, RequestState.DRAFT):
            return Outcome(Result.UNREACHED, say(cards.UNREACHED))
        if job is not None:
            result = Result.HELD if job.verdict.ruling is Ruling.HELD else Result.QUEUED
            return Outcome(result, say(cards.QUEUED_ALREADY), job.id, job.handle, job.verdict)
        handle = Handle(first.address, first.message) if first.message else None
        if refusal is not None:
            card = cards.refused(refusal.verdict, refusal.asker, refusal.id)
            return Plan(Result.REFUSED, card, verdict=refusal.verdict).outcome(handle)
        if first.shows:
            return Outcome(Result.SHOWN, say(cards.SHOWN_ALREADY), handle=handle)
        return await self._why_closed(first, handle)

    async def _why_closed(self, first: Request, handle: Handle | None) -> Outcome:
        """Decisions are pure, so the same wish meets the same no; only what has passed since can be different."""
        try:
            plan = self._decide(first, await self._look(first))
        except SurfaceError:
            return Outcome(Result.UNSHOWN, say(cards.ANSWERED_ALREADY), handle=handle)
        if plan.result in {Result.PROBLEM, Result.DENIED}:
            return replace(plan.outcome(handle), verdict=None)
        return Outcome(Result.DENIED, say(cards.ANSWERED_ALREADY), handle=handle)  # a verdict is for those who pay

    # --- its buttons ---

    async def press(self, caller: Caller, token: str, origin: str) -> Outcome:
        """A button. `origin` is the platform's own id of the press: pressed once and seen twice, it acts once."""
        with speaking(caller.circumstances.language):
            intent = intents.parse(token)
            match intent:
                case intents.Edit() | intents.Show() | intents.Page():
                    return await self._ask_on(caller, intent, origin)
                case intents.Again(job):
                    return await self._again(caller, job, origin)
                case intents.Cancel(job):
                    return await self._buttons.cancel(caller, job)
                case intents.Delete(clip):
                    return await self._buttons.delete(caller, clip)
                case None:
                    return no(buttons.UNKNOWN)
                case _:
                    return await self._moderate(caller, intent)

    async def _ask_on(self, caller: Caller, intent: intents.Edit | intents.Show | intents.Page, origin: str) -> Outcome:
        """What leads on to something else, for whoever gets an answer here."""
        async with self.database.reading() as tx:
            if sentence := await gate.barred(tx, caller, Curb.BAN, self.clock()):
                return Outcome(Result.PROBLEM, sentence)
        match intent:
            case intents.Edit(job):
                return await self._ask_prompt(caller, job)
            case intents.Show(clip):
                return await self.show_clip(caller, clip, origin)
            case intents.Page():
                return Outcome(Result.PAGE, "")

    async def _moderate(self, caller: Caller, intent: Moderating) -> Outcome:
        """What is about whether something may be there at all."""
        match intent:
            case intents.Report(clip):
                return await self.moderation.report(caller, clip)
            case intents.Appeal(refusal):
                return await self.moderation.appeal(caller, refusal)
            case intents.Hide(clip):
                return await self.moderation.hide(caller, clip)
            case intents.Unhide(clip):
                return await self.moderation.unhide(caller, clip)
            case intents.Approve(review):
                return await self.moderation.decide(caller, review, Decision.APPROVE)
            case intents.Remove(review):
                return await self.moderation.decide(caller, review, Decision.REMOVE)
            case intents.FalseAlarm(review):
                return await self.moderation.decide(caller, review, Decision.FALSE_ALARM)
            case intents.Confirm(asked):
                return await self.moderation.confirm(caller, asked)
            case intents.Dismiss(asked):
                return await self.moderation.dismiss(caller, asked)

    async def report(self, caller: Caller, clip_id: str, reason: str = "") -> Outcome:
        """A moderator shall look at this clip, for a reason."""
        return await self.moderation.report(caller, clip_id, reason)

    async def report_message(self, caller: Caller, message: str, reason: str = "") -> Outcome:
        """A moderator shall look at the clip that a message here carries."""
        return await self.moderation.report_message(caller, message, reason)

    async def hide_or_show(self, caller: Caller, clip_id: str) -> Outcome:
        """A clip of one's own, or of the place one moderates, is shown to nobody; said again, it is shown again."""
        return await self.moderation.hide_or_show(caller, clip_id)

    @property
    def _buttons(self) -> Buttons:
        return Buttons(self.database, self.moderation, self.clock)

    async def _again(self, caller: Caller, job_id: str, origin: str) -> Outcome:
        job, clip = await self._found(caller, job_id)
        if job is None:
            return no(buttons.UNKNOWN)
        if job.state is JobState.DONE and clip is None:
            return no(buttons.NO_CLIP)
        if kept := await self._kept_from(caller, job, clip):
            return kept
        return await self.request_clip(caller, _same_wish(job, caller), origin, clip.id if clip else "")

    async def _kept_from(self, caller: Caller, job: Job, clip: Clip | None) -> Outcome | None:
        """The no to whoever may not have the clip of somebody else made again here, if there is one."""
        here = caller.address
        async with self.database.reading() as tx:
            if await gate.is_theirs(tx, caller, job):
                return None
            if clip is not None and await showing.is_hidden_here(tx, clip, here.surface, here.place):
                return no(buttons.NO_CLIP)  # by a button of before: its words are hidden as well
            place = await places.settings(tx, here.surface, here.place)
            moderates = await gate.moderates(tx, caller, self.clock())
        sentence = deciding.may_have_again(place, moderates=moderates)
        return Outcome(Result.NOT_YOURS, sentence) if sentence else None

    async def _ask_prompt(self, caller: Caller, job_id: str) -> Outcome:
        editable = await self._editable(caller, *await self._found(caller, job_id))
        if isinstance(editable, Outcome):
            return editable
        sentence = say(cards.NEW_PROMPT)
        return Outcome(Result.ASK_PROMPT, sentence, job_id, editable.handle, prompt=editable.spec.prompt)

    async def _editable(self, caller: Caller, job: Job | None, clip: Clip | None) -> Job | Outcome:
        """The job, if its words are the caller's to change; else the no."""
        if job is None:
            return no(buttons.UNKNOWN)
        if job.state is JobState.DONE and clip is None:
            return no(buttons.NO_CLIP)
        async with self.database.reading() as tx:
            return job if await gate.is_theirs(tx, caller, job) else no(buttons.NOT_YOURS)

    async def _found(self, caller: Caller, job_id: str) -> tuple[Job | None, Clip | None]:
        """The job, if the caller may see a card of it, and its clip, if it has one."""
        async with self.database.reading() as tx:
            job, clip = await queue.get(tx, job_id), await gallery.of_job(tx, job_id)
            says = job is not None and bool(job.spec.prompt)  # or its words were deleted since
            visible = job is not None and says and await gate.may_see(tx, caller, job, clip)
        return (job, clip) if visible else (None, None)

    # --- at start, and while something could not be shown ---

    async def take_up(self) -> None:
        """Go through unfinished requests again, or close those that are too old with a sentence."""
        async with self.database.reading() as tx:
            unfinished = await requests.unfinished(tx)
        unreached: set[Address] = set()  # where one card can't be shown now, the next is not tried
        for request in unfinished:
            if _key(request) in self._in_hand or request.surface not in self.surfaces or request.address in unreached:
                continue
            try:
                with self._holding(request):
                    outcome = await self._take_up(request) if await self._is_unfinished(request) else None
                if outcome is not None and outcome.result is Result.UNREACHED:
                    unreached.add(request.address)
            except Exception:  # one request must not keep the others, nor the bot, from starting
                log.exception("A request on %s could not be taken up.", request.surface)

    async def _is_unfinished(self, request: Request) -> bool:
        """Asked when its turn comes: it may have been answered while others were gone through."""
        async with self.database.reading() as tx:
            now = await requests.get(tx, request.surface, request.id)
        return now is not None and now.state is RequestState.RECEIVED

    async def _take_up(self, request: Request) -> Outcome:
        with speaking(request.circumstances.language):
            if self.clock() - request.created_at > TOO_LATE_SECONDS:
                return await self._close_late(request)
            return await self._go_through(request, again=True)

    async def lapse(self) -> None:
        """Held jobs that no moderator looked at in time end, and their credit comes back."""
        async with self.database.reading() as tx:
            lapsed = [job for job in await queue.held(tx) if self.clock() - job.created_at >= cards.HELD_SECONDS]
        for job in lapsed:
            async with self.database.transaction() as tx:
                if await queue.lapse(tx, job.id, self.clock()):
                    await quotas.release(tx, job.id)
                    await reviews.lapse(tx, job.id, self.clock())
                    if job.verdict.category == GRAVEST:
                        await blanking.jobs_and_what_they_left(tx, [job.id])

    async def run(self) -> None:
        """Take up at start, and again now and then."""
        while True:
            with surviving("take up what was left"):
                await self.take_up()
                await self.lapse()
            await asyncio.sleep(RETRY_SECONDS)

    async def _close_late(self, request: Request) -> Outcome:
        """One that can't be told yet stays open: its card may stand there and promise a clip."""
        message = ""
        try:
            message = (await self._show(request, cards.too_late(request.asker), again=True)).message
        except (Gone, Refused):
            log.info("A late request on %s is closed without a word: its card is gone.", request.surface)
        except SurfaceError:
            return Outcome(Result.UNREACHED, say(cards.UNREACHED))
        return await self._close(request, Outcome(Result.UNSHOWN, say(cards.UNSHOWN)), message)


async def _as_it_is_called_now(tx: AsyncConnection, address: Address) -> Address:
    """Where what holds at an address is written down: its place may have moved since somebody asked there."""
    return replace(address, place=await moves.moved(tx, address.surface, address.place))


async def _visible_clip(tx: AsyncConnection, caller: Caller, clip_id: str) -> Clip | None:
    clip = await gallery.get(tx, clip_id)
    if clip is None or clip.hidden or not await gallery.may_see(tx, clip, caller.asker, caller.address):
        return None
    return clip


async def _earlier(tx: AsyncConnection, request: Request) -> tuple[str, ...]:
    """The prompts of the clips it goes back to, then the last few of the same person; each once, oldest first."""
    chain: list[str] = []
    clip_id = request.made_from
    while clip_id and len(chain) < CHAIN and (clip := await gallery.get(tx, clip_id)) is not None:
        chain.append(clip.spec.prompt)
        job = await queue.get(tx, clip.job)
        clip_id = job.origin if job else ""
    since = request.created_at - EARLIER_SECONDS
    recent = await requests.earlier_prompts(tx, request.asker, since, EARLIER_PROMPTS)
    return tuple(dict.fromkeys([*chain[::-1], *recent]))


def _key(request: Request) -> tuple[str, str]:
    return request.surface, request.id


def _also(wish: Wish, more: Wish | None) -> Wish:
    """The wish with every option that `more` names; its prompt stays."""
    said = {name: value for name, value in asdict(more).items() if value not in (None, "")} if more else {}
    return replace(wish, **{**said, "prompt": wish.prompt})


def _same_wish(job: Job, caller: Caller) -> Wish:
    """Everything as in the job's spec but the seed; another surface has formats of its own."""
    spec = job.spec
    return Wish(
        prompt=spec.prompt,
        negative=spec.negative,
        steps=spec.steps,
        guidance=spec.guidance,
        frames=spec.frames,
        width=spec.width,
        height=spec.height,
        fps=spec.fps,
        model=spec.model,
        format=job.format if job.handle.address.surface == caller.address.surface else None,
    )
