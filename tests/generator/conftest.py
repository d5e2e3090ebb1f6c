"""Jobs, a queue on a real file, and real child processes to work on them."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from db import queue, quotas
from db.clip_files import ClipFiles
from db.config import GeneratorConfig, StallConfig
from db.database import Database
from db.records import (
    Address,
    Asker,
    ClipSpec,
    Defaults,
    Handle,
    Job,
    JobState,
    ModelFacts,
    ModelLimits,
    Range,
    Ruling,
    Verdict,
)
from generator.runner import Post, Runner
from generator.seats.child import ChildSeat
from generator.seats.port import Seat

CHILDREN = Path(__file__).parent / "children"
PATIENCE = 30.0  # an upper bound for what takes milliseconds on an idle machine

MODEL = ModelFacts(
    name="scripted",
    title="Scripted",
    family="none",
    defaults=Defaults(4, 1.0, 8, 32, 32, 8, "ddim"),
    limits=ModelLimits(Range(1, 100), Range(1, 24), Range(8, 64), 8),
)

Ask = Callable[..., Awaitable[Job]]
Until = Callable[..., Awaitable[Job]]
MakeRunner = Callable[..., Runner]
Serving = Callable[[Runner], AbstractAsyncContextManager[None]]


@pytest.fixture
def model() -> ModelFacts:
    """The one that runners of the tests announce."""
    return MODEL


@pytest.fixture
def scripted_engine() -> list[str]:
    """The command line of an engine that does what prompts tell it."""
    return [sys.executable, "-I", "-S", str(CHILDREN / "scripted_engine.py")]


@pytest.fixture
def scripted_runner() -> list[str]:
    """The command line of a runner with a scripted engine."""
    return [sys.executable, str(CHILDREN / "scripted_runner.py")]


@pytest.fixture
def new_job() -> Callable[..., Job]:
    """Makes jobs; each is a second younger than the one before."""
    numbers = itertools.count(1)

    def make(prompt: str = "", *, asker: str = "ada", model: str = "scripted", steps: int = 4) -> Job:
        number = next(numbers)
        spec = ClipSpec(prompt, "", number, steps, 1.0, 8, 32, 32, 8, model)
        return Job(
            id=f"job{number:07d}",
            asker=Asker("room", asker),
            handle=Handle(Address("room", "main"), f"m{number}"),
            spec=spec,
            verdict=Verdict(Ruling.ALLOWED),
            format="gif",
            cost=1000,
            state=JobState.QUEUED,
            attempt=0,
            created_at=1000.0 + number,
            changed_at=1000.0 + number,
        )

    return make


@pytest.fixture
def ask(database: Database, new_job: Callable[..., Job]) -> Ask:
    """Enqueues a job and reserves its quota, as step 6 does."""

    async def enqueue(prompt: str = "", **details: str | int) -> Job:
        now = time.time()
        job = replace(new_job(prompt, **details), created_at=now, changed_at=now)
        async with database.transaction() as tx:
            await queue.enqueue(tx, job)
            await quotas.reserve(tx, job.id, job.asker, job.cost, now)
        return job

    return enqueue


@pytest.fixture
def until(database: Database) -> Until:
    """Waits, on the bell, until the job is as wanted."""

    async def wait(job_id: str, wanted: Callable[[Job], bool], seconds: float = PATIENCE) -> Job:
        async with asyncio.timeout(seconds):
            while True:
                heard = database.bell.count()
                async with database.reading() as tx:
                    job = await queue.get(tx, job_id)
                assert job is not None
                if wanted(job):
                    return job
                await database.bell.wait(heard, PATIENCE)

    return wait


@pytest.fixture
def generator_config() -> GeneratorConfig:
    """The shortest leases there are; no engine counts as hung within the time of a test."""
    patient = StallConfig(load=PATIENCE, encode=PATIENCE, step=PATIENCE, decode=PATIENCE)
    return GeneratorConfig(lease_seconds=3.0, device="cpu", stall=patient)


@pytest.fixture
def make_runner(
    database: Database, tmp_path: Path, scripted_engine: list[str], generator_config: GeneratorConfig
) -> MakeRunner:
    """A runner on the test's database with a scripted engine, which does not sleep between deaths of its engine."""

    async def no_pause(_seconds: float) -> None:
        await asyncio.sleep(0)

    def make(
        seat: Seat | None = None,
        masters: Path = tmp_path / "masters",
        step: float = PATIENCE,
        works_on: Database = database,
    ) -> Runner:
        stall = generator_config.stall.model_copy(update={"step": step})
        return Runner(
            works_on,
            ClipFiles(masters.as_uri()),
            seat or ChildSeat(scripted_engine, tmp_path / "logs" / "engine.log"),
            generator_config.model_copy(update={"stall": stall}),
            Post("runner", tmp_path, [MODEL]),
            time.time,
            no_pause,
        )

    return make


@pytest.fixture
def serving() -> Serving:
    """Runs a runner while the context lasts, and stops it in order."""

    @asynccontextmanager
    async def serve(runner: Runner) -> AsyncIterator[None]:
        work = asyncio.create_task(runner.run())
        try:
            yield
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work

    return serve


@pytest.fixture
def ends_within() -> Callable[[int, float], bool]:
    """Whether a process (not necessarily a child of ours) ends within some seconds."""

    def ends(pid: int, seconds: float) -> bool:
        try:
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                process.wait(seconds)
        except psutil.NoSuchProcess:
            return True
        except psutil.TimeoutExpired:
            return bool(process.status() == psutil.STATUS_ZOMBIE)
        return True

    return ends
