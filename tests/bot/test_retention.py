"""The nightly sweep: when it runs, what goes, and what must stay however old it is."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select, update

from bot import cards, intents, parcels
from bot.answers.my_data import ERASE
from bot.core import opened
from bot.retention import DAY, LOOK_SECONDS, SWEPT, Retention, last_due
from db import cases, gallery, link_tries, people, places, refusals, requests, retention, reviews, room
from db.config import Config, DataConfig, RetentionConfig
from db.ids import new_id
from db.records import (
    NOBODY,
    Action,
    Address,
    Asker,
    Caller,
    Case,
    Curb,
    Decision,
    JobState,
    PlaceSettings,
    Refusal,
    Report,
    Restriction,
    Review,
    ReviewKind,
    Ruling,
    Strike,
    Verdict,
    Wish,
)
from db.tables import clips, credit_entries, jobs, metadata, platform_files

if TYPE_CHECKING:
    from tests.bot.conftest import World

ADA, BOB = Asker("recording", "ada"), Asker("recording", "bob")
HERE = Address("recording", "here")
ME = Caller(ADA, HERE)
KEEP_ALL = RetentionConfig(clips_days=0, prompts_days=0, refusals_days=0, cases_days=0)

Sweeper = Callable[..., Retention]


@pytest.fixture
def sweeper(world: World, nap: Callable[[float], Awaitable[None]]) -> Sweeper:
    """With the days that are given, and nothing else ever deleted."""

    def make(strike_days: float = 30.0, **days: float) -> Retention:
        config = KEEP_ALL.model_copy(update=days)
        eraser = world.commands.moderation.eraser
        return Retention(world.database, eraser, config, strike_days, world.folder, world.clock, nap)

    return make


def count(name: str, **values: object) -> Callable[[World], Awaitable[int]]:
    """How many rows a table has."""

    async def counted(world: World) -> int:
        table = metadata.tables[name]
        where = [table.c[key] == value for key, value in values.items()]
        async with world.database.reading() as tx:
            return len((await tx.execute(select(table).where(*where))).all())

    return counted


async def words_of(world: World, job: str) -> tuple[str, str]:
    """The prompt of a job, and of the request that it was."""
    async with world.database.reading() as tx:
        request = await requests.of_job(tx, job)
    assert request is not None
    return (await world.job(job)).spec.prompt, request.wish.prompt


async def look_at(world: World, kind: ReviewKind, subject: str) -> Review:
    """Somebody is to look at it."""
    review = Review(new_id(), "recording", "here", "", kind, subject, ADA, world.clock())
    async with world.database.transaction() as tx:
        return await reviews.open(tx, review)


# --- when ---


@pytest.fixture
def berlin() -> Iterator[None]:
    """This machine's clock is that of Berlin, where summer time begins and ends."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def at(text: str) -> float:
    return time.mktime(time.strptime(text, "%Y-%m-%d %H:%M"))


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-05-10 04:00", "2026-05-10 04:00"),
        ("2026-05-10 03:59", "2026-05-09 04:00"),
        ("2026-05-10 23:00", "2026-05-10 04:00"),
        ("2026-05-01 01:00", "2026-04-30 04:00"),
        ("2026-01-01 00:00", "2025-12-31 04:00"),
        ("2026-03-29 12:00", "2026-03-29 04:00"),  # a day of 23 hours
        ("2026-03-30 03:00", "2026-03-29 04:00"),
        ("2026-10-25 12:00", "2026-10-25 04:00"),  # and one of 25
        ("2026-10-26 03:00", "2026-10-25 04:00"),
    ],
)
def test_the_hour_is_that_of_this_machines_clock(now: str, due: str) -> None:
    assert last_due(at(now), 4) == at(due)


@pytest.mark.usefixtures("berlin")
def test_an_hour_that_a_day_does_not_have_is_due_all_the_same() -> None:
    """On that night the clock goes from 2 to 3."""
    assert at("2026-03-28 12:00") < last_due(at("2026-03-29 12:00"), 2) <= at("2026-03-29 03:30")


@pytest.mark.usefixtures("berlin")
async def test_it_runs_once_a_night_and_at_start_if_a_night_was_missed(world: World, sweeper: Sweeper) -> None:
    swept = []
    for moment in (
        "2026-05-10 12:00",  # a first start
        "2026-05-10 12:05",
        "2026-05-11 03:59",
        "2026-05-11 04:00",
        "2026-05-11 04:05",
        "2026-05-14 09:00",  # a start after three days
        "2026-05-14 09:05",
        "2026-05-13 09:00",  # the clock was set back
    ):
        world.clock.now = at(moment)
        swept.append(await sweeper().sweep_if_due())
    assert swept == [True, False, False, True, False, True, False, True]


async def test_a_note_that_can_not_be_read_means_that_a_night_was_missed(world: World, sweeper: Sweeper) -> None:
    (world.folder / SWEPT).write_text("yesterday")
    assert await sweeper().sweep_if_due()
    assert not await sweeper().sweep_if_due()


async def test_a_sweep_that_failed_is_tried_again(world: World, sweeper: Sweeper) -> None:
    naps: list[float] = []
    tried_twice = asyncio.Event()

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            tried_twice.set()
        await asyncio.sleep(0)

    sweeping = replace(sweeper(), sleep=nap)
    async with world.without("link_tries"):
        async with asyncio.TaskGroup() as group:
            running = group.create_task(sweeping.run())
            async with asyncio.timeout(30):
                await tried_twice.wait()
            running.cancel()
        assert not (world.folder / SWEPT).exists()
    assert set(naps) == {LOOK_SECONDS}
    assert await sweeping.sweep_if_due()


# --- clips ---


async def test_a_disk_that_fails_ends_neither_the_sweeping_nor_the_bot(
    world: World, sweeper: Sweeper, caplog: pytest.LogCaptureFixture
) -> None:
    (world.folder / SWEPT).mkdir()  # nothing can be noted there
    tried_twice = asyncio.Event()
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 2:
            tried_twice.set()
        await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        running = group.create_task(replace(sweeper(), sleep=nap).run())
        async with asyncio.timeout(30):
            await tried_twice.wait()
        running.cancel()
    assert "The sweep stopped short" in caplog.text


async def test_clips_go_with_files_words_and_cards_and_leave_a_note(world: World, sweeper: Sweeper) -> None:
    old = await world.rendered("a quokka")
    world.clock.now += 5 * DAY
    young = await world.rendered("a wombat")
    found = await world.clip(old.clip)
    assert found is not None
    master = await world.files.local(found.master)
    rendition = world.folder / "renditions" / old.clip / "9-16x16.gif"
    rendition.parent.mkdir(parents=True)
    rendition.touch()
    world.clock.now += 5 * DAY
    await sweeper(clips_days=6).sweep()
    assert await world.clip(old.clip) is None
    assert await world.clip(young.clip) is not None
    assert not master.exists()
    assert not rendition.parent.exists()
    assert await words_of(world, old.job) == ("", "")
    assert await words_of(world, young.job) == ("a wombat", "a wombat")
    assert await count("clips")(world) == 2
    job = await world.job(old.job)
    assert (job.state, job.changed_at) == (JobState.DONE, world.clock())  # its card is redrawn
    assert cards.of(job) == cards.deleted()


async def test_clips_are_kept_where_nobody_says_for_how_long(world: World, sweeper: Sweeper) -> None:
    old = await world.rendered("a quokka")
    world.clock.now += 10_000 * DAY
    await sweeper(prompts_days=1, refusals_days=1, cases_days=1).sweep()
    assert await world.clip(old.clip) is not None
    assert await words_of(world, old.job) == ("a quokka", "a quokka")


@pytest.mark.parametrize(
    ("operator", "place", "kept"),
    [(0, 3, False), (9, 3, False), (3, 9, False), (0, 9, True), (9, 9, True), (0, 0, True)],
)
async def test_of_the_operators_days_and_those_of_a_place_the_fewer_count(
    world: World, sweeper: Sweeper, operator: int, place: int, kept: bool
) -> None:
    old = await world.rendered("a quokka")
    async with world.database.transaction() as tx:
        await places.put(tx, "recording", "here", PlaceSettings(keep_days=place), 1.0)
    world.clock.now += 5 * DAY
    await sweeper(clips_days=operator).sweep()
    assert (await world.clip(old.clip) is not None) == kept


async def test_what_a_place_keeps_says_nothing_about_another(world: World, sweeper: Sweeper) -> None:
    old = await world.rendered("a quokka")
    async with world.database.transaction() as tx:
        await places.put(tx, "recording", "elsewhere", PlaceSettings(keep_days=1), 1.0)
    world.clock.now += 5 * DAY
    await sweeper().sweep()
    assert await world.clip(old.clip) is not None


@pytest.mark.parametrize("kind", [ReviewKind.REPORTED, ReviewKind.LABELLED])
async def test_a_clip_that_is_under_review_is_kept_until_that_is_decided(
    world: World, sweeper: Sweeper, kind: ReviewKind
) -> None:
    old = await world.rendered("a quokka")
    review = await look_at(world, kind, old.clip)
    world.clock.now += 50 * DAY
    await sweeper(clips_days=6, prompts_days=6).sweep()
    assert await world.clip(old.clip) is not None
    async with world.database.transaction() as tx:
        await reviews.decide(tx, review.id, Decision.APPROVE, BOB, world.clock(), None)
    await sweeper(clips_days=6, prompts_days=6).sweep()
    assert await world.clip(old.clip) is None


async def test_many_clips_go_in_several_transactions(
    world: World, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("db.retention", "bot.retention"):
        monkeypatch.setattr(f"{module}.BATCH", 2)
    old = [await world.rendered("a quokka") for _ in range(5)]
    world.clock.now += 50 * DAY
    async with world.database.transaction() as tx:
        assert len(await retention.expire_clips(tx, world.clock() - DAY, world.clock())) == 2
    await sweeper(clips_days=6).sweep()
    assert [await world.clip(delivery.clip) for delivery in old] == [None] * 5


async def test_what_a_platform_calls_a_deleted_clip_is_forgotten(world: World, sweeper: Sweeper) -> None:
    """A delivery that was under way may have noted it after the clip was deleted."""
    old = await world.rendered("a quokka")
    async with world.database.transaction() as tx:
        await gallery.forget(tx, old.clip)
        row = {"surface": "recording", "clip": old.clip, "format": "gif", "file": "f"}
        await tx.execute(insert(platform_files).values(row))
    await sweeper().sweep()
    assert await count("platform_files")(world) == 0


# --- words ---


async def test_words_that_left_no_clip_go_and_those_of_clips_stay(world: World, sweeper: Sweeper) -> None:
    failed, cancelled = await world.ask("a quokka"), await world.ask("a wombat")
    await world.fail(await world.claim(failed.job), "It broke; please try again.")
    await world.press(ME, intents.Cancel(cancelled.job))
    deleted, done = await world.rendered("a numbat"), await world.rendered("a bilby")
    await world.press(ME, intents.Delete(deleted.clip))
    world.clock.now += 5 * DAY
    await sweeper(prompts_days=6).sweep()
    assert await words_of(world, failed.job) == ("a quokka", "a quokka")
    world.clock.now += 5 * DAY
    await sweeper(prompts_days=6).sweep()
    for job in (failed.job, cancelled.job, deleted.job):
        assert await words_of(world, job) == ("", "")
    assert await words_of(world, done.job) == ("a bilby", "a bilby")
    async with world.database.reading() as tx:
        left = (await tx.execute(select(clips.c.spec).where(clips.c.id == deleted.clip))).scalar_one()
    assert (left["prompt"], left["seed"]) == ("", (await world.job(deleted.job)).spec.seed)


async def test_unfinished_jobs_are_left_alone_however_old_they_are(world: World, sweeper: Sweeper) -> None:
    waiting, rendering = await world.ask("a quokka"), await world.ask("a wombat")
    await world.claim(rendering.job)
    world.clock.now += 500 * DAY
    await sweeper(clips_days=1, prompts_days=1, refusals_days=1, cases_days=1).sweep()
    assert await words_of(world, waiting.job) == ("a quokka", "a quokka")
    assert await words_of(world, rendering.job) == ("a wombat", "a wombat")


async def refused(world: World, prompt: str = "a quokka") -> Refusal:
    """A prompt that was refused just now, with its request."""
    verdict = Verdict(Ruling.REFUSED, "P1", "not here")
    request = new_id()
    refusal = Refusal(new_id(), "recording", request, ADA, HERE, verdict, prompt, world.clock())
    async with world.database.transaction() as tx:
        await refusals.record(tx, refusal)
        asked = world.commands._request(ME, request, Wish(prompt))
        await requests.record(tx, asked)
        await requests.close(tx, "recording", request)
    return refusal


async def test_refused_prompts_go_with_their_requests_words(world: World, sweeper: Sweeper) -> None:
    old = await refused(world)
    world.clock.now += 5 * DAY
    young = await refused(world)
    world.clock.now += 3 * DAY
    await sweeper(refusals_days=6).sweep()
    async with world.database.reading() as tx:
        assert await refusals.get(tx, old.id) is None
        assert await requests.get(tx, "recording", old.request) is None
        assert await refusals.get(tx, young.id) == young
        assert await requests.get(tx, "recording", young.request) is not None


async def test_a_refusal_that_is_appealed_stays_until_that_is_decided(world: World, sweeper: Sweeper) -> None:
    old = await refused(world)
    review = await look_at(world, ReviewKind.APPEAL, old.id)
    world.clock.now += 50 * DAY
    await sweeper(refusals_days=6).sweep()
    assert await count("refusals")(world) == 1
    async with world.database.transaction() as tx:
        await reviews.decide(tx, review.id, Decision.REMOVE, BOB, world.clock(), None)
    await sweeper(refusals_days=6).sweep()
    assert await count("refusals")(world) == 0


async def test_a_job_that_was_refused_after_all_counts_among_refused_prompts(world: World, sweeper: Sweeper) -> None:
    asked, other = await world.ask("a quokka"), await world.ask("a wombat")
    await world.fail(await world.claim(other.job), "It broke; please try again.")
    async with world.database.transaction() as tx:
        await tx.execute(update(jobs).where(jobs.c.id == asked.job).values(state=JobState.REFUSED))
    world.clock.now += 5 * DAY
    await sweeper(refusals_days=2, prompts_days=90).sweep()
    assert await words_of(world, asked.job) == ("", "")
    assert await words_of(world, other.job) == ("a wombat", "a wombat")


async def test_drafts_answers_and_codes_that_nobody_needs_any_more_are_forgotten(
    world: World, sweeper: Sweeper
) -> None:
    await world.commands.draft(ME, Wish("", steps=7), "o1")
    await world.ask("", "o2")
    await world.ask("a heart", "o3")
    async with world.database.transaction() as tx:
        await people.offer(tx, ADA, "hash", world.clock() + 60)
        await link_tries.note(tx, ADA, world.clock())
    world.clock.now += 31 * DAY
    await sweeper().sweep()
    async with world.database.reading() as tx:
        found = [await requests.get(tx, "recording", origin) is not None for origin in ("o1", "o2", "o3")]
        assert await people.offered_by(tx, "hash", 0.0) is None
        assert await link_tries.count(tx, ADA, 0.0) == 0
    assert found == [False, False, True]


@pytest.mark.parametrize(("days", "left"), [(0, 1), (20, 0), (90, 1)])
async def test_an_answered_request_is_kept_no_longer_than_words_are(
    world: World, sweeper: Sweeper, days: int, left: int
) -> None:
    await world.ask("", "o1")
    world.clock.now += 25 * DAY
    await sweeper(prompts_days=days).sweep()
    assert await count("requests")(world) == left


async def test_old_messages_of_the_web_page_go_unless_they_carry_a_clip_or_wait_for_one(
    world: World, sweeper: Sweeper
) -> None:
    waiting = await world.ask("a quokka")
    async with world.database.transaction() as tx:
        said, carrier, awaiting = [
            await room.post(tx, "main", nonce, {"card": {"title": nonce}}, world.clock()) for nonce in "abc"
        ]
        await room.replace(tx, carrier.id, carrier.card, "a rendition")
        await tx.execute(update(jobs).where(jobs.c.id == waiting.job).values(message=awaiting.id))
    world.clock.now += 50 * DAY
    await sweeper(prompts_days=6).sweep()
    async with world.database.reading() as tx:
        left = [message.id for message in await room.latest(tx, "main", 9)]
    assert left == [carrier.id, awaiting.id]
    assert said.id not in left


# --- decisions ---


async def test_decisions_go_with_what_is_long_over_and_what_counts_stays(world: World, sweeper: Sweeper) -> None:
    begin = world.clock()
    clip = (await world.rendered("a quokka")).clip
    async with world.database.transaction() as tx:
        for curb, until in ((Curb.BAN, None), (Curb.MUTE, begin + DAY)):
            case = Case("recording", "here", 0, NOBODY, ADA, Action.BAN, "", begin)
            number = (await cases.add(tx, case)).number
            row = Restriction(new_id(), "recording", "here", ADA, curb, number, begin, until)
            await tx.execute(insert(metadata.tables["restrictions"]).values(_restriction(row)))
        strikes = [Strike(new_id(), "recording", "here", ADA, 1, 9, begin, begin + days * DAY) for days in (1, 500)]
        for strike in strikes:
            await tx.execute(insert(metadata.tables["strikes"]).values(_strike(strike)))
        for who, outcome in ((ADA, "false"), (BOB, "")):
            report = Report(new_id(), clip, "recording", "here", who, "spam", begin, outcome)
            await tx.execute(insert(metadata.tables["reports"]).values(_report(report)))
        for until in (begin + DAY, begin + 500 * DAY):
            entry = {
                "id": new_id(),
                "asker_surface": "recording",
                "asker_id": "ada",
                "credits": -5,
                "reason": "granted",
            }
            await tx.execute(insert(credit_entries).values(**entry, created_at=begin, until=until))
    world.clock.now += 100.5 * DAY
    await sweeper(cases_days=100).sweep()  # what ended after a day did so less than a hundred days ago
    tables = ("cases", "restrictions", "strikes", "credit_entries")
    assert [await count(name)(world) for name in tables] == [2] * 4
    assert await count("reports", outcome="")(world) == 1  # nobody has looked at it
    assert await count("reports")(world) == 1
    world.clock.now += 1.5 * DAY
    await sweeper(cases_days=100).sweep()
    assert [await count(name)(world) for name in tables] == [1] * 4
    assert await count("restrictions", curb=Curb.BAN)(world) == 1  # it is in force, and so its case stays, too


async def test_a_false_report_counts_as_long_as_strikes_do(world: World, sweeper: Sweeper) -> None:
    clip = (await world.rendered("a quokka")).clip
    async with world.database.transaction() as tx:
        report = Report(new_id(), clip, "recording", "here", ADA, "spam", world.clock(), "false")
        await tx.execute(insert(metadata.tables["reports"]).values(_report(report)))
    world.clock.now += 50 * DAY
    await sweeper(cases_days=10, strike_days=60).sweep()
    assert await count("reports")(world) == 1
    await sweeper(cases_days=10, strike_days=20).sweep()
    assert await count("reports")(world) == 0


async def test_open_reviews_stay_and_decided_ones_go(world: World, sweeper: Sweeper) -> None:
    clip = (await world.rendered("a quokka")).clip
    await look_at(world, ReviewKind.REPORTED, clip)
    decided = await look_at(world, ReviewKind.LABELLED, clip)
    async with world.database.transaction() as tx:
        await reviews.decide(tx, decided.id, Decision.APPROVE, BOB, world.clock(), None)
    world.clock.now += 500 * DAY
    await sweeper(cases_days=100).sweep()
    async with world.database.reading() as tx:
        assert [review.kind for review in await reviews.waiting(tx, "recording", "here")] == [ReviewKind.REPORTED]
    assert await count("reviews")(world) == 1


def _restriction(row: Restriction) -> dict[str, object]:
    return _flat(row, "id", "surface", "place", "curb", "case", "since", "until", "lifted_at")


def _strike(row: Strike) -> dict[str, object]:
    return _flat(row, "id", "surface", "place", "points", "case", "created_at", "until", "lifted_at")


def _report(row: Report) -> dict[str, object]:
    return _flat(row, "id", "clip", "surface", "place", "reason", "created_at", "outcome")


def _flat(row: Restriction | Strike | Report, *names: str) -> dict[str, object]:
    values = {name: getattr(row, name) for name in names}
    return {**values, "asker_surface": row.asker.surface, "asker_id": row.asker.id}


# --- files ---


async def test_files_that_no_row_names_go_with_the_sweep(world: World, sweeper: Sweeper) -> None:
    orphan = world.folder / "masters" / "0123456789.mkv"
    rendition = world.folder / "renditions" / "0123456789"
    parcel = world.folder / parcels.FOLDER / "0123456789"
    orphan.parent.mkdir(exist_ok=True)
    orphan.touch()
    for folder in (rendition, parcel):
        folder.mkdir(parents=True)
    for path in (orphan, parcel):
        os.utime(path, (1.0, 1.0))
    await sweeper().sweep()
    assert not orphan.exists()
    assert not rendition.exists()
    assert not parcel.exists()


async def test_the_bot_sweeps_by_its_configuration_and_can_erase(tmp_path: Path) -> None:
    config = Config(data=DataConfig(folder=tmp_path), retention=RetentionConfig(clips_days=3, sweep_hour=5))
    async with opened(config) as core:
        loops = core.loops()
        assert "Retention.run" in {getattr(loop, "__qualname__", "") for loop in loops}
        for loop in loops:
            loop.close()
        assert core.retention.config == core.commands.retention == config.retention
        assert ERASE in core.commands.moderation.handlers
        assert await core.retention.sweep_if_due()
    assert (tmp_path / SWEPT).exists()
