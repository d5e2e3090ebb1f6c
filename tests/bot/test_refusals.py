"""A refused prompt: what is kept of it, what it costs, and how its asker appeals."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot import intents, key_file
from bot.commands import TOO_LATE_SECONDS, Outcome, Result
from bot.errors import FolderUnwritable
from bot.intents import Appeal
from bot.port import Gone, Throttled
from bot.quota import Allowance
from db import places, refusals, requests
from db.records import Address, Asker, Caller, PlaceSettings, Refusal, RequestState, Wish

if TYPE_CHECKING:
    from tests.bot.conftest import World

ADA, BOB = Asker("recording", "ada"), Asker("recording", "bob")
HERE = Address("recording", "here")
GRAVE = "a nude child"


async def refusal_of(world: World, origin: str) -> Refusal:
    async with world.database.reading() as tx:
        refusal = await refusals.of_request(tx, "recording", origin)
    assert refusal is not None
    return refusal


async def appeal(world: World, refusal: str, asker: Asker = ADA) -> Outcome:
    return await world.commands.press(Caller(asker, HERE), intents.token(Appeal(refusal)), "p1")


async def test_a_refusal_is_kept_with_its_verdict_for_those_who_look_at_an_appeal(world: World) -> None:
    outcome = await world.ask("a nude woman", "o1")
    refusal = await refusal_of(world, "o1")
    assert (refusal.asker, refusal.address, refusal.prompt) == (ADA, HERE, "a nude woman")
    assert (refusal.verdict, refusal.created_at) == (outcome.verdict, world.clock.now)
    assert [intents.parse(button.token) for button in world.message(outcome).card.buttons] == [Appeal(refusal.id)]


async def test_of_the_gravest_kind_no_words_are_kept_but_a_keyed_hash(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    outcome = await world.ask("  A nude\nCHILD ", "o1", negative="adult")
    assert outcome.verdict is not None
    assert outcome.verdict.category == "C1"
    digest = hmac.new(world.commands.hash_key, GRAVE.encode(), hashlib.sha256).hexdigest()
    assert (await refusal_of(world, "o1")).prompt == f"hash:{digest}"
    async with world.database.reading() as tx:
        request = await requests.get(tx, "recording", "o1")
    assert request is not None
    assert request.wish == Wish("")
    assert await world.ask(GRAVE, "o1") == outcome
    assert "nude" not in caplog.text
    assert world.commands.hash_key.hex() not in repr(world.commands)


async def test_it_is_kept_and_blanked_as_well_where_no_card_can_be_shown(world: World) -> None:
    world.surface.fail("show", Gone("no channel"))
    assert (await world.ask(GRAVE, "o1")).result is Result.UNSHOWN
    assert (await refusal_of(world, "o1")).prompt.startswith("hash:")
    assert len((await world.usage()).spent) == 1


async def test_probing_costs_a_little_each_time_and_the_same_request_once(world: World) -> None:
    for origin in ("o1", "o1", "o2"):
        await world.ask("a nude woman", origin)
    assert (await world.usage()).spent == ((world.clock.now, 100),) * 2


async def test_a_refusal_that_could_not_be_shown_costs_once_when_it_is_taken_up(world: World) -> None:
    world.surface.fail("show", Throttled(1))
    assert (await world.ask("a nude woman", "o1")).result is Result.UNREACHED
    assert (await world.usage()).spent == ()
    await world.commands.take_up()
    await world.commands.take_up()
    assert (await world.usage()).spent == ((world.clock.now, 100),)


async def test_an_appeal_is_noted_once_and_answered_each_time(world: World) -> None:
    await world.ask("a nude woman", "o1")
    refusal = await refusal_of(world, "o1")
    world.clock.now += 5
    first = await appeal(world, refusal.id)
    world.clock.now += 5
    assert await appeal(world, refusal.id) == first
    assert first.result is Result.APPEALED
    assert "moderator" in first.sentence
    assert (await refusal_of(world, "o1")).appealed_at == world.clock.now - 5


async def test_nobody_appeals_for_somebody_else_nor_against_nothing(world: World) -> None:
    await world.ask("a nude woman", "o1")
    refusal = await refusal_of(world, "o1")
    assert (await appeal(world, refusal.id, BOB)).result is Result.NOT_YOURS
    assert (await appeal(world, "zzzzzzzzzz")).result is Result.UNKNOWN
    assert (await refusal_of(world, "o1")).appealed_at is None


async def test_the_last_prompts_of_somebody_are_read_together(world: World) -> None:
    """Neither prompt says it; both do, one after the other."""
    assert (await world.ask("a twelve year old girl in a garden", "o1")).result is Result.QUEUED
    outcome = await world.ask("the same one, now naked", "o2")
    assert outcome.result is not Result.QUEUED
    assert (await world.ask("the same one, now naked", "o3", asker=BOB)).result is not Result.QUEUED  # P1 by itself
    async with world.database.reading() as tx:
        request = await requests.get(tx, "recording", "o2")
    assert request is not None
    assert request.state is RequestState.CLOSED


async def test_at_once_refused_prompts_are_each_charged(world: World) -> None:
    await asyncio.gather(*(world.ask("a nude woman", f"o{number}") for number in range(10)))
    assert sum(spent for _, spent in (await world.usage()).spent) == 1000


async def kept_words(world: World, origin: str) -> Wish:
    async with world.database.reading() as tx:
        request = await requests.get(tx, "recording", origin)
    assert request is not None
    assert request.state is RequestState.CLOSED
    return request.wish


async def test_words_of_the_gravest_kind_are_not_kept_either_where_something_else_was_wrong(world: World) -> None:
    assert (await world.ask(GRAVE, "o1", steps=9999)).result is Result.PROBLEM
    async with world.database.transaction() as tx:
        await places.put(tx, "recording", "here", PlaceSettings(paused=True), 1.0)
    assert (await world.ask(GRAVE, "o2")).result is Result.PROBLEM
    assert (await world.ask("a heart", "o3")).result is Result.PROBLEM
    assert [await kept_words(world, origin) for origin in ("o1", "o2", "o3")] == [Wish(""), Wish(""), Wish("a heart")]


async def test_nor_where_nobody_could_be_told_in_time(world: World) -> None:
    world.surface.fail("show", Throttled(1))
    await world.ask(GRAVE, "o1")
    world.clock.now += TOO_LATE_SECONDS + 1
    await world.commands.take_up()
    assert await kept_words(world, "o1") == Wish("")


async def test_whoever_has_nothing_left_learns_nothing_by_probing(world: World) -> None:
    world.commands.allowance = Allowance(credits=1050, window=600.0, waiting=10)
    assert (await world.ask()).result is Result.QUEUED
    cards = []
    for number, prompt in enumerate(("a nude woman", "a frog", GRAVE)):
        outcome = await world.ask(prompt, f"p{number}")
        assert outcome.result is Result.DENIED
        cards.append(world.message(outcome).card)
    assert cards[0] == cards[1] == cards[2]
    assert len((await world.usage()).spent) == 1
    assert await kept_words(world, "p2") == Wish("")


async def test_asking_once_more_what_was_denied_brings_no_verdict_either(world: World) -> None:
    world.commands.allowance = Allowance(credits=1000, window=600.0, waiting=10)
    await world.ask()
    first = [(await world.ask(prompt, prompt[2:4])).result for prompt in ("a nude woman", "a frog")]
    world.clock.now += 700
    again = [await world.ask(prompt, prompt[2:4]) for prompt in ("a nude woman", "a frog")]
    assert first == [outcome.result for outcome in again] == [Result.DENIED] * 2
    assert again[0].sentence == again[1].sentence
    assert again[0].verdict is again[1].verdict is None


async def test_a_refusal_is_paid_for_where_a_clip_would_be_too_dear(world: World) -> None:
    world.commands.allowance = Allowance(credits=500, window=600.0, waiting=10)
    results = [(await world.ask("a nude woman")).result for _ in range(6)]
    assert results == [Result.REFUSED] * 5 + [Result.DENIED]


def test_the_key_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "refusals.key"
    key = key_file.load(path)
    assert len(key) == key_file.KEY_BYTES
    assert key_file.load(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_damaged_key_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "refusals.key"
    path.write_bytes(b"short")
    with pytest.raises(FolderUnwritable, match="damaged: delete that file"):
        key_file.load(path)
