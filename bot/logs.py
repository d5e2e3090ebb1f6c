"""The log: one human line with a machine word beside it, on standard error.

    12:30:05 INFO    Started a generator process. action=generator_started pid=4711

Whoever logs passes the machine word and ids as `extra={"action": …, "job": …}`. Tokens and prompts are never logged.
"""

from __future__ import annotations

import logging
from typing import TextIO

HOUSES = ("bot", "db", "generator")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class Line(logging.Formatter):
    """Time, level, sentence, then the extra fields as `name=value`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        extra = " ".join(f"{name}={value}" for name, value in vars(record).items() if name not in _STANDARD)
        line = super().formatMessage(record)
        return f"{line} {extra}" if extra else line


def set_up(level: str, stream: TextIO) -> None:
    """Send the log of our houses from `level` on, and everybody else's warnings, to `stream`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Line())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for house in HOUSES:
        logging.getLogger(house).setLevel(level)
