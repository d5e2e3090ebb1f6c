"""Cancel, again and delete, by those who may and those who may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot import intents
from bot.cards import deleted
from bot.commands import Outcome, Result
from bot.intents import Again, Cancel, Delete, Intent
from bot.port import Throttled
from bot.quota import Allowance
from db import gallery, queue
from db.records import Address, Asker, Caller, DeliveryState, JobState

if TYPE_CHECKING:
    from tests.bot.conftest import World

ADA, BOB = Asker("recording", "ada"), Asker("recording", "bob")


async def press(world: World, intent: Intent, asker: Asker = ADA, origin: str = "p1") -> Outcome:
    caller = Caller(asker, Address(asker.surface, "here"))
    return await world.commands.press(caller, intents.token(intent), origin)


async def test_cancelling_a_waiting_job_gives_the_credit_back(world: World) -> None:
    asked = await world.ask()

    outcome = await press(world, Cancel(asked.job))
    assert outcome.result is Result.CANCELLED
    assert (await world.job(asked.job)).state is JobState.CANCELLED
    usage = await world.usage()
    assert (usage.spent, usage.waiting) == ((), 0)


async def test_cancelling_a_held_job_gives_the_credit_back(world: World) -> None:
    asked = await world.ask("suicide in a forest")

    assert (await press(world, Cancel(asked.job))).result is Result.CANCELLED
    assert (await world.usage()).spent == ()


async def test_cancelling_a_rendering_job_asks_its_runner(world: World) -> None:
    asked = await world.ask()
    await world.claim(asked.job)

    assert (await press(world, Cancel(asked.job))).result is Result.STOPPING
    job = await world.job(asked.job)
    assert (job.state, job.cancel_asked) == (JobState.RENDERING, True)
    assert (await world.usage()).spent != ()  # the runner releases it when it has stopped


async def test_cancelling_what_is_finished_changes_nothing(world: World) -> None:
    delivery = await world.rendered()

    assert (await press(world, Cancel(delivery.job))).result is Result.FINISHED
    assert (await world.job(delivery.job)).state is JobState.DONE
    assert (await world.usage()).spent != ()


async def test_cancelling_twice_is_cancelling_once(world: World) -> None:
    asked = await world.ask()
    await press(world, Cancel(asked.job))

    assert (await press(world, Cancel(asked.job))).result is Result.CANCELLED
    assert (await world.usage()).spent == ()


async def test_nobody_cancels_or_deletes_for_somebody_else(world: World) -> None:
    asked = await world.ask()
    delivery = await world.rendered()

    for intent in (Cancel(asked.job), Delete(delivery.clip)):
        outcome = await press(world, intent, BOB)
        assert outcome.result is Result.NOT_YOURS
        assert "Only the one who asked" in outcome.sentence
    assert (await world.job(asked.job)).state is JobState.QUEUED
    async with world.database.reading() as tx:
        assert await gallery.get(tx, delivery.clip) is not None


async def test_the_same_id_on_another_surface_is_another_person(world: World) -> None:
    asked = await world.ask()

    assert (await press(world, Cancel(asked.job), Asker("web", "ada"))).result is Result.UNKNOWN
    assert (await press(world, Again(asked.job), Asker("web", "ada"))).result is Result.UNKNOWN


async def test_again_is_the_same_spec_with_a_new_seed(world: World) -> None:
    delivery = await world.rendered("a frog", negative="blur", steps=7, seed=5, format="mp4")
    first = await world.job(delivery.job)

    outcome = await press(world, Again(first.id))
    second = await world.job(outcome.job)
    assert outcome.result is Result.QUEUED
    assert second.spec.seed != first.spec.seed
    assert (second.spec.prompt, second.spec.negative, second.spec.steps) == ("a frog", "blur", 7)
    assert (second.format, second.origin) == ("mp4", delivery.clip)
    assert second.handle != first.handle


async def test_again_by_somebody_else_is_theirs_to_pay(world: World) -> None:
    asked = await world.ask()

    outcome = await press(world, Again(asked.job), BOB)
    assert (await world.job(outcome.job)).asker == BOB
    assert len((await world.usage(BOB)).spent) == 1


async def test_again_pressed_once_and_seen_twice_acts_once(world: World) -> None:
    asked = await world.ask()

    first, second = [await press(world, Again(asked.job), origin="p7") for _ in range(2)]
    assert first.job == second.job
    async with world.database.reading() as tx:
        assert len(await queue.waiting(tx)) == 2


async def test_again_is_paid_for_like_any_other_request(world: World) -> None:
    world.commands.allowance = Allowance(credits=1000, window=600.0, waiting=10)
    asked = await world.ask()

    assert (await press(world, Again(asked.job))).result is Result.DENIED


async def test_deleting_removes_the_clip_its_files_and_the_words_on_its_card(world: World) -> None:
    delivery = await world.rendered()
    await world.delivery.attempt(delivery)
    assert list((world.folder / "masters").iterdir())
    assert list((world.folder / "renditions").iterdir())

    outcome = await press(world, Delete(delivery.clip))

    assert outcome.result is Result.DELETED
    assert list((world.folder / "masters").iterdir()) == []
    assert list((world.folder / "renditions").iterdir()) == []
    async with world.running(world.progress):
        await world.surface.until(lambda: world.surface.messages[delivery.handle].card == deleted())
    async with world.database.reading() as tx:
        assert await gallery.get(tx, delivery.clip) is None
    assert (await press(world, Delete(delivery.clip))).result is Result.UNKNOWN
    assert (await press(world, Again(delivery.job))).result is Result.UNKNOWN


async def test_a_clip_deleted_before_it_was_delivered_never_is(world: World) -> None:
    delivery = await world.rendered()

    await press(world, Delete(delivery.clip))
    await world.delivery.attempt(delivery)
    assert (await world.promised(delivery)).state is DeliveryState.GIVEN_UP
    assert world.surface.messages[delivery.handle].renditions == []


async def test_a_deleted_card_that_can_not_be_redrawn_now_is_redrawn_later(world: World) -> None:
    delivery = await world.rendered()
    world.surface.fail("redraw", Throttled(2))

    assert (await press(world, Delete(delivery.clip))).result is Result.DELETED
    async with world.running(world.progress):
        await world.surface.until(lambda: world.surface.messages[delivery.handle].card == deleted())


async def test_a_card_deleted_just_before_a_crash_is_redrawn_however_old_it_is(world: World) -> None:
    delivery = await world.rendered()
    await world.delivery.attempt(delivery)
    world.clock.now += 40 * 24 * 3600
    await press(world, Delete(delivery.clip))  # and nothing that lives in memory is left of it

    async with world.running(world.progress):
        await world.surface.until(lambda: world.surface.messages[delivery.handle].card == deleted())


@pytest.mark.parametrize(
    "token", ["", "c:", "c:zzzzzzzzzz", "a:zzzzzzzzzz", "d:zzzzzzzzzz", "z:1", "c:'--", "é" * 5000]
)
async def test_buttons_that_are_not_ours_get_a_sentence(world: World, token: str) -> None:
    outcome = await world.commands.press(Caller(ADA, Address("recording", "here")), token, "p1")
    assert outcome.result is Result.UNKNOWN
    assert "new" in outcome.sentence
