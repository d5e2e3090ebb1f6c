"""Updates are stored, then handled, each once, in the order of their chat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.port import Gone, Throttled, Unreachable
from bot.surfaces.telegram.inbox import ATTEMPTS, Body, Inbox
from db import updates
from db.database import Database

Handle = Callable[[int, Body], Awaitable[None]]


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

    async def handle(self, number: int, body: Body) -> None:
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
