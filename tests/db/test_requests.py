"""Requests: the same one twice acts once, and none is forgotten by a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from db import gallery, queue, requests
from db.database import Database
from db.records import Asker, Clip, Job, JobState, Request, RequestState, Ruling, Verdict, Wish

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


async def test_a_draft_waits_for_its_prompt_and_is_taken_up_by_nobody(
    database: Database, make_request: MakeRequest
) -> None:
    draft = make_request(state=RequestState.DRAFT, wish=Wish("", steps=3))
    whole = replace(draft, wish=Wish("a heart", steps=3), created_at=105.0)
    await _record(database, draft)
    async with database.transaction() as tx:
        assert await requests.unfinished(tx) == []
        assert await requests.complete(tx, whole)
        assert not await requests.complete(tx, replace(whole, wish=Wish("something else")))
        assert await requests.unfinished(tx) == [replace(whole, state=RequestState.RECEIVED)]


async def test_the_words_of_a_wish_can_be_blanked(database: Database, make_request: MakeRequest) -> None:
    request = make_request(wish=Wish("dreadful", "worse", seed=3))
    await _record(database, request)
    async with database.transaction() as tx:
        await requests.blank(tx, request.surface, request.id)
    assert await _get(database, request) == replace(request, wish=Wish(""))


async def test_recent_prompts_are_what_was_made_latest_first_each_once(
    database: Database, make_request: MakeRequest
) -> None:
    words = ["a Frog", "a heart", "100% wool", "a Frog", "refused", "of another"]
    many = [make_request(wish=Wish(prompt), created_at=float(at)) for at, prompt in enumerate(words)]
    many[-1] = replace(many[-1], asker=Asker("web", "bob"))
    many[-2] = replace(many[-2], state=RequestState.CLOSED)
    await _record(database, *[one if one.state is RequestState.CLOSED else _taken(one) for one in many])
    async with database.reading() as tx:
        asker = many[0].asker
        assert await requests.recent_prompts(tx, asker, "", 10) == ["a Frog", "100% wool", "a heart"]
        assert await requests.recent_prompts(tx, asker, "A f", 10) == ["a Frog"]
        assert await requests.recent_prompts(tx, asker, "100%", 10) == ["100% wool"]
        assert await requests.recent_prompts(tx, asker, "%", 10) == []
        assert await requests.recent_prompts(tx, asker, "", 1) == ["a Frog"]
        assert await requests.earlier_prompts(tx, asker, 0.5, 2) == ["100% wool", "a Frog"]
        assert await requests.earlier_prompts(tx, asker, 2.5, 9) == ["a Frog"]


def _taken(request: Request) -> Request:
    return replace(request, state=RequestState.TAKEN)


async def test_neither_refused_nor_deleted_prompts_are_among_the_recent_ones(
    database: Database, make_request: MakeRequest, make_job: MakeJob, make_clip: Callable[..., Clip]
) -> None:
    refused, gone, there = make_job(state=JobState.QUEUED), make_job(), make_job()
    asked = [make_request(wish=Wish(prompt)) for prompt in ("refused", "deleted", "a heart")]
    clip = make_clip(gone)
    async with database.transaction() as tx:
        for request, job in zip(asked, (refused, gone, there), strict=True):
            await queue.enqueue(tx, job)
            await requests.record(tx, request)
            await requests.take(tx, request.surface, request.id, job.id)
        lease = await queue.claim(tx, refused.id, runner="r1", now=1.0, until=9.0)
        assert lease is not None
        assert await queue.refuse(tx, lease, Verdict(Ruling.REFUSED, "P1"), 2.0)
        await gallery.publish(tx, clip)
        await gallery.forget(tx, clip.id)
    async with database.reading() as tx:
        assert await requests.recent_prompts(tx, asked[0].asker, "", 10) == ["a heart"]
