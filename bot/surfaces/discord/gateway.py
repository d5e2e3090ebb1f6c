"""The clients: one that only speaks, and one that listens and is started again for ever.

discord.py ends its client on some malformed dispatches and some losses of a connection.
Whatever ends the listening one, another takes its place; cards are drawn by the speaking one meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket

from bot.surfaces.discord.buttons import IntentButton, is_token
from bot.surfaces.discord.callers import Interaction
from bot.surfaces.discord.desk import Desk
from bot.surfaces.discord.troubles import LONGEST_WAIT, watching, where

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 120.0
REFUSED_PAUSE = 300.0  # after a token was refused: trying fast helps nobody
STEADY_SECONDS = 60.0  # a link that lasted this long was a good one

INTENTS = discord.Intents(guilds=True)  # nothing that Discord calls privileged

log = logging.getLogger(__name__)


def quiet() -> None:
    """discord.py writes requests, answers and events to its log: prompts and tokens have no place there."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith("discord.")]
    for logger in map(logging.getLogger, ["discord", *names]):
        logger.setLevel(logging.WARNING)
        logger.addFilter(_is_warning)  # whatever level somebody gives it later


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


class Gateway(discord.AutoShardedClient):
    """Listens; what comes in goes to the desk. It keeps no messages and no members."""

    def __init__(self, desk: Desk, gateway_url: str) -> None:
        super().__init__(
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_ratelimit_timeout=LONGEST_WAIT,
        )
        self._desk = desk
        self._gateway_url = gateway_url
        self.add_dynamic_items(IntentButton)

    def pressed(self, interaction: Interaction, token: str) -> None:
        """A button of a card."""
        self._desk.pressed(interaction, token)

    async def on_interaction(self, interaction: Interaction) -> None:
        """Windows are known by their custom id alone, so that one opened before a restart still counts.

        A button that is none of ours is answered here, since nobody else hears of it.
        """
        if interaction.type is discord.InteractionType.modal_submit:
            self._desk.written(interaction)
        elif interaction.type is discord.InteractionType.component and not is_token(interaction):
            self._desk.not_understood(interaction)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """What an event held is not for the log."""
        log.error("The event %s of Discord could not be handled.", event_method)

    async def launch_shard(self, gateway: yarl.URL, shard_id: int, *, initial: bool = False) -> None:
        """Through the configured gateway, if there is one. Later ones without a session go the same way."""
        url = yarl.URL(self._gateway_url) if self._gateway_url else gateway
        DiscordWebSocket.DEFAULT_GATEWAY = url
        await super().launch_shard(url, shard_id, initial=initial)

    async def on_shard_connect(self, shard_id: int) -> None:
        """A session goes on where Discord says, unless a proxy stands in between."""
        if self._gateway_url:
            self._get_websocket(shard_id=shard_id).gateway = yarl.URL(self._gateway_url)


@asynccontextmanager
async def logged_in(token: str) -> AsyncIterator[discord.Client]:
    """A client that speaks and does not listen, as soon as Discord lets it in."""
    pause = FIRST_PAUSE
    while True:
        client = discord.Client(intents=INTENTS, max_ratelimit_timeout=LONGEST_WAIT, http_trace=watching())
        async with client:
            trouble = await _tried(client.login(token))
            if not trouble:
                yield client
                return
        await asyncio.sleep(max(pause, trouble))
        pause = min(pause * 2, LONGEST_PAUSE)


async def supervised(make: Callable[[], Gateway], token: str) -> None:
    """Listen for ever."""
    pause = FIRST_PAUSE
    clock = asyncio.get_running_loop().time
    while True:
        began = clock()
        async with make() as client:
            trouble = await _tried(client.start(token))
        if clock() - began > STEADY_SECONDS:
            pause = FIRST_PAUSE
        log.warning("The link to Discord ended; another one is opened in %.0f s.", max(pause, trouble))
        await asyncio.sleep(max(pause, trouble))
        pause = min(pause * 2, LONGEST_PAUSE)


async def _tried(work: Any) -> float:
    """Do it. Nothing but 0 when it went well, else how many seconds to wait at least; the log says why."""
    try:
        await work
    except discord.LoginFailure:
        log.error(  # noqa: TRY400  # where it happened says nothing
            "Discord refuses the token; put the right one where it is read from and start again.",
            extra={"action": "discord_token_refused"},
        )
        return REFUSED_PAUSE
    except discord.HTTPException as error:
        log.warning("Discord answered with status %s.", error.status)
        return FIRST_PAUSE
    except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
        log.warning("Discord can't be reached (%s).", type(error).__name__)
        return FIRST_PAUSE
    except Exception as error:  # a dispatch that discord.py can't read ends its client with whatever it met
        log.error("The client of Discord ended (%s).", where(error))  # noqa: TRY400
        return FIRST_PAUSE
    return 0.0
