"""What a clip costs and whether its asker may have it: a rolling window of credits and a cap on waiting jobs.

Credits are thousandths of a standard clip (`MILLI`); a model's standard clip is its own defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from db.config import QuotaConfig
from db.records import MILLI, ClipSpec, ModelFacts, Usage

SMALLEST_COST = 100


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one asker may use: `credits` (thousandths) within `window` seconds, `waiting` unfinished jobs at a time."""

    credits: int
    window: float
    waiting: int

    @classmethod
    def of(cls, config: QuotaConfig) -> Allowance:
        return cls(round(config.credits * MILLI), config.window_hours * 3600, config.waiting)


@dataclass(frozen=True, slots=True)
class Granted:
    """Go ahead; `cost` is to be reserved."""

    cost: int


class Why(StrEnum):
    """Why a request was denied."""

    WAITING = "waiting"  # too many unfinished jobs
    SPENT = "spent"  # the window's credits are used up for now
    TOO_DEAR = "too dear"  # the clip costs more than a whole window's credits


@dataclass(frozen=True, slots=True)
class Denied:
    """Not now. `until` is when the same request would fit, or `None` where no time can be told."""

    until: float | None
    why: Why


def cost(spec: ClipSpec, model: ModelFacts) -> int:
    """Credits of a spec: its steps x frames x pixels against those of the model's standard clip, rounded up."""
    usual = model.defaults
    work = spec.steps * spec.frames * spec.width * spec.height
    standard = usual.steps * usual.frames * usual.width * usual.height
    return max(SMALLEST_COST, -(-MILLI * work // standard))


def decide(usage: Usage, allowance: Allowance, cost: int, now: float) -> Granted | Denied:
    """Whether `cost` fits what is left at `now`."""
    if cost > allowance.credits:
        return Denied(None, Why.TOO_DEAR)
    if usage.waiting >= allowance.waiting:
        return Denied(None, Why.WAITING)
    until = _fits_at(usage, allowance, cost, now)
    return Granted(cost) if until <= now else Denied(until, Why.SPENT)


def _fits_at(usage: Usage, allowance: Allowance, cost: int, now: float) -> float:
    """The first moment from `now` on at which enough has left the window for `cost` to fit."""
    counted = sorted((at, spent) for at, spent in usage.spent if at + allowance.window > now)
    over = sum(spent for _, spent in counted) + cost - allowance.credits
    moment = now
    for at, spent in counted:
        if over <= 0:
            break
        over -= spent
        moment = at + allowance.window
    return moment
