"""A whole Zoetrope as it is started from a shell, to be measured from outside."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ZOETROPE = (sys.executable, "-P", "-m", "bot")


@dataclass(frozen=True, slots=True)
class House:
    """A running `zoetrope play`; `ready_seconds` after its start the page could be opened."""

    process: subprocess.Popen[str]
    address: str
    ready_seconds: float
    data: Path


def environment() -> Mapping[str, str]:
    """Ours without Zoetrope's settings, and unbuffered."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZOETROPE_")}
    return {**kept, "PYTHONUNBUFFERED": "1"}


@contextmanager
def playing(data: Path) -> Iterator[House]:
    """`zoetrope play` on any free port, stopped in order at the end."""
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603
        [*ZOETROPE, "play", "--port", "0", "--data", str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://\S+", said)
        if found is None:
            raise RuntimeError(f"zoetrope play did not start: {said!r}")
        yield House(process, found[0], time.perf_counter() - started, data)
    finally:
        process.terminate()
        process.wait(30)
