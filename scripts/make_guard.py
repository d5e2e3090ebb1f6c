"""Find the ordinary words that the filter would read as a slip of one of its own, for `bot/safety/rules/guard.txt`.

    apt-get download wamerican && dpkg -x wamerican_*.deb fresh
    .venv/bin/python scripts/make_guard.py fresh/usr/share/dict/american-english > guard.txt
    mv guard.txt bot/safety/rules/guard.txt

To be run again when the lists change. Any dictionary with one word a line will do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bot.safety import built_in_policy
from bot.safety.slips import Slips

HEAD = """\
# Ordinary words that must not be read as a slip of a word in the lists. Made by scripts/make_guard.py: not by hand.
# From SCOWL, Copyright 2000-2011 by Kevin Atkinson: permission to use, copy, modify, distribute and sell these word
# lists for any purpose is granted without fee, provided that this notice appears in all copies.
"""


def main(dictionary: Path) -> None:
    """Print the guard for the policy in the tree."""
    lines = dictionary.read_text(encoding="utf-8").splitlines()
    words = {line.casefold() for line in lines if line.isalpha() and line.isascii()}
    words = {word for word in words if len(word) > 1 or word in {"a", "i"}}  # dictionaries list the alphabet too
    slips = replace(built_in_policy().slips, ordinary=frozenset())
    guarded = {word for word in words if len(word) >= 3 and next(slips.of_word(word), "")}
    sys.stdout.write(HEAD)
    sys.stdout.writelines(f"{entry}\n" for entry in sorted({*guarded, *pairs(slips, words)}))


def pairs(slips: Slips, words: set[str]) -> Iterator[str]:
    """Two words that together are written like one of the core."""
    for core in slips.core:
        for cut in range(1, len(core)):
            if core[:cut] in words and core[cut:] in words:
                yield f"{core[:cut]} {core[cut:]}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
