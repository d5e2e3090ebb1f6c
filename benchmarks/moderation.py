"""Seconds of a request until its job is queued, of a report, and of a decision, in a place with a long history."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import spread
from bot import intents
from bot.commands import Outcome, Result
from bot.core import Core, opened
from bot.surfaces.recording import RecordingSurface
from db import cases, gallery, models, queue, quotas, reviews, standing
from db.config import Config, DataConfig, ModerationConfig, QuotaConfig
from db.ids import new_id
from db.records import (
    NOBODY,
    Action,
    Address,
    Asker,
    Caller,
    Case,
    Circumstances,
    Clip,
    Defaults,
    Job,
    ModelFacts,
    ModelLimits,
    Range,
    Strike,
    Wish,
)

HERE = Address("recording", "bench")
MEMBERS, HISTORY = 500, 20_000  # people who have earned so many strikes together, each with its case
COUNT = 200
MANY = 1_000_000
POCKET = ModelFacts(
    "pocket",
    "Pocket",
    "unet3d",
    Defaults(steps=4, guidance=3.0, frames=8, width=32, height=32, fps=8, sampler="ddim"),
    ModelLimits(steps=Range(1, 50), frames=Range(1, 64), side=Range(16, 256), multiple=8),
)


def measure() -> Iterator[dict[str, Any]]:
    """Seconds of one request, one report and one decision, one after the other."""
    return iter(asyncio.run(_measure()))


async def _measure() -> list[dict[str, Any]]:
    with TemporaryDirectory(prefix="zoetrope-bench-") as folder:
        config = Config(
            data=DataConfig(folder=Path(folder)),
            quota=QuotaConfig(credits=MANY, waiting=MANY, most_credits=MANY),
            moderation=ModerationConfig(reports_a_day=MANY),
        )
        async with opened(config) as core:
            core.surfaces["recording"] = RecordingSurface()
            async with core.database.transaction() as tx:
                await models.announce(tx, "bench", [POCKET], time.time())
            before = [await _request(core, f"newcomer{number}") for number in range(COUNT)]
            await _write_history(core)
            after = [await _request(core, f"member{number}") for number in range(COUNT)]
            reports = [await _report(core, clip) for clip in await _finish(core)]
            decisions = [await _decide(core) for _ in range(COUNT)]
    return [
        {"measure": "request_seconds", **spread(before)},
        {"measure": "request_seconds_with_history", "cases": HISTORY, **spread(after)},
        {"measure": "report_seconds", **spread(reports)},
        {"measure": "decision_seconds", **spread(decisions)},
    ]


async def _request(core: Core, member: str) -> float:
    started = time.perf_counter()
    outcome = await core.commands.request_clip(_caller(member), Wish("a heart bouncing on blue"), new_id())
    return _seconds(started, outcome, Result.QUEUED)


async def _report(core: Core, clip: str) -> float:
    started = time.perf_counter()
    return _seconds(started, await core.commands.report(_caller("reporter"), clip, "why"), Result.REPORTED)


async def _decide(core: Core) -> float:
    async with core.database.reading() as tx:
        (review,) = await reviews.waiting(tx, HERE.surface, HERE.place, 1)
    button = intents.token(intents.Approve(review.id))
    started = time.perf_counter()
    outcome = await core.commands.press(_caller("moderator", moderator=True), button, new_id())
    return _seconds(started, outcome, Result.DECIDED)


def _seconds(started: float, outcome: Outcome, expected: Result) -> float:
    assert outcome.result is expected, outcome.sentence
    return time.perf_counter() - started


async def _write_history(core: Core) -> None:
    """Half of the strikes have decayed."""
    now = time.time()
    async with core.database.transaction() as tx:
        for number in range(HISTORY):
            culprit, until = Asker("recording", f"culprit{number % MEMBERS}"), now + 3600 * (number % 2 * 2 - 1)
            case = Case(HERE.surface, HERE.place, 0, NOBODY, culprit, Action.STRIKE, "", now)
            written = await cases.add(tx, case)
            strike = Strike(new_id(), HERE.surface, HERE.place, culprit, 1, written.number, now, until)
            await standing.strike(tx, strike)


async def _finish(core: Core) -> list[str]:
    """The clips of the members' jobs, without a file: nobody looks at them."""
    async with core.database.reading() as tx:
        waiting = (await queue.waiting(tx))[-COUNT:]
    return [await _publish(core, job) for job in waiting]


async def _publish(core: Core, job: Job) -> str:
    now, clip_id = time.time(), new_id()
    clip = Clip(clip_id, job.id, job.asker, job.spec, job.verdict, f"{clip_id}.mp4", "", 1, {"step": 1.0}, now)
    async with core.database.transaction() as tx:
        lease = await queue.claim(tx, job.id, runner="bench", now=now, until=now + 60)
        assert lease is not None
        await queue.finish(tx, lease, now)
        await quotas.settle(tx, job.id)
        await gallery.publish(tx, clip)
    return clip_id


def _caller(member: str, *, moderator: bool = False) -> Caller:
    return Caller(Asker("recording", member), HERE, Circumstances(moderator=moderator))
