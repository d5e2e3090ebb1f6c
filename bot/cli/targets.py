"""Where the files of `zoetrope video` go. Pure but for one question: whether a path is a folder, which is passed in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from bot.specs import FORMATS

SLUG_CHARS = 40


@dataclass(frozen=True, slots=True)
class Targets:
    """One path a prompt, in order, and the folder that must exist for them."""

    folder: PurePath
    paths: tuple[PurePath, ...]
    format: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why nothing can be written there: one sentence."""

    sentence: str


def choose(prompts: Sequence[str], out: PurePath, kind: str | None, *, is_folder: bool) -> Targets | Unusable:
    """The files for `prompts` at or below `out`; `kind` is the wanted format, where one was named."""
    ending = out.suffix.lower().removeprefix(".")
    if is_folder or not ending:
        names = [f"{number:02d}-{slug(prompt)}.{kind or 'gif'}" for number, prompt in enumerate(prompts, 1)]
        return Targets(out, tuple(out / name for name in names), kind or "gif")
    if len(prompts) > 1:
        return Unusable(f"{len(prompts)} prompts make {len(prompts)} files: give a folder with -o, not {out}.")
    if ending not in FORMATS:
        return Unusable(f"{out} has an ending that Zoetrope does not write: use .gif, .mp4 or .webp.")
    if kind is not None and kind != ending:
        return Unusable(f"{out} ends in .{ending} but --format says {kind}: leave one of them out.")
    return Targets(out.parent, (out,), ending)


def slug(prompt: str) -> str:
    """The prompt as part of a file name: words joined by dashes, at most 40 characters, never empty."""
    words = re.sub(r"[\W_]+", "-", prompt.lower()).strip("-")
    return words[:SLUG_CHARS].rstrip("-") or "clip"
