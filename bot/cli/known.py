"""Whether somebody is known here, so that a mistyped id is told and not acted upon."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import BotError
from db import holdings
from db.records import Asker


class NobodyKnown(BotError):
    """Nothing is stored about the person who was named."""


async def require(tx: AsyncConnection, who: Asker, instead: str = "") -> None:
    """Raises NobodyKnown; `instead` is what can be done besides looking for the right id, as the end of a sentence."""
    if not await holdings.is_known(tx, who):
        raise NobodyKnown(f"Nobody with the id {who.id} on {who.surface} is known here: check the id{instead}.")
