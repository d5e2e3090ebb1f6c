"""What Zoetrope needs on this machine: configuration, folder, database, disk, programs, the page's port, a device.

What only the generator can know (device, memory, models) it is asked in a process of its own, as it runs later.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from bot import data_folder
from bot.errors import AlreadyRunning, BotError, PasswordMissing, PortTaken
from bot.generator_child import environment_for_child
from bot.surfaces.web.password import required
from bot.surfaces.web.server import bind
from db.config import Config, load, load_secrets
from db.database import Database, sqlite_path
from db.errors import ConfigError, StoreError
from db.records import Finding

ENOUGH_BYTES = 2 * 1024**3
GENERATOR_SECONDS = 120.0
PROGRAM_SECONDS = 20.0


def look_at_config(file: Path | None, data: Path | None, environment: Mapping[str, str]) -> tuple[Config, Finding]:
    """The configuration, or the defaults where it can't be used, so that the rest can be looked at all the same."""
    try:
        config = load(file, environment, data)
        load_secrets(config, environment)
    except ConfigError as error:
        return load(None, environment, data), Finding("configuration", False, str(error))
    return config, Finding("configuration", True, f"{file or 'the embedded defaults'} can be used.")


def look_at_folder(folder: Path) -> Finding:
    """Whether the data folder can be written, or made; looking makes nothing."""
    if not folder.exists() and os.access(_nearest_there(folder), os.W_OK | os.X_OK):
        return Finding("data folder", True, f"{folder} is not there yet; the first start makes it.")
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return Finding("data folder", True, f"{folder} can be written.")
    return Finding("data folder", False, f"{folder} can't be written: choose another one with --data.")


def _nearest_there(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


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
    there = _nearest_there(folder)
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
        return Finding("ffmpeg", False, f"it can't be run ({error}): run `make setup` again.")
    if status != 0:
        return Finding("ffmpeg", False, f"{program} ends with status {status}: run `make clean setup`.")
    return Finding("ffmpeg", True, f"{' '.join(said.split()[:3])}.")


def look_at_port(config: Config) -> Finding:
    """Whether the web page can have its port, bound as the page binds it; one that Zoetrope itself holds is well."""
    host, port = config.web.host, config.web.port
    if not config.web.enabled:
        return Finding("web page", True, "it is switched off in the configuration.")
    try:
        required(config.web)
        with closing(bind(host, port)):
            return Finding("web page", True, f"port {port} of {host} is free.")
    except PasswordMissing as error:
        return Finding("web page", False, str(error))
    except PortTaken as error:
        if isinstance(error.__cause__, OSError) and _is_running(config.data.folder):
            return Finding("web page", True, f"port {port} of {host} is in use while Zoetrope runs.")
        return Finding("web page", False, str(error))


def _is_running(folder: Path) -> bool:
    try:
        with data_folder.held(folder):
            return False
    except AlreadyRunning:
        return True
    except BotError:
        return False


async def ask_generator(config: Config, file: Path | None, environment: Mapping[str, str]) -> list[Finding]:
    """What `python -m generator doctor --json` found out about device, memory and models."""
    line = [sys.executable, "-P", "-m", "generator", "doctor", "--json", "--data", str(config.data.folder)]
    line += ["--config", str(file)] if file is not None else []
    try:
        status, said = await _run(line, environment_for_child(environment), GENERATOR_SECONDS)
    except TimeoutError:
        return [Finding("generator", False, f"it did not answer within {GENERATOR_SECONDS:.0f} s: try again.")]
    try:
        return [Finding(**finding) for finding in json.loads(said)["findings"]]
    except (ValueError, KeyError, TypeError):
        way_out = f"run `{sys.executable} -m generator doctor` and see why"
        return [Finding("generator", False, f"it ended with status {status} instead of an answer: {way_out}.")]


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
