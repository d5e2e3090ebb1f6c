"""Going on without the database for a while: what every loop of both houses does when it fails."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from db.errors import DatabaseUnreachable

PAUSE_SECONDS = 5.0  # before a loop tries again

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def surviving(doing: str) -> Iterator[list[str]]:
    """A database that is away or full is said in the log and in the list; what was left undone is rescued later."""
    trouble: list[str] = []
    try:
        yield trouble
    except* DatabaseUnreachable as group:
        trouble.append(_first_of(group))
        logger.error("Can't %s: %s", doing, trouble[0])  # noqa: TRY400  # the sentence says it all


def _first_of(group: BaseExceptionGroup[Exception]) -> str:
    first = group.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else str(first)
