"""One contract, every surface: a new one adds its stand to `STANDS`, and the whole of test_contract.py runs on it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cards import Card
from bot.port import Rendition, Surface
from bot.surfaces.recording import RecordingSurface
from bot.surfaces.terminal import TerminalSurface
from db.database import Database
from db.records import Address, Handle


@dataclass(frozen=True)
class Stand:
    """A surface ready to be tried out: an address on it, and a way to see what stands on a message now.

    `seen` returns None when there is no such message (any more).
    """

    surface: Surface
    address: Address
    seen: Callable[[Handle], Awaitable[Card | None]]


MakeStand = Callable[[Path, Database], AbstractAsyncContextManager[Stand]]


@asynccontextmanager
async def recording_stand(folder: Path, database: Database) -> AsyncIterator[Stand]:
    surface = RecordingSurface()

    async def seen(handle: Handle) -> Card | None:
        message = surface.messages.get(handle)
        return message.card if message else None

    yield Stand(surface, Address("recording", "here"), seen)


@asynccontextmanager
async def terminal_stand(folder: Path, database: Database) -> AsyncIterator[Stand]:
    surface = TerminalSurface(io.StringIO())

    async def seen(handle: Handle) -> Card | None:
        return surface.stands(handle)

    yield Stand(surface, TerminalSurface.address(folder / "out" / "clip.gif"), seen)


STANDS: dict[str, MakeStand] = {"recording": recording_stand, "terminal": terminal_stand}


@pytest.fixture(params=list(STANDS))
async def stand(request: pytest.FixtureRequest, tmp_path: Path, database: Database) -> AsyncIterator[Stand]:
    make: MakeStand = STANDS[request.param]
    async with make(tmp_path, database) as ready:
        yield ready


@pytest.fixture
def rendition(tmp_path: Path) -> Rendition:
    """A tiny GIF that decodes (one transparent pixel)."""
    path = tmp_path / "made" / "5000-1x1.gif"
    path.parent.mkdir()
    path.write_bytes(
        bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
    )
    return Rendition(path, "gif", path.stat().st_size, 1, 1, 0.1)
