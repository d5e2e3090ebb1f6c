"""`zoetrope video`: clips from the shell, by the same ten steps on a throw-away database."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from bot.cli import targets
from bot.cli.judge import verdict_facts
from bot.cli.output import remark, say
from bot.cli.show_config import config_lines
from bot.commands import Outcome, Result
from bot.core import Core, opened
from bot.errors import FolderUnwritable, WrongUse
from bot.generator_child import GeneratorChild, command, environment_for_child
from bot.surfaces.terminal import TerminalSurface
from bot.together import side_by_side
from db import gallery, queue
from db.config import Config, QuotaConfig, Secrets
from db.records import Asker, Caller, Clip, JobState, Wish

FAILED, WRONGLY_ASKED, REFUSED = 1, 2, 3
STATUS = {Result.REFUSED: REFUSED, Result.HELD: REFUSED, Result.PROBLEM: WRONGLY_ASKED}
HELD = "The safety rules want a moderator to look at this prompt first, and here is none: say it in other words."
NO_QUOTA = QuotaConfig(credits=1e9, waiting=1_000_000)  # one's own machine needs no rations
QUICK_DEATHS = 3
ONE_TRY = 1  # nobody sees to a full disk while a command waits for it
ROOM_BYTES = 1 << 16
ROOM_SECONDS = 1.0  # how often it is asked whether there is room left


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for: the prompts, and for all of them one wish and one place."""

    prompts: Sequence[str]
    out: Path
    wish: Mapping[str, Any]
    kind: str | None
    as_json: bool


async def film(order: Order, config: Config, environment: Mapping[str, str]) -> int:
    """Render every prompt, one after the other on one engine; the exit status. Raises BotError or StoreError."""
    chosen = _targets(order)
    with _throw_away_folder() as folder:
        async with _studio(_throw_away(config, folder), environment) as (core, surface):
            statuses = [
                await Take(core, surface, order, prompt, Path(path), chosen.format).film()
                for prompt, path in zip(order.prompts, chosen.paths, strict=True)
            ]
    return max(statuses)


def _targets(order: Order) -> targets.Targets:
    """The files to write, in a folder that is there and can be written: better said now than after a minute."""
    chosen = targets.choose(order.prompts, order.out, order.kind, is_folder=order.out.is_dir())
    if isinstance(chosen, targets.Unusable):
        raise WrongUse(chosen.sentence)
    folder = Path(chosen.folder)
    try:
        if folder == order.out:
            folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):  # permissions alone do not tell: the file system may be read-only
            pass
    except FileNotFoundError as error:
        raise FolderUnwritable(f"The folder {folder} does not exist: make it, or give another path with -o.") from error
    except OSError as error:
        raise FolderUnwritable(
            f"The folder {folder} can't be written ({_why(error)}): choose another with -o."
        ) from error
    if folders := [path for path in chosen.paths if Path(path).is_dir()]:
        raise FolderUnwritable(f"{folders[0]} is a folder: give another path with -o.")
    return chosen


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


@contextmanager
def _throw_away_folder() -> Iterator[Path]:
    try:
        folder = TemporaryDirectory(prefix="zoetrope-", ignore_cleanup_errors=True)
    except OSError as error:
        raise FolderUnwritable(
            f"There is no room for temporary files ({_why(error)}): set TMPDIR to a folder."
        ) from error
    with folder as path:
        yield Path(path)


def _throw_away(config: Config, folder: Path) -> Config:
    """The same configuration with everything that is written below `folder`, and without rations."""
    data = config.data.model_copy(update={"folder": folder, "database": "", "masters": ""})
    return config.model_copy(update={"data": data, "quota": NO_QUOTA})


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise FolderUnwritable(
            f"The temporary files can't be written to {file.parent} ({_why(error)}): free some space there, "
            "or set TMPDIR to another folder."
        ) from error


async def _watched(folder: Path) -> None:
    """Raise FolderUnwritable once nothing can be written any more: bot and generator would wait for better days."""
    while True:
        await asyncio.to_thread(_write, folder / "room", b"\0" * ROOM_BYTES)
        await asyncio.sleep(ROOM_SECONDS)


@asynccontextmanager
async def _studio(config: Config, environment: Mapping[str, str]) -> AsyncIterator[tuple[Core, TerminalSurface]]:
    """The core with the terminal as its only surface, and a generator that has told what models it has."""
    folder = config.data.folder
    file = folder / "zoetrope.toml"  # the generator shall see the very same configuration
    _write(file, "\n".join(config_lines(config, Secrets())).encode())
    generator = GeneratorChild(
        command(folder, file), environment_for_child(environment), folder / "generator.log", QUICK_DEATHS
    )
    async with opened(config, patience=ONE_TRY) as core:
        surface = TerminalSurface(sys.stderr)
        core.surfaces[surface.name] = surface
        async with side_by_side([_watched(folder), *core.loops(), generator.run()]):
            await core.until_a_model_is_known()
            yield core, surface


@dataclass(frozen=True, slots=True)
class Take:
    """One prompt on its way to one file."""

    core: Core
    surface: TerminalSurface
    order: Order
    prompt: str
    path: Path
    kind: str

    async def film(self) -> int:
        started = time.monotonic()
        wish = Wish(prompt=self.prompt, format=self.kind, **self.order.wish)
        asker = Asker(self.surface.name, "me")
        address = self.surface.address(self.path)
        outcome = await self.core.commands.request_clip(Caller(asker, address), wish, origin=str(self.path))
        if outcome.result is Result.QUEUED and outcome.handle is not None:
            card = await self.surface.finished(outcome.handle)
            clip = await self._clip(outcome.job)
            if clip is not None and card.clip:
                self._tell(clip, time.monotonic() - started)
                return 0
            return self._tell_why_not(outcome, card.status, FAILED)
        if outcome.result is Result.HELD:
            remark(HELD)
        sentence = HELD if outcome.result is Result.HELD else outcome.sentence
        return self._tell_why_not(outcome, sentence, STATUS.get(outcome.result, FAILED))

    async def _clip(self, job_id: str) -> Clip | None:
        async with self.core.database.reading() as tx:
            job = await queue.get(tx, job_id)
            return await gallery.of_job(tx, job_id) if job and job.state is JobState.DONE else None

    def _tell(self, clip: Clip, seconds: float) -> None:
        if not self.order.as_json:
            say(str(self.path))
            return
        facts = {
            "path": str(self.path),
            "seed": clip.spec.seed,
            "spec": asdict(clip.spec),
            "verdict": verdict_facts(clip.verdict),
            "seconds": {**clip.seconds, "total": round(seconds, 3)},
            "bytes": self.path.stat().st_size,
            "model": clip.spec.model,
        }
        say(json.dumps(facts, ensure_ascii=False))

    def _tell_why_not(self, outcome: Outcome, sentence: str, status: int) -> int:
        """The terminal has shown the card with the sentence already; a program reads it here."""
        if self.order.as_json:
            verdict = verdict_facts(outcome.verdict) if outcome.verdict is not None else None
            say(json.dumps({"path": None, "verdict": verdict, "problem": sentence}, ensure_ascii=False))
        return status
