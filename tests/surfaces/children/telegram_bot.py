"""The bot with Telegram as its only surface, in processes of their own that can be told when to die.

Everything is imported once. Then each line on standard input, a JSON object with `folder`, `server` (like
http://127.0.0.1:8081), `token` and `commits`, forks a bot; its process id is the answer. After that many commits (0:
never) it gets SIGKILL. One that ends by itself leaves its reason in the file `ended` of its folder.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from bot.commands import use_cases
from bot.core import opened
from bot.surfaces.telegram.surface import TelegramSurface
from bot.together import side_by_side
from db.config import Config, DataConfig, TelegramConfig

RETRY_SECONDS = 0.5  # what could not be shown is shown soon


def die_after(commits: int) -> None:
    """SIGKILL right after the commit of that number, before another line of ours runs; reading is not counted."""
    commit: Any = DefaultDialect.do_commit
    numbers, changes = itertools.count(1), dict[int, int]()

    def and_die(dialect: DefaultDialect, connection: Any) -> None:
        commit(dialect, connection)
        driver = connection.driver_connection
        before, changes[id(driver)] = changes.get(id(driver), 0), driver.total_changes
        if driver.total_changes > before and next(numbers) == commits:
            os.kill(os.getpid(), signal.SIGKILL)

    DefaultDialect.do_commit = and_die  # type: ignore[method-assign]


async def serve(folder: Path, server: str, token: str) -> None:
    telegram = TelegramConfig(base_url=f"{server}/bot", base_file_url=f"{server}/file/bot", poll_seconds=5)
    async with opened(Config(data=DataConfig(folder=folder), telegram=telegram)) as core:
        surface = TelegramSurface(telegram, token, core.database, core.commands.clock)
        surface.commands, surface.answers = core.commands, core.answers
        core.surfaces[surface.name] = surface
        async with side_by_side([surface.run(), *core.loops()]):
            await asyncio.Event().wait()


async def warm(folder: Path) -> None:
    """Import and read once whatever a bot needs, so that its children have it."""
    telegram = TelegramConfig()
    async with opened(Config(data=DataConfig(folder=folder), telegram=telegram)) as core:
        await TelegramSurface(telegram, "1:warm", core.database, core.commands.clock).wire.close()


def run(told: dict[str, Any]) -> None:
    use_cases.RETRY_SECONDS = RETRY_SECONDS
    die_after(told["commits"])
    folder = Path(told["folder"])
    try:
        asyncio.run(serve(folder, told["server"], told["token"]))
    finally:
        (folder / "ended").write_text(traceback.format_exc())
        os._exit(1)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as empty:
        asyncio.run(warm(Path(empty)))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not waited for
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ffmpeg is
            run(json.loads(line))
        print(child, flush=True)
