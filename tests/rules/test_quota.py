"""Costs and the rolling window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.quota import Allowance, Denied, Granted, Why, cost, decide
from db.config import QuotaConfig
from db.records import ClipSpec, Defaults, ModelFacts, ModelLimits, Range, Usage

MODEL = ModelFacts(
    "pocket",
    "Pocket",
    "unet3d",
    Defaults(steps=20, guidance=3.0, frames=16, width=64, height=64, fps=8, sampler="ddim"),
    ModelLimits(steps=Range(1, 100), frames=Range(1, 64), side=Range(16, 512), multiple=8),
)
STANDARD = ClipSpec("a heart", "", 1, 20, 3.0, 16, 64, 64, 8, "pocket")
ALLOWANCE = Allowance(credits=3000, window=100.0, waiting=2)
NOW = 1000.0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 1000),
        ({"steps": 40}, 2000),
        ({"frames": 8}, 500),
        ({"width": 128, "height": 128}, 4000),
        ({"steps": 7}, 350),
        ({"steps": 1}, 100),  # never cheaper than a tenth
        ({"steps": 1, "frames": 1}, 100),
        ({"frames": 17}, 1063),  # 1062.5, rounded up
        ({"guidance": 9.0, "seed": 5, "fps": 30}, 1000),  # these cost nothing
    ],
)
def test_cost_is_work_against_the_standard_clip(changes: dict[str, int], expected: int) -> None:
    assert cost(replace(STANDARD, **changes), MODEL) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spent", "waiting", "price", "expected"),
    [
        ((), 0, 1000, Granted(1000)),
        (((950.0, 1000), (960.0, 1000)), 0, 1000, Granted(1000)),
        (((950.0, 1000), (960.0, 1001)), 0, 1000, Denied(1050.0, Why.SPENT)),
        (((950.0, 100), (960.0, 2000), (970.0, 900)), 0, 1000, Denied(1060.0, Why.SPENT)),
        (((970.0, 900), (950.0, 100), (960.0, 2000)), 0, 1000, Denied(1060.0, Why.SPENT)),  # in any order
        (((950.0, 3000),), 0, 3000, Denied(1050.0, Why.SPENT)),
        (((900.0, 3000),), 0, 3000, Granted(3000)),  # left the window at this very moment
        (((900.1, 3000),), 0, 3000, Denied(1000.1, Why.SPENT)),
        ((), 1, 1000, Granted(1000)),
        ((), 2, 1000, Denied(None, Why.WAITING)),
        ((), 0, 3000, Granted(3000)),
        ((), 0, 3001, Denied(None, Why.TOO_DEAR)),
        ((), 9, 3001, Denied(None, Why.TOO_DEAR)),  # waiting would not help
    ],
)
def test_decide(spent: tuple[tuple[float, int], ...], waiting: int, price: int, expected: Granted | Denied) -> None:
    assert decide(Usage(spent, waiting), ALLOWANCE, price, NOW) == expected


def test_what_was_denied_fits_at_the_moment_that_was_told() -> None:
    usage = Usage(((950.0, 700), (955.0, 1300), (990.0, 1000)), 0)
    denied = decide(usage, ALLOWANCE, 1500, NOW)

    assert isinstance(denied, Denied)
    assert denied.until is not None
    assert decide(usage, ALLOWANCE, 1500, denied.until) == Granted(1500)
    assert isinstance(decide(usage, ALLOWANCE, 1500, denied.until - 0.01), Denied)


def test_an_allowance_counts_in_thousandths_and_seconds() -> None:
    assert Allowance.of(QuotaConfig(credits=1.5, window_hours=2, waiting=3)) == Allowance(1500, 7200.0, 3)
