"""What goes on beside a rendering: its lease is kept, and the wish to cancel it is heard.

Neither waits for the engine: a step of a large model on a CPU takes minutes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from db import queue
from db.database import Database
from db.records import Lease
from db.trouble import PAUSE_SECONDS, surviving

logger = logging.getLogger(__name__)


class Heartbeat:
    """While the context lasts. `stop` is called when the job is no longer wanted or no longer ours."""

    def __init__(
        self,
        database: Database,
        lease: Lease,
        lease_seconds: float,
        clock: Callable[[], float],
        stop: Callable[[], Awaitable[None]],
    ) -> None:
        self._database = database
        self._lease = lease
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._stop = stop
        self._tasks = asyncio.TaskGroup()
        self._watchers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._watchers = [self._tasks.create_task(self._beat()), self._tasks.create_task(self._listen())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for watcher in self._watchers:
            watcher.cancel()
        await self._tasks.__aexit__(kind, error, trace)

    async def _beat(self) -> None:
        held = True
        while held:
            await asyncio.sleep(self._lease_seconds / 3)
            with surviving("extend a lease"):
                async with self._database.transaction() as tx:
                    held = await queue.extend(tx, self._lease, self._clock() + self._lease_seconds)
        logger.warning("The lease of attempt %d of job %s is lost.", self._lease.attempt, self._lease.job.id)
        await self._stop()

    async def _listen(self) -> None:
        wanted = True
        while wanted:
            with surviving("see whether a job is still wanted") as trouble:
                heard = self._database.bell.count()
                wanted = await self._still_wanted()
                if wanted:
                    await self._database.bell.wait(heard, self._lease_seconds)
            if trouble:
                await asyncio.sleep(PAUSE_SECONDS)
        await self._stop()

    async def _still_wanted(self) -> bool:
        async with self._database.reading() as tx:
            job = await queue.get(tx, self._lease.job.id)
        return job is not None and job.attempt == self._lease.attempt and not job.cancel_asked
