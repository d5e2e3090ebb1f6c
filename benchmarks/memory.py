"""What the bot process takes while it waits for somebody: aim below 150 MB."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil  # type: ignore[import-untyped]

from benchmarks.house import playing

MB = 1_000_000


def measure() -> Iterator[dict[str, Any]]:
    with TemporaryDirectory(prefix="zoetrope-bench-") as folder, playing(Path(folder)) as house:
        for _ in range(20):  # the page and its parts are loaded with the first visits
            with urllib.request.urlopen(house.address, timeout=10) as page:  # noqa: S310
                page.read()
        bot = psutil.Process(house.process.pid)
        yield {"measure": "bot_mb", "rss": round(bot.memory_info().rss / MB, 1)}
        runners = [child for child in bot.children() if "generator" in " ".join(child.cmdline())]
        yield {"measure": "runner_mb", "rss": round(sum(child.memory_info().rss for child in runners) / MB, 1)}
