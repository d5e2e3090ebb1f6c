"""The settings of a place as fields of a form, and what was changed in it, in the words of /zsettings. Pure.

A field shows the value as it would be typed. What comes back is compared with what was shown, not with what holds by
then: two moderators who change different things at the same time both get what they wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot import menu, safety
from bot.cards import console as sentences
from bot.language import say
from bot.menu import DEFAULT, Option
from db.records import MILLI, PlaceSettings

NONE = "none"
EVERYWHERE = "all"
HERE = "here"
_HERE = re.compile(rf"(?<!\w){HERE}(?!\w)", re.IGNORECASE)
_LISTS = frozenset({"channels", "roles", "moderators", "words", "overrides"})


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `choices` are (value, label) where there are any."""

    name: str
    label: str
    about: str
    value: str
    choices: tuple[tuple[str, str], ...] = ()


def fields(settings: PlaceSettings) -> tuple[Field, ...]:
    """Every setting of a place but the rulings by category."""
    found = menu.find("settings", moderators=True)
    options = found.options if found else ()
    return tuple(_field(option, settings) for option in options if option.name != "overrides")


def categories(policy: safety.Policy) -> tuple[str, ...]:
    """What a place may judge otherwise: every row of the policy's presets."""
    return tuple(sorted({name for rows in policy.presets.values() for name in rows}))


def rulings(settings: PlaceSettings, switchable: Sequence[str]) -> tuple[Field, ...]:
    """For every category that a place may judge otherwise, what it says."""
    given = dict(settings.overrides)
    words = ((typed, sentences.ruling(ruling)) for typed, ruling in safety.OVERRIDES.items())
    choices = (("", sentences.as_preset()), *words)
    return tuple(Field(name, sentences.ruled(name), name, given.get(name, ""), choices) for name in switchable)


def changes(posted: Mapping[str, str], switchable: Sequence[str]) -> dict[str, str]:
    """What is to be changed, by option. The form says `NAME` and what it showed as `was NAME`."""
    found = menu.find("settings", moderators=True)
    names = [option.name for option in (found.options if found else ())]
    changed = {name: _typed(name, posted[name]) for name in names if _is_changed(posted, name)}
    ruled = [category for category in switchable if _is_changed(posted, category)]
    if ruled:
        changed["overrides"] = _overrides(posted, ruled)
    return changed


def names_here(changed: Mapping[str, str], posted: Mapping[str, str]) -> bool:
    """Whether somebody means the channel they are in: on a page there is none, unless one was shown under that name."""
    names = ("channels", "desk")
    return any(
        _HERE.search(changed.get(name, "")) and not _HERE.search(posted.get(f"was {name}", "")) for name in names
    )


def _is_changed(posted: Mapping[str, str], name: str) -> bool:
    return name in posted and posted[name].strip() != posted.get(f"was {name}", "").strip()


def _typed(name: str, text: str) -> str:
    """An emptied field takes the setting back."""
    return text.strip() or (NONE if name in _LISTS or name in {"quiet", "desk"} else DEFAULT)


def _overrides(posted: Mapping[str, str], changed: Sequence[str]) -> str:
    """Only what was changed, so that what another moderator changed meanwhile stays."""
    return " ".join(f"+{name}={posted[name].strip()}" if posted[name].strip() else f"-{name}" for name in changed)


def _field(option: Option, settings: PlaceSettings) -> Field:
    shown = _SHOWN.get(option.name)
    value = shown(settings) if shown else ""
    choices = tuple((choice, sentences.choice(choice)) for choice in option.choices)
    return Field(option.name, sentences.setting(option.name), say(option.description), value, choices)


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _credits(value: int | None) -> str:
    return "" if value is None else f"{value / MILLI:g}"


def _switch(on: bool) -> str:
    return menu.SWITCH[0] if on else menu.SWITCH[1]


_SHOWN: Mapping[str, Callable[[PlaceSettings], str]] = {
    "channels": lambda now: ", ".join(thread or HERE for thread in now.threads),  # the main one has the empty id
    "model": lambda now: now.model,
    "format": lambda now: now.format or DEFAULT,
    "steps": lambda now: _number(now.steps),
    "frames": lambda now: _number(now.frames),
    "side": lambda now: _number(now.side),
    "credits": lambda now: _credits(now.credits),
    "roles": lambda now: ", ".join(f"{role}={_credits(amount)}" for role, amount in now.roles),
    "moderators": lambda now: ", ".join(now.moderators),
    "spoiler": lambda now: _switch(now.spoiler),
    "preset": lambda now: now.preset,
    "words": lambda now: ", ".join(now.words),
    "budget": lambda now: _credits(now.budget),
    "quiet": lambda now: now.quiet,
    "others": lambda now: now.others,
    "reporters": lambda now: _number(now.reporters),
    "desk": lambda now: now.desk,
    "keep": lambda now: _number(now.keep_days),
}
