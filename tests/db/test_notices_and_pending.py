"""Sentences that are told once, and what waits to be confirmed by whoever asked for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from db import notices, pending
from db.database import Database
from db.records import Address, Asker, Caller, Handle, Notice, Pending
from db.tables import notices as table

ADA, BOB = Asker("discord", "1"), Asker("discord", "2")
HERE = Address("discord", "g1", "t")
NOTICE = Notice("n1", Handle(HERE, "m1"), ADA, "Your clip was removed by the moderators.", 10.0)
ASKED = Pending("p1", ADA, "discord", "g1", "purge", (("member", "2"), ("hours", "1"), ("hours", "2")), 100.0)


async def due(database: Database, now: float = 50.0, surfaces: tuple[str, ...] = ("discord",)) -> list[Notice]:
    async with database.reading() as tx:
        return await notices.due(tx, surfaces, now, 10)


async def add(database: Database, *wanted: Notice) -> None:
    async with database.transaction() as tx:
        for notice in wanted:
            await notices.add(tx, notice)


async def test_notices_fall_due_on_their_surface_the_oldest_first(database: Database) -> None:
    elsewhere = replace(NOTICE, id="n3", handle=Handle(Address("web", "main"), "m"))
    await add(database, replace(NOTICE, id="n2", created_at=20.0), NOTICE, elsewhere)
    assert await due(database, 9.0) == []
    assert await due(database, 10.0) == [NOTICE]
    assert [notice.id for notice in await due(database)] == ["n1", "n2"]
    assert await due(database, surfaces=("web", "telegram")) == [elsewhere]
    async with database.reading() as tx:
        assert await notices.due(tx, ["discord"], 50.0, 1) == [NOTICE]
        assert await notices.next_due_at(tx, ["discord"]) == 10.0
        assert await notices.next_due_at(tx, ["telegram"]) is None


async def test_a_notice_is_told_once(database: Database) -> None:
    await add(database, NOTICE)
    async with database.transaction() as tx:
        assert await notices.sent(tx, "n1", 11.0)
        assert not await notices.sent(tx, "n1", 12.0)
        assert not await notices.give_up(tx, "n1", "gone", 12.0)
        await notices.postpone(tx, "n1", 13.0)
        assert not await notices.sent(tx, "nobody", 12.0)
    assert await due(database) == []


async def test_a_notice_that_could_not_be_told_comes_again_and_knows_how_often(database: Database) -> None:
    await add(database, NOTICE)
    async with database.transaction() as tx:
        await notices.postpone(tx, "n1", 30.0)
        await notices.postpone(tx, "n1", 40.0)
        assert await notices.next_due_at(tx, ["discord"]) == 40.0
    assert await due(database, 39.0) == []
    assert await due(database, 40.0) == [replace(NOTICE, attempts=2)]
    async with database.transaction() as tx:
        assert await notices.give_up(tx, "n1", "the card is gone", 41.0)
    assert await due(database) == []


async def test_only_notices_that_were_told_long_ago_are_forgotten(database: Database) -> None:
    await add(database, NOTICE, replace(NOTICE, id="n2"))
    async with database.transaction() as tx:
        await notices.sent(tx, "n1", 11.0)
        await notices.forget(tx, 11.0)
        left = select(table.c.id).order_by(table.c.id)
        assert (await tx.execute(left)).scalars().all() == ["n1", "n2"]
        await notices.forget(tx, 12.0)
        assert (await tx.execute(left)).scalars().all() == ["n2"]


async def test_what_was_asked_for_is_taken_once(database: Database) -> None:
    async with database.transaction() as tx:
        await pending.keep(tx, ASKED)
        await pending.keep(tx, replace(ASKED, id="p2"))
        assert await pending.take(tx, "p1", Caller(ADA, HERE), 99.0) == ASKED
        assert await pending.take(tx, "p1", Caller(ADA, HERE), 99.0) is None
        assert await pending.take(tx, "nobody", Caller(ADA, HERE), 99.0) is None
        assert await pending.take(tx, "p2", Caller(ADA, Address("discord", "g1", "other")), 99.0) is not None


@pytest.mark.parametrize(
    ("caller", "now"),
    [
        (Caller(BOB, HERE), 50.0),
        (Caller(Asker("telegram", "1"), HERE), 50.0),
        (Caller(ADA, Address("discord", "g2", "t")), 50.0),
        (Caller(ADA, Address("telegram", "g1", "t")), 50.0),
        (Caller(ADA, HERE), 100.0),
    ],
    ids=["somebody else", "a namesake", "another place", "another surface", "too late"],
)
async def test_nobody_else_nowhere_else_and_not_too_late_is_it_confirmed(
    database: Database, caller: Caller, now: float
) -> None:
    async with database.transaction() as tx:
        await pending.keep(tx, ASKED)
        assert await pending.take(tx, "p1", caller, now) is None
        assert await pending.take(tx, "p1", Caller(ADA, HERE), 50.0) == ASKED  # the wrong one took nothing away


async def test_what_nobody_confirmed_in_time_is_forgotten(database: Database) -> None:
    async with database.transaction() as tx:
        await pending.keep(tx, ASKED)
        await pending.keep(tx, replace(ASKED, id="p2", until=101.0))
        await pending.forget(tx, 100.0)
        assert await pending.take(tx, "p1", Caller(ADA, HERE), 0.0) is None
        assert await pending.take(tx, "p2", Caller(ADA, HERE), 0.0) is not None
