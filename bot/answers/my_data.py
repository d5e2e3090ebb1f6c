"""What members have over their own data: it is handed to them, and deleted when they say so twice."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cards import Card, shorten
from bot.cards import my_data as sentences
from bot.cards.my_data import Days
from bot.commands import Commands
from bot.erasing import Eraser
from bot.language import speaking
from bot.moderation import Confirmed
from bot.parcels import NoSuchPart, Packer, Parcel, TooLarge
from db import erasure, holdings, pending, places, queue
from db.config import RetentionConfig
from db.erasure import Erased
from db.records import Caller, Pending, PlaceSettings, Requester
from db.trouble import surviving

ERASE = "erase"  # how it is called among what waits to be confirmed
ASK_SECONDS = 600.0  # how long a question waits
LIMIT_BYTES = 8_000_000  # of a part, where a surface says nothing
OWN_LEVELS = (Requester.USER, Requester.STRICT)  # that a member may ask for

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Export:
    """A card, and the file that goes with it if there is one; `discard` it once it was sent, or could not be."""

    card: Card
    path: Path | None = None
    parcel: Parcel | None = None

    def discard(self) -> None:
        if self.parcel is not None:
            self.parcel.discard()


@dataclass(frozen=True, slots=True)
class MyData:
    """For everybody about themselves, whoever they are with moderators."""

    commands: Commands

    def __post_init__(self) -> None:
        self.commands.moderation.handlers[ERASE] = self.erase

    async def privacy(self, caller: Caller) -> Card:
        """What is stored and for how long, as it is here."""
        async with self.commands.database.reading() as tx:
            place = await places.settings(tx, caller.address.surface, caller.address.place)
        with speaking(caller.circumstances.language):
            return _to(caller, sentences.privacy(days_of(self.commands.retention, place)))

    async def export(self, caller: Caller, part: int = 1, limit_bytes: int = LIMIT_BYTES) -> Export:
        """Everything that is stored about the caller, in a file of at most so many bytes, or one part of it."""
        commands = self.commands
        packer = Packer(commands.database, commands.files, commands.renditions, self._folder)
        with speaking(caller.circumstances.language):
            try:
                packed = await packer.pack(caller.asker, part, limit_bytes)
            except OSError as error:
                log.warning("Somebody's data could not be packed: %s", error.strerror)
                packed = None
            match packed:
                case Parcel():
                    card = sentences.handed(packed.part, packed.parts, packed.clips)
                    return Export(_to(caller, card), packed.path, packed)
                case NoSuchPart():
                    return Export(_to(caller, sentences.no_such_part(packed.parts)))
                case TooLarge():
                    return Export(_to(caller, sentences.too_large()))
                case None:
                    return Export(_to(caller, sentences.not_packed()))

    async def delete(self, caller: Caller, level: str = "") -> Card:
        """Ask whether everything of theirs shall be deleted; `level` is user or strict, or empty for user."""
        wanted = _level(level)
        with speaking(caller.circumstances.language):
            if wanted is None:
                return _to(caller, sentences.no_such_level(shorten(" ".join(level.split()), 20)))
            return _to(caller, await self._ask(caller, wanted))

    async def _ask(self, caller: Caller, level: Requester) -> Card:
        commands, now = self.commands, self.commands.clock()
        here = caller.address
        asked = Pending(
            id=commands.make_id(),
            caller=caller.asker,
            surface=here.surface,
            place=here.place,
            what=ERASE,
            values=(("level", level),),
            until=now + ASK_SECONDS,
        )
        async with commands.database.transaction() as tx:
            clips = len(await holdings.clips_of(tx, caller.asker))
            under_way = len(await queue.unfinished_of(tx, caller.asker))
            await pending.keep(tx, asked)
        return sentences.ask_erase(level, clips, under_way, commands.retention.cases_days, asked.id)

    async def erase(self, tx: AsyncConnection, caller: Caller, asked: Pending) -> Confirmed:
        """It was confirmed. The files go once the rest is certain."""
        level = Requester(dict(asked.values)["level"])
        erased = await erasure.erase(tx, caller.asker, level, self.commands.clock())

        async def remove() -> None:
            await remove_files(self.commands.moderation.eraser, self._folder, erased)
            with surviving("empty the database's log"):  # the next sweep does it as well
                await self.commands.database.empty_log()

        return Confirmed(sentences.erased(len(erased.clips)), remove)

    @property
    def _folder(self) -> Path:
        """The data folder: renditions lie directly below it."""
        return self.commands.renditions.folder.parent


def days_of(config: RetentionConfig, place: PlaceSettings) -> Days:
    """How long things are kept in a place: of clips, the fewer days of the operator's and its own count."""
    clips = min((days for days in (config.clips_days, place.keep_days) if days), default=0.0)
    return Days(clips, config.prompts_days, config.refusals_days, config.cases_days)


async def remove_files(eraser: Eraser, folder: Path, erased: Erased) -> None:
    """What was erased in the database leaves the disk; what can't now is removed by the next sweep. `folder` is the
    data folder."""
    await eraser.remove(erased.clips)
    for job in erased.jobs:
        with contextlib.suppress(OSError):  # its runner removes it as well
            await asyncio.to_thread((folder / "previews" / f"{job}.webp").unlink, missing_ok=True)


def _level(text: str) -> Requester | None:
    named = text.strip().casefold() or Requester.USER
    return next((level for level in OWN_LEVELS if level == named), None)


def _to(caller: Caller, card: Card) -> Card:
    return replace(card, asker=caller.asker)
