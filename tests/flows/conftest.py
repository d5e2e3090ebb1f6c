"""A whole Zoetrope as a newcomer starts it: `zoetrope play`, its generator, its engine, and one browser's requests."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx
import psutil  # type: ignore[import-untyped]
import pytest
import pytest_asyncio

from db import gallery, queue
from db.database import Database
from db.records import Clip, Job, JobState, Phase

T = TypeVar("T")
PATIENCE = 100.0  # seconds; an upper bound for what takes a few on an idle machine


@dataclass
class House:
    """One data folder, and the process that serves it: may be killed and started again."""

    data: Path
    database: Database | None = None
    _bot: asyncio.subprocess.Process | None = field(default=None, repr=False)
    _browser: httpx.AsyncClient | None = field(default=None, repr=False)
    _token: str = ""

    async def start(self) -> None:
        """Returns when the page can be opened."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ZOETROPE_")}
        self._bot = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "bot", "play", "--port", "0", "--data", str(self.data)),
            env={**environment, "PYTHONUNBUFFERED": "1"},
            cwd=self.data.parent,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert self._bot.stdout is not None
        async with asyncio.timeout(PATIENCE):
            said = (await self._bot.stdout.readline()).decode()
        address = re.search(r"http://[0-9.:]+", said)
        assert address is not None, f"no address in {said!r}"
        self.database = self.database or await Database.open(f"sqlite:///{self.data / 'zoetrope.db'}")
        await self._open_page(address[0])

    async def _open_page(self, address: str) -> None:
        cookies = self._browser.cookies if self._browser is not None else None
        await self.close_page()
        self._browser = httpx.AsyncClient(base_url=address, headers={"origin": address}, cookies=cookies)
        page = await self._browser.get("/")
        found = re.search(r'name="zoetrope-token" content="([0-9a-f]+)"', page.text)
        assert found is not None
        self._token = found[1]

    async def close_page(self) -> None:
        if self._browser is not None:
            await self._browser.aclose()

    async def ask(self, prompt: str, **fields: str) -> dict[str, str]:
        """Post a request as the page does; the answer's result, sentence and message id."""
        return await self._post("/say", {"text": prompt, **fields})

    async def press(self, token: str) -> dict[str, str]:
        return await self._post("/press", {"button": token})

    async def _post(self, path: str, body: dict[str, str]) -> dict[str, str]:
        assert self._browser is not None
        answer = await self._browser.post(path, json=body, headers={"x-zoetrope-token": self._token})
        words: dict[str, str] = answer.json()
        return words

    async def download(self, message: str, suffix: str = "gif") -> bytes:
        """The clip that a message carries."""
        assert self._browser is not None
        answer = await self._browser.get(f"/clips/{message}.{suffix}")
        assert answer.status_code == 200, answer.text
        return answer.content

    async def until(self, look: Callable[[], Awaitable[T | None]]) -> T:
        """What `look` finds once it finds something; it looks at each change of the database."""
        assert self.database is not None
        async with asyncio.timeout(PATIENCE):
            while True:
                heard = self.database.bell.count()
                if (found := await look()) is not None:
                    return found
                await self.database.bell.wait(heard, 1.0)

    async def jobs(self) -> list[Job]:
        """Every job there ever was here."""
        assert self.database is not None
        async with self.database.reading() as tx:
            return await queue.changed_since(tx, 0.0)

    async def clips(self) -> list[Clip]:
        assert self.database is not None
        async with self.database.reading() as tx:
            found = [await gallery.of_job(tx, job.id) for job in await queue.changed_since(tx, 0.0)]
        return [clip for clip in found if clip is not None]

    async def until_denoising(self) -> Job:
        async def look() -> Job | None:
            busy = [job for job in await self.jobs() if job.state is JobState.RENDERING]
            return next((job for job in busy if job.progress and job.progress.phase is Phase.STEP), None)

        return await self.until(look)

    async def until_ended(self, job_id: str) -> Job:
        async def look() -> Job | None:
            return next((job for job in await self.jobs() if job.id == job_id and job.state.is_end), None)

        return await self.until(look)

    def bots(self) -> list[psutil.Process]:
        return self._processes("bot")

    def runners(self) -> list[psutil.Process]:
        return self._processes("generator")

    def engines(self) -> list[psutil.Process]:
        return self._processes("generator.engine")

    def _processes(self, module: str) -> list[psutil.Process]:
        """Living processes of one of our modules that work on this data folder."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                line = process.cmdline()
                ours = any(str(self.data) in part for part in line) and process.status() != psutil.STATUS_ZOMBIE
                if ours and "-m" in line and line[line.index("-m") + 1] == module:
                    found.append(process)
        return found

    async def kill(self, process: psutil.Process) -> None:
        """SIGKILL, as the kernel does when memory runs out."""
        process.send_signal(signal.SIGKILL)
        if self._bot is not None and process.pid == self._bot.pid:
            await self._bot.wait()

    async def stop(self) -> None:
        """SIGTERM, and wait for the ordered end of all three processes."""
        if self._bot is not None and self._bot.returncode is None:
            self._bot.terminate()
            async with asyncio.timeout(PATIENCE):
                await self._bot.wait()

    async def close(self) -> None:
        await self.close_page()
        if self.database is not None:
            await self.database.close()
        for process in (*self.bots(), *self.runners(), *self.engines()):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self._bot is not None:
            await self._bot.wait()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Started, on an empty data folder."""
    one = House(tmp_path / "data")
    try:
        await one.start()
        yield one
    finally:
        await one.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quiet_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One house for all the wrong wishes, which leave nothing behind."""
    one = House(tmp_path_factory.mktemp("quiet") / "data")
    try:
        await one.start()
        yield one
    finally:
        await one.close()
