"""Composition of a runner process: what stands where, and how it ends in order."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from db.clip_files import ClipFiles
from db.config import Config
from db.database import Database
from generator.catalogue import Entry, read_catalogue, write_entries
from generator.errors import GeneratorError
from generator.runner import Post, Runner
from generator.seats.child import ChildSeat

logger = logging.getLogger(__name__)


async def serve(config: Config, name: str, predecessor: str, engine: Sequence[str]) -> None:
    """Be the runner `name` until SIGTERM or SIGINT. `engine` is the command line that starts an engine.

    Raises StoreError or GeneratorError, each with a sentence.
    """
    folder = config.data.folder.resolve()
    catalogue = read_catalogue(config.generator)
    for problem in catalogue.problems:
        logger.warning("%s", problem)
    database = await Database.open(config.database_url)
    try:
        models = _write_models(catalogue.entries, folder / "work" / f"models-{name}.json")
        seat = ChildSeat(engine_command(engine, config, models), folder / "logs" / "engine.log")
        post = Post(name, folder, catalogue.facts, predecessor)
        runner = Runner(database, ClipFiles(config.masters_url), seat, config.generator, post, time.time)
        await _until_told_to_stop(runner.run())
    finally:
        await database.close()


def engine_command(engine: Sequence[str], config: Config, models: Path) -> list[str]:
    """The engine's command line but for its pipes, which the seat adds."""
    settings = config.generator
    return [*engine, "--models", str(models), "--device", settings.device, "--threads", str(settings.threads)]


def _write_models(entries: Sequence[Entry], path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_entries(entries, path)
    except OSError as error:
        raise GeneratorError(
            f"The file {path} can't be written ({error.strerror}); "
            "make the data folder writable or choose another one with --data."
        ) from error
    return path


async def _until_told_to_stop(work: Coroutine[Any, Any, None]) -> None:
    """Run until SIGTERM or SIGINT cancels the work, once: a second signal must not tear the clearing up."""
    task = asyncio.ensure_future(work)

    def stop() -> None:
        if not task.cancelling():
            logger.info("Stopping.")
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
