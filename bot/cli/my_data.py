"""`zoetrope mydata`: what is stored about somebody is handed out or deleted, whoever asks the operator for it."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.answers.my_data import remove_files
from bot.cli import known
from bot.cli.output import say
from bot.erasing import Eraser
from bot.errors import BotError, WrongUse
from bot.parcels import Packer, Parcel
from bot.renditions import Renditions
from db import erasure
from db.clip_files import ClipFiles
from db.config import Config
from db.database import Database
from db.records import Asker, Requester

SURFACES = ("discord", "telegram", "web")
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)


class NotWritten(BotError):
    """The file can't be written; the message says why."""


def person(text: str) -> Asker:
    """Who is meant by SURFACE:ID. Raises WrongUse."""
    surface, _, id_ = text.partition(":")
    if surface not in SURFACES or not _ID.fullmatch(id_):
        raise WrongUse(
            f"Name the person as SURFACE:ID, such as telegram:4711, with one of {', '.join(SURFACES)} and the id that "
            "the platform itself uses."
        )
    return Asker(surface, id_)


async def export(who: Asker, config: Config, out: Path | None) -> None:
    """Everything about the person (all their identities) in one zip. Raises WrongUse, NobodyKnown, NotWritten,
    StoreError."""
    target = out or Path(f"zoetrope-data-{who.surface}-{who.id}.zip")
    if target.exists():
        raise WrongUse(f"{target} is there already: remove it first, or name another file with --out.")
    async with _opened(config) as database:
        await _require(database, who)
        packer = Packer(database, ClipFiles(config.masters_url), _renditions(config), config.data.folder)
        try:
            parcel = await packer.pack(who, 1, sys.maxsize)
            assert isinstance(parcel, Parcel)  # nothing is larger than that
            await asyncio.to_thread(_move, parcel, target)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise NotWritten(f"{target} can't be written ({why}): name another file with --out.") from error
    say(f"Everything about {who.surface}:{who.id} is in {target}, with {parcel.clips} clips.")


async def find(who: Asker, config: Config) -> None:
    """Raises NobodyKnown where there is nothing to delete, StoreError."""
    async with _opened(config) as database:
        await _require(database, who)


async def delete(who: Asker, level: Requester, config: Config) -> None:
    """As far as the level goes, also while the bot runs. Raises NobodyKnown, StoreError."""
    async with _opened(config) as database:
        await _require(database, who)
        async with database.transaction() as tx:
            erased = await erasure.erase(tx, who, level, time.time())
        eraser = Eraser(ClipFiles(config.masters_url), _renditions(config))
        await remove_files(eraser, config.data.folder, erased)
        await database.empty_log()
    say(
        f"Deleted what {level} covers of {who.surface}:{who.id}: {len(erased.clips)} clips, "
        f"{len(erased.jobs)} under way."
    )


async def _require(database: Database, who: Asker) -> None:
    async with database.reading() as tx:
        await known.require(tx, who)


@asynccontextmanager
async def _opened(config: Config) -> AsyncIterator[Database]:
    database = await Database.open(config.database_url)
    try:
        yield database
    finally:
        await database.close()


def _renditions(config: Config) -> Renditions:
    """The cache alone: nothing is encoded here."""
    return Renditions(config.data.folder / "renditions", "ffmpeg")


def _move(parcel: Parcel, target: Path) -> None:
    try:
        shutil.move(parcel.path, target)
    finally:
        parcel.discard()
