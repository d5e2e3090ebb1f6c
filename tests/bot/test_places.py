"""What the moderators of a place have set, and what a person prefers, at the moment of a request."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot import intents
from bot.commands import Outcome, Result
from bot.commands.deciding import Plan
from bot.intents import Again, Cancel, Delete, Edit, Intent
from bot.port import Unreachable
from bot.quota import Allowance
from bot.surfaces.recording import ROOMY
from db import gallery, moves, people, places, queue, quotas
from db.ids import new_id
from db.records import (
    Address,
    Asker,
    Caller,
    Circumstances,
    Handle,
    JobState,
    PersonSettings,
    PlaceSettings,
    Request,
    Wish,
)

if TYPE_CHECKING:
    from tests.bot.conftest import World

ADA, BOB = Asker("recording", "ada"), Asker("recording", "bob")
HERE = Address("recording", "here")


async def settle(world: World, **settings: object) -> None:
    async with world.database.transaction() as tx:
        await places.put(tx, "recording", "here", replace(PlaceSettings(), **settings), 1.0)  # type: ignore[arg-type]


async def prefer(world: World, **settings: object) -> None:
    async with world.database.transaction() as tx:
        await people.put(tx, ADA, replace(PersonSettings(), **settings))  # type: ignore[arg-type]


async def ask(world: World, caller: Caller, **wish: object) -> Outcome:
    return await world.commands.request_clip(caller, replace(Wish("a heart"), **wish), new_id())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"paused": True}, "paused here"),
        ({"threads": ("talk", "films")}, "not used in this channel"),
    ],
)
async def test_where_nobody_may_ask_the_card_says_why(world: World, settings: dict[str, object], words: str) -> None:
    await settle(world, **settings)
    outcome = await world.ask()
    assert outcome.result is Result.PROBLEM
    assert words in world.message(outcome).card.status
    assert (await world.usage()).spent == ()
    elsewhere = Address("recording", "elsewhere")
    assert (await ask(world, Caller(ADA, elsewhere))).result is Result.QUEUED


async def test_in_a_channel_where_it_is_used_it_is_used(world: World) -> None:
    await settle(world, threads=("talk", "films"))
    assert (await ask(world, Caller(ADA, replace(HERE, thread="films")))).result is Result.QUEUED


@pytest.mark.parametrize(
    ("wish", "words"),
    [({"steps": 3}, "between 1 and 2"), ({"frames": 4}, "between 1 and 3"), ({"width": 24, "height": 16}, "16 and 16")],
)
async def test_a_place_has_tighter_limits(world: World, wish: dict[str, object], words: str) -> None:
    await settle(world, steps=2, frames=3, side=16)
    outcome = await ask(world, Caller(ADA, HERE), **wish)
    assert outcome.result is Result.PROBLEM
    assert words in outcome.sentence


async def test_what_is_not_said_keeps_within_tighter_limits(world: World) -> None:
    await settle(world, steps=2, frames=3)
    spec = (await world.job((await world.ask()).job)).spec
    assert (spec.steps, spec.frames) == (2, 3)


async def test_a_place_never_loosens_the_operators_limits(world: World) -> None:
    await settle(world, steps=10_000, frames=10_000, side=100_000)
    assert "between 1 and 50" in (await world.ask(steps=51)).sentence


async def test_the_wish_goes_before_the_person_and_the_person_before_the_place(world: World) -> None:
    await settle(world, format="webp")
    assert (await world.job((await world.ask()).job)).format == "webp"
    await prefer(world, format="mp4", width=32, height=24)
    job = await world.job((await world.ask()).job)
    assert (job.format, job.spec.width, job.spec.height) == ("mp4", 32, 24)
    job = await world.job((await world.ask(format="gif", width=16)).job)
    assert (job.format, job.spec.width, job.spec.height) == ("gif", 16, 16)


async def test_preferences_that_do_not_fit_here_are_passed_over(world: World) -> None:
    await prefer(world, format="mp4", width=1000, height=24)
    world.surface.limits_at[HERE] = replace(ROOMY, formats=("gif",))
    job = await world.job((await world.ask()).job)
    assert (job.format, job.spec.width, job.spec.height) == ("gif", 16, 16)


async def test_the_model_of_a_place_is_made_there(world: World) -> None:
    await settle(world, model="nowhere")
    assert "no model named 'nowhere'" in (await world.ask()).sentence
    assert (await world.ask(model="pocket")).result is Result.QUEUED


async def test_credits_are_the_places_or_the_most_generous_roles(world: World) -> None:
    world.commands.allowance = Allowance(credits=1000, window=600.0, waiting=10, most=3000)
    await settle(world, credits=500, roles=(("patron", 3000), ("friend", 2000)))
    plain = await ask(world, Caller(ADA, HERE))
    assert plain.result is Result.DENIED
    patron = Caller(ADA, HERE, Circumstances(roles=("friend", "patron")))
    assert [(await ask(world, patron)).result for _ in range(4)] == [Result.QUEUED] * 3 + [Result.DENIED]


async def test_a_place_covers_its_clips(world: World) -> None:
    await settle(world, spoiler=True)
    outcome = await world.ask()
    assert (await world.job(outcome.job)).verdict.spoiler
    delivery = await world.finish(await world.claim(outcome.job))
    await world.delivery.attempt(delivery)
    assert world.message(outcome).card.spoiler


async def test_a_place_has_words_of_its_own_that_it_refuses(world: World) -> None:
    await settle(world, words=("pumpernickel",))
    assert (await world.ask("a pumpernickel bouncing")).result is Result.REFUSED
    assert (await ask(world, Caller(ADA, Address("recording", "there")), prompt="a pumpernickel")).job


async def test_a_cool_down_lies_between_two_requests(world: World) -> None:
    world.commands.allowance = replace(world.commands.allowance, cool_down=30.0)
    await world.ask()
    world.clock.now += 10
    outcome = await world.ask()
    assert outcome.result is Result.DENIED
    assert "in 20 s" in outcome.sentence
    world.clock.now += 20
    assert (await world.ask()).result is Result.QUEUED


async def test_granted_credits_are_there_on_top_for_a_while(world: World) -> None:
    world.commands.allowance = Allowance(credits=1000, window=600.0, waiting=10)
    async with world.database.transaction() as tx:
        await quotas.grant(tx, new_id(), ADA, 1000, world.clock(), world.clock() + 60)
    assert [(await world.ask()).result for _ in range(3)] == [Result.QUEUED, Result.QUEUED, Result.DENIED]


async def test_two_linked_identities_have_one_credit(world: World) -> None:
    world.commands.allowance = Allowance(credits=1000, window=600.0, waiting=10)
    async with world.database.transaction() as tx:
        await people.offer(tx, ADA, "hash", world.clock() + 9)
        await people.join(tx, BOB, "hash", world.clock())
    await world.ask()
    assert (await world.ask(asker=BOB)).result is Result.DENIED


async def test_a_denied_card_tells_the_price_and_what_is_left(world: World) -> None:
    world.commands.allowance = Allowance(credits=1500, window=600.0, waiting=10)
    await world.ask()
    assert dict(world.message(await world.ask()).card.facts) == {"Cost": "1 credit", "Left": "0.5 credits"}


# --- who may press what ---


async def press(world: World, caller: Caller, intent: Intent) -> Outcome:
    return await world.commands.press(caller, intents.token(intent), new_id())


@pytest.mark.parametrize(
    ("circumstances", "result"),
    [
        (Circumstances(), Result.NOT_YOURS),
        (Circumstances(roles=("member",)), Result.NOT_YOURS),
        (Circumstances(moderator=True), Result.CANCELLED),
        (Circumstances(roles=("member", "keeper")), Result.CANCELLED),
    ],
)
async def test_moderators_of_the_place_cancel_for_others_and_give_the_credit_back(
    world: World, circumstances: Circumstances, result: Result
) -> None:
    await settle(world, moderators=("keeper",))
    asked = await world.ask()
    assert (await press(world, Caller(BOB, HERE, circumstances), Cancel(asked.job))).result is result
    assert ((await world.usage()).spent == ()) is (result is Result.CANCELLED)


async def test_a_moderator_deletes_a_clip_of_their_place_and_of_no_other(world: World) -> None:
    delivery = await world.rendered()
    elsewhere = Caller(BOB, Address("recording", "elsewhere"), Circumstances(moderator=True))
    here = replace(elsewhere, address=HERE)
    assert (await press(world, elsewhere, Delete(delivery.clip))).result is Result.UNKNOWN
    assert (await press(world, here, Delete(delivery.clip))).result is Result.DELETED


async def test_a_moderator_does_not_put_words_into_somebodys_mouth(world: World) -> None:
    asked = await world.ask()
    moderator = Caller(BOB, HERE, Circumstances(moderator=True))
    assert (await press(world, moderator, Edit(asked.job))).result is Result.NOT_YOURS
    assert (await world.commands.edit(moderator, asked.job, "a frog", "e1")).result is Result.NOT_YOURS


async def test_a_linked_identity_may_do_with_a_clip_what_its_asker_may(world: World) -> None:
    async with world.database.transaction() as tx:
        await people.offer(tx, ADA, "hash", world.clock() + 9)
        await people.join(tx, Asker("another", "7"), "hash", world.clock())
    asked = await world.ask()
    caller = Caller(Asker("another", "7"), Address("another", "7"))
    assert (await press(world, caller, Cancel(asked.job))).result is Result.CANCELLED
    assert (await world.job(asked.job)).state is JobState.CANCELLED


async def test_somebody_elses_private_clip_is_made_again_by_nobody(world: World) -> None:
    private = Caller(BOB, Address("recording", "bob's"))
    outcome = await ask(world, private)
    delivery = await world.finish(await world.claim(outcome.job))
    stranger = Caller(ADA, HERE)
    for intent in (Again(outcome.job), Edit(outcome.job)):
        assert (await press(world, stranger, intent)).result is Result.UNKNOWN
    assert (await world.commands.show_clip(stranger, delivery.clip, "s1")).result is Result.UNKNOWN
    async with world.database.reading() as tx:
        assert await gallery.get(tx, delivery.clip) is not None


async def test_moderators_of_a_place_keep_their_say_when_it_gets_another_name(world: World) -> None:
    asked = await world.ask()
    async with world.database.transaction() as tx:
        await moves.note(tx, "recording", "here", "there", 1.0)
    moderator = Caller(BOB, Address("recording", "there"), Circumstances(moderator=True))
    assert (await press(world, moderator, Cancel(asked.job))).result is Result.CANCELLED


@pytest.mark.parametrize("step", ["show", "commit"])
async def test_what_was_asked_for_before_a_place_moved_meets_what_holds_there_now(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A chat that becomes a supergroup while somebody's request is on its way."""
    await settle(world, words=("durian",))

    async def move() -> None:
        async with world.database.transaction() as tx:
            await moves.note(tx, "recording", "here", "new here", 2.0)

    if step == "show":  # asked again after it could not be shown
        world.surface.fail("show", Unreachable("no network"))
        assert (await world.ask("a durian", origin="o1")).result is Result.UNREACHED
        await move()
        await world.commands.take_up()
    else:
        noted = world.commands._commit

        async def later(request: Request, plan: Plan, handle: Handle) -> Outcome:
            await settle(world, paused=True)
            await move()
            return await noted(request, plan, handle)

        monkeypatch.setattr(world.commands, "_commit", later)
        assert (await world.ask()).result is Result.PROBLEM
    async with world.database.reading() as tx:
        assert await queue.waiting_of(tx, ADA, "recording", "new here") == []


async def test_a_place_that_moves_has_no_second_budget(world: World) -> None:
    await settle(world, budget=1000)
    assert (await world.ask()).result is Result.QUEUED
    async with world.database.transaction() as tx:
        await moves.note(tx, "recording", "here", "new here", 2.0)
    assert (await ask(world, Caller(BOB, replace(HERE, place="new here")))).result is Result.DENIED
