"""What everything around the engine costs: from the request to the delivered card, minus the engine's own seconds."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import spread
from benchmarks.house import ZOETROPE, environment

PROMPTS = 6
PROMPT = "a heart bouncing on blue"


def measure() -> Iterator[dict[str, Any]]:
    """Clips one after the other on one engine; the first one, which loads the model, stands by itself."""
    started = time.perf_counter()
    with TemporaryDirectory(prefix="zoetrope-bench-") as folder:
        line = [*ZOETROPE, "video", *[PROMPT] * PROMPTS, "-o", folder, "--json"]
        done = subprocess.run(  # noqa: S603
            line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment(), check=True
        )
    whole = time.perf_counter() - started
    clips = [json.loads(said)["seconds"] for said in done.stdout.splitlines()]
    first, *others = [_overhead(seconds) for seconds in clips]
    yield {"measure": "overhead_seconds", **spread(others)}
    yield {"measure": "overhead_share", **spread([_overhead(one) / one["total"] for one in clips[1:]])}
    yield {"measure": "first_clip_overhead_seconds", "value": round(first, 4)}
    yield {"measure": "command_seconds", "value": round(whole, 3), "clips": PROMPTS}


def _overhead(seconds: dict[str, float]) -> float:
    return seconds["total"] - sum(spent for stage, spent in seconds.items() if stage != "total")
