"""Updates are stored before they are confirmed, and handled from the store: none is lost, and each acts once.

Handling is repeatable: what an update leads to is recorded under its number. So one that was handled, but not marked
before the process died, is simply handled again. Updates of one lane are handled one after the other, lanes side by
side; one that fails does not stop those behind it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.port import Gone, Refused, SurfaceError, Throttled
from bot.surfaces.telegram.callers import NAME, lane, moment_of
from db import card_routes, updates
from db.database import Database
from db.errors import StoreError
from db.trouble import surviving
from db.updates import Update

ATTEMPTS = 3  # at handling one update
PATIENCE = 30  # how many times a chat may ask to wait while one update is handled
IDLE_SECONDS = 30.0  # what could not be marked as handled is looked at again this often
FORGET_SECONDS = 3600.0  # how often what is long handled is removed
KEPT_SECONDS = 25 * 3600.0  # Telegram keeps what nobody fetches for a day
REMEMBER_SECONDS = 3 * 86400.0  # so it repeats nothing that is older
LONGEST_PAUSE = 60.0
MOST = 2**63 - 1  # of an update's number: what the database holds

Body = dict[str, Any]

log = logging.getLogger(__name__)


@dataclass
class Inbox:
    """`handle` does what an update asks for, under its number, and hears for how many seconds it had waited for us;
    `give_up` tells its sender that it could not be done."""

    database: Database
    clock: Callable[[], float]
    handle: Callable[[int, Body, float], Awaitable[None]]
    give_up: Callable[[int, Body], Awaitable[None]]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _lanes: dict[str, deque[Update]] = field(default_factory=dict, repr=False)
    _in_hand: set[int] = field(default_factory=set, repr=False)
    _news: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    _forgot_at: float = field(default=0.0, repr=False)
    _begun_at: float = field(default=0.0, repr=False)

    async def keep(self, bodies: Sequence[Any]) -> int | None:
        """Store what came, in one transaction; afterwards it may be confirmed, up to the highest number among it.

        One that is known changes nothing. What is no update is passed over: asked for again, it would be none either.
        None: there was no update.
        """
        numbered = [(number, body) for body in bodies if (number := number_of(body)) is not None]
        if not numbered:
            return None
        now = self.clock()
        async with self.database.transaction() as tx:
            for number, body in numbered:
                await updates.record(tx, NAME, number, body, now)
        self._news.set()
        return max(number for number, _ in numbered)

    async def run(self) -> None:
        """Handle what is stored until cancelled."""
        self._begun_at = self.clock()
        async with asyncio.TaskGroup() as handlers:
            while True:
                self._news.clear()
                with surviving("see what has come from Telegram"):
                    await self._share_out(handlers)
                    await self._forget()
                await self._until_news()

    async def _until_news(self) -> None:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self._news.wait()
        except TimeoutError:
            log.debug("Nothing came from Telegram for a while.")

    async def _share_out(self, handlers: asyncio.TaskGroup) -> None:
        before = frozenset(self._in_hand)  # what is done while this is read still stands in what was read
        async with self.database.reading() as tx:
            waiting = await updates.waiting(tx, NAME)
        for update in waiting:
            if update.number in before or update.number in self._in_hand:
                continue
            self._in_hand.add(update.number)
            name = lane(update.body)
            if name in self._lanes:
                self._lanes[name].append(update)
            else:
                self._lanes[name] = deque([update])
                handlers.create_task(self._follow(name))

    async def _follow(self, name: str) -> None:
        """Handle the updates of one lane until none is left."""
        todo = self._lanes[name]
        while todo:
            update = todo.popleft()
            with surviving("note that an update was handled"):
                await self._see_to(update)
                async with self.database.transaction() as tx:
                    await updates.handled(tx, NAME, update.number, self.clock())
            self._in_hand.discard(update.number)
        del self._lanes[name]

    async def _see_to(self, update: Update) -> None:
        """Until it is done, or can't be: then whoever sent it is told so."""
        waited = failures = 0
        while waited < PATIENCE:
            try:
                return await self.handle(update.number, update.body, self._waited(update))
            except (Gone, Refused) as error:
                log.info("The answer to update %s can't be shown: %s", update.number, error)
                return None
            except Throttled as error:
                waited += 1
                await self.sleep(min(error.seconds, LONGEST_PAUSE))
            except Exception as error:  # one update must not keep the others from being handled
                failures += 1
                log.warning("Update %s could not be handled (%s).", update.number, _why(error))
                if failures >= ATTEMPTS:
                    break
                await self.sleep(2.0**failures)
        return await self._excuse(update)

    def _waited(self, update: Update) -> float:
        """Seconds for which nobody was there to hear it: at Telegram, which keeps nothing for longer than a day (what
        seems older comes from a clock that is wrong), or in our store."""
        said_at = moment_of(update.body)
        away = 0.0 if said_at is None else update.received_at - said_at
        return max(self._begun_at - update.received_at, away if away <= KEPT_SECONDS else 0.0)

    async def _excuse(self, update: Update) -> None:
        try:
            await self.give_up(update.number, update.body)
        except Exception as error:  # nothing more can be done about it
            log.warning("Whoever sent update %s could not be told (%s).", update.number, _why(error))

    async def _forget(self) -> None:
        now = self.clock()
        if abs(now - self._forgot_at) < FORGET_SECONDS:
            return
        self._forgot_at = now
        async with self.database.transaction() as tx:
            await updates.forget(tx, NAME, now - REMEMBER_SECONDS)
            await card_routes.forget(tx, NAME, now)


def number_of(body: Any) -> int | None:
    """The number of an update; None: it is none."""
    try:
        number = int(body["update_id"])
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    return number if isinstance(body, dict) and 0 <= number <= MOST else None


def _why(error: Exception) -> str:
    """The words of other errors may hold what somebody wrote; where they come from does not."""
    if isinstance(error, SurfaceError | StoreError):
        return f"{type(error).__name__} {error}"
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {place.tb_frame.f_code.co_qualname}:{place.tb_lineno}" if place else ""
    return f"{type(error).__name__}{where}"
