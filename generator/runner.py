"""The loop that turns waiting jobs into clips: steps 7 to 9 of a clip's way.

A runner holds leases and knows no torch. Everything it writes about a job names the attempt, so whatever happens to it
(killed, asleep for an hour, cut off from the database), a job ends once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from db import models, queue, runners
from db.clip_files import ClipFiles
from db.config import GeneratorConfig
from db.database import Database
from db.records import Asker, Job, Lease, ModelFacts, Progress
from db.trouble import PAUSE_SECONDS, surviving
from generator import scheduler
from generator.errors import EngineGone
from generator.heartbeat import Heartbeat
from generator.ledger import Ledger
from generator.rendering import Rendering
from generator.seats.port import Seat
from generator.watch import Watch
from generator.workplace import Workplace

SERVED_SECONDS = 3600.0  # how long it is remembered that an asker was served

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Post:
    """Who a runner is and what it works with. `predecessor` worked here before and is dead for certain."""

    name: str
    folder: Path  # the data folder
    models: Sequence[ModelFacts]
    predecessor: str = ""


class Runner:
    """Renders one job at a time on the engine in its seat. `clock` gives seconds since the epoch."""

    def __init__(
        self,
        database: Database,
        files: ClipFiles,
        seat: Seat,
        config: GeneratorConfig,
        post: Post,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._config = config
        self._post = post
        self._clock = clock
        self._watch = Watch(seat, config.stall, clock, sleep)
        self._ledger = Ledger(database, files, config.attempts, clock)
        self._place = Workplace(post.folder, post.name)
        self._served: dict[Asker, float] = {}

    async def run(self) -> None:
        """Serve until cancelled. When this returns the engine is gone and the job in hand waits again."""
        try:
            await self._take_over()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._stay_known())
                tasks.create_task(self._serve())
        finally:
            await self._watch.stop()

    async def run_once(self) -> bool:
        """Steps 7 to 9 for one job. False: nothing was waiting."""
        await self._ledger.rescue()
        lease = await self._claim()
        if lease is None:
            return False
        bench = self._place.bench(lease)
        rendering = Rendering(
            self._watch,
            lease,
            bench,
            lambda progress: self._report(lease, progress),
            second_opinion=self._config.second_opinion,
        )
        try:
            async with Heartbeat(self._database, lease, self._config.lease_seconds, self._clock, rendering.stop):
                ending = await rendering.run()
                await self._ledger.conclude(lease, bench, ending)
        except asyncio.CancelledError:
            with surviving("give a job back"):
                await self._ledger.give_back(lease)
            raise
        finally:
            bench.clear()
        return True

    async def _take_over(self) -> None:
        """What a former life left behind is settled before anything new begins."""
        self._place.open()
        await self._announce()
        await self._ledger.rescue(self._post.predecessor)
        async with self._database.reading() as tx:
            rendering = {lease.job.id for lease in await queue.running(tx)}
        self._place.sweep_previews(rendering)
        with contextlib.suppress(EngineGone):  # it stands in the log; the first job will tell a person
            await self._watch.ready()

    async def _serve(self) -> None:
        while True:
            await self._watch.rest()
            with surviving("work on the queue") as trouble:
                heard = self._database.bell.count()
                if not await self.run_once():
                    await self._database.bell.wait(heard, await self._until_next_lapse())
            if trouble:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _until_next_lapse(self) -> float:
        async with self._database.reading() as tx:
            lapses = [lease.until - self._clock() for lease in await queue.running(tx)]
        return max(0.05, min([self._config.lease_seconds, *lapses]))

    async def _stay_known(self) -> None:
        while True:
            with surviving("announce this runner"):
                await self._announce()
            await asyncio.sleep(self._config.lease_seconds / 3)

    async def _announce(self) -> None:
        now = self._clock()
        async with self._database.transaction() as tx:
            await models.announce(tx, self._post.name, self._post.models, now)
            await runners.seen(tx, self._post.name, self._watch.device or self._config.device, now)

    async def _claim(self) -> Lease | None:
        while (job := await self._choose()) is not None:
            now = self._clock()
            until = now + self._config.lease_seconds
            async with self._database.transaction() as tx:
                lease = await queue.claim(tx, job.id, runner=self._post.name, now=now, until=until)
            if lease is not None:
                self._served[job.asker] = now
                logger.info("Job %s is rendered now, attempt %d.", job.id, lease.attempt)
                return lease
        return None

    async def _choose(self) -> Job | None:
        now = self._clock()
        self._served = {asker: at for asker, at in self._served.items() if at > now - SERVED_SECONDS}
        async with self._database.reading() as tx:
            waiting = await self._ours(tx)
            running = await queue.running(tx) if waiting else []
        return scheduler.choose(
            waiting,
            running,
            self._watch.resident,
            now,
            resident_since=self._watch.resident_since,
            served=self._served,
        )

    async def _ours(self, tx: AsyncConnection) -> list[Job]:
        """Jobs for our models; and those for models that nobody has, which our engine turns down with a sentence."""
        waiting = await queue.waiting(tx)
        ours = {model.name for model in self._post.models}
        if all(job.spec.model in ours for job in waiting):
            return waiting
        others = {model.name for model in await models.known(tx)} - ours
        return [job for job in waiting if job.spec.model not in others]

    async def _report(self, lease: Lease, progress: Progress) -> None:
        with surviving("report progress"):
            async with self._database.transaction() as tx:
                await queue.report(tx, lease, progress, self._clock())
