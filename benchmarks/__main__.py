"""`python -m benchmarks [NAME…]`: run all benchmarks, or those that are named, one after the other."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from benchmarks.machine import machine, versions

NAMES = ("start", "memory", "queue", "overhead", "safety", "clip", "web", "discord", "gallery", "moderation")
Measure = Callable[[], Iterator[dict[str, Any]]]


def main(chosen: list[str]) -> int:
    unknown = [name for name in chosen if name not in NAMES]
    if unknown:
        sys.stderr.write(f"There is no benchmark {unknown[0]!r}: choose of {', '.join(NAMES)}.\n")
        return 2
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as our engine has it; read when torch is imported
    for name in chosen or NAMES:
        measure: Measure = import_module(f"benchmarks.{name}").measure
        for record in measure():
            busy = round(os.getloadavg()[0], 2)
            line = {"bench": name, **record, "load": busy, "machine": machine(), "versions": versions()}
            sys.stdout.write(f"{json.dumps(line)}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
