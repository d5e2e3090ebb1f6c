"""One clip walks all the way, with real processes, and shows what was asked for."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageSequence

from db import deliveries, quotas, requests
from db.records import Delivery, DeliveryState, JobState

if TYPE_CHECKING:
    from tests.flows.conftest import House

Colour = tuple[int, int, int]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def frames_of(gif: bytes) -> list[Image.Image]:
    return [frame.convert("RGB") for frame in ImageSequence.Iterator(Image.open(io.BytesIO(gif)))]


def pixels_of(frame: Image.Image) -> dict[tuple[int, int], Colour]:
    """Colours by (column, row)."""
    colours = frame.tobytes()
    return {
        (at % frame.width, at // frame.width): (colours[3 * at], colours[3 * at + 1], colours[3 * at + 2])
        for at in range(frame.width * frame.height)
    }


def is_blue(colour: Colour) -> bool:
    red, green, blue = colour
    return blue > 110 and blue > red + 40 and blue > green + 30


def is_red(colour: Colour) -> bool:
    red, green, blue = colour
    return red > 120 and red > green + 50 and red > blue + 30


def border_of(frame: Image.Image) -> list[Colour]:
    pixels = pixels_of(frame)
    edge = {0, frame.width - 1}
    return [colour for (column, row), colour in pixels.items() if column in edge or row in {0, frame.height - 1}]


def height_of_red(frame: Image.Image) -> float:
    """The mean row of the red pixels, as a share of the frame's height."""
    rows = [row for (_, row), colour in pixels_of(frame).items() if is_red(colour)]
    assert rows, "there is nothing red in this frame"
    return sum(rows) / len(rows) / frame.height


async def sent_deliveries(house: House, job: str) -> list[Delivery] | None:
    assert house.database is not None
    async with house.database.reading() as tx:
        promised = await deliveries.of_job(tx, job)
    return promised if promised and all(one.state is DeliveryState.SENT for one in promised) else None


async def test_a_heart_bouncing_on_blue_comes_back_as_a_gif_that_shows_it(house: House) -> None:
    answer = await house.ask("a heart bouncing on blue", seed="7")
    assert answer["result"] == "queued"
    (job,) = await house.jobs()
    done = await house.until_ended(job.id)
    assert done.state is JobState.DONE, done.reason
    (sent,) = await house.until(lambda: sent_deliveries(house, job.id))

    frames = frames_of(await house.download(answer["message"]))
    assert len(frames) >= 8
    small = [frame.resize((64, 64), Image.Resampling.NEAREST) for frame in frames]
    for frame in small:
        border = border_of(frame)
        assert sum(map(is_blue, border)) > 0.9 * len(border)
    heights = [height_of_red(frame) for frame in small]
    assert max(heights) - min(heights) > 0.12, heights
    turns = [after - before for before, after in itertools.pairwise(heights)]
    assert min(turns) < 0 < max(turns), f"it moves one way only: {heights}"

    (clip,) = await house.clips()
    assert (house.data / "masters" / clip.master).is_file()
    assert sent.receipt
    assert house.database is not None
    async with house.database.reading() as tx:
        usage = await quotas.usage(tx, job.asker, 0.0, 0.0)
        assert await requests.unfinished(tx) == []
    assert [spent for _, spent in usage.spent] == [job.cost]
    assert usage.waiting == 0


async def test_the_same_seed_gives_the_same_clip_and_another_format_on_demand(house: House) -> None:
    pictures = []
    for _ in range(2):
        answer = await house.ask("a star on green", seed="3", steps="2")
        job = await house.until_ended(next(one for one in await house.jobs() if not one.state.is_end).id)
        await house.until(lambda job=job: sent_deliveries(house, job.id))  # type: ignore[misc]
        pictures.append(frames_of(await house.download(answer["message"])))
    assert [frame.tobytes() for frame in pictures[0]] == [frame.tobytes() for frame in pictures[1]]
    assert (await house.download(answer["message"], "mp4"))[4:8] == b"ftyp"
    assert (await house.download(answer["message"], "webp"))[:4] == b"RIFF"
