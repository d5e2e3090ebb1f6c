"""A local generator process, kept alive while the bot runs.

The child's standard input is a pipe that only we hold: when we die, however we die, it reads end-of-file and ends by
itself within two seconds. It is started in a process group of its own, so that Ctrl-C in a terminal reaches us alone
and the stop stays ordered.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.5  # seconds before the first restart; doubled with each quick death
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0  # seconds of life after which a death counts as a first one again
GRACE = 5.0  # seconds between end-of-file and SIGTERM, and between SIGTERM and SIGKILL


def command(data: Path, config: Path | None) -> list[str]:
    """The command line of a supervised generator. `-P` keeps modules of the working folder out."""
    line = [sys.executable, "-P", "-m", "generator", "--supervised", "--data", str(data)]
    return [*line, "--config", str(config)] if config is not None else line


def environment_for_child(environment: Mapping[str, str]) -> dict[str, str]:
    """The child's environment: ours without our secrets and settings."""
    kept = {name: value for name, value in environment.items() if not name.startswith("ZOETROPE_")}
    return {**kept, "PYTHONSAFEPATH": "1"}


@dataclass(slots=True)
class GeneratorChild:
    """Starts the child, starts it again when it dies, and stops it when `run` is cancelled."""

    line: Sequence[str]
    environment: Mapping[str, str]
    quiet: bool = False  # whether the child's own log is thrown away
    deaths: int = 0
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    async def run(self) -> None:
        pause = FIRST_PAUSE
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            status = await self._live_once()
            self.deaths += 1
            if loop.time() - started > STEADY_AFTER:
                pause = FIRST_PAUSE
            log.warning(
                "The generator process ended (status %s); it is started again in %.1f s.",
                status,
                pause,
                extra={"action": "generator_died", "deaths": self.deaths},
            )
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _live_once(self) -> int:
        self.process = process = await asyncio.create_subprocess_exec(
            *self.line,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL if self.quiet else None,
            stderr=asyncio.subprocess.DEVNULL if self.quiet else None,
            env=dict(self.environment),
            process_group=0,
        )
        log.info("Started a generator process.", extra={"action": "generator_started", "pid": process.pid})
        try:
            return await process.wait()
        finally:
            await asyncio.shield(_stop(process))


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End-of-file first, then SIGTERM, then SIGKILL; harmless when the process is already gone."""
    if process.stdin is not None:
        process.stdin.close()
    for harsher in (process.terminate, process.kill):
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE)
            return
        with suppress(ProcessLookupError):
            harsher()
    await process.wait()
