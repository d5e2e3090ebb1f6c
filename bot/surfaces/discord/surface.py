"""DiscordSurface: the contract of port.py on Discord, and the life of its links."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import discord

from bot import menu
from bot.answers import Answers
from bot.cards import Card, asking
from bot.cards.moderation import is_review
from bot.commands import Commands
from bot.port import Gone, Limits, Receipt, Rendition, SurfaceError, TooLarge
from bot.surfaces.discord import endpoints, membership, slash
from bot.surfaces.discord.desk import Desk
from bot.surfaces.discord.drawing import FORMATS, NAME, TEXT_CHARS, Picture, mentioned
from bot.surfaces.discord.escaping import escaped
from bot.surfaces.discord.gateway import Gateway, logged_in, quiet, supervised
from bot.surfaces.discord.rest import Rest
from bot.surfaces.discord.troubles import Barred, Blocked, Worn, where
from bot.surfaces.discord.ways import Ways
from db.config import DiscordConfig
from db.database import Database
from db.records import Address, Asker, Circumstances, Handle

DEFAULT_BYTES = 10 * 2**20  # of a file where nothing better is known
REQUEST_BYTES = 25 * 2**20 - 2**16  # of a whole request, less what is not the file
REDRAW_SECONDS = 3.0
SWEEP_SECONDS = 3600.0
SYNC_PAUSE = 60.0  # seconds until Discord is told about the commands again, where that failed
PLACES_HEARD = 10_000  # places whose own limit is remembered

log = logging.getLogger(__name__)


class DiscordSurface:
    """Serves Discord with the bot of `token`. `data` is the data folder.

    `commands` and `answers` must be set before it runs for people. Cards are drawn through a client of its own that
    only speaks, so that a listening one that breaks takes no card with it.
    """

    def __init__(
        self, config: DiscordConfig, token: str, database: Database, data: Path, clock: Callable[[], float]
    ) -> None:
        self._config = config
        self._token = token
        self._data = data
        self._clock = clock
        self._rest = Rest()
        self._ways = Ways(self._rest, database, clock, self._bytes)
        self._gateway: Gateway | None = None
        self._heard: dict[str, int] = {}  # bytes that a place takes, by what its interactions say, where that is less
        self._worn: set[Handle] = set()  # cards that were edited too often: left alone until their clip comes
        self._ready = asyncio.Event()
        self.commands: Commands | None = None
        self.answers: Answers | None = None

    @property
    def name(self) -> str:
        return NAME

    async def ready(self) -> None:
        """Return as soon as cards can be shown."""
        await self._ready.wait()

    async def run(self) -> None:
        """Serve until cancelled."""
        quiet()
        endpoints.use(self._config)
        async with logged_in(self._token) as client, asyncio.TaskGroup() as crew:
            self._rest.client = client
            self._ready.set()
            try:
                works = [crew.create_task(self._sweep())]
                await self._listen(client, crew, works)
            finally:
                self._ready.clear()
                self._rest.client = self._gateway = None

    async def _listen(self, client: discord.Client, crew: asyncio.TaskGroup, works: list[asyncio.Task[None]]) -> None:
        """Take what people do, once there is somebody to take it to."""
        if self.commands is None or self.answers is None:
            await asyncio.Event().wait()
            return
        commands = menu.commands(self.commands.limits)
        chars = self.commands.limits.prompt_chars
        desk = Desk(self.commands, self.answers, self._rest, self._ways, self._clock, crew, self._hear)

        def listening() -> Gateway:
            self._gateway = Gateway(desk, self._config.gateway_url)
            slash.Tree(self._gateway, desk, commands, chars)
            return self._gateway

        works.append(crew.create_task(self._sync(slash.Tree(client, desk, commands, chars))))
        await supervised(listening, self._token)

    async def _sync(self, tree: slash.Tree) -> None:
        """Tell Discord about the commands, if they are not those it knows."""
        while True:
            try:
                if await slash.sync(tree, self._data / slash.MEMORY):
                    log.info("Discord knows the commands now.", extra={"action": "discord_commands_synced"})
            except Exception as error:
                log.error("Discord could not be told about the commands (%s).", where(error))  # noqa: TRY400
                await asyncio.sleep(SYNC_PAUSE)
            else:
                return

    async def _sweep(self) -> None:
        while True:
            try:
                await self._ways.forget_old()
            except SurfaceError as error:
                log.warning("Old ways to cards could not be forgotten yet (%s).", where(error))
            await asyncio.sleep(SWEEP_SECONDS)

    # --- the contract ---

    async def limits(self, address: Address) -> Limits:
        return Limits(self._bytes(address), REDRAW_SECONDS, FORMATS, TEXT_CHARS)

    async def show(self, address: Address, card: Card, nonce: str) -> Handle:
        """In the message that answers the interaction `nonce`, which may have been prepared before a restart.

        One that answers none goes to a channel that somebody has named: never to one of another server.
        """
        route = await self._ways.of_nonce(nonce)
        if route is not None:
            return await self._ways.fill(route, card)
        if address.place.isdecimal() and not await membership.stands_in(self._rest, address):
            raise Gone("The channel is not one of this server.")
        try:
            return await self._ways.post(address, Picture(card), nonce)
        except Blocked:
            return await self._ways.post(address, Picture(_without_words(card)), nonce)

    async def redraw(self, handle: Handle, card: Card) -> None:
        """Where a card can't be edited any more it is left as it is; an end that leads on is told in a new message.

        Words that a server blocks are left out of an end, so that nobody waits for more.
        """
        if handle not in self._worn or card.final:
            kept = await self._ways.kept_file(handle) if card.clip else ""
            try:
                await self._ways.edit(handle, Picture(card, kept=kept))
            except Worn:
                self._worn.add(handle)
            except Barred:
                log.debug("A card of Discord can't be edited any more.")
            except Blocked:
                if not card.final:
                    raise
                await self._ways.edit(handle, Picture(replace(card, title="", facts=()), kept=kept))
                return
            else:
                return
        if card.final and card.buttons:
            self._worn.discard(handle)
            await self._ways.elsewhere(handle, card, None, nonce=f"e{handle.message}")

    async def deliver(self, handle: Handle, card: Card, rendition: Rendition) -> Receipt:
        limit = self._bytes(handle.address)
        if rendition.bytes > limit:
            raise TooLarge(limit)
        self._worn.discard(handle)
        try:
            await self._ways.edit(handle, Picture(card, rendition))
        except Blocked:
            await self._ways.edit(handle, Picture(_without_words(card), rendition))
        except (Barred, Worn):
            there = await self._ways.elsewhere(handle, card, rendition, nonce=f"d{handle.message}")
            return Receipt(there.message, there)
        return Receipt(handle.message)

    async def notify(self, handle: Handle, asker: Asker, sentence: str, nonce: str) -> None:
        words = f"{mentioned(asker)} {escaped(sentence)}".strip()
        if not await self._ways.follow_up(handle, words, asker.id):
            await self._rest.reply(handle.address.thread, handle.message, words, asker.id, f"n{nonce}")

    async def circumstances(self, address: Address, asker: Asker) -> Circumstances:
        return await membership.circumstances(self._rest, address, asker)

    # --- how much fits ---

    def _hear(self, address: Address, limit: int) -> None:
        """What an interaction says is the most of what the person and the place may, so only less than usual counts."""
        self._heard.pop(address.place, None)
        if limit < DEFAULT_BYTES:
            if len(self._heard) >= PLACES_HEARD:
                self._heard.pop(next(iter(self._heard)))
            self._heard[address.place] = limit

    def _bytes(self, address: Address) -> int:
        guild = None
        if self._gateway is not None and address.place.isdecimal():
            guild = self._gateway.get_guild(int(address.place))
        known = max(guild.filesize_limit, DEFAULT_BYTES) if guild is not None else DEFAULT_BYTES
        return min(known, self._heard.get(address.place, known), REQUEST_BYTES)


def _without_words(card: Card) -> Card:
    """What a server's filter stops is what its moderators are to look at: then by a command, whose answer it lets pass.

    Raises Blocked for any other card.
    """
    if not is_review(card):
        raise Blocked
    return asking.after(asking.words_blocked(), replace(card, title="", facts=()))
