"""Prompts that moderators found harmless: let through in their place, and a lesson for the filter."""

from __future__ import annotations

from dataclasses import replace

from db import allowed
from db.database import Database
from db.records import Ruling, Verdict

WRONG = Verdict(Ruling.REFUSED, "V2", "too bloody", ("V2.a", "V2.b"), "plain", "p1")


async def test_what_was_found_harmless_is_let_through_in_its_place_alone(database: Database) -> None:
    async with database.transaction() as tx:
        await allowed.add(tx, "discord", "g1", "ein roter käfer", WRONG, 3, True, 5.0)
        await allowed.add(tx, "discord", "g1", "a bloody mary", WRONG, 4, True, 5.0)
        await allowed.add(tx, "discord", "g2", "a crimson tide", WRONG, 1, True, 5.0)
        assert await allowed.prompts(tx, "discord", "g1") == ("a bloody mary", "ein roter käfer")
        assert await allowed.prompts(tx, "telegram", "g1") == ()
        assert await allowed.remove(tx, "discord", "g1", "a bloody mary")
        assert not await allowed.remove(tx, "discord", "g1", "a bloody mary")
        assert not await allowed.remove(tx, "discord", "g1", "a crimson tide")
        assert await allowed.prompts(tx, "discord", "g1") == ("ein roter käfer",)
        assert await allowed.prompts(tx, "discord", "g2") == ("a crimson tide",)


async def test_what_can_not_be_loosened_is_a_lesson_alone(database: Database) -> None:
    grave = replace(WRONG, category="C2")
    async with database.transaction() as tx:
        await allowed.add(tx, "discord", "g1", "a", grave, 3, False, 5.0)
        await allowed.add(tx, "discord", "g1", "b", WRONG, 4, True, 5.0)
        assert await allowed.prompts(tx, "discord", "g1") == ("b",)
        assert await allowed.exported(tx) == [
            ("discord", "g1", "a", grave, False),
            ("discord", "g1", "b", WRONG, True),
        ]


async def test_a_second_lesson_takes_nothing_back(database: Database) -> None:
    other = replace(WRONG, rules=("V2.c",))
    async with database.transaction() as tx:
        await allowed.add(tx, "discord", "g1", "a", WRONG, 3, False, 5.0)
        await allowed.add(tx, "discord", "g1", "a", other, 4, True, 6.0)
        assert await allowed.exported(tx) == [("discord", "g1", "a", other, True)]
        await allowed.add(tx, "discord", "g1", "a", WRONG, 5, False, 7.0)
        assert await allowed.prompts(tx, "discord", "g1") == ("a",)
