"""`zoetrope judge`: what the safety rules say about prompts, without rendering anything."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from bot import cards
from bot.cli.output import say
from bot.errors import WrongUse
from bot.safety import House, Policy, Writing, judge
from bot.safety.explaining import View, explain
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


def house(preset: str) -> House:
    """A place with that preset; the one for adults is only ever chosen where adults alone are."""
    return House(preset, age_restricted=True)


def judge_all(prompts: Iterable[str], policy: Policy, place: House, *, as_json: bool) -> None:
    """One line a prompt, in order, each as soon as it is judged."""
    for prompt in prompts:
        verdict = judge(Writing(prompt), policy, place)
        say(json.dumps(verdict_facts(verdict), ensure_ascii=False) if as_json else _line(verdict))


def explain_all(prompts: Iterable[str], policy: Policy, place: House) -> None:
    """For each prompt the verdict, its rules, and every view with what matches in it."""
    for prompt in prompts:
        verdict = judge(Writing(prompt), policy, place)
        say(f"{_line(verdict)}{', behind a spoiler' if verdict.spoiler else ''}")
        say(f"  policy {verdict.policy}, {place.preset}")
        if verdict.rules:
            say(f"  rules {', '.join(verdict.rules)}; seen in the view {verdict.view}")
        for line in (line for view in explain(prompt, policy) for line in _view_lines(view)):
            say(f"  {line}")


def verdict_facts(verdict: Verdict) -> dict[str, object]:
    """A verdict as it is printed: the words that matched are never part of it."""
    return {
        "verdict": verdict.ruling.value,
        "category": verdict.category,
        "reason": verdict.reason,
        "rules": list(verdict.rules),
        "view": verdict.view,
        "spoiler": verdict.spoiler,
        "policy": verdict.policy,
    }


def _line(verdict: Verdict) -> str:
    return " ".join(filter(None, (verdict.ruling.value, verdict.category and f"({verdict.category})", verdict.reason)))


def _view_lines(view: View) -> Iterator[str]:
    yield f"{view.name}: {view.words or '(nothing)'}"
    for match in view.matches:
        explained = ", explained by an allowed phrase" if match.explained else ""
        yield f"    {match.phrase!r} is in {', '.join(match.lists)}{explained}"
