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

import psutil  # type: ignore[import-untyped]
import pytest

Zoetrope = Callable[..., subprocess.CompletedProcess[str]]
Served = Callable[..., subprocess.Popen[str]]
TOKEN = "a-token-that-nobody-may-see"


@pytest.fixture
def serve(home: Path) -> Iterator[Served]:
    """Start a serving command and return once it has said its address (or died)."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        log = (home / "log").open("w")
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bot", *arguments],
            cwd=home,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        log.close()
        started.append(process)
        assert process.stdout is not None
        assert re.match(r"Zoetrope is at http://127\.0\.0\.1:\d+/ ", process.stdout.readline())
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


def test_a_page_for_the_whole_network_wants_a_password(zoetrope: Zoetrope) -> None:
    done = zoetrope("play", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 1
    assert "make a password with `zoetrope web-password FILE`" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
