"""Whatever a person types wrong is answered with one sentence, a way out, a non-zero status and no traceback."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from bot.__main__ import cli
from bot.cli.wrong_use import guarded

Zoetrope = Callable[..., subprocess.CompletedProcess[str]]

HEART = "a heart bouncing on blue"

# What is typed and words that must be in the sentence. Nothing of this gets past the reading of arguments.
MISTYPED: list[tuple[list[str], str]] = [
    (["nonsense"], "No such command 'nonsense'"),
    (["--nonsense"], "No such option"),
    (["video"], "zoetrope video --help"),
    (["video", HEART], "'-o' / '--out'"),
    (["video", "-o", "a.gif"], "PROMPTS"),
    (["video", HEART, "-o", "a.gif", "--steps", "abc"], "'abc' is not a valid integer"),
    (["video", HEART, "-o", "a.gif", "--seed", "1.5"], "'1.5' is not a valid integer"),
    (["video", HEART, "-o", "a.gif", "--frames", ""], "not a valid integer"),
    (["video", HEART, "-o", "a.gif", "--fps", "eight"], "'eight' is not a valid integer"),
    (["video", HEART, "-o", "a.gif", "--guidance", "much"], "'much' is not a valid float"),
    (["video", HEART, "-o", "a.gif", "--size", "17"], "WIDTHxHEIGHT"),
    (["video", HEART, "-o", "a.gif", "--size", "axb"], "WIDTHxHEIGHT"),
    (["video", HEART, "-o", "a.gif", "--size", "-1x5"], "WIDTHxHEIGHT"),
    (["video", HEART, "-o", "a.gif", "--size", "²x5"], "WIDTHxHEIGHT"),
    (["video", HEART, "-o", "a.gif", "--format", "avi"], "'avi' is not one of"),
    (["play", "--port", "abc"], "'abc' is not a valid integer"),
    (["play", "--port", "99999"], "99999 is not in the range"),
    (["play", "--nonsense"], "zoetrope play --help"),
    (["config", "chekc"], "No such command 'chekc'"),
]

# What is typed well and can't be done: the status and the words.
IMPOSSIBLE: list[tuple[list[str], int, str]] = [
    (["video", HEART, "-o", "a.avi"], 2, "use .gif, .mp4 or .webp"),
    (["video", HEART, "-o", "a.gif", "--format", "mp4"], 2, "--format says mp4"),
    (["video", HEART, HEART, "-o", "a.gif"], 2, "give a folder"),
    (["video", HEART, "-o", "missing/below/a.gif"], 1, "missing/below"),
    (["video", HEART, "-o", "/proc/a.gif"], 1, "/proc"),
    (["video", HEART, "-o", "a.gif", "--config", "none.toml"], 1, "none.toml does not exist"),
    (["config", "check", "--config", "none.toml"], 1, "none.toml does not exist"),
    (["config", "show", "--config", "."], 1, "can't be read"),
    (["run", "--config", "none.toml"], 1, "none.toml does not exist"),
    (["run", "--data", "/proc/zoetrope"], 1, "/proc/zoetrope"),
    (["play", "--data", "/proc/zoetrope"], 1, "--data"),
]


@pytest.mark.parametrize(("typed", "words"), MISTYPED, ids=[" ".join(typed) for typed, _ in MISTYPED])
def test_what_is_mistyped_is_answered_with_one_sentence(
    capsys: pytest.CaptureFixture[str], typed: list[str], words: str
) -> None:
    assert guarded(cli, typed, debug=False) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert_one_sentence(said.err)


@pytest.mark.parametrize(("typed", "status", "words"), IMPOSSIBLE, ids=[" ".join(typed) for typed, _, _ in IMPOSSIBLE])
def test_what_cannot_be_done_is_answered_with_one_sentence(
    zoetrope: Zoetrope, typed: list[str], status: int, words: str
) -> None:
    done = zoetrope(*typed)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr
    assert_one_sentence(done.stderr)


def assert_one_sentence(text: str) -> None:
    assert "Traceback" not in text
    assert len(text.strip().splitlines()) == 1, text
    assert text.strip()[-1] in ".?)"


def test_an_error_that_should_not_happen_is_a_sentence_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    """An unforeseen error may hold a prompt."""

    @click.command()
    def broken() -> None:
        raise KeyError(HEART)

    assert guarded(broken, [], debug=False) == 1
    said = capsys.readouterr().err
    assert "KeyError in test_wrong_input.py, line" in said
    assert "ZOETROPE_DEBUG=1" in said
    assert HEART not in said
    assert_one_sentence(said)
    assert guarded(broken, [], debug=True) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[genrator]\n", "did you mean [generator]?"),
        ("[generator]\nattempt = 1\n", "[generator] has no key `attempt`; did you mean `attempts`?"),
        ("[discord]\ntoken = 'abc'\n", "did you mean `token_file`?"),
        ("[generator.models.big]\npaht = 'x'\n", "did you mean `path`?"),
        ("[web]\nport = 'high'\n", "[web] port is 'high'"),
        ("[quota]\ncredits = -1\n", "[quota] credits is -1"),
        ("x = [", "is not valid TOML"),
        ("[discord]\ntoken_file = 'none'\n", "can't be read"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_named_by_place(
    zoetrope: Zoetrope, home: Path, toml: str, words: str
) -> None:
    (home / "my.toml").write_text(toml)
    done = zoetrope("config", "check", "--config", "my.toml")
    assert done.returncode == 1
    assert words in done.stderr
    assert_one_sentence(done.stderr)


def test_no_command_at_all_shows_what_there_is(zoetrope: Zoetrope) -> None:
    done = zoetrope()
    assert done.returncode == 2
    assert "video" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_configuration_that_is_no_text_is_refused(zoetrope: Zoetrope, home: Path) -> None:
    (home / "my.toml").write_bytes(b"\xff\xfe\x00")
    done = zoetrope("config", "check", "--config", "my.toml")
    assert done.returncode == 1
    assert_one_sentence(done.stderr)
