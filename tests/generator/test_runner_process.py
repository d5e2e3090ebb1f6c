"""`python -m generator` as a supervisor sees it: real processes that are killed, stopped, doubled and left alone."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, Popen

import psutil  # type: ignore[import-untyped]
import pytest

from db import deliveries, gallery
from db.database import Database
from db.records import Job, JobState

Ask = Callable[..., Awaitable[Job]]
Until = Callable[..., Awaitable[Job]]
EndsWithin = Callable[[int, float], bool]
Start = Callable[..., Popen[bytes]]


def ended(job: Job) -> bool:
    return job.state.is_end


def rendering(job: Job) -> bool:
    return job.state is JobState.RENDERING and job.progress is not None


def engine_of(runner: Popen[bytes]) -> int:
    (engine,) = psutil.Process(runner.pid).children()
    return int(engine.pid)


@pytest.fixture
def start(scripted_runner: list[str], tmp_path: Path, database: Database) -> Iterator[Start]:
    """Starts a supervised runner on the test's data folder; whatever it leaves behind is killed."""
    started: list[Popen[bytes]] = []

    def begin(*arguments: str) -> Popen[bytes]:
        line = [*scripted_runner, "--data", str(tmp_path), "--supervised", *arguments]
        started.append(Popen(line, stdin=PIPE, stderr=PIPE))
        return started[-1]

    yield begin
    for runner in started:
        with runner:  # closes its pipes and waits
            if runner.poll() is None:
                for process in (*psutil.Process(runner.pid).children(), runner):
                    process.kill()


async def end_of(process: Popen[bytes], seconds: float = 30.0) -> int:
    """Its exit status. Raises TimeoutExpired."""
    return await asyncio.to_thread(process.wait, seconds)


def said_by(process: Popen[bytes]) -> str:
    assert process.stderr is not None
    return process.stderr.read().decode()


def let_go_of(process: Popen[bytes]) -> None:
    """End-of-file on its standard input, as if its supervisor had died."""
    assert process.stdin is not None
    process.stdin.close()


async def one_clip_and_one_delivery(database: Database, job: Job, folder: Path) -> bool:
    async with database.reading() as tx:
        clip = await gallery.of_job(tx, job.id)
        promised = await deliveries.of_job(tx, job.id)
    kept = [path.name for path in (folder / "masters").iterdir()]
    return clip is not None and kept == [clip.master] and [one.clip for one in promised] == [clip.id]


async def test_runner_and_engine_end_within_two_seconds_of_their_supervisor(
    start: Start, ask: Ask, until: Until, ends_within: EndsWithin
) -> None:
    job = await ask("hold")
    runner = start()
    await until(job.id, rendering)
    engine = engine_of(runner)
    began = time.monotonic()
    let_go_of(runner)
    assert await end_of(runner, 2.0) == 0
    assert await asyncio.to_thread(ends_within, engine, began + 2.0 - time.monotonic())
    assert (await until(job.id, lambda job: job.state is JobState.QUEUED)).attempt == 1


async def test_a_runner_that_hangs_is_cut_off_all_the_same(
    start: Start, ask: Ask, until: Until, ends_within: EndsWithin, tmp_path: Path
) -> None:
    """Its database is held by somebody, so it can't give its job back in time."""
    job = await ask("hold")
    runner = start()
    await until(job.id, rendering)
    engine = engine_of(runner)
    with closing(sqlite3.connect(tmp_path / "zoetrope.db", isolation_level=None)) as greedy:
        greedy.execute("BEGIN IMMEDIATE")
        let_go_of(runner)
        assert await end_of(runner, 2.0) == 3
        assert await asyncio.to_thread(ends_within, engine, 1.0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_in_order(
    start: Start, ask: Ask, until: Until, ends_within: EndsWithin, number: signal.Signals
) -> None:
    job = await ask("hold")
    runner = start()
    await until(job.id, rendering)
    engine = engine_of(runner)
    runner.send_signal(number)
    assert await end_of(runner) == 0
    assert await asyncio.to_thread(ends_within, engine, 0.5)
    await until(job.id, lambda job: job.state is JobState.QUEUED)


async def test_the_engine_of_a_killed_runner_ends_and_the_next_runner_finishes_its_job(
    start: Start, ask: Ask, until: Until, ends_within: EndsWithin, database: Database, tmp_path: Path
) -> None:
    job = await ask("hold@1")
    first = start()
    await until(job.id, rendering)
    engine = engine_of(first)
    first.kill()
    killed_at = time.time()
    assert await asyncio.to_thread(ends_within, engine, 2.0)
    start()
    done = await until(job.id, ended)
    assert (done.state, done.attempt) == (JobState.DONE, 2)
    assert await one_clip_and_one_delivery(database, job, tmp_path)
    assert done.changed_at - killed_at < 30.0  # not when its lease lapsed by itself
    assert list((tmp_path / "work").glob("*/*")) == []


async def test_a_second_runner_waits_for_its_predecessor_to_die(
    start: Start, ask: Ask, until: Until, database: Database, tmp_path: Path
) -> None:
    job = await ask("hold@1")
    first = start()
    await until(job.id, rendering)
    second = start()
    assert second.stderr is not None
    said = (await asyncio.to_thread(second.stderr.readline)).decode()
    assert f"process {first.pid}" in said
    assert "waiting" in said
    assert psutil.Process(second.pid).children() == []  # no second engine meanwhile
    first.kill()
    done = await until(job.id, ended)
    assert (done.state, done.attempt) == (JobState.DONE, 2)
    assert await one_clip_and_one_delivery(database, job, tmp_path)


async def test_the_name_a_runner_has_by_itself_is_no_second_one(
    start: Start, ask: Ask, until: Until, tmp_path: Path
) -> None:
    """Two of one name would empty each other's work folder and rescue each other's leases."""
    job = await ask("hold")
    first = start()
    await until(job.id, rendering)
    name = (tmp_path / "runner.lock").read_text().split()[1]
    second = start("--name", name)
    assert second.stderr is not None
    assert f"process {first.pid}" in (await asyncio.to_thread(second.stderr.readline)).decode()


async def test_a_runner_with_a_name_of_its_own_works_beside_another(start: Start, ask: Ask, until: Until) -> None:
    held, other = await ask("hold"), await ask("", asker="bob")
    start()
    await until(held.id, rendering)
    start("--name", "second")
    assert (await until(other.id, ended)).state is JobState.DONE
