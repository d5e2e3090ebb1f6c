"""Disguises and what is read through them; and what must not be read into harmless words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.safety.views import views, words_of

EMOJI = {"\U0001f52b": "gun"}


def seen(text: str) -> dict[str, str]:
    return {name: words.strip() for name, words in views(text, EMOJI)}


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("KILL the cat", "plain"),
        ("ｋｉｌｌ the cat", "plain"),
        ("𝓴𝓲𝓵𝓵 the cat", "plain"),
        ("ⓚⓘⓛⓛ the cat", "plain"),
        ("🅺🅸🅻🅻 the cat", "plain"),
        ("🇰🇮🇱🇱 the cat", "plain"),
        ("ᴋɪʟʟ the cat", "plain"),
        ("ki\u200bll the cat", "plain"),
        ("ki\u00adll the cat", "plain"),
        ("ki\ufe0fll the cat", "plain"),
        ("k\u0336i\u0336l\u0336l\u0336 the cat", "plain"),
        ("kìłl the cat", "skeleton"),
        ("ki\U000e0061ll the cat", "plain"),
        ("kill\u2800the\u3164cat", "plain"),
        ("kill%20the%20cat", "plain"),
        ("&#107;ill the cat", "plain"),
        ("(kill:1.4) the [cat:0.8]", "plain"),
        ("кіӏӏ the cat", "skeleton"),
        ("кill the cat", "skeleton"),
        ("κill the cat", "skeleton"),
        ("ᏦᎥᏞᏞ the cat", "skeleton"),
        ("ki💀ll the cat", "plain+joined"),
        ("k1ll the cat", "plain+leet"),
        ("k!11 the cat", "plain+leet-l"),
        ("ki||ll|| the cat", "plain+opened"),
        ("**ki**ll the cat", "plain+opened"),
        ("ki-ll the c.at", "plain+joined"),
        ("k i l l the cat", "plain+spelled"),
        ("k.i.l.l the cat", "plain+joined"),
        ("k - i - l - l the cat", "plain+spelled"),
        ("\u202ellik\u202c the cat", "reversed"),
        ("KillTheCat", "plain+camel"),
    ],
)
def test_disguises_are_read_as_what_they_imitate(text: str, view: str) -> None:
    assert view in seen(text), seen(text)
    assert seen(text)[view].startswith("kill the cat")


def test_emoji_are_named_in_one_view_and_left_out_in_another() -> None:
    assert seen("a \U0001f52b and \U0001f436")["named"] == "a gun and dog face"
    assert seen("a \U0001f52b and \U0001f436")["plain"] == "a and"


def test_words_that_are_further_apart_than_their_letters_stay_two_words() -> None:
    assert seen("k i l l   t h e   c a t")["plain+spelled"].startswith("kill the cat")
    assert seen("a k i l l")["plain+spelled"] == "akill kill"


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("the pen is red", "penis"),
        ("a grape vine", "rape"),
        ("6 itch mites", "bitch"),
        ("u s a and me", "usaand"),
        ("Essex, Scunthorpe and Penistone", "sex"),
        ("an assassin", "ass"),
        ("wow! $50 for 3 cats", "wowi"),
    ],
)
def test_nothing_is_read_into_harmless_words(text: str, never: str) -> None:
    assert never not in {word for words in seen(text).values() for word in words.split()}


def test_a_harmless_prompt_is_read_once() -> None:
    assert list(seen("a red ball bouncing on a blue floor")) == ["plain"]


def test_other_scripts_are_kept_as_they_are() -> None:
    assert seen("красный шар")["plain"] == "красныи шар"
    assert seen("赤い風船")["plain"] == "赤い風船"
    assert seen("बलात्कार")["plain"] == "बलात्कार"
    assert words_of("the child's and the boys’ bike, don't") == " the child and the boys bike dont "


@given(st.text(max_size=200))
def test_views_are_told_once_each_and_hold_words_between_single_spaces(text: str) -> None:
    found = [words for _, words in views(text, EMOJI)]
    assert len(found) == len(set(found))
    assert all(words == f" {' '.join(words.split())} " for words in found)


@given(st.text(max_size=200))
def test_words_are_spelled_the_same_when_they_are_read_again(text: str) -> None:
    assert words_of(words_of(text)) == words_of(text)
