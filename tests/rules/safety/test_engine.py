"""How rules, presets, contexts and earlier prompts make a verdict, on a small policy of the tests' own."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.safety import House, Policy, PolicyError, Writing, built_in_policy, judge, parse_policy
from bot.safety.explaining import explain
from db.records import Ruling, Verdict

RULES = """
version = "test"
allow = ["naked mole rat~", "photo shoot~", "massacre of pies"]
fuzzy = ["atrocity"]
guard = ["massage", "mass acre"]

[lists]
minor = ["child~", "<1-17> year old"]
sexual = ["naked", "nude~"]
clothed = ["clothes"]
atrocity = ["massacre~", "mass grave~", "@attack"]
attack = ["bombing"]
recording = ["phone footage", "cctv"]
place = ["paris", "kyiv"]
fiction = ["lego"]
gore = ["guts"]
gun = ["gun~"]
forging = ["3d print~"]
buying = ["buy"]
real = ["working"]
person = ["greta garbo"]
first_names = ["emma"]
continuing = ["now", "the same"]

[irregular]
child = ["children"]

[emoji]
"\U0001f476" = "child"

[presets.family]
P1 = "refused"
P2 = "refused"
P3 = "refused"
P6 = "refused"
P6-shown = "refused"
P5 = "refused"
P9 = "labelled"

[presets.general]
P1 = "refused"
P2 = "refused"
P3 = "allowed"
P5 = "labelled"
P6 = "refused"
P6-shown = "allowed"
P9 = "labelled"

[presets.adult-channel]
P1 = "allowed spoiler"
P2 = "labelled spoiler"
P3 = "allowed"
P5 = "labelled"
P6 = "refused"
P6-shown = "allowed"
P9 = "labelled"

[[rules]]
id = "C1.both"
category = "C1"
reason = "young and sexual"
all = ["minor", "sexual"]
strict = true

[[rules]]
id = "C1.undressed"
category = "C1"
reason = "clothes left out"
all = ["minor"]
negative = ["clothed"]
strict = true

[[rules]]
id = "C3.perhaps"
category = "C3"
reason = "somebody's name"
all = ["full_name", "sexual"]
strict = true
ruling = "held"

[[rules]]
id = "C4.recorded"
category = "C4"
reason = "recorded"
all = ["recording", "atrocity"]

[[rules]]
id = "C4.placed"
category = "C4"
reason = "placed"
all = ["atrocity", "place"]

[[rules]]
id = "P1.nude"
category = "P1"
reason = "nudity"
all = ["sexual"]

[[rules]]
id = "P2.gore"
category = "P2"
reason = "gore"
all = ["gore"]

[[rules]]
id = "P3.alone"
category = "P3"
reason = "violence"
all = ["atrocity"]
unless = ["fiction"]

[[rules]]
id = "P5.person"
category = "P5"
reason = "a public figure"
all = ["person"]

[[rules]]
id = "P6.making"
category = "P6"
reason = "making a weapon"
all = ["gun", "forging"]
within = 5

[[rules]]
id = "P6.bought-here"
category = "P6"
reason = "a weapon for sale"
all = ["gun", "buying"]
anywhere = ["place"]
within = 4
unless = ["fiction"]
despite = ["real"]

[[rules]]
id = "P6.shown"
category = "P6-shown"
reason = "a weapon"
all = ["gun"]

[[rules]]
id = "P9.recorded-place"
category = "P9"
reason = "passes for a recording"
all = ["recording", "place"]
"""
POLICY = parse_policy({"test.toml": RULES})
BUILT_IN = built_in_policy()
ADULT = House("adult-channel", age_restricted=True)


def said(prompt: str, house: House = House(), **rest: object) -> tuple[str, str]:  # noqa: B008
    verdict = judge(Writing(prompt, **rest), POLICY, house)  # type: ignore[arg-type]
    return verdict.ruling.value, verdict.category


# --- two contexts make a case ---


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a lighthouse", ("allowed", "")),
        ("a child riding a bike", ("allowed", "")),
        ("a naked child", ("refused", "C1")),
        ("a nude woman", ("refused", "P1")),
        ("phone footage of a cat", ("allowed", "")),
        ("phone footage of a massacre", ("refused", "C4")),
        ("a massacre in Paris", ("refused", "C4")),
        ("cctv of a cat in Paris", ("labelled", "P9")),
        ("a massacre", ("allowed", "P3")),
        ("a lego massacre", ("allowed", "")),
        ("a lego massacre in Paris", ("refused", "C4")),
        ("cctv of a lego massacre", ("refused", "C4")),
    ],
)
def test_two_contexts_make_a_case_and_fiction_softens_one_alone(prompt: str, expected: tuple[str, str]) -> None:
    assert said(prompt) == expected


def test_contexts_that_stand_in_different_disguises_are_put_together() -> None:
    assert said("a n4ked \U0001f476") == ("refused", "C1")


def test_words_too_far_apart_are_no_case_for_a_rule_that_wants_them_close() -> None:
    assert said("3d printing a working gun") == ("refused", "P6")
    assert said("a 3d printed vase beside the old wooden door, and a sheriff with a gun") == ("allowed", "P6")


# --- allowed phrases ---


@pytest.mark.parametrize(
    ("prompt", "refused"),
    [
        ("buy a gun", False),
        ("buy a gun, said a man who had been walking all day long in Paris", True),
        ("Paris: buy bread, then look for a gun", False),
        ("buy a gun in Paris, lego", False),
        ("buy a working gun in Paris, lego", True),
    ],
)
def test_a_context_may_stand_anywhere_and_what_lifts_a_rule_may_be_overruled(prompt: str, refused: bool) -> None:
    assert (said(prompt) == ("refused", "P6")) is refused


def test_an_allowed_phrase_takes_its_words_away_and_no_others() -> None:
    assert said("a naked mole rat") == ("allowed", "")
    assert said("naked mole rats and a nude") == ("refused", "P1")
    assert said("a massacre of pies in Paris") == ("allowed", "")


def test_a_strict_rule_reads_through_allowed_phrases() -> None:
    assert said("a child with a naked mole rat") == ("refused", "C1")


def test_an_allowed_phrase_does_not_take_a_longer_phrase_that_holds_it() -> None:
    policy = parse_policy({"a.toml": RULES.replace('["guts"]', '["photo shoot massacre"]')})
    assert judge(Writing("a photo shoot massacre"), policy).category == "P2"


# --- presets ---


@pytest.mark.parametrize(
    ("house", "prompt", "expected", "spoiler"),
    [
        (House("family"), "a massacre", ("refused", "P3"), False),
        (House("family"), "greta garbo", ("refused", "P5"), False),
        (House("general"), "greta garbo", ("labelled", "P5"), False),
        (House("general"), "a nude woman", ("refused", "P1"), False),
        (ADULT, "a nude woman", ("allowed", "P1"), True),
        (ADULT, "guts", ("labelled", "P2"), True),
        (ADULT, "nude, guts, greta garbo", ("labelled", "P2"), True),
        (ADULT, "a lighthouse", ("allowed", ""), False),
        (House("adult-channel"), "a nude woman", ("refused", "P1"), False),
        (House("no such preset"), "a nude woman", ("refused", "P1"), False),
        (House("family"), "a gun", ("refused", "P6"), False),
        (House("general"), "a gun", ("allowed", "P6"), False),
    ],
)
def test_a_preset_decides_about_policies(house: House, prompt: str, expected: tuple[str, str], spoiler: bool) -> None:
    verdict = judge(Writing(prompt), POLICY, house)
    assert ((verdict.ruling.value, verdict.category), verdict.spoiler) == (expected, spoiler)


@pytest.mark.parametrize("house", [House("family"), House(), ADULT])
@pytest.mark.parametrize("prompt", ["a naked child", "cctv of a massacre"])
def test_no_preset_loosens_what_is_never_made(house: House, prompt: str) -> None:
    verdict = judge(Writing(prompt), POLICY, house)
    assert (verdict.ruling, verdict.spoiler) == (Ruling.REFUSED, False)


def test_words_of_a_place_only_tighten() -> None:
    house = House(words=("Pineapple  Pizza!", "..."))
    assert said("a p1neapple-pizza", house) == ("refused", "")
    assert judge(Writing("pineapple pizza"), POLICY, house).rules == ("place.word",)
    assert said("a pineapple", house) == ("allowed", "")
    assert said("a naked child", House(words=("child",))) == ("refused", "C1")


def test_an_operator_adds_to_lists_and_refuses_words() -> None:
    policy = parse_policy({"test.toml": RULES}, {"place.txt": "atlantis  # sunk\n", "own.toml": 'refuse = ["durian~"]'})
    assert judge(Writing("a massacre in atlantis"), policy).category == "C4"
    assert judge(Writing("two durians"), policy).rules == ("operator.word",)
    assert policy.version.startswith("test+")
    assert policy.version != POLICY.version


# --- what the moderators of a place decide ---


def grown_up(*overrides: tuple[str, str], preset: str = "general") -> House:
    return House(preset, age_restricted=True, overrides=overrides)


@pytest.mark.parametrize(
    ("house", "prompt", "expected", "spoiler"),
    [
        # tighter, in any place
        (House(overrides=(("P5", "refuse"),)), "greta garbo", ("refused", "P5"), False),
        (House(overrides=(("P5", "hold"),)), "greta garbo", ("held", "P5"), False),
        (House(overrides=(("P3", "label"),)), "a massacre", ("labelled", "P3"), False),
        (House("family", overrides=(("P3", "refuse"),)), "a massacre", ("refused", "P3"), False),
        (grown_up(("P2", "hold"), preset="adult-channel"), "guts", ("held", "P2"), True),
        # looser, only where a place is for adults alone
        (House(overrides=(("P5", "allow"),)), "greta garbo", ("labelled", "P5"), False),
        (House("family", overrides=(("P3", "allow"),)), "a massacre", ("refused", "P3"), False),
        (House("adult-channel", overrides=(("P1", "allow"),)), "a nude woman", ("refused", "P1"), False),
        (grown_up(("P5", "allow")), "greta garbo", ("allowed", "P5"), False),
        (grown_up(("P1", "allow")), "a nude woman", ("allowed", "P1"), True),
        (grown_up(("P2", "label")), "guts", ("labelled", "P2"), True),
        # a part of a category by its own name, or with the whole
        (House(overrides=(("P6", "refuse"),)), "a gun", ("refused", "P6"), False),
        (House(overrides=(("P6-shown", "label"), ("P6", "refuse"))), "a gun", ("labelled", "P6"), False),
        (House(overrides=(("P6-shown", "refuse"),)), "a nude woman", ("refused", "P1"), False),
        # one category says nothing about another, and what can't be understood says nothing at all
        (House(overrides=(("P4", "refuse"),)), "greta garbo", ("labelled", "P5"), False),
        (House(overrides=(("P5", "perhaps"),)), "greta garbo", ("labelled", "P5"), False),
        (House(overrides=(("P55", "refuse"), ("", "refuse"))), "greta garbo", ("labelled", "P5"), False),
    ],
)
def test_a_place_rules_by_category(house: House, prompt: str, expected: tuple[str, str], spoiler: bool) -> None:
    verdict = judge(Writing(prompt), POLICY, house)
    assert ((verdict.ruling.value, verdict.category), verdict.spoiler) == (expected, spoiler)


EVERYTHING = tuple((f"{kind}{number}", "allow") for kind in "CP" for number in range(1, 10))


@pytest.mark.parametrize("preset", ["family", "general", "adult-channel"])
@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a naked child", ("refused", "C1")),
        ("cctv of a massacre", ("refused", "C4")),
        ("Emma Thornfield, nude", ("held", "C3")),
    ],
)
def test_no_ruling_of_a_place_loosens_what_is_never_made(prompt: str, expected: tuple[str, str], preset: str) -> None:
    assert said(prompt, House(preset, age_restricted=True, overrides=EVERYTHING)) == expected
    assert said(prompt, House(preset, allowed=(prompt.casefold(),))) == expected


def test_a_rule_that_wants_a_look_is_not_loosened_below_it() -> None:
    wary = parse_policy({"test.toml": RULES.replace('category = "P5"', 'category = "P5"\nruling = "held"')})
    assert said("greta garbo", grown_up(("P5", "allow"))) == ("allowed", "P5")
    assert judge(Writing("greta garbo"), wary, grown_up(("P5", "allow"))).ruling is Ruling.HELD


GARBO = "Greta Garbo in the rain"


def test_a_prompt_that_moderators_found_harmless_is_made_there_as_it_is() -> None:
    house = House("family", allowed=("greta garbo in the rain", "a massacre of guts"))
    verdict = judge(Writing(GARBO), POLICY, house)
    assert (verdict.ruling, verdict.category, verdict.rules) == (Ruling.ALLOWED, "", ("place.allowed",))
    assert verdict.policy == POLICY.version
    assert said("a Massacre of guts", house) == ("allowed", "")
    assert judge(Writing("a lighthouse"), POLICY, House(allowed=("a lighthouse",))).rules == ()


@pytest.mark.parametrize("prompt", [f"{GARBO}, nude", "Greta Garbo", "Greta  Garbo in the rain", f"{GARBO}!"])
def test_other_words_than_those_that_were_found_harmless_are_judged(prompt: str) -> None:
    assert judge(Writing(prompt), POLICY, House("family", allowed=(GARBO.casefold(),))).ruling is Ruling.REFUSED


def test_what_stands_beside_a_harmless_prompt_is_judged() -> None:
    house = House(allowed=("a child", "a massacre", "greta garbo", "now as phone footage"))
    assert said("a child", house, negative="clothes, blurry") == ("refused", "C1")
    assert said("a child", house, names=("nude-v2.safetensors",)) == ("refused", "C1")
    assert said("greta garbo", house, names=("guts.safetensors",)) == ("refused", "P2")
    assert said("now as phone footage", house, earlier=("a massacre",)) == ("refused", "C4")


def test_a_harmless_prompt_is_still_refused_for_words_that_place_or_operator_do_not_want() -> None:
    garbo = GARBO.casefold()
    assert judge(Writing(GARBO), POLICY, House(words=("rain",), allowed=(garbo,))).rules == ("place.word",)
    policy = parse_policy({"test.toml": RULES}, {"own.toml": 'refuse = ["rain"]'})
    assert judge(Writing(GARBO), policy, House(allowed=(garbo,))).rules == ("operator.word",)


@given(st.text(max_size=60), st.sampled_from(["a naked child", "cctv of a massacre", "a massacre in paris", ""]))
def test_nothing_that_a_place_allows_changes_what_is_never_made(words: str, grave: str) -> None:
    prompt = f"{grave} {words}"
    without = judge(Writing(prompt), BUILT_IN)
    lax = judge(Writing(prompt), BUILT_IN, House("adult-channel", (), True, EVERYTHING, (prompt.casefold(),)))
    if without.category.startswith("C"):
        assert (lax.ruling, lax.category) == (without.ruling, without.category)
    else:
        assert lax.ruling is Ruling.ALLOWED or lax.category.startswith("C")


# --- everything that is written ---


def test_the_negative_prompt_is_context_and_no_reason_by_itself() -> None:
    assert said("a lighthouse", negative="nude, child, massacre in paris") == ("allowed", "")
    assert said("a child", negative="clothes, blurry") == ("refused", "C1")


def test_names_of_styles_and_files_are_read_with_the_prompt() -> None:
    assert said("a child", names=("nude-v2.safetensors",)) == ("refused", "C1")


def test_a_prompt_that_goes_on_from_an_earlier_one_is_read_with_it() -> None:
    assert said("now as phone footage with shaky hands", earlier=("a massacre",)) == ("refused", "C4")
    assert said("and naked", earlier=("a castle", "a child on a beach")) == ("refused", "C1")
    assert said("grave behind the village church at night", earlier=("cctv of a mass",)) == ("held", "C4")


def test_an_earlier_prompt_is_no_reason_by_itself() -> None:
    assert said("a lighthouse now", earlier=("a massacre in Paris", "a naked child")) == ("allowed", "")
    assert said("now a child on a swing", earlier=("a lighthouse",)) == ("allowed", "")


def test_two_harmless_wishes_side_by_side_are_looked_at_and_not_refused() -> None:
    wish = Writing("a massacre between two armies of orcs in the rain", earlier=("cctv of a cat",))
    assert judge(wish, POLICY).ruling is Ruling.HELD


def test_a_first_name_before_another_one_is_a_sign_of_a_person() -> None:
    assert said("Emma Thornfield, nude", ADULT) == ("held", "C3")
    assert said("Emma, nude", ADULT) == ("allowed", "P1")


# --- verdicts ---


def test_the_gravest_rule_decides_and_all_are_named() -> None:
    verdict = judge(Writing("cctv of a massacre in Paris with greta garbo"), POLICY)
    assert verdict.category == "C4"
    assert set(verdict.rules) == {"C4.recorded", "C4.placed", "P3.alone", "P5.person", "P9.recorded-place"}
    assert (verdict.reason, verdict.view, verdict.policy) == ("recorded", "plain", POLICY.version)


def test_a_verdict_never_holds_the_matched_words() -> None:
    verdict = judge(Writing("two durians"), parse_policy({"t.toml": RULES}, {"o.toml": 'refuse = ["durian~"]'}))
    assert "durian" not in repr(verdict)


def test_a_policy_is_printed_as_its_version_alone() -> None:
    assert repr(BUILT_IN) == f"Policy({BUILT_IN.version!r})"


def test_an_operator_is_shown_every_view_and_what_matched() -> None:
    views = {view.name: view for view in explain("a n4ked naked mole rat", POLICY)}
    assert views["plain"].words == "a n4ked naked mole rat"
    assert [(match.phrase, match.lists, match.explained) for match in views["plain"].matches] == [
        ("naked", ("sexual",), True)
    ]
    assert [match.explained for match in views["plain+leet"].matches] == [False, True]


@given(st.text(max_size=200), st.text(max_size=100), st.text(max_size=100))
def test_anything_can_be_judged(prompt: str, negative: str, other: str) -> None:
    house = House(other, (other,), age_restricted=True)
    assert judge(Writing(prompt, negative, (other,), (other,)), BUILT_IN, house).ruling in Ruling


@given(st.text(max_size=100))
def test_more_words_of_a_place_never_make_a_verdict_milder(prompt: str) -> None:
    gravity = list(Ruling)
    without = judge(Writing(prompt), BUILT_IN)
    assert gravity.index(judge(Writing(prompt), BUILT_IN, House(words=("a", "e"))).ruling) >= gravity.index(
        without.ruling
    )


HOSTILE = {
    "single letters": "a b c d " * 125,
    "one long word": "abcdefghij" * 100,
    "letters and signs": "a*b*c*" * 160,
    "hidden letters": " ".join(f"n{'*' * (count % 7 + 1)}{chr(97 + count % 26)}" for count in range(120)),
    "digits in words": "1a" * 500,
    "emoji": "\U0001f476\U0001f52b\U0001f480" * 333,
    "stretched": "aaaaabbbbb " * 90,
    "dots": "a." * 500,
    "weights": "(a: " * 250,
    "entities": "&#x" * 300,
    "names": "Emma " * 200,
    "marks": "k\u0336" * 500,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_nobody_keeps_the_filter_busy(kind: str) -> None:
    """Processor time, of which the slowest takes a twentieth here."""
    text = HOSTILE[kind]
    before = time.process_time()
    judge(Writing(text, text, (text,) * 3, (text,)), BUILT_IN)
    assert time.process_time() - before < 2


# --- the policy that comes along ---


def test_the_built_in_presets_are_the_table_of_the_documents() -> None:
    table = {
        name: {category: f"{row.ruling.value}{' spoiler' if row.spoiler else ''}" for category, row in rows.items()}
        for name, rows in BUILT_IN.presets.items()
    }
    refused, allowed, labelled = "refused", "allowed", "labelled"
    columns = ("family", "general", "adult-channel")
    expected = {
        "P1": (refused, refused, "allowed spoiler"),
        "P2": (refused, refused, "labelled spoiler"),
        "P3": (refused, allowed, allowed),
        "P4": (refused, allowed, allowed),
        "P5": (refused, labelled, labelled),
        "P6": (refused, refused, refused),
        "P6-shown": (refused, allowed, allowed),
        "P7": (refused, refused, refused),
        "P8": (allowed, allowed, allowed),
        "P9": (labelled, labelled, labelled),
    }
    assert table == {
        column: {category: row[place] for category, row in expected.items()} for place, column in enumerate(columns)
    }


def test_the_lists_that_the_engine_knows_by_name_are_there() -> None:
    assert {"first_names", "continuing"} <= BUILT_IN.bits.keys()


# --- what can't be meant ---

RULE = '[[rules]]\nid = "r"\ncategory = "C4"\nreason = "why"\nall = ["a"]\n'


@pytest.mark.parametrize(
    "text",
    [
        "version = ",
        "surprise = 1",
        '[lists]\nb = ["x"]\n' + RULE,
        '[lists]\na = ["@b"]\n' + RULE,
        '[lists]\na = ["@a"]\n' + RULE,
        'allow = ["!"]\n[lists]\na = ["x"]\n' + RULE,
        '[lists]\na = ["x"]\n' + RULE + "surprise = 1\n",
        '[lists]\na = ["x"]\n' + RULE.replace("C4", "C9"),
        '[lists]\na = ["x"]\n' + RULE.replace("C4", "P1"),
        '[presets.general]\nC1 = "allowed"\n',
        '[presets.general]\nP1 = "fine"\n',
        'fuzzy = ["a"]\n',
    ],
)
def test_a_policy_that_can_not_be_meant_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(PolicyError, match=r"\A[^\n]+\.\Z"):
        parse_policy({"test.toml": text})


def test_an_operator_can_not_add_to_a_list_that_is_not_there() -> None:
    with pytest.raises(PolicyError, match="places"):
        parse_policy({"test.toml": RULES}, {"places.txt": "atlantis"})


def test_lists_may_include_lists_and_be_spread_over_files() -> None:
    policy = parse_policy(
        {"a.toml": '[lists]\na = ["@b"]\n' + RULE, "b.txt": "some words\n", "c.toml": '[lists]\nb = ["q"]'}
    )
    assert rules_of("Some words!", policy) == rules_of("q", policy) == ("r",)
    assert rules_of("some other words", policy) == ()


def rules_of(prompt: str, policy: Policy) -> tuple[str, ...]:
    verdict: Verdict = judge(Writing(prompt), policy)
    return verdict.rules
