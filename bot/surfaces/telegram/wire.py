"""The Bot API over python-telegram-bot: one call a method, and the platform's errors spoken as the port's five.

    Gone ── Moved(to)         the chat has another id now
    Refused ── Unchanged      the message shows this already: nothing to do
            ├── NotText       a message with a file has no text to edit
            ├── NoCaption     a message without a file has no caption to edit
            ├── LostFile      the file id is no longer good: upload again
            └── TooOld        a click or an inline question that nobody waits for any more
    Gone ── PutOut            we may not speak in this chat (any more)
    Unreachable ── Unknown    what was asked for may have happened: no answer came, or half of one

The token stands in every URL,
so it is taken out of whatever an error says, and no error of the library's leaves this module.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeDefault,
    ChatMemberAdministrator,
    ChatMemberOwner,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultCachedMpeg4Gif,
    InlineQueryResultsButton,
    InputFile,
    InputMediaAnimation,
    InputMediaDocument,
    InputMediaPhoto,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.constants import ChatMemberStatus, KeyboardButtonStyle, ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from bot import cards
from bot.cards import Button
from bot.port import Gone, Refused, Rendition, SurfaceError, Throttled, TooLarge, Unreachable
from bot.surfaces.telegram.drawing import keyboard
from db.config import TelegramConfig

UPLOAD_BYTES = 50_000_000
UPLOAD_SECONDS = 120.0  # for sending a file of that size
CONNECTIONS = 64
UPDATES_AT_ONCE = 100
UPDATES = ("message", "channel_post", "callback_query", "inline_query", "my_chat_member")
BLANK = Path(__file__).with_name("blank.png")  # takes the place of a clip that is gone

Rows = Sequence[Sequence[InlineKeyboardButton]]

log = logging.getLogger(__name__)


class Moved(Gone):
    """The chat has another id now."""

    def __init__(self, to: str) -> None:
        super().__init__(f"the chat has moved to {to}")
        self.to = to


class PutOut(Gone):
    """We may not speak in this chat (any more)."""


class Unknown(Unreachable):
    """Sent, but no answer came: what was asked for may have happened, or not."""


class Unchanged(Refused):
    """The message shows this already."""


class NotText(Refused):
    """A message with a file has no text to edit."""


class NoCaption(Refused):
    """A message without a file has no caption to edit."""


class LostFile(Refused):
    """The platform no longer knows a file under this id."""


class TooOld(Refused):
    """Nobody waits for this answer any more."""


class Rejected(SurfaceError):
    """The token is not (or no longer) good; nothing works before it is."""


class Contested(SurfaceError):
    """Somebody else receives this bot's updates."""


@dataclass(frozen=True, slots=True)
class Target:
    """A chat, its topic if it has topics, and the message that is answered, if one is."""

    chat: str
    thread: str = ""
    answers: str = ""

    @property
    def place(self) -> dict[str, Any]:
        values: dict[str, Any] = {"chat_id": int(self.chat)}
        if self.thread:
            values["message_thread_id"] = int(self.thread)
        if self.answers:
            values["reply_parameters"] = ReplyParameters(int(self.answers), allow_sending_without_reply=True)
        return values


@dataclass(frozen=True, slots=True)
class Media:
    """A clip to put into a message: a file, or the id of one that the platform holds."""

    kind: str
    caption: str
    file: str | bytes
    name: str = ""
    width: int | None = None
    height: int | None = None
    seconds: float = 0.0
    spoiler: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a chat. `anonymous`: an administrator who writes in the chat's own name; `language` may be empty."""

    manages: bool
    anonymous: bool
    language: str


@dataclass(frozen=True, slots=True)
class BotFacts:
    """What the platform says about the bot, and where it sends its updates (empty: nowhere, they are asked for)."""

    username: str
    reads_groups: bool  # all that is written there, not only what is aimed at the bot
    joins_groups: bool
    inline: bool
    webhook: str
    waiting: int  # updates that were not taken yet
    trouble: str  # the last one with the webhook, in the platform's words


class Wire:
    """The Bot API as one bot. `open` before the first call, `close` after the last."""

    def __init__(self, config: TelegramConfig, token: str) -> None:
        quiet_libraries()
        self._token = token
        self._requests = (_request(config.answer_seconds, CONNECTIONS), _request(config.answer_seconds, 1))
        with self.plainly():
            urls = (rooted(config.base_url, "/bot"), rooted(config.base_file_url, "/file/bot"))
            self.bot = Bot(token, *urls, *self._requests)
        self._poll_seconds = config.poll_seconds

    async def open(self) -> None:
        """Learn who we are. Raises Rejected where the token is not good."""
        with self.plainly():
            for request in self._requests:
                await request.initialize()
            await self.bot.initialize()

    async def close(self) -> None:
        """Leave no connection open; it can be opened again."""
        for request in self._requests:
            await request.shutdown()

    @property
    def username(self) -> str:
        return self.bot.username or ""

    async def facts(self) -> BotFacts:
        with self.plainly():
            bot, hook = await self.bot.get_me(), await self.bot.get_webhook_info()
        return BotFacts(
            username=bot.username or "",
            reads_groups=bool(bot.can_read_all_group_messages),
            joins_groups=bool(bot.can_join_groups),
            inline=bool(bot.supports_inline_queries),
            webhook=hook.url,
            waiting=hook.pending_update_count,
            trouble=hook.last_error_message or "",
        )

    # --- updates ---

    async def updates(self, offset: int | None) -> list[dict[str, Any]]:
        """What is new, as it came; asking with an offset confirms everything before it.

        The endpoint is spelt so that the library neither advises its own method nor takes the updates apart itself: one
        that it can't read would otherwise keep all others from ever arriving.
        """
        asked: dict[str, Any] = {"timeout": self._poll_seconds, "limit": UPDATES_AT_ONCE, "allowed_updates": UPDATES}
        if offset is not None:
            asked["offset"] = offset
        patience = (self.bot.request.read_timeout or 0) + self._poll_seconds
        with self.plainly():
            found: list[dict[str, Any]] = await self.bot.do_api_request(
                "get__updates", api_kwargs=asked, read_timeout=patience
            )
        return found

    async def set_webhook(self, url: str, secret: str) -> None:
        with self.plainly():
            await self.bot.set_webhook(url, allowed_updates=UPDATES, secret_token=secret)

    async def delete_webhook(self) -> None:
        with self.plainly():
            await self.bot.delete_webhook()

    async def webhook_url(self) -> str:
        """Where updates are sent; empty: nowhere, they are asked for."""
        with self.plainly():
            return (await self.bot.get_webhook_info()).url

    # --- messages ---

    async def say(self, target: Target, words: str, buttons: Sequence[Button] = ()) -> str:
        """A new message; its id."""
        with self.plainly():
            message = await self.bot.send_message(
                **target.place,
                text=words,
                parse_mode=ParseMode.HTML,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=_markup(buttons),
            )
        return str(message.message_id)

    async def ask(self, target: Target, words: str, placeholder: str) -> str:
        """A new message that opens the answer field of the one whom it answers; its id."""
        with self.plainly():
            message = await self.bot.send_message(
                **target.place,
                text=words,
                parse_mode=ParseMode.HTML,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=ForceReply(selective=True, input_field_placeholder=placeholder or None),
            )
        return str(message.message_id)

    async def edit_text(self, chat: str, message: str, words: str, buttons: Sequence[Button]) -> None:
        with self.plainly():
            await self.bot.edit_message_text(
                words,
                int(chat),
                int(message),
                parse_mode=ParseMode.HTML,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=_markup(buttons),
            )

    async def edit_caption(self, chat: str, message: str, words: str, buttons: Sequence[Button]) -> None:
        with self.plainly():
            await self.bot.edit_message_caption(
                int(chat), int(message), caption=words, parse_mode=ParseMode.HTML, reply_markup=_markup(buttons)
            )

    async def edit_media(self, chat: str, message: str, media: Media, buttons: Sequence[Button]) -> str:
        """Put a clip into a message; the id under which the platform holds its file, where it says one."""
        with self.plainly():
            edited = await self.bot.edit_message_media(
                _input_media(media),
                int(chat),
                int(message),
                reply_markup=_markup(buttons),
                write_timeout=UPLOAD_SECONDS,
            )
        return _file_of(edited) if isinstance(edited, Message) else ""

    async def blank(self, chat: str, message: str, words: str, buttons: Sequence[Button]) -> None:
        """Take the clip out of a message. It can't become text again, so an empty picture takes its place."""
        picture = InputMediaPhoto(InputFile(BLANK.read_bytes(), BLANK.name, attach=True), words, ParseMode.HTML)
        with self.plainly():
            await self.bot.edit_message_media(picture, int(chat), int(message), reply_markup=_markup(buttons))

    async def send_clip(self, target: Target, media: Media, buttons: Sequence[Button]) -> tuple[str, str]:
        """A clip in a message of its own; its id, and that of its file."""
        file = media.file if isinstance(media.file, str) else InputFile(media.file, media.name)
        shared: dict[str, Any] = {
            **target.place,
            "caption": media.caption,
            "parse_mode": ParseMode.HTML,
            "reply_markup": _markup(buttons),
            "write_timeout": UPLOAD_SECONDS,
        }
        with self.plainly():
            if media.kind == "webp":
                sent = await self.bot.send_document(document=file, **shared)
            else:
                sent = await self.bot.send_animation(
                    animation=file,
                    width=media.width,
                    height=media.height,
                    duration=_whole_seconds(media),
                    has_spoiler=media.spoiler,
                    **shared,
                )
        return str(sent.message_id), _file_of(sent)

    async def send_document(self, target: Target, file: Path, words: str) -> str:
        """A file as it is, in a message of its own; its id."""
        content = await asyncio.to_thread(file.read_bytes)
        with self.plainly():
            sent = await self.bot.send_document(
                **target.place,
                document=InputFile(content, file.name),
                caption=words,
                parse_mode=ParseMode.HTML,
                write_timeout=UPLOAD_SECONDS,
            )
        return str(sent.message_id)

    async def delete(self, chat: str, message: str) -> None:
        with self.plainly():
            await self.bot.delete_message(int(chat), int(message))

    # --- questions that want an answer ---

    async def answer_press(self, press: str, sentence: str, *, alert: bool = False) -> None:
        with self.plainly():
            await self.bot.answer_callback_query(press, sentence or None, show_alert=alert)

    async def answer_inline(
        self, query: str, found: Sequence[InlineQueryResultCachedMpeg4Gif], following: str, button: str
    ) -> None:
        """Clips for one person alone; `button` leads into the private chat and is shown where it is not empty."""
        way = InlineQueryResultsButton(button, start_parameter="inline") if button else None
        with self.plainly():
            await self.bot.answer_inline_query(
                query, found, cache_time=1, is_personal=True, next_offset=following, button=way
            )

    async def member(self, chat: str, user: str) -> Member:
        """Who somebody is in a chat now; who has left it or was put out is nobody there.

        A group that hides its members tells a bot that is no administrator of its administrators alone.
        """
        with self.plainly():
            try:
                found = await self.bot.get_chat_member(int(chat), int(user))
            except BadRequest:
                managing = {one.user.id: one for one in await self.bot.get_chat_administrators(int(chat))}
                if int(user) not in managing:
                    raise
                found = managing[int(user)]
        manages = found.status in (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR)
        hidden = isinstance(found, ChatMemberOwner | ChatMemberAdministrator) and found.is_anonymous
        return Member(manages, manages and hidden, found.user.language_code or "")

    async def set_commands(self, named: Sequence[tuple[str, str]], language: str, *, moderators: bool) -> None:
        """What the platform offers while somebody types "/". An empty language is for everybody without their own."""
        scope: BotCommandScope = BotCommandScopeAllChatAdministrators() if moderators else BotCommandScopeDefault()
        commands = [BotCommand(name, description) for name, description in named]
        with self.plainly():
            await self.bot.set_my_commands(commands, scope, language_code=language or None)

    # --- errors ---

    @contextmanager
    def plainly(self) -> Iterator[None]:
        """Speak the platform's errors as the port's."""
        try:
            yield
        except TelegramError as error:
            spoken = spoken_plainly(error, str(error).replace(self._token, "…"))
        else:
            return
        raise spoken from None  # the library's own error may hold the token


def rooted(url: str, root: str) -> str:
    """The address before which the token is written, however its end was typed."""
    url = url.rstrip("/")
    return url if url.endswith(root) or "{token}" in url else url + root


def quiet_libraries() -> None:
    """Keep URLs, in which the token stands, and what people write out of every log."""
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


# What the Bot API says where it says no (400), in small letters, and what that means.
_MEANINGS: tuple[tuple[str, type[SurfaceError]], ...] = (
    ("message is not modified", Unchanged),
    ("there is no text in the message to edit", NotText),
    ("there is no caption in the message to edit", NoCaption),
    ("query is too old", TooOld),
    ("query id is invalid", TooOld),
    ("query_id_invalid", TooOld),
    ("wrong file identifier", LostFile),
    ("wrong remote file", LostFile),
    ("file reference", LostFile),
    ("message to edit not found", Gone),
    ("message to delete not found", Gone),
    ("message_id_invalid", Gone),
    ("chat not found", Gone),
    ("peer_id_invalid", Gone),
    ("group chat was deactivated", Gone),
    ("message thread not found", Gone),
    ("topic_deleted", Gone),
    ("user is deactivated", Gone),
)
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)  # no byte of it has left us
_TOO_LARGE = ("too large", "too big")
_NO_RIGHT = "not enough rights"


def spoken_plainly(error: TelegramError, said: str) -> SurfaceError:
    """One of the port's errors for one of the library's, whose words, without the token, are `said`."""
    match error:
        case RetryAfter():
            patience = error.retry_after
            return Throttled(patience if isinstance(patience, int) else patience.total_seconds())
        case ChatMigrated():
            return Moved(str(error.new_chat_id))
        case Conflict():
            return Contested(said)
        case InvalidToken() | EndPointNotFound():
            return Rejected(said)
        case Forbidden():
            return Refused(cards.SAID_NO) if _NO_RIGHT in said.lower() else PutOut(said)
        case BadRequest():
            return _no(said)
    if any(words in said.lower() for words in _TOO_LARGE):  # 413, by whatever stands before the server
        return TooLarge(UPLOAD_BYTES)
    cause = error.__cause__
    is_unknown = isinstance(cause, httpx.HTTPError) and not isinstance(cause, _UNSENT)
    return Unknown(said) if is_unknown else Unreachable(said)


def _no(said: str) -> SurfaceError:
    if any(words in said.lower() for words in _TOO_LARGE):
        return TooLarge(UPLOAD_BYTES)
    for words, meaning in _MEANINGS:
        if words in said.lower():
            return meaning(said)
    log.info("Telegram says no: %s", said)
    return Refused(cards.SAID_NO)


def media_of(rendition: Rendition, caption: str, file: str | bytes, *, spoiler: bool) -> Media:
    """The clip of a rendition, by its bytes or by the id under which the platform holds it already."""
    return Media(
        rendition.format,
        caption,
        file,
        f"clip.{rendition.format}",
        rendition.width,
        rendition.height,
        rendition.seconds,
        spoiler,
    )


def _request(seconds: float, connections: int) -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=connections,
        read_timeout=seconds,
        write_timeout=seconds,
        connect_timeout=min(seconds, 10.0),
        pool_timeout=seconds,
        media_write_timeout=UPLOAD_SECONDS,
        httpx_kwargs={"verify": _certificates()},
    )


@cache
def _certificates() -> ssl.SSLContext:
    """Whom to trust, read once: it takes longer than anything else at a start."""
    return httpx.create_ssl_context()


def _markup(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """Sent with every edit: Telegram takes the keyboard away where an edit says nothing of it."""
    if not buttons:
        return None
    rows = [
        [
            InlineKeyboardButton(
                button.label,
                callback_data=button.token,
                style=KeyboardButtonStyle.DANGER if button.dangerous else None,
            )
            for button in row
        ]
        for row in keyboard(buttons)
    ]
    return InlineKeyboardMarkup(rows)


def _input_media(media: Media) -> InputMediaAnimation | InputMediaDocument:
    file = media.file if isinstance(media.file, str) else InputFile(media.file, media.name, attach=True)
    if media.kind == "webp":  # Telegram animates no WebP: it comes as the file that it is
        return InputMediaDocument(file, media.caption, ParseMode.HTML)
    return InputMediaAnimation(
        file,
        caption=media.caption,
        parse_mode=ParseMode.HTML,
        width=media.width,
        height=media.height,
        duration=_whole_seconds(media),
        has_spoiler=media.spoiler,
    )


def _whole_seconds(media: Media) -> int:
    return max(1, round(media.seconds))


def _file_of(message: Message) -> str:
    held = message.animation or message.document
    return held.file_id if held else ""
