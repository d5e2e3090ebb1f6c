"""A policy: word lists, and rules about which of them may not come together. Data, read from a folder of files.

    NAME.toml    any of the keys below; files add up, and a list may be spread over several of them
    LIST.txt     one entry a line, for the list LIST (or for `allow`, `guard`); after "#" it is a remark

    version = "…"          said once
    allow = […]            entries that are harmless as a whole: they take their words away before the rules read on
    fuzzy = […]            names of lists whose words of six letters or more are also met with one slip of typing
    guard = […]            ordinary words that must not be read as such a slip, and pairs of them ("be heading") that
                           must not be read as a word in two parts; `scripts/make_guard.py` finds them
    [lists]                NAME = [entries], compared as whole words; `entries.py` explains the notation
    [irregular]            WORD = [its inflected forms]
    [emoji]                "…" = "words it is read as", besides its name in Unicode
    [presets.NAME]         P1 = "refused" | "labelled" | "allowed" | "held", and " spoiler" after it
                           C1 to C6 stand in no preset: they are refused in all of them

    [[rules]]
    id = "C4.recorded-atrocity"
    category = "C4"                       C1 … C6, P1 … P9; a part of one with its own row in the presets: "P6-shown"
    reason = "…"                          for moderators
    all = ["recording", "atrocity|war"]   lists that must each be met; "a|b": either of them
    anywhere = ["places|groups"]          lists that must each be met too, however far away
    unless = ["fiction"]                  lists of which any one lifts the rule
    despite = ["depicting"]               lists of which any one keeps it from being lifted
    negative = ["grown_up"]               lists that must each be met in the negative prompt
    within = 8                            all of it within so many words (0, the default: anywhere)
    strict = true                         no allowed phrase explains it away (and nothing lifts it)
    ruling = "held"                       instead of "refused" for a C; for a P at least this, whatever the preset says
    earlier = false                       not read across the asker's earlier prompts (a C is, by default)

The gravest ruling decides; of equals the first rule, in the order of file names, then as they stand in the file.

The engine knows these lists by name: `first_names` (before a capitalised word they make the sign `full_name`, which
rules name like a list), `continuing` (words by which a prompt goes on from an earlier one: "now", "the same").
An operator's folder holds the same kind of files, with `[lists]` (they add to the lists above), `allow`, and `refuse`
(entries that are refused in every place).
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.errors import BotError
from bot.safety.entries import Entry, EntryError, entry_of
from bot.safety.lexicon import Lexicon
from bot.safety.slips import Slips
from bot.safety.views import words_of
from db.records import Ruling

CONTINUING, FIRST_NAMES, FULL_NAME, REFUSE = "continuing", "first_names", "full_name", "refuse"
NEVER = frozenset({"C1", "C2", "C3", "C4", "C5", "C6"})
POLICIES = frozenset({f"P{number}" for number in range(1, 10)})

Files = Mapping[str, str]  # texts by file name


class PolicyError(BotError):
    """A policy can't be used; the message says where and why."""


class Rule(BaseModel):
    """One rule, as it stands in the file. It says nothing about `allowed`: that is what no rule means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    category: str
    reason: str
    all: tuple[str, ...] = Field(min_length=1)
    anywhere: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    despite: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    within: int = Field(0, ge=0)
    strict: bool = False
    ruling: Ruling | None = None
    earlier: bool = True

    @property
    def family(self) -> str:
        """The category without its part: "P6" of "P6-shown"."""
        return self.category.partition("-")[0]

    @property
    def named(self) -> tuple[str, ...]:
        """Everything in it that names lists."""
        return (*self.all, *self.anywhere, *self.unless, *self.despite, *self.negative)

    @property
    def across(self) -> bool:
        """Whether it is read across earlier prompts."""
        return self.earlier and self.family in NEVER


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = ""
    allow: tuple[str, ...] = ()
    fuzzy: tuple[str, ...] = ()
    guard: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()
    lists: dict[str, tuple[str, ...]] = {}
    irregular: dict[str, tuple[str, ...]] = {}
    emoji: dict[str, str] = {}
    presets: dict[str, dict[str, str]] = {}
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """What a preset does about one category."""

    ruling: Ruling
    spoiler: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """A rule with its lists as bits: each of `all` and `anywhere` must be met by any of its bits."""

    rule: Rule
    all: tuple[int, ...]
    anywhere: tuple[int, ...]
    unless: int
    despite: int
    negative: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy ready to judge by. `bits` are the lists by name."""

    version: str
    rules: tuple[Bound, ...]
    presets: Mapping[str, Mapping[str, Row]]
    lexicon: Lexicon
    slips: Slips
    emoji: Mapping[str, str]
    bits: Mapping[str, int]

    def __repr__(self) -> str:
        """Its version alone: the lists fill megabytes, and whatever holds a policy is printed together with it."""
        return f"{type(self).__name__}({self.version!r})"


def parse_policy(files: Files, extra: Files | None = None) -> Policy:
    """The policy of `files`, with an operator's `extra` files added. Raises PolicyError."""
    whole = _merged([_read(name, text) for name, text in sorted(files.items())])
    added = _merged([_read(name, text) for name, text in sorted((extra or {}).items())])
    if strange := added.lists.keys() - whole.lists.keys():
        raise PolicyError(f"There are no safety lists {_named(strange)} to add to; see the names in the policy.")
    lists = {name: entries + added.lists.get(name, ()) for name, entries in whole.lists.items()}
    whole = whole.model_copy(
        update={"lists": lists | {REFUSE: added.refuse}, "allow": whole.allow + added.allow},
    )
    return _built(whole, _version(whole.version, files, extra or {}))


def _version(said: str, files: Files, extra: Files) -> str:
    """What is said, and a short hash over everything that decides."""
    content = repr((sorted(files.items()), sorted(extra.items())))
    return f"{said}+{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def _read(name: str, text: str) -> _File:
    path = PurePath(name)
    try:
        if path.suffix == ".txt":
            return _of_lines(path.stem, text)
        return _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"The safety rules in {name} are not valid TOML ({error}); correct that place.") from error
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise PolicyError(f"The safety rules in {name} can't be used: {place}: {problem['msg']}.") from error


def _of_lines(name: str, text: str) -> _File:
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    entries = tuple(line for line in lines if line)
    if name in {"allow", "guard", REFUSE}:
        return _File.model_validate({name: entries})
    return _File(lists={name: entries})


def _merged(files: list[_File]) -> _File:
    lists: dict[str, tuple[str, ...]] = {}
    for file in files:
        for name, entries in file.lists.items():
            lists[name] = lists.get(name, ()) + entries
    return _File(
        version=next((file.version for file in files if file.version), ""),
        allow=_all(file.allow for file in files),
        fuzzy=_all(file.fuzzy for file in files),
        guard=_all(file.guard for file in files),
        refuse=_all(file.refuse for file in files),
        lists=lists,
        irregular={word: forms for file in files for word, forms in file.irregular.items()},
        emoji={sign: words for file in files for sign, words in file.emoji.items()},
        presets={name: table for file in files for name, table in file.presets.items()},
        rules=tuple(rule for file in files for rule in file.rules),
    )


def _all(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(entry for part in parts for entry in part)


def _built(file: _File, version: str) -> Policy:
    bits = {name: 1 << place for place, name in enumerate((FULL_NAME, *file.lists))}
    presets = {name: _rows(name, table) for name, table in file.presets.items()}
    _check(file, bits.keys(), presets)
    lists = {name: tuple(_entries(name, file)) for name in file.lists}
    allow = [_entry(text, file) for text in file.allow]
    lexicon = Lexicon.of(((entry, bits[name]) for name, entries in lists.items() for entry in entries), allow)
    core = {word for name in file.fuzzy for entry in lists[name] for word in entry.words()}
    vocabulary = frozenset(word for entries in lists.values() for entry in entries for word in entry.words())
    guard = {words_of(word).strip() for word in file.guard}
    ordinary = frozenset(guard.union(*(entry.words() for entry in allow)))
    return Policy(
        version,
        tuple(_bound(rule, bits) for rule in file.rules),
        presets,
        lexicon,
        Slips.of(core, lexicon.words, vocabulary, ordinary),
        file.emoji,
        bits,
    )


def _entries(name: str, file: _File, above: tuple[str, ...] = ()) -> Iterator[Entry]:
    if name in above or name not in file.lists:
        raise PolicyError(f"The list {name!r} of the safety rules does not exist or contains itself.")
    for text in file.lists[name]:
        if text.startswith("@"):
            yield from _entries(text[1:], file, (*above, name))
        else:
            yield _entry(text, file)


def _entry(text: str, file: _File) -> Entry:
    try:
        return entry_of(text, file.irregular)
    except EntryError as error:
        raise PolicyError(f"The safety rules hold an entry that can't be used: {error}.") from error


def _bound(rule: Rule, bits: Mapping[str, int]) -> Bound:
    return Bound(
        rule,
        tuple(_any_of(names, bits) for names in rule.all),
        tuple(_any_of(names, bits) for names in rule.anywhere),
        _any_of("|".join(rule.unless), bits) if rule.unless else 0,
        _any_of("|".join(rule.despite), bits) if rule.despite else 0,
        tuple(_any_of(names, bits) for names in rule.negative),
    )


def _any_of(names: str, bits: Mapping[str, int]) -> int:
    met = 0
    for name in names.split("|"):
        met |= bits[name]
    return met


def _rows(preset: str, table: Mapping[str, str]) -> dict[str, Row]:
    rows = {}
    for category, words in table.items():
        ruling, _, spoiler = words.partition(" ")
        if category.partition("-")[0] not in POLICIES:
            raise PolicyError(f"The preset {preset} decides about {category}; it may decide about P1 to P9 alone.")
        if ruling not in set(Ruling) or spoiler not in {"", "spoiler"}:
            raise PolicyError(f"The preset {preset} says {words!r} about {category}; say refused, labelled or allowed.")
        rows[category] = Row(Ruling(ruling), bool(spoiler))
    return rows


def _check(file: _File, names: Iterable[str], presets: Mapping[str, Mapping[str, Row]]) -> None:
    known = frozenset(names)
    for rule in file.rules:
        named = {name for group in rule.named for name in group.split("|")}
        if missing := named - known:
            raise PolicyError(f"The safety rule {rule.id} names lists that do not exist: {_named(missing)}.")
        if rule.family not in NEVER | POLICIES:
            raise PolicyError(f"The safety rule {rule.id} has no category: {rule.category}.")
        undecided = {name for name, rows in presets.items() if rule.category not in rows}
        if rule.family in POLICIES and (undecided or not presets):
            raise PolicyError(
                f"No preset row says what {rule.category} of the rule {rule.id} means: {_named(undecided)}."
            )
    if missing := {*file.fuzzy} - known:
        raise PolicyError(f"`fuzzy` names lists that do not exist: {_named(missing)}.")


def _named(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
