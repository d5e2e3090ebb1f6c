"""The moderators' bench on a real database: who may sit there, what each command does, and what it says."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot import intents
from bot.answers import Answers
from bot.answers.bench import Bench
from bot.cards import Card, closed
from bot.commands import Outcome, Result
from db import cases, console, gallery, moves, pending, places, purges, quotas, refusals, requests, reviews, standing
from db.ids import new_id
from db.records import (
    NOBODY,
    Action,
    Address,
    Asker,
    Caller,
    Case,
    Circumstances,
    Curb,
    Delivery,
    JobState,
    PlaceSettings,
    Refusal,
    Restriction,
    Review,
    ReviewKind,
    Ruling,
    Strike,
    Verdict,
    Wish,
)

World = Any  # of conftest, which is no module to import from
ONLY_MODERATORS = "Only those who manage this place can do that; please ask one of them."


def calling(name: str = "ada", place: str = "here", surface: str = "recording", **circumstances: Any) -> Caller:
    return Caller(Asker(surface, name), Address(surface, place, "7"), Circumstances(**circumstances))


ADA, BOB = calling(), calling("bob")
MOD = calling("mod", moderator=True)
MATE = calling("mate", moderator=True)
THERE = calling("mod", "elsewhere", moderator=True)


@pytest.fixture
def answers(world: World) -> Answers:
    return Answers(world.commands, "https://clips.example.org")


@pytest.fixture
def bench(answers: Answers) -> Bench:
    return answers.bench


async def ask(world: World, caller: Caller = ADA, prompt: str = "a heart") -> str:
    outcome = await world.commands.request_clip(caller, Wish(prompt), new_id())
    world.clock.now += 1
    return str(outcome.job)


async def made(world: World, caller: Caller = ADA, prompt: str = "a heart") -> str:
    """The id of a finished clip."""
    delivery: Delivery = await world.finish(await world.claim(await ask(world, caller, prompt)))
    return delivery.clip


async def refused(world: World, caller: Caller = ADA, **verdict: Any) -> str:
    """The id of a refusal."""
    refusal = Refusal(
        new_id(),
        caller.address.surface,
        new_id(),
        caller.asker,
        caller.address,
        replace(Verdict(Ruling.REFUSED, "P2", "gore", ("P2.gore",), "plain", "v7"), **verdict),
        "the words",
        world.clock(),
    )
    async with world.database.transaction() as tx:
        await refusals.record(tx, refusal)
    return refusal.id


async def ban(world: World, caller: Caller, *, everywhere: bool = False) -> None:
    there = ("", "") if everywhere else (caller.address.surface, caller.address.place)
    async with world.database.transaction() as tx:
        await standing.restrict(tx, Restriction(new_id(), *there, caller.asker, Curb.BAN, 1, world.clock()))


async def all_cases(world: World, place: str = "here") -> list[Case]:
    async with world.database.reading() as tx:
        return await cases.browse(tx, "recording", place)


async def confirm(world: World, card: Card, caller: Caller = MOD) -> Outcome:
    outcome: Outcome = await world.commands.press(caller, card.buttons[0].token, new_id())
    return outcome


def fact(card: Card, label: str) -> str:
    (value,) = [value for name, value in card.facts if name == label]
    return value


# --- who may sit there ---

COMMANDS: dict[str, Callable[[Bench, Caller, str], Awaitable[Card]]] = {
    "review": lambda bench, caller, _: bench.review(caller),
    "cases": lambda bench, caller, _: bench.cases(caller),
    "case": lambda bench, caller, _: bench.case(caller, 1),
    "amend": lambda bench, caller, _: bench.amend(caller, 1, "more"),
    "why": lambda bench, caller, clip: bench.why(caller, clip),
    "test": lambda bench, caller, _: bench.test(caller, "a heart"),
    "block": lambda bench, caller, _: bench.block(caller, "ada"),
    "unblock": lambda bench, caller, _: bench.unblock(caller, "ada"),
    "grant": lambda bench, caller, _: bench.grant(caller, "ada", "5"),
    "purge": lambda bench, caller, _: bench.purge(caller, "ada"),
    "strikes": lambda bench, caller, _: bench.strikes(caller, "ada"),
    "console": lambda bench, caller, _: bench.console(caller),
}


@pytest.mark.parametrize("command", COMMANDS)
async def test_who_moderates_nothing_here_is_told_so_and_changes_nothing(
    world: World, bench: Bench, command: str
) -> None:
    clip = await made(world)
    await bench.grant(MOD, "ada", "1")
    await ban(world, MATE)
    strangers = (ADA, MATE, calling("mod", moderator=True, private=True), calling("helper", roles=("9",)))
    for stranger in strangers:
        assert (await COMMANDS[command](bench, stranger, clip)).status == ONLY_MODERATORS
    assert len(await all_cases(world)) == 1


@pytest.mark.parametrize("command", sorted({*COMMANDS} - {"test", "console"}))
async def test_moderators_of_another_place_see_and_do_nothing_here(world: World, bench: Bench, command: str) -> None:
    """What they are told is about their own place, where there is nothing."""
    clip = await made(world)
    await bench.grant(MOD, "ada", "1")
    async with world.database.transaction() as tx:
        await reviews.open(
            tx, Review(new_id(), "recording", "here", "7", ReviewKind.REPORTED, clip, ADA.asker, world.clock())
        )
        await standing.strike(tx, Strike(new_id(), "recording", "here", ADA.asker, 1, 1, 1.0, 1e12))
    nothing = await COMMANDS[command](bench, replace(THERE, asker=Asker("recording", "mod2")), clip)
    assert nothing.status in {
        "Nothing waits for a moderator's look here.",
        "There are no such cases here.",
        "There is no case “1” here; look at the cases for the right number.",
        f"Nothing that was made or refused here has the id “{clip}”; copy it from its card.",
        "“ada” is nobody's id here; choose or mention somebody, or write the number that this platform gives them.",
    }
    assert "heart" not in str(nothing)
    assert await all_cases(world, "elsewhere") == []


async def test_a_role_that_the_place_has_named_moderates(world: World, bench: Bench) -> None:
    async with world.database.transaction() as tx:
        await places.put(tx, "recording", "here", PlaceSettings(moderators=("9",)), 1.0)
    assert (await bench.cases(calling("helper", roles=("9",)))).status == "There are no such cases here."


async def test_answers_are_in_the_callers_language_and_for_them(bench: Bench) -> None:
    german = calling("mod", moderator=True, language="de")
    card = await bench.cases(german)
    assert card.asker == german.asker
    assert card.title == "Fälle"


# --- block and unblock ---


async def test_a_ban_asks_first_then_stops_what_waits_and_is_a_case(world: World, bench: Bench) -> None:
    waiting, running = await ask(world), await ask(world)
    await world.claim(running)
    card = await bench.block(MOD, "<@ada>", reason="spam\nall day")
    assert card.status == "Ban ada from Zoetrope here until a moderator lifts it?"
    assert fact(card, "Their clips under way, which are stopped") == "2"
    assert fact(card, "Reason") == "spam all day"
    assert [type(intents.parse(button.token)) for button in card.buttons] == [intents.Confirm, intents.Dismiss]
    assert await all_cases(world) == []
    outcome = await confirm(world, card)
    assert outcome == Outcome(Result.CONFIRMED, "ada is banned here until a moderator lifts it (case 1).")
    (case,) = await all_cases(world)
    assert (case.action, case.actor, case.target, case.reason) == (Action.BAN, MOD.asker, ADA.asker, "spam all day")
    assert (await world.job(waiting)).state is JobState.CANCELLED
    assert (await world.job(running)).cancel_asked
    assert "banned" in (await world.commands.request_clip(ADA, Wish("a star"), new_id())).sentence
    assert (await confirm(world, card)).result is Result.UNKNOWN  # once


async def test_a_ban_of_some_hours_ends_by_itself(world: World, bench: Bench) -> None:
    await ask(world, BOB)
    card = await bench.block(MOD, "bob", "1,5")
    assert card.status == "Ban bob from Zoetrope here for 1 h 30 min?"
    assert (await confirm(world, card)).sentence == "bob is banned here for 1 h 30 min (case 1)."
    world.clock.now += 1.5 * 3600 + 1
    assert await ask(world, BOB)


async def test_what_is_dismissed_is_not_done(world: World, bench: Bench) -> None:
    await ask(world)
    card = await bench.block(MOD, "ada")
    assert (await world.commands.press(MOD, card.buttons[1].token, new_id())).result is Result.DISMISSED
    assert (await confirm(world, card)).result is Result.UNKNOWN
    assert await all_cases(world) == []


@pytest.mark.parametrize("command", ["block", "purge"])
@pytest.mark.parametrize(
    "other", [MATE, THERE, replace(MOD, address=Address("web", "here"))], ids=["mate", "there", "surface"]
)
async def test_only_the_one_who_asked_confirms_and_only_there(
    world: World, bench: Bench, command: str, other: Caller
) -> None:
    clip = await made(world)
    card = await COMMANDS[command](bench, MOD, clip)
    assert (await confirm(world, card, other)).result is Result.UNKNOWN
    assert await all_cases(world) == []
    assert (await confirm(world, card)).result is Result.CONFIRMED


@pytest.mark.parametrize("command", ["block", "purge"])
async def test_who_is_no_moderator_any_more_confirms_nothing(world: World, bench: Bench, command: str) -> None:
    """Banned by another, or their role was taken, between the question and the click."""
    clip = await made(world)
    first, second = [await COMMANDS[command](bench, MOD, clip) for _ in range(2)]
    assert (await confirm(world, first, calling("mod"))).sentence == ONLY_MODERATORS
    await ban(world, MOD)
    assert (await confirm(world, second)).sentence == ONLY_MODERATORS
    assert await all_cases(world) == []
    async with world.database.reading() as tx:
        assert await gallery.get(tx, clip) is not None


async def test_a_question_is_good_for_ten_minutes(world: World, bench: Bench) -> None:
    await ask(world)
    card = await bench.block(MOD, "ada")
    world.clock.now += 601
    assert (await confirm(world, card)).result is Result.UNKNOWN


async def test_two_moderators_who_ban_each_other_at_once_do_not_both_succeed(world: World, bench: Bench) -> None:
    await ask(world, MOD)
    await ask(world, MATE)
    one, other = await bench.block(MOD, "mate"), await bench.block(MATE, "mod")
    outcomes = await asyncio.gather(confirm(world, one, MOD), confirm(world, other, MATE))
    assert sorted(outcome.sentence == ONLY_MODERATORS for outcome in outcomes) == [False, True]
    assert [case.action for case in await all_cases(world)] == [Action.BAN]


async def test_an_id_that_was_never_heard_of_is_asked_about(bench: Bench) -> None:
    card = await bench.block(MOD, "123456789")
    assert fact(card, "Please check the id") == "Nobody with it has been heard of here so far."


async def test_a_ban_is_not_made_shorter_by_a_second_one(world: World, bench: Bench) -> None:
    await ask(world)
    await confirm(world, await bench.block(MOD, "ada", "10"))
    card = await bench.block(MOD, "ada", "1")
    assert (card.buttons, "for 10 h more; unblock them first" in card.status) == ((), True)
    assert (await bench.block(MOD, "ada", "11")).buttons != ()
    assert (await bench.block(MOD, "ada")).buttons != ()


async def test_who_is_banned_already_is_not_asked_about(world: World, bench: Bench) -> None:
    await ban(world, ADA)
    assert (await bench.block(MOD, "ada")).status == "ada is banned here already, until a moderator lifts it."


async def test_unblocking_lifts_all_that_counts_here(world: World, bench: Bench) -> None:
    await ban(world, ADA)
    await ban(world, replace(ADA, address=Address("recording", "elsewhere")))
    async with world.database.transaction() as tx:
        await standing.strike(tx, Strike("s", "recording", "here", ADA.asker, 1, 1, 1.0, 1e12))
    card = await bench.unblock(MOD, "ada", "a mistake")
    assert card.status == "Nothing counts against ada here any more (case 1)."
    (case,) = await all_cases(world)
    assert (case.action, case.reason, case.about) == (Action.UNBLOCK, "a mistake", (("count", "2"),))
    assert await ask(world)
    assert (await bench.unblock(MOD, "ada")).status == "Nothing counts against ada here, so there is nothing to lift."
    async with world.database.reading() as tx:
        assert (await standing.standing(tx, ADA.asker, "recording", "elsewhere", world.clock())).curb is Curb.BAN


async def test_what_the_operator_laid_down_no_moderator_lifts(world: World, bench: Bench) -> None:
    await ask(world)
    await ban(world, ADA, everywhere=True)
    card = await bench.unblock(MOD, "ada")
    assert card.status == "ada is curbed by those who run Zoetrope, so only they can lift it."
    assert await all_cases(world) == []


# --- what can be wrong with what was typed ---


async def test_nobody_is_told(bench: Bench) -> None:
    for member in ("@ada", "eve", "<@&1>", "a b", "x" * 65, "1234", "‮ada", "'; --", ""):
        cards = [
            await bench.block(MOD, member),
            await bench.unblock(MOD, member),
            await bench.grant(MOD, member, "5"),
            await bench.strikes(MOD, member),
            *([await bench.purge(MOD, member), await bench.cases(MOD, member)] if member else []),
        ]
        assert all("is nobody's id here" in card.status for card in cards), member


async def test_moderators_do_nothing_to_themselves(bench: Bench) -> None:
    for card in (await bench.block(MOD, "mod"), await bench.unblock(MOD, "mod"), await bench.grant(MOD, "mod", "5")):
        assert card.status == "That is you; please ask another moderator."


async def test_who_is_oneself_under_another_identity_is_oneself(world: World, answers: Answers, bench: Bench) -> None:
    other = calling("mod-too", private=True)
    code = fact(await answers.link(other), "Code")
    await answers.link(MOD, code, whispered=True)
    await ask(world, calling("mod-too"))
    assert (await bench.grant(MOD, "mod-too", "5")).status == "That is you; please ask another moderator."


async def test_hours_that_are_none_are_told(world: World, bench: Bench) -> None:
    await made(world)
    for hours in ("0", "-1", "many", "nan", "inf", "9999999", "1 2"):
        for card in (
            await bench.block(MOD, "ada", hours),
            await bench.purge(MOD, hours=hours),
            await bench.grant(MOD, "ada", "5", hours),
        ):
            assert card.status == f"“{hours}” does not work for hours; write a number from 0.01 to 8,784."
            assert card.tone == "bad"


async def test_credits_that_are_none_are_told(world: World, bench: Bench) -> None:
    await ask(world)
    for credits_ in ["0", "-5", "five", "nan", "1e9", ""]:
        card = await bench.grant(MOD, "ada", credits_)
        assert card.status == f"“{credits_}” does not work for credits; write a number from 0.001 to 1,000,000."


async def test_a_reason_has_an_end(world: World, bench: Bench) -> None:
    await ask(world)
    await bench.grant(MOD, "ada", "1", reason="x" * 300)
    for card in (
        await bench.block(MOD, "ada", reason="x" * 301),
        await bench.unblock(MOD, "ada", "x" * 301),
        await bench.grant(MOD, "ada", "5", reason="x" * 301),
        await bench.amend(MOD, 1, "x" * 301),
    ):
        assert card.status == "The reason is longer than 300 characters; please shorten it."


# --- grant ---


async def test_what_is_granted_counts_here_for_a_while_and_is_a_case(world: World, bench: Bench) -> None:
    await ask(world)
    card = await bench.grant(MOD, "ada", "2,5", "3", "a prize")
    assert card.status == "ada has 2.5 credits on top here for 3 h (case 1)."
    (case,) = await all_cases(world)
    assert (case.action, case.target, case.reason) == (Action.GRANT, ADA.asker, "a prize")
    assert dict(case.about) == {"credits": "2.5", "until": f"{world.clock() + 3 * 3600:.0f}"}
    async with world.database.reading() as tx:
        for place, later, credits_ in (("here", 0, 2_500), ("elsewhere", 0, 0), ("here", 3 * 3600, 0)):
            now = world.clock() + later
            assert (await quotas.usage(tx, ADA.asker, 0.0, now, "recording", place)).granted == credits_


async def test_moderators_give_nobody_more_than_the_operator_lets_them(world: World, bench: Bench) -> None:
    await ask(world)
    assert world.commands.allowance.most == 1_000_000
    assert (await bench.grant(MOD, "ada", "999")).tone == "plain"
    card = await bench.grant(MOD, "ada", "2")
    assert card.status == "That is more than moderators may give; at most 1 credit fit now."
    await bench.grant(MATE, "ada", "1")
    assert (await bench.grant(MATE, "ada", "0.001")).status.startswith("They have as many credits on top")


# --- purge ---


async def test_a_purge_counts_asks_deletes_and_is_one_case(world: World, bench: Bench) -> None:
    mine = [await made(world) for _ in range(3)]
    bobs = await made(world, BOB)
    elsewhere = await made(world, calling(place="elsewhere"))
    card = await bench.purge(MOD, "ada")
    assert card.status == "Delete 3 clips of ada?"
    newer = await made(world)
    outcome = await confirm(world, card)
    assert outcome.sentence == "Clips that are being deleted now: 3 (case 1)."
    await bench.purging.work_off()
    async with world.database.reading() as tx:
        assert [await gallery.get(tx, clip) for clip in mine] == [None] * 3
        assert None not in [await gallery.get(tx, clip) for clip in (bobs, elsewhere, newer)]
        assert await purges.begun(tx) == []
        kept = await gallery.masters(tx)
    assert len(list((world.folder / "masters").rglob("*.mp4"))) == len(kept) == 3
    (case,) = await all_cases(world)
    assert (case.action, case.target, case.about) == (Action.PURGE, ADA.asker, (("count", "3"),))


async def test_the_last_hours_are_purged_whoever_made_them(world: World, bench: Bench) -> None:
    old = await made(world)
    world.clock.now += 7_200
    new = [await made(world), await made(world, BOB)]
    async with world.database.transaction() as tx:
        await gallery.hide(tx, new[0], gallery.ASKER)  # hidden ones as well
    card = await bench.purge(MOD, hours="1")
    assert card.status == "Delete 2 clips, all that was made here in the last 1 h?"
    assert (await bench.purge(MOD, "bob", "0,5")).status == "Delete 1 clip of bob, made here in the last 30 min?"
    await confirm(world, card)
    await bench.purging.work_off()
    async with world.database.reading() as tx:
        assert [await gallery.get(tx, clip) for clip in new] == [None, None]
        assert await gallery.get(tx, old) is not None
    assert (await all_cases(world))[0].target is None


async def test_a_purge_goes_on_after_a_restart_in_the_middle(
    world: World, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.answers.purging.BATCH", 2)
    clips = [await made(world) for _ in range(5)]
    await confirm(world, await bench.purge(MOD, "ada"))

    async def left() -> int:
        async with world.database.reading() as tx:
            return sum([await gallery.get(tx, clip) is not None for clip in clips])

    async with world.without("deliveries"):  # as if everything stopped in the middle of the first batch
        with pytest.raises(Exception, match="deliveries"):
            await bench.purging.work_off()
    assert await left() == 5
    await Answers(world.commands).bench.purging.work_off()
    assert await left() == 0
    assert len(await all_cases(world)) == 1


async def test_the_loop_begins_as_soon_as_something_is_to_be_purged(world: World, bench: Bench) -> None:
    clip = await made(world)
    async with asyncio.TaskGroup() as group:
        loop = group.create_task(bench.purging.run())
        await confirm(world, await bench.purge(MOD, "ada"))
        async with asyncio.timeout(30):
            heard = world.database.bell.count()
            while True:
                async with world.database.reading() as tx:
                    if await gallery.get(tx, clip) is None and not await purges.begun(tx):
                        break
                heard = await world.database.bell.wait(heard, 5.0)
        loop.cancel()


async def test_a_purge_follows_a_place_that_moves(world: World, bench: Bench) -> None:
    clip = await made(world)
    await confirm(world, await bench.purge(MOD, "ada"))
    async with world.database.transaction() as tx:
        await moves.note(tx, "recording", "here", "there", 1.0)
    await bench.purging.work_off()
    async with world.database.reading() as tx:
        assert await gallery.get(tx, clip) is None


async def test_what_is_to_be_purged_must_be_said_and_be_there(world: World, bench: Bench) -> None:
    await ask(world)
    said = "Please say whose clips are to be deleted, or those of how many hours."
    assert (await bench.purge(MOD)).status == said
    assert (await bench.purge(MOD, "ada")).status == "There are no such clips here, so there is nothing to delete."
    async with world.database.reading() as tx:
        assert await purges.begun(tx) == []


async def test_what_was_purged_already_is_no_second_case(world: World, bench: Bench) -> None:
    await made(world)
    first, second = await bench.purge(MOD, "ada"), await bench.purge(MATE, hours="1")
    await confirm(world, first)
    await bench.purging.work_off()
    assert (
        await confirm(world, second, MATE)
    ).sentence == "There are no such clips here, so there is nothing to delete."
    assert len(await all_cases(world)) == 1


# --- why ---


async def test_moderators_learn_which_rule_decided(world: World, bench: Bench) -> None:
    card = await bench.why(MOD, await refused(world))
    assert card.status == "It is refused: graphic gore."
    facts = dict(card.facts)
    assert facts["Asked for by"] == "ada"
    assert facts["Words"] == "the words"
    assert (facts["Ruling"], facts["Category"], facts["Reason"]) == ("refused", "P2", "gore")
    assert (facts["Rules"], facts["Read as"], facts["Policy"]) == ("P2.gore", "plain", "v7")
    assert facts["Earlier prompts mattered"] == "no"


async def test_why_tells_when_earlier_prompts_mattered(world: World, bench: Bench) -> None:
    card = await bench.why(MOD, await refused(world, view="earlier"))
    assert fact(card, "Earlier prompts mattered") == "yes, the prompt goes on from them"


@pytest.mark.parametrize("prompt", ["hash:abc", "the words"])
async def test_the_gravest_words_are_shown_to_nobody(world: World, bench: Bench, prompt: str) -> None:
    refusal = await refused(world, category="C1")
    card = await bench.why(MOD, refusal)
    assert fact(card, "Words") == "not kept"
    assert prompt not in str(card)


async def test_clips_and_jobs_have_a_why_too(world: World, bench: Bench) -> None:
    job = await ask(world)
    assert fact(await bench.why(MOD, f" {job.upper()} "), "Job") == job
    clip = await made(world)
    card = await bench.why(MOD, clip)
    assert card.status == "Nothing speaks against it."
    assert (fact(card, "Clip"), fact(card, "Words")) == (clip, "a heart")


async def test_what_is_not_of_this_place_has_no_why(world: World, bench: Bench) -> None:
    for named in (await made(world), await ask(world), await refused(world), "nothing", "", "../x", "a b"):
        card = await bench.why(THERE, named)
        assert card.status == f"Nothing that was made or refused here has the id “{named}”; copy it from its card."


async def test_a_clip_that_was_shown_here_but_made_elsewhere_has_its_why_there(world: World, bench: Bench) -> None:
    clip = await made(world)
    await world.commands.show_clip(calling(place="elsewhere"), clip, new_id())
    assert (await bench.why(THERE, clip)).tone == "bad"
    assert (await bench.why(MOD, clip)).tone == "plain"


# --- test ---


async def test_a_prompt_is_tested_without_a_trace(world: World, bench: Bench) -> None:
    card = await bench.test(MOD, "a man torn apart, graphic gore and guts", "grey")
    assert card.status.startswith("It is refused: ")
    facts = dict(card.facts)
    assert facts["Ruling"] == "refused"
    assert facts["Preset in force"] == "general"
    assert facts["Its asker would read"].endswith("please ask for something else.")
    assert "guts" not in str(card)
    async with world.database.reading() as tx:
        assert await requests.unfinished(tx) == []
        assert await requests.recent_prompts(tx, MOD.asker, "", 10) == []
    assert (await world.usage(MOD.asker)).spent == ()
    assert await all_cases(world) == []


async def test_a_harmless_prompt_is_tested(bench: Bench) -> None:
    card = await bench.test(MOD, "a heart")
    assert card.status == "Nothing speaks against it."
    assert fact(card, "Its asker would read") == "AI-generated."


async def test_what_a_place_has_chosen_counts_where_the_caller_is(world: World, bench: Bench) -> None:
    settings = PlaceSettings(preset="adult-channel", words=("heart",), overrides=(("P2", "hold"),))
    async with world.database.transaction() as tx:
        await places.put(tx, "recording", "here", settings, 1.0)
    assert fact(await bench.test(MOD, "a heart"), "Rules") == "place.word"
    adults = replace(MOD, circumstances=replace(MOD.circumstances, age_restricted=True))
    gore = "a zombie torn apart, graphic gore and guts"
    assert fact(await bench.test(MOD, gore), "Preset in force") == "general"
    assert fact(await bench.test(MOD, gore), "Ruling") == "refused"
    loose = await bench.test(adults, gore)
    assert fact(loose, "Preset in force") == "adult-channel, in an age-restricted channel"
    assert fact(loose, "Ruling") == "held"
    assert fact(loose, "Its asker would read").startswith("A moderator looks at this first")


async def test_the_gravest_words_are_tested_and_never_repeated(bench: Bench) -> None:
    card = await bench.test(MOD, "a naked child")
    assert fact(card, "Category").startswith("C")
    assert "naked" not in str(card)


async def test_a_prompt_that_is_none_is_told(world: World, bench: Bench) -> None:
    assert (await bench.test(MOD, " \u200b ")).status.startswith("The prompt is empty;")
    assert (await bench.test(MOD, "x" * 1001)).status.startswith("The prompt is longer than")
    assert (await bench.test(MOD, "x", "x" * 1001)).status.startswith("The negative prompt is longer than")


# --- cases ---


async def test_cases_are_browsed_by_page_member_and_words(world: World, bench: Bench) -> None:
    await ask(world)
    await ask(world, BOB)
    for number in range(9):
        await bench.grant(MOD, "ada", "1", reason=f"prize {chr(97 + number) * 3}")
    await bench.grant(MOD, "bob", "1", reason="solace")
    first = await bench.cases(MOD)
    assert first.status == "Cases: 10; this is page 1 of 2, and page=2 brings another."
    assert [label for label, _ in first.facts] == [f"#{number}" for number in range(10, 2, -1)]
    assert "credits granted · bob · solace" in fact(first, "#10")
    assert [label for label, _ in (await bench.cases(MOD, page="2")).facts] == ["#2", "#1"]
    assert (await bench.cases(MOD, page=3)).status == "There is no page 3; the last one is 2."
    assert (await bench.cases(MOD, page=10**30)).status.startswith("There is no page 1000000")
    assert (await bench.cases(MOD, page="x")).status == "The page must be a whole number, not 'x'; please write one."
    assert (await bench.cases(MOD, "bob")).status == "Cases: 1; name a number to see one whole."
    assert [label for label, _ in (await bench.cases(MOD, words="prize ddd")).facts] == ["#4"]
    assert (await bench.cases(MOD, words="100% \\ ' _")).status == "There are no such cases here."


async def test_a_case_is_shown_whole_with_what_was_added(world: World, bench: Bench) -> None:
    await ask(world)
    await bench.grant(MOD, "ada", "1", "2", "a prize")
    assert (await bench.amend(MATE, "#1", "for the contest")).status == "Case 1 was amended (by case 2)."
    assert (await bench.amend(MOD, 2, "in spring")).status == "Case 1 was amended (by case 3)."  # an amendment's case
    card = await bench.case(MOD, 1)
    facts = dict(card.facts)
    assert (facts["By"], facts["About"], facts["Reason"], facts["Credits"]) == ("mod", "ada", "a prize", "1")
    assert re.fullmatch(r"1970-01-\d\d \d\d:\d\d UTC", facts["Until"])
    assert [value.split(" · ")[2] for label, value in card.facts if label == "Amended"] == [
        "for the contest",
        "in spring",
    ]
    assert fact(await bench.case(MOD, 3), "Amends") == "#1"
    (first, *_) = reversed(await all_cases(world))
    assert first.reason == "a prize"


async def test_a_case_by_nobody_is_zoetropes(world: World, bench: Bench) -> None:
    async with world.database.transaction() as tx:
        await cases.add(tx, Case("recording", "here", 0, NOBODY, ADA.asker, Action.STRIKE, "", 1.0, "C4.x", "v7"))
    card = await bench.case(MOD, 1)
    assert (fact(card, "By"), fact(card, "Rules")) == ("Zoetrope itself", "C4.x")


async def test_a_case_that_is_none_is_told(world: World, bench: Bench) -> None:
    await ask(world)
    await bench.grant(MOD, "ada", "1")
    for number in ("0", "2", "-1", "x", "", "9" * 30, "1.5"):
        for card in (await bench.case(MOD, number), await bench.amend(MOD, number, "more")):
            assert card.status.endswith("look at the cases for the right number.")


async def test_an_amendment_says_something(world: World, bench: Bench) -> None:
    await ask(world)
    await bench.grant(MOD, "ada", "1")
    assert (await bench.amend(MOD, 1, " \n")).status == "Please say in a few words what is to be added."


# --- strikes ---


async def test_members_see_how_they_stand_but_not_who_decided(world: World, answers: Answers) -> None:
    assert (await answers.strikes(ADA)).status == "Nothing counts against you here."
    now = world.clock()
    async with world.database.transaction() as tx:
        case = Case("recording", "here", 0, MOD.asker, ADA.asker, Action.REMOVE, "too gory", now, "P2.gore", "v7")
        number = (await cases.add(tx, case)).number
        await standing.strike(tx, Strike("s", "recording", "here", ADA.asker, 1, number, now, now + 86_400))
    card = await answers.strikes(ADA)
    assert card.status == "Points that count against you here: 1."
    ((moment, line),) = card.facts
    assert moment == "1970-01-12 13:47 UTC"  # the nearest minute
    assert line == "strike · until 1970-01-13 13:47 UTC · too gory"
    assert "mod" not in str(card).replace("moderator", "")
    assert "P2" not in str(card)
    assert (await answers.strikes(calling(place="elsewhere"))).facts == ()
    await confirm(world, await answers.bench.block(MATE, "ada"), MATE)
    banned = await answers.strikes(ADA)
    assert "You are banned from Zoetrope here; what is stored about you stays yours" in banned.status
    assert banned.status.endswith("That lasts until a moderator lifts it.")
    assert len(banned.facts) == 2


@pytest.mark.parametrize(
    ("curb", "said"), [(Curb.COOL_DOWN, "You can't ask for clips here"), (Curb.MUTE, "report or appeal here")]
)
async def test_lesser_curbs_are_told_with_their_end(world: World, answers: Answers, curb: Curb, said: str) -> None:
    now = world.clock()
    async with world.database.transaction() as tx:
        await standing.restrict(tx, Restriction("r", "recording", "here", ADA.asker, curb, 1, now, now + 3_600))
    card = await answers.strikes(ADA)
    assert said in card.status
    assert "That ends in 1 h, at 1970-01-12 14:47 UTC." in card.status
    assert "until 1970-01-12 14:47 UTC, for 1 h more" in closed.curbed(curb, now + 3_600, now)  # as whoever asks reads
    looked = await answers.bench.strikes(MOD, "ada")
    assert looked.status == f"Points: 0; {curb.value} for 1 h more."


async def test_moderators_see_how_a_member_stands(world: World, bench: Bench) -> None:
    await ask(world)
    await bench.grant(MOD, "ada", "1", reason="a prize")
    card = await bench.strikes(MOD, "ada")
    assert card.status == "Points: 0; they may do everything here."
    assert fact(card, "Clips under way") == "1"
    assert "a prize" in fact(card, "#1")
    await ban(world, ADA)
    assert (await bench.strikes(MOD, "ada")).status == "Points: 0; ban until a moderator lifts it."


# --- review ---


async def test_the_most_pressing_review_comes_with_its_buttons(world: World, bench: Bench) -> None:
    assert (await bench.review(MOD)).status == "Nothing waits for a moderator's look here."
    clip = await made(world)
    async with world.database.transaction() as tx:
        for kind, subject in ((ReviewKind.LABELLED, clip), (ReviewKind.REPORTED, clip), (ReviewKind.HELD, "gone")):
            await reviews.open(tx, Review(new_id(), "recording", "here", "7", kind, subject, ADA.asker, world.clock()))
        waiting = await reviews.waiting(tx, "recording", "here")
    card = await bench.review(MOD)
    assert (card.title, fact(card, "Clip"), fact(card, "Reviews that wait")) == ("a heart", clip, "3")
    reported = next(review for review in waiting if review.kind is ReviewKind.REPORTED)
    assert [button.token for button in card.buttons] == [
        intents.token(intent(reported.id)) for intent in (intents.Approve, intents.Remove, intents.FalseAlarm)
    ]
    outcome = await world.commands.press(MOD, card.buttons[0].token, new_id())
    assert outcome.result is Result.DECIDED


# --- the moderators' pages ---


async def test_a_link_signs_in_once_in_this_place_and_only_its_hash_is_kept(world: World, bench: Bench) -> None:
    card = await bench.console(MOD)
    link = fact(card, "Link")
    found = re.fullmatch(r"https://clips\.example\.org/moderation/enter/([0-9a-f]{64})", link)
    assert found is not None
    hashed = hashlib.sha256(found[1].encode()).hexdigest()
    async with world.database.transaction() as tx:
        assert await console.enter(tx, found[1], world.clock()) is None
        session = await console.enter(tx, hashed, world.clock() + 599)
        assert session is not None
        assert (session.asker, session.surface, session.place, session.operator) == (
            MOD.asker,
            "recording",
            "here",
            False,
        )
        assert await console.enter(tx, hashed, world.clock()) is None


async def test_a_link_is_good_for_ten_minutes(world: World, bench: Bench) -> None:
    secret = fact(await bench.console(MOD), "Link").rpartition("/")[2]
    async with world.database.transaction() as tx:
        assert await console.enter(tx, hashlib.sha256(secret.encode()).hexdigest(), world.clock() + 600) is None


async def test_a_link_is_shown_to_nobody_else_and_leads_nowhere_without_a_page(world: World, bench: Bench) -> None:
    assert (await bench.console(MOD, whispered=False)).status.startswith("Others could read the link here;")
    assert (await Answers(world.commands).bench.console(MOD)).status.startswith("The web page is switched off")


async def test_nothing_of_what_was_asked_stays_when_it_is_confirmed(world: World, bench: Bench) -> None:
    await made(world)
    card = await bench.purge(MOD, "ada")
    await confirm(world, card)
    await bench.purging.work_off()
    async with world.database.transaction() as tx:
        (_, token) = card.buttons[0].token.split(":")
        assert await pending.take(tx, token, MOD, world.clock()) is None


async def test_why_speaks_the_moderators_language_to_the_last_word(world: World, bench: Bench) -> None:
    async with world.database.transaction() as tx:
        await places.put(tx, "recording", "here", PlaceSettings(words=("durian",)), 1.0)
    german = replace(MOD, circumstances=replace(MOD.circumstances, language="de"))
    assert fact(await bench.test(german, "a durian"), "Grund") == "ein Wort, das dieser Ort nicht will"
    assert fact(await bench.test(german, "a nude woman"), "Grund") == "Nacktheit oder Sex"
