"""`zoetrope false-alarms`: what moderators found the filter to be wrong about, as test cases for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from bot.cli.output import remark, say
from bot.errors import BotError
from bot.specs import clean
from db import allowed
from db.config import Config
from db.database import Database
from db.records import GRAVEST, Verdict

HEADER = "expected\tnear\tprompt"  # as tests/rules/safety/harmless.tsv has it
HARMLESS = "-"

_HASH = re.compile(r"hash:[0-9a-f]{64}")


class NotWritten(BotError):
    """The file can't be written; the message says why."""


async def export(config: Config, out: Path | None) -> None:
    """Print the cases, or write them to a file. Raises NotWritten, StoreError."""
    database = await Database.open(config.database_url)
    try:
        async with database.reading() as tx:
            found = await allowed.exported(tx)
    finally:
        await database.close()
    lines = list(cases((prompt, verdict) for _, _, prompt, verdict, _ in found))
    if out is None:
        for line in (HEADER, *lines):
            say(line)
    else:
        _write(out, "\n".join((HEADER, *lines, "")))
    remark(f"False alarms: {len(lines)}.")


def cases(found: Iterable[tuple[str, Verdict]]) -> Iterator[str]:
    """A line for each prompt, once: that it is harmless, the category it was taken for, and its words.

    What was taken for the gravest is left out: its words are not passed on, and mostly not even known.
    """
    seen: set[str] = set()
    for prompt, verdict in found:
        words = clean(prompt)
        if words in seen or verdict.category == GRAVEST or _HASH.fullmatch(words):
            continue
        seen.add(words)
        yield "\t".join((HARMLESS, verdict.category or HARMLESS, words))


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise NotWritten(f"The file {out} can't be written ({why}): give another one.") from error
