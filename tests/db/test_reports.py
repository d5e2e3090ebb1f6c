"""Reports: one of a person for a clip and place, counted by person, and not for those who report falsely."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from db import gallery, people, reports
from db.database import Database
from db.ids import new_id
from db.records import Asker, Clip, Report

Film = Callable[..., Awaitable[Clip]]
ADA, BOB, EVE, LINKED = Asker("discord", "1"), Asker("discord", "2"), Asker("discord", "3"), Asker("telegram", "1")


def flag(clip: Clip, asker: Asker = ADA, place: str = "g1", at: float = 10.0, **changes: object) -> Report:
    report = Report(new_id(), clip.id, "discord", place, asker, "ugly \ud83d", at)
    return replace(report, **changes)  # type: ignore[arg-type]


async def add(database: Database, *wanted: Report) -> list[bool]:
    async with database.transaction() as tx:
        return [await reports.add(tx, report) for report in wanted]


async def counted(database: Database, clip: Clip, place: str = "g1", since: float = 0.0, limit: int = 2) -> int:
    async with database.reading() as tx:
        return await reports.reporters(tx, clip.id, "discord", place, since=since, false_limit=limit)


async def false_count(tx: AsyncConnection, asker: Asker, since: float = 0.0) -> int:
    return await reports.false_count(tx, asker, "discord", "g1", since)


async def link(database: Database, asker: Asker, other: Asker) -> None:
    async with database.transaction() as tx:
        await people.offer(tx, asker, "h", 9.0)
        await people.join(tx, other, "h", 1.0)


async def test_somebody_reports_a_clip_once_in_a_place_whoever_they_are_there(database: Database, show: Film) -> None:
    clip, other = await show(), await show()
    await link(database, ADA, LINKED)
    first, again, elsewhere = flag(clip), flag(clip, at=11.0), flag(clip, place="g2")
    assert await add(database, first, again, flag(clip, LINKED), elsewhere, flag(other)) == [
        True, False, False, True, True,
    ]  # fmt: skip
    async with database.reading() as tx:
        assert await reports.of_clip(tx, clip.id, "discord", "g1") == [replace(first, reason="ugly ?")]
        assert await reports.of_clip(tx, clip.id, "discord", "g2") == [replace(elsewhere, reason="ugly ?")]
        assert await reports.of_clip(tx, clip.id, "telegram", "g1") == []


async def test_different_people_count_and_linked_identities_are_one_of_them(database: Database, show: Film) -> None:
    clip = await show()
    await add(database, flag(clip, ADA), flag(clip, LINKED), flag(clip, BOB), flag(clip, EVE, place="g2"))
    assert await counted(database, clip) == 3
    assert await counted(database, clip, "g2") == 1
    await link(database, ADA, LINKED)
    assert await counted(database, clip) == 2


async def test_who_reports_falsely_counts_for_nothing_as_no_identity_of_theirs(database: Database, show: Film) -> None:
    clip, harmless, fine = await show(), await show(), await show()
    await add(database, flag(harmless, LINKED, at=20.0), flag(fine, LINKED, at=30.0), flag(harmless, BOB))
    await add(database, flag(clip, ADA), flag(clip, BOB))
    async with database.transaction() as tx:
        await reports.settle(tx, harmless.id, "discord", "g1", "false")
        await reports.settle(tx, fine.id, "discord", "g1", "false")
    assert await counted(database, clip) == 2
    await link(database, ADA, LINKED)
    async with database.reading() as tx:
        assert await false_count(tx, ADA) == await false_count(tx, LINKED) == 2
        assert await false_count(tx, LINKED, since=20.0) == 1
        assert await false_count(tx, BOB) == 1
        assert await reports.count_by(tx, ADA, 0.0) == 3
        assert await reports.count_by(tx, ADA, 10.0) == 2
    assert await counted(database, clip) == 1
    assert await counted(database, clip, since=20.0) == 2
    assert await counted(database, clip, limit=3) == 2
    assert await counted(database, clip, limit=1) == 0


async def test_what_one_place_calls_false_counts_for_nothing_in_another(database: Database, show: Film) -> None:
    clip, harmless, fine = await show(), await show(), await show()
    await add(database, flag(harmless, ADA, "g2"), flag(fine, ADA, "g2"), flag(clip, ADA))
    async with database.transaction() as tx:
        await reports.settle(tx, harmless.id, "discord", "g2", "false")
        await reports.settle(tx, fine.id, "discord", "g2", "false")
        assert (await false_count(tx, ADA), await reports.false_count(tx, ADA, "discord", "g2", 0.0)) == (0, 2)
    assert await counted(database, clip) == 1


async def test_a_look_settles_what_is_open_of_the_clip_in_this_place(database: Database, show: Film) -> None:
    clip = await show()
    late, early, elsewhere = flag(clip, ADA, at=12.0), flag(clip, BOB, at=11.0), flag(clip, ADA, "g2")
    await add(database, late, early, elsewhere)
    async with database.transaction() as tx:
        settled = await reports.settle(tx, clip.id, "discord", "g1", "upheld")
        assert [(report.id, report.outcome) for report in settled] == [(early.id, "upheld"), (late.id, "upheld")]
        assert await reports.of_clip(tx, clip.id, "discord", "g1") == []
        assert [report.id for report in await reports.of_clip(tx, clip.id, "discord", "g2")] == [elsewhere.id]
        assert await reports.settle(tx, clip.id, "discord", "g1", "false") == []
        assert await false_count(tx, ADA) == 0
    assert await counted(database, clip) == 0
    assert await add(database, flag(clip, ADA), flag(clip, EVE)) == [False, True]
    assert await counted(database, clip) == 1


async def test_what_was_looked_at_long_ago_is_forgotten_and_what_is_open_is_not(database: Database, show: Film) -> None:
    clip, other = await show(), await show()
    await add(database, flag(clip), flag(other))
    async with database.transaction() as tx:
        await reports.settle(tx, clip.id, "discord", "g1", "false")
        await reports.forget(tx, 10.0)
        assert await false_count(tx, ADA) == 1
        await reports.forget(tx, 11.0)
        assert await reports.count_by(tx, ADA, 0.0) == 1
        assert len(await reports.of_clip(tx, other.id, "discord", "g1")) == 1


async def test_an_open_report_of_a_clip_that_is_gone_is_forgotten_in_time(database: Database, show: Film) -> None:
    clip, other = await show(), await show()
    await add(database, flag(clip), flag(other))
    async with database.transaction() as tx:
        await gallery.forget(tx, clip.id)
        assert (await reports.forget(tx, 10.0), await reports.forget(tx, 11.0)) == (0, 1)
        assert len(await reports.of_clip(tx, other.id, "discord", "g1")) == 1
