"""The `zoetrope` command as a person runs it: a real process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Zoetrope = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty folder to stand in, which is no repository."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def zoetrope(home: Path) -> Zoetrope:
    """Run the command in `home` and wait for it; `typed` is its standard input."""

    def run(*arguments: str, typed: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ZOETROPE_")}
        return subprocess.run(
            [sys.executable, "-P", "-m", "bot", *arguments],
            cwd=home,
            env={**inherited, **environment},
            input=typed if typed is not None else "",
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return run
