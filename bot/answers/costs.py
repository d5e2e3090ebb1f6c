"""What is left of somebody's credit, when more comes, and what a clip would cost them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot import quota, specs
from bot.cards import Card
from bot.cards import answers as sentences
from bot.quota import Allowance, Denied, Granted
from bot.specs import Problem
from db.config import LimitsConfig
from db.records import ModelFacts, Usage, Wish

_ANY_WORDS = "any"  # what a clip costs does not depend on its words


@dataclass(frozen=True, slots=True)
class Account:
    """What a person used, what they may use in a place, and when it is looked at.

    `budget` is what everybody there has together, of which (time, credits) are `spent_here`; None: there is none.
    """

    usage: Usage
    allowance: Allowance
    now: float
    budget: int | None = None
    spent_here: tuple[tuple[float, int], ...] = ()

    def card(self, price: int | None = None) -> Card:
        """What is left; `price` is what a clip would cost, in thousandths of a standard clip."""
        usage, allowance, now = self.usage, self.allowance, self.now
        refill = quota.refill(usage, allowance, now)
        facts = sentences.left(
            quota.left(usage, allowance, now), allowance.credits + usage.granted, usage.waiting, allowance.waiting
        )
        if refill is not None:
            facts += sentences.refill(refill[1], refill[0] - now)
        if self.budget is not None:
            shared = quota.left_here(self.spent_here, self.budget, allowance.window, now)
            facts += sentences.left_here(shared, self.budget)
        if price is None:
            return sentences.quota(facts)
        denials = [said for said in self._decided(price) if isinstance(said, Denied)]
        untils = [denial.until for denial in denials if denial.until is not None]
        wait = max(untils) - now if untils and len(untils) == len(denials) else None
        return sentences.quota(facts + sentences.price(price, wait, fits=not denials))

    def _decided(self, price: int) -> tuple[Granted | Denied, ...]:
        """What the place and what the person's own credit say."""
        window, now = self.allowance.window, self.now
        return (
            quota.decide_here(self.spent_here, self.budget, window, price, now),
            quota.decide(self.usage, self.allowance, price, now),
        )


def price(
    wish: Wish, known: Sequence[ModelFacts], default_model: str, limits: LimitsConfig, said: Wish | None = None
) -> int | Problem:
    """Credits (thousandths of a standard clip) that the wish would cost, or what is wrong with it; `said` is the wish
    before preferences filled its gaps."""
    worded = replace(wish, prompt=wish.prompt or _ANY_WORDS)
    spec = specs.resolve(worded, known, default_model, limits, lambda: 0, said=said)
    if isinstance(spec, Problem):
        return spec
    return quota.cost(spec, next(model for model in known if model.name == spec.model))
