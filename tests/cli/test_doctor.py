from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.doctor.machine import look_at_port
from db.config import Config, DataConfig, WebConfig
from db.records import Finding

Zoetrope = Callable[..., subprocess.CompletedProcess[str]]


def findings(text: str) -> dict[str, tuple[bool, str]]:
    """By thing: whether it is well, and the sentence."""
    found = {}
    for line in text.splitlines():
        well, _, rest = line.partition(" ")
        thing, _, sentence = rest.strip().partition(": ")
        found[thing] = (well == "ok", sentence)
    return found


def test_everything_is_looked_at_and_nothing_is_written(zoetrope: Zoetrope, home: Path) -> None:
    done = zoetrope("doctor")
    found = findings(done.stdout)
    expected = {"configuration", "data folder", "database", "disk", "ffmpeg", "web page", "device", "model pocket"}
    assert expected <= set(found), done.stdout + done.stderr
    assert [thing for thing in ("configuration", "database", "ffmpeg", "device") if not found[thing][0]] == []
    assert done.returncode == (0 if all(well for well, _ in found.values()) else 1)
    assert list(home.iterdir()) == []


def test_each_problem_says_what_to_do_and_the_others_are_looked_at_all_the_same(zoetrope: Zoetrope, home: Path) -> None:
    (home / "zoetrope.db").write_text("this is no database, " * 100)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        models = '[generator.models.big]\npath = "./models/none"\n'
        (home / "my.toml").write_text(f'[data]\nfolder = "."\n[web]\nport = {port}\n{models}')
        done = zoetrope("doctor", "--config", "my.toml")
    found = findings(done.stdout)
    assert done.returncode == 1
    assert not found["database"][0]
    assert "not a database" in found["database"][1]
    assert not found["web page"][0]
    assert f"{port}" in found["web page"][1]
    assert "generator.models.big.path" in done.stdout
    assert found["ffmpeg"][0]
    assert "Traceback" not in done.stdout + done.stderr


def test_a_broken_configuration_does_not_hide_the_rest(zoetrope: Zoetrope, home: Path) -> None:
    (home / "my.toml").write_text("[genrator]\n")
    done = zoetrope("doctor", "--config", "my.toml")
    found = findings(done.stdout)
    assert done.returncode == 1
    assert not found["configuration"][0]
    assert "[generator]" in found["configuration"][1]
    assert found["ffmpeg"][0]


@pytest.fixture
def taken_on_ipv6() -> Iterator[int]:
    """A port of ::1 that somebody else listens on."""
    try:
        taken = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("NOT CHECKED: this machine has no IPv6, so no address of it was looked at")
    with taken:
        yield taken.getsockname()[1]


def test_an_address_of_ipv6_is_looked_at_as_the_page_will_bind_it(home: Path, taken_on_ipv6: int) -> None:
    assert look_at_port(web(home, "::1", 0)) == Finding("web page", True, "port 0 of ::1 is free.")
    found = look_at_port(web(home, "::1", taken_on_ipv6))
    assert not found.well
    assert f"[::1]:{taken_on_ipv6} (address already in use)" in found.sentence


def test_a_page_that_others_reach_without_a_password_is_a_problem(home: Path) -> None:
    found = look_at_port(web(home, "0.0.0.0", 0))
    assert not found.well
    assert "password" in found.sentence
    assert "127.0.0.1" in found.sentence


def web(folder: Path, host: str, port: int) -> Config:
    return Config(data=DataConfig(folder=folder), web=WebConfig(host=host, port=port))
