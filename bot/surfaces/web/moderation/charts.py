"""Columns over the days of a week, as numbers that a template draws. Pure; lengths are units of the drawing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 560, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 12, 26  # room for the scale, and for the names of the days
FLOOR, ROOM = float(HEIGHT - BOTTOM), HEIGHT - TOP - BOTTOM  # where columns stand, and how high they may be
SHARE = 0.58  # of a day's width that its column takes
LINES = 4  # of the scale, at most
SHADES = 8  # by which parts of a column are told apart

Parts = Sequence[tuple[str, Sequence[float | None]]]  # what it is, and its value for each column (None: there is none)


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a column. `shade` says which part it is, `says` what it means."""

    x: float
    y: float
    width: float
    height: float
    shade: int
    says: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A word beside the drawing, where it stands."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn. `days` and `scale` are words; a line is drawn for each of the scale."""

    bars: tuple[Bar, ...]
    days: tuple[Mark, ...]
    scale: tuple[Mark, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT


def columns(
    names: Sequence[str],
    parts: Parts,
    scale: Callable[[float], str],
    shown: Callable[[float], str],
) -> Chart:
    """One column for each of `names`, made of `parts`: (what it is, its value for each name; None: there is none).

    `scale` says a value beside the drawing, `shown` says it as exactly as a person wants to know it.
    """
    totals = [sum(values[day] or 0.0 for _, values in parts) for day in range(len(names))]
    highest = max(totals, default=0.0)
    step = _step(highest)
    most = step * max(1, math.ceil(highest / step - 1e-9))
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(names))
    bars = tuple(
        bar
        for day, name in enumerate(names)
        for bar in _column(name, [(what, values[day] or 0.0) for what, values in parts], slot * day, slot, most, shown)
    )
    days = tuple(Mark(round(LEFT + slot * (day + 0.5), 1), HEIGHT - 8, name) for day, name in enumerate(names))
    lines = range(round(most / step) + 1)
    marks = tuple(Mark(LEFT - 8, round(FLOOR - ROOM * at * step / most, 1), scale(at * step)) for at in lines)
    return Chart(bars, days, marks)


def most(parts: Parts, together: str) -> Parts:
    """At most as many parts as there are shades: the largest in their order, and the rest as one called `together`."""
    if len(parts) <= SHADES:
        return parts
    sums = [sum(value or 0.0 for value in values) for _, values in parts]
    large = sorted(sorted(range(len(parts)), key=lambda at: -sums[at])[: SHADES - 1])
    rest = [values for at, (_, values) in enumerate(parts) if at not in large]
    summed = [sum(value or 0.0 for value in day) for day in zip(*rest, strict=True)]
    return [*(parts[at] for at in large), (together, summed)]


def _column(
    name: str,
    parts: Sequence[tuple[str, float]],
    left: float,
    slot: float,
    most: float,
    shown: Callable[[float], str],
) -> Iterator[Bar]:
    """The parts of one column on top of each other."""
    x, width, base = LEFT + left + slot * (1 - SHARE) / 2, slot * SHARE, FLOOR
    for shade, (what, value) in enumerate(parts):
        height = ROOM * value / most
        base -= height
        if value:
            says = f"{name}, {what}: {shown(value)}"
            yield Bar(round(x, 1), round(base, 1), round(width, 1), round(height, 1), shade % SHADES, says)


def _step(most: float) -> float:
    """The distance of the scale's lines: 1, 2 or 5 times a power of ten, and at least 1: what is counted is whole."""
    rough = max(most, 1.0) / LINES
    power = 10.0 ** math.floor(math.log10(rough))
    return max(1.0, next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999))
