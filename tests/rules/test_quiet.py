"""Quiet hours: over midnight, in any zone, across both changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import quiet
from bot.quiet import Quiet

BERLIN = "Europe/Berlin"


def at(moment: str) -> float:
    """Seconds since the epoch at an ISO moment, in UTC where it says nothing else."""
    when = datetime.fromisoformat(moment)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("22:00-07:00 Europe/Berlin", "22:00-07:00 Europe/Berlin"),
        ("  9:05 – 17:30  ", "09:05-17:30 UTC"),
        ("00:00-23:59 America/Argentina/Buenos_Aires", "00:00-23:59 America/Argentina/Buenos_Aires"),
        ("22:00-07:00 Etc/GMT+5", "22:00-07:00 Etc/GMT+5"),
    ],
)
def test_hours_are_read_as_they_are_written(text: str, read: str) -> None:
    assert str(quiet.parse(text)) == read
    assert quiet.parse(read) == quiet.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "night", "22-7", "25:00-07:00", "22:60-07:00", "22:00", "07:00-07:00", "22:00-07:00 Mars/Olympus",
        "22:00-07:00 Europe", "22:00-07:00 ../../etc/passwd", "22:00-07:00 /etc/localtime", "٢٢:00-07:00",
        "22:00-07:00 Europe/Berlin x",
    ],
)  # fmt: skip
def test_hours_that_can_not_be_meant_are_none(text: str) -> None:
    assert quiet.parse(text) is None


@pytest.mark.parametrize(
    ("hours", "now", "end"),
    [
        ("22:00-07:00", "2026-06-01T21:59:59", None),
        ("22:00-07:00", "2026-06-01T22:00:00", "2026-06-02T07:00:00"),
        ("22:00-07:00", "2026-06-02T06:59:59", "2026-06-02T07:00:00"),
        ("22:00-07:00", "2026-06-02T07:00:00", None),
        ("09:00-12:00", "2026-06-02T08:59:59", None),
        ("09:00-12:00", "2026-06-02T09:00:00", "2026-06-02T12:00:00"),
        ("09:00-12:00", "2026-06-02T12:00:00", None),
        ("22:00-07:00 Europe/Berlin", "2026-06-01T19:59:59", None),
        ("22:00-07:00 Europe/Berlin", "2026-06-01T20:00:00", "2026-06-02T05:00:00"),
        ("22:00-07:00 Asia/Kathmandu", "2026-06-01T16:15:00", "2026-06-02T01:15:00"),
        ("22:00-07:00 Pacific/Kiritimati", "2026-06-01T08:00:00", "2026-06-01T17:00:00"),
        # the night in which an hour is left out is shorter, the one in which it comes twice is longer
        ("22:00-07:00 Europe/Berlin", "2026-03-28T21:00:00", "2026-03-29T05:00:00"),
        ("22:00-07:00 Europe/Berlin", "2026-10-24T20:00:00", "2026-10-25T06:00:00"),
        # an end that the clocks skip (02:30) is met as much later, at 03:30
        ("22:00-02:30 Europe/Berlin", "2026-03-29T01:29:59", "2026-03-29T01:30:00"),
        ("22:00-02:30 Europe/Berlin", "2026-03-29T01:30:00", None),
        # an end that comes twice counts the first time
        ("22:00-02:30 Europe/Berlin", "2026-10-25T00:29:59", "2026-10-25T00:30:00"),
        ("22:00-02:30 Europe/Berlin", "2026-10-25T01:15:00", None),
    ],
)
def test_it_is_quiet_until_the_hour_that_was_set(hours: str, now: str, end: str | None) -> None:
    read = quiet.parse(hours)
    assert read is not None
    ends = quiet.until(read, at(now))
    assert (ends and ends.timestamp()) == (end and at(end))


def test_the_end_is_told_by_the_clocks_of_the_place() -> None:
    ends = quiet.until(Quiet(time(0), time(7), BERLIN), at("2026-06-01T23:00"))
    assert ends is not None
    assert f"{ends:%H:%M %Z}" == "07:00 CEST"


@given(
    st.times(), st.times(), st.sampled_from([BERLIN, "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
    st.floats(min_value=0, max_value=4e9),
)  # fmt: skip
def test_it_is_quiet_until_just_before_the_end_and_no_longer(start: time, end: time, zone: str, now: float) -> None:
    hours = quiet.parse(f"{start:%H:%M}-{end:%H:%M} {zone}")
    ends = hours and quiet.until(hours, now)
    if not (hours and ends):
        return
    assert ends.timestamp() > now
    assert quiet.until(hours, ends.timestamp()) is None
    before = quiet.until(hours, max(now, ends.timestamp() - 0.5))
    assert before == ends
