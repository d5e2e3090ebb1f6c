"""WebSurface: the contract of port.py for the page in the browser.

The room's table is to this surface what a chat's servers are to the others: it keeps messages, hands out their ids and
survives a restart. Drawing is done by every open page, from the feed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from socket import socket

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import intents
from bot.answers import Answers
from bot.cards import Card
from bot.commands import Commands
from bot.moderation.desk import OPERATOR
from bot.port import Gone, Limits, Receipt, Rendition, TooLarge, Unreachable
from bot.surfaces.web import drawing
from bot.surfaces.web.browsers import Browsers, load_key
from bot.surfaces.web.callers import Visitors
from bot.surfaces.web.desk import Desk
from bot.surfaces.web.door import Door
from bot.surfaces.web.feed import Feed
from bot.surfaces.web.files import Convert, Files
from bot.surfaces.web.gallery import Gallery
from bot.surfaces.web.guard import Guard, own_names
from bot.surfaces.web.handing import Handing
from bot.surfaces.web.listening import Listening
from bot.surfaces.web.moderation import Console
from bot.surfaces.web.pages import Pages
from bot.surfaces.web.password import Attempts, Password, of_operator, required
from bot.surfaces.web.server import Server, address_to_open, bind, pages_at_once, serving
from bot.surfaces.web.site import Site
from db import reviews, room
from db.config import WebConfig
from db.database import Database
from db.errors import StoreError
from db.records import Address, Asker, Circumstances, Handle, ReviewKind

NAME = "web"
ROOM = "main"
ADDRESS = Address(NAME, ROOM)
LIMITS = Limits(
    upload_bytes=50_000_000, redraw_seconds=0.25, formats=drawing.FORMATS, text_chars=100_000, previews=True
)


class WebSurface:
    """Serves the page and keeps its messages.

    `data` is the data folder (renditions/ and previews/ below it are shown, the key of the cookies is kept in it).
    `commands` and `answers` must be set before people can ask; `convert` gives other formats for download and may stay
    away.
    """

    def __init__(
        self,
        database: Database,
        config: WebConfig,
        data: Path,
        clock: Callable[[], float],
        convert: Convert | None = None,
    ) -> None:
        self._database = database
        self._config = config
        self._data = data
        self._clock = clock
        self._convert = convert
        self._socket: socket | None = None
        self._password: Password | None = None
        self._operator: Password | None = None  # of the moderators' pages
        self.commands: Commands | None = None
        self.answers: Answers | None = None

    @property
    def name(self) -> str:
        return NAME

    def open(self) -> str:
        """Bind the port and return the address to open in a browser.

        Raises PortTaken when that can't be done, PasswordMissing when others would be served without one.
        """
        self._password, self._operator = required(self._config), of_operator(self._config)
        if self._socket is None:
            self._socket = bind(self._config.host, self._config.port)
        return address_to_open(self._config.host, self._port(self._socket))

    async def run(self) -> None:
        """Serve until cancelled; then every stream ends and the port is free within a second."""
        self.open()
        assert self._socket is not None
        listening, self._socket = self._socket, None
        try:
            browsers = Browsers(await asyncio.to_thread(load_key, self._data))
            feed = Feed(self._database, ROOM, self._clock, browsers.tag)
            names = own_names(self._config, self._port(listening))
            await _serve(feed, serving(Guard(self._site(feed, browsers).app(), names)), listening)
        finally:
            listening.close()

    def _site(self, feed: Feed, browsers: Browsers) -> Site:
        pages, attempts = Pages(browsers, has_door=self._password is not None), Attempts(self._clock)
        door = Door(self._password, browsers, pages, attempts, self._clock) if self._password else None
        console = Console(
            self._database,
            browsers,
            pages,
            self._operator,
            attempts,
            lambda: self.commands,
            lambda: self.answers,
            self._convert,
            self._clock,
        )
        visitors = Visitors(browsers, ADDRESS, console.seats.is_operator)
        handing = Handing(visitors, pages, self._clock)
        desk = Desk(self._database, visitors, lambda: self.commands, lambda: self.answers, handing)
        listening = Listening(feed, pages_at_once())
        files = Files(self._database, self._data / "renditions", self._data / "previews", self._convert, (NAME, ROOM))
        gallery = Gallery(pages, self._database, ADDRESS, self._convert)
        return Site(pages, desk, listening, files, gallery, console, handing, door)

    def close(self) -> None:
        """Let go of a port that was opened and never served."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def limits(self, address: Address) -> Limits:
        return LIMITS

    async def show(self, address: Address, card: Card, nonce: str) -> Handle:
        if address.place != ROOM or address.thread:  # what is meant for a part of it is not for everybody in it
            raise Gone(f"The web page has no room {address.place!r} with a part {address.thread!r}.")
        async with self._writing() as tx:
            message = await room.post(tx, ROOM, nonce, drawing.stored(card), self._clock())
        return Handle(address, message.id)

    async def redraw(self, handle: Handle, card: Card) -> None:
        """The whole card anew; a clip that it still carries stays on it, and so does what its asker was told."""
        async with self._writing() as tx:
            kept = await _get(tx, handle)
            same = bool(card.clip) and kept.card["card"]["clip"] == card.clip
            media = kept.card["media"] if same else None
            drawn = drawing.stored(card, media, kept.card["note"], kept.card.get("asker"))
            await room.replace(tx, handle.message, drawn, kept.rendition if same else "")

    async def deliver(self, handle: Handle, card: Card, rendition: Rendition) -> Receipt:
        if rendition.bytes > LIMITS.upload_bytes:
            raise TooLarge(LIMITS.upload_bytes)
        async with self._writing() as tx:
            kept = await _get(tx, handle)
            media, note, asker = drawing.media_of(rendition), kept.card["note"], kept.card.get("asker")
            drawn = drawing.stored(card, media, note, asker)
            if await room.replace(tx, handle.message, drawn, self._stored_path(rendition.path)) is None:
                raise Gone(f"Message {handle.message} is no longer in the room.")
        return Receipt(handle.message)

    async def notify(self, handle: Handle, asker: Asker, sentence: str, nonce: str) -> None:
        """Kept with the card and announced by open pages: repeating it changes nothing, so the nonce is not needed.

        An appeal that is decided is not offered any more.
        """
        async with self._writing() as tx:
            kept = await _get(tx, handle)
            card = kept.card["card"]
            left = [button for button in card["buttons"] if not await _is_settled(tx, button["token"])]
            told = {**kept.card, "card": {**card, "buttons": left}, "note": sentence}
            await room.replace(tx, handle.message, told, kept.rendition)

    async def circumstances(self, address: Address, asker: Asker) -> Circumstances:
        """Browsers have no roles; whoever knows the operator's password moderates the room."""
        return Circumstances(moderator=asker == OPERATOR and address.place == ROOM)

    def _stored_path(self, path: Path) -> str:
        """Relative to the folder of renditions where it lies in it, so that the data folder may move."""
        folder = (self._data / "renditions").absolute()
        return str(path.absolute().relative_to(folder) if path.absolute().is_relative_to(folder) else path.absolute())

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._database.transaction() as tx:
                yield tx
        except StoreError as error:
            raise Unreachable(str(error)) from error

    @staticmethod
    def _port(listening: socket) -> int:
        return int(listening.getsockname()[1])


async def _serve(feed: Feed, server: Server, listening: socket) -> None:
    """Both until one ends or we are cancelled; then first the streams end, and with them the server."""
    async with asyncio.TaskGroup() as group:
        following = group.create_task(feed.run())
        answering = group.create_task(server.serve(sockets=[listening]))
        try:
            await asyncio.wait([following, answering], return_when=asyncio.FIRST_COMPLETED)
        finally:
            feed.close()
            server.should_exit = True
            await asyncio.wait([answering])
            following.cancel()


async def _is_settled(tx: AsyncConnection, token: str) -> bool:
    intent = intents.parse(token)
    if not isinstance(intent, intents.Appeal):
        return False
    return await reviews.decision_of(tx, ReviewKind.APPEAL, intent.refusal) is not None


async def _get(tx: AsyncConnection, handle: Handle) -> room.RoomMessage:
    kept = await room.get(tx, handle.message)
    if kept is None:
        raise Gone(f"Message {handle.message} is no longer in the room.")
    return kept
