"""Answers to commands, on a real database; each is for its caller alone and in the caller's language."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from bot import intents, menu
from bot.answers import Answers, codes
from bot.cards import Card
from bot.commands import Result
from db import cases, gallery, models, people, places, standing
from db.ids import new_id
from db.records import (
    Action,
    Address,
    Asker,
    Caller,
    Circumstances,
    Curb,
    Defaults,
    Delivery,
    JobState,
    ModelFacts,
    ModelLimits,
    PersonSettings,
    Phase,
    PlaceSettings,
    Progress,
    Range,
    Restriction,
    Wish,
)

World = Any  # of conftest, which is no module to import from
WORDED = ModelFacts(
    "pocket",
    "Pocket",
    "unet3d",
    Defaults(steps=4, guidance=3.0, frames=4, width=16, height=16, fps=8, sampler="ddim"),
    ModelLimits(steps=Range(1, 50), frames=Range(1, 32), side=Range(16, 64), multiple=8),
    suggestions=("a heart", "a star", "a moon", "a sun"),
)
OTHER = replace(WORDED, name="zeroscope", title="Zeroscope v2")


def calling(name: str = "ada", place: str = "here", surface: str = "recording", **circumstances: Any) -> Caller:
    return Caller(Asker(surface, name), Address(surface, place, "7"), Circumstances(**circumstances))


ADA, BOB = calling(), calling("bob")
MODERATOR = calling("mod", moderator=True)


@pytest.fixture
def answers(world: World) -> Answers:
    return Answers(world.commands)


async def ask(world: World, caller: Caller = ADA, prompt: str = "a heart", **more: Any) -> str:
    outcome = await world.commands.request_clip(caller, Wish(prompt, **more), new_id())
    assert outcome.result is Result.QUEUED
    world.clock.now += 1
    return str(outcome.job)


async def made(world: World, caller: Caller = ADA, prompt: str = "a heart") -> str:
    """The id of a finished clip."""
    delivery: Delivery = await world.finish(await world.claim(await ask(world, caller, prompt)))
    return delivery.clip


def fact(card: Card, label: str) -> str:
    (value,) = [value for name, value in card.facts if name == label]
    return value


def holding(card: Card) -> dict[str, str]:
    """The settings on a card, by the names under which they are changed."""
    return dict(each.split(": ", 1) for _, line in card.facts for each in line.split(" · "))


# --- queue and cancel ---


async def test_an_empty_queue_says_what_a_new_clip_would_meet(world: World, answers: Answers) -> None:
    assert (await answers.queue(ADA)).status == "Nothing is waiting; a new clip would be made at once."
    await ask(world, BOB)
    assert (await answers.queue(ADA)).status == "Nothing of yours is waiting; others before a new clip: 1."


async def test_the_queue_shows_ones_own_with_places_and_never_others_prompts(world: World, answers: Answers) -> None:
    await ask(world, BOB, "a secret of bob")
    first, second = await ask(world), await ask(world, prompt="a star")
    card = await answers.queue(ADA)
    assert card.status == "2 of yours under way, 1 of others before."
    assert card.facts == ((first, "a heart · number 2 in line"), (second, "a star · number 3 in line"))
    assert [button.token for button in card.buttons] == [intents.token(intents.Cancel(job)) for job in (first, second)]
    assert card.asker == ADA.asker


async def test_the_queue_tells_the_time_once_clips_were_made(world: World, answers: Answers) -> None:
    await made(world, BOB)
    job = await ask(world)
    assert fact(await answers.queue(ADA), job) == "a heart · next in line, ready in about 2 s"


async def test_the_queue_shows_what_is_being_made_and_what_stops(world: World, answers: Answers) -> None:
    job = await ask(world)
    lease = await world.claim(job)
    await world.report(lease, Progress(Phase.STEP, 1, 4))
    card = await answers.queue(ADA)
    assert card.status == "1 of yours under way, and nobody before."
    assert fact(card, job) == "a heart · step 1 of 4"
    await answers.cancel(ADA)
    stopping = await answers.queue(ADA)
    assert fact(stopping, job) == "a heart · is being stopped"
    assert stopping.buttons == ()


async def test_a_long_queue_is_shown_in_part(world: World, answers: Answers) -> None:
    for _ in range(12):
        await ask(world)
    card = await answers.queue(ADA)
    assert card.status.startswith("12 of yours under way")
    assert (len(card.facts), len(card.buttons)) == (10, 5)


async def test_cancel_without_a_name_takes_the_newest(world: World, answers: Answers) -> None:
    older, newer = await ask(world), await ask(world)
    assert (await answers.cancel(ADA)).status == "Cancelled; it cost nothing."
    assert (await world.job(newer)).state is JobState.CANCELLED
    assert (await world.job(older)).state is JobState.QUEUED


async def test_cancel_takes_the_named_one(world: World, answers: Answers) -> None:
    older, newer = await ask(world), await ask(world)
    await answers.cancel(ADA, f" {older.upper()} ")
    assert (await world.job(older)).state is JobState.CANCELLED
    assert (await world.job(newer)).state is JobState.QUEUED


async def test_cancelling_nothing_is_one_sentence(answers: Answers) -> None:
    for named in ("", "nosuchjob0", "../x", "'; --", "ä" * 500):
        card = await answers.cancel(ADA, named)
        assert 0 < len(card.status) < 200


async def test_nobody_cancels_for_others(world: World, answers: Answers) -> None:
    job = await ask(world)
    card = await answers.cancel(BOB, job)
    assert card.status == "Only the one who asked for this can do that; ask for a clip of your own instead."
    assert (await world.job(job)).state is JobState.QUEUED


# --- quota ---


async def test_quota_says_what_is_left_and_when_it_comes_back(world: World, answers: Answers) -> None:
    assert (await answers.quota(ADA)).facts == (("Left", "100 of 100 credits"), ("Waiting", "0 of 100"))
    await ask(world)
    card = await answers.quota(ADA)
    assert fact(card, "Left") == "99 of 100 credits"
    assert fact(card, "Waiting") == "1 of 100"
    assert fact(card, "Comes back") == "1 credit in 24 h"


async def test_quota_says_what_a_wish_would_cost(answers: Answers) -> None:
    assert fact(await answers.quota(ADA, Wish("")), "This clip costs") == "1 credit (it fits)"
    assert fact(await answers.quota(ADA, Wish("", steps=6)), "This clip costs") == "1.5 credits (it fits)"
    dear = Wish("", steps=50, frames=32, width=128, height=128)
    assert fact(await answers.quota(ADA, dear), "This clip costs") == "6,400 credits (it does not fit)"


async def test_quota_says_when_a_wish_fits_again(world: World, answers: Answers) -> None:
    wish = Wish("", steps=50, frames=32)
    await ask(world, steps=8)
    assert fact(await answers.quota(ADA, wish), "This clip costs") == "100 credits (it fits in 24 h)"


async def test_quota_says_what_is_wrong_with_a_wish(answers: Answers) -> None:
    card = await answers.quota(ADA, Wish("", steps=99))
    assert card.status == "The number of steps must be between 1 and 50; please choose a number from there."
    assert card.tone == "bad"


async def test_quota_knows_the_place_and_its_roles(world: World, answers: Answers) -> None:
    await answers.place_settings(MODERATOR, {"credits": "5", "roles": "vip=20"})
    assert fact(await answers.quota(ADA), "Left") == "5 of 5 credits"
    assert fact(await answers.quota(calling(roles=("vip", "x"))), "Left") == "20 of 20 credits"


async def test_quota_counts_what_somebody_prefers(answers: Answers) -> None:
    await answers.settings(ADA, {"size": "32x32"})
    assert fact(await answers.quota(ADA, Wish("")), "This clip costs") == "4 credits (it fits)"


# --- gallery ---


async def test_an_empty_gallery_suggests_something(answers: Answers) -> None:
    card = await answers.gallery(ADA)
    assert card.status == "No clip has been made here yet; ask for one, for example: a red heart bouncing on blue."
    assert card.buttons == ()


async def test_the_gallery_turns_its_pages(world: World, answers: Answers) -> None:
    clips = [await made(world, prompt=f"heart number {number}") for number in range(7)][::-1]
    first, second = await answers.gallery(ADA), await answers.gallery(BOB, page=2)
    assert [clip for clip, _ in first.facts] == clips[:5]
    assert [clip for clip, _ in second.facts] == clips[5:]
    assert first.facts[0] == (clips[0], "heart number 6")
    assert first.status == "Page 1 of 2; add words to search for them."
    shows = [intents.token(intents.Show(clip)) for clip in clips[:5]]
    assert [button.token for button in first.buttons] == [*shows, intents.token(intents.Page(2))]
    assert second.buttons[-1].token == intents.token(intents.Page(1))
    assert second.buttons[-1].label == "Newer"


async def test_a_page_that_is_not_there_is_said_in_short(world: World, answers: Answers) -> None:
    await made(world)
    for page in (0, -1, 3, 10**6):
        assert (await answers.gallery(ADA, page=page)).status == f"There is no page {page}; the last one is 1."
    assert len((await answers.gallery(ADA, page=2**8000)).status) < 100


async def test_the_gallery_is_searched_by_words(world: World, answers: Answers) -> None:
    await made(world, prompt="a blue star")
    heart = await made(world, prompt="a red heart")
    found = await answers.gallery(ADA, "RED hea")
    assert found.facts == ((heart, "a red heart"),)
    assert found.status == "Clips with these words: 1."
    assert [button.token for button in found.buttons] == [intents.token(intents.Show(heart))]
    missed = await answers.gallery(ADA, "green")
    assert missed.status == "No clip here has these words; try fewer of them, or only their beginnings."


async def test_pages_of_a_search_are_named_because_buttons_carry_no_words(world: World, answers: Answers) -> None:
    for _ in range(6):
        await made(world)
    card = await answers.gallery(ADA, "heart")
    assert "this is page 1 of 2" in card.status
    assert all(isinstance(intents.parse(button.token), intents.Show) for button in card.buttons)


async def test_no_search_breaks_the_gallery(world: World, answers: Answers) -> None:
    await made(world)
    for words in ['"', "heart OR", "NEAR(", "*", "prompt:x", "'; DROP TABLE clips", "\x00", "💜"]:
        assert (await answers.gallery(ADA, words)).status, words


async def test_other_places_and_hidden_clips_stay_unseen(world: World, answers: Answers) -> None:
    hidden = await made(world, prompt="hidden")
    await made(world, calling(place="elsewhere"), "elsewhere")
    async with world.database.transaction() as tx:
        await gallery.hide(tx, hidden, gallery.MODERATORS)
    assert (await answers.gallery(ADA)).facts == ()
    assert await answers.random_clip(ADA) == ""


async def test_in_private_there_is_only_ones_own(world: World, answers: Answers) -> None:
    await made(world, BOB)
    mine = await made(world)
    alone = calling(private=True)
    assert [clip for clip, _ in (await answers.gallery(alone)).facts] == [mine]
    assert await answers.random_clip(alone) == mine


async def test_found_reaches_places_where_somebody_has_asked_and_no_further(world: World, answers: Answers) -> None:
    shared = await made(world, BOB, "a shared heart")
    await made(world, calling("bob", place="bob-alone"), "a private heart")
    assert await answers.found(ADA, "heart") == []
    mine = await made(world, prompt="my heart")
    assert {clip.id for clip in await answers.found(ADA, "heart")} == {shared, mine}
    assert len(await answers.found(ADA, "heart", limit=1)) == 1


async def test_the_last_job_is_the_newest(world: World, answers: Answers) -> None:
    assert await answers.last_job(ADA) == ""
    await ask(world)
    newest = await ask(world)
    await ask(world, BOB)
    assert await answers.last_job(ADA) == newest


async def test_where_others_read_along_nothing_private_is_told_or_made_again(world: World, answers: Answers) -> None:
    alone = calling(place="ada-alone", private=True)
    here = await ask(world)
    private = await ask(world, alone, "my secret")
    assert await answers.last_job(ADA) == here
    assert await answers.last_job(alone) == private
    assert "secret" not in repr(await answers.queue(ADA))
    assert fact(await answers.queue(ADA), private).startswith("asked for elsewhere")
    assert fact(await answers.queue(alone), private).startswith("my secret")


async def test_a_preferred_size_that_does_not_fit_has_no_price_and_is_no_problem(
    world: World, answers: Answers
) -> None:
    async with world.database.transaction() as tx:
        await people.put(tx, ADA.asker, PersonSettings(width=1000, height=24))
    assert fact(await answers.quota(ADA, Wish("")), "This clip costs").startswith("1 credit")


# --- settings ---


async def test_personal_settings_are_shown_changed_and_kept(world: World, answers: Answers) -> None:
    shown = await answers.settings(ADA, {})
    assert fact(shown, "size") == "as the model likes it"
    changed = await answers.settings(ADA, {"format": "mp4", "size": "32x16", "notify": "off"})
    assert changed.status == "Kept; this is what you prefer now."
    assert changed.facts == (("format", "mp4"), ("size", "32x16"), ("notify", "off"))
    async with world.database.reading() as tx:
        assert await people.settings(tx, ADA.asker) == PersonSettings("mp4", 32, 16, notify=False)
        assert await people.settings(tx, BOB.asker) == PersonSettings()


async def test_a_wrong_change_leaves_all_settings_alone(world: World, answers: Answers) -> None:
    card = await answers.settings(ADA, {"format": "mp4", "size": "huge"})
    assert card.tone == "bad"
    async with world.database.reading() as tx:
        assert await people.settings(tx, ADA.asker) == PersonSettings()


async def test_moderators_set_what_holds_in_their_place(world: World, answers: Answers) -> None:
    card = await answers.place_settings(MODERATOR, {"channels": "here", "credits": "2.5", "spoiler": "on"})
    assert card.status == "Kept; this holds here now."
    held = holding(card)
    assert (held["channels"], held["credits"], held["spoiler"]) == ("7", "2.5", "on")
    async with world.database.reading() as tx:
        kept = await places.settings(tx, "recording", "here")
        assert kept == PlaceSettings(threads=("7",), credits=2_500, spoiler=True)
        assert await places.settings(tx, "recording", "elsewhere") == PlaceSettings()


async def test_a_place_with_everything_set_is_shown(answers: Answers) -> None:
    changes = {
        "model": "pocket",
        "format": "mp4",
        "steps": "20",
        "frames": "8",
        "side": "64",
        "roles": "vip=20, mods=0.25",
        "moderators": "mods",
        "preset": "family",
        "words": "blood, dark night",
        "overrides": "P5=refuse, P4=hold",
        "budget": "50",
        "quiet": "22:00-07:00 Europe/Berlin",
        "others": "nobody",
        "reporters": "2",
        "desk": "99",
        "keep": "30",
    }
    card = await answers.place_settings(MODERATOR, changes)
    assert holding(card) == {
        **changes,
        **{name: f"at most {changes[name]}" for name in ("steps", "frames", "side")},
        "keep": "30 days",
        "channels": "everywhere",
        "credits": "as usual",
        "spoiler": "off",
    }
    assert len(card.facts) == 5


async def test_the_settings_of_a_place_stay_readable_however_much_is_set(answers: Answers) -> None:
    ids = [str(10**18 + number) for number in range(100)]
    changes = {
        "channels": ",".join(ids),
        "model": "pocket",
        "roles": ",".join(f"{each}=0.125" for each in ids),
        "moderators": ",".join(ids),
        "words": ",".join(f"{'w' * 37}{number}" for number in range(100)),
        "overrides": " ".join(f"P{number}=refuse" for number in range(1, 10)),
        "quiet": "22:00-07:00 America/Argentina/ComodRivadavia",
        "desk": ids[0],
    }
    card = await answers.place_settings(MODERATOR, changes)
    assert card.status.startswith("Kept")
    assert len(card.title + card.status) + sum(len(label + value) + 2 for label, value in card.facts) < 1_900


async def test_every_change_of_a_place_is_a_case_and_nothing_else_is(world: World, answers: Answers) -> None:
    await answers.place_settings(MODERATOR, {"words": "blood", "quiet": "none"})
    await answers.place_settings(MODERATOR, {"words": "blood"})  # as it was
    await answers.place_settings(MODERATOR, {"steps": "many"})
    await answers.place_settings(MODERATOR, {})
    await answers.pause(MODERATOR)
    await answers.pause(MODERATOR)
    await answers.resume(MODERATOR)
    async with world.database.reading() as tx:
        found = await cases.browse(tx, "recording", "here")
    assert [(case.number, case.action) for case in found] == [
        (3, Action.RESUME),
        (2, Action.PAUSE),
        (1, Action.POLICY),
    ]
    assert found[-1].about == (("words", "blood"), ("quiet", "none"))
    assert {case.actor for case in found} == {MODERATOR.asker}


@pytest.mark.parametrize(
    ("changes", "loosened"),
    [
        ({"overrides": "P1=allow"}, "P1"),
        ({"overrides": "P1=allow P4=hold P2=label"}, "P1, P2"),
        ({"overrides": "P3=refuse"}, ""),
        ({"overrides": "P6=hold"}, "P6"),  # what is only shown is held instead of allowed, what is done is not refused
        ({"overrides": "P6=refuse"}, ""),
        ({"preset": "family", "overrides": "P3=allow"}, "P3"),
    ],
)
async def test_a_looser_ruling_is_taken_and_said_to_count_in_age_restricted_channels_only(
    answers: Answers, changes: dict[str, str], loosened: str
) -> None:
    card = await answers.place_settings(MODERATOR, changes)
    said = f"{loosened}: that is looser than the preset and counts in age-restricted channels only."
    assert card.status == " ".join(["Kept; this holds here now.", *([said] if loosened else [])])


async def test_a_wrong_change_leaves_the_place_alone(world: World, answers: Answers) -> None:
    card = await answers.place_settings(MODERATOR, {"spoiler": "on", "steps": "many"})
    assert card.tone == "bad"
    async with world.database.reading() as tx:
        assert await places.settings(tx, "recording", "here") == PlaceSettings()


async def test_only_moderators_see_and_set_what_holds(world: World, answers: Answers) -> None:
    no = "Only those who manage this place can do that; please ask one of them."
    for card in (
        await answers.place_settings(ADA, {}),
        await answers.place_settings(ADA, {"spoiler": "on"}),
        await answers.pause(ADA),
        await answers.resume(ADA),
    ):
        assert card.status == no
    async with world.database.reading() as tx:
        assert await places.settings(tx, "recording", "here") == PlaceSettings()


async def test_a_named_role_moderates_but_names_no_others(world: World, answers: Answers) -> None:
    await answers.place_settings(MODERATOR, {"moderators": "9"})
    helper = calling("helper", roles=("9",))
    assert (await answers.place_settings(helper, {"spoiler": "on"})).status.startswith("Kept")
    assert (await answers.place_settings(helper, {"moderators": "+8"})).tone == "bad"
    async with world.database.reading() as tx:
        assert (await places.settings(tx, "recording", "here")).moderators == ("9",)


async def test_a_place_is_paused_and_resumed(world: World, answers: Answers) -> None:
    assert (await answers.resume(MODERATOR)).status == "Requests are taken here already."
    assert (await answers.pause(MODERATOR)).status.startswith("Paused: no more requests")
    assert (await answers.pause(MODERATOR)).status.startswith("This place was paused already")
    assert "not taken here just now" in (await answers.place_settings(MODERATOR, {})).status
    outcome = await world.commands.request_clip(ADA, Wish("a heart"), new_id())
    assert outcome.job == ""
    assert (await answers.resume(MODERATOR)).status == "Resumed: requests are taken here again."
    await ask(world)


# --- help, privacy, start, suggestions ---


async def test_help_lists_the_commands_as_they_are_written(answers: Answers) -> None:
    card = await answers.help(ADA)
    assert card.facts[0] == ("/video", "Make a short clip from your words.")
    everybodys = [f"/{command.name}" for command in menu.COMMANDS if not command.moderators]
    assert [name for name, _ in card.facts[:-1]] == everybodys
    assert fact(card, "Options").startswith("prompt, negative, seed")


async def test_help_lists_what_somebody_who_is_banned_may_still_do(world: World, answers: Answers) -> None:
    async with world.database.transaction() as tx:
        await standing.restrict(tx, Restriction("r", "recording", "here", ADA.asker, Curb.BAN, 1, 1.0))
    assert [name for name, _ in (await answers.help(ADA)).facts] == [f"/{name}" for name in menu.OF_THE_BANNED]
    assert len((await answers.help(calling(place="elsewhere"))).facts) > len(menu.OF_THE_BANNED)


async def test_a_moderator_who_is_banned_moderates_no_more(world: World, answers: Answers) -> None:
    async with world.database.transaction() as tx:
        await standing.restrict(tx, Restriction("r", "recording", "here", MODERATOR.asker, Curb.BAN, 1, 1.0))
    assert (await answers.pause(MODERATOR)).status.startswith("Only those who manage this place")
    assert (await answers.place_settings(MODERATOR, {"spoiler": "on"})).status.startswith("Only those")
    async with world.database.reading() as tx:
        assert await places.settings(tx, "recording", "here") == PlaceSettings()


async def test_help_shows_moderators_their_own_commands_too(answers: Answers) -> None:
    names = [name for name, _ in (await answers.help(MODERATOR, moderators="/zoetrope ")).facts]
    assert {"/zoetrope settings", "/zoetrope pause", "/zoetrope resume"} <= set(names)
    assert "/zsettings" in [name for name, _ in (await answers.help(MODERATOR)).facts]


async def test_privacy_says_what_is_stored_how_long_where_and_how_to_delete(answers: Answers) -> None:
    labels = [label for label, _ in (await answers.privacy(ADA)).facts]
    assert labels == [
        "Stored",
        "Your clips",
        "Prompts without a clip",
        "Refused prompts",
        "Moderation",
        "Where",
        "Yours",
    ]


async def test_a_first_word_suggests_three_prompts(world: World, answers: Answers) -> None:
    assert (await answers.start(ADA)).facts == ()
    async with world.database.transaction() as tx:
        await models.announce(tx, "r1", [WORDED], world.clock())
    assert (await answers.start(ADA)).facts == (("Try", "a heart"), ("Try", "a star"), ("Try", "a moon"))
    assert await answers.suggestions() == WORDED.suggestions


async def test_models_and_prompts_are_suggested_while_typing(world: World, answers: Answers) -> None:
    async with world.database.transaction() as tx:
        await models.announce(tx, "r1", [WORDED, OTHER], world.clock())
    assert [model.name for model in await answers.models()] == ["pocket", "zeroscope"]
    assert [model.name for model in await answers.models("ZERO")] == ["zeroscope"]
    assert [model.name for model in await answers.models("v2")] == ["zeroscope"]
    await ask(world, prompt="a heart")
    await ask(world, prompt="a star")
    await ask(world, BOB, prompt="a secret")
    assert await answers.recent_prompts(ADA) == ["a star", "a heart"]
    assert await answers.recent_prompts(ADA, "A H") == ["a heart"]


async def test_every_suggested_size_is_taken(world: World, answers: Answers) -> None:
    async with world.database.transaction() as tx:
        await models.announce(tx, "r1", [WORDED], world.clock())
    suggested = await answers.sizes(ADA)
    assert suggested[0] == "16x16"
    assert len(suggested) == len(set(suggested)) > 3
    for size in suggested:
        assert (await answers.settings(ADA, {"size": size})).tone != "bad", size
    assert await answers.sizes(ADA, "3") == [size for size in suggested if size.startswith("3")]


async def test_answers_are_in_the_callers_language_again_and_again(answers: Answers) -> None:
    german = calling(language="de-AT")
    for _ in range(2):
        assert (await answers.privacy(german)).title != (await answers.privacy(ADA)).title


# --- link ---

PHONE = calling("ada-on-the-phone", place="chat", surface="telegram", private=True)
DESK = calling("ada-at-the-desk", place="dm", surface="discord", private=True)


async def code_of(answers: Answers, caller: Caller = DESK) -> str:
    return fact(await answers.link(caller), "Code")


async def test_a_code_joins_two_identities(world: World, answers: Answers) -> None:
    code = await code_of(answers)
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", code)
    card = await answers.link(PHONE, code)
    assert card.status.startswith("Linked:")
    assert fact(card, "Linked with") == "discord"
    async with world.database.reading() as tx:
        assert set(await people.identities(tx, DESK.asker)) == {DESK.asker, PHONE.asker}
    assert fact(await answers.link(DESK), "Linked with") == "telegram"


async def test_the_credit_of_linked_identities_is_one(world: World, answers: Answers) -> None:
    await answers.link(calling(private=True), await code_of(answers))
    await ask(world, ADA)
    assert fact(await answers.quota(DESK), "Left") == "99 of 100 credits"
    assert await answers.last_job(DESK) == await answers.last_job(ADA)


async def test_case_dashes_and_misread_letters_are_forgiven(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "new", lambda: "K3V9-X0AB-CD11")
    code = await code_of(answers)
    assert (
        await answers.link(PHONE, f"  {code.lower().replace('-', ' – ').replace('0', 'o').replace('1', 'l')} ")
    ).tone == "plain"


async def test_a_code_is_good_once_and_for_ten_minutes(world: World, answers: Answers) -> None:
    code = await code_of(answers)
    await answers.link(PHONE, code)
    assert (await answers.link(ADA, code)).status.startswith("This code is not good")
    late = await code_of(answers)
    world.clock.now += codes.SECONDS
    assert (await answers.link(ADA, late)).status.startswith("This code is not good")


async def test_only_the_last_code_is_good(answers: Answers) -> None:
    first, second = await code_of(answers), await code_of(answers)
    assert first != second
    assert (await answers.link(PHONE, first)).tone == "bad"
    assert (await answers.link(PHONE, second)).tone == "plain"


async def test_ones_own_code_is_said_to_be_ones_own_and_stays_good(answers: Answers) -> None:
    code = await code_of(answers)
    assert (await answers.link(DESK, code)).status.startswith("This code is your own")
    assert (await answers.link(PHONE, code)).tone == "plain"


async def test_after_five_wrong_codes_even_a_good_one_has_to_wait(world: World, answers: Answers) -> None:
    code = await code_of(answers)
    for _ in range(codes.TRIES):
        assert (await answers.link(PHONE, "0000-0000-0000")).status.startswith("This code is not good")
    assert (await answers.link(PHONE, code)).status.startswith("Those were too many codes")
    await answers.link(PHONE)  # asking for a code of one's own does not help
    assert (await answers.link(PHONE, code)).status.startswith("Those were too many codes")
    world.clock.now += codes.TRY_SECONDS
    assert (await answers.link(PHONE, await code_of(answers))).status.startswith("Linked:")


async def test_what_can_be_no_code_is_said(answers: Answers) -> None:
    for typed in ["x", "K3V9", "K3V9-X0AB-CD4E-5", "ü" * 12, "u" * 12, "0" * 10_000, "'; --"]:
        card = await answers.link(PHONE, typed)
        assert "is no code; it has twelve letters and digits" in card.status
        assert len(card.status) < 200


async def test_a_code_is_shown_only_where_nobody_else_reads_it(answers: Answers) -> None:
    card = await answers.link(ADA)
    assert card.status == "Others could read the code here; please link in a private chat with Zoetrope."
    assert card.facts == ()
    assert fact(await answers.link(ADA, whispered=True), "Code")


async def test_only_a_hash_of_the_code_is_stored(world: World, answers: Answers) -> None:
    code = await code_of(answers)
    stored = b"".join(path.read_bytes() for path in world.folder.glob("zoetrope.db*"))
    assert codes.hashed(codes.read(code)).encode() in stored
    assert code.encode() not in stored
    assert codes.read(code).encode() not in stored


async def test_undo_parts_what_was_joined(world: World, answers: Answers) -> None:
    await answers.link(PHONE, await code_of(answers))
    assert (await answers.link(PHONE, "Undo")).status == "Parted: this identity counts alone again."
    async with world.database.reading() as tx:
        assert await people.identities(tx, DESK.asker) == (DESK.asker,)
    assert (await answers.link(PHONE, "undo")).status == "This identity is not linked with any other."


async def test_undo_is_no_way_out_of_a_ban(world: World, answers: Answers) -> None:
    await answers.link(PHONE, await code_of(answers))
    here = PHONE.address
    ban = Restriction("r1", here.surface, here.place, DESK.asker, Curb.BAN, 1, 0.0)
    async with world.database.transaction() as tx:
        await standing.restrict(tx, ban)
    await answers.link(PHONE, "undo")
    async with world.database.reading() as tx:
        assert (await standing.standing(tx, PHONE.asker, here.surface, here.place, 1.0)).curb is Curb.BAN


def test_codes_hold_sixty_bits() -> None:
    shown = {codes.new() for _ in range(100)}
    assert len(shown) == 100
    assert all(len(codes.read(code)) == 12 for code in shown)
