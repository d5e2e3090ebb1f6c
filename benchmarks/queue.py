"""The durable queue on this disk: each enqueue and each claim is a transaction that survives a power cut."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import spread
from db import queue, quotas
from db.database import Database
from db.ids import new_id
from db.records import MILLI, Address, Asker, ClipSpec, Handle, Job, JobState, Ruling, Verdict

JOBS = 200
HEARD = 100
ASKER = Asker("bench", "me")
SPEC = ClipSpec("a heart bouncing on blue", "", 1, 12, 4.0, 16, 64, 64, 8, "pocket")
LEASE_SECONDS = 30.0


def measure() -> Iterator[dict[str, Any]]:
    return iter(asyncio.run(_measure()))


async def _measure() -> list[dict[str, Any]]:
    with TemporaryDirectory(prefix="zoetrope-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'zoetrope.db'}"
        async with _opened(url, migrate=True) as bot, _opened(url) as runner:
            enqueued = await _seconds_of_enqueues(bot)
            claimed = await _seconds_of_claims(runner)
            heard = await _seconds_from_enqueue_to_claim(bot, runner)
    return [
        {"measure": "enqueues_per_second", "value": round(JOBS / enqueued, 1), "count": JOBS},
        {"measure": "claims_per_second", "value": round(JOBS / claimed, 1), "count": JOBS},
        {"measure": "enqueue_to_claim_seconds", **spread(heard)},
    ]


@asynccontextmanager
async def _opened(url: str, *, migrate: bool = False) -> AsyncIterator[Database]:
    database = await Database.open(url, migrate=migrate)
    try:
        yield database
    finally:
        await database.close()


async def _enqueue(database: Database) -> str:
    """What the bot does in one transaction: the job and its quota."""
    now = time.time()
    job = Job(
        id=new_id(),
        asker=ASKER,
        handle=Handle(Address("bench", "here"), new_id()),
        spec=SPEC,
        verdict=Verdict(Ruling.ALLOWED),
        format="gif",
        cost=MILLI,
        state=JobState.QUEUED,
        attempt=0,
        created_at=now,
        changed_at=now,
    )
    async with database.transaction() as tx:
        await queue.enqueue(tx, job)
        await quotas.reserve(tx, job.id, job.asker, job.cost, now)
    return job.id


async def _claim(database: Database) -> str | None:
    """What a runner does in one transaction: look who waits, and take the first."""
    async with database.transaction() as tx:
        waiting = await queue.waiting(tx)
        if not waiting:
            return None
        now = time.time()
        lease = await queue.claim(tx, waiting[0].id, runner="bench", now=now, until=now + LEASE_SECONDS)
        return lease.job.id if lease is not None else None


async def _seconds_of_enqueues(database: Database) -> float:
    started = time.perf_counter()
    for _ in range(JOBS):
        await _enqueue(database)
    return time.perf_counter() - started


async def _seconds_of_claims(database: Database) -> float:
    started = time.perf_counter()
    for _ in range(JOBS):
        assert await _claim(database) is not None
    return time.perf_counter() - started


async def _seconds_from_enqueue_to_claim(bot: Database, runner: Database) -> list[float]:
    """One job at a time, with an idle runner that listens to the bell: from before the enqueue to after the claim."""
    seconds = []
    async with asyncio.TaskGroup() as group:
        for _ in range(HEARD):
            seen = runner.bell.count()
            claimed = group.create_task(_claim_when_rung(runner, seen))
            await asyncio.sleep(0)  # the listener listens first
            started = time.perf_counter()
            await _enqueue(bot)
            seconds.append(await claimed - started)
    return seconds


async def _claim_when_rung(database: Database, seen: int) -> float:
    while True:
        seen = await database.bell.wait(seen, 10.0)
        if await _claim(database) is not None:
            return time.perf_counter()
