"""The sign that Discord wants within three seconds, and the way to the message that comes with it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import aiohttp
import discord

from bot.port import SurfaceError
from bot.surfaces.discord.callers import Interaction
from bot.surfaces.discord.rest import Rest, Sent
from bot.surfaces.discord.troubles import TAKEN_ALREADY

TRIES = 2
A_TRY = 2.5  # seconds: whoever is not answered by then is told by Discord that nothing came

log = logging.getLogger(__name__)


async def acknowledge(interaction: Interaction, rest: Rest, *, ephemeral: bool = False) -> Sent | None:
    """Say that an answer is being thought about. Returns the message it will stand in; None: it was too late."""
    if not await _deferred(interaction, thinking=True, ephemeral=ephemeral):
        return None
    answer: Any = interaction.extras.get(_ANSWER)
    if answer is not None and answer.message_id is not None:
        return Sent(str(answer.message_id), answer.is_ephemeral())
    try:
        return await rest.original(interaction.token)
    except SurfaceError as error:
        log.warning("The message of an interaction can't be found (%s).", type(error).__name__)
        return None


async def accept(interaction: Interaction) -> bool:
    """Say that a press was seen, without a message of its own. False: it was too late."""
    return await _deferred(interaction, thinking=False, ephemeral=False)


async def show_window(interaction: Interaction, window: discord.ui.Modal) -> bool:
    """Open a window. False: it was too late."""
    window.stop()  # windows are known by their custom id: nothing about them is kept in memory
    try:
        await interaction.response.send_modal(window)
    except discord.HTTPException as error:
        return _is_taken(error)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        log.warning("A window could not be opened (%s).", type(error).__name__)
        return False
    return True


_ANSWER = "answer"


async def _deferred(interaction: Interaction, *, thinking: bool, ephemeral: bool) -> bool:
    """A connection that was lost leaves open whether the sign arrived, so it is given again: doubled, it is refused."""
    for _ in range(TRIES):
        try:
            async with asyncio.timeout(A_TRY):
                answer = await interaction.response.defer(thinking=thinking, ephemeral=ephemeral)
        except discord.HTTPException as error:
            return _is_taken(error)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("An interaction could not be acknowledged (%s).", type(error).__name__)
        else:
            interaction.extras[_ANSWER] = answer
            return True
    return False


def _is_taken(error: discord.HTTPException) -> bool:
    """It was acknowledged before, by a try whose answer was lost."""
    if error.code != TAKEN_ALREADY:
        log.warning("Discord did not take the answer to an interaction: status %s, code %s.", error.status, error.code)
    return error.code == TAKEN_ALREADY
