"""Ids: short, safe everywhere, never twice."""

from __future__ import annotations

import re

from db.ids import new_id


def test_ids_are_ten_safe_characters_and_differ() -> None:
    ids = {new_id() for _ in range(10_000)}
    assert len(ids) == 10_000
    assert all(re.fullmatch("[0-9a-hjkmnp-tv-z]{10}", each) for each in ids)


def test_every_character_is_used() -> None:
    assert len({character for _ in range(1000) for character in new_id()}) == 32
