"""Small pictures for a wall of many clips, and the bound on what the cache holds."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import pytest
from PIL import Image

from bot.renditions import MasterGone, Renditions
from bot.renditions.bound import YOUNG_SECONDS
from db.records import Asker, Clip, ClipSpec, Ruling, Verdict
from tests.surfaces.web_wall import draw

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
PLENTY = 50_000_000

MakeClip = Callable[..., tuple[Path, Clip]]


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    def make(clip_id: str = "clip0", side: int = 32, ruling: Ruling = Ruling.ALLOWED) -> tuple[Path, Clip]:
        master = tmp_path / f"{clip_id}.mp4"
        draw(master, (31, 89, 230), side)
        spec = ClipSpec("a prompt", "", 7, 12, 3.0, 8, side, side, 8, "pocket")
        return master, Clip(clip_id, "job0", Asker("web", "a"), spec, Verdict(ruling), master.name, "", 0, {})

    return make


def renditions(folder: Path, most_bytes: int | None = None) -> Renditions:
    return Renditions(folder / "renditions", FFMPEG, most_bytes=most_bytes)


def frames_of(path: Path) -> list[Image.Image]:
    with Image.open(path) as file:
        frames = []
        for index in range(getattr(file, "n_frames", 1)):
            file.seek(index)
            frames.append(file.convert("RGB"))
        return frames


async def test_a_crisp_clip_s_tile_is_as_small_as_its_master_and_exact(tmp_path: Path, make_clip: MakeClip) -> None:
    master, clip = make_clip()
    tile = await renditions(tmp_path).make_small(master, clip, True, still=False)
    frames = frames_of(tile.path)
    assert (len(frames), tile.width, tile.height) == (8, 32, 32)
    assert frames[0].getpixel((0, 0)) == (31, 89, 230)


async def test_a_still_is_the_first_frame_of_the_tile(tmp_path: Path, make_clip: MakeClip) -> None:
    master, clip = make_clip()
    made = renditions(tmp_path)
    still = frames_of((await made.make_small(master, clip, True, still=True)).path)
    tile = frames_of((await made.make_small(master, clip, True, still=False)).path)
    assert len(still) == 1
    assert still[0].tobytes() == tile[0].tobytes() != tile[-1].tobytes()


async def test_a_large_clip_s_tile_is_small(tmp_path: Path, make_clip: MakeClip) -> None:
    master, clip = make_clip(side=512)
    tile = await renditions(tmp_path).make_small(master, clip, False, still=False)
    assert (tile.width, tile.height) == (256, 256)
    assert tile.bytes < 60_000


async def test_the_mark_of_a_labelled_clip_is_legible_on_its_tile(tmp_path: Path, make_clip: MakeClip) -> None:
    master, clip = make_clip(ruling=Ruling.LABELLED)
    still = await renditions(tmp_path).make_small(master, clip, True, still=True)
    plate = frames_of(still.path)[0].crop((200, 210, 250, 250))
    assert still.width == 256
    assert (16, 16, 16) in {colour for _, colour in plate.getcolors(10_000) or []}


async def test_a_small_picture_says_that_a_model_made_it(tmp_path: Path, make_clip: MakeClip) -> None:
    master, clip = make_clip()
    still = await renditions(tmp_path).make_small(master, clip, True, still=True)
    assert b"trainedAlgorithmicMedia" in still.path.read_bytes()


async def test_a_picture_that_is_there_waits_for_no_encode(tmp_path: Path, make_clip: MakeClip) -> None:
    master, clip = make_clip()
    made = renditions(tmp_path)
    still = await made.make_small(master, clip, True, still=True)
    async with made._turn:
        async with asyncio.timeout(10):
            assert await made.make_small(master, clip, True, still=True) == still


async def test_a_wall_keeps_one_place_in_the_line_before_a_delivery(tmp_path: Path, make_clip: MakeClip) -> None:
    wanted = [make_clip(f"clip{number}") for number in range(4)]
    made = renditions(tmp_path)
    ended: list[str] = []

    async def make(name: str, work: object) -> None:
        await work  # type: ignore[misc]
        ended.append(name)

    async with asyncio.TaskGroup() as group:
        for master, clip in wanted:
            group.create_task(make("tile", made.make_small(master, clip, True, still=False)))
        await asyncio.sleep(0)  # they stand in line now
        group.create_task(make("delivery", made.make(*wanted[0], True, "gif", PLENTY)))
    assert "delivery" in ended[:3]


async def test_a_missing_master_is_said_in_a_sentence(tmp_path: Path, make_clip: MakeClip) -> None:
    master, clip = make_clip()
    master.unlink()
    with pytest.raises(MasterGone):
        await renditions(tmp_path).make_small(master, clip, True, still=True)


async def test_the_sweep_leaves_small_pictures_of_clips_that_are_named(tmp_path: Path, make_clip: MakeClip) -> None:
    master, clip = make_clip("0123456789")
    made = renditions(tmp_path)
    still = await made.make_small(master, clip, True, still=True)
    await made.sweep([clip.id])
    assert still.path.exists()
    assert await made.sweep([]) == [clip.id]


# --- the bound ---


def let_age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


async def make_many(made: Renditions, make_clip: MakeClip, count: int) -> list[Path]:
    """GIFs of as many clips, the first one used longest ago; all of them older than what is never removed."""
    paths = []
    for number in range(count):
        master, clip = make_clip(f"clip{number}")
        rendition = await made.make(master, clip, True, "gif", PLENTY)
        let_age(rendition.path, YOUNG_SECONDS + 100 - number)
        paths.append(rendition.path)
    return paths


async def test_what_was_used_longest_ago_goes_when_there_is_too_much(tmp_path: Path, make_clip: MakeClip) -> None:
    free = renditions(tmp_path)
    paths = await make_many(free, make_clip, 4)
    size = paths[0].stat().st_size
    bounded = renditions(tmp_path, most_bytes=int(3.5 * size))
    master, clip = make_clip("clip0")
    assert (await bounded.make(master, clip, True, "gif", PLENTY)).path == paths[0]  # used again just now
    master, clip = make_clip("clip9")
    new = await bounded.make(master, clip, True, "gif", PLENTY)
    assert [path.exists() for path in paths] == [True, False, False, True]
    assert new.path.exists()
    assert not paths[1].parent.exists()


async def test_a_file_that_went_is_made_anew_when_it_is_wanted(tmp_path: Path, make_clip: MakeClip) -> None:
    bounded = renditions(tmp_path, most_bytes=1)
    [path] = await make_many(bounded, make_clip, 1)
    before = path.read_bytes()
    let_age(path, YOUNG_SECONDS + 1)  # reading counts as using
    master, clip = make_clip("clip9")
    await bounded.make(master, clip, True, "gif", PLENTY)
    assert not path.exists()
    master, clip = make_clip("clip0")
    assert (await bounded.make(master, clip, True, "gif", PLENTY)).path.read_bytes() == before


async def test_what_was_made_a_moment_ago_stays_whatever_the_bound_is(tmp_path: Path, make_clip: MakeClip) -> None:
    bounded = renditions(tmp_path, most_bytes=1)
    made = [await bounded.make(*make_clip(f"clip{number}"), True, "gif", PLENTY) for number in range(3)]
    assert all(rendition.path.exists() for rendition in made)


async def test_without_a_bound_everything_stays(tmp_path: Path, make_clip: MakeClip) -> None:
    paths = await make_many(renditions(tmp_path), make_clip, 3)
    assert all(path.exists() for path in paths)


async def test_being_used_does_not_make_a_file_look_newly_written(tmp_path: Path, make_clip: MakeClip) -> None:
    made = renditions(tmp_path, most_bytes=PLENTY)
    [path] = await make_many(made, make_clip, 1)
    written = path.stat().st_mtime_ns
    master, clip = make_clip("clip0")
    await made.make(master, replace(clip, hidden=True), True, "gif", PLENTY)
    assert path.stat().st_mtime_ns == written
    assert path.stat().st_atime > time.time() - YOUNG_SECONDS
