"""What every suite may ask for: real things, made fresh for each test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db import schema
from db.database import Database


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
