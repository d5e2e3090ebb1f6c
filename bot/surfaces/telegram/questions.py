"""Which message of ours asks for which prompt, so that an answer to it is understood after a restart as well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.surfaces.telegram.callers import NAME
from db import card_routes
from db.card_routes import CardRoute
from db.database import Database
from db.records import Address, Asker

ASK_SECONDS = 86400.0  # after that an answer is just a message


class About(StrEnum):
    """What the words that are asked for belong to."""

    DRAFT = "draft"  # a command without a prompt; the subject is the draft's origin
    EDIT = "edit"  # a clip whose words are to be others; the subject is its job


@dataclass(frozen=True, slots=True)
class Question:
    """What an answer is about."""

    about: About
    subject: str
    asker: Asker  # whose answer is wanted


class Questions:
    """The open questions, kept in the database."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def ask(self, address: Address, message: str, question: Question) -> None:
        """`message` asks; so does the conversation with this person, until the next question."""
        token = f"{question.asker.id} {question.subject}"
        until = self._clock() + ASK_SECONDS
        async with self._database.transaction() as tx:
            for key in (_by_message(address, message), _by_person(address, question.asker)):
                route = CardRoute(key, address, question.about, token, until, message)
                await card_routes.keep(tx, route)

    async def of_message(self, address: Address, message: str) -> Question | None:
        return await self._find(_by_message(address, message))

    async def of_person(self, address: Address, asker: Asker) -> Question | None:
        """The last question that this person has not answered here."""
        return await self._find(_by_person(address, asker))

    async def answered(self, address: Address, asker: Asker) -> None:
        """What this person says next is no answer any more."""
        async with self._database.transaction() as tx:
            route = await card_routes.of_nonce(tx, NAME, _by_person(address, asker))
            if route is not None:
                await card_routes.keep(tx, CardRoute(route.nonce, address, route.kind, "", 0.0))

    async def _find(self, key: str) -> Question | None:
        async with self._database.reading() as tx:
            route = await card_routes.of_nonce(tx, NAME, key)
        if route is None or not route.token or route.until < self._clock():
            return None
        asker, _, subject = route.token.partition(" ")
        return Question(About(route.kind), subject, Asker(NAME, asker))


def _by_message(address: Address, message: str) -> str:
    return f"question:{address.place}:{message}"


def _by_person(address: Address, asker: Asker) -> str:
    return f"asked:{address.place}:{address.thread}:{asker.id}"
