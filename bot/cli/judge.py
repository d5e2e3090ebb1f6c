"""`zoetrope judge`: what the safety rules say about prompts, without rendering anything."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from bot import cards
from bot.cli.output import say
from bot.errors import WrongUse
from bot.safety import Writing, built_in_policy, judge
from bot.specs import clean
from db.records import Verdict


def checked(prompts: Sequence[str]) -> Sequence[str]:
    """The prompts as they are. Raises WrongUse for one with nothing in it: there is nothing to judge or to render."""
    if not all(map(clean, prompts)):
        raise WrongUse(cards.EMPTY_PROMPT)
    return prompts


def written(lines: Iterable[str]) -> list[str]:
    """The lines with anything in them."""
    return [line for line in lines if clean(line)]


def judge_all(prompts: Iterable[str], *, as_json: bool) -> None:
    """One line a prompt, in order, each as soon as it is judged."""
    policy = built_in_policy()
    for prompt in prompts:
        verdict = judge(Writing(prompt), policy)
        say(json.dumps(verdict_facts(verdict), ensure_ascii=False) if as_json else _line(verdict))


def verdict_facts(verdict: Verdict) -> dict[str, object]:
    """A verdict as it is printed: the words that matched are never part of it."""
    return {
        "verdict": verdict.ruling.value,
        "category": verdict.category,
        "reason": verdict.reason,
        "rules": list(verdict.rules),
        "view": verdict.view,
    }


def _line(verdict: Verdict) -> str:
    return " ".join(filter(None, (verdict.ruling.value, verdict.category and f"({verdict.category})", verdict.reason)))
