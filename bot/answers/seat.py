"""Where moderators sit when they give a command: whether they are one is asked inside the transaction that answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cards import Card
from bot.cards import answers as sentences
from bot.commands import Commands
from bot.language import speaking
from bot.moderation import gate
from bot.specs import Problem
from db.records import Caller

Answer = Callable[[AsyncConnection, float], Awaitable[Card | Problem]]  # in a transaction, at a moment


@dataclass(frozen=True, slots=True)
class Seat:
    """Each answer is a finished card for its caller alone, in their language."""

    commands: Commands

    async def act(self, caller: Caller, answer: Answer) -> Card:
        """What a moderator does, in one write transaction."""
        with speaking(caller.circumstances.language):
            async with self.commands.database.transaction() as tx:
                return await self._checked(tx, caller, answer)

    async def look(self, caller: Caller, answer: Answer) -> Card:
        """What a moderator is shown, as it is at one moment."""
        with speaking(caller.circumstances.language):
            async with self.commands.database.reading() as tx:
                return await self._checked(tx, caller, answer)

    async def _checked(self, tx: AsyncConnection, caller: Caller, answer: Answer) -> Card:
        now = self.commands.clock()
        if not await gate.moderates(tx, caller, now):
            return replace(sentences.note(sentences.only_moderators(), well=False), asker=caller.asker)
        answered = await answer(tx, now)
        card = sentences.note(answered.sentence, well=False) if isinstance(answered, Problem) else answered
        return replace(card, asker=caller.asker)


def here(caller: Caller) -> tuple[str, str]:
    """The surface and the place that the caller is at."""
    return caller.address.surface, caller.address.place
