"""By which way a card is reached, and where its content goes when every way to it is closed.

The bot's own token reaches a message wherever the bot may look, for ever. An interaction's token reaches the message of
that interaction and nothing else, for fifteen minutes; it is what is left in servers the bot is no member of, and for
messages that only one person sees. Ways are kept in the database, so that a restart finds them.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cards import Card, elsewhere
from bot.cards.moderation import is_review
from bot.port import Gone, Refused, Rendition, Unreachable
from bot.surfaces.discord.callers import FOREIGN, PRIVATE
from bot.surfaces.discord.drawing import NAME, Picture
from bot.surfaces.discord.rest import Rest, Sent
from bot.surfaces.discord.troubles import Barred
from db import card_routes, requests
from db.card_routes import CardRoute
from db.database import Database
from db.errors import StoreError
from db.records import Address, Asker, Handle

BOT, TOKEN = "bot", "token"  # kinds: reached by the bot's own token; by that of an interaction only
TOKEN_SECONDS = 15 * 60.0 - 20.0  # how long an interaction's token is relied on
REMEMBERED = 7 * 24 * 3600.0  # how long a way is known after it has closed


class Ways:
    """Edits cards by whichever way is open. `limit` says how many bytes an address takes."""

    def __init__(
        self, rest: Rest, database: Database, clock: Callable[[], float], limit: Callable[[Address], int]
    ) -> None:
        self._rest = rest
        self._database = database
        self._clock = clock
        self.limit = limit

    # --- what is known ---

    async def keep(self, route: CardRoute) -> None:
        async with self._writing() as tx:
            await card_routes.keep(tx, route)

    async def of_nonce(self, nonce: str) -> CardRoute | None:
        async with self._reading() as tx:
            return await card_routes.of_nonce(tx, NAME, nonce)

    async def is_of(self, nonce: str, asker: Asker) -> bool:
        """Whether the request that came under this nonce is that person's."""
        async with self._reading() as tx:
            request = await requests.get(tx, NAME, nonce)
        return request is not None and request.asker == asker

    async def renew(self, handle: Handle, nonce: str, token: str) -> None:
        """Somebody pressed a button of this card: their token reaches it as well, and longer than any before."""
        known = await self._route(handle)
        until = self._clock() + TOKEN_SECONDS
        await self.keep(CardRoute(nonce, handle.address, known.kind, token, until, handle.message))

    async def forget_old(self) -> None:
        async with self._writing() as tx:
            await card_routes.forget(tx, NAME, self._clock() - REMEMBERED)

    async def _route(self, handle: Handle) -> CardRoute:
        async with self._reading() as tx:
            known = await card_routes.of_message(tx, NAME, handle.message)
        if known is not None:
            return known
        kind = TOKEN if handle.address.place.startswith(FOREIGN) else BOT
        return CardRoute("", handle.address, kind, "", 0.0, handle.message)

    # --- editing ---

    async def edit(self, handle: Handle, picture: Picture) -> None:
        """Replace the whole message, by the first way that leads there.

        Raises Gone when it was deleted, Barred when it stands there and can't be reached, and the others of port.py.
        """
        closed: Refused | Gone = Barred()
        for way in self._open(await self._route(handle), handle, picture):
            try:
                await way()
            except Gone as error:
                closed = error
            except Barred as error:
                closed = closed if isinstance(closed, Gone) else error
            else:
                return
        raise closed

    def _open(self, route: CardRoute, handle: Handle, picture: Picture) -> list[Callable[[], Awaitable[object]]]:
        limit = self.limit(handle.address)
        ways: list[Callable[[], Awaitable[object]]] = []
        if route.kind == BOT:
            ways.append(lambda: self._rest.edit(handle.address.thread, handle.message, picture, limit))
        if route.token and self._clock() < route.until:
            ways.append(lambda: self._rest.edit_original(route.token, picture, limit))
        return ways

    async def fill(self, route: CardRoute, card: Card) -> Handle:
        """Show a card in the message of an interaction, which its token reaches best while it is young."""
        if route.token and self._clock() < route.until:
            with contextlib.suppress(Barred):
                sent = await self._rest.edit_original(route.token, Picture(card))
                return await self._noted(route, sent)
        if not route.message:
            return await self.post(route.address, Picture(card), route.nonce)
        handle = Handle(route.address, route.message)
        await self.edit(handle, Picture(card))
        return handle

    async def _noted(self, route: CardRoute, sent: Sent | None) -> Handle:
        """What Discord says about the message that a card stands in now."""
        if sent is None:
            if not route.message:
                raise Unreachable("no id was told")
            return Handle(route.address, route.message)
        known = replace(route, kind=TOKEN if sent.ephemeral else route.kind, message=sent.message)
        if known != route:
            await self.keep(known)
        return Handle(known.address, known.message)

    async def follow_up(self, handle: Handle, words: str, person: str) -> bool:
        """One more message next to a card that only an interaction's token reaches. False: the bot's own reaches it."""
        route = await self._route(handle)
        if route.kind == BOT:
            return False
        if not route.token or self._clock() >= route.until:
            raise Barred
        await self._rest.follow_up(route.token, words, person)
        return True

    async def kept_file(self, handle: Handle) -> str:
        """The name of the file on a card, or empty where it can't be seen."""
        try:
            return await self._rest.file_of(handle.address.thread, handle.message)
        except Refused:
            return ""

    # --- new messages ---

    async def post(self, address: Address, picture: Picture, nonce: str) -> Handle:
        """A message of the bot's own, found again under its nonce."""
        message = await self._rest.post(address.thread, picture, nonce, self.limit(address))
        await self.keep(CardRoute(nonce, address, BOT, "", self._clock(), message))
        return Handle(address, message)

    async def elsewhere(self, handle: Handle, card: Card, rendition: Rendition | None, nonce: str) -> Handle:
        """Where a card can't be changed any more: a new message there, or else a private one to its asker."""
        before = await self.of_nonce(nonce)
        if before is not None:
            there = Handle(before.address, before.message)
            await self.edit(there, Picture(self._explained(card, there.address), rendition))
            return there
        if not handle.address.place.startswith(FOREIGN):
            with contextlib.suppress(Barred, Gone):  # then in private
                return await self.post(handle.address, Picture(elsewhere.anew(card), rendition), nonce)
        return await self._privately(card, rendition, nonce)

    async def _privately(self, card: Card, rendition: Rendition | None, nonce: str) -> Handle:
        if card.asker is None or card.asker.surface != NAME or is_review(card):
            raise Refused
        channel = await self._rest.open_dm(card.asker.id)
        address = Address(NAME, f"{PRIVATE}{channel}", channel)
        return await self.post(address, Picture(elsewhere.in_private(card), rendition), nonce)

    @staticmethod
    def _explained(card: Card, address: Address) -> Card:
        return elsewhere.in_private(card) if address.place.startswith(PRIVATE) else elsewhere.anew(card)

    # --- the store ---

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._database.transaction() as tx:
                yield tx
        except (StoreError, SQLAlchemyError) as error:
            raise Unreachable(type(error).__name__) from error

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._database.reading() as tx:
                yield tx
        except (StoreError, SQLAlchemyError) as error:
            raise Unreachable(type(error).__name__) from error
