"""Every sentence is there in every language, with the same places to fill; no language has one that nobody says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import bot
from bot import menu
from bot.language import LANGUAGES, catalogue, known, say, speaking
from bot.safety import built_in_policy
from bot.safety.judging import OWN_REASON, PLACE_REASON

HOUSE = Path(bot.__file__).parent
OTHERS = LANGUAGES[1:]
MODULES = sorted(path for path in HOUSE.rglob("*.py"))


def said(tree: ast.AST) -> Iterator[str]:
    """Sentences that stand in a call of `say`, both where one of two is chosen there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say" and node.args:
            yield from _texts(node.args[0])


def kept(tree: ast.Module) -> Iterator[str]:
    """Sentences in constants of a module, which whoever uses them says: alone, or as values of a table."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and all(
            isinstance(name, ast.Name) and name.id.isupper() for name in node.targets
        ):
            yield from _texts(node.value)


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from (*_texts(one), *_texts(other))
        case ast.Dict(values=values):
            for value in values:
                yield from _texts(value)


def sentences() -> set[str]:
    found: set[str] = set()
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found.update(said(tree))
        if (HOUSE / "cards") in path.parents:
            found.update(kept(tree))
    found.update(bound.rule.reason for bound in built_in_policy().rules)
    found.update((OWN_REASON, PLACE_REASON))
    for command in menu.COMMANDS:
        found.update((command.description, *(option.description for option in command.options)))
    return found


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def test_sentences_are_found() -> None:
    """So that the tests below can fail."""
    found = sentences()
    assert len(found) > 100
    assert "Make a short clip from your words." in found
    assert "There is no option {written}; did you mean {nearest}?" in found


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_is_translated(code: str) -> None:
    assert sorted(sentences() - set(catalogue(code))) == []


@pytest.mark.parametrize("code", OTHERS)
def test_no_translation_is_of_a_sentence_that_nobody_says(code: str) -> None:
    assert sorted(set(catalogue(code)) - sentences()) == []


@pytest.mark.parametrize("code", OTHERS)
def test_translations_have_the_same_places(code: str) -> None:
    wrong = [english for english, text in catalogue(code).items() if places(english) != places(text)]
    assert wrong == []


@pytest.mark.parametrize("code", OTHERS)
def test_translations_end_like_sentences_where_the_english_does(code: str) -> None:
    ends = tuple(".?!")
    wrong = [english for english, text in catalogue(code).items() if english.endswith(ends) != text.endswith(ends)]
    assert wrong == []


@pytest.mark.parametrize(
    ("code", "language"),
    [("en", "en"), ("de", "de"), ("de-AT", "de"), ("DE_de", "de"), ("fr", "en"), ("", "en"), ("deutsch", "en")],
)
def test_the_nearest_language_is_spoken(code: str, language: str) -> None:
    assert known(code) == language


def test_a_language_is_spoken_inside_and_no_longer() -> None:
    english = "Make a short clip from your words."
    with speaking("de"):
        assert say(english) == catalogue("de")[english] != english
        with speaking("en"):
            assert say(english) == english
    assert say(english) == english


def test_a_sentence_that_a_catalogue_lacks_is_said_in_english() -> None:
    with speaking("de"):
        assert say("Nobody has translated {this}.", this="that") == "Nobody has translated that."


def test_braces_in_what_is_filled_in_stay_as_they_are() -> None:
    assert say("{text} stays.", text="{0} {secret}") == "{0} {secret} stays."
