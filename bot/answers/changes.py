"""Settings from strings that people typed: every change is checked, and none is taken when one is wrong. Pure.

A value is a word, a number, or a list such as `1234, 5678`; one whose pieces begin with + or - changes what is there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from bot import menu, quiet, safety, specs, typed
from bot.cards import answers
from bot.menu import DEFAULT, MOST_CREDITS, PRESETS, SWITCH, WHO
from bot.specs import FORMATS, Problem
from db.config import LimitsConfig
from db.records import MILLI, ModelFacts, PersonSettings, PlaceSettings, Range, Wish

MOST_ENTRIES = 100  # of one list
WORD_CHARS = Range(2, 40)
SMALLEST_SIDE = 8
REPORTERS = Range(1, 100)
KEEP_DAYS = Range(1, 3650)
HERE = "here"

_EMPTYING = frozenset({"none", "all", "everywhere", "nothing", DEFAULT})
_ID = re.compile(r"<(?:#|@&|@!?)([0-9A-Za-z]{1,64})>|([0-9A-Za-z_]{1,64})", re.ASCII)  # a mention of it will do
_ON = frozenset({"on", "yes", "true", "an", "ja"})
_OFF = frozenset({"off", "no", "false", "aus", "nein"})

Settings = TypeVar("Settings", PersonSettings, PlaceSettings)
Fields = dict[str, Any]  # of the settings, by their names
Parser = Callable[[str, Any, "Ground"], Fields | Problem]  # of the text, the settings so far, and the ground


@dataclass(frozen=True, slots=True)
class Ground:
    """What changes are checked against: where they are made, and what the operator allows (credits in thousandths).

    `categories` are those of the policy about which a place may decide, `language` is what whoever makes them speaks.
    """

    thread: str
    models: Sequence[ModelFacts]
    default_model: str
    limits: LimitsConfig
    credits: int
    categories: tuple[str, ...] = ()
    language: str = ""


def personal(settings: PersonSettings, changes: Mapping[str, str], ground: Ground) -> PersonSettings | Problem:
    """The settings after all `changes`, or the first thing that is wrong with them."""
    return _applied(settings, changes, ground, _PERSONAL)


def of_place(settings: PlaceSettings, changes: Mapping[str, str], ground: Ground) -> PlaceSettings | Problem:
    """The settings after all `changes`, or the first thing that is wrong with them."""
    return _applied(settings, changes, ground, _OF_PLACE)


def loosened(settings: PlaceSettings, policy: safety.Policy) -> tuple[str, ...]:
    """The categories about which the settings say less than the preset that is in force where anybody may be."""
    house = safety.House(settings.preset, overrides=settings.overrides)
    rows = policy.presets.get(house.among(policy.presets), {})
    return tuple(
        category
        for category, word in settings.overrides
        if any(
            house.ruled(part, row).ruling is not safety.OVERRIDES[word]
            for part, row in rows.items()
            if part == category or (part.partition("-")[0] == category and part not in dict(settings.overrides))
        )
    )


def _applied(
    settings: Settings, changes: Mapping[str, str], ground: Ground, parsers: Mapping[str, Parser]
) -> Settings | Problem:
    names = tuple(parsers)
    for key, text in changes.items():
        parser = parsers.get(key)
        if parser is None:
            return Problem(answers.unknown_setting(specs.clean(key), menu.nearest(key, names), names))
        fields = parser(specs.clean(text), settings, ground)
        if isinstance(fields, Problem):
            return fields
        settings = replace(settings, **fields)
    return settings


# --- single values ---


def _choice(name: str, choices: Sequence[str]) -> Parser:
    def parse(text: str, _now: Any, _ground: Ground) -> Fields | Problem:
        word = text.casefold()
        if word not in choices:
            return Problem(answers.not_one_of(name, text, choices))
        return {name: "" if word == DEFAULT else word}

    return parse


def _switch(name: str) -> Parser:
    def parse(text: str, _now: Any, _ground: Ground) -> Fields | Problem:
        word = text.casefold()
        if word not in _ON | _OFF:
            return Problem(answers.not_one_of(name, text, SWITCH))
        return {name: word in _ON}

    return parse


def _most(name: str, low: int, high: Callable[[LimitsConfig], int]) -> Parser:
    """A whole number that narrows what the operator allows, or default."""

    def parse(text: str, now: Any, ground: Ground) -> Fields | Problem:
        return _whole(name, name, Range(low, high(ground.limits)))(text, now, ground)

    return parse


def _size(text: str, _now: Any, ground: Ground) -> Fields | Problem:
    """A size that the default model makes, so that a wish without one does not fail."""
    if text.casefold() == DEFAULT:
        return {"width": None, "height": None}
    size = typed.size_of(text)
    if size is None:
        return Problem(answers.not_a_size(text))
    trial = Wish("trial", width=size[0], height=size[1])
    spec = specs.resolve(trial, ground.models, ground.default_model, ground.limits, lambda: 0)
    return spec if isinstance(spec, Problem) else {"width": spec.width, "height": spec.height}


def _model(text: str, _now: Any, ground: Ground) -> Fields | Problem:
    if text.casefold() == DEFAULT:
        return {"model": ""}
    spec = specs.resolve(
        Wish("trial", model=text or DEFAULT), ground.models, ground.default_model, ground.limits, lambda: 0
    )
    return spec if isinstance(spec, Problem) else {"model": spec.model}


def _whole(name: str, field: str, allowed: Range) -> Parser:
    """A whole number, or default."""

    def parse(text: str, _now: Any, _ground: Ground) -> Fields | Problem:
        if text.casefold() == DEFAULT:
            return {field: None}
        number = typed.whole(text)
        if number is None or number not in allowed:
            return Problem(answers.not_within(name, text, allowed.low, allowed.high))
        return {field: number}

    return parse


def _budget(text: str, _now: Any, _ground: Ground) -> Fields | Problem:
    if text.casefold() == DEFAULT:
        return {"budget": None}
    number = typed.number(text)
    if number is None or not 0 <= number <= MOST_CREDITS:
        return Problem(answers.not_within("budget", text, 0, MOST_CREDITS))
    return {"budget": round(number * MILLI)}


def _quiet(text: str, _now: Any, _ground: Ground) -> Fields | Problem:
    if _empties(text):
        return {"quiet": ""}
    hours = quiet.parse(text)
    return Problem(answers.not_quiet(text)) if hours is None else {"quiet": str(hours)}


def _desk(text: str, _now: Any, ground: Ground) -> Fields | Problem:
    """A channel or topic of its own: where everybody talks, everybody would read what moderators are to judge."""
    if _empties(text):
        return {"desk": "", "desk_language": ""}
    found = _id_of(text, "desk", ground)
    if found == _NO_ID:
        return Problem(answers.not_a_desk(text))
    return {"desk": found, "desk_language": ground.language} if found else Problem(answers.no_desk_here())


def _credits(text: str, _now: Any, ground: Ground) -> Fields | Problem:
    if text.casefold() == DEFAULT:
        return {"credits": None}
    credits = _thousandths(text, ground)  # noqa: A001
    return Problem(_not_credits("credits", text, ground)) if credits is None else {"credits": credits}


def _thousandths(text: str, ground: Ground) -> int | None:
    """Credits of "2.5" standard clips; None: no number, or more than the operator gives anybody."""
    number = typed.number(text)
    if number is None or not math.isfinite(number) or not 0 <= number * MILLI <= ground.credits:
        return None
    return round(number * MILLI)


def _not_credits(name: str, text: str, ground: Ground) -> str:
    return answers.not_within(name, text, 0, ground.credits / MILLI)


# --- lists ---


@dataclass(frozen=True, slots=True)
class _Piece:
    """One piece of a list: what stands there, and whether it is to be added (+), removed (-) or just stands there."""

    sign: str
    text: str


def _pieces(text: str, separators: str) -> list[_Piece]:
    found = [piece.strip() for piece in re.split(separators, text)]
    return [_Piece(piece[0], piece[1:].strip()) if piece[0] in "+-" else _Piece("", piece) for piece in found if piece]


def _edited(before: tuple[str, ...], pieces: Sequence[_Piece]) -> tuple[str, ...]:
    """Without any sign the pieces replace what was there, each once, in their order."""
    kept = dict.fromkeys(before if any(piece.sign for piece in pieces) else ())
    for piece in pieces:
        if piece.sign == "-":
            kept.pop(piece.text, None)
        else:
            kept[piece.text] = None
    return tuple(kept)


def _empties(text: str) -> bool:
    return text.casefold() in _EMPTYING


def _ids(name: str, field: str) -> Parser:
    """A list of a platform's own ids."""

    def parse(text: str, now: Any, ground: Ground) -> Fields | Problem:
        if _empties(text):
            return {field: ()}
        pieces = _pieces(text, r"[\s,;]+")
        found = [_Piece(piece.sign, _id_of(piece.text, name, ground)) for piece in pieces]
        if not found or any(piece.text == _NO_ID for piece in found):
            return Problem(answers.not_ids(name, text))
        edited = _edited(getattr(now, field), found)
        return {field: edited} if len(edited) <= MOST_ENTRIES else Problem(answers.too_many(name, MOST_ENTRIES))

    return parse


_NO_ID = "?"


def _id_of(text: str, name: str, ground: Ground) -> str:
    """The id itself; "here" is where the change is made, which on some platforms has the empty id."""
    if name in {"channels", "desk"} and text.casefold() == HERE:
        return ground.thread
    found = _ID.fullmatch(text)
    return found.group(1) or found.group(2) if found else _NO_ID


def _roles(text: str, now: PlaceSettings, ground: Ground) -> Fields | Problem:
    """`1234=50` gives a role 50 standard clips, `-1234` takes that back."""
    if _empties(text):
        return {"roles": ()}
    pieces = _pieces(text, r"[\s,;]+")
    roles = dict(now.roles if any(piece.sign for piece in pieces) else ())
    for piece in pieces:
        role, _, amount = piece.text.partition("=")
        role_id = _id_of(role, "roles", ground)
        if role_id == _NO_ID or (not amount and piece.sign != "-"):
            return Problem(answers.not_roles(text))
        if piece.sign == "-":
            roles.pop(role_id, None)
            continue
        credits = _thousandths(amount, ground)  # noqa: A001
        if credits is None:
            return Problem(_not_credits("roles", amount, ground))
        roles[role_id] = credits
    if not pieces:
        return Problem(answers.not_roles(text))
    return (
        {"roles": tuple(roles.items())}
        if len(roles) <= MOST_ENTRIES
        else Problem(answers.too_many("roles", MOST_ENTRIES))
    )


def _words(text: str, now: PlaceSettings, _ground: Ground) -> Fields | Problem:
    """Words and phrases, separated by commas."""
    if _empties(text):
        return {"words": ()}
    pieces = [_Piece(piece.sign, piece.text.casefold()) for piece in _pieces(text, r"[,;]+")]
    if not pieces or any(len(piece.text) not in WORD_CHARS for piece in pieces):
        return Problem(answers.not_words(WORD_CHARS.low, WORD_CHARS.high))
    edited = _edited(now.words, pieces)
    return {"words": edited} if len(edited) <= MOST_ENTRIES else Problem(answers.too_many("words", MOST_ENTRIES))


def _overrides(text: str, now: PlaceSettings, ground: Ground) -> Fields | Problem:
    """`P5=refuse` rules about a category, `-P5` leaves that to the preset again."""
    if _empties(text):
        return {"overrides": ()}
    pieces = _pieces(text, r"[\s,;]+")
    named = {category.casefold(): category for category in ground.categories}
    rulings = dict(now.overrides if any(piece.sign for piece in pieces) else ())
    for piece in pieces:
        written, _, ruling = piece.text.casefold().partition("=")
        category = named.get(written)
        if category is None and written.startswith("c"):
            return Problem(answers.never_loosened(ground.categories))
        if category is None or (piece.sign != "-" and ruling not in safety.OVERRIDES):
            return Problem(answers.not_overrides(text, ground.categories, tuple(safety.OVERRIDES)))
        if piece.sign == "-":
            rulings.pop(category, None)
        else:
            rulings[category] = ruling
    if not pieces:
        return Problem(answers.not_overrides(text, ground.categories, tuple(safety.OVERRIDES)))
    return {"overrides": tuple(rulings.items())}


_PERSONAL: Mapping[str, Parser] = {
    "format": _choice("format", (*FORMATS, DEFAULT)),
    "size": _size,
    "notify": _switch("notify"),
}
_OF_PLACE: Mapping[str, Parser] = {
    "channels": _ids("channels", "threads"),
    "model": _model,
    "format": _choice("format", (*FORMATS, DEFAULT)),
    "steps": _most("steps", 1, lambda limits: limits.steps),
    "frames": _most("frames", 1, lambda limits: limits.frames),
    "side": _most("side", SMALLEST_SIDE, lambda limits: limits.side),
    "credits": _credits,
    "roles": _roles,
    "moderators": _ids("moderators", "moderators"),
    "spoiler": _switch("spoiler"),
    "preset": _choice("preset", PRESETS),
    "words": _words,
    "overrides": _overrides,
    "budget": _budget,
    "quiet": _quiet,
    "others": _choice("others", WHO),
    "reporters": _whole("reporters", "reporters", REPORTERS),
    "desk": _desk,
    "keep": _whole("keep", "keep_days", KEEP_DAYS),
}
