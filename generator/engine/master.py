"""Frames -> master: lossless RGB H.264 with the facts of how the clip was made, never its prompt."""

from __future__ import annotations

import contextlib
import json
import subprocess
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe

from db.records import ClipSpec
from generator.engine.previews import Frames
from generator.errors import RenderFailed

_FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}


def facts_of(spec: ClipSpec, sampler: str) -> str:
    """The master's comment: JSON that tells how to make the clip again, prompt excepted."""
    told = {
        "generator": "Zoetrope",
        "model": spec.model,
        "seed": spec.seed,
        "steps": spec.steps,
        "guidance": spec.guidance,
        "sampler": sampler,
        "frames": spec.frames,
        "fps": spec.fps,
        "ai_generated": True,
    }
    return json.dumps(told)


def part_of(path: Path) -> Path:
    """Where a master lies until it is whole."""
    return path.with_name(f"{path.name}.part")


def write_master(frames: Frames, path: Path, fps: int, comment: str) -> None:
    """Encode (frames, height, width, 3) RGB bytes; the same frames give the same file, byte for byte.

    Nothing stays behind when it fails: raises RenderFailed with what ffmpeg said last.
    """
    part = part_of(path)
    try:
        done = subprocess.run(_command(frames, path, fps, comment), input=frames.tobytes(), capture_output=True)  # noqa: S603
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines() or ["ffmpeg gave no reason"]
            raise RenderFailed(
                f"The clip could not be written ({said[-1][:160]}); see that the data folder is writable and has space."
            )
        part.replace(path)
    finally:
        with contextlib.suppress(OSError):  # where nothing can be removed nothing was written
            part.unlink()


def _command(frames: Frames, path: Path, fps: int, comment: str) -> list[str]:
    count, height, width, _ = frames.shape
    read = [
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-video_size",
        f"{width}x{height}",
        "-framerate",
        str(fps),
        "-i",
        "-",
    ]
    # -qp 0 is lossless, and RGB keeps flat colours exactly; bitexact leaves out random ids and versions.
    encode = ["-c:v", "libx264rgb", "-qp", "0", "-preset", "veryfast", "-frames:v", str(count)]
    told = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-metadata", f"comment={comment}"]
    write = ["-f", _FORMATS.get(path.suffix, "matroska"), "-y", str(part_of(path))]
    return [get_ffmpeg_exe(), "-nostdin", "-v", "error", *read, *encode, *told, *write]
