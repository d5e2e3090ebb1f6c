"""`zoetrope doctor --discord` and `--telegram`: what is not well on a platform's side is said with its way out."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from discord import Client, Intents
from pydantic import SecretStr

from bot import menu
from bot.doctor.discord import invite_link, look_at_discord
from bot.doctor.telegram import look_at_telegram
from bot.surfaces.discord import endpoints, slash
from db.config import Config, DataConfig, DiscordConfig, Secrets, TelegramConfig
from db.records import Finding
from tests.surfaces.discord_server.server import DiscordServer
from tests.surfaces.discord_server.world import FORUM, Channel, Guild
from tests.surfaces.telegram_methods import BOT
from tests.surfaces.telegram_server import TOKEN, TelegramServer, serving

if TYPE_CHECKING:
    from bot.surfaces.discord.desk import Desk

Zoetrope = Callable[..., subprocess.CompletedProcess[str]]
Findings = dict[str, Finding]

PERMISSIONS = 1 << 10 | 1 << 11 | 1 << 38 | 1 << 15 | 1 << 16  # view, send, send in threads, attach, read history


def problems(found: Findings) -> list[str]:
    return [str(each) for each in found.values() if not each.well]


# --- Discord ---


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    async with DiscordServer().serving() as server:
        yield server
    server.check()


@pytest.fixture
def guild(discord: DiscordServer) -> Guild:
    return discord.guild("crew", discord.person("ann"))


@pytest.fixture
def general(discord: DiscordServer, guild: Guild) -> Channel:
    return discord.channel(guild, "general")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


class Doctor:
    """Looks at the loopback Discord, and is the bot that registers its commands there."""

    def __init__(self, server: DiscordServer, folder: Path) -> None:
        self._server = server
        self.config = Config(
            data=DataConfig(folder=folder),
            discord=DiscordConfig(api_base=server.api_base, gateway_url=server.gateway_url, cdn_base=server.cdn_base),
        )

    async def look(self, channel: str = "", token: str = "") -> Findings:
        secrets = Secrets(discord_token=SecretStr(token or self._server.token))
        return {each.thing: each async for each in look_at_discord(self.config, secrets, channel)}


@pytest.fixture
def doctor(discord: DiscordServer, folder: Path) -> Doctor:
    return Doctor(discord, folder)


async def test_all_is_well_before_the_first_start(doctor: Doctor, discord: DiscordServer, general: Channel) -> None:
    found = await doctor.look(general.id)
    assert problems(found) == []
    assert f"application {discord.application}" in found["Discord token"].sentence
    assert "the next start tells it" in found["Discord commands"].sentence
    assert "general" in found["Discord channel"].sentence
    assert "10 MiB" in found["Discord channel"].sentence


async def test_the_invite_link_asks_for_what_cards_need_and_no_more(doctor: Doctor, discord: DiscordServer) -> None:
    link = invite_link(int(discord.application))
    assert f"client_id={discord.application}&scope=bot+applications.commands&permissions={PERMISSIONS}" in link
    assert link in (await doctor.look())["Discord invite"].sentence


async def test_looking_changes_nothing_on_either_side(doctor: Doctor, discord: DiscordServer, general: Channel) -> None:
    await doctor.look(general.id)
    assert {call.method for call in discord.calls} == {"GET"}
    assert list(doctor.config.data.folder.iterdir()) == []


async def test_a_token_that_is_missing_leads_to_the_portal() -> None:
    (found,) = [each async for each in look_at_discord(Config(), Secrets())]
    assert not found.well
    assert "Reset Token" in found.sentence
    assert "ZOETROPE_DISCORD_TOKEN" in found.sentence


async def test_a_token_that_is_wrong_is_the_only_finding_and_is_not_said(doctor: Doctor) -> None:
    (found,) = (await doctor.look(token="Zm9v.wrong.secret")).values()
    assert not found.well
    assert "Reset Token" in found.sentence
    assert "secret" not in found.sentence


async def test_a_discord_that_is_away_is_one_sentence(tmp_path: Path) -> None:
    async with DiscordServer().serving() as server:
        doctor = Doctor(server, tmp_path)
    (found,) = (await doctor.look()).values()
    assert not found.well
    assert server.api_base in found.sentence
    assert server.token not in found.sentence


async def test_one_question_that_fails_keeps_no_other_from_being_asked(
    doctor: Doctor, discord: DiscordServer, general: Channel
) -> None:
    discord.fail("GET /applications/{application_id}/commands", 403, code=40333)
    found = await doctor.look(general.id)
    assert [thing for thing, each in found.items() if not each.well] == ["Discord commands"]
    assert "status 403, code 40333" in found["Discord commands"].sentence


@pytest.mark.parametrize(
    ("portal", "thing", "words"),
    [
        ({"interactions_endpoint_url": "https://example.org/x"}, "application", "Interactions Endpoint URL"),
        ({"bot_require_code_grant": True}, "application", "Requires OAuth2 Code Grant"),
        ({"integration_types_config": {"1": {}}}, "installing", "Guild Install"),
    ],
)
async def test_what_the_portal_has_wrong_is_told_by_the_name_it_has_there(
    doctor: Doctor, discord: DiscordServer, portal: dict[str, Any], thing: str, words: str
) -> None:
    discord.portal = portal
    found = (await doctor.look())[f"Discord {thing}"]
    assert not found.well
    assert words in found.sentence


@pytest.mark.parametrize(
    ("portal", "thing", "words"),
    [
        ({"flags": 1 << 19 | 1 << 14}, "intents", "Server Members, Message Content"),
        ({"integration_types_config": {"0": {}}}, "installing", "User Install"),
        ({"bot_public": False}, "application", "only its owner may invite it"),
        ({"approximate_guild_count": 1}, "invite", "it is on 1 server;"),
    ],
)
async def test_what_may_be_otherwise_is_told_and_is_no_problem(
    doctor: Doctor, discord: DiscordServer, portal: dict[str, Any], thing: str, words: str
) -> None:
    discord.portal = portal
    found = (await doctor.look())[f"Discord {thing}"]
    assert found.well
    assert words in found.sentence


# --- the commands that Discord knows ---


async def start(doctor: Doctor, server: DiscordServer) -> None:
    """As far as a start tells Discord about the commands."""
    endpoints.use(doctor.config.discord)
    async with Client(intents=Intents.none()) as client:
        await client.login(server.token)
        limits = doctor.config.limits
        tree = slash.Tree(client, cast("Desk", None), menu.commands(limits), limits.prompt_chars)
        await slash.sync(tree, doctor.config.data.folder / slash.MEMORY)


async def test_commands_that_discord_was_told_are_the_menu_and_nothing_else(
    doctor: Doctor, discord: DiscordServer
) -> None:
    await start(doctor, discord)
    found = (await doctor.look())["Discord commands"]
    assert found.well
    assert f"all {len(discord.commands)}, and nothing else" in found.sentence


@pytest.mark.parametrize("change", ["missing", "changed", "strange", "narrower"])
async def test_commands_that_somebody_else_has_changed_are_told_by_name(
    doctor: Doctor, discord: DiscordServer, change: str
) -> None:
    await start(doctor, discord)
    video = next(each for each in discord.commands if each["name"] == "video")
    match change:
        case "missing":
            discord.commands.remove(video)
        case "changed":
            video["description"] = "Something else."
        case "strange":
            discord.commands.append({**video, "name": "image"})
        case "narrower":
            next(option for option in video["options"] if option["name"] == "steps")["max_value"] = 3
    found = (await doctor.look())["Discord commands"]
    assert not found.well
    expected = {"missing": "no /video", "strange": "a strange /image"}.get(change, "another /video")
    assert f"({expected})" in found.sentence
    assert slash.MEMORY in found.sentence


async def test_after_a_change_of_limits_the_next_start_tells_discord(doctor: Doctor, discord: DiscordServer) -> None:
    await start(doctor, discord)
    limits = doctor.config.limits.model_copy(update={"steps": 7})
    doctor.config = doctor.config.model_copy(update={"limits": limits})
    found = (await doctor.look())["Discord commands"]
    assert found.well
    total = len(discord.commands)
    assert f"knows {total - 2} of {total}" in found.sentence  # /video and /quota name the most steps


# --- one channel ---


@pytest.mark.parametrize(
    ("taken", "words"),
    [
        ("send_messages", "Send Messages;"),
        ("send_messages_in_threads", "Send Messages in Threads;"),
        ("attach_files", "Attach Files;"),
        ("read_message_history", "Read Message History;"),
    ],
)
async def test_what_the_bot_lacks_in_a_channel_is_told_as_the_client_calls_it(
    doctor: Doctor, discord: DiscordServer, general: Channel, taken: str, words: str
) -> None:
    await discord.take_away(general, taken)
    found = (await doctor.look(general.id))["Discord channel"]
    assert not found.well
    assert f"lacks in general: {words}" in found.sentence


async def test_a_channel_that_the_bot_does_not_see_leads_to_its_settings_and_the_invite_link(
    doctor: Doctor, discord: DiscordServer, general: Channel
) -> None:
    await discord.take_away(general, "view_channel")
    found = (await doctor.look(general.id))["Discord channel"]
    assert not found.well
    assert "View Channel" in found.sentence
    assert invite_link(int(discord.application)) in found.sentence


async def test_in_a_thread_the_right_to_write_in_threads_counts(
    doctor: Doctor, discord: DiscordServer, general: Channel
) -> None:
    thread = discord.thread(general, "ideas")
    await discord.take_away(general, "send_messages")
    assert (await doctor.look(thread.id))["Discord channel"].well
    await discord.take_away(general, "send_messages_in_threads")
    assert "Send Messages in Threads;" in (await doctor.look(thread.id))["Discord channel"].sentence


async def test_a_forum_holds_posts_and_these_are_threads(doctor: Doctor, discord: DiscordServer, guild: Guild) -> None:
    forum = discord.channel(guild, "clips", FORUM)
    await discord.take_away(forum, "send_messages")
    assert (await doctor.look(forum.id))["Discord channel"].well


async def test_a_private_conversation_needs_no_permissions(doctor: Doctor, discord: DiscordServer) -> None:
    conversation = discord.dm_of(discord.person("ann"))
    assert (await doctor.look(conversation.id))["Discord channel"].well


async def test_a_channel_that_is_not_there_is_a_problem(doctor: Doctor) -> None:
    found = (await doctor.look("4242"))["Discord channel"]
    assert not found.well
    assert "Copy Channel ID" in found.sentence


async def test_files_are_as_large_as_the_server_and_one_request_allow(doctor: Doctor, discord: DiscordServer) -> None:
    boosted = discord.channel(discord.guild("boosted", premium_tier=3), "general")
    assert "24 MiB" in (await doctor.look(boosted.id))["Discord channel"].sentence


# --- the command ---


async def test_the_command_asks_discord_and_ends_with_the_status_of_its_findings(
    zoetrope: Zoetrope, home: Path, discord: DiscordServer, general: Channel
) -> None:
    addresses = f'api_base = "{discord.api_base}"\ngateway_url = "{discord.gateway_url}"\n'
    (home / "config.toml").write_text(f"[web]\nenabled = false\n[discord]\n{addresses}")
    await discord.take_away(general, "attach_files")
    arguments = ("doctor", "--channel", general.id)  # which asks Discord as well
    done = await asyncio.to_thread(zoetrope, *arguments, ZOETROPE_DISCORD_TOKEN=discord.token)
    assert "lacks in general: Attach Files" in done.stdout
    assert invite_link(int(discord.application)) in done.stdout
    assert done.returncode == 1
    assert done.stderr == ""
    assert discord.token not in done.stdout


@pytest.mark.parametrize("id_", ["general", "-5", "9" * 21])
def test_what_is_no_id_of_a_channel_is_wrongly_asked(zoetrope: Zoetrope, id_: str) -> None:
    done = zoetrope("doctor", "--channel", id_)
    assert done.returncode == 2
    assert "Copy Channel ID" in done.stderr


# --- Telegram ---


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
