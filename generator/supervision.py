"""Processes die with their supervisor and never double.

A supervisor holds the other end of our standard input and never writes: end-of-file means that it is gone. A lock file
in the data folder, held by the kernel for as long as the process lives, keeps a second runner out and tells it whose
leases it inherits.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from generator.errors import AnotherRunner, GeneratorError

GRACE_SECONDS = 1.6  # of the 2 that a child has; the rest is for its own children
ABANDONED = 3  # exit status of a process that had to be cut off


def end_with_supervisor(end: Callable[[], None]) -> None:
    """Call `end`, from another thread, at end-of-file on standard input; cut the process off if it lives on."""

    def watch() -> None:
        with contextlib.suppress(OSError):  # a pipe that can't be read has no supervisor at its other end either
            while os.read(0, 4096):
                continue
        end()
        time.sleep(GRACE_SECONDS)
        os._exit(ABANDONED)

    threading.Thread(target=watch, name="supervisor", daemon=True).start()


def die_with_parent() -> None:
    """Ask the kernel for SIGKILL when our parent dies: a process that hangs or is stopped can't see end-of-file.

    Linux only (PR_SET_PDEATHSIG of prctl(2)); elsewhere, and for a parent that has just died, the pipe has to do.
    """
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)


@contextlib.contextmanager
def only_runner(path: Path, name: str, *, patience: float, say: Callable[[str], None]) -> Iterator[str]:
    """Hold the lock file `path` as runner `name`; yield the name of the runner that held it before, if any.

    Waits up to `patience` seconds for a predecessor that is about to die, then raises AnotherRunner. Raises
    GeneratorError when the file can't be written.
    """
    descriptor = _open(path)
    try:
        _take(descriptor, path.parent, patience, say)
        predecessor = _holder(descriptor)[1]
        _sign(descriptor, path, name)
        yield predecessor
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except FileNotFoundError:
        raise GeneratorError(
            f"There is no data folder at {path.parent} yet; start `zoetrope` first, which makes it."
        ) from None
    except OSError as error:
        raise _unwritable(path, error) from error


def _sign(descriptor: int, path: Path, name: str) -> None:
    """Whatever happens on the way, the first line names either us or our predecessor."""
    line = f"{os.getpid()} {name}\n".encode()
    try:
        os.pwrite(descriptor, line, 0)
        os.ftruncate(descriptor, len(line))
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> GeneratorError:
    return GeneratorError(
        f"The file {path} can't be written ({error.strerror}); make it writable, make room, or choose another --data."
    )


def _take(descriptor: int, folder: Path, patience: float, say: Callable[[str], None]) -> None:
    deadline = time.monotonic() + patience
    waiting = False
    while not _try_lock(descriptor):
        pid = _holder(descriptor)[0]
        if time.monotonic() >= deadline:
            raise AnotherRunner(
                f"Another runner (process {pid}) is working on {folder}: stop it, or give this one "
                "a name of its own with --name or another folder with --data."
            )
        if not waiting:
            say(f"Another runner (process {pid}) is working on {folder}; waiting up to {patience:.0f} s for it to end.")
            waiting = True
        time.sleep(0.05)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> tuple[str, str]:
    first, _, _ = os.pread(descriptor, 200, 0).decode(errors="replace").partition("\n")
    pid, _, name = first.partition(" ")
    return pid, name
