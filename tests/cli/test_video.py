"""`zoetrope video` as a person runs it: a real process, a real engine, the real pocket model."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from PIL import Image, ImageSequence

from bot import cards

Zoetrope = Callable[..., subprocess.CompletedProcess[str]]

HEART = "a heart bouncing on blue"
REFUSED = "nude child"
ONE_THREAD = "[generator]\nthreads = 1\n"  # on a busy machine threads that wait for each other lose a lot


@pytest.mark.slow
def test_a_prompt_becomes_the_file_that_was_asked_for(zoetrope: Zoetrope, home: Path) -> None:
    (home / "one.toml").write_text(ONE_THREAD)
    (home / "a.gif").write_text("an older file")
    done = zoetrope("video", HEART, "-o", "a.gif", "--seed", "3", "--steps", "4", "--json", "--config", "one.toml")
    assert done.returncode == 0, done.stderr
    clip = json.loads(done.stdout)
    assert set(clip) == {"path", "seed", "spec", "verdict", "seconds", "bytes", "model"}
    assert (clip["path"], clip["seed"], clip["model"]) == ("a.gif", 3, "pocket")
    assert clip["spec"]["prompt"] == HEART
    assert clip["spec"]["steps"] == 4
    assert clip["verdict"]["verdict"] == "allowed"
    assert {"denoise", "decode", "total"} <= set(clip["seconds"])
    assert clip["bytes"] == (home / "a.gif").stat().st_size
    with Image.open(home / "a.gif") as gif:
        assert gif.format == "GIF"
        assert len(list(ImageSequence.Iterator(gif))) == clip["spec"]["frames"]
    assert "Next in line" in done.stderr
    assert sorted(path.name for path in home.iterdir()) == ["a.gif", "one.toml"]


@pytest.mark.slow
def test_several_prompts_share_one_engine_and_a_refused_one_does_not_stop_the_others(
    zoetrope: Zoetrope, home: Path
) -> None:
    (home / "one.toml").write_text(ONE_THREAD)
    prompts = [HEART, REFUSED, "a star growing on black"]
    options = ["-o", "clips", "--format", "webp", "--steps", "1", "--json", "--config", "one.toml"]
    done = zoetrope("video", *prompts, *options)
    assert done.returncode == 3, done.stderr
    first, refused, last = map(json.loads, done.stdout.splitlines())
    assert refused["path"] is None
    assert refused["verdict"]["verdict"] == "refused"
    assert refused["problem"]
    assert [first["path"], last["path"]] == [
        "clips/01-a-heart-bouncing-on-blue.webp",
        "clips/03-a-star-growing-on-black.webp",
    ]
    assert sorted(path.name for path in (home / "clips").iterdir()) == [Path(one["path"]).name for one in (first, last)]
    assert first["seconds"].get("load", 0) > 0
    assert last["seconds"].get("load", 0) < first["seconds"]["load"]


def test_wishes_that_no_model_can_meet_are_answered_without_rendering(zoetrope: Zoetrope, home: Path) -> None:
    done = zoetrope("video", HEART, "-o", "a.gif", "--steps", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "steps" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(home.iterdir()) == []


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def _hear_ctrl_c() -> None:
    """A shell that starts the tests in the background has them ignore it, and their children with them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def steps() -> int:
    """Enough to do, so that it does not end by itself."""
    return 40


@pytest.fixture
def filming(home: Path, temporary: Path, steps: int) -> Iterator[subprocess.Popen[str]]:
    """The command at work: its prompt waits in line."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "bot", "video", HEART, "-o", "a.gif", "--steps", str(steps)],
        cwd=home,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_ctrl_c,
    ) as process:
        try:
            assert process.stderr is not None
            assert "Next in line" in process.stderr.readline()
            yield process
        finally:
            process.kill()


def test_ctrl_c_stops_everything_and_leaves_nothing(
    filming: subprocess.Popen[str], home: Path, temporary: Path
) -> None:
    children = psutil.Process(filming.pid).children(recursive=True)
    assert children
    filming.send_signal(signal.SIGINT)
    output, said = filming.communicate(timeout=60)
    assert (filming.returncode, output) == (130, "")
    assert said.rstrip().endswith("Stopped.")
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    assert list(temporary.iterdir()) == []
    assert list(home.iterdir()) == []


def test_a_disk_that_fills_up_ends_it_with_one_sentence(
    filming: subprocess.Popen[str], home: Path, temporary: Path
) -> None:
    """A limit on the size of the process's files stands for the disk; the generator, started before, has none."""
    assert filming.stderr is not None
    assert filming.stderr.readline()  # the generator has taken it up: from now on the bot only looks on
    resource.prlimit(filming.pid, resource.RLIMIT_FSIZE, (0, 0))
    output, said = filming.communicate(timeout=60)
    assert (filming.returncode, output) == (1, "")
    assert said.splitlines()[-1].startswith("The temporary files can't be written to ")
    assert "Traceback" not in said
    assert list(temporary.glob("zoetrope-*")) == []
    assert list(home.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1])
def test_a_file_that_there_is_no_room_to_make_ends_it_with_one_sentence(
    filming: subprocess.Popen[str], home: Path, temporary: Path
) -> None:
    (folder,) = temporary.glob("zoetrope-*")
    (folder / "renditions").write_text("in the way")
    output, said = filming.communicate(timeout=100)
    assert (filming.returncode, output) == (1, "")
    assert cards.NO_ROOM in said.splitlines()[-1]
    assert list(home.iterdir()) == []
