"""The whole generator house: a real runner process, a real engine with torch, the pocket model, a real file."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from subprocess import PIPE, Popen

import imageio_ffmpeg
import psutil  # type: ignore[import-untyped]
import pytest

from db import deliveries, gallery
from db.database import Database
from db.records import Clip, Job, JobState
from generator import catalogue
from generator.__main__ import main

Ask = Callable[..., Awaitable[Job]]
Until = Callable[..., Awaitable[Job]]
EndsWithin = Callable[[int, float], bool]
Start = Callable[[], Popen[bytes]]

IMPORTING_TORCH = 100.0  # an upper bound for two cores that have much else to do

pytestmark = [pytest.mark.slow, pytest.mark.timeout(250)]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `python -m generator` on the test's data folder; whatever it leaves behind is killed."""
    started: list[Popen[bytes]] = []

    def begin() -> Popen[bytes]:
        line = [sys.executable, "-m", "generator", "--supervised", "--data", str(tmp_path)]
        started.append(Popen(line, stdin=PIPE))
        return started[-1]

    yield begin
    for runner in started:
        with runner:
            if runner.poll() is None:
                for process in (*psutil.Process(runner.pid).children(), runner):
                    process.kill()


def far_enough(job: Job) -> bool:
    return job.progress is not None and job.progress.step >= 2


def ended(job: Job) -> bool:
    return job.state.is_end


def engine_of(runner: Popen[bytes]) -> int:
    (engine,) = psutil.Process(runner.pid).children()
    return int(engine.pid)


async def only_clip(database: Database, job: Job, folder: Path) -> Clip:
    async with database.reading() as tx:
        clip = await gallery.of_job(tx, job.id)
        promised = await deliveries.of_job(tx, job.id)
    assert clip is not None
    assert [path.name for path in (folder / "masters").iterdir()] == [clip.master]
    assert [delivery.clip for delivery in promised] == [clip.id]
    return clip


async def test_a_killed_engine_is_replaced_and_its_job_done_once(
    start: Start, ask: Ask, until: Until, database: Database, tmp_path: Path
) -> None:
    job = await ask("a heart bouncing on blue", model="pocket", steps=16)
    runner = start()
    await until(job.id, far_enough, IMPORTING_TORCH)
    os.kill(engine_of(runner), signal.SIGKILL)
    done = await until(job.id, ended, IMPORTING_TORCH)
    assert (done.state, done.attempt, done.reason) == (JobState.DONE, 2, "")
    clip = await only_clip(database, job, tmp_path)
    frames, _ = imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "masters" / clip.master))
    assert frames == job.spec.frames
    assert clip.seconds["denoise"] > 0


async def test_a_killed_runner_takes_its_engine_along_even_a_hanging_one_and_the_next_finishes(
    start: Start, ask: Ask, until: Until, database: Database, tmp_path: Path, ends_within: EndsWithin
) -> None:
    job = await ask("a heart bouncing on blue", model="pocket", steps=16)
    runner = start()
    await until(job.id, far_enough, IMPORTING_TORCH)
    engine = engine_of(runner)
    if sys.platform == "linux":  # elsewhere a stopped process can't be told
        os.kill(engine, signal.SIGSTOP)
    runner.kill()
    assert await asyncio.to_thread(ends_within, engine, 2.0)
    start()
    done = await until(job.id, ended, IMPORTING_TORCH)
    assert (done.state, done.attempt) == (JobState.DONE, 2)
    await only_clip(database, job, tmp_path)


def test_the_doctor_finds_a_device_and_the_pocket_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert catalogue.POCKET.is_dir()
    assert main(["doctor", "--data", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok      device: ")
    assert lines[1].startswith("ok      model pocket: ")
