"""Steps 2 to 6 of the way of a clip, and what a start takes up, on a real database."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot import intents
from bot.cards import HELD_SECONDS, Card
from bot.commands import TOO_LATE_SECONDS, Result
from bot.port import Gone, Limits, Refused, SurfaceError, Throttled, Unreachable
from bot.quota import Allowance
from bot.surfaces.recording import RecordingSurface
from db import models, queue, requests
from db.records import Address, Asker, Caller, Handle, JobState, Request, RequestState, Ruling, Wish

if TYPE_CHECKING:
    from tests.bot.conftest import World

ADA = Asker("recording", "ada")


async def request_of(world: World, origin: str) -> Request:
    async with world.database.reading() as tx:
        found = await requests.get(tx, "recording", origin)
    assert found is not None
    return found


async def waiting(world: World) -> int:
    async with world.database.reading() as tx:
        return len(await queue.waiting(tx))


async def test_a_request_becomes_a_queued_job_with_its_card_and_its_reservation(world: World) -> None:
    outcome = await world.ask("a heart bouncing on blue", "o1", steps=8)

    job = await world.job(outcome.job)
    assert outcome.result is Result.QUEUED
    assert (job.state, job.cost, job.format, job.spec.steps) == (JobState.QUEUED, 2000, "gif", 8)
    assert job.handle == outcome.handle
    assert (await world.usage()).spent == ((world.clock.now, 2000),)
    assert world.message(outcome).card.status == "Next in line."
    assert intents.parse(world.message(outcome).card.buttons[0].token) == intents.Cancel(job.id)
    request = await request_of(world, "o1")
    assert (request.state, request.job, request.message) == (RequestState.TAKEN, job.id, job.handle.message)


async def test_seen_twice_it_acts_once_and_gives_the_first_outcome(world: World) -> None:
    first = await world.ask(origin="o1")
    second = await world.ask(origin="o1")

    assert (second.result, second.job, second.handle) == (first.result, first.job, first.handle)
    assert len(world.surface.messages) == await waiting(world) == 1


async def test_seen_many_times_at_once_it_acts_once(world: World) -> None:
    outcomes = await asyncio.gather(*(world.ask(origin="o1") for _ in range(8)))

    assert await waiting(world) == len(world.surface.messages) == 1
    assert {outcome.job for outcome in outcomes} <= {"", (await request_of(world, "o1")).job}


async def test_a_wrong_wish_gets_a_card_and_costs_nothing(world: World) -> None:
    outcome = await world.ask(origin="o1", width=17, height=33)

    assert outcome.result is Result.PROBLEM
    assert "16x32" in outcome.sentence
    assert world.message(outcome).card.status == outcome.sentence
    assert (await request_of(world, "o1")).state is RequestState.CLOSED
    assert await world.usage() == (await world.usage(Asker("recording", "nobody")))
    assert await world.ask(origin="o1", width=17, height=33) == outcome


async def test_what_is_far_too_long_is_not_stored(world: World) -> None:
    outcome = await world.ask("secret " * 100_000, "o1")

    assert outcome.result is Result.PROBLEM
    assert len((await request_of(world, "o1")).wish.prompt) <= 1001


async def test_a_refused_prompt_is_closed_and_not_repeated(world: World) -> None:
    outcome = await world.ask("a nude woman", "o1")

    assert outcome.result is Result.REFUSED
    assert outcome.verdict is not None
    assert outcome.verdict.category == "P1"
    assert "nude woman" not in repr(world.message(outcome).cards)
    assert (await request_of(world, "o1")).state is RequestState.CLOSED
    assert (await world.usage()).spent == ((world.clock.now, 100),)
    assert await world.ask("a nude woman", "o1") == outcome
    assert (await world.usage()).spent == ((world.clock.now, 100),)


async def test_a_held_prompt_is_reserved_and_waits_for_a_moderator(world: World) -> None:
    outcome = await world.ask("suicide in a forest")

    assert outcome.result is Result.HELD
    assert (await world.job(outcome.job)).state is JobState.HELD
    assert (await world.usage()).spent == ((world.clock.now, 1000),)
    assert await waiting(world) == 0
    assert "moderator" in world.message(outcome).card.status


async def test_a_labelled_prompt_is_made_with_its_mark(world: World) -> None:
    outcome = await world.ask("cctv of a street in Paris")

    assert outcome.result is Result.QUEUED
    assert (await world.job(outcome.job)).verdict.ruling is Ruling.LABELLED
    assert "Label" in dict(world.message(outcome).card.facts)


async def test_no_model_announced_yet(world: World) -> None:
    async with world.database.transaction() as tx:
        await models.announce(tx, "r1", [], world.clock())

    outcome = await world.ask()
    assert outcome.result is Result.PROBLEM
    assert "still starting" in outcome.sentence


async def test_spent_credit_is_denied_until_it_comes_back(world: World) -> None:
    world.commands.allowance = Allowance(credits=1500, window=600.0, waiting=10)
    await world.ask()
    world.clock.now += 60

    outcome = await world.ask(origin="o2")
    assert outcome.result is Result.DENIED
    assert outcome.sentence.endswith("this fits again in 9 min.")
    assert (await request_of(world, "o2")).state is RequestState.CLOSED
    world.clock.now += 540
    assert (await world.ask()).result is Result.QUEUED


async def test_somebody_elses_credit_is_their_own(world: World) -> None:
    world.commands.allowance = Allowance(credits=1000, window=600.0, waiting=10)
    await world.ask()

    assert (await world.ask()).result is Result.DENIED
    assert (await world.ask(asker=Asker("recording", "bob"))).result is Result.QUEUED


async def test_fifty_at_once_with_credit_for_ten_are_exactly_ten(world: World) -> None:
    world.commands.allowance = Allowance(credits=10_000, window=600.0, waiting=100)

    outcomes = await asyncio.gather(*(world.ask(origin=f"o{number}") for number in range(50)))

    assert Counter(outcome.result for outcome in outcomes) == {Result.QUEUED: 10, Result.DENIED: 40}
    assert await waiting(world) == 10
    usage = await world.usage()
    assert (sum(spent for _, spent in usage.spent), usage.waiting) == (10_000, 10)
    for outcome in outcomes:
        expected = "Not now" if outcome.result is Result.DENIED else "a heart"
        assert world.message(outcome).card.title == expected
    for number in range(50):
        assert (await request_of(world, f"o{number}")).state is not RequestState.RECEIVED


async def test_fifty_at_once_with_five_waiting_allowed_are_exactly_five(world: World) -> None:
    world.commands.allowance = Allowance(credits=100_000, window=600.0, waiting=5)

    outcomes = await asyncio.gather(*(world.ask() for _ in range(50)))
    assert Counter(outcome.result for outcome in outcomes) == {Result.QUEUED: 5, Result.DENIED: 45}


@pytest.mark.parametrize("error", [Gone("no channel"), Refused("no permission")])
async def test_where_nothing_can_be_shown_nothing_is_done(world: World, error: SurfaceError) -> None:
    world.surface.fail("show", error)

    outcome = await world.ask(origin="o1")
    assert outcome.result is Result.UNSHOWN
    assert (await request_of(world, "o1")).state is RequestState.CLOSED
    assert await waiting(world) == 0


@pytest.mark.parametrize("error", [Throttled(3), Unreachable("time-out")])
async def test_what_could_not_be_shown_yet_is_taken_up_again(world: World, error: SurfaceError) -> None:
    world.surface.fail("show", error)

    assert (await world.ask(origin="o1")).result is Result.UNREACHED
    assert (await request_of(world, "o1")).state is RequestState.RECEIVED
    assert (await world.usage()).spent == ()
    await world.commands.take_up()
    assert (await request_of(world, "o1")).state is RequestState.TAKEN
    assert await waiting(world) == 1


async def test_a_crash_after_the_card_was_shown_ends_in_one_job_on_that_card(world: World, here: Address) -> None:
    request = Request("recording", "o1", ADA, here, Wish("a heart"), world.clock())
    async with world.database.transaction() as tx:
        await requests.record(tx, request)
    stale = Card("a heart", "Next in line.", "busy")
    handle = await world.surface.show(here, stale, nonce="o1")  # and then the process died

    await world.commands.take_up()

    job = await world.job((await request_of(world, "o1")).job)
    assert job.handle == handle
    assert list(world.surface.messages) == [handle]
    assert intents.parse(world.message(job).card.buttons[0].token) == intents.Cancel(job.id)
    await world.commands.take_up()
    assert await waiting(world) == 1


async def test_what_was_answered_while_others_were_taken_up_is_not_taken_up_again(
    world: World, here: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.database.transaction() as tx:
        for origin in ("o1", "o2"):
            await requests.record(tx, Request("recording", origin, ADA, here, Wish("a heart"), world.clock()))
    reached, go_on = asyncio.Event(), asyncio.Event()
    limits_of = world.surface.limits

    async def slow_at_first(address: Address) -> Limits:
        if not reached.is_set():
            reached.set()
            await go_on.wait()
        return await limits_of(address)

    monkeypatch.setattr(world.surface, "limits", slow_at_first)
    first = asyncio.create_task(world.commands.take_up())
    await reached.wait()
    await world.commands.take_up()  # answers the second request while the first holds up the other round
    go_on.set()
    await first
    assert await waiting(world) == 2


async def test_a_crash_after_the_handle_was_stored_uses_that_message(world: World, here: Address) -> None:
    handle = await world.surface.show(here, Card("a heart", "Next in line."), nonce="another nonce")
    request = Request("recording", "o1", ADA, here, Wish("a heart"), world.clock())
    async with world.database.transaction() as tx:
        await requests.record(tx, request)
        await requests.set_message(tx, "recording", "o1", handle.message)

    await world.commands.take_up()
    assert list(world.surface.messages) == [handle]
    assert (await world.job((await request_of(world, "o1")).job)).handle == handle


async def test_a_request_that_waited_too_long_is_closed_with_a_sentence(world: World, here: Address) -> None:
    asked_at = world.clock() - TOO_LATE_SECONDS - 1
    async with world.database.transaction() as tx:
        await requests.record(tx, Request("recording", "o1", ADA, here, Wish("a heart"), asked_at))

    await world.commands.take_up()
    request = await request_of(world, "o1")
    assert request.state is RequestState.CLOSED
    assert "please ask again" in world.surface.messages[Handle(here, request.message)].card.status
    assert await waiting(world) == 0


async def test_a_late_request_whose_card_is_gone_is_closed_all_the_same(world: World, here: Address) -> None:
    async with world.database.transaction() as tx:
        await requests.record(tx, Request("recording", "o1", ADA, here, Wish("a heart"), 0.0))
    world.surface.fail("show", Gone("no channel"))

    await world.commands.take_up()
    assert (await request_of(world, "o1")).state is RequestState.CLOSED


@pytest.mark.parametrize("error", [Throttled(3600), Unreachable("time-out")])
async def test_a_late_request_that_can_not_be_told_yet_is_told_later(
    world: World, here: Address, error: SurfaceError
) -> None:
    async with world.database.transaction() as tx:
        await requests.record(tx, Request("recording", "o1", ADA, here, Wish("a heart"), 0.0))
    world.surface.fail("show", error)

    await world.commands.take_up()
    assert (await request_of(world, "o1")).state is RequestState.RECEIVED
    await world.commands.take_up()
    request = await request_of(world, "o1")
    assert request.state is RequestState.CLOSED
    assert "please ask again" in world.surface.messages[Handle(here, request.message)].card.status


async def test_an_address_that_can_not_be_reached_is_tried_once_a_round(world: World, here: Address) -> None:
    there = Address("recording", "there")
    async with world.database.transaction() as tx:
        for number, address in enumerate([here, here, here, there]):
            request = Request("recording", f"o{number}", ADA, address, Wish("a heart"), world.clock() + number)
            await requests.record(tx, request)
    world.surface.fail("show", Throttled(3600))

    await world.commands.take_up()
    assert [handle.address for handle in world.surface.messages] == [there]
    await world.commands.take_up()
    assert len(world.surface.messages) == 4


async def test_a_request_taken_up_again_still_knows_what_it_is_made_from(world: World, here: Address) -> None:
    world.surface.fail("show", Unreachable("time-out"))
    await world.commands.request_clip(Caller(ADA, here), Wish("a heart"), "o1", made_from="clip1")

    await world.commands.take_up()
    assert (await world.job((await request_of(world, "o1")).job)).origin == "clip1"


async def test_taking_up_outlasts_a_database_in_trouble(world: World, caplog: pytest.LogCaptureFixture) -> None:
    failed = asyncio.Event()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            failed.set()

    logging.getLogger("db.trouble").addHandler(listener := Listener())
    async with world.without("jobs"):
        running = asyncio.create_task(world.commands.run())
        await asyncio.wait_for(failed.wait(), 30)
        assert not running.done()
    logging.getLogger("db.trouble").removeHandler(listener)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert "Can't take up what was left: The database" in caplog.text


async def test_taking_up_leaves_alone_what_somebody_is_at(world: World) -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()

    class Slow(RecordingSurface):
        async def show(self, address: Address, card: Card, nonce: str) -> Handle:
            entered.set()
            await go_on.wait()
            return await super().show(address, card, nonce)

    surface = Slow()
    world.on(surface)
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(world.ask(origin="o1"))
        await entered.wait()
        await world.commands.take_up()
        go_on.set()

    assert asked.result().result is Result.QUEUED
    assert await waiting(world) == len(surface.messages) == 1


async def test_a_request_of_a_surface_that_is_off_is_left_for_later(world: World) -> None:
    elsewhere = Request("telegram", "o1", Asker("telegram", "1"), Address("telegram", "1"), Wish("a heart"), 0.0)
    async with world.database.transaction() as tx:
        await requests.record(tx, elsewhere)

    await world.commands.take_up()
    async with world.database.reading() as tx:
        assert await requests.unfinished(tx) == [replace(elsewhere)]


async def test_a_no_that_can_not_be_drawn_is_said_when_it_is_taken_up_again(world: World) -> None:
    """The second look says no, and just then the platform is throttled: the sentence is not lost."""
    world.commands.allowance = Allowance(credits=1000, window=600.0, waiting=10)
    barrier = asyncio.Barrier(2)

    class Together(RecordingSurface):
        async def show(self, address: Address, card: Card, nonce: str) -> Handle:
            await barrier.wait()  # both have looked, and both may
            return await super().show(address, card, nonce)

    surface = Together()
    surface.fail("redraw", Throttled(2))
    world.on(surface)
    outcomes = await asyncio.gather(world.ask(origin="o1"), world.ask(origin="o2"))

    assert {outcome.result for outcome in outcomes} == {Result.QUEUED, Result.UNREACHED}
    await world.commands.take_up()
    titles = Counter(message.card.title for message in surface.messages.values())
    assert titles == {"a heart": 1, "Not now": 1}
    states = {(await request_of(world, origin)).state for origin in ("o1", "o2")}
    assert states == {RequestState.TAKEN, RequestState.CLOSED}


async def test_a_held_job_that_nobody_looks_at_lapses_and_costs_nothing(world: World) -> None:
    outcome = await world.ask("suicide in a forest")
    world.clock.now += HELD_SECONDS - 1
    await world.commands.lapse()
    assert (await world.job(outcome.job)).state is JobState.HELD

    world.clock.now += 1
    await world.commands.lapse()
    assert (await world.job(outcome.job)).state is JobState.CANCELLED
    assert (await world.usage()).spent == ()
    async with world.running(world.progress):
        await world.surface.until(lambda: "lapsed" in world.message(outcome).card.status)


async def test_a_request_that_breaks_something_keeps_no_other_from_being_taken_up(world: World, here: Address) -> None:
    class Broken(RecordingSurface):
        async def show(self, address: Address, card: Card, nonce: str) -> Handle:
            if nonce == "o1":
                raise RuntimeError("a bug")
            return await super().show(address, card, nonce)

    world.on(Broken())
    async with world.database.transaction() as tx:
        for origin in ("o1", "o2"):
            await requests.record(tx, Request("recording", origin, ADA, here, Wish("a heart"), world.clock()))

    await world.commands.take_up()
    assert (await request_of(world, "o1")).state is RequestState.RECEIVED
    assert (await request_of(world, "o2")).state is RequestState.TAKEN


async def test_a_waiting_card_is_right_at_once_and_not_drawn_again(world: World, here: Address) -> None:
    await world.rendered()
    first, second = await world.ask(), await world.ask()
    now = world.clock.now
    async with world.running(world.progress):
        await world.claim((await world.ask()).job)
        await world.commands.press(Caller(ADA, here), intents.token(intents.Cancel(first.job)), "p1")
        await world.surface.until(lambda: world.message(second).card.status == "Next in line.")
    drawn = [(card.status, card.ready_at) for card in world.message(second).cards]
    assert drawn == [("Number 2 in line.", now + 4), ("Next in line.", now + 2)]


async def test_the_first_outcome_is_told_even_where_the_surface_is_lost(world: World) -> None:
    class Lost(RecordingSurface):
        async def limits(self, address: Address) -> Limits:
            raise Gone("no channel")

    await world.ask("", "o1")
    await world.ask("a nude woman", "o2")
    world.on(Lost())
    assert (await world.ask("", "o1")).result is Result.UNSHOWN
    assert (await world.ask("a nude woman", "o2")).result is Result.REFUSED
