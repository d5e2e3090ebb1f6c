"""Values to store, and real processes to store them from."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from db import gallery, queue
from db.database import Database
from db.ids import new_id
from db.records import (
    Address,
    Asker,
    Clip,
    ClipSpec,
    Delivery,
    DeliveryState,
    Handle,
    Job,
    JobState,
    Request,
    Ruling,
    Verdict,
    Wish,
)

ASKER = Asker("web", "ada")
HANDLE = Handle(Address("web", "main", "thread"), "m1")
SPEC = ClipSpec(
    prompt="a heart bouncing on blue — ❤ \u202emirrored",
    negative="blur",
    seed=7,
    steps=12,
    guidance=7.5,
    frames=8,
    width=32,
    height=32,
    fps=8,
    model="pocket",
)
VERDICT = Verdict(Ruling.LABELLED, "violence", "mild", ("rule-1", "rule-2"), "view", "policy-1")


@pytest.fixture
def asker() -> Asker:
    return ASKER


@pytest.fixture
def make_job() -> Callable[..., Job]:
    """A new job as commands makes it; keywords change its fields."""

    def make(**changes: object) -> Job:
        job = Job(new_id(), ASKER, HANDLE, SPEC, VERDICT, "gif", 1000, JobState.QUEUED, 0, 100.0, 100.0)
        return replace(job, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_request() -> Callable[..., Request]:
    def make(**changes: object) -> Request:
        request = Request("web", new_id(), ASKER, HANDLE.address, Wish("a heart", steps=3), 100.0)
        return replace(request, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_clip() -> Callable[..., Clip]:
    def make(job: Job, **changes: object) -> Clip:
        clip_id = new_id()
        clip = Clip(
            clip_id, job.id, job.asker, job.spec, job.verdict, f"{clip_id}.mkv", "00ff", 12, {"step": 2.0}, 200.0
        )
        return replace(clip, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_delivery() -> Callable[..., Delivery]:
    def make(clip: Clip, **changes: object) -> Delivery:
        delivery = Delivery(new_id(), clip.id, clip.job, HANDLE, "gif", DeliveryState.PROMISED, 0, 200.0, 100.0)
        return replace(delivery, **changes)  # type: ignore[arg-type]

    return make


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start_child() -> Iterator[Start]:
    """Start one of `children/` in a process of its own, talking through pipes; all are gone after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(name: str, *arguments: str) -> subprocess.Popen[str]:
        script = Path(__file__).with_name("children") / f"{name}.py"
        command = [sys.executable, str(script), *arguments]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


Film = Callable[..., Awaitable[Clip]]


@pytest.fixture
def show(database: Database, make_job: Callable[..., Job], make_clip: Callable[..., Clip]) -> Film:
    """A finished clip that was asked for in a place; keywords change its fields."""

    async def show_one(surface: str = "discord", place: str = "g1", **changes: object) -> Clip:
        job = make_job(handle=Handle(Address(surface, place), new_id()), created_at=100.0)
        clip = make_clip(job, **changes)
        async with database.transaction() as tx:
            await queue.enqueue(tx, replace(job, asker=clip.asker))
            await gallery.publish(tx, clip)
        return clip

    return show_one
