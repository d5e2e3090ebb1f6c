"""`python -m generator`: a runner by itself; `python -m generator doctor`: device, memory and models.

Arguments and environment of this house are read here and nowhere else. Exit status: 0 stopped in order, 1 something
is wrong (one sentence says what), 2 the database's schema or the command line does not fit this program, 3 cut off.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import re
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from db.config import Config, load
from db.errors import StoreError, WrongRevision
from generator import app, doctor
from generator.errors import GeneratorError
from generator.supervision import end_with_supervisor, only_runner

ENGINE = (sys.executable, "-P", "-m", "generator.engine")
PREDECESSOR_SECONDS = 10.0  # how long a predecessor may take to die

_NAME = re.compile(r"[A-Za-z0-9-]{1,40}")


def main(arguments: Sequence[str] | None = None, engine: Sequence[str] = ENGINE) -> int:
    """Run the command; `engine` is the command line that starts an engine."""
    parsed = _parse(arguments)
    try:
        config = load(parsed.config, os.environ, parsed.data)
        if parsed.command == "doctor":
            return doctor.examine(config, engine, as_json=parsed.json)
        _work(config, parsed.name, engine, supervised=parsed.supervised)
    except (StoreError, GeneratorError) as error:
        _say(str(error))
        return 2 if isinstance(error, WrongRevision) else 1
    except KeyboardInterrupt:  # before the runner listens to it
        return 130
    return 0


def _work(config: Config, name: str, engine: Sequence[str], *, supervised: bool) -> None:
    if supervised:
        end_with_supervisor(lambda: os.kill(os.getpid(), signal.SIGTERM))
    logging.basicConfig(format="%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S", level=logging.WARNING)
    for house in ("generator", "db"):
        logging.getLogger(house).setLevel(config.log.level)
    name = name or _host_name()
    # The lock of the runner that was given no name stays the same when the host's changes, as a container's does.
    lock = config.data.folder / ("runner.lock" if name == _host_name() else f"runner-{name}.lock")
    with only_runner(lock, name, patience=PREDECESSOR_SECONDS, say=_say) as predecessor:
        asyncio.run(app.serve(config, name, predecessor, engine))


def _host_name() -> str:
    return re.sub(r"[^A-Za-z0-9-]+", "-", socket.gethostname())[:40] or "runner"


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m generator", description="Renders the clips that wait.")
    parser.add_argument("command", nargs="?", choices=["doctor"], help="look at device, memory and models, and end")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration; without it the defaults hold")
    parser.add_argument("--data", type=Path, metavar="DIR", help="the data folder, as ZOETROPE_DATA")
    parser.add_argument("--name", type=_name, default="", help="to tell several runners on one data folder apart")
    parser.add_argument("--supervised", action="store_true", help="end at end-of-file on standard input")
    parser.add_argument("--json", action="store_true", help="doctor: one JSON object instead of sentences")
    return parser.parse_args(arguments)


def _name(text: str) -> str:
    if text and not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError("a runner's name is 1 to 40 letters, digits or dashes")
    return text


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
