"""Discord that says less than usual, or says it otherwise; and people who send what no client of theirs would."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from db import places, queue
from db.records import Job, PlaceSettings
from tests.surfaces.discord_server.world import ACK_SECONDS, FORUM, TOKEN_SECONDS, Channel, Message, User, flat

if TYPE_CHECKING:
    from tests.surfaces.conftest import Crew, House
    from tests.surfaces.discord_server.faults import Call
    from tests.surfaces.discord_server.server import DiscordServer

EDIT = "PATCH /channels/{channel_id}/messages/{message_id}"
HOOK = "POST /webhooks/{webhook_id}/{webhook_token}"
HOOK_EDIT = "PATCH /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"
HOOK_GET = "GET /webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"
CALLBACK = "POST /interactions/{interaction_id}/{interaction_token}/callback"


async def ask(server: DiscordServer, user: User, channel: Channel, **options: object) -> Message:
    act = await server.invoke("video", {"prompt": "a heart", **options}, user=user, channel=channel)
    return await act.card()


async def finished(house: House, server: DiscordServer, card: Message) -> Job:
    """The oldest waiting job is rendered; returns when its clip stands on the card."""
    lease = await asyncio.wait_for(house.claim(), 10)
    await house.finish(lease)
    await server.until(lambda: card.attachments, 20)
    return lease.job


# --- answers that say nothing ---


async def test_an_acknowledgement_that_tells_no_message_is_one(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    discord_server.mute.add(CALLBACK)
    card = await ask(discord_server, crew.ann, crew.general)
    assert (await finished(on_discord, discord_server, card)).handle.message == card.id
    assert discord_server.messages_in(crew.general) == [card]


async def test_a_window_that_is_taken_without_a_word_keeps_what_was_typed(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    discord_server.mute.add(CALLBACK)
    act = await discord_server.invoke("video", {"seed": 11}, user=crew.ann, channel=crew.general)
    await (await discord_server.submit(act, {"prompt": "a boat"})).card()
    spec = (await asyncio.wait_for(on_discord.claim(), 10)).job.spec
    assert (spec.prompt, spec.seed) == ("a boat", 11)


async def test_a_message_whose_id_is_not_told_is_found_by_filling_it(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    discord_server.mute.add(CALLBACK)
    discord_server.fail(HOOK_GET, 404, code=10008, times=9)
    card = await ask(discord_server, crew.ann, crew.general)
    assert "a heart" in card.text
    assert (await finished(on_discord, discord_server, card)).handle.message == card.id
    assert discord_server.messages_in(crew.general) == [card]


async def test_edits_that_are_answered_with_nothing_are_done_once(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    discord_server.mute |= {EDIT, HOOK_EDIT}
    card = await ask(discord_server, crew.ann, crew.general)
    job = await finished(on_discord, discord_server, card)
    assert job.handle.message == card.id
    assert len([call for call in discord_server.called(EDIT) if call.files]) == 1


async def test_a_window_whose_answer_is_lost_keeps_what_was_typed(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    discord_server.drop(CALLBACK, after=True)
    act = await discord_server.invoke("video", {"seed": 11}, user=crew.ann, channel=crew.general)
    await discord_server.until(lambda: len(discord_server.called(CALLBACK)) == 2)
    card = await (await discord_server.submit(act, {"prompt": "a boat"})).card()
    assert "a boat" in card.text


async def test_who_presses_is_told_although_the_answer_to_the_sign_was_lost(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    discord_server.drop(CALLBACK, after=True)
    act = await discord_server.click(card, "Cancel", user=crew.ben)
    assert (await act.whisper()).ephemeral


# --- interactions that leave something out ---


@pytest.mark.parametrize(
    "untold", ["app_permissions", "authorizing_integration_owners", "context", "locale", "guild_locale", "guild"]
)
async def test_what_an_interaction_does_not_tell_is_no_reason_to_lose_the_card(
    on_discord: House, discord_server: DiscordServer, crew: Crew, untold: str
) -> None:
    discord_server.untold.add(untold)
    card = await ask(discord_server, crew.ann, crew.general)
    discord_server.advance(TOKEN_SECONDS + 1)
    job = await finished(on_discord, discord_server, card)
    assert job.handle.address.place == crew.guild.id


async def test_a_conversation_is_known_without_its_context(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    discord_server.untold |= {"context", "authorizing_integration_owners"}
    talk = discord_server.dm_of(crew.ann)
    card = await ask(discord_server, crew.ann, talk)
    discord_server.advance(TOKEN_SECONDS + 1)
    assert (await finished(on_discord, discord_server, card)).handle.address.place == f"dm{talk.id}"


# --- places ---


@pytest.mark.parametrize("kind", ["thread", "post"])
async def test_a_thread_belongs_to_the_channel_where_it_may_be_used(
    on_discord: House, discord_server: DiscordServer, crew: Crew, kind: str
) -> None:
    above = crew.general if kind == "thread" else discord_server.channel(crew.guild, "ideas", FORUM)
    other = discord_server.channel(crew.guild, "other")
    async with on_discord.core.database.transaction() as tx:
        await places.put(tx, "discord", crew.guild.id, PlaceSettings(threads=(above.id,)), on_discord.clock())

    assert "Cancel" in (await ask(discord_server, crew.ann, discord_server.thread(above, "hearts"))).buttons
    assert "Cancel" not in (await ask(discord_server, crew.ann, discord_server.thread(other, "hearts"))).buttons


# --- who is rung ---


async def test_a_reply_in_a_server_of_others_rings_the_asker_and_nobody_else(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    crew.ann.installed = True
    place = discord_server.channel(discord_server.guild("elsewhere", crew.ann, has_bot=False), "talk")
    card = await ask(discord_server, crew.ann, place)
    discord_server.advance(120)
    await finished(on_discord, discord_server, card)
    (call,) = await discord_server.until(lambda: discord_server.called(HOOK))
    rules = call.body["allowed_mentions"]
    assert not rules.get("parse")
    assert [str(one) for one in rules["users"]] == [crew.ann.id]


async def test_every_message_says_whom_it_may_ring(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    card = await ask(discord_server, crew.ann, crew.general, prompt="@everyone @here")
    await finished(on_discord, discord_server, card)
    await discord_server.click(card, "Delete", user=crew.ben)
    await discord_server.until(lambda: discord_server.called(HOOK))
    written = [call.body for call in discord_server.calls if call.route in {EDIT, HOOK, HOOK_EDIT}]
    assert [body for body in written if (body.get("allowed_mentions") or {}).get("parse") != []] == []
    drawn = "\n".join(part.get("content") or "" for body in written for part in flat(body.get("components") or []))
    assert "@everyone" not in drawn
    assert "@here" not in drawn


# --- patience ---


@pytest.mark.parametrize("told", [{"retry_after": 3000.0}, {}], ids=["for hours", "for nobody knows how long"])
async def test_a_card_that_was_edited_too_often_does_not_stop_its_channel(
    on_discord: House, discord_server: DiscordServer, crew: Crew, told: dict[str, Any]
) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    lease = await asyncio.wait_for(on_discord.claim(), 10)
    fault = discord_server.fail(
        EDIT, 429, code=30046, message="Too many edits", times=9, only=lambda call: call.path.endswith(card.id)
    )
    assert fault.error is not None
    fault.error.body |= told
    await on_discord.step(lease, 1)
    await asyncio.wait_for(fault.met.wait(), 10)

    other = await ask(discord_server, crew.ben, crew.general)
    await on_discord.step(await asyncio.wait_for(on_discord.claim(), 10), 2)
    await discord_server.until(lambda: "50 %" in other.text, 20)
    assert fault.hits == 1
    discord_server.stop_faults()
    await on_discord.finish(lease)
    await discord_server.until(lambda: card.attachments, 20)


async def test_a_long_wait_is_left_to_the_loops(on_discord: House, discord_server: DiscordServer, crew: Crew) -> None:
    discord_server.throttle(HOOK_EDIT, 3600.0)
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    await discord_server.until(lambda: discord_server.called(HOOK_EDIT, 429))
    await on_discord.core.commands.take_up()
    assert "a heart" in (await act.card()).text


# --- a server with a filter of its own ---


def with_a_heart(call: Call) -> bool:
    return any("a heart" in (part.get("content") or "") for part in flat((call.body or {}).get("components") or []))


async def test_words_that_a_server_blocks_make_no_clip_and_the_asker_is_told(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    discord_server.fail(HOOK_EDIT, 400, code=200000, message="Blocked", times=9, only=with_a_heart)
    card = await ask(discord_server, crew.ann, crew.general)
    assert len(card.text) > 20
    async with on_discord.core.database.reading() as tx:
        assert await queue.waiting(tx) == []


async def test_words_that_are_blocked_later_are_left_out_of_the_end(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    lease = await asyncio.wait_for(on_discord.claim(), 10)
    discord_server.fail(EDIT, 400, code=200000, message="Blocked", times=99, only=with_a_heart)
    await on_discord.finish(lease)
    await discord_server.until(lambda: "Cancel" not in card.buttons)
    assert "a heart" not in card.text
    assert card.attachments == []


# --- in time ---


async def test_the_sign_comes_first_however_busy_the_database_is(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    async with on_discord.core.database.transaction():
        acts = [
            await discord_server.invoke("video", {"prompt": "a boat"}, user=crew.ann, channel=crew.general),
            await discord_server.invoke("video", {}, user=crew.ann, channel=crew.general),
            await discord_server.invoke("settings", {"notify": "off"}, user=crew.ann, channel=crew.general),
            await discord_server.click(card, "Cancel"),
        ]
    assert [act for act in acts if act.late or act.ack_seconds >= ACK_SECONDS] == []
    assert "a boat" in (await acts[0].card()).text


# --- the link ---


@pytest.fixture
def proxy(discord_server: DiscordServer) -> None:
    """Discord tells an address that only those reach who have no proxy in between."""
    discord_server.gateway.resume_url = "ws://127.0.0.1:9/nobody-listens-here"


async def test_a_session_goes_on_through_the_proxy_that_is_configured(
    proxy: None, on_discord: House, discord_server: DiscordServer
) -> None:
    discord_server.gateway.drop()
    await discord_server.until(lambda: discord_server.gateway.resumes)


async def test_what_was_heard_just_before_the_link_broke_is_answered(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    dispatch = discord_server.gateway.dispatch

    async def and_then_nonsense(event: str, data: Any, channel: Any = None, intent: int = 0) -> None:
        await dispatch(event, data, channel, intent)
        await discord_server.gateway.dispatch_raw("INTERACTION_CREATE", {"id": "1"})

    discord_server.gateway.dispatch = and_then_nonsense  # type: ignore[method-assign]
    held = discord_server.hold(HOOK_EDIT)
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    discord_server.gateway.dispatch = dispatch  # type: ignore[method-assign]
    await discord_server.until(lambda: discord_server.gateway.identifies == 2 and discord_server.gateway.connected)
    held.release()
    assert "a heart" in (await act.card()).text
    await ask(discord_server, crew.ben, crew.general)
    assert [(await asyncio.wait_for(on_discord.claim(), 10)).job.asker.id for _ in range(2)] == [
        crew.ann.id,
        crew.ben.id,
    ]


# --- people ---


async def test_a_window_that_comes_back_in_rows_is_read_too(
    on_discord: House, discord_server: DiscordServer, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = await discord_server.invoke("video", {}, user=crew.ann, channel=crew.general)
    assert act.modal is not None
    field = next(part for part in flat(act.modal["components"]) if part["type"] == 4)
    act.modal["components"] = [{"type": 1, "components": [field]}]
    card = await (await discord_server.submit(act, {"prompt": "a boat"})).card()
    assert "a boat" in card.text


async def test_nobody_takes_over_somebody_elses_draft(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    act = await discord_server.invoke("video", {}, user=crew.ann, channel=crew.general)
    forged = replace(act, user=crew.ben)
    taken = await (await discord_server.submit(forged, {"prompt": "a trap"})).card()
    card = await (await discord_server.submit(act, {"prompt": "a boat"})).card()
    assert "a boat" in card.text
    assert "a boat" not in taken.text


async def test_a_button_that_is_none_of_ours_is_answered(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    card = await ask(discord_server, crew.ann, crew.general)
    next(part for part in flat(card.components) if part["type"] == 2)["custom_id"] = "from another time"
    act = await discord_server.click(card, "from another time")
    assert act.reply.ephemeral
