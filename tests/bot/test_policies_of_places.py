"""Who gets a clip in a place and when: standing, quiet hours, the place's budget, its rulings, and clips of others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot import intents
from bot.answers import Answers
from bot.cards import Card
from bot.intents import Again, Show
from bot.outcomes import Outcome, Result
from bot.surfaces.recording import RecordingSurface
from db import allowed, people, places, standing
from db.ids import new_id
from db.records import (
    EVERYWHERE,
    Address,
    Asker,
    Caller,
    Circumstances,
    Curb,
    Handle,
    PlaceSettings,
    Restriction,
    Ruling,
    Verdict,
    Wish,
)

if TYPE_CHECKING:
    from tests.bot.conftest import World

ADA, BOB = Asker("recording", "ada"), Asker("recording", "bob")
HERE, THERE = Address("recording", "here"), Address("recording", "there")
ADULTS = Circumstances(age_restricted=True)
DAY = 24 * 3600.0


async def settle(world: World, **settings: object) -> None:
    async with world.database.transaction() as tx:
        await places.put(tx, "recording", "here", replace(PlaceSettings(), **settings), 1.0)  # type: ignore[arg-type]


async def ask(world: World, caller: Caller = Caller(BOB, HERE), prompt: str = "a heart", **wish: object) -> Outcome:  # noqa: B008
    return await world.commands.request_clip(caller, replace(Wish(prompt), **wish), new_id())  # type: ignore[arg-type]


async def show(world: World, clip: str, caller: Caller = Caller(BOB, HERE)) -> Outcome:  # noqa: B008
    return await world.commands.press(caller, intents.token(Show(clip)), new_id())


async def curb(
    world: World, curb: Curb, until: float | None = None, there: tuple[str, str] = ("recording", "here")
) -> None:
    """Bob may do less from now on."""
    async with world.database.transaction() as tx:
        await standing.restrict(tx, Restriction(new_id(), *there, BOB, curb, 1, world.clock(), until))


async def found_harmless(world: World, prompt: str, place: str = "here") -> None:
    verdict = Verdict(Ruling.REFUSED, "P1")
    async with world.database.transaction() as tx:
        await allowed.add(tx, "recording", place, prompt, verdict, 1, True, world.clock())


# --- how somebody stands ---


@pytest.mark.parametrize(
    ("kind", "seconds", "words"),
    [
        (Curb.COOL_DOWN, 3600.0, "to cool down here until 1970-01-12 14:47 UTC, for 1 h more; /strikes shows why."),
        (Curb.MUTE, DAY, "muted here until 1970-01-13 13:47 UTC, for 24 h more; /strikes shows why."),
        (Curb.BAN, None, "banned from Zoetrope here until a moderator lifts it; /strikes shows why."),
    ],
)
async def test_who_may_not_ask_is_told_until_when_and_where_to_read_why(
    world: World, kind: Curb, seconds: float | None, words: str
) -> None:
    await curb(world, kind, None if seconds is None else world.clock() + seconds)
    outcome = await ask(world)
    assert outcome.result is Result.PROBLEM
    assert words in world.message(outcome).card.status
    assert (await world.usage(BOB)).spent == ()
    assert (await ask(world, Caller(BOB, THERE))).result is Result.QUEUED
    assert (await ask(world, Caller(ADA, HERE))).result is Result.QUEUED


async def test_a_curb_ends_at_its_moment(world: World) -> None:
    await curb(world, Curb.MUTE, world.clock() + 60)
    world.clock.now += 59
    assert (await ask(world)).result is Result.PROBLEM
    world.clock.now += 1
    assert (await ask(world)).result is Result.QUEUED


async def test_what_the_operator_lays_down_holds_in_every_place(world: World) -> None:
    await curb(world, Curb.BAN, there=EVERYWHERE)
    assert "banned" in (await ask(world, Caller(BOB, THERE))).sentence


async def test_a_curb_is_on_a_person_and_not_on_an_account(world: World) -> None:
    other = Asker("recording", "bobs other account")
    async with world.database.transaction() as tx:
        await people.offer(tx, BOB, "hash", world.clock() + 9)
        await people.join(tx, other, "hash", world.clock())
    await curb(world, Curb.MUTE)
    assert "muted" in (await ask(world, Caller(other, HERE))).sentence


async def test_who_may_not_ask_for_clips_may_not_have_them_shown_either(world: World) -> None:
    delivery = await world.rendered(asker=BOB)
    await curb(world, Curb.MUTE)
    outcome = await show(world, delivery.clip)
    assert (outcome.result, outcome.sentence.startswith("You are muted")) == (Result.PROBLEM, True)


class Meanwhile(RecordingSurface):
    """Something happens after a card was posted and before the job behind it is there."""

    def __init__(self, happens: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self.happens = happens

    async def show(self, address: Address, card: Card, nonce: str) -> Handle:
        handle = await super().show(address, card, nonce)
        await self.happens()
        return handle


@pytest.mark.parametrize(
    ("settings", "kind", "words"),
    [({}, Curb.BAN, "banned"), ({"paused": True}, None, "paused"), ({"budget": 1}, None, "everybody here")],
)
async def test_what_changes_while_the_card_is_posted_counts(
    world: World, settings: dict[str, object], kind: Curb | None, words: str
) -> None:
    async def changes() -> None:
        await settle(world, **settings)
        if kind:
            await curb(world, kind)

    surface = Meanwhile(changes)
    world.on(surface)
    outcome = await ask(world)
    assert outcome.handle is not None
    assert (outcome.job, words in surface.messages[outcome.handle].card.status) == ("", True)
    assert (await world.usage(BOB)).spent == ()


# --- quiet hours; the clock of these tests stands at 13:46:40 UTC ---


@pytest.mark.parametrize(
    ("hours", "told", "wait"),
    [
        ("13:00-14:00", "quiet here until 14:00 (UTC); please ask again in 13 min 20 s.", 800.0),
        ("22:00-15:00 Europe/Berlin", "until 15:00 (Europe/Berlin); please ask again in 13 min 20 s.", 800.0),
    ],
)
async def test_in_quiet_hours_nothing_is_made_and_the_card_says_when_it_is_again(
    world: World, hours: str, told: str, wait: float
) -> None:
    await settle(world, quiet=hours)
    outcome = await ask(world)
    assert outcome.result is Result.PROBLEM
    assert told in world.message(outcome).card.status
    assert (await ask(world, Caller(BOB, THERE))).result is Result.QUEUED
    world.clock.now += wait
    assert (await ask(world)).result is Result.QUEUED


async def test_outside_of_quiet_hours_clips_are_made(world: World) -> None:
    await settle(world, quiet="22:00-07:00")
    assert (await ask(world)).result is Result.QUEUED


async def test_of_several_reasons_the_one_about_the_person_is_told(world: World) -> None:
    await settle(world, quiet="13:00-14:00", paused=True, budget=0)
    await curb(world, Curb.MUTE)
    assert "muted" in (await ask(world)).sentence
    assert "paused" in (await ask(world, Caller(ADA, HERE))).sentence
    await settle(world, quiet="13:00-14:00", budget=0)
    assert "quiet" in (await ask(world, Caller(ADA, HERE))).sentence


# --- the budget of a place ---


async def test_everybody_in_a_place_shares_its_budget(world: World) -> None:
    await settle(world, budget=2500)
    first = await ask(world, Caller(ADA, HERE))
    world.clock.now += 600
    await ask(world)
    third = await ask(world)
    assert third.result is Result.DENIED
    card = world.message(third).card
    assert "used up for now; this fits again in 23 h 50 min." in card.status
    assert dict(card.facts) == {"Cost": "1 credit", "Left": "0.5 credits"}
    assert (await ask(world, Caller(BOB, THERE))).result is Result.QUEUED
    await world.commands.press(Caller(ADA, HERE), intents.token(intents.Cancel(first.job)), new_id())
    assert (await ask(world)).result is Result.QUEUED


async def test_what_a_place_spent_comes_back_after_the_window(world: World) -> None:
    await settle(world, budget=1000)
    await ask(world)
    world.clock.now += world.commands.allowance.window - 1
    assert (await ask(world)).result is Result.DENIED
    world.clock.now += 1
    assert (await ask(world)).result is Result.QUEUED


async def test_many_at_once_get_exactly_what_the_place_has(world: World) -> None:
    await settle(world, budget=3000)
    askers = [Asker("recording", f"member {number}") for number in range(12)]
    outcomes = await asyncio.gather(*(ask(world, Caller(asker, HERE)) for asker in askers))
    assert sorted(outcome.result for outcome in outcomes) == [Result.DENIED] * 9 + [Result.QUEUED] * 3


async def test_where_the_budget_is_used_up_nobody_learns_a_verdict_for_nothing(world: World) -> None:
    await settle(world, budget=1000)
    await ask(world)
    outcome = await ask(world, prompt="a nude woman")
    assert (outcome.result, outcome.handle is not None) == (Result.DENIED, True)
    assert "used up" in outcome.sentence
    assert len((await world.usage(BOB)).spent) == 1


async def test_a_clip_dearer_than_the_whole_budget_is_told_what_to_change(world: World) -> None:
    await settle(world, budget=1000)
    assert "ask for fewer steps" in (await ask(world, steps=8)).sentence


async def test_who_asks_for_their_credit_sees_what_is_left_for_everybody(world: World) -> None:
    answers = Answers(world.commands)
    await settle(world, budget=2500)
    await ask(world, Caller(ADA, HERE))
    assert dict((await answers.quota(Caller(BOB, HERE))).facts)["Left for everybody here"] == "1.5 of 2.5 credits"
    told = [dict((await answers.quota(Caller(BOB, HERE), Wish("", steps=steps))).facts) for steps in (6, 7, 12)]
    assert [facts["This clip costs"] for facts in told] == [
        "1.5 credits (it fits)",
        "1.75 credits (it fits in 24 h)",
        "3 credits (it does not fit)",
    ]
    assert "Left for everybody here" not in dict((await answers.quota(Caller(BOB, THERE))).facts)


# --- its rulings, and what its moderators found harmless ---


@pytest.mark.parametrize(
    ("caller", "result"),
    [
        (Caller(BOB, HERE), Result.REFUSED),
        (Caller(BOB, HERE, ADULTS), Result.QUEUED),
        (Caller(BOB, THERE, ADULTS), Result.REFUSED),
    ],
)
async def test_a_place_loosens_only_where_adults_alone_are(world: World, caller: Caller, result: Result) -> None:
    await settle(world, overrides=(("P1", "label"),))
    assert (await ask(world, caller, prompt="a nude woman")).result is result


async def test_a_place_tightens_anywhere(world: World) -> None:
    assert (await ask(world, prompt="cctv of a street in Paris")).result is Result.QUEUED
    await settle(world, overrides=(("P9", "hold"), ("P3", "refuse")))
    assert (await ask(world, prompt="cctv of a street in Paris")).result is Result.HELD
    assert (await ask(world, prompt="a sword fight")).result is Result.REFUSED


async def test_a_prompt_found_harmless_is_made_in_that_place_alone_however_it_is_typed(world: World) -> None:
    await settle(world, preset="family")
    async with world.database.transaction() as tx:
        await places.put(tx, "recording", "there", PlaceSettings(preset="family"), 1.0)
    await found_harmless(world, "a sword fight on a stage")
    outcome = await ask(world, prompt="  A sword  Fight on\na stage ")
    assert outcome.result is Result.QUEUED
    assert (await world.job(outcome.job)).verdict.rules == ("place.allowed",)
    assert (await ask(world, prompt="a sword fight on a big stage")).result is Result.REFUSED
    assert (await ask(world, Caller(BOB, THERE), prompt="a sword fight on a stage")).result is Result.REFUSED


async def test_a_clip_of_a_prompt_found_harmless_may_be_shown_there(world: World) -> None:
    delivery = await world.rendered("a sword fight on a stage", asker=BOB)
    await settle(world, preset="family")
    assert (await show(world, delivery.clip)).result is Result.PROBLEM
    await found_harmless(world, "a sword fight on a stage")
    assert (await show(world, delivery.clip)).result is Result.SHOWN


# --- clips of others ---


@pytest.mark.parametrize(
    ("others", "circumstances", "result"),
    [
        ("everyone", Circumstances(), Result.QUEUED),
        ("moderators", Circumstances(), Result.NOT_YOURS),
        ("moderators", Circumstances(moderator=True), Result.QUEUED),
        ("moderators", Circumstances(roles=("keeper",)), Result.QUEUED),
        ("nobody", Circumstances(moderator=True), Result.NOT_YOURS),
    ],
)
async def test_a_place_says_who_may_have_clips_of_others_made_again(
    world: World, others: str, circumstances: Circumstances, result: Result
) -> None:
    delivery = await world.rendered(asker=ADA)
    await settle(world, others=others, moderators=("keeper",))
    token = intents.token(Again(delivery.job))
    assert (await world.commands.press(Caller(BOB, HERE, circumstances), token, new_id())).result is result
    assert (await world.commands.press(Caller(ADA, HERE), token, new_id())).result is Result.QUEUED
