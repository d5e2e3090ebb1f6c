"""Updates that we ask for: what came is stored first, and confirmed by asking for what comes after it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.port import SurfaceError, Throttled
from bot.surfaces.telegram.inbox import Inbox
from bot.surfaces.telegram.wire import Contested, Rejected, Wire
from db.errors import StoreError

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
SHORTEST_QUESTION = 0.2  # seconds; a server that holds no question open is not asked more often than that

log = logging.getLogger(__name__)


@dataclass
class Polling:
    """The loop that asks. It never ends by itself: whatever happens, it asks again after a pause."""

    wire: Wire
    inbox: Inbox
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def run(self) -> None:
        """Ask until cancelled.

        An offset is only given right after updates came, to confirm them: after a quiet week Telegram begins its
        numbers anew, and an old offset would hide the new ones.
        """
        offset: int | None = None
        failures = 0
        while True:
            try:
                asked_at = time.monotonic()
                found = await self.wire.updates(offset)
                last = await self.inbox.keep(found)
                nothing_new = last is None or (offset is not None and last < offset)
                offset = None if last is None else last + 1
                failures = 0
                if nothing_new:
                    await self.sleep(max(0.0, asked_at + SHORTEST_QUESTION - time.monotonic()))
            except Throttled as error:
                await self.sleep(error.seconds)
            except (SurfaceError, StoreError) as error:
                failures += 1
                tell(error, failures)
                await self.sleep(pause_after(failures))


def pause_after(failures: int) -> float:
    return float(min(FIRST_PAUSE * 2.0 ** (failures - 1), LONGEST_PAUSE))


def tell(error: Exception, failures: int) -> None:
    """One sentence in the log: the first time, and whenever it has lasted twice as long."""
    if failures & (failures - 1):
        return
    match error:
        case Contested():
            log.error(
                "Somebody else receives this Telegram bot's updates (another program with the same token, or a "
                "webhook): stop it, or remove the webhook; until then nothing arrives here.",
                extra={"action": "telegram_contested"},
            )
        case Rejected():
            log.error(
                "Telegram does not take the token: ask @BotFather for the right one and put it where the old one is.",
                extra={"action": "telegram_rejected"},
            )
        case StoreError():
            log.error("What came from Telegram can't be stored and is asked for again: %s", error)
        case _:
            log.warning("Telegram can't be reached and is tried again (%s).", error)
