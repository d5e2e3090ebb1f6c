"""Who speaks in an update, and where. Platform ids become text here and nowhere else."""

from __future__ import annotations

from typing import Any

from telegram import CallbackQuery, Chat, InlineQuery, Message, User
from telegram.constants import ChatType

from bot.intents import MAX_TOKEN_BYTES
from db.records import Address, Asker, Caller, Circumstances

NAME = "telegram"
INLINE = "inline"  # where somebody is who asks from a chat that we are not in

_OWNERS = (
    ("callback_query", None),
    ("inline_query", "from"),
    ("message", "chat"),
    ("channel_post", "chat"),
    ("my_chat_member", "chat"),
)


def of_message(message: Message) -> Caller | None:
    """None: nobody that could be answered. Who speaks as a channel or a group is that channel or group.

    What a channel's discussion group is sent by itself was said in the channel, and is answered there.
    """
    if message.is_automatic_forward:
        return None
    if message.sender_chat is not None:
        asker = Asker(NAME, str(message.sender_chat.id))
    elif message.from_user is not None and not message.from_user.is_bot:
        asker = Asker(NAME, str(message.from_user.id))
    elif message.chat.type == ChatType.CHANNEL:
        asker = Asker(NAME, str(message.chat.id))
    else:
        return None
    return Caller(asker, address_of(message), _circumstances(message.chat, message.from_user))


def of_press(press: CallbackQuery) -> Caller | None:
    """None: a press in a chat that we are not in."""
    if press.message is None:
        return None
    thread = thread_of(press.message) if isinstance(press.message, Message) else ""
    address = Address(NAME, str(press.message.chat.id), thread)
    return Caller(asker_of(press.from_user), address, _circumstances(press.message.chat, press.from_user))


def of_inline(query: InlineQuery) -> Caller:
    return Caller(
        asker_of(query.from_user),
        Address(NAME, INLINE),
        Circumstances(language=query.from_user.language_code or "en", private=True),
    )


def asker_of(user: User) -> Asker:
    return Asker(NAME, str(user.id))


def address_of(message: Message) -> Address:
    return Address(NAME, str(message.chat.id), thread_of(message))


def thread_of(message: Message) -> str:
    """The forum topic; a thread of replies outside of forums has an id as well, which is no place to post to."""
    if message.is_topic_message and message.message_thread_id is not None:
        return str(message.message_thread_id)
    return ""


def lane(body: dict[str, Any]) -> str:
    """Updates of one lane are handled one after the other: those of a chat, and what one person searches inline.

    Each click has a lane of its own: whoever clicks waits for an answer, whatever their last click waits for.
    """
    for kind, owner in _OWNERS:
        if isinstance(told := body.get(kind), dict):
            return f"{kind} {_id(told)}" if owner is None else f"{owner} {_id(told.get(owner))}"
    return ""


def moment_of(body: dict[str, Any]) -> float | None:
    """When it was said, in seconds since the epoch; None: nobody knows, or it was not said."""
    told = body.get("message") or body.get("channel_post")
    said_at = told.get("date") if isinstance(told, dict) else None
    return float(said_at) if isinstance(said_at, int) else None


def token_of(press: CallbackQuery) -> str:
    """What came back from a client; nothing where it can't be one of our tokens."""
    data = press.data or ""
    return data if len(data.encode()) <= MAX_TOKEN_BYTES else ""


def _id(thing: Any) -> str:
    return str(thing.get("id", "")) if isinstance(thing, dict) else ""


def _circumstances(chat: Chat, user: User | None) -> Circumstances:
    language = (user.language_code if user else None) or "en"
    return Circumstances(language=language, private=chat.type == ChatType.PRIVATE)
