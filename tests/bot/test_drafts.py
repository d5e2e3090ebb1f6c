"""Prompts that are written later, words that are changed, and clips that are shown once more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot import intents
from bot.answers import Answers
from bot.cards import deleted
from bot.commands import Outcome, Result
from bot.intents import Delete, Edit, Page, Show
from bot.port import Throttled
from db import deliveries, gallery, people, places, queue, requests
from db.ids import new_id
from db.records import (
    Address,
    Asker,
    Caller,
    Circumstances,
    DeliveryState,
    PersonSettings,
    PlaceSettings,
    RequestState,
    Wish,
)

if TYPE_CHECKING:
    from tests.bot.conftest import World

ADA, BOB = Asker("recording", "ada"), Asker("recording", "bob")
HERE = Address("recording", "here")
ME, OTHER = Caller(ADA, HERE), Caller(BOB, HERE)


async def state_of(world: World, origin: str) -> RequestState:
    async with world.database.reading() as tx:
        request = await requests.get(tx, "recording", origin)
    assert request is not None
    return request.state


async def press(world: World, intent: intents.Intent, caller: Caller = ME, origin: str = "") -> Outcome:
    return await world.commands.press(caller, intents.token(intent), origin or new_id())


# --- drafts ---


async def test_options_wait_until_the_prompt_is_written(world: World) -> None:
    await world.commands.draft(ME, Wish("", steps=7, format="mp4"), "o1")
    assert world.surface.messages == {}
    world.clock.now += 300

    outcome = await world.commands.write(ME, "o1", "a frog")
    job = await world.job(outcome.job)
    assert (job.spec.prompt, job.spec.steps, job.format, job.created_at) == ("a frog", 7, "mp4", world.clock.now)
    assert await world.surface.show(HERE, world.message(job).card, "o1") == job.handle  # shown under the draft's id


async def test_a_prompt_written_twice_acts_once(world: World) -> None:
    await world.commands.draft(ME, Wish(""), "o1")
    first, second = [await world.commands.write(ME, "o1", "a frog") for _ in range(2)]
    assert (second.result, second.job) == (first.result, first.job)
    assert len(world.surface.messages) == 1


async def test_a_draft_is_its_askers_alone_and_an_unknown_one_is_said_to_be(world: World) -> None:
    await world.commands.draft(ME, Wish(""), "o1")
    for caller, origin in ((OTHER, "o1"), (ME, "o2")):
        outcome = await world.commands.write(caller, origin, "a frog")
        assert outcome.result is Result.UNKNOWN
        assert "ask anew" in outcome.sentence
    assert world.surface.messages == {}


async def test_a_start_does_not_take_up_what_is_still_being_written(world: World) -> None:
    await world.commands.draft(ME, Wish(""), "o1")
    await world.commands.take_up()
    assert await state_of(world, "o1") is RequestState.DRAFT
    assert world.surface.messages == {}


async def test_a_written_draft_that_could_not_be_shown_is_taken_up(world: World) -> None:
    await world.commands.draft(ME, Wish(""), "o1")
    world.surface.fail("show", Throttled(1))
    assert (await world.commands.write(ME, "o1", "a frog")).result is Result.UNREACHED
    await world.commands.take_up()
    assert await state_of(world, "o1") is RequestState.TAKEN


# --- other words ---


async def test_edit_asks_for_words_and_makes_the_same_with_them(world: World) -> None:
    delivery = await world.rendered("a frog", negative="blur", steps=7, seed=5)
    asked = await press(world, Edit(delivery.job))
    assert (asked.result, asked.job, asked.prompt) == (Result.ASK_PROMPT, delivery.job, "a frog")

    outcome = await world.commands.edit(ME, asked.job, "a toad", "e1")
    job = await world.job(outcome.job)
    assert (job.spec.prompt, job.spec.negative, job.spec.steps, job.origin) == ("a toad", "blur", 7, delivery.clip)
    assert job.spec.seed != 5
    assert (await world.commands.edit(ME, asked.job, "a toad", "e1")).job == job.id


async def test_only_the_asker_edits_and_only_what_is_there(world: World) -> None:
    delivery = await world.rendered()
    assert (await press(world, Edit(delivery.job), OTHER)).result is Result.NOT_YOURS
    assert (await world.commands.edit(OTHER, delivery.job, "a toad", "e1")).result is Result.NOT_YOURS
    await press(world, Delete(delivery.clip))
    assert (await press(world, Edit(delivery.job))).result is Result.UNKNOWN
    assert (await world.commands.edit(ME, delivery.job, "a toad", "e2")).result is Result.UNKNOWN
    assert (await world.commands.edit(ME, "zzzzzzzzzz", "a toad", "e3")).result is Result.UNKNOWN


async def test_a_page_is_the_surfaces_to_turn(world: World) -> None:
    assert (await press(world, Page(2))).result is Result.PAGE


# --- shown once more ---


async def test_a_clip_is_shown_on_a_new_card_and_costs_nothing(world: World) -> None:
    delivery = await world.rendered("a frog")
    await world.delivery.attempt(delivery)
    spent = (await world.usage()).spent

    outcome = await press(world, Show(delivery.clip), OTHER, "s1")
    assert (outcome.result, outcome.job) == (Result.SHOWN, delivery.job)
    assert outcome.handle is not None
    assert outcome.handle != delivery.handle
    async with world.running(world.delivery):
        await world.surface.until(lambda: bool(world.message(outcome).renditions))
    assert world.message(outcome).card.clip == delivery.clip
    assert (await world.usage()).spent == spent
    assert (await world.usage(BOB)).spent == ()
    assert (await press(world, Show(delivery.clip), OTHER, "s1")).result is Result.SHOWN
    assert len(world.surface.messages) == 2


async def test_nobody_is_told_by_name_that_a_clip_was_shown_again(world: World) -> None:
    delivery = await world.rendered()
    await world.delivery.attempt(delivery)
    outcome = await press(world, Show(delivery.clip))
    world.clock.now += 3600
    async with world.running(world.delivery):
        await world.surface.until(lambda: bool(world.message(outcome).renditions))
    assert world.message(outcome).replies == []


async def test_it_comes_in_the_format_that_the_caller_prefers(world: World) -> None:
    delivery = await world.rendered()
    async with world.database.transaction() as tx:
        await people.put(tx, ADA, PersonSettings(format="mp4"))
    await press(world, Show(delivery.clip))
    async with world.database.reading() as tx:
        assert {one.format for one in await deliveries.of_clip(tx, delivery.clip)} == {"gif", "mp4"}


async def test_deleting_a_clip_blanks_every_card_that_carries_it(world: World) -> None:
    delivery = await world.rendered()
    await world.delivery.attempt(delivery)
    shown, promised = await press(world, Show(delivery.clip)), await press(world, Show(delivery.clip), OTHER)
    async with world.running(world.delivery):
        await world.surface.until(lambda: bool(world.message(shown).renditions and world.message(promised).renditions))
    await press(world, Delete(delivery.clip))  # and nothing that lives in memory is left of it
    async with world.running(world.progress):
        await world.surface.until(lambda: all(message.card == deleted() for message in world.surface.messages.values()))


async def test_a_clip_on_its_way_that_is_deleted_never_comes(world: World) -> None:
    delivery = await world.rendered()
    shown = await press(world, Show(delivery.clip))
    await press(world, Delete(delivery.clip))
    async with world.running(world.progress, world.delivery):
        await world.surface.until(lambda: world.message(shown).card == deleted())
    assert world.message(shown).renditions == []


async def test_a_showing_that_could_not_be_shown_is_taken_up(world: World) -> None:
    delivery = await world.rendered()
    world.surface.fail("show", Throttled(1))
    assert (await press(world, Show(delivery.clip), origin="s1")).result is Result.UNREACHED
    await world.commands.take_up()
    assert await state_of(world, "s1") is RequestState.CLOSED
    async with world.database.reading() as tx:
        states = [one.state for one in await deliveries.of_clip(tx, delivery.clip)]
    assert states == [DeliveryState.PROMISED] * 2


async def test_a_clip_that_went_while_its_showing_waited_gets_a_sentence(world: World) -> None:
    delivery = await world.rendered()
    world.surface.fail("show", Throttled(1))
    await press(world, Show(delivery.clip), origin="s1")
    await press(world, Delete(delivery.clip))
    await world.commands.take_up()
    statuses = [message.card.status for message in world.surface.messages.values()]
    assert any("no longer exists" in status for status in statuses)


@pytest.mark.parametrize("hide", [True, False])
async def test_what_is_hidden_or_unknown_is_shown_to_nobody(world: World, hide: bool) -> None:
    delivery = await world.rendered()
    async with world.database.transaction() as tx:
        if hide:
            await gallery.hide(tx, delivery.clip, gallery.MODERATORS)
    outcome = await press(world, Show(delivery.clip if hide else "zzzzzzzzzz"))
    assert outcome.result is Result.UNKNOWN


async def test_where_it_is_paused_nothing_is_shown_either(world: World) -> None:
    delivery = await world.rendered()
    async with world.database.transaction() as tx:
        await places.put(tx, "recording", "here", replace(PlaceSettings(), paused=True), 1.0)
    outcome = await press(world, Show(delivery.clip))
    assert outcome.result is Result.PROBLEM
    assert "paused" in outcome.sentence
    async with world.database.reading() as tx:
        assert len(await deliveries.of_clip(tx, delivery.clip)) == 1
        assert await queue.waiting(tx) == []


async def rule(world: World, **settings: object) -> None:
    async with world.database.transaction() as tx:
        await places.put(tx, "recording", "family", replace(PlaceSettings(), **settings), 1.0)  # type: ignore[arg-type]


FAMILY = Caller(ADA, Address("recording", "family"))


async def test_a_clip_from_elsewhere_is_not_shown_where_the_rules_of_the_place_refuse_it(world: World) -> None:
    delivery = await world.rendered("a sword fight")
    await rule(world, preset="family")
    outcome = await press(world, Show(delivery.clip), FAMILY)
    assert outcome.result is Result.PROBLEM
    assert "rules of this place" in outcome.sentence
    await rule(world, words=("pumpernickel",))
    assert (await press(world, Show(delivery.clip), FAMILY)).result is Result.SHOWN


async def test_what_adults_made_among_themselves_is_shown_among_them_alone(world: World) -> None:
    await rule(world, preset="adult-channel")
    adults = replace(FAMILY, circumstances=Circumstances(age_restricted=True))
    made = await world.commands.request_clip(adults, Wish("a nude woman"), "o1")
    delivery = await world.finish(await world.claim(made.job))
    for caller, result in ((FAMILY, Result.PROBLEM), (ME, Result.PROBLEM), (adults, Result.SHOWN)):
        assert (await press(world, Show(delivery.clip), caller)).result is result
    answers = Answers(world.commands)
    assert await answers.random_clip(FAMILY) == ""
    assert await answers.random_clip(adults) == delivery.clip


async def test_a_place_covers_clips_from_elsewhere_as_well(world: World) -> None:
    delivery = await world.rendered()
    await rule(world, spoiler=True)
    outcome = await press(world, Show(delivery.clip), FAMILY)
    async with world.running(world.delivery):
        await world.surface.until(lambda: bool(world.message(outcome).renditions))
    assert world.message(outcome).card.spoiler


async def test_a_card_that_was_promised_a_deleted_clip_says_so(world: World) -> None:
    """The clip went after the press had looked at it: nobody else redraws that card."""
    delivery = await world.rendered()
    outcome = await press(world, Show(delivery.clip))
    async with world.database.transaction() as tx:
        await gallery.forget(tx, delivery.clip)
    async with world.running(world.delivery):
        await world.surface.until(lambda: world.message(outcome).card == deleted())


async def test_somebody_elses_request_tells_nothing_to_who_guesses_its_id(world: World) -> None:
    asked = await world.ask(origin="o1")
    guessed = await world.ask(origin="o1", asker=BOB)
    assert (guessed.result, guessed.job, guessed.handle, guessed.verdict) == (Result.UNKNOWN, "", None, None)
    assert (await world.ask(origin="o1")).job == asked.job
