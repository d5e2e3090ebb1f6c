"""Moderation on Discord: reports, decisions, curbs and one's own data, from the press to what stands there."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from bot.cards import Button, Card
from bot.port import Refused
from db import cases, gallery, reviews
from db.records import Action, Address, Asker, Clip
from db.tables import metadata
from tests.surfaces.conftest import DISCORDS_PAGE
from tests.surfaces.discord_court import APPROVE, FALSE_ALARM, REMOVE, Court, court_of, moderator, spoilers
from tests.surfaces.discord_server.bots import running
from tests.surfaces.discord_server.people import CannotDo
from tests.surfaces.test_discord_faults import CHILD, EDIT, HOOK_EDIT, POST
from tests.surfaces.test_discord_terse import with_a_heart

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from bot.port import Rendition
    from tests.surfaces.conftest import Crew, House
    from tests.surfaces.discord_server.server import DiscordServer
    from tests.surfaces.discord_server.world import Channel, Interaction, Message, User


@pytest.fixture
async def court(on_discord: House, discord_server: DiscordServer, crew: Crew) -> Court:
    return await court_of(discord_server, on_discord, crew)


async def clip_now(court: Court, clip: Clip) -> Clip | None:
    async with court.house.core.database.reading() as tx:
        return await gallery.get(tx, clip.id)


async def actions(court: Court) -> list[Action]:
    """What stands in the cases of the crew's server, oldest first."""
    async with court.house.core.database.reading() as tx:
        found = await cases.browse(tx, "discord", court.crew.guild.id, limit=100)
    return [case.action for case in reversed(found)]


# --- reports ---


async def by_button(court: Court, card: Message, clip: Clip, user: User) -> str:
    return await court.report(card, user)


async def by_menu(court: Court, card: Message, clip: Clip, user: User) -> str:
    act = await court.server.invoke_on("Report this clip", card, user=user)
    sent = await court.server.submit(act, {"reason": "it flickers"})
    return (await sent.card()).text


async def by_command(court: Court, card: Message, clip: Clip, user: User) -> str:
    said = await court.said("report", {"id": clip.id, "reason": "it flickers"}, user)
    assert said.ephemeral
    return said.text


WAYS = [by_button, by_menu, by_command]


@pytest.mark.parametrize("way", WAYS)
async def test_a_clip_is_reported_until_it_is_hidden(
    court: Court, way: Callable[[Court, Message, Clip, User], Awaitable[str]]
) -> None:
    card, clip = await court.made()
    people = [court.server.join(court.crew.guild, name) for name in ("cleo", "dan", "eve")]

    assert "take a look" in await way(court, card, clip, people[0])
    assert "before" in await way(court, card, clip, people[0])
    await way(court, card, clip, people[1])
    assert card.attachments

    assert "hidden" in await way(court, card, clip, people[2])
    await court.server.until(lambda: not card.attachments)
    assert "a heart" not in card.text
    review = await court.review()
    assert "a heart" in review.text
    assert spoilers(review) == [True]
    if way is not by_button:
        assert "it flickers" in review.text


async def test_a_report_may_say_nothing(court: Court) -> None:
    card, _ = await court.made()
    act = await court.server.invoke_on("Report this clip", card, user=court.crew.ben)
    assert "take a look" in (await (await court.server.submit(act, {})).card()).text


async def test_what_is_no_clip_of_ours_can_not_be_reported(court: Court) -> None:
    message = await court.server.say("buy my hats", user=court.crew.ben, channel=court.crew.general)
    act = await court.server.invoke_on("Report this clip", message, user=court.crew.ann)
    assert "no clip" in (await (await court.server.submit(act, {})).card()).text
    assert not court.reviews()


async def test_the_reporters_own_words_are_shown_and_not_obeyed(court: Court) -> None:
    card, _ = await court.made()
    act = await court.server.invoke_on("Report this clip", card, user=court.crew.ben)
    await court.server.submit(act, {"reason": f"@everyone <@{court.mia.id}> **bold**"})
    review = await court.review()
    assert "\\*\\*bold" in review.text
    assert not review.pings


# --- decisions at the desk ---


async def reported(court: Court, times: int = 1) -> tuple[Message, Clip, Message]:
    """A clip's card, the clip, and the card of its review."""
    card, clip = await court.made()
    for number in range(times):
        await court.report(card, court.server.join(court.crew.guild, f"member{number}"))
    return card, clip, await court.review()


async def test_one_moderator_decides_and_everybody_sees_it(court: Court) -> None:
    card, clip, review = await reported(court)

    told = await court.pressed(review, REMOVE, court.mia)
    assert told.ephemeral
    assert "removed" in told.text
    await court.server.until(lambda: not review.buttons and not review.attachments)
    assert "removed" in review.text
    await court.server.until(lambda: not card.attachments)
    assert "a heart" not in card.text
    assert await clip_now(court, clip) is None
    assert Action.REMOVE in await actions(court)


async def test_the_slower_moderator_is_told_that_it_is_decided(court: Court) -> None:
    _, clip, review = await reported(court)
    late = review.buttons[APPROVE]

    await court.pressed(review, REMOVE, court.mia)
    await court.server.until(lambda: not review.buttons)
    review.components = [{"type": 1, "id": 1, "components": [late]}]  # as it stands on a screen that lags behind
    told = await court.pressed(review, APPROVE, court.max)
    assert "already" in told.text
    assert "removed" in told.text
    assert await clip_now(court, clip) is None


async def test_a_clip_that_is_approved_is_brought_to_its_card_again(court: Court) -> None:
    card, clip, review = await reported(court, times=3)
    await court.server.until(lambda: not card.attachments)

    await court.pressed(review, APPROVE, court.mia)
    await court.server.until(lambda: card.attachments)
    await court.server.until(lambda: not review.buttons and not review.attachments)
    found = await clip_now(court, clip)
    assert found is not None
    assert not found.hidden


async def test_members_do_not_decide(court: Court) -> None:
    _, clip, review = await reported(court)
    told = await court.pressed(review, REMOVE, court.crew.ben)
    assert "moderators" in told.text
    assert await clip_now(court, clip) is not None
    assert REMOVE in review.buttons


async def test_a_role_that_was_taken_away_a_second_ago_counts_no_more(court: Court) -> None:
    _, clip, review = await reported(court)
    court.crew.guild.members[court.mia.id].remove(court.mods)
    told = await court.pressed(review, REMOVE, court.mia)
    assert "moderators" in told.text
    assert await clip_now(court, clip) is not None


async def test_a_moderator_whom_another_has_banned_decides_nothing(court: Court) -> None:
    _, clip, review = await reported(court)
    await court.settled(await court.ordered("block", {"member": court.max}), "Confirm")

    assert await pressed_in_vain(court, review, court.max)
    assert await clip_now(court, clip) is not None


async def pressed_in_vain(court: Court, review: Message, user: User) -> bool:
    told = await court.pressed(review, REMOVE, user)
    return told.ephemeral and "Decided" not in told.text


async def test_a_role_that_the_place_names_moderates_too(court: Court) -> None:
    helpers = court.server.role(court.crew.guild, "helpers")
    court.crew.guild.members[court.crew.ben.id].append(helpers)
    await court.ordered("settings", {"moderators": f"<@&{helpers.id}>"})
    with pytest.raises(CannotDo):
        await court.ordered("cases", user=court.crew.ben)

    offer_to_everybody(court)
    assert "only" not in (await court.ordered("cases", user=court.crew.ben)).text.lower()
    _, _, review = await reported(court)
    assert "Decided" in (await court.pressed(review, APPROVE, court.crew.ben)).text


def offer_to_everybody(court: Court) -> None:
    """As a server may do under Integrations."""
    for command in court.server.commands:
        if command["name"] == "zoetrope":
            command["default_member_permissions"] = None


async def test_reviews_come_into_a_thread_as_well(court: Court) -> None:
    court.desk = court.server.thread(court.desk, "what was reported")
    await court.ordered("settings", {"desk": "here"})
    _, _, review = await reported(court)
    await court.pressed(review, FALSE_ALARM, court.max)
    await court.server.until(lambda: not review.buttons and not review.attachments)


@pytest.mark.parametrize("taken", ["view_channel", "send_messages"])
async def test_whoever_names_a_desk_where_the_bot_may_not_write_is_told(court: Court, taken: str) -> None:
    await court.server.take_away(court.desk, taken)
    card = await court.ordered("settings", {"desk": court.desk.id}, at=court.crew.general)
    assert "let the bot see it and write there" in card.text
    assert "let the bot" not in (await court.ordered("settings", {"desk": court.crew.general.id})).text


@pytest.mark.parametrize("named", ["mods-only", "1", "١٢٣"])
async def test_a_desk_that_is_no_channel_of_the_server_is_told(court: Court, named: str) -> None:
    text = (await court.ordered("settings", {"desk": named}, at=court.crew.general)).text
    assert "desk" in text
    assert "let the bot see it and write there" in text or "the id of a channel" in text


async def test_what_a_servers_own_filter_blocks_is_decided_without_its_words(court: Court) -> None:
    card, _ = await court.made()
    for route in (POST, EDIT):
        court.server.fail(route, 400, code=200000, message="Blocked", times=99, only=with_a_heart)
    await court.report(card, court.crew.ben)
    review = await court.review()
    assert "a heart" not in review.text
    assert "/zoetrope review" in review.text
    assert "a heart" in (await court.ordered("review")).text
    await court.pressed(review, APPROVE, court.max)
    await court.server.until(lambda: not review.buttons)


async def test_nobody_is_sent_the_moderators_card_about_them(court: Court, rendition: Rendition) -> None:
    """A clip that can't be shown where it was asked for comes in private; a review never does."""
    surface = court.house.core.surfaces["discord"]
    ann = Asker("discord", court.crew.ann.id)
    for_her = Card("a heart", "AI-generated.", clip="aaaaaaaaaa", asker=ann, final=True)
    for_them = replace(for_her, buttons=(Button(REMOVE, "x:aaaaaaaaaa", dangerous=True),))
    handle = await surface.show(Address("discord", court.crew.guild.id, court.desk.id), for_them, "n1")
    await court.server.take_away(court.desk, "view_channel")

    with pytest.raises(Refused):
        await surface.deliver(handle, for_them, rendition)
    assert not court.server.messages_in(court.server.dm_of(court.crew.ann))
    await surface.deliver(handle, for_her, rendition)
    assert court.server.messages_in(court.server.dm_of(court.crew.ann))


# --- what else comes to the desk ---


async def at_desk(court: Court) -> Message:
    """The card of a review that is about no clip."""
    return await court.server.until(lambda: next((one for one in court.reviews() if one.buttons), None))


async def test_what_the_filter_holds_is_made_once_a_moderator_allows_it(court: Court) -> None:
    card = await court.said("video", {"prompt": "Donald Trump in jail, news footage"})
    assert "moderator looks" in card.text
    review = await at_desk(court)
    assert not review.attachments

    await court.pressed(review, APPROVE, court.mia)
    await court.server.until(lambda: "moderator looks" not in card.text)
    await court.house.finish(await court.house.claim())
    await court.server.until(lambda: card.attachments)


async def test_what_a_moderator_declines_is_refused_and_told(court: Court) -> None:
    card = await court.said("video", {"prompt": "Donald Trump in jail, news footage"})
    await court.pressed(await at_desk(court), REMOVE, court.mia)
    await court.server.until(lambda: "Cancel" not in card.buttons)
    told = await court.server.until(
        lambda: next((one for one in court.server.messages_in(court.crew.general) if one.reply_to is card), None)
    )
    assert "strike" in told.text
    assert told.pings == {court.crew.ann.id}
    assert "mia" not in told.text.lower()


async def test_an_appeal_is_decided_at_the_desk_and_answered_below_the_card(court: Court) -> None:
    card = await court.said("video", {"prompt": "a naked woman"})
    await court.pressed(card, "Appeal", court.crew.ann)
    review = await at_desk(court)
    await court.pressed(review, "Decline", court.max)
    await court.server.until(lambda: any(one.reply_to is card for one in court.server.messages_in(court.crew.general)))


async def test_a_clip_with_a_label_is_looked_at_afterwards(court: Court) -> None:
    card, _ = await court.made("Angela Merkel riding a bicycle")
    review = await court.review()
    assert spoilers(review) == [True]
    await court.pressed(review, FALSE_ALARM, court.mia)
    await court.server.until(lambda: not review.buttons)
    assert card.attachments


# --- a moderator's own cards ---


async def test_the_most_pressing_review_is_shown_to_whoever_asks_and_then_the_next(court: Court) -> None:
    await reported(court)
    second, _ = await court.made("a boat")
    await court.report(second, court.crew.ben)

    card = await court.ordered("review", at=court.crew.general)
    assert "a heart" in card.text
    assert spoilers(card) == [True]
    await court.settled(card, APPROVE)
    await court.server.until(lambda: "a boat" in card.text)
    assert "Decided" in card.text
    assert "a heart" not in card.text
    await court.settled(card, REMOVE)
    await court.server.until(lambda: REMOVE not in card.buttons)
    assert not card.attachments
    await court.server.until(lambda: not second.attachments)


async def test_a_ban_asks_first_and_then_nothing_is_made_for_them(court: Court) -> None:
    _, clip = await court.made("a fish", court.crew.ben)
    waiting = await court.said("video", {"prompt": "a boat"})
    asked = await court.ordered("block", {"member": court.crew.ann, "reason": "spam"})
    assert {"Confirm", "Dismiss"} <= set(asked.buttons)
    assert "Cancel" in (await court.said("video", {"prompt": "a heart"})).buttons

    await court.settled(asked, "Confirm")
    assert not asked.buttons
    await court.server.until(lambda: "Cancel" not in waiting.buttons)
    refused = await court.said("video", {"prompt": "a heart"})
    assert "banned" in refused.text
    assert "Cancel" not in refused.buttons
    assert "banned" in (await court.said("report", {"id": clip.id})).text
    assert "spam" in (await court.said("strikes")).text
    assert Action.BAN in await actions(court)

    await court.ordered("unblock", {"member": court.crew.ann})
    assert "Cancel" in (await court.said("video", {"prompt": "a heart"})).buttons


async def test_what_is_dismissed_is_not_done(court: Court) -> None:
    asked = await court.ordered("block", {"member": court.crew.ann})
    await court.settled(asked, "Dismiss")
    assert not asked.buttons
    assert "Cancel" in (await court.said("video", {"prompt": "a heart"})).buttons
    assert Action.BAN not in await actions(court)


async def test_a_question_is_confirmed_once(court: Court) -> None:
    asked = await court.ordered("block", {"member": court.crew.ann})
    button = asked.buttons["Confirm"]
    await court.settled(asked, "Confirm")
    stands = asked.text
    court.server.advance(60)
    asked.components.append({"type": 1, "id": 90, "components": [button]})
    await court.settled(asked, "Confirm")
    assert asked.text != stands
    assert (await actions(court)).count(Action.BAN) == 1


async def test_who_moderates_no_more_confirms_nothing(court: Court) -> None:
    asked = await court.ordered("block", {"member": court.crew.ann})
    court.crew.guild.members[court.mia.id].remove(court.mods)
    await court.settled(asked, "Confirm")
    assert "Cancel" in (await court.said("video", {"prompt": "a heart"})).buttons
    assert Action.BAN not in await actions(court)


async def test_somebody_who_has_left_can_be_named(court: Court) -> None:
    del court.crew.guild.members[court.crew.ben.id]
    await court.settled(await court.ordered("block", {"member": court.crew.ben}), "Confirm")
    assert Action.BAN in await actions(court)


async def test_a_purge_takes_the_clips_of_one_person(court: Court) -> None:
    card, clip = await court.made()
    others, kept = await court.made("a boat", court.crew.ben)
    await court.settled(await court.ordered("purge", {"member": court.crew.ann}), "Confirm")
    await court.server.until(lambda: not card.attachments)
    assert await clip_now(court, clip) is None
    assert await clip_now(court, kept) is not None
    assert others.attachments


async def test_every_command_of_moderators_is_refused_to_others(court: Court) -> None:
    offer_to_everybody(court)
    await reported(court)
    await until_drawn(court)
    before = await belongings(court, court.crew.guild.id)
    for command, options in everything(court.crew.ben, "aaaaaaaaaa"):
        answer = await court.ordered(command, options, user=court.crew.ann)
        assert "Only" in answer.text, command
    assert await belongings(court, court.crew.guild.id) == before


async def test_every_command_of_moderators_is_answered(court: Court) -> None:
    there = await judged(court)
    told = {}
    for command, options in everything(court.crew.ann, there.clip.id):
        if command != "console":
            answer = await court.ordered(command, options)
            assert "Only" not in answer.text, command
            assert "went wrong" not in answer.text, command
            told[command, *options] = answer.text
    assert "Case 1" in told["amend", "number", "reason"]
    assert "not mine" in (await court.ordered("cases", {"number": 1})).text
    assert "secret" in told["why", "id"]
    assert "5 " in told["grant", "member", "credits"]


async def test_the_way_into_the_moderators_pages_is_a_button(court: Court) -> None:
    card = await court.ordered("console")
    (way,) = (part for part in card.parts() if part.get("url"))
    assert way["url"].startswith(f"{DISCORDS_PAGE}/moderation/enter/")

    court.server.fail(HOOK_EDIT, 400, code=50035)  # an address that is good on one's own machine alone
    plain = await court.ordered("console")
    assert not plain.buttons
    assert "/moderation/enter/" in plain.text


# --- after a restart ---


async def test_a_question_is_confirmed_after_a_restart(
    discord_server: DiscordServer, crew: Crew, workshop: House
) -> None:
    async with running(discord_server, workshop.folder, CHILD) as bot:
        court = await court_of(discord_server, workshop, crew)
        asked = await court.ordered("block", {"member": crew.ann})
        card, _ = await court.made("a boat", crew.ben)
        await court.report(card, crew.ann)
        review = await court.review()
        await bot.kill()
        await bot.start()

        await court.settled(asked, "Confirm")
        assert "banned" in (await court.said("video", {"prompt": "a heart"})).text
        await court.pressed(review, REMOVE, court.max)
        await discord_server.until(lambda: not review.buttons and not card.attachments)


# --- one's own ---


async def test_a_clip_of_ones_own_is_hidden_and_shown_again(court: Court) -> None:
    card, clip = await court.made()
    assert (await court.said("hide", {"id": clip.id})).ephemeral
    await court.server.until(lambda: not card.attachments)
    await court.said("hide", {"id": clip.id})
    await court.server.until(lambda: card.attachments)

    await court.said("hide", {"id": clip.id})
    await court.server.until(lambda: "Show again" in card.buttons)
    await court.pressed(card, "Show again", court.crew.ann)
    await court.server.until(lambda: card.attachments)


async def test_what_is_stored_comes_as_a_file_for_the_caller_alone(court: Court) -> None:
    _, clip = await court.made()
    await court.made("a boat", court.crew.ben)
    reply = await court.said("mydata", {"action": "export"})

    assert reply.ephemeral
    (only,) = reply.attachments
    assert only.filename.endswith(".zip")
    with zipfile.ZipFile(io.BytesIO(only.content)) as held:
        data = json.loads(held.read("data.json"))
        assert any(clip.id in name for name in held.namelist())
    assert "a heart" in json.dumps(data)
    assert "a boat" not in json.dumps(data)


async def test_a_copy_that_is_too_large_comes_in_smaller_parts(court: Court) -> None:
    await court.made()
    court.server.fail(HOOK_EDIT, 413, code=40005)
    reply = await court.said("mydata", {"action": "export"})
    assert [one.filename.endswith(".zip") for one in reply.attachments] == [True]


async def test_everything_of_ones_own_is_deleted_after_a_question(court: Court) -> None:
    card, clip = await court.made()
    asked = await court.said("mydata", {"action": "delete"})
    assert asked.ephemeral
    assert await clip_now(court, clip) is not None
    await court.settled(asked, "Confirm")
    await court.server.until(lambda: not card.attachments)
    assert await clip_now(court, clip) is None


# --- languages ---


async def test_moderation_speaks_the_language_of_whoever_reads(court: Court, discord_server: DiscordServer) -> None:
    card, _ = await court.made()
    court.crew.ben.locale = "de"
    act = await court.server.invoke_on("Report this clip", card, user=court.crew.ben)
    assert act.modal is not None
    assert act.modal["title"] == "Diesen Clip melden"
    known = {command["name"]: command for command in discord_server.commands}
    assert known["Report this clip"]["name_localizations"] == {"de": "Diesen Clip melden"}
    told = await (await court.server.submit(act, {})).card()
    assert "Thank" not in told.text


def test_what_is_typed_is_named_alike_in_every_language(court: Court) -> None:
    """Words such as "unblock" name other things elsewhere; as a command Discord would take none of them."""
    for command in court.server.commands:
        if command["type"] == 1:
            assert not list(_other_names(command))


def _other_names(node: dict[str, Any]) -> Iterator[str]:
    yield from (node.get("name_localizations") or {}).values()
    for each in (*(node.get("options") or []), *(node.get("choices") or [])):
        yield from _other_names(each)


def test_no_group_of_commands_is_longer_than_discord_takes(court: Court) -> None:
    """Names, descriptions and values together, each in the language in which it is longest."""
    for command in court.server.commands:
        assert _chars(command) <= 8000
        for sub in command.get("options") or []:
            assert len(sub.get("options") or []) <= 25
        assert len(command.get("options") or []) <= 25


def _chars(node: dict[str, Any]) -> int:
    words = [
        max(len(text) for text in (node.get(name) or "", *(node.get(f"{name}_localizations") or {}).values()))
        for name in ("name", "description")
    ]
    inner = [*(node.get("options") or []), *(node.get("choices") or [])]
    return sum(words) + len(str(node.get("value", ""))) + sum(_chars(each) for each in inner)


# --- two servers ---


SECRET = "a secret heart"


def everything(member: User, id_: str) -> list[tuple[str, dict[str, Any]]]:
    """Every command of moderators, aimed at one person and one thing."""
    return [
        ("settings", {"spoiler": "on", "desk": "none"}),
        ("pause", {}),
        ("resume", {}),
        ("review", {}),
        ("cases", {}),
        ("cases", {"number": 1}),
        ("cases", {"member": member}),
        ("cases", {"words": "secret"}),
        ("amend", {"number": 1, "reason": "not mine"}),
        ("why", {"id": id_}),
        ("test", {"prompt": "a boat"}),
        ("block", {"member": member, "hours": 1}),
        ("unblock", {"member": member}),
        ("grant", {"member": member, "credits": 5}),
        ("purge", {"member": member}),
        ("purge", {"hours": 5}),
        ("strikes", {"member": member}),
        ("console", {}),
    ]


def test_every_command_of_moderators_is_in_the_table(court: Court) -> None:
    (group,) = (command for command in court.server.commands if command["name"] == "zoetrope")
    assert {sub["name"] for sub in group["options"]} == {name for name, _ in everything(court.crew.ann, "x")}


async def belongings(court: Court, place: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that names a place."""
    found = {}
    async with court.house.core.database.reading() as tx:
        for table in metadata.sorted_tables:
            rows = [tuple(row) for row in await tx.execute(table.select())]
            found[table.name] = sorted((row for row in rows if any(place in str(each) for each in row)), key=str)
    return found


@dataclass
class Abroad:
    """Another server, with a moderator who is none in the crew's."""

    channel: Channel
    rex: User


@pytest.fixture
async def abroad(court: Court) -> Abroad:
    guild = court.server.guild("abroad")
    rex = moderator(court.server, guild, court.server.role(guild, "mods", "manage_guild"), "rex")
    await court.server.invite(guild)
    return Abroad(court.server.channel(guild, "general"), rex)


async def until_drawn(court: Court) -> None:
    """Every review of the crew's server has a card that tells the truth, and is known to have it."""
    database = court.house.core.database
    while True:
        heard = database.bell.count()
        async with database.reading() as tx:
            if not await reviews.undrawn(tx, ["discord"], 100):
                return
        await database.bell.wait(heard, 5.0)


@dataclass
class Judged:
    """In one server: a strike with its case, a refusal, a clip that is being looked at, and a question that waits."""

    clip: Clip
    refusal: str
    buttons: dict[str, dict[str, Any]]  # of the cards there, by their labels


async def judged(court: Court) -> Judged:
    _, _, first = await reported(court)
    await court.pressed(first, REMOVE, court.mia)
    await court.server.until(lambda: not first.buttons)
    card, clip = await court.made(SECRET)
    await court.report(card, court.crew.ben)
    refused = await court.said("video", {"prompt": "a naked secret"})
    asked = await court.ordered("purge", {"member": court.crew.ann})
    review = await court.review()
    await until_drawn(court)
    refusal = str(refused.buttons["Appeal"]["custom_id"]).removeprefix("p:")
    return Judged(clip, refusal, card.buttons | refused.buttons | review.buttons | asked.buttons)


async def test_moderators_of_one_server_see_and_do_nothing_in_another(court: Court, abroad: Abroad) -> None:
    there = await judged(court)
    place = court.crew.guild.id
    before = await belongings(court, place)
    others = [("why", {"id": there.clip.job}), ("why", {"id": there.refusal})]
    for command, options in [*everything(court.crew.ann, there.clip.id), *others]:
        answer = await court.ordered(command, options, user=abroad.rex, at=abroad.channel)
        assert "secret" not in answer.text.replace("“secret”", ""), command
        if "Confirm" in answer.buttons:
            await court.settled(answer, "Confirm")
        assert await belongings(court, place) == before, command


async def test_buttons_of_one_server_do_nothing_in_another(court: Court, abroad: Abroad) -> None:
    """Whoever writes their own client can press any token anywhere."""
    there = await judged(court)
    place = court.crew.guild.id
    before = await belongings(court, place)
    assert {APPROVE, REMOVE, FALSE_ALARM, "Confirm", "Dismiss", "Report", "Delete", "Appeal"} <= set(there.buttons)
    for label, button in there.buttons.items():
        card = await court.ordered("cases", user=abroad.rex, at=abroad.channel)
        card.components = [{"type": 1, "id": 1, "components": [button]}]
        act = await court.server.click(card, label)
        await court.server.until(partial(is_over, act, card))
        assert "secret" not in card.text, label
        assert await belongings(court, place) == before, label


def is_over(act: Interaction, card: Message) -> bool:
    """Whether a press was answered: with a whisper, on its card, or with a message of its own."""
    return bool(act.followups or act.reply is not card or len(card.versions) > 1)
