"""A surface that writes down what it was asked to draw: for tests, and for pages that explain what people see."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.cards import Card
from bot.port import Gone, Limits, Receipt, Rendition, SurfaceError, TooLarge
from db.records import Address, Asker, Circumstances, Handle

ROOMY = Limits(upload_bytes=10 * 2**20, redraw_seconds=0.0, formats=("gif", "mp4", "webp"), text_chars=2000)


@dataclass
class Message:
    """One message: every card it has shown, the last one being what stands there now, and the clip it carries."""

    handle: Handle
    cards: list[Card]
    renditions: list[Rendition] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)

    @property
    def card(self) -> Card:
        return self.cards[-1]


class RecordingSurface:
    """Keeps messages in memory. `troubles` holds errors to raise, by method name, each once and in order."""

    def __init__(self, name: str = "recording", limits: Limits = ROOMY) -> None:
        self._name = name
        self._limits = limits
        self.limits_at: dict[Address, Limits] = {}
        self.messages: dict[Handle, Message] = {}
        self.troubles: dict[str, deque[SurfaceError]] = {}
        self.people: dict[tuple[Address, Asker], Circumstances] = {}
        self._posted: dict[tuple[Address, str], Handle] = {}
        self._replied: set[tuple[Handle, str]] = set()
        self._changed = asyncio.Condition()

    @property
    def name(self) -> str:
        return self._name

    async def run(self) -> None:
        """Nothing comes in by itself."""
        await asyncio.Event().wait()

    async def limits(self, address: Address) -> Limits:
        return self.limits_at.get(address, self._limits)

    async def circumstances(self, address: Address, asker: Asker) -> Circumstances:
        return self.people.get((address, asker), Circumstances())

    async def show(self, address: Address, card: Card, nonce: str) -> Handle:
        await self._trouble("show")
        handle = self._posted.get((address, nonce))
        if handle is None:
            handle = Handle(address, str(len(self.messages) + 1))
            self._posted[address, nonce] = handle
            self.messages[handle] = Message(handle, [card])
        await self._tell()
        return handle

    async def redraw(self, handle: Handle, card: Card) -> None:
        await self._trouble("redraw")
        self._message(handle).cards.append(card)
        await self._tell()

    async def deliver(self, handle: Handle, card: Card, rendition: Rendition) -> Receipt:
        await self._trouble("deliver")
        limit = (await self.limits(handle.address)).upload_bytes
        if rendition.bytes > limit:
            raise TooLarge(limit)
        message = self._message(handle)
        message.cards.append(card)
        message.renditions.append(rendition)
        await self._tell()
        return Receipt(f"{handle.message}/{rendition.path.name}")

    async def notify(self, handle: Handle, asker: Asker, sentence: str, nonce: str) -> None:
        await self._trouble("notify")
        message = self._message(handle)
        if (handle, nonce) not in self._replied:
            self._replied.add((handle, nonce))
            message.replies.append(sentence)
        await self._tell()

    def fail(self, method: str, *errors: SurfaceError) -> None:
        """Let the next calls of `method` raise these errors, one each."""
        self.troubles.setdefault(method, deque()).extend(errors)

    def remove(self, handle: Handle) -> None:
        """As if somebody had deleted the message."""
        del self.messages[handle]

    async def until(self, holds: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until something that was drawn makes `holds` true. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(holds)

    def _message(self, handle: Handle) -> Message:
        message = self.messages.get(handle)
        if message is None:
            raise Gone("There is no such message.")
        return message

    async def _trouble(self, method: str) -> None:
        waiting = self.troubles.get(method)
        if waiting:
            error = waiting.popleft()
            await self._tell()
            raise error

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
