"""A court on a loopback Discord: each test has a server of its own, with a channel and a desk."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import discord
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import intents
from bot.core import opened
from bot.port import Limits
from bot.surfaces.discord.surface import DiscordSurface
from bot.together import side_by_side
from db import models, requests
from db.config import Config, DataConfig, WebConfig
from db.records import Address, Asker, Decision, RequestState
from tests.surfaces.conftest import POCKET, House
from tests.surfaces.courts import PRESSES, Button, Court, Life, Stands
from tests.surfaces.discord_server.server import DiscordServer
from tests.surfaces.discord_server.world import Channel, Guild, Message, Role, User
from tests.surfaces.discord_stand import config_for


class Hasty(DiscordSurface):
    """Draws without pauses: nobody's patience is tried here."""

    async def limits(self, address: Address) -> Limits:
        return replace(await super().limits(address), redraw_seconds=0.0)


class DiscordGround:
    """The bot with Discord as its only surface."""

    def __init__(self, folder: Path, mould: Path) -> None:
        shutil.copy(mould, folder / "zoetrope.db")
        self._folder = folder
        self._stack = AsyncExitStack()
        self.server = DiscordServer()
        self.life = Life(self._living)

    async def start(self) -> None:
        patch = self._stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)  # undone at the end, like all it changes
        patch.setattr(discord.asset.Asset, "BASE", discord.asset.Asset.BASE)
        await self._stack.enter_async_context(self.server.serving())
        await self.life.start()

    async def stop(self) -> None:
        await self.life.stop()
        await self._stack.aclose()
        self.server.check()

    @asynccontextmanager
    async def _living(self) -> AsyncIterator[House]:
        server, config = self.server, Config(data=DataConfig(folder=self._folder), web=WebConfig(enabled=False))
        await server.until(lambda: not server.gateway.connected)
        before = server.gateway.identifies
        async with opened(config) as core:
            async with core.database.transaction() as tx:
                await models.announce(tx, "r", [POCKET], time.time())
            surface = Hasty(config_for(server), server.token, core.database, self._folder, time.time)
            surface.commands, surface.answers = core.commands, core.answers
            core.surfaces["discord"] = surface
            async with side_by_side([surface.run(), *core.loops()]):
                await server.until(lambda: server.gateway.identifies > before and server.gateway.connected)
                await server.until(lambda: server.commands)
                self._offer_to_everybody()
                yield House(core, self._folder)

    def _offer_to_everybody(self) -> None:
        """As a server may do under Integrations, so that it is the bot that says no."""
        for command in self.server.commands:
            command["default_member_permissions"] = None

    @asynccontextmanager
    async def court(self) -> AsyncIterator[Court]:
        server = self.server
        ann = server.person("ann")
        guild = server.guild("crew", ann)
        mods = server.role(guild, "mods", "manage_guild")
        mia, other = server.join(guild, "mia"), server.join(guild, "max")
        for user in (mia, other):
            guild.members[user.id].append(mods)
        general, desk = server.channel(guild, "general"), server.channel(guild, "desk")
        await server.invite(guild)
        court = DiscordCourt(server, self.life, guild, mods, general, desk, ann, mia, other)
        await court.at(desk, mia, "zoetrope settings", {"desk": "here"})
        yield court


@dataclass
class DiscordCourt:
    """A server; its people are users, its cards messages."""

    server: DiscordServer
    life: Life
    guild: Guild
    mods: Role
    general: Channel
    desk: Channel
    ann: User
    mia: User
    max: User

    @property
    def address(self) -> Address:
        return Address("discord", self.guild.id, self.general.id)

    async def member(self) -> User:
        return self.server.join(self.guild, "member")

    def asker(self, person: User) -> Asker:
        return Asker("discord", person.id)

    async def ask(self, person: User, prompt: str) -> Message:
        """The card stands there a moment before what it says is written down, which is waited for."""
        act = await self.server.invoke("video", {"prompt": prompt}, user=person, channel=self.general)
        card = await act.card()

        async def look(tx: AsyncConnection) -> bool:
            request = await requests.get(tx, "discord", act.id)
            return request is not None and request.state is not RequestState.RECEIVED

        await self.life.until(look)
        return card

    async def command(self, person: User, name: str, *, moderators: bool = False, **options: Any) -> Message:
        return await self.at(self.general, person, f"zoetrope {name}" if moderators else name, options)

    async def at(self, channel: Channel, person: User, name: str, options: Mapping[str, Any]) -> Message:
        return await (await self.server.invoke(name, options, user=person, channel=channel)).card()

    async def press(self, card: Message, button: Button, person: User) -> str:
        """Of a card that only they see: what stands on it afterwards."""
        before = len(card.versions)
        act = await self.server.click(card, _read(card).token(button), user=person)
        if not card.ephemeral:
            return (await act.whisper()).text
        await self.server.until(lambda: len(card.versions) > before)
        return card.text

    async def stands(self, card: Message, look: Callable[[Stands], bool] = lambda now: True) -> Stands:
        await self.server.until(lambda: look(_read(card)))
        return _read(card)

    async def review(self, words: str) -> Message:
        """Its card at the desk; where it is about a clip, with it."""

        def look() -> Message | None:
            waiting = [one for one in self.server.messages_in(self.desk) if _read(one).offers(intents.Remove)]
            about = [one for one in waiting if words in one.text]
            return next((one for one in about if one.attachments or "reported" not in one.text), None)

        return await self.server.until(look)

    async def decide(self, review: Message, decision: Decision, moderator: User) -> str:
        return await self.press(review, PRESSES[decision], moderator)

    async def told(self, card: Message, words: str) -> str:
        asker = card.interaction.user if card.interaction else self.ann

        def look() -> str:
            said = [one for one in self.server.messages_in(card.channel) if one is not card and words in one.text]
            return next((one.text for one in said if f"<@{asker.id}>" in one.text), "")

        return await self.server.until(look)

    async def demote(self, moderator: User) -> None:
        self.guild.members[moderator.id].remove(self.mods)


def _read(message: Message) -> Stands:
    tokens = tuple(str(part["custom_id"]) for part in message.buttons.values() if part.get("custom_id"))
    return Stands(message.text, tokens, bool(message.attachments))
