"""The composition root of `zoetrope run` and `zoetrope play`: who is there, what runs, and in which order it stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot import data_folder
from bot.core import Core, opened
from bot.errors import PasswordMissing, PortTaken
from bot.generator_child import GeneratorChild, command, environment_for_child
from bot.port import Surface
from bot.surfaces.web import WebSurface
from bot.surfaces.web.server import is_everywhere
from bot.together import side_by_side
from db.config import Config, Secrets, TelegramConfig

FIRST_ANNOUNCEMENT = 30.0  # seconds that a first start waits for the generator to tell its models
SURFACE_PAUSE = 5.0  # seconds before a surface that failed is started again

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen on the command line and in the environment."""

    config: Config
    secrets: Secrets
    file: Path | None
    environment: Mapping[str, str]
    web_only: bool


async def serve(choices: Choices, say: Callable[[str], None]) -> None:
    """Serve until cancelled, then stop in order. `say` is told what a person wants to read: the address to open.

    Raises BotError or StoreError with a sentence when it can't start.
    """
    folder = choices.config.data.folder
    data_folder.prepare(folder)
    with data_folder.held(folder):
        async with opened(choices.config) as core:
            address = _open_surfaces(choices, core)
            _tell_of_tokens(choices)
            await core.sweep()
            line = command(folder, choices.file)
            generator = GeneratorChild(line, environment_for_child(choices.environment))
            surfaces = map(_kept_up, core.surfaces.values())
            works = [*surfaces, *core.loops(), generator.run()]  # stopped in this order
            async with side_by_side(works):
                with suppress(TimeoutError):  # asked before that, we could only apologise
                    async with asyncio.timeout(FIRST_ANNOUNCEMENT):
                        await core.until_a_model_is_known()
                say(f"Zoetrope is {f'at {address}' if address else 'running'} (Ctrl-C stops it).")
                await asyncio.Event().wait()


def _open_surfaces(choices: Choices, core: Core) -> str:
    """Put every surface that is wanted into the core; where the web page is, in words, or empty.

    A taken port, or a password that is missing, costs the page, not the chats; it is raised when the page is all there
    would be.
    """
    _add_chats(choices, core)
    if not choices.config.web.enabled and not choices.web_only:
        if not core.surfaces:
            log.warning("Neither a chat nor the web page is on: this process only serves what is already under way.")
        return ""
    web = WebSurface(core.database, choices.config.web, choices.config.data.folder, core.commands.clock, core.convert)
    web.commands, web.answers = core.commands, core.answers
    try:
        address = web.open()
    except (PortTaken, PasswordMissing) as error:
        if not core.surfaces:
            raise
        log.warning("%s The chats are served all the same.", error, extra={"action": "web_off"})
        return ""
    core.surfaces[web.name] = web
    return f"{address} and at this machine's other addresses" if is_everywhere(choices.config.web.host) else address


def _add_chats(choices: Choices, core: Core) -> None:
    """Every chat that has a token; its libraries are loaded for nobody else."""
    if choices.web_only:
        return
    if choices.secrets.discord_token is not None:
        _add_discord(choices.config, choices.secrets.discord_token.get_secret_value(), core)
    if choices.secrets.telegram_token is not None:
        _add_telegram(choices.config.telegram, choices.secrets.telegram_token.get_secret_value(), core)


def _tell_of_tokens(choices: Choices) -> None:
    """Once the page could be opened, so that what stops the start stands alone."""
    if choices.web_only or choices.secrets.discord_token is not None or choices.secrets.telegram_token is not None:
        return
    log.info(
        "Discord and Telegram are off, for no token was found: put one into ZOETROPE_DISCORD_TOKEN or "
        "ZOETROPE_TELEGRAM_TOKEN, or into a file named as token_file under [discord] or [telegram].",
        extra={"action": "chats_off"},
    )


def _add_discord(config: Config, token: str, core: Core) -> None:
    from bot.surfaces.discord.surface import DiscordSurface

    surface = DiscordSurface(config.discord, token, core.database, config.data.folder, core.commands.clock)
    surface.commands, surface.answers = core.commands, core.answers
    core.surfaces[surface.name] = surface


def _add_telegram(config: TelegramConfig, token: str, core: Core) -> None:
    from bot.surfaces.telegram.surface import TelegramSurface

    surface = TelegramSurface(config, token, core.database, core.commands.clock)
    surface.commands, surface.answers = core.commands, core.answers
    core.surfaces[surface.name] = surface


async def _kept_up(surface: Surface) -> None:
    """Run a surface, and again when it fails: one platform's trouble is no reason to leave the others."""
    while True:
        try:
            await surface.run()
        except Exception:
            log.exception("The surface %s failed.", surface.name, extra={"action": "surface_failed"})
        log.warning("The surface %s is started again in %.0f s.", surface.name, SURFACE_PAUSE)
        await asyncio.sleep(SURFACE_PAUSE)
