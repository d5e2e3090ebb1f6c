"""The notation of word lists, the automaton that finds what it stands for, and slips of typing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.safety.entries import EntryError, entry_of, in_words
from bot.safety.lexicon import Lexicon, lists_of
from bot.safety.slips import Slips, is_one_slip

IRREGULAR = {"shoot": ("shoots", "shooting", "shot"), "child": ("children",)}


def stands_for(text: str) -> set[str]:
    return set(entry_of(text, IRREGULAR).phrases())


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ("massacre~", {"massacre", "massacres", "massacred", "massacring"}),
        ("stab~", {"stab", "stabs", "stabbed", "stabbing"}),
        ("body~", {"body", "bodies"}),
        ("lynch~", {"lynch", "lynches", "lynched", "lynching"}),
        ("die~", {"die", "dies", "died", "dying"}),
        ("shoot~ him", {"shoot him", "shoots him", "shot him", "shooting him"}),
        ("mass grave~", {"mass grave", "mass graves"}),
        ("young girl|boy", {"young girl", "young boy"}),
        ("off the| wall", {"off wall", "off the wall"}),
        ("soldier~|police_officer~ fire", {"soldiers fire", "police officer fire", "police officers fire"}),
        ("<12-13>yo", {"12yo", "13yo", "twelveyo", "thirteenyo"}),
        ("aged <21-21>", {"aged 21", "aged twenty one"}),
        ("Ｎａｋｅｄ!", {"naked"}),
    ],
)
def test_an_entry_stands_for_its_forms(text: str, some: set[str]) -> None:
    assert some <= stands_for(text)


def test_an_entry_without_a_mark_stands_for_itself_alone() -> None:
    assert stands_for("mass  grave") == {"mass grave"}
    assert stands_for("child~") == {"child", "children"}


@pytest.mark.parametrize("text", ["", "!", "|", "*", "~"])
def test_an_entry_without_a_letter_is_refused(text: str) -> None:
    with pytest.raises(EntryError):
        entry_of(text, IRREGULAR)


def test_numbers_are_written_as_people_say_them() -> None:
    assert [in_words(number) for number in (0, 7, 13, 20, 42, 99)] == [
        "zero", "seven", "thirteen", "twenty", "forty two", "ninety nine",
    ]  # fmt: skip


def found(text: str, *entries: str) -> list[str]:
    lexicon = Lexicon.of([(entry_of(entry, IRREGULAR), 1 << place) for place, entry in enumerate(entries)])
    return [hit.phrase for hit in lexicon.read(f" {text} ")[0]]


def test_whole_words_and_phrases_are_found_and_nothing_inside_words() -> None:
    assert found("a mass grave in a grave", "mass grave", "grave", "ave") == ["mass grave", "grave", "grave"]
    assert found("engraved", "grave") == []


def test_an_open_end_lets_the_word_go_on() -> None:
    assert found("изнасилованная женщина", "изнасилован*") == ["изнасилован"]
    assert found("massenvergewaltigung", "*vergewaltigung") == ["vergewaltigung"]
    assert found("兵士が虐殺する", "虐殺") == ["虐殺"]


WIDE = "a|an|the| soldier~|guard~|officer~|policeman~ shoot~|kill~|beat~|stab~ a|the|some| crowd~|prisoner~|woman~"


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("the soldiers shot the prisoners today", "the soldiers shot the prisoners"),
        ("soldiers shot prisoners", "soldiers shot prisoners"),
        ("a guard stabs some prisoner", "a guard stabs some prisoner"),
    ],
)
def test_an_entry_of_very_many_phrases_is_found_by_one_of_its_places(text: str, phrase: str) -> None:
    assert entry_of(WIDE, IRREGULAR).count > 1000
    assert found(text, WIDE) == [phrase]


@pytest.mark.parametrize(
    "text", ["soldiers shot", "shot the prisoners", "soldiers prisoners", "soldiers who shot prisoners"]
)
def test_a_part_of_it_is_not_found(text: str) -> None:
    assert found(text, WIDE) == []


@given(st.data())
def test_a_wide_entry_finds_whatever_it_stands_for(data: st.DataObject) -> None:
    entry = entry_of(WIDE, IRREGULAR)
    phrase = " ".join(filter(None, (data.draw(st.sampled_from(forms)) for forms in entry.places)))
    hits, _ = Lexicon.of([(entry, 1)]).read(f" then {phrase} ran ")
    assert lists_of(hits) == 1
    assert any(phrase.endswith(hit.phrase) for hit in hits)


def test_an_allowed_entry_of_very_many_phrases_takes_all_the_words_it_can() -> None:
    harmful = [(entry_of(word, IRREGULAR), 1) for word in ("prisoners", "ran")]
    lexicon = Lexicon.of(harmful, [entry_of(WIDE, IRREGULAR)])
    hits, left = lexicon.read(" the soldiers shot the prisoners and ran ")
    assert ([hit.phrase for hit in hits], [hit.phrase for hit in left]) == (["prisoners", "ran"], ["ran"])


# --- slips ---

WORDS = frozenset({"massacre", "naked", "nude", "child", "kill", "beheading", "sex"})
SLIPS = Slips.of(WORDS, WORDS, WORDS | {"the"}, frozenset({"message", "be heading", "chili"}))


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("massacer", "massacre"),
        ("masacre", "massacre"),
        ("massaccre", "massacre"),
        ("massaqre", "massacre"),
        ("beheadng", "beheading"),
        ("nuude", "nude"),
        ("kiiiill", "kill"),
        ("seeex", "sex"),
        ("ssseeexxx", "sex"),
        ("nakedchild", "naked child"),
    ],
)
def test_a_slip_is_read_as_what_was_meant(word: str, meant: str) -> None:
    assert meant in list(SLIPS.of_word(word))


@pytest.mark.parametrize(
    "word", ["massacre", "message", "bakes", "sexy", "chili", "knaked2", "sx", "massive", "beading"]
)
def test_other_words_are_left_as_they_are(word: str) -> None:
    assert list(SLIPS.of_word(word)) == []


def test_a_core_word_in_two_parts_is_put_together_unless_the_parts_are_ordinary() -> None:
    assert SLIPS.of_pair("mas", "sacre") == "massacre"
    assert SLIPS.of_pair("be", "heading") == ""
    assert SLIPS.of_pair("ki", "ll") == ""


def test_letters_behind_signs_are_guessed_from_the_lists() -> None:
    assert list(SLIPS.masked("n*ked ch##d, s*x and f*r")) == ["naked", "child"]


def test_words_inside_a_run_of_letters_come_in_their_order() -> None:
    assert list(SLIPS.inside("xnakedchildx")) == ["naked", "child"]


@given(st.text("abc", max_size=5), st.text("abc", max_size=5))
def test_one_slip_is_the_alignment_distance_of_one(one: str, other: str) -> None:
    assert is_one_slip(one, other) == (alignment(one, other) <= 1)


def alignment(one: str, other: str) -> int:
    """The optimal string alignment distance, by its recursion."""
    if not one or not other:
        return len(one) + len(other)
    least = min(
        alignment(one[1:], other) + 1,
        alignment(one, other[1:]) + 1,
        alignment(one[1:], other[1:]) + (one[0] != other[0]),
    )
    swapped = len(one) > 1 and len(other) > 1 and one[:2] == other[:2][::-1]
    return min(least, alignment(one[2:], other[2:]) + 1) if swapped else least
