"""What is said to somebody: here, or where nobody else reads along. Each thing once for the update that it answers."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cards import Card, questions
from bot.cards import answers as sentences
from bot.commands import Outcome, Result
from bot.port import Gone, Refused
from bot.surfaces.telegram.callers import NAME
from bot.surfaces.telegram.pace import is_group
from bot.surfaces.telegram.wire import Unknown
from db.records import Address, Asker, Caller

if TYPE_CHECKING:
    from bot.surfaces.telegram.surface import TelegramSurface

log = logging.getLogger(__name__)


class Saying:
    """`origin` is the number of the update that is answered."""

    def __init__(self, surface: TelegramSurface) -> None:
        self._surface = surface

    async def put(self, caller: Caller, card: Card, origin: str) -> None:
        """Said once: where nobody can tell whether it came, its asker sees that, and asks again or does not."""
        try:
            await self._surface.show(caller.address, card, answer_nonce(origin))
        except Unknown as error:
            log.info("Whether an answer came is not known: %s", error)

    async def tell(self, caller: Caller, sentence: str, origin: str, *, well: bool = False) -> None:
        await self.put(caller, sentences.note(sentence, well=well), origin)

    async def outcome(self, caller: Caller, outcome: Outcome, origin: str) -> None:
        """Where a card is or will be, it says everything; where nothing can be shown, nothing can be told."""
        if outcome.handle is None and outcome.result not in {Result.UNREACHED, Result.UNSHOWN}:
            await self.tell(caller, outcome.sentence, origin)

    async def whisper(self, caller: Caller, card: Card, origin: str, about: Address | None = None) -> None:
        """For the caller's eyes: in their private chat, where its buttons speak of `about`, else of where it was asked.

        A group knows no whispers, so it is told that the answer is there, or how to let it come.
        """
        if not is_group(caller.address.place):
            return await self.put(caller, card, origin)
        private = private_chat(caller.asker)
        if private is None:
            return await self.tell(caller, questions.nobody_to_write_to(), origin)
        try:
            handle = await self._surface.show(private, card, _whisper_nonce(origin))
        except (Gone, Refused):
            return await self._surface.show_the_way(caller, questions.open_private_chat(), answer_nonce(origin))
        except Unknown as error:
            log.info("Whether an answer came is not known: %s", error)
        else:
            if card.buttons:
                await self._surface.places.note_about(handle, about or caller.address)
        return await self.tell(caller, questions.written_in_private(), origin, well=True)

    async def hand_over(self, caller: Caller, card: Card, file: Path, origin: str) -> None:
        """A file for the caller alone, with a card as its words."""
        private = private_chat(caller.asker)
        if private is None:
            return await self.tell(caller, questions.nobody_to_write_to(), origin)
        try:
            await self._surface.hand_over(private, card, file, _whisper_nonce(origin))
        except (Gone, Refused):
            return await self._surface.show_the_way(caller, questions.open_private_chat(), answer_nonce(origin))
        except Unknown as error:
            log.info("Whether a file came is not known: %s", error)
        if is_group(caller.address.place):
            await self.tell(caller, questions.written_in_private(), origin, well=True)
        return None


def private_chat(asker: Asker) -> Address | None:
    """Where nobody but the asker reads; None: a group or a channel, which has no such place."""
    return Address(NAME, asker.id) if asker.id.isdecimal() else None


def nonces(origin: str) -> tuple[str, ...]:
    """Under which something may be said in answer to an update."""
    return origin, answer_nonce(origin), question_nonce(origin)


def answer_nonce(origin: str) -> str:
    return f"answer {origin}"


def question_nonce(origin: str) -> str:
    return f"question {origin}"


def _whisper_nonce(origin: str) -> str:
    return f"whisper {origin}"
