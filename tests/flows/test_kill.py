"""kill -9 of each process while a clip is being rendered: one clip, once, and never a second engine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]
import pytest

from db import deliveries, room
from db.records import DeliveryState, Job, JobState

if TYPE_CHECKING:
    from tests.flows.conftest import House

MANY_STEPS = "40"  # enough to be killed in the middle
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def begun(house: House) -> Job:
    assert (await house.ask("a cat jumping on green", steps=MANY_STEPS))["result"] == "queued"
    return await house.until_denoising()


async def assert_one_clip_came_once(house: House, job: Job) -> None:
    ended = await house.until_ended(job.id)
    assert ended.state is JobState.DONE, ended.reason

    async def delivered() -> bool | None:
        assert house.database is not None
        async with house.database.reading() as tx:
            (promised,) = await deliveries.of_job(tx, job.id)
        return promised.state is DeliveryState.SENT or None

    await house.until(delivered)
    assert len(await house.clips()) == 1
    assert [one.id for one in await house.jobs()] == [job.id]
    assert house.database is not None
    async with house.database.reading() as tx:
        messages = await room.latest(tx, "main", 10)
    assert [message.card["card"]["clip"] for message in messages] == [(await house.clips())[0].id]
    assert (await house.download(job.handle.message))[:4] == b"GIF8"
    assert len(house.engines()) == 1
    assert len(house.runners()) == 1


async def gone(process: psutil.Process, within: float) -> bool:
    return await asyncio.to_thread(lambda: process not in psutil.wait_procs([process], timeout=within)[1])


async def test_the_bot_is_killed_and_started_again(house: House) -> None:
    job = await begun(house)
    (bot,), (runner,), (engine,) = house.bots(), house.runners(), house.engines()
    await house.kill(bot)
    # Two seconds is the promise; a busy machine gets a little more before the test calls it broken.
    assert await gone(runner, 5.0)
    assert await gone(engine, 5.0)
    await house.start()
    await assert_one_clip_came_once(house, job)


async def test_the_runner_is_killed_and_the_bot_starts_another(house: House) -> None:
    job = await begun(house)
    (runner,), (engine,) = house.runners(), house.engines()
    await house.kill(runner)
    assert await gone(engine, 5.0)
    await assert_one_clip_came_once(house, job)


async def test_the_engine_is_killed_and_the_runner_starts_another(house: House) -> None:
    job = await begun(house)
    (engine,) = house.engines()
    await house.kill(engine)
    await assert_one_clip_came_once(house, job)
    (again,) = await house.jobs()
    assert again.attempt == 2


async def test_a_stop_in_the_middle_is_orderly_and_the_next_start_finishes_the_clip(house: House) -> None:
    job = await begun(house)
    await house.stop()
    assert house.bots() == house.runners() == house.engines() == []
    (waiting,) = await house.jobs()
    assert waiting.state is JobState.QUEUED
    await house.start()
    await assert_one_clip_came_once(house, job)


async def test_a_second_zoetrope_on_the_same_folder_says_so_and_touches_nothing(house: House) -> None:
    second = type(house)(house.data)
    with pytest.raises(AssertionError, match="no address"):
        await second.start()
    await second.close_page()
    assert len(house.bots()) == 1
