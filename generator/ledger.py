"""Step 9: how an attempt ends in the books. Each end is one transaction that moves the job and its quota together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from db import deliveries, gallery, queue, quotas, refusals, requests
from db.clip_files import ClipFiles
from db.database import Database
from db.errors import ClipStoreFull, ClipStoreUnwritable
from db.ids import new_id
from db.records import GRAVEST, Clip, Delivery, DeliveryState, Job, Lease, Refusal, Ruling, Verdict
from db.trouble import surviving
from generator.protocol import Cancelled, Failed, Judged, Rendered
from generator.rendering import Ending
from generator.workplace import Bench, measure

logger = logging.getLogger(__name__)


class Ledger:
    """Writes endings down. `attempts` is how often a job is tried; `clock` gives seconds since the epoch."""

    def __init__(self, database: Database, files: ClipFiles, attempts: int, clock: Callable[[], float]) -> None:
        self._database = database
        self._files = files
        self._attempts = attempts
        self._clock = clock

    async def conclude(self, lease: Lease, bench: Bench, ending: Ending) -> None:
        """What has begun to be written down is written down, even when we are cancelled meanwhile."""
        writing = asyncio.ensure_future(self._conclude(lease, bench, ending))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            with surviving("write down how a job ended"):  # or the wish to stop would be lost with the error
                await writing
            raise

    async def give_back(self, lease: Lease) -> None:
        """We are asked to stop: the job waits again, and this attempt alone never makes it fail.

        Its number is used up, though: numbers fence, so they only ever grow.
        """
        reason = "The renderer was stopped; this clip waits for the next one."
        async with self._database.transaction() as tx:
            state = await queue.fail(tx, lease, reason, self._clock(), again=True, attempts=lease.attempt + 1)
            if state is not None and state.is_end:
                await quotas.release(tx, lease.job.id)

    async def rescue(self, predecessor: str = "") -> None:
        """Take back the leases of dead runners. Looks before it writes: a commit rings the bell of all who wait."""
        now = self._clock()
        async with self._database.reading() as tx:
            running = await queue.running(tx)
        if not any(lease.until < now or lease.runner == predecessor for lease in running):
            return
        async with self._database.transaction() as tx:
            for job in await queue.rescue(tx, now, self._attempts, predecessor or None):
                logger.warning("Job %s was rescued at attempt %d and is now %s.", job.id, job.attempt, job.state)
                if job.state.is_end:
                    await quotas.release(tx, job.id)

    async def _conclude(self, lease: Lease, bench: Bench, ending: Ending) -> None:
        match ending:
            case Rendered():
                await self._keep_and_finish(lease, bench, ending)
            case Failed():
                await self._fail(lease, ending.reason, again=ending.again)
            case Judged():
                await self._refuse(lease, ending)
            case Cancelled():
                await self._cancel(lease)

    async def _keep_and_finish(self, lease: Lease, bench: Bench, rendered: Rendered) -> None:
        try:
            clip = await self._keep(lease, bench, rendered)
        except (ClipStoreFull, ClipStoreUnwritable) as error:
            await self._fail(lease, str(error), again=False)
        except OSError:
            logger.exception("The master of job %s can't be read.", lease.job.id)
            await self._fail(lease, "The engine left no clip that can be read; please try again later.", again=True)
        else:
            if not await self._finish(lease, clip):
                await self._files.remove(clip.master)

    async def _keep(self, lease: Lease, bench: Bench, rendered: Rendered) -> Clip:
        """The master goes into the store. Raises ClipStoreFull, ClipStoreUnwritable, OSError."""
        job, clip_id = lease.job, new_id()
        sha256, size = await asyncio.to_thread(measure, bench.master)
        return Clip(
            id=clip_id,
            job=job.id,
            asker=job.asker,
            spec=job.spec,
            verdict=job.verdict,
            master=await self._files.keep(bench.master, clip_id, bench.master.suffix),
            sha256=sha256,
            bytes=size,
            seconds=rendered.seconds,
            created_at=self._clock(),
        )

    async def _finish(self, lease: Lease, clip: Clip) -> bool:
        """Everything that follows from a finished clip, or nothing. False: fenced off."""
        now = self._clock()
        async with self._database.transaction() as tx:
            if not await queue.finish(tx, lease, now):
                return False
            await quotas.settle(tx, lease.job.id)
            await gallery.publish(tx, clip)
            await deliveries.promise(tx, _promise(lease.job, clip, now))
        return True

    async def _fail(self, lease: Lease, reason: str, *, again: bool) -> None:
        async with self._database.transaction() as tx:
            state = await queue.fail(tx, lease, reason, self._clock(), again=again, attempts=self._attempts)
            if state is not None and state.is_end:
                await quotas.release(tx, lease.job.id)
        logger.warning("Attempt %d of job %s failed (now %s): %s", lease.attempt, lease.job.id, state, reason)

    async def _refuse(self, lease: Lease, judged: Judged) -> None:
        """A second opinion said no: nothing was rendered, and it cost nothing."""
        rules = (f"classifier:{judged.classifier}",)
        verdict = Verdict(Ruling.REFUSED, judged.category, "a second opinion", rules, policy=judged.classifier)
        now = self._clock()
        async with self._database.transaction() as tx:
            if await queue.refuse(tx, lease, verdict, now):
                await quotas.release(tx, lease.job.id)
                await self._keep_refusal(tx, lease.job, verdict, now)

    async def _keep_refusal(self, tx: AsyncConnection, job: Job, verdict: Verdict, now: float) -> None:
        """For an appeal, under the job's own id. The key for a hash is the bot's, so of the gravest kind nothing is
        kept."""
        request = await requests.of_job(tx, job.id)
        if request is None:
            return
        prompt = job.spec.prompt
        if verdict.category == GRAVEST:
            prompt = ""
            await requests.blank(tx, request.surface, request.id)
        refusal = Refusal(job.id, request.surface, request.id, job.asker, request.address, verdict, prompt, now)
        await refusals.record(tx, refusal)

    async def _cancel(self, lease: Lease) -> None:
        async with self._database.transaction() as tx:
            if await queue.cancelled(tx, lease, self._clock()):
                await quotas.release(tx, lease.job.id)


def _promise(job: Job, clip: Clip, now: float) -> Delivery:
    return Delivery(
        id=new_id(),
        clip=clip.id,
        job=job.id,
        handle=job.handle,
        format=job.format,
        state=DeliveryState.PROMISED,
        attempts=0,
        due_at=now,
        card_at=job.created_at,
    )
