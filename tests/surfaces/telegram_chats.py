"""What a Telegram server keeps: people, chats, messages and files, and how each is written in the Bot API's JSON."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
GROUPS = ("group", "supergroup")


@dataclass(frozen=True)
class Person:
    """Somebody with the app in their hand, or the bot itself."""

    id: int
    first_name: str
    username: str = ""
    language: str = "en"
    is_bot: bool = False

    def json(self) -> Json:
        told: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        if self.username:
            told["username"] = self.username
        return told if self.is_bot else {**told, "language_code": self.language}


@dataclass(frozen=True)
class StoredFile:
    """One upload; showing it again needs only its id."""

    id: str
    name: str
    mime: str
    content: bytes
    width: int = 0
    height: int = 0
    seconds: int = 0

    @property
    def path(self) -> str:
        return f"files/{self.id}/{self.name}"

    def json(self, kind: str) -> Json | list[Json]:
        """As an object of `kind` ("animation", "document", "video"), or the sizes of a "photo"."""
        told: Json = {"file_id": self.id, "file_unique_id": self.id[-12:], "file_size": len(self.content)}
        if kind == "photo":
            return [told | {"width": self.width, "height": self.height}]
        told |= {"file_name": self.name, "mime_type": self.mime}
        if kind != "document":
            told |= {"width": self.width, "height": self.height, "duration": self.seconds}
        return told


@dataclass(eq=False)
class Message:
    """What stands at one place of a chat now. `text` is the caption where there is a file."""

    chat: Chat
    id: int
    sender: Person | None
    text: str = ""
    entities: list[Json] = field(default_factory=list)
    kind: str = ""  # "animation", "document", "video", "photo"; empty for plain text
    file: StoredFile | None = None
    spoiler: bool = False
    markup: Json | None = None
    thread: int = 0
    reply_to: int = 0
    silent: bool = False
    service: Json = field(default_factory=dict)
    via_bot: bool = False
    inline_id: str = ""
    edits: int = 0
    deleted: bool = False
    date: int = field(default_factory=lambda: int(time.time()))

    @property
    def keyboard(self) -> list[list[Json]]:
        rows: list[list[Json]] = (self.markup or {}).get("inline_keyboard", [])
        return rows

    @property
    def buttons(self) -> list[Json]:
        return [button for row in self.keyboard for button in row]

    @property
    def labels(self) -> list[str]:
        """The words on the buttons, in reading order."""
        return [button["text"] for button in self.buttons]

    @property
    def asks_for_reply(self) -> bool:
        return bool((self.markup or {}).get("force_reply"))

    def json(self, bot: Person, *, deep: bool = True) -> Json:
        told: Json = {"message_id": self.id, "date": self.date, "chat": self.chat.json(), **self.service}
        told |= {"sender_chat": self.chat.json()} if self.sender is None else {"from": self.sender.json()}
        told |= self._content()
        if self.keyboard:
            told["reply_markup"] = {"inline_keyboard": self.keyboard}
        if self.edits:
            told["edit_date"] = self.date
        if self.via_bot:
            told["via_bot"] = bot.json()
        if self.thread:
            told |= {"message_thread_id": self.thread} | ({"is_topic_message": True} if self.chat.forum else {})
        answered = self.chat.find(self.reply_to or self.thread) if deep else None
        return told | ({"reply_to_message": answered.json(bot, deep=False)} if answered else {})

    def _content(self) -> Json:
        words, marks = ("caption", "caption_entities") if self.file else ("text", "entities")
        told: Json = {words: self.text} if self.text else {}
        if self.entities:
            told[marks] = self.entities
        if self.file is not None:
            told[self.kind] = self.file.json(self.kind)
            if self.kind == "animation":  # Telegram sets both
                told["document"] = self.file.json("document")
            if self.spoiler:
                told["has_media_spoiler"] = True
        return told


@dataclass(eq=False)
class Chat:
    """A conversation and everything that was ever said in it."""

    id: int
    type: str  # "private", "group", "supergroup", "channel"
    title: str
    person: Person | None = None
    forum: bool = False
    hides_members: bool = False
    bot: str = "member"  # or "administrator", "left", "kicked", "blocked", "new" (a person who has not started it)
    members: dict[int, str] = field(default_factory=dict)
    anonymous: set[int] = field(default_factory=set)  # administrators who write in the chat's own name
    topics: dict[int, str] = field(default_factory=dict)
    moved_to: int = 0
    history: list[Message] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def json(self) -> Json:
        told: Json = {"id": self.id, "type": self.type}
        told |= {"first_name": self.title} if self.type == "private" else {"title": self.title}
        return told | ({"is_forum": True} if self.forum else {})

    def find(self, number: int) -> Message | None:
        return next((one for one in self.history if one.id == number and not one.deleted), None)

    def add(self, **content: Any) -> Message:
        message = Message(self, next(self.numbers), **content)
        self.history.append(message)
        return message
