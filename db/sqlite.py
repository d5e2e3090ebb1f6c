"""Everything that is peculiar to SQLite: the file, the pragmas, the two engines and the bell.

The driver's own transaction handling loses updates in silence, so both engines say BEGIN themselves: writers BEGIN
IMMEDIATE (the lock is taken before the first read, and a busy database is waited for), readers a plain BEGIN.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from db.errors import DatabaseUnreachable

logging.getLogger("aiosqlite").setLevel(logging.INFO)  # it writes every parameter to its debug log, prompts included

BUSY_SECONDS = 15.0
LOG_SECONDS = 2.0  # the longest that writers wait for readers while the log is emptied
RING_SECONDS = 0.01
_PRAGMAS = (
    "journal_mode=WAL",  # readers never wait for the writer
    "synchronous=FULL",  # an acknowledged commit survives a power cut
    f"busy_timeout={int(BUSY_SECONDS * 1000)}",
    "foreign_keys=ON",
    "secure_delete=ON",  # what is deleted leaves the file, too
)
_CURES = {
    "file is not a database": "it is not a database; move that file away or choose another folder",
    "readonly": "it can't be written; check the permissions of the file and its folder",
    "read-only": "it can't be written; check the permissions of the file and its folder",
    "unable to open": "it can't be opened; check that the folder is there and can be written",
    "is locked": "another program holds it locked; close that program and try again",
    "full": "there is no space left on the disk; free some and try again",
    "disk I/O error": "the disk reports an error; check it and its free space",
    "malformed": "the file is damaged; restore it from a backup",
    "QueuePool limit": "too much is waiting for it; try again in a moment",
}


def unreachable(path: Path, error: Exception) -> DatabaseUnreachable:
    """The driver's error as one sentence with a way out."""
    said = str(getattr(error, "orig", None) or error)
    cure = next((cure for words, cure in _CURES.items() if words in said), f"the system says: {said}")
    return DatabaseUnreachable(f"The database {path} can't be used: {cure}.")


def probe(path: Path, *, create: bool) -> None:
    """Open the file once, switch it to WAL and take the write lock, so that what is wrong is said at the start.

    Raises:
        DatabaseUnreachable: it can't be opened, created or written.
    """
    if not create and not path.exists():
        raise DatabaseUnreachable(f"There is no database at {path} yet; start `zoetrope` first, which creates it.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnreachable(
            f"The folder {path.parent} can't be created ({error.strerror}); choose another data folder."
        ) from error
    try:
        with closing(connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.DatabaseError as error:
        raise unreachable(path, error) from error


def connect(path: Path) -> sqlite3.Connection:
    """A raw connection that begins nothing by itself."""
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def empty_log(path: Path) -> bool:
    """Write the log beside the file into the file and cut it to nothing: what was deleted stood in it still. False:
    somebody reads or writes for longer than is waited, and the log stays for now.

    Raises:
        DatabaseUnreachable: the disk is full or broken.
    """
    try:
        with closing(connect(path)) as connection:
            connection.execute(f"PRAGMA busy_timeout={int(LOG_SECONDS * 1000)}")
            (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.DatabaseError as error:
        raise unreachable(path, error) from error
    return not busy


def writing_engine(path: Path) -> AsyncEngine:
    """One connection: the writers of this process queue for it in order instead of fighting over the file's lock."""
    url = URL.create("sqlite+aiosqlite", database=str(path))
    engine = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=2 * BUSY_SECONDS, hide_parameters=True)
    _begin_with(engine.sync_engine, "BEGIN IMMEDIATE", _PRAGMAS)
    return engine


def reading_engine(path: Path) -> AsyncEngine:
    """Snapshots: what is read in one transaction belongs together, and a write through it is refused."""
    url = URL.create("sqlite+aiosqlite", database=str(path))
    engine = create_async_engine(url, pool_timeout=2 * BUSY_SECONDS, hide_parameters=True)
    _begin_with(engine.sync_engine, "BEGIN", (*_PRAGMAS, "query_only=ON"))
    return engine


def migrating_engine(path: Path) -> Engine:
    """The plain driver for alembic, whose upgrades are one transaction each run."""
    engine = create_engine(URL.create("sqlite", database=str(path)))
    _begin_with(engine, "BEGIN IMMEDIATE", _PRAGMAS)
    return engine


def _begin_with(engine: Engine, begin: str, pragmas: tuple[str, ...]) -> None:
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver shall begin nothing behind our back
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))


class DataVersionBell:
    """Rings on every commit of anyone, this process included, without a table being polled.

    `PRAGMA data_version` changes when *another* connection commits; it is read on a raw connection of its own that
    never writes (some 4 µs), every 10 ms while somebody waits.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)
        self._connection.execute("PRAGMA busy_timeout=0")  # it is asked on the event loop, which must not wait

    def count(self) -> int:
        """Raises DatabaseUnreachable."""
        try:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.DatabaseError as error:
            raise unreachable(self._path, error) from error
        return int(version)

    async def wait(self, seen: int, timeout: float) -> int:  # noqa: ASYNC109
        """The count as soon as it differs from `seen`, or after `timeout` seconds."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + timeout
        while (count := self.count()) == seen and (left := deadline - clock()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(RING_SECONDS, left))
        return count

    def close(self) -> None:
        self._connection.close()
