"""From what a person typed to a complete spec, or to one sentence that says what to change.

`resolve` never rounds in silence: a wish that can't be met exactly is a `Problem` with the way out.
"""

from __future__ import annotations

import difflib
import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot import cards
from bot.language import say
from db.config import LimitsConfig
from db.records import ClipSpec, ModelFacts, PersonSettings, PlaceSettings, Range, Wish

FORMATS = ("gif", "mp4", "webp")
SEEDS = Range(0, 2**63 - 1)
FPS = Range(1, 60)
GUIDANCE = (0, 30)
NAME_CHARS = 64

_JOINERS = frozenset("\u200c\u200d\u200e\u200f")  # emoji, Persian and mixed-direction lines need them
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and signs that draw nothing


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a wish can't be rendered as it is: one sentence with the way out."""

    sentence: str


def clean(text: str) -> str:
    """One line without anything that only steers a terminal or the direction of text.

    Line breaks and tabs become spaces, runs of spaces one space; other control characters, bidirectional overrides,
    zero-width spaces and lone surrogates go. Text that is left with nothing visible is empty.
    """
    spaced = " ".join(text.split())
    kept = "".join(char for char in spaced if char in _JOINERS or unicodedata.category(char) not in {"Cc", "Cf", "Cs"})
    return " ".join(kept.split()) if any(map(_is_visible, kept)) else ""


def storable(wish: Wish, limits: LimitsConfig) -> Wish:
    """The same wish made safe to store: bounded in length, clean, finite; `resolve` says the same about both."""
    return replace(
        wish,
        prompt=_bounded(wish.prompt, limits.prompt_chars),
        negative=_bounded(wish.negative, limits.prompt_chars),
        seed=_bounded_int(wish.seed),
        steps=_bounded_int(wish.steps),
        guidance=wish.guidance if wish.guidance is None or math.isfinite(wish.guidance) else -1.0,
        frames=_bounded_int(wish.frames),
        width=_bounded_int(wish.width),
        height=_bounded_int(wish.height),
        fps=_bounded_int(wish.fps),
        model=wish.model and _bounded(wish.model, NAME_CHARS),
        format=wish.format and _bounded(wish.format, NAME_CHARS),
    )


def preferred(wish: Wish, person: PersonSettings, place: PlaceSettings, formats: Sequence[str]) -> Wish:
    """The wish with its gaps filled by what the person prefers, then by what the place does.

    A preferred format that the address does not take, and half a size, fill nothing.
    """
    likes = [name for name in (person.format, place.format) if name in formats]
    size_said = wish.width is not None or wish.height is not None
    sized = not size_said and person.width is not None and person.height is not None
    return replace(
        wish,
        model=wish.model or place.model or None,
        format=wish.format or (likes[0] if likes else None),
        width=person.width if sized else wish.width,
        height=person.height if sized else wish.height,
    )


def tightened(limits: LimitsConfig, place: PlaceSettings) -> LimitsConfig:
    """The operator's limits, or the place's where those are tighter."""
    wanted = {"steps": place.steps, "frames": place.frames, "side": place.side}
    tighter = {name: min(value, getattr(limits, name)) for name, value in wanted.items() if value is not None}
    return limits.model_copy(update=tighter)


def resolve(
    wish: Wish,
    models: Sequence[ModelFacts],
    default_model: str,
    limits: LimitsConfig,
    seed_source: Callable[[], int],
    formats: Sequence[str] = FORMATS,
    said: Wish | None = None,
) -> ClipSpec | Problem:
    """Fill a wish's gaps from the model's defaults and check everything.

    `models` are those that runners have announced; `seed_source` gives a seed where the wish has none; `formats` are
    those that the address takes. `said` is the wish before preferences filled its gaps: a preferred size that does not
    fit the model or the limits is passed over, since nobody has asked for it here.
    """
    spec = _resolve(wish, models, default_model, limits, seed_source, formats)
    if said is None or isinstance(spec, ClipSpec) or (wish.width, wish.height) == (said.width, said.height):
        return spec
    unsized = replace(wish, width=said.width, height=said.height)
    return _resolve(unsized, models, default_model, limits, seed_source, formats)


def _resolve(
    wish: Wish,
    models: Sequence[ModelFacts],
    default_model: str,
    limits: LimitsConfig,
    seed_source: Callable[[], int],
    formats: Sequence[str],
) -> ClipSpec | Problem:
    words = _words_problem(wish, limits)
    if words:
        return Problem(words)
    model = _find_model(wish.model, models, default_model)
    if isinstance(model, Problem):
        return model
    spec = _filled(wish, model, limits, seed_source)
    trouble = _numbers_problem(spec, model, limits) or _format_problem(wish.format, formats)
    return Problem(trouble) if trouble else spec


def _words_problem(wish: Wish, limits: LimitsConfig) -> str:
    prompt = clean(wish.prompt)
    if not prompt:
        return say(cards.EMPTY_PROMPT)
    if len(prompt) > limits.prompt_chars:
        return cards.too_long("prompt", limits.prompt_chars)
    if len(clean(wish.negative)) > limits.prompt_chars:
        return cards.too_long("negative", limits.prompt_chars)
    return ""


def _find_model(name: str | None, models: Sequence[ModelFacts], default: str) -> ModelFacts | Problem:
    if not models:
        return Problem(say(cards.STILL_STARTING))
    wanted = name or default
    by_name = {model.name.casefold(): model for model in models}
    found = by_name.get(wanted.casefold())
    if found is not None:
        return found
    near = difflib.get_close_matches(wanted.casefold(), by_name, n=1, cutoff=0.5)
    return Problem(cards.unknown_model(wanted, by_name[near[0]].name if near else "", models))


def _filled(wish: Wish, model: ModelFacts, limits: LimitsConfig, seed_source: Callable[[], int]) -> ClipSpec:
    """Defaults of the model stand in for what was not said, as far as the limits go."""
    usual = model.defaults
    side = _sides(model, limits).high
    return ClipSpec(
        prompt=clean(wish.prompt),
        negative=clean(wish.negative),
        seed=seed_source() if wish.seed is None else wish.seed,
        steps=min(usual.steps, _capped(model.limits.steps, limits.steps).high) if wish.steps is None else wish.steps,
        guidance=usual.guidance if wish.guidance is None else wish.guidance,
        frames=min(usual.frames, _capped(model.limits.frames, limits.frames).high)
        if wish.frames is None
        else wish.frames,
        width=min(usual.width, side) if wish.width is None else wish.width,
        height=min(usual.height, side) if wish.height is None else wish.height,
        fps=usual.fps if wish.fps is None else wish.fps,
        model=model.name,
    )


def _numbers_problem(spec: ClipSpec, model: ModelFacts, limits: LimitsConfig) -> str:
    steps = _capped(model.limits.steps, limits.steps)
    frames = _capped(model.limits.frames, limits.frames)
    checks = (
        ("steps", spec.steps, steps),
        ("frames", spec.frames, frames),
        ("fps", spec.fps, FPS),
        ("seed", spec.seed, SEEDS),
    )
    for field, value, allowed in checks:
        if value not in allowed:
            return cards.out_of_range(field, allowed.low, allowed.high)
    low, high = GUIDANCE
    if not low <= spec.guidance <= high:  # also false for "not a number"
        return cards.out_of_range("guidance", low, high)
    return _size_problem(spec.width, spec.height, model, limits)


def _size_problem(width: int, height: int, model: ModelFacts, limits: LimitsConfig) -> str:
    multiple, sides = model.limits.multiple, _sides(model, limits)
    if width not in sides or height not in sides:
        return cards.out_of_range("size", sides.low, sides.high)
    if width % multiple or height % multiple:
        nearest = (_nearest(width, multiple, sides), _nearest(height, multiple, sides))
        return cards.wrong_multiple(width, height, multiple, nearest)
    return ""


def _sides(model: ModelFacts, limits: LimitsConfig) -> Range:
    """The smallest and the longest side, both multiples of what the model takes."""
    multiple = model.limits.multiple
    low = -(-model.limits.side.low // multiple) * multiple
    return Range(low, max(low, _capped(model.limits.side, limits.side).high // multiple * multiple))


def _format_problem(name: str | None, formats: Sequence[str]) -> str:
    return "" if name is None or name in formats else cards.unknown_format(name, formats)


def _nearest(value: int, multiple: int, allowed: Range) -> int:
    return min(max(round(value / multiple) * multiple, allowed.low), allowed.high)


def _capped(allowed: Range, most: int) -> Range:
    return Range(allowed.low, max(allowed.low, min(allowed.high, most)))


def _bounded(text: str, limit: int) -> str:
    """What is too long is not kept: as many ellipses stand for it, and they are too long as well."""
    cleaned = clean(text)
    return cleaned if len(cleaned) <= limit else "…" * (limit + 1)


def _bounded_int(value: int | None) -> int | None:
    return value if value is None or value in SEEDS else -1


def _is_visible(char: str) -> bool:
    return char not in _BLANK_LETTERS and unicodedata.category(char)[0] in "LNPS"
