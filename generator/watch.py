"""Keeping an engine in its seat: started when wanted, killed when it hangs, restarted with a growing pause.

A sign of life is any message. How long silence is allowed depends on what the engine is busy with: reading 3.5 GB from
a disk and one denoising step on a CPU take minutes, and a hung kernel never raises anything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from db.config import StallConfig
from db.records import Phase
from generator.errors import EngineGone
from generator.protocol import Decoding, Encoding, FromEngine, Judge, Loading, Ready, Render, Step, ToEngine
from generator.seats.port import Seat

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0

_BUSY_WITH = {
    Phase.LOAD: "loading the model",
    Phase.ENCODE: "reading the prompt",
    Phase.STEP: "denoising",
    Phase.DECODE: "writing the clip",
}

logger = logging.getLogger(__name__)


class Watch:
    """One engine and what is known about it: its device, its resident model, how often it died in a row."""

    def __init__(
        self, seat: Seat, stall: StallConfig, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._seat = seat
        self._stall = stall
        self._clock = clock
        self._sleep = sleep
        self._phase = Phase.LOAD
        self._deaths = 0
        self._rested = True
        self._asked: str | None = None
        self.device = ""
        self.resident: str | None = None
        self.resident_since = 0.0

    async def rest(self) -> None:
        """After a death: the pause before the next try, twice as long each time in a row."""
        if not self._rested:
            self._rested = True
            await self._sleep(min(FIRST_PAUSE * 2.0 ** (self._deaths - 1), LONGEST_PAUSE))

    async def ready(self) -> None:
        """Have a living engine. Raises EngineGone when it can't be started."""
        if self._seat.running:
            return
        self.resident = None
        try:
            ready = await self._seat.start()
        except EngineGone as gone:
            self._bury(gone)
            raise
        self.device = ready.device_name or ready.device
        logger.info("engine %d is ready on %s", ready.pid, self.device)

    async def send(self, message: ToEngine) -> None:
        """Raises EngineGone."""
        if isinstance(message, Render):
            self._phase = Phase.LOAD
            self._asked = message.spec.model
        elif isinstance(message, Judge):
            self._phase = Phase.LOAD  # a classifier may have to be read, too
        try:
            await self._seat.send(message)
        except EngineGone as gone:
            self._bury(gone)
            raise

    async def receive(self) -> FromEngine:
        """The next message. An engine that is silent for too long is killed. Raises EngineGone."""
        limit = self._allowed_silence()
        try:
            async with asyncio.timeout(limit):
                message = await self._seat.receive()
        except EngineGone as gone:
            self._bury(gone)
            raise
        except TimeoutError:
            hung = EngineGone(
                f"The engine gave no sign of life for {limit:.0f} s while {_BUSY_WITH[self._phase]} and was stopped; "
                "please try again later."
            )
            await self.kill()
            self._bury(hung)
            raise hung from None
        self._take_note(message)
        return message

    def praise(self) -> None:
        """It brought a job to its end: its former deaths no longer count."""
        self._deaths = 0

    async def kill(self) -> None:
        """End the engine now; the next `ready` starts another."""
        self.resident = None
        await self._seat.kill()

    async def stop(self) -> None:
        """Let the engine leave in order."""
        await self._seat.stop()

    def _allowed_silence(self) -> float:
        stall = self._stall
        # Nothing is said between the end of encoding and the end of the first step.
        encode = stall.encode + stall.step
        return {Phase.LOAD: stall.load, Phase.ENCODE: encode, Phase.STEP: stall.step, Phase.DECODE: stall.decode}[
            self._phase
        ]

    def _take_note(self, message: FromEngine) -> None:
        match message:
            case Loading():
                self._phase = Phase.LOAD
                self.resident = None
            case Encoding():
                self._phase = Phase.ENCODE
                if self.resident != self._asked:
                    self.resident, self.resident_since = self._asked, self._clock()
            case Step():
                self._phase = Phase.STEP
            case Decoding():
                self._phase = Phase.DECODE
            case Ready():
                logger.warning("the engine said ready once more")

    def _bury(self, gone: EngineGone) -> None:
        self._deaths += 1
        self._rested = False
        self.resident = None
        logger.warning("death %d of the engine in a row: %s", self._deaths, gone)
