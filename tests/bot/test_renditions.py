"""Masters become files that fit: real ffmpeg, read back by other readers (Pillow, ffmpeg's demuxer, exiftool)."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import pytest
from PIL import Image, ImageDraw, ImageSequence

from bot.renditions import EncodeFailed, MasterGone, NoRoom, Renditions, Unfit, UnknownFormat, label, marks
from db.records import Asker, Clip, ClipSpec, Ruling, Verdict

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
BLUE, RED = (31, 89, 230), (230, 30, 36)
PLENTY = 50_000_000

MakeClip = Callable[..., tuple[Path, Clip]]


def ball(size: int, count: int) -> list[Image.Image]:
    """Two colours, nothing between them: a red square going down on blue."""
    frames = []
    for index in range(count):
        frame = Image.new("RGB", (size, size), BLUE)
        top = index * (size - size // 3) // max(1, count - 1)
        ImageDraw.Draw(frame).rectangle((size // 3, top, 2 * size // 3, top + size // 3 - 1), fill=RED)
        frames.append(frame)
    return frames


def noise(size: int, count: int) -> list[Image.Image]:
    return [Image.frombytes("RGB", (size, size), os.urandom(3 * size * size)) for _ in range(count)]


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """Write frames as a lossless master, as the engine does; the master's path and its clip."""

    def make(
        frames: list[Image.Image],
        fps: int = 8,
        clip_id: str = "clip0",
        model: str = "pocket",
        ruling: Ruling = Ruling.ALLOWED,
    ) -> tuple[Path, Clip]:
        width, height = frames[0].size
        master = tmp_path / f"{clip_id}.mp4"
        raw = b"".join(frame.tobytes() for frame in frames)
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps), "-i", "-"]
        target = ["-c:v", "libx264rgb", "-qp", "0", "-metadata", 'comment={"seed": 7}', str(master)]
        subprocess.run([FFMPEG, "-v", "error", "-y", *source, *target], input=raw, check=True)
        spec = ClipSpec("a secret prompt", "", 7, 12, 3.0, len(frames), width, height, fps, model)
        verdict = Verdict(ruling)
        return master, Clip(clip_id, "job0", Asker("web", "a"), spec, verdict, master.name, "", 0, {})

    return make


@pytest.fixture
def renditions(tmp_path: Path) -> Renditions:
    return Renditions(tmp_path / "renditions", FFMPEG)


@pytest.fixture
def counted(tmp_path: Path) -> tuple[Renditions, Path]:
    """Renditions whose ffmpeg writes a line to a log each time it is started."""
    log, program = tmp_path / "starts", tmp_path / "counted-ffmpeg"
    program.write_text(f'#!/bin/sh\necho start >> "{log}"\nexec "{FFMPEG}" "$@"\n')
    program.chmod(0o755)
    return Renditions(tmp_path / "renditions", str(program)), log


def probe(path: Path) -> str:
    """What ffmpeg's own demuxer says about a file."""
    return subprocess.run([FFMPEG, "-hide_banner", "-i", str(path)], capture_output=True, text=True).stderr


def output_of(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def frames_of(path: Path, width: int, height: int) -> list[bytes]:
    raw = subprocess.run(
        [
            FFMPEG,
            "-v",
            "error",
            "-i",
            str(path),
            "-fps_mode",
            "passthrough",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-",
        ],
        capture_output=True,
        check=True,
    ).stdout
    step = width * height * 3
    return [raw[start : start + step] for start in range(0, len(raw), step)]


def gif_durations(path: Path) -> list[int]:
    with Image.open(path) as image:
        durations = []
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            durations.append(int(image.info["duration"]))
    return durations


def local_palettes(path: Path) -> int:
    """How many frames of a GIF bring a colour table of their own (GIF89a, section 20)."""
    data = path.read_bytes()
    position, count = 13 + (3 << ((data[10] & 7) + 1)), 0
    while data[position] != 0x3B:
        if data[position] == 0x21:
            position += 2
        else:
            flags = data[position + 9]
            count += flags >> 7
            position += 11 + ((3 << ((flags & 7) + 1)) if flags & 0x80 else 0)
        while data[position]:
            position += data[position] + 1
        position += 1
    return count


async def test_a_small_crisp_clip_becomes_a_gif_enlarged_by_a_whole_factor_with_exact_flat_colours(
    renditions: Renditions, make_clip: MakeClip
) -> None:
    frames = ball(32, 16)
    rendition = await renditions.make(*make_clip(frames), True, "gif", PLENTY)
    assert (rendition.width, rendition.height, rendition.format) == (256, 256, "gif")
    assert rendition.bytes == rendition.path.stat().st_size
    assert rendition.seconds == pytest.approx(2.0)
    with Image.open(rendition.path) as image:
        assert (image.size, getattr(image, "n_frames", 1), image.info["loop"]) == ((256, 256), 16, 0)
        for index, frame in enumerate(frames):
            image.seek(index)
            assert image.convert("RGB").tobytes() == frame.resize((256, 256), Image.Resampling.NEAREST).tobytes()


@pytest.mark.parametrize(("fps", "count"), [(8, 16), (10, 8), (7, 16), (24, 24)])
async def test_a_gif_plays_at_the_clip_s_speed_although_its_clock_ticks_in_hundredths(
    renditions: Renditions, make_clip: MakeClip, fps: int, count: int
) -> None:
    rendition = await renditions.make(*make_clip(ball(32, count), fps), True, "gif", PLENTY)
    durations = gif_durations(rendition.path)
    assert sum(durations) == pytest.approx(1000 * count / fps, abs=20)
    assert max(durations) - min(durations) <= 10


async def test_a_gif_of_many_colours_has_one_palette_for_all_frames(
    renditions: Renditions, make_clip: MakeClip
) -> None:
    rendition = await renditions.make(*make_clip(noise(64, 6)), False, "gif", PLENTY)
    assert local_palettes(rendition.path) == 0
    with Image.open(rendition.path) as image:
        assert image.size == (64, 64)


async def test_a_gif_of_few_colours_is_not_dithered(renditions: Renditions, make_clip: MakeClip) -> None:
    frames = ball(64, 8)
    rendition = await renditions.make(*make_clip(frames), False, "gif", PLENTY)
    with Image.open(rendition.path) as image:
        colours = image.convert("RGB").getcolors(256) or []
    assert {colour for _, colour in colours} == {BLUE, RED}


@pytest.mark.parametrize(
    ("size", "crisp", "shown"), [(33, True, 264), (85, True, 340), (33, False, 34), (64, True, 256)]
)
async def test_an_mp4_is_h264_yuv420p_silent_even_sided_and_starts_fast(
    renditions: Renditions, make_clip: MakeClip, size: int, crisp: bool, shown: int
) -> None:
    rendition = await renditions.make(*make_clip(ball(size, 8)), crisp, "mp4", PLENTY)
    said = probe(rendition.path)
    assert re.search(rf"Video: h264 .*yuv420p\(tv, bt709, progressive\), {shown}x{shown}", said)
    assert "Audio:" not in said
    assert "8 fps" in said
    data = rendition.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


async def test_the_colours_of_an_mp4_are_the_master_s(renditions: Renditions, make_clip: MakeClip) -> None:
    rendition = await renditions.make(*make_clip(ball(32, 8)), True, "mp4", PLENTY)
    corner = frames_of(rendition.path, 256, 256)[0][:3]
    assert max(abs(is_ - was) for is_, was in zip(corner, BLUE, strict=True)) <= 6


async def test_a_crisp_webp_is_animated_loops_for_ever_and_is_lossless(
    renditions: Renditions, make_clip: MakeClip
) -> None:
    frames = ball(32, 8)
    rendition = await renditions.make(*make_clip(frames), True, "webp", PLENTY)
    with Image.open(rendition.path) as image:
        assert (image.format, getattr(image, "n_frames", 1), image.info["loop"]) == ("WEBP", 8, 0)
        shown = image.convert("RGB").tobytes()
    assert shown == frames[0].resize((256, 256), Image.Resampling.NEAREST).tobytes()


@pytest.mark.parametrize("kind", ["gif", "mp4", "webp"])
@pytest.mark.parametrize("share", [0.7, 0.3, 0.08])
async def test_no_rendition_is_ever_over_its_limit(
    renditions: Renditions, make_clip: MakeClip, kind: str, share: float
) -> None:
    master, clip = make_clip(noise(96, 8))
    best = await renditions.make(master, clip, False, kind, PLENTY)
    limit = int(best.bytes * share)
    fitted = await renditions.make(master, clip, False, kind, limit)
    assert fitted.path.stat().st_size == fitted.bytes <= limit
    assert fitted.path != best.path


@pytest.mark.parametrize("kind", ["gif", "mp4", "webp"])
async def test_a_limit_that_nothing_fits_is_said_in_a_sentence_and_leaves_nothing_behind(
    renditions: Renditions, make_clip: MakeClip, kind: str
) -> None:
    master, clip = make_clip(noise(96, 8))
    with pytest.raises(Unfit, match=rf"^The clip does not fit into 900 bytes as {kind}; .*\.$"):
        await renditions.make(master, clip, True, kind, 900)
    assert list((renditions.folder / clip.id).iterdir()) == []


MARK = """\
..........
..XX..XXX.
.X..X..X..
.XXXX..X..
.X..X..X..
.X..X.XXX.
.........."""


def drawn(frame: Image.Image) -> str:
    """What stands where the corner mark should, a sign a cell: X light, . dark, ? neither."""
    left, top, _, _ = label.plate(*frame.size)
    side = label.cell(*frame.size)
    grey = frame.convert("L")
    rows = []
    for row in range(7):
        middles = [(left + column * side + side // 2, top + row * side + side // 2) for column in range(10)]
        values = [grey.getpixel(middle) for middle in middles]
        rows.append("".join("X" if value > 180 else "." if value < 75 else "?" for value in values))  # type: ignore[operator]
    return "\n".join(rows)


def pictures(path: Path, rendition_size: tuple[int, int]) -> list[Image.Image]:
    return [Image.frombytes("RGB", rendition_size, raw) for raw in frames_of(path, *rendition_size)]


@pytest.mark.parametrize("kind", ["gif", "mp4", "webp"])
@pytest.mark.parametrize(("size", "crisp"), [(32, True), (32, False), (64, True), (256, False)])
async def test_every_frame_of_a_labelled_clip_says_ai_in_its_corner(
    renditions: Renditions, make_clip: MakeClip, kind: str, size: int, crisp: bool
) -> None:
    rendition = await renditions.make(*make_clip(ball(size, 4), ruling=Ruling.LABELLED), crisp, kind, PLENTY)
    if kind == "webp":
        with Image.open(rendition.path) as image:
            shown = [frame.convert("RGB") for frame in ImageSequence.Iterator(image)]
    else:
        shown = pictures(rendition.path, (rendition.width, rendition.height))
    assert len(shown) == 4
    assert {drawn(frame) for frame in shown} == {MARK}


@pytest.mark.parametrize("kind", ["gif", "webp"])
async def test_the_mark_changes_nothing_but_its_plate(renditions: Renditions, make_clip: MakeClip, kind: str) -> None:
    frames = ball(32, 4)
    rendition = await renditions.make(*make_clip(frames, ruling=Ruling.LABELLED), True, kind, PLENTY)
    with Image.open(rendition.path) as image:
        shown = image.convert("RGB")
    expected = frames[0].resize((256, 256), Image.Resampling.NEAREST)
    left, top, width, height = label.plate(256, 256)
    shown.paste((0, 0, 0), (left, top, left + width, top + height))
    expected.paste((0, 0, 0), (left, top, left + width, top + height))
    assert shown.tobytes() == expected.tobytes()
    assert (width * height) / (256 * 256) < 0.06


async def test_a_clip_that_is_labelled_later_is_not_served_without_its_mark(
    renditions: Renditions, make_clip: MakeClip
) -> None:
    master, clip = make_clip(ball(32, 4))
    plain = await renditions.make(master, clip, True, "gif", PLENTY)
    labelled = replace(clip, verdict=Verdict(Ruling.LABELLED))
    marked = await renditions.make(master, labelled, True, "gif", PLENTY)
    assert marked.path != plain.path
    assert await renditions.make(master, labelled, True, "gif", PLENTY) == marked
    assert await renditions.make(master, clip, True, "gif", PLENTY) == plain


async def test_asking_again_encodes_nothing(counted: tuple[Renditions, Path], make_clip: MakeClip) -> None:
    renditions, log = counted
    master, clip = make_clip(ball(32, 8))
    first = await renditions.make(master, clip, True, "gif", PLENTY)
    assert await renditions.make(master, clip, True, "gif", PLENTY) == first
    assert log.read_text().count("start") == 1


async def test_many_who_ask_at_once_get_the_same_file_from_one_encode(
    counted: tuple[Renditions, Path], make_clip: MakeClip
) -> None:
    renditions, log = counted
    master, clip = make_clip(ball(32, 8))
    made = await asyncio.gather(*(renditions.make(master, clip, True, "gif", PLENTY) for _ in range(8)))
    assert len(set(made)) == 1
    assert log.read_text().count("start") == 1


async def test_who_gives_up_waiting_spoils_it_for_nobody(counted: tuple[Renditions, Path], make_clip: MakeClip) -> None:
    renditions, _ = counted
    master, clip = make_clip(ball(32, 8))
    impatient = asyncio.ensure_future(renditions.make(master, clip, True, "gif", PLENTY))
    patient = asyncio.ensure_future(renditions.make(master, clip, True, "gif", PLENTY))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).path.is_file()
    assert impatient.cancelled()


@pytest.mark.parametrize("kind", ["gif", "mp4", "webp"])
async def test_the_file_says_in_comment_and_xmp_that_a_model_made_it_and_not_from_which_words(
    renditions: Renditions, make_clip: MakeClip, kind: str
) -> None:
    rendition = await renditions.make(*make_clip(ball(32, 4), model="zero<scope> & co"), True, kind, PLENTY)
    data = rendition.path.read_bytes()
    assert marks.SOURCE_TYPE.encode() in data
    assert b"Zoetrope (zero&lt;scope&gt; &amp; co)" in data
    assert b"secret" not in data
    assert b"seed" not in data
    assert len(frames_of(rendition.path, 256, 256)) == 4


async def test_pillow_reads_the_marks_of_gif_and_webp(renditions: Renditions, make_clip: MakeClip) -> None:
    master, clip = make_clip(ball(32, 4))
    sentence = "AI-generated video, made by Zoetrope with the model pocket."
    gif = await renditions.make(master, clip, True, "gif", PLENTY)
    webp = await renditions.make(master, clip, True, "webp", PLENTY)
    with Image.open(gif.path) as image:
        assert image.info["comment"].decode() == sentence
    with Image.open(webp.path) as image:
        assert marks.SOURCE_TYPE.encode() in image.info["xmp"]
        assert image.getexif()[0x010E] == sentence


@pytest.mark.parametrize("crisp", [True, False])
@pytest.mark.parametrize("count", [1, 8])
async def test_a_clip_in_which_nothing_moves_becomes_a_marked_webp_as_well(
    renditions: Renditions, make_clip: MakeClip, crisp: bool, count: int
) -> None:
    still = [Image.new("RGB", (33, 17), (31, 89, 230)) for _ in range(count)]
    webp = await renditions.make(*make_clip(still), crisp, "webp", PLENTY)
    assert webp.path.stat().st_size == int.from_bytes(webp.path.read_bytes()[4:8], "little") + 8
    with Image.open(webp.path) as image:
        assert image.size == (webp.width, webp.height)
        assert marks.SOURCE_TYPE.encode() in image.info["xmp"]
        red, _, blue = image.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    assert (red < 60, blue > 200) == (True, True)


async def test_ffmpeg_reads_the_comment_of_an_mp4(renditions: Renditions, make_clip: MakeClip) -> None:
    rendition = await renditions.make(*make_clip(ball(32, 4)), True, "mp4", PLENTY)
    assert "AI-generated video, made by Zoetrope with the model pocket." in probe(rendition.path)


@pytest.mark.parametrize("kind", ["gif", "mp4", "webp"])
async def test_exiftool_reads_the_xmp(renditions: Renditions, make_clip: MakeClip, kind: str) -> None:
    exiftool = shutil.which("exiftool")
    if exiftool is None:
        assert "ZOETROPE_REQUIRE_ALL" not in os.environ, "exiftool is missing: install libimage-exiftool-perl"
        pytest.skip("NOT CHECKED: exiftool is missing (Debian: libimage-exiftool-perl), XMP was not read back by it")
    rendition = await renditions.make(*make_clip(ball(32, 4)), True, kind, PLENTY)
    wanted = ["-XMP-iptcExt:DigitalSourceType", "-XMP-xmp:CreatorTool", "-s3", "-n"]
    said = output_of([exiftool, *wanted, str(rendition.path)])
    assert said.splitlines() == [marks.SOURCE_TYPE, "Zoetrope (pocket)"]


async def test_an_unknown_format_names_the_known_ones(renditions: Renditions, make_clip: MakeClip) -> None:
    with pytest.raises(UnknownFormat, match="gif, mp4, webp"):
        await renditions.make(*make_clip(ball(32, 4)), True, "avi", PLENTY)


async def test_a_missing_master_is_said_in_a_sentence(renditions: Renditions, make_clip: MakeClip) -> None:
    master, clip = make_clip(ball(32, 4))
    master.unlink()
    with pytest.raises(MasterGone, match="ask for the clip again"):
        await renditions.make(master, clip, True, "gif", PLENTY)


async def test_a_master_that_is_no_video_is_said_in_a_sentence(renditions: Renditions, make_clip: MakeClip) -> None:
    master, clip = make_clip(ball(32, 4))
    master.write_bytes(b"not a video at all")
    with pytest.raises(EncodeFailed, match=r"^ffmpeg could not make the gif .*\.$"):
        await renditions.make(master, clip, True, "gif", PLENTY)
    assert list((renditions.folder / clip.id).iterdir()) == []


async def test_an_encoder_that_hangs_is_ended(tmp_path: Path, make_clip: MakeClip) -> None:
    hung = tmp_path / "hung"
    hung.write_text("#!/bin/sh\nexec sleep 60\n")
    hung.chmod(0o755)
    renditions = Renditions(tmp_path / "renditions", str(hung), timeout=0.2)
    with pytest.raises(EncodeFailed, match="took longer"):
        await renditions.make(*make_clip(ball(32, 4)), True, "gif", PLENTY)


async def test_a_folder_that_can_t_be_written_is_said_in_a_sentence(tmp_path: Path, make_clip: MakeClip) -> None:
    (tmp_path / "file").write_text("")
    renditions = Renditions(tmp_path / "file" / "renditions", FFMPEG)
    with pytest.raises(NoRoom, match="can't be written"):
        await renditions.make(*make_clip(ball(32, 4)), True, "gif", PLENTY)


@pytest.mark.parametrize("kind", ["gif", "mp4", "webp"])
async def test_a_full_disk_is_told_from_a_clip_that_can_t_be_encoded(
    renditions: Renditions, make_clip: MakeClip, kind: str
) -> None:
    """A limit on the size of the encoder's files stands for the disk."""
    master, clip = make_clip(noise(96, 8))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(NoRoom, match="can't be written"):
            await renditions.make(master, clip, True, kind, PLENTY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((renditions.folder / clip.id).iterdir()) == []


async def test_the_sweep_removes_what_no_clip_names_and_what_a_crash_left(
    renditions: Renditions, make_clip: MakeClip
) -> None:
    kept = await renditions.make(*make_clip(ball(32, 4), clip_id="keptkeptke"), True, "gif", PLENTY)
    lost = await renditions.make(*make_clip(ball(32, 4), clip_id="0123456789"), True, "gif", PLENTY)
    half = kept.path.with_name(".9.gif.part")
    half.write_bytes(b"GIF89a")
    theirs = renditions.folder / "not ours"
    theirs.mkdir()
    assert await renditions.sweep({"keptkeptke"}) == ["0123456789"]
    assert (kept.path.is_file(), lost.path.exists(), half.exists()) == (True, False, False)
    assert theirs.is_dir()


async def test_a_forgotten_clip_leaves_no_rendition(renditions: Renditions, make_clip: MakeClip) -> None:
    rendition = await renditions.make(*make_clip(ball(32, 4)), True, "gif", PLENTY)
    await renditions.forget("clip0")
    await renditions.forget("clip0")
    assert not rendition.path.exists()
