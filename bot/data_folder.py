"""The data folder: made on the first start, and held by one bot at a time.

Two bots on one folder would answer every message twice, so the folder carries a lock that the operating system lets go
of when its holder dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import AlreadyRunning, FolderUnwritable

LOCK = "bot.lock"


def prepare(folder: Path) -> None:
    """Make `folder` and see that it can be written; raise FolderUnwritable otherwise."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderUnwritable(_unwritable(folder, error)) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FolderUnwritable(_unwritable(folder, PermissionError("permission denied")))


def _unwritable(folder: Path, error: OSError) -> str:
    why = (error.strerror or str(error)).lower()
    return f"The data folder {folder} can't be written ({why}): choose another one with --data."


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder while the context lasts; raise AlreadyRunning when another process holds it."""
    try:
        file = (folder / LOCK).open("a+", encoding="ascii")
    except OSError as error:
        raise FolderUnwritable(_unwritable(folder, error)) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunning(_already_running(folder)) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _already_running(folder: Path) -> str:
    holder = (folder / LOCK).read_text(encoding="ascii", errors="replace").strip() or "unknown"
    return (
        f"Zoetrope is already running on this data folder (process {holder}, {folder}): stop it first, "
        "or choose another folder with --data."
    )
