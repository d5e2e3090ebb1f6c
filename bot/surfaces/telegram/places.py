"""Chats that have moved, chats that have put us out, and where a card stands that could not stay where it was."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from pydantic import TypeAdapter

from bot.outcomes import Outcome
from bot.port import Gone
from bot.surfaces.telegram.callers import NAME
from db import card_routes, moves
from db.card_routes import CardRoute
from db.database import Database
from db.records import Address, Handle

REMEMBER_SECONDS = 7 * 86400.0  # a nonce that comes again comes soon

_OUTCOME = TypeAdapter(Outcome)
_OUT = "out"
_SHOWN = "shown"
_STANDS = "stands"
_SENDING = "sending"
_ABOUT = "about"
_BEGUN = "begun"
_WEBHOOK = "webhook"


class Places:
    """What is known about chats and cards, kept in the database."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def now(self, place: str) -> str:
        """The id of the chat now. Raises Gone where we may not be."""
        async with self._database.reading() as tx:
            place = await moves.moved(tx, NAME, place)
            out = await card_routes.of_nonce(tx, NAME, _key(_OUT, place))
        if out is not None and out.token:
            raise Gone(f"the chat {place} has put us out")
        return place

    async def move(self, place: str, to: str) -> None:
        async with self._database.transaction() as tx:
            await moves.note(tx, NAME, place, to, self._clock())

    async def put_out(self, place: str) -> None:
        """Nothing can be posted there until we are let in again."""
        await self._keep(_key(_OUT, place), Address(NAME, place), "", _OUT, token=_OUT)

    async def let_in(self, place: str) -> None:
        """Noted only where we were out before."""
        async with self._database.reading() as tx:
            out = await card_routes.of_nonce(tx, NAME, _key(_OUT, place))
        if out is not None and out.token:
            await self._keep(_key(_OUT, place), Address(NAME, place), "", _OUT)

    async def webhook(self) -> str:
        """The webhook that we have set ourselves, or empty."""
        async with self._database.reading() as tx:
            route = await card_routes.of_nonce(tx, NAME, _WEBHOOK)
        return route.token if route else ""

    async def note_webhook(self, url: str) -> None:
        await self._keep(_WEBHOOK, Address(NAME, ""), "", _WEBHOOK, token=url)

    async def shown(self, address: Address, nonce: str) -> Handle | None:
        """The card that was posted under this nonce at this address."""
        return await self._find(_key(_SHOWN, address.place, address.thread, nonce))

    async def note_shown(self, address: Address, nonce: str, handle: Handle) -> None:
        key = _key(_SHOWN, address.place, address.thread, nonce)
        until = self._clock() + REMEMBER_SECONDS
        await self._keep(key, handle.address, handle.message, _SHOWN, until=until)

    async def stands(self, handle: Handle) -> Handle | None:
        """The message that took this one's place, if one had to."""
        return await self._find(_key(_STANDS, handle.address.place, handle.message))

    async def note_stands(self, handle: Handle, instead: Handle) -> None:
        key = _key(_STANDS, handle.address.place, handle.message)
        await self._keep(key, instead.address, instead.message, _STANDS)

    async def note_about(self, handle: Handle, about: Address) -> None:
        """The buttons of a card in a private chat speak of another place, where it was asked for."""
        key = _key(_ABOUT, handle.address.place, handle.message)
        await self._keep(key, about, handle.message, _ABOUT, until=self._clock() + REMEMBER_SECONDS)

    async def about(self, handle: Handle) -> Address | None:
        """Which place the buttons of a card speak of, if it is another one, by the name it has now; None: its own.

        Raises Gone where we may not be there.
        """
        found = await self._find(_key(_ABOUT, handle.address.place, handle.message))
        if found is None or found.address == handle.address:
            return None
        return replace(found.address, place=await self.now(found.address.place))

    async def begun(self, origin: str) -> str | None:
        """What came of an update that acts, empty where nobody knows how far it got; None: it was not begun yet."""
        async with self._database.reading() as tx:
            route = await card_routes.of_nonce(tx, NAME, _key(_BEGUN, origin))
        return route.token if route is not None and route.until > self._clock() else None

    async def note_begun(self, origin: str, outcome: str = "") -> None:
        """Noted before it acts, and again with what came of it."""
        until = self._clock() + REMEMBER_SECONDS
        await self._keep(_key(_BEGUN, origin), Address(NAME, ""), "", _BEGUN, outcome, until)

    async def note_not_begun(self, origin: str) -> None:
        """Nothing was done, so it may be begun anew."""
        await self._keep(_key(_BEGUN, origin), Address(NAME, ""), "", _BEGUN, until=0.0)

    async def outcome(self, origin: str) -> Outcome | None:
        """What came of a press, if that was noted."""
        begun = await self.begun(origin)
        return _OUTCOME.validate_json(begun) if begun else None

    async def note_outcome(self, origin: str, outcome: Outcome) -> None:
        await self.note_begun(origin, _OUTCOME.dump_json(outcome).decode())

    async def may_be_sent(self, handle: Handle) -> bool:
        """Whether a clip was sent in place of this card, and nobody has heard how that ended."""
        async with self._database.reading() as tx:
            route = await card_routes.of_nonce(tx, NAME, _sending_key(handle))
        return route is not None and bool(route.token)

    async def note_sending(self, handle: Handle) -> None:
        await self._keep(_sending_key(handle), handle.address, handle.message, _SENDING, token=_SENDING)

    async def note_unsent(self, handle: Handle) -> None:
        """It is sure that nothing came of it."""
        await self._keep(_sending_key(handle), handle.address, handle.message, _SENDING, until=self._clock())

    async def _find(self, key: str) -> Handle | None:
        async with self._database.reading() as tx:
            route = await card_routes.of_nonce(tx, NAME, key)
        return Handle(route.address, route.message) if route is not None else None

    async def _keep(
        self, key: str, address: Address, message: str, kind: str, token: str = "", until: float = math.inf
    ) -> None:
        async with self._database.transaction() as tx:
            await card_routes.keep(tx, CardRoute(key, address, kind, token, until, message))


def _sending_key(handle: Handle) -> str:
    return _key(_SENDING, handle.address.place, handle.message)


def _key(*parts: str) -> str:
    return ":".join(parts)
