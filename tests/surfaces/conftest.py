"""One contract, every surface: a new one adds its stand to `STANDS`, and the whole of test_contract.py runs on it."""

from __future__ import annotations

import asyncio
import io
import math
import os
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord
import httpx
import imageio_ffmpeg
import pytest
from PIL import Image, ImageDraw
from playwright.async_api import Browser, Page, async_playwright, expect
from pydantic import SecretStr, TypeAdapter

from bot import app
from bot.cards import Card
from bot.core import Core, opened
from bot.port import Receipt, Rendition, Surface
from bot.surfaces.recording import RecordingSurface
from bot.surfaces.telegram.pace import Pace
from bot.surfaces.telegram.surface import TelegramSurface
from bot.surfaces.terminal import TerminalSurface
from bot.surfaces.web import WebSurface
from db import deliveries, gallery, models, queue, quotas, room
from db.config import Config, DataConfig, DiscordConfig, Secrets, TelegramConfig, WebConfig
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
from tests.surfaces.discord_server.world import Channel, Guild, User
from tests.surfaces.discord_stand import discord_parts
from tests.surfaces.telegram_chats import Message
from tests.surfaces.telegram_server import TOKEN, serving


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


class Remembered(TelegramSurface):
    """Remembers the cards it was handed: a message shows some of what a card holds, never its tone."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.handed: list[Card] = []

    async def show(self, address: Address, card: Card, nonce: str) -> Handle:
        self.handed.append(card)
        return await super().show(address, card, nonce)

    async def redraw(self, handle: Handle, card: Card) -> None:
        self.handed.append(card)
        await super().redraw(handle, card)

    async def deliver(self, handle: Handle, card: Card, rendition: Rendition) -> Receipt:
        self.handed.append(card)
        return await super().deliver(handle, card, rendition)


@asynccontextmanager
async def telegram_stand(folder: Path, database: Database) -> AsyncIterator[Stand]:
    async with serving() as telegram:
        chat = telegram.private(telegram.person("Ada"))
        config = TelegramConfig(base_url=telegram.base_url, base_file_url=telegram.base_file_url)
        pace = Pace(time.monotonic, private=(), group=())
        surface = Remembered(config, TOKEN, database, time.time, pace)

        async def seen(handle: Handle) -> Card | None:
            message = chat.find(int(handle.message))
            if message is None:
                return None
            return next((card for card in reversed(surface.handed) if shows(message, card)), None)

        yield Stand(surface, Address("telegram", str(chat.id)), seen)
        await surface.wire.close()


def shows(message: Message, card: Card) -> bool:
    """Whether a message shows everything that belongs to a card, and nothing else."""
    left = message.text.replace("\u2060", "")
    words = [card.title, card.status, *(word for fact in card.facts for word in fact)]
    for word in sorted(filter(None, words), key=len, reverse=True):
        if word not in left:
            return False
        left = left.replace(word, "", 1)
    bar = re.search(r"([▰▱]{10}) (\d+)%", left)
    if (card.bar is None) is not (bar is None) or (bar and int(bar[2]) != round(100 * (card.bar or 0))):
        return False
    pressed = [(each["text"], each["callback_data"]) for each in message.buttons]
    is_clip = message.kind == "animation"
    strewn = re.sub(r"[▰▱]{10} \d+%|[\s:·]", "", left)
    return (
        not strewn
        and pressed == [(each.label, each.token) for each in card.buttons]
        and (bool(card.clip) or not is_clip)
    )


@asynccontextmanager
async def discord_stand(folder: Path, database: Database) -> AsyncIterator[Stand]:
    async with discord_parts(folder, database) as parts:
        yield Stand(*parts)


STANDS: dict[str, MakeStand] = {
    "recording": recording_stand,
    "terminal": terminal_stand,
    "web": web_stand,
    "telegram": telegram_stand,
    "discord": discord_stand,
}


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


@dataclass(repr=False)  # asyncio asks for it again and again, and every word list of the filter would be in it
class House:
    """The bot's own parts with the web page on a real port; `serve` and `stop` as often as a test likes."""

    core: Core
    folder: Path
    port: int = 0
    surface: WebSurface | None = None
    running: asyncio.Task[None] | None = None
    clock: Callable[[], float] = time.time

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, **settings: Any) -> None:
        config = WebConfig(port=self.port, **settings)
        self.surface = WebSurface(self.core.database, config, self.folder, time.time, self.core.convert)
        self.surface.commands, self.surface.answers = self.core.commands, self.core.answers
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
                    lease = await queue.claim(tx, job.id, runner="r", now=self.clock(), until=self.clock() + 60)
                    if lease is not None:
                        return lease
            await self.core.database.bell.wait(seen, 5.0)

    async def step(self, lease: Lease, step: int) -> None:
        """One denoising step is done, and there is a preview of it."""
        previews = self.folder / "previews"
        previews.mkdir(exist_ok=True)
        Image.new("RGB", (32, 32), (60 * step % 256, 80, 200)).save(previews / f"{lease.job.id}.webp")
        async with self.core.database.transaction() as tx:
            await queue.report(tx, lease, Progress(Phase.STEP, step, lease.job.spec.steps), self.clock())

    async def finish(self, lease: Lease) -> Clip:
        """Keep a master, publish the clip and promise its delivery."""
        clip_id, job, now = new_id(), lease.job, self.clock()
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
        return await self.post("/say", {"text": prompt, **fields})


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


# --- the web page in a real browser ---

QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def browser_program() -> str:
    """Chromium's path; without one the tests say loudly that they did not run, or fail where all must run."""
    given = os.environ.get("ZOETROPE_CHROMIUM", "")
    found = given or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found and Path(found).exists():
        return found
    if os.environ.get("ZOETROPE_REQUIRE_ALL") == "1":
        pytest.fail("chromium is missing and everything must run: install it (Debian: apt install chromium)")
    pytest.skip("NOT CHECKED: chromium is missing, so the web page was not tried in a browser")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    program = browser_program()
    expect.set_options(timeout=20_000)  # milliseconds: other tests run beside this one
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=program, args=QUIET)
        yield opened
        await opened.close()


@pytest.fixture
async def page(browser: Browser, house: House) -> AsyncIterator[Page]:
    """The page, open; nothing may go wrong in it while a test looks at it, and nothing may leave this machine."""
    context = await browser.new_context(viewport={"width": 1100, "height": 800})
    context.set_default_timeout(20_000)
    opened = await context.new_page()
    errors: list[str] = []
    foreign: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda request: None if request.url.startswith(house.url) else foreign.append(request.url))
    await opened.goto(house.url)
    yield opened
    assert errors == []
    assert [address for address in foreign if not address.startswith(("data:", "blob:"))] == []


# --- Discord ---


@pytest.fixture
async def discord_server() -> AsyncIterator[DiscordServer]:
    """A Discord on 127.0.0.1; the test fails when its bot did what Discord's schema or a person would not take."""
    async with DiscordServer().serving() as server:
        yield server
    server.check()


@dataclass(frozen=True)
class Crew:
    """A Discord server with a channel, and two people in it."""

    guild: Guild
    general: Channel
    ann: User
    ben: User


@pytest.fixture
def crew(discord_server: DiscordServer) -> Crew:
    ann, ben = discord_server.person("ann"), discord_server.person("ben")
    guild = discord_server.guild("crew", ann, ben)
    return Crew(guild, discord_server.channel(guild, "general"), ann, ben)


DISCORDS_PAGE = "https://clips.example.org"  # where links lead that are shown on Discord; nothing serves it


def _on_discord(server: DiscordServer, folder: Path) -> Config:
    places = DiscordConfig(api_base=server.api_base, gateway_url=server.gateway_url, cdn_base=server.cdn_base)
    return Config(data=DataConfig(folder=folder), web=WebConfig(address=DISCORDS_PAGE), discord=places)


@pytest.fixture
async def workshop(discord_server: DiscordServer, tmp_path: Path, empty_database: Path) -> AsyncIterator[House]:
    """A data folder with one announced model, and what a test needs to play the runner there; nobody serves Discord."""
    shutil.copy(empty_database, tmp_path / "zoetrope.db")
    async with opened(_on_discord(discord_server, tmp_path), discord_server.clock) as core:
        async with core.database.transaction() as tx:
            await models.announce(tx, "r", [POCKET], discord_server.clock())
        yield House(core, tmp_path, clock=discord_server.clock)


@pytest.fixture
async def on_discord(
    discord_server: DiscordServer, crew: Crew, workshop: House, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    """The bot with Discord as its only surface and its loops running, in this process and on the server's clock."""
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)  # undone at the end, like all it changes
    monkeypatch.setattr(discord.asset.Asset, "BASE", discord.asset.Asset.BASE)
    secrets = Secrets(discord_token=SecretStr(discord_server.token))
    config = _on_discord(discord_server, workshop.folder)
    app._add_chats(app.Choices(config, secrets, None, {}, web_only=False), workshop.core)
    works = [*(surface.run() for surface in workshop.core.surfaces.values()), *workshop.core.loops()]
    running = [asyncio.create_task(work) for work in works]
    await discord_server.gateway.until_connected()
    await discord_server.until(lambda: discord_server.commands)
    yield workshop
    for task in running:
        task.cancel()
    await asyncio.wait(running)
