"""What every suite may ask for: real things, made fresh for each test."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db import schema
from db.database import Database

# Read when torch is imported: threads that spin while they wait for each other starve where other processes run too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# The libraries' modules live to the end, and with the usual thresholds (700, 10, 10) looking through them for garbage
# takes a fifth of all processor time. What a test leaves unclosed is still found, at the latest when all is over.
gc.set_threshold(10_000, 20, 20)
REQUIRE_ALL = os.environ.get("ZOETROPE_REQUIRE_ALL") == "1"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything can be tested, a skipped test is a failed one."""
    if REQUIRE_ALL and _skipped(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if REQUIRE_ALL and (count := _skipped(terminalreporter.config)):
        terminalreporter.line(
            f"ZOETROPE_REQUIRE_ALL is set and tests were skipped ({count}): this run failed.", red=True
        )


def _skipped(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return len(reporter.stats.get("skipped", ())) if reporter is not None else 0


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file without rows, made once: the mould of all test databases."""
    path = tmp_path_factory.mktemp("mould") / "zoetrope.db"
    schema.upgrade(path)
    return path


@pytest.fixture
def database_url(tmp_path: Path, empty_database: Path) -> str:
    """The URL of a fresh database file, which another process may open too."""
    return f"sqlite:///{shutil.copy(empty_database, tmp_path / 'zoetrope.db')}"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A real database on a real file."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()
