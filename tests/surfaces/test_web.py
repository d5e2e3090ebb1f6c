"""The web page over real sockets: who may ask, what is told to open pages, which files are served."""

from __future__ import annotations

import asyncio
import io
import json
import re
import shutil
import socket
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import text

from bot import cards
from bot.cards import Card
from bot.errors import FolderUnwritable, PasswordMissing, PortTaken
from bot.port import Gone, Rendition
from bot.surfaces.web import WebSurface
from bot.surfaces.web.browsers import load_key
from bot.surfaces.web.feed import REMEMBERED, SHOWN
from bot.surfaces.web.pages import FOLDER as PAGE
from db import models, queue, room
from db.config import WebConfig
from db.database import Database
from db.records import Address, Asker, Handle

ADDRESS = Address("web", "main")
SOON = 10.0  # seconds: a bound for waits that end much earlier


class Events:
    """Reads server-sent events: (event, id, data)."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self) -> tuple[str, int, Any]:
        event, number, data = "", -1, ""
        async with asyncio.timeout(SOON):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "id":
                    number = int(value)
                elif name == "data":
                    data = value
                elif not line and event:
                    return event, number, json.loads(data)
        raise EOFError

    async def next_of(self, kind: str) -> tuple[int, Any]:
        while True:
            event, number, data = await self.next()
            if event == kind:
                return number, data


@asynccontextmanager
async def listening(url: str, last: int | None = None) -> AsyncIterator[Events]:
    headers = {} if last is None else {"last-event-id": str(last)}
    async with (
        httpx.AsyncClient(timeout=SOON) as client,
        client.stream("GET", f"{url}/events", headers=headers) as said,
    ):
        assert said.headers["content-type"].startswith("text/event-stream")
        yield Events(said)


async def jobs_waiting(house: Any) -> int:
    async with house.core.database.reading() as tx:
        return len(await queue.waiting(tx))


async def messages(house: Any) -> list[room.RoomMessage]:
    async with house.core.database.reading() as tx:
        return await room.latest(tx, "main", 100)


# --- the page ---


async def test_the_page_makes_a_browser_an_asker_with_a_cookie_that_no_script_and_no_other_site_gets(
    house: Any,
) -> None:
    async with httpx.AsyncClient(base_url=house.url) as client:
        first = await client.get("/")
        again = await client.get("/")
    cookie = first.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "set-cookie" not in again.headers


async def test_the_page_loads_nothing_from_elsewhere_and_runs_no_script_but_its_own(house: Any) -> None:
    async with httpx.AsyncClient(base_url=house.url) as client:
        page = await client.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    addresses = re.findall(r'(?:src|href|action)="([^"]+)"', page.text)
    assert addresses
    assert all(address.startswith(("/", "#")) for address in addresses)
    assert re.findall(r"<script[^>]*>[^<]", page.text) == []
    assert re.findall(r"\son[a-z]+=|style=", page.text) == []


async def test_every_file_the_page_names_is_there(house: Any) -> None:
    async with httpx.AsyncClient(base_url=house.url) as client:
        page = (await client.get("/")).text
        scripts = {f"/static/{path.name}" for path in (PAGE / "static").glob("*.js")}
        for address in {*re.findall(r'(?:src|href)="(/static/[^"]+)"', page), *scripts}:
            assert (await client.get(address)).status_code == 200, address


async def test_a_link_from_another_site_does_not_make_a_known_browser_a_stranger(house: Any) -> None:
    """A strict cookie is not sent along such a link, so the page asks once more from itself instead of replacing it."""
    async with httpx.AsyncClient(base_url=house.url) as client:
        page = await client.get("/", headers={"sec-fetch-site": "cross-site"})
    assert "set-cookie" not in page.headers
    assert 'http-equiv="refresh"' in page.text


async def test_health_says_ok(house: Any) -> None:
    async with httpx.AsyncClient(base_url=house.url) as client:
        assert (await client.get("/health")).json()["status"] == "ok"


# --- who may ask ---


async def test_only_our_own_names_are_served(house: Any) -> None:
    """DNS rebinding: a page of another site reaches us under that site's name."""
    ours = ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"]
    foreign = ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost:1", "127.0.0.1.nip.io:{port}", ""]
    async with httpx.AsyncClient(base_url=house.url) as client:
        for host in ours:
            answer = await client.get("/", headers={"host": host.format(port=house.port)})
            assert answer.status_code == 200, host
        for host in foreign:
            answer = await client.get("/", headers={"host": host.format(port=house.port)})
            assert answer.status_code in {400, 403}, host
            assert "set-cookie" not in answer.headers


async def test_a_post_from_another_origin_or_from_none_is_refused_and_changes_nothing(house: Any, enter: Any) -> None:
    visitor = await enter()
    foreign = [
        "http://evil.example",
        "null",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:1",
        "http://localhost:{port}",
    ]
    for origin in [*foreign, ""]:
        visitor.client.headers["origin"] = origin.format(port=house.port)
        assert (await visitor.ask("a heart")).status_code == 403, origin
    del visitor.client.headers["origin"]
    assert (await visitor.ask("a heart")).status_code == 403
    assert await messages(house) == []


async def test_a_post_needs_the_token_of_its_own_browser(house: Any, enter: Any) -> None:
    visitor, other = await enter(), await enter()
    for token in ("", "0" * 64, other.token, "ü", "\ud800"):
        body = json.dumps({"text": "a heart", "token": token})
        answer = await visitor.client.post("/say", content=body, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["result"]) == (403, "stranger")
    assert await messages(house) == []


async def test_a_cookie_we_did_not_sign_is_nobody(house: Any, enter: Any) -> None:
    visitor = await enter()
    (cookie,) = visitor.client.cookies.jar
    visitor.client.cookies.set(cookie.name, "0" * 20 + str(cookie.value)[20:], domain=cookie.domain, path="/")
    assert (await visitor.ask("a heart")).status_code == 403


async def test_the_key_is_readable_by_its_owner_alone_and_stays(tmp_path: Path) -> None:
    key = load_key(tmp_path)
    assert stat.S_IMODE((tmp_path / "web.key").stat().st_mode) == 0o600
    assert load_key(tmp_path) == key


async def test_a_damaged_key_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "web.key").write_bytes(b"short")
    with pytest.raises(FolderUnwritable, match="delete that file and start again"):
        load_key(tmp_path)


# --- asking ---


async def test_a_request_puts_a_card_into_the_room_and_a_job_into_the_queue(house: Any, enter: Any) -> None:
    answer = (await (await enter()).ask("a heart bouncing on blue", steps="3")).json()
    (message,) = await messages(house)
    assert (answer["result"], answer["message"]) == ("queued", message.id)
    assert message.card["card"]["title"] == "a heart bouncing on blue"
    assert (await house.claim()).job.spec.steps == 3


async def test_the_same_post_sent_twice_acts_once(house: Any, enter: Any) -> None:
    visitor = await enter()
    first, second = [(await visitor.ask("a heart", id="0123456789abcdef")).json() for _ in range(2)]
    assert first["message"] == second["message"]
    assert await jobs_waiting(house) == 1


async def test_no_browser_can_take_another_one_s_post_id_away(house: Any, enter: Any) -> None:
    for visitor in (await enter(), await enter()):
        await visitor.ask("a heart", id="0123456789abcdef")
    assert await jobs_waiting(house) == 2


async def test_a_plain_form_works_too(house: Any, enter: Any) -> None:
    visitor = await enter()
    answer = await visitor.client.post("/say", data={"text": "a heart", "steps": "", "token": visitor.token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert await jobs_waiting(house) == 1


WRONG: list[tuple[dict[str, object], str]] = [
    ({"text": "a" * 10_000}, "longer than 1,000 characters"),
    ({"text": "a heart", "steps": "abc"}, "must be a whole number"),
    ({"text": "a heart --steps abc"}, "must be a whole number"),
    ({"text": "a heart", "steps": "1e9"}, "must be a whole number"),
    ({"text": "a heart", "steps": "0"}, "must be between"),
    ({"text": "a heart", "steps": -1}, "must be between"),
    ({"text": "a heart", "steps": 10**9}, "must be between"),
    ({"text": "a heart", "size": "1x1"}, "must be between"),
    ({"text": "a heart", "size": "17x33"}, "multiples of 8"),
    ({"text": "a heart", "size": "huge"}, "is no size"),
    ({"text": "a heart --size 100000x100000"}, "must be between"),
    ({"text": "a heart", "frames": "99"}, "must be between"),
    ({"text": "a heart", "guidance": "nan"}, "must be a number"),
    ({"text": "a heart", "model": "pokcet"}, "did you mean pocket?"),
    ({"text": "a heart", "format": "avi"}, "choose one of"),
    ({"text": "a heart --stepz 4"}, "did you mean --steps?"),
    ({"text": "a heart --steps"}, "has no value"),
    ({"text": "/vidoe a heart"}, "did you mean /video?"),
    ({"text": "/show"}, "no longer exists"),
    ({"text": "/show ../../etc/passwd"}, "no longer exists"),
    ({"text": "/again"}, "No clip has been made here yet"),
    ({"text": "/random"}, "No clip has been made here yet"),
    ({"text": "/quota --steps abc"}, "must be a whole number"),
    ({"text": "/gallery --page 0"}, "must be a whole number"),
    ({"text": "/settings colour=red"}, "There is no"),
]


async def test_wrong_input_gets_one_sentence_in_the_place_of_a_card_and_no_job(house: Any, enter: Any) -> None:
    visitor = await enter()
    for fields, sentence in WRONG:
        answer = (await visitor.post("/say", fields)).json()
        assert answer["result"] == "problem", fields
        assert sentence in answer["sentence"], fields
        in_the_room = [message.card["card"]["status"] for message in await messages(house)]
        shown = answer["card"]["status"] if answer["card"] else in_the_room[-1]
        assert shown == answer["sentence"], fields
    assert await jobs_waiting(house) == 0


EMPTY = ["", " \t\n ", "\u202e\u200b\u2066", "/video", "/video --steps 1000"]


async def test_an_empty_prompt_gets_a_sentence_for_its_browser_alone(house: Any, enter: Any) -> None:
    visitor = await enter()
    for words in EMPTY:
        answer = (await visitor.ask(words)).json()
        assert (answer["result"], answer["sentence"]) == ("empty", cards.EMPTY_PROMPT), words
        assert (answer["message"], answer["card"]) == ("", None), words
    plain = await visitor.client.post("/say", data={"text": "", "token": visitor.token})
    assert (plain.status_code, plain.text) == (200, cards.EMPTY_PROMPT)
    assert await messages(house) == []


UNREADABLE: list[tuple[bytes, str, int]] = [
    (b"{", "application/json", 400),
    (b"[1]", "application/json", 400),
    (b'{"text": ["a"]}', "application/json", 400),
    (b"[" * 60_000, "application/json", 400),
    (b"\xff\xfe", "application/json", 400),
    (b"text=%ff&" * 60, "application/x-www-form-urlencoded", 400),
    (b"text=a", "multipart/form-data", 415),
    (b"", "", 415),
    (b'{"text": "' + b"a" * 70_000 + b'"}', "application/json", 413),
]


async def test_a_body_that_our_page_never_sends_is_refused_with_a_sentence(house: Any, enter: Any) -> None:
    visitor = await enter()
    for content, kind, status in UNREADABLE:
        answer = await visitor.client.post("/say", content=content, headers={"content-type": kind})
        assert answer.status_code == status, content[:20]
        assert answer.json()["sentence"].endswith(".")


async def test_a_button_works_for_the_one_who_asked_and_for_nobody_else(house: Any, enter: Any) -> None:
    visitor, other = await enter(), await enter()
    await visitor.ask("a heart")
    (message,) = await messages(house)
    token = message.card["card"]["buttons"][0]["token"]
    assert (await other.post("/press", {"button": token})).json()["result"] == "not yours"
    assert (await visitor.post("/press", {"button": token})).json()["result"] == "cancelled"
    assert await jobs_waiting(house) == 0


async def test_a_full_database_is_one_sentence_that_names_none_of_our_folders(house: Any, enter: Any) -> None:
    visitor = await enter()
    async with house.core.database.transaction() as tx:  # the limit stays with the one connection that writes
        pages = (await tx.execute(text("PRAGMA page_count"))).scalar_one()
        await tx.execute(text(f"PRAGMA max_page_count={pages}"))
    answer, number = await visitor.ask("a heart"), 0
    while answer.status_code == 200 and (number := number + 1) < 100:
        answer = await visitor.ask("a heart " * 100)
    assert (answer.status_code, answer.json()["sentence"]) == (503, cards.NO_DATABASE)


async def test_a_button_that_nobody_made_gets_a_sentence(house: Any, enter: Any) -> None:
    answer = (await (await enter()).post("/press", {"button": "x:../../etc/passwd"})).json()
    assert answer["result"] == "unknown"
    assert answer["sentence"].endswith(".")


async def test_before_the_commands_are_there_the_page_asks_for_a_moment(house: Any, enter: Any) -> None:
    visitor = await enter()
    house.surface.commands = None
    answer = await visitor.ask("a heart")
    assert (answer.status_code, answer.json()["result"]) == (503, "unreached")


# --- what open pages are told ---


async def test_what_is_for_a_part_of_the_room_is_not_shown_to_everybody_in_it(house: Any) -> None:
    with pytest.raises(Gone):  # a desk that somebody has named
        await house.surface.show(replace(ADDRESS, thread="moderators"), Card("held", "Waiting."), "n1")
    async with house.core.database.reading() as tx:
        assert await room.latest(tx, ADDRESS.place, 9) == []


async def test_a_new_page_gets_the_room_and_then_every_change(house: Any) -> None:
    first = await house.surface.show(ADDRESS, Card("one", "Waiting."), "n1")
    async with listening(house.url) as events:
        _, shown = await events.next_of("room")
        assert [message["title"] for message in shown] == ["one"]
        await house.surface.redraw(first, Card("one", "Rendering.", "busy", bar=0.5))
        _, changed = await events.next_of("message")
    assert (changed["id"], changed["status"], changed["bar"]) == (first.message, "Rendering.", 0.5)


async def test_a_page_that_comes_back_gets_only_what_changed_since(house: Any) -> None:
    old = await house.surface.show(ADDRESS, Card("old", "Done."), "n1")
    async with listening(house.url) as events:
        version, _ = await events.next_of("room")
    await house.surface.show(ADDRESS, Card("new", "Waiting."), "n2")
    async with listening(house.url, last=version) as events:
        event, _, data = await events.next()
        while event == "models":
            event, _, data = await events.next()
    assert (event, data["title"]) == ("message", "new")
    assert data["id"] != old.message


async def test_a_page_that_slept_longer_than_we_remember_gets_the_room_anew(house: Any) -> None:
    async with listening(house.url) as events:
        version, _ = await events.next_of("room")
        for number in range(REMEMBERED + 5):
            await house.surface.show(ADDRESS, Card(str(number), "Waiting."), f"n{number}")
        while (await events.next_of("message"))[1]["title"] != str(REMEMBERED + 4):
            pass
    async with listening(house.url, last=version) as events:
        _, shown = await events.next_of("room")
    assert len(shown) == SHOWN
    assert shown[-1]["title"] == str(REMEMBERED + 4)


@pytest.mark.parametrize("last", [10**9, 10**17])
async def test_a_page_of_another_database_gets_the_room_anew(house: Any, last: int) -> None:
    await house.surface.show(ADDRESS, Card("one", "Waiting."), "n1")
    async with listening(house.url, last=last) as events:
        version, shown = await events.next_of("room")
    assert version < last
    assert [message["title"] for message in shown] == ["one"]


async def test_a_deleted_message_leaves_open_pages(house: Any) -> None:
    handle = await house.surface.show(ADDRESS, Card("one", "Waiting."), "n1")
    async with listening(house.url) as events:
        await events.next_of("room")
        async with house.core.database.transaction() as tx:
            await room.delete(tx, handle.message)
        _, gone = await events.next_of("message")
    assert gone == {"id": handle.message, "deleted": True}


async def test_pages_are_told_which_models_there_are(house: Any) -> None:
    async with listening(house.url) as events:
        while not (known := (await events.next_of("models"))[1]):
            pass
    assert known[0]["suggestions"] == ["a heart bouncing on blue", "a cat spinning on green"]


async def test_a_model_announced_after_the_page_was_opened_reaches_it(house: Any) -> None:
    async with house.core.database.transaction() as tx:
        (known,) = await models.known(tx)
        await models.announce(tx, "r", [], time.time())
    await house.stop()
    await house.serve()
    async with listening(house.url) as events:
        await events.next_of("room")
        async with house.core.database.transaction() as tx:
            await models.announce(tx, "r", [known], time.time())
        while not (await events.next_of("models"))[1]:
            pass


async def test_more_pages_than_can_be_held_open_are_turned_away_until_one_is_closed(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.stop()
    monkeypatch.setattr("bot.surfaces.web.server.MOST_PAGES", 2)
    await house.serve()
    async with httpx.AsyncClient(base_url=house.url) as client, listening(house.url) as kept:
        await kept.next_of("room")
        async with listening(house.url) as closed:
            await closed.next_of("room")
            refused = await client.get("/events")
        assert (refused.status_code, refused.text) == (503, cards.TOO_MANY_PAGES)
        async with asyncio.timeout(SOON):
            while True:  # the server hears of the closed page a moment later
                async with client.stream("GET", "/events") as answer:
                    if answer.status_code == 200:
                        break


async def test_a_page_that_reads_nothing_slows_nobody_and_catches_up(house: Any) -> None:
    """Large cards fill the sleeper's buffers long before the last one; another page gets the last one all the same."""
    handle = await house.surface.show(ADDRESS, Card("start", "Waiting."), "n1")
    sleeper = socket.create_connection(("127.0.0.1", house.port))
    sleeper.sendall(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\n\r\n".encode())
    try:
        async with listening(house.url) as events:
            await events.next_of("room")
            for number in range(40):
                await house.surface.redraw(handle, Card(f"{number}", "x" * 400_000, "busy"))
            while (await events.next_of("message"))[1]["title"] != "39":
                pass
        sleeper.settimeout(SOON)
        assert await asyncio.to_thread(_read_until, sleeper, b'"title": "39"') < 36 * 400_000
    finally:
        sleeper.close()


def _read_until(sock: socket.socket, wanted: bytes) -> int:
    """Bytes read until `wanted` was among them."""
    count, tail = 0, b""
    while wanted not in tail:
        data = sock.recv(65536)
        assert data
        count, tail = count + len(data), tail[-32:] + data
    return count


async def test_it_stops_within_a_second_although_pages_are_open(house: Any) -> None:
    async with listening(house.url) as first, listening(house.url) as second:
        await first.next_of("room")
        await second.next_of("room")
        started = time.monotonic()
        await house.stop()
        assert time.monotonic() - started < 2
        with pytest.raises(EOFError):
            await first.next_of("message")


# --- restart ---


async def test_cards_clips_and_askers_survive_a_restart(house: Any, enter: Any, loops: None) -> None:
    visitor = await enter()
    await visitor.ask("a heart bouncing on blue")
    await house.finish(await house.claim())
    async with listening(house.url) as events:
        version, shown = await events.next_of("room")
        while not shown or not shown[0]["media"]:
            version, message = await events.next_of("message")
            shown = [message]
    await house.stop()
    await house.serve()
    async with listening(house.url, last=version) as events:
        await house.surface.notify(Handle(ADDRESS, shown[0]["id"]), Asker("web", "b"), "Your clip is ready.", "n")
        _, message = await events.next_of("message")
    assert (message["note"], message["media"]) == ("Your clip is ready.", shown[0]["media"])
    assert (await visitor.client.get(shown[0]["media"]["src"])).headers["content-type"] == "image/gif"
    button = next(each for each in shown[0]["buttons"] if each["label"] == "Delete")
    deleted = await visitor.post("/press", {"button": button["token"]})
    assert deleted.json()["result"] == "deleted"


# --- files ---


@pytest.fixture
async def media(house: Any, enter: Any, loops: None) -> tuple[httpx.AsyncClient, dict[str, Any], Handle]:
    """A delivered clip: a browser, what the page knows of the clip's files, and the message."""
    visitor = await enter()
    message = (await visitor.ask("a heart bouncing on blue")).json()["message"]
    await house.finish(await house.claim())
    async with listening(house.url) as events:
        _, shown = await events.next_of("room")
        while not shown[0]["media"]:
            shown = [(await events.next_of("message"))[1]]
    return visitor.client, shown[0]["media"], Handle(ADDRESS, message)


async def test_a_clip_is_served_as_what_it_is_and_may_be_kept_by_the_browser(media: Any) -> None:
    client, about, _ = media
    answer = await client.get(about["src"])
    assert answer.headers["content-type"] == "image/gif"
    assert "immutable" in answer.headers["cache-control"]
    assert len(answer.content) == about["bytes"]
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (about["width"], about["height"]) == (256, 256)
    same = await client.get(about["src"], headers={"if-none-match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


async def test_a_part_of_a_clip_can_be_asked_for(media: Any) -> None:
    client, about, _ = media
    whole = (await client.get(about["src"])).content
    part = await client.get(about["src"], headers={"range": "bytes=6-9"})
    assert (part.status_code, part.content) == (206, whole[6:10])
    assert part.headers["content-range"] == f"bytes 6-9/{len(whole)}"
    beyond = await client.get(about["src"], headers={"range": f"bytes={len(whole)}-"})
    assert beyond.status_code == 416


async def test_a_clip_can_be_taken_home_in_every_format(media: Any) -> None:
    client, about, _ = media
    for kind, first in (("gif", b"GIF89a"), ("mp4", b"ftyp"), ("webp", b"WEBP")):
        answer = await client.get(about["files"][kind] + "&download")
        assert answer.status_code == 200
        assert first in answer.content[:16]
        assert re.fullmatch(
            rf'attachment; filename="zoetrope-[0-9a-z]+\.{kind}"', answer.headers["content-disposition"]
        )


async def test_a_clip_whose_rendition_was_swept_away_is_made_anew(house: Any, media: Any) -> None:
    client, about, _ = media
    for path in (house.folder / "renditions").rglob("*.gif"):
        path.unlink()
    assert (await client.get(about["src"])).content.startswith(b"GIF89a")


async def test_where_no_file_can_be_made_the_answer_names_none_of_our_folders(house: Any, media: Any) -> None:
    client, about, _ = media
    shutil.rmtree(house.folder / "renditions")
    (house.folder / "renditions").write_text("in the way")
    answer = await client.get(about["files"]["webp"])
    assert (answer.status_code, answer.text) == (404, cards.NO_ROOM)


async def test_a_deleted_clip_is_served_no_more(house: Any, media: Any) -> None:
    client, about, handle = media
    await house.surface.redraw(handle, Card("Deleted", "The clip was deleted.", final=True))
    assert (await client.get(about["src"])).status_code == 404


async def test_a_redraw_of_a_delivered_card_keeps_its_clip(house: Any, media: Any) -> None:
    client, about, handle = media
    (message,) = await messages(house)
    await house.surface.redraw(handle, Card("another title", "AI-generated.", clip=message.card["card"]["clip"]))
    assert (await client.get(about["src"])).status_code == 200


SECRET_PATHS = [
    "/clips/nothing.gif",
    "/clips/..%2f..%2fzoetrope.db",
    "/clips/%2e%2e.gif",
    "/clips/x.html",
    "/previews/..%2fzoetrope.db",
    "/previews/..%2fweb.key",
    "/previews/nothing.webp",
    "/static/../site.py",
    "/static/%2e%2e/index.html",
    "/static/..%2f..%2fsite.py",
    "/web.key",
]


async def test_no_other_file_can_be_reached(house: Any) -> None:
    async with httpx.AsyncClient(base_url=house.url) as client:
        for path in SECRET_PATHS:
            assert (await client.get(path)).status_code == 404, path


async def test_the_preview_of_a_rendering_job_is_shown(house: Any, enter: Any, loops: None) -> None:
    visitor = await enter()
    await visitor.ask("a heart")
    lease = await house.claim()
    await house.step(lease, 1)
    async with listening(house.url) as events:
        _, shown = await events.next_of("room")
        while not shown[0]["preview"]:
            shown = [(await events.next_of("message"))[1]]
    answer = await visitor.client.get(shown[0]["preview"])
    assert answer.headers["content-type"] == "image/webp"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (32, 32)


# --- the port, and what a surface stores ---


async def test_a_taken_port_is_said_in_a_sentence(house: Any, database: Database, tmp_path: Path) -> None:
    second = WebSurface(database, WebConfig(port=house.port), tmp_path, time.time)
    with pytest.raises(
        PortTaken, match=rf"can't listen on 127.0.0.1:{house.port} .*choose another address or port.*\.$"
    ):
        second.open()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org"])
async def test_other_machines_are_not_served_without_a_password(database: Database, tmp_path: Path, host: str) -> None:
    surface = WebSurface(database, WebConfig(host=host, port=0), tmp_path, time.time)
    with pytest.raises(PasswordMissing, match=rf"reaches {re.escape(host)}: make a password with .*\.$"):
        surface.open()


async def test_a_port_that_was_opened_and_never_served_can_be_let_go(database: Database, tmp_path: Path) -> None:
    first = WebSurface(database, WebConfig(port=0), tmp_path, time.time)
    port = httpx.URL(first.open()).port or 0
    first.close()
    second = WebSurface(database, WebConfig(port=port), tmp_path, time.time)
    second.open()
    second.close()


async def test_renditions_are_remembered_relative_to_the_data_folder(house: Any) -> None:
    path = house.folder / "renditions" / "c1" / "9-1x1.gif"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"GIF89a")
    handle = await house.surface.show(ADDRESS, Card("one", "Waiting."), "n1")
    await house.surface.deliver(handle, Card("one", "Done.", clip="c1"), Rendition(path, "gif", 6, 1, 1, 1.0))
    (message,) = await messages(house)
    assert message.rendition == "c1/9-1x1.gif"
