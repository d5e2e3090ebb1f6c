"""What people do on Discord with the bot, from the command to what stands in the channel afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db import queue, requests
from db.records import RequestState
from tests.surfaces.discord_server.people import CannotDo

if TYPE_CHECKING:
    from tests.surfaces.conftest import Crew, House
    from tests.surfaces.discord_server.server import DiscordServer
    from tests.surfaces.discord_server.world import Interaction, Message


async def rendered(house: House, server: DiscordServer, message: Message) -> Message:
    """The oldest waiting job is rendered; returns when its clip stands on the message."""
    await house.finish(await house.claim())
    await server.until(lambda: message.attachments)
    return message


async def answered(act: Interaction) -> Message:
    await act.answered.wait()
    return act.reply


# --- /video ---


async def test_a_command_becomes_a_card_at_once_and_then_a_clip_that_plays_in_place(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    card = await answered(act)
    assert "a heart" in card.text
    assert f"<@{crew.ann.id}>" in card.text
    assert "Cancel" in card.buttons
    assert not card.pings

    lease = await on_discord.claim()
    await on_discord.step(lease, 2)
    await discord_server.until(lambda: "50 %" in card.text)
    await on_discord.finish(lease)
    await discord_server.until(lambda: card.attachments)

    assert card.file.startswith(b"GIF89a")
    assert {"Again", "Edit", "Delete"} <= set(card.buttons)
    assert str(lease.job.spec.seed) in card.text
    assert discord_server.messages_in(crew.general) == [card]


async def test_typed_options_reach_the_spec(on_discord: House, discord_server: DiscordServer, crew: Crew) -> None:
    wanted = {"prompt": "a heart", "negative": "grey", "seed": 7, "steps": 2, "guidance": 2.5, "frames": 4}
    options = {**wanted, "size": "24x16", "format": "webp", "model": "pocket"}
    act = await discord_server.invoke("video", options, user=crew.ann, channel=crew.general)
    card = await answered(act)

    job = (await on_discord.claim()).job
    spec = job.spec
    assert (spec.negative, spec.seed, spec.steps, spec.guidance, spec.frames) == ("grey", 7, 2, 2.5, 4)
    assert (spec.width, spec.height, spec.model, job.format) == (24, 16, "pocket", "webp")
    assert job.handle.message == card.id
    assert (job.handle.address.place, job.handle.address.thread) == (crew.guild.id, crew.general.id)


async def test_what_can_not_be_made_is_said_on_the_card(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    act = await discord_server.invoke(
        "video", {"prompt": "a heart", "size": "33x33"}, user=crew.ann, channel=crew.general
    )
    assert "multiples of 8" in (await answered(act)).text


async def test_a_size_that_is_none_is_said_to_the_asker_alone(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    act = await discord_server.invoke(
        "video", {"prompt": "a heart", "size": "big"}, user=crew.ann, channel=crew.general
    )
    assert act.reply.ephemeral
    assert "48x32" in act.reply.text


async def test_limits_are_typed_so_that_the_client_holds_them(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    for options in ({"steps": 0}, {"steps": 101}, {"frames": 1000}, {"seed": -1}, {"format": "avi"}):
        with pytest.raises(CannotDo):
            await discord_server.invoke("video", {"prompt": "a heart", **options}, user=crew.ann, channel=crew.general)


async def test_without_a_prompt_a_window_asks_for_it_while_the_options_wait(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    act = await discord_server.invoke("video", {"seed": 11}, user=crew.ann, channel=crew.general)
    assert act.modal is not None
    await until_drafted(on_discord, act)

    sent = await discord_server.submit(act, {"prompt": "a boat"})
    card = await answered(sent)
    assert "a boat" in card.text
    job = (await on_discord.claim()).job
    assert (job.spec.prompt, job.spec.seed) == ("a boat", 11)
    assert job.handle.message == card.id


async def until_drafted(house: House, act: Interaction) -> None:
    """The window is shown first and the draft written down then: nobody types faster, but a test does."""
    while True:
        seen = house.core.database.bell.count()
        async with house.core.database.reading() as tx:
            first = await requests.get(tx, "discord", act.id)
        if first is not None:
            assert first.state is RequestState.DRAFT
            return
        await house.core.database.bell.wait(seen, 5.0)


async def test_somebody_elses_window_writes_nothing(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    act = await discord_server.invoke("video", {}, user=crew.ann, channel=crew.general)
    await until_drafted(on_discord, act)
    act.user = crew.ben

    sent = await discord_server.submit(act, {"prompt": "a boat"})
    assert "a boat" not in (await answered(sent)).text


async def test_a_clip_is_made_from_the_text_of_a_message(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    message = await discord_server.say(
        f"a fish\n<@{crew.ben.id}> <a:wave:123456789012345678> swims", user=crew.ben, channel=crew.general
    )
    act = await discord_server.invoke_on("Clip from this text", message, user=crew.ann)
    await answered(act)
    assert (await on_discord.claim()).job.spec.prompt == "a fish :wave: swims"


async def test_a_message_without_text_makes_no_clip(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    message = await discord_server.say("", user=crew.ben, channel=crew.general)
    act = await discord_server.invoke_on("Clip from this text", message, user=crew.ann)
    assert act.reply.ephemeral
    assert "no text" in act.reply.text


async def test_a_prompt_full_of_mentions_and_markdown_is_shown_and_not_obeyed(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    prompt = (
        f"@everyone <@{crew.ben.id}> <#{crew.general.id}> **bold** # [x](https://evil.example) ```code``` ||s|| \\*"
    )
    act = await discord_server.invoke("video", {"prompt": prompt}, user=crew.ann, channel=crew.general)
    card = await answered(act)

    assert not card.pings
    text = card.text
    assert f"\\<\\@{crew.ben.id}\\>" in text
    assert "\\*\\*bold\\*\\*" in text
    assert "https\\://" in text
    assert "\\`\\`\\`code" in text
    await rendered(on_discord, discord_server, card)
    assert not card.pings


# --- its buttons ---


async def test_the_asker_cancels_while_it_waits(on_discord: House, discord_server: DiscordServer, crew: Crew) -> None:
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    card = await answered(act)

    pressed = await discord_server.click(card, "Cancel")
    await discord_server.until(lambda: pressed.followups)
    assert pressed.followups[0].ephemeral
    await discord_server.until(lambda: "Cancel" not in card.buttons)
    assert "Again" in card.buttons


async def test_nobody_else_cancels_but_a_moderator(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    card = await answered(act)

    pressed = await discord_server.click(card, "Cancel", user=crew.ben)
    await discord_server.until(lambda: pressed.followups)
    assert "Cancel" in card.buttons

    crew.guild.members[crew.ben.id].append(discord_server.role(crew.guild, "mods", "manage_guild"))
    await discord_server.click(card, "Cancel", user=crew.ben)
    await discord_server.until(lambda: "Cancel" not in card.buttons)


async def test_again_makes_a_second_card_with_another_seed(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    first = await rendered(on_discord, discord_server, await answered(act))

    pressed = await discord_server.click(first, "Again", user=crew.ben)
    second = await answered(pressed)
    assert second is not first
    assert "a heart" in second.text
    assert f"<@{crew.ben.id}>" in second.text


async def test_a_double_click_on_again_makes_one_clip(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    card = await rendered(on_discord, discord_server, await answered(act))

    await answered(await discord_server.click(card, "Again"))
    await discord_server.click(card, "Again")
    lease = await on_discord.claim()
    await on_discord.finish(lease)
    await discord_server.until(lambda: all(one.attachments for one in discord_server.messages_in(crew.general)))
    async with on_discord.core.database.reading() as tx:
        assert await queue.waiting(tx) == []
    assert len(discord_server.messages_in(crew.general)) == 2


async def test_edit_asks_for_other_words_and_keeps_the_rest(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    options = {"prompt": "a red heart", "steps": 3}
    act = await discord_server.invoke("video", options, user=crew.ann, channel=crew.general)
    card = await rendered(on_discord, discord_server, await answered(act))

    pressed = await discord_server.click(card, "Edit")
    assert pressed.modal is not None
    assert "a red heart" in str(pressed.modal)
    second = await answered(await discord_server.submit(pressed, {"prompt": "a blue heart"}))

    assert second is not card
    spec = (await on_discord.claim()).job.spec
    assert (spec.prompt, spec.steps) == ("a blue heart", 3)


async def test_delete_takes_the_clip_and_the_words_away(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    card = await rendered(on_discord, discord_server, await answered(act))

    await discord_server.click(card, "Delete")
    await discord_server.until(lambda: not card.attachments)
    assert "a heart" not in card.text


async def test_a_button_that_nobody_knows_any_more_says_so(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    card = await answered(act)
    card.buttons["Cancel"]["custom_id"] = "c:nosuchjob0"

    pressed = await discord_server.click(card, "Cancel")
    await discord_server.until(lambda: pressed.followups)
    assert pressed.followups[0].ephemeral


# --- answers for one person ---


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("queue", {}),
        ("cancel", {}),
        ("quota", {}),
        ("quota", {"steps": 10}),
        ("gallery", {}),
        ("gallery", {"words": "heart", "page": 1}),
        ("settings", {}),
        ("settings", {"format": "mp4", "notify": "off"}),
        ("help", {}),
        ("privacy", {}),
        ("link", {}),
    ],
)
async def test_answers_are_for_the_caller_alone(
    on_discord: House, discord_server: DiscordServer, crew: Crew, command: str, options: dict[str, object]
) -> None:
    act = await discord_server.invoke(command, options, user=crew.ann, channel=crew.general)
    reply = await answered(act)
    assert reply.ephemeral
    assert len(reply.text) > 20


@pytest.mark.parametrize("command", ["again", "random"])
async def test_there_is_nothing_to_go_on_with_yet(
    on_discord: House, discord_server: DiscordServer, crew: Crew, command: str
) -> None:
    act = await discord_server.invoke(command, {}, user=crew.ann, channel=crew.general)
    assert "clip" in (await answered(act)).text


async def test_a_clip_of_the_gallery_is_shown_again_in_the_channel(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    await rendered(on_discord, discord_server, await answered(act))

    gallery = await answered(await discord_server.invoke("gallery", {}, user=crew.ben, channel=crew.general))
    assert "a heart" in gallery.text
    button = next(part for part in gallery.parts() if str(part.get("custom_id", "")).startswith("s:"))
    shown = await answered(await discord_server.click(gallery, button["custom_id"]))
    await discord_server.until(lambda: shown.attachments)
    assert not shown.ephemeral
    assert shown.file.startswith(b"GIF89a")


@pytest.mark.parametrize("command", ["show", "random", "again"])
async def test_a_finished_clip_is_found_by_commands_too(
    on_discord: House, discord_server: DiscordServer, crew: Crew, command: str
) -> None:
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    await answered(act)
    clip = await on_discord.finish(await on_discord.claim())
    await discord_server.until(lambda: act.reply.attachments)

    options = {"id": clip.id.upper()} if command == "show" else {}
    card = await answered(await discord_server.invoke(command, options, user=crew.ann, channel=crew.general))
    assert "a heart" in card.text
    if command != "again":
        await discord_server.until(lambda: card.attachments)


async def test_options_are_suggested_while_they_are_typed(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    act = await discord_server.invoke("video", {"prompt": "a heart of gold"}, user=crew.ann, channel=crew.general)
    await answered(act)

    await on_discord.claim()
    offered = discord_server.autocomplete
    assert any("pocket" in name for name in await offered("video", "model", "po", user=crew.ann, channel=crew.general))
    assert await offered("video", "prompt", "a he", user=crew.ann, channel=crew.general) == ["a heart of gold"]
    assert await offered("video", "prompt", "a he", user=crew.ben, channel=crew.general) == []
    assert await offered("video", "size", "", user=crew.ann, channel=crew.general)


# --- moderators ---


async def test_moderators_set_what_holds_in_their_place(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    with pytest.raises(CannotDo):
        await discord_server.invoke("zoetrope pause", user=crew.ann, channel=crew.general)
    crew.guild.members[crew.ben.id].append(discord_server.role(crew.guild, "mods", "manage_guild"))

    for command, options in (("settings", {"format": "mp4", "spoiler": "on"}), ("settings", {})):
        act = await discord_server.invoke(f"zoetrope {command}", options, user=crew.ben, channel=crew.general)
        assert (await answered(act)).ephemeral
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    card = await rendered(on_discord, discord_server, await answered(act))
    (shown,) = (part for part in card.parts() if part.get("items"))
    assert shown["items"][0]["spoiler"]
    assert card.attachments[0].filename.endswith(".mp4")


async def test_a_paused_place_takes_no_requests_until_it_is_resumed(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    crew.guild.members[crew.ben.id].append(discord_server.role(crew.guild, "mods", "manage_guild"))
    await answered(await discord_server.invoke("zoetrope pause", user=crew.ben, channel=crew.general))
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    assert "Cancel" not in (await answered(act)).buttons

    await answered(await discord_server.invoke("zoetrope resume", user=crew.ben, channel=crew.general))
    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    assert "Cancel" in (await answered(act)).buttons


async def test_the_platforms_word_is_checked_again_in_the_bot(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    """A server may hand the command to anybody; who moderates is asked here all the same."""
    group = next(command for command in discord_server.commands if command["name"] == "zoetrope")
    group["default_member_permissions"] = None
    await answered(await discord_server.invoke("zoetrope pause", user=crew.ann, channel=crew.general))

    act = await discord_server.invoke("video", {"prompt": "a heart"}, user=crew.ann, channel=crew.general)
    assert "Cancel" in (await answered(act)).buttons


# --- languages ---


async def test_people_are_answered_in_their_own_language(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    crew.ann.locale = "de"
    act = await discord_server.invoke("video", {}, user=crew.ann, channel=crew.general)
    assert act.modal is not None
    assert act.modal["title"] == "Ein Clip aus deinen Worten"

    message = await discord_server.say("", user=crew.ben, channel=crew.general)
    told = await discord_server.invoke_on("Clip from this text", message, user=crew.ann)
    assert "steht kein Text" in told.reply.text


async def test_commands_are_named_in_every_language_we_speak(on_discord: House, discord_server: DiscordServer) -> None:
    known = {command["name"]: command for command in discord_server.commands}
    assert known["Clip from this text"]["name_localizations"] == {"de": "Clip aus diesem Text"}
    assert known["zoetrope"]["description_localizations"] == {"de": "Für die Moderation dieses Ortes."}


async def test_commands_are_offered_in_servers_and_to_those_who_bring_the_app_along(
    on_discord: House, discord_server: DiscordServer
) -> None:
    known = {command["name"]: command for command in discord_server.commands}
    moderators = known.pop("zoetrope")
    assert (moderators["contexts"], moderators["integration_types"]) == ([0], [0])
    assert {(tuple(each["contexts"]), tuple(each["integration_types"])) for each in known.values()} == {
        ((0, 1, 2), (0, 1))
    }
    assert moderators["default_member_permissions"] == "32"
