"""How long until something answers: the command line, the page, the generator."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import spread
from benchmarks.house import ZOETROPE, environment, playing
from db import models
from db.database import Database

RUNS = 7
HOUSES = 3


def measure() -> Iterator[dict[str, Any]]:
    yield {"measure": "help_seconds", **spread([_seconds_of_help() for _ in range(RUNS)])}
    starts = [_seconds_of_house() for _ in range(HOUSES)]
    yield {"measure": "page_seconds", **spread([page for page, _ in starts])}
    yield {"measure": "generator_seconds", **spread([generator for _, generator in starts])}


def _seconds_of_help() -> float:
    started = time.perf_counter()
    subprocess.run([*ZOETROPE, "--help"], stdout=subprocess.DEVNULL, env=environment(), check=True)  # noqa: S603
    return time.perf_counter() - started


def _seconds_of_house() -> tuple[float, float]:
    """From the start of `zoetrope play` on an empty folder until the page answers, and until a model is there."""
    with TemporaryDirectory(prefix="zoetrope-bench-") as folder:
        started = time.perf_counter()
        with playing(Path(folder)) as house:
            asyncio.run(_until_models_are_known(f"sqlite:///{house.data / 'zoetrope.db'}"))
            return house.ready_seconds, time.perf_counter() - started


async def _until_models_are_known(url: str) -> None:
    database = await Database.open(url)
    try:
        while True:
            seen = database.bell.count()
            async with database.reading() as tx:
                if await models.known(tx):
                    return
            await database.bell.wait(seen, 1.0)
    finally:
        await database.close()
