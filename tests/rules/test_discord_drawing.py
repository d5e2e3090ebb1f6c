"""Cards as Discord's components, and people's words in them: shown as they stand, obeyed in nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import menu
from bot.cards import Button, Card
from bot.surfaces.discord import answering, desk
from bot.surfaces.discord.drawing import COLOURS, TEXT_CHARS, layout
from bot.surfaces.discord.escaping import escaped, one_line, said
from db.records import Asker

CONTAINER, ROW, BUTTON, TEXT, GALLERY = 17, 1, 2, 10, 12
MARKDOWN = re.compile(r"(?<!\\)(?:\\\\)*([`*_~|<>@\[\]])")


def parts(card: Card, file_name: str = "") -> list[dict[str, Any]]:
    components: list[dict[str, Any]] = layout(card, file_name).to_components()  # type: ignore[no-untyped-call]
    (container,) = components
    assert container["type"] == CONTAINER
    return list(container["components"])


def words(card: Card) -> str:
    return "\n".join(part["content"] for part in parts(card) if part["type"] == TEXT)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a heart", "a heart"),
        ("**bold** _it_ ~~no~~ ||s||", r"\*\*bold\*\* \_it\_ \~\~no\~\~ \|\|s\|\|"),
        ("`code`", r"\`code\`"),
        ("@everyone <@1> <@&2> <#3>", "\\@\u200beveryone \\<\\@1\\> \\<\\@&2\\> \\<#3\\>"),
        ("[x](https://evil.example)", r"\[x\](https\://evil.example)"),
        ("# big", r"\# big"),
        ("-# small", r"\-# small"),
        ("- a list", r"\- a list"),
        ("> quote", r"\> quote"),
        ("1. first", r"1\. first"),
        ("2 hearts. And 3.", "2 hearts. And 3."),
        ("two\nlines\r\nand\ttabs", "two lines and tabs"),
        ("back\\slash", r"back\\slash"),
        ("<t:1:R> <:smile:123>", r"\<t:1:R\> \<:smile:123\>"),
        ("turned \u202e round", "turned round"),
    ],
)
def test_words_are_shown_as_they_stand(written: str, shown: str) -> None:
    assert escaped(written) == shown


@given(st.text(max_size=200))
def test_nothing_that_people_write_is_markdown(text: str) -> None:
    drawn = escaped(text)
    assert MARKDOWN.search(drawn) is None
    assert "\n" not in drawn
    assert not re.match(r"#|-|\+|\d+[.)]", drawn)
    assert re.sub(r"\\([\\`*_~|<>@\[\]:#.)+-])", r"\1", drawn) == one_line(text)


@pytest.mark.parametrize(
    ("content", "prompt"),
    [
        ("a fish <@123> swims", "a fish swims"),
        ("<#1> <@&2> </video:3> a fish <id:browse>", "a fish"),
        ("a <:blob:123> <a:party:456> fish", "a :blob: :party: fish"),
        ("at <t:1700000000:R> a fish", "at a fish"),
        ("<@1>", ""),
    ],
)
def test_a_message_becomes_a_prompt(content: str, prompt: str) -> None:
    assert said(content) == prompt


def test_a_card_has_its_words_its_colour_and_its_buttons() -> None:
    buttons = tuple(Button(f"B{number}", f"g:{number}", dangerous=number == 7) for number in range(1, 8))
    card = Card("a heart", "Rendering: step 1 of 4.", "busy", buttons=buttons, bar=0.25, asker=Asker("discord", "42"))
    drawn = layout(card).to_components()[0]  # type: ignore[no-untyped-call]
    assert drawn["accent_color"] == COLOURS["busy"]
    assert words(card).splitlines()[:3] == ["### a heart", "-# <@42>", "Rendering: step 1 of 4."]
    assert "25 %" in words(card)
    rows = [part["components"] for part in parts(card) if part["type"] == ROW]
    assert [len(row) for row in rows] == [5, 2]
    assert [button["custom_id"] for row in rows for button in row] == [f"g:{number}" for number in range(1, 8)]
    assert rows[1][1]["style"] == 4


def test_an_expected_moment_counts_down() -> None:
    assert "Next in line. <t:1700000001:R>" in words(Card("a heart", "Next in line.", ready_at=1_700_000_000.4))


def test_an_asker_from_elsewhere_is_not_mentioned() -> None:
    assert "<@" not in words(Card("a heart", "Next in line.", asker=Asker("telegram", "42")))


def test_a_clip_plays_between_its_title_and_its_facts() -> None:
    card = Card("a heart", "AI-generated.", "good", facts=(("Seed", "7"), ("Steps", "4")), clip="c", spoiler=True)
    kinds = [part["type"] for part in parts(card, "zoetrope-c.gif")]
    assert kinds == [TEXT, GALLERY, TEXT]
    (item,) = parts(card, "zoetrope-c.gif")[1]["items"]
    assert item["media"]["url"] == "attachment://zoetrope-c.gif"
    assert item["spoiler"]
    assert item["description"] == "a heart"
    assert "**Seed** 7 · **Steps** 4" in words(card)


def test_no_card_is_longer_than_discord_takes() -> None:
    facts = tuple((f"label {number}", "*" * 500) for number in range(40))
    buttons = tuple(Button("x" * 200, f"g:{number}") for number in range(1, 60))
    card = Card("*" * 5000, "_" * 5000, facts=facts, buttons=buttons, bar=2.0)
    assert sum(len(part["content"]) for part in parts(card) if part["type"] == TEXT) <= TEXT_CHARS
    drawn = [button for part in parts(card) if part["type"] == ROW for button in part["components"]]
    assert len(drawn) == 25
    assert all(len(button["label"]) <= 80 for button in drawn)


def test_every_command_of_the_menu_is_taken_by_somebody() -> None:
    everybodys = {command.name for command in menu.COMMANDS if not command.moderators}
    moderators = {command.name for command in menu.COMMANDS if command.moderators}
    assert everybodys == set(answering.OF_EVERYBODY) | set(desk.BY_EVERYBODY)
    assert moderators == set(answering.OF_MODERATORS) | set(desk.BY_MODERATORS)
