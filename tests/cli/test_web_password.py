"""`zoetrope web-password`: what it writes, and what it does not take."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.surfaces.web.password import required
from db.config import WebConfig


def web_password(home: Path, file: str, word: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-P", "-m", "bot", "web-password", file]
    return subprocess.run(line, input=word, capture_output=True, text=True, cwd=home, timeout=60)


def test_the_file_that_it_writes_opens_the_page_with_that_password(home: Path) -> None:
    done = web_password(home, "web.password", "correct horse\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "Written to web.password: name it under [web] as password_file (for everybody) or as "
    )
    assert "operator_password_file (for the moderators' pages)" in done.stdout
    found = required(WebConfig(host="0.0.0.0", password_file=home / "web.password"))
    assert found is not None
    assert found.fits("correct horse")


@pytest.mark.parametrize(
    ("file", "word", "sentence"),
    [
        ("web.password", "short\n", "8 to 1,000 characters"),
        ("web.password", "", "8 to 1,000 characters"),
        (".", "correct horse\n", "name a file in it"),
        ("nowhere/web.password", "correct horse\n", "name another file"),
    ],
)
def test_what_it_cannot_take_is_one_sentence(home: Path, file: str, word: str, sentence: str) -> None:
    done = web_password(home, file, word)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (home / "web.password").exists()
