"""One contract, every surface: a new one adds its stand to `STANDS`, and the whole of test_contract.py runs on it."""

from __future__ import annotations

import asyncio
import io
import math
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import imageio_ffmpeg
import pytest
from PIL import Image, ImageDraw
from pydantic import TypeAdapter

from bot.cards import Card
from bot.core import Core, opened
from bot.port import Rendition, Surface
from bot.surfaces.recording import RecordingSurface
from bot.surfaces.terminal import TerminalSurface
from bot.surfaces.web import WebSurface
from db import deliveries, gallery, models, queue, quotas, room
from db.config import Config, DataConfig, WebConfig
from db.database import Database
from db.ids import new_id
from db.records import (
    Address,
    Clip,
    Defaults,
    Delivery,
    DeliveryState,
    Handle,
    Lease,
    ModelFacts,
    ModelLimits,
    Phase,
    Progress,
    Range,
)
from tests.surfaces.discord_server.server import DiscordServer


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


@asynccontextmanager
async def web_stand(folder: Path, database: Database) -> AsyncIterator[Stand]:
    surface = WebSurface(database, WebConfig(port=0), folder, time.time)

    async def seen(handle: Handle) -> Card | None:
        async with database.reading() as tx:
            message = await room.get(tx, handle.message)
        return TypeAdapter(Card).validate_python(message.card["card"]) if message else None

    yield Stand(surface, Address("web", "main"), seen)


STANDS: dict[str, MakeStand] = {"recording": recording_stand, "terminal": terminal_stand, "web": web_stand}


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


# --- the web page, served for real ---

POCKET = ModelFacts(
    name="pocket",
    title="Pocket",
    family="unet3d",
    defaults=Defaults(steps=4, guidance=3.0, frames=8, width=32, height=32, fps=8, sampler="ddim"),
    limits=ModelLimits(steps=Range(1, 50), frames=Range(1, 16), side=Range(16, 64), multiple=8),
    crisp=True,
    suggestions=("a heart bouncing on blue", "a cat spinning on green"),
)


@dataclass
class House:
    """The bot's own parts with the web page on a real port; `serve` and `stop` as often as a test likes."""

    core: Core
    folder: Path
    port: int = 0
    surface: WebSurface | None = None
    running: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self) -> None:
        config = WebConfig(port=self.port)
        self.surface = WebSurface(self.core.database, config, self.folder, time.time, self.core.convert)
        self.surface.commands = self.core.commands
        self.core.surfaces["web"] = self.surface
        self.port = httpx.URL(self.surface.open()).port or 0
        self.running = asyncio.create_task(self.surface.run())

    async def stop(self) -> None:
        if self.running is not None:
            self.running.cancel()
            await asyncio.wait([self.running])
            self.running = None
        if self.surface is not None:
            self.surface.close()  # a task that was cancelled before its first step served nothing

    # What a runner does, by the same functions of the database.

    async def claim(self) -> Lease:
        """Lease the oldest waiting job as soon as there is one."""
        while True:
            seen = self.core.database.bell.count()
            async with self.core.database.transaction() as tx:
                for job in await queue.waiting(tx):
                    lease = await queue.claim(tx, job.id, runner="r", now=time.time(), until=time.time() + 60)
                    if lease is not None:
                        return lease
            await self.core.database.bell.wait(seen, 5.0)

    async def step(self, lease: Lease, step: int) -> None:
        """One denoising step is done, and there is a preview of it."""
        previews = self.folder / "previews"
        previews.mkdir(exist_ok=True)
        Image.new("RGB", (32, 32), (60 * step % 256, 80, 200)).save(previews / f"{lease.job.id}.webp")
        async with self.core.database.transaction() as tx:
            await queue.report(tx, lease, Progress(Phase.STEP, step, lease.job.spec.steps), time.time())

    async def finish(self, lease: Lease) -> Clip:
        """Keep a master, publish the clip and promise its delivery."""
        clip_id, job, now = new_id(), lease.job, time.time()
        temp = await asyncio.to_thread(_draw_master, self.folder / f"{clip_id}.part.mp4")
        master = await self.core.files.keep(temp, clip_id, ".mp4")
        clip = Clip(clip_id, job.id, job.asker, job.spec, job.verdict, master, "", 1, {"steps": 1.0}, now)
        promise = Delivery(
            new_id(), clip_id, job.id, job.handle, job.format, DeliveryState.PROMISED, 0, now, job.created_at
        )
        async with self.core.database.transaction() as tx:
            await queue.finish(tx, lease, now)
            await quotas.settle(tx, job.id)
            await gallery.publish(tx, clip)
            await deliveries.promise(tx, promise)
        return clip


def _draw_master(path: Path) -> Path:
    """Eight frames of 32 pixels: a red disc that bounces on blue."""
    raw = b""
    for index in range(8):
        frame = Image.new("RGB", (32, 32), (31, 89, 230))
        top = 18 - round(14 * math.sin(math.pi * index / 7))
        ImageDraw.Draw(frame).ellipse((10, top, 22, top + 12), fill=(230, 30, 36))
        raw += frame.tobytes()
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "32x32", "-r", "8", "-i", "-"]
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    subprocess.run([*program, *source, "-c:v", "libx264rgb", "-qp", "0", str(path)], input=raw, check=True)
    return path


@pytest.fixture
async def house(tmp_path: Path, empty_database: Path) -> AsyncIterator[House]:
    """The bot with one announced model and the page being served; its loops are the test's to start."""
    shutil.copy(empty_database, tmp_path / "zoetrope.db")
    async with opened(Config(data=DataConfig(folder=tmp_path))) as core:
        async with core.database.transaction() as tx:
            await models.announce(tx, "r", [POCKET], time.time())
        ready = House(core, tmp_path)
        await ready.serve()
        yield ready
        await ready.stop()


@pytest.fixture
async def loops(house: House) -> AsyncIterator[None]:
    """The progress and delivery loops run, and requests are taken up."""
    running = [asyncio.create_task(loop) for loop in house.core.loops()]
    yield
    for task in running:
        task.cancel()
    await asyncio.wait(running)


@dataclass
class Visitor:
    """A browser without its window: keeps the cookie, sends the token and the Origin."""

    client: httpx.AsyncClient
    token: str

    async def post(self, path: str, fields: dict[str, object]) -> httpx.Response:
        return await self.client.post(path, json=fields, headers={"x-zoetrope-token": self.token})

    async def ask(self, prompt: str, **fields: object) -> httpx.Response:
        return await self.post("/request", {"prompt": prompt, **fields})


Enter = Callable[[], Awaitable[Visitor]]


@pytest.fixture
async def enter(house: House) -> AsyncIterator[Enter]:
    """Open the page in one more browser."""
    clients = []

    async def entering() -> Visitor:
        client = httpx.AsyncClient(base_url=house.url, headers={"origin": house.url}, timeout=10)
        clients.append(client)
        page = (await client.get("/")).text
        found = re.search(r'name="zoetrope-token" content="([0-9a-f]{64})"', page)
        assert found
        return Visitor(client, found[1])

    yield entering
    for client in clients:
        await client.aclose()


# --- Discord ---


@pytest.fixture
async def discord_server() -> AsyncIterator[DiscordServer]:
    """A Discord on 127.0.0.1; the test fails when its bot did what Discord's schema or a person would not take."""
    async with DiscordServer().serving() as server:
        yield server
    server.check()
