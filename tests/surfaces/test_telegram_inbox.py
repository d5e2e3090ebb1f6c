"""Updates are stored, then handled, each once, in the order of their chat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.port import Gone, Throttled, Unreachable
from bot.surfaces.telegram.inbox import ATTEMPTS, Body, Inbox
from db import updates
from db.database import Database


def said(number: int, chat: int = 7, text: str = "/video a heart") -> dict[str, Any]:
    return {"update_id": number, "message": {"chat": {"id": chat}, "text": text}}


class Desk:
    """Handles updates as a test wants, and notes what it was given."""

    def __init__(self, troubles: dict[int, list[Exception]] | None = None) -> None:
        self.troubles = troubles or {}
        self.tried: list[int] = []
        self.done: list[int] = []
        self.excused: list[int] = []
        self.slept: list[float] = []

    async def handle(self, number: int, body: Body, waited: float) -> None:
        self.tried.append(number)
        if self.troubles.get(number):
            raise self.troubles[number].pop(0)
        self.done.append(number)

    async def excuse(self, number: int, body: Body) -> None:
        self.excused.append(number)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def working(database: Database, desk: Desk) -> AsyncIterator[Inbox]:
    inbox = Inbox(database, time.time, desk.handle, desk.excuse, desk.sleep)
    running = asyncio.create_task(inbox.run())
    try:
        yield inbox
    finally:
        running.cancel()
        await asyncio.wait([running])


async def until_empty(database: Database) -> None:
    async with asyncio.timeout(20):
        while True:
            rung = database.bell.count()
            async with database.reading() as tx:
                if not await updates.waiting(tx, "telegram"):
                    return
            await database.bell.wait(rung, 1.0)


async def test_each_update_is_handled_once_however_often_it_comes(database: Database) -> None:
    desk = Desk()
    async with working(database, desk) as inbox:
        for _ in range(3):
            await inbox.keep([said(1), said(2, chat=8)])
        await until_empty(database)
        await inbox.keep([said(1)])
        await until_empty(database)
    assert sorted(desk.done) == [1, 2]


async def test_what_was_stored_before_a_crash_is_handled_after_it(database: Database) -> None:
    desk = Desk()
    await Inbox(database, time.time, desk.handle, desk.excuse).keep([said(2), said(1)])
    async with working(database, desk):
        await until_empty(database)
    assert desk.done == [1, 2]


async def test_one_that_fails_stops_no_other_and_its_sender_is_told(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    secret = ValueError("a very private heart")
    desk = Desk({1: [secret] * ATTEMPTS, 3: [Unreachable("time-out")]})
    async with working(database, desk) as inbox:
        await inbox.keep([said(1), said(2), said(3), said(4, chat=8)])
        await until_empty(database)
    assert desk.excused == [1]
    assert [number for number in desk.done if number != 4] == [2, 3]
    assert 4 in desk.done
    assert desk.tried.count(1) == ATTEMPTS
    assert "private heart" not in caplog.text
    assert "ValueError at Desk.handle" in caplog.text


async def test_a_chat_that_asks_for_patience_is_waited_for(database: Database) -> None:
    desk = Desk({1: [Throttled(7)] * 10})
    async with working(database, desk) as inbox:
        await inbox.keep([said(1), said(2)])
        await until_empty(database)
    assert desk.done == [1, 2]
    assert desk.slept == [7] * 10


async def test_a_chat_where_nothing_can_be_said_is_told_nothing(database: Database) -> None:
    desk = Desk({1: [Gone("blocked")]})
    async with working(database, desk) as inbox:
        await inbox.keep([said(1)])
        await until_empty(database)
    assert (desk.tried, desk.done, desk.excused) == ([1], [], [])


async def test_what_was_written_is_not_kept_once_it_is_handled(database: Database) -> None:
    desk = Desk()
    async with working(database, desk) as inbox:
        await inbox.keep([said(1)])
        await until_empty(database)
    async with database.reading() as tx:
        bodies = (await tx.exec_driver_sql("SELECT body FROM updates")).scalars().all()
    assert bodies == ["{}"]


async def test_what_is_no_update_is_passed_over(database: Database) -> None:
    desk = Desk()
    odd: list[Any] = [None, 7, [], {}, {"update_id": None}, {"update_id": "x"}, {"update_id": 1e400}, {"update_id": -1}]
    odd += [{"update_id": 2**64}, {"update_id": 4, "message": None}, {"update_id": 5, "callback_query": "x"}]
    async with working(database, desk) as inbox:
        assert await inbox.keep(odd[:-2]) is None
        assert await inbox.keep([*odd, said(3)]) == 5
        await until_empty(database)
    assert sorted(desk.done) == [3, 4, 5]


async def test_how_long_an_update_waited_is_told(database: Database) -> None:
    now, waited = 1_000_000.0, dict[int, float]()

    async def handle(number: int, _body: Body, seconds: float) -> None:
        waited[number] = seconds

    async def excuse(_number: int, _body: Body) -> None:
        raise AssertionError

    def dated(number: int, ago: float) -> Body:
        body = said(number)
        body["message"]["date"] = int(now - ago)
        return body

    inbox = Inbox(database, lambda: now, handle, excuse)
    await inbox.keep([dated(1, ago=5), dated(2, ago=7200), dated(3, ago=9e5), dated(4, ago=-900), said(5)])
    now += 1000
    running = asyncio.create_task(inbox.run())
    await until_empty(database)
    running.cancel()
    await asyncio.wait([running])
    assert waited == {1: 1000, 2: 7200, 3: 1000, 4: 1000, 5: 1000}  # in our store, or at Telegram before


async def test_a_click_does_not_wait_for_the_last_one(database: Database) -> None:
    begun, free = asyncio.Event(), asyncio.Event()
    done: list[int] = []

    async def handle(number: int, _body: Body, _waited: float) -> None:
        if number == 1:
            begun.set()
            await free.wait()
        done.append(number)
        free.set()

    async def excuse(_number: int, _body: Body) -> None:
        raise AssertionError

    clicks = [{"update_id": number, "callback_query": {"id": str(number), "from": {"id": 7}}} for number in (1, 2)]
    inbox = Inbox(database, time.time, handle, excuse)
    running = asyncio.create_task(inbox.run())
    await inbox.keep(clicks)
    await until_empty(database)
    running.cancel()
    await asyncio.wait([running])
    assert begun.is_set()
    assert done == [2, 1]
