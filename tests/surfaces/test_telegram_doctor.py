"""`zoetrope doctor --telegram`: what is not well on Telegram's side is said with its way out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bot.doctor import look_at_telegram
from db.config import Config, Secrets, TelegramConfig
from db.records import Finding
from tests.surfaces.telegram_methods import BOT
from tests.surfaces.telegram_server import TOKEN, TelegramServer, serving


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with serving() as ready:
        yield ready


async def look(telegram: TelegramServer, token: str | None = TOKEN, webhook_url: str = "") -> dict[str, Finding]:
    section = TelegramConfig(
        base_url=telegram.base_url, base_file_url=telegram.base_file_url, webhook_url=webhook_url, answer_seconds=5
    )
    secrets = Secrets(telegram_token=SecretStr(token) if token else None)
    return {found.thing: found for found in await look_at_telegram(Config(telegram=section), secrets)}


async def test_all_is_well(telegram: TelegramServer) -> None:
    found = await look(telegram)
    assert [str(each) for each in found.values() if not each.well] == []
    assert f"@{BOT.username}" in found["Telegram token"].sentence
    assert "privacy mode is on" in found["Telegram groups"].sentence


async def test_privacy_mode_that_is_off_is_told(telegram: TelegramServer) -> None:
    telegram.world.privacy = False
    assert "privacy mode is off" in (await look(telegram))["Telegram groups"].sentence


@pytest.mark.parametrize("token", [None, "4242:wrong"])
async def test_a_token_that_is_missing_or_wrong_leads_to_botfather(telegram: TelegramServer, token: str | None) -> None:
    found = (await look(telegram, token))["Telegram token"]
    assert not found.well
    assert "@BotFather" in found.sentence
    assert "wrong" not in found.sentence


async def test_a_webhook_that_takes_all_updates_is_a_problem(telegram: TelegramServer) -> None:
    telegram.world.webhook = {"url": "https://example.org/other"}
    found = (await look(telegram))["Telegram updates"]
    assert not found.well
    assert "webhook" in found.sentence
    assert (await look(telegram, webhook_url="https://example.org/other"))["Telegram updates"].well


async def test_a_webhook_that_does_not_work_says_why(telegram: TelegramServer) -> None:
    telegram.world.webhook = {
        "url": "https://example.org/hook",
        "last_error": "Connection refused",
        "last_error_date": 1,
    }
    found = (await look(telegram, webhook_url="https://example.org/hook"))["Telegram updates"]
    assert not found.well
    assert "Connection refused" in found.sentence


async def test_a_telegram_that_is_away_is_one_sentence(telegram: TelegramServer) -> None:
    await telegram.stop()
    (found,) = (await look(telegram)).values()
    assert not found.well
    assert TOKEN not in found.sentence
