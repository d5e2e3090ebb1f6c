"""`zoetrope run` and `zoetrope play` as processes: how they start, what they say, how they stop."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from bot.surfaces.web.server import address_to_open

Zoetrope = Callable[..., subprocess.CompletedProcess[str]]
Served = Callable[..., subprocess.Popen[str]]
TOKEN = "a-token-that-nobody-may-see"


@pytest.fixture
def serve(home: Path) -> Iterator[Served]:
    """Start a serving command and return once it has said its address (in the file `said`), or died."""
    started: list[subprocess.Popen[str]] = []
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ZOETROPE_")}

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        log = (home / "log").open("w")
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bot", *arguments],
            cwd=home,
            env={**inherited, "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        log.close()
        started.append(process)
        assert process.stdout is not None
        said = process.stdout.readline()
        assert re.match(r"Zoetrope is at http://127\.0\.0\.1:\d+/ ", said)
        (home / "said").write_text(said)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_it_stops_in_order_when_it_is_asked_to(serve: Served, home: Path) -> None:
    process = serve("play", "--port", "0")
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
    log = (home / "log").read_text()
    assert log.rstrip().endswith("Stopped.")
    assert "Traceback" not in log


def test_play_needs_no_configuration_file_and_reads_none(serve: Served, home: Path) -> None:
    (home / "config.toml").write_text("[web]\nno_such_key = 1\n")
    folder = home / "what? 100%25 #1"
    process = serve("play", "--port", "0", "--data", str(folder))
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert (folder / "zoetrope.db").exists()
    assert "started again" not in (home / "log").read_text()  # nor does the generator read it


def test_a_second_one_on_the_same_folder_is_told_who_the_first_is(serve: Served, zoetrope: Zoetrope) -> None:
    process = serve("play", "--port", "0")
    second = zoetrope("play", "--port", "0")
    assert second.returncode == 1
    assert f"already running on this data folder (process {process.pid}," in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("command", ["play", "run"])
def test_a_taken_port_is_one_sentence(zoetrope: Zoetrope, home: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (home / "my.toml").write_text(f"[web]\nport = {port}\n")
        options = ["--port", str(port)] if command == "play" else ["--config", "my.toml"]
        done = zoetrope(command, *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_chat_that_cannot_be_reached_stops_nothing_and_its_token_stays_secret(serve: Served, home: Path) -> None:
    nowhere = "http://127.0.0.1:9/bot"
    (home / "my.toml").write_text(f'[web]\nport = 0\n[telegram]\nbase_url = "{nowhere}"\n')
    process = serve("run", "--config", "my.toml", ZOETROPE_TELEGRAM_TOKEN=TOKEN)
    generator = psutil.Process(process.pid).children()
    assert [one for one in generator if TOKEN in one.environ().values()] == []
    log = (home / "log").read_text()
    assert "Telegram can't be reached and is tried again" in log
    assert "Traceback" not in log
    assert TOKEN not in log
    assert "no token was found" not in log


def test_run_without_a_token_says_that_the_chats_are_off(serve: Served, home: Path) -> None:
    (home / "my.toml").write_text("[web]\nport = 0\n")
    serve("run", "--config", "my.toml")
    (line,) = [line for line in (home / "log").read_text().splitlines() if "no token was found" in line]
    for name in ("Discord and Telegram are off", "ZOETROPE_DISCORD_TOKEN", "ZOETROPE_TELEGRAM_TOKEN", "token_file"):
        assert name in line


def test_play_says_nothing_of_tokens(serve: Served, home: Path) -> None:
    serve("play", "--port", "0")
    assert "token" not in (home / "log").read_text()


def test_a_page_for_the_whole_network_is_said_where_a_browser_finds_it(
    serve: Served, zoetrope: Zoetrope, home: Path
) -> None:
    assert zoetrope("web-password", "pw", typed="a long enough password").returncode == 0
    (home / "my.toml").write_text('[web]\nport = 0\nhost = "0.0.0.0"\npassword_file = "pw"\n')
    serve("run", "--config", "my.toml")
    said = (home / "said").read_text()
    address = re.search(r"http://127\.0\.0\.1:\d+/ and at this machine's other addresses \(", said)
    assert address
    assert httpx.get(address[0].split()[0], follow_redirects=True).status_code in {200, 401}


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8420/"),
        ("0.0.0.0", "http://127.0.0.1:8420/"),
        ("::", "http://[::1]:8420/"),  # bound to IPv6 alone
        ("::1", "http://[::1]:8420/"),
        ("192.168.1.5", "http://192.168.1.5:8420/"),
        ("clips.lan", "http://clips.lan:8420/"),
    ],
)
def test_the_address_is_one_to_open_in_a_browser(host: str, address: str) -> None:
    assert address_to_open(host, 8420) == address


def test_a_page_for_the_whole_network_wants_a_password(zoetrope: Zoetrope) -> None:
    done = zoetrope("play", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 1
    assert "make a password with `zoetrope web-password FILE`" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
