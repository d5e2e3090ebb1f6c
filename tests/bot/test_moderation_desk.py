"""The loop of moderation: cards of reviews at the desk of their place, true at last whatever happens meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from discord.ui import TextDisplay

from bot import intents
from bot.answers import Answers
from bot.cards import Card
from bot.commands import Result
from bot.intents import Appeal, Approve, Cancel, FalseAlarm, Remove
from bot.port import Gone, Refused, SurfaceError, Throttled, TooLarge, Unreachable
from bot.reviewing import AT_A_DESK
from bot.surfaces.discord.drawing import layout
from bot.surfaces.recording import Message
from bot.surfaces.telegram.drawing import drawn
from db import moves, queue, reviews
from db.records import Address, Asker, Caller, Circumstances, Decision, Delivery, Handle, Wish

if TYPE_CHECKING:
    from tests.bot.conftest import World

ADA, BOB, MOD = Asker("recording", "ada"), Asker("recording", "bob"), Asker("recording", "mod")
HERE, DESK = Address("recording", "here"), Address("recording", "here", "desk")
MODERATOR = Caller(MOD, DESK, Circumstances(moderator=True))
HELD = "suicide in a forest"


def at_desk(world: World) -> list[Message]:
    """What has come there, but for the word that it does."""
    there = [message for handle, message in world.surface.messages.items() if handle.address == DESK]
    return [message for message in there if message.card.asker is not None]


def only(world: World) -> Message:
    (message,) = at_desk(world)
    return message


def pressed(message: Message) -> list[intents.Intent | None]:
    return [intents.parse(button.token) for button in message.card.buttons]


async def reported(world: World, *names: str) -> Delivery:
    delivery = await world.rendered("a frog")
    await world.delivery.attempt(delivery)
    for name in names or ("bob",):
        world.clock.now += 1
        await world.commands.report(Caller(Asker("recording", name), HERE), delivery.clip, f"{name} thinks it is cruel")
    return delivery


async def test_a_held_prompt_gets_a_card_with_its_words_and_three_buttons(world: World) -> None:
    await world.set_desk()
    await world.ask(HELD)
    await world.reviewing.tick()
    card, review = only(world).card, await world.review()
    assert (card.title, card.asker, card.spoiler) == (HELD, ADA, True)
    assert "self-harm" in card.status
    assert ("Rules", "C6.self-harm") in card.facts
    assert pressed(only(world)) == [Approve(review.id), Remove(review.id), FalseAlarm(review.id)]


async def test_the_cards_speak_as_the_moderator_who_has_chosen_the_desk(world: World) -> None:
    answers = Answers(world.commands)
    for language, choice in (("de", "desk"), ("en", "none"), ("de-AT", "desk")):
        chief = Caller(MOD, HERE, Circumstances(moderator=True, language=language))
        await answers.place_settings(chief, {"desk": choice})
    await world.ask(HELD)  # in English
    await world.reviewing.tick()
    assert [button.label for button in only(world).card.buttons] == [
        "Freigeben",
        "Entfernen und verwarnen",
        "Falscher Alarm",
    ]
    await world.press(Caller(MOD, HERE, Circumstances(moderator=True)), Remove((await world.review()).id))
    await world.reviewing.tick()
    assert only(world).card.status == "Entschieden: abgelehnt, mit Verwarnung (Fall 4)."


@pytest.mark.parametrize("error", [Refused("Not there."), Gone("No such channel."), Unreachable("Not now.")])
async def test_whoever_names_a_desk_hears_at_once_whether_anything_can_be_said_there(
    world: World, error: SurfaceError
) -> None:
    answers = Answers(world.commands)
    well = await answers.place_settings(MODERATOR, {"desk": "here"})
    assert (well.tone, "Nothing can be said" in well.status) == ("plain", False)
    assert [message.card.title for message in world.surface.messages.values()] == ["Moderation"]
    world.surface.fail("show", error)
    card = await answers.place_settings(MODERATOR, {"desk": "here"})
    definite = not isinstance(error, Unreachable)
    assert ("Nothing can be said at desk" in card.status, card.tone) == (definite, "bad" if definite else "plain")


async def test_who_does_not_moderate_says_nothing_at_a_desk(world: World) -> None:
    await Answers(world.commands).place_settings(Caller(ADA, DESK), {"desk": "here"})
    assert world.surface.messages == {}


async def test_long_words_and_what_is_left_out_are_on_the_card_whole(world: World) -> None:
    await world.set_desk()
    prompt = f"suicide in a forest {'of very high trees ' * 40}and a lake"
    await world.ask(prompt, negative="no more leaves")
    await world.reviewing.tick()
    card = only(world).card
    assert " ".join(value for label, value in card.facts if label == "Words") == prompt
    assert ("The negative prompt", "no more leaves") in card.facts
    shown = " ".join(item.content for item in layout(card).walk_children() if isinstance(item, TextDisplay))
    assert prompt[-60:] in shown
    assert prompt[-60:] in drawn(card, 4096)


async def test_a_reported_clip_is_on_its_card_covered_and_with_the_reasons(world: World) -> None:
    await world.set_desk()
    delivery = await reported(world, "bob", "cyd")
    await world.reviewing.tick()
    message = only(world)
    assert (message.card.clip, message.card.spoiler, len(message.renditions)) == (delivery.clip, True, 1)
    assert "2" in message.card.status
    assert [words for label, words in message.card.facts if label == "Reported for"] == [
        "bob thinks it is cruel",
        "cyd thinks it is cruel",
    ]


async def test_a_card_tells_of_further_reports(world: World) -> None:
    await world.set_desk()
    delivery = await reported(world)
    await world.reviewing.tick()
    await world.commands.report(Caller(Asker("recording", "eve"), HERE), delivery.clip)
    await world.reviewing.tick()
    assert "2" in only(world).card.status


async def test_an_appeal_against_what_is_never_made_offers_no_approval(world: World) -> None:
    await world.set_desk()
    refused = await world.ask("leaked phone footage of a massacre in Kharkiv")
    appeal = intents.parse(world.message(refused).card.buttons[0].token)
    assert isinstance(appeal, Appeal)
    await world.press(Caller(ADA, HERE), appeal)
    await world.reviewing.tick()
    review = await world.review()
    assert pressed(only(world)) == [Remove(review.id), FalseAlarm(review.id)]


async def test_words_of_the_gravest_kind_are_on_no_card(world: World) -> None:
    await world.set_desk()
    refused = await world.ask("a naked child")
    appeal = intents.parse(world.message(refused).card.buttons[0].token)
    assert isinstance(appeal, Appeal)
    await world.press(Caller(ADA, HERE), appeal)
    await world.reviewing.tick()
    assert "naked" not in repr(only(world).cards)
    assert "hash:" not in repr(only(world).cards)


async def test_without_a_desk_there_are_no_cards_until_one_is_chosen(world: World) -> None:
    await world.ask(HELD)
    await world.reviewing.tick()
    assert at_desk(world) == []
    await world.set_desk()
    await world.reviewing.tick()
    assert only(world).card.title == HELD


async def test_once_decided_wherever_the_card_says_so_and_has_no_buttons(world: World) -> None:
    await world.set_desk()
    await world.ask(HELD)
    await world.reviewing.tick()
    await world.press(Caller(MOD, HERE, Circumstances(moderator=True)), Remove((await world.review()).id))
    await world.reviewing.tick()
    card = only(world).card
    assert (card.status, card.buttons, card.final) == ("Decided: declined, with a strike (case 1).", (), True)
    assert "mod" not in repr(card)


async def test_a_card_that_is_pressed_too_late_is_drawn_once_more(world: World) -> None:
    await world.set_desk()
    await world.ask(HELD)
    await world.reviewing.tick()
    review = await world.review()
    await world.press(MODERATOR, Approve(review.id))
    await world.reviewing.tick()
    drawn = len(only(world).cards)
    late = await world.press(MODERATOR, Remove(review.id))
    assert (late.result, "approved" in late.sentence) == (Result.DECIDED_ALREADY, True)
    await world.reviewing.tick()
    assert len(only(world).cards) == drawn + 1


async def test_a_decided_card_carries_no_clip(world: World) -> None:
    await world.set_desk()
    await reported(world)
    await world.reviewing.tick()
    await world.press(MODERATOR, Remove((await world.review()).id))
    await world.reviewing.tick()
    assert (only(world).card.clip, "frog" in repr(only(world).card)) == ("", False)


async def test_what_is_over_by_itself_says_so_on_its_card(world: World) -> None:
    await world.set_desk()
    asked = await world.ask(HELD)
    await world.reviewing.tick()
    await world.press(Caller(ADA, HERE), Cancel(asked.job))
    await world.reviewing.tick()
    assert (only(world).card.buttons, "left to decide" in only(world).card.status) == ((), True)


async def test_nothing_is_drawn_twice(world: World) -> None:
    await world.set_desk()
    await world.ask(HELD)
    for _ in range(3):
        await world.reviewing.tick()
    assert len(only(world).cards) == 1


async def test_the_loop_does_it_all_by_itself(world: World) -> None:
    await world.set_desk()
    asked = await world.ask(HELD)
    async with world.running(world.reviewing):
        await world.surface.until(lambda: bool(at_desk(world)))
        await world.press(MODERATOR, Approve((await world.review()).id))
        await world.surface.until(lambda: "approved" in only(world).card.status)
        await world.surface.until(lambda: bool(world.message(asked).replies))


# --- trouble ---


async def test_after_a_crash_between_posting_and_noting_there_is_one_card(world: World) -> None:
    await world.set_desk()
    await world.ask(HELD)
    await world.reviewing.tick()
    async with world.database.transaction() as tx:  # the commit that noted it never happened
        review = await world.review()
        await reviews.set_handle(tx, review.id, Handle(DESK, ""))
    world.restart()
    await world.reviewing.tick()
    assert len(at_desk(world)) == 1


async def test_after_a_crash_before_the_clip_was_put_on_it_the_card_gets_it(world: World) -> None:
    await world.set_desk()
    delivery = await reported(world)
    world.surface.fail("deliver", Unreachable("The cable was cut."))
    await world.reviewing.tick()
    assert only(world).renditions == []
    world.restart()
    await world.reviewing.tick()
    assert (only(world).card.clip, len(only(world).renditions)) == (delivery.clip, 1)


async def test_after_a_crash_before_a_decision_was_drawn_it_is_drawn(world: World) -> None:
    await world.set_desk()
    await world.ask(HELD)
    await world.reviewing.tick()
    await world.press(MODERATOR, Approve((await world.review()).id))
    world.restart()
    await world.reviewing.tick()
    assert "approved" in only(world).card.status


async def test_a_decision_while_its_card_is_drawn_is_not_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.set_desk()
    await world.ask(HELD)
    await world.reviewing.tick()
    review = await world.review()
    async with world.database.transaction() as tx:
        await reviews.stale(tx, review.kind, review.subject)

    with monkeypatch.context() as patch:
        redraw = world.surface.redraw

        async def redraw_and_decide(handle: Handle, card: Card) -> None:
            await redraw(handle, card)
            await world.press(MODERATOR, Approve(review.id))

        patch.setattr(world.surface, "redraw", redraw_and_decide)
        await world.reviewing.tick()
    assert only(world).card.buttons != ()
    await world.reviewing.tick()
    assert "approved" in only(world).card.status


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (Throttled(7.0), 7.0),
        (Unreachable("Nothing came back."), 30.0),
        (Refused("Not there."), 60.0),
        (Gone("No such channel."), 60.0),
    ],
)
async def test_a_desk_that_takes_no_card_is_left_alone_for_a_while(
    world: World, error: SurfaceError, seconds: float
) -> None:
    await world.set_desk()
    await world.ask(HELD)
    world.surface.fail("show", error)
    await world.reviewing.tick()
    world.clock.now += seconds - 1
    await world.reviewing.tick()
    assert at_desk(world) == []
    world.clock.now += 1
    await world.reviewing.tick()
    assert only(world).card.title == HELD


async def test_a_card_that_is_refused_again_and_again_keeps_no_other_from_the_desk(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.set_desk()
    show, tried = world.surface.show, []

    async def show_unless_blocked(address: Address, card: Card, nonce: str) -> Handle:
        if address == DESK and card.title == HELD:
            tried.append(world.clock())
            raise Refused("Its words are blocked here.")
        return await show(address, card, nonce)

    monkeypatch.setattr(world.surface, "show", show_unless_blocked)
    for number in range(3):
        await world.ask(HELD if number == 0 else f"suicide, number {number}")
        world.clock.now += 1
    for _ in range(60):
        await world.reviewing.tick()
        world.clock.now += 10
    assert len(at_desk(world)) == 2
    assert 2 < len(tried) < 6


async def test_a_raid_on_one_place_keeps_nobody_elsewhere_waiting(world: World) -> None:
    await world.set_desk()
    for number in range(AT_A_DESK + 2):
        world.clock.now += 3600
        await world.ask(f"{HELD} {number}", asker=Asker("recording", f"raider{number}"))
    assert await world.reviewing.tick()
    assert len(at_desk(world)) == AT_A_DESK
    assert not await world.reviewing.tick()
    assert len(at_desk(world)) == AT_A_DESK + 2


async def test_a_card_that_somebody_deleted_is_let_be(world: World) -> None:
    await world.set_desk()
    await world.ask(HELD)
    await world.reviewing.tick()
    world.surface.remove(only(world).handle)
    await world.press(MODERATOR, Approve((await world.review()).id))
    await world.reviewing.tick()
    async with world.database.reading() as tx:
        assert await reviews.undrawn(tx, ["recording"], 10) == []
    assert at_desk(world) == []


async def test_a_clip_that_is_too_large_for_the_desk_is_made_smaller(world: World) -> None:
    await world.set_desk()
    delivery = await reported(world)
    world.surface.fail("deliver", TooLarge(10_000_000))
    await world.reviewing.tick()
    assert only(world).card.clip == delivery.clip
    assert len(only(world).renditions) == 1


async def test_a_clip_whose_file_is_gone_leaves_the_words(world: World) -> None:
    await world.set_desk()
    delivery = await reported(world)
    clip = await world.clip(delivery.clip)
    assert clip is not None
    (await world.files.local(clip.master)).unlink()
    for path in (world.folder / "renditions").rglob("*.*"):
        if path.is_file():
            path.unlink()
    await world.reviewing.tick()
    assert (only(world).renditions, only(world).card.title) == ([], "a frog")


async def test_held_jobs_that_nobody_was_asked_about_are_asked_about_at_start(world: World) -> None:
    asked = await world.ask(HELD)
    review = await world.review()
    async with world.database.transaction() as tx:
        await reviews.decide(tx, review.id, Decision.LAPSED, MOD, world.clock(), None)
    async with world.running(world.reviewing):
        await world.set_desk()
        await world.surface.until(lambda: bool(at_desk(world)))
    assert (await world.review()).subject == asked.job


async def test_reviews_move_along_with_their_place(world: World) -> None:
    await world.set_desk()
    await world.ask(HELD)
    there = Address("recording", "there", "desk")
    async with world.database.transaction() as tx:
        await moves.note(tx, "recording", "here", "there", world.clock())
    await world.reviewing.tick()
    assert [message.card.title for handle, message in world.surface.messages.items() if handle.address == there] == [
        HELD
    ]
    outcome = await world.press(
        Caller(MOD, there, Circumstances(moderator=True)), Approve((await world.review(there)).id)
    )
    assert outcome.result is Result.DECIDED


# --- what people are told ---


async def told_trouble(world: World, *errors: SurfaceError) -> list[str]:
    """What ada was told of a decision, the surface being in trouble at first."""
    asked = await world.ask(HELD)
    await world.press(MODERATOR, Approve((await world.review()).id))
    world.surface.fail("notify", *errors)
    return await world.told(asked.handle) if asked.handle else []


async def test_somebody_is_told_once_also_after_a_restart(world: World) -> None:
    asked = await world.ask(HELD)
    await world.press(MODERATOR, Approve((await world.review()).id))
    world.restart()
    for _ in range(3):
        await world.reviewing.tick()
    assert len(world.message(asked).replies) == 1


@pytest.mark.parametrize(("error", "seconds"), [(Throttled(9.0), 9.0), (Unreachable("Nothing came back."), 30.0)])
async def test_who_can_not_be_told_now_is_told_later(world: World, error: SurfaceError, seconds: float) -> None:
    assert await told_trouble(world, error) == []
    world.clock.now += seconds
    await world.reviewing.tick()
    assert [len(message.replies) for message in world.surface.messages.values()] == [1]


async def test_where_the_card_is_gone_nobody_is_told(world: World) -> None:
    assert await told_trouble(world, Gone("There is no such message.")) == []
    world.clock.now += 3600
    await world.reviewing.tick()
    assert [message.replies for message in world.surface.messages.values()] == [[]]


async def test_trouble_with_one_desk_keeps_nobody_else_waiting(world: World) -> None:
    await world.set_desk()
    await world.set_desk("desk", Address("recording", "elsewhere"))
    await world.ask(HELD)
    world.clock.now += 1
    await world.commands.request_clip(Caller(BOB, Address("recording", "elsewhere")), Wish(HELD), "e1")
    world.surface.fail("show", Refused("Not there."))
    await world.reviewing.tick()
    desks = [handle.address.place for handle in world.surface.messages if handle.address.thread == "desk"]
    assert desks == ["elsewhere"]
    async with world.database.reading() as tx:
        assert len(await queue.held(tx)) == 2
