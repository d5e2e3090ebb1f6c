"""What changed in the room, told to every open page.

One reader follows the table; pages read its memory. Nothing is queued for a page: it says which version it has seen and
gets the newest state of everything newer, so a slow page slows nobody and misses nothing. A page that is further behind
than the memory reaches gets the room anew.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.surfaces.web import drawing
from db import models, room
from db.database import Database
from db.records import ModelFacts
from db.room import RoomMessage
from db.trouble import PAUSE_SECONDS, surviving

SHOWN = 50  # messages a fresh page gets
REMEMBERED = 200  # changed messages kept in memory
LISTEN_SECONDS = 15.0  # a bell that never rings is looked at this often
MODELS_SECONDS = 5.0  # runners announce models rarely


@dataclass(frozen=True, slots=True)
class Change:
    """One message's newest state, as the event that every page is sent."""

    version: int
    event: bytes


def _event(kind: str, data: Any, version: int | None = None) -> bytes:
    number = "" if version is None else f"id: {version}\n"
    return f"event: {kind}\n{number}data: {json.dumps(data)}\n\n".encode()


def _change(message: RoomMessage, tag: drawing.Tag) -> Change:
    return Change(message.version, _event("message", drawing.message(message, tag), message.version))


NO_MODELS = _event("models", [])


@dataclass
class Feed:
    """The room's changes. `closing` ends the pages' streams at a stop."""

    database: Database
    room: str
    clock: Callable[[], float]
    tag: Callable[[str], str]
    version: int = -1  # newest seen; -1 before the first look
    models: bytes = NO_MODELS
    closing: bool = False
    _fresh: Change | None = None  # the room as it was sent last, for the next page that asks
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _floor: int = 0  # all that changed after this version is in memory
    _recent: dict[str, Change] = field(default_factory=dict)  # by message, oldest change first
    _models_at: float = float("-inf")
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Follow the table until cancelled."""
        while True:
            with surviving("read the room") as trouble:
                seen = self.database.bell.count()
                await self._look()
                await self.database.bell.wait(seen, LISTEN_SECONDS)
            if trouble:
                await asyncio.sleep(PAUSE_SECONDS)

    async def fresh(self) -> tuple[int, bytes]:
        """The whole room as a new page gets it: (version, event, oldest message first).

        Pages that come at once, as after a restart, are sent the same bytes: it is read and kept once.
        """
        async with self._reading:
            if self._fresh is None or self._fresh.version < self.version:
                self._fresh = await self._read_all()
        return self._fresh.version, self._fresh.event

    async def _read_all(self) -> Change:
        followed = self.version  # what is read next is at least as new
        async with self.database.reading() as tx:
            shown = await room.latest(tx, self.room, SHOWN)
        version = max([followed, 0, *(message.version for message in shown)])
        return Change(version, _event("room", [drawing.message(message, self.tag) for message in shown], version))

    def reaches(self, version: int) -> bool:
        """Whether all that is newer than `version` is in memory. A version of another database is ahead of ours."""
        return self._floor <= version <= self.version

    def has_forgotten(self, version: int) -> bool:
        """Whether something newer than `version` may have left the memory."""
        return version < self._floor

    def since(self, version: int) -> list[Change]:
        """The newest state of every message that changed after `version`, oldest change first."""
        return [change for change in self._recent.values() if change.version > version]

    async def wait(self, seen: int, models: bytes, timeout: float) -> bool:  # noqa: ASYNC109
        """Wait until there is more than `seen` and `models`; False after `timeout` seconds without."""
        if self.closing or self.version > seen or self.models != models:
            return True
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Let every stream end."""
        self.closing = True
        self._tell()

    async def _look(self) -> None:
        async with self.database.reading() as tx:
            messages = await self._newer(tx)
            known = await models.known(tx) if self._is_time_for_models() else None
        changed = self._take_messages(messages)
        if self._take_models(known) or changed:
            self._tell()

    async def _newer(self, tx: Any) -> list[RoomMessage]:
        if self.version >= 0:
            return await room.since(tx, self.room, self.version)
        shown = await room.latest(tx, self.room, SHOWN)
        self.version = self._floor = max([message.version for message in shown], default=0)
        return []

    def _take_messages(self, messages: list[RoomMessage]) -> bool:
        for message in messages:
            self._recent.pop(message.id, None)
            self._recent[message.id] = _change(message, self.tag)
            self.version = message.version
        while len(self._recent) > REMEMBERED:
            self._floor = self._recent.pop(next(iter(self._recent))).version
        return bool(messages)

    def _is_time_for_models(self) -> bool:
        return self.models == NO_MODELS or self.clock() - self._models_at >= MODELS_SECONDS

    def _take_models(self, known: list[ModelFacts] | None) -> bool:
        if known is None:
            return False
        before, self.models = self.models, _event("models", drawing.models(known))
        self._models_at = self.clock()
        return self.models != before

    def _tell(self) -> None:
        """Wake everybody who waits; who comes later waits for the next change."""
        told, self._changed = self._changed, asyncio.Event()
        told.set()
