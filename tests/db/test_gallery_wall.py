"""The gallery for endless scrolling: pages by key, and which clips of an open wall are still there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from db import gallery, queue
from db.database import Database
from db.records import Address, Clip, Handle, Job

MakeJob = Callable[..., Job]
MakeClip = Callable[..., Clip]


@pytest.fixture
async def clips(database: Database, make_job: MakeJob, make_clip: MakeClip) -> list[Clip]:
    """Nine clips as the wall has them: newest first, three finished at each of three moments; and one elsewhere."""
    made = []
    async with database.transaction() as tx:
        for number in range(10):
            place = "other" if number == 9 else "main"
            job = make_job(handle=Handle(Address("web", place), "m"))
            job = replace(job, spec=replace(job.spec, prompt=f"a heart {'red' if number % 2 else 'blue'}"))
            clip = make_clip(job, created_at=float(number // 3 + 1) + 0.1)
            await queue.enqueue(tx, job)
            await gallery.publish(tx, clip)
            made.append(clip)
    return sorted(made[:9], key=lambda clip: (-clip.created_at, clip.id))


async def paged(database: Database, size: int, words: str = "") -> list[Clip]:
    """All pages of the wall, each after the last clip of the one before."""
    found: list[Clip] = []
    async with database.reading() as tx:
        while True:
            after = (found[-1].created_at, found[-1].id) if found else None
            page = await gallery.page(tx, "web", "main", words, after, size)
            found += page
            if len(page) < size:
                return found


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9, 20])
async def test_pages_of_any_size_give_every_clip_once_and_in_order(
    database: Database, clips: list[Clip], size: int
) -> None:
    assert await paged(database, size) == clips
    red = [clip for clip in clips if "red" in clip.spec.prompt]
    assert await paged(database, size, "red") == red


@pytest.mark.parametrize("at", range(9))
async def test_what_is_there_down_to_a_clip_ends_with_it(database: Database, clips: list[Clip], at: int) -> None:
    key = (clips[at].created_at, clips[at].id)
    async with database.reading() as tx:
        assert await gallery.ids(tx, "web", "main", "", key, 100) == [clip.id for clip in clips[: at + 1]]
        rest = await gallery.page(tx, "web", "main", "", key, 100)
    assert rest == clips[at + 1 :]


async def test_only_the_clips_of_the_place_that_anybody_is_to_see_are_shown(
    database: Database, clips: list[Clip]
) -> None:
    async with database.transaction() as tx:
        await gallery.hide(tx, clips[0].id, gallery.MODERATORS)
        await gallery.forget(tx, clips[1].id)
        assert await gallery.shown(tx, "web", "main", clips[0].id) is None
        assert await gallery.shown(tx, "web", "main", clips[1].id) is None
        assert await gallery.shown(tx, "web", "other", clips[2].id) is None
        assert await gallery.shown(tx, "telegram", "main", clips[2].id) is None
        assert await gallery.shown(tx, "web", "main", clips[2].id) == clips[2]


async def test_however_deep_a_page_is_the_index_leads_there(database: Database, clips: list[Clip]) -> None:
    """Nothing before the key is read, and nothing is sorted but clips of one moment."""
    async with database.reading() as tx:
        plan = await tx.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT id FROM clips WHERE forgotten IS 0 AND hidden IS 0 AND surface = 'web' "
            "AND place = 'main' AND created_at <= 2.1 AND (created_at < 2.1 OR id > 'a') "
            "ORDER BY created_at DESC, id LIMIT 9"
        )
        steps = [str(row["detail"]) for row in plan.mappings()]
    assert any("ix_clips_surface_place_created_at" in step and "created_at<?" in step for step in steps), steps
