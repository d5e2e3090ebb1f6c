"""A policy: word lists, and rules about which of them may not come together. Data, read from TOML.

    version = "…"
    [lists]            a name for a list of words and phrases, compared as whole words
    [allow]            phrases that are harmless as a whole: they are taken out before the rules that heed them
    [[rules]]          id, category, ruling, reason; `all`: the lists that must each be met in the prompt,
                       `negative`: lists that must be met in the negative prompt, `unless`: lists that lift the rule,
                       `strict`: no allow phrase and no `unless` lifts it

A list may name another one as "@other".
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.safety.views import Tokens, tokens_of
from db.records import Ruling


class PolicyError(Exception):
    """A policy can't be used; the message says where and why."""


class Rule(BaseModel):
    """One rule, as it stands in the file. It says nothing about `allowed`: that is what no rule means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    category: str
    ruling: Ruling
    reason: str
    all: tuple[str, ...] = Field(min_length=1)
    negative: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    strict: bool = False


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    allow: tuple[str, ...]
    lists: dict[str, tuple[str, ...]]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Phrases by their first token, the longest first; the value says which lists each belongs to."""

    phrases: Mapping[str, tuple[tuple[Tokens, frozenset[str]], ...]]

    @classmethod
    def of(cls, lists: Mapping[str, Iterable[str]]) -> Lexicon:
        belongs: dict[Tokens, set[str]] = {}
        for name, phrases in lists.items():
            for phrase in phrases:
                belongs.setdefault(tokens_of(phrase), set()).add(name)
        by_first: dict[str, list[tuple[Tokens, frozenset[str]]]] = {}
        for tokens in sorted(belongs, key=len, reverse=True):
            by_first.setdefault(tokens[0], []).append((tokens, frozenset(belongs[tokens])))
        return cls({first: tuple(phrases) for first, phrases in by_first.items()})

    def met(self, tokens: Tokens) -> frozenset[str]:
        """The lists of which anything stands in `tokens`."""
        found: set[str] = set()
        for start, first in enumerate(tokens):
            for phrase, names in self.phrases.get(first, ()):
                if tokens[start : start + len(phrase)] == phrase:
                    found |= names
        return frozenset(found)

    def without(self, tokens: Tokens) -> Tokens:
        """`tokens` with every phrase of this lexicon taken out, the longest first; a gap keeps its neighbours apart."""
        kept: list[str] = []
        start = 0
        while start < len(tokens):
            size = self._longest_at(tokens, start)
            kept.append("" if size else tokens[start])
            start += size or 1
        return tuple(kept)

    def _longest_at(self, tokens: Tokens, start: int) -> int:
        candidates = self.phrases.get(tokens[start], ())
        return next((len(phrase) for phrase, _ in candidates if tokens[start : start + len(phrase)] == phrase), 0)


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy ready to judge by."""

    version: str
    rules: tuple[Rule, ...]
    lists: Lexicon
    allow: Lexicon


def parse_policy(text: str) -> Policy:
    """The policy of a TOML text. Raises PolicyError."""
    try:
        file = _File.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise PolicyError(f"The safety rules can't be read: {error}") from error
    _check(file)
    lists = {name: tuple(_expanded(name, file.lists, ())) for name in file.lists}
    return Policy(file.version, file.rules, Lexicon.of(lists), Lexicon.of({"allow": file.allow}))


def _check(file: _File) -> None:
    for rule in file.rules:
        missing = {*rule.all, *rule.negative, *rule.unless} - file.lists.keys()
        if missing:
            raise PolicyError(f"The safety rule {rule.id} names lists that do not exist: {', '.join(sorted(missing))}.")
    for phrase in (phrase for phrases in (file.allow, *file.lists.values()) for phrase in phrases):
        if not tokens_of(phrase):
            raise PolicyError(f"The safety rules hold an entry without a letter: {phrase!r}.")


def _expanded(name: str, lists: Mapping[str, tuple[str, ...]], above: tuple[str, ...]) -> Iterable[str]:
    if name in above or name not in lists:
        raise PolicyError(f"The list {name!r} of the safety rules does not exist or contains itself.")
    for entry in lists[name]:
        if entry.startswith("@"):
            yield from _expanded(entry[1:], lists, (*above, name))
        else:
            yield entry
