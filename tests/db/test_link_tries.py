"""Codes that were not good count against the identity that tried them, for a while."""

from __future__ import annotations

from db import link_tries
from db.database import Database
from db.records import Asker

ADA, BOB = Asker("telegram", "1"), Asker("discord", "1")


async def test_tries_count_for_their_identity_since_a_moment(database: Database) -> None:
    async with database.transaction() as tx:
        for now in (10.0, 20.0, 30.0):
            await link_tries.note(tx, ADA, now)
        await link_tries.note(tx, BOB, 30.0)
        assert await link_tries.count(tx, ADA, since=10.0) == 2
        assert await link_tries.count(tx, BOB, since=10.0) == 1


async def test_old_tries_are_forgotten(database: Database) -> None:
    async with database.transaction() as tx:
        await link_tries.note(tx, ADA, 10.0)
        await link_tries.note(tx, ADA, 20.0)
        await link_tries.forget(tx, before=10.0)
        assert await link_tries.count(tx, ADA, since=0.0) == 1
