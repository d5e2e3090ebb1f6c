"""Fifty people ask at once: how long until Discord has the bot's sign, which it wants within three seconds of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import spread
from tests.surfaces.discord_server.bots import running
from tests.surfaces.discord_server.server import DiscordServer
from tests.surfaces.discord_server.world import Channel, User

PEOPLE = 50


def measure() -> Iterator[dict[str, Any]]:
    return iter(asyncio.run(_measure()))


async def _measure() -> list[dict[str, Any]]:
    """A whole bot in its own process, and a Discord on 127.0.0.1 in this one."""
    async with DiscordServer().serving() as server:
        people = [server.person(f"person{number}") for number in range(PEOPLE)]
        channel = server.channel(server.guild("bench", *people), "general")
        with TemporaryDirectory(prefix="zoetrope-bench-") as folder:
            async with running(server, Path(folder) / "data"):
                return await _asked_at_once(server, people, channel)


async def _asked_at_once(server: DiscordServer, people: list[User], channel: Channel) -> list[dict[str, Any]]:
    async with asyncio.TaskGroup() as group:
        asking = [
            group.create_task(server.invoke("video", {"prompt": "a heart on blue"}, user=person, channel=channel))
            for person in people
        ]
    acts = [task.result() for task in asking]
    cards = [await act.card() for act in acts]
    shown = [card.edited_at - act.made_at for act, card in zip(acts, cards, strict=True) if card.edited_at is not None]
    return [
        {"measure": "command_to_acknowledgement_seconds", **spread([act.ack_seconds for act in acts])},
        {"measure": "command_to_card_seconds", **spread(shown)},
    ]
