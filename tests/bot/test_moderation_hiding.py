"""People hide clips of their own; moderators hide those of others, where these are theirs to moderate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.commands import Outcome, Result
from bot.intents import Again, Confirm, Dismiss, Hide, Remove, Unhide
from bot.moderation import Confirmed
from bot.port import Receipt
from db import gallery, pending
from db.records import Action, Address, Asker, Caller, Circumstances, Decision, Delivery, Job, Pending

if TYPE_CHECKING:
    from tests.bot.conftest import World

ADA, BOB, MOD = Asker("recording", "ada"), Asker("recording", "bob"), Asker("recording", "mod")
HERE, ELSEWHERE = Address("recording", "here"), Address("recording", "elsewhere")
ME, OTHER = Caller(ADA, HERE), Caller(BOB, HERE)
MODERATOR = Caller(MOD, HERE, Circumstances(moderator=True))
FOREIGN = Caller(MOD, ELSEWHERE, Circumstances(moderator=True))


async def delivered(world: World) -> Delivery:
    delivery = await world.rendered()
    await world.delivery.attempt(delivery)
    return delivery


async def hidden_by(world: World, delivery: Delivery) -> str:
    clip = await world.clip(delivery.clip)
    assert clip is not None
    return clip.hidden_by


async def brought_again(world: World, delivery: Delivery) -> None:
    message = world.surface.messages[delivery.handle]
    async with world.running(world.delivery):
        await world.surface.until(lambda: message.card.clip == delivery.clip)


async def test_a_clip_of_ones_own_is_hidden_and_shown_again_by_its_card(world: World) -> None:
    delivery = await delivered(world)
    message = world.surface.messages[delivery.handle]
    assert (await world.press(ME, Hide(delivery.clip))).result is Result.HIDDEN
    async with world.running(world.progress):
        await world.surface.until(lambda: message.card.title == "Hidden")
    (button,) = message.card.buttons
    outcome = await world.commands.press(ME, button.token, "p1")
    assert outcome.result is Result.SHOWN_AGAIN
    await brought_again(world, delivery)
    assert (await world.cases(), message.replies) == ([], [])


async def test_what_is_covered_and_shown_again_while_it_is_being_delivered_is_shown_in_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = await world.rendered()
    message, noted = world.surface.messages[delivery.handle], world.delivery._mark_sent
    turns = iter([True])

    async def late(delivery: Delivery, job: Job, receipt: Receipt) -> bool:
        """The card carries the clip; before that is written down, it is covered and uncovered."""
        if next(turns, False):
            await world.press(MODERATOR, Hide(delivery.clip))
            async with world.running(world.progress):
                await world.surface.until(lambda: message.card.title == "Hidden")
            await world.press(MODERATOR, Unhide(delivery.clip))
        return await noted(delivery, job, receipt)

    monkeypatch.setattr(world.delivery, "_mark_sent", late)
    await world.delivery.attempt(delivery)
    await brought_again(world, delivery)
    assert message.card.title != "Hidden"


async def test_nobody_hides_or_shows_a_clip_of_somebody_else(world: World) -> None:
    delivery = await delivered(world)
    assert (await world.press(OTHER, Hide(delivery.clip))).result is Result.NOT_YOURS
    await world.press(ME, Hide(delivery.clip))
    assert (await world.press(OTHER, Unhide(delivery.clip))).result is Result.NOT_YOURS
    assert await hidden_by(world, delivery) == gallery.ASKER


async def test_moderators_hide_by_a_case_and_its_asker_can_not_undo_it(world: World) -> None:
    delivery = await delivered(world)
    assert (await world.press(MODERATOR, Hide(delivery.clip))).result is Result.HIDDEN
    (case,) = await world.cases()
    assert (case.action, case.actor, case.target) == (Action.HIDE, MOD, ADA)
    assert "hidden" in (await world.told(delivery.handle))[0]
    outcome = await world.press(ME, Unhide(delivery.clip))
    assert (outcome.result, "moderators" in outcome.sentence) == (Result.PROBLEM, True)

    assert (await world.press(MODERATOR, Unhide(delivery.clip))).result is Result.SHOWN_AGAIN
    await brought_again(world, delivery)
    assert [case.action for case in await world.cases()] == [Action.HIDE, Action.APPROVE]


async def test_what_is_hidden_is_not_made_again_by_somebody_else(world: World) -> None:
    delivery = await delivered(world)
    await world.press(MODERATOR, Hide(delivery.clip))
    assert (await world.press(OTHER, Again(delivery.job))).result is Result.UNKNOWN
    await world.press(MODERATOR, Unhide(delivery.clip))
    assert (await world.press(OTHER, Again(delivery.job))).result is Result.QUEUED


async def test_moderators_do_not_show_what_its_asker_has_hidden(world: World) -> None:
    delivery = await delivered(world)
    await world.press(ME, Hide(delivery.clip))
    outcome = await world.press(MODERATOR, Unhide(delivery.clip))
    assert (outcome.result, await hidden_by(world, delivery)) == (Result.PROBLEM, gallery.ASKER)
    assert await world.cases() == []


async def test_what_both_have_hidden_takes_both_to_show(world: World) -> None:
    delivery = await delivered(world)
    await world.press(ME, Hide(delivery.clip))
    await world.press(MODERATOR, Hide(delivery.clip))
    assert (await world.press(ME, Unhide(delivery.clip))).result is Result.PROBLEM
    assert await hidden_by(world, delivery) == gallery.MODERATORS
    assert (await world.press(MODERATOR, Unhide(delivery.clip))).result is Result.SHOWN_AGAIN


async def test_what_moderators_take_back_is_a_case_though_its_asker_hides_it_still(world: World) -> None:
    delivery = await delivered(world)
    await world.press(ME, Hide(delivery.clip))
    await world.press(MODERATOR, Hide(delivery.clip))
    assert (await world.press(MODERATOR, Unhide(delivery.clip))).result is Result.PROBLEM
    assert await hidden_by(world, delivery) == gallery.ASKER
    assert [case.action for case in await world.cases()] == [Action.HIDE, Action.APPROVE]
    assert len(await world.told(delivery.handle)) == 1  # that it was hidden


async def test_who_hides_a_clip_of_theirs_does_not_get_round_its_reports(world: World) -> None:
    delivery = await delivered(world)
    await world.press(ME, Hide(delivery.clip))
    for name in ("bob", "cyd", "dan"):
        await world.commands.report(Caller(Asker("recording", name), HERE), delivery.clip)
    assert (await world.press(ME, Unhide(delivery.clip))).result is Result.PROBLEM
    assert await hidden_by(world, delivery) == gallery.MODERATORS


async def test_a_clip_that_a_moderator_shows_again_is_not_hidden_by_the_next_report(world: World) -> None:
    delivery = await delivered(world)
    for name in ("bob", "cyd", "dan"):
        await world.commands.report(Caller(Asker("recording", name), HERE), delivery.clip)
    review = await world.review()
    await world.press(MODERATOR, Unhide(delivery.clip))
    decided = await world.review_now(review)
    assert (decided.decision, decided.decided_by, decided.case) == (Decision.APPROVE, MOD, 2)
    assert (await world.press(MODERATOR, Remove(review.id))).result is Result.DECIDED_ALREADY
    await world.commands.report(Caller(Asker("recording", "eve"), HERE), delivery.clip)
    assert await hidden_by(world, delivery) == ""


async def test_moderators_of_another_place_see_nothing_of_a_clip(world: World) -> None:
    delivery = await delivered(world)
    for intent in (Hide(delivery.clip), Unhide(delivery.clip)):
        assert (await world.press(FOREIGN, intent)).result is Result.UNKNOWN
    assert await hidden_by(world, delivery) == ""


async def test_where_a_clip_was_brought_to_moderators_hide_it_there_alone(world: World) -> None:
    delivery = await delivered(world)
    shown = await world.commands.show_clip(Caller(ADA, ELSEWHERE), delivery.clip, "s1")
    assert shown.handle is not None
    message = world.surface.messages[shown.handle]
    async with world.running(world.delivery, world.progress):
        await world.surface.until(lambda: bool(message.renditions))
        world.clock.now += 1  # the loop knows changes by their moment
        await world.press(FOREIGN, Hide(delivery.clip))
        await world.surface.until(lambda: message.card.title == "Hidden")
        assert world.surface.messages[delivery.handle].card.clip == delivery.clip
        await world.press(FOREIGN, Unhide(delivery.clip))
        await world.surface.until(lambda: message.card.clip == delivery.clip)
    assert len(world.surface.messages[delivery.handle].renditions) == 1


# --- what waits to be confirmed ---


async def ask_for_something(world: World, what: str = "purge") -> str:
    asked = Pending("pending000", MOD, "recording", "here", what, (("hours", "1"),), world.clock() + 60)
    async with world.database.transaction() as tx:
        await pending.keep(tx, asked)
    return asked.id


async def confirm(world: World, caller: Caller, pending_id: str) -> Outcome:
    return await world.press(caller, Confirm(pending_id))


async def test_what_is_confirmed_is_done_once(world: World) -> None:
    done: list[str] = []

    async def purge(tx: AsyncConnection, caller: Caller, asked: Pending) -> Confirmed:
        done.append(f"{caller.asker.id} {dict(asked.values)['hours']}")

        async def afterwards() -> None:
            done.append("committed")

        return Confirmed("Purged.", afterwards)

    world.commands.moderation.handlers["purge"] = purge
    asked = await ask_for_something(world)
    first, second = await confirm(world, MODERATOR, asked), await confirm(world, MODERATOR, asked)
    assert (first.result, first.sentence, second.result) == (Result.CONFIRMED, "Purged.", Result.UNKNOWN)
    assert done == ["mod 1", "committed"]


async def test_what_is_dismissed_is_not_done(world: World) -> None:
    asked = await ask_for_something(world)
    assert (await world.press(MODERATOR, Dismiss(asked))).result is Result.DISMISSED
    assert (await confirm(world, MODERATOR, asked)).result is Result.UNKNOWN


async def test_nobody_else_confirms_nor_the_same_person_in_another_place_or_too_late(world: World) -> None:
    asked = await ask_for_something(world)
    for caller in (ME, Caller(MOD, ELSEWHERE, Circumstances(moderator=True))):
        assert (await confirm(world, caller, asked)).result is Result.UNKNOWN
        assert (await world.press(caller, Dismiss(asked))).result is Result.UNKNOWN
    world.clock.now += 61
    assert (await confirm(world, MODERATOR, asked)).result is Result.UNKNOWN


async def test_what_nobody_carries_out_any_more_is_not_confirmed(world: World) -> None:
    assert (await confirm(world, MODERATOR, await ask_for_something(world, "gone"))).result is Result.UNKNOWN


async def test_ones_own_clip_is_hidden_from_a_place_that_does_not_want_it(world: World) -> None:
    delivery = await delivered(world)
    async with world.database.transaction() as tx:
        await gallery.withhold(tx, delivery.clip, "recording", "elsewhere")
    assert (await world.press(Caller(ADA, ELSEWHERE), Hide(delivery.clip))).result is Result.HIDDEN
    assert await hidden_by(world, delivery) == gallery.ASKER
