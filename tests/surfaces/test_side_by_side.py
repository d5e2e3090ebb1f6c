"""Discord and Telegram in one process: one queue, and one quota for whoever has joined their identities."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import discord
import pytest
from pydantic import SecretStr

from bot import app
from bot.core import opened
from bot.together import side_by_side
from db import models, queue, requests, updates
from db.config import Config, DataConfig, DiscordConfig, QuotaConfig, Secrets, TelegramConfig, WebConfig
from db.records import Job
from tests.surfaces.conftest import POCKET, House
from tests.surfaces.telegram_chats import Chat, Message, Person
from tests.surfaces.telegram_server import TOKEN, TelegramServer, serving

if TYPE_CHECKING:
    from tests.surfaces.conftest import Crew
    from tests.surfaces.discord_server.server import DiscordServer

WAITING = 2  # unfinished jobs that one person may have


@dataclass
class Both:
    """The bot on both platforms, and one person who is on both."""

    house: House
    discord: DiscordServer
    telegram: TelegramServer
    crew: Crew
    ada: Person
    chat: Chat

    async def ask_on_discord(self, prompt: str) -> str:
        """What the answer to /video says."""
        act = await self.discord.invoke("video", {"prompt": prompt}, user=self.crew.ann, channel=self.crew.general)
        await act.answered.wait()
        return act.reply.text

    async def ask_on_telegram(self, text: str) -> Message:
        """The answer to a message."""
        said = self.telegram.say(self.chat, self.ada, text)
        return await self.telegram.sees(self.chat, lambda one: one.id > said.id and one.sender != self.ada)

    async def jobs(self) -> list[Job]:
        """All jobs, once every request has become one or has been turned down."""
        database = self.house.core.database
        while True:
            heard = database.bell.count()
            async with database.reading() as tx:
                if not (await requests.unfinished(tx) or await updates.waiting(tx, "telegram")):
                    return sorted(await queue.changed_since(tx, 0.0), key=lambda job: job.created_at)
            await database.bell.wait(heard, 1.0)

    async def finish_next(self) -> Job:
        """The oldest waiting job is rendered; returns it once its clip stands where it was asked for."""
        lease = await self.house.claim()
        await self.house.finish(lease)
        job, title = lease.job, lease.job.spec.prompt
        if job.asker.surface == "telegram":
            await self.telegram.until(lambda: any(title in one.text for one in self.telegram.clips(self.chat)))
        else:
            standing = self.discord.messages_in
            await self.discord.until(
                lambda: any(title in one.text and one.attachments for one in standing(self.crew.general))
            )
        return job


@pytest.fixture
async def both(
    discord_server: DiscordServer, crew: Crew, tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Both]:
    """One process with both surfaces, as `zoetrope run` puts them there."""
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)  # undone at the end, like all it changes
    monkeypatch.setattr(discord.asset.Asset, "BASE", discord.asset.Asset.BASE)
    shutil.copy(empty_database, tmp_path / "zoetrope.db")
    async with serving() as telegram:
        server = discord_server
        config = Config(
            data=DataConfig(folder=tmp_path),
            web=WebConfig(enabled=False),
            quota=QuotaConfig(waiting=WAITING),
            discord=DiscordConfig(api_base=server.api_base, gateway_url=server.gateway_url, cdn_base=server.cdn_base),
            telegram=TelegramConfig(base_url=telegram.base_url, base_file_url=telegram.base_file_url),
        )
        secrets = Secrets(discord_token=SecretStr(server.token), telegram_token=SecretStr(TOKEN))
        async with opened(config) as core:
            async with core.database.transaction() as tx:
                await models.announce(tx, "r", [POCKET], time.time())
            app._add_chats(app.Choices(config, secrets, None, {}, web_only=False), core)
            assert set(core.surfaces) == {"discord", "telegram"}
            async with side_by_side([*(surface.run() for surface in core.surfaces.values()), *core.loops()]):
                await server.gateway.until_connected()
                await server.until(lambda: server.commands)
                ada = telegram.person("Ada")
                yield Both(House(core, tmp_path), server, telegram, crew, ada, telegram.private(ada))


async def test_clips_of_both_wait_in_one_queue_and_come_to_where_they_were_asked_for(both: Both) -> None:
    assert "Next in line" in await both.ask_on_discord("a heart")
    card = await both.ask_on_telegram("/video a cat")
    assert "2" in card.text  # its place behind the other's

    served = [(await both.finish_next()).asker.surface for _ in range(2)]

    assert served == ["discord", "telegram"]
    assert len(both.telegram.clips(both.chat)) == 1


async def test_both_at_once_are_all_served(both: Both) -> None:
    await asyncio.gather(both.ask_on_discord("a heart"), both.ask_on_telegram("/video a cat"))
    assert {(await both.finish_next()).asker.surface for _ in range(2)} == {"discord", "telegram"}


async def test_joined_identities_share_one_quota(both: Both) -> None:
    act = await both.discord.invoke("link", user=both.crew.ann, channel=both.crew.general)
    await act.answered.wait()
    code = re.search(r"\w{4}-\w{4}-\w{4}", act.reply.text)
    assert code is not None
    assert act.reply.ephemeral
    await both.ask_on_telegram(f"/link {code[0]}")

    await both.ask_on_discord("a heart")
    await both.ask_on_telegram("/video a cat")
    await both.ask_on_telegram("/video a dog")
    await both.ask_on_discord("a fox")
    assert [job.spec.prompt for job in await both.jobs()] == ["a heart", "a cat"]

    await both.finish_next()
    await both.ask_on_telegram("/video a bird")
    assert [job.spec.prompt for job in await both.jobs() if not job.state.is_end] == ["a cat", "a bird"]


async def test_identities_that_were_not_joined_have_a_quota_each(both: Both) -> None:
    await both.ask_on_discord("a heart")
    await both.ask_on_telegram("/video a cat")
    await both.ask_on_telegram("/video a dog")
    await both.ask_on_discord("a fox")
    assert len(await both.jobs()) == 2 * WAITING
