"""A secret of our own in the data folder: made at the first start, read by its owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from bot.errors import FolderUnwritable

KEY_BYTES = 32


def load(path: Path) -> bytes:
    """The key in the file, made if there is none; raise FolderUnwritable when that can't be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write(path)
        key = path.read_bytes()
    except OSError as error:
        raise FolderUnwritable(
            f"The key {path} can't be used: {error.strerror}; check the file and its folder."
        ) from error
    if len(key) != KEY_BYTES:
        raise FolderUnwritable(f"The key {path} is damaged: delete that file and start again.")
    return key


def _write(path: Path) -> None:
    """Whole or not at all, and readable by nobody else from its first moment."""
    temp = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    temp.replace(path)
