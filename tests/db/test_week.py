"""What happened in a place, day by day."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from db import gallery, moves, queue, refusals, reports, week
from db.database import Database
from db.ids import new_id
from db.records import Address, Asker, Clip, Handle, Job, JobState, Refusal, Report, Ruling, Verdict
from db.week import DAY_SECONDS, Day

Film = Callable[..., Awaitable[Clip]]
MakeJob = Callable[..., Job]
ADA = Asker("discord", "1")
TODAY = 20_000 * DAY_SECONDS
NOON = TODAY + DAY_SECONDS / 2


def refused(category: str, at: float, place: str = "g1") -> Refusal:
    verdict = Verdict(Ruling.REFUSED, category)
    return Refusal(new_id(), "discord", new_id(), ADA, Address("discord", place), verdict, "p", at)


async def test_a_quiet_week_has_seven_days_of_nothing(database: Database) -> None:
    async with database.reading() as tx:
        found = await week.week(tx, "discord", "g1", NOON)
    assert found.days == tuple(Day(TODAY - back * DAY_SECONDS, 0, (), 0, None) for back in range(6, -1, -1))


async def test_a_day_counts_its_clips_refusals_and_reports_and_how_long_people_waited(
    database: Database, make_job: MakeJob, make_clip: Callable[..., Clip], show: Film
) -> None:
    here = Handle(Address("discord", "g1"), "m1")
    waits = {NOON: 30.0, TODAY: 90.0, NOON + 1: 50.0, TODAY - 1: 5.0, TODAY - 6 * DAY_SECONDS - 1: 7.0}
    made = []
    async with database.transaction() as tx:
        for there_at, seconds in waits.items():
            job = make_job(handle=here, created_at=there_at - seconds)
            made.append(make_clip(job, created_at=there_at))
            await queue.enqueue(tx, job)
            await gallery.publish(tx, made[-1])
        await gallery.forget(tx, made[0].id)
        second_look = make_job(handle=here, state=JobState.HELD, created_at=NOON)
        await queue.enqueue(tx, second_look)
        await queue.reject(tx, second_look.id, Verdict(Ruling.REFUSED, "V2"), NOON)
        for refusal in (refused("C2", NOON), refused("V2", NOON), refused("P1", TODAY - 1), refused("P1", 5.0)):
            await refusals.record(tx, refusal)
        for number in range(3):
            await reports.add(tx, Report(new_id(), made[0].id, "discord", "g1", Asker("x", str(number)), "", NOON))
    async with database.reading() as tx:
        *_, yesterday, today = (await week.week(tx, "discord", "g1", NOON)).days
        days = (await week.week(tx, "discord", "g1", NOON, days=2)).days
        weeks = (await week.week(tx, "discord", "g1", NOON, days=8)).days
    assert today == Day(TODAY, 3, (("V2", 2), ("C2", 1)), 3, 50.0)
    assert yesterday == Day(TODAY - DAY_SECONDS, 1, (("P1", 1),), 0, 5.0)
    assert days == (yesterday, today)
    assert [day.clips for day in weeks] == [1, 0, 0, 0, 0, 0, 1, 3]


async def test_nothing_of_one_place_is_counted_in_another(database: Database, show: Film, make_job: MakeJob) -> None:
    clip = await show(place="g2", created_at=NOON)
    held = make_job(handle=Handle(Address("discord", "g2"), "m1"), state=JobState.HELD, created_at=NOON)
    async with database.transaction() as tx:
        await queue.enqueue(tx, held)
        await queue.reject(tx, held.id, Verdict(Ruling.REFUSED, "V2"), NOON)
        await refusals.record(tx, refused("V2", NOON, "g2"))
        await reports.add(tx, Report("r1", clip.id, "discord", "g2", ADA, "", NOON))
        other = replace(refused("V2", NOON, "g1"), address=Address("telegram", "g1"))
        await refusals.record(tx, other)
        *_, quiet = (await week.week(tx, "discord", "g1", NOON)).days
        *_, busy = (await week.week(tx, "discord", "g2", NOON)).days
        assert quiet == Day(TODAY, 0, (), 0, None)
        assert busy == Day(TODAY, 1, (("V2", 2),), 1, NOON - 100.0)
        await moves.note(tx, "discord", "g2", "g3", 1.0)
        *_, moved = (await week.week(tx, "discord", "g3", NOON)).days
        assert moved == busy
