"""A card as Telegram's HTML: complete, obeying nothing, and within what a message takes."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cards import Button, Card
from bot.surfaces.telegram import drawing

JOINER = "\u2060"


def read(drawn: str) -> str:
    """What a person reads."""
    return html.unescape(re.sub(r"</?b>", "", drawn)).replace(JOINER, "")


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def test_a_card_is_drawn_whole() -> None:
    card = Card("a heart", "Rendering: step 1 of 4.", bar=0.25, facts=(("Seed", "7"), ("Label", "AI-generated")))
    assert drawing.drawn(card, 4096) == (
        "<b>a heart</b>\nRendering: step 1 of 4.\n▰▰▱▱▱▱▱▱▱▱ 25%\nSeed: 7\nLabel: AI-generated"
    )


def test_facts_of_a_clip_stand_in_one_line() -> None:
    card = Card("a heart", "AI-generated.", facts=(("Seed", "7"), ("Steps", "4")), clip="c")
    assert drawing.drawn(card, 1024).splitlines()[-1] == "Seed 7 · Steps 4"


@pytest.mark.parametrize(
    "hostile",
    ["<b>", "</b>", "&lt;", "&amp;amp;", "<a href='x'>y</a>", "<script>alert(1)</script>", "a & b < c > d", "\"'<"],
)
def test_what_was_written_is_read_and_not_obeyed(hostile: str) -> None:
    drawn = drawing.drawn(Card(hostile, "Next in line."), 4096)
    assert read(drawn) == f"{hostile}\nNext in line."
    assert re.findall(r"<[^>]*>", drawn) == ["<b>", "</b>"]


@pytest.mark.parametrize("calling", ["@everyone", "a@b", "example.com", "https://example.org", "t.me/x", "see x.y.z"])
def test_nobody_is_called_and_nothing_leads_anywhere(calling: str) -> None:
    drawn = drawing.drawn(Card(calling, "Next in line."), 4096)
    assert calling not in drawn
    assert read(drawn).startswith(calling)


def test_an_address_that_stands_alone_is_copied_as_it_is_and_leads_nowhere() -> None:
    address = "http://127.0.0.1:8080/moderation/enter/c0ffee?a=1&b=2"
    card = Card(title="", status="", facts=(("Link", address), ("Prompt", f"see {address}")))
    alone, among = drawing.drawn(card, 4096).splitlines()[-2:]
    assert alone == "Link: <code>http://127.0.0.1:8080/moderation/enter/c0ffee?a=1&amp;b=2</code>"
    assert "http://" not in among


def test_numbers_and_ends_of_sentences_stay_as_they_are() -> None:
    assert JOINER not in drawing.drawn(Card("a heart. 7.5 of it", "Ready in 1.5 min."), 4096)


@pytest.mark.parametrize("letter", ["a", "🫀", "&", "@a", "שׁ"])
@pytest.mark.parametrize("limit", [drawing.TEXT_UNITS, drawing.CAPTION_UNITS])
def test_a_card_always_fits(letter: str, limit: int) -> None:
    card = Card(letter * 3000, letter * 3000, facts=(("Seed", "7"), ("Words", letter * 3000)), bar=0.5)
    drawn = drawing.drawn(card, limit)
    assert utf16(html.unescape(re.sub(r"</?b>", "", drawn))) <= limit
    assert "…" in drawn
    assert "50%" in drawn


def test_what_is_too_much_to_be_shortened_is_left_out() -> None:
    card = Card("t", "s", facts=tuple((f"label {number}", "") for number in range(500)))
    assert utf16(read(drawing.drawn(card, 1024))) <= 1024


@given(st.text(max_size=300), st.text(max_size=300), st.integers(60, 400))
def test_any_card_fits_and_is_well_formed(title: str, status: str, limit: int) -> None:
    drawn = drawing.drawn(Card(title, status), limit)
    assert re.sub(r"<b>|</b>", "", drawn).count("<") == 0
    assert utf16(html.unescape(re.sub(r"</?b>", "", drawn))) <= limit


@pytest.mark.parametrize(
    ("share", "shown"), [(0.0, "▱" * 10 + " 0%"), (1.0, "▰" * 10 + " 100%"), (1.7, "▰" * 10 + " 100%")]
)
def test_a_bar_has_ten_cells(share: float, shown: str) -> None:
    assert drawing.bar(share) == shown


def test_buttons_stand_in_rows_that_fit_a_telephone() -> None:
    buttons = [
        Button(label, "a:1") for label in ("Again", "Edit", "Delete", "Show abcdefghij", "Show klmnopqrst", "x" * 40)
    ]
    rows = [[button.label for button in row] for row in drawing.keyboard(buttons)]
    assert rows == [["Again", "Edit", "Delete"], ["Show abcdefghij", "Show klmnopqrst"], ["x" * 40]]


def test_a_person_is_mentioned_and_a_channel_is_not() -> None:
    assert drawing.mention("7", "Ready: <b>") == '<a href="tg://user?id=7">Ready: &lt;b&gt;</a>'
    assert drawing.mention("-1007", "Ready") == "Ready"
