"""`zoetrope judge`: what the safety rules say about prompts, without rendering anything."""

from __future__ import annotations

import json
from collections.abc import Iterable

from bot.cli.output import say
from bot.safety import built_in_policy, judge
from db.records import Verdict


def judge_all(prompts: Iterable[str], *, as_json: bool) -> None:
    """One line a prompt, in order, each as soon as it is judged."""
    policy = built_in_policy()
    for prompt in prompts:
        verdict = judge(prompt, "", policy)
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
