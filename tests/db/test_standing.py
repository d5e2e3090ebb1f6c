"""How people stand in a place: points decay, the gravest curb counts, and both count for the person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from db import people, standing
from db.database import Database
from db.records import EVERYWHERE, Asker, Curb, Restriction, Standing, Strike

ADA, BOB, EVE = Asker("discord", "1"), Asker("telegram", "1"), Asker("discord", "2")
STRIKE = Strike("s1", "discord", "g1", ADA, 1, 3, 10.0, 100.0)
MUTE = Restriction("r1", "discord", "g1", ADA, Curb.MUTE, 4, 10.0, 50.0)


async def stands(database: Database, asker: Asker = ADA, place: str = "g1", now: float = 20.0) -> Standing:
    async with database.reading() as tx:
        return await standing.standing(tx, asker, "discord", place, now)


async def lay_down(database: Database, *laid: Strike | Restriction) -> None:
    async with database.transaction() as tx:
        for one in laid:
            await (standing.strike(tx, one) if isinstance(one, Strike) else standing.restrict(tx, one))


async def test_nobody_has_anything_against_a_newcomer(database: Database) -> None:
    assert await stands(database) == Standing(0, None, None)


async def test_points_add_up_until_each_of_them_decays(database: Database) -> None:
    await lay_down(database, STRIKE, replace(STRIKE, id="s2", points=2, until=30.0))
    assert [(await stands(database, now=now)).points for now in (20.0, 29.9, 30.0, 99.9, 100.0)] == [3, 3, 1, 1, 0]


async def test_nothing_of_one_place_counts_in_another_and_what_holds_everywhere_does(database: Database) -> None:
    await lay_down(database, STRIKE, MUTE, replace(STRIKE, id="s2", asker=EVE))
    assert await stands(database, place="g2") == Standing()
    async with database.reading() as tx:
        assert await standing.standing(tx, ADA, "telegram", "g1", 20.0) == Standing()
        assert await standing.strikes_of(tx, ADA, "discord", "g2") == []
        assert await standing.restrictions_of(tx, ADA, "discord", "g2") == []
    surface, place = EVERYWHERE
    await lay_down(database, replace(MUTE, id="r2", surface=surface, place=place, curb=Curb.BAN, until=None))
    assert await stands(database, place="g2") == Standing(0, Curb.BAN, None)
    assert await stands(database) == Standing(1, Curb.BAN, None)


@pytest.mark.parametrize(
    ("curbs", "gravest", "until"),
    [
        ([(Curb.COOL_DOWN, 90.0), (Curb.MUTE, 30.0)], Curb.MUTE, 30.0),
        ([(Curb.MUTE, 30.0), (Curb.MUTE, 60.0), (Curb.COOL_DOWN, None)], Curb.MUTE, 60.0),
        ([(Curb.MUTE, 30.0), (Curb.MUTE, None)], Curb.MUTE, None),
        ([(Curb.BAN, 19.0), (Curb.COOL_DOWN, 21.0)], Curb.COOL_DOWN, 21.0),
        ([(Curb.BAN, 20.0)], None, None),
    ],
)
async def test_the_gravest_curb_that_still_holds_is_told_with_its_end(
    database: Database, curbs: list[tuple[Curb, float | None]], gravest: Curb | None, until: float | None
) -> None:
    laid = [replace(MUTE, id=f"r{n}", curb=curb, until=end) for n, (curb, end) in enumerate(curbs)]
    await lay_down(database, *laid)
    assert await stands(database) == Standing(0, gravest, until)


async def test_what_one_identity_got_counts_for_the_person(database: Database) -> None:
    await lay_down(database, STRIKE, replace(STRIKE, id="s2", asker=BOB, created_at=11.0), replace(MUTE, asker=BOB))
    assert await stands(database) == Standing(1)
    async with database.transaction() as tx:
        await people.offer(tx, ADA, "h", 9.0)
        await people.join(tx, BOB, "h", 1.0)
    assert await stands(database) == await stands(database, BOB) == Standing(2, Curb.MUTE, 50.0)
    async with database.transaction() as tx:
        assert [strike.id for strike in await standing.strikes_of(tx, BOB, "discord", "g1")] == ["s2", "s1"]
        assert [held.id for held in await standing.restrictions_of(tx, ADA, "discord", "g1")] == ["r1"]
        assert await standing.lift(tx, ADA, "discord", "g1", 20.0) == 3
    assert await stands(database, BOB) == Standing()


async def test_lifting_ends_what_counts_here_and_is_remembered(database: Database) -> None:
    await lay_down(database, STRIKE, replace(STRIKE, id="s2", until=15.0), replace(STRIKE, id="s3", place="g2"), MUTE)
    async with database.transaction() as tx:
        assert await standing.lift(tx, EVE, "discord", "g1", 20.0) == 0
        assert await standing.lift(tx, ADA, "discord", "g1", 20.0) == 2
        assert await standing.lift(tx, ADA, "discord", "g1", 21.0) == 0
        assert await standing.strikes_of(tx, ADA, "discord", "g1") == [
            replace(STRIKE, lifted_at=20.0),
            replace(STRIKE, id="s2", until=15.0),
        ]
        assert await standing.restrictions_of(tx, ADA, "discord", "g1") == [replace(MUTE, lifted_at=20.0)]
    assert await stands(database) == Standing()
    assert await stands(database, place="g2") == Standing(1)


async def link(database: Database, one: Asker, other: Asker) -> None:
    async with database.transaction() as tx:
        await people.offer(tx, one, "h", 9.0)
        await people.join(tx, other, "h", 1.0)


async def part(database: Database, asker: Asker) -> None:
    async with database.transaction() as tx:
        await standing.share(tx, asker, 20.0)
        await people.leave(tx, asker)


@pytest.mark.parametrize("leaving", [ADA, EVE])
async def test_whoever_parts_takes_along_what_counts_against_the_person(database: Database, leaving: Asker) -> None:
    ban = replace(MUTE, id="r2", curb=Curb.BAN, case=5, until=None, asker=EVE)
    await lay_down(database, STRIKE, replace(STRIKE, id="s2", case=4, until=15.0), MUTE, ban)
    await link(database, ADA, EVE)
    before = await stands(database)
    await part(database, leaving)
    assert await stands(database, ADA) == await stands(database, EVE) == before == Standing(1, Curb.BAN, None)


async def test_what_was_taken_along_counts_once_where_people_link_again(database: Database) -> None:
    await lay_down(database, STRIKE, MUTE)
    for _ in range(2):
        await link(database, ADA, EVE)
        await part(database, EVE)
    await link(database, ADA, EVE)
    assert await stands(database) == await stands(database, EVE) == Standing(1, Curb.MUTE, 50.0)
    async with database.reading() as tx:
        assert len(await standing.strikes_of(tx, EVE, "discord", "g1")) == 1
        assert len(await standing.restrictions_of(tx, EVE, "discord", "g1")) == 1


async def test_nothing_is_taken_along_to_where_an_identity_can_never_be(database: Database) -> None:
    surface, place = EVERYWHERE
    await lay_down(database, STRIKE, replace(MUTE, surface=surface, place=place))
    await link(database, ADA, BOB)
    await part(database, BOB)
    async with database.reading() as tx:
        assert await standing.strikes_of(tx, BOB, "discord", "g1") == []
    assert await stands(database, BOB) == Standing(0, Curb.MUTE, 50.0)


async def test_only_what_is_long_over_is_forgotten(database: Database) -> None:
    forever = replace(MUTE, id="r2", curb=Curb.BAN, until=None)
    lifted = replace(forever, id="r3", lifted_at=60.0)
    await lay_down(database, STRIKE, replace(STRIKE, id="s2", until=60.0), MUTE, forever, lifted)
    async with database.transaction() as tx:
        await standing.forget(tx, 61.0)
        assert [strike.id for strike in await standing.strikes_of(tx, ADA, "discord", "g1")] == ["s1"]
        assert await standing.restrictions_of(tx, ADA, "discord", "g1") == [forever]
