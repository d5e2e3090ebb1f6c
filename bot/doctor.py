"""`zoetrope doctor`: everything Zoetrope needs, looked at one thing after the other; each says what to do.

What only the generator can know (device, memory, models) it is asked in a process of its own, as it runs later.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import closing
from pathlib import Path

from bot import data_folder
from bot.errors import AlreadyRunning, BotError, PortTaken
from bot.generator_child import environment_for_child
from bot.port import SurfaceError
from bot.surfaces.web.server import bind
from db.config import Config, Secrets, load, load_secrets
from db.database import Database, sqlite_path
from db.errors import ConfigError, StoreError
from db.records import Finding

ENOUGH_BYTES = 2 * 1024**3
GENERATOR_SECONDS = 120.0
PROGRAM_SECONDS = 20.0


async def examine(
    file: Path | None,
    data: Path | None,
    environment: Mapping[str, str],
    say: Callable[[str], None],
    *,
    telegram: bool = False,
) -> int:
    """Say every finding as soon as it is there; 0 when all is well, 1 otherwise. With `telegram` Telegram is asked."""
    problems = 0
    async for finding in _findings(file, data, environment, telegram=telegram):
        say(str(finding))
        problems += not finding.well
    return 1 if problems else 0


async def _findings(
    file: Path | None, data: Path | None, environment: Mapping[str, str], *, telegram: bool
) -> AsyncIterator[Finding]:
    config, of_config = _look_at_config(file, data, environment)
    yield of_config
    yield look_at_folder(config.data.folder)
    yield await look_at_database(config.database_url)
    yield look_at_disk(config.data.folder)
    yield await look_at_ffmpeg()
    yield look_at_port(config)
    if telegram and of_config.well:
        for found in await look_at_telegram(config, load_secrets(config, environment)):
            yield found
    usable_file = file if of_config.well else None
    for found in await ask_generator(config, usable_file, environment):
        yield found


def _look_at_config(file: Path | None, data: Path | None, environment: Mapping[str, str]) -> tuple[Config, Finding]:
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


async def look_at_telegram(config: Config, secrets: Secrets) -> list[Finding]:
    """What Telegram says about the token, the bot's settings there, and where it sends updates."""
    if secrets.telegram_token is None:
        way_out = "ask @BotFather for one and put it into ZOETROPE_TELEGRAM_TOKEN or the token_file under [telegram]"
        return [Finding("Telegram token", False, f"there is none: {way_out}.")]
    from bot.surfaces.telegram.wire import Rejected, Wire

    wire = Wire(config.telegram, secrets.telegram_token.get_secret_value())
    try:
        await wire.open()
        facts = await wire.facts()
    except Rejected:
        return [Finding("Telegram token", False, "Telegram does not take it: ask @BotFather for the right one.")]
    except SurfaceError as error:
        return [Finding("Telegram", False, f"{config.telegram.base_url} does not answer ({error}): try again.")]
    finally:
        await wire.close()
    return [
        Finding("Telegram token", True, f"it is that of @{facts.username}."),
        _telegram_groups(facts.joins_groups, facts.reads_groups),
        _telegram_inline(facts.inline, facts.username),
        _telegram_updates(config.telegram.webhook_url, facts.webhook, facts.waiting, facts.trouble),
    ]


def _telegram_groups(joins: bool, reads: bool) -> Finding:
    if not joins:
        return Finding(
            "Telegram groups", False, "the bot can't be added to any: allow it with @BotFather's /setjoingroups."
        )
    if reads:
        return Finding(
            "Telegram groups", True, "privacy mode is off: it is sent all that is written there, and needs it not."
        )
    return Finding(
        "Telegram groups", True, "privacy mode is on: it is sent commands and answers to itself, as it should be."
    )


def _telegram_inline(inline: bool, name: str) -> Finding:
    if inline:
        return Finding("Telegram inline", True, f"@{name} and some words find clips in any chat.")
    return Finding("Telegram inline", False, "it is off: switch it on with @BotFather's /setinline.")


def _telegram_updates(wanted: str, webhook: str, waiting: int, trouble: str) -> Finding:
    """Whether updates go where the configuration says."""
    if webhook and not wanted:
        return Finding(
            "Telegram updates",
            False,
            "they are sent to a webhook and never arrive here: remove it, or set webhook_url.",
        )
    if webhook != wanted:
        return Finding("Telegram updates", True, "the webhook is set when Zoetrope starts.")
    if trouble:
        return Finding("Telegram updates", False, f"{waiting} wait, for the webhook does not take them: {trouble}.")
    return Finding("Telegram updates", True, f"{waiting} wait to be handled.")


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
        with closing(bind(host, port)):
            return Finding("web page", True, f"port {port} of {host} is free.")
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
