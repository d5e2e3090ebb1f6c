"""What people read, for every state a job and a request can be in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import cards, intents
from bot.cards import bench, console, moderation
from bot.language import LANGUAGES, speaking
from bot.quota import Denied, Why
from db.records import (
    BY_MODERATOR,
    Action,
    Address,
    Asker,
    Case,
    Clip,
    ClipSpec,
    Handle,
    Job,
    JobState,
    Phase,
    Progress,
    Ruling,
    Verdict,
)

SPEC = ClipSpec("a heart bouncing on blue", "", 7, 12, 3.0, 16, 64, 64, 8, "pocket")
ADA = Asker("recording", "ada")
PLAIN = Verdict(Ruling.ALLOWED)
JOB = Job(
    "jjjjjjjjjj", ADA, Handle(Address("recording", "here"), "1"), SPEC, PLAIN, "gif", 1000, JobState.QUEUED, 0, 0.0, 0.0
)
CLIP = Clip("cccccccccc", JOB.id, ADA, SPEC, PLAIN, "c.mkv", "00", 1, {"step": 3.2, "decode": 1.0})


def tokens(card: cards.Card) -> list[intents.Intent | None]:
    return [intents.parse(button.token) for button in card.buttons]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 s"),
        (0.4, "1 s"),
        (8, "8 s"),
        (59.2, "1 min"),
        (80, "1 min 20 s"),
        (3600, "1 h"),
        (3599.2, "1 h"),
        (7500, "2 h 5 min"),
        (7170, "2 h"),
        (7229, "2 h"),
        (86_400, "24 h"),
    ],
)
def test_durations_are_for_people(seconds: float, words: str) -> None:
    assert cards.duration(seconds) == words


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (0, "1970-01-01 00:00 UTC"),
        (29.9, "1970-01-01 00:00 UTC"),
        (30, "1970-01-01 00:01 UTC"),
        (86_399, "1970-01-02 00:00 UTC"),
    ],
)
def test_a_moment_is_told_at_the_nearest_minute(at: float, words: str) -> None:
    assert moderation.moment(at) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "1 min"), (1798, "30 min"), (1769, "29 min"), (3590, "1 h"), (7180, "2 h"), (200_000, "2 days")],
)
def test_an_age_is_told_at_the_nearest_minute(seconds: float, words: str) -> None:
    assert console.age(seconds) == words


def test_what_a_case_records_is_called_the_same_in_chats_and_on_the_pages() -> None:
    assert set(moderation.ACTIONS) == set(Action)
    for code in LANGUAGES:
        with speaking(code):
            assert len({moderation.action(each) for each in Action}) == len(Action)
            for each, (value, label) in zip(moderation.ACTIONS, console.actions(), strict=True):
                case = Case("recording", "here", 1, ADA, None, each, "", 0.0)
                shown = (bench.case(case, ()).status, dict(bench.cases([case], 1, 1, 1).facts)["#1"])
                assert (value, all(label in text for text in (*shown, console.case_title(case)))) == (each, True)


def test_a_waiting_card_tells_its_place_and_how_long() -> None:
    card = cards.of(JOB, place=3, ready_at=1080.0)
    assert card.title == SPEC.prompt
    assert card.status == "Number 3 in line."
    assert (card.ready_at, card.asker) == (1080.0, ADA)
    assert tokens(card) == [intents.Cancel(JOB.id)]
    assert not card.final
    assert cards.of(JOB, place=1).status == "Next in line."


def test_a_job_that_is_taken_up_again_says_so() -> None:
    assert "taken up again (attempt 3)" in cards.of(replace(JOB, attempt=2), place=1).status


@pytest.mark.parametrize(
    ("progress", "status", "bar"),
    [
        (None, "A generator has taken this up.", 0.0),
        (Progress(Phase.LOAD, 0, 12), "Loading the model.", 0.0),
        (Progress(Phase.ENCODE, 0, 0), "Reading the prompt.", 0.0),
        (Progress(Phase.STEP, 3, 12), "Rendering: step 3 of 12.", 0.25),
        (Progress(Phase.DECODE, 12, 12), "Finishing the clip.", 1.0),
    ],
)
def test_a_rendering_card_shows_how_far_it_is(progress: Progress | None, status: str, bar: float) -> None:
    card = cards.of(replace(JOB, state=JobState.RENDERING, attempt=1, progress=progress), preview="jjjjjjjjjj.webp")
    assert (card.status, card.bar, card.preview) == (status, bar, "jjjjjjjjjj.webp")
    assert tokens(card) == [intents.Cancel(JOB.id)]


def test_a_job_being_stopped_has_nothing_left_to_press() -> None:
    card = cards.of(replace(JOB, state=JobState.RENDERING, attempt=1, cancel_asked=True))
    assert card.status == "Stopping after this step."
    assert card.buttons == ()


def test_a_finished_card_carries_the_clip_and_the_facts_that_make_it_again() -> None:
    card = cards.of(replace(JOB, state=JobState.DONE), CLIP)
    assert card.clip == CLIP.id
    assert card.final
    assert card.status == "AI-generated."
    assert dict(card.facts) == {
        "Model": "pocket",
        "Seed": "7",
        "Steps": "12",
        "Size": "64x64, 16 frames",
        "Time": "5 s",
        "Cost": "1 credit",
    }
    pressed = [intents.Again(JOB.id), intents.Edit(JOB.id), intents.Delete(CLIP.id), intents.Report(CLIP.id)]
    assert tokens(card) == pressed


@pytest.mark.parametrize(
    ("now", "words"),
    [(1000.0, "ready in about 1 min 20 s"), (1079.5, "ready in about 1 s"), (1080.0, "ready any moment"), (2e9, "any")],
)
def test_surfaces_that_can_not_count_down_say_when(now: float, words: str) -> None:
    assert words in cards.expectation(cards.of(JOB, place=1, ready_at=1080.0), now)
    assert cards.expectation(cards.of(JOB, place=1), now) == ""
    assert cards.status_at(cards.of(JOB, place=1), now) == "Next in line."
    assert cards.status_at(cards.of(JOB, place=2, ready_at=1080.0), 1000.0) == (
        "Number 2 in line, ready in about 1 min 20 s."
    )


@pytest.mark.parametrize(
    ("credits_", "words"),
    [(0, "nothing"), (100, "0.1 credits"), (1000, "1 credit"), (2500, "2.5 credits"), (1_234_567, "1,234.567 credits")],
)
def test_prices_are_for_people(credits_: int, words: str) -> None:
    assert cards.price(credits_) == words


def test_what_is_not_for_all_eyes_is_covered_from_the_first_preview_on() -> None:
    covered = Verdict(Ruling.ALLOWED, spoiler=True)
    job = replace(JOB, verdict=covered)
    assert cards.of(replace(job, state=JobState.RENDERING, attempt=1)).spoiler
    assert cards.of(replace(job, state=JobState.DONE), replace(CLIP, verdict=covered)).spoiler
    assert not cards.of(replace(JOB, state=JobState.DONE), CLIP).spoiler


def test_a_labelled_clip_carries_a_visible_mark_all_along() -> None:
    mark = Verdict(Ruling.LABELLED, "P5")
    job = replace(JOB, verdict=mark)
    done = cards.of(replace(job, state=JobState.DONE), replace(CLIP, verdict=mark))
    assert done.status == "AI-generated: this is not a recording of anything real."
    for card in (cards.of(job, place=1), cards.of(replace(job, state=JobState.RENDERING, attempt=1)), done):
        assert ("Label", "AI-generated (public figures)") in card.facts


HIDDEN = replace(CLIP, hidden=True, hidden_by="moderators")


@pytest.mark.parametrize(("clip", "shown"), [(None, cards.deleted()), (HIDDEN, cards.hidden(HIDDEN))])
def test_a_deleted_or_hidden_clip_leaves_no_words(clip: Clip | None, shown: cards.Card) -> None:
    card = cards.of(replace(JOB, state=JobState.DONE), clip)
    assert card == shown
    assert SPEC.prompt not in repr(card)


@pytest.mark.parametrize(
    ("by", "withheld", "shows_again"),
    [("asker", False, True), ("asker", True, False), ("moderators", False, False), ("both", False, False)],
)
def test_who_has_hidden_a_clip_alone_can_show_it_again(by: str, withheld: bool, shows_again: bool) -> None:
    card = cards.of(replace(JOB, state=JobState.DONE), replace(CLIP, hidden=True, hidden_by=by), withheld=withheld)
    assert tokens(card) == ([intents.Unhide(CLIP.id)] if shows_again else [])


def test_what_moderators_of_a_place_do_not_want_there_is_covered_there() -> None:
    card = cards.of(replace(JOB, state=JobState.DONE), CLIP, withheld=True)
    assert (card.clip, card.buttons) == ("", ())
    assert "moderators" in card.status


def test_what_a_moderator_declined_is_not_appealed_to_moderators() -> None:
    declined = replace(JOB.verdict, ruling=Ruling.REFUSED, view=BY_MODERATOR)
    card = cards.of(replace(JOB, state=JobState.REFUSED, verdict=declined))
    assert (card.buttons, "moderator" in card.status) == ((), True)
    assert SPEC.prompt not in repr(card)


@pytest.mark.parametrize(
    ("state", "words", "buttons"),
    [
        (JobState.HELD, "A moderator looks at this first", [intents.Cancel(JOB.id)]),
        (JobState.FAILED, "The renderer stopped.", [intents.Again(JOB.id)]),
        (JobState.CANCELLED, "Cancelled; it cost nothing.", [intents.Again(JOB.id)]),
        (JobState.REFUSED, "can't be made here", [intents.Appeal(JOB.id)]),
    ],
)
def test_the_other_states(state: JobState, words: str, buttons: list[intents.Intent]) -> None:
    card = cards.of(replace(JOB, state=state, reason="The renderer stopped."))
    assert words in card.status
    assert tokens(card) == buttons
    assert card.final is state.is_end


@pytest.mark.parametrize("category", ["C1", "C2", "C3"])
def test_the_gravest_refusals_are_vague_and_alike(category: str) -> None:
    assert cards.refused(Verdict(Ruling.REFUSED, category, "a reason", ("C1.rule",), "leet")) == cards.refused(
        Verdict(Ruling.REFUSED)
    )


@pytest.mark.parametrize(("category", "name"), [("P1", "nudity and sex"), ("P7", "hate"), ("C4", "real violence")])
def test_other_refusals_name_the_category_only(category: str, name: str) -> None:
    card = cards.refused(Verdict(Ruling.REFUSED, category, "a reason", ("P1.rule",), "leet"))
    assert name in card.status
    assert "rule" not in repr(card)


@pytest.mark.parametrize(
    ("denial", "words"),
    [
        (Denied(1090.0, Why.SPENT), "fits again in 1 min 30 s"),
        (Denied(1090.0, Why.COOLING), "ask again in 1 min 30 s"),
        (Denied(None, Why.WAITING), "wait for one or cancel one"),
        (Denied(None, Why.TOO_DEAR), "fewer steps"),
    ],
)
def test_a_denial_says_when_or_what_to_change(denial: Denied, words: str) -> None:
    assert words in cards.denied(denial, 1000.0).status


def test_a_denial_tells_the_price_and_what_is_left() -> None:
    card = cards.denied(Denied(1090.0, Why.SPENT, cost=2000, left=500), 1000.0, ADA)
    assert (dict(card.facts), card.asker) == ({"Cost": "2 credits", "Left": "0.5 credits"}, ADA)


def test_a_refusal_can_be_appealed_under_its_id() -> None:
    verdict = Verdict(Ruling.REFUSED, "P1")
    assert tokens(cards.refused(verdict, ADA, "rrrrrrrrrr")) == [intents.Appeal("rrrrrrrrrr")]
    assert cards.refused(verdict, ADA).buttons == ()


def test_titles_are_short_and_facts_are_whole() -> None:
    job = replace(JOB, spec=replace(SPEC, prompt="x" * 1000))
    assert len(cards.of(job, place=1).title) == cards.TITLE_CHARS
    assert cards.of(job, place=1).title.endswith("…")


def test_every_status_is_one_sentence() -> None:
    states = [cards.of(replace(JOB, state=state, attempt=1), CLIP, place=1) for state in JobState]
    others = [
        cards.refused(Verdict(Ruling.REFUSED, "P1")),
        cards.denied(Denied(None, Why.WAITING), 0.0),
        cards.too_late(),
        cards.too_big(JOB, CLIP),
        cards.deleted(),
    ]
    for card in states + others:
        assert card.status.endswith(".")
        assert card.status.count(". ") == 0
        assert card.status[0].isupper()
