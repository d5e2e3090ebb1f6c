"""Masters: exact, self-describing, whole or not there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from numpy.typing import NDArray

from db.records import ClipSpec
from generator.engine.master import facts_of, part_of, write_master
from generator.errors import RenderFailed


@pytest.fixture
def frames() -> NDArray[np.uint8]:
    noise = np.random.default_rng(0).integers(0, 256, (6, 40, 72, 3), dtype=np.uint8)
    noise[3:] = (31, 90, 229)  # a flat colour, which chroma subsampling would shift
    return noise


def read(path: Path, *arguments: str) -> bytes:
    command = [get_ffmpeg_exe(), "-v", "error", "-i", str(path), *arguments, "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ""])
def test_a_master_gives_every_byte_back(tmp_path: Path, frames: NDArray[np.uint8], suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    write_master(frames, path, 8, "{}")
    back = np.frombuffer(read(path, "-f", "rawvideo", "-pix_fmt", "rgb24"), np.uint8)
    assert np.array_equal(back.reshape(frames.shape), frames)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_a_master_tells_how_it_was_made_but_not_its_prompt(
    tmp_path: Path, frames: NDArray[np.uint8], spec: Callable[..., ClipSpec], suffix: str
) -> None:
    path = tmp_path / f"clip{suffix}"
    asked = spec(prompt="secret; words=here", seed=77)
    write_master(frames, path, 8, facts_of(asked, "ddim"))
    told = read(path, "-f", "ffmetadata").decode()
    line = next(line for line in told.splitlines() if line.lower().startswith("comment="))
    facts = json.loads(line.partition("=")[2].replace("\\", ""))
    assert facts["seed"] == 77
    assert facts["sampler"] == "ddim"
    assert facts["ai_generated"] is True
    assert facts["model"] == "tiny"
    assert b"secret" not in path.read_bytes()


def test_the_same_frames_make_the_same_file(tmp_path: Path, frames: NDArray[np.uint8]) -> None:
    write_master(frames, tmp_path / "one.mkv", 8, "{}")
    write_master(frames, tmp_path / "two.mkv", 8, "{}")
    assert (tmp_path / "one.mkv").read_bytes() == (tmp_path / "two.mkv").read_bytes()


def test_a_missing_folder_is_one_sentence(tmp_path: Path, frames: NDArray[np.uint8]) -> None:
    with pytest.raises(RenderFailed, match="could not be written") as caught:
        write_master(frames, tmp_path / "none" / "clip.mkv", 8, "{}")
    assert "\n" not in str(caught.value)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, frames: NDArray[np.uint8]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("only Linux has a device that is always full")
    path = tmp_path / "clip.mkv"
    part_of(path).symlink_to("/dev/full")
    with pytest.raises(RenderFailed, match="has space"):
        write_master(frames, path, 8, "{}")
    assert list(tmp_path.iterdir()) == []
