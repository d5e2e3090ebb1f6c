"""What a seat is: the place where one engine sits, and the only way to talk to it."""

from __future__ import annotations

from typing import Protocol

from generator.protocol import FromEngine, Ready, ToEngine


class Seat(Protocol):
    """Holds at most one engine at a time. Every method but `stop` and `kill` may raise EngineGone."""

    @property
    def running(self) -> bool:
        """Whether there is an engine that has not ended."""
        ...

    async def start(self) -> Ready:
        """Start a fresh engine (a former one is killed) and wait until it can take a Render."""
        ...

    async def send(self, message: ToEngine) -> None: ...

    async def receive(self) -> FromEngine:
        """The next message, in the order sent. Cancelling the wait loses nothing."""
        ...

    async def stop(self) -> None:
        """Ask the engine to leave; whoever has not left after a moment is killed."""
        ...

    async def kill(self) -> None:
        """End the engine at once, hung or not. Returns when it no longer exists."""
        ...
