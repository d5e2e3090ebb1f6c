"""What is left of somebody's credit, when more comes, and what a clip would cost them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot import quota, specs
from bot.cards import Card
from bot.cards import answers as sentences
from bot.quota import Allowance, Granted
from bot.specs import Problem
from db.config import LimitsConfig
from db.records import ModelFacts, Usage, Wish

_ANY_WORDS = "any"  # what a clip costs does not depend on its words


@dataclass(frozen=True, slots=True)
class Account:
    """What a person used, what they may use in a place, and when it is looked at."""

    usage: Usage
    allowance: Allowance
    now: float

    def card(self, price: int | None = None) -> Card:
        """What is left; `price` is what a clip would cost, in thousandths of a standard clip."""
        usage, allowance, now = self.usage, self.allowance, self.now
        refill = quota.refill(usage, allowance, now)
        facts = sentences.left(
            quota.left(usage, allowance, now), allowance.credits + usage.granted, usage.waiting, allowance.waiting
        )
        if refill is not None:
            facts += sentences.refill(refill[1], refill[0] - now)
        if price is None:
            return sentences.quota(facts)
        decided = quota.decide(usage, allowance, price, now)
        wait = None if isinstance(decided, Granted) or decided.until is None else decided.until - now
        return sentences.quota(facts + sentences.price(price, wait, fits=isinstance(decided, Granted)))


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
