"""The loopback Telegram server behaves as the real one does, seen through the real client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from telegram import Bot
from telegram.error import BadRequest

from tests.surfaces.telegram_server import TOKEN, TelegramServer, serving


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with serving() as ready:
        yield ready


@pytest.fixture
async def bot(server: TelegramServer) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, server.base_url, server.base_file_url) as ready:
        yield ready


async def test_a_message_is_said_and_answered(server: TelegramServer, bot: Bot) -> None:
    ada = server.person("Ada")
    chat = server.private(ada)
    server.say(chat, ada, "hello")
    (update,) = await bot.get_updates()
    assert update.message
    await bot.send_message(update.message.chat_id, "<b>hi</b> &lt;Ada&gt;", parse_mode="HTML")
    assert [one.text for one in server.messages(chat)] == ["hello", "hi <Ada>"]


async def test_markup_that_does_not_close_is_refused(server: TelegramServer, bot: Bot) -> None:
    chat = server.private(server.person("Ada"))
    with pytest.raises(BadRequest, match="find end tag corresponding to start tag"):
        await bot.send_message(chat.id, "<b>hi", parse_mode="HTML")
    server.forgive("can't parse entities")
