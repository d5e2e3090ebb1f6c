"""The loopback Telegram server behaves as the real one does, seen through the real client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from aiohttp import web
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeChat,
    ChatMember,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InlineQueryResultCachedMpeg4Gif,
    InputMediaAnimation,
    InputMediaPhoto,
    InputTextMessageContent,
    Message,
    Update,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, NetworkError, RetryAfter, TimedOut
from telegram.request import HTTPXRequest

from tests.surfaces.telegram_chats import Chat, Person
from tests.surfaces.telegram_methods import BOT
from tests.surfaces.telegram_official import PATH, Official
from tests.surfaces.telegram_server import TOKEN, TelegramServer, serving

CLIP = b"\x00\x00\x00\x18ftypmp42 not really a film"
BUTTON = InlineKeyboardMarkup([[InlineKeyboardButton("Cancel", callback_data="c1")]])


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with serving() as ready:
        yield ready


@pytest.fixture
async def bot(server: TelegramServer) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, server.base_url, server.base_file_url, get_updates_request=HTTPXRequest()) as ready:
        yield ready


@pytest.fixture
def ada(server: TelegramServer) -> Person:
    return server.person("Ada", language="de")


@pytest.fixture
def chat(server: TelegramServer, ada: Person) -> Chat:
    return server.private(ada)


def test_the_official_list_is_there_to_judge_calls() -> None:
    if Official.find() is None:
        pytest.skip(f"{PATH} is missing: no call to Telegram is checked against the official list of methods.")


# --- updates ---


async def test_an_update_is_served_until_a_higher_offset_confirms_it(
    server: TelegramServer, bot: Bot, ada: Person, chat: Chat
) -> None:
    server.say(chat, ada, "one")
    server.say(chat, ada, "two")
    first, second = await bot.get_updates()
    assert [first, second] == list(await bot.get_updates(offset=first.update_id))
    assert [second] == list(await bot.get_updates(offset=second.update_id))
    assert [second] == list(await bot.get_updates())
    assert not await bot.get_updates(offset=second.update_id + 1)


async def test_a_long_poll_returns_when_somebody_writes(
    server: TelegramServer, bot: Bot, ada: Person, chat: Chat
) -> None:
    polling = asyncio.create_task(bot.get_updates(timeout=30))
    await server.until(lambda: server.polls)
    server.say(chat, ada, "/start")
    (update,) = await polling
    assert update.message
    assert update.message.from_user
    assert update.message.from_user.language_code == "de"
    assert update.message.entities[0].type == "bot_command"


async def test_a_second_poller_ends_the_first(server: TelegramServer, bot: Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=30))
    await server.until(lambda: server.polls)
    assert not await bot.get_updates(timeout=0)
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await first


async def test_only_kinds_that_were_asked_for_arrive(server: TelegramServer, bot: Bot, ada: Person) -> None:
    bob = server.person("Bob")
    group = server.supergroup("Club", ada, bob)
    server.promote(group, bob, by=ada)
    assert not await bot.get_updates()
    await bot.get_updates(allowed_updates=[Update.CHAT_MEMBER])
    server.promote(group, bob, by=ada, rank="member")
    server.say(group, ada, "/video a cat")
    (update,) = await bot.get_updates()
    assert update.chat_member
    assert (update.chat_member.old_chat_member.status, update.chat_member.new_chat_member.status) == (
        ChatMember.ADMINISTRATOR,
        ChatMember.MEMBER,
    )


async def test_privacy_mode_hides_what_is_not_meant_for_the_bot(server: TelegramServer, bot: Bot, ada: Person) -> None:
    group = server.group("Club", ada)
    sent = await bot.send_message(group.id, "I am here")
    card = group.find(sent.message_id)
    heard = [
        server.say(group, ada, "/video a cat"),
        server.say(group, ada, f"/video@{BOT.username} a cat"),
        server.say(group, ada, "a dog", reply_to=card),
    ]
    server.say(group, ada, "how are you?")
    server.say(group, ada, "/video@other_bot a cat")
    assert [one.message.message_id for one in await bot.get_updates() if one.message] == [one.id for one in heard]
    server.promote(group, BOT, by=ada)
    overheard = server.say(group, ada, "how are you?")
    last = (await bot.get_updates())[-1]
    assert last.message
    assert last.message.message_id == overheard.id


async def test_a_webhook_gets_updates_with_its_secret_until_it_takes_them(
    server: TelegramServer, bot: Bot, ada: Person, chat: Chat
) -> None:
    answers, arrived = [500, 200, 200], asyncio.Queue[tuple[str, str]]()

    async def take(request: web.Request) -> web.Response:
        update = await request.json()
        await arrived.put((request.headers["X-Telegram-Bot-Api-Secret-Token"], update["message"]["text"]))
        return web.Response(status=answers.pop(0))

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        server.proxy = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        await bot.set_webhook("https://bot.example/hook", secret_token="s3cret")
        server.say(chat, ada, "one")
        server.say(chat, ada, "two")
        await server.until(lambda: not server.world.updates)
        assert [arrived.get_nowait() for _ in range(3)] == [("s3cret", "one"), ("s3cret", "one"), ("s3cret", "two")]
        info = await bot.get_webhook_info()
        assert info.last_error_message == "Wrong response from the webhook: 500 Internal Server Error"
        with pytest.raises(Conflict, match="webhook is active"):
            await bot.get_updates()
    finally:
        await runner.cleanup()
    await bot.delete_webhook()
    assert not await bot.get_updates()


async def test_a_server_that_was_away_has_kept_chats_and_updates(
    server: TelegramServer, bot: Bot, ada: Person, chat: Chat
) -> None:
    server.say(chat, ada, "one")
    await server.stop()
    with pytest.raises(NetworkError):
        await bot.get_updates()
    await server.start()
    assert len(await bot.get_updates()) == 1


# --- messages ---


async def test_markup_becomes_entities(server: TelegramServer, bot: Bot, chat: Chat) -> None:
    sent = await bot.send_message(
        chat.id, '😀 <b>hi <i>&lt;Ada&gt;</i></b> & <a href="https://x.example/?a=1&amp;b=2">x</a>', parse_mode="HTML"
    )
    (message,) = server.messages(chat)
    assert message.text == sent.text == "😀 hi <Ada> & x"
    assert [(one["type"], one["offset"], one["length"]) for one in message.entities] == [
        ("bold", 3, 8),
        ("italic", 6, 5),
        ("text_link", 14, 1),
    ]
    assert sent.parse_entity(sent.entities[1]) == "<Ada>"
    assert sent.entities[2].url == "https://x.example/?a=1&b=2"


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<b>hi", "find end tag corresponding to start tag"),
        ("a <x>hi</x>", 'nsupported start tag "x" at byte offset 2'),
        ("<b>hi</i>", 'nmatched end tag at byte offset 5, expected "</b>", found "</i>"'),
        ("hi</b>", "nexpected end tag at byte offset 2"),
        ("ä < b", "nclosed start tag at byte offset 3"),
    ],
)
async def test_markup_that_is_none_is_refused(
    server: TelegramServer, bot: Bot, chat: Chat, html: str, said: str
) -> None:
    with pytest.raises(BadRequest, match=said):
        await bot.send_message(chat.id, html, parse_mode=ParseMode.HTML)
    server.forgive("can't parse entities")
    assert server.messages(chat) == []


async def test_lengths_are_those_of_the_words_without_markup(server: TelegramServer, bot: Bot, chat: Chat) -> None:
    await bot.send_message(chat.id, f"<b>{'x' * 4096}</b>", parse_mode="HTML")
    await bot.send_animation(chat.id, CLIP, caption=f"<b>{'&lt;' * 1024}</b>", parse_mode="HTML")
    with pytest.raises(BadRequest, match="Message is too long"):
        await bot.send_message(chat.id, "x" * 4097)
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.send_animation(chat.id, CLIP, caption="x" * 1025)
    with pytest.raises(BadRequest, match="Message text is empty"):
        await bot.send_message(chat.id, "<b> </b>", parse_mode="HTML")
    for rule in ("message is too long", "caption is too long", "text is empty"):
        server.forgive(rule)


async def test_a_text_becomes_an_animation_in_place_and_keeps_its_keyboard_only_if_sent_again(
    server: TelegramServer, bot: Bot, chat: Chat
) -> None:
    sent = await bot.send_message(chat.id, "queued", reply_markup=BUTTON)
    media = InputMediaAnimation(CLIP, caption="<b>done</b>", parse_mode="HTML", width=256, height=144, duration=2)
    edited = await bot.edit_message_media(media, chat.id, sent.message_id, reply_markup=BUTTON)
    assert isinstance(edited, Message)
    assert edited.animation
    (clip,) = server.clips(chat)
    assert (clip.text, clip.labels, clip.file and clip.file.content) == ("done", ["Cancel"], CLIP)
    assert (edited.animation.width, edited.animation.duration) == (256, 2)
    await bot.edit_message_caption(chat.id, sent.message_id, caption="done")
    assert clip.labels == []
    file = await bot.get_file(edited.animation.file_id)
    assert bytes(await file.download_as_bytearray()) == CLIP


async def test_a_picture_takes_the_place_of_a_clip(server: TelegramServer, bot: Bot, chat: Chat) -> None:
    sent = await bot.send_animation(chat.id, CLIP)
    edited = await bot.edit_message_media(InputMediaPhoto(b"\x89PNG", caption="gone"), chat.id, sent.message_id)
    assert isinstance(edited, Message)
    assert len(edited.photo) == 1
    assert server.clips(chat) == []


async def test_a_file_id_shows_a_file_again_without_an_upload(server: TelegramServer, bot: Bot, chat: Chat) -> None:
    sent = await bot.send_animation(chat.id, CLIP)
    assert sent.animation
    again = await bot.send_animation(chat.id, sent.animation.file_id, caption="again")
    assert len(server.world.files) == 1
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_media(
            InputMediaAnimation(sent.animation.file_id, caption="again"), chat.id, again.message_id
        )
    with pytest.raises(BadRequest, match="rong file identifier"):
        await bot.send_animation(chat.id, "AgAC-nothing")


async def test_an_older_local_server_does_not_turn_text_into_media(
    server: TelegramServer, bot: Bot, chat: Chat
) -> None:
    server.world.replaces_text = False
    sent = await bot.send_message(chat.id, "queued")
    with pytest.raises(BadRequest, match="There is no media in the message to edit"):
        await bot.edit_message_media(InputMediaAnimation(CLIP), chat.id, sent.message_id)
    assert server.clips(chat) == []


async def test_edits_are_refused_in_telegrams_words(server: TelegramServer, bot: Bot, ada: Person, chat: Chat) -> None:
    sent = await bot.send_message(chat.id, "queued", reply_markup=BUTTON)
    with pytest.raises(BadRequest, match="Message is not modified: specified new message content"):
        await bot.edit_message_text("queued", chat.id, sent.message_id, reply_markup=BUTTON)
    theirs = server.say(chat, ada, "mine")
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("yours", chat.id, theirs.id)
    server.remove(server.messages(chat)[0])
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("running", chat.id, sent.message_id)
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(chat.id, sent.message_id)


async def test_an_upload_over_the_limit_is_refused(server: TelegramServer, bot: Bot, chat: Chat) -> None:
    server.world.upload_limit = 10
    with pytest.raises(NetworkError, match="Request Entity Too Large"):
        await bot.send_document(chat.id, CLIP, filename="clip.mp4")
    assert server.messages(chat) == []


async def test_topics_keep_their_thread(server: TelegramServer, bot: Bot, ada: Person) -> None:
    forum = server.supergroup("Club", ada, topics=("clips", "talk"))
    thread = server.topic(forum, "talk")
    asked = server.say(forum, ada, "/video a cat", thread=thread)
    (update,) = await bot.get_updates()
    assert update.message
    assert update.message.is_topic_message
    assert update.message.message_thread_id == thread
    assert update.message.reply_to_message  # Telegram's habit: a message in a topic answers the topic's first
    assert update.message.reply_to_message.forum_topic_created
    await bot.send_message(forum.id, "queued", message_thread_id=thread, reply_to_message_id=asked.id)
    assert server.messages(forum)[-1].thread == thread
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(forum.id, "queued", message_thread_id=99)


async def test_a_reply_needs_the_message_it_answers(server: TelegramServer, bot: Bot, ada: Person, chat: Chat) -> None:
    asked = server.say(chat, ada, "/video")
    await bot.send_message(chat.id, "What?", reply_to_message_id=asked.id, reply_markup=ForceReply(selective=True))
    question = server.messages(chat)[-1]
    assert question.asks_for_reply
    assert question.reply_to == asked.id
    server.remove(asked)
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(chat.id, "What?", reply_to_message_id=asked.id)
    sent = await bot.send_message(
        chat.id, "What?", reply_to_message_id=asked.id, allow_sending_without_reply=True, disable_notification=True
    )
    assert sent.reply_to_message is None
    assert server.messages(chat)[-1].silent


# --- buttons and inline mode ---


async def test_a_press_is_answered_once_and_in_time(server: TelegramServer, bot: Bot, ada: Person, chat: Chat) -> None:
    await bot.send_message(chat.id, "queued", reply_markup=BUTTON)
    press = server.press(server.messages(chat)[0], "Cancel", ada)
    (update,) = await bot.get_updates()
    assert update.callback_query
    assert update.callback_query.data == "c1"
    await update.callback_query.answer("Cancelled.")
    assert await server.answered(press) == "Cancelled."
    with pytest.raises(BadRequest, match="Query is too old and response timeout expired or query id is invalid"):
        await update.callback_query.answer()
    late = server.press(server.messages(chat)[0], "c1", ada)
    late.expired = True
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(late.id)


async def test_callback_data_has_64_bytes(server: TelegramServer, bot: Bot, chat: Chat) -> None:
    await bot.send_message(
        chat.id, "x", reply_markup=InlineKeyboardMarkup.from_button(InlineKeyboardButton("b", callback_data="x" * 64))
    )
    with pytest.raises(BadRequest, match=r"(?i)button_data_invalid"):
        await bot.send_message(
            chat.id,
            "x",
            reply_markup=InlineKeyboardMarkup.from_button(InlineKeyboardButton("b", callback_data="ä" * 33)),
        )
    server.forgive("callback_data has 66 of 1-64 bytes")


async def test_an_answer_to_a_press_has_200_characters(
    server: TelegramServer, bot: Bot, ada: Person, chat: Chat
) -> None:
    await bot.send_message(chat.id, "queued", reply_markup=BUTTON)
    press = server.press(server.messages(chat)[0], "Cancel", ada)
    with pytest.raises(BadRequest):
        await bot.answer_callback_query(press.id, "x" * 201)
    server.forgive("over 200 characters")


async def test_a_search_is_answered_and_a_result_is_posted(
    server: TelegramServer, bot: Bot, ada: Person, chat: Chat
) -> None:
    sent = await bot.send_animation(chat.id, CLIP)
    assert sent.animation
    group = server.supergroup("Club", ada)

    async def serve() -> None:
        (update,) = await bot.get_updates(timeout=10)
        assert update.inline_query
        assert sent.animation
        film = InlineQueryResultCachedMpeg4Gif("a", sent.animation.file_id, caption="a cat", reply_markup=BUTTON)
        words = InlineQueryResultArticle("b", "None", InputTextMessageContent("Nothing."))
        await update.inline_query.answer([film, words], next_offset="50", is_personal=True, cache_time=0)

    serving_it = asyncio.create_task(serve())
    offered, more = await server.inline(ada, "cat")
    await serving_it
    assert ([one.result["id"] for one in offered], more) == (["a", "b"], "50")
    posted = server.choose(offered[0], group)
    assert posted.via_bot
    assert posted.file
    assert posted.file.content == CLIP
    chosen = (await bot.get_updates())[-1].chosen_inline_result
    assert chosen
    assert (chosen.result_id, chosen.inline_message_id) == ("a", posted.inline_id)
    await bot.edit_message_caption(inline_message_id=posted.inline_id, caption="two cats")
    assert posted.text == "two cats"


# --- the bot, its commands, members ---


async def test_the_bot_tells_who_it_is(server: TelegramServer, bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.username, me.can_read_all_group_messages, me.supports_inline_queries) == (BOT.username, False, True)
    await bot.set_my_description("Clips from words", language_code="en")
    assert (await bot.get_my_description("en")).description == "Clips from words"


async def test_commands_are_kept_by_scope_and_language(server: TelegramServer, bot: Bot, chat: Chat) -> None:
    await bot.set_my_commands([BotCommand("video", "Make a clip")])
    await bot.set_my_commands([BotCommand("video", "Mach einen Film")], BotCommandScopeAllGroupChats(), "de")
    await bot.set_my_commands([("start", "Begin")], BotCommandScopeChat(chat.id))
    assert [one.command for one in await bot.get_my_commands()] == ["video"]
    assert server.commands("all_group_chats", "de")[0]["description"] == "Mach einen Film"
    assert server.commands("chat", chat_id=chat.id)[0]["command"] == "start"


async def test_members_have_their_ranks(server: TelegramServer, bot: Bot, ada: Person) -> None:
    bob = server.person("Bob")
    group = server.supergroup("Club", ada, bob)
    assert (await bot.get_chat_member(group.id, ada.id)).status == ChatMember.OWNER
    assert (await bot.get_chat_member(group.id, bob.id)).status == ChatMember.MEMBER
    server.promote(group, bob, by=ada)
    assert {one.user.id for one in await bot.get_chat_administrators(group.id)} == {ada.id, bob.id}
    assert (await bot.get_chat(group.id)).title == "Club"


async def test_a_channel_takes_posts_where_the_bot_is_an_administrator(
    server: TelegramServer, bot: Bot, ada: Person
) -> None:
    channel = server.channel("News", ada)
    server.post(channel, "/video a cat")
    (update,) = await bot.get_updates()
    assert update.channel_post
    assert update.channel_post.sender_chat
    await bot.send_message(channel.id, "queued")
    server.promote(channel, BOT, by=ada, rank="member")
    with pytest.raises(BadRequest, match="Need administrator rights in the channel chat"):
        await bot.send_message(channel.id, "queued")


async def test_who_blocks_or_kicks_the_bot_hears_nothing_more(
    server: TelegramServer, bot: Bot, ada: Person, chat: Chat
) -> None:
    group = server.supergroup("Club", ada)
    server.block(ada)
    server.kick(group, by=ada)
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(chat.id, "hi")
    with pytest.raises(Forbidden, match="bot was kicked from the supergroup chat"):
        await bot.send_message(group.id, "hi")
    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        await bot.send_message(server.private(server.person("Bob"), started=False).id, "hi")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(1, "hi")
    assert [one.my_chat_member.new_chat_member.status for one in await bot.get_updates() if one.my_chat_member] == [
        ChatMember.BANNED,
        ChatMember.BANNED,
    ]


async def test_a_group_that_grows_tells_its_new_id(server: TelegramServer, bot: Bot, ada: Person) -> None:
    group = server.group("Club", ada)
    grown = server.migrate(group, by=ada)
    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(group.id, "hi")
    assert moved.value.new_chat_id == grown.id
    left, arrived = await bot.get_updates()
    assert left.message
    assert arrived.message
    assert (left.message.migrate_to_chat_id, arrived.message.migrate_from_chat_id) == (grown.id, group.id)
    await bot.send_message(grown.id, "hi")


# --- faults ---


async def test_a_flood_is_answered_with_patience_to_be_had(server: TelegramServer, bot: Bot, chat: Chat) -> None:
    fault = server.fault("sendMessage", retry_after=7, chat=chat)
    with pytest.raises(RetryAfter) as asked:
        await bot.send_message(chat.id, "hi")
    assert fault.hits == 1
    assert str(asked.value).endswith("Retry in 7 seconds")
    await bot.send_message(chat.id, "hi")
    assert len(server.messages(chat)) == 1


async def test_a_bad_gateway_has_no_effect(server: TelegramServer, bot: Bot, chat: Chat) -> None:
    server.fault("*", status=502, times=2)
    for _ in range(2):
        with pytest.raises(NetworkError, match="Bad Gateway"):
            await bot.send_message(chat.id, "hi")
    await bot.send_message(chat.id, "hi")
    assert len(server.messages(chat)) == 1


async def test_something_else_can_happen_between_an_effect_and_its_answer(
    server: TelegramServer, bot: Bot, chat: Chat
) -> None:
    seen: list[int] = []
    server.fault("sendMessage", then=lambda: seen.append(len(server.messages(chat))))
    await bot.send_message(chat.id, "hi")
    assert seen == [1]


@pytest.mark.parametrize(("when", "standing"), [("before", 0), ("after", 1)])
async def test_a_connection_is_cut_before_or_after_the_effect(
    server: TelegramServer, bot: Bot, chat: Chat, when: str, standing: int
) -> None:
    server.fault("sendMessage", drop=when)
    with pytest.raises(NetworkError):
        await bot.send_message(chat.id, "hi")
    assert len(server.messages(chat)) == standing
    assert [one.status for one in server.made("sendMessage", chat)] == [0]


async def test_an_answer_is_held_past_the_clients_patience_after_the_effect(
    server: TelegramServer, bot: Bot, chat: Chat
) -> None:
    server.fault("sendAnimation", hold=True)
    with pytest.raises(TimedOut):
        await bot.send_animation(chat.id, CLIP, read_timeout=0.2)
    assert len(server.clips(chat)) == 1


async def test_a_group_takes_20_messages_and_edits_a_minute(server: TelegramServer, bot: Bot, ada: Person) -> None:
    now = 1000.0
    server.clock = lambda: now
    server.limit(20)
    group, other = server.group("Club", ada), server.group("Other", ada)
    sent = await bot.send_message(group.id, "0")
    for number in range(1, 20):
        now += 1
        await bot.edit_message_text(str(number), group.id, sent.message_id)
    with pytest.raises(RetryAfter, match="Retry in 42 seconds"):
        await bot.send_message(group.id, "one too many")
    await bot.send_message(other.id, "elsewhere")
    now += 42
    await bot.send_message(group.id, "now")


# --- the judge ---


@pytest.mark.parametrize(
    ("method", "sent", "said"),
    [
        ("sendMessages", {}, "There is no method 'sendMessages'"),
        ("sendMessage", {"text": "x"}, "sendMessage needs 'chat_id'"),
        ("sendMessage", {"chat_id": "1", "text": "x", "txt": "x"}, "sendMessage has no parameter 'txt'"),
        ("sendMessage", {"chat_id": "1", "text": "x", "protect_content": "maybe"}, "must be Boolean, not 'maybe'"),
        ("deleteMessage", {"chat_id": "1", "message_id": "one"}, "deleteMessage.message_id must be Integer"),
        ("sendMessage", {"chat_id": "1", "text": "x", "reply_markup": "{]"}, "must be the object"),
        (
            "sendMessage",
            {"chat_id": "1", "text": "x", "reply_markup": '{"inline_keyboard": [[{"text": "a"}]]}'},
            "a button does exactly one thing",
        ),
        (
            "editMessageMedia",
            {"chat_id": "1", "message_id": "1", "media": '{"type": "animation"}'},
            "InputMediaAnimation needs 'media'",
        ),
        (
            "answerInlineQuery",
            {"inline_query_id": "1", "results": '[{"type": "mpeg4_gif", "id": "a", "mpeg4_file_id": 1}]'},
            "mpeg4_file_id must be String",
        ),
        ("setMyCommands", {"commands": '[{"command": "Big", "description": "x"}]'}, "a command is 1-32 of a-z 0-9 _"),
        ("setMyCommands", {"commands": "[]", "scope": '{"type": "everybody"}'}, "'everybody'"),
    ],
)
async def test_a_call_that_breaks_the_official_list_is_refused_and_kept(
    server: TelegramServer, method: str, sent: dict[str, str], said: str
) -> None:
    if server.official is None and method != "sendMessages":
        pytest.skip(f"{PATH} is missing: no call to Telegram is checked against the official list of methods.")
    async with httpx.AsyncClient() as client:
        reply = await client.post(f"{server.base_url}{TOKEN}/{method}", data=sent)
    assert reply.status_code in {400, 404}
    assert reply.json()["ok"] is False
    server.forgive(said)


async def test_a_test_that_broke_a_rule_fails_at_its_end() -> None:
    async def careless() -> None:
        async with serving() as server, Bot(TOKEN, server.base_url) as bot:
            chat = server.private(server.person("Ada"))
            with pytest.raises(BadRequest):
                await bot.send_message(chat.id, "<x>", parse_mode="HTML")

    with pytest.raises(AssertionError, match="Calls broke Telegram's rules"):
        await careless()


async def test_what_the_server_tells_has_the_official_shape(server: TelegramServer, bot: Bot, ada: Person) -> None:
    if server.official is None:
        pytest.skip(f"{PATH} is missing: no answer of the test server is checked against the official types.")
    forum = server.supergroup("Club", ada, topics=("clips",))
    await bot.send_animation(forum.id, CLIP, message_thread_id=server.topic(forum, "clips"), has_spoiler=True)
    told = [("Message", one.json(BOT)) for one in server.messages(forum)]
    async with httpx.AsyncClient() as client:
        for method, kind in (("getMe", "User"), ("getWebhookInfo", "WebhookInfo")):
            told.append((kind, (await client.get(f"{server.base_url}{TOKEN}/{method}")).json()["result"]))
        url = f"{server.base_url}{TOKEN}/getChat"
        told.append(("ChatFullInfo", (await client.get(url, params={"chat_id": forum.id})).json()["result"]))
    assert [server.official.check(kind, value) for kind, value in told] == [[]] * len(told)


async def test_without_the_official_list_the_server_serves_all_the_same(
    server: TelegramServer, bot: Bot, chat: Chat
) -> None:
    server.official = None
    sent = await bot.send_message(chat.id, "[1]", reply_markup=BUTTON)
    await bot.edit_message_media(InputMediaAnimation(CLIP, caption="7"), chat.id, sent.message_id, reply_markup=BUTTON)
    (clip,) = server.clips(chat)
    assert (clip.text, clip.labels) == ("7", ["Cancel"])


async def test_a_wrong_token_is_unauthorized(server: TelegramServer) -> None:
    async with httpx.AsyncClient() as client:
        reply = await client.get(f"{server.base_url}4242:wrong/getMe")
    assert (reply.status_code, reply.json()["description"]) == (401, "Unauthorized")
