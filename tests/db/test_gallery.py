"""Clips: published once, forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from db import gallery, queue
from db.database import Database
from db.ids import new_id
from db.records import Clip, Job

MakeJob = Callable[..., Job]
MakeClip = Callable[..., Clip]


@pytest.fixture
def publish(database: Database, make_job: MakeJob, make_clip: MakeClip) -> Callable[..., object]:
    async def publish_one(model: str = "pocket", **changes: object) -> Clip:
        job = make_job()
        job = replace(job, spec=replace(job.spec, model=model))
        clip = make_clip(job, **changes)
        async with database.transaction() as tx:
            await queue.enqueue(tx, job)
            await gallery.publish(tx, clip)
        return clip

    return publish_one


@pytest.mark.parametrize("hidden", [True, False])
async def test_a_clip_comes_back_as_it_was_published(database: Database, publish: MakeClip, hidden: bool) -> None:
    clip = await publish(hidden=hidden, bytes=5_000_000_000)  # type: ignore[misc]
    async with database.reading() as tx:
        assert await gallery.get(tx, clip.id) == clip
        assert await gallery.of_job(tx, clip.job) == clip
        assert await gallery.get(tx, "nobody") is None
        assert await gallery.of_job(tx, "nobody") is None


async def test_a_job_has_one_clip_at_most(database: Database, publish: MakeClip) -> None:
    clip = await publish()  # type: ignore[misc]

    async def publish_again() -> None:
        async with database.transaction() as tx:
            await gallery.publish(tx, replace(clip, id=new_id()))

    with pytest.raises(IntegrityError):
        await publish_again()


async def test_a_forgotten_clip_is_gone_and_names_its_file_once_more(database: Database, publish: MakeClip) -> None:
    kept, clip = await publish(), await publish()  # type: ignore[misc]
    async with database.transaction() as tx:
        assert await gallery.masters(tx) == {kept.master, clip.master}
        assert await gallery.forget(tx, clip.id) == clip
        assert await gallery.forget(tx, clip.id) is None
        assert await gallery.get(tx, clip.id) is None
        assert await gallery.of_job(tx, clip.job) is None
        assert await gallery.get(tx, kept.id) == kept
        assert await gallery.masters(tx) == {kept.master}


async def test_typical_seconds_are_the_median_of_the_models_last_clips(database: Database, publish: MakeClip) -> None:
    for number, seconds in enumerate([100.0, 1.0, 2.0, 30.0]):
        await publish(created_at=float(number), seconds={"step": seconds, "decode": 0.5})  # type: ignore[misc]
    await publish(model="zeroscope", created_at=9.0, seconds={"step": 7.0})  # type: ignore[misc]
    async with database.reading() as tx:
        assert await gallery.typical_seconds(tx, "pocket", 3) == 2.5
        assert await gallery.typical_seconds(tx, "zeroscope") == 7.0
        assert await gallery.typical_seconds(tx, "unknown") is None
