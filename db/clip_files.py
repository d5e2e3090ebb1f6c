"""Where masters lie: a store named by URL, `file:` in this version, one file a clip and never half a one.

A master is copied beside its place, forced to the disk and renamed there, so that a name which exists is complete
whatever was killed in between. Names are made of clip ids alone; nothing a person wrote reaches a path.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from db.errors import ClipStoreFull, ClipStoreUnwritable, ConfigError
from db.ids import is_id

_ID = re.compile(r"[0-9a-z]{1,64}")
_SUFFIX = re.compile(r"\.[0-9a-z]{1,8}")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.EIO}
ORPHAN_SECONDS = 3600.0


class ClipFiles:
    """The store at `url`, such as file:///srv/zoetrope/masters. Its folder is made when the first clip is kept."""

    def __init__(self, url: str) -> None:
        """Raises ConfigError for a URL that names no absolute folder of this machine."""
        self._folder = _folder_of(url)

    async def keep(self, temp: Path, clip_id: str, suffix: str) -> str:
        """Move the file `temp` into the store for good and return its path inside it. Repeating it is harmless.

        Raises:
            ClipStoreFull: no space; nothing is left in the store and `temp` is where it was.
            ClipStoreUnwritable: the folder can't be made or written; the same holds.
        """
        if not _ID.fullmatch(clip_id) or not _SUFFIX.fullmatch(suffix):
            raise ValueError(f"{clip_id}{suffix} is no name for a master")
        await asyncio.to_thread(self._keep, temp, f"{clip_id}{suffix}")
        return f"{clip_id}{suffix}"

    async def local(self, master: str) -> Path:
        """A file on this machine that holds the master. Raises FileNotFoundError when it is gone."""
        path = self._inside(master)
        if not await asyncio.to_thread(path.is_file):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return path

    async def remove(self, master: str) -> None:
        """Remove the master; one that is gone already is fine."""
        path = self._inside(master)
        with self._explained():
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def sweep(self, named: set[str], older_than: float = ORPHAN_SECONDS) -> list[str]:
        """Remove masters that no row names and what a kill left half-written, if they are older than `older_than`
        seconds: a younger file may be waiting for its row. Files whose names we did not make are somebody's who chose a
        folder that was in use, and stay. Returns the names removed."""
        return await asyncio.to_thread(self._sweep, named, older_than)

    def _keep(self, temp: Path, name: str) -> None:
        part = self._folder / f".{name}.part"
        source = temp.open("rb")
        with source, self._explained():
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                with part.open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                    target.flush()
                    os.fsync(target.fileno())
                part.replace(self._folder / name)
                self._sync_folder()
            except OSError:
                _discard(part)
                raise
        temp.unlink(missing_ok=True)

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _sweep(self, named: set[str], older_than: float) -> list[str]:
        if not self._folder.is_dir():
            return []
        before = time.time() - older_than
        ours = [path for path in self._folder.iterdir() if is_id(path.name.removeprefix(".").partition(".")[0])]
        removed = [path for path in ours if path.name not in named and _is_file_from_before(path, before)]
        with self._explained():
            for path in removed:
                path.unlink(missing_ok=True)
        return sorted(path.name for path in removed)

    def _inside(self, master: str) -> Path:
        name, dot, suffix = master.partition(".")
        if not _ID.fullmatch(name) or not _SUFFIX.fullmatch(dot + suffix):
            raise ValueError(f"{master!r} is no name of a master")
        return self._folder / master

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                raise ClipStoreFull(
                    f"There is no space left in {self._folder} for the clip; free some and ask again."
                ) from error
            if error.errno in _UNWRITABLE:
                raise ClipStoreUnwritable(
                    f"The folder {self._folder} can't be written ({error.strerror}); "
                    "check its permissions or name another one in [data] masters."
                ) from error
            raise


def _is_file_from_before(path: Path, moment: float) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:  # a runner has just given it its name
        return False
    return stat.S_ISREG(found.st_mode) and found.st_mtime < moment


def _discard(part: Path) -> None:
    """Remove the half file. Where even that fails the folder is no folder, and there is no half file."""
    try:
        part.unlink(missing_ok=True)
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise


def _folder_of(url: str) -> Path:
    parts = urlsplit(url)
    if parts.scheme == "file" and (parts.query or parts.fragment):
        raise ConfigError(f"[data] masters must name a folder, so write a ? or # in its name as %3F or %23: {url}.")
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise ConfigError(
            f"[data] masters names a store of the kind {parts.scheme or 'unknown'!r} that this version can't use; "
            "write it like file:///srv/zoetrope/masters."
        )
    return Path(unquote(parts.path))
