"""Quiet hours of a place: from when until when nothing is made there, by the clocks of a time zone. Pure.

    22:00-07:00 Europe/Berlin      over midnight; without a zone it is UTC

A time that the clocks skip is met as much later as they skip, one that comes twice counts the first time: every night
has one beginning and one end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})(?:\s+([A-Za-z0-9_+/-]{1,64}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Quiet:
    """From `start` until `end`, which is on the next day where it is not later; `zone` is a name of the tz database."""

    start: time
    end: time
    zone: str = "UTC"

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M} {self.zone}"


def parse(text: str) -> Quiet | None:
    """Hours as a moderator writes them; None: that can't be understood, or no hour would be left."""
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        return None
    zone = found[5] or "UTC"
    try:
        start, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    except ValueError:
        return None
    return Quiet(start, end, zone) if start != end and _zone(zone) is not None else None


def until(quiet: Quiet, now: float) -> datetime | None:
    """When it ends if it is quiet at `now`, by the clocks of the place; None: it is not quiet."""
    zone = _zone(quiet.zone)
    if zone is None:  # the machine has another tz database than when the hours were set
        return None
    today = datetime.fromtimestamp(now, zone).date()
    for day in (today - timedelta(days=1), today):
        begins, ends = _night(quiet, day, zone)
        if begins.timestamp() <= now < ends.timestamp():
            return datetime.fromtimestamp(ends.timestamp(), zone)
    return None


def _night(quiet: Quiet, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The quiet hours that begin on `day`."""
    last = day if quiet.start < quiet.end else day + timedelta(days=1)
    return datetime.combine(day, quiet.start, zone), datetime.combine(last, quiet.end, zone)


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo | None:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, LookupError, OSError):  # "../etc", no such zone, a folder of zones
        return None
