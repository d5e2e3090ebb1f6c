"""Whom and what a command means besides its words: by a mention, or by the message that it answers."""

from __future__ import annotations

from telegram import Message, User
from telegram.constants import MessageEntityType

from bot import intents
from bot.surfaces.telegram import callers
from db import deliveries, queue, requests, reviews
from db.database import Database
from db.records import Address, Asker

ID_CHARS = 6  # a number of so many digits is somebody, and counts more than the message that is answered


def words_of(message: Message) -> str:
    return message.text or message.caption or ""


def mentioned(message: Message) -> tuple[str, User | None]:
    """The words without the first mention of somebody who has no @name, and who that is.

    Of an @name nothing but the name is told, so nobody can be found by it.
    """
    found = message.parse_entities([MessageEntityType.TEXT_MENTION])
    found |= message.parse_caption_entities([MessageEntityType.TEXT_MENTION])
    first = min(found, key=lambda entity: entity.offset, default=None)
    if first is None or first.user is None:
        return words_of(message), None
    units = words_of(message).encode("utf-16-le", "surrogatepass")  # in which Telegram counts
    before, after = units[: 2 * first.offset], units[2 * (first.offset + first.length) :]
    return (before + after).decode("utf-16-le", "replace"), first.user


def answered(message: Message) -> Message | None:
    """The message that this one answers. In a topic everything seems to answer the message that opened it."""
    found = message.reply_to_message
    return None if found is None or found.forum_topic_created else found


def names_somebody(word: str) -> bool:
    return word.isdecimal() and len(word) >= ID_CHARS


async def behind(message: Message, here: Address, us: int, database: Database) -> Asker | None:
    """Who is meant by answering a message: whoever wrote it, or for whom our card stands; None: nobody can tell."""
    if message.from_user is None or message.from_user.id != us:
        caller = callers.of_message(message)
        return caller.asker if caller else None
    return await _asker_of_card(message, here, database)


async def _asker_of_card(message: Message, here: Address, database: Database) -> Asker | None:
    """Of a clip its maker, of a card its asker, of a review whom it is about."""
    number = str(message.message_id)
    async with database.reading() as tx:
        delivery = await deliveries.of_message(tx, here.surface, here.place, number)
        job = await queue.get(tx, delivery.job) if delivery else None
        if job is not None:
            return job.asker
        request = await requests.of_message(tx, here.surface, here.place, number)
        if request is not None:
            return request.asker
        review = await reviews.get(tx, _review_on(message))
    is_ours = review is not None and (review.surface, review.place) == (here.surface, here.place)
    return review.target if review is not None and is_ours else None


def _review_on(message: Message) -> str:
    """The id of the review that the buttons of a card are about, or empty."""
    rows = message.reply_markup.inline_keyboard if message.reply_markup else ()
    for button in (button for row in rows for button in row):
        match intents.parse(str(button.callback_data)):
            case intents.Approve(review) | intents.Remove(review) | intents.FalseAlarm(review):
                return review
    return ""
