"""The room in chromium and under a thousand open tabs: how soon something is seen, and what a tab costs the server."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import shutil
import socket
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil  # type: ignore[import-untyped]
from playwright.async_api import Browser, Page, async_playwright

from benchmarks.figures import spread
from benchmarks.house import playing
from bot.core import opened
from db import models, queue
from db.config import Config, DataConfig
from db.records import Lease, Phase, Progress
from tests.surfaces.conftest import POCKET, QUIET, House

TABS = 1000
VISITS = 10
COMMANDS = 10
STEPS = 20
KB = 1000
# Resolves to the moment (milliseconds since the epoch) at which a text stands on the page and was painted.
SEEN = """text => new Promise(resolve => {
    const all = () => [...document.querySelectorAll('#room .status, #room h2')];
    const look = () => all().some(n => n.textContent.includes(text));
    const found = () => requestAnimationFrame(() => setTimeout(() => resolve(Date.now())));
    if (look()) return found();
    const watch = new MutationObserver(() => look() && (watch.disconnect(), found()));
    watch.observe(document.querySelector('#room'), { subtree: true, childList: true, characterData: true });
})"""


def measure() -> Iterator[dict[str, Any]]:
    yield from asyncio.run(_in_a_browser())
    yield from _under_many_tabs()


# --- in a browser ---


async def _in_a_browser() -> list[dict[str, Any]]:
    async with _house() as house, async_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = await playwright.chromium.launch(executable_path=program, args=QUIET)
        cold = [await _first_visit(browser, house.url) for _ in range(VISITS)]
        page = await (await browser.new_context()).new_page()
        warm = [await _visit(page, house.url) for _ in range(VISITS + 1)][1:]
        shown = [await _command(house, page, number) for number in range(COMMANDS)]
        stepped = await _steps(house, page)
        size = await _bytes(browser, house.url)
        await browser.close()
    return [
        {"measure": "page_ready_cold_seconds", **spread(cold)},
        {"measure": "page_ready_warm_seconds", **spread(warm)},
        {"measure": "command_to_card_seconds", **spread(shown)},
        {"measure": "step_to_screen_seconds", **spread(stepped)},
        {"measure": "page_kb", "value": round(size / KB, 1)},
    ]


@asynccontextmanager
async def _house() -> AsyncIterator[House]:
    """The bot and its page in this process, with the progress and delivery loops running; the runner is played."""
    with TemporaryDirectory(prefix="zoetrope-bench-") as folder:
        data = Path(folder)
        async with opened(Config(data=DataConfig(folder=data))) as core:
            async with core.database.transaction() as tx:
                await models.announce(tx, "r", [POCKET], time.time())
            house = House(core, data)
            await house.serve()
            running = [asyncio.create_task(loop) for loop in core.loops()]
            yield house
            for task in running:
                task.cancel()
            await asyncio.wait(running)
            await house.stop()


async def _first_visit(browser: Browser, url: str) -> float:
    context = await browser.new_context()
    seconds = await _visit(await context.new_page(), url)
    await context.close()
    return seconds


async def _visit(page: Page, url: str) -> float:
    """Until the room is drawn and its suggestions can be pressed."""
    started = time.perf_counter()
    await page.goto(url, wait_until="commit")
    await _ready(page)
    return time.perf_counter() - started


async def _ready(page: Page) -> None:
    await page.locator("#room:not([aria-busy])").wait_for(state="attached")
    await page.locator("#chips button").first.wait_for(state="attached")


async def _command(house: House, page: Page, number: int) -> float:
    """From the key that sends a prompt to its painted card; the job is taken out of the queue afterwards."""
    words = f"a heart, the {number}th"
    seen = asyncio.create_task(page.evaluate(SEEN, words))
    await page.locator("#prompt").fill(words)
    started = time.time()
    await page.keyboard.press("Enter")
    moment = float(await seen) / 1000
    await house.finish(await house.claim())
    await page.get_by_role("link", name="GIF").nth(number).wait_for()
    return moment - started


async def _steps(house: House, page: Page) -> list[float]:
    """From the runner's report of a step to the page that says so, at the pace at which a page is redrawn."""
    await page.locator("#prompt").fill(f"a star --steps {STEPS}")
    await page.keyboard.press("Enter")
    lease = await house.claim()
    return [await _step(house, page, lease, step) for step in range(1, STEPS + 1)]


async def _step(house: House, page: Page, lease: Lease, step: int) -> float:
    seen = asyncio.create_task(page.evaluate(SEEN, f"step {step} of"))
    await asyncio.sleep(0.5)  # longer than the time between two redraws, which is not what is measured
    started = time.time()
    async with house.core.database.transaction() as tx:
        await queue.report(tx, lease, Progress(Phase.STEP, step, STEPS), house.clock())
    return float(await seen) / 1000 - started


async def _bytes(browser: Browser, url: str) -> int:
    """Everything a first visit loads but clips and the stream."""
    page = await (await browser.new_context()).new_page()
    sizes: list[int] = []
    waiting: list[asyncio.Task[None]] = []

    async def count(response: Any) -> None:
        sizes.append(len(await response.body()))

    def heard(response: Any) -> None:
        if not re.search(r"/(clips|events|previews)", response.url):
            waiting.append(asyncio.create_task(count(response)))

    page.on("response", heard)
    await page.goto(url)
    await _ready(page)
    await asyncio.gather(*waiting)
    return sum(sizes)


# --- under many tabs ---


def _under_many_tabs() -> Iterator[dict[str, Any]]:
    """Streams that a thousand tabs hold open, on a `zoetrope play` of its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, TABS + 200)), hard))
    with TemporaryDirectory(prefix="zoetrope-bench-") as folder, playing(Path(folder)) as house, ExitStack() as tabs:
        bot = psutil.Process(house.process.pid)
        cookie, token = _enter(house.address)
        _ask(house.address, cookie, token, "a heart bouncing on blue")
        warm = [_listen(house.address, tabs) for _ in range(20)]
        before = bot.memory_info().rss
        started = time.perf_counter()
        streams = [_listen(house.address, tabs) for _ in range(TABS)]
        for stream in streams:
            _until(stream, b"event: room")
        opening = time.perf_counter() - started
        after = bot.memory_info().rss
        started = time.perf_counter()
        _ask(house.address, cookie, token, "the last heart")
        for stream in [*streams, *warm]:
            _until(stream, b"the last heart")
        telling = time.perf_counter() - started
        told = bot.memory_info().rss
        for number in range(20):
            _ask(house.address, cookie, token, f"heart {number} --steps 1000")
        for stream in streams:
            _until(stream, b"must be between")
        later = bot.memory_info().rss
    yield {"measure": "tab_kb", "value": round((after - before) / TABS / KB, 1), "tabs": TABS}
    yield {
        "measure": "tab_kb_after_more_cards",
        "value": round((max(told, later) - before) / TABS / KB, 1),
        "tabs": TABS,
    }
    yield {"measure": "tabs_opened_seconds", "value": round(opening, 2), "tabs": TABS}
    yield {"measure": "card_to_all_tabs_seconds", "value": round(telling, 2), "tabs": TABS}


def _enter(address: str) -> tuple[str, str]:
    with urllib.request.urlopen(address, timeout=30) as page:  # noqa: S310
        found = re.search(r'name="zoetrope-token" content="([0-9a-f]{64})"', page.read().decode())
        assert found is not None
        return str(page.headers["set-cookie"]).split(";")[0], found[1]


def _ask(address: str, cookie: str, token: str, text: str) -> None:
    headers = {
        "content-type": "application/json",
        "cookie": cookie,
        "x-zoetrope-token": token,
        "origin": address.rstrip("/"),
    }
    body = json.dumps({"text": text}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{address}say", body, headers), timeout=30) as answer:  # noqa: S310
        answer.read()


def _listen(address: str, tabs: ExitStack) -> socket.socket:
    host, _, port = address.removeprefix("http://").rstrip("/").rpartition(":")
    stream = tabs.enter_context(socket.create_connection((host, int(port)), timeout=60))
    stream.sendall(f"GET /events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    return stream


def _until(stream: socket.socket, wanted: bytes) -> None:
    """Read on until `wanted` has come."""
    tail = b""
    while wanted not in tail:
        data = stream.recv(65536)
        if not data:
            raise RuntimeError("The server closed a stream that was to stay open.")
        tail = tail[-len(wanted) :] + data
