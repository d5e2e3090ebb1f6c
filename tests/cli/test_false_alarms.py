"""`zoetrope false-alarms`, as an operator runs it; what comes out is read by the filter's own tests."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from db import allowed
from db.database import Database
from db.records import Ruling, Verdict
from tests.rules.safety.examples import Example, harmless

Zoetrope = Callable[..., subprocess.CompletedProcess[str]]

FOUND = (
    ("here", 'a "violent" storm\tover the sea', "P3"),
    ("here", "the killers on a stage", "C5"),
    ("here", f"hash:{'0' * 64}", "C1"),
    ("here", "a boy in the bath", "C1"),
    ("here", "two durians", ""),
    ("there", "the killers on a stage", "C5"),
    ("there", "größe zählt", "P1"),
)
EXPECTED = {
    Example("-", 'a "violent" storm over the sea', "P3"),
    Example("-", "the killers on a stage", "C5"),
    Example("-", "two durians", "-"),
    Example("-", "größe zählt", "P1"),
}


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A data folder in which moderators of two places have found some verdicts wrong."""
    database = await Database.open(f"sqlite:///{tmp_path / 'zoetrope.db'}", migrate=True)
    try:
        async with database.transaction() as tx:
            for place, prompt, category in FOUND:
                verdict = Verdict(Ruling.REFUSED, category)
                await allowed.add(tx, "web", place, prompt, verdict, 1, not category.startswith("C"), 1.0)
    finally:
        await database.close()
    return tmp_path


def test_every_false_alarm_is_a_test_case_once(
    zoetrope: Zoetrope, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = folder / "false_alarms.tsv"
    done = zoetrope("false-alarms", "--out", str(out), "--data", str(folder))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "False alarms: 4.\n")
    monkeypatch.setattr("tests.rules.safety.examples.HERE", folder)
    cases = harmless("false_alarms")
    assert len(cases) == len(EXPECTED)
    assert set(cases) == EXPECTED
    printed = zoetrope("false-alarms", "--data", str(folder))
    assert printed.stdout == out.read_text(encoding="utf-8")


def test_the_gravest_are_not_passed_on(zoetrope: Zoetrope, folder: Path) -> None:
    printed = zoetrope("false-alarms", "--data", str(folder)).stdout
    assert "hash:" not in printed
    assert "bath" not in printed


def test_a_file_that_can_not_be_written_is_one_sentence(zoetrope: Zoetrope, folder: Path) -> None:
    done = zoetrope("false-alarms", "--out", str(folder), "--data", str(folder))
    assert (done.returncode, done.stdout) == (1, "")
    assert "can't be written (is a directory): give another one." in done.stderr


def test_without_a_database_it_says_how_to_get_one(zoetrope: Zoetrope, tmp_path: Path) -> None:
    done = zoetrope("false-alarms", "--data", str(tmp_path / "nothing"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "nothing").exists()
