from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from db.records import Asker, Job, Lease
from generator.scheduler import PATIENCE, choose

NewJob = Callable[..., Job]
ADA, BOB, EVE = (Asker("room", name) for name in ("ada", "bob", "eve"))


def lease(job: Job) -> Lease:
    return Lease(job, "runner", 1, 2000.0)


def test_nothing_waits_nothing_is_chosen() -> None:
    assert choose([], [], None, 2000.0) is None


def test_the_oldest_comes_first_within_an_asker(new_job: NewJob) -> None:
    first, second, third = (new_job(asker="ada") for _ in range(3))
    assert choose([third, first, second], [], None, 2000.0) is first


def test_whoever_has_nothing_rendering_goes_before_whoever_has(new_job: NewJob) -> None:
    ada_rendering, ada, bob = new_job(asker="ada"), new_job(asker="ada"), new_job(asker="bob")
    assert choose([ada, bob], [lease(ada_rendering)], None, 2000.0) is bob


def test_fifty_jobs_of_one_asker_delay_another_by_one_job(new_job: NewJob) -> None:
    crowd = [new_job(asker="ada") for _ in range(50)]
    bob = new_job(asker="bob")
    assert choose([*crowd, bob], [], None, 2000.0, served={ADA: 1990.0}) is bob


def test_askers_take_turns(new_job: NewJob) -> None:
    waiting = [new_job(asker=name) for name in ("ada", "ada", "ada", "bob", "bob", "eve")]
    served: dict[Asker, float] = {}
    order = []
    for moment in range(6):
        job = choose(waiting, [], None, 2000.0, served=served)
        assert job is not None
        served[job.asker] = 2000.0 + moment
        waiting.remove(job)
        order.append(job.asker)
    assert order == [ADA, BOB, EVE, ADA, BOB, ADA]


@pytest.mark.parametrize(
    ("waited", "resident_for", "expected"),
    [
        (10.0, 1000.0, "warm"),
        (PATIENCE - 1, 1000.0, "warm"),
        (PATIENCE, 1000.0, "cold"),
        (PATIENCE + 500, 1000.0, "cold"),
        (PATIENCE + 500, 10.0, "warm"),  # the resident has only just come: its time-slice is not over
        (PATIENCE + 500, PATIENCE, "cold"),
    ],
)
def test_the_resident_model_is_preferred_for_a_while(
    new_job: NewJob, waited: float, resident_for: float, expected: str
) -> None:
    now = 100_000.0
    warm = replace(new_job(model="warm", asker="bob"), created_at=now - 5)
    cold = replace(new_job(model="cold", asker="ada"), created_at=now - waited)
    chosen = choose([cold, warm], [], "warm", now, resident_since=now - resident_for)
    assert chosen is not None
    assert chosen.spec.model == expected


def test_a_model_that_is_not_resident_is_loaded_when_nothing_else_waits(new_job: NewJob) -> None:
    cold = new_job(model="cold")
    assert choose([cold], [], "warm", 1002.0, resident_since=1001.0) is cold


def test_without_a_resident_model_the_turn_alone_decides(new_job: NewJob) -> None:
    ada, bob = new_job(model="one", asker="ada"), new_job(model="two", asker="bob")
    assert choose([ada, bob], [], None, 1e6, served={ADA: 5.0}) is bob


def test_a_long_queue_with_two_models_does_not_reload_at_every_job(new_job: NewJob) -> None:
    now, resident, since, loads = 10_000.0, "one", 9_990.0, 0
    waiting = [new_job(model=("one", "two")[number % 2], asker=f"asker {number}") for number in range(40)]
    while (job := choose(waiting, [], resident, now, resident_since=since)) is not None:
        waiting.remove(job)
        if job.spec.model != resident:
            resident, since, loads = job.spec.model, now, loads + 1
        now += 10.0
    assert loads <= 4
