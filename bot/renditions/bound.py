"""The bound on the cache: when it holds too many bytes, the files that were used longest ago go first.

A file's times say when it was last used. What was used a moment ago stays whatever the bound says: somebody may be
about to open it. A file that went is made anew when it is wanted again.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

YOUNG_SECONDS = 600.0  # between a file's making and its being read, at the very most
SPARE = 0.1  # of the bound is made free at a time, so that not every new file means a look at all of them


class Kept(NamedTuple):
    """A file of the cache: when it was last used (seconds since the epoch), its bytes, and where it lies."""

    used_at: float
    bytes: int
    path: Path


@dataclass
class Bound:
    """Keeps the files two levels below `folder` within `most_bytes`; None: however many."""

    folder: Path
    most_bytes: int | None = None
    _held: int | None = field(default=None, repr=False)  # bytes in the folder; None before the first look

    def used(self, path: Path) -> None:
        """Somebody wants this file now. When it was written stays as it is: browsers know a file by that."""
        with suppress(OSError):  # its times matter less than the file
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))

    def added(self, size: int) -> None:
        """A file of `size` bytes has come; others go if there are too many now."""
        if self.most_bytes is None:
            return
        self._held = _sum(self._kept()) if self._held is None else self._held + size
        if self._held > self.most_bytes:
            self._held = self._shrink(self.most_bytes * (1 - SPARE))

    def _shrink(self, target: float) -> int:
        """Remove old files until `target` bytes are left, or young ones alone; the bytes that are left."""
        kept = sorted(self._kept())
        held, young = _sum(kept), time.time() - YOUNG_SECONDS
        for file in kept:
            if held <= target or file.used_at > young:
                break
            file.path.unlink(missing_ok=True)
            held -= file.bytes
            with suppress(OSError):  # the folder holds more
                file.path.parent.rmdir()
        return held

    def _kept(self) -> list[Kept]:
        kept = []
        for home in os.scandir(self.folder):
            with suppress(OSError):  # a clip that is just being forgotten
                kept += [_look(file) for file in os.scandir(home.path) if file.is_file()]
        return kept


def _look(file: os.DirEntry[str]) -> Kept:
    stat = file.stat()
    return Kept(max(stat.st_atime, stat.st_mtime), stat.st_size, Path(file.path))


def _sum(kept: list[Kept]) -> int:
    return sum(file.bytes for file in kept)
