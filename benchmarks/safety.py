"""What the prompt filter catches, what it wrongly stops, and how fast it is: over our own prompts and public sets."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from bot.safety import Policy, Writing, built_in_policy, judge
from db.records import Ruling
from tests.rules.safety import evasions, examples
from tests.rules.safety.examples import Example

STOPPED = {Ruling.REFUSED, Ruling.HELD}
OWN = ("refused", "fresh_refused")  # the second was written later, without a look at the rules
OWN_HARMLESS = ("harmless", "fresh_harmless")
ROUNDS = 3


def measure() -> Iterator[dict[str, Any]]:
    """All in the general preset, in which everybody starts."""
    began = time.perf_counter()
    policy = built_in_policy()
    yield {"measure": "load_seconds", "value": round(time.perf_counter() - began, 3), "policy": policy.version}
    for name in OWN:
        yield from _recall(name, examples.refused(name), policy)
    yield from _evasions(policy)
    for name in OWN_HARMLESS:
        yield _wrongly_stopped(name, [one.prompt for one in examples.harmless(name)], policy)
    for name, prompts in (("parti", examples.parti), ("xstest_safe", examples.xstest_safe)):
        try:
            yield _wrongly_stopped(name, prompts(), policy)
        except FileNotFoundError as missing:
            yield {"measure": "wrongly_stopped", "set": name, "skipped": f"{missing.filename} is not there"}
    yield _pace(policy)


def _ruling(writing: Writing, policy: Policy) -> Ruling:
    return judge(writing, policy).ruling


def _recall(name: str, found: Iterable[Example], policy: Policy) -> Iterator[dict[str, Any]]:
    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for one in found:
        counts[one.category] += 1
        refused[one.category] += _ruling(Writing(one.prompt), policy) is Ruling.REFUSED
    for category, count in sorted(counts.items()):
        yield _share("refused", refused[category], count, set=name, category=category)


def _evasions(policy: Policy) -> Iterator[dict[str, Any]]:
    """Of the prompts that are refused as they stand: how many still are in each disguise."""
    counts: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    for one in examples.refused():
        if _ruling(Writing(one.prompt), policy) is Ruling.REFUSED:
            for trick, writing in evasions.copies(one.prompt):
                counts[trick] += 1
                sent = (*(Writing(earlier) for earlier in writing.earlier), writing)
                caught[trick] += any(_ruling(each, policy) is Ruling.REFUSED for each in sent)
    for trick, count in counts.items():
        yield _share("disguised_and_refused", caught[trick], count, trick=trick)
    yield _share("disguised_and_refused", caught.total(), counts.total(), trick="all")


def _wrongly_stopped(name: str, prompts: Iterable[str], policy: Policy) -> dict[str, Any]:
    rulings = [_ruling(Writing(prompt), policy) for prompt in prompts]
    return _share("wrongly_stopped", sum(ruling in STOPPED for ruling in rulings), len(rulings), set=name)


def _pace(policy: Policy) -> dict[str, Any]:
    """Harmful and harmless prompts in turns, on one core; every prompt is new to the filter's caches in a round."""
    prompts = [one.prompt for one in (*examples.refused(), *examples.harmless())]
    began = time.perf_counter()
    for turn in range(ROUNDS):
        for prompt in prompts:
            judge(Writing(f"{prompt} {turn}"), policy)
    seconds = time.perf_counter() - began
    return {"measure": "prompts_per_second", "value": round(ROUNDS * len(prompts) / seconds), "prompts": len(prompts)}


def _share(measure: str, part: int, count: int, **about: str) -> dict[str, Any]:
    return {"measure": measure, **about, "share": round(part / count, 4), "count": count}
