"""Clips put straight into the database of a served page, with real masters behind them."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from PIL import Image, ImageDraw

from db import gallery, queue
from db.ids import new_id
from db.records import Address, Asker, Clip, ClipSpec, Handle, Job, JobState, Ruling, Verdict

NEWEST = 1_763_800_000.5  # when the first clip of a call was finished; each one after it a minute earlier
COLOURS = ((230, 30, 36), (40, 160, 70), (240, 200, 40), (130, 60, 190))
SPEC = ClipSpec("", "", 7, 4, 3.0, 8, 32, 32, 8, "pocket")


async def film(house: Any, *prompts: str, **changes: Any) -> list[Clip]:
    """A clip for each of `prompts`, the newest first. `changes`: at, spoiler, hidden, origin, place, surface, step (the
    seconds between two of them), or fields of the spec."""
    masters = await asyncio.gather(*(_master(house, number) for number in range(len(COLOURS))))
    made = [_pair(prompt, number, masters, dict(changes)) for number, prompt in enumerate(prompts)]
    async with house.core.database.transaction() as tx:
        for job, clip in made:
            await queue.enqueue(tx, job)
            await gallery.publish(tx, clip)
    return [clip for _, clip in made]


def numbered(prompt: str, numbers: Iterable[int]) -> list[str]:
    return [f"{prompt} {number}" for number in numbers]


def _pair(prompt: str, number: int, masters: list[str], changes: dict[str, Any]) -> tuple[Job, Clip]:
    at = changes.pop("at", NEWEST) - number * changes.pop("step", 60.0)
    verdict = Verdict(Ruling.ALLOWED, spoiler=changes.pop("spoiler", False))
    handle = Handle(Address(changes.pop("surface", "web"), changes.pop("place", "main")), "m")
    hidden, origin = changes.pop("hidden", False), changes.pop("origin", "")
    spec = replace(SPEC, prompt=prompt, **changes)
    job = Job(new_id(), Asker("web", "ada"), handle, spec, verdict, "gif", 1000, JobState.QUEUED, 0, at - 5, at - 5)
    master = masters[number % len(masters)]
    clip = Clip(new_id(), job.id, job.asker, spec, verdict, master, "", 1, {"step": 2.0}, at, hidden)
    return replace(job, origin=origin), clip


async def _master(house: Any, number: int) -> str:
    """The name of one of a few masters in the house's store, drawn at the first call."""
    name = f"master{number}"
    try:
        await house.core.files.local(f"{name}.mp4")
    except FileNotFoundError:
        temp = house.folder / f"{name}.part.mp4"
        await asyncio.to_thread(draw, temp, COLOURS[number])
        await house.core.files.keep(temp, name, ".mp4")
    return f"{name}.mp4"


def draw(path: Path, colour: tuple[int, int, int], side: int = 32, count: int = 8) -> None:
    """A light disc that goes down on a ground of one colour."""
    raw = b""
    for index in range(count):
        frame = Image.new("RGB", (side, side), colour)
        top = index * (side // 2) // count
        ImageDraw.Draw(frame).ellipse((side // 3, top, 2 * side // 3, top + side // 3), fill=(250, 245, 235))
        raw += frame.tobytes()
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{side}x{side}", "-r", "8", "-i", "-"]
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    subprocess.run([*program, *source, "-c:v", "libx264rgb", "-qp", "0", str(path)], input=raw, check=True)
