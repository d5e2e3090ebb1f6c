"""The moderators' sign-in: links are good once, sessions end, and only hashes of secrets are there."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from db import console
from db.database import Database
from db.records import Asker, ConsoleSession

ADA, BOB = Asker("discord", "1"), Asker("discord", "2")
LINK = ConsoleSession(ADA, "discord", "g1", 10.0, 100.0)


async def test_a_link_is_good_once_before_its_time_is_over(database: Database) -> None:
    async with database.transaction() as tx:
        await console.offer(tx, "h1", LINK)
        await console.offer(tx, "h2", replace(LINK, asker=BOB))
        assert await console.enter(tx, "nonsense", 50.0) is None
        assert await console.enter(tx, "h1", 50.0) == replace(LINK, created_at=50.0)
        assert await console.enter(tx, "h1", 50.0) is None
        assert await console.enter(tx, "h2", 100.0) is None


async def test_two_browsers_with_one_link_do_not_both_get_in(database: Database, database_url: str) -> None:
    other = await Database.open(database_url)

    async def enter(connected: Database) -> bool:
        async with connected.transaction() as tx:
            return await console.enter(tx, "h1", 50.0) is not None

    async with database.transaction() as tx:
        await console.offer(tx, "h1", LINK)
    assert sorted(await asyncio.gather(enter(database), enter(other), enter(database))) == [False, False, True]
    await other.close()


async def test_only_the_last_link_of_somebody_for_a_place_is_good(database: Database) -> None:
    async with database.transaction() as tx:
        await console.offer(tx, "h1", LINK)
        await console.offer(tx, "h2", LINK)
        await console.offer(tx, "h3", replace(LINK, place="g2"))
        assert await console.enter(tx, "h1", 50.0) is None
        assert await console.enter(tx, "h2", 50.0) is not None
        assert await console.enter(tx, "h3", 50.0) == replace(LINK, place="g2", created_at=50.0)


async def test_somebody_is_signed_in_until_it_ends_or_they_sign_out(database: Database) -> None:
    operator = replace(LINK, asker=BOB, operator=True, surface="", place="")
    async with database.transaction() as tx:
        await console.begin(tx, "s1", LINK)
        await console.begin(tx, "s2", operator)
        assert await console.session(tx, "s1", 99.0) == LINK
        assert await console.session(tx, "s1", 100.0) is None
        assert await console.session(tx, "s2", 99.0) == operator
        assert await console.session(tx, "nonsense", 99.0) is None
        await console.end(tx, "s1")
        assert await console.session(tx, "s1", 99.0) is None
        assert await console.session(tx, "s2", 99.0) == operator


async def test_somebody_can_be_signed_out_everywhere(database: Database) -> None:
    async with database.transaction() as tx:
        await console.offer(tx, "h1", LINK)
        await console.begin(tx, "s1", LINK)
        await console.begin(tx, "s2", replace(LINK, place="g2"))
        await console.begin(tx, "s3", replace(LINK, asker=BOB))
        await console.end_of(tx, ADA)
        assert await console.enter(tx, "h1", 50.0) is None
        assert [await console.session(tx, secret, 50.0) is not None for secret in ("s1", "s2", "s3")] == [
            False,
            False,
            True,
        ]


async def test_what_is_past_its_time_is_forgotten(database: Database) -> None:
    async with database.transaction() as tx:
        await console.offer(tx, "h1", LINK)
        await console.begin(tx, "s1", LINK)
        await console.begin(tx, "s2", replace(LINK, until=101.0))
        await console.forget(tx, 100.0)
        assert await console.enter(tx, "h1", 0.0) is None
        assert await console.session(tx, "s1", 0.0) is None
        assert await console.session(tx, "s2", 0.0) is not None
