"""A whole bot in a process of its own that speaks to the loopback Discord; may be killed and started again."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.surfaces.discord_server.server import DiscordServer

PATIENCE = 60.0  # seconds; an upper bound for what takes a few on an idle machine
STOPPING = 20.0


WHOLE = ("-P", "-m", "bot", "run", "--config")  # with its generator, which starts with it and ends with it


class BotProcess:
    """A program on one data folder, told of its configuration by a file whose path is the last argument."""

    def __init__(self, server: DiscordServer, folder: Path, program: tuple[str, ...] = WHOLE) -> None:
        self._server, self.folder, self._program = server, folder, program
        self._file, self._log = folder.with_name(f"{folder.name}.toml"), folder.with_name(f"{folder.name}.log")
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns when it says on its standard output that it runs, and its link to Discord stands."""
        await asyncio.to_thread(self._file.write_text, self._config(), encoding="utf-8")
        before = self._server.gateway.identifies
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ZOETROPE_")}
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, *self._program, str(self._file)),
                env={**kept, "ZOETROPE_DISCORD_TOKEN": self._server.token},
                cwd=Path(__file__).parents[3],
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            said = await self._process.stdout.readline()
        assert said, f"the bot ended without a word:\n{await asyncio.to_thread(self._log.read_text)}"
        await self._server.until(
            lambda: self._server.gateway.identifies > before and self._server.gateway.connected, PATIENCE
        )
        await self._server.until(lambda: self._server.commands, PATIENCE)

    async def kill(self) -> None:
        """SIGKILL; its children notice by themselves."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
        await self._server.until(lambda: not self._server.gateway.connected, PATIENCE)

    async def stop(self) -> None:
        """In order, if it is still there."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        async with asyncio.timeout(STOPPING):
            await self._process.wait()

    def _config(self) -> str:
        server = self._server
        return (
            f'[data]\nfolder = "{self.folder}"\n\n[web]\nenabled = false\n\n[discord]\napi_base = "{server.api_base}"\n'
            f'gateway_url = "{server.gateway_url}"\ncdn_base = "{server.cdn_base}"\n'
        )


@asynccontextmanager
async def running(server: DiscordServer, folder: Path, program: tuple[str, ...] = WHOLE) -> AsyncIterator[BotProcess]:
    """Started, and stopped in order at the end."""
    bot = BotProcess(server, folder, program)
    await bot.start()
    try:
        yield bot
    finally:
        await bot.stop()
