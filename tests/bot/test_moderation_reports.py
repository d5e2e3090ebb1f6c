"""Members flag clips: so many different people, and a clip is hidden until a moderator has looked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from bot.commands import Result
from bot.intents import Approve, Delete, FalseAlarm, Remove, Report
from bot.port import Rendition
from bot.renditions import Renditions
from db import people, places, reports
from db.records import (
    NOBODY,
    Action,
    Address,
    Asker,
    Caller,
    Circumstances,
    Curb,
    DeliveryState,
    PlaceSettings,
    ReviewKind,
)

if TYPE_CHECKING:
    from tests.bot.conftest import World

HERE, ELSEWHERE = Address("recording", "here"), Address("recording", "elsewhere")
MODERATOR = Caller(Asker("recording", "mod"), HERE, Circumstances(moderator=True))


def member(name: str, address: Address = HERE) -> Caller:
    return Caller(Asker("recording", name), address)


async def delivered(world: World, prompt: str = "a heart") -> str:
    delivery = await world.rendered(prompt)
    await world.delivery.attempt(delivery)
    return delivery.clip


async def flag(world: World, clip: str, *names: str) -> list[Result]:
    return [(await world.commands.report(member(name), clip, "cruel")).result for name in names]


async def is_hidden(world: World, clip_id: str) -> bool:
    clip = await world.clip(clip_id)
    assert clip is not None
    return clip.hidden


async def test_a_clip_is_hidden_once_three_people_have_reported_it(world: World) -> None:
    clip = await delivered(world)

    assert await flag(world, clip, "bob", "cyd") == [Result.REPORTED] * 2
    assert not await is_hidden(world, clip)
    await flag(world, clip, "dan")
    assert await is_hidden(world, clip)
    (case,) = await world.cases()
    assert (case.action, case.actor, case.about) == (Action.HIDE, NOBODY, (("clip", clip), ("count", "3")))


async def test_the_first_report_asks_for_a_look_and_the_others_join_it(world: World) -> None:
    clip = await delivered(world)
    await flag(world, clip, "bob", "cyd")
    review = await world.review()
    assert (review.kind, review.subject, review.target) == (ReviewKind.REPORTED, clip, Asker("recording", "ada"))


async def test_who_is_asked_says_how_many_it_takes(world: World) -> None:
    async with world.database.transaction() as tx:
        await places.put(tx, "recording", "here", PlaceSettings(reporters=1), world.clock())
    clip = await delivered(world)
    await flag(world, clip, "bob")
    assert await is_hidden(world, clip)


async def test_reporting_again_and_again_counts_once(world: World) -> None:
    clip = await delivered(world)
    outcomes = [await world.press(member("bob"), Report(clip)) for _ in range(5)]
    assert "before" in outcomes[-1].sentence
    assert not await is_hidden(world, clip)


async def test_identities_of_one_person_count_once(world: World) -> None:
    clip = await delivered(world)
    async with world.database.transaction() as tx:
        await people.offer(tx, Asker("recording", "bob"), "code", world.clock() + 60)
        await people.join(tx, Asker("recording", "bobs other account"), "code", world.clock())

    await flag(world, clip, "bob", "bobs other account", "cyd")
    assert not await is_hidden(world, clip)


async def test_the_asker_is_told_that_it_is_hidden_and_nobody_who_reported_it(world: World) -> None:
    delivery = await world.rendered()
    await world.delivery.attempt(delivery)
    await flag(world, delivery.clip, "bob", "cyd", "dan")

    (told,) = await world.told(delivery.handle)
    assert "reported" in told
    assert not {"bob", "cyd", "dan"} & set(told.split())


async def test_a_hidden_clip_is_covered_on_every_card(world: World) -> None:
    delivery = await world.rendered()
    await world.delivery.attempt(delivery)
    await flag(world, delivery.clip, "bob", "cyd", "dan")
    async with world.running(world.progress):
        await world.surface.until(lambda: world.surface.messages[delivery.handle].card.title == "Hidden")


async def test_a_reported_clip_that_is_being_delivered_is_withheld(world: World) -> None:
    delivery = await world.rendered("a frog")
    await flag(world, delivery.clip, "bob", "cyd", "dan")
    await world.delivery.attempt(delivery)
    message = world.surface.messages[delivery.handle]
    assert (message.renditions, message.card.title) == ([], "Hidden")
    assert (await world.promised(delivery)).state is DeliveryState.GIVEN_UP


async def test_a_clip_that_is_hidden_between_its_file_and_the_sending_is_withheld(world: World) -> None:
    delivery = await world.rendered("a frog")
    make = world.delivery.renditions.make

    async def make_and_be_reported(*order: Any) -> Rendition:
        made = await make(*order)
        await flag(world, delivery.clip, "bob", "cyd", "dan")
        return made

    with mock.patch.object(Renditions, "make", side_effect=make_and_be_reported) as making:
        await world.delivery.attempt(delivery)
    assert making.call_count == 1
    message = world.surface.messages[delivery.handle]
    assert (message.renditions, message.card.title) == ([], "Hidden")


async def test_what_is_shown_again_before_its_delivery_gave_up_is_delivered(world: World) -> None:
    delivery = await world.rendered("a frog")
    await flag(world, delivery.clip, "bob", "cyd", "dan")
    review = await world.review()
    await world.delivery.attempt(delivery)
    await world.press(MODERATOR, Approve(review.id))
    again = await world.promised(delivery)
    assert again.state is DeliveryState.PROMISED
    await world.delivery.attempt(again)
    assert world.surface.messages[delivery.handle].card.clip == delivery.clip
    assert world.surface.messages[delivery.handle].replies == []  # of being ready


@pytest.mark.parametrize("intent", [Approve, FalseAlarm])
async def test_reports_that_were_looked_at_hide_nothing_any_more(
    world: World, intent: type[Approve] | type[FalseAlarm]
) -> None:
    clip = await delivered(world)
    await flag(world, clip, "bob", "cyd", "dan")
    await world.press(MODERATOR, intent((await world.review()).id))
    assert not await is_hidden(world, clip)

    await flag(world, clip, "eve", "fay")
    assert not await is_hidden(world, clip)
    await flag(world, clip, "gus")
    assert await is_hidden(world, clip)


async def test_nobody_reports_their_own_clip(world: World) -> None:
    clip = await delivered(world)
    outcome = await world.press(member("ada"), Report(clip))
    assert (outcome.result, "your own" in outcome.sentence) == (Result.PROBLEM, True)
    assert await world.waiting() == []


async def test_a_clip_is_reported_where_it_is_seen_alone(world: World) -> None:
    clip = await delivered(world)
    assert (await world.press(member("bob", ELSEWHERE), Report(clip))).result is Result.UNKNOWN
    assert await world.waiting(ELSEWHERE) == []


async def test_so_many_reports_a_day(world: World) -> None:
    clips = [await delivered(world) for _ in range(11)]
    results = [(await flag(world, clip, "bob"))[0] for clip in clips]
    assert results == [Result.REPORTED] * 10 + [Result.PROBLEM]

    world.clock.now += 24 * 3600
    assert await flag(world, clips[10], "bob") == [Result.REPORTED]


async def test_a_message_is_reported_by_what_it_carries(world: World) -> None:
    delivery = await world.rendered()
    await world.delivery.attempt(delivery)
    outcome = await world.commands.report_message(member("bob"), delivery.handle.message, "cruel")
    assert outcome.result is Result.REPORTED
    assert (await world.review()).subject == delivery.clip

    assert (await world.commands.report_message(member("bob"), "404")).result is Result.UNKNOWN
    elsewhere = await world.commands.report_message(member("bob", ELSEWHERE), delivery.handle.message)
    assert elsewhere.result is Result.UNKNOWN


async def test_who_reports_falsely_again_and_again_gets_a_strike_and_hides_nothing(world: World) -> None:
    await world.ask("a cat", asker=Asker("recording", "bob"))  # where bob can be told something
    for number in range(3):
        await flag(world, await delivered(world), "bob")
        assert (await world.standing(Asker("recording", "bob"))).points == 0, number
        await world.press(MODERATOR, FalseAlarm((await world.review()).id))
    bob = Asker("recording", "bob")
    assert (await world.standing(bob)).points == 1
    case = (await world.cases())[-1]
    assert (case.action, case.actor, case.target, case.rule) == (Action.STRIKE, NOBODY, bob, "false reports")

    clip = await delivered(world)
    await flag(world, clip, "bob", "cyd", "dan")
    assert not await is_hidden(world, clip)
    await flag(world, clip, "eve")
    assert await is_hidden(world, clip)


async def test_reports_that_a_moderator_only_sees_otherwise_cost_nothing(world: World) -> None:
    for _ in range(4):
        await flag(world, await delivered(world), "bob")
        await world.press(MODERATOR, Approve((await world.review()).id))
    assert (await world.standing(Asker("recording", "bob"))).points == 0


async def test_false_reports_are_forgotten_like_strikes(world: World) -> None:
    for _ in range(2):
        await flag(world, await delivered(world), "bob")
        await world.press(MODERATOR, FalseAlarm((await world.review()).id))
    world.clock.now += 31 * 24 * 3600
    await flag(world, await delivered(world), "bob")
    await world.press(MODERATOR, FalseAlarm((await world.review()).id))
    assert (await world.standing(Asker("recording", "bob"))).points == 0


async def test_who_is_muted_reports_nothing(world: World) -> None:
    clip = await delivered(world)
    async with world.database.transaction() as tx:
        await world.commands.moderation.curb(tx, MODERATOR, Asker("recording", "bob"), Curb.MUTE, None, "noise")
    assert await flag(world, clip, "bob") == [Result.PROBLEM]


async def test_a_deleted_clip_needs_no_look_any_more(world: World) -> None:
    clip = await delivered(world)
    await flag(world, clip, "bob")
    review = await world.review()
    await world.press(member("ada"), Delete(clip))
    assert await world.waiting() == []
    outcome = await world.press(MODERATOR, Remove(review.id))
    assert outcome.result is Result.DECIDED_ALREADY


async def test_a_reason_is_one_line_without_tricks_and_not_too_long(world: World) -> None:
    delivery = await world.rendered()
    await world.commands.report(member("bob"), delivery.clip, "cruel\n\u202eand\x07 long " + "x" * 1000)
    async with world.database.reading() as tx:
        (report,) = await reports.of_clip(tx, delivery.clip, "recording", "here")
    assert report.reason.startswith("cruel and long xxx")
    assert len(report.reason) == 300
