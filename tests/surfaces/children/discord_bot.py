"""The bot with Discord as its only surface and without a generator: discord_bot.py CONFIG."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from bot import app
from bot.core import opened
from bot.together import side_by_side
from db.config import load, load_secrets


async def serve(file: Path) -> None:
    config = load(file, {})
    async with opened(config) as core:
        app._add_chats(app.Choices(config, load_secrets(config, os.environ), file, {}, web_only=False), core)
        async with side_by_side([*(surface.run() for surface in core.surfaces.values()), *core.loops()]):
            print("running", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
