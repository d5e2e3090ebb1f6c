"""The page for other machines: its password, its names, its cookies."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.errors import FolderUnwritable, PasswordMissing
from bot.surfaces.web import password
from bot.surfaces.web.browsers import SESSION_SECONDS, Browsers
from bot.surfaces.web.guard import own_names
from bot.surfaces.web.password import TRIES, TRIES_OF_ALL, TRY_SECONDS, Attempts, Password, required
from db.config import WebConfig

WORD = "correct horse battery"
KEY = b"k" * 32


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A password's file."""
    written = tmp_path / "web.password"
    password.write(written, WORD)
    return written


@pytest.fixture
async def guarded(house: Any, file: Path) -> Any:
    """The house, served with a password."""
    await house.stop()
    await house.serve(password_file=file)
    return house


@pytest.fixture
async def stranger(guarded: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=guarded.url, headers={"origin": guarded.url}, timeout=20) as client:
        yield client


HTML = {"accept": "text/html"}


async def test_before_the_password_there_is_the_door_alone(guarded: Any, stranger: httpx.AsyncClient) -> None:
    for path in ("/", "/gallery", "/nowhere"):
        answer = await stranger.get(path, headers=HTML)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in"), path
    for path in ("/events", "/clips/x.gif", "/previews/x.webp", "/suggestions?kind=models", "/gallery/clips"):
        assert (await stranger.get(path)).status_code == 401, path
    for path in ("/say", "/press", "/edit", "/dismiss", "/sign-out"):
        answer = await stranger.post(path, json={"text": "a heart"})
        assert (answer.status_code, answer.json()["result"]) == (401, "signed out"), path
    assert (await stranger.get("/health")).status_code == 200
    assert (await stranger.get("/static/style.css")).status_code == 200


async def test_who_says_the_password_is_in_until_they_sign_out(guarded: Any, stranger: httpx.AsyncClient) -> None:
    wrong = await stranger.post("/sign-in", data={"password": "wrong"})
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (403, False)
    assert "That is not the password; please try again." in wrong.text
    right = await stranger.post("/sign-in", data={"password": WORD})
    cookie = right.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert WORD not in cookie
    page = await stranger.get("/", headers=HTML)
    assert (page.status_code, "Sign out" in page.text) == (200, True)
    await stranger.post("/sign-out")
    assert (await stranger.get("/", headers=HTML)).status_code == 303


async def test_a_link_from_another_site_does_not_lead_to_the_door(guarded: Any, stranger: httpx.AsyncClient) -> None:
    """The strict session does not come along such a link, so the page asks once more from itself."""
    answer = await stranger.get("/", headers={**HTML, "sec-fetch-site": "cross-site"})
    assert (answer.status_code, 'http-equiv="refresh"' in answer.text) == (200, True)


async def test_guessing_is_stopped_with_a_sentence_that_says_for_how_long(
    guarded: Any, stranger: httpx.AsyncClient
) -> None:
    for _ in range(TRIES):
        assert (await stranger.post("/sign-in", data={"password": "guess"})).status_code == 403
    late = await stranger.post("/sign-in", data={"password": WORD})
    assert late.status_code == 429
    assert "too many wrong passwords; please try again in" in late.text


class Easy(Password):
    """A password that is quick to compare."""

    def fits(self, text: str) -> bool:
        return text == self.hash


async def test_attempts_are_counted_by_address_and_all_together_and_forgotten_after_a_while() -> None:
    now = 1000.0
    attempts, easy = Attempts(lambda: now), Easy("yes")
    for number in range(TRIES):
        assert await attempts.fits(easy, f"no{number}", "a") is False
    assert await attempts.fits(easy, "yes", "a") == TRY_SECONDS
    assert await attempts.fits(easy, "yes", "b") is True
    for number in range(TRIES_OF_ALL - TRIES):
        assert await attempts.fits(easy, "no", f"c{number}") is False
    assert await attempts.fits(easy, "yes", "new") == TRY_SECONDS
    now += TRY_SECONDS
    assert await attempts.fits(easy, "yes", "a") is True


def test_a_session_is_of_one_password_and_ends() -> None:
    browsers = Browsers(KEY)
    cookie = browsers.session("mark", 1000.0).split(";")[0]
    assert browsers.is_signed_in(cookie, "mark", 1000.0 + SESSION_SECONDS - 1)
    assert not browsers.is_signed_in(cookie, "mark", 1000.0 + SESSION_SECONDS)
    assert not browsers.is_signed_in(cookie, "another", 1000.0)
    assert not Browsers(b"x" * 32).is_signed_in(cookie, "mark", 1000.0)
    name, _, value = cookie.partition("=")
    assert not browsers.is_signed_in(f"{name}={'9' * 20}{value[20:]}", "mark", 1000.0)


def test_a_cookie_of_an_asker_is_no_session() -> None:
    browsers = Browsers(KEY)
    value = browsers.cookie("0" * 20).split(";")[0].partition("=")[2]
    assert not browsers.is_signed_in(f"{browsers.session_name}={value}", "mark", 0.0)


# --- the password's file ---


def test_the_file_holds_a_hash_that_its_owner_alone_reads(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert WORD not in file.read_text()
    found = required(WebConfig(password_file=file))
    assert found is not None
    assert found.fits(WORD)
    assert not found.fits(f"{WORD} ")


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FolderUnwritable, match=r"name another file\.$"):
        password.write(tmp_path / "nowhere" / "web.password", WORD)


@pytest.mark.parametrize("content", [None, b"", b"secret", b"\xff\xfe", b"$argon2id$v=19$nonsense"])
def test_a_file_that_is_no_hash_is_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    broken = tmp_path / "web.password"
    if content is not None:
        broken.write_bytes(content)
    with pytest.raises(PasswordMissing, match=r"make it anew with `zoetrope web-password .*`\.$"):
        required(WebConfig(password_file=broken))


def test_this_machine_needs_none_and_others_do() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "127.8.8.8"):
        assert required(WebConfig(host=host)) is None
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org"):
        with pytest.raises(PasswordMissing):
            required(WebConfig(host=host))


# --- names ---


def test_further_names_are_served_and_those_with_https_want_its_origin() -> None:
    names = own_names(WebConfig(names=["clips.lan", "https://clips.example.org", "https://other.example:8443"]), 8420)
    for host in ("clips.lan", "clips.lan:8420", "clips.example.org", "other.example:8443", "127.0.0.1:8420"):
        assert host in names, host
    for host in ("evil.example", "other.example", "clips.lan:1", "192.168.1.5:8420", "10.0.0.1"):
        assert host not in names, host
    assert names.origin("clips.example.org") == "https://clips.example.org"
    assert names.origin("clips.lan") == "http://clips.lan"


def test_a_page_for_other_machines_is_reached_by_any_of_its_addresses_and_by_no_foreign_name() -> None:
    names = own_names(WebConfig(host="0.0.0.0"), 8420)
    for host in ("192.168.1.5:8420", "10.0.0.1:8420", "[fe80::1]:8420", "localhost:8420"):
        assert host in names, host
    for host in ("evil.example:8420", "192.168.1.5:1", "192.168.1.5", "192.168.1.5.nip.io:8420", ""):
        assert host not in names, host


async def test_behind_https_cookies_go_over_https_alone(house: Any, file: Path) -> None:
    await house.stop()
    await house.serve(names=["https://clips.example.org"], password_file=file)
    ours = {"host": "clips.example.org", "origin": "https://clips.example.org", **HTML}
    async with httpx.AsyncClient(base_url=house.url, timeout=20) as client:
        entered = await client.post("/sign-in", data={"password": WORD}, headers=ours)
        assert "Secure" in entered.headers["set-cookie"].split("; ")
        session = entered.headers["set-cookie"].split(";")[0]
        page = await client.get("/", headers={**ours, "cookie": session})
        assert "Secure" in page.headers["set-cookie"].split("; ")
        plain = {**ours, "origin": "http://clips.example.org"}
        assert (await client.post("/sign-in", data={"password": WORD}, headers=plain)).status_code == 403
