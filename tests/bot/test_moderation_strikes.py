"""Strikes add up, decay, and lead to curbs; who is curbed may do less, and knows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot import intents
from bot.answers import Answers
from bot.cards import Card
from bot.commands import Result
from bot.intents import Again, Appeal, Cancel, Delete, Edit, Hide, Page, Remove, Report, Show
from bot.moderation import Moderation
from db import people, standing
from db.records import (
    EVERYWHERE,
    NOBODY,
    Action,
    Address,
    Asker,
    Caller,
    Circumstances,
    Curb,
    Decision,
    Handle,
    JobState,
    Restriction,
    Wish,
)

if TYPE_CHECKING:
    from tests.bot.conftest import World

ADA, BOB, MOD = Asker("recording", "ada"), Asker("recording", "bob"), Asker("recording", "mod")
HERE, ELSEWHERE = Address("recording", "here"), Address("recording", "elsewhere")
ME = Caller(ADA, HERE)
MODERATOR = Caller(MOD, HERE, Circumstances(moderator=True))
HELD, ATROCITY = "suicide in a forest", "leaked phone footage of a massacre in Kharkiv"
DAY = 24 * 3600.0


async def strike(world: World, asker: Asker = ADA) -> str:
    """A held prompt that is refused; what its asker was told."""
    asked = await world.commands.request_clip(Caller(asker, HERE), Wish(HELD), world.commands.make_id())
    await world.press(MODERATOR, Remove((await world.review()).id))
    assert asked.handle is not None
    return (await world.told(asked.handle))[0]


async def curb(world: World, which: Curb, until: float | None = None, asker: Asker = ADA) -> None:
    async with world.database.transaction() as tx:
        await world.commands.moderation.curb(tx, MODERATOR, asker, which, until, "enough")


async def test_strikes_lead_from_a_warning_to_a_ban(world: World) -> None:
    first = await strike(world)
    assert ("points here are now 1" in first, "2 points you have to pause" in first) == (True, True)
    assert (await world.standing()).curb is None

    second = await strike(world)
    assert "can't ask for clips here for 1 h" in second
    assert (await world.standing()).curb is Curb.COOL_DOWN
    assert (await world.ask()).result is Result.PROBLEM

    world.clock.now += 3601
    assert "report or appeal here for 24 h" in await strike(world)
    stands = await world.standing()
    assert (stands.points, stands.curb, stands.until) == (3, Curb.MUTE, world.clock() + DAY)


async def test_at_the_last_threshold_somebody_is_banned_until_it_is_lifted(world: World) -> None:
    for _ in range(4):
        await strike(world)
        world.clock.now += 2 * DAY
    assert "until a moderator lifts it" in await strike(world)
    stands = await world.standing()
    assert (stands.points, stands.curb, stands.until) == (5, Curb.BAN, None)
    automatic = [case for case in await world.cases() if case.actor == NOBODY]
    assert [case.action for case in automatic] == [Action.COOL_DOWN, Action.MUTE, Action.MUTE, Action.BAN]
    assert automatic[-1].target == ADA
    world.clock.now += 365 * DAY
    assert (await world.standing()).curb is Curb.BAN


async def test_strikes_decay(world: World) -> None:
    await strike(world)
    world.clock.now += 30 * DAY - 1
    assert (await world.standing()).points == 1
    world.clock.now += 1
    assert (await world.standing()).points == 0
    await strike(world)
    assert (await world.standing()).curb is None


async def test_strikes_count_where_they_were_given(world: World) -> None:
    await strike(world)
    await strike(world)
    assert (await world.standing(address=ELSEWHERE)).points == 0
    assert (await world.commands.request_clip(Caller(ADA, ELSEWHERE), Wish("a heart"), "e1")).result is Result.QUEUED


async def test_strikes_count_for_the_person(world: World) -> None:
    other = Asker("recording", "adas other account")
    async with world.database.transaction() as tx:
        await people.offer(tx, ADA, "code", world.clock() + 60)
        await people.join(tx, other, "code", world.clock())
    await strike(world)
    await strike(world, other)
    assert (await world.standing(other)).curb is (await world.standing(ADA)).curb is Curb.COOL_DOWN


async def test_the_operator_chooses_the_thresholds(world: World) -> None:
    own = world.commands.moderation
    strict = own.config.model_copy(update={"cool_down_points": 9, "mute_points": 9, "ban_points": 1})
    world.commands.moderation = Moderation(own.database, own.eraser, own.clock, strict)
    await strike(world)
    assert (await world.standing()).curb is Curb.BAN


async def test_a_ban_stops_everything_that_waits_in_the_place(world: World) -> None:
    queued, held_, rendering = await world.ask(), await world.ask(HELD), await world.ask("a cat")
    elsewhere = await world.commands.request_clip(Caller(ADA, ELSEWHERE), Wish("a frog"), "e1")
    review = await world.review()
    await world.claim(rendering.job)
    await curb(world, Curb.BAN)

    assert (await world.job(queued.job)).state is JobState.CANCELLED
    assert (await world.job(held_.job)).state is JobState.CANCELLED
    assert (await world.review_now(review)).decision is Decision.LAPSED
    stopping = await world.job(rendering.job)
    assert (stopping.state, stopping.cancel_asked) == (JobState.RENDERING, True)
    assert (await world.job(elsewhere.job)).state is JobState.QUEUED
    assert len((await world.usage()).spent) == 2  # of the one that is stopping, and of the one elsewhere


@pytest.mark.parametrize("which", [Curb.COOL_DOWN, Curb.MUTE])
async def test_lesser_curbs_let_what_waits_go_on(world: World, which: Curb) -> None:
    asked = await world.ask()
    await curb(world, which)
    assert (await world.job(asked.job)).state is JobState.QUEUED


async def test_who_is_curbed_by_hand_is_told_under_their_newest_card(world: World) -> None:
    await world.ask()
    world.clock.now += 1
    newest = await world.ask("a cat")
    await curb(world, Curb.MUTE, world.clock() + 3600)
    assert newest.handle is not None
    (told,) = await world.told(newest.handle)
    assert ("for 1 h" in told, "/strikes" in told, "mod" in told.split()) == (True, True, False)


async def test_who_has_no_card_can_not_be_told_and_is_curbed_all_the_same(world: World) -> None:
    await curb(world, Curb.BAN, asker=BOB)
    await world.reviewing.tick()
    assert (await world.standing(BOB)).curb is Curb.BAN


MATRIX = {  # what somebody under each curb is let do
    Curb.COOL_DOWN: {"report", "appeal", "delete", "hide", "cancel", "edit", "page"},
    Curb.MUTE: {"delete", "hide", "cancel", "edit", "page"},
    Curb.BAN: {"delete", "hide", "cancel"},
}


@pytest.mark.parametrize("which", Curb)
async def test_what_somebody_may_still_do(world: World, which: Curb) -> None:
    refused = await world.ask("a nude woman")
    appeal = intents.parse(world.message(refused).card.buttons[0].token)
    assert isinstance(appeal, Appeal)
    own, hidden, others = await world.rendered(), await world.rendered(), await world.rendered(asker=BOB)
    waiting = await world.ask("a cat")
    await world.claim(waiting.job)  # else a ban has cancelled it
    await curb(world, which)

    presses: dict[str, intents.Intent] = {
        "again": Again(own.job),
        "show": Show(own.clip),
        "edit": Edit(own.job),
        "page": Page(2),
        "report": Report(others.clip),
        "appeal": appeal,
        "cancel": Cancel(waiting.job),
        "delete": Delete(own.clip),
        "hide": Hide(hidden.clip),
    }
    results = {name: (await world.press(ME, intent)).result for name, intent in presses.items()}
    assert {name for name, result in results.items() if result is not Result.PROBLEM} == MATRIX[which]


async def test_what_the_operator_has_laid_down_holds_everywhere(world: World) -> None:
    ban = Restriction("r1", *EVERYWHERE, ADA, Curb.BAN, 0, world.clock())
    async with world.database.transaction() as tx:
        await standing.restrict(tx, ban)
    assert (await world.ask()).result is Result.PROBLEM
    review_of = Caller(ADA, HERE, Circumstances(moderator=True))
    await world.commands.request_clip(Caller(BOB, HERE), Wish(HELD), "b1")
    assert (await world.press(review_of, Remove((await world.review()).id))).result is Result.NOT_YOURS


async def test_whoever_is_banned_between_their_card_and_their_place_in_line_is_not_enqueued(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = world.surface.show

    async def show(address: Address, card: Card, nonce: str) -> Handle:
        async with world.database.transaction() as tx:
            await world.commands.moderation.curb(tx, MODERATOR, ADA, Curb.BAN, None, "spam")
        return await shown(address, card, nonce)

    monkeypatch.setattr(world.surface, "show", show)
    outcome = await world.ask()
    assert outcome.result is Result.PROBLEM
    assert "banned" in world.message(outcome).card.status
    assert (await world.usage()).waiting == 0


async def test_whoever_is_banned_is_shown_no_gallery(world: World) -> None:
    await world.rendered("a heart")
    answers = Answers(world.commands)
    assert (await answers.gallery(Caller(ADA, HERE))).buttons != ()
    async with world.database.transaction() as tx:
        await world.commands.moderation.curb(tx, MODERATOR, ADA, Curb.BAN, None, "spam")
    card = await answers.gallery(Caller(ADA, HERE, Circumstances("de")))
    assert (card.buttons, "ausgeschlossen" in card.status) == ((), True)


# --- refusals for what is never made ---


async def test_asking_again_and_again_for_what_is_never_made_earns_a_strike(world: World) -> None:
    for _ in range(4):
        await world.ask(ATROCITY)
    assert (await world.standing()).points == 0
    fifth = await world.ask(ATROCITY)
    assert (await world.standing()).points == 1
    (case,) = await world.cases()
    assert (case.action, case.actor, case.target) == (Action.STRIKE, NOBODY, ADA)
    assert "C4.recorded-atrocity" in case.rule
    assert case.policy
    assert fifth.handle is not None
    assert "5 times" in (await world.told(fifth.handle))[0]

    for _ in range(4):
        await world.ask(ATROCITY)
    assert (await world.standing()).points == 1
    await world.ask(ATROCITY)
    assert (await world.standing()).points == 2


async def test_what_has_earned_a_strike_earns_no_second_one_however_slowly_more_comes(world: World) -> None:
    for number in range(8):
        await world.ask(ATROCITY)
        assert (await world.standing()).points == (number >= 4), number
        world.clock.now += 5 * 3600  # five within a day, at any moment
    for _ in range(2):
        await world.ask(ATROCITY)
        world.clock.now += 5 * 3600
    assert (await world.standing()).points == 2


async def test_other_refusals_earn_none_and_neither_do_those_of_yesterday(world: World) -> None:
    for _ in range(6):
        await world.ask("a nude woman")
    for _ in range(4):
        await world.ask(ATROCITY)
    world.clock.now += DAY
    await world.ask(ATROCITY)
    assert (await world.standing()).points == 0


async def test_the_operator_may_let_refusals_earn_none(world: World) -> None:
    own = world.commands.moderation
    lenient = own.config.model_copy(update={"refusals": 0})
    world.commands.moderation = Moderation(own.database, own.eraser, own.clock, lenient)
    for _ in range(6):
        await world.ask(ATROCITY)
    assert (await world.standing()).points == 0


async def test_a_refusal_that_is_seen_twice_counts_once(world: World) -> None:
    for _ in range(6):
        await world.ask(ATROCITY, origin="o1")
    assert (await world.standing()).points == 0


async def test_strikes_are_told_in_the_language_of_the_request(world: World) -> None:
    german = Caller(ADA, HERE, Circumstances("de"))
    outcome = await world.commands.request_clip(german, Wish(HELD), "g1")
    await world.press(
        replace(MODERATOR, circumstances=Circumstances("en", moderator=True)), Remove((await world.review()).id)
    )
    assert outcome.handle is not None
    assert "deine Punkte hier sind jetzt 1" in (await world.told(outcome.handle))[0]
