"""From a wish to a spec, or to one sentence with the way out."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import specs
from bot.specs import Problem, resolve
from db.config import LimitsConfig
from db.records import ClipSpec, Defaults, ModelFacts, ModelLimits, PersonSettings, PlaceSettings, Range, Wish

POCKET = ModelFacts(
    "pocket",
    "Pocket",
    "unet3d",
    Defaults(steps=12, guidance=3.0, frames=16, width=64, height=64, fps=8, sampler="ddim"),
    ModelLimits(steps=Range(1, 50), frames=Range(1, 32), side=Range(16, 128), multiple=8),
)
MODELSCOPE = replace(
    POCKET, name="text-to-video-ms", limits=ModelLimits(Range(1, 999), Range(1, 999), Range(64, 4096), 8)
)
LIMITS = LimitsConfig(prompt_chars=1000, steps=100, frames=64, side=1024)
HEART = Wish("a heart bouncing on blue")


def seed() -> int:
    return 42


def solve(wish: Wish, models: tuple[ModelFacts, ...] = (POCKET, MODELSCOPE)) -> ClipSpec | Problem:
    """As the commands do it: what is stored must meet the same answer as what was typed."""
    answer = resolve(wish, models, "pocket", LIMITS, seed)
    assert resolve(specs.storable(wish, LIMITS), models, "pocket", LIMITS, seed) == answer or isinstance(
        answer, Problem
    )
    return answer


def sentence(wish: Wish, models: tuple[ModelFacts, ...] = (POCKET, MODELSCOPE)) -> str:
    answer = solve(wish, models)
    assert isinstance(answer, Problem), answer
    assert answer.sentence[0].isupper()
    assert answer.sentence.endswith((".", "?"))
    return answer.sentence


def test_silence_is_filled_from_the_model() -> None:
    assert solve(HEART) == ClipSpec("a heart bouncing on blue", "", 42, 12, 3.0, 16, 64, 64, 8, "pocket")


def test_what_was_said_is_kept() -> None:
    wish = Wish("a frog", "blur", 0, 50, 1.0, 32, 128, 16, 60, "POCKET", "mp4")
    assert solve(wish) == ClipSpec("a frog", "blur", 0, 50, 1.0, 32, 128, 16, 60, "pocket")


@pytest.mark.parametrize(
    "prompt", ["", " ", "\n\t \r", "\x00\x07", "\u202e\u202d\u2066", "\u200b\u200d", "\u3164\u2800", "\u0301"]
)
def test_a_prompt_with_nothing_to_see_is_empty(prompt: str) -> None:
    assert "prompt is empty" in sentence(Wish(prompt))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("  a  heart ", "a heart"),
        ("a\nheart\tbouncing\r\non blue", "a heart bouncing on blue"),
        ("a\x00 he\x07art\x1b[31m", "a heart[31m"),
        ("a \u202etraeh\u202c", "a traeh"),
        ("a \u2067heart\u2069", "a heart"),
        ("a\u200bheart", "aheart"),
        ("a \ud800heart", "a heart"),
        ("שלום עולם", "שלום עולם"),
        ("قلب ينبض على أزرق", "قلب ينبض على أزرق"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🚀 in space", "👩\u200d🚀 in space"),
        ("❤️", "❤️"),
        ("...", "..."),
    ],
)
def test_prompts_are_cleaned_of_what_only_steers(typed: str, read: str) -> None:
    spec = solve(Wish(typed))
    assert isinstance(spec, ClipSpec)
    assert spec.prompt == read


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = specs.clean(text)
    assert specs.clean(once) == once
    once.encode()  # no lone surrogate stays: the database could not store it


def test_the_longest_prompt_passes_and_one_more_does_not() -> None:
    assert isinstance(solve(Wish("x" * 1000)), ClipSpec)
    assert "longer than 1,000 characters" in sentence(Wish("x" * 1001))
    assert "longer than 1,000 characters" in sentence(Wish("x " * 5000))
    assert "negative prompt is longer" in sentence(replace(HEART, negative="x" * 1001))


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"steps": 0}, "steps must be between 1 and 50"),
        ({"steps": -1}, "steps must be between 1 and 50"),
        ({"steps": 10**9}, "steps must be between 1 and 50"),
        ({"steps": 51}, "steps must be between 1 and 50"),
        ({"steps": 101, "model": "text-to-video-ms"}, "steps must be between 1 and 100"),  # ours, not the model's
        ({"frames": 0}, "frames must be between 1 and 32"),
        ({"frames": 33}, "frames must be between 1 and 32"),
        ({"frames": 65, "model": "text-to-video-ms"}, "frames must be between 1 and 64"),
        ({"fps": 0}, "between 1 and 60"),
        ({"fps": 61}, "between 1 and 60"),
        ({"seed": -1}, "seed must be between 0"),
        ({"seed": 2**63}, "seed must be between 0"),
        ({"guidance": -0.1}, "Guidance must be between 0 and 30"),
        ({"guidance": 30.1}, "Guidance must be"),
        ({"guidance": math.nan}, "Guidance must be"),
        ({"guidance": math.inf}, "Guidance must be"),
        ({"width": 1, "height": 1}, "between 16 and 128 pixels"),
        ({"width": 17, "height": 33}, "nearest that works is 16x32"),
        ({"width": 127, "height": 127}, "nearest that works is 128x128"),
        ({"width": 100_000, "height": 100_000}, "between 16 and 128 pixels"),
        ({"width": 2048, "height": 64, "model": "text-to-video-ms"}, "between 64 and 1,024 pixels"),
        ({"width": 64, "height": -64}, "between 16 and 128 pixels"),
        ({"format": "avi"}, "'avi' is not made here; choose one of: gif, mp4, webp."),
        ({"model": "pokcet"}, "did you mean pocket?"),
        ({"model": "text-to-video"}, "did you mean text-to-video-ms?"),
        ({"model": "qqqqqqqq"}, "choose one of: pocket, text-to-video-ms."),
        ({"model": "x" * 10_000}, "There is no model named"),
    ],
)
def test_what_can_not_be_met_is_said_with_the_way_out(changes: dict[str, object], part: str) -> None:
    wish = replace(HEART, **changes)  # type: ignore[arg-type]
    assert part in sentence(wish)
    assert len(sentence(wish)) < 300
    stored = specs.storable(wish, LIMITS)
    assert isinstance(resolve(stored, (POCKET, MODELSCOPE), "pocket", LIMITS, seed), Problem)


@pytest.mark.parametrize("wish", [replace(HEART, seed=0), replace(HEART, seed=2**63 - 1), replace(HEART, steps=1)])
def test_the_ends_of_a_range_belong_to_it(wish: Wish) -> None:
    assert isinstance(solve(wish), ClipSpec)


def test_the_nearest_size_named_is_one_that_works() -> None:
    for width in range(16, 129):
        answer = solve(replace(HEART, width=width, height=64))
        if isinstance(answer, Problem):
            named = answer.sentence.rsplit(" ", 1)[1].rstrip(".")
            width, height = map(int, named.split("x"))
            assert isinstance(solve(replace(HEART, width=width, height=height)), ClipSpec)


def test_no_model_yet_means_that_the_generator_is_starting() -> None:
    assert "still starting" in sentence(HEART, ())


def test_a_default_model_that_is_not_there_is_a_problem_too() -> None:
    assert "text-to-video-ms" in sentence(HEART, (MODELSCOPE,))


def test_a_format_that_the_address_does_not_take_is_a_problem() -> None:
    answer = resolve(replace(HEART, format="webp"), (POCKET,), "pocket", LIMITS, seed, formats=("mp4", "gif"))
    assert answer == Problem("The format 'webp' is not made here; choose one of: mp4, gif.")


def test_what_is_stored_is_bounded() -> None:
    huge = Wish("x" * 10**6, "y" * 10**6, 10**30, 10**30, math.inf, -(10**30), model="z" * 10**6, format="q" * 10**6)
    stored = specs.storable(huge, LIMITS)
    assert sum(len(text or "") for text in (stored.prompt, stored.negative, stored.model, stored.format)) < 2500
    assert stored.seed == stored.steps == stored.frames == -1
    assert stored.guidance == -1.0


# --- what a person and a place prefer ---

PERSON = PersonSettings(format="mp4", width=96, height=64)
PLACE = PlaceSettings(format="webp", model="text-to-video-ms")


@pytest.mark.parametrize(
    ("wish", "person", "place", "expected"),
    [
        (HEART, PersonSettings(), PlaceSettings(), HEART),
        (HEART, PERSON, PLACE, replace(HEART, format="mp4", width=96, height=64, model="text-to-video-ms")),
        (
            replace(HEART, format="gif", model="pocket"),
            PersonSettings(),
            PLACE,
            replace(HEART, format="gif", model="pocket"),
        ),
        (HEART, PersonSettings(), PLACE, replace(HEART, format="webp", model="text-to-video-ms")),
        (replace(HEART, width=32), PERSON, PlaceSettings(), replace(HEART, width=32, format="mp4")),
        (HEART, PersonSettings(width=96), PlaceSettings(), HEART),  # half a size is none
        (HEART, PersonSettings(format="avi"), PlaceSettings(), HEART),
    ],
)
def test_the_wish_goes_before_the_person_and_the_person_before_the_place(
    wish: Wish, person: PersonSettings, place: PlaceSettings, expected: Wish
) -> None:
    assert specs.preferred(wish, person, place, specs.FORMATS) == expected


def test_a_preferred_format_that_is_not_taken_here_gives_way_to_the_places() -> None:
    assert specs.preferred(HEART, PERSON, PlaceSettings(format="gif"), ("gif", "webp")).format == "gif"


def test_a_place_tightens_limits_and_never_loosens_them() -> None:
    tight = specs.tightened(LIMITS, PlaceSettings(steps=5, frames=10_000))
    assert (tight.steps, tight.frames, tight.side) == (5, LIMITS.frames, LIMITS.side)


def test_defaults_keep_within_the_limits_and_stay_makeable() -> None:
    limits = LimitsConfig(prompt_chars=1000, steps=5, frames=6, side=35)
    spec = resolve(HEART, (POCKET,), "pocket", limits, seed)
    assert isinstance(spec, ClipSpec)
    assert (spec.steps, spec.frames, spec.width, spec.height) == (5, 6, 32, 32)
