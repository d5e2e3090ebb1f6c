"""The sign that Discord wants within three seconds, and the way to the message that comes with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord

from bot.port import SurfaceError
from bot.surfaces.discord.callers import Interaction
from bot.surfaces.discord.rest import NOBODY, Rest, Sent
from bot.surfaces.discord.troubles import TAKEN_ALREADY

TRIES = 2
A_TRY = 2.5  # seconds: whoever is not answered by then is told by Discord that nothing came

log = logging.getLogger(__name__)


async def acknowledge(interaction: Interaction, rest: Rest, *, ephemeral: bool = False) -> Sent | None:
    """Say that an answer is being thought about. Returns the message it will stand in; None: it was too late.

    Its id is empty where Discord does not tell it: then only the interaction's token reaches the message.
    """
    if not await _deferred(interaction, thinking=True, ephemeral=ephemeral):
        return None
    answer: Any = interaction.extras.get(_ANSWER)
    if answer is not None and answer.message_id is not None:
        return Sent(str(answer.message_id), answer.is_ephemeral())
    try:
        return await rest.original(interaction.token)
    except SurfaceError as error:
        log.warning("The message of an interaction can't be found (%s).", type(error).__name__)
        return Sent("", ephemeral)


async def accept(interaction: Interaction) -> bool:
    """Say that a press was seen, without a message of its own. False: it was too late."""
    return await _deferred(interaction, thinking=False, ephemeral=False)


async def show_window(interaction: Interaction, window: discord.ui.Modal) -> bool:
    """Open a window. False: it was too late."""
    window.stop()  # windows are known by their custom id: nothing about them is kept in memory
    return await _signed(interaction, lambda: interaction.response.send_modal(window))


async def whisper(interaction: Interaction, words: str) -> None:
    """Answer with `words` for the caller alone, also where an earlier sign was taken and its answer lost."""
    try:
        await interaction.response.send_message(words, ephemeral=True, allowed_mentions=NOBODY)
    except discord.HTTPException as error:
        if error.code != TAKEN_ALREADY:
            raise
        await interaction.followup.send(words, ephemeral=True, allowed_mentions=NOBODY)
    except (KeyError, TypeError, ValueError):
        if interaction.response.type is None:
            raise


_ANSWER = "answer"


async def _deferred(interaction: Interaction, *, thinking: bool, ephemeral: bool) -> bool:
    return await _signed(interaction, lambda: interaction.response.defer(thinking=thinking, ephemeral=ephemeral))


async def _signed(interaction: Interaction, give: Callable[[], Awaitable[object]]) -> bool:
    """A connection that was lost leaves open whether the sign arrived, so it is given again: doubled, it is refused."""
    for _ in range(TRIES):
        try:
            async with asyncio.timeout(A_TRY):
                interaction.extras[_ANSWER] = await give()
        except discord.HTTPException as error:
            return _is_taken(error)
        except (KeyError, TypeError, ValueError):
            if interaction.response.type is None:
                raise
            return True  # it was taken, with an answer that says nothing of the message
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("An interaction could not be acknowledged (%s).", type(error).__name__)
        else:
            return True
    return False


def _is_taken(error: discord.HTTPException) -> bool:
    """It was acknowledged before, by a try whose answer was lost."""
    if error.code != TAKEN_ALREADY:
        log.warning("Discord did not take the answer to an interaction: status %s, code %s.", error.status, error.code)
    return error.code == TAKEN_ALREADY
