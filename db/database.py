"""The one database of both houses: opened by URL, written in whole transactions, listened to by a bell.

Today a SQLite file; the callers know nothing of that, so that PostgreSQL can stand behind the same class.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol, Self

from sqlalchemy import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import schema, sqlite
from db.errors import DatabaseUnreachable

_MISTAKES = (IntegrityError, DataError, ProgrammingError, NotSupportedError)  # of ours, not of the disk


class Bell(Protocol):
    """Rings when anyone commits. It may ring once for many commits, never not at all."""

    def count(self) -> int:
        """A number that differs after every commit that was not yet counted."""
        ...

    async def wait(self, seen: int, timeout: float) -> int:  # noqa: ASYNC109
        """The present count, as soon as it differs from `seen` or after `timeout` seconds."""
        ...

    def close(self) -> None: ...


class Database:
    """Write transactions, reading transactions, and a bell."""

    def __init__(self, path: Path, writer: AsyncEngine, reader: AsyncEngine, bell: Bell) -> None:
        self._path = path
        self._writer = writer
        self._reader = reader
        self.bell = bell

    @classmethod
    async def open(cls, url: str, *, migrate: bool = False) -> Self:
        """Open the database at `url` (sqlite:///path), with `migrate` creating it and bringing its schema up to date.

        Raises:
            DatabaseUnreachable: it can't be opened or created, or is of a kind this version does not speak.
            WrongRevision: the schema is newer than this program, or older and `migrate` is False.
        """
        path = sqlite_path(url)
        await asyncio.to_thread(sqlite.probe, path, create=migrate)
        await asyncio.to_thread(schema.upgrade if migrate else schema.check, path)
        return cls(path, sqlite.writing_engine(path), sqlite.reading_engine(path), sqlite.DataVersionBell(path))

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A write transaction: alone among writers from its first line, committed at the end, rolled back on error.

        Raises:
            DatabaseUnreachable: the disk is full or broken, or others hold the lock for too long; nothing was written.
        """
        return self._begin(self._writer)

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A snapshot for reading, which waits for nobody. Writing through it is refused."""
        return self._begin(self._reader)

    async def empty_log(self) -> bool:
        """What was deleted and committed leaves the disk for good, too. False: others were busy for too long, and it
        has to be said again.

        Raises:
            DatabaseUnreachable: the disk is full or broken.
        """
        return await asyncio.to_thread(sqlite.empty_log, self._path)

    async def close(self) -> None:
        self.bell.close()
        await self._reader.dispose()
        await self._writer.dispose()

    @asynccontextmanager
    async def _begin(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        try:
            async with engine.begin() as connection:
                yield connection
        except (DatabaseError, PoolTimeout) as error:
            if isinstance(error, _MISTAKES) or (engine is self._reader and "readonly" in str(error)):
                raise  # a write through `reading` is a mistake of ours as well
            raise sqlite.unreachable(self._path, error) from error


def sqlite_path(url: str) -> Path:
    """The file a database URL names, as an absolute path.

    Raises:
        DatabaseUnreachable: it names no SQLite file.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseUnreachable(
            "The database URL can't be understood; write it like sqlite:///data/zoetrope.db."
        ) from error
    if parsed.get_backend_name() != "sqlite":
        raise DatabaseUnreachable(
            f"Databases of the kind {parsed.get_backend_name()!r} are not supported yet; "
            "use a SQLite file, like sqlite:///data/zoetrope.db."
        )
    return _file_of(parsed)


def _file_of(url: URL) -> Path:
    if not url.database or url.database == ":memory:" or url.query:
        raise DatabaseUnreachable(
            "The database URL must name a plain file that two processes can open, like sqlite:///data/zoetrope.db."
        )
    return Path(url.database).absolute()
