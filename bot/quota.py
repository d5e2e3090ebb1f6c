"""What a clip costs and whether its asker may have it: a rolling window of credits, a cap on waiting jobs, a cool-down.

Credits are thousandths of a standard clip (`MILLI`); a model's standard clip is its own defaults.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from db.config import QuotaConfig
from db.records import MILLI, ClipSpec, ModelFacts, PlaceSettings, Usage

SMALLEST_COST = 100


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one person may use: `credits` (thousandths) within `window` seconds, `waiting` unfinished jobs at a time.

    `cool_down` are the seconds between two requests, `refused` what a refused prompt costs, `most` how many credits the
    moderators of a place may allow at most.
    """

    credits: int
    window: float
    waiting: int
    cool_down: float = 0.0
    refused: int = 100
    most: int = 1_000_000

    @classmethod
    def of(cls, config: QuotaConfig) -> Allowance:
        return cls(
            credits=round(config.credits * MILLI),
            window=config.window_hours * 3600,
            waiting=config.waiting,
            cool_down=config.cool_down_seconds,
            refused=round(config.refused_credits * MILLI),
            most=round(config.most_credits * MILLI),
        )

    def at(self, place: PlaceSettings, roles: Collection[str]) -> Allowance:
        """The allowance in a place for somebody with these roles there, of which the most generous counts."""
        usual = self.credits if place.credits is None else place.credits
        by_role = [credits_ for role, credits_ in place.roles if role in roles]
        wanted = max(usual, *by_role) if by_role else usual
        return replace(self, credits=min(wanted, max(self.most, self.credits)))


@dataclass(frozen=True, slots=True)
class Granted:
    """Go ahead; `cost` is to be reserved."""

    cost: int


class Why(StrEnum):
    """Why a request was denied."""

    WAITING = "waiting"  # too many unfinished jobs
    COOLING = "cooling"  # too soon after the last one
    SPENT = "spent"  # the window's credits are used up for now
    TOO_DEAR = "too dear"  # the clip costs more than a whole window's credits
    PLACE = "place"  # everybody here together has used up what the place has, or it is more than it ever has


@dataclass(frozen=True, slots=True)
class Denied:
    """Not now. `until` is when the same request would fit, or `None` where no time can be told; `cost` is what it would
    cost, `left` what there is."""

    until: float | None
    why: Why
    cost: int = 0
    left: int = 0


def cost(spec: ClipSpec, model: ModelFacts) -> int:
    """Credits of a spec: its steps x frames x pixels against those of the model's standard clip, rounded up."""
    usual = model.defaults
    work = spec.steps * spec.frames * spec.width * spec.height
    standard = usual.steps * usual.frames * usual.width * usual.height
    return max(SMALLEST_COST, -(-MILLI * work // standard))


def decide(usage: Usage, allowance: Allowance, cost: int, now: float) -> Granted | Denied:
    """Whether `cost` fits what is left at `now`."""
    there = left(usage, allowance, now)
    if cost > allowance.credits + usage.granted:
        return Denied(None, Why.TOO_DEAR, cost, there)
    if usage.waiting >= allowance.waiting:
        return Denied(None, Why.WAITING, cost, there)
    rested = now if usage.last_at is None else usage.last_at + allowance.cool_down
    until = _fits_at(usage, allowance, cost, now)
    if until > now:
        return Denied(max(until, rested), Why.SPENT, cost, there)
    return Denied(rested, Why.COOLING, cost, there) if rested > now else Granted(cost)


def decide_here(
    spent: tuple[tuple[float, int], ...], budget: int | None, window: float, cost: int, now: float
) -> Granted | Denied:
    """Whether `cost` fits what everybody in a place has together: `budget` credits within `window` seconds, of which
    (time, credits) are `spent`. None: the place has no budget of its own."""
    if budget is None:
        return Granted(cost)
    together = decide(Usage(spent, waiting=0), _of_all(budget, window), cost, now)
    return replace(together, why=Why.PLACE) if isinstance(together, Denied) else together


def left_here(spent: tuple[tuple[float, int], ...], budget: int, window: float, now: float) -> int:
    """Credits of a place's budget that may be used at `now`."""
    return left(Usage(spent, waiting=0), _of_all(budget, window), now)


def _of_all(budget: int, window: float) -> Allowance:
    """What everybody in a place may use together; how many jobs wait is each person's own affair."""
    return Allowance(budget, window, waiting=1)


def left(usage: Usage, allowance: Allowance, now: float) -> int:
    """Credits that may be used at `now`."""
    used = sum(spent for _, spent in _counted(usage, allowance, now))
    return max(0, allowance.credits + usage.granted - used)


def refill(usage: Usage, allowance: Allowance, now: float) -> tuple[float, int] | None:
    """When the next credits come back, and how many of them; None: nothing is used."""
    counted = _counted(usage, allowance, now)
    if not counted:
        return None
    first = counted[0][0]
    return first + allowance.window, sum(spent for at, spent in counted if at == first)


def _counted(usage: Usage, allowance: Allowance, now: float) -> list[tuple[float, int]]:
    """What is still in the window, oldest first."""
    return sorted((at, spent) for at, spent in usage.spent if at + allowance.window > now)


def _fits_at(usage: Usage, allowance: Allowance, cost: int, now: float) -> float:
    """The first moment from `now` on at which enough has left the window for `cost` to fit."""
    counted = _counted(usage, allowance, now)
    over = sum(spent for _, spent in counted) + cost - allowance.credits - usage.granted
    moment = now
    for at, spent in counted:
        if over <= 0:
            break
        over -= spent
        moment = at + allowance.window
    return moment
