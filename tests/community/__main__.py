"""Plays the week of a community and writes its summary as Markdown: `python -m tests.community [MEMBERS] [SEED]`."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.commands import Result
from db.records import NOBODY, Action, Curb
from tests.community.members import Kind
from tests.community.town import Aftermath, played

_NO = {Result.DENIED, Result.PROBLEM}


def main(size: int = 500, seed: int = 2026) -> None:
    with TemporaryDirectory(prefix="zoetrope-week-") as folder:
        after = asyncio.run(played(Path(folder), size, seed))
    sys.stdout.write("\n".join(_summary(after)) + "\n")


def _summary(after: Aftermath) -> Iterator[str]:
    yield "| who | members | asked | made or queued | refused | denied | reports | points at the end | banned |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for kind in Kind:
        yield _row([kind, *_of(kind, after)])
    yield ""
    yield "| case | by Zoetrope | by moderators |"
    yield "|---|---|---|"
    by = Counter((case.action, case.actor == NOBODY) for case in after.cases)
    for action in Action:
        if by[action, True] or by[action, False]:
            yield _row([action, by[action, True], by[action, False]])
    yield ""
    hurting = sum(after.harmful[clip.spec.prompt] for clip in after.shown)
    refused = ", ".join(f"{category} {count}" for category, count in sorted(after.categories.items()))
    yield f"Refused by category: {refused}."
    yield f"Clips to be seen at the end: {len(after.shown)}, of which hurt somebody: {hurting}."
    yield f"Cases: {len(after.cases)}; reviews that still wait: {len(after.waiting)}."


def _of(kind: Kind, after: Aftermath) -> Iterator[object]:
    counted = Counter({result: count for (who, result), count in after.results.items() if who is kind})
    stands = after.of(kind)
    made, refused = counted[Result.QUEUED] + counted[Result.HELD], counted[Result.REFUSED]
    denied = sum(counted[no] for no in _NO)
    yield from (len(stands), made + refused + denied, made, refused, denied, counted[Result.REPORTED])
    yield _spread(stand.points for stand in stands)
    yield sum(stand.curb is Curb.BAN for stand in stands)


def _spread(points: Iterable[int]) -> str:
    """How many have so many points."""
    return ", ".join(f"{count} x {each}" for each, count in sorted(Counter(points).items()) if each) or "none"


def _row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
