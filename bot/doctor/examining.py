"""One thing looked at after the other: what is not well costs the exit status, and the rest is looked at as well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.doctor import machine
from db.config import Config, load_secrets
from db.records import Finding


@dataclass(frozen=True, slots=True)
class Chats:
    """Which platforms are asked as well, and about which channel of Discord, if about any."""

    discord: bool = False
    telegram: bool = False
    channel: str = ""


async def examine(
    file: Path | None, data: Path | None, environment: Mapping[str, str], say: Callable[[str], None], chats: Chats
) -> int:
    """Say every finding as soon as it is there; 0 when all is well, 1 otherwise."""
    problems = 0
    async for finding in _findings(file, data, environment, chats):
        say(str(finding))
        problems += not finding.well
    return 1 if problems else 0


async def _findings(
    file: Path | None, data: Path | None, environment: Mapping[str, str], chats: Chats
) -> AsyncIterator[Finding]:
    config, of_config = machine.look_at_config(file, data, environment)
    yield of_config
    yield machine.look_at_folder(config.data.folder)
    yield await machine.look_at_database(config.database_url)
    yield machine.look_at_disk(config.data.folder)
    yield await machine.look_at_ffmpeg()
    yield machine.look_at_port(config)
    if of_config.well:
        async for found in _of_chats(config, environment, chats):
            yield found
    usable_file = file if of_config.well else None
    for found in await machine.ask_generator(config, usable_file, environment):
        yield found


async def _of_chats(config: Config, environment: Mapping[str, str], chats: Chats) -> AsyncIterator[Finding]:
    """A platform's library is loaded for those alone who ask about it."""
    secrets = load_secrets(config, environment)
    if chats.discord:
        from bot.doctor.discord import look_at_discord

        async for found in look_at_discord(config, secrets, chats.channel):
            yield found
    if chats.telegram:
        from bot.doctor.telegram import look_at_telegram

        for found in await look_at_telegram(config, secrets):
            yield found
