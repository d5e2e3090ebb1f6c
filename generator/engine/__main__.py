"""The engine process.

    python -m generator.engine --read-fd N --write-fd M --models FILE [--device auto] [--threads 0]
    python -m generator.engine --doctor [--device auto]

It listens on file descriptor N and speaks on M (see `generator.protocol`); FILE is what `catalogue.write_entries`
wrote. At end-of-file on N it ends within two seconds, whatever it is doing. Its log goes to standard error and names
jobs, never prompts.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path

from pydantic import ValidationError

from generator.catalogue import Entry, read_entries
from generator.engine.pipes import Inbox, Pen
from generator.errors import GeneratorError
from generator.protocol import Ready
from generator.supervision import die_with_parent


def main() -> None:
    """Read the arguments, then serve or examine."""
    args = _parser().parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if args.doctor:
        from generator.engine.doctor import examine  # torch takes seconds to import; nobody waits for it in vain

        sys.stdout.write(json.dumps(examine(args.device)) + "\n")
        return
    if args.read_fd is None or args.write_fd is None or args.models is None:
        raise SystemExit("An engine needs --read-fd, --write-fd and --models; it is started by a runner.")
    die_with_parent()
    inbox = Inbox()
    inbox.listen(args.read_fd)  # before anything slow: a runner may die while torch is imported
    _serve(args, inbox, Pen(args.write_fd), _entries(args.models))


def _entries(file: Path) -> tuple[Entry, ...]:
    try:
        return read_entries(file)
    except (OSError, ValidationError) as error:
        raise SystemExit(f"The engine can't read its --models file {file} ({type(error).__name__}).") from None


def _serve(args: argparse.Namespace, inbox: Inbox, pen: Pen, entries: tuple[Entry, ...]) -> None:
    # OpenMP reads this when torch is imported. Threads that spin while they wait for each other starve when the cores
    # are shared: four steps of the pocket model took 35 s instead of 1 s on two busy cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from generator.engine.device import choose_device, device_name, settle
    from generator.engine.loader import quiet_libraries
    from generator.engine.memory import free_bytes
    from generator.engine.serve import Engine

    quiet_libraries()
    settle(args.threads)
    try:
        device = choose_device(args.device)
    except GeneratorError as error:
        raise SystemExit(str(error)) from None
    engine = Engine(entries, device, inbox, pen.write)
    memory = free_bytes(device)
    pen.write(Ready(device=str(device), device_name=device_name(device), memory_bytes=memory, pid=os.getpid()))
    while True:
        engine.turn()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m generator.engine", description="The process that owns a device.")
    parser.add_argument("--doctor", action="store_true", help="say what this machine has, as one JSON object")
    parser.add_argument("--read-fd", type=int, help="file descriptor on which the runner speaks")
    parser.add_argument("--write-fd", type=int, help="file descriptor on which the runner listens")
    parser.add_argument("--models", type=Path, help="JSON file with the entries of the catalogue")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0: as many as there are cores")
    return parser


if __name__ == "__main__":
    main()
