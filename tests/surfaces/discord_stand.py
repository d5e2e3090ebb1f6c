"""The Discord surface on a loopback Discord, ready for the contract that every surface keeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.cards import Card
from bot.port import Receipt, Rendition
from bot.surfaces.discord.drawing import layout
from bot.surfaces.discord.surface import DiscordSurface
from db.config import DiscordConfig
from db.database import Database
from db.records import Address, Handle
from tests.surfaces.discord_server.server import DiscordServer
from tests.surfaces.discord_server.world import flat

MEDIA_GALLERY = 12


class RememberingDiscord(DiscordSurface):
    """The surface, and every card it was given: one is known again by what is drawn of it."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.given: list[Card] = []

    async def show(self, address: Address, card: Card, nonce: str) -> Handle:
        self.given.append(card)
        return await super().show(address, card, nonce)

    async def redraw(self, handle: Handle, card: Card) -> None:
        self.given.append(card)
        await super().redraw(handle, card)

    async def deliver(self, handle: Handle, card: Card, rendition: Rendition) -> Receipt:
        self.given.append(card)
        return await super().deliver(handle, card, rendition)


@asynccontextmanager
async def discord_parts(
    folder: Path, database: Database
) -> AsyncIterator[tuple[DiscordSurface, Address, Callable[[Handle], Awaitable[Card | None]]]]:
    """The surface, an address on it, and a way to see what stands on a message there."""
    async with DiscordServer().serving() as server, asyncio.TaskGroup() as group:
        channel = server.channel(server.guild("crew"), "general")
        surface = RememberingDiscord(config_for(server), server.token, database, folder, time.time)
        running = group.create_task(surface.run())
        await surface.ready()

        async def seen(handle: Handle) -> Card | None:
            message = server.messages.get(handle.message)
            if message is None or message.deleted:
                return None
            stands = drawn_parts(message.components)
            return next(card for card in surface.given if drawn_parts(components_of(card)) == stands)

        assert channel.guild is not None
        yield surface, Address("discord", channel.guild.id, channel.id), seen
        running.cancel()
    server.check()


def config_for(server: DiscordServer) -> DiscordConfig:
    return DiscordConfig(api_base=server.api_base, gateway_url=server.gateway_url, cdn_base=server.cdn_base)


def components_of(card: Card) -> list[Any]:
    components: list[Any] = layout(card).to_components()  # type: ignore[no-untyped-call]
    return components


def drawn_parts(components: list[Any]) -> list[tuple[object, ...]]:
    """What a person tells one card from another by: colour, words, buttons."""
    names = ("type", "accent_color", "content", "label", "custom_id", "style")
    return [tuple(part.get(name) for name in names) for part in flat(components) if part["type"] != MEDIA_GALLERY]
