"""Cases: numbered per place, amended, never edited."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError

from db import cases, people, standing
from db.database import Database
from db.records import NOBODY, Action, Asker, Case, Curb, Restriction, Strike
from db.tables import cases as table

MODERATOR, ADA, BOB = Asker("discord", "9"), Asker("discord", "1"), Asker("telegram", "1")
CASE = Case("discord", "g1", 0, MODERATOR, ADA, Action.REMOVE, "not here", 5.0, "V2", "p1", (("clip", "c1"),))


async def add(database: Database, *wanted: Case) -> list[Case]:
    async with database.transaction() as tx:
        return [await cases.add(tx, case) for case in wanted]


async def test_cases_are_numbered_per_place_and_come_back_as_they_were_written(database: Database) -> None:
    elsewhere = replace(CASE, place="g2", actor=NOBODY, target=None, about=(), amends=None)
    added = await add(database, CASE, replace(CASE, number=77), elsewhere)
    assert [case.number for case in added] == [1, 2, 1]
    assert added[0] == replace(CASE, number=1)
    async with database.reading() as tx:
        assert await cases.get(tx, "discord", "g1", 2) == added[1]
        assert await cases.get(tx, "discord", "g2", 1) == added[2]
        assert await cases.get(tx, "discord", "g2", 2) is None
        assert await cases.get(tx, "telegram", "g1", 1) is None


@pytest.mark.parametrize(
    "change",
    [{"reason": "other"}, {"number": 9}, {"action": "approve"}, {"about": []}, {"created_at": 1.0}, {"amends": 1}],
    ids=lambda change: next(iter(change)),
)
async def test_the_database_itself_lets_nobody_edit_a_case(database: Database, change: dict[str, object]) -> None:
    (case,) = await add(database, CASE)

    async def edit() -> None:
        async with database.transaction() as tx:
            await tx.execute(update(table).values(change))

    with pytest.raises(IntegrityError, match="a case is never edited; amend it"):
        await edit()
    async with database.reading() as tx:
        assert await cases.get(tx, "discord", "g1", 1) == case


async def test_parallel_writers_leave_no_gap_and_give_no_number_twice(database: Database, database_url: str) -> None:
    others = [await Database.open(database_url) for _ in range(3)]
    numbered = await asyncio.gather(
        *(add(connected, replace(CASE, place=place)) for place in ("g1", "g2") for connected in [database, *others] * 6)
    )
    for other in others:
        await other.close()
    for place in ("g1", "g2"):
        numbers = [case.number for (case,) in numbered if case.place == place]
        assert sorted(numbers) == list(range(1, 25))


async def test_a_case_that_was_rolled_back_took_no_number(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as tx:
            await cases.add(tx, CASE)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert (await add(database, CASE))[0].number == 1


async def test_amendments_are_found_by_the_case_that_they_amend_in_its_place(database: Database) -> None:
    amending = replace(CASE, action=Action.AMEND, amends=1)
    _, second, third, _ = await add(database, CASE, amending, amending, replace(amending, place="g2"))
    async with database.reading() as tx:
        assert await cases.amendments(tx, "discord", "g1", 1) == [second, third]
        assert await cases.amendments(tx, "discord", "g1", 2) == []


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("", [4, 3, 2, 1]),
        ("RAID", [2]),
        ("spam raid", [2]),
        ("spam", [3, 2]),
        ("ban", [3]),
        ("V2", [4, 1]),
        ("2", [4, 2, 1]),
        ("#3", [3]),
        ("c1", [1]),
        ("clip", [1]),
        ("7", [3]),
        ("%", [4]),
        ("_", []),
        ("nothing", []),
        ("\ud800", []),
        ("99999999999999999999", []),
        ("'; DROP TABLE cases; --", []),
    ],
)
async def test_cases_are_searched_by_words_numbers_and_ids(database: Database, words: str, numbers: list[int]) -> None:
    await add(
        database,
        CASE,
        replace(CASE, reason="spam in a raid", rule="", action=Action.STRIKE, about=()),
        replace(CASE, reason="spam", rule="", action=Action.BAN, target=Asker("discord", "7"), about=()),
        replace(CASE, reason="100 % sure", action=Action.MUTE, about=()),
        replace(CASE, place="g2", reason="spam RAID ban V2 c1 100 %"),
    )
    async with database.reading() as tx:
        found = await cases.browse(tx, "discord", "g1", words=words)
        assert [case.number for case in found] == numbers
        assert {case.place for case in found} <= {"g1"}
        assert await cases.count(tx, "discord", "g1", words=words) == len(numbers)


async def test_cases_about_a_person_are_those_of_all_their_identities(database: Database) -> None:
    await add(database, CASE, replace(CASE, target=BOB), replace(CASE, target=None), replace(CASE, actor=ADA))
    async with database.transaction() as tx:
        assert [case.number for case in await cases.browse(tx, "discord", "g1", target=ADA)] == [4, 1]
        await people.offer(tx, ADA, "h", 9.0)
        await people.join(tx, BOB, "h", 1.0)
        assert [case.number for case in await cases.browse(tx, "discord", "g1", target=ADA)] == [4, 2, 1]
        assert [case.number for case in await cases.browse(tx, "discord", "g1", target=BOB, offset=1, limit=1)] == [2]
        assert await cases.count(tx, "discord", "g1", target=BOB) == 3
        assert await cases.count(tx, "discord", "g2", target=BOB) == 0


async def test_forgotten_cases_leave_their_numbers_unused(database: Database) -> None:
    await add(database, CASE, replace(CASE, created_at=6.0))
    async with database.transaction() as tx:
        await cases.forget(tx, 6.0)
        assert [case.number for case in await cases.browse(tx, "discord", "g1")] == [2]
        await cases.forget(tx, 7.0)
        assert await cases.count(tx, "discord", "g1") == 0
    assert (await add(database, CASE))[0].number == 3


async def test_the_case_of_a_ban_that_lasts_is_not_forgotten(database: Database) -> None:
    await add(database, CASE, CASE, CASE, replace(CASE, place="g2"))
    ban = Restriction("r1", "discord", "g1", ADA, Curb.BAN, 1, 5.0)
    async with database.transaction() as tx:
        await standing.restrict(tx, ban)
        await standing.restrict(tx, replace(ban, id="r2", case=2, until=50.0))
        await standing.restrict(tx, replace(ban, id="r3", case=3, lifted_at=7.0))
        await cases.forget(tx, 100.0)
        assert [case.number for case in await cases.browse(tx, "discord", "g1")] == [1]
        assert await cases.count(tx, "discord", "g2") == 0


async def test_what_still_counts_keeps_its_case_and_what_was_added_to_it(database: Database) -> None:
    added = replace(CASE, amends=1)
    await add(database, CASE, CASE, added, replace(CASE, amends=2))
    async with database.transaction() as tx:
        await standing.strike(tx, Strike("s1", "discord", "g1", ADA, 1, 1, 5.0, 500.0))
        await standing.strike(tx, Strike("s2", "discord", "g1", ADA, 1, 2, 5.0, 50.0))
        await cases.forget(tx, 100.0)
        assert [case.number for case in await cases.browse(tx, "discord", "g1")] == [3, 1]


async def test_of_an_account_that_is_no_more_not_even_the_id_stays(database: Database) -> None:
    other = Asker("discord", "2")
    await add(database, CASE, replace(CASE, actor=ADA, target=other), replace(CASE, target=BOB))
    async with database.transaction() as tx:
        await cases.unname(tx, (ADA, BOB))
        first, second, third = [await cases.get(tx, "discord", "g1", number) for number in (1, 2, 3)]
        assert first == replace(CASE, number=1, target=Asker("discord", cases.DELETED))
        assert second == replace(CASE, number=2, actor=Asker("discord", cases.DELETED), target=other)
        assert third == replace(CASE, number=3, target=Asker("telegram", cases.DELETED))
        assert not (await tx.execute(text("SELECT 1 FROM cases WHERE target_id = '1' OR actor_id = '1'"))).all()


async def test_a_reason_with_half_a_character_is_kept_without_it(database: Database) -> None:
    await add(database, replace(CASE, reason="no \ud83d good"))
    async with database.reading() as tx:
        found = await cases.get(tx, "discord", "g1", 1)
    assert found is not None
    assert found.reason == "no ? good"
