"""The gallery with ten thousand clips: what the server takes for a page of it, and how the wall feels in chromium."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from playwright.async_api import Page, async_playwright

from benchmarks.figures import spread
from bot.core import Core, opened
from bot.surfaces.web import WebSurface
from db import models
from db.config import Config, DataConfig, WebConfig
from db.records import Defaults, ModelFacts, ModelLimits, Range
from tests.surfaces.web_wall import film

CLIPS = 10_000
RUNS = 30
FRAMES = 300  # of scrolling
PIXELS = 60  # scrolled in each of them
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
THINGS = ("heart", "ball", "car", "rocket", "moon", "star", "cat", "fish", "robot", "ghost")
GROUNDS = ("blue", "green", "black", "red", "the sea", "space", "grass")
MODEL = ModelFacts(
    name="pocket",
    title="Pocket",
    family="unet3d",
    defaults=Defaults(steps=20, guidance=3.0, frames=8, width=32, height=32, fps=8, sampler="ddim"),
    limits=ModelLimits(steps=Range(1, 50), frames=Range(1, 16), side=Range(16, 64), multiple=8),
    crisp=True,
)

Record = dict[str, Any]

# Scrolls down evenly and returns the milliseconds between frames, and how many tiles were in the document at the most.
SCROLL = """async ([frames, pixels]) => {
    const times = [];
    let most = 0;
    let last = await new Promise(requestAnimationFrame);
    for (let frame = 0; frame < frames; frame += 1) {
        scrollBy(0, pixels);
        const now = await new Promise(requestAnimationFrame);
        times.push(now - last);
        last = now;
        most = Math.max(most, document.querySelectorAll(".tile").length);
    }
    return { times, most };
}"""
FILLED = """async () => {
    const isShown = (tile) => tile.getBoundingClientRect().top >= innerHeight || tile.querySelector("img.still");
    const all = () => [...document.querySelectorAll(".tile")];
    while (!all().length || !all().every(isShown)) await new Promise(requestAnimationFrame);
    return performance.now();
}"""
WEIGHT = """() => ["navigation", "resource"]
    .flatMap((kind) => performance.getEntriesByType(kind))
    .map((entry) => entry.encodedBodySize)"""
PAINTED = """() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null"""


@dataclass(frozen=True, slots=True)
class Place:
    """What `film` wants of a house, and where it is served."""

    core: Core
    folder: Path
    url: str


def measure() -> Iterator[Record]:
    return iter(asyncio.run(_measure()))


async def _measure() -> list[Record]:
    with TemporaryDirectory(prefix="zoetrope-bench-") as folder:
        async with _place(Path(folder)) as place, httpx.AsyncClient(base_url=place.url, timeout=60) as client:
            return [*await _server(client), *await _browser(place.url)]


@asynccontextmanager
async def _place(folder: Path) -> AsyncIterator[Place]:
    """The bot's parts with a full database, and the page on a real port."""
    async with opened(Config(data=DataConfig(folder=folder))) as core:
        async with core.database.transaction() as tx:
            await models.announce(tx, "bench", [MODEL], time.time())
        surface = WebSurface(core.database, WebConfig(port=0), folder, time.time, core.convert)
        place = Place(core, folder, surface.open().rstrip("/"))
        await film(place, *(_prompt(number) for number in range(CLIPS)))
        serving = asyncio.create_task(surface.run())
        try:
            yield place
        finally:
            serving.cancel()
            await asyncio.wait([serving])


def _prompt(number: int) -> str:
    return f"a {THINGS[number % 10]} number {number} bouncing on {GROUNDS[number % 7]}"


# --- the server ---


async def _server(client: httpx.AsyncClient) -> list[Record]:
    first = (await client.get("/gallery/clips")).json()["clips"]
    deep = await _deepest(client)
    seconds = {
        "first_page_seconds": await _timed(client, "/gallery/clips"),
        "deepest_page_seconds": await _timed(client, f"/gallery/clips?after={deep}"),
        "search_of_many_seconds": await _timed(client, "/gallery/clips?q=heart"),
        "search_of_one_seconds": await _timed(client, "/gallery/clips?q=9876"),
        "random_seconds": await _timed(client, "/gallery/random"),
        "still_there_seconds": await _timed(client, f"/gallery/ids?until={first[-1]['key']}"),
        "all_still_there_seconds": await _timed(client, f"/gallery/ids?until={deep}"),
        "still_made_seconds": await _each(client, [f"/gallery/{clip['id']}/still.webp" for clip in first[:RUNS]]),
        "tile_made_seconds": await _each(client, [f"/gallery/{clip['id']}/tile.webp" for clip in first[:RUNS]]),
        "still_kept_seconds": await _each(client, [f"/gallery/{clip['id']}/still.webp" for clip in first[:RUNS]]),
    }
    return [{"measure": name, "clips": CLIPS, **spread(values)} for name, values in seconds.items()]


async def _deepest(client: httpx.AsyncClient) -> str:
    """The key before the last page of the wall."""
    after, more = "", True
    while more:
        page = (await client.get("/gallery/clips", params={"after": after})).json()
        more = page["more"]
        after = page["clips"][-1]["key"] if more else after
    return after


async def _timed(client: httpx.AsyncClient, address: str) -> list[float]:
    return await _each(client, [address] * RUNS)


async def _each(client: httpx.AsyncClient, addresses: list[str]) -> list[float]:
    return [await _seconds(lambda address=address: client.get(address)) for address in addresses]  # type: ignore[misc]


async def _seconds(work: Callable[[], Awaitable[httpx.Response]]) -> float:
    started = time.perf_counter()
    (await work()).raise_for_status()
    return time.perf_counter() - started


# --- the browser ---


async def _browser(url: str) -> list[Record]:
    async with async_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = await playwright.chromium.launch(executable_path=program, args=QUIET)
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        weighed = await _weighed(page, url)
        cold, warm = await _opened(page, url), await _opened(page, url)
        scrolled = [await _scrolled(page, way) for way in ("pictures made on the way", "pictures kept")]
        await browser.close()
    return [weighed, {"measure": "first_paint_milliseconds", "cold": cold, "warm": warm}, *scrolled]


async def _weighed(page: Page, url: str) -> Record:
    """Bytes of the page without clips; a search that finds none brings none."""
    await page.goto(f"{url}/gallery?q=nothing-has-this", wait_until="networkidle")
    sizes = await page.evaluate(WEIGHT)
    return {"measure": "page_bytes", "bytes": sum(sizes), "files": len(sizes)}


async def _opened(page: Page, url: str) -> Record:
    """Milliseconds after the navigation began: something is painted, and every tile on the screen has its picture."""
    await page.goto(f"{url}/gallery")
    filled = await page.evaluate(FILLED)
    return {"first_paint": round(await page.evaluate(PAINTED) or 0), "screen_filled": round(filled)}


async def _scrolled(page: Page, way: str) -> Record:
    await page.evaluate("scrollTo(0, 0)")
    seen = await page.evaluate(SCROLL, [FRAMES, PIXELS])
    late = sum(1 for each in seen["times"] if each > 34)
    figures = spread(seen["times"], 1)
    return {"measure": "scroll_frame_milliseconds", "way": way, **figures, "over_34": late, "tiles": seen["most"]}
