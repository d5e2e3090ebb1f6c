"""What moderation's contract asks of every surface: a place with its people, who type, press and read as they do there.

A `Ground` is a surface with its whole bot, started once for many tests and restarted at will; a `Court` is one place on
it for one test. The web page has one room, so there only the people are new.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import intents
from bot.core import Core
from db import cases, gallery, queue
from db.records import Address, Asker, Case, Clip, Decision
from tests.surfaces.conftest import House

PATIENCE = 30.0  # seconds; an upper bound for what takes milliseconds on an idle machine
PRESSES: dict[Decision, type[intents.Approve | intents.Remove | intents.FalseAlarm]] = {
    Decision.APPROVE: intents.Approve,
    Decision.REMOVE: intents.Remove,
    Decision.FALSE_ALARM: intents.FalseAlarm,
}
Button = type[Any]  # one of the kinds of bot/intents.py
T = TypeVar("T")


@dataclass(frozen=True)
class Stands:
    """What somebody sees on a card now."""

    words: str
    tokens: tuple[str, ...]
    clip: bool = False

    def token(self, button: Button) -> str:
        """Of the button that asks for this, which must be there."""
        return next(token for token in self.tokens if isinstance(intents.parse(token), button))

    def offers(self, button: Button) -> bool:
        return any(isinstance(intents.parse(token), button) for token in self.tokens)


class Court(Protocol):
    """A place: `ann` asks for clips, `mia` and `max` moderate. People and cards are the surface's own things."""

    ann: Any
    mia: Any
    max: Any

    @property
    def address(self) -> Address: ...

    async def member(self) -> Any:
        """Somebody new here."""

    def asker(self, person: Any) -> Asker: ...

    async def ask(self, person: Any, prompt: str) -> Any:
        """Ask for a clip; the card that answers it."""

    async def command(self, person: Any, name: str, *, moderators: bool = False, **options: Any) -> Any:
        """Give a command; the card that answers it, wherever it comes."""

    async def press(self, card: Any, button: Button, person: Any) -> str:
        """Press a button of a card, or of a review; what the one who pressed is told."""

    async def stands(self, card: Any, look: Callable[[Stands], bool] = lambda now: True) -> Stands:
        """What stands on a card, or what is told of a review, once it looks so."""

    async def review(self, words: str) -> Any:
        """The review about these words, where moderators find it, once it waits there with all that belongs to it."""

    async def decide(self, review: Any, decision: Decision, moderator: Any) -> str:
        """As moderators do it; what the one who decided is told."""

    async def told(self, card: Any, words: str) -> str:
        """What the one who asked for a card is told under it, once these words are."""

    async def demote(self, moderator: Any) -> None:
        """From this moment on they moderate no more."""


class Ground(Protocol):
    """A surface with its bot."""

    life: Life

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def court(self) -> AbstractAsyncContextManager[Court]:
        """A place for one test."""


class Life:
    """A bot that runs in a task of its own, so that whoever likes stops it and starts it again on the same folder."""

    def __init__(self, living: Callable[[], AbstractAsyncContextManager[House]]) -> None:
        self._living = living
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._numbers = itertools.count(100)
        self._house: House | None = None

    async def start(self) -> None:
        self._stop, ready = asyncio.Event(), asyncio.Event()
        self._task = asyncio.create_task(self._live(ready))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait([self._task, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._task.done():
            await self._task  # which says why it did not start

    async def stop(self) -> None:
        assert self._task is not None
        self._stop.set()
        await self._task

    async def _live(self, ready: asyncio.Event) -> None:
        async with self._living() as self._house:
            ready.set()
            await self._stop.wait()

    @property
    def house(self) -> House:
        assert self._house is not None
        return self._house

    @property
    def core(self) -> Core:
        return self.house.core

    def new(self, words: str) -> str:
        """Words that nobody has said before."""
        return f"{words} {next(self._numbers)}"

    async def render(self, prompt: str) -> Clip:
        """What a runner does with the job of this prompt, as soon as it waits."""
        house = self.house

        async def look(tx: AsyncConnection) -> str:
            return next((job.id for job in await queue.waiting(tx) if job.spec.prompt == prompt), "")

        job, now = await self.until(look), house.clock()
        async with self.core.database.transaction() as tx:
            lease = await queue.claim(tx, job, runner="r", now=now, until=now + 60)
        assert lease is not None
        return await house.finish(lease)

    async def until(self, look: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """What the database is asked for, once it is there."""
        async with asyncio.timeout(PATIENCE):
            while True:
                rung = self.core.database.bell.count()
                async with self.core.database.reading() as tx:
                    if found := await look(tx):
                        return found
                await self.core.database.bell.wait(rung, 1.0)

    async def clip(self, clip: Clip) -> Clip | None:
        async with self.core.database.reading() as tx:
            return await gallery.get(tx, clip.id)

    async def cases(self, address: Address, target: Asker | None = None) -> list[Case]:
        """Of a place, the oldest first; about one person, if one is named."""
        async with self.core.database.reading() as tx:
            found = await cases.browse(tx, address.surface, address.place, target=target, limit=1000)
        return found[::-1]


def typed(name: str, *, moderators: bool, **options: Any) -> str:
    """A command as it is typed in one line."""
    said = [f"--{option} {value}" for option, value in options.items()]
    return " ".join([f"/{'z' if moderators else ''}{name}", *said])
