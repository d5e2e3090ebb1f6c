"""The Bot API's methods on chats kept in memory, with the sentences in which Telegram really refuses."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from tests.surfaces import telegram_html
from tests.surfaces.telegram_chats import Chat, Json, Message, Person, StoredFile

BOT = Person(4242, "Zoetrope", "zoetrope_test_bot", is_bot=True)
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
TEXT_CHARS, CAPTION_CHARS = 4096, 1024
MB = 1_000_000
ACTIONS = {"typing", "upload_photo", "record_video", "upload_video", "upload_document", "choose_sticker"}


class ApiError(Exception):
    """An answer with ok = false. `misuse` is a call that no careful client makes."""

    def __init__(self, code: int, description: str, *, misuse: bool = False, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.parameters = parameters
        self.misuse = misuse


@dataclass(frozen=True)
class Upload:
    """One file part of a call."""

    name: str
    mime: str
    content: bytes


@dataclass(frozen=True)
class Params:
    """A call's parameters, judged and typed, and its uploads by part name."""

    values: Json
    files: dict[str, Upload]

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)


@dataclass(eq=False)
class Press:
    """A button somebody pressed; `answer` is what the bot told them (the call's parameters)."""

    id: str
    person: Person
    answer: Json | None = None
    expired: bool = False

    @property
    def toast(self) -> str:
        """The words that came up, if any."""
        return str((self.answer or {}).get("text", ""))


@dataclass(eq=False)
class Search:
    """Words somebody typed after the bot's name; `answer` is the call's parameters."""

    id: str
    person: Person
    words: str
    answer: Json | None = None


@dataclass
class World:
    """Everything a Telegram server knows."""

    people: dict[int, Person] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    presses: dict[str, Press] = field(default_factory=dict)
    searches: dict[str, Search] = field(default_factory=dict)
    inline: dict[str, Message] = field(default_factory=dict)
    updates: list[Json] = field(default_factory=list)
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    allowed: list[str] = field(default_factory=list)
    webhook: Json = field(default_factory=dict)
    upload_limit: int = 50 * MB
    download_limit: int = 20 * MB
    replaces_text: bool = True  # whether a text can become media (Bot API 10.1); older local servers refuse
    privacy: bool = True
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1000))

    def chat(self, asked: Any) -> Chat:
        """The chat, where the bot may speak."""
        chat = self.chats.get(asked) if isinstance(asked, int) else None
        if chat is None:
            bad("chat not found")
        if chat.moved_to:
            raise ApiError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=chat.moved_to,
            )
        refusals = {
            "blocked": "bot was blocked by the user",
            "new": "bot can't initiate conversation with a user",
            "kicked": f"bot was kicked from the {chat.type} chat".replace("group chat", "group chat"),
            "left": f"bot is not a member of the {chat.type} chat",
        }
        if chat.bot in refusals:
            raise ApiError(403, f"Forbidden: {refusals[chat.bot]}")
        return chat

    def store(self, upload: Upload, values: Json) -> StoredFile:
        if len(upload.content) > self.upload_limit:
            raise ApiError(413, "Request Entity Too Large")
        if not upload.content:
            bad("file must be non-empty")
        size = [int(values.get(name) or 0) for name in ("width", "height", "duration")]
        kept = StoredFile(f"AgAC-{next(self.numbers):012d}", upload.name, upload.mime, upload.content, *size)
        self.files[kept.id] = kept
        return kept


def bad(why: str, *, misuse: bool = False) -> NoReturn:
    raise ApiError(400, f"Bad Request: {why}", misuse=misuse)


class Methods:
    """What each method does; `table` finds them by their official names."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.table: dict[str, Callable[[Params], Any]] = {
            "getMe": self._me,
            "logOut": lambda _: True,
            "close": lambda _: True,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._webhook_info,
            "setMyCommands": self._set_commands,
            "getMyCommands": lambda call: world.commands.get(_scope(call), []),
            "deleteMyCommands": lambda call: bool(world.commands.pop(_scope(call), None)) or True,
            "sendMessage": self._send_message,
            "sendAnimation": lambda call: self._send_file(call, "animation"),
            "sendDocument": lambda call: self._send_file(call, "document"),
            "sendPhoto": lambda call: self._send_file(call, "photo"),
            "sendVideo": lambda call: self._send_file(call, "video"),
            "editMessageText": self._edit_text,
            "editMessageCaption": self._edit_caption,
            "editMessageMedia": self._edit_media,
            "editMessageReplyMarkup": self._edit_markup,
            "deleteMessage": self._delete,
            "answerCallbackQuery": self._answer_press,
            "answerInlineQuery": self._answer_search,
            "sendChatAction": self._action,
            "getChat": self._get_chat,
            "getChatMember": self._get_member,
            "getChatAdministrators": self._administrators,
            "getChatMemberCount": lambda call: len(world.chat(call.get("chat_id")).members) + 1,
            "leaveChat": self._leave,
            "getFile": self._get_file,
        }
        for thing, name in (
            ("Name", "name"),
            ("Description", "description"),
            ("ShortDescription", "short_description"),
        ):
            self.table[f"getMy{thing}"] = self._reader(name)
            self.table[f"setMy{thing}"] = self._writer(name)

    # --- the bot itself ---

    def _me(self, call: Params) -> Json:
        reads = {"can_join_groups": True, "can_read_all_group_messages": not self.world.privacy}
        return BOT.json() | reads | {"supports_inline_queries": True, "can_connect_to_business": False}

    def _set_webhook(self, call: Params) -> bool:
        if not call.get("url"):
            return self._delete_webhook(call)
        self.world.webhook = dict(call.values)
        self.world.allowed = call.get("allowed_updates", self.world.allowed)
        return True

    def _delete_webhook(self, call: Params) -> bool:
        self.world.webhook = {}
        if call.get("drop_pending_updates"):
            self.world.updates.clear()
        return True

    def _webhook_info(self, call: Params) -> Json:
        hook = self.world.webhook
        told = {"url": hook.get("url", ""), "has_custom_certificate": False}
        told["pending_update_count"] = len(self.world.updates)
        if "last_error" in hook:
            told |= {"last_error_message": hook["last_error"], "last_error_date": hook["last_error_date"]}
        return told | ({"allowed_updates": self.world.allowed} if self.world.allowed else {})

    def _set_commands(self, call: Params) -> bool:
        self.world.commands[_scope(call)] = call.get("commands")
        return True

    def _reader(self, name: str) -> Callable[[Params], Json]:
        return lambda call: {name: self.world.texts.get((name, call.get("language_code", "")), "")}

    def _writer(self, name: str) -> Callable[[Params], bool]:
        def write(call: Params) -> bool:
            self.world.texts[name, call.get("language_code", "")] = call.get(name, "")
            return True

        return write

    # --- sending ---

    def _send_message(self, call: Params) -> Json:
        chat = self._place(call)
        text, entities = _words(call.values, "text", TEXT_CHARS, "message is too long")
        if not text:
            bad("message text is empty", misuse=True)
        return self._posted(chat, call, text=text, entities=entities)

    def _send_file(self, call: Params, kind: str) -> Json:
        chat = self._place(call)
        text, entities = _words(call.values, "caption", CAPTION_CHARS, "message caption is too long")
        stored = self._file(call, call.get(kind), kind, call.values)
        spoiler = bool(call.get("has_spoiler"))
        return self._posted(chat, call, text=text, entities=entities, kind=kind, file=stored, spoiler=spoiler)

    def _place(self, call: Params) -> Chat:
        chat = self.world.chat(call.get("chat_id"))
        if chat.type == "channel" and chat.bot != "administrator":
            bad("need administrator rights in the channel chat")
        thread = call.get("message_thread_id", 0)
        if thread and thread not in chat.topics:
            bad("message thread not found")
        return chat

    def _posted(self, chat: Chat, call: Params, **content: Any) -> Json:
        markup, silent = call.get("reply_markup"), bool(call.get("disable_notification"))
        if chat.type == "channel" and markup and "inline_keyboard" not in markup:
            bad("inline keyboard expected")
        message = chat.add(
            sender=None if chat.type == "channel" else BOT,
            thread=call.get("message_thread_id", 0),
            reply_to=_answered(chat, call.get("reply_parameters") or {}),
            **content,
            markup=markup,
            silent=silent,
        )
        return message.json(BOT)

    def _file(self, call: Params, named: Any, part: str, size: Json) -> StoredFile:
        """The file a call names: an upload of its own name, attach://part, or the id of an earlier one."""
        if isinstance(named, str) and named.startswith("attach://"):
            part, named = named.removeprefix("attach://"), None
            if part not in call.files:
                bad("wrong HTTP URL specified or attached file not found", misuse=True)
        if named is None:
            if part not in call.files:
                bad(f"there is no {part} in the request", misuse=True)
            return self.world.store(call.files[part], size)
        if named not in self.world.files:
            bad("wrong file identifier/HTTP URL specified")
        return self.world.files[named]

    # --- editing ---

    def _edit_text(self, call: Params) -> Json | bool:
        message = self._own(call)
        if message.file is not None:
            bad("there is no text in the message to edit")
        text, entities = _words(call.values, "text", TEXT_CHARS, "message is too long")
        if not text:
            bad("message text is empty", misuse=True)
        return self._edited(message, call, text=text, entities=entities)

    def _edit_caption(self, call: Params) -> Json | bool:
        message = self._own(call)
        if message.file is None:
            bad("there is no caption in the message to edit")
        text, entities = _words(call.values, "caption", CAPTION_CHARS, "message caption is too long")
        return self._edited(message, call, text=text, entities=entities)

    def _edit_media(self, call: Params) -> Json | bool:
        message, media = self._own(call), call.get("media")
        if message.file is None and not (self.world.replaces_text or message.inline_id):
            bad("there is no media in the message to edit")
        text, entities = _words(media, "caption", CAPTION_CHARS, "message caption is too long")
        if message.inline_id and call.files:
            bad("inline message media can't be uploaded", misuse=True)
        stored = self._file(call, media["media"], "media", media)
        spoiler = bool(media.get("has_spoiler"))
        content = {"text": text, "entities": entities, "kind": media["type"], "file": stored, "spoiler": spoiler}
        return self._edited(message, call, **content)

    def _edit_markup(self, call: Params) -> Json | bool:
        return self._edited(self._own(call), call)

    def _own(self, call: Params) -> Message:
        """The message to edit; only the bot's own can be."""
        if inline := call.get("inline_message_id"):
            if inline not in self.world.inline:
                bad("MESSAGE_ID_INVALID")
            return self.world.inline[inline]
        if call.get("chat_id") is None or call.get("message_id") is None:
            bad("message identifier is not specified", misuse=True)
        message = self.world.chat(call.get("chat_id")).find(call.get("message_id"))
        if message is None:
            bad("message to edit not found")
        if message.sender not in {BOT, None}:
            bad("message can't be edited")
        return message

    def _edited(self, message: Message, call: Params, **content: Any) -> Json | bool:
        new = {**content, "markup": call.get("reply_markup")}  # a keyboard that is not sent again is dropped
        if all(getattr(message, name) == value for name, value in new.items()):
            bad(NOT_MODIFIED)
        for name, value in new.items():
            setattr(message, name, value)
        message.edits += 1
        return True if call.get("inline_message_id") else message.json(BOT)

    def _delete(self, call: Params) -> bool:
        chat = self.world.chat(call.get("chat_id"))
        message = chat.find(call.get("message_id"))
        if message is None:
            bad("message to delete not found")
        if message.sender not in {BOT, None} and chat.bot != "administrator":
            bad("message can't be deleted")
        message.deleted = True
        return True

    # --- answering ---

    def _answer_press(self, call: Params) -> bool:
        press = self.world.presses.get(call.get("callback_query_id"))
        if press is None or press.expired or press.answer is not None:
            bad(TOO_OLD)
        press.answer = call.values
        return True

    def _answer_search(self, call: Params) -> bool:
        search = self.world.searches.get(call.get("inline_query_id"))
        if search is None or search.answer is not None:
            bad(TOO_OLD)
        names = [result["id"] for result in call.get("results")]
        if len(set(names)) != len(names):
            bad("RESULT_ID_DUPLICATE", misuse=True)
        for result in call.get("results"):
            named = next((result[key] for key in result if key.endswith("_file_id")), None)
            if named is not None and named not in self.world.files:
                bad("wrong file identifier specified")
            _words(result, "caption", CAPTION_CHARS, "message caption is too long")
        search.answer = call.values
        return True

    def _action(self, call: Params) -> bool:
        self._place(call)
        if call.get("action") not in ACTIONS:
            bad("wrong parameter action in request", misuse=True)
        return True

    # --- looking around ---

    def _get_chat(self, call: Params) -> Json:
        chat = self.world.chat(call.get("chat_id"))
        full = {"accent_color_id": 0, "max_reaction_count": 11}
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
        return chat.json() | full | {"accepted_gift_types": dict.fromkeys(gifts, False)}

    def _get_member(self, call: Params) -> Json:
        chat = self.world.chat(call.get("chat_id"))
        asked: int = call.get("user_id")
        if asked == BOT.id:
            return member(BOT, chat.bot)
        if chat.hides_members and chat.bot != "administrator":
            bad("member list is inaccessible")
        if asked not in self.world.people:
            bad("PARTICIPANT_ID_INVALID")
        return member(self.world.people[asked], chat.members.get(asked, "left"), anonymous=asked in chat.anonymous)

    def _administrators(self, call: Params) -> list[Json]:
        chat = self.world.chat(call.get("chat_id"))
        if chat.type == "private":
            bad("there are no administrators in the private chat")
        ranks = {"creator", "administrator"}
        people = [member(self.world.people[one], rank) for one, rank in chat.members.items() if rank in ranks]
        return people + ([member(BOT, chat.bot)] if chat.bot in ranks else [])

    def _leave(self, call: Params) -> bool:
        self.world.chat(call.get("chat_id")).bot = "left"
        return True

    def _get_file(self, call: Params) -> Json:
        stored = self.world.files.get(call.get("file_id"))
        if stored is None:
            bad("invalid file_id")
        if len(stored.content) > self.world.download_limit:
            bad("file is too big")
        told = {"file_id": stored.id, "file_unique_id": stored.id[-12:], "file_size": len(stored.content)}
        return told | {"file_path": stored.path}


def _scope(call: Params) -> tuple[str, str]:
    scope = call.get("scope") or {"type": "default"}
    return json.dumps(scope, sort_keys=True), call.get("language_code", "")


def _answered(chat: Chat, reply: Json) -> int:
    """The message id that is replied to, if it still stands."""
    number = reply.get("message_id", 0)
    if number and chat.find(number) is None:
        if not reply.get("allow_sending_without_reply"):
            bad("message to be replied not found")
        return 0
    return int(number)


def _words(values: Json, name: str, limit: int, too_long: str) -> tuple[str, list[Json]]:
    """A text or caption as people see it, and its entities."""
    entities: list[Json] = values.get("entities" if name == "text" else "caption_entities") or []
    words = values.get(name) or ""
    if mode := values.get("parse_mode"):
        if mode.lower() != "html":
            bad("unsupported parse_mode", misuse=True)
        try:
            words, entities = telegram_html.parse(words)
        except telegram_html.CannotParse as trouble:
            bad(f"can't parse entities: {trouble}", misuse=True)
    words = words.strip()
    if len(words) > limit:
        bad(too_long, misuse=True)
    return words, entities


RIGHTS = (
    *("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats"),
    *("can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories"),
    *("can_edit_stories", "can_delete_stories"),
)


PERMISSIONS = (
    *("can_change_info", "can_invite_users", "can_pin_messages", "can_send_messages", "can_send_polls"),
    *("can_send_other_messages", "can_add_web_page_previews", "can_manage_topics", "can_send_audios"),
    *("can_send_documents", "can_send_photos", "can_send_videos", "can_send_video_notes", "can_send_voice_notes"),
    *("can_edit_tag", "can_react_to_messages"),
)


def member(person: Person, status: str, *, anonymous: bool = False) -> Json:
    """A ChatMember; the bot's own stations become Telegram's."""
    status = {"blocked": "kicked", "new": "left"}.get(status, status)
    told: Json = {"status": status, "user": person.json()}
    if status == "administrator":
        told |= dict.fromkeys(RIGHTS, False) | {"can_manage_chat": True}
    if status in {"creator", "administrator"}:
        told |= {"is_anonymous": anonymous}
    if status == "restricted":
        told |= dict.fromkeys(PERMISSIONS, False) | {"is_member": True}
    return told | ({"until_date": 0} if status in {"kicked", "restricted"} else {})
