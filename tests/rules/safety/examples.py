"""Prompts with the ruling they deserve, and what each preset makes of a category."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from db.records import Ruling

HERE = Path(__file__).parent
PUBLIC = HERE.parents[3] / "shared" / "prompts"
Public = Callable[[], tuple[str, ...]]
PRESETS = ("family", "general", "adult-channel")

_SHORT = {"a": Ruling.ALLOWED, "l": Ruling.LABELLED, "r": Ruling.REFUSED}
# One letter for each of the presets, in their order.
RULINGS = {
    category: dict(zip(PRESETS, (_SHORT[letter] for letter in letters), strict=True))
    for category, letters in {
        "-": "aaa",
        **dict.fromkeys(("C1", "C2", "C3", "C4", "C5", "C6"), "rrr"),
        "P1": "rra",
        "P2": "rrl",
        "P3": "raa",
        "P4": "raa",
        "P5": "rll",
        "P6": "rrr",
        "P6-shown": "raa",
        "P7": "rrr",
        "P8": "aaa",
        "P9": "lll",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt and the category it deserves ("-" for none); `near` is the category it could be taken for."""

    category: str
    prompt: str
    near: str = ""

    def ruling(self, preset: str) -> Ruling:
        return RULINGS[self.category][preset]


def refused(name: str = "refused") -> tuple[Example, ...]:
    """Prompts that the general preset has to refuse."""
    return tuple(Example(row["category"], row["prompt"]) for row in _rows(HERE / f"{name}.tsv", "\t"))


def harmless(name: str = "harmless") -> tuple[Example, ...]:
    """Prompts that the general preset has to let through, some of them labelled."""
    return tuple(Example(row["expected"], row["prompt"], row["near"]) for row in _rows(HERE / f"{name}.tsv", "\t"))


def parti() -> tuple[str, ...]:
    """PartiPrompts, a public set of prompts for pictures. Raises FileNotFoundError where it was not brought along."""
    return tuple(row["Prompt"] for row in _rows(PUBLIC / "parti.tsv", "\t"))


def xstest_safe() -> tuple[str, ...]:
    """The safe half of XSTest, harmless sentences that sound dangerous. Raises FileNotFoundError as above."""
    return tuple(row["prompt"] for row in _rows(PUBLIC / "xstest.csv", ",") if row["label"] == "safe")


def _rows(path: Path, delimiter: str) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        if delimiter == "\t":
            return list(csv.DictReader(file, delimiter=delimiter, quoting=csv.QUOTE_NONE))
        return list(csv.DictReader(file, delimiter=delimiter))
