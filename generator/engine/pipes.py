"""The engine's ends of its two pipes: a thread that listens, a pen that writes.

What the libraries print on stdout and stderr never meets the protocol: it has file descriptors of its own.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from pathlib import Path

from pydantic import ValidationError

from generator.protocol import Cancel, Judge, Message, Render, Shutdown, parse_to_engine, to_line

log = logging.getLogger(__name__)

NOT_OUR_PROTOCOL = 2  # exit status


class Inbox:
    """What the runner said. Ends the process itself at end-of-file or Shutdown, even in the middle of a step."""

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[Judge | Render] = queue.SimpleQueue()
        self._cancelled: set[str] = set()
        self._lock = threading.Lock()
        self._temporary: set[Path] = set()

    def listen(self, fd: int) -> None:
        """Read `fd` in a thread of its own until it ends, then end the process."""
        os.set_inheritable(fd, False)  # or an encoder we start would hold the pipe open
        threading.Thread(target=self._read, args=(fd,), name="inbox", daemon=True).start()

    def put(self, message: Judge | Render | Cancel) -> None:
        """Take note of one message. A Render of a job cancelled before is a new attempt."""
        with self._lock:
            if isinstance(message, Cancel):
                self._cancelled.add(message.job)
                return
            self._cancelled.discard(message.job)
        self._orders.put(message)

    def take(self, *, wait: bool) -> Judge | Render | None:
        """The next Judge or Render; None if there is none and nobody wants to wait."""
        try:
            return self._orders.get(block=wait)
        except queue.Empty:
            return None

    def cancelled(self, job: str) -> bool:
        with self._lock:
            return job in self._cancelled

    def temporary(self, path: Path) -> None:
        """Remember a file to remove if the process has to end before it is whole."""
        with self._lock:
            self._temporary = {path}

    def _read(self, fd: int) -> None:
        with os.fdopen(fd, "rb") as pipe:
            for line in pipe:
                if not line.endswith(b"\n"):
                    break  # the runner was killed in the middle of it
                try:
                    message = parse_to_engine(line)
                except ValidationError:
                    log.error("the runner said something that is not in the protocol; runner and engine do not match")  # noqa: TRY400
                    self._leave(NOT_OUR_PROTOCOL)
                    return
                if isinstance(message, Shutdown):
                    break
                self.put(message)
        self._leave(0)

    def _leave(self, status: int) -> None:
        """End at once: the device thread may be deep inside a kernel and nothing it does is wanted any more."""
        try:
            for path in self._temporary:
                path.unlink(missing_ok=True)
        finally:  # nothing that goes wrong on the way out may keep us
            os._exit(status)


class Pen:
    """Writes messages, one line each, from the device thread alone."""

    def __init__(self, fd: int) -> None:
        os.set_inheritable(fd, False)
        self._pipe = os.fdopen(fd, "wb", buffering=0)

    def write(self, message: Message) -> None:
        """Send one message; ends the process when nobody listens any more."""
        left = memoryview(to_line(message))
        try:
            while left:
                left = left[self._pipe.write(left) or 0 :]
        except BrokenPipeError:
            raise SystemExit(0) from None
