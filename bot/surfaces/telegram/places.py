"""Chats that have moved, chats that have put us out, and where a card stands that could not stay where it was."""

from __future__ import annotations

import math
from collections.abc import Callable

from bot.port import Gone
from bot.surfaces.telegram.callers import NAME
from db import card_routes, moves
from db.card_routes import CardRoute
from db.database import Database
from db.records import Address, Handle

REMEMBER_SECONDS = 7 * 86400.0  # a nonce that comes again comes soon

_OUT = "out"
_SHOWN = "shown"
_STANDS = "stands"
_SENDING = "sending"
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
