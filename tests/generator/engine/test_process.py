"""The engine as a process of its own: real pipes, real ends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generator.engine.doctor import examine
from generator.protocol import Cancel, Cancelled, Failed, Ready, Render, Rendered, Shutdown

NOISE = """
import os, runpy, sys
print("a library says hello", flush=True)
os.write(1, b'{"kind": "ready"}' + bytes(range(256)))
os.write(2, b"and complains")
sys.argv[0] = "engine"
runpy.run_module("generator.engine", run_name="__main__")
"""

Start = Callable[..., Any]
Order = Callable[..., Render]


def test_renders_cancels_refuses_and_shuts_down_whatever_libraries_print(start: Start, render: Order) -> None:
    engine = start(NOISE)
    ready = engine.hear()
    assert isinstance(ready, Ready)
    assert ready.device == "cpu"
    assert ready.memory_bytes > 0

    engine.say(render("first", steps=2))
    heard = engine.hear_until("rendered", "failed")
    assert isinstance(heard[-1], Rendered)
    assert [one.kind for one in heard if one.kind != "loading"] == ["encoding", "step", "step", "decoding", "rendered"]
    assert Path(render("first").master).exists()

    engine.say(render("second", steps=200))
    engine.hear_until("step")
    engine.say(Cancel(job="second"))
    assert isinstance(engine.hear_until("cancelled", "rendered")[-1], Cancelled)

    engine.say(render("third", width=17))
    failed = engine.hear()
    assert isinstance(failed, Failed)
    assert not failed.again

    engine.say(render("fourth", steps=1))
    assert isinstance(engine.hear_until("rendered", "failed")[-1], Rendered)
    engine.say(Shutdown())
    assert engine.wait(10) == 0
    assert "bouncing" not in engine.log.read_text(errors="replace")


def test_ends_within_two_seconds_of_its_runner_even_in_the_middle_of_a_step(start: Start, render: Order) -> None:
    engine = start()
    engine.hear()
    engine.say(render(steps=200, frames=96, width=256, height=256))
    engine.hear_until("encoding")  # the first step has begun or is about to
    engine.hang_up()
    assert engine.wait(2) == 0


def test_ends_with_its_runner_even_when_it_can_not_clear_up(start: Start, render: Order, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"where a folder should be")
    engine = start()
    engine.hear()
    engine.say(render(steps=1).model_copy(update={"master": str(tmp_path / "file" / "clip.mkv")}))
    failed = engine.hear_until("failed", "rendered")[-1]
    assert isinstance(failed, Failed)
    assert "could not be written" in failed.reason
    engine.hang_up()
    assert engine.wait(2) == 0


def test_a_runner_that_dies_while_the_engine_starts_is_noticed(start: Start) -> None:
    engine = start()
    engine.write(b'{"kind": "ren')  # killed in the middle of a line
    engine.hang_up()
    assert engine.wait(20) == 0
    with pytest.raises(AssertionError, match="no message"):
        engine.hear(1)


def test_what_is_not_the_protocol_ends_the_engine_with_a_status_of_its_own(start: Start) -> None:
    engine = start()
    engine.write(b'{"kind": "render", "prompt": "secret"}\n')
    assert engine.wait(10) == 2
    log = engine.log.read_text()
    assert "not in the protocol" in log
    assert "secret" not in log


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "started by a runner"),
        (["--read-fd", "0", "--write-fd", "1", "--models", "/nowhere/models.json"], "can't read its --models file"),
    ],
)
def test_a_wrong_start_is_one_sentence(arguments: list[str], sentence: str) -> None:
    command = [sys.executable, "-m", "generator.engine", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        told = process.stderr.read().decode()
        assert process.wait(20) == 1
    assert sentence in told
    assert "Traceback" not in told


def test_the_doctor_says_what_there_is() -> None:
    command = [sys.executable, "-m", "generator.engine", "--doctor", "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=100)
    told = json.loads(done.stdout)
    assert told["ffmpeg"] is True
    assert told["torch"]
    assert told["memory_bytes"] > 0
    assert told["problem"] == ""


@pytest.mark.parametrize("device", ["cuda:77", "toaster"])
def test_the_doctor_has_a_sentence_for_a_device_that_is_not_there(device: str) -> None:
    told = examine(device)
    assert device in told["problem"]
    assert "auto" in told["problem"]
