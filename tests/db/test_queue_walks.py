"""Random walks over the queue: whatever runners and askers do in whatever order, what the drawing says holds."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test
from sqlalchemy.ext.asyncio import AsyncConnection

from db import queue
from db.database import Database
from db.records import END_STATES, Job, JobState, Lease, Ruling, Verdict

T = TypeVar("T")
ATTEMPTS = 2
LEASE = 10.0
VERDICT = Verdict(Ruling.ALLOWED)


class QueueWalk(RuleBasedStateMachine):
    """Compares the real queue with a dictionary: what state each job is in and which attempt holds it."""

    leases: Bundle[Lease] = Bundle("leases")
    ids: Bundle[str] = Bundle("ids")

    def __init__(self, mould: Path, make_job: Callable[..., Job]) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        path = shutil.copy(mould, Path(self._folder.name) / "zoetrope.db")
        self._make_job = make_job
        self._loop = asyncio.Runner()
        self._database = self._loop.run(Database.open(f"sqlite:///{path}"))
        self._now = 100.0
        self._model: dict[str, JobState] = {}
        self._holder: dict[str, Lease] = {}
        self._flagged: set[str] = set()

    def teardown(self) -> None:
        self._loop.run(self._database.close())
        self._loop.close()
        self._folder.cleanup()

    def _write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async def in_transaction() -> T:
            async with self._database.transaction() as tx:
                return await work(tx)

        return self._loop.run(in_transaction())

    def _leave(self, lease: Lease, state: JobState) -> None:
        self._model[lease.job.id] = state
        del self._holder[lease.job.id]

    def _after_failure(self, lease: Lease) -> JobState:
        if lease.job.id in self._flagged:
            return JobState.CANCELLED
        return JobState.QUEUED if lease.attempt < ATTEMPTS else JobState.FAILED

    def _is_held(self, lease: Lease) -> bool:
        holder = self._holder.get(lease.job.id)
        return holder is not None and (holder.runner, holder.attempt) == (lease.runner, lease.attempt)

    @rule(target=ids, state=st.sampled_from([JobState.QUEUED, JobState.HELD]))
    def enqueue(self, state: JobState) -> str:
        job = self._make_job(state=state, created_at=self._now, changed_at=self._now)
        self._write(lambda tx: queue.enqueue(tx, job))
        self._model[job.id] = state
        return job.id

    @rule(seconds=st.floats(0.1, 2 * LEASE))
    def time_passes(self, seconds: float) -> None:
        self._now += seconds

    @rule(target=leases, job_id=ids, runner=st.sampled_from(["r1", "r2"]))
    def claim(self, job_id: str, runner: str) -> Lease:
        lease = self._write(lambda tx: queue.claim(tx, job_id, runner=runner, now=self._now, until=self._now + LEASE))
        assert (lease is not None) == (self._model[job_id] is JobState.QUEUED)
        if lease is None:
            return Lease(self._make_job(), runner, 1, 0.0)  # a lease on nothing must write nothing
        self._model[job_id], self._holder[job_id] = JobState.RENDERING, lease
        return lease

    @rule(lease=leases)
    def extend(self, lease: Lease) -> None:
        until = self._now + LEASE
        assert self._write(lambda tx: queue.extend(tx, lease, until)) == self._is_held(lease)
        if self._is_held(lease):
            self._holder[lease.job.id] = Lease(lease.job, lease.runner, lease.attempt, until)

    @rule(lease=leases)
    def finish(self, lease: Lease) -> None:
        assert self._write(lambda tx: queue.finish(tx, lease, self._now)) == self._is_held(lease)
        if self._is_held(lease):
            self._leave(lease, JobState.DONE)

    @rule(lease=consumes(leases))
    def stop_on_request(self, lease: Lease) -> None:
        assert self._write(lambda tx: queue.cancelled(tx, lease, self._now)) == self._is_held(lease)
        if self._is_held(lease):
            self._leave(lease, JobState.CANCELLED)

    @rule(lease=leases)
    def crash(self, lease: Lease) -> None:
        went_to = self._write(lambda tx: queue.fail(tx, lease, "crashed", self._now, again=True, attempts=ATTEMPTS))
        assert went_to == (self._after_failure(lease) if self._is_held(lease) else None)
        if went_to is not None:
            self._leave(lease, went_to)

    @rule(job_id=ids)
    def ask_to_cancel(self, job_id: str) -> None:
        state = self._write(lambda tx: queue.ask_to_cancel(tx, job_id, self._now))
        if self._model[job_id] is JobState.RENDERING:
            self._flagged.add(job_id)
        elif self._model[job_id] not in END_STATES:
            self._model[job_id] = JobState.CANCELLED
        assert state is self._model[job_id]

    @rule(job_id=ids, lets_through=st.booleans())
    def look(self, job_id: str, lets_through: bool) -> None:
        decide = queue.approve if lets_through else queue.reject
        decided = self._write(lambda tx: decide(tx, job_id, VERDICT, self._now))
        assert decided == (self._model[job_id] is JobState.HELD)
        if decided:
            self._model[job_id] = JobState.QUEUED if lets_through else JobState.REFUSED

    @rule(predecessor=st.sampled_from([None, "r1", "r2"]))
    def rescue(self, predecessor: str | None) -> None:
        lost = [lease for lease in self._holder.values() if lease.until < self._now or lease.runner == predecessor]
        rescued = self._write(lambda tx: queue.rescue(tx, self._now, ATTEMPTS, predecessor))
        assert {job.id for job in rescued} == {lease.job.id for lease in lost}
        for lease in lost:
            self._leave(lease, self._after_failure(lease))

    @invariant()
    def the_file_agrees_with_the_drawing(self) -> None:
        async def read() -> tuple[dict[str, JobState], dict[str, tuple[str, int]]]:
            async with self._database.reading() as tx:
                stored = [await queue.get(tx, job_id) for job_id in self._model]
                running = {lease.job.id: (lease.runner, lease.attempt) for lease in await queue.running(tx)}
            return {job.id: job.state for job in stored if job is not None}, running

        states, running = self._loop.run(read())
        assert states == self._model
        assert running == {lease.job.id: (lease.runner, lease.attempt) for lease in self._holder.values()}


def test_no_walk_leaves_the_drawing(empty_database: Path, make_job: Callable[..., Job]) -> None:
    run_state_machine_as_test(
        lambda: QueueWalk(empty_database, make_job),  # type: ignore[arg-type]  # any factory will do
        settings=settings(
            max_examples=8,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        ),
    )
