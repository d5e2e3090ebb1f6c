"""Renditions: the cache of files made from masters, by clip, format and limit.

    renditions/<clip>/<limit>-<width>x<height>.<format>
    renditions/<clip>/<limit>-<width>x<height>-ai.<format>    with the corner mark
    renditions/<clip>/tile-<width>x<height>.webp              small, for a wall of many clips
    renditions/<clip>/still-<width>x<height>.webp             the first frame of that

One encode runs at a time, in a child process; whoever asks for a file that is just being made waits for that one.
A file appears under its name when it is finished and marked, never before.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from bot import cards
from bot.port import Rendition
from bot.renditions import marks
from bot.renditions.bound import Bound
from bot.renditions.errors import MasterGone, NoRoom, Unfit, UnknownFormat
from bot.renditions.ffmpeg import Encode, encode
from bot.renditions.ladder import FORMATS, Picture, Rung, next_rung, rungs, small
from db.ids import is_id
from db.records import Clip, Ruling

_NAME = re.compile(r"(?P<limit>\d+|tile|still)-(?P<width>\d+)x(?P<height>\d+)(?P<mark>-ai)?\.(?P<format>[a-z0-9]+)")
_CLIP_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass
class Renditions:
    """Makes and keeps renditions below `folder` with the program `ffmpeg`; `timeout` is seconds for one encode.

    `most_bytes` bounds what is kept: the files used longest ago go first. None: everything stays.
    """

    folder: Path
    ffmpeg: str
    timeout: float = 120.0
    most_bytes: int | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _aside: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def __post_init__(self) -> None:
        self._bound = Bound(self.folder, self.most_bytes)

    async def make(self, master: Path, clip: Clip, crisp: bool, format: str, limit: int) -> Rendition:  # noqa: A002
        """The clip as `format` in at most `limit` bytes, from the cache or freshly encoded.

        `crisp` enlarges small clips by a whole factor without smoothing; a labelled clip bears the corner mark.
        Raises RenditionError.
        """
        if format not in FORMATS:
            raise UnknownFormat(cards.unknown_format(format, FORMATS))
        if kept := await asyncio.to_thread(self._kept, clip, format, str(limit)):
            return kept
        async with self._turn:
            kept = await asyncio.to_thread(self._kept, clip, format, str(limit))
            return kept or await self._encode(master, clip, crisp, format, limit)

    async def make_small(self, master: Path, clip: Clip, crisp: bool, *, still: bool) -> Rendition:
        """A WebP for a wall of many clips, as it moves or only its first frame; from the cache or freshly encoded.

        A wall asks for many: one of them at a time stands in line with what is to be delivered. Raises RenditionError.
        """
        name = "still" if still else "tile"
        if kept := await asyncio.to_thread(self._kept, clip, "webp", name):
            return kept
        async with self._aside, self._turn:
            kept = await asyncio.to_thread(self._kept, clip, "webp", name)
            return kept or await self._encode_small(master, clip, crisp, name)

    async def forget(self, clip_id: str) -> None:
        """Remove every rendition of a clip."""
        async with self._turn:
            await asyncio.to_thread(shutil.rmtree, self._home(clip_id), True)

    async def sweep(self, named: Collection[str]) -> list[str]:
        """Remove renditions of clips that are not `named` and what a crash left half done; the ids removed."""
        async with self._turn:
            return await asyncio.to_thread(self._sweep, frozenset(named))

    def _home(self, clip_id: str) -> Path:
        if not _CLIP_ID.fullmatch(clip_id):
            raise ValueError(f"not a clip id: {clip_id!r}")
        return self.folder / clip_id

    def _kept(self, clip: Clip, format: str, name: str) -> Rendition | None:  # noqa: A002
        for path in self._home(clip.id).glob(f"{name}-*.{format}"):
            match = _NAME.fullmatch(path.name)
            if match and bool(match["mark"]) == _is_labelled(clip):
                self._bound.used(path)
                return _rendition(path, format, clip, int(match["width"]), int(match["height"]))
        return None

    async def _encode(self, master: Path, clip: Clip, crisp: bool, format: str, limit: int) -> Rendition:  # noqa: A002
        """Climb down the ladder until a file fits."""
        home = self._home(clip.id)
        labelled = _is_labelled(clip)
        temp = home / f".{limit}.{format}.part"
        await asyncio.to_thread(_prepare, master, home)
        ladder = list(rungs(_picture(clip, crisp), format))
        try:
            first, index = 0, 0
            while index < len(ladder):
                work = Encode(master, temp, format, ladder[index], clip.spec.fps, crisp, clip.spec.model, labelled)
                size = await self._attempt(work)
                if size <= limit:
                    return await asyncio.to_thread(self._finish, work, clip, str(limit))
                first = first or size
                index = next_rung(ladder, index, first, limit)
            raise Unfit(cards.unfit(format, limit))
        finally:
            await asyncio.to_thread(temp.unlink, missing_ok=True)

    async def _encode_small(self, master: Path, clip: Clip, crisp: bool, name: str) -> Rendition:
        home, labelled = self._home(clip.id), _is_labelled(clip)
        temp = home / f".{name}.webp.part"
        await asyncio.to_thread(_prepare, master, home)
        rung = small(_picture(clip, crisp), labelled=labelled)
        work = Encode(
            master, temp, "webp", rung, clip.spec.fps, crisp, clip.spec.model, labelled, still=name == "still"
        )
        try:
            await self._attempt(work)
            return await asyncio.to_thread(self._finish, work, clip, name)
        finally:
            await asyncio.to_thread(temp.unlink, missing_ok=True)

    def _finish(self, work: Encode, clip: Clip, name: str) -> Rendition:
        rung: Rung = work.rung
        mark = "-ai" if work.labelled else ""
        path = work.target.with_name(f"{name}-{rung.width}x{rung.height}{mark}.{work.format}")
        work.target.replace(path)
        made = _rendition(path, work.format, clip, rung.width, rung.height)
        self._bound.added(made.bytes)
        return made

    async def _attempt(self, work: Encode) -> int:
        """One encode, marked; its size in bytes."""
        await encode(self.ffmpeg, work, self.timeout)
        try:
            await asyncio.to_thread(marks.mark, work.target, work.format, work.model)
        except OSError as error:
            raise NoRoom(
                cards.NO_ROOM, f"The {work.format} can't be written below {self.folder}: {error.strerror}."
            ) from error
        return work.target.stat().st_size

    def _sweep(self, named: frozenset[str]) -> list[str]:
        if not self.folder.is_dir():
            return []
        removed = []
        for home in [path for path in self.folder.iterdir() if path.is_dir() and is_id(path.name)]:
            if home.name not in named:
                shutil.rmtree(home, ignore_errors=True)
                removed.append(home.name)
                continue
            for half in [path for path in home.iterdir() if not _NAME.fullmatch(path.name)]:
                half.unlink(missing_ok=True)
        return sorted(removed)


def _is_labelled(clip: Clip) -> bool:
    return clip.verdict.ruling is Ruling.LABELLED


def _prepare(master: Path, home: Path) -> None:
    if not master.is_file():
        raise MasterGone(cards.MASTER_GONE)
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoRoom(
            cards.NO_ROOM, f"The folder {home.parent} can't be written ({error.strerror}); make room or change it."
        ) from error


def _picture(clip: Clip, crisp: bool) -> Picture:
    return Picture(clip.spec.width, clip.spec.height, clip.spec.frames, crisp)


def _rendition(path: Path, format: str, clip: Clip, width: int, height: int) -> Rendition:  # noqa: A002
    seconds = clip.spec.frames / clip.spec.fps
    return Rendition(path, format, path.stat().st_size, width, height, seconds)
