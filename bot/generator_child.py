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
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bot.errors import GeneratorUnavailable

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.5  # seconds before the first restart; doubled with each further quick death
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
    log_file: Path | None = None  # where its log goes; None: where ours goes
    patience: int | None = None  # quick deaths in a row after which we give up; None: never

    async def run(self) -> None:
        """Serve until cancelled; raise GeneratorUnavailable when patience is at its end."""
        deaths = 0
        status: int | str
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            try:
                status = await self._live_once()
            except OSError as error:  # out of processes, memory or file descriptors: that may pass
                status = error.strerror or str(error)
            deaths = 1 if loop.time() - started > STEADY_AFTER else deaths + 1
            if self.patience is not None and deaths >= self.patience:
                raise GeneratorUnavailable(self._unavailable(status))
            pause = min(FIRST_PAUSE * 2.0 ** (deaths - 1), LONGEST_PAUSE)
            log.warning(
                "The generator process ended (status %s); it is started again in %.1f s.",
                status,
                pause,
                extra={"action": "generator_died", "deaths": deaths},
            )
            await asyncio.sleep(pause)

    async def _live_once(self) -> int:
        with self._opened_log() as output:
            process = await asyncio.create_subprocess_exec(
                *self.line,
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=dict(self.environment),
                process_group=0,
            )
        log.info("Started a generator process.", extra={"action": "generator_started", "pid": process.pid})
        try:
            return await process.wait()
        finally:
            await asyncio.shield(_stop(process))

    def _opened_log(self) -> AbstractContextManager[IO[bytes] | None]:
        return nullcontext() if self.log_file is None else self.log_file.open("ab")

    def _unavailable(self, status: int | str) -> str:
        said = self.log_file.read_text(errors="replace").split("\n") if self.log_file is not None else []
        last = next((line.strip() for line in reversed(said) if line.strip()), "it said nothing")
        return f"The generator does not come up (status {status}): {last}"


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
