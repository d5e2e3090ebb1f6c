"""A moderator's word on each kind of review: what it does, what it writes down, and who is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bot import cards, intents
from bot.commands import Result
from bot.intents import Appeal, Approve, Cancel, Delete, FalseAlarm, Remove
from bot.moderation import Moderation
from db import allowed, gallery, places, reports
from db.database import Database
from db.errors import DatabaseUnreachable
from db.records import (
    Action,
    Address,
    Asker,
    Caller,
    Circumstances,
    Curb,
    Decision,
    DeliveryState,
    Handle,
    JobState,
    PlaceSettings,
    Review,
    ReviewKind,
    Ruling,
    Verdict,
    Wish,
)

if TYPE_CHECKING:
    from tests.bot.conftest import World

ADA, BOB, MOD = Asker("recording", "ada"), Asker("recording", "bob"), Asker("recording", "mod")
HERE, ELSEWHERE = Address("recording", "here"), Address("recording", "elsewhere")
MODERATOR = Caller(MOD, HERE, Circumstances(moderator=True))
HELD, LABELLED = "suicide in a forest", "news footage of rain in Berlin"
NUDE, ATROCITY = "a nude woman", "leaked phone footage of a massacre in Kharkiv"


async def held(world: World) -> Review:
    await world.ask(HELD)
    return await world.review()


async def reported(world: World, prompt: str = "a heart") -> Review:
    """By enough people for it to be hidden."""
    delivery = await world.rendered(prompt)
    await world.delivery.attempt(delivery)
    for name in ("bob", "cyd", "dan"):
        await world.commands.report(Caller(Asker("recording", name), HERE), delivery.clip)
    return await world.review()


async def labelled(world: World) -> Review:
    delivery = await world.rendered(LABELLED)
    await world.delivery.attempt(delivery)
    await world.reviewing.tick()
    return await world.review()


async def appealed(world: World, prompt: str = NUDE) -> Review:
    outcome = await world.ask(prompt)
    (button,) = world.message(outcome).card.buttons
    intent = intents.parse(button.token)
    assert isinstance(intent, Appeal)
    await world.press(Caller(ADA, HERE), intent)
    return await world.review()


async def decide(world: World, review: Review, decision: type[Approve] | type[Remove] | type[FalseAlarm]) -> Result:
    return (await world.press(MODERATOR, decision(review.id))).result


async def card_of(world: World, review: Review) -> Handle:
    """Where its asker is told."""
    match review.kind:
        case ReviewKind.HELD:
            return (await world.job(review.subject)).handle
        case ReviewKind.APPEAL:
            return next(iter(world.surface.messages))
        case _:
            clip = await world.clip(review.subject)
            assert clip is not None
            return (await world.job(clip.job)).handle


async def exported(world: World) -> list[tuple[str, str, str, Verdict, bool]]:
    async with world.database.reading() as tx:
        return await allowed.exported(tx)


async def test_an_appeal_against_a_word_of_the_place_is_not_granted_in_vain(world: World) -> None:
    async with world.database.transaction() as tx:
        await places.put(tx, "recording", "here", PlaceSettings(words=("durian",)), world.clock())
    review = await appealed(world, "a durian")
    refused = await world.press(MODERATOR, Approve(review.id))
    assert (refused.result, "no appeal can allow" in refused.sentence) == (Result.PROBLEM, True)
    card = await card_of(world, review)
    assert await decide(world, review, FalseAlarm) is Result.DECIDED
    assert "still can't be made here" in (await world.told(card))[0]
    assert (await world.ask("a durian")).result is Result.REFUSED


async def test_a_reported_clip_that_a_moderator_deletes_was_reported_rightly(world: World) -> None:
    review = await reported(world)
    await world.press(MODERATOR, Delete(review.subject))
    async with world.database.reading() as tx:
        assert await reports.of_clip(tx, review.subject, "recording", "here") == []


# --- held ---


async def test_an_approved_job_waits_for_a_generator(world: World) -> None:
    review = await held(world)
    card = await card_of(world, review)
    assert await decide(world, review, Approve) is Result.DECIDED
    job = await world.job(review.subject)
    assert (job.state, job.verdict.ruling, job.verdict.category) == (JobState.QUEUED, Ruling.ALLOWED, "C6")
    assert (await world.usage()).spent != ()
    assert "being made" in (await world.told(card))[0]
    assert await exported(world) == []


async def test_a_held_job_that_is_removed_costs_a_strike_but_no_credit(world: World) -> None:
    review = await held(world)
    assert await decide(world, review, Remove) is Result.DECIDED
    assert (await world.job(review.subject)).state is JobState.REFUSED
    assert (await world.usage()).spent == ()
    assert (await world.standing()).points == 1
    (told,) = await world.told(await card_of(world, review))
    assert "not made" in told
    assert "/strikes" in told
    assert "2 points" in told  # what comes next


@pytest.mark.parametrize("how", ["removed", "lapsed"])
async def test_of_the_gravest_kind_no_words_stay_once_it_is_over(world: World, how: str) -> None:
    review = await held(world)
    async with world.database.transaction() as tx:
        await tx.execute(text("UPDATE jobs SET verdict = json_set(verdict, '$.category', 'C1')"))
    if how == "removed":
        assert await decide(world, review, Remove) is Result.DECIDED
    else:
        world.clock.now += cards.HELD_SECONDS
        await world.commands.lapse()
    async with world.database.reading() as tx:
        said = await tx.execute(text("SELECT json_extract(spec, '$.prompt') FROM jobs"))
        asked = await tx.execute(text("SELECT json_extract(wish, '$.prompt') FROM requests"))
        assert [*said.scalars(), *asked.scalars()] == ["", ""]


async def test_the_card_of_what_a_moderator_declined_says_so(world: World) -> None:
    review = await held(world)
    card = await card_of(world, review)
    await decide(world, review, Remove)
    async with world.running(world.progress):
        await world.surface.until(lambda: "declined" in world.surface.messages[card].card.status)
    assert world.surface.messages[card].card.buttons == ()


async def test_a_false_alarm_about_what_is_never_made_is_made_once_and_noted_only(world: World) -> None:
    review = await held(world)
    await decide(world, review, FalseAlarm)
    assert (await world.job(review.subject)).state is JobState.QUEUED
    ((surface, place, prompt, verdict, counts),) = await exported(world)
    assert (surface, place, prompt, verdict.category, counts) == ("recording", "here", HELD, "C6", False)
    assert (await world.ask(HELD)).result is Result.HELD  # the words are not loosened


async def test_what_was_cancelled_meanwhile_needs_no_decision(world: World) -> None:
    review = await held(world)
    await world.press(Caller(ADA, HERE), Cancel(review.subject))
    assert (await world.review_now(review)).decision is Decision.LAPSED
    assert await decide(world, review, Remove) is Result.DECIDED_ALREADY
    assert (await world.standing()).points == 0


async def test_a_held_job_that_nobody_looked_at_in_time_lapses_with_its_review(world: World) -> None:
    review = await held(world)
    world.clock.now += 24 * 3600
    await world.commands.lapse()
    assert (await world.review_now(review)).decision is Decision.LAPSED
    assert await decide(world, review, Approve) is Result.DECIDED_ALREADY
    assert (await world.job(review.subject)).state is JobState.CANCELLED


# --- reported ---


async def test_an_approved_clip_is_brought_to_its_cards_again(world: World) -> None:
    review = await reported(world)
    card = await card_of(world, review)
    await decide(world, review, Approve)
    clip = await world.clip(review.subject)
    assert clip is not None
    assert not clip.hidden
    async with world.running(world.delivery, world.progress):
        await world.surface.until(lambda: len(world.surface.messages[card].renditions) == 2)
    assert world.surface.messages[card].card.clip == review.subject
    assert any("shown again" in told for told in await world.told(card))


async def test_a_clip_that_was_not_hidden_yet_is_not_brought_a_second_time(world: World) -> None:
    delivery = await world.rendered()
    await world.delivery.attempt(delivery)
    await world.commands.report(Caller(BOB, HERE), delivery.clip)
    await decide(world, await world.review(), Approve)
    assert (await world.promised(delivery)).state is DeliveryState.SENT
    assert await world.told(delivery.handle) == []


async def test_a_removed_clip_is_gone_with_its_file_and_costs_a_strike(world: World) -> None:
    review = await reported(world)
    card = await card_of(world, review)
    clip = await world.clip(review.subject)
    assert clip is not None
    file = await world.files.local(clip.master)
    assert await decide(world, review, Remove) is Result.DECIDED
    assert await world.clip(review.subject) is None
    assert not file.exists()
    assert (await world.standing()).points == 1
    assert any("removed this clip" in told for told in await world.told(card))
    async with world.running(world.progress):
        await world.surface.until(lambda: world.surface.messages[card].card.title == "Deleted")


async def test_where_a_clip_was_brought_to_it_is_taken_down_there_alone(world: World) -> None:
    delivery = await world.rendered()
    await world.delivery.attempt(delivery)
    shown = await world.commands.show_clip(Caller(ADA, ELSEWHERE), delivery.clip, "s1")
    assert shown.handle is not None
    async with world.running(world.delivery):
        await world.surface.until(lambda: bool(world.message(shown).renditions))
    await world.commands.report(Caller(BOB, ELSEWHERE), delivery.clip)
    review = await world.review(ELSEWHERE)

    there = Caller(MOD, ELSEWHERE, Circumstances(moderator=True))
    await world.press(there, Remove(review.id))
    clip = await world.clip(delivery.clip)
    assert clip is not None
    assert not clip.hidden
    assert (await world.standing(ADA, ELSEWHERE)).points == 1
    assert (await world.standing(ADA, HERE)).points == 0
    async with world.running(world.progress):
        await world.surface.until(lambda: world.message(shown).card.title == "Hidden")
    assert world.surface.messages[delivery.handle].card.clip == delivery.clip
    assert "down here" in (await world.told(shown.handle))[0]
    assert (await world.commands.show_clip(Caller(BOB, ELSEWHERE), delivery.clip, "s2")).result is Result.UNKNOWN


async def test_a_clip_with_two_reviews_is_decided_once(world: World) -> None:
    review = await labelled(world)
    await world.commands.report(Caller(BOB, HERE), review.subject)
    assert len(await world.waiting()) == 2
    await decide(world, review, Remove)
    assert await world.waiting() == []


# --- labelled ---


async def test_a_labelled_clip_is_listed_once_for_a_look_afterwards(world: World) -> None:
    review = await labelled(world)
    assert review.kind is ReviewKind.LABELLED
    await world.reviewing.tick()
    assert await world.waiting() == [review]
    await decide(world, review, Approve)
    await world.reviewing.tick()
    assert await world.waiting() == []
    assert await world.clip(review.subject) is not None


async def test_a_label_that_was_a_false_alarm_is_not_put_there_again(world: World) -> None:
    await decide(world, await labelled(world), FalseAlarm)
    ((_, _, prompt, _, counts),) = await exported(world)
    assert (prompt, counts) == (LABELLED.casefold(), True)
    outcome = await world.ask(LABELLED)
    assert outcome.verdict is not None
    assert outcome.verdict.ruling is Ruling.ALLOWED


async def test_a_labelled_clip_can_be_removed(world: World) -> None:
    review = await labelled(world)
    await decide(world, review, Remove)
    assert await world.clip(review.subject) is None
    assert (await world.standing()).points == 1


# --- appeals ---


@pytest.mark.parametrize("decision", [Approve, FalseAlarm])
async def test_a_granted_appeal_lets_these_words_pass_here(
    world: World, decision: type[Approve] | type[FalseAlarm]
) -> None:
    review = await appealed(world)
    assert await decide(world, review, decision) is Result.DECIDED
    assert "granted" in (await world.told(await card_of(world, review)))[0]
    assert (await world.ask(NUDE)).result is Result.QUEUED
    assert (await world.commands.request_clip(Caller(BOB, ELSEWHERE), Wish(NUDE), "e1")).result is Result.REFUSED


async def test_a_declined_appeal_is_answered_and_costs_no_strike(world: World) -> None:
    review = await appealed(world)
    await decide(world, review, Remove)
    assert "declined" in (await world.told(await card_of(world, review)))[0]
    assert (await world.standing()).points == 0
    assert (await world.ask(NUDE)).result is Result.REFUSED


async def test_what_is_never_made_is_not_allowed_by_an_appeal(world: World) -> None:
    review = await appealed(world, ATROCITY)
    assert await decide(world, review, Approve) is Result.PROBLEM
    assert (await world.review_now(review)).decision is None

    await decide(world, review, FalseAlarm)
    assert "passed it on" in (await world.told(await card_of(world, review)))[0]
    ((_, _, prompt, _, counts),) = await exported(world)
    assert (prompt, counts) == (ATROCITY.casefold(), False)
    assert (await world.ask(ATROCITY)).result is Result.REFUSED


async def test_of_the_gravest_kind_no_words_are_passed_on(world: World) -> None:
    review = await appealed(world, "a naked child")
    await decide(world, review, FalseAlarm)
    assert await exported(world) == []
    assert "hash:" not in repr(await world.cases())


@pytest.mark.parametrize(
    ("prompt", "decision", "words"),
    [
        (NUDE, Approve, "granted"),
        (NUDE, Remove, "declined"),
        (NUDE, FalseAlarm, "granted"),
        (ATROCITY, FalseAlarm, "passed"),
    ],
)
async def test_who_appeals_after_the_decision_is_told_what_it_was(
    world: World, prompt: str, decision: type[Approve] | type[Remove] | type[FalseAlarm], words: str
) -> None:
    review = await appealed(world, prompt)
    subject = (await world.review_now(review)).subject
    asker = Caller((await world.review_now(review)).target, HERE)
    assert (await world.commands.moderation.appeal(asker, subject)).result is Result.APPEALED
    await decide(world, review, decision)
    again = await world.commands.moderation.appeal(asker, subject)
    assert (again.result, words in again.sentence) == (Result.DECIDED_ALREADY, True)
    assert (await world.review_now(review)).decision is not None  # and none was opened beside it
    assert await world.waiting() == []


async def test_an_appeal_is_answered_in_the_language_it_was_asked_in(world: World) -> None:
    german = Caller(ADA, HERE, Circumstances("de"))
    outcome = await world.commands.request_clip(german, Wish(NUDE), "g1")
    intent = intents.parse(world.message(outcome).card.buttons[0].token)
    assert intent is not None
    await world.press(german, intent)
    await decide(world, await world.review(), Remove)
    assert outcome.handle is not None
    assert "Einspruch" in (await world.told(outcome.handle))[0]


async def test_so_many_appeals_a_day(world: World) -> None:
    results = []
    for _ in range(4):
        outcome = await world.ask(NUDE)
        intent = intents.parse(world.message(outcome).card.buttons[0].token)
        assert intent is not None
        results.append((await world.press(Caller(ADA, HERE), intent)).result)
        assert (await world.press(Caller(BOB, HERE), intent)).result is Result.NOT_YOURS
    assert results == [Result.APPEALED] * 3 + [Result.PROBLEM]
    assert len(await world.waiting()) == 3


# --- who may, and who was faster ---


ALL = {"held": held, "reported": reported, "labelled": labelled, "appealed": appealed}
DECISIONS = (Approve, Remove, FalseAlarm)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("decision", DECISIONS)
async def test_every_decision_is_one_case_of_its_place(
    world: World, kind: str, decision: type[Approve] | type[Remove] | type[FalseAlarm]
) -> None:
    review = await ALL[kind](world)
    before = len(await world.cases())
    outcome = await world.press(MODERATOR, decision(review.id))
    (case,) = (await world.cases())[before:]
    assert (case.actor, case.target, ("review", review.id) in case.about) == (MOD, ADA, True)
    no = "decline" if review.kind in {ReviewKind.HELD, ReviewKind.APPEAL} else "remove"  # of what was never made
    assert case.action.value == {Approve: "approve", Remove: no, FalseAlarm: "false alarm"}[decision]
    assert str(case.number) in outcome.sentence
    now = await world.review_now(review)
    assert (now.case, now.decided_by, await world.cases(ELSEWHERE)) == (case.number, MOD, [])


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("decision", DECISIONS)
@pytest.mark.parametrize(
    ("caller", "result"),
    [
        (Caller(BOB, HERE), Result.NOT_YOURS),
        (Caller(ADA, HERE, Circumstances(moderator=True, private=True)), Result.NOT_YOURS),
        (Caller(MOD, ELSEWHERE, Circumstances(moderator=True)), Result.UNKNOWN),
    ],
)
async def test_only_moderators_of_the_place_decide(
    world: World,
    kind: str,
    decision: type[Approve] | type[Remove] | type[FalseAlarm],
    caller: Caller,
    result: Result,
) -> None:
    review = await ALL[kind](world)
    before = await world.cases()
    assert (await world.press(caller, decision(review.id))).result is result
    assert (await world.review_now(review)).decision is None
    assert await world.cases() == before


async def test_two_moderators_at_the_same_instant(world: World, database_url: str) -> None:
    review = await reported(world)
    own = world.commands.moderation
    other_database = await Database.open(database_url)
    other = Moderation(other_database, own.eraser, world.clock, own.config)
    colleague = Caller(Asker("recording", "other mod"), HERE, Circumstances(moderator=True))
    outcomes = await asyncio.gather(
        own.decide(MODERATOR, review.id, Decision.REMOVE), other.decide(colleague, review.id, Decision.APPROVE)
    )
    await other_database.close()

    assert sorted(outcome.result for outcome in outcomes) == [Result.DECIDED, Result.DECIDED_ALREADY]
    (late,) = [outcome for outcome in outcomes if outcome.result is Result.DECIDED_ALREADY]
    decided = await world.review_now(review)
    assert ("removed" in late.sentence) is (decided.decision is Decision.REMOVE)
    assert ("approved" in late.sentence) is (decided.decision is Decision.APPROVE)
    about = [case for case in await world.cases() if ("review", review.id) in case.about]
    assert len(about) == 1
    assert (await world.standing()).points == (decided.decision is Decision.REMOVE)


async def test_a_moderator_who_was_banned_a_moment_ago_decides_nothing(world: World) -> None:
    review = await reported(world)
    chief = Caller(Asker("recording", "chief"), HERE, Circumstances(moderator=True))
    async with world.database.transaction() as tx:
        await world.commands.moderation.curb(tx, chief, MOD, Curb.BAN, None, "went rogue")
    assert await decide(world, review, Remove) is Result.NOT_YOURS
    assert (await world.review_now(review)).decision is None


async def test_a_ban_and_a_press_at_the_same_instant_come_one_after_the_other(world: World, database_url: str) -> None:
    review = await reported(world)
    own = world.commands.moderation
    other_database = await Database.open(database_url)
    chief = Caller(Asker("recording", "chief"), HERE, Circumstances(moderator=True))

    async def ban() -> None:
        async with other_database.transaction() as tx:
            await own.curb(tx, chief, MOD, Curb.BAN, None, "went rogue")

    pressed, _ = await asyncio.gather(own.decide(MODERATOR, review.id, Decision.REMOVE), ban())
    await other_database.close()
    actions = [case.action for case in await world.cases()]
    if pressed.result is Result.DECIDED:
        assert actions[-2:] == [Action.REMOVE, Action.BAN]
    else:
        assert (pressed.result, Action.REMOVE in actions) == (Result.NOT_YOURS, False)


async def test_a_moderator_who_is_none_any_more_decides_nothing(world: World) -> None:
    review = await reported(world)
    demoted = Caller(MOD, HERE, Circumstances(moderator=False))
    assert (await world.press(demoted, Remove(review.id))).result is Result.NOT_YOURS


async def test_a_reason_is_kept_as_far_as_it_goes(world: World) -> None:
    review = await held(world)
    await world.commands.moderation.decide(MODERATOR, review.id, Decision.REMOVE, "because " * 100)
    (case,) = await world.cases()
    assert case.reason.startswith("because because")
    assert len(case.reason) <= 300


async def test_a_clip_its_asker_has_hidden_stays_so_when_reports_are_dismissed(world: World) -> None:
    review = await reported(world)
    await world.commands.moderation.hide(Caller(ADA, HERE), review.subject)
    await decide(world, review, Approve)
    clip = await world.clip(review.subject)
    assert clip is not None
    assert clip.hidden_by == gallery.ASKER


async def test_a_moderator_who_deletes_the_clip_of_somebody_else_does_it_by_a_case(world: World) -> None:
    delivery = await world.rendered()
    await world.delivery.attempt(delivery)
    await world.press(MODERATOR, Delete(delivery.clip))
    (case,) = await world.cases()
    assert (case.action, case.about) == (Action.REMOVE, (("clip", delivery.clip),))
    assert (await world.standing()).points == 0
    assert "removed" in (await world.told(delivery.handle))[0]


async def test_a_moderator_who_cancels_for_somebody_else_does_it_by_a_case(world: World) -> None:
    asked = await world.ask()
    for _ in range(2):
        await world.press(MODERATOR, Cancel(asked.job))
    (case,) = await world.cases()
    assert (case.action, case.target, case.about) == (Action.REMOVE, ADA, (("job", asked.job),))
    await world.press(Caller(ADA, HERE), Cancel((await world.ask()).job))
    assert len(await world.cases()) == 1


# --- a stop in the middle ---


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("decision", DECISIONS)
async def test_a_decision_that_is_cut_short_never_happened_and_can_be_made_again(
    world: World, kind: str, decision: type[Approve] | type[Remove] | type[FalseAlarm]
) -> None:
    review = await ALL[kind](world)
    before, stood = await world.cases(), await world.standing()
    last_written = "reviews" if kind == "labelled" and decision is not Remove else "notices"
    async with world.without(last_written):
        with pytest.raises(DatabaseUnreachable):
            await world.press(MODERATOR, decision(review.id))
    assert (await world.cases(), await world.standing()) == (before, stood)
    assert await world.review_now(review) == review
    assert await decide(world, review, decision) is Result.DECIDED


async def test_a_report_that_is_cut_short_counts_when_it_is_made_again(world: World) -> None:
    delivery = await world.rendered()
    async with world.without("reviews"):
        with pytest.raises(DatabaseUnreachable):
            await world.commands.report(Caller(BOB, HERE), delivery.clip)
    assert (await world.commands.report(Caller(BOB, HERE), delivery.clip)).result is Result.REPORTED
    assert (await world.review()).subject == delivery.clip


async def test_a_held_request_whose_commit_was_cut_short_is_taken_up_with_its_review(world: World) -> None:
    async with world.without("reviews"):
        with pytest.raises(DatabaseUnreachable):
            await world.ask(HELD)
    assert await world.waiting() == []
    await world.commands.take_up()
    review = await world.review()
    assert (await world.job(review.subject)).state is JobState.HELD


async def test_a_refusal_whose_strike_was_cut_short_is_taken_up_with_it(world: World) -> None:
    for _ in range(4):
        await world.ask(ATROCITY)
    async with world.without("strikes"):
        with pytest.raises(DatabaseUnreachable):
            await world.ask(ATROCITY)
    assert (await world.standing()).points == 0
    await world.commands.take_up()
    assert (await world.standing()).points == 1


async def test_files_of_a_removed_clip_that_are_still_there_are_left_to_the_sweep(world: World) -> None:
    review = await reported(world)
    clip = await world.clip(review.subject)
    assert clip is not None
    async with world.database.transaction() as tx:  # committed, and then the process was killed
        decided = await world.commands.moderation.eraser.forget(tx, clip.id, world.clock())
    assert decided is not None
    async with world.database.reading() as tx:
        assert clip.master not in await gallery.masters(tx)
