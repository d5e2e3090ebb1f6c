"""Hostile hands at the page and at the console: half characters, places that are none, files of others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.surfaces.web import password
from bot.surfaces.web.password import TRIES, TRIES_OF_ALL, Tries
from db import gallery, reviews, room, surveys
from tests.surfaces.web_court import Court, Signed

WORD = "correct horse battery"
HALF = "\ud83d"  # half of an emoji, as a field leaves it that cuts one in two


@pytest.fixture
async def court(house: Any) -> Court:
    return Court(house)


@pytest.fixture
async def mod(court: Court) -> AsyncIterator[Signed]:
    async with court.signed_in("mod", "a") as signed:
        yield signed


@pytest.fixture
async def operator(house: Any, court: Court, tmp_path: Path) -> AsyncIterator[Signed]:
    """Signed in with the operator's password; the room has none."""
    password.write(tmp_path / "operator.password", WORD)
    await house.stop()
    await house.serve(operator_password_file=tmp_path / "operator.password")
    async with court.browser() as client:
        assert (await client.post("/moderation/sign-in", data={"password": WORD})).status_code == 303
        signed = Signed(client, "web", "main")
        await signed.read_token()
        yield signed


async def _posted(client: httpx.AsyncClient, path: str, token: str, **fields: str) -> httpx.Response:
    """As a browser writes it: JSON in ASCII alone."""
    headers = {"content-type": "application/json", "x-zoetrope-token": token}
    return await client.post(path, content=json.dumps(fields), headers=headers)


# --- many who guess ---


async def test_nobody_who_guesses_links_keeps_a_moderator_out(court: Court) -> None:
    """However many addresses they have: no link can be guessed, so only who guesses has to wait."""
    for number in range(2, 2 + TRIES_OF_ALL // TRIES):
        async with _from(court, f"127.0.0.{number}") as client:
            for guess in range(TRIES):
                assert (await client.post(f"/moderation/enter/{guess:064x}")).status_code == 403
            forwarded = {"x-forwarded-for": "192.0.2.1", "forwarded": "for=192.0.2.1"}
            assert (await client.post(f"/moderation/enter/{1:064x}", headers=forwarded)).status_code == 429
    court.let_moderate("mod", "a")
    async with _from(court, "127.0.0.200") as client:
        assert (await client.post(f"/moderation/enter/{await court.link('mod', 'a')}")).status_code == 303


def _from(court: Court, address: str) -> httpx.AsyncClient:
    url, transport = court.house.url, httpx.AsyncHTTPTransport(local_address=address)
    return httpx.AsyncClient(base_url=url, headers={"origin": url}, timeout=20, transport=transport)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
    ],
)
def test_all_addresses_of_one_machine_have_as_many_tries_as_one(one: str, other: str, same: bool) -> None:
    tries = Tries(lambda: 0.0)
    for _ in range(TRIES):
        tries.note(one)
    assert (tries.wait(other) > 0) is same


async def test_a_link_is_not_used_up_while_the_bot_is_still_starting(house: Any, court: Court) -> None:
    court.let_moderate("mod", "a")
    secret, commands = await court.link("mod", "a"), house.surface.commands
    async with court.browser() as client:
        house.surface.commands = None
        assert (await client.post(f"/moderation/enter/{secret}")).status_code == 503
        house.surface.commands = commands
        assert (await client.post(f"/moderation/enter/{secret}")).status_code == 303


# --- what can't be written down ---


@pytest.mark.parametrize("bad", [HALF, f"a{HALF}b", "\x00", "9" * 400, "1e400", "nan", "٣"])
async def test_nothing_that_is_posted_makes_the_console_stumble(court: Court, mod: Signed, bad: str) -> None:
    review, case = await court.held("a", "a president"), await court.struck("a")
    about = {"member": "500001", "hours": "1", "credits": "1", "reason": "x"}
    for act, fields in (
        ("decide", {"review": review, "decision": "explode"}),
        ("press", {"button": "k:x"}),
        ("policies", {"words": "x", "was words": ""}),
        ("test", {"prompt": "x"}),
        ("block", about),
        ("grant", about),
        ("purge", about),
        ("amend", {"number": str(case.number), "reason": "y"}),
    ):
        for name in fields:
            answer = await _posted(mod.client, f"{mod.at}/{act}", mod.token, **{**fields, name: bad})
            assert answer.status_code == 200, (act, name)
    assert await court.decision(review) is None
    forged = {"review": review, "decision": "remove", "token": bad}
    headers = {"content-type": "application/json"}
    answer = await mod.client.post(f"{mod.at}/decide", content=json.dumps(forged), headers=headers)
    assert (answer.status_code, await court.decision(review)) == (403, None)


async def test_half_a_character_is_decided_with_as_a_whole_one(court: Court, mod: Signed) -> None:
    review = await court.held("a", "a president")
    answer = await _posted(mod.client, f"{mod.at}/decide", mod.token, review=review, decision="remove", reason=HALF)
    assert answer.json()["well"], answer.text
    assert any(case.reason == "?" for case in await court.cases("a"))


async def test_a_password_with_half_a_character_is_a_wrong_one(operator: Signed) -> None:
    assert (await _posted(operator.client, "/moderation/sign-in", "", password=HALF)).status_code == 403


async def test_half_a_character_is_a_prompt_like_any_other(house: Any, enter: Any) -> None:
    visitor = await enter()
    for path, fields in (
        ("/say", {"text": f"a cat {HALF}"}),
        ("/press", {"button": HALF}),
        ("/dismiss", {"message": HALF}),
    ):
        assert (await _posted(visitor.client, path, visitor.token, **fields)).status_code == 200, path


# --- places that are none ---


@pytest.mark.parametrize(
    "path", ["web/elsewhere", "web/*", "web/%2e%2e", "web/main%00", "web/", "%2f/main", "Web/main"]
)
async def test_the_page_has_one_room_for_its_operator_too(house: Any, operator: Signed, path: str) -> None:
    headers = {"x-zoetrope-token": operator.token}
    assert (await operator.client.get(f"/moderation/at/{path}", follow_redirects=True)).status_code == 404
    assert (await operator.client.post(f"/moderation/at/{path}/pause", json={}, headers=headers)).status_code == 404
    async with house.core.database.reading() as tx:
        assert await surveys.places_seen(tx) == []


# --- files that are none of theirs ---


async def _delivered(house: Any) -> room.RoomMessage:
    """The card of the room that carries a clip, as soon as there is one."""
    async with asyncio.timeout(20):
        while True:
            seen = house.core.database.bell.count()
            async with house.core.database.reading() as tx:
                found = [message for message in await room.latest(tx, "main", 5) if message.rendition]
            if found:
                return found[0]
            await house.core.database.bell.wait(seen, 5.0)


async def test_a_deleted_clip_is_served_no_more_while_its_file_and_its_card_are_still_there(
    house: Any, enter: Any, loops: None
) -> None:
    visitor = await enter()
    await visitor.ask("a heart bouncing on blue")
    clip = await house.finish(await house.claim())
    message = await _delivered(house)
    address = f"/clips/{message.id}.{message.card['media']['format']}"
    served = await visitor.client.get(address)
    assert served.status_code == 200
    async with house.core.database.transaction() as tx:
        await gallery.forget(tx, clip.id)
    asked: tuple[dict[str, str], ...] = ({}, {"if-none-match": served.headers["etag"]}, {"range": "bytes=0-9"})
    for headers in asked:
        assert (await visitor.client.get(address, headers=headers)).status_code == 404, headers


async def test_previews_of_other_places_are_not_for_the_room(house: Any, court: Court, enter: Any) -> None:
    visitor = await enter()
    review = await court.held("a", "a president")
    async with house.core.database.reading() as tx:
        found = await reviews.get(tx, review)
    assert found
    (house.folder / "previews").mkdir(exist_ok=True)
    for name in (found.subject, "ofnobody"):
        (house.folder / "previews" / f"{name}.webp").write_bytes(b"RIFF")
        assert (await visitor.client.get(f"/previews/{name}.webp")).status_code == 404, name


async def test_asking_what_a_copy_of_ones_data_is_like_does_not_use_it_up(enter: Any) -> None:
    visitor = await enter()
    await visitor.ask("a heart bouncing on blue")
    go = (await visitor.post("/say", {"text": "/mydata export"})).json()["go"]
    assert (await visitor.client.head(go)).status_code == 200
    assert (await visitor.client.get(go)).content[:2] == b"PK"
    assert (await visitor.client.head(go)).status_code == 404
