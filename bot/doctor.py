"""`zoetrope doctor`: everything Zoetrope needs, looked at one thing after the other; each says what to do.

What only the generator can know (device, memory, models) it is asked in a process of its own, as it runs later.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import data_folder
from bot.errors import AlreadyRunning, BotError
from bot.generator_child import environment_for_child
from db.config import Config, load, load_secrets
from db.database import Database, sqlite_path
from db.errors import ConfigError, StoreError

ENOUGH_BYTES = 2 * 1024**3
GENERATOR_SECONDS = 120.0
PROGRAM_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `sentence` says how it is and, when it is not well, what to do."""

    thing: str
    well: bool
    sentence: str

    def __str__(self) -> str:
        return f"{'ok     ' if self.well else 'PROBLEM'} {self.thing}: {self.sentence}"


async def examine(
    file: Path | None, data: Path | None, environment: Mapping[str, str], say: Callable[[str], None]
) -> int:
    """Say every finding as soon as it is there; 0 when all is well, 1 otherwise."""
    problems = 0
    async for finding in _findings(file, data, environment):
        say(str(finding))
        problems += not finding.well
    return 1 if problems else 0


async def _findings(file: Path | None, data: Path | None, environment: Mapping[str, str]) -> AsyncIterator[Finding]:
    config, finding = _look_at_config(file, data, environment)
    yield finding
    yield look_at_folder(config.data.folder)
    yield await look_at_database(config.database_url)
    yield look_at_disk(config.data.folder)
    yield await look_at_ffmpeg()
    for finding in look_at_model_folders(config):
        yield finding
    yield look_at_port(config)
    usable_file = file if finding.well else None
    async for finding in ask_generator(config, usable_file, environment):
        yield finding


def _look_at_config(file: Path | None, data: Path | None, environment: Mapping[str, str]) -> tuple[Config, Finding]:
    """The configuration, or the defaults where it can't be used, so that the rest can be looked at all the same."""
    try:
        config = load(file, environment, data)
        load_secrets(config, environment)
    except ConfigError as error:
        return load(None, environment, data), Finding("configuration", False, str(error))
    return config, Finding("configuration", True, f"{file or 'the embedded defaults'} can be used.")


def look_at_folder(folder: Path) -> Finding:
    try:
        data_folder.prepare(folder)
    except BotError as error:
        return Finding("data folder", False, str(error))
    return Finding("data folder", True, f"{folder} can be written.")


async def look_at_database(url: str) -> Finding:
    try:
        path = sqlite_path(url)
        if not path.exists():
            return Finding("database", True, f"{path} is not there yet; the first start creates it.")
        database = await Database.open(url)
    except StoreError as error:
        return Finding("database", False, str(error))
    await database.close()
    return Finding("database", True, f"{path} can be read and written, and its schema is this program's.")


def look_at_disk(folder: Path) -> Finding:
    """Free space where the data folder is, or will be."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    room = f"{free / 1024**3:.1f} GiB are free at {there}"
    if free < ENOUGH_BYTES:
        return Finding("disk", False, f"only {room}: free some, or move the data folder with --data.")
    return Finding("disk", True, f"{room}.")


async def look_at_ffmpeg() -> Finding:
    from imageio_ffmpeg import get_ffmpeg_exe

    try:
        program = get_ffmpeg_exe()
        status, said = await _run([program, "-hide_banner", "-version"], None, PROGRAM_SECONDS)
    except (OSError, RuntimeError, TimeoutError) as error:
        return Finding("ffmpeg", False, f"it can't be run ({error}): install imageio-ffmpeg again with `make setup`.")
    if status != 0:
        return Finding("ffmpeg", False, f"{program} ends with status {status}: install it again with `make setup`.")
    return Finding("ffmpeg", True, f"{' '.join(said.split()[:3])}.")


def look_at_model_folders(config: Config) -> list[Finding]:
    """The folders that the configuration names; a hub id is left to the generator."""
    findings = []
    for name, model in config.generator.models.items():
        folder = Path(model.path).expanduser()
        looks_like_folder = model.path.startswith((".", "~", "/")) or model.path.count("/") != 1
        if (folder / "model_index.json").is_file():
            findings.append(Finding(f"model {name}", True, f"{folder} is a model in diffusers format."))
        elif folder.is_dir() or looks_like_folder:
            problem = f"{folder} holds no model_index.json: correct generator.models.{name}.path."
            findings.append(Finding(f"model {name}", False, problem))
    return findings


def look_at_port(config: Config) -> Finding:
    """Whether the web page can have its port; one that Zoetrope itself holds is well."""
    host, port = config.web.host, config.web.port
    if not config.web.enabled:
        return Finding("web page", True, "it is switched off in the configuration.")
    try:
        with closing(socket.create_server((host, port))):
            return Finding("web page", True, f"port {port} of {host} is free.")
    except OSError as error:
        if _is_running(config.data.folder):
            return Finding("web page", True, f"port {port} of {host} is in use while Zoetrope runs.")
        why = (error.strerror or str(error)).lower()
        return Finding(
            "web page", False, f"{host}:{port} can't be bound ({why}): choose another with --port or [web] port."
        )


def _is_running(folder: Path) -> bool:
    try:
        with data_folder.held(folder):
            return False
    except AlreadyRunning:
        return True
    except BotError:
        return False


async def ask_generator(config: Config, file: Path | None, environment: Mapping[str, str]) -> AsyncIterator[Finding]:
    """What `python -m generator doctor --json` says about device, memory and models."""
    line = [sys.executable, "-P", "-m", "generator", "doctor", "--json", "--data", str(config.data.folder)]
    if file is not None:
        line += ["--config", str(file.resolve())]
    try:
        status, said = await _run(line, environment_for_child(environment), GENERATOR_SECONDS)
        report = json.loads(said)
    except TimeoutError:
        yield Finding("generator", False, f"it did not answer within {GENERATOR_SECONDS:.0f} s: try again.")
        return
    except (OSError, json.JSONDecodeError):
        yield Finding(
            "generator", False, f"it ended with status {status}: run `python -m generator doctor` and see why."
        )
        return
    for finding in generator_findings(report):
        yield finding


def generator_findings(report: Mapping[str, Any]) -> list[Finding]:
    return [Finding("generator", True, json.dumps(report))]


async def _run(line: list[str], environment: Mapping[str, str] | None, seconds: float) -> tuple[int, str]:
    """Exit status and standard output of a program. Raises OSError or TimeoutError."""
    process = await asyncio.create_subprocess_exec(
        *line,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=None if environment is None else dict(environment),
    )
    try:
        async with asyncio.timeout(seconds):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, out.decode(errors="replace")
