"""Discord when things go wrong: what is refused, lost, deleted, taken away; broken links; processes that are killed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from db import deliveries, gallery, queue
from db.records import Clip, DeliveryState, Job, JobState, Lease
from tests.surfaces.discord_server.bots import BotProcess, running
from tests.surfaces.discord_server.faults import Call, Window
from tests.surfaces.discord_server.server import DiscordServer
from tests.surfaces.discord_server.world import ACK_SECONDS, TOKEN_SECONDS, Channel, Message, User, flat

if TYPE_CHECKING:
    from tests.surfaces.conftest import Crew, House

EDIT = "PATCH /channels/{channel_id}/messages/{message_id}"
POST = "POST /channels/{channel_id}/messages"
HOOK_EDIT = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"
CALLBACK = "POST /interactions/{interaction_id}/{interaction_token}/callback"
CHILD = ("-P", str(Path(__file__).parent / "children" / "discord_bot.py"))
A_CLIP = b"GIF8"


def uploads(call: Call) -> bool:
    return bool(call.files)


async def ask(server: DiscordServer, user: User, channel: Channel, prompt: str = "a heart bouncing") -> Message:
    """/video, up to the card."""
    act = await server.invoke("video", {"prompt": prompt}, user=user, channel=channel)
    assert act.ack_seconds < ACK_SECONDS
    return await act.card()


async def begun(house: House) -> Lease:
    return await asyncio.wait_for(house.claim(), 10)


async def all_begun(house: House, count: int) -> list[Lease]:
    """Lease so many jobs, as many at once as wait."""
    leases: list[Lease] = []
    async with asyncio.timeout(20):
        while True:
            heard, now = house.core.database.bell.count(), house.clock()
            async with house.core.database.transaction() as tx:
                for job in await queue.waiting(tx):
                    lease = await queue.claim(tx, job.id, runner="r", now=now, until=now + 60)
                    assert lease is not None
                    leases.append(lease)
            if len(leases) >= count:
                return leases
            await house.core.database.bell.wait(heard, 5.0)


async def carries_the_clip(server: DiscordServer, card: Message) -> None:
    """Wait until the clip stands on a message."""
    await server.until(lambda: card.attachments)
    assert card.file.startswith(A_CLIP)


async def settled(house: House, job: Job) -> DeliveryState:
    """How the delivery of a job ended."""
    async with asyncio.timeout(20):
        while True:
            heard = house.core.database.bell.count()
            async with house.core.database.reading() as tx:
                (promise,) = await deliveries.of_job(tx, job.id)
            if promise.state is not DeliveryState.PROMISED:
                return promise.state
            await house.core.database.bell.wait(heard, 1.0)


async def in_gallery(house: House, clip: Clip) -> bool:
    async with house.core.database.reading() as tx:
        found = await gallery.get(tx, clip.id)
    return found is not None and not found.hidden


async def jobs(house: House) -> list[Job]:
    async with house.core.database.reading() as tx:
        return await queue.changed_since(tx, 0.0)


# --- the way of a clip ---


async def test_from_the_command_to_the_clip(discord_server: DiscordServer, crew: Crew, on_discord: House) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    assert "a heart bouncing" in card.text
    assert f"<@{crew.ann.id}>" in card.text
    assert card.pings == frozenset()
    lease = await begun(on_discord)
    await on_discord.step(lease, 1)
    await discord_server.until(lambda: "25 %" in card.text)
    await on_discord.finish(lease)
    await carries_the_clip(discord_server, card)
    assert await settled(on_discord, lease.job) is DeliveryState.SENT
    assert discord_server.messages_in(crew.general) == [card]
    assert list(card.buttons)[:1] == ["Again"]
    assert lease.job.handle.message == card.id


async def test_nothing_in_a_prompt_rings_anybody_or_breaks_the_card(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    prompt = f"a **heart** @everyone @here <@{crew.ben.id}> [here](https://example.org) ```x # y"
    card = await ask(discord_server, crew.ann, crew.general, prompt)
    await on_discord.finish(await begun(on_discord))
    await carries_the_clip(discord_server, card)
    for stood in (*card.versions, card.json()):
        drawn = "\n".join(part.get("content") or "" for part in flat(stood["components"]))
        assert re.findall(r"(?<!\\)@(?:everyone|here)|(?<!\\)\]\(|(?<!\\)```|(?<!\\)\*\*heart", drawn) == []
        assert set(re.findall(r"<@(\d+)>", drawn)) <= {crew.ann.id}
    assert discord_server.rung() == frozenset()


# --- cards that can't be edited ---


@pytest.fixture
def foreign(discord_server: DiscordServer, crew: Crew) -> Channel:
    """A channel of a server that the bot is no member of; ann brought it along."""
    crew.ann.installed = True
    return discord_server.channel(discord_server.guild("elsewhere", crew.ann, has_bot=False), "lounge")


async def test_where_the_bot_is_a_visitor_the_clip_comes_by_the_interaction_s_token(
    discord_server: DiscordServer, crew: Crew, foreign: Channel, on_discord: House
) -> None:
    card = await ask(discord_server, crew.ann, foreign)
    await on_discord.finish(await begun(on_discord))
    await carries_the_clip(discord_server, card)
    assert discord_server.messages_in(foreign) == [card]
    assert discord_server.called(EDIT) == []


async def test_an_ephemeral_card_carries_its_clip_too(
    discord_server: DiscordServer, crew: Crew, foreign: Channel, on_discord: House
) -> None:
    assert foreign.guild is not None
    await discord_server.forbid_apps(foreign)
    card = await ask(discord_server, crew.ann, foreign)
    assert card.ephemeral
    await on_discord.finish(await begun(on_discord))
    await carries_the_clip(discord_server, card)


async def test_once_the_token_has_expired_the_clip_comes_in_a_private_message(
    discord_server: DiscordServer, crew: Crew, foreign: Channel, on_discord: House
) -> None:
    await ask(discord_server, crew.ann, foreign)
    lease = await begun(on_discord)
    discord_server.advance(TOKEN_SECONDS + 1)
    await on_discord.finish(lease)
    assert await settled(on_discord, lease.job) is DeliveryState.SENT
    private = discord_server.messages_in(discord_server.dm_of(crew.ann))
    assert [message.file[:4] for message in private if message.attachments] == [A_CLIP]


async def test_who_takes_no_private_messages_finds_the_clip_in_the_gallery(
    discord_server: DiscordServer, crew: Crew, foreign: Channel, on_discord: House
) -> None:
    crew.ann.takes_dms = False
    await ask(discord_server, crew.ann, foreign)
    lease = await begun(on_discord)
    discord_server.advance(TOKEN_SECONDS + 1)
    clip = await on_discord.finish(lease)
    assert await settled(on_discord, lease.job) is DeliveryState.GIVEN_UP
    assert await in_gallery(on_discord, clip)


async def test_a_channel_that_the_bot_may_no_longer_see(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    lease = await begun(on_discord)
    discord_server.advance(TOKEN_SECONDS + 1)
    await discord_server.take_away(crew.general, "view_channel")
    await on_discord.finish(lease)
    assert await settled(on_discord, lease.job) is DeliveryState.SENT
    assert card.attachments == []
    private = discord_server.messages_in(discord_server.dm_of(crew.ann))
    assert [message.file[:4] for message in private if message.attachments] == [A_CLIP]


async def test_a_channel_where_the_bot_may_no_longer_write_keeps_its_card(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    lease = await begun(on_discord)
    discord_server.advance(TOKEN_SECONDS + 1)
    await discord_server.take_away(crew.general, "send_messages", "send_messages_in_threads")
    await on_discord.finish(lease)
    await carries_the_clip(discord_server, card)
    assert await settled(on_discord, lease.job) is DeliveryState.SENT


async def test_an_archived_thread_is_woken_by_a_new_message(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    thread = discord_server.thread(crew.general, "hearts")
    card = await ask(discord_server, crew.ann, thread)
    lease = await begun(on_discord)
    discord_server.advance(TOKEN_SECONDS + 1)
    await discord_server.archive(thread)
    await on_discord.finish(lease)
    assert await settled(on_discord, lease.job) is DeliveryState.SENT
    clips = [message for message in discord_server.messages_in(thread) if message.attachments]
    assert len(clips) == 1
    assert clips != [card]
    assert not thread.archived


async def test_a_deleted_card_is_not_posted_again(discord_server: DiscordServer, crew: Crew, on_discord: House) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    lease = await begun(on_discord)
    await discord_server.delete(card)
    clip = await on_discord.finish(lease)
    assert await settled(on_discord, lease.job) is DeliveryState.GIVEN_UP
    assert await in_gallery(on_discord, clip)
    assert discord_server.messages_in(crew.general) == []
    assert discord_server.messages_in(discord_server.dm_of(crew.ann)) == []


async def worn(server: DiscordServer, crew: Crew, house: House) -> tuple[Message, Lease]:
    """A card that Discord lets nobody edit any more, and its job."""
    server.old_edits = 0
    card = await ask(server, crew.ann, crew.general)
    lease = await begun(house)
    server.advance(3601)
    await house.step(lease, 1)
    await server.until(lambda: server.called(EDIT, 429))
    return card, lease


async def test_a_card_that_was_edited_too_often_is_left_alone_until_its_clip_comes(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    card, lease = await worn(discord_server, crew, on_discord)
    await on_discord.step(lease, 2)
    discord_server.old_edits = 1
    await on_discord.finish(lease)
    await carries_the_clip(discord_server, card)
    assert len(discord_server.called(EDIT, 429)) == 1


async def test_a_card_that_not_even_its_clip_may_change_is_followed_by_another(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    card, lease = await worn(discord_server, crew, on_discord)
    await on_discord.finish(lease)
    assert await settled(on_discord, lease.job) is DeliveryState.SENT
    assert card.attachments == []
    assert [message.file[:4] for message in discord_server.messages_in(crew.general)[1:2]] == [A_CLIP]


# --- files ---


async def test_a_file_that_is_too_large_is_made_smaller(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    discord_server.fail(EDIT, 413, code=40005, message="Request entity too large", only=uploads)
    card = await ask(discord_server, crew.ann, crew.general)
    lease = await begun(on_discord)
    await on_discord.finish(lease)
    await discord_server.until(lambda: card.attachments, 30)
    refused, taken = (len(file) for call in discord_server.calls for _, file in call.files.values())
    assert taken < refused


async def test_a_page_that_says_too_large_means_the_same(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    discord_server.fail(EDIT, 413, html=True, only=uploads)
    card = await ask(discord_server, crew.ann, crew.general)
    await on_discord.finish(await begun(on_discord))
    await discord_server.until(lambda: card.attachments, 30)


async def test_an_upload_that_is_throttled_arrives_once(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    lease = await begun(on_discord)
    fault = discord_server.throttle(EDIT, 0.05, times=2, only=uploads)
    await on_discord.finish(lease)
    await carries_the_clip(discord_server, card)
    assert fault.hits == 2
    assert discord_server.messages_in(crew.general) == [card]


@pytest.mark.parametrize("after", [False, True])
async def test_a_connection_that_breaks_during_the_upload_leads_to_no_second_message(
    discord_server: DiscordServer, crew: Crew, on_discord: House, after: bool
) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    lease = await begun(on_discord)
    fault = discord_server.drop(EDIT, after=after, only=uploads)
    await on_discord.finish(lease)
    assert await settled(on_discord, lease.job) is DeliveryState.SENT
    assert fault.hits == 1
    assert card.file.startswith(A_CLIP)
    assert discord_server.messages_in(crew.general) == [card]


@pytest.mark.parametrize("status", [500, 502])
async def test_an_error_after_the_effect_leads_to_no_second_card(
    discord_server: DiscordServer, crew: Crew, on_discord: House, status: int
) -> None:
    discord_server.fail(HOOK_EDIT, status, after=True, html=status == 502)
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    lease = await begun(on_discord)
    await on_discord.finish(lease)
    await carries_the_clip(discord_server, act.reply)
    assert discord_server.messages_in(crew.general) == [act.reply]


# --- the link ---


async def test_a_lost_acknowledgement_is_given_again(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    discord_server.drop(CALLBACK, after=True)
    card = await ask(discord_server, crew.ann, crew.general)
    await on_discord.finish(await begun(on_discord))
    await carries_the_clip(discord_server, card)
    assert len(await jobs(on_discord)) == 1


async def test_a_dropped_gateway_is_resumed_and_work_goes_on_meanwhile(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    lease = await begun(on_discord)
    discord_server.gateway.drop()
    await on_discord.finish(lease)
    await carries_the_clip(discord_server, card)
    await discord_server.until(lambda: discord_server.gateway.resumes)
    assert discord_server.gateway.identifies == 1
    await ask(discord_server, crew.ben, crew.general)


async def test_a_malformed_dispatch_costs_the_link_and_nothing_else(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    lease = await begun(on_discord)
    await discord_server.gateway.dispatch_raw("INTERACTION_CREATE", {"id": "1"})
    await on_discord.finish(lease)
    await carries_the_clip(discord_server, card)
    await discord_server.until(lambda: discord_server.gateway.identifies == 2 and discord_server.gateway.connected)
    await ask(discord_server, crew.ben, crew.general)


# --- many at once ---


async def test_fifty_commands_at_once_are_each_acknowledged_in_time(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    people = [discord_server.join(crew.guild, f"person{number}") for number in range(50)]
    async with asyncio.TaskGroup() as group:
        for person in people:
            group.create_task(ask(discord_server, person, crew.general))
    acts = list(discord_server.interactions.values())
    assert len(acts) == 50
    assert [act for act in acts if act.late or act.ack_seconds >= ACK_SECONDS] == []
    assert len(await all_begun(on_discord, 50)) == 50


@pytest.mark.slow
async def test_a_hundred_running_cards_draw_no_storm(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    discord_server.global_limit = Window(50)
    discord_server.limits = {EDIT: (5, 5.0), POST: (5, 5.0), HOOK_EDIT: (5, 2.0)}
    people = [discord_server.join(crew.guild, f"person{number}") for number in range(100)]
    async with asyncio.TaskGroup() as group:
        for person in people:
            group.create_task(ask(discord_server, person, crew.general))
    leases = await all_begun(on_discord, 100)
    before = len(discord_server.called(EDIT))
    for step in (1, 2, 3):
        for lease in leases:
            await on_discord.step(lease, step)
    await discord_server.until(lambda: len(discord_server.called(EDIT)) >= before + 2, 30)
    assert [call for call in discord_server.calls if call.status == 429] == []
    drawn = [call.path for call in discord_server.called(EDIT)[before:]]
    assert len(drawn) < 20, "redraws of one channel are merged"


@pytest.fixture
def two_shards(discord_server: DiscordServer, crew: Crew) -> Channel:
    """Discord asks for two links; a channel of a server that belongs to the other one."""
    discord_server.rest.shards = 2
    while True:
        discord_server.advance(0.001)
        guild = discord_server.guild("other", crew.ann)
        if (int(guild.id) >> 22) % 2 != (int(crew.guild.id) >> 22) % 2:
            return discord_server.channel(guild, "general")


@pytest.mark.slow
async def test_as_many_links_as_discord_asks_for_are_opened(
    discord_server: DiscordServer, crew: Crew, two_shards: Channel, on_discord: House
) -> None:
    await discord_server.gateway.until_connected(2)
    for channel in (crew.general, two_shards):
        card = await ask(discord_server, crew.ann, channel)
        await on_discord.finish(await begun(on_discord))
        await carries_the_clip(discord_server, card)


# --- buttons ---


async def test_a_double_click_on_again_makes_one_clip(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    await on_discord.finish(await begun(on_discord))
    await discord_server.until(lambda: "Again" in card.buttons)
    async with asyncio.TaskGroup() as group:
        clicks = [group.create_task(discord_server.click(card, "Again")) for _ in range(2)]
    assert all(click.result().ack_seconds < ACK_SECONDS for click in clicks)
    await discord_server.until(lambda: len(discord_server.messages_in(crew.general)) >= 2)
    await begun(on_discord)
    assert len(await jobs(on_discord)) == 2


async def test_nobody_cancels_what_somebody_else_asked_for(
    discord_server: DiscordServer, crew: Crew, on_discord: House
) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    await begun(on_discord)
    act = await discord_server.click(card, "Cancel", user=crew.ben)
    assert (await act.whisper()).ephemeral
    assert [job.state for job in await jobs(on_discord)] == [JobState.RENDERING]


# --- processes that are killed ---


@pytest.fixture
async def child(discord_server: DiscordServer, crew: Crew, workshop: House) -> AsyncIterator[BotProcess]:
    """The bot in a process of its own, on the folder of the workshop."""
    async with running(discord_server, workshop.folder, CHILD) as bot:
        yield bot


async def test_killed_between_card_and_enqueue(
    discord_server: DiscordServer, crew: Crew, workshop: House, child: BotProcess
) -> None:
    shown = discord_server.hold(HOOK_EDIT, after=True)
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    await asyncio.wait_for(shown.met.wait(), 10)
    await child.kill()
    shown.release()
    assert await jobs(workshop) == []
    await child.start()
    lease = await begun(workshop)
    await workshop.finish(lease)
    await carries_the_clip(discord_server, act.reply)
    assert discord_server.messages_in(crew.general) == [act.reply]
    assert len(await jobs(workshop)) == 1


async def test_killed_while_rendering(
    discord_server: DiscordServer, crew: Crew, workshop: House, child: BotProcess
) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    lease = await begun(workshop)
    await child.kill()
    await workshop.step(lease, 2)
    await child.start()
    await discord_server.until(lambda: "50 %" in card.text)
    await workshop.finish(lease)
    await carries_the_clip(discord_server, card)
    assert discord_server.messages_in(crew.general) == [card]


async def test_killed_between_upload_and_receipt(
    discord_server: DiscordServer, crew: Crew, workshop: House, child: BotProcess
) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    uploaded = discord_server.hold(EDIT, after=True, only=uploads)
    lease = await begun(workshop)
    await workshop.finish(lease)
    await asyncio.wait_for(uploaded.met.wait(), 10)
    await child.kill()
    uploaded.release()
    assert card.file.startswith(A_CLIP)
    await child.start()
    assert await settled(workshop, lease.job) is DeliveryState.SENT
    assert card.file.startswith(A_CLIP)
    assert discord_server.messages_in(crew.general) == [card]


@pytest.mark.slow
async def test_the_whole_of_it_is_killed_while_rendering_and_the_clip_comes_once(
    discord_server: DiscordServer, crew: Crew, tmp_path: Path
) -> None:
    async with running(discord_server, tmp_path / "data") as bot:
        act = await discord_server.invoke(
            "video", {"prompt": "a heart", "steps": 16}, user=crew.ann, channel=crew.general
        )
        card = await act.card()
        await discord_server.until(lambda: " %" in card.text, 60)
        await bot.kill()
        await bot.start()
        await discord_server.until(lambda: card.attachments, 90)
        assert card.file.startswith(A_CLIP)
        assert discord_server.messages_in(crew.general) == [card]
