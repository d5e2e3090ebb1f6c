"""What every surface shares, wired together once: the commands, the two loops, and what they stand on."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import cards, key_file, safety
from bot.answers import Answers
from bot.board import Board
from bot.commands import Commands
from bot.delivery import DeliveryLoop
from bot.erasing import Eraser
from bot.moderation import Moderation
from bot.port import Surface
from bot.progress import ProgressLoop
from bot.quota import Allowance
from bot.renditions import RenditionError, Renditions
from bot.retention import Retention
from bot.reviewing import ReviewLoop
from db import gallery, models
from db.clip_files import ClipFiles
from db.config import Config
from db.database import Database

BELL_SECONDS = 5.0  # the longest sleep without a bell
REFUSALS_KEY = "refusals.key"  # in the data folder
DOWNLOAD_BYTES = 200_000_000  # for whoever takes a clip home in another format

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Core:
    """The bot without its surfaces; they are put into `surfaces` before anything runs."""

    database: Database
    files: ClipFiles
    renditions: Renditions
    surfaces: dict[str, Surface]
    commands: Commands
    answers: Answers
    progress: ProgressLoop
    delivery: DeliveryLoop
    reviewing: ReviewLoop
    retention: Retention
    rulebook: safety.Rulebook

    def loops(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """What must run for clips to be shown and delivered."""
        watch = self.rulebook.watch(self._judge_by)
        bringing = (self.progress.run(), self.delivery.run(), self.commands.run())
        deleting = (self.retention.run(), self.answers.bench.purging.run())
        return (*bringing, self.reviewing.run(), *deleting, watch)

    def _judge_by(self, policy: safety.Policy) -> None:
        self.commands.policy = policy

    async def convert(self, clip_id: str, kind: str) -> Path | str:
        """The file of a clip in another format, or the sentence that says why there is none.

        Two kinds are no formats: `tile` and `still` are for a wall of many clips (`Renditions.make_small`).
        """
        async with self.database.reading() as tx:
            clip = await gallery.get(tx, clip_id)
            crisp = any(model.crisp for model in await models.known(tx) if clip and model.name == clip.spec.model)
        if clip is None:
            return cards.NO_SUCH_CLIP
        try:
            master = await self.files.local(clip.master)
            if kind in {"tile", "still"}:
                made = await self.renditions.make_small(master, clip, crisp, still=kind == "still")
            else:
                made = await self.renditions.make(master, clip, crisp, kind, DOWNLOAD_BYTES)
        except FileNotFoundError:
            return cards.MASTER_GONE
        except RenditionError as error:
            log.warning("Clip %s could not be made as %s: %s", clip.id, kind, error)
            return error.sentence
        return made.path

    async def until_a_model_is_known(self) -> None:
        """Return as soon as any runner has announced what it can make."""
        while True:
            heard = self.database.bell.count()
            async with self.database.reading() as tx:
                if await models.known(tx):
                    return
            await self.database.bell.wait(heard, BELL_SECONDS)

    async def sweep(self) -> None:
        """Remove the files that no row names."""
        await self.retention.sweep_files()


@asynccontextmanager
async def opened(
    config: Config, clock: Callable[[], float] = time.time, patience: int | None = None
) -> AsyncIterator[Core]:
    """The core on the database and the folders of `config`; the database is migrated, and closed at the end.

    `patience` is the delivery loop's.
    """
    files = ClipFiles(config.masters_url)
    ffmpeg = await asyncio.to_thread(_ffmpeg)
    database = await Database.open(config.database_url, migrate=True)
    try:
        most_bytes = int(config.data.renditions_gigabytes * 1e9)
        renditions = Renditions(config.data.folder / "renditions", ffmpeg, most_bytes=most_bytes)
        hash_key = await asyncio.to_thread(key_file.load, config.data.folder / REFUSALS_KEY)
        rulebook = await asyncio.to_thread(safety.Rulebook.open, config.safety.folder)
        core = _wired(config, database, files, renditions, clock, hash_key, rulebook)
        core.delivery.patience = patience
        yield core
    finally:
        await database.close()


def _ffmpeg() -> str:
    from imageio_ffmpeg import get_ffmpeg_exe

    return str(get_ffmpeg_exe())


def _wired(
    config: Config,
    database: Database,
    files: ClipFiles,
    renditions: Renditions,
    clock: Callable[[], float],
    hash_key: bytes,
    rulebook: safety.Rulebook,
) -> Core:
    board = Board()
    surfaces: dict[str, Surface] = {}
    moderation = Moderation(database, Eraser(files, renditions), clock, config.moderation)
    commands = Commands(
        database=database,
        surfaces=surfaces,
        files=files,
        renditions=renditions,
        board=board,
        policy=rulebook.policy,
        allowance=Allowance.of(config.quota),
        limits=config.limits,
        default_model=config.generator.default_model,
        clock=clock,
        rng=random.Random(),
        hash_key=hash_key,
        moderation=moderation,
        retention=config.retention,
    )
    progress = ProgressLoop(database, surfaces, board, config.data.folder / "previews", clock)
    delivery = DeliveryLoop(database, surfaces, files, renditions, board, clock)
    reviewing = ReviewLoop(database, surfaces, moderation, files, renditions, clock)
    answers = Answers(commands, config.web.reached_at)
    days, strike_days = config.retention, config.moderation.strike_days
    retention = Retention(database, moderation.eraser, days, strike_days, config.data.folder, clock)
    loops = (progress, delivery, reviewing, retention)
    return Core(database, files, renditions, surfaces, commands, answers, *loops, rulebook)
