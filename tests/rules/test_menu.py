"""The menu is what every platform registers, so it has to fit all of them."""

from __future__ import annotations

import inspect
import re
from itertools import pairwise

import pytest

from bot import menu, typed
from bot.answers import Answers
from bot.answers.bench import Bench
from bot.answers.changes import Ground, of_place, personal
from bot.commands import Commands
from bot.language import LANGUAGES, say, speaking
from bot.menu import COMMANDS, Command, Option
from bot.specs import Problem
from db.config import LimitsConfig
from db.records import Defaults, ModelFacts, ModelLimits, PersonSettings, PlaceSettings, Range, Wish

OPTIONS = [(command, option) for command in COMMANDS for option in command.options]
NAME = re.compile(r"[a-z]{1,31}")  # a letter in front makes 32, the most that platforms take
DONE_BY = {
    "video": "request_clip",
    "again": "press",
    "show": "show_clip",
    "random": "random_clip",
    "hide": "hide_or_show",
    "mydata": "my_data_export",
}
OF_A_PLACE = {"settings", "pause", "resume"}  # answered beside everybody's own
POCKET = ModelFacts(
    "pocket",
    "Pocket",
    "unet3d",
    Defaults(steps=4, guidance=3.0, frames=4, width=16, height=16, fps=8, sampler="ddim"),
    ModelLimits(steps=Range(1, 50), frames=Range(1, 32), side=Range(16, 128), multiple=8),
)
GROUND = Ground("7", [POCKET], "pocket", LimitsConfig(), 1000)


def test_names_fit_every_platform_and_are_unique() -> None:
    typed_names = [name for name, _ in menu.typed_names()]
    assert len(typed_names) == len(set(typed_names)) == len(COMMANDS)
    assert all(NAME.fullmatch(name) for name in typed_names)
    for command in COMMANDS:
        names = [option.name for option in command.options]
        assert len(names) == len(set(names)) <= 25
        assert all(NAME.fullmatch(name) for name in names)


@pytest.mark.parametrize("language", LANGUAGES)
def test_descriptions_fit_every_platform_in_every_language(language: str) -> None:
    with speaking(language):
        said = [say(command.description) for command in COMMANDS] + [say(option.description) for _, option in OPTIONS]
    assert all(1 <= len(description) <= 100 for description in said)
    assert all(description.endswith(".") for description in said)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.moderators}-{command.name}")
def test_what_is_required_comes_first(command: Command) -> None:
    assert all(first.required >= second.required for first, second in pairwise(command.options))


@pytest.mark.parametrize(("command", "option"), OPTIONS, ids=lambda each: each.name)
def test_an_option_says_what_it_takes(command: Command, option: Option) -> None:
    assert option.kind in {"text", "integer", "number", "choice", "member"}
    assert bool(option.choices) == (option.kind == "choice")
    assert (option.low is None) == (option.high is None) == (option.kind in {"text", "choice", "member"})
    assert option.low is None or option.high is None or option.low < option.high <= menu.SAFE_INTEGER
    assert option.autocomplete in {"", "models", "prompts", "sizes"}
    assert not (option.autocomplete and option.choices)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.moderators}-{command.name}")
def test_every_command_is_answered_by_something(command: Command) -> None:
    if command.moderators:
        name = "place_settings" if command.name == "settings" else command.name
        assert any(hasattr(house, name) for house in (Bench, *([Answers] if command.name in OF_A_PLACE else [])))
    else:
        name = DONE_BY.get(command.name, command.name)
        assert hasattr(Commands, name) or hasattr(Answers, name)


def test_every_word_of_the_bench_is_on_the_menu() -> None:
    asked = {name for name, value in vars(Bench).items() if inspect.iscoroutinefunction(value)}
    assert asked - {"case"} == {command.name for command in COMMANDS if command.moderators} - OF_A_PLACE


def test_who_is_banned_still_finds_their_own_data() -> None:
    everybodys = {command.name for command in COMMANDS if not command.moderators}
    assert {"strikes", "help", "privacy", "mydata"} <= set(menu.OF_THE_BANNED) <= everybodys


def test_limits_of_the_operator_are_those_of_the_menu() -> None:
    tight = menu.commands(LimitsConfig(steps=10, frames=8))
    steps, frames = (tight[0].option(name) for name in ("steps", "frames"))
    assert steps is not None
    assert frames is not None
    assert (steps.high, frames.high) == (10, 8)


def test_every_option_of_a_clip_reaches_the_wish() -> None:
    values = {"text": "word", "integer": "7", "number": "2.5"}
    video = COMMANDS[0]
    said = {option.name: option.choices[0] if option.choices else values[option.kind] for option in video.options}
    wish = typed.wish_of(typed.Line("video", "", {**said, "size": "64x32"}))
    assert wish == Wish(
        prompt="word",
        negative="word",
        seed=7,
        guidance=2.5,
        steps=7,
        frames=7,
        width=64,
        height=32,
        model="word",
        format="gif",
    )


@pytest.mark.parametrize("moderators", [False, True])
def test_every_setting_of_the_menu_is_one_and_every_choice_is_taken(moderators: bool) -> None:
    command = menu.find("settings", moderators)
    assert command is not None
    for option in command.options:
        for value in option.choices or ("default",):
            changed = (
                of_place(PlaceSettings(), {option.name: value}, GROUND)
                if moderators
                else personal(PersonSettings(), {option.name: value}, GROUND)
            )
            assert not isinstance(changed, Problem), option.name


@pytest.mark.parametrize(
    ("word", "nearest"), [("vidoe", "video"), ("que", "queue"), ("galery", "gallery"), ("xyzzy", "")]
)
def test_the_nearest_name_is_found(word: str, nearest: str) -> None:
    assert menu.nearest(word, tuple(name for name, _ in menu.typed_names())) == nearest
