"""What runners say of themselves: their models and that they live."""

from __future__ import annotations

from sqlalchemy import select

from db import models, runners
from db.database import Database
from db.records import Defaults, ModelFacts, ModelLimits, Range
from db.tables import runners as table

POCKET = ModelFacts(
    "pocket",
    "The pocket model",
    "unet3d",
    Defaults(12, 7.5, 8, 32, 32, 8, "dpm++"),
    ModelLimits(Range(1, 50), Range(1, 16), Range(16, 64), 8),
    crisp=True,
    suggestions=("a heart bouncing on blue", "a star spinning"),
)
BIG = ModelFacts("big", "ModelScope", "unet3d", POCKET.defaults, POCKET.limits)


async def test_facts_come_back_as_they_were_announced_in_their_order(database: Database) -> None:
    async with database.transaction() as tx:
        await models.announce(tx, "r1", [POCKET, BIG], now=1.0)
        assert await models.known(tx) == [POCKET, BIG]


async def test_a_new_announcement_replaces_the_runners_last_one(database: Database) -> None:
    async with database.transaction() as tx:
        await models.announce(tx, "r1", [POCKET, BIG], now=1.0)
        await models.announce(tx, "r2", [POCKET], now=1.0)
        await models.announce(tx, "r1", [BIG], now=2.0)
        assert await models.known(tx) == [BIG, POCKET]
        await models.announce(tx, "r1", [], now=3.0)
        assert await models.known(tx) == [POCKET]


async def test_of_two_runners_with_the_same_model_the_latest_word_holds(database: Database) -> None:
    newer = ModelFacts("pocket", "The pocket model, second version", "unet3d", POCKET.defaults, POCKET.limits)
    async with database.transaction() as tx:
        await models.announce(tx, "r1", [newer], now=2.0)
        await models.announce(tx, "r2", [POCKET], now=1.0)
        assert await models.known(tx) == [newer]


async def test_what_a_runner_had_that_is_gone_is_offered_only_until_another_knows_better(database: Database) -> None:
    async with database.transaction() as tx:
        await models.announce(tx, "renamed since", [BIG], now=1.0)
        await models.announce(tx, "r1", [POCKET], now=1.0 + models.GONE_SECONDS)
        assert len(await models.known(tx)) == 2
        await models.announce(tx, "r1", [POCKET], now=2.0 + models.GONE_SECONDS)
        assert await models.known(tx) == [POCKET]


async def test_of_a_runner_its_last_sign_of_life_is_kept(database: Database) -> None:
    async with database.transaction() as tx:
        await runners.seen(tx, "r2", "cpu", now=5.0)
        await runners.seen(tx, "r1", "cpu", now=5.0)
        await runners.seen(tx, "r1", "cuda", now=10.0)
        assert set(await tx.execute(select(table))) == {("r1", "cuda", 10.0), ("r2", "cpu", 5.0)}
