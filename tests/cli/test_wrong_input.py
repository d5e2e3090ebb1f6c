"""Whatever a person types wrong is answered with one sentence, a way out, a non-zero status and no traceback."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Zoetrope = Callable[..., subprocess.CompletedProcess[str]]

HEART = "a heart bouncing on blue"

# What is typed, the status, and words that must be in the sentence.
WRONG: list[tuple[list[str], int, str]] = [
    (["nonsense"], 2, "No such command 'nonsense'"),
    (["--nonsense"], 2, "No such option"),
    (["video"], 2, "zoetrope video --help"),
    (["video", HEART], 2, "'-o' / '--out'"),
    (["video", "-o", "a.gif"], 2, "PROMPTS"),
    (["video", HEART, "-o", "a.gif", "--steps", "abc"], 2, "'abc' is not a valid integer"),
    (["video", HEART, "-o", "a.gif", "--seed", "1.5"], 2, "'1.5' is not a valid integer"),
    (["video", HEART, "-o", "a.gif", "--frames", ""], 2, "not a valid integer"),
    (["video", HEART, "-o", "a.gif", "--fps", "eight"], 2, "'eight' is not a valid integer"),
    (["video", HEART, "-o", "a.gif", "--guidance", "much"], 2, "'much' is not a valid float"),
    (["video", HEART, "-o", "a.gif", "--size", "17"], 2, "WIDTHxHEIGHT"),
    (["video", HEART, "-o", "a.gif", "--size", "axb"], 2, "WIDTHxHEIGHT"),
    (["video", HEART, "-o", "a.gif", "--size", "-1x5"], 2, "WIDTHxHEIGHT"),
    (["video", HEART, "-o", "a.gif", "--format", "avi"], 2, "'avi' is not one of"),
    (["video", HEART, "-o", "a.avi"], 2, "use .gif, .mp4 or .webp"),
    (["video", HEART, "-o", "a.gif", "--format", "mp4"], 2, "--format says mp4"),
    (["video", HEART, HEART, "-o", "a.gif"], 2, "give a folder"),
    (["video", HEART, "-o", "missing/below/a.gif"], 1, "missing/below"),
    (["video", HEART, "-o", "/proc/a.gif"], 1, "/proc"),
    (["video", HEART, "-o", "a.gif", "--config", "none.toml"], 1, "none.toml does not exist"),
    (["config", "check", "--config", "none.toml"], 1, "none.toml does not exist"),
    (["config", "check", "--config", "."], 1, "can't be read"),
    (["config", "show", "--config", "none.toml"], 1, "none.toml does not exist"),
    (["run", "--config", "none.toml"], 1, "none.toml does not exist"),
    (["run", "--data", "/proc/zoetrope"], 1, "/proc/zoetrope"),
    (["play", "--port", "abc"], 2, "'abc' is not a valid integer"),
    (["play", "--port", "99999"], 2, "99999 is not in the range"),
    (["play", "--data", "/proc/zoetrope"], 1, "--data"),
    (["play", "--nonsense"], 2, "zoetrope play --help"),
]


@pytest.mark.parametrize(("typed", "status", "words"), WRONG, ids=[" ".join(typed) for typed, _, _ in WRONG])
def test_wrong_input_is_answered_with_one_sentence(
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
