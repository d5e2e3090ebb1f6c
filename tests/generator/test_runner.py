"""The runner on a real database file, with a real child process in its seat that does what prompts tell it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from db import deliveries, gallery, models, queue, quotas, refusals, requests
from db.clip_files import ClipFiles
from db.config import GeneratorConfig
from db.database import Bell, Database
from db.errors import DatabaseUnreachable
from db.records import DeliveryState, Job, JobState, ModelFacts, Request, Ruling, Usage, Wish
from db.tables import runners
from generator.ledger import Ledger
from generator.protocol import Failed, Ready
from generator.runner import Runner
from generator.seats.child import ChildSeat
from generator.workplace import Workplace

Ask = Callable[..., Awaitable[Job]]
Until = Callable[..., Awaitable[Job]]
MakeRunner = Callable[..., Runner]
Serving = Callable[[Runner], AbstractAsyncContextManager[None]]

HUNG = 0.8  # seconds of silence between steps after which an engine counts as hung here


def ended(job: Job) -> bool:
    return job.state.is_end


def rendering(job: Job) -> bool:
    return job.state is JobState.RENDERING and job.progress is not None


async def usage_of(database: Database, job: Job) -> Usage:
    async with database.reading() as tx:
        return await quotas.usage(tx, job.asker, 0.0, 0.0)


class Engines(ChildSeat):
    """A child seat that remembers the process ids of its engines."""

    def __init__(self, command: list[str], log: Path) -> None:
        super().__init__(command, log)
        self.pids: list[int] = []

    async def start(self) -> Ready:
        ready = await super().start()
        self.pids.append(ready.pid)
        return ready

    async def gone(self) -> None:
        """Returns when it is known here that the present engine has ended by itself."""
        async with asyncio.timeout(30):
            while self.running:  # noqa: ASYNC110  # it was killed; the loop is about to hear of it
                await asyncio.sleep(0)


@pytest.fixture
def engines(scripted_engine: list[str], tmp_path: Path) -> Engines:
    return Engines(scripted_engine, tmp_path / "logs" / "engine.log")


async def test_a_job_becomes_a_clip_and_a_promise(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, tmp_path: Path
) -> None:
    job = await ask("a heart")
    async with serving(make_runner()):
        done = await until(job.id, ended)
    assert (done.state, done.attempt, done.reason) == (JobState.DONE, 1, "")
    async with database.reading() as tx:
        clip = await gallery.of_job(tx, job.id)
        promised = await deliveries.of_job(tx, job.id)
    assert clip is not None
    master = (tmp_path / "masters" / clip.master).read_bytes()
    assert (clip.sha256, clip.bytes) == (hashlib.sha256(master).hexdigest(), len(master))
    assert (clip.spec, clip.asker, clip.verdict, clip.seconds) == (job.spec, job.asker, job.verdict, {"step": 0.01})
    (delivery,) = promised
    assert (delivery.clip, delivery.handle, delivery.format) == (clip.id, job.handle, "gif")
    assert (delivery.state, delivery.card_at) == (DeliveryState.PROMISED, job.created_at)
    assert delivery.due_at <= time.time()
    async with database.transaction() as tx:
        await quotas.release(tx, job.id)  # what is settled can't be released any more
    assert [spent for _, spent in (await usage_of(database, job)).spent] == [1000]


async def test_nothing_of_the_work_stays_behind(
    ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, tmp_path: Path
) -> None:
    leftover = tmp_path / "work" / "runner" / "old-1" / "master.mkv"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"of a former life")
    (tmp_path / "previews").mkdir()
    (tmp_path / "previews" / "old.webp").write_bytes(b"of a former life")
    jobs = [await ask(prompt) for prompt in ("", "refuse", "crash@1")]
    async with serving(make_runner()):
        for job in jobs:
            await until(job.id, ended)
    assert list((tmp_path / "work" / "runner").iterdir()) == []
    assert list((tmp_path / "previews").iterdir()) == []
    assert len(list((tmp_path / "masters").iterdir())) == 2


async def test_progress_is_reported_while_the_job_renders(
    ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, tmp_path: Path
) -> None:
    job = await ask("hold")
    async with serving(make_runner()):
        seen = await until(job.id, lambda job: rendering(job) and job.progress is not None and job.progress.step == 1)
        assert (seen.progress.steps if seen.progress else 0) == 4


async def test_the_runner_makes_itself_and_its_models_known(
    database: Database, make_runner: MakeRunner, serving: Serving
) -> None:
    async with serving(make_runner()), asyncio.timeout(30):
        heard, devices = 0, [""]
        while devices != ["Scripted CPU"]:
            heard = await database.bell.wait(heard, 30)
            async with database.reading() as tx:
                devices = list((await tx.execute(select(runners.c.device))).scalars())
        async with database.reading() as tx:
            assert [model.name for model in await models.known(tx)] == ["scripted"]


async def test_jobs_are_rendered_in_turn_until_none_waits(
    ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, engines: Engines
) -> None:
    jobs = [await ask("", asker=asker) for asker in ("ada", "ada", "bob")]
    async with serving(make_runner(engines)):
        done = [await until(job.id, ended) for job in jobs]
    assert len(engines.pids) == 1
    assert [job.state for job in done] == [JobState.DONE] * 3
    assert done[2].changed_at < done[1].changed_at  # bob did not wait for ada's second


async def test_a_job_asked_for_later_wakes_the_runner(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving
) -> None:
    async with serving(make_runner()):
        for _ in range(2):
            job = await ask("")
            assert (await until(job.id, ended)).state is JobState.DONE


async def test_run_once_says_whether_there_was_work(ask: Ask, make_runner: MakeRunner, engines: Engines) -> None:
    runner = make_runner(engines)
    assert not await runner.run_once()
    await ask("")
    assert await runner.run_once()
    assert not await runner.run_once()
    await engines.kill()


@pytest.mark.parametrize("deed", ["crash", "exit", "freeze", "nonsense", "fail", "empty"])
async def test_what_went_wrong_once_is_tried_again(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, tmp_path: Path, deed: str
) -> None:
    job = await ask(f"{deed}@1")
    async with serving(make_runner(step=HUNG if deed == "freeze" else 30.0)):
        done = await until(job.id, ended)
    assert (done.state, done.attempt) == (JobState.DONE, 2)
    async with database.reading() as tx:
        clip = await gallery.of_job(tx, job.id)
        assert len(await deliveries.of_job(tx, job.id)) == 1
    assert clip is not None
    assert [path.name for path in (tmp_path / "masters").iterdir()] == [clip.master]


@pytest.mark.parametrize(
    ("deed", "words"), [("crash", "memory ran out"), ("freeze", "no sign of life"), ("fail", "told to fail")]
)
async def test_a_third_failure_is_the_last_and_costs_nothing(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, deed: str, words: str
) -> None:
    job, other = await ask(deed), await ask("", asker="bob")
    async with serving(make_runner(step=HUNG if deed == "freeze" else 30.0)):
        failed = await until(job.id, ended)
        assert (await until(other.id, ended)).state is JobState.DONE
    assert (failed.state, failed.attempt) == (JobState.FAILED, 3)
    assert words in failed.reason
    assert (await usage_of(database, job)).spent == ()
    async with database.reading() as tx:
        assert await deliveries.of_job(tx, job.id) == []


async def test_what_can_never_succeed_is_tried_once(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving
) -> None:
    job = await ask("refuse")
    async with serving(make_runner()):
        failed = await until(job.id, ended)
    assert (failed.state, failed.attempt, failed.reason) == (JobState.FAILED, 1, "The engine was told to refuse.")
    assert (await usage_of(database, job)).spent == ()


async def test_an_engine_that_can_not_start_fails_the_job_with_the_reason(
    ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, scripted_engine: list[str], tmp_path: Path
) -> None:
    seat = ChildSeat([*scripted_engine, "--start", "exit"], tmp_path / "engine.log")
    job = await ask("")
    async with serving(make_runner(seat)):
        failed = await until(job.id, ended)
    assert failed.state is JobState.FAILED
    assert "exit status 9" in failed.reason


async def test_a_killed_engine_is_replaced_and_its_job_done_by_the_next(
    ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, engines: Engines
) -> None:
    job = await ask("hold@1")
    async with serving(make_runner(engines)):
        await until(job.id, rendering)
        os.kill(engines.pids[0], signal.SIGKILL)
        done = await until(job.id, ended)
    assert (done.state, done.attempt, len(engines.pids)) == (JobState.DONE, 2, 2)


async def test_an_engine_that_dies_while_idle_costs_no_attempt(
    ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, engines: Engines
) -> None:
    first = await ask("")
    async with serving(make_runner(engines)):
        await until(first.id, ended)
        os.kill(engines.pids[0], signal.SIGKILL)
        await engines.gone()
        second = await ask("")
        done = await until(second.id, ended)
    assert (done.state, done.attempt) == (JobState.DONE, 1)


async def test_a_rendering_job_is_cancelled_and_its_quota_released(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, engines: Engines
) -> None:
    job, other = await ask("hold"), await ask("", asker="bob")
    async with serving(make_runner(engines)):
        await until(job.id, rendering)
        async with database.transaction() as tx:
            assert await queue.ask_to_cancel(tx, job.id, time.time()) is JobState.RENDERING
        cancelled = await until(job.id, ended)
        assert (await until(other.id, ended)).state is JobState.DONE
    assert cancelled.state is JobState.CANCELLED
    assert len(engines.pids) == 1  # cancelling is no reason to lose a warm engine
    assert (await usage_of(database, job)).spent == ()


async def test_a_wish_to_cancel_that_comes_too_late_leaves_the_clip(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving
) -> None:
    job = await ask("late")
    async with serving(make_runner()):
        await until(job.id, rendering)
        async with database.transaction() as tx:
            await queue.ask_to_cancel(tx, job.id, time.time())
        assert (await until(job.id, ended)).state is JobState.DONE
    assert len((await usage_of(database, job)).spent) == 1


async def test_an_engine_that_dies_over_a_job_nobody_wants_ends_it(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, engines: Engines
) -> None:
    job = await ask("freeze")
    async with serving(make_runner(engines, step=HUNG)):
        await until(job.id, rendering)
        async with database.transaction() as tx:
            await queue.ask_to_cancel(tx, job.id, time.time())
        cancelled = await until(job.id, ended)
    assert (cancelled.state, cancelled.attempt) == (JobState.CANCELLED, 1)
    assert (await usage_of(database, job)).spent == ()


async def test_a_lost_lease_stops_the_render(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, engines: Engines
) -> None:
    job, other = await ask("hold"), await ask("", asker="bob")
    async with serving(make_runner(engines)):
        await until(job.id, rendering)
        async with database.transaction() as tx:  # another runner took it for dead, and renders it now
            await queue.rescue(tx, time.time() + 3600, 3)
            stolen = await queue.claim(tx, job.id, runner="thief", now=time.time(), until=time.time() + 3600)
        assert stolen is not None
        assert (await until(other.id, ended)).state is JobState.DONE  # so the engine was freed
    async with database.reading() as tx:
        job_now = await queue.get(tx, job.id)
    assert job_now is not None
    assert (job_now.state, job_now.attempt) == (JobState.RENDERING, 2)
    assert len((await usage_of(database, job)).spent) == 1


async def test_a_clip_rendered_under_a_lost_lease_is_not_published(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, tmp_path: Path
) -> None:
    job, other = await ask("late"), await ask("", asker="bob")
    async with serving(make_runner()):
        await until(job.id, rendering)
        async with database.transaction() as tx:
            await queue.rescue(tx, time.time() + 3600, 3)
            await queue.claim(tx, job.id, runner="thief", now=time.time(), until=time.time() + 3600)
        await until(other.id, ended)
    async with database.reading() as tx:
        assert await gallery.of_job(tx, job.id) is None
        clip = await gallery.of_job(tx, other.id)
    assert clip is not None
    assert [path.name for path in (tmp_path / "masters").iterdir()] == [clip.master]


async def test_the_lease_is_extended_while_the_engine_is_silent(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving
) -> None:
    job = await ask("hold")
    async with serving(make_runner()):
        await until(job.id, rendering)
        async with database.reading() as tx:
            (first,) = await queue.running(tx)
        heard, later = database.bell.count(), first
        async with asyncio.timeout(30):
            while later.until == first.until:
                heard = await database.bell.wait(heard, 30)
                async with database.reading() as tx:
                    (later,) = await queue.running(tx)
    assert later.until > first.until
    assert later.attempt == 1


async def test_leases_of_a_dead_runner_are_rescued_when_they_lapse(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving
) -> None:
    job = await ask("")
    async with database.transaction() as tx:
        await queue.claim(tx, job.id, runner="dead", now=time.time(), until=time.time() + 0.3)
    async with serving(make_runner()):
        done = await until(job.id, ended)
    assert (done.state, done.attempt) == (JobState.DONE, 2)


async def test_a_job_that_killed_three_runners_is_given_up(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving
) -> None:
    job = await ask("")
    for attempt in range(3):
        async with database.transaction() as tx:
            await queue.claim(tx, job.id, runner="dead", now=time.time(), until=time.time() + 3600)
            if attempt < 2:
                await queue.rescue(tx, time.time(), 3, "dead")
    async with database.transaction() as tx:
        (lease,) = await queue.running(tx)
        await queue.extend(tx, lease, time.time() - 1)
    async with serving(make_runner()):
        failed = await until(job.id, ended)
    assert failed.state is JobState.FAILED
    assert (await usage_of(database, job)).spent == ()


async def test_stopping_in_order_gives_the_job_back_without_counting_the_attempt(
    database: Database,
    ask: Ask,
    until: Until,
    make_runner: MakeRunner,
    serving: Serving,
    generator_config: GeneratorConfig,
) -> None:
    job = await ask("hold")
    for attempt in range(1, generator_config.attempts + 2):
        async with serving(make_runner()):
            await until(job.id, lambda job, attempt=attempt: rendering(job) and job.attempt == attempt)
        async with database.reading() as tx:
            back = await queue.get(tx, job.id)
        assert back is not None
        assert back.state is JobState.QUEUED
    assert len((await usage_of(database, job)).spent) == 1


async def test_stopping_in_order_ends_the_engine(
    ask: Ask,
    until: Until,
    make_runner: MakeRunner,
    serving: Serving,
    engines: Engines,
    ends_within: Callable[[int, float], bool],
) -> None:
    job = await ask("hold")
    async with serving(make_runner(engines)):
        await until(job.id, rendering)
    assert ends_within(engines.pids[0], 0.0)


async def test_a_store_that_is_no_folder_fails_the_job(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, tmp_path: Path
) -> None:
    masters = tmp_path / "masters"
    masters.write_bytes(b"a file where the folder should be")
    job = await ask("")
    async with serving(make_runner(masters=masters)):
        failed = await until(job.id, ended)
    assert (failed.state, failed.attempt) == (JobState.FAILED, 1)
    assert "can't be written" in failed.reason
    assert (await usage_of(database, job)).spent == ()


async def test_a_disk_that_is_full_while_the_clip_is_kept_fails_the_job_and_leaves_no_half_file(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, tmp_path: Path
) -> None:
    """A limit on the size of this process's files stands for the disk; the engine, started before, has none."""
    first = await ask("")
    async with serving(make_runner()):
        await until(first.id, ended)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, hard))
        try:
            job = await ask("big")
            failed = await until(job.id, ended)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (failed.state, failed.attempt) == (JobState.FAILED, 1)
    assert "no space left" in failed.reason
    assert len((await usage_of(database, job)).spent) == 1  # the first job's
    async with database.reading() as tx:
        kept = await gallery.of_job(tx, first.id)
        assert await gallery.of_job(tx, job.id) is None
    assert kept is not None
    assert [path.name for path in (tmp_path / "masters").iterdir()] == [kept.master]


async def test_a_model_that_only_another_runner_has_is_left_to_it(
    database: Database, ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving, model: ModelFacts
) -> None:
    theirs, unknown, ours = await ask("", model="theirs"), await ask("", model="gone"), await ask("")
    async with database.transaction() as tx:
        await models.announce(tx, "another", [replace(model, name="theirs")], time.time())
    async with serving(make_runner()):
        await until(ours.id, ended)
        await until(unknown.id, ended)  # the scripted engine renders anything
    async with database.reading() as tx:
        left = await queue.get(tx, theirs.id)
    assert left is not None
    assert left.state is JobState.QUEUED


class Hoarse:
    """A bell whose file can't be read now and then."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._asked = 0

    def count(self) -> int:
        self._asked += 1
        if self._asked % 3 == 1:
            raise DatabaseUnreachable("The database can't be used.")
        return self._bell.count()

    async def wait(self, seen: int, timeout: float) -> int:  # noqa: ASYNC109
        self.count()
        return await self._bell.wait(seen, timeout)

    def close(self) -> None:
        self._bell.close()


async def test_a_runner_outlives_a_bell_that_can_not_be_read(
    database: Database,
    database_url: str,
    ask: Ask,
    until: Until,
    make_runner: MakeRunner,
    serving: Serving,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for room in ("runner", "heartbeat"):
        monkeypatch.setattr(f"generator.{room}.PAUSE_SECONDS", 0.01)
    job, other = await ask("hold"), await ask("", asker="bob")
    theirs = await Database.open(database_url)
    theirs.bell = Hoarse(theirs.bell)
    async with serving(make_runner(works_on=theirs)):
        await until(job.id, rendering)
        async with database.transaction() as tx:
            await queue.ask_to_cancel(tx, job.id, time.time())
        assert (await until(job.id, ended)).state is JobState.CANCELLED
        assert (await until(other.id, ended)).state is JobState.DONE
    await theirs.close()


async def test_being_cancelled_while_an_end_can_not_be_written_down_is_not_forgotten(
    database: Database, database_url: str, ask: Ask, tmp_path: Path
) -> None:
    job = await ask("")
    async with database.transaction() as tx:
        lease = await queue.claim(tx, job.id, runner="me", now=time.time(), until=time.time() + 3600)
    assert lease is not None
    theirs = await Database.open(database_url)
    ledger = Ledger(theirs, ClipFiles((tmp_path / "masters").as_uri()), 3, time.time)
    await theirs.close()  # opens again by itself, but finds a folder
    await database.close()
    (tmp_path / "zoetrope.db").rename(tmp_path / "away.db")
    (tmp_path / "zoetrope.db").mkdir()
    bench = Workplace(tmp_path, "me").bench(lease)
    writing = asyncio.create_task(ledger.conclude(lease, bench, Failed(job=job.id, reason="It broke.", again=True)))
    await asyncio.sleep(0)  # it has begun
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing


@pytest.fixture
def doubtful_runner(generator_config: GeneratorConfig, make_runner: MakeRunner) -> Runner:
    """A runner that wants a second opinion about each prompt."""
    runner = make_runner()
    runner._config = generator_config.model_copy(update={"second_opinion": True})
    return runner


async def test_a_second_opinion_may_refuse_a_job_which_then_costs_nothing(
    database: Database, ask: Ask, until: Until, doubtful_runner: Runner, serving: Serving, tmp_path: Path
) -> None:
    job = await ask("something forbidden")
    async with serving(doubtful_runner):
        refused = await until(job.id, ended)
    assert refused.state is JobState.REFUSED
    assert (refused.verdict.ruling, refused.verdict.category) == (Ruling.REFUSED, "P1")
    assert refused.verdict.policy == "a tiny one 1.0"
    usage = await usage_of(database, job)
    assert (usage.spent, usage.waiting) == ((), 0)
    async with database.reading() as tx:
        assert await gallery.of_job(tx, job.id) is None
    assert not (tmp_path / "masters").exists() or list((tmp_path / "masters").iterdir()) == []


@pytest.mark.parametrize(("prompt", "kept"), [("something forbidden", True), ("something grave and forbidden", False)])
async def test_what_a_second_opinion_refused_is_kept_for_an_appeal_but_not_the_gravest_words(
    database: Database, ask: Ask, until: Until, doubtful_runner: Runner, serving: Serving, prompt: str, kept: bool
) -> None:
    job = await ask(prompt)
    request = Request("web", "r1", job.asker, job.handle.address, Wish(prompt), job.created_at)
    async with database.transaction() as tx:
        await requests.record(tx, request)
        await requests.take(tx, request.surface, request.id, job.id)
    async with serving(doubtful_runner):
        refused = await until(job.id, ended)
    async with database.reading() as tx:
        refusal = await refusals.get(tx, job.id)
        asked = await requests.get(tx, "web", "r1")
    assert refusal is not None
    assert asked is not None
    assert (refusal.verdict, refusal.asker, refusal.address) == (refused.verdict, job.asker, request.address)
    assert [refusal.prompt, refused.spec.prompt, asked.wish.prompt] == ([prompt] * 3 if kept else [""] * 3)


@pytest.mark.parametrize(
    ("prompt", "state"), [("hasty and forbidden", JobState.REFUSED), ("harmless, said twice", JobState.DONE)]
)
async def test_a_clip_before_its_opinion_and_an_opinion_once_more_count_for_nothing(
    ask: Ask, until: Until, doubtful_runner: Runner, serving: Serving, prompt: str, state: JobState
) -> None:
    job = await ask(prompt)
    async with serving(doubtful_runner):
        assert (await until(job.id, ended)).state is state


async def test_what_a_second_opinion_lets_pass_is_rendered(
    ask: Ask, until: Until, doubtful_runner: Runner, serving: Serving
) -> None:
    job = await ask("a heart")
    async with serving(doubtful_runner):
        done = await until(job.id, ended)
    assert (done.state, done.verdict) == (JobState.DONE, job.verdict)


async def test_what_can_not_be_judged_a_second_time_is_not_rendered(
    database: Database, ask: Ask, until: Until, doubtful_runner: Runner, serving: Serving
) -> None:
    job = await ask("unclear")
    async with serving(doubtful_runner):
        failed = await until(job.id, ended)
    assert (failed.state, failed.reason) == (JobState.FAILED, "The classifier broke.")
    assert (await usage_of(database, job)).spent == ()


async def test_nobody_is_asked_for_a_second_opinion_unless_it_is_wanted(
    ask: Ask, until: Until, make_runner: MakeRunner, serving: Serving
) -> None:
    job = await ask("something forbidden")
    async with serving(make_runner()):
        assert (await until(job.id, ended)).state is JobState.DONE
