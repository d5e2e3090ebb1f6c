"""Moderation on Telegram: reports, decisions, what moderators type, and what only the one who asked should read."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.cards import Button, Card
from bot.port import Throttled
from bot.surfaces.telegram.hearing import Hearing
from bot.surfaces.telegram.pace import Pace, Window
from bot.surfaces.telegram.surface import TelegramSurface
from db import cases, gallery, places, quotas, reports, reviews, standing, updates
from db.records import (
    Action,
    Address,
    Asker,
    Case,
    Circumstances,
    Clip,
    Curb,
    Review,
)
from tests.surfaces.telegram_chats import Chat, Message, Person
from tests.surfaces.telegram_house import TelegramHouse, living, read
from tests.surfaces.telegram_methods import BOT
from tests.surfaces.telegram_server import TelegramServer, serving

NAME = "telegram"
HELD = "cctv of a street in Paris"  # a moderator looks at it first


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with serving() as ready:
        yield ready


@pytest.fixture
async def house(tmp_path: Path, empty_database: Path, telegram: TelegramServer) -> AsyncIterator[TelegramHouse]:
    async with living(tmp_path, empty_database, telegram) as ready:
        yield ready


@dataclass
class Town:
    """A group with its people: Bob created it, Carl is an administrator, the others are members."""

    telegram: TelegramServer
    ada: Person
    bob: Person
    carl: Person
    eve: Person
    group: Chat

    @property
    def place(self) -> tuple[str, str]:
        return NAME, str(self.group.id)

    def say(self, person: Person, text: str, reply_to: Message | None = None) -> Message:
        return self.telegram.say(self.group, person, text, reply_to=reply_to)


def settle(
    telegram: TelegramServer, title: str = "Films", *, topics: tuple[str, ...] = (), basic: bool = False
) -> Town:
    ada, bob, carl, eve = (telegram.person(name) for name in ("Ada", "Bob", "Carl", "Eve"))
    everybody = (bob, ada, carl, eve)
    group = telegram.group(title, *everybody) if basic else telegram.supergroup(title, *everybody, topics=topics)
    telegram.promote(group, carl, bob)
    return Town(telegram, ada, bob, carl, eve, group)


@pytest.fixture
def town(telegram: TelegramServer) -> Town:
    return settle(telegram)


# --- looking ---


async def cases_of(house: TelegramHouse, town: Town) -> list[Case]:
    async with house.core.database.reading() as tx:
        return await cases.browse(tx, *town.place)


async def actions(house: TelegramHouse, town: Town) -> list[Action]:
    """What was done in a place, the first first."""
    return [case.action for case in reversed(await cases_of(house, town))]


async def open_reviews(house: TelegramHouse, town: Town) -> list[Review]:
    async with house.core.database.reading() as tx:
        return await reviews.waiting(tx, *town.place)


async def curb_of(house: TelegramHouse, town: Town, person: Person) -> Curb | None:
    async with house.core.database.reading() as tx:
        now = house.core.commands.clock()
        return (await standing.standing(tx, Asker(NAME, str(person.id)), *town.place, now)).curb


async def granted(house: TelegramHouse, town: Town, person: Person) -> int:
    now = house.core.commands.clock()
    async with house.core.database.reading() as tx:
        return (await quotas.usage(tx, Asker(NAME, str(person.id)), now - 3600, now, *town.place)).granted


async def pressed(house: TelegramHouse, message: Message, button: str, person: Person) -> str:
    """What comes up when somebody presses a button."""
    return await house.telegram.answered(house.telegram.press(message, button, person))


async def whispered(house: TelegramHouse, person: Person, words: str) -> Message:
    """What stands in somebody's private chat, once the group was told so."""
    private = house.telegram.world.chats[person.id]
    found = await house.telegram.sees(private, lambda one: one.sender == BOT and words in read(one))
    await house.until_handled()
    return found


async def confirmed(house: TelegramHouse, town: Town, person: Person, text: str, **how: Message) -> Message:
    """Type a command that asks first, and confirm it; its card."""
    card = await house.answer(town.group, town.say(person, text, **how))
    await pressed(house, card, confirm_label(card), person)
    await house.telegram.until(lambda: not card.buttons)
    return card


def confirm_label(card: Message) -> str:
    return label(card, "k")


def label(card: Message, letter: str) -> str:
    """The label of the button with this intent."""
    return next(str(each["text"]) for each in card.buttons if each["callback_data"].startswith(f"{letter}:"))


async def reported(house: TelegramHouse, town: Town, card: Message) -> Review:
    """Eve reports a clip; the review that this opens."""
    await pressed(house, card, "Report", town.eve)
    (review,) = await open_reviews(house, town)
    return review


# --- who somebody is ---


async def test_who_somebody_is_in_a_group_is_asked_anew(house: TelegramHouse, town: Town) -> None:
    here, carl = Address(*town.place), Asker(NAME, str(town.carl.id))
    found = {}
    for rank in ("creator", "administrator", "member", "restricted", "left", "kicked"):
        town.group.members[town.carl.id] = rank
        found[rank] = await house.surface.circumstances(here, carl)
    managing = dict.fromkeys(("creator", "administrator"), Circumstances(moderator=True))
    assert found == managing | dict.fromkeys(("member", "restricted", "left", "kicked"), Circumstances())


async def test_only_administrators_and_the_group_itself_manage_it(house: TelegramHouse, town: Town) -> None:
    channel = house.telegram.channel("News", town.bob)
    expected = {
        str(town.group.id): True,  # an anonymous administrator
        str(town.bob.id): True,
        str(channel.id): False,  # somebody who writes as a channel of theirs
        "987654321": False,  # nobody whom Telegram knows there
        "no number": False,
        "٣": False,
    }
    here = Address(*town.place)
    found = {one: await house.surface.circumstances(here, Asker(NAME, one)) for one in expected}
    assert found == {one: Circumstances(moderator=manages) for one, manages in expected.items()}


async def test_a_group_that_hides_its_members_is_managed_all_the_same(house: TelegramHouse, town: Town) -> None:
    town.group.hides_members = True
    here = Address(*town.place)
    for person, manages in ((town.carl, True), (town.ada, False)):
        found = await house.surface.circumstances(here, Asker(NAME, str(person.id)))
        assert found == Circumstances(moderator=manages)


async def test_nobody_manages_a_private_chat_nor_what_is_not_on_telegram(house: TelegramHouse, town: Town) -> None:
    bob, private = Asker(NAME, str(town.bob.id)), Address(NAME, str(town.bob.id))
    assert await house.surface.circumstances(private, bob) == Circumstances(private=True)
    assert await house.surface.circumstances(private, Asker(NAME, str(town.ada.id))) == Circumstances()
    assert await house.surface.circumstances(Address(*town.place), replace(bob, surface="discord")) == Circumstances()


async def test_nobody_manages_a_group_that_has_put_us_out(house: TelegramHouse, town: Town) -> None:
    house.telegram.kick(town.group, town.bob)
    await house.until_handled()
    found = await house.surface.circumstances(Address(*town.place), Asker(NAME, str(town.bob.id)))
    assert found == Circumstances()


# --- reports ---


async def test_reports_by_button_reply_and_command_hide_a_clip_until_it_is_reviewed(
    house: TelegramHouse, town: Town
) -> None:
    card, clip = await house.made(town.group, town.ada, "/video a heart")
    dan, fay = house.telegram.person("Dan"), house.telegram.person("Fay")

    assert await pressed(house, card, "Report", town.eve)
    said = town.say(dan, "/report that is <b>no</b> heart & you know it", reply_to=card)
    assert "take a look" in read(await house.answer(town.group, said))
    assert card.kind == "animation"
    said = town.say(fay, f"/report {clip.id} ugly")
    assert "hidden until" in read(await house.answer(town.group, said))

    await house.telegram.until(lambda: card.kind == "photo")
    assert "a heart" not in read(card)
    async with house.core.database.reading() as tx:
        told = {each.reason for each in await reports.of_clip(tx, clip.id, *town.place)}
    assert told == {"", "that is <b>no</b> heart & you know it", "ugly"}
    assert await actions(house, town) == [Action.HIDE]


async def test_one_person_reports_once_however_they_do_it(house: TelegramHouse, town: Town) -> None:
    card, clip = await house.made(town.group, town.ada, "/video a heart")
    await pressed(house, card, "Report", town.eve)
    said = town.say(town.eve, "/report", reply_to=card)
    assert "before" in read(await house.answer(town.group, said))
    async with house.core.database.reading() as tx:
        assert len(await reports.of_clip(tx, clip.id, *town.place)) == 1


async def test_a_report_without_a_clip_says_how_it_is_done(house: TelegramHouse, town: Town) -> None:
    assert "/report" in read(await house.answer(town.group, town.say(town.eve, "/report")))
    words = town.say(town.ada, "just words")
    assert read(await house.answer(town.group, town.say(town.eve, "/report", reply_to=words)))
    card = await house.ask(town.group, town.ada, "/video a heart")  # not made yet
    assert "no clip" in read(await house.answer(town.group, town.say(town.eve, "/report", reply_to=card)))


# --- decisions ---


@pytest.fixture
def forum(telegram: TelegramServer) -> Town:
    return settle(telegram, "Forum", topics=("Films", "Desk"))


@dataclass
class Desk:
    """A topic in which moderators get their cards, and the topic where clips are asked for."""

    house: TelegramHouse
    town: Town
    desk: int
    films: int

    async def made(self, words: str) -> tuple[Message, Clip]:
        return await self.house.made(self.town.group, self.town.ada, f"/video {words}", self.films)

    async def card(self, words: str) -> Message:
        """The newest card at the desk that holds these words and has buttons."""
        return await self.house.telegram.sees(
            self.town.group,
            lambda one: one.thread == self.desk and one.sender == BOT and words in read(one) and bool(one.buttons),
        )


@pytest.fixture
async def desk(house: TelegramHouse, forum: Town) -> Desk:
    desk, films = house.telegram.topic(forum.group, "Desk"), house.telegram.topic(forum.group, "Films")
    house.telegram.say(forum.group, forum.bob, "/zsettings --desk here --reporters 1", thread=desk)
    await house.until_handled()
    return Desk(house, forum, desk, films)


async def test_a_reported_clip_comes_to_the_desk_covered_and_a_decision_redraws_everything(desk: Desk) -> None:
    house, town = desk.house, desk.town
    card, clip = await desk.made("a heart")
    said = house.telegram.say(town.group, town.eve, "/report <i>ugly</i> & @bob", reply_to=card)
    await house.answer(town.group, said)

    look = await desk.card("a heart")
    await house.telegram.until(lambda: look.kind == "animation")
    assert look.spoiler
    assert "<i>ugly</i> & @bob" in read(look)
    assert {"bold"} >= {entity["type"] for entity in look.entities}
    await house.telegram.until(lambda: card.kind == "photo")

    await pressed(house, look, label(look, "y"), town.carl)
    await house.telegram.until(lambda: not look.buttons and "approved" in read(look))
    await house.telegram.until(lambda: card.kind == "animation")  # shown again
    told = await house.telegram.sees(town.group, lambda one: "it is shown again" in read(one))
    assert told.reply_to == card.id
    assert [entity.get("url") for entity in told.entities][-1:] == [f"tg://user?id={town.ada.id}"]
    assert await actions(house, town) == [Action.POLICY, Action.HIDE, Action.APPROVE]
    async with house.core.database.reading() as tx:
        assert await reports.of_clip(tx, clip.id, *town.place) == []  # that is open


async def test_a_flood_of_reviews_leaves_room_for_what_members_wait_for(desk: Desk, telegram: TelegramServer) -> None:
    surface, place = desk.house.core.surfaces[NAME], str(desk.town.group.id)
    assert isinstance(surface, TelegramSurface)
    surface._pace = Pace(time.monotonic, private=(), group=(Window(20, 600.0, 12),))
    review = Card("a heart", "Look.", buttons=(Button("Approve", "y:aaaaaaaaaa"),), asker=Asker(NAME, "1"))
    for number in range(12):
        await surface.show(Address(NAME, place, str(desk.desk)), review, f"r{number}")
    with pytest.raises(Throttled):
        await surface.show(Address(NAME, place, str(desk.desk)), review, "one more")
    await surface.show(Address(NAME, place, str(desk.films)), replace(review, buttons=()), "a member's")


@pytest.mark.parametrize("named", ["mods", "999", "-7"])
async def test_a_desk_that_is_no_topic_is_told_to_whoever_names_it(desk: Desk, named: str) -> None:
    house, town = desk.house, desk.town
    said = read(await house.answer(town.group, town.say(town.bob, f"/zsettings --desk {named}")))
    assert "let the bot see it and write there" in said or "the id of a channel" in said


async def test_of_two_moderators_one_wins_and_the_other_is_told(desk: Desk) -> None:
    house, town = desk.house, desk.town
    card, clip = await desk.made("a heart")
    await pressed(house, card, "Report", town.eve)
    look = await desk.card("a heart")

    presses = [
        house.telegram.press(look, label(look, letter), person)
        for letter, person in (("x", town.carl), ("y", town.bob))
    ]
    told = [await house.telegram.answered(press) for press in presses]
    assert len([each for each in told if "Decided:" in each]) == 1
    assert len([each for each in told if "already" in each]) == 1
    await house.telegram.until(lambda: not look.buttons and "Decided:" in read(look))
    decided = [action for action in await actions(house, town) if action in {Action.REMOVE, Action.APPROVE}]
    assert len(decided) == 1
    async with house.core.database.reading() as tx:
        is_gone = await gallery.get(tx, clip.id) is None
    assert is_gone is (decided == [Action.REMOVE])


async def test_a_held_prompt_is_made_once_a_moderator_says_so(desk: Desk) -> None:
    house, town = desk.house, desk.town
    house.telegram.say(town.group, town.bob, "/zsettings --overrides P9=hold", thread=desk.desk)
    house.telegram.say(town.group, town.ada, f"/video {HELD}", thread=desk.films)
    look = await desk.card(HELD)
    await pressed(house, look, label(look, "y"), town.bob)
    lease = await house.runner.claim()
    assert lease.job.spec.prompt == HELD
    await house.telegram.until(lambda: not look.buttons)


async def test_rights_that_were_taken_away_a_second_ago_decide_nothing(desk: Desk) -> None:
    house, town = desk.house, desk.town
    card, _ = await desk.made("a heart")
    await pressed(house, card, "Report", town.eve)
    look = await desk.card("a heart")
    for rank in ("member", "restricted", "left", "kicked"):
        house.telegram.promote(town.group, town.carl, town.bob, rank)
        for letter in "yxf":
            assert "Only the moderators" in await pressed(house, look, label(look, letter), town.carl)
    assert len(await open_reviews(house, town)) == 1


async def test_members_decide_nothing(desk: Desk) -> None:
    house, town = desk.house, desk.town
    card, _ = await desk.made("a heart")
    await pressed(house, card, "Report", town.eve)
    look = await desk.card("a heart")
    for letter in "yxf":
        assert "Only the moderators" in await pressed(house, look, label(look, letter), town.ada)
    assert len(await open_reviews(house, town)) == 1


async def test_a_moderator_whom_another_has_banned_decides_nothing(desk: Desk) -> None:
    house, town = desk.house, desk.town
    card, _ = await desk.made("a heart")
    await pressed(house, card, "Report", town.eve)
    look = await desk.card("a heart")
    await confirmed(house, town, town.bob, "/zblock", reply_to=house.telegram.say(town.group, town.carl, "hello"))

    assert "Only the moderators" in await pressed(house, look, label(look, "y"), town.carl)
    assert len(await open_reviews(house, town)) == 1


async def test_the_other_moderators_card_is_that_of_the_clip_while_it_is_delivered(desk: Desk) -> None:
    """What is decided while a card is drawn comes out decided."""
    house, town = desk.house, desk.town
    card, _ = await desk.made("a heart")
    held = house.telegram.fault("editMessageMedia", hold=True, chat=town.group)
    await pressed(house, card, "Report", town.eve)
    await house.telegram.until(lambda: held.hits)
    look = await house.telegram.sees(town.group, lambda one: one.thread == desk.desk and bool(one.buttons))
    await pressed(house, look, label(look, "y"), town.bob)
    held.release()
    await house.telegram.until(lambda: not look.buttons and "approved" in read(look))


# --- whom a command means ---


async def test_a_member_is_named_by_a_reply_a_mention_a_card_or_a_number(house: TelegramHouse, town: Town) -> None:
    card = await house.ask(town.group, town.ada, "/video a heart")
    words = town.say(town.ada, "hello there")
    given: Sequence[tuple[str, Message | None, Person | None]] = [
        ("/zgrant 1 24 well done", words, None),
        ("/zgrant 1 24 well done", card, None),
        ("/zgrant Ada 1 24 well done", None, town.ada),
        (f"/zgrant {town.ada.id} 1 24 well done", None, None),
        (f"/zgrant --member {town.ada.id} --credits 1 --reason well done", None, None),
    ]
    for count, (text, reply_to, naming) in enumerate(given, start=1):
        said = house.telegram.say(town.group, town.bob, text, reply_to=reply_to, naming=naming)
        await house.answer(town.group, said)
        (case, *_) = await cases_of(house, town)
        assert (case.number, case.target, case.reason) == (count, Asker(NAME, str(town.ada.id)), "well done")
    assert await granted(house, town, town.ada) == len(given) * 1000


async def test_a_name_alone_names_nobody(house: TelegramHouse, town: Town) -> None:
    said = town.say(town.bob, f"/zblock @{town.ada.username} 24")
    assert "@name" in read(await house.answer(town.group, said))
    assert await cases_of(house, town) == []


@pytest.mark.parametrize("text", ["/zpurge 24", "/zblock 24", "/zstrikes"])
async def test_a_message_that_stands_for_nobody_means_nobody(house: TelegramHouse, town: Town, text: str) -> None:
    """Not even everybody."""
    answer = await house.answer(town.group, town.say(town.bob, "/zpause"))
    said = await house.answer(town.group, town.say(town.bob, text, reply_to=answer))
    assert "who is meant" in read(said)
    assert said.buttons == []


async def test_a_topic_is_no_reply_to_whoever_opened_it(desk: Desk) -> None:
    house, town = desk.house, desk.town
    said = house.telegram.say(town.group, town.carl, "/zgrant 1", thread=desk.films)
    await house.answer(town.group, said)
    assert await granted(house, town, town.bob) == 0
    assert Action.GRANT not in await actions(house, town)


async def test_a_card_at_the_desk_stands_for_whom_it_is_about(desk: Desk) -> None:
    house, town = desk.house, desk.town
    card, _ = await desk.made("a heart")
    await pressed(house, card, "Report", town.eve)
    look = await desk.card("a heart")
    await house.answer(town.group, town.say(town.bob, "/zgrant 1", reply_to=look))
    assert await granted(house, town, town.ada) == 1000


# --- what asks before it acts ---


async def test_a_banned_member_is_told_so_until_it_is_lifted(house: TelegramHouse, town: Town) -> None:
    waiting = await house.ask(town.group, town.ada, "/video a heart")
    words = town.say(town.ada, "spam spam spam")
    card = await house.answer(town.group, town.say(town.bob, "/zblock spam <b>spam</b>", reply_to=words))
    assert await curb_of(house, town, town.ada) is None  # it asks first
    assert await pressed(house, card, confirm_label(card), town.bob)
    await house.telegram.until(lambda: not card.buttons)
    assert await curb_of(house, town, town.ada) is Curb.BAN
    await house.telegram.until(lambda: "Cancel" not in waiting.labels)

    said = town.say(town.ada, "/video a star")
    assert "banned" in read(await house.answer(town.group, said))
    await house.answer(town.group, town.say(town.carl, "/zunblock sorry", reply_to=words))
    assert await curb_of(house, town, town.ada) is None
    await house.ask(town.group, town.ada, "/video a star")


async def test_only_the_one_who_asked_may_confirm(house: TelegramHouse, town: Town) -> None:
    words = town.say(town.ada, "spam")
    card = await house.answer(town.group, town.say(town.bob, "/zblock", reply_to=words))
    for stranger in (town.carl, town.ada):
        await pressed(house, card, confirm_label(card), stranger)
    assert await curb_of(house, town, town.ada) is None
    assert card.buttons
    house.telegram.promote(town.group, town.bob, town.carl, "member")
    await pressed(house, card, confirm_label(card), town.bob)
    assert await curb_of(house, town, town.ada) is None


async def test_what_is_dismissed_is_not_done(house: TelegramHouse, town: Town) -> None:
    words = town.say(town.ada, "spam")
    card = await house.answer(town.group, town.say(town.bob, "/zblock", reply_to=words))
    await pressed(house, card, label(card, "n"), town.bob)
    await house.telegram.until(lambda: not card.buttons)
    assert await curb_of(house, town, town.ada) is None
    assert await cases_of(house, town) == []


async def test_it_is_confirmed_after_a_restart(
    tmp_path: Path, empty_database: Path, telegram: TelegramServer, town: Town
) -> None:
    async with living(tmp_path, empty_database, telegram) as first:
        words = town.say(town.ada, "spam")
        card = await first.answer(town.group, town.say(town.bob, "/zblock 24 spam", reply_to=words))
        await first.until_handled()
    press = telegram.press(card, confirm_label(card), town.bob)
    async with living(tmp_path, empty_database, telegram) as second:
        assert await telegram.answered(press)
        await telegram.until(lambda: not card.buttons)
        assert await curb_of(second, town, town.ada) is Curb.BAN


async def test_a_purge_asks_and_takes_the_clips_away(house: TelegramHouse, town: Town) -> None:
    card, clip = await house.made(town.group, town.ada, "/video a heart")
    await confirmed(house, town, town.bob, "/zpurge", reply_to=card)
    await house.telegram.until(lambda: card.kind == "photo")
    async with house.core.database.reading() as tx:
        assert await gallery.get(tx, clip.id) is None
    assert Action.PURGE in await actions(house, town)


# --- stopped in the middle ---


async def test_an_act_whose_answer_was_lost_in_a_kill_is_not_repeated(
    tmp_path: Path, empty_database: Path, telegram: TelegramServer, town: Town
) -> None:
    words = town.say(town.ada, "hello")
    lost = telegram.fault("sendMessage", hold=True, chat=town.group)
    async with living(tmp_path, empty_database, telegram) as first:
        town.say(town.bob, "/zgrant 1", reply_to=words)
        await telegram.until(lambda: lost.hits)
        assert await actions(first, town) == [Action.GRANT]
    async with living(tmp_path, empty_database, telegram) as second:
        await second.until_handled()
        assert await actions(second, town) == [Action.GRANT]
        assert await granted(second, town, town.ada) == 1000
        await second.card(town.group, "credit")  # and it is told once more


async def test_an_update_that_is_handled_twice_acts_once(house: TelegramHouse, town: Town) -> None:
    words = town.say(town.ada, "hello")
    hearing = Hearing(house.surface, house.core.commands, house.core.answers)
    for text in ("/zgrant 1", "/zunblock", "/zpause", "/zblock", "/zpurge"):
        said = town.say(town.bob, text, reply_to=words)
        await house.answer(town.group, said)
        await house.until_handled()
        before, count = await actions(house, town), len(house.telegram.messages(town.group))
        async with house.core.database.reading() as tx:
            number = await updates.last_number(tx, NAME)
        assert number is not None
        await hearing.hear(number, {"update_id": number, "message": said.json(BOT)})
        assert await actions(house, town) == before, text
        assert len(house.telegram.messages(town.group)) == count, text


async def test_what_was_begun_and_came_to_no_known_end_is_not_begun_again(house: TelegramHouse, town: Town) -> None:
    words = town.say(town.ada, "hello")
    said = town.group.add(sender=town.bob, text="/zgrant 1", reply_to=words.id)
    await house.surface.places.note_begun("7")
    hearing = Hearing(house.surface, house.core.commands, house.core.answers)
    await hearing.hear(7, {"update_id": 7, "message": said.json(BOT)})
    await house.card(town.group, "stopped in the middle")
    assert await actions(house, town) == []


async def test_a_press_that_is_handled_twice_acts_once(house: TelegramHouse, town: Town) -> None:
    words = town.say(town.ada, "spam")
    card = await house.answer(town.group, town.say(town.bob, "/zblock", reply_to=words))
    lost = house.telegram.fault("editMessageText", status=502, chat=town.group)
    await pressed(house, card, confirm_label(card), town.bob)
    await house.until_handled()
    assert lost.hits == 1
    assert not card.buttons  # drawn at the second try, with what came of the first
    assert "nothing to confirm" not in read(card)
    assert (await actions(house, town)).count(Action.BAN) == 1


# --- what only the one who asked should read ---


async def test_what_is_for_one_alone_comes_in_the_private_chat(house: TelegramHouse, town: Town) -> None:
    private = house.telegram.private(town.bob)
    words = town.say(town.ada, "hello")
    for_one = ("/zcases", "/ztest a heart", "/zreview", "/zconsole", "/zstrikes", "/strikes", "/zamend 7 more")
    for count, text in enumerate(for_one, start=1):
        answer = await house.answer(town.group, town.say(town.bob, text, reply_to=words))
        assert "private chat" in read(answer), text
        assert len(read(answer).splitlines()) == 2, text
        await house.until_handled()
        assert len([one for one in house.telegram.messages(private) if one.sender == BOT]) == count, text


@pytest.mark.parametrize(
    ("text", "met"), [("/zcases", None), ("/strikes", False), ("/mydata export", None), ("/mydata delete", False)]
)
async def test_whoever_has_not_started_the_bot_is_shown_the_way(
    house: TelegramHouse, town: Town, text: str, met: bool | None
) -> None:
    if met is False:
        house.telegram.private(town.bob, started=False)
    answer = await house.answer(town.group, town.say(town.bob, text))
    (link,) = [entity for entity in answer.entities if entity["type"] == "text_link"]
    assert link["url"] == f"https://t.me/{BOT.username}?start=private"

    private = house.telegram.world.chats.get(town.bob.id) or house.telegram.private(town.bob)
    house.telegram.say(private, town.bob, "/start private")
    await house.until_handled()
    said = await house.answer(town.group, town.say(town.bob, text))
    assert "private chat" in read(said)
    assert said.entities[-1]["type"] != "text_link"


async def test_members_are_told_in_the_group_that_it_is_not_for_them(house: TelegramHouse, town: Town) -> None:
    house.telegram.private(town.ada)
    for text in ("/zcases", "/zreview", "/zconsole", "/ztest a heart"):
        answer = await house.answer(town.group, town.say(town.ada, text))
        assert "private chat" not in read(answer)
    assert house.telegram.messages(house.telegram.world.chats[town.ada.id]) == []


async def test_a_review_is_decided_in_the_private_chat_and_the_next_one_follows(
    house: TelegramHouse, town: Town
) -> None:
    house.telegram.private(town.bob)
    for words in ("a heart", "a star"):
        card, _ = await house.made(town.group, town.ada, f"/video {words}")
        await pressed(house, card, "Report", town.eve)
    town.say(town.bob, "/zreview")
    look = await whispered(house, town.bob, "a heart")
    assert "Decided" in await pressed(house, look, label(look, "y"), town.bob)
    await house.telegram.until(lambda: "a star" in read(look) and "Decided" in read(look))
    assert "Decided" in await pressed(house, look, label(look, "x"), town.bob)
    await house.telegram.until(lambda: not look.buttons)
    assert await open_reviews(house, town) == []
    assert await actions(house, town) == [Action.APPROVE, Action.REMOVE]


async def test_a_card_in_the_private_chat_gives_no_rights_that_were_taken_away(
    house: TelegramHouse, town: Town
) -> None:
    house.telegram.private(town.carl)
    card, _ = await house.made(town.group, town.ada, "/video a heart")
    await reported(house, town, card)
    town.say(town.carl, "/zreview")
    look = await whispered(house, town.carl, "a heart")
    house.telegram.promote(town.group, town.carl, town.bob, "member")
    assert "Only the moderators" in await pressed(house, look, label(look, "y"), town.carl)
    assert len(await open_reviews(house, town)) == 1


async def test_a_review_decided_meanwhile_is_told_in_the_private_chat(house: TelegramHouse, town: Town) -> None:
    cards = []
    card, _ = await house.made(town.group, town.ada, "/video a heart")
    await reported(house, town, card)
    for person in (town.bob, town.carl):
        house.telegram.private(person)
        town.say(person, "/zreview")
        cards.append(await whispered(house, person, "a heart"))
    await pressed(house, cards[0], label(cards[0], "x"), town.bob)
    assert "already" in await pressed(house, cards[1], label(cards[1], "y"), town.carl)
    await house.telegram.until(lambda: not cards[1].buttons)


# --- administrators without a name ---


async def test_an_anonymous_administrator_moderates_and_is_written_to_nowhere(house: TelegramHouse, town: Town) -> None:
    town.group.anonymous.add(town.carl.id)
    house.telegram.private(town.carl)
    words = town.say(town.ada, "spam")
    assert "as yourself" in read(await house.answer(town.group, town.say(town.carl, "/zcases")))

    card = await house.answer(town.group, town.say(town.carl, "/zblock", reply_to=words))
    await pressed(house, card, confirm_label(card), town.bob)  # not anonymous, and not the one who asked
    assert await curb_of(house, town, town.ada) is None
    await pressed(house, card, confirm_label(card), town.carl)
    assert await curb_of(house, town, town.ada) is Curb.BAN
    (case, *_) = await cases_of(house, town)
    assert case.actor == Asker(*town.place)


async def test_who_writes_as_a_channel_of_theirs_is_no_moderator(house: TelegramHouse, town: Town) -> None:
    channel = house.telegram.channel("News", town.eve)
    message = town.group.add(sender=None, text="/zpause").json(BOT) | {"sender_chat": channel.json()}
    house.telegram.tell("message", message)
    await house.card(town.group, "Only")
    assert await cases_of(house, town) == []


# --- what members ask for ---


async def test_a_clip_of_ones_own_is_hidden_and_shown_again(house: TelegramHouse, town: Town) -> None:
    card, clip = await house.made(town.group, town.ada, "/video a heart")
    await house.answer(town.group, town.say(town.eve, f"/hide {clip.id}"))
    assert card.kind == "animation"
    await house.answer(town.group, town.say(town.ada, f"/hide {clip.id}"))
    await house.telegram.until(lambda: card.kind == "photo")
    await pressed(house, card, label(card, "u"), town.ada)
    await house.telegram.until(lambda: card.kind == "animation")


async def test_a_copy_of_what_is_stored_comes_as_a_file_in_private_wherever_it_was_asked_for(
    house: TelegramHouse, town: Town
) -> None:
    private = house.telegram.private(town.ada)
    await house.made(town.group, town.ada, "/video a <b>heart</b>")
    for count, chat in enumerate((town.group, private), start=1):
        house.telegram.say(chat, town.ada, "/mydata export")
        await house.clips(private, count)
        file = house.telegram.clips(private)[-1].file
        assert file is not None
        with zipfile.ZipFile(io.BytesIO(file.content)) as copy:
            assert "a <b>heart</b>" in json.dumps(json.loads(copy.read("data.json")), ensure_ascii=False)
    await house.until_handled()
    assert [one for one in house.telegram.messages(town.group) if one.kind == "document"] == []


async def test_a_copy_comes_in_parts_where_less_is_taken(house: TelegramHouse, town: Town) -> None:
    private = house.telegram.private(town.ada)
    await house.made(town.group, town.ada, "/video a heart")
    refused = house.telegram.fault("sendDocument", status=413, description="Request Entity Too Large")
    house.telegram.say(private, town.ada, "/mydata export")
    await house.clips(private, 1)
    assert refused.hits == 1


async def test_deletion_is_asked_about_and_done_in_private(house: TelegramHouse, town: Town) -> None:
    house.telegram.private(town.ada)
    card, clip = await house.made(town.group, town.ada, "/video a heart")
    town.say(town.ada, "/mydata delete")
    asked = await house.telegram.sees(house.telegram.world.chats[town.ada.id], lambda one: bool(one.buttons))
    await pressed(house, asked, confirm_label(asked), town.ada)
    await house.telegram.until(lambda: card.kind == "photo")
    async with house.core.database.reading() as tx:
        assert await gallery.get(tx, clip.id) is None


async def test_what_is_not_understood_is_answered_with_a_sentence(house: TelegramHouse, town: Town) -> None:
    private = house.telegram.private(town.bob)
    wrong = (
        *(
            "/mydata",
            "/mydata burn",
            "/mydata export --part x",
            "/mydata export --part 0",
            "/mydata delete --level all",
        ),
        *("/hide", "/hide nothing", "/report nothing", "/zamend", "/zgrant", "/zwhy", "/ztest", "/zcases --page x"),
        *("/zsettings desk here", "/zblock somebody"),
    )
    for text in wrong:
        answer = await house.answer(town.group, town.say(town.bob, text))
        await house.until_handled()
        for said in (answer, *(one for one in house.telegram.messages(private) if one.sender == BOT)):
            assert len(read(said).splitlines()) == 2, text
            assert read(said).rstrip().endswith((".", "?")), text


# --- a group that moves, and two groups ---


async def test_a_group_that_becomes_a_supergroup_takes_its_moderation_along(
    house: TelegramHouse, telegram: TelegramServer
) -> None:
    town = settle(telegram, "Small", basic=True)
    telegram.private(town.bob)
    card, _ = await house.made(town.group, town.ada, "/video a heart")
    await reported(house, town, card)
    await confirmed(house, town, town.bob, "/zblock 24 spam", reply_to=town.say(town.eve, "spam"))
    large = telegram.migrate(town.group, town.bob)
    await house.until_handled()

    moved = replace(town, group=large)
    assert await actions(house, moved) == [Action.BAN]
    assert await curb_of(house, moved, town.eve) is Curb.BAN
    moved.say(town.bob, "/zreview")
    look = await whispered(house, town.bob, "a heart")
    assert "Decided" in await pressed(house, look, label(look, "x"), town.bob)
    assert await actions(house, moved) == [Action.BAN, Action.REMOVE]
    async with house.core.database.reading() as tx:
        struck = await standing.strikes_of(tx, Asker(NAME, str(town.ada.id)), *moved.place)
    assert len(struck) == 1


async def test_a_review_asked_for_before_a_move_is_decided_after_it(
    house: TelegramHouse, telegram: TelegramServer
) -> None:
    town = settle(telegram, "Small", basic=True)
    telegram.private(town.bob)
    card, _ = await house.made(town.group, town.ada, "/video a heart")
    await reported(house, town, card)
    town.say(town.bob, "/zreview")
    look = await whispered(house, town.bob, "a heart")
    telegram.migrate(town.group, town.bob)
    await house.until_handled()
    assert "Decided" in await pressed(house, look, label(look, "y"), town.bob)


@dataclass
class Secrets:
    """What is in one group and may be seen and touched from no other."""

    clip: str
    job: str
    refusal: str
    review: str
    case: int
    card: Message


async def kept_secrets(house: TelegramHouse, town: Town) -> Secrets:
    card, clip = await house.made(town.group, town.ada, "/video a secretive heart")
    review = await reported(house, town, card)
    await house.answer(town.group, town.say(town.bob, "/zgrant 1 24 secretive reason", reply_to=card))
    refused = await house.answer(town.group, town.say(town.eve, "/video a naked woman"))
    (refusal,) = [each["callback_data"].partition(":")[2] for each in refused.buttons]
    (case, *_) = await cases_of(house, town)
    return Secrets(clip.id, clip.job, refusal, review.id, case.number, card)


FROM_ELSEWHERE = [
    "/zwhy {clip}",
    "/zwhy {job}",
    "/zwhy {refusal}",
    "/zcases",
    "/zcases --number {case}",
    "/zcases --words secretive",
    "/zcases --member {ada}",
    "/zamend {case} changed",
    "/zstrikes {ada}",
    "/zreview",
    "/zgrant {ada} 1",
    "/zunblock {ada}",
    "/zblock {ada}",
    "/zpurge --member {ada}",
    "/zpurge --hours 24",
    "/zpause",
    "/zsettings --steps 3",
    "/ztest a heart",
    "/zconsole",
    "/hide {clip}",
    "/report {clip}",
]


async def test_a_moderator_of_one_group_sees_and_does_nothing_in_another(
    house: TelegramHouse, telegram: TelegramServer, town: Town
) -> None:
    other = settle(telegram, "Elsewhere")
    there = telegram.private(other.bob)
    secrets = await kept_secrets(house, town)
    before = await snapshot(house, town)
    for command in FROM_ELSEWHERE:
        text = command.format(**{**vars(secrets), "ada": town.ada.id})
        answer = await house.answer(other.group, other.say(other.bob, text))
        await house.until_handled()
        if any(each["callback_data"].startswith("k:") for each in answer.buttons):
            await pressed(house, answer, confirm_label(answer), other.bob)
            await house.until_handled()
        seen = [read(one) for one in (*telegram.messages(there), answer) if one.sender == BOT]
        assert [each for each in seen if "secretive" in each] == [], command
        assert await snapshot(house, town) == before, command
        assert secrets.card.kind == "animation", command


async def snapshot(house: TelegramHouse, town: Town) -> object:
    """What moderators can change in a place."""
    async with house.core.database.reading() as tx:
        settings = await places.settings(tx, *town.place)
        clips = await gallery.browse(tx, *town.place, None, "", 0, 50)
    return (
        settings,
        clips,
        await cases_of(house, town),
        [each.id for each in await open_reviews(house, town)],
        await curb_of(house, town, town.ada),
        await granted(house, town, town.ada),
    )


async def test_a_review_of_another_group_is_decided_by_no_forged_button(
    house: TelegramHouse, telegram: TelegramServer, town: Town
) -> None:
    other = settle(telegram, "Elsewhere")
    secrets = await kept_secrets(house, town)
    forged = await house.ask(other.group, other.bob, "/video a star")
    for letter in "yxf":
        forged.markup = {"inline_keyboard": [[{"text": "forged", "callback_data": f"{letter}:{secrets.review}"}]]}
        await pressed(house, forged, "forged", other.bob)
        assert [each.id for each in await open_reviews(house, town)] == [secrets.review]
        assert secrets.card.kind == "animation"


async def test_a_question_of_another_group_is_confirmed_by_no_forged_button(
    house: TelegramHouse, telegram: TelegramServer, town: Town
) -> None:
    """Not even by the one who asked, who manages both."""
    other = settle(telegram, "Elsewhere")
    other.group.members[town.bob.id] = "administrator"
    words = town.say(town.ada, "spam")
    card = await house.answer(town.group, town.say(town.bob, "/zblock", reply_to=words))
    forged = await house.ask(other.group, other.bob, "/video a star")
    data = next(each["callback_data"] for each in card.buttons if each["callback_data"].startswith("k:"))
    forged.markup = {"inline_keyboard": [[{"text": "forged", "callback_data": data}]]}
    await pressed(house, forged, "forged", town.bob)
    assert await curb_of(house, town, town.ada) is None
    assert await curb_of(house, other, town.ada) is None


# --- the list of commands ---


async def test_help_names_the_moderators_commands_to_moderators_alone(house: TelegramHouse, town: Town) -> None:
    assert "/zreview" in read(await house.answer(town.group, town.say(town.carl, "/help")))
    assert "/zreview" not in read(await house.answer(town.group, town.say(town.ada, "/help")))


async def test_moderators_are_offered_their_commands_in_their_language(house: TelegramHouse) -> None:
    await house.telegram.until(lambda: house.telegram.commands("all_chat_administrators", "de"))
    english = {each["command"]: each["description"] for each in house.telegram.commands("all_chat_administrators")}
    german = {each["command"]: each["description"] for each in house.telegram.commands("all_chat_administrators", "de")}
    everybody = {each["command"] for each in house.telegram.commands()}
    names = "settings pause resume review cases amend why test block unblock grant purge strikes console"
    assert {f"z{name}" for name in names.split()} == english.keys() - everybody
    assert {"report", "hide", "strikes", "mydata"} <= everybody
    assert german.keys() == english.keys()
    assert [name for name, said in german.items() if said == english[name]] == []
