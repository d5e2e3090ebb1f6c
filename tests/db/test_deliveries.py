"""Deliveries: due in time, closed once, one per card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from db import deliveries, gallery, queue
from db.database import Database
from db.ids import new_id
from db.records import Clip, Delivery, DeliveryState, Job

Promise = Callable[..., Delivery]


@pytest.fixture
async def clip(database: Database, make_job: Callable[..., Job], make_clip: Callable[..., Clip]) -> Clip:
    job = make_job()
    made = make_clip(job)
    async with database.transaction() as tx:
        await queue.enqueue(tx, job)
        await gallery.publish(tx, made)
    return made


async def _promise(database: Database, *new: Delivery) -> None:
    async with database.transaction() as tx:
        for delivery in new:
            await deliveries.promise(tx, delivery)


def _to(delivery: Delivery, message: str) -> Delivery:
    return replace(delivery, id=new_id(), handle=replace(delivery.handle, message=message))


async def test_a_promise_comes_back_as_it_was_given(database: Database, clip: Clip, make_delivery: Promise) -> None:
    promised = make_delivery(clip)
    await _promise(database, promised)
    async with database.reading() as tx:
        assert await deliveries.of_job(tx, clip.job) == [promised]
        assert await deliveries.of_job(tx, "nobody") == []


async def test_promises_fall_due_in_their_order_and_no_more_than_asked_for(
    database: Database, clip: Clip, make_delivery: Promise
) -> None:
    first = make_delivery(clip, due_at=10.0)
    second, third = replace(_to(first, "m2"), due_at=20.0), replace(_to(first, "m3"), due_at=30.0)
    await _promise(database, third, second, first)
    async with database.reading() as tx:
        assert await deliveries.due(tx, {"web"}, now=9.9) == []
        assert await deliveries.due(tx, {"web"}, now=20.0) == [first, second]
        assert await deliveries.due(tx, {"web"}, now=99.0, limit=1) == [first]
        assert await deliveries.next_due_at(tx, {"web"}) == 10.0


async def test_a_card_gets_one_promise_for_a_clip(database: Database, clip: Clip, make_delivery: Promise) -> None:
    promised = make_delivery(clip)
    with pytest.raises(IntegrityError):
        await _promise(database, promised, replace(promised, id=new_id()))


async def test_a_postponed_promise_falls_due_later_with_one_attempt_more(
    database: Database, clip: Clip, make_delivery: Promise
) -> None:
    promised = make_delivery(clip, due_at=10.0)
    await _promise(database, promised)
    async with database.transaction() as tx:
        await deliveries.postpone(tx, promised.id, 50.0, "the platform asks for patience")
        assert await deliveries.due(tx, {"web"}, now=49.0) == []
        (later,) = await deliveries.due(tx, {"web"}, now=50.0)
    assert later == replace(promised, due_at=50.0, attempts=1, reason="the platform asks for patience")


@pytest.mark.parametrize("sent_first", [True, False])
async def test_the_first_closing_of_a_promise_holds(
    database: Database, clip: Clip, make_delivery: Promise, sent_first: bool
) -> None:
    promised = make_delivery(clip)
    await _promise(database, promised)
    async with database.transaction() as tx:
        sent = await deliveries.mark_sent(tx, promised.id, "proof", 300.0) if sent_first else False
        assert await deliveries.give_up(tx, promised.id, "gone") is not sent_first
        assert await deliveries.mark_sent(tx, promised.id, "second proof", 301.0) is False
        await deliveries.postpone(tx, promised.id, 50.0, "later")
        assert sent is sent_first
        (closed,) = await deliveries.of_job(tx, clip.job)
        assert await deliveries.due(tx, {"web"}, now=999.0) == []
        assert await deliveries.next_due_at(tx, {"web"}) is None
    if sent_first:
        assert closed == replace(promised, state=DeliveryState.SENT, receipt="proof")
    else:
        assert closed == replace(promised, state=DeliveryState.GIVEN_UP, reason="gone")
