"""Quota: held with the job, spent with the clip, given back otherwise; never more than there is."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import Popen

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from db import people, queue, quotas
from db.database import Database
from db.ids import new_id
from db.records import Address, Asker, Handle, Job, JobState, Usage
from db.tables import ReservationState, reservations

MakeJob = Callable[..., Job]
Start = Callable[..., "Popen[str]"]


async def _order(database: Database, job: Job, now: float = 100.0) -> Job:
    async with database.transaction() as tx:
        await quotas.reserve(tx, job.id, job.asker, job.cost, now)
        await queue.enqueue(tx, job)
    return job


async def _usage(database: Database, asker: Asker, since: float = 0.0) -> Usage:
    async with database.reading() as tx:
        return await quotas.usage(tx, asker, since, 0.0)


async def test_fifty_requests_at_once_get_exactly_the_credit_there_is(
    database: Database, database_url: str, asker: Asker, start_child: Start
) -> None:
    children = [start_child("spend", database_url, "10000", "25") for _ in range(2)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    granted = [int(child.communicate(timeout=60)[0]) for child in children]
    assert sum(granted) == 10
    assert await _usage(database, asker) == Usage(((1.0, 1000),) * 10, waiting=10, last_at=1.0)


async def test_what_is_reserved_or_settled_counts_and_what_is_released_does_not(
    database: Database, make_job: MakeJob, asker: Asker
) -> None:
    reserved, settled, released = [
        await _order(database, make_job(cost=cost), now) for cost, now in ((3, 103.0), (2, 102.0), (1, 101.0))
    ]
    async with database.transaction() as tx:
        await quotas.settle(tx, settled.id)
        await quotas.release(tx, released.id)
    usage = await _usage(database, asker)
    assert usage.spent == ((102.0, settled.cost), (103.0, reserved.cost))


async def test_what_is_as_old_as_the_window_has_left_it(database: Database, make_job: MakeJob, asker: Asker) -> None:
    await _order(database, make_job(cost=1), now=100.0)
    assert (await _usage(database, asker, since=99.9)).spent == ((100.0, 1),)
    assert (await _usage(database, asker, since=100.0)).spent == ()


async def test_each_asker_has_a_quota_of_their_own(database: Database, make_job: MakeJob, asker: Asker) -> None:
    await _order(database, make_job())
    for stranger in (Asker("telegram", asker.id), Asker(asker.surface, "bob")):
        assert await _usage(database, stranger) == Usage((), waiting=0)


async def test_waiting_counts_what_has_not_ended(database: Database, make_job: MakeJob, asker: Asker) -> None:
    await _order(database, make_job(state=JobState.HELD))
    rendering, cancelled, _ = [await _order(database, make_job()) for _ in range(3)]
    async with database.transaction() as tx:
        await queue.claim(tx, rendering.id, runner="r1", now=1.0, until=2.0)
        await queue.ask_to_cancel(tx, cancelled.id, 1.0)
    assert (await _usage(database, asker)).waiting == 3


@pytest.mark.parametrize(
    ("calls", "end"),
    [
        ("settle settle", ReservationState.SETTLED),
        ("release release", ReservationState.RELEASED),
        ("settle release", ReservationState.SETTLED),
        ("release settle", ReservationState.RELEASED),
    ],
)
async def test_the_first_closing_of_a_reservation_holds(
    database: Database, make_job: MakeJob, calls: str, end: ReservationState
) -> None:
    job = await _order(database, make_job())
    for call in calls.split():
        async with database.transaction() as tx:
            await (quotas.settle if call == "settle" else quotas.release)(tx, job.id)
    async with database.reading() as tx:
        assert (await tx.execute(select(reservations.c.state))).scalar_one() == end


async def test_no_credit_is_held_for_a_job_that_was_not_enqueued(database: Database, asker: Asker) -> None:
    with pytest.raises(IntegrityError, match="FOREIGN KEY"):
        await _reserve_only(database, asker)
    assert (await _usage(database, asker)).spent == ()


async def _reserve_only(database: Database, asker: Asker) -> None:
    async with database.transaction() as tx:
        await quotas.reserve(tx, "nobody", asker, 1000, 1.0)


async def test_no_job_is_enqueued_for_a_reservation_that_failed(database: Database, make_job: MakeJob) -> None:
    with pytest.raises(IntegrityError, match="credits_count"):
        await _order(database, make_job(cost=-1, state=JobState.QUEUED))
    async with database.reading() as tx:
        assert await queue.waiting(tx) == []


async def test_charges_count_within_the_window_and_grants_until_their_moment(database: Database, asker: Asker) -> None:
    async with database.transaction() as tx:
        await quotas.charge(tx, new_id(), asker, 100, "refused prompt", 50.0)
        await quotas.charge(tx, new_id(), asker, 200, "refused prompt", 150.0)
        await quotas.grant(tx, new_id(), asker, 5000, 10.0, until=200.0)
        await quotas.grant(tx, new_id(), asker, 700, 10.0, until=300.0)
        await quotas.charge(tx, new_id(), Asker("web", "bob"), 400, "refused prompt", 150.0)
        early = await quotas.usage(tx, asker, 100.0, 199.0)
        late = await quotas.usage(tx, asker, 100.0, 200.0)
    assert (early.spent, early.granted) == (((150.0, 200),), 5700)
    assert (late.spent, late.granted) == (((150.0, 200),), 700)


async def test_linked_identities_spend_from_one_purse(database: Database, make_job: MakeJob, asker: Asker) -> None:
    other = Asker("telegram", "7")
    await _order(database, make_job(cost=3), 101.0)
    await _order(database, make_job(cost=4, asker=other, created_at=105.0), 102.0)
    async with database.transaction() as tx:
        await people.offer(tx, asker, "hash", 10.0)
        await people.join(tx, other, "hash", 1.0)
        await quotas.grant(tx, new_id(), other, 50, 0.0, until=9.0)
        for identity in (asker, other):
            usage = await quotas.usage(tx, identity, 0.0, 1.0)
            assert usage == Usage(((101.0, 3), (102.0, 4)), waiting=2, granted=50, last_at=105.0)


async def test_what_moderators_grant_counts_in_their_place_alone(database: Database, asker: Asker) -> None:
    async with database.transaction() as tx:
        await quotas.grant(tx, "g1", asker, 100, now=1.0, until=9.0)
        await quotas.grant(tx, "g2", asker, 20, 1.0, 9.0, "recording", "here")
        await quotas.grant(tx, "g3", asker, 3, 1.0, 9.0, "recording", "there")
        granted = [
            (await quotas.usage(tx, asker, 0.0, 2.0, *there)).granted
            for there in ((), ("recording", "here"), ("recording", "there"), ("web", "here"))
        ]
        here = [await quotas.granted_in(tx, asker, now, "recording", "here") for now in (2.0, 9.0)]
    assert granted == [100, 120, 103, 100]
    assert here == [20, 0]


async def test_what_a_place_spends_is_everybodys_there_and_nobodys_elsewhere(
    database: Database, make_job: MakeJob, asker: Asker
) -> None:
    here, there = (Handle(Address("web", place, "thread"), "m1") for place in ("here", "there"))
    times = {"handle": here, "created_at": 20.0, "changed_at": 20.0}
    first = await _order(database, make_job(cost=3, **times))
    await _order(database, make_job(cost=4, asker=Asker("telegram", "7"), **(times | {"created_at": 15.0})))
    await _order(database, make_job(cost=5, **(times | {"handle": there})))
    await _order(database, make_job(cost=6, **(times | {"created_at": 10.0, "changed_at": 99.0})))
    released = await _order(database, make_job(cost=7, **times))
    async with database.transaction() as tx:
        await quotas.release(tx, released.id)
        await quotas.settle(tx, first.id)
        assert await quotas.spent_in(tx, "web", "here", 10.0) == ((15.0, 4), (20.0, 3))
        assert await quotas.spent_in(tx, "web", "here", 20.0) == ()
        assert await quotas.spent_in(tx, "web", "there", 0.0) == ((20.0, 5),)
        assert await quotas.spent_in(tx, "discord", "here", 0.0) == ()
