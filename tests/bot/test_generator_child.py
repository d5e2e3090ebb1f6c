"""The supervisor of the local generator, with real child processes that are quickly written."""

from __future__ import annotations

import asyncio
import os
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from bot import generator_child
from bot.errors import GeneratorUnavailable
from bot.generator_child import GeneratorChild, command, environment_for_child

Child = Callable[..., GeneratorChild]
BOUND = 30.0


@pytest.fixture
def child(tmp_path: Path) -> Child:
    """A supervisor of a program that begins every life by adding its process id to `lives`."""

    def make(program: str, **options: object) -> GeneratorChild:
        code = f"""
            import os, signal, sys, time
            with open({str(tmp_path / "lives")!r}, "a") as lives:
                lives.write(str(os.getpid()) + "\\n")
            {program}
        """
        line = [sys.executable, "-c", textwrap.dedent(code)]
        return GeneratorChild(line, dict(os.environ), tmp_path / "log", **options)  # type: ignore[arg-type]

    return make


def lives(tmp_path: Path) -> list[int]:
    file = tmp_path / "lives"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop turn until it is so."""
    async with asyncio.timeout(BOUND):
        while not condition():
            await asyncio.to_thread(os.sched_yield)


async def stop(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()


async def test_a_child_that_dies_is_started_again(
    child: Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator_child, "FIRST_PAUSE", 0.01)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(child("sys.exit(1)").run())
        await until(lambda: len(lives(tmp_path)) >= 3)
        await stop(running)
    assert len(set(lives(tmp_path))) == len(lives(tmp_path))


async def test_at_the_end_of_patience_the_last_word_of_the_child_is_told(
    child: Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator_child, "FIRST_PAUSE", 0.01)
    with pytest.raises(GeneratorUnavailable, match=r"does not come up \(status 1\): There is no device\."):
        await child("sys.exit('There is no device.')", patience=2).run()
    assert len(lives(tmp_path)) == 2


async def test_a_child_that_can_not_be_started_is_one_that_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator_child, "FIRST_PAUSE", 0.01)
    nobody = GeneratorChild([str(tmp_path / "python")], {}, tmp_path / "log", patience=2)
    with pytest.raises(GeneratorUnavailable, match="No such file or directory"):
        await nobody.run()


async def test_a_stop_is_end_of_file_on_its_standard_input(child: Child, tmp_path: Path) -> None:
    farewell = tmp_path / "farewell"
    program = f"sys.stdin.read(); open({str(farewell)!r}, 'w').write('in order')"
    async with asyncio.TaskGroup() as group:
        running = group.create_task(child(program).run())
        await until(lambda: bool(lives(tmp_path)))
        await stop(running)
    assert farewell.read_text() == "in order"
    assert not psutil.pid_exists(lives(tmp_path)[0])


async def test_a_child_that_will_not_go_is_killed(
    child: Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator_child, "GRACE", 0.1)
    ready = tmp_path / "ready"
    deaf = f"signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(ready)!r}, 'w').close(); signal.pause()"
    async with asyncio.TaskGroup() as group:
        running = group.create_task(child(deaf).run())
        await until(ready.exists)
        await stop(running)
    assert not psutil.pid_exists(lives(tmp_path)[0])


def test_secrets_and_settings_of_ours_do_not_reach_the_child() -> None:
    ours = {"PATH": "/bin", "ZOETROPE_DISCORD_TOKEN": "secret", "ZOETROPE_DATA": "elsewhere"}
    assert environment_for_child(ours) == {"PATH": "/bin", "PYTHONSAFEPATH": "1"}


def test_the_child_gets_folder_and_configuration_by_name(tmp_path: Path) -> None:
    line = command(tmp_path, tmp_path / "my.toml")
    assert line[:5] == [sys.executable, "-P", "-m", "generator", "--supervised"]
    assert line[5:] == ["--data", str(tmp_path), "--config", str(tmp_path / "my.toml")]
    assert "--config" not in command(tmp_path, None)
