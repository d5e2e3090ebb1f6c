"""The schema's revision: upgraded under a lock by the `zoetrope` command, only checked by everybody else."""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import DatabaseError

from db.errors import DatabaseUnreachable, WrongRevision
from db.sqlite import connect, migrating_engine, unreachable

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0004"  # the newest revision of migrations/versions; written here so that a start need not load alembic
LOCK_SECONDS = 60.0


def revision(path: Path) -> str | None:
    """The revision of the file, or None for one without our tables.

    Raises:
        DatabaseUnreachable: the file can't be read.
    """
    try:
        with closing(connect(path)) as connection:
            known = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
            if not connection.execute(known).fetchone()[0]:
                return None
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise unreachable(path, error) from error
    return None if row is None else str(row[0])


def check(path: Path) -> None:
    """Raises:
    WrongRevision: the file's schema is older or newer than this program.
    """
    found = revision(path)
    if found == HEAD:
        return
    if found is None or found in _our_revisions():
        raise WrongRevision(
            f"The database {path} is older than this program; start `zoetrope` once, which brings it up to date."
        )
    raise _newer(path, found)


def upgrade(path: Path) -> None:
    """Bring the file to HEAD, in one transaction, while no other process does the same.

    Raises:
        WrongRevision: the file was written by a newer program.
        DatabaseUnreachable: the upgrade failed (and left the file as it was), or another process upgrades for ever.
    """
    if revision(path) == HEAD:
        return
    with _lock(path):
        found = revision(path)
        if found == HEAD:
            return
        if found is not None and found not in _our_revisions():
            raise _newer(path, found)
        _run_alembic(path)


def alembic_config() -> Config:
    """alembic pointed at our migrations, wherever the program is installed."""
    from alembic.config import Config

    config = Config()
    folder = Path(__file__).with_name("migrations")
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


def _run_alembic(path: Path) -> None:
    from alembic import command

    engine = migrating_engine(path)
    config = alembic_config()
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DatabaseError as error:
        raise unreachable(path, error) from error
    finally:
        engine.dispose()


def _our_revisions() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}


def _newer(path: Path, found: str) -> WrongRevision:
    return WrongRevision(
        f"The database {path} was written by a newer Zoetrope (revision {found}, this one knows {HEAD}); "
        "install the newer version again, or restore a backup from before it."
    )


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """A lock file beside the database; the system drops the lock when its holder dies."""
    deadline = time.monotonic() + LOCK_SECONDS
    with path.with_name(f"{path.name}.migrating").open("ab") as file:
        while not _locked(file.fileno()):
            if time.monotonic() > deadline:
                raise DatabaseUnreachable(
                    f"Another process is still upgrading the database {path}; wait for it, then start again."
                )
            time.sleep(0.05)
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
