"""What somebody is handed: everything stored about them and their clips, as one zip or as many as have to be.

    exports/<id>/zoetrope-data-1-of-3.zip
        data.json                everything that is stored, in the first one
        clips/<clip>.mkv         the best file there is of a clip, or a GIF where that one is too large

Clips stand in the order in which they were made, so the same parts come again as long as nothing is made or deleted.
Whoever has handed a parcel over removes it; what is left lying is removed an hour later.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import time
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.cards import my_data as sentences
from bot.renditions import RenditionError, Renditions
from db import holdings, models
from db.clip_files import ClipFiles
from db.database import Database
from db.ids import is_id, new_id
from db.records import Asker, Clip

FOLDER = "exports"  # in the data folder
LYING_SECONDS = 3600.0  # then nobody is still sending it
_ENTRY_BYTES = 300  # what a zip spends on one more file, rounded up
_FRAME_BYTES = 1000  # and on itself


@dataclass(frozen=True, slots=True)
class Parcel:
    """The file of one part of so many; `discard` it once it was handed over."""

    path: Path
    part: int
    parts: int
    clips: int

    def discard(self) -> None:
        shutil.rmtree(self.path.parent, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class TooLarge:
    """Not even what is stored, without any clip, fits into a file of that size."""


@dataclass(frozen=True, slots=True)
class NoSuchPart:
    """There are only so many."""

    parts: int


@dataclass(frozen=True, slots=True)
class _Thing:
    """A clip's file, as it is named in the parcel; `path` is None where there is none to be had, and `why`."""

    clip: Clip
    path: Path | None
    bytes: int = 0
    why: str = ""

    @property
    def name(self) -> str:
        return f"clips/{self.clip.id}{self.path.suffix}" if self.path else ""


@dataclass(frozen=True, slots=True)
class Packer:
    """Packs below the data folder `folder`."""

    database: Database
    files: ClipFiles
    renditions: Renditions
    folder: Path

    async def pack(self, asker: Asker, part: int, limit_bytes: int) -> Parcel | TooLarge | NoSuchPart:
        """Part `part` (from 1) of everything about the person (all their identities), in at most so many bytes. What
        is said in it is in the language that is being spoken.

        Raises OSError, StoreError.
        """
        async with self.database.reading() as tx:
            stored = await holdings.of(tx, asker)
            clips = await holdings.clips_of(tx, asker)
            crisp = {model.name for model in await models.known(tx) if model.crisp}
        room = limit_bytes - _FRAME_BYTES - _ENTRY_BYTES
        things = [await self._thing(clip, room, crisp=clip.spec.model in crisp) for clip in clips]
        data, packed = await asyncio.to_thread(_data, stored, things)
        if packed > room:
            return TooLarge()
        shares = share_out([thing.bytes for thing in things if thing.path], packed, limit_bytes)
        if not 1 <= part <= len(shares):
            return NoSuchPart(len(shares))
        inside = [thing for thing in things if thing.path][shares[part - 1]]
        path = self.folder / FOLDER / new_id() / f"zoetrope-data-{part}-of-{len(shares)}.zip"
        await asyncio.to_thread(_write, path, data if part == 1 else None, inside)
        return Parcel(path, part, len(shares), len(inside))

    async def _thing(self, clip: Clip, most: int, *, crisp: bool) -> _Thing:
        try:
            master = await self.files.local(clip.master)
            size = (await asyncio.to_thread(master.stat)).st_size
            if size <= most:
                return _Thing(clip, master, size)
            made = await self.renditions.make(master, clip, crisp, "gif", most)
        except FileNotFoundError:
            return _Thing(clip, None, why=sentences.file_gone())
        except RenditionError:
            return _Thing(clip, None, why=sentences.file_too_large())
        return _Thing(clip, made.path, made.bytes)


def share_out(sizes: Sequence[int], first: int, limit: int) -> list[slice]:
    """Which of the files, in their order, go into each part; pure.

    `first` bytes are taken in the first part, whatever else is in it. A part has one file at least where there are any
    left, so `limit` must have room for each alone.
    """
    shares: list[slice] = []
    start, filled = 0, _FRAME_BYTES + _ENTRY_BYTES + first
    for index, size in enumerate(sizes):
        if filled + size + _ENTRY_BYTES > limit and (index > start or not shares):
            shares.append(slice(start, index))
            start, filled = index, _FRAME_BYTES
        filled += size + _ENTRY_BYTES
    return [*shares, slice(start, len(sizes))]


def sweep(folder: Path) -> None:
    """Remove what was handed over below the data folder and is still lying there."""
    before = time.time() - LYING_SECONDS
    for parcel in (folder / FOLDER).glob("*"):
        with contextlib.suppress(FileNotFoundError):  # discarded meanwhile
            if is_id(parcel.name) and parcel.stat().st_mtime < before:
                shutil.rmtree(parcel, ignore_errors=True)


def _data(stored: dict[str, Any], things: Iterable[_Thing]) -> tuple[bytes, int]:
    """The first file of a parcel, and how many bytes it takes in one: of a busy account that is seconds of work."""
    files = [
        {"clip": thing.clip.id, "file": thing.name} if thing.path else {"clip": thing.clip.id, "left out": thing.why}
        for thing in things
    ]
    data = json.dumps({**stored, "files": files}, ensure_ascii=False, indent=2).encode(errors="replace")
    return data, len(zlib.compress(data))


def _write(path: Path, data: bytes | None, things: Iterable[_Thing]) -> None:
    """Under its name when it is whole, never before; nothing of it stays where that can't be."""
    path.parent.mkdir(parents=True)
    half = path.with_suffix(".part")
    try:
        with zipfile.ZipFile(half, "w", strict_timestamps=False) as parcel:  # a clip may be said to be from 1970
            if data is not None:
                parcel.writestr("data.json", data, zipfile.ZIP_DEFLATED)
            for thing in things:
                if thing.path is not None:
                    parcel.write(thing.path, thing.name)  # as it is: clips are compressed already
        half.replace(path)
    except OSError:
        shutil.rmtree(path.parent, ignore_errors=True)
        raise
