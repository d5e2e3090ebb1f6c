"""One encode: ffmpeg as a child process, bounded in time, at a rung of the ladder."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path

from bot import cards
from bot.renditions import label, marks
from bot.renditions.errors import EncodeFailed, NoRoom
from bot.renditions.ladder import LOSSLESS, Rung

_MOST_GIF_RATE = 50  # browsers play delays under 20 ms at a tenth of the speed
_NO_SPACE = re.compile(
    rb"No space left|Disk quota|File too large|Read-only file system|Permission denied", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Encode:
    """What to make of a master: `fps` is the master's, `format` one of gif, mp4, webp; `labelled` burns the mark in;
    `still` takes the first frame of a webp alone."""

    master: Path
    target: Path
    format: str
    rung: Rung
    fps: int
    crisp: bool
    model: str
    labelled: bool = False
    still: bool = False


async def encode(ffmpeg: str, work: Encode, timeout: float) -> None:  # noqa: ASYNC109
    """Write `work.target`; EncodeFailed or NoRoom when that can't be done. The child never outlives the call."""
    process = await asyncio.create_subprocess_exec(
        *arguments(ffmpeg, work, timeout),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us: we end it ourselves
    )
    try:
        async with asyncio.timeout(timeout):
            _, complaint = await process.communicate()
    except TimeoutError:
        raise EncodeFailed(cards.made_too_slowly(work.format, timeout)) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        if process.returncode == -signal.SIGXFSZ:
            complaint = os.strerror(errno.EFBIG).encode()
        raise _failure(work, complaint)


def _failure(work: Encode, complaint: bytes) -> Exception:
    last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
    if _NO_SPACE.search(complaint):
        return NoRoom(cards.NO_ROOM, f"The {work.format} can't be written below {work.target.parent}: {last[0]}.")
    return EncodeFailed(cards.not_made(work.format), f"ffmpeg could not make the {work.format} ({last[0][:200]}).")


def arguments(ffmpeg: str, work: Encode, timeout: float) -> list[str]:
    """The command line. `-timelimit` (CPU seconds) ends the child even if this process is killed."""
    common = [ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-timelimit", str(int(timeout) + 1)]
    common += ["-i", f"file:{work.master}", "-an", "-sn", "-map_metadata", "-1"]
    how = {"gif": _gif, "mp4": _mp4, "webp": _webp}[work.format](work)
    return [*common, *how, f"file:{work.target}"]


def _frames(work: Encode, colour: str = "") -> str:
    """The filters that pick, size and label frames. Crisp pixels are copied, never mixed, when they are enlarged."""
    how = "neighbor" if work.crisp else "lanczos+accurate_rnd+full_chroma_int"
    size = f"scale={work.rung.width}:{work.rung.height}:flags={how}"
    picked = f"framestep={work.rung.every},{size}" if work.rung.every > 1 else size
    return picked + colour + (f",{label.filters(work.rung.width, work.rung.height)}" if work.labelled else "")


def _gif(work: Encode) -> list[str]:
    """One palette for all frames and no dither: of all ways measured the one nearest to the frames, and the smallest.

    Colours that fit into the palette stay as they are; flat areas stay flat.
    """
    rate = f"fps={_MOST_GIF_RATE}," if work.fps / work.rung.every > _MOST_GIF_RATE else ""
    palette = f"palettegen=max_colors={work.rung.quality}:reserve_transparent=0:stats_mode=full"
    graph = f"{rate}{_frames(work)},split[a][b];[a]{palette}[p];[b][p]paletteuse=dither=none"
    return ["-filter_complex", graph, "-loop", "0", "-f", "gif"]


def _mp4(work: Encode) -> list[str]:
    """H.264 that every browser and chat plays: yuv420p, BT.709 as tagged, the index first."""
    colour = ":out_color_matrix=bt709:out_range=tv,format=yuv420p"
    tags = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
    quality = ["-c:v", "libx264", "-preset", "medium", "-profile:v", "high", "-crf", str(work.rung.quality)]
    comment = ["-metadata", f"comment={marks.comment(work.model)}"]
    return ["-vf", f"{_frames(work, colour)},{tags}", *quality, *comment, "-movflags", "+faststart", "-f", "mp4"]


def _webp(work: Encode) -> list[str]:
    """Animated WebP; crisp pictures weigh least without loss."""
    quality = ["-quality", str(work.rung.quality)]
    if work.rung.quality == LOSSLESS:
        quality = ["-lossless", "1", "-pix_fmt", "bgra", "-quality", "75"]
    return [
        *(["-frames:v", "1"] if work.still else []),
        "-vf",
        _frames(work),
        "-c:v",
        "libwebp_anim",
        *quality,
        "-compression_level",
        "4",
        "-loop",
        "0",
        "-f",
        "webp",
    ]
