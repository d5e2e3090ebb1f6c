"""The rules applied to everything that a person wrote; the gravest ruling decides. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from bot.safety.entries import Entry
from bot.safety.lexicon import Hit, Lexicon, lists_of
from bot.safety.policy import CONTINUING, FIRST_NAMES, FULL_NAME, NEVER, POLICIES, REFUSE, Bound, Policy, Row
from bot.safety.views import views, words_of
from db.records import Ruling, Verdict

GENERAL, ADULT = "general", "adult-channel"
PLACE_WORD = "place.word"  # the rule id of a word that one place does not want
OWN_WORD = "operator.word"
OWN_REASON, PLACE_REASON = "a word the operator does not want", "a word this place does not want"
PLACE_ALLOWED = "place.allowed"  # of a prompt that the moderators of one place found harmless
OVERRIDES: Mapping[str, Ruling] = {  # what a place may say about a category, as its moderators write it
    "allow": Ruling.ALLOWED,
    "label": Ruling.LABELLED,
    "hold": Ruling.HELD,
    "refuse": Ruling.REFUSED,
}

_GRAVITY = {Ruling.ALLOWED: 0, Ruling.LABELLED: 1, Ruling.HELD: 2, Ruling.REFUSED: 3}
_READINGS = 3  # of words that may stand for several
_BRIEF = 5  # words: so short a prompt after another one goes on from it
_NAME = re.compile(r"\b([A-Z][\w’'-]+)\s+(?:[A-Z]\.?\s+)?([A-Z][\w’'-]+)")


@dataclass(frozen=True, slots=True)
class Writing:
    """Everything a person wrote for one clip.

    `earlier` are the prompts it goes on from: of the clips it is made from, and the last few of the same asker, oldest
    first. `names` are other words that come with it: styles, file names, captions of a source.
    """

    prompt: str
    negative: str = ""
    earlier: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class House:
    """What a place has chosen: a preset of the policy, words of its own, which only ever tighten, rulings by category,
    and prompts that its moderators found harmless.

    The preset for adults counts where the platform says that the place is for adults alone. `overrides` are (category,
    ruling as in OVERRIDES) for P1 to P9 or a part of one ("P6-shown"), which wins; a tighter ruling always counts, a
    looser one where the place is for adults alone. `allowed` are whole prompts, clean and in folded case: the rulings
    of P1 to P9 on them are lifted, nothing else is.
    """

    preset: str = GENERAL
    words: tuple[str, ...] = ()
    age_restricted: bool = False
    overrides: tuple[tuple[str, str], ...] = ()
    allowed: tuple[str, ...] = ()

    def among(self, presets: object) -> str:
        """The preset in force: the general one where this one may not be or is unknown."""
        known = isinstance(presets, dict) and self.preset in presets
        return self.preset if known and (self.age_restricted or self.preset != ADULT) else GENERAL

    def ruled(self, category: str, row: Row) -> Row:
        """What becomes of a preset's row here. What was refused and is loosened comes behind a spoiler."""
        said = dict(self.overrides)
        family = category.partition("-")[0]
        ruling = OVERRIDES.get(said.get(category, said.get(family, "")))
        if ruling is None or family not in POLICIES:
            return row
        if _GRAVITY[ruling] >= _GRAVITY[row.ruling]:
            return Row(ruling, row.spoiler)
        return Row(ruling, row.spoiler or row.ruling is Ruling.REFUSED) if self.age_restricted else row

    def allows(self, writing: Writing) -> bool:
        """Whether the moderators found this very prompt harmless; with names beside it, it is not the same any more."""
        return not writing.names and writing.prompt.casefold() in self.allowed


@dataclass(frozen=True, slots=True)
class Seen:
    """One view of a text: what stands in it (`hits`) and what of it no allowed phrase explains away (`left`)."""

    name: str
    words: str
    hits: tuple[Hit, ...]
    left: tuple[Hit, ...]

    def met(self, strict: bool) -> int:
        return lists_of(self.hits if strict else self.left)


@dataclass(frozen=True, slots=True)
class Reading:
    """All views of a text, and what is met in any of them."""

    seen: tuple[Seen, ...]
    signs: int = 0
    everything: int = field(init=False)
    unexplained: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "everything", lists_of(hit for view in self.seen for hit in view.hits) | self.signs)
        object.__setattr__(self, "unexplained", lists_of(hit for view in self.seen for hit in view.left) | self.signs)

    def met(self, strict: bool) -> int:
        return self.everything if strict else self.unexplained


@dataclass(frozen=True, slots=True)
class Met:
    """A rule that is met: what it asks for, and the view in which."""

    id: str
    category: str
    reason: str
    row: Row
    view: str


def judge(writing: Writing, policy: Policy, house: House = House()) -> Verdict:
    """What may become of a writing. The verdict names category, rules and view, never the words that matched."""
    found = list(_met(writing, policy, house))
    met = [rule for rule in found if rule.category not in POLICIES] if house.allows(writing) else found
    if not met:
        rules: tuple[str, ...] = (PLACE_ALLOWED,) if found else ()
        return Verdict(Ruling.ALLOWED, rules=rules, policy=policy.version)
    worst = max(met, key=lambda rule: (_GRAVITY[rule.row.ruling], rule.category in NEVER))  # of equals the first
    spoiler = worst.row.ruling is not Ruling.REFUSED and any(rule.row.spoiler for rule in met)
    if worst.row.ruling is Ruling.ALLOWED:
        worst = next((rule for rule in met if rule.row.spoiler), worst)
    rules = tuple(dict.fromkeys(rule.id for rule in met))
    return Verdict(worst.row.ruling, worst.category, worst.reason, rules, worst.view, policy.version, spoiler)


def read(text: str, policy: Policy) -> Reading:
    """Every view of a text, and what of the lists stands in each."""
    seen = []
    known: set[str] = set()
    for name, words in views(text, policy.emoji):
        hits, left = policy.lexicon.read(words)
        seen.append(Seen(name, words, tuple(hits), tuple(left)))
        seen.extend(_nearly(name, words, known, policy))
    if masked := " ".join(policy.slips.masked(text.casefold())):
        hits, left = policy.lexicon.read(f" {masked} ")
        seen.append(Seen("masked", f" {masked} ", tuple(hits), tuple(left)))
    return Reading(tuple(seen), _signs(text, policy))


def _nearly(name: str, words: str, known: set[str], policy: Policy) -> Iterator[Seen]:
    """The view with every word that is nearly one of the lists' replaced by it; each word is looked at once."""
    written = words.split()
    fresh = [word for word in written if word not in known]
    if not fresh:
        return
    known.update(fresh)
    meant = {word: list(policy.slips.of_word(word)) for word in fresh}
    if name.endswith("+spelled"):
        for word in fresh:
            meant[word] += filter(None, (" ".join(policy.slips.inside(word)),))
    pairs = [whole for one, other in pairwise(written) if (whole := policy.slips.of_pair(one, other))]
    for turn in range(min(_READINGS, max(map(len, meant.values())) or bool(pairs))):
        read_as = f" {' '.join([*(_turned(word, meant.get(word, ()), turn) for word in written), *pairs])} "
        hits, left = policy.lexicon.read(read_as)
        yield Seen(f"{name}+slips", read_as, tuple(hits), tuple(left))


def _turned(word: str, meanings: Sequence[str], turn: int) -> str:
    """What a word is read as in this turn: of few meanings the last one again."""
    return meanings[min(turn, len(meanings) - 1)] if meanings else word


def _signs(text: str, policy: Policy) -> int:
    """What can only be seen in the text as it was written: a first name before another capitalised word."""
    if FIRST_NAMES not in policy.bits:
        return 0
    for found in _NAME.finditer(text):
        hits, _ = policy.lexicon.read(words_of(found[1]))
        if lists_of(hits) & policy.bits[FIRST_NAMES]:
            return policy.bits[FULL_NAME]
    return 0


def _met(writing: Writing, policy: Policy, house: House) -> Iterator[Met]:
    """What is met, in the policy's order; then across earlier prompts; then the words of this place."""
    here = read("\n".join((writing.prompt, *writing.names)), policy)
    negative = read(writing.negative, policy).everything if writing.negative else 0
    rows = policy.presets.get(house.among(policy.presets), {})
    found = [rule for rule in policy.rules if _is_met(rule, here, negative)]
    for bound in found:
        yield Met(*_facts(bound), _row(bound, rows, house), _view(bound, here))
    if writing.earlier:
        yield from _across(writing, here, policy, {bound.rule.id for bound in found})
    yield from _words(here, policy, house)


def _is_met(bound: Bound, reading: Reading, negative: int) -> bool:
    rule = bound.rule
    met = reading.met(rule.strict)
    if not all(met & either for either in (*bound.all, *bound.anywhere)):
        return False
    if not all(negative & either for either in bound.negative) or _is_lifted(bound, reading):
        return False
    return not rule.within or any(_stand_close(bound, view) for view in reading.seen)


def _is_lifted(bound: Bound, reading: Reading) -> bool:
    met = reading.everything
    return bool(bound.unless & met) and not bound.despite & met and not bound.rule.strict


def _stand_close(bound: Bound, view: Seen) -> bool:
    """Whether one hit of each list stands within the rule's number of words."""
    hits = view.hits if bound.rule.strict else view.left
    groups = [[hit for hit in hits if hit.lists & either] for either in bound.all]
    return all(groups) and any(
        all(any(_width(first, hit, view.words) <= bound.rule.within for hit in group) for group in groups[1:])
        for first in groups[0]
    )


def _width(one: Hit, other: Hit, words: str) -> int:
    """How many words there are from the beginning of one to the end of the other, both counted."""
    return words.count(" ", min(one.start, other.start), max(one.end, other.end)) + 1


def _facts(bound: Bound) -> tuple[str, str, str]:
    return bound.rule.id, bound.rule.family, bound.rule.reason


def _row(bound: Bound, rows: object, house: House) -> Row:
    """What a rule means here: a C is refused unless it says held; a P is what the preset and then the place say, or
    graver."""
    rule = bound.rule
    if rule.family in NEVER:
        return Row(rule.ruling or Ruling.REFUSED)
    row = rows[rule.category] if isinstance(rows, dict) and rule.category in rows else Row(Ruling.REFUSED)
    row = house.ruled(rule.category, row)
    if rule.ruling and _GRAVITY[rule.ruling] > _GRAVITY[row.ruling]:
        return Row(rule.ruling, row.spoiler)
    return row


def _view(bound: Bound, reading: Reading) -> str:
    """The first view in which all of a rule is met, or those that meet it together."""
    strict = bound.rule.strict
    for view in reading.seen:
        if all((view.met(strict) | reading.signs) & either for either in (*bound.all, *bound.anywhere)):
            return view.name
    wanted = 0
    for either in (*bound.all, *bound.anywhere):
        wanted |= either
    return " & ".join(view.name for view in reading.seen if view.met(strict) & wanted)


# --- across earlier prompts ---


def _across(writing: Writing, here: Reading, policy: Policy, found: set[str]) -> Iterator[Met]:
    """Rules for what is never made, met by this prompt together with earlier ones, to which it must add something.

    It is refused where the prompt goes on from them; where it does not, two harmless wishes may stand side by side by
    chance, and a moderator looks.
    """
    before = read("\n".join(writing.earlier), policy)
    joined = read("\n".join((*writing.earlier, writing.prompt, *writing.names)), policy)
    goes_on = len(words_of(writing.prompt).split()) <= _BRIEF or bool(here.everything & policy.bits.get(CONTINUING, 0))
    for bound in policy.rules:
        if bound.rule.id in found or not bound.rule.across or bound.negative:
            continue
        if _is_met(bound, joined, 0) and not _is_met(bound, before, 0):
            yield Met(*_facts(bound), _row(bound, {}, House()) if goes_on else Row(Ruling.HELD), "earlier")


# --- words of a place, and of the operator ---


def _words(here: Reading, policy: Policy, house: House) -> Iterator[Met]:
    """Words that are refused by themselves."""
    if here.everything & policy.bits.get(REFUSE, 0):
        yield Met(OWN_WORD, "", OWN_REASON, Row(Ruling.REFUSED), "plain")
    if not house.words:
        return
    unwanted = _unwanted(house.words)
    for view in here.seen:
        if unwanted.read(view.words)[0]:
            yield Met(PLACE_WORD, "", PLACE_REASON, Row(Ruling.REFUSED), view.name)
            return


@lru_cache(maxsize=256)
def _unwanted(words: tuple[str, ...]) -> Lexicon:
    phrases = filter(None, (words_of(word).strip() for word in words))
    return Lexicon.of((Entry(((phrase,),), False, False), 1) for phrase in phrases)
