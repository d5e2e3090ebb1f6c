"""The whole bot on a loopback Telegram: what people type and press, and what then stands in their chats."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core import Core, opened
from bot.surfaces.telegram.pace import Pace
from bot.surfaces.telegram.surface import TelegramSurface
from bot.together import side_by_side
from db import models, platform_files, updates
from db.config import Config, DataConfig, TelegramConfig
from db.records import Clip
from tests.surfaces.conftest import POCKET, House
from tests.surfaces.telegram_chats import Chat, Message, Person
from tests.surfaces.telegram_methods import BOT
from tests.surfaces.telegram_server import TOKEN, TelegramServer

PATIENCE = 30.0  # seconds; an upper bound for what takes milliseconds on an idle machine
JOINER = "\u2060"


@dataclass
class TelegramHouse:
    """The bot, the server it speaks to, and a runner's hands."""

    telegram: TelegramServer
    core: Core
    surface: TelegramSurface
    runner: House

    async def card(self, chat: Chat, words: str) -> Message:
        """The newest message of the bot in a chat that holds these words, once there is one."""

        def look() -> Message | None:
            ours = [one for one in self.telegram.messages(chat) if one.sender == BOT and words in read(one)]
            return ours[-1] if ours else None

        found = await self.telegram.until(look)
        assert found is not None
        return found

    async def answer(self, chat: Chat, said: Message) -> Message:
        """What the bot answers to a message."""
        return await self.telegram.sees(chat, lambda one: one.sender == BOT and one.reply_to == said.id)

    async def ask(self, chat: Chat, person: Person, text: str, thread: int = 0) -> Message:
        """Ask for a clip; its card, once its job waits."""
        before = {one.id for one in self.telegram.messages(chat)}
        self.telegram.say(chat, person, text, thread=thread)
        return await self.telegram.sees(chat, lambda one: one.id not in before and "Cancel" in one.labels)

    async def made(self, chat: Chat, person: Person, text: str, thread: int = 0) -> tuple[Message, Clip]:
        """A card and the clip that it carries."""
        card = await self.ask(chat, person, text, thread)
        lease = await self.runner.claim()
        clip = await self.runner.finish(lease)
        await self.telegram.until(lambda: card.file is not None and "Again" in card.labels)
        await self.until(lambda tx: platform_files.file(tx, "telegram", clip.id, lease.job.format))
        return card, clip

    async def clips(self, chat: Chat, count: int) -> None:
        """That many clips stand in a chat."""
        await self.telegram.until(lambda: len(self.telegram.clips(chat)) == count)

    async def until_handled(self) -> None:
        """Every update that was sent has been dealt with."""

        async def done(tx: AsyncConnection) -> bool:
            return not await updates.waiting(tx, "telegram")

        await self.telegram.until(lambda: not self.telegram.world.updates)
        await self.until(done)

    async def until(self, look: Callable[[AsyncConnection], Awaitable[object]]) -> None:
        """What the database is asked for is there."""
        async with asyncio.timeout(PATIENCE):
            while True:
                rung = self.core.database.bell.count()
                async with self.core.database.reading() as tx:
                    if await look(tx):
                        return
                await self.core.database.bell.wait(rung, 1.0)


def read(message: Message) -> str:
    """What a person reads."""
    return message.text.replace(JOINER, "")


@asynccontextmanager
async def living(
    folder: Path, mould: Path, telegram: TelegramServer, **options: object
) -> AsyncIterator[TelegramHouse]:
    """The bot with one announced model, its loops and its Telegram side; nothing is spaced out."""
    if not (folder / "zoetrope.db").exists():
        shutil.copy(mould, folder / "zoetrope.db")
    section = TelegramConfig.model_validate(
        {"base_url": telegram.base_url, "base_file_url": telegram.base_file_url, "poll_seconds": 1, **options}
    )
    async with opened(Config(data=DataConfig(folder=folder), telegram=section)) as core:
        async with core.database.transaction() as tx:
            await models.announce(tx, "r", [POCKET], time.time())
        pace = Pace(time.monotonic, private=(), group=())
        surface = TelegramSurface(section, TOKEN, core.database, time.time, pace)
        surface.commands, surface.answers = core.commands, core.answers
        core.surfaces["telegram"] = surface
        async with side_by_side([surface.run(), *core.loops()]):
            yield TelegramHouse(telegram, core, surface, House(core, folder))
