"""What stands around the core: the data folder and its lock, works side by side, the log."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot import data_folder
from bot.errors import AlreadyRunning, FolderUnwritable
from bot.logs import Line
from bot.together import side_by_side


def test_a_folder_is_held_once(tmp_path: Path) -> None:
    with (
        data_folder.held(tmp_path),
        pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"),
        data_folder.held(tmp_path),
    ):
        pass
    with data_folder.held(tmp_path):
        assert (tmp_path / "bot.lock").read_text() == f"{os.getpid()}\n"


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    code = f"""
import pathlib, sys
from bot import data_folder
with data_folder.held(pathlib.Path({str(tmp_path)!r})):
    print("held", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunning, match=f"process {holder.pid}"), data_folder.held(tmp_path):
            pass
        holder.kill()
    with data_folder.held(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FolderUnwritable, match="choose another one with --data"):
        data_folder.prepare(tmp_path / "file" / "data")
    data_folder.prepare(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


async def test_works_end_one_after_the_other_in_their_order() -> None:
    ended = []

    async def work(name: str, turns: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(turns):  # the first takes longest to end
                await asyncio.sleep(0)
            ended.append(name)

    async with side_by_side([work("surface", 5), work("loop", 2), work("generator", 0)]):
        await asyncio.sleep(0)
    assert ended == ["surface", "loop", "generator"]


async def test_a_work_that_fails_ends_what_it_stood_beside() -> None:
    async def broken() -> None:
        raise FolderUnwritable("There is no space left.")

    with pytest.raises(ExceptionGroup) as caught:
        async with side_by_side([broken()]):
            await asyncio.Event().wait()
    assert [str(error) for error in caught.value.exceptions] == ["There is no space left."]


def test_a_log_line_is_a_sentence_with_its_machine_words() -> None:
    said = {"name": "bot", "levelname": "WARNING", "msg": "The %s ended.", "args": ("generator",)}
    record = logging.makeLogRecord({**said, "action": "generator_died", "job": "abc"})
    time, line = Line().format(record).split(" ", 1)
    assert len(time) == len("12:30:05")
    assert line == "WARNING The generator ended. action=generator_died job=abc"
