"""The bot with Telegram as its only surface, in a process of its own that can be told when to die.

telegram_bot.py FOLDER SERVER TOKEN [COMMITS]     SERVER like http://127.0.0.1:8081; after COMMITS commits: SIGKILL.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from bot.core import opened
from bot.surfaces.telegram.surface import TelegramSurface
from bot.together import side_by_side
from db.config import Config, DataConfig, TelegramConfig


def die_after(commits: int) -> None:
    """SIGKILL right after the commit of that number, before another line of ours runs."""
    commit, numbers = DefaultDialect.do_commit, itertools.count(1)

    def and_die(dialect: DefaultDialect, connection: Any) -> None:
        commit(dialect, connection)
        if next(numbers) == commits:
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


if __name__ == "__main__":
    place, address, word, *more = sys.argv[1:]
    if more:
        die_after(int(more[0]))
    asyncio.run(serve(Path(place), address, word))
