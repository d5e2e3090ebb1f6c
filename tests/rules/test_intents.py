"""Buttons are values; what comes back from a client is hostile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import intents
from bot.intents import MAX_TOKEN_BYTES, Again, Cancel, Delete, Intent


@pytest.mark.parametrize("intent", [Cancel("k3v9x0abcd"), Again("0123456789"), Delete("zzzzzzzzzz"), Cancel("a" * 32)])
def test_a_token_turns_back_into_its_intent(intent: Intent) -> None:
    assert intents.parse(intents.token(intent)) == intent
    assert len(intents.token(intent).encode()) <= MAX_TOKEN_BYTES


def test_tokens_are_stable() -> None:
    """They stand on cards that outlive this version."""
    assert [intents.token(intent) for intent in (Cancel("k3"), Again("k3"), Delete("k3"))] == ["c:k3", "a:k3", "d:k3"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c",
        "c:",
        ":k3",
        "z:k3",
        "c:K3",
        "c:k3 ",
        " c:k3",
        "c:k3\n",
        "c:k3:more",
        "c::k3",
        "c:../../etc",
        "c:k'; DROP TABLE jobs",
        "c:\u0663",
        "c:" + "a" * 33,
        "c:" + "a" * 10_000,
        "\x00c:k3",
        "c:é",
    ],
)
def test_anything_else_is_nothing(text: str) -> None:
    assert intents.parse(text) is None


@given(st.text())
def test_whatever_parses_is_written_the_same_way(text: str) -> None:
    intent = intents.parse(text)
    assert intent is None or intents.token(intent) == text
