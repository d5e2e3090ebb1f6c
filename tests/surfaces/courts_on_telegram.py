"""A court on a loopback Telegram: each test has a forum of its own, with a topic for clips and one for moderators."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot import intents
from bot.surfaces.telegram import surface
from db.records import Address, Asker, Decision
from tests.surfaces.conftest import House
from tests.surfaces.courts import PRESSES, Button, Court, Life, Stands, typed
from tests.surfaces.telegram_chats import Chat, Message, Person
from tests.surfaces.telegram_house import TelegramHouse, living, read
from tests.surfaces.telegram_methods import BOT
from tests.surfaces.telegram_server import TelegramServer, serving

FILMS, DESK = "Films", "Desk"


class TelegramGround:
    """The bot with Telegram as its only surface."""

    def __init__(self, folder: Path, mould: Path) -> None:
        self._folder, self._mould = folder, mould
        self._stack = AsyncExitStack()
        self._server: TelegramServer | None = None
        self._house: TelegramHouse | None = None
        self.life = Life(self._living)

    @property
    def server(self) -> TelegramServer:
        assert self._server is not None
        return self._server

    @property
    def house(self) -> TelegramHouse:
        assert self._house is not None
        return self._house

    async def start(self) -> None:
        patch = self._stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(surface, "GROUP_LIMITS", replace(surface.GROUP_LIMITS, redraw_seconds=0.0))  # without pauses
        self._server = await self._stack.enter_async_context(serving())
        await self.life.start()

    async def stop(self) -> None:
        await self.life.stop()
        await self._stack.aclose()

    @asynccontextmanager
    async def _living(self) -> AsyncIterator[House]:
        async with living(self._folder, self._mould, self.server) as self._house:
            yield self._house.runner

    @asynccontextmanager
    async def court(self) -> AsyncIterator[Court]:
        server = self.server
        ann, mia, other = (server.person(name) for name in ("Ann", "Mia", "Max"))
        group = server.supergroup("Crew", mia, ann, other, topics=(FILMS, DESK))
        server.promote(group, other, mia)
        for person in (ann, mia, other):
            server.private(person)
        court = TelegramCourt(self, group, server.topic(group, FILMS), server.topic(group, DESK), ann, mia, other)
        await court.at(court.desk, mia, typed("settings", moderators=True, desk="here"))
        yield court


@dataclass
class TelegramCourt:
    """A group; its people are persons, its cards messages."""

    ground: TelegramGround
    group: Chat
    films: int
    desk: int
    ann: Person
    mia: Person
    max: Person

    @property
    def server(self) -> TelegramServer:
        return self.ground.server

    @property
    def address(self) -> Address:
        return Address("telegram", str(self.group.id), str(self.films))

    async def member(self) -> Person:
        return self.server.person("Member")

    def asker(self, person: Person) -> Asker:
        return Asker("telegram", str(person.id))

    async def ask(self, person: Person, prompt: str) -> Message:
        return await self.at(self.films, person, f"/video {prompt}")

    async def command(self, person: Person, name: str, *, moderators: bool = False, **options: Any) -> Message:
        said = {key: value.id if isinstance(value, Person) else value for key, value in options.items()}
        return await self.at(self.films, person, typed(name, moderators=moderators, **said))

    async def at(self, thread: int, person: Person, text: str) -> Message:
        """The answer in the group, or what it says has come in private."""
        private = self.server.world.chats.get(person.id)
        before = len(self._ours(private)) if private else 0
        answer = await self.ground.house.answer(self.group, self.server.say(self.group, person, text, thread=thread))
        await self.ground.house.until_handled()
        return self._ours(private)[-1] if private and len(self._ours(private)) > before else answer

    def _ours(self, chat: Chat) -> list[Message]:
        return [one for one in self.server.messages(chat) if one.sender == BOT]

    async def press(self, card: Message, button: Button, person: Person) -> str:
        told = await self.server.answered(self.server.press(card, _read(card).token(button), person))
        await self.ground.house.until_handled()
        return told

    async def stands(self, card: Message, look: Callable[[Stands], bool] = lambda now: True) -> Stands:
        await self.server.until(lambda: look(_read(card)))
        return _read(card)

    async def review(self, words: str) -> Message:
        """Its card at the desk; where it is about a clip, with it."""

        def look(one: Message) -> bool:
            waits = one.thread == self.desk and _read(one).offers(intents.Remove) and words in read(one)
            return waits and (_read(one).clip or "reported" not in read(one))

        return await self.server.sees(self.group, look)

    async def decide(self, review: Message, decision: Decision, moderator: Person) -> str:
        return await self.press(review, PRESSES[decision], moderator)

    async def told(self, card: Message, words: str) -> str:
        said = await self.server.sees(card.chat, lambda one: one.reply_to == card.id and words in read(one))
        return read(said)

    async def demote(self, moderator: Person) -> None:
        self.server.promote(self.group, moderator, self.mia, "member")


def _read(message: Message) -> Stands:
    tokens = tuple(str(each["callback_data"]) for each in message.buttons if "callback_data" in each)
    return Stands(read(message), tokens, message.kind == "animation")
