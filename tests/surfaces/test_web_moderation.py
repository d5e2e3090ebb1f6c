"""The moderators' pages without a window: who comes in, what they see and do, and what nobody from elsewhere does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bot.surfaces.web import password
from bot.surfaces.web.moderation.sessions import hashed
from bot.surfaces.web.password import TRIES
from db.records import Action, Address, Asker, Decision
from tests.surfaces.web_court import CHAT, Court, Signed

WORD = "correct horse battery"
HTML = {"accept": "text/html"}


@pytest.fixture
async def court(house: Any) -> Court:
    return Court(house)


@pytest.fixture
async def mod(court: Court) -> AsyncIterator[Signed]:
    async with court.signed_in("mod", "a") as signed:
        yield signed


# --- signing in ---


async def test_a_link_is_good_once_and_looking_at_it_uses_nothing_up(court: Court) -> None:
    court.let_moderate("mod", "a")
    secret = await court.link("mod", "a")
    async with court.browser() as client:
        for _ in range(3):  # a chat that makes a preview of it
            looked = await client.get(f"/moderation/enter/{secret}")
            assert (looked.status_code, "set-cookie" in looked.headers) == (200, False)
        entered = await client.post(f"/moderation/enter/{secret}")
        cookie = entered.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        assert (await client.get("/moderation", follow_redirects=True)).url.path == f"/moderation/at/{CHAT}/a"
    async with court.browser() as client:
        again = await client.post(f"/moderation/enter/{secret}")
        assert (again.status_code, "set-cookie" in again.headers) == (403, False)
        assert "This link was used already or is too old" in again.text
