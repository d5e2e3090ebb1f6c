"""What moderation has to do on every surface, by what people type, press and read there; see courts.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot import intents
from db import queue, quotas
from db.records import Action, Asker, Clip, Decision
from tests.surfaces.courts import Court, Ground
from tests.surfaces.courts_on_discord import DiscordGround
from tests.surfaces.courts_on_telegram import TelegramGround
from tests.surfaces.courts_on_web import WebGround

pytestmark = pytest.mark.asyncio(loop_scope="module")

GROUNDS: dict[str, Callable[[Path, Path], Ground]] = {
    "discord": DiscordGround,
    "telegram": TelegramGround,
    "web": WebGround,
}
HELD = "suicide in a forest"  # a moderator looks at it first
REFUSED = "a naked woman"
REPORTERS = 3  # of whom a clip is hidden, where nobody has set it otherwise


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=list(GROUNDS))
async def ground(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, empty_database: Path
) -> AsyncIterator[Ground]:
    """One bot for all tests on a surface."""
    ready = GROUNDS[request.param](tmp_path_factory.mktemp("data"), empty_database)
    await ready.start()
    yield ready
    await ready.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def court(ground: Ground) -> AsyncIterator[Court]:
    async with ground.court() as ready:
        yield ready


# --- what happens again and again ---


async def made(ground: Ground, court: Court, prompt: str, person: Any = None) -> tuple[Any, Clip]:
    """A card in the place, and the clip that stands on it."""
    card = await court.ask(person or court.ann, prompt)
    clip = await ground.life.render(prompt)
    await court.stands(card, lambda now: now.clip)
    return card, clip


async def reported(court: Court, card: Any, times: int = 1) -> str:
    """So many members press Report; what the last is told."""
    told = ""
    for _ in range(times):
        told = await court.press(card, intents.Report, await court.member())
    return told


async def actions(ground: Ground, court: Court, person: Any) -> list[Action]:
    """What was done here to somebody, the first first."""
    return [case.action for case in await ground.life.cases(court.address, court.asker(person))]


async def blocked(court: Court, person: Any) -> None:
    """`mia` bans somebody."""
    asked = await court.command(court.mia, "block", moderators=True, member=person)
    await court.press(asked, intents.Confirm, court.mia)


async def reserved(ground: Ground, court: Court, person: Any) -> int:
    now = ground.life.core.commands.clock()
    async with ground.life.core.database.reading() as tx:
        return (await quotas.usage(tx, court.asker(person), now - 3600, now)).waiting


# --- reports ---


async def test_enough_reports_hide_a_clip_and_a_false_alarm_shows_it_again(ground: Ground, court: Court) -> None:
    prompt = ground.life.new("a heart")
    card, clip = await made(ground, court, prompt)

    assert "take a look" in await reported(court, card, REPORTERS - 1)
    assert (await court.stands(card)).clip
    assert "hidden" in await reported(court, card)
    hidden = await court.stands(card, lambda now: not now.clip)
    assert prompt not in hidden.words
    await court.told(card, "reported and is hidden")

    review = await court.review(prompt)
    assert (await court.stands(review)).clip  # moderators see what they decide about
    assert "false alarm" in await court.decide(review, Decision.FALSE_ALARM, court.mia)
    shown = await court.stands(card, lambda now: now.clip)
    assert prompt in shown.words
    await court.told(card, "shown again")
    await court.stands(review, lambda now: not now.offers(intents.Approve) and "false alarm" in now.words)
    assert await actions(ground, court, court.ann) == [Action.HIDE, Action.FALSE_ALARM]
    kept = await ground.life.clip(clip)
    assert kept is not None
    assert not kept.hidden


async def test_a_clip_that_is_removed_brings_its_asker_a_strike_that_they_are_told_of(
    ground: Ground, court: Court
) -> None:
    prompt = ground.life.new("a heart")
    card, clip = await made(ground, court, prompt)
    await reported(court, card)
    assert "removed" in await court.decide(await court.review(prompt), Decision.REMOVE, court.mia)

    gone = await court.stands(card, lambda now: not now.clip)
    assert prompt not in gone.words
    assert await ground.life.clip(clip) is None
    told = await court.told(card, "That is a strike")
    assert "removed this clip of yours" in told
    strikes = (await court.stands(await court.command(court.ann, "strikes"))).words
    assert "count against you here: 1." in strikes
    assert await actions(ground, court, court.ann) == [Action.REMOVE]
    assert court.asker(court.mia).id not in told + strikes  # who it was is nobody's business


# --- held prompts and appeals ---


async def test_a_held_prompt_is_made_and_delivered_once_a_moderator_approves_it(ground: Ground, court: Court) -> None:
    prompt = ground.life.new(HELD)
    card = await court.ask(court.ann, prompt)
    assert not (await court.stands(card)).clip
    review = await court.review(prompt)
    assert "approved" in await court.decide(review, Decision.APPROVE, court.max)
    await court.told(card, "it is being made")
    await ground.life.render(prompt)
    await court.stands(card, lambda now: now.clip)
    assert await actions(ground, court, court.ann) == [Action.APPROVE]


async def test_a_held_prompt_that_is_removed_is_never_made_and_costs_nothing(ground: Ground, court: Court) -> None:
    prompt = ground.life.new(HELD)
    card = await court.ask(court.ann, prompt)
    assert await reserved(ground, court, court.ann) == 1
    assert "with a strike" in await court.decide(await court.review(prompt), Decision.REMOVE, court.max)
    await court.told(card, "it cost nothing")
    await court.stands(card, lambda now: not now.offers(intents.Cancel))
    assert await reserved(ground, court, court.ann) == 0


@pytest.mark.parametrize(
    ("decision", "word", "sentence"),
    [(Decision.APPROVE, "granted", "was granted"), (Decision.REMOVE, "declined", "was declined")],
)
async def test_an_appeal_is_answered(
    ground: Ground, court: Court, decision: Decision, word: str, sentence: str
) -> None:
    prompt = ground.life.new(REFUSED)
    card = await court.ask(court.ann, prompt)
    assert await court.press(card, intents.Appeal, court.ann)
    review = await court.review(prompt)
    assert word in await court.decide(review, decision, court.mia)
    await court.told(card, sentence)
    await court.stands(review, lambda now: not now.tokens and word in now.words)

    again = await court.stands(await court.ask(court.ann, prompt))
    assert again.offers(intents.Cancel) is (decision is Decision.APPROVE)


# --- who decides ---


async def test_of_two_moderators_one_wins_and_the_other_is_told_so(ground: Ground, court: Court) -> None:
    prompt = ground.life.new("a heart")
    card, clip = await made(ground, court, prompt)
    await reported(court, card)
    review = await court.review(prompt)

    told = await asyncio.gather(
        court.decide(review, Decision.REMOVE, court.mia), court.decide(review, Decision.APPROVE, court.max)
    )
    (late,) = [each for each in told if "already" in each]
    (first,) = [each for each in told if "already" not in each]
    word = "removed" if "removed" in first else "approved"
    assert word in late
    await court.stands(review, lambda now: not now.tokens and word in now.words)
    await court.stands(card, lambda now: now.clip is (word == "approved"))
    assert (await ground.life.clip(clip) is None) is (word == "removed")
    assert len(await actions(ground, court, court.ann)) == 1


async def test_who_was_a_moderator_a_moment_ago_decides_nothing(ground: Ground, court: Court) -> None:
    prompt = ground.life.new("a heart")
    card, clip = await made(ground, court, prompt)
    await reported(court, card)
    review = await court.review(prompt)
    await court.demote(court.max)

    told = await court.decide(review, Decision.REMOVE, court.max)
    assert told.startswith(("Only the moderators", "You are not signed in"))
    refused = await court.stands(await court.command(court.max, "block", moderators=True, member=court.ann))
    assert "Only those who manage this place" in refused.words
    assert not refused.offers(intents.Confirm)
    assert (await court.stands(review)).offers(intents.Remove)
    assert await ground.life.clip(clip) == clip
    assert await actions(ground, court, court.ann) == []


async def test_a_moderator_whom_another_has_banned_does_nothing_any_more(ground: Ground, court: Court) -> None:
    prompt = ground.life.new("a heart")
    card, clip = await made(ground, court, prompt)
    await reported(court, card)
    review = await court.review(prompt)
    await court.ask(court.max, ground.life.new("a boat"))  # so that everybody knows them here
    await blocked(court, court.max)

    assert "Only the moderators" in await court.press(review, intents.Remove, court.max)
    refused = await court.stands(await court.command(court.max, "pause", moderators=True))
    assert "Only those who manage this place" in refused.words
    assert (await court.stands(review)).offers(intents.Remove)
    assert await ground.life.clip(clip) == clip


async def test_members_decide_and_command_nothing(ground: Ground, court: Court) -> None:
    prompt = ground.life.new("a heart")
    card, clip = await made(ground, court, prompt)
    await reported(court, card)
    review = await court.review(prompt)
    assert "Only the moderators" in await court.press(review, intents.Remove, court.ann)
    for command, options in (("purge", {"hours": 1}), ("pause", {}), ("cases", {}), ("why", {"id": clip.id})):
        answer = await court.stands(await court.command(court.ann, command, moderators=True, **options))
        assert "Only those who manage this place" in answer.words, command
        assert not answer.tokens, command
    assert await ground.life.clip(clip) == clip


# --- bans and purges ---


async def test_who_is_banned_is_told_so_and_what_they_wait_for_is_cancelled(ground: Ground, court: Court) -> None:
    waiting = await court.ask(court.ann, ground.life.new("a boat"))
    asked = await court.command(court.mia, "block", moderators=True, member=court.ann, reason="spam")
    await court.stands(asked, lambda now: now.offers(intents.Confirm) and now.offers(intents.Dismiss))
    assert await actions(ground, court, court.ann) == []  # it asks first
    assert (await court.stands(waiting)).offers(intents.Cancel)

    await court.press(asked, intents.Confirm, court.mia)
    await court.stands(waiting, lambda now: not now.offers(intents.Cancel))
    assert await reserved(ground, court, court.ann) == 0
    await court.told(waiting, "You are banned from Zoetrope here")
    refused = await court.stands(await court.ask(court.ann, ground.life.new("a boat")))
    assert "You are banned from Zoetrope here" in refused.words
    assert not refused.offers(intents.Cancel)
    assert "spam" in (await court.stands(await court.command(court.ann, "strikes"))).words

    await court.command(court.max, "unblock", moderators=True, member=court.ann)
    assert (await court.stands(await court.ask(court.ann, ground.life.new("a boat")))).offers(intents.Cancel)
    assert await actions(ground, court, court.ann) == [Action.BAN, Action.UNBLOCK]


async def test_what_is_dismissed_is_not_done(ground: Ground, court: Court) -> None:
    waiting = await court.ask(court.ann, ground.life.new("a boat"))
    asked = await court.command(court.mia, "block", moderators=True, member=court.ann)
    await court.press(asked, intents.Dismiss, court.mia)
    assert await actions(ground, court, court.ann) == []
    assert (await court.stands(waiting)).offers(intents.Cancel)
    assert (await court.stands(await court.ask(court.ann, ground.life.new("a boat")))).offers(intents.Cancel)


async def test_questions_are_confirmed_and_reviews_decided_after_a_restart(ground: Ground, court: Court) -> None:
    prompts = [ground.life.new("a heart"), ground.life.new("a fish")]
    ben = await court.member()
    purged, kept = await made(ground, court, prompts[0]), await made(ground, court, prompts[1], ben)
    purge = await court.command(court.mia, "purge", moderators=True, member=court.ann)
    block = await court.command(court.max, "block", moderators=True, member=ben)
    held = ground.life.new(HELD)
    waiting = await court.ask(court.ann, held)
    review = await court.review(held)
    assert await ground.life.clip(purged[1]) == purged[1]  # it asks first
    await ground.life.stop()
    await ground.life.start()

    await court.press(purge, intents.Confirm, court.mia)
    await court.press(block, intents.Confirm, court.max)
    assert "approved" in await court.decide(review, Decision.APPROVE, court.mia)
    await ground.life.render(held)
    await court.stands(waiting, lambda now: now.clip)
    await court.stands(purged[0], lambda now: not now.clip)
    assert await ground.life.clip(purged[1]) is None
    assert (await court.stands(kept[0])).clip
    assert await actions(ground, court, court.ann) == [Action.PURGE, Action.APPROVE]
    assert await actions(ground, court, ben) == [Action.BAN]


# --- what moderators ask ---


async def test_moderators_are_answered_why_what_would_be_and_what_was_done(ground: Ground, court: Court) -> None:
    prompt = ground.life.new(REFUSED)
    refusal = await court.stands(await court.ask(court.ann, prompt))
    parsed = intents.parse(refusal.token(intents.Appeal))
    assert isinstance(parsed, intents.Appeal)
    why = await court.stands(await court.command(court.mia, "why", moderators=True, id=parsed.refusal))
    assert prompt in why.words
    assert "Rule" in why.words
    test = await court.stands(await court.command(court.mia, "test", moderators=True, prompt=prompt))
    fine = await court.stands(await court.command(court.mia, "test", moderators=True, prompt="a heart"))
    assert "refused" in test.words
    assert "refused" not in fine.words

    await court.command(court.mia, "grant", moderators=True, member=court.ann, credits=5, reason="for her birthday")
    found = await court.stands(await court.command(court.max, "cases", moderators=True, member=court.ann))
    assert "for her birthday" in found.words


async def test_a_change_of_what_holds_in_the_place_is_a_case(ground: Ground, court: Court) -> None:
    before = len(await ground.life.cases(court.address))
    changed = await court.stands(await court.command(court.mia, "settings", moderators=True, keep="365"))
    assert "365" in changed.words
    (case,) = (await ground.life.cases(court.address))[before:]
    assert (case.action, case.actor, case.about) == (Action.POLICY, court.asker(court.mia), (("keep", "365"),))


# --- what members have ---


async def test_everything_of_ones_own_goes_after_a_question(ground: Ground, court: Court) -> None:
    prompt = ground.life.new("a heart")
    card, clip = await made(ground, court, prompt)
    asked = await court.command(court.ann, "mydata", action="delete")
    assert await ground.life.clip(clip) == clip  # it asks first
    await court.press(asked, intents.Confirm, court.ann)
    gone = await court.stands(card, lambda now: not now.clip)
    assert prompt not in gone.words
    assert await ground.life.clip(clip) is None
    assert await jobs_of(ground, court.asker(court.ann)) == []


async def jobs_of(ground: Ground, asker: Asker) -> list[str]:
    async with ground.life.core.database.reading() as tx:
        return [job.id for job in await queue.unfinished_of(tx, asker)]


async def test_a_clip_of_ones_own_is_hidden_and_shown_again(ground: Ground, court: Court) -> None:
    card, clip = await made(ground, court, ground.life.new("a heart"))
    await court.command(court.ann, "hide", id=clip.id)
    await court.stands(card, lambda now: not now.clip and now.offers(intents.Unhide))
    await court.press(card, intents.Unhide, court.ann)
    await court.stands(card, lambda now: now.clip)
