"""The queue: who gets a job, who may write to it, and how it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from subprocess import Popen

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from db import moves, people, queue
from db.database import Database
from db.records import Address, Asker, Handle, Job, JobState, Lease, Phase, Progress, Ruling, Verdict
from db.tables import jobs

MakeJob = Callable[..., Job]
Start = Callable[..., "Popen[str]"]
HALF = Progress(Phase.STEP, 6, 12)


async def _enqueue(database: Database, *new: Job) -> None:
    async with database.transaction() as tx:
        for job in new:
            await queue.enqueue(tx, job)


async def _get(database: Database, job_id: str) -> Job:
    async with database.reading() as tx:
        job = await queue.get(tx, job_id)
    assert job is not None
    return job


async def _claim(database: Database, job_id: str, runner: str = "r1", until: float = 130.0) -> Lease:
    async with database.transaction() as tx:
        lease = await queue.claim(tx, job_id, runner=runner, now=110.0, until=until)
    assert lease is not None
    return lease


# --- waiting


async def test_a_job_comes_back_as_it_was_stored(database: Database, make_job: MakeJob) -> None:
    job = make_job(state=JobState.HELD, cost=2500, origin="clip0")
    await _enqueue(database, job)
    assert await _get(database, job.id) == job


async def test_a_prompt_of_odd_characters_comes_back_as_it_was_stored(database: Database, make_job: MakeJob) -> None:
    job = make_job()
    job = replace(job, spec=replace(job.spec, prompt="\x00\x1b[2J'; DROP TABLE jobs;-- \ud800 \U0001f496" * 50))
    await _enqueue(database, job)
    assert await _get(database, job.id) == job


async def test_an_unknown_job_is_none(database: Database) -> None:
    async with database.transaction() as tx:
        assert await queue.get(tx, "nobody") is None
        assert await queue.claim(tx, "nobody", runner="r1", now=1.0, until=2.0) is None
        assert await queue.ask_to_cancel(tx, "nobody", 1.0) is None


@pytest.mark.parametrize("changes", [{"state": JobState.DONE}, {"state": JobState.RENDERING}, {"attempt": 1}])
async def test_only_a_new_job_can_be_enqueued(
    database: Database, make_job: MakeJob, changes: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="a new job can't be"):
        await _enqueue(database, make_job(**changes))


async def test_the_same_job_cannot_be_enqueued_twice(database: Database, make_job: MakeJob) -> None:
    job = make_job()
    with pytest.raises(IntegrityError):
        await _enqueue(database, job, job)
    async with database.reading() as tx:
        assert await queue.waiting(tx) == []


async def test_the_oldest_is_first_and_equal_times_keep_their_order(database: Database, make_job: MakeJob) -> None:
    late, first, second = make_job(created_at=101.0), make_job(), make_job()
    await _enqueue(database, late, first, make_job(state=JobState.HELD), second)
    async with database.reading() as tx:
        assert await queue.waiting(tx) == [first, second, late]


async def test_a_rescued_job_is_next_again(database: Database, make_job: MakeJob) -> None:
    first, second = make_job(), make_job()
    await _enqueue(database, first, second)
    await _claim(database, first.id)
    async with database.transaction() as tx:
        assert [job.id for job in await queue.waiting(tx)] == [second.id]
        await queue.rescue(tx, now=131.0, attempts=3)
        assert [job.id for job in await queue.waiting(tx)] == [first.id, second.id]


async def test_changes_since_a_moment_include_that_moment(database: Database, make_job: MakeJob) -> None:
    quiet, busy = make_job(), make_job()
    await _enqueue(database, quiet, busy)
    await _claim(database, busy.id)
    async with database.reading() as tx:
        assert [job.id for job in await queue.changed_since(tx, 110.0)] == [busy.id]
        assert [job.id for job in await queue.changed_since(tx, 100.0)] == [quiet.id, busy.id]
        assert await queue.changed_since(tx, 110.1) == []


# --- leases


async def test_a_lease_names_the_attempt_and_is_listed_while_it_runs(database: Database, make_job: MakeJob) -> None:
    job = make_job()
    await _enqueue(database, job)
    lease = await _claim(database, job.id)
    assert (lease.attempt, lease.runner, lease.until) == (1, "r1", 130.0)
    assert (lease.job.state, lease.job.attempt, lease.job.changed_at) == (JobState.RENDERING, 1, 110.0)
    async with database.reading() as tx:
        assert await queue.running(tx) == [lease]


async def test_a_heartbeat_extends_and_a_report_shows(database: Database, make_job: MakeJob) -> None:
    job = make_job()
    await _enqueue(database, job)
    lease = await _claim(database, job.id)
    async with database.transaction() as tx:
        assert await queue.extend(tx, lease, 160.0)
        assert await queue.report(tx, lease, HALF, 120.0)
        assert await queue.rescue(tx, now=150.0, attempts=3) == []
        (running,) = await queue.running(tx)
    assert (running.until, running.job.progress, running.job.changed_at) == (160.0, HALF, 120.0)


async def test_forty_jobs_claimed_by_four_processes_are_claimed_once_each(
    database: Database, database_url: str, make_job: MakeJob, start_child: Start
) -> None:
    new = [make_job() for _ in range(40)]
    await _enqueue(database, *new)
    children = [start_child("claim_all", database_url, f"r{number}") for number in range(4)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    claimed = [line for child in children for line in child.communicate(timeout=60)[0].splitlines()]
    assert sorted(claimed) == sorted(f"{job.id} 1" for job in new)


Write = Callable[[AsyncConnection, Lease], Awaitable[object]]
WRITES: dict[str, Write] = {
    "extend": lambda tx, lease: queue.extend(tx, lease, 500.0),
    "report": lambda tx, lease: queue.report(tx, lease, HALF, 200.0),
    "finish": lambda tx, lease: queue.finish(tx, lease, 200.0),
    "cancelled": lambda tx, lease: queue.cancelled(tx, lease, 200.0),
    "fail": lambda tx, lease: queue.fail(tx, lease, "late", 200.0, again=False, attempts=3),
    "fail again": lambda tx, lease: queue.fail(tx, lease, "late", 200.0, again=True, attempts=3),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("next_runner", ["r1", "r2"])
async def test_a_stale_lease_can_write_nothing(
    database: Database, make_job: MakeJob, write: Write, next_runner: str
) -> None:
    job = make_job()
    await _enqueue(database, job)
    stale = await _claim(database, job.id)
    async with database.transaction() as tx:
        await queue.rescue(tx, now=131.0, attempts=3)
    await _claim(database, job.id, next_runner, until=300.0)
    before = await _get(database, job.id)
    async with database.transaction() as tx:
        assert not await write(tx, stale)
        (running,) = await queue.running(tx)
    assert running == Lease(before, next_runner, 2, 300.0)


# --- failing


@pytest.mark.parametrize(
    ("again", "attempts", "cancel", "state", "reason"),
    [
        (True, 2, False, JobState.QUEUED, "the device crashed"),
        (True, 1, False, JobState.FAILED, "the device crashed"),
        (False, 9, False, JobState.FAILED, "the device crashed"),
        (True, 2, True, JobState.CANCELLED, "the device crashed"),
        (True, 1, True, JobState.CANCELLED, "the device crashed"),
        (False, 9, True, JobState.CANCELLED, "the device crashed"),
    ],
)
async def test_where_a_failed_attempt_leads(
    database: Database, make_job: MakeJob, again: bool, attempts: int, cancel: bool, state: JobState, reason: str
) -> None:
    job = make_job()
    await _enqueue(database, job)
    lease = await _claim(database, job.id)
    async with database.transaction() as tx:
        await queue.report(tx, lease, HALF, 115.0)
        if cancel:
            await queue.ask_to_cancel(tx, job.id, 116.0)
        assert await queue.fail(tx, lease, reason, 120.0, again=again, attempts=attempts) is state
    now = await _get(database, job.id)
    assert (now.state, now.reason, now.attempt, now.changed_at) == (state, reason, 1, 120.0)
    assert now.progress == (None if state is JobState.QUEUED else HALF)


async def test_a_new_attempt_forgets_why_the_last_one_failed(database: Database, make_job: MakeJob) -> None:
    job = make_job()
    await _enqueue(database, job)
    lease = await _claim(database, job.id)
    async with database.transaction() as tx:
        await queue.fail(tx, lease, "the device crashed", 120.0, again=True, attempts=3)
    lease = await _claim(database, job.id)
    assert (lease.attempt, lease.job.reason) == (2, "")


# --- rescue


async def test_only_lapsed_leases_are_rescued(database: Database, make_job: MakeJob) -> None:
    lapsed, alive, edge = make_job(), make_job(), make_job()
    await _enqueue(database, lapsed, alive, edge)
    await _claim(database, lapsed.id, until=149.0)
    await _claim(database, alive.id, until=151.0)
    await _claim(database, edge.id, until=150.0)
    async with database.transaction() as tx:
        (rescued,) = await queue.rescue(tx, now=150.0, attempts=3)
        assert {lease.job.id for lease in await queue.running(tx)} == {alive.id, edge.id}
    assert (rescued.id, rescued.state, rescued.attempt, rescued.changed_at) == (lapsed.id, JobState.QUEUED, 1, 150.0)


async def test_a_predecessors_leases_are_rescued_before_they_lapse(database: Database, make_job: MakeJob) -> None:
    mine, other = make_job(), make_job()
    await _enqueue(database, mine, other)
    await _claim(database, mine.id, "r1", until=1000.0)
    await _claim(database, other.id, "r2", until=1000.0)
    async with database.transaction() as tx:
        assert [job.id for job in await queue.rescue(tx, now=111.0, attempts=3, predecessor="r1")] == [mine.id]
        assert await queue.rescue(tx, now=111.0, attempts=3, predecessor="r1") == []


async def test_after_three_lost_attempts_the_job_fails_with_a_sentence(database: Database, make_job: MakeJob) -> None:
    job = make_job()
    await _enqueue(database, job)
    states = []
    for _ in range(3):
        await _claim(database, job.id)
        async with database.transaction() as tx:
            (rescued,) = await queue.rescue(tx, now=131.0, attempts=3)
        states.append(rescued.state)
    assert states == [JobState.QUEUED, JobState.QUEUED, JobState.FAILED]
    assert rescued.reason.startswith("The renderer stopped 3 times")


async def test_a_rescued_job_whose_cancelling_was_asked_is_cancelled(database: Database, make_job: MakeJob) -> None:
    job = make_job()
    await _enqueue(database, job)
    await _claim(database, job.id)
    async with database.transaction() as tx:
        assert await queue.ask_to_cancel(tx, job.id, 120.0) is JobState.RENDERING
        (rescued,) = await queue.rescue(tx, now=131.0, attempts=3)
    assert (rescued.state, rescued.cancel_asked) == (JobState.CANCELLED, True)


# --- every operation in every state


async def _bring_to(tx: AsyncConnection, job: Job, state: JobState) -> Lease:
    """Store the job and walk it to `state`."""
    await queue.enqueue(tx, job)
    if state is JobState.REFUSED:
        assert await queue.reject(tx, job.id, job.verdict, 120.0)
    if state in (JobState.HELD, JobState.QUEUED, JobState.REFUSED):
        return Lease(job, "r1", 0, 130.0)
    lease = await queue.claim(tx, job.id, runner="r1", now=110.0, until=130.0)
    assert lease is not None
    if state is JobState.DONE:
        await queue.finish(tx, lease, 120.0)
    elif state is JobState.FAILED:
        await queue.fail(tx, lease, "no", 120.0, again=False, attempts=3)
    elif state is JobState.CANCELLED:
        await queue.cancelled(tx, lease, 120.0)
    return lease


FINE = Verdict(Ruling.ALLOWED, reason="looked at")

OPERATIONS: dict[str, tuple[Write, dict[JobState, JobState]]] = {
    "claim": (
        lambda tx, lease: queue.claim(tx, lease.job.id, runner="r2", now=200.0, until=230.0),
        {JobState.QUEUED: JobState.RENDERING},
    ),
    "ask_to_cancel": (
        lambda tx, lease: queue.ask_to_cancel(tx, lease.job.id, 200.0),
        {JobState.HELD: JobState.CANCELLED, JobState.QUEUED: JobState.CANCELLED},
    ),
    "rescue": (lambda tx, lease: queue.rescue(tx, 200.0, 3), {JobState.RENDERING: JobState.QUEUED}),
    "rescue predecessor": (
        lambda tx, lease: queue.rescue(tx, 0.0, 1, predecessor="r1"),
        {JobState.RENDERING: JobState.FAILED},
    ),
    "lapse": (lambda tx, lease: queue.lapse(tx, lease.job.id, 200.0), {JobState.HELD: JobState.CANCELLED}),
    "approve": (
        lambda tx, lease: queue.approve(tx, lease.job.id, FINE, 200.0),
        {JobState.HELD: JobState.QUEUED},
    ),
    "reject": (
        lambda tx, lease: queue.reject(tx, lease.job.id, FINE, 200.0),
        {JobState.HELD: JobState.REFUSED},
    ),
    "extend": (WRITES["extend"], {}),
    "report": (WRITES["report"], {}),
    "finish": (WRITES["finish"], {JobState.RENDERING: JobState.DONE}),
    "cancelled": (WRITES["cancelled"], {JobState.RENDERING: JobState.CANCELLED}),
    "fail": (WRITES["fail"], {JobState.RENDERING: JobState.FAILED}),
    "fail again": (WRITES["fail again"], {JobState.RENDERING: JobState.QUEUED}),
}


@pytest.mark.parametrize(("operation", "leads"), OPERATIONS.values(), ids=OPERATIONS)
async def test_every_operation_in_every_state_leads_where_the_drawing_says(
    database: Database, make_job: MakeJob, operation: Write, leads: dict[JobState, JobState]
) -> None:
    async with database.transaction() as tx:
        leases = {state: await _bring_to(tx, make_job(state=_first(state)), state) for state in JobState}
    before = {state: await _get(database, lease.job.id) for state, lease in leases.items()}
    assert {state: job.state for state, job in before.items()} == {state: state for state in JobState}
    async with database.transaction() as tx:
        for lease in leases.values():
            await operation(tx, lease)
    after = {state: await _get(database, lease.job.id) for state, lease in leases.items()}
    assert {state: job.state for state, job in after.items()} == {state: leads.get(state, state) for state in JobState}
    untouched = [state for state in JobState if state is not JobState.RENDERING and state not in leads]
    assert [after[state] for state in untouched] == [before[state] for state in untouched]


def _first(state: JobState) -> JobState:
    return JobState.HELD if state in (JobState.HELD, JobState.REFUSED) else JobState.QUEUED


async def test_a_rendering_job_that_should_stop_is_flagged_until_its_runner_answers(
    database: Database, make_job: MakeJob
) -> None:
    job = make_job()
    await _enqueue(database, job)
    lease = await _claim(database, job.id)
    async with database.transaction() as tx:
        await queue.ask_to_cancel(tx, job.id, 120.0)
    flagged = await _get(database, job.id)
    assert (flagged.state, flagged.cancel_asked, flagged.changed_at) == (JobState.RENDERING, True, 120.0)
    async with database.transaction() as tx:
        assert await queue.cancelled(tx, lease, 121.0)
        assert await queue.ask_to_cancel(tx, job.id, 122.0) is JobState.CANCELLED
        assert await queue.running(tx) == []


async def test_the_file_itself_refuses_a_rendering_job_without_a_lease(database: Database, make_job: MakeJob) -> None:
    job = make_job()
    await _enqueue(database, job)
    with pytest.raises(IntegrityError, match="leased_while_rendering"):
        await _set_state(database, job.id, JobState.RENDERING)
    with pytest.raises(IntegrityError, match="known_state"):
        await _set_state(database, job.id, "dreaming")


async def _set_state(database: Database, job_id: str, state: str) -> None:
    async with database.transaction() as tx:
        await tx.execute(update(jobs).where(jobs.c.id == job_id).values(state=state))


# --- of one person


async def test_what_somebody_waits_for_and_asked_for_last(database: Database, make_job: MakeJob) -> None:
    asker, other, stranger = make_job().asker, Asker("telegram", "7"), Asker("web", "bob")
    cancelled, old, new = [make_job(created_at=at) for at in (1.0, 2.0, 4.0)]
    linked, foreign = make_job(created_at=3.0, asker=other), make_job(created_at=0.5, asker=stranger)
    await _enqueue(database, cancelled, old, new, linked, foreign)
    async with database.transaction() as tx:
        await queue.ask_to_cancel(tx, cancelled.id, 5.0)
        assert await queue.unfinished_of(tx, asker) == [old, new]
        await people.offer(tx, asker, "h", 10.0)
        await people.join(tx, other, "h", 1.0)
        for identity in (asker, other):
            assert await queue.unfinished_of(tx, identity) == [old, linked, new]
            assert await queue.last_of(tx, identity) == new
        assert await queue.last_of(tx, Asker("web", "nobody")) is None


async def test_the_place_in_line_counts_what_waits_before(database: Database, make_job: MakeJob) -> None:
    held, first, second, third = [
        make_job(state=JobState.HELD),
        *[make_job(created_at=at) for at in (1.0, 2.0, 2.0)],
    ]
    await _enqueue(database, held, first, second, third)
    async with database.transaction() as tx:
        assert [await queue.place(tx, job.id) for job in (held, first, second, third)] == [0, 1, 2, 3]
        await queue.ask_to_cancel(tx, first.id, 5.0)
        assert [await queue.place(tx, job.id) for job in (first, second, third)] == [0, 1, 2]
        assert await queue.place(tx, "nobody") == 0


async def test_a_second_opinion_ends_a_job_under_its_lease_only(database: Database, make_job: MakeJob) -> None:
    job = make_job()
    await _enqueue(database, job)
    lease = await _claim(database, job.id)
    verdict = Verdict(Ruling.REFUSED, "P1", policy="a classifier")
    async with database.transaction() as tx:
        assert not await queue.refuse(tx, replace(lease, attempt=7), verdict, 120.0)
        assert await queue.refuse(tx, lease, verdict, 120.0)
        assert not await queue.finish(tx, lease, 121.0)
    refused = await _get(database, job.id)
    assert (refused.state, refused.verdict, refused.changed_at) == (JobState.REFUSED, verdict, 120.0)


async def test_a_card_that_moved_is_found_where_it_stands(database: Database, make_job: MakeJob) -> None:
    job = make_job()
    await _enqueue(database, job)
    elsewhere = Handle(Address("telegram", "7"), "m9")
    async with database.transaction() as tx:
        await queue.set_handle(tx, job.id, elsewhere)
    assert await _get(database, job.id) == replace(job, handle=elsewhere)


# --- moderators' looks


async def test_what_a_moderator_lets_through_waits_with_the_verdict_that_says_so(
    database: Database, make_job: MakeJob
) -> None:
    job = make_job(state=JobState.HELD)
    await _enqueue(database, job)
    async with database.transaction() as tx:
        assert await queue.approve(tx, job.id, FINE, 120.0)
        assert not await queue.approve(tx, job.id, FINE, 121.0)
        assert not await queue.reject(tx, job.id, FINE, 121.0)
        assert not await queue.approve(tx, "nobody", FINE, 121.0)
        assert not await queue.reject(tx, "nobody", FINE, 121.0)
    assert await _get(database, job.id) == replace(job, state=JobState.QUEUED, verdict=FINE, changed_at=120.0)


@pytest.mark.parametrize(("category", "kept"), [("C1", False), ("C2", True), ("V2", True)])
async def test_of_what_a_moderator_refuses_the_gravest_words_are_not_kept(
    database: Database, make_job: MakeJob, category: str, kept: bool
) -> None:
    job = make_job(state=JobState.HELD)
    verdict = replace(job.verdict, ruling=Ruling.REFUSED, category=category)
    await _enqueue(database, job)
    async with database.transaction() as tx:
        assert await queue.reject(tx, job.id, verdict, 120.0)
        assert not await queue.approve(tx, job.id, FINE, 121.0)
    refused = await _get(database, job.id)
    assert (refused.state, refused.verdict, refused.changed_at) == (JobState.REFUSED, verdict, 120.0)
    assert refused.spec == (job.spec if kept else replace(job.spec, prompt="", negative=""))


async def test_what_a_person_waits_for_in_a_place_is_found_under_each_of_their_and_its_names(
    database: Database, make_job: MakeJob
) -> None:
    other = Asker("telegram", "7")
    place = Handle(Address("web", "main"), "m1")
    held, linked = make_job(state=JobState.HELD, handle=place), make_job(asker=other, handle=place, created_at=101.0)
    elsewhere, strangers = make_job(handle=Handle(Address("web", "b"), "m")), make_job(asker=Asker("web", "bob"))
    done = make_job(handle=place)
    await _enqueue(database, held, linked, elsewhere, strangers, done)
    async with database.transaction() as tx:
        await queue.ask_to_cancel(tx, done.id, 5.0)
        assert await queue.waiting_of(tx, held.asker, "web", "main") == [held]
        await people.offer(tx, held.asker, "h", 9.0)
        await people.join(tx, other, "h", 1.0)
        assert await queue.waiting_of(tx, other, "web", "main") == [held, linked]
        assert await queue.waiting_of(tx, other, "telegram", "main") == []
        await moves.note(tx, "web", "main", "there", 1.0)
        await moves.note(tx, "web", "there", "yonder", 2.0)
        assert await queue.waiting_of(tx, held.asker, "web", "yonder") == [held, linked]
        assert await queue.waiting_of(tx, held.asker, "web", "main") == [held, linked]
