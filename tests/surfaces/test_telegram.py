"""What people do on Telegram, from the command to the clip, in every kind of chat."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.commands import TOO_LATE_SECONDS
from bot.surfaces.telegram.hearing import Hearing
from db import gallery, queue, updates
from tests.surfaces.telegram_chats import Chat, Person
from tests.surfaces.telegram_house import TelegramHouse, living, read
from tests.surfaces.telegram_methods import BOT
from tests.surfaces.telegram_server import TOKEN, TelegramServer, serving


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with serving() as ready:
        yield ready


@pytest.fixture
async def house(tmp_path: Path, empty_database: Path, telegram: TelegramServer) -> AsyncIterator[TelegramHouse]:
    async with living(tmp_path, empty_database, telegram) as ready:
        yield ready


@pytest.fixture
def ada(telegram: TelegramServer) -> Person:
    return telegram.person("Ada")


@pytest.fixture
def bob(telegram: TelegramServer) -> Person:
    return telegram.person("Bob")


@pytest.fixture
def private(telegram: TelegramServer, ada: Person) -> Chat:
    return telegram.private(ada)


@pytest.fixture
def group(telegram: TelegramServer, ada: Person, bob: Person) -> Chat:
    """Bob created it, Ada is a member."""
    return telegram.supergroup("Films", bob, ada)


# --- from the command to the clip ---


async def test_a_card_turns_into_the_clip_in_a_private_chat(house: TelegramHouse, private: Chat, ada: Person) -> None:
    card = await house.ask(private, ada, "/video a heart bouncing on blue --seed 7")
    assert "a heart bouncing on blue" in read(card)
    assert "next in line" in read(card).lower()

    lease = await house.runner.claim()
    assert lease.job.spec.seed == 7
    await house.runner.step(lease, 2)
    await house.telegram.until(lambda: "2 of 4" in read(card) and "▰▰▰▰▰▱▱▱▱▱ 50%" in read(card))
    await house.runner.finish(lease)
    await house.telegram.until(lambda: card.kind == "animation")

    assert card.file is not None
    assert card.file.mime == "video/mp4"
    assert card.file.content[4:8] == b"ftyp"
    assert {"Again", "Edit", "Delete"} <= set(card.labels)
    assert "Seed 7" in read(card)
    assert len(house.telegram.clips(private)) == 1


async def test_a_card_answers_the_command(house: TelegramHouse, private: Chat, ada: Person) -> None:
    said = house.telegram.say(private, ada, "/video a heart")
    card = await house.card(private, "a heart")
    assert card.reply_to == said.id


async def test_a_group_and_its_topic_keep_to_themselves(house: TelegramHouse, ada: Person, bob: Person) -> None:
    forum = house.telegram.supergroup("Forum", bob, ada, topics=("Cats", "Dogs"))
    cats = house.telegram.topic(forum, "Cats")

    card, _ = await house.made(
        forum, ada, "/video@zoetrope_test_bot a cat".replace("zoetrope_test_bot", BOT.username), cats
    )
    assert card.thread == cats
    assert card.file is not None


async def test_a_channel_is_posted_to_in_its_own_name(house: TelegramHouse, ada: Person) -> None:
    channel = house.telegram.channel("News", ada)
    house.telegram.post(channel, "/video a heart")

    card = await house.telegram.sees(channel, lambda one: "Cancel" in one.labels)
    lease = await house.runner.claim()
    assert lease.job.asker.id == str(channel.id)
    await house.runner.finish(lease)
    await house.telegram.until(lambda: card.file is not None)


@pytest.mark.parametrize(("kind", "expected"), [("gif", "image/gif"), ("webp", "image/webp")])
async def test_another_format_comes_when_asked_for(
    house: TelegramHouse, private: Chat, ada: Person, kind: str, expected: str
) -> None:
    card, _ = await house.made(private, ada, f"/video a heart --format {kind}")
    assert card.file is not None
    assert card.file.mime == expected
    assert card.kind == ("animation" if kind == "gif" else "document")


async def test_tags_in_a_prompt_are_words(house: TelegramHouse, private: Chat, ada: Person) -> None:
    hostile = "<b>&amp;</i> <a href='tg://x'>cat</a> </b> & <script> @everyone example.com"
    card, _ = await house.made(private, ada, f"/video {hostile}")

    assert hostile in read(card)
    assert {entity["type"] for entity in card.entities} <= {"bold"}
    assert "@everyone" not in card.text  # which would call somebody
    assert "example.com" not in card.text


async def test_a_prompt_of_emoji_fits_into_the_caption(house: TelegramHouse, private: Chat, ada: Person) -> None:
    card, _ = await house.made(private, ada, "/video " + "🫀" * 900)
    assert len(card.text.encode("utf-16-le")) // 2 <= 1024
    assert "…" in card.text


async def test_a_clip_that_is_to_be_covered_is_and_is_not_offered_where_it_can_not_be(
    house: TelegramHouse, group: Chat, ada: Person, bob: Person
) -> None:
    house.telegram.say(group, bob, "/zsettings --spoiler on")
    await house.until_handled()
    card, _ = await house.made(group, ada, "/video a heart")
    assert card.spoiler
    offered, _ = await house.telegram.inline(ada, "heart")
    assert offered == []


# --- asking back ---


async def test_a_command_without_a_prompt_asks_for_one(
    house: TelegramHouse, group: Chat, ada: Person, bob: Person
) -> None:
    house.telegram.say(group, ada, "/video --seed 9")
    question = await house.telegram.sees(group, lambda one: one.asks_for_reply)

    house.telegram.say(group, bob, "not mine to say", reply_to=question)
    house.telegram.say(group, ada, "a green cat", reply_to=question)
    lease = await house.runner.claim()
    assert lease.job.spec.prompt == "a green cat"
    assert lease.job.spec.seed == 9
    assert lease.job.asker.id == str(ada.id)


async def test_the_answer_is_understood_after_a_restart(
    tmp_path: Path, empty_database: Path, telegram: TelegramServer, private: Chat, ada: Person
) -> None:
    async with living(tmp_path, empty_database, telegram) as first:
        telegram.say(private, ada, "/video")
        question = await telegram.sees(private, lambda one: one.asks_for_reply)
        await first.until_handled()
    telegram.say(private, ada, "a green cat", reply_to=question)
    async with living(tmp_path, empty_database, telegram) as second:
        assert (await second.runner.claim()).job.spec.prompt == "a green cat"


async def test_in_private_the_answer_need_not_be_a_reply(house: TelegramHouse, private: Chat, ada: Person) -> None:
    house.telegram.say(private, ada, "/video")
    await house.telegram.sees(private, lambda one: one.asks_for_reply)
    await house.until_handled()

    house.telegram.say(private, ada, "a green cat")
    assert (await house.runner.claim()).job.spec.prompt == "a green cat"
    house.telegram.say(private, ada, "and thanks")  # no second answer
    await house.until_handled()
    assert len([one for one in house.telegram.messages(private) if "Cancel" in one.labels]) == 1


async def test_options_count_in_an_answer(house: TelegramHouse, private: Chat, ada: Person) -> None:
    house.telegram.say(private, ada, "/video --seed 9 --steps 2")
    question = await house.telegram.sees(private, lambda one: one.asks_for_reply)
    await house.until_handled()

    house.telegram.say(private, ada, "a green cat --stepz 3", reply_to=question)  # nothing is lost by a slip
    await house.card(private, "--stepz")
    house.telegram.say(private, ada, "—steps 3", reply_to=question)
    await house.until_handled()
    house.telegram.say(private, ada, "a green cat --steps 3", reply_to=question)
    spec = (await house.runner.claim()).job.spec
    assert (spec.prompt, spec.seed, spec.steps) == ("a green cat", 9, 3)


async def test_options_count_among_other_words_for_a_clip(house: TelegramHouse, private: Chat, ada: Person) -> None:
    card, _ = await house.made(private, ada, "/video a heart --steps 3 --seed 5")
    house.telegram.press(card, "Edit", ada)
    question = await house.telegram.sees(private, lambda one: one.asks_for_reply)
    await house.until_handled()
    house.telegram.say(private, ada, "a star --seed 7", reply_to=question)
    spec = (await house.runner.claim()).job.spec
    assert (spec.prompt, spec.steps, spec.seed) == ("a star", 3, 7)


async def test_a_channel_is_asked_without_an_answer_field(house: TelegramHouse, ada: Person) -> None:
    channel = house.telegram.channel("News", ada)
    house.telegram.post(channel, "/video --seed 9")
    question = await house.telegram.sees(channel, lambda one: "What shall be shown?" in read(one))
    await house.until_handled()

    answer = channel.add(sender=None, text="a green cat", reply_to=question.id).json(BOT)
    del answer["sender_chat"]  # which a channel's post need not have
    house.telegram.tell("channel_post", answer)
    lease = await house.runner.claim()
    assert (lease.job.spec.prompt, lease.job.asker.id) == ("a green cat", str(channel.id))


async def test_other_words_for_a_clip(house: TelegramHouse, private: Chat, ada: Person) -> None:
    card, _ = await house.made(private, ada, "/video a heart --steps 3")
    house.telegram.press(card, "Edit", ada)
    question = await house.telegram.sees(private, lambda one: one.asks_for_reply)
    assert "a heart" in read(question)
    await house.until_handled()

    house.telegram.say(private, ada, "a star", reply_to=question)
    lease = await house.runner.claim()
    assert (lease.job.spec.prompt, lease.job.spec.steps) == ("a star", 3)


# --- what nobody waits for any more ---


async def test_what_was_said_while_we_were_away_for_long_is_not_made_and_told_once(
    house: TelegramHouse, private: Chat, group: Chat, ada: Person
) -> None:
    ago = int(TOO_LATE_SECONDS) + 3600
    first = house.telegram.say(private, ada, "/video a heart", ago=ago)
    house.telegram.say(private, ada, "/video are you there", ago=ago)
    house.telegram.say(group, ada, "/again", ago=ago)
    house.telegram.say(group, ada, "/zpause@other_bot", ago=ago)
    await house.until_handled()
    (told,) = [one for one in house.telegram.messages(private) if one.sender == BOT]
    assert "Too late" in read(told)
    assert told.reply_to == first.id
    assert len([one for one in house.telegram.messages(group) if one.sender == BOT]) == 1
    async with house.core.database.reading() as tx:
        assert await queue.waiting_count(tx) == 0


async def test_what_was_taken_before_we_went_away_is_not_called_late(
    house: TelegramHouse, private: Chat, ada: Person
) -> None:
    house.telegram.say(private, ada, "/video a heart")
    await house.runner.claim()
    await house.until_handled()
    async with house.core.database.reading() as tx:
        number = await updates.last_number(tx, "telegram")
    assert number is not None
    body = {"update_id": number, "message": private.history[0].json(BOT)}
    hearing = Hearing(house.surface, house.core.commands, house.core.answers)
    await hearing.hear(number, body, waited=86400)
    assert [one for one in house.telegram.messages(private) if "Too late" in read(one)] == []


async def test_a_clock_that_is_wrong_by_days_makes_nothing_late(
    house: TelegramHouse, private: Chat, ada: Person
) -> None:
    house.telegram.say(private, ada, "/video a heart", ago=90 * 86400)
    await house.runner.claim()


# --- what comes without what we expect ---


async def test_a_post_that_its_discussion_group_is_sent_is_answered_in_the_channel_alone(
    house: TelegramHouse, group: Chat, ada: Person
) -> None:
    channel = house.telegram.channel("News", ada)
    forwarded = group.add(sender=None, text="/video a heart").json(BOT)
    origin = {"type": "channel", "date": forwarded["date"], "chat": channel.json(), "message_id": 1}
    forwarded |= {"sender_chat": channel.json(), "is_automatic_forward": True, "forward_origin": origin}
    house.telegram.tell("message", forwarded)
    house.telegram.post(channel, "/video a heart")
    await house.telegram.sees(channel, lambda one: "Cancel" in one.labels)
    await house.until_handled()
    assert [one for one in house.telegram.messages(group) if one.sender == BOT] == []


async def test_updates_with_little_or_nothing_in_them_stop_none_behind_them(
    house: TelegramHouse, private: Chat, ada: Person
) -> None:
    bare = {"id": ada.id, "is_bot": False, "first_name": "Ada"}
    chat = {"id": private.id, "type": "private"}
    odd: list[object] = [
        {"update_id": 10, "callback_query": None},
        {"update_id": 11, "message": "words"},
        {"update_id": 12, "poll": {"id": "1"}},
        {"update_id": 13, "something_new": {}},
        {"update_id": 14, "message": {"message_id": 9, "date": 0, "chat": chat}},
        {"update_id": 15, "edited_message": {"message_id": 9, "date": 0, "chat": chat, "text": "/video a dog"}},
        {"update_id": 16, "message": {"message_id": 10, "date": 0, "chat": {"id": -5, "type": "group"}, "text": "hi"}},
        {"update_id": 17, "callback_query": {"id": "5", "from": bare, "chat_instance": "1", "inline_message_id": "i"}},
    ]
    house.telegram.world.updates += odd  # type: ignore[arg-type]
    words = {"message_id": 11, "date": 0, "chat": chat, "from": bare, "text": "/video@ZOETROPE_test_bot a heart"}
    house.telegram.world.updates.append({"update_id": 18, "message": words})
    house.telegram.changed()
    assert (await house.runner.claim()).job.spec.prompt == "a heart"


async def test_words_below_a_picture_are_words(house: TelegramHouse, private: Chat, ada: Person) -> None:
    message = private.add(sender=ada).json(BOT)
    size = {"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}
    house.telegram.tell("message", message | {"photo": [size], "caption": "/video a heart"})
    assert (await house.runner.claim()).job.spec.prompt == "a heart"


# --- buttons ---


async def test_again_makes_another(house: TelegramHouse, private: Chat, ada: Person) -> None:
    card, clip = await house.made(private, ada, "/video a heart")
    press = house.telegram.press(card, "Again", ada)

    lease = await house.runner.claim()
    assert lease.job.spec.prompt == "a heart"
    assert lease.job.origin == clip.id
    assert await house.telegram.answered(press)


async def test_delete_takes_the_clip_away(house: TelegramHouse, private: Chat, ada: Person) -> None:
    card, clip = await house.made(private, ada, "/video a heart")
    house.telegram.press(card, "Delete", ada)

    await house.telegram.until(lambda: card.kind == "photo")
    assert "Deleted" in read(card)
    assert "a heart" not in read(card)
    assert card.labels == []
    async with house.core.database.reading() as tx:
        assert await gallery.get(tx, clip.id) is None


async def test_a_stranger_is_told_so_and_nothing_happens(house: TelegramHouse, group: Chat, ada: Person) -> None:
    eve = house.telegram.person("Eve")
    card = await house.ask(group, ada, "/video a heart")
    said = await house.telegram.answered(house.telegram.press(card, "Cancel", eve))

    assert "Only the one who asked" in said
    assert "Cancel" in card.labels


async def test_an_administrator_may_cancel_for_others(
    house: TelegramHouse, group: Chat, ada: Person, bob: Person
) -> None:
    card = await house.ask(group, ada, "/video a heart")
    house.telegram.press(card, "Cancel", bob)
    await house.telegram.until(lambda: "Cancelled" in read(card))


async def test_rights_that_were_taken_away_no_longer_count(
    house: TelegramHouse, group: Chat, ada: Person, bob: Person
) -> None:
    card = await house.ask(group, ada, "/video a heart")
    house.telegram.promote(group, bob, ada, "member")
    assert "Only the one who asked" in await house.telegram.answered(house.telegram.press(card, "Cancel", bob))


async def test_buttons_that_nobody_made_are_answered(house: TelegramHouse, private: Chat, ada: Person) -> None:
    card = await house.ask(private, ada, "/video a heart")
    for data in ("x" * 64, "a:../../etc", "c:", "?", "\u2603" * 21, "g:0"):
        card.markup = {"inline_keyboard": [[{"text": "forged", "callback_data": data}]]}
        assert await house.telegram.answered(house.telegram.press(card, "forged", ada))


# --- the other commands ---


async def test_every_command_is_answered(house: TelegramHouse, private: Chat, ada: Person) -> None:
    for text in ("/queue", "/quota", "/gallery", "/settings", "/help", "/privacy", "/start", "/start inline", "/link"):
        answer = await house.answer(private, house.telegram.say(private, ada, text))
        assert answer.text


async def test_a_command_in_a_language_is_answered_in_it(house: TelegramHouse) -> None:
    carla = house.telegram.person("Carla", language="de")
    chat = house.telegram.private(carla)
    said = house.telegram.say(chat, carla, "/video a heart --steps elf")
    answer = await house.telegram.sees(chat, lambda one: one.sender == BOT and one.reply_to == said.id)
    assert "must be" not in read(answer)


async def test_show_and_random_upload_nothing_again(house: TelegramHouse, private: Chat, ada: Person) -> None:
    _, clip = await house.made(private, ada, "/video a heart")
    uploads = len(house.telegram.world.files)
    for count, text in enumerate((f"/show {clip.id}", "/random"), start=2):
        house.telegram.say(private, ada, text)
        await house.clips(private, count)
    assert len(house.telegram.world.files) == uploads
    assert len({one.file.id for one in house.telegram.clips(private) if one.file}) == 1


async def test_a_file_that_telegram_has_lost_is_sent_anew(house: TelegramHouse, private: Chat, ada: Person) -> None:
    _, clip = await house.made(private, ada, "/video a heart")
    house.telegram.world.files.clear()

    house.telegram.say(private, ada, f"/show {clip.id}")
    await house.telegram.until(lambda: len(house.telegram.clips(private)) == 2)


async def test_the_gallery_turns_its_pages_in_place(house: TelegramHouse, private: Chat, ada: Person) -> None:
    for number in range(6):
        await house.made(private, ada, f"/video heart number {number}")
    house.telegram.say(private, ada, "/gallery")
    page = await house.card(private, "Gallery")
    more = next(each for each in page.buttons if each["callback_data"] == "g:2")

    house.telegram.press(page, more["text"], ada)
    await house.telegram.until(lambda: "heart number 0" in read(page))


async def test_again_without_a_clip_says_so(house: TelegramHouse, private: Chat, ada: Person) -> None:
    said = house.telegram.say(private, ada, "/again")
    answer = await house.telegram.sees(private, lambda one: one.reply_to == said.id)
    assert answer.text


async def test_commands_for_other_bots_are_left_to_them(house: TelegramHouse, group: Chat, ada: Person) -> None:
    house.telegram.promote(group, BOT, ada)  # hears everything
    before = len(house.telegram.messages(group))
    for text in ("/video@other_bot a heart", "/roll 2d6", "what a nice film", "/start@other_bot"):
        house.telegram.say(group, ada, text)
    await house.until_handled()
    assert len(house.telegram.messages(group)) == before + 4


async def test_an_unknown_command_in_private_is_answered(house: TelegramHouse, private: Chat, ada: Person) -> None:
    house.telegram.say(private, ada, "/vidoe a heart")
    await house.card(private, "/video")


async def test_the_menu_is_set_in_every_language_and_for_moderators(house: TelegramHouse) -> None:
    await house.telegram.until(lambda: house.telegram.commands("all_chat_administrators", "de"))
    everybody = [each["command"] for each in house.telegram.commands()]
    moderators = [each["command"] for each in house.telegram.commands("all_chat_administrators")]
    german = {each["command"]: each["description"] for each in house.telegram.commands("default", "de")}

    assert {"video", "again", "cancel", "queue", "quota", "gallery", "random", "show", "help", "privacy"} <= set(
        everybody
    )
    theirs = {"review", "cases", "amend", "why", "test", "block", "unblock", "grant", "purge", "strikes", "console"}
    assert set(moderators) - set(everybody) == {f"z{name}" for name in theirs | {"settings", "pause", "resume"}}
    assert german.keys() == set(everybody)


# --- moderators ---


async def test_administrators_pause_and_resume_a_group(
    house: TelegramHouse, group: Chat, ada: Person, bob: Person
) -> None:
    house.telegram.say(group, bob, "/zpause")
    await house.until_handled()
    said = house.telegram.say(group, ada, "/video a heart")
    refusal = await house.telegram.sees(group, lambda one: one.reply_to == said.id)
    assert "Cancel" not in refusal.labels

    house.telegram.say(group, bob, "/zresume")
    await house.until_handled()
    await house.ask(group, ada, "/video a heart")


@pytest.mark.parametrize("text", ["/zpause", "/zsettings --steps 3"])
async def test_members_can_not_set_a_group(house: TelegramHouse, group: Chat, ada: Person, text: str) -> None:
    said = house.telegram.say(group, ada, text)
    answer = await house.telegram.sees(group, lambda one: one.reply_to == said.id)
    assert "Only those who manage this place" in read(answer)
    card = await house.ask(group, ada, "/video a heart --steps 4")
    assert card.labels


async def test_administrators_set_what_holds_in_a_group(
    house: TelegramHouse, group: Chat, ada: Person, bob: Person
) -> None:
    said = house.telegram.say(group, bob, "/zsettings --steps 3")
    await house.telegram.sees(group, lambda one: one.reply_to == said.id)
    said = house.telegram.say(group, ada, "/video a heart --steps 4")
    refusal = await house.telegram.sees(group, lambda one: one.reply_to == said.id)
    assert "3" in read(refusal)
    assert "Cancel" not in refusal.labels


# --- inline ---


async def test_inline_offers_finished_clips_by_their_words(
    house: TelegramHouse, private: Chat, group: Chat, ada: Person, bob: Person
) -> None:
    card, clip = await house.made(private, ada, "/video a heart bouncing")
    await house.made(private, ada, "/video a green cat")
    uploads = len(house.telegram.world.files)

    offered, following = await house.telegram.inline(ada, "heart")
    assert [each.result["id"] for each in offered] == [clip.id]
    assert following == ""
    posted = house.telegram.choose(offered[0], group)
    assert posted.file == card.file
    assert len(house.telegram.world.files) == uploads
    nobodys, _ = await house.telegram.inline(bob, "heart")
    assert nobodys == []  # what was made in private is nobody else's


# --- where we may be ---


async def test_a_group_that_becomes_a_supergroup_keeps_its_clip_and_its_settings(
    house: TelegramHouse, ada: Person, bob: Person
) -> None:
    small = house.telegram.group("Small", bob, ada)
    house.telegram.say(small, bob, "/zsettings --steps 3")
    await house.until_handled()
    await house.ask(small, ada, "/video a heart --steps 2")
    lease = await house.runner.claim()
    large = house.telegram.migrate(small, bob)
    await house.until_handled()

    await house.runner.step(lease, 1)
    card = await house.card(large, "a heart")
    await house.runner.finish(lease)
    await house.telegram.until(lambda: card.file is not None)
    assert len(house.telegram.clips(large)) == 1

    said = house.telegram.say(large, ada, "/video a heart --steps 4")
    refusal = await house.telegram.sees(large, lambda one: one.reply_to == said.id)
    assert "Cancel" not in refusal.labels


async def test_a_move_that_only_an_answer_tells_of_is_followed(
    house: TelegramHouse, telegram: TelegramServer, ada: Person, bob: Person
) -> None:
    small = telegram.group("Small", bob, ada)
    await house.ask(small, ada, "/video a heart")
    lease = await house.runner.claim()
    large = telegram.supergroup("Large", bob, ada)
    small.moved_to = large.id  # and nobody says so

    await house.runner.finish(lease)
    await telegram.until(lambda: len(telegram.clips(large)) == 1)


async def test_a_chat_that_puts_us_out_is_left_alone_until_we_are_let_in(
    house: TelegramHouse, group: Chat, ada: Person, bob: Person
) -> None:
    await house.ask(group, ada, "/video a heart")
    lease = await house.runner.claim()
    house.telegram.kick(group, bob)
    await house.until_handled()
    calls = len(house.telegram.calls)

    clip = await house.runner.finish(lease)
    async with house.core.database.reading() as tx:
        assert await gallery.get(tx, clip.id) is not None
    await house.runner.core.database.bell.wait(house.core.database.bell.count(), 1.0)
    assert [call for call in house.telegram.calls[calls:] if call.method != "getUpdates"] == []

    house.telegram.promote(group, BOT, bob, "member")
    await house.until_handled()
    await house.ask(group, ada, "/video a star")


# --- webhook ---


async def test_updates_that_are_sent_to_us_need_the_secret(
    tmp_path: Path, empty_database: Path, telegram: TelegramServer, private: Chat, ada: Person
) -> None:
    async with living(
        tmp_path, empty_database, telegram, webhook_url="https://example.org/hook", webhook_port=0
    ) as house:
        await telegram.until(lambda: telegram.world.webhook)
        assert telegram.world.webhook["url"] == "https://example.org/hook"
        port = house.surface.webhook_port
        telegram.proxy = f"http://127.0.0.1:{port}/hook"
        async with httpx.AsyncClient() as client:
            for headers in ({}, {"x-telegram-bot-api-secret-token": "guess"}):
                reply = await client.post(telegram.proxy, json={"update_id": 1}, headers=headers)
                assert reply.status_code == 403
            reply = await client.post(f"http://127.0.0.1:{port}/elsewhere", json={"update_id": 1})
            assert reply.status_code == 404
        card, _ = await house.made(private, ada, "/video a heart")
        assert card.kind == "animation"


async def test_what_is_sent_to_us_and_is_no_update_is_turned_away(
    tmp_path: Path, empty_database: Path, telegram: TelegramServer, private: Chat, ada: Person
) -> None:
    async with living(
        tmp_path, empty_database, telegram, webhook_url="https://example.org/hook", webhook_port=0
    ) as house:
        await telegram.until(lambda: telegram.world.webhook)
        telegram.proxy = url = f"http://127.0.0.1:{house.surface.webhook_port}/hook"
        headers = {"x-telegram-bot-api-secret-token": telegram.world.webhook["secret_token"]}
        async with httpx.AsyncClient(headers=headers) as client:
            assert (await client.get(url)).status_code == 405
            for body in ("", "no json", "[]", "7", "{}", '{"update_id": "x"}', "[" * 200_000, " " * 1_000_001 + "{}"):
                assert (await client.post(url, content=body)).status_code == 400
        await house.ask(private, ada, "/video a heart")


async def test_our_own_webhook_is_taken_back_when_we_ask_for_updates_again(
    tmp_path: Path, empty_database: Path, telegram: TelegramServer, private: Chat, ada: Person
) -> None:
    async with living(tmp_path, empty_database, telegram, webhook_url="https://example.org/hook", webhook_port=0):
        await telegram.until(lambda: telegram.world.webhook)
    async with living(tmp_path, empty_database, telegram) as house:
        await house.ask(private, ada, "/video a heart")
    assert telegram.world.webhook == {}


# --- the log ---


async def test_neither_the_token_nor_a_prompt_reaches_the_log(
    house: TelegramHouse, private: Chat, ada: Person, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await house.made(private, ada, "/video a very private heart")
    house.telegram.say(private, ada, "/show nothing")
    await house.until_handled()
    secret = TOKEN.partition(":")[2]
    ours = [record for record in caplog.records if not record.name.startswith(("aiosqlite", "aiohttp"))]
    assert [record for record in ours if secret in record.getMessage() or "private heart" in record.getMessage()] == []
