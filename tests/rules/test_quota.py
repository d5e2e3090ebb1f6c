"""Costs and the rolling window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.quota import Allowance, Denied, Granted, Why, cost, decide, decide_here, left, refill
from db.config import QuotaConfig
from db.records import ClipSpec, Defaults, ModelFacts, ModelLimits, PlaceSettings, Range, Usage

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
    decision = decide(Usage(spent, waiting), ALLOWANCE, price, NOW)
    if isinstance(expected, Denied):
        there = max(0, ALLOWANCE.credits - sum(credit for at, credit in spent if at > NOW - ALLOWANCE.window))
        expected = replace(expected, cost=price, left=there)
    assert decision == expected


def test_what_was_denied_fits_at_the_moment_that_was_told() -> None:
    usage = Usage(((950.0, 700), (955.0, 1300), (990.0, 1000)), 0)
    denied = decide(usage, ALLOWANCE, 1500, NOW)

    assert isinstance(denied, Denied)
    assert denied.until is not None
    assert decide(usage, ALLOWANCE, 1500, denied.until) == Granted(1500)
    assert isinstance(decide(usage, ALLOWANCE, 1500, denied.until - 0.01), Denied)


def test_an_allowance_counts_in_thousandths_and_seconds() -> None:
    config = QuotaConfig(
        credits=1.5, window_hours=2, waiting=3, cool_down_seconds=4, refused_credits=0.25, most_credits=9
    )
    assert Allowance.of(config) == Allowance(1500, 7200.0, 3, cool_down=4.0, refused=250, most=9000)


@pytest.mark.parametrize(
    ("last_at", "spent", "expected"),
    [
        (None, (), Granted(1000)),
        (989.9, (), Granted(1000)),
        (990.0, (), Granted(1000)),  # rested long enough at this very moment
        (995.0, (), Denied(1005.0, Why.COOLING, 1000, 3000)),
        (995.0, ((901.0, 3000),), Denied(1005.0, Why.SPENT, 1000, 0)),  # both; the later moment counts
        (995.0, ((950.0, 3000),), Denied(1050.0, Why.SPENT, 1000, 0)),
    ],
)
def test_between_two_requests_it_cools_down(
    last_at: float | None, spent: tuple[tuple[float, int], ...], expected: Granted | Denied
) -> None:
    allowance = replace(ALLOWANCE, cool_down=10.0)
    assert decide(Usage(spent, 0, last_at=last_at), allowance, 1000, NOW) == expected


def test_what_was_granted_is_there_on_top() -> None:
    usage = Usage(((950.0, 3000),), 0, granted=2000)
    assert left(usage, ALLOWANCE, NOW) == 2000
    assert decide(usage, ALLOWANCE, 2000, NOW) == Granted(2000)
    assert decide(usage, ALLOWANCE, 5000, NOW) == Denied(1050.0, Why.SPENT, 5000, 2000)
    assert decide(usage, ALLOWANCE, 5001, NOW) == Denied(None, Why.TOO_DEAR, 5001, 2000)


def test_what_is_left_never_falls_below_nothing() -> None:
    assert left(Usage(((950.0, 9000),), 0), ALLOWANCE, NOW) == 0


def test_the_next_refill_is_what_was_used_first() -> None:
    usage = Usage(((899.0, 5), (960.0, 300), (950.0, 100), (950.0, 20)), 0)
    assert refill(usage, ALLOWANCE, NOW) == (1050.0, 120)
    assert refill(Usage((), 0), ALLOWANCE, NOW) is None


@pytest.mark.parametrize(
    ("place", "roles", "credits_"),
    [
        (PlaceSettings(), ("r1",), 3000),
        (PlaceSettings(credits=500), (), 500),
        (PlaceSettings(credits=500, roles=(("r1", 700), ("r2", 900))), ("r2", "r1"), 900),
        (PlaceSettings(credits=500, roles=(("r1", 700),)), ("r9",), 500),
        (PlaceSettings(roles=(("r1", 700),)), ("r1",), 3000),  # the usual is more generous
        (PlaceSettings(credits=10**9), (), 8000),  # the operator's own bound
        (PlaceSettings(roles=(("r1", 10**9),)), ("r1",), 8000),
    ],
)
def test_the_most_generous_of_place_and_roles_counts(
    place: PlaceSettings, roles: tuple[str, ...], credits_: int
) -> None:
    assert replace(ALLOWANCE, most=8000).at(place, roles) == replace(ALLOWANCE, credits=credits_, most=8000)


@pytest.mark.parametrize(
    ("spent", "budget", "expected"),
    [
        (((950.0, 9000),), None, Granted(1000)),
        ((), 1000, Granted(1000)),
        (((950.0, 2000),), 3000, Granted(1000)),
        (((950.0, 2000), (960.0, 1)), 3000, Denied(1050.0, Why.PLACE, 1000, 999)),
        (((950.0, 500), (960.0, 3000)), 3000, Denied(1060.0, Why.PLACE, 1000, 0)),
        (((899.0, 3000),), 3000, Granted(1000)),
        ((), 999, Denied(None, Why.PLACE, 1000, 999)),  # waiting would not help
        ((), 0, Denied(None, Why.PLACE, 1000, 0)),
    ],
)
def test_a_budget_of_a_place_is_shared_by_everybody_there(
    spent: tuple[tuple[float, int], ...], budget: int | None, expected: object
) -> None:
    assert decide_here(spent, budget, 100.0, 1000, NOW) == expected
