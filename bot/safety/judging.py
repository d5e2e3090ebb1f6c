"""The rules applied to every view of a prompt; the gravest rule that is met decides."""

from __future__ import annotations

from collections.abc import Iterator

from bot.safety.policy import Policy, Rule
from bot.safety.views import Tokens, views
from db.records import Ruling, Verdict

_GRAVITY = {Ruling.ALLOWED: 0, Ruling.LABELLED: 1, Ruling.HELD: 2, Ruling.REFUSED: 3}


def judge(prompt: str, negative: str, policy: Policy) -> Verdict:
    """What may become of a prompt. The verdict names category, reason, rules and view, never the words that matched."""
    negative_lists = _negative_lists(negative, policy)
    met = [(rule, view) for view, tokens in views(prompt) for rule in _rules_met(tokens, negative_lists, policy)]
    if not met:
        return Verdict(Ruling.ALLOWED, policy=policy.version)
    worst, view = max(met, key=lambda found: _GRAVITY[found[0].ruling])  # of equals the first: the file's order
    rules = tuple(dict.fromkeys(rule.id for rule, _ in met))
    return Verdict(worst.ruling, worst.category, worst.reason, rules, view, policy.version)


def _rules_met(tokens: Tokens, negative: frozenset[str], policy: Policy) -> Iterator[Rule]:
    everything = policy.lists.met(tokens)
    harmful = policy.lists.met(policy.allow.without(tokens))
    for rule in policy.rules:
        met = everything if rule.strict else harmful
        lifted = not rule.strict and not everything.isdisjoint(rule.unless)
        if met.issuperset(rule.all) and negative.issuperset(rule.negative) and not lifted:
            yield rule


def _negative_lists(negative: str, policy: Policy) -> frozenset[str]:
    """Words in a negative prompt are harmless by themselves; rules that name them read them as context."""
    return frozenset().union(*(policy.lists.met(tokens) for _, tokens in views(negative)))
