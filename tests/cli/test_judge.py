from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot import cards

Zoetrope = Callable[..., subprocess.CompletedProcess[str]]


def test_prompts_from_arguments_are_judged_in_order(zoetrope: Zoetrope) -> None:
    lines = zoetrope("judge", "--json", "a heart bouncing on blue", "nude child").stdout.splitlines()
    harmless, harmful = map(json.loads, lines)
    assert harmless["verdict"] == "allowed"
    assert harmful["verdict"] == "refused"
    assert set(harmful) == {"verdict", "category", "reason", "rules", "view", "spoiler", "policy"}
    assert harmful["category"]
    assert harmful["rules"]


def test_prompts_from_standard_input_are_one_a_line(zoetrope: Zoetrope) -> None:
    done = zoetrope("judge", "--json", typed="a heart\n\n \u200b\nnude child\n")
    assert [json.loads(line)["verdict"] for line in done.stdout.splitlines()] == ["allowed", "refused"]


@pytest.mark.parametrize("nothing", ["", "  ", "\u200b"])
def test_an_empty_prompt_is_answered_as_the_page_answers_it(zoetrope: Zoetrope, nothing: str) -> None:
    done = zoetrope("judge", "--json", "a heart", nothing)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{cards.EMPTY_PROMPT}\n")


def test_without_json_a_line_reads_as_words(zoetrope: Zoetrope) -> None:
    assert zoetrope("judge", "a heart").stdout == "allowed\n"
    assert zoetrope("judge", "nude child").stdout.startswith("refused (")


@pytest.mark.parametrize(
    ("preset", "ruling", "spoiler"),
    [("family", "refused", False), ("general", "refused", False), ("adult-channel", "allowed", True)],
)
def test_the_kind_of_place_can_be_chosen(zoetrope: Zoetrope, preset: str, ruling: str, spoiler: bool) -> None:
    said = json.loads(zoetrope("judge", "--json", "--policy", preset, "a nude woman on a sofa").stdout)
    assert (said["verdict"], said["category"], said["spoiler"]) == (ruling, "P1", spoiler)


def test_an_explanation_shows_the_views_and_what_matched(zoetrope: Zoetrope) -> None:
    lines = zoetrope("judge", "--explain", "a nak3d woman").stdout.splitlines()
    assert lines[0].startswith("refused (P1)")
    assert "  plain: a nak3d woman" in lines
    assert lines[lines.index("  plain+leet: a naked woman") + 1].startswith("      'naked' is in ")


def test_an_explanation_is_not_for_programs(zoetrope: Zoetrope) -> None:
    done = zoetrope("judge", "--explain", "--json", "a heart")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("--explain is for reading: leave out --json")


def test_an_operator_s_lists_are_judged_by(zoetrope: Zoetrope, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "own.toml").write_text('refuse = ["durian~"]\n')
    (tmp_path / "zoetrope.toml").write_text('[safety]\nfolder = "lists"\n')
    done = zoetrope("judge", "--config", str(tmp_path / "zoetrope.toml"), "two durians", "a pear")
    assert done.stdout.splitlines() == ["refused a word the operator does not want", "allowed"]
    (tmp_path / "lists" / "own.toml").write_text("refuse = [")
    broken = zoetrope("judge", "--config", str(tmp_path / "zoetrope.toml"), "a pear")
    assert (broken.returncode, broken.stdout) == (1, "")
    assert "own.toml" in broken.stderr


def test_bytes_that_are_no_text_are_judged_all_the_same(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bot", "judge"],
        input=b"\xff\xfe heart\n",
        capture_output=True,
        cwd=home,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"allowed\n")


def test_a_reader_that_has_enough_ends_it_quietly(home: Path) -> None:
    """As in `zoetrope judge < prompts | head -1`."""
    judging = subprocess.Popen(
        [sys.executable, "-P", "-m", "bot", "judge"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=home,
    )
    assert judging.stdin is not None
    assert judging.stdout is not None
    assert judging.stderr is not None
    judging.stdout.close()
    judging.stdin.write(b"a heart\n" * 2)
    judging.stdin.close()
    with judging.stderr:
        assert judging.stderr.read() == b""
    assert judging.wait(30) == 141


def test_a_full_disk_behind_standard_output_is_said(home: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "bot", "judge", "a heart"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=home,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "The result can't be written to standard output (no space left on device).\n"


def test_closed_standard_streams_are_no_reason_for_a_traceback(home: Path) -> None:
    command = f"'{sys.executable}' -P -m bot judge 'a heart'"
    without_output = subprocess.run(
        ["sh", "-c", f"{command} >&-"], stderr=subprocess.PIPE, text=True, cwd=home, check=False
    )
    assert without_output.returncode == 1
    assert without_output.stderr == (
        "Standard output is closed, so there is nowhere to write the result: leave it open.\n"
    )
    without_error = subprocess.run(
        ["sh", "-c", f"{command} 2>&-"], stdout=subprocess.PIPE, text=True, cwd=home, check=False
    )
    assert (without_error.returncode, without_error.stdout) == (0, "allowed\n")
