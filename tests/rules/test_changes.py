"""Settings come as strings from hostile hands."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answers.changes import MOST_ENTRIES, Ground, of_place, personal
from bot.menu import COMMANDS, find
from bot.specs import Problem
from db.config import LimitsConfig
from db.records import Defaults, ModelFacts, ModelLimits, PersonSettings, PlaceSettings, Range

POCKET = ModelFacts(
    "pocket",
    "Pocket",
    "unet3d",
    Defaults(steps=4, guidance=3.0, frames=4, width=16, height=16, fps=8, sampler="ddim"),
    ModelLimits(steps=Range(1, 50), frames=Range(1, 32), side=Range(16, 128), multiple=8),
)
CATEGORIES = ("P1", "P4", "P5", "P6", "P6-shown")
GROUND = Ground("42", [POCKET], "pocket", LimitsConfig(steps=60), credits=200_000, categories=CATEGORIES)
SET = PlaceSettings(
    threads=("1", "2"),
    model="pocket",
    format="gif",
    steps=10,
    frames=8,
    side=64,
    credits=5_000,
    roles=(("9", 7_000),),
    moderators=("3",),
    spoiler=True,
    preset="family",
    words=("blood",),
    overrides=(("P5", "hold"),),
    budget=9_000,
    quiet="22:00-07:00 UTC",
    others="moderators",
    reporters=2,
    desk="77",
    keep_days=30,
)


@pytest.mark.parametrize(
    ("changes", "after"),
    [
        ({}, PersonSettings()),
        ({"format": "GIF"}, PersonSettings(format="gif")),
        ({"size": "64 × 32"}, PersonSettings(width=64, height=32)),
        ({"size": "64"}, PersonSettings(width=64, height=64)),
        ({"notify": "off"}, PersonSettings(notify=False)),
        ({"notify": " No "}, PersonSettings(notify=False)),
        ({"format": "mp4", "notify": "off"}, PersonSettings(format="mp4", notify=False)),
        ({"format": "default", "size": "default", "notify": "on"}, PersonSettings()),
    ],
)
def test_a_person_changes_what_they_prefer(changes: dict[str, str], after: PersonSettings) -> None:
    assert personal(PersonSettings(), changes, GROUND) == after


@pytest.mark.parametrize(
    ("changes", "after"),
    [
        ({"channels": "here"}, {"threads": ("42",)}),
        ({"channels": "+here"}, {"threads": ("1", "2", "42")}),
        ({"channels": "-1 +5"}, {"threads": ("2", "5")}),
        ({"channels": "-7"}, {"threads": ("1", "2")}),
        ({"channels": "3, 4; 3"}, {"threads": ("3", "4")}),
        ({"channels": "<#123> <#456>"}, {"threads": ("123", "456")}),
        ({"channels": "all"}, {"threads": ()}),
        ({"channels": "Everywhere"}, {"threads": ()}),
        ({"model": "POCKET"}, {"model": "pocket"}),
        ({"model": "default"}, {"model": ""}),
        ({"format": "default"}, {"format": ""}),
        ({"steps": "60"}, {"steps": 60}),
        ({"steps": "default", "frames": "default", "side": "default"}, {"steps": None, "frames": None, "side": None}),
        ({"credits": "2,5"}, {"credits": 2_500}),
        ({"credits": "0"}, {"credits": 0}),
        ({"credits": "200"}, {"credits": 200_000}),
        ({"credits": "default"}, {"credits": None}),
        ({"roles": "1234=50"}, {"roles": (("1234", 50_000),)}),
        ({"roles": "+<@&12>=1 +13=0.5"}, {"roles": (("9", 7_000), ("12", 1_000), ("13", 500))}),
        ({"roles": "+9=1"}, {"roles": (("9", 1_000),)}),
        ({"roles": "-9"}, {"roles": ()}),
        ({"roles": "none"}, {"roles": ()}),
        ({"moderators": "+4"}, {"moderators": ("3", "4")}),
        ({"moderators": "none"}, {"moderators": ()}),
        ({"spoiler": "off"}, {"spoiler": False}),
        ({"preset": "Adult-Channel"}, {"preset": "adult-channel"}),
        ({"words": "Gore, dark Night"}, {"words": ("gore", "dark night")}),
        ({"words": "+gore"}, {"words": ("blood", "gore")}),
        ({"words": "-blood"}, {"words": ()}),
        ({"words": "none"}, {"words": ()}),
        ({"overrides": "P5=refuse P4=hold"}, {"overrides": (("P5", "refuse"), ("P4", "hold"))}),
        ({"overrides": "p6-SHOWN=Label, p1=ALLOW"}, {"overrides": (("P6-shown", "label"), ("P1", "allow"))}),
        ({"overrides": "+P4=allow"}, {"overrides": (("P5", "hold"), ("P4", "allow"))}),
        ({"overrides": "P4=hold, -P5"}, {"overrides": (("P4", "hold"),)}),
        ({"overrides": "-P1"}, {}),
        ({"overrides": "none"}, {"overrides": ()}),
        ({"budget": "2,5"}, {"budget": 2_500}),
        ({"budget": "0"}, {"budget": 0}),
        ({"budget": "default"}, {"budget": None}),
        ({"quiet": "23:30 - 6:00"}, {"quiet": "23:30-06:00 UTC"}),
        ({"quiet": "22:00–07:00 Europe/Berlin"}, {"quiet": "22:00-07:00 Europe/Berlin"}),
        ({"quiet": "none"}, {"quiet": ""}),
        ({"others": "Nobody"}, {"others": "nobody"}),
        ({"reporters": "5"}, {"reporters": 5}),
        ({"reporters": "default"}, {"reporters": None}),
        ({"desk": "here"}, {"desk": "42"}),
        ({"desk": "<#123>"}, {"desk": "123"}),
        ({"desk": "none"}, {"desk": ""}),
        ({"keep": "7"}, {"keep_days": 7}),
        ({"keep": "default"}, {"keep_days": None}),
    ],
)
def test_moderators_change_what_holds_in_their_place(changes: dict[str, str], after: dict[str, object]) -> None:
    changed = of_place(SET, changes, GROUND)
    assert isinstance(changed, PlaceSettings)
    assert asdict(changed) == {**asdict(SET), **after}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"formt": "gif"}, "There is no setting formt; did you mean format?"),
        ({"xyzzy": "1"}, "There is no setting xyzzy; there are format, size, notify."),
        ({"x\n\u202ey": "1"}, "There is no setting x y; there are format, size, notify."),
        ({"format": "avi"}, "“avi” is nothing that format can be; choose one of: gif, mp4, webp, default."),
        ({"format": ""}, "“” is nothing that format can be; choose one of: gif, mp4, webp, default."),
        ({"notify": "maybe"}, "“maybe” is nothing that notify can be; choose one of: on, off."),
        ({"size": "big"}, "“big” is no size; write width x height in pixels, for example 48x32."),
        (
            {"size": "4096x4096"},
            "Width and height must be between 16 and 128 pixels; please choose a number from there.",
        ),
    ],
)
def test_what_a_person_can_not_prefer_is_said(changes: dict[str, str], sentence: str) -> None:
    assert personal(PersonSettings(), changes, GROUND) == Problem(sentence)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"wrds": "x"}, "There is no setting wrds; did you mean words?"),
        ({"steps": "61"}, "“61” does not work for steps; write a number from 1 to 60, or default."),
        ({"steps": "0"}, "“0” does not work for steps; write a number from 1 to 60, or default."),
        ({"steps": "ten"}, "“ten” does not work for steps; write a number from 1 to 60, or default."),
        ({"credits": "-1"}, "“-1” does not work for credits; write a number from 0 to 200, or default."),
        ({"credits": "nan"}, "“nan” does not work for credits; write a number from 0 to 200, or default."),
        ({"credits": "201"}, "“201” does not work for credits; write a number from 0 to 200, or default."),
        ({"roles": "9=201"}, "“201” does not work for roles; write a number from 0 to 200, or default."),
        ({"channels": ""}, "“” does not work for channels; write ids with commas between them, or none."),
        ({"channels": "a b/c"}, "“a b/c” does not work for channels; write ids with commas between them, or none."),
        ({"preset": "wild"}, "“wild” is nothing that preset can be; choose one of: family, general, adult-channel."),
        ({"words": "x"}, "A refused word has 2 to 40 characters; write them with commas between."),
        ({"words": "x" * 41}, "A refused word has 2 to 40 characters; write them with commas between."),
        (
            {"overrides": "C1=allow"},
            "C1 to C6 are made in no place, so nothing can be said about them; name one of P1, P4, P5, P6, P6-shown.",
        ),
        (
            {"overrides": "P5=maybe"},
            (
                "“P5=maybe” does not work for overrides; write such as P5=refuse P4=hold, "
                "of P1, P4, P5, P6, P6-shown and allow, label, hold, refuse, or none."
            ),
        ),
        ({"budget": "-1"}, "“-1” does not work for budget; write a number from 0 to 1,000,000, or default."),
        (
            {"quiet": "22-7"},
            "“22-7” does not work for quiet; write hours and a time zone such as 22:00-07:00 Europe/Berlin, or none.",
        ),
        ({"others": "me"}, "“me” is nothing that others can be; choose one of: everyone, moderators, nobody."),
        ({"reporters": "0"}, "“0” does not work for reporters; write a number from 1 to 100, or default."),
        ({"desk": "over there"}, "“over there” does not work for desk; write here, the id of a channel, or none."),
        ({"keep": "ever"}, "“ever” does not work for keep; write a number from 1 to 3,650, or default."),
    ],
)
def test_what_a_place_can_not_have_is_said(changes: dict[str, str], sentence: str) -> None:
    assert of_place(PlaceSettings(), changes, GROUND) == Problem(sentence)


@pytest.mark.parametrize("roles", ["", "12", "=5", "+12", "a/b=1", "12=", "1 2=3"])
def test_roles_without_credits_are_said(roles: str) -> None:
    problem = of_place(PlaceSettings(), {"roles": roles}, GROUND)
    assert isinstance(problem, Problem)
    assert "such as 1234=50" in problem.sentence


@pytest.mark.parametrize("text", ["", "P5", "P5=", "=hold", "P9=hold", "P77=hold", "+", "P5=hold P4"])
def test_rulings_that_are_none_are_said(text: str) -> None:
    problem = of_place(PlaceSettings(), {"overrides": text}, GROUND)
    assert isinstance(problem, Problem)
    assert "such as P5=refuse" in problem.sentence


@pytest.mark.parametrize(
    "text", ["", "22:00", "25:00-07:00", "22:00-22:00", "22:00-07:00 Mars/Base", "22:00-7:00 ../x"]
)
def test_hours_that_are_none_are_said(text: str) -> None:
    problem = of_place(PlaceSettings(), {"quiet": text}, GROUND)
    assert isinstance(problem, Problem)
    assert "22:00-07:00 Europe/Berlin" in problem.sentence


def test_where_everybody_talks_is_no_desk() -> None:
    ground = Ground("", [POCKET], "pocket", LimitsConfig(), 1000)
    problem = of_place(PlaceSettings(), {"desk": "here"}, ground)
    assert isinstance(problem, Problem)
    assert problem.sentence.startswith("Everybody reads along here;")


def test_an_unknown_model_is_answered_with_the_nearest() -> None:
    problem = of_place(PlaceSettings(), {"model": "poket"}, GROUND)
    assert problem == Problem("There is no model named 'poket'; did you mean pocket?")


@pytest.mark.parametrize("name", ["channels", "moderators", "roles", "words"])
def test_lists_have_an_end(name: str) -> None:
    entries = [f"{number}=1" if name == "roles" else f"word{number}" for number in range(MOST_ENTRIES + 1)]
    problem = of_place(PlaceSettings(), {name: ",".join(entries)}, GROUND)
    assert problem == Problem(f"{name} takes at most {MOST_ENTRIES} entries; please remove some first.")


def test_nothing_is_half_applied() -> None:
    """The settings are values: after a problem there are only the old ones."""
    assert isinstance(of_place(SET, {"spoiler": "off", "steps": "no"}, GROUND), Problem)


def test_the_empty_id_of_a_main_thread_can_be_named() -> None:
    ground = Ground("", [POCKET], "pocket", LimitsConfig(), 1000)
    changed = of_place(PlaceSettings(), {"channels": "here"}, ground)
    assert isinstance(changed, PlaceSettings)
    assert changed.threads == ("",)


NAMES = [option.name for command in COMMANDS if command.name == "settings" for option in command.options]


@settings(deadline=None)
@given(st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=8)), st.text(max_size=40)))
def test_whatever_comes_is_taken_or_answered(changes: dict[str, str]) -> None:
    for after in (personal(PersonSettings(), changes, GROUND), of_place(SET, changes, GROUND)):
        assert not isinstance(after, Problem) or after.sentence.count("\n") == 0


@settings(deadline=None)
@given(st.sampled_from([option.name for option in find("settings", moderators=True).options]), st.text(max_size=40))  # type: ignore[union-attr]
def test_a_change_touches_its_own_setting_only(name: str, text: str) -> None:
    after = of_place(SET, {name: text}, GROUND)
    field = {"channels": "threads", "keep": "keep_days"}.get(name, name)
    if isinstance(after, PlaceSettings):
        assert {key: value for key, value in asdict(after).items() if key != field} == {
            key: value for key, value in asdict(SET).items() if key != field
        }
