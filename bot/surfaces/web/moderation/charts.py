"""Columns over the days of a week, as numbers that a template draws. Pure; lengths are units of the drawing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 560, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 12, 26  # room for the scale, and for the names of the days
SHARE = 0.58  # of a day's width that its column takes
LINES = 4  # of the scale, at most
SHADES = 8  # by which parts of a column are told apart


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
    parts: Sequence[tuple[str, Sequence[float | None]]],
    shown: Callable[[float], str],
    *,
    whole: bool = True,
) -> Chart:
    """One column for each of `names`, made of `parts`: (what it is, its value for each name; None: there is none).

    `shown` says a value in words; `whole`: whether the scale counts things that can't be halved.
    """
    totals = [sum(values[day] or 0.0 for _, values in parts) for day in range(len(names))]
    step = _step(max(totals, default=0.0), whole=whole)
    most = max(step, step * math.ceil(max(totals, default=0.0) / step))
    room, slot = HEIGHT - TOP - BOTTOM, (WIDTH - LEFT - RIGHT) / max(1, len(names))
    bars: list[Bar] = []
    for day, name in enumerate(names):
        base = float(HEIGHT - BOTTOM)
        for shade, (what, values) in enumerate(parts):
            value = values[day]
            if not value:
                continue
            height = room * value / most
            base -= height
            x = LEFT + slot * (day + (1 - SHARE) / 2)
            says = f"{name}, {what}: {shown(value)}"
            bars.append(
                Bar(round(x, 1), round(base, 1), round(slot * SHARE, 1), round(height, 1), shade % SHADES, says)
            )
    days = tuple(Mark(round(LEFT + slot * (day + 0.5), 1), HEIGHT - 8, name) for day, name in enumerate(names))
    steps = range(round(most / step) + 1)
    scale = tuple(Mark(LEFT - 8, round(HEIGHT - BOTTOM - room * at * step / most, 1), shown(at * step)) for at in steps)
    return Chart(tuple(bars), days, scale)


def _step(most: float, *, whole: bool) -> float:
    """The distance of the scale's lines: 1, 2 or 5 times a power of ten."""
    rough = max(most, 1e-9) / LINES
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return max(1.0, step) if whole or most <= 0 else step
