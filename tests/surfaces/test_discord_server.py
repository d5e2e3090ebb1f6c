"""The loopback Discord itself: the real client gets on with it, and it notices what the real one would notice."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands, gateway, http

from tests.surfaces.discord_server.contract import NOT_CHECKED, Contract, contract
from tests.surfaces.discord_server.people import CannotDo
from tests.surfaces.discord_server.server import DiscordServer
from tests.surfaces.discord_server.world import ACK_SECONDS, Channel, Guild, Message, User

MESSAGES = "POST /channels/{channel_id}/messages"
EDITS = "PATCH /channels/{channel_id}/messages/{message_id}"
CALLBACKS = "POST /interactions/{interaction_id}/{interaction_token}/callback"


@dataclass
class Place:
    """A server with two people in it."""

    guild: Guild
    general: Channel
    ann: User
    ben: User


@pytest.fixture
def place(discord_server: DiscordServer) -> Place:
    ann, ben = discord_server.person("ann"), discord_server.person("ben")
    guild = discord_server.guild("crew", ann, ben)
    return Place(guild, discord_server.channel(guild, "general"), ann, ben)


class Bot(discord.Client):
    """A small bot: one command of each kind, which a test may replace."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.default())
        self.tree = app_commands.CommandTree(self)
        self.answering: Callable[[discord.Interaction], Awaitable[object]] = self.echo
        self._connection.guild_ready_timeout = 0.01
        self.add_commands()

    async def echo(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"You said {interaction.namespace.words}.")

    def add_commands(self) -> None:
        @self.tree.command(name="say", description="Says it again")
        @app_commands.allowed_installs(guilds=True, users=True)
        async def say(interaction: discord.Interaction, words: app_commands.Range[str, 1, 100] = "nothing") -> None:
            await self.answering(interaction)

        @say.autocomplete("words")
        async def complete(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=f"{typed}!", value=typed)]

        @self.tree.context_menu(name="Say this")
        async def say_this(interaction: discord.Interaction, message: discord.Message) -> None:
            await interaction.response.send_message(message.content, ephemeral=True)

    async def setup_hook(self) -> None:
        await self.tree.sync()


@dataclass
class Run:
    """The client while it runs."""

    bot: Bot
    task: asyncio.Task[None] = field(repr=False)


@pytest.fixture
async def run(discord_server: DiscordServer, place: Place, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Run]:
    """discord.py, logged in."""
    monkeypatch.setattr(http.Route, "BASE", discord_server.api_base)
    monkeypatch.setattr(gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(discord_server.gateway_url))
    bot = Bot()
    task = asyncio.create_task(bot.start(discord_server.token))
    await discord_server.gateway.until_connected()
    async with asyncio.timeout(10):
        await bot.wait_until_ready()
    yield Run(bot, task)
    await bot.close()
    await asyncio.wait([task])


def text_channel(run: Run, place: Place) -> discord.TextChannel:
    channel = run.bot.get_channel(int(place.general.id))
    assert isinstance(channel, discord.TextChannel)
    return channel


# --- the real client ---


async def test_the_client_logs_in_and_sees_its_servers(discord_server: DiscordServer, run: Run, place: Place) -> None:
    assert [guild.name for guild in run.bot.guilds] == ["crew"]
    assert text_channel(run, place).permissions_for(run.bot.guilds[0].me).attach_files
    assert [command["name"] for command in discord_server.commands] == ["say", "Say this"]


async def test_a_command_is_answered(discord_server: DiscordServer, run: Run, place: Place) -> None:
    act = await discord_server.invoke("say", {"words": "hello"}, user=place.ann, channel=place.general)
    assert act.reply.text == "You said hello."
    assert 0 <= act.ack_seconds < ACK_SECONDS


async def test_options_are_what_the_client_offers(discord_server: DiscordServer, run: Run, place: Place) -> None:
    for name, options in (("shout", {}), ("say", {"loudness": 3}), ("say", {"words": "x" * 101})):
        with pytest.raises(CannotDo):
            await discord_server.invoke(name, options, user=place.ann, channel=place.general)


async def test_autocomplete_and_the_context_menu(discord_server: DiscordServer, run: Run, place: Place) -> None:
    assert await discord_server.autocomplete("say", "words", "he", user=place.ann, channel=place.general) == ["he!"]
    said = await discord_server.say("a heart", user=place.ben, channel=place.general)
    act = await discord_server.invoke_on("Say this", said, user=place.ann)
    assert (act.reply.text, act.reply.ephemeral) == ("a heart", True)


async def test_buttons_and_modals(discord_server: DiscordServer, run: Run, place: Place) -> None:
    class Asking(discord.ui.Modal, title="Other words"):
        words: discord.ui.TextInput[Asking] = discord.ui.TextInput(label="Words", default="a heart")

        async def on_submit(self, interaction: discord.Interaction) -> None:
            await interaction.response.edit_message(content=f"Now {self.words.value}.", view=None)

    class Buttons(discord.ui.View):
        @discord.ui.button(label="Edit")
        async def edit(self, interaction: discord.Interaction, button: discord.ui.Button[Buttons]) -> None:
            await interaction.response.send_modal(Asking())

    remembered = asyncio.Event()

    async def answer(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("A heart.", view=Buttons(timeout=None))
        remembered.set()

    run.bot.answering = answer
    act = await discord_server.invoke("say", user=place.ann, channel=place.general)
    await asyncio.wait_for(remembered.wait(), 5)
    assert list(act.reply.buttons) == ["Edit"]
    with pytest.raises(CannotDo):
        await discord_server.click(act.reply, "Delete")
    pressed = await discord_server.click(act.reply, "Edit")
    await discord_server.submit(pressed, {"Words": "a cat"})
    assert act.reply.text == "Now a cat."
    assert act.reply.buttons == {}


async def test_a_bot_that_thinks_first(discord_server: DiscordServer, run: Run, place: Place) -> None:
    async def answer(interaction: discord.Interaction) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.followup.send("Done.", file=discord.File(io.BytesIO(b"GIF89a"), "clip.gif"))

    run.bot.answering = answer
    act = await discord_server.invoke("say", user=place.ann, channel=place.general)
    async with asyncio.timeout(5):
        await act.answered.wait()
    assert (act.reply.text, act.reply.file) == ("Done.", b"GIF89a")
    assert discord_server.messages_in(place.general) == [act.reply]
    async with aiohttp.ClientSession() as session, session.get(act.reply.attachments[0].url) as answered:
        assert (await answered.read(), answered.content_type) == (b"GIF89a", "image/gif")


async def test_the_answer_is_edited_with_the_bot_s_own_token(
    discord_server: DiscordServer, run: Run, place: Place
) -> None:
    act = await discord_server.invoke("say", user=place.ann, channel=place.general)
    message = text_channel(run, place).get_partial_message(int(act.reply.id))
    await message.edit(content="Better.", attachments=[discord.File(io.BytesIO(b"GIF89a"), "clip.gif")])
    assert (act.reply.text, act.reply.file) == ("Better.", b"GIF89a")
    assert [version["content"] for version in act.reply.versions] == ["You said None."]


async def test_a_layout_of_components_shows_its_clip(discord_server: DiscordServer, run: Run, place: Place) -> None:
    view = discord.ui.LayoutView(timeout=None)
    gallery: discord.ui.MediaGallery[discord.ui.LayoutView] = discord.ui.MediaGallery()
    gallery.add_item(media="attachment://clip.gif")
    view.add_item(discord.ui.Container(discord.ui.TextDisplay("A heart."), gallery))
    await text_channel(run, place).send(view=view, file=discord.File(io.BytesIO(b"GIF89a"), "clip.gif"))
    (message,) = discord_server.messages_in(place.general)
    assert message.text == "A heart."
    assert discord_server.problems == []


async def test_a_file_that_no_component_shows_is_a_problem(
    discord_server: DiscordServer, run: Run, place: Place
) -> None:
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(discord.ui.TextDisplay("A heart."))
    await text_channel(run, place).send(view=view, file=discord.File(io.BytesIO(b"GIF89a"), "clip.gif"))
    (problem,) = discord_server.problems
    assert "nothing shows the file clip.gif" in problem
    discord_server.problems.clear()


# --- the gateway ---


@pytest.mark.parametrize("how", ["drop", "close", "ask_to_reconnect", "invalidate"])
async def test_a_broken_session_is_resumed_and_misses_nothing(
    discord_server: DiscordServer, run: Run, place: Place, how: str
) -> None:
    if how == "drop":
        discord_server.gateway.drop()
    elif how == "close":
        await discord_server.gateway.close(4000)
    elif how == "ask_to_reconnect":
        await discord_server.gateway.ask_to_reconnect()
    else:
        await discord_server.gateway.invalidate(resumable=True)
    await discord_server.until(lambda: discord_server.gateway.connected == 0 or discord_server.gateway.resumes)
    act = await discord_server.invoke("say", user=place.ann, channel=place.general)
    assert act.reply.text == "You said None."
    assert (discord_server.gateway.identifies, discord_server.gateway.resumes) == (1, 1)


async def test_a_session_that_is_gone_is_begun_anew(discord_server: DiscordServer, run: Run) -> None:
    await discord_server.gateway.invalidate()
    await discord_server.until(lambda: discord_server.gateway.identifies == 2)


async def test_a_malformed_dispatch_ends_the_client(discord_server: DiscordServer, run: Run) -> None:
    await discord_server.gateway.dispatch_raw("INTERACTION_CREATE", {"id": "1"})
    with pytest.raises(KeyError):
        async with asyncio.timeout(5):
            await run.task


# --- what the contract says ---


@pytest.fixture
def judge() -> Contract:
    """Discord's own schema, which is not on every machine."""
    found = contract()
    if found is None:
        pytest.skip(NOT_CHECKED)
    return found


def test_discord_s_own_schema_judges_requests(judge: Contract) -> None:
    assert judge.trouble("GET", "/users/@me", {}, None, "", ()) == ""
    assert "type" in judge.trouble("POST", "/interactions/1/t/callback", {}, {}, "application/json", ())


async def test_a_request_against_the_schema_is_refused_and_remembered(
    judge: Contract, discord_server: DiscordServer, run: Run, place: Place
) -> None:
    with pytest.raises(discord.HTTPException) as caught:
        await text_channel(run, place).send("x", nonce="n" * 26)
    assert caught.value.status == 400
    (violation,) = discord_server.violations
    assert "nonce" in violation
    assert MESSAGES in violation
    discord_server.violations.clear()


async def test_a_route_that_discord_does_not_have_is_noticed(
    judge: Contract, discord_server: DiscordServer, run: Run
) -> None:
    with pytest.raises(discord.HTTPException):
        await run.bot.http.request(http.Route("GET", "/clips"))
    assert discord_server.violations == ["Discord's API has no GET /clips."]
    discord_server.violations.clear()


# --- messages ---


async def test_the_same_nonce_gives_the_same_message_for_a_few_minutes(
    discord_server: DiscordServer, run: Run, place: Place
) -> None:
    channel = text_channel(run, place)
    first = await channel.send("One.", nonce="job1")
    assert (await channel.send("One.", nonce="job1")).id == first.id
    assert (await channel.send("Two.", nonce="job2")).id != first.id
    discord_server.advance(301)
    assert (await channel.send("One.", nonce="job1")).id != first.id


@pytest.mark.parametrize(
    ("denied", "code"), [("view_channel", 50001), ("send_messages", 50013), ("attach_files", 50013)]
)
async def test_permissions_are_held_against_requests(
    discord_server: DiscordServer, run: Run, place: Place, denied: str, code: int
) -> None:
    await discord_server.take_away(place.general, denied)
    with pytest.raises(discord.Forbidden) as caught:
        await text_channel(run, place).send("x", file=discord.File(io.BytesIO(b"x"), "x.gif"))
    assert caught.value.code == code
    await discord_server.give_back(place.general)
    await text_channel(run, place).send("x")


async def edit(run: Run, message: Message, content: str = "Later.") -> None:
    channel = run.bot.get_partial_messageable(int(message.channel.id))
    await channel.get_partial_message(int(message.id)).edit(content=content)


async def test_messages_that_can_t_be_edited(discord_server: DiscordServer, run: Run, place: Place) -> None:
    async def hide(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Only you see this.", ephemeral=True)

    act = await discord_server.invoke("say", user=place.ann, channel=place.general)
    thread = discord_server.thread(place.general, "hearts")
    inside = await discord_server.invoke("say", user=place.ann, channel=thread)
    run.bot.answering = hide
    hidden = await discord_server.invoke("say", user=place.ann, channel=place.general)
    await discord_server.delete(act.reply)
    await discord_server.archive(thread)
    for message, code in ((act.reply, 10008), (hidden.reply, 10008), (inside.reply, 50083)):
        with pytest.raises(discord.HTTPException) as caught:
            await edit(run, message)
        assert caught.value.code == code


async def test_old_messages_take_few_edits(discord_server: DiscordServer, run: Run, place: Place) -> None:
    act = await discord_server.invoke("say", user=place.ann, channel=place.general)
    discord_server.old_edits = 2
    discord_server.advance(3601)
    await edit(run, act.reply)
    await edit(run, act.reply)
    with pytest.raises(discord.HTTPException) as caught:
        await edit(run, act.reply)
    assert (caught.value.status, caught.value.code) == (429, 30046)


async def test_a_file_that_is_too_large(discord_server: DiscordServer, run: Run, place: Place) -> None:
    discord_server.upload_limit = 1000
    with pytest.raises(discord.HTTPException) as caught:
        await text_channel(run, place).send(file=discord.File(io.BytesIO(b"x" * 1001), "x.gif"))
    assert (caught.value.status, caught.value.code) == (413, 40005)
    assert discord_server.messages_in(place.general) == []


async def test_whom_a_message_rings(discord_server: DiscordServer, run: Run, place: Place) -> None:
    channel = text_channel(run, place)
    words = f"@everyone <@{place.ann.id}> <@{place.ben.id}>"
    only_ann = discord.AllowedMentions(everyone=False, users=[discord.Object(place.ann.id)])
    await channel.send(words)
    await channel.send(words, allowed_mentions=discord.AllowedMentions.none())
    await channel.send(words, allowed_mentions=only_ann)
    rung = [message.pings for message in discord_server.messages_in(place.general)]
    assert rung == [{"everyone", place.ann.id, place.ben.id}, frozenset(), {place.ann.id}]


# --- interactions ---


async def test_a_late_acknowledgement_is_refused_and_recorded(
    discord_server: DiscordServer, run: Run, place: Place
) -> None:
    async def late(interaction: discord.Interaction) -> None:
        discord_server.advance(ACK_SECONDS + 0.1)
        with pytest.raises(discord.NotFound) as caught:
            await interaction.response.send_message("Too late.")
        assert caught.value.code == 10062
        discord_server.touch()

    run.bot.answering = late
    asked = asyncio.create_task(discord_server.invoke("say", user=place.ann, channel=place.general))
    await discord_server.until(lambda: discord_server.called(CALLBACKS, 404))
    (act,) = discord_server.interactions.values()
    assert act.late
    assert act.acked_at is None
    asked.cancel()


async def test_one_acknowledgement_an_interaction_and_a_token_for_a_quarter_of_an_hour(
    discord_server: DiscordServer, run: Run, place: Place
) -> None:
    kept: asyncio.Queue[discord.Interaction] = asyncio.Queue()

    async def answer(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Once.")
        kept.put_nowait(interaction)

    run.bot.answering = answer
    act = await discord_server.invoke("say", user=place.ann, channel=place.general)
    interaction = await asyncio.wait_for(kept.get(), 5)
    await interaction.edit_original_response(content="Edited.")
    assert act.reply.text == "Edited."
    discord_server.advance(15 * 60)
    with pytest.raises(discord.HTTPException) as caught:
        await interaction.edit_original_response(content="Too late.")
    assert (caught.value.status, caught.value.code) == (401, 50027)


async def test_a_bot_that_somebody_brought_along(discord_server: DiscordServer, run: Run, place: Place) -> None:
    place.ann.installed = True
    elsewhere = discord_server.guild("elsewhere", place.ann, place.ben, has_bot=False)
    lounge = discord_server.channel(elsewhere, "lounge")
    with pytest.raises(CannotDo):
        await discord_server.invoke("say", user=place.ben, channel=lounge)
    act = await discord_server.invoke("say", user=place.ann, channel=lounge)
    assert not act.reply.ephemeral
    assert act.owners == {"1": place.ann.id}
    with pytest.raises(discord.Forbidden) as caught:
        await edit(run, act.reply)
    assert caught.value.code == 50001
    lounge.denied[elsewhere.id] = discord.Permissions(use_external_apps=True).value
    assert (await discord_server.invoke("say", user=place.ann, channel=lounge)).reply.ephemeral


async def test_a_conversation_with_the_bot(discord_server: DiscordServer, run: Run, place: Place) -> None:
    act = await discord_server.invoke("say", user=place.ann, channel=discord_server.dm_of(place.ann))
    await edit(run, act.reply)
    assert act.reply.text == "Later."
    user = await run.bot.fetch_user(int(place.ben.id))
    await user.send("Hello.")
    assert [message.text for message in discord_server.messages_in(discord_server.dm_of(place.ben))] == ["Hello."]


# --- faults ---


async def test_faults_meet_the_next_requests_of_their_route(
    discord_server: DiscordServer, run: Run, place: Place
) -> None:
    channel = text_channel(run, place)
    throttled = discord_server.throttle(MESSAGES, 0.01)
    await channel.send("Through.")
    failed = discord_server.fail(MESSAGES, 503, html=True)
    with pytest.raises(discord.DiscordServerError):
        await channel.send("Not through.")
    lost = discord_server.drop(MESSAGES, after=True)
    with pytest.raises(aiohttp.ClientError):
        await channel.send("Through, and nobody knows.", nonce="n1")
    again = await channel.send("Through, and nobody knows.", nonce="n1")
    assert (throttled.hits, failed.hits, lost.hits) == (1, 1, 1)
    assert [message.text for message in discord_server.messages_in(place.general)] == [
        "Through.",
        "Through, and nobody knows.",
    ]
    assert again.content == "Through, and nobody knows."


async def test_a_held_request_waits_for_its_release(discord_server: DiscordServer, run: Run, place: Place) -> None:
    fault = discord_server.hold(MESSAGES, after=True)
    sending = asyncio.create_task(text_channel(run, place).send("Slow."))
    await asyncio.wait_for(fault.met.wait(), 5)
    assert [message.text for message in discord_server.messages_in(place.general)] == ["Slow."]
    assert not sending.done()
    fault.release()
    await asyncio.wait_for(sending, 5)


async def test_buckets_run_dry(discord_server: DiscordServer, run: Run, place: Place) -> None:
    discord_server.limits[MESSAGES] = (2, 0.2)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {discord_server.token}"}) as session:
        url = f"{discord_server.api_base}/channels/{place.general.id}/messages"
        answers = [await session.post(url, json={"content": "x"}) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    body = await answers[2].json()
    assert 0 < body["retry_after"] <= 0.2
    assert body["global"] is False
