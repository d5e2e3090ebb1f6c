"""What people can ask for, in the order in which they meet it: a clip, then its buttons; and what a start takes up.

`request_clip` is steps 2 to 6 of the way of a clip. A request that can't be shown now stays RECEIVED in the database,
and `take_up` goes through it again; nothing about it lives in memory but the note that somebody is at it.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import cards, intents, quota, safety, specs
from bot.board import Board
from bot.cards import Card
from bot.port import Gone, Refused, Surface, SurfaceError
from bot.renditions import Renditions
from db import deliveries, gallery, models, queue, quotas, requests
from db.clip_files import ClipFiles
from db.config import LimitsConfig
from db.database import Database
from db.errors import StoreError
from db.ids import new_id
from db.records import (
    Address,
    Asker,
    Clip,
    ClipSpec,
    Handle,
    Job,
    JobState,
    ModelFacts,
    Request,
    RequestState,
    Ruling,
    Usage,
    Verdict,
    Wish,
)
from db.trouble import surviving

TOO_LATE_SECONDS = 600.0  # a request older than this is closed with a sentence instead of surprising its asker
RETRY_SECONDS = 15.0  # how often requests that could not be shown are gone through again

log = logging.getLogger(__name__)


class Result(StrEnum):
    """What became of a request or a button."""

    QUEUED = "queued"
    HELD = "held"
    REFUSED = "refused"
    DENIED = "denied"
    PROBLEM = "problem"
    UNSHOWN = "unshown"  # the card can't be shown there, so nothing was done
    UNREACHED = "unreached"  # the card could not be shown yet; the request is taken up again
    CANCELLED = "cancelled"
    STOPPING = "stopping"  # a rendering job stops after the step it is in
    FINISHED = "finished"  # there was nothing left to cancel
    DELETED = "deleted"
    NOT_YOURS = "not yours"
    UNKNOWN = "unknown"  # a button of no living job or clip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a request or a button led to; `sentence` is for the one who asked, where the surface can whisper."""

    result: Result
    sentence: str
    job: str = ""
    handle: Handle | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class _Situation:
    """What has to be known to decide about a request, read at one moment."""

    models: Sequence[ModelFacts]
    usage: Usage
    ahead: int
    typical: float | None  # seconds that a clip of the model usually takes
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What was decided: a card to show and, where all went well, the job behind it."""

    result: Result
    card: Card
    job: Job | None = None
    verdict: Verdict | None = None

    def outcome(self, handle: Handle | None = None) -> Outcome:
        return Outcome(self.result, self.card.status, self.job.id if self.job else "", handle, self.verdict)


@dataclass
class Commands:
    """The use cases. `clock` gives seconds since the epoch, `rng` seeds for wishes that name none."""

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
    make_id: Callable[[], str] = new_id
    _in_hand: set[tuple[str, str]] = field(default_factory=set, repr=False)

    # --- a clip ---

    async def request_clip(
        self, asker: Asker, address: Address, wish: Wish, origin: str, made_from: str = ""
    ) -> Outcome:
        """Steps 2 to 6 of the way of a clip. `origin` is the platform's own id of the request: seen twice, acts once.

        `made_from` is the clip this one is made again from, if any.
        """
        safe = specs.storable(wish, self.limits)
        request = Request(address.surface, origin, asker, address, safe, self.clock(), made_from=made_from)
        if _key(request) in self._in_hand:
            return await self._recall(request)
        with self._holding(request):
            async with self.database.transaction() as tx:
                first_seen = await requests.record(tx, request)  # 2
            return await self._go_through(request) if first_seen else await self._recall(request)

    async def _go_through(self, request: Request, again: bool = False) -> Outcome:
        try:
            situation = await self._look(request)
            plan = self._plan(request, situation)  # 3 judged, 4 paid for
            handle = await self._show(request, plan.card, again)  # 5
            return await self._commit(request, plan, handle)  # 6
        except (Gone, Refused):
            return await self._close(request, Outcome(Result.UNSHOWN, cards.UNSHOWN))
        except SurfaceError:
            return Outcome(Result.UNREACHED, cards.UNREACHED)

    @contextmanager
    def _holding(self, request: Request) -> Iterator[None]:
        """Somebody is at this request: nobody else takes it up meanwhile."""
        self._in_hand.add(_key(request))
        try:
            yield
        finally:
            self._in_hand.discard(_key(request))

    async def _look(self, request: Request) -> _Situation:
        limits = await self.surfaces[request.surface].limits(request.address)
        async with self.database.reading() as tx:
            return _Situation(
                models=await models.known(tx),
                usage=await self._usage(tx, request.asker),
                ahead=await queue.waiting_count(tx),
                typical=await gallery.typical_seconds(tx, request.wish.model or self.default_model),
                formats=limits.formats,
            )

    def _plan(self, request: Request, situation: _Situation) -> _Plan:
        """Spec, verdict and quota in turn; the first no is the answer."""
        spec = self._resolve(request.wish, situation)
        if isinstance(spec, specs.Problem):
            return _Plan(Result.PROBLEM, cards.problem(spec.sentence))
        verdict = safety.judge(safety.Writing(spec.prompt, spec.negative), self.policy)
        if verdict.ruling is Ruling.REFUSED:
            return _Plan(Result.REFUSED, cards.refused(verdict), verdict=verdict)
        now = self.clock()
        model = next(model for model in situation.models if model.name == spec.model)
        granted = quota.decide(situation.usage, self.allowance, quota.cost(spec, model), now)
        if isinstance(granted, quota.Denied):
            return _Plan(Result.DENIED, cards.denied(granted, now), verdict=verdict)
        job = self._job(request, spec, verdict, granted.cost, request.wish.format or situation.formats[0])
        place = situation.ahead + 1
        card = cards.of(job, place=place, expected=situation.typical and situation.typical * place)
        return _Plan(Result.HELD if job.state is JobState.HELD else Result.QUEUED, card, job, verdict)

    def _job(self, request: Request, spec: ClipSpec, verdict: Verdict, cost: int, kind: str) -> Job:
        now = self.clock()
        return Job(
            id=self.make_id(),
            asker=request.asker,
            handle=Handle(request.address, request.message),
            spec=spec,
            verdict=verdict,
            format=kind,
            cost=cost,
            state=JobState.HELD if verdict.ruling is Ruling.HELD else JobState.QUEUED,
            attempt=0,
            created_at=now,
            changed_at=now,
            origin=request.made_from,
        )

    def _resolve(self, wish: Wish, situation: _Situation) -> ClipSpec | specs.Problem:
        return specs.resolve(
            wish, situation.models, self.default_model, self.limits, lambda: self.rng.getrandbits(31), situation.formats
        )

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

    async def _commit(self, request: Request, plan: _Plan, handle: Handle) -> Outcome:
        """One transaction: the handle, and for a job its quota and its place in the queue. All or nothing."""
        if plan.job is None:
            return await self._close(request, plan.outcome(handle), handle.message)
        job, now = replace(plan.job, handle=handle), self.clock()
        async with self.database.transaction() as tx:
            await requests.set_message(tx, request.surface, request.id, handle.message)
            granted = quota.decide(await self._usage(tx, job.asker), self.allowance, job.cost, now)
            if isinstance(granted, quota.Granted):
                await queue.enqueue(tx, job)
                await quotas.reserve(tx, job.id, job.asker, granted.cost, now)
                await requests.take(tx, request.surface, request.id, job.id)
        if isinstance(granted, quota.Denied):
            denial = _Plan(Result.DENIED, cards.denied(granted, now), verdict=plan.verdict)
            return await self._deny(request, handle, denial)
        return plan.outcome(handle)

    async def _deny(self, request: Request, handle: Handle, plan: _Plan) -> Outcome:
        """Others were faster since the first look. The request is closed only after its card has said so."""
        async with self.board.pen(handle):
            await self.surfaces[request.surface].redraw(handle, plan.card)
            self.board.drew(handle, plan.card)
        return await self._close(request, plan.outcome(handle), handle.message)

    async def _close(self, request: Request, outcome: Outcome, message: str = "") -> Outcome:
        async with self.database.transaction() as tx:
            if message:
                await requests.set_message(tx, request.surface, request.id, message)
            await requests.close(tx, request.surface, request.id)
        return outcome

    async def _recall(self, request: Request) -> Outcome:
        """The first outcome of a request that was seen before: nothing is done a second time."""
        async with self.database.reading() as tx:
            first = await requests.get(tx, request.surface, request.id)
            job = await queue.get(tx, first.job) if first and first.job else None
        if first is None or first.state is RequestState.RECEIVED:
            return Outcome(Result.UNREACHED, cards.UNREACHED)
        if job is not None:
            result = Result.HELD if job.verdict.ruling is Ruling.HELD else Result.QUEUED
            return Outcome(result, cards.QUEUED_ALREADY, job.id, job.handle, job.verdict)
        handle = Handle(first.address, first.message) if first.message else None
        return await self._why_closed(first, handle)

    async def _why_closed(self, first: Request, handle: Handle | None) -> Outcome:
        """Decisions are pure, so the same wish meets the same no; only what has passed since can be different."""
        try:
            plan = self._plan(first, await self._look(first))
        except SurfaceError:
            return Outcome(Result.UNSHOWN, cards.ANSWERED_ALREADY, handle=handle)
        if plan.job is None:
            return plan.outcome(handle)
        return Outcome(Result.DENIED, cards.ANSWERED_ALREADY, handle=handle, verdict=plan.verdict)

    # --- its buttons ---

    async def press(self, asker: Asker, token: str, origin: str) -> Outcome:
        """A button. `origin` is the platform's own id of the press: pressed once and seen twice, it acts once."""
        match intents.parse(token):
            case intents.Cancel(job):
                return await self._cancel(asker, job)
            case intents.Again(job):
                return await self._again(asker, job, origin)
            case intents.Delete(clip):
                return await self._delete(asker, clip)
            case None:
                return Outcome(Result.UNKNOWN, cards.UNKNOWN_BUTTON)

    async def _cancel(self, asker: Asker, job_id: str) -> Outcome:
        async with self.database.transaction() as tx:
            job = await queue.get(tx, job_id)
            if job is None:
                return Outcome(Result.UNKNOWN, cards.UNKNOWN_BUTTON)
            if job.asker != asker:
                return Outcome(Result.NOT_YOURS, cards.NOT_YOURS)
            state = await queue.ask_to_cancel(tx, job_id, self.clock())
            if state is JobState.CANCELLED:
                await quotas.release(tx, job_id)
        match state:
            case JobState.CANCELLED:
                return Outcome(Result.CANCELLED, cards.CANCELLED, job_id, job.handle)
            case JobState.RENDERING:
                return Outcome(Result.STOPPING, cards.STOPPING, job_id, job.handle)
            case _:
                return Outcome(Result.FINISHED, cards.TOO_LATE_TO_CANCEL, job_id, job.handle)

    async def _again(self, asker: Asker, job_id: str, origin: str) -> Outcome:
        async with self.database.reading() as tx:
            job = await queue.get(tx, job_id)
            clip = await gallery.of_job(tx, job_id)
        if job is None or job.asker.surface != asker.surface:
            return Outcome(Result.UNKNOWN, cards.UNKNOWN_BUTTON)
        if job.state is JobState.DONE and clip is None:
            return Outcome(Result.UNKNOWN, cards.NO_SUCH_CLIP)
        made_from = clip.id if clip else ""
        return await self.request_clip(asker, job.handle.address, _same_wish(job), origin, made_from)

    async def _delete(self, asker: Asker, clip_id: str) -> Outcome:
        async with self.database.transaction() as tx:
            clip = await gallery.get(tx, clip_id)
            if clip is None:
                return Outcome(Result.UNKNOWN, cards.NO_SUCH_CLIP)
            if clip.asker != asker:
                return Outcome(Result.NOT_YOURS, cards.NOT_YOURS)
            await gallery.forget(tx, clip_id)
            for delivery in await deliveries.of_job(tx, clip.job):
                await deliveries.give_up(tx, delivery.id, cards.DELETED)
            await queue.touch(tx, clip.job, self.clock())  # the progress loop redraws its card, after a crash as well
        await self._remove_files(clip)
        return Outcome(Result.DELETED, cards.DELETED, clip.job)

    async def _remove_files(self, clip: Clip) -> None:
        """The clip is forgotten already: what can't be removed now is removed by the next sweep."""
        try:
            await self.files.remove(clip.master)
            await self.renditions.forget(clip.id)
        except (OSError, StoreError):
            log.exception("The files of clip %s could not be removed yet.", clip.id)

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
                    outcome = await self._take_up(request)
                if outcome.result is Result.UNREACHED:
                    unreached.add(request.address)
            except Exception:  # one request must not keep the others, nor the bot, from starting
                log.exception("A request on %s could not be taken up.", request.surface)

    async def _take_up(self, request: Request) -> Outcome:
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
            message = (await self._show(request, cards.too_late(), again=True)).message
        except (Gone, Refused):
            log.info("A late request on %s is closed without a word: its card is gone.", request.surface)
        except SurfaceError:
            return Outcome(Result.UNREACHED, cards.UNREACHED)
        return await self._close(request, Outcome(Result.UNSHOWN, cards.UNSHOWN), message)

    async def _usage(self, tx: AsyncConnection, asker: Asker) -> Usage:
        now = self.clock()
        return await quotas.usage(tx, asker, now - self.allowance.window, now)


def _key(request: Request) -> tuple[str, str]:
    return request.surface, request.id


def _same_wish(job: Job) -> Wish:
    """Everything as in the job's spec but the seed."""
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
        format=job.format,
    )
