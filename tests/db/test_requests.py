"""Requests: the same one twice acts once, and none is forgotten by a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from db import queue, requests
from db.database import Database
from db.records import Job, Request, RequestState, Wish

MakeRequest = Callable[..., Request]
MakeJob = Callable[..., Job]


async def _record(database: Database, *new: Request) -> list[bool]:
    async with database.transaction() as tx:
        return [await requests.record(tx, request) for request in new]


async def _get(database: Database, request: Request) -> Request | None:
    async with database.reading() as tx:
        return await requests.get(tx, request.surface, request.id)


async def test_a_request_comes_back_as_it_was_recorded(database: Database, make_request: MakeRequest) -> None:
    wish = Wish("a heart \x00", "blur", 1, 2, 3.5, 4, 5, 6, 7, "pocket", "gif")
    request = make_request(wish=wish)
    assert await _record(database, request) == [True]
    assert await _get(database, request) == request
    assert await _get(database, replace(request, id="other")) is None


async def test_a_request_seen_twice_acts_once_and_keeps_what_it_was(
    database: Database, make_request: MakeRequest
) -> None:
    request = make_request()
    again = replace(request, wish=Wish("something else"), created_at=999.0)
    assert await _record(database, request, again) == [True, False]
    assert await _record(database, again) == [False]
    assert await _get(database, request) == request


async def test_twenty_tasks_recording_the_same_request_act_once(database: Database, make_request: MakeRequest) -> None:
    request = make_request()
    answers = await asyncio.gather(*(_record(database, request) for _ in range(20)))
    assert sum(answer for (answer,) in answers) == 1


async def test_two_surfaces_may_use_the_same_id(database: Database, make_request: MakeRequest) -> None:
    request = make_request()
    assert await _record(database, request, replace(request, surface="telegram")) == [True, True]


async def test_a_request_becomes_a_job_once(database: Database, make_request: MakeRequest, make_job: MakeJob) -> None:
    request, job = make_request(), make_job()
    await _record(database, request)
    async with database.transaction() as tx:
        await requests.set_message(tx, request.surface, request.id, "m7")
        await requests.take(tx, request.surface, request.id, job.id)
        await queue.enqueue(tx, job)
        await requests.close(tx, request.surface, request.id)
    taken = replace(request, state=RequestState.TAKEN, message="m7", job=job.id)
    assert await _get(database, request) == taken


async def test_a_closed_request_stays_closed(database: Database, make_request: MakeRequest, make_job: MakeJob) -> None:
    request, job = make_request(), make_job()
    await _record(database, request)
    async with database.transaction() as tx:
        await requests.close(tx, request.surface, request.id)
        await queue.enqueue(tx, job)
        await requests.take(tx, request.surface, request.id, job.id)
    assert await _get(database, request) == replace(request, state=RequestState.CLOSED)


async def test_a_start_finds_what_was_neither_taken_nor_closed_oldest_first(
    database: Database, make_request: MakeRequest
) -> None:
    late, closed, early = make_request(created_at=3.0), make_request(created_at=2.0), make_request(created_at=1.0)
    await _record(database, late, closed, early)
    async with database.transaction() as tx:
        await requests.close(tx, closed.surface, closed.id)
        assert await requests.unfinished(tx) == [early, late]
