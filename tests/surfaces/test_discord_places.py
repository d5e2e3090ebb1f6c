"""Discord's places: threads, conversations, servers the bot is no member of; what fits there, and who hears of it."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from discord import http

from bot import menu
from bot.cards import Card
from bot.port import Unreachable
from bot.surfaces.discord import slash
from bot.surfaces.discord.desk import Desk
from bot.surfaces.discord.gateway import logged_in
from bot.surfaces.discord.rest import Rest
from bot.surfaces.discord.surface import DiscordSurface
from bot.surfaces.discord.ways import Ways
from db import queue, quotas, requests
from db.database import Database
from db.records import Address, Job
from tests.surfaces.discord_server.world import FORUM, GROUP, TOKEN_SECONDS, Channel, Message, User
from tests.surfaces.discord_stand import config_for

if TYPE_CHECKING:
    from tests.surfaces.conftest import Crew, House
    from tests.surfaces.discord_server.server import DiscordServer

MIB = 2**20


async def ask(server: DiscordServer, user: User, channel: Channel, **options: object) -> Message:
    act = await server.invoke("video", {"prompt": "a heart", **options}, user=user, channel=channel)
    return await act.card()


async def finished(house: House, server: DiscordServer, card: Message) -> Job:
    """The oldest waiting job is rendered; returns when its clip stands on the card."""
    lease = await house.claim()
    await house.finish(lease)
    await server.until(lambda: card.attachments)
    return lease.job


async def failed(house: House, reason: str) -> None:
    """The oldest waiting job is tried and can't be made."""
    lease = await house.claim()
    async with house.core.database.transaction() as tx:
        await queue.fail(tx, lease, reason, house.core.commands.clock(), again=False, attempts=1)
        await quotas.release(tx, lease.job.id)


# --- where it works ---


async def test_it_works_in_threads_and_forum_posts(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    forum = discord_server.channel(crew.guild, "ideas", FORUM)
    for place in (discord_server.thread(crew.general, "hearts"), discord_server.thread(forum, "a post")):
        card = await ask(discord_server, crew.ann, place)
        job = await finished(on_discord, discord_server, card)
        assert (job.handle.address.place, job.handle.address.thread) == (crew.guild.id, place.id)


async def test_it_works_in_a_conversation_with_the_bot(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    talk = discord_server.dm_of(crew.ann)
    card = await ask(discord_server, crew.ann, talk)
    job = await finished(on_discord, discord_server, card)
    assert job.handle.address == Address("discord", f"dm{talk.id}", talk.id)

    gallery = await (await discord_server.invoke("gallery", {}, user=crew.ben, channel=crew.general)).card()
    assert "a heart" not in gallery.text
    own = await (await discord_server.invoke("gallery", {}, user=crew.ann, channel=talk)).card()
    assert "a heart" in own.text


@pytest.mark.parametrize("kind", ["group", "foreign server"])
async def test_people_bring_it_along_to_where_the_bot_is_not(
    on_discord: House, discord_server: DiscordServer, crew: Crew, kind: str
) -> None:
    crew.ann.installed = True
    if kind == "group":
        place = discord_server.conversation(crew.ann, crew.ben, kind=GROUP, with_bot=False)
    else:
        place = discord_server.channel(discord_server.guild("elsewhere", crew.ann, has_bot=False), "talk")

    card = await ask(discord_server, crew.ann, place)
    job = await finished(on_discord, discord_server, card)
    assert job.handle.address.place == f"user{place.id}"


async def test_an_age_restricted_channel_is_known_as_one(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    night = discord_server.channel(crew.guild, "night", nsfw=True)
    thread = discord_server.thread(night, "late")
    await discord_server.invite(crew.guild)  # so that the bot hears of both
    for place, restricted in ((crew.general, False), (night, True), (thread, True)):
        act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=place)
        await act.card()
        async with on_discord.core.database.reading() as tx:
            request = await requests.get(tx, "discord", act.id)
        assert request is not None
        assert request.circumstances.age_restricted is restricted
        assert not request.circumstances.private


async def test_moderators_say_in_which_channels_it_may_be_used(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    crew.guild.members[crew.ben.id].append(discord_server.role(crew.guild, "mods", "manage_guild"))
    clips = discord_server.channel(crew.guild, "clips")
    act = await discord_server.invoke("zoetrope settings", {"channels": "here"}, user=crew.ben, channel=clips)
    await act.card()

    assert "Cancel" not in (await ask(discord_server, crew.ann, crew.general)).buttons
    assert "Cancel" in (await ask(discord_server, crew.ann, clips)).buttons


async def test_a_configured_role_moderates_too(on_discord: House, discord_server: DiscordServer, crew: Crew) -> None:
    helpers = discord_server.role(crew.guild, "helpers")
    crew.guild.members[crew.ben.id].append(helpers)
    act = await discord_server.invoke(
        "zoetrope settings", {"moderators": helpers.id}, user=crew.guild.owner, channel=crew.general
    )
    await act.card()

    card = await ask(discord_server, crew.ann, crew.general)
    await discord_server.click(card, "Cancel", user=crew.ben)
    await discord_server.until(lambda: "Cancel" not in card.buttons)


# --- the ways to a card ---


async def test_a_press_opens_the_way_to_a_card_again(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    crew.ann.installed = True
    place = discord_server.channel(discord_server.guild("elsewhere", crew.ann, has_bot=False), "talk")
    card = await ask(discord_server, crew.ann, place)

    discord_server.advance(TOKEN_SECONDS + 60)
    await discord_server.click(card, "Cancel")
    await discord_server.until(lambda: "Again" in card.buttons)


async def test_an_end_that_can_not_be_drawn_any_more_is_told_in_private(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    crew.ann.installed = True
    place = discord_server.channel(discord_server.guild("elsewhere", crew.ann, has_bot=False), "talk")
    card = await ask(discord_server, crew.ann, place)

    discord_server.advance(TOKEN_SECONDS + 60)
    await failed(on_discord, "The generator ran out of memory; please ask for fewer frames.")
    talk = discord_server.dm_of(crew.ann)
    (told,) = await discord_server.until(lambda: discord_server.messages_in(talk))
    assert "ran out of memory" in told.text
    assert "in private" in told.text
    assert "Again" in told.buttons
    assert "Cancel" in card.buttons


async def test_under_an_old_card_a_short_reply_mentions_the_asker_and_nobody_else(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    act = await discord_server.invoke(
        "video", {"prompt": f"a heart for @everyone and <@{crew.ben.id}>"}, user=crew.ann, channel=crew.general
    )
    card = await act.card()
    discord_server.advance(120)
    await finished(on_discord, discord_server, card)

    await discord_server.until(lambda: len(discord_server.messages_in(crew.general)) == 2)
    reply = discord_server.messages_in(crew.general)[1]
    assert reply.reply_to is card
    assert reply.pings == {crew.ann.id}


async def test_who_wants_no_reply_gets_none(on_discord: House, discord_server: DiscordServer, crew: Crew) -> None:
    act = await discord_server.invoke("settings", {"notify": "off"}, user=crew.ann, channel=crew.general)
    await act.card()
    card = await ask(discord_server, crew.ann, crew.general)
    discord_server.advance(120)
    await finished(on_discord, discord_server, card)

    second = await ask(discord_server, crew.ben, crew.general)
    await finished(on_discord, discord_server, second)
    standing = [one for one in discord_server.messages_in(crew.general) if not one.ephemeral]
    assert standing == [card, second]


# --- how much fits ---


async def test_limits_follow_the_server_and_what_is_heard_of_a_place(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    surface = on_discord.core.surfaces["discord"]
    boosted = discord_server.guild("boosted", crew.ann, premium_tier=2)
    channel = discord_server.channel(boosted, "clips")
    await discord_server.invite(boosted)
    await ask(discord_server, crew.ann, channel)

    async def most(place: str) -> int:
        return (await surface.limits(Address("discord", place, "1"))).upload_bytes

    assert await most(crew.guild.id) == 10 * MIB
    assert 10 * MIB < await most(boosted.id) < 25 * MIB
    discord_server.announced_limit = 8 * MIB
    await ask(discord_server, crew.ann, crew.general)
    assert await most(crew.guild.id) == 8 * MIB
    assert await most("user1") == 10 * MIB


# --- what is told to Discord, and what to the log ---


async def test_discord_is_told_about_the_commands_only_when_they_change(
    on_discord: House, discord_server: DiscordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, core = tmp_path / "told", on_discord.core
    async with logged_in(discord_server.token) as client, asyncio.TaskGroup() as crew:
        rest = Rest()
        ways = Ways(rest, core.database, time.time, lambda _: 1)
        desk = Desk(core.commands, core.answers, rest, ways, time.time, crew, lambda _address, _bytes: None)
        tree = slash.Tree(client, desk, menu.COMMANDS, prompt_chars=500)
        assert await slash.sync(tree, memory)
        assert not await slash.sync(tree, memory)

        with monkeypatch.context() as elsewhere:
            mark = await slash.mark_of(tree)
            elsewhere.setattr(http.Route, "BASE", "http://127.0.0.1:9/api/v10")
            assert await slash.mark_of(tree) != mark

        tree.remove_command("privacy")
        assert await slash.sync(tree, memory)
    assert "privacy" not in {command["name"] for command in discord_server.commands}


async def test_neither_prompts_nor_tokens_reach_the_log(
    on_discord: House, discord_server: DiscordServer, crew: Crew, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        act = await discord_server.invoke(
            "video", {"prompt": "a very secret heart"}, user=crew.ann, channel=crew.general
        )
        card = await act.card()
        await finished(on_discord, discord_server, card)
    told = "\n".join(
        f"{record.name} {record.getMessage()}" for record in caplog.records if "aiosqlite" not in record.name
    )
    assert "secret heart" not in told
    assert act.token not in told
    assert discord_server.token not in told


class Bell(logging.Handler):
    """Rings when something with the wanted action is logged."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.rung = action, asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "action", "") == self.action:
            self.rung.set()


async def test_a_refused_token_is_told_to_the_operator_and_nothing_is_lost(
    discord_server: DiscordServer, database: Database, tmp_path: Path
) -> None:
    bell = Bell("discord_token_refused")
    logging.getLogger("bot.surfaces.discord.gateway").addHandler(bell)
    surface = DiscordSurface(config_for(discord_server), "wrong", database, tmp_path, time.time)
    running = asyncio.create_task(surface.run())
    try:
        await asyncio.wait_for(bell.rung.wait(), 10)
        with pytest.raises(Unreachable):
            await surface.show(Address("discord", "1", "2"), Card("a heart", "Next in line."), "1")
    finally:
        logging.getLogger("bot.surfaces.discord.gateway").removeHandler(bell)
        running.cancel()
        await asyncio.wait([running])
