"""What `zoetrope video` shows and where it puts the clip."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cards import Card
from bot.port import Refused, Rendition
from bot.surfaces.terminal import TerminalSurface

RENDERING = Card("a heart", "Rendering: step 3 of 12.", "busy", bar=0.25)
DONE = Card("a heart", "AI-generated.", "good", clip="cccccccccc", final=True)


async def test_a_terminal_gets_one_line_that_is_overwritten(tmp_path: Path) -> None:
    stream = io.StringIO()
    surface = TerminalSurface(stream, live=True)
    handle = await surface.show(surface.address(tmp_path / "a.gif"), RENDERING, "1")
    await surface.redraw(handle, replace(RENDERING, status="Rendering: step 6 of 12.", bar=0.5))
    await surface.redraw(handle, DONE)

    lines = stream.getvalue().split("\r\x1b[2K")
    assert lines[1] == "[######..................]  25% a heart: Rendering: step 3 of 12."
    assert lines[2].startswith("[############............]  50%")
    assert lines[3] == "a heart: AI-generated.\n"


async def test_a_file_gets_plain_lines(tmp_path: Path) -> None:
    stream = io.StringIO()
    surface = TerminalSurface(stream)
    handle = await surface.show(surface.address(tmp_path / "a.gif"), RENDERING, "1")
    await surface.redraw(handle, DONE)

    assert "\x1b" not in stream.getvalue()
    assert stream.getvalue().count("\n") == 2


@pytest.mark.parametrize(("name", "first"), [("a.gif", "gif"), ("a.MP4", "mp4"), ("a.webp", "webp"), ("a", "gif")])
async def test_the_format_is_the_one_of_the_wanted_file(tmp_path: Path, name: str, first: str) -> None:
    surface = TerminalSurface(None)
    assert (await surface.limits(surface.address(tmp_path / name))).formats[0] == first


async def test_the_clip_is_copied_to_where_it_is_wanted(tmp_path: Path, rendition: Rendition) -> None:
    surface = TerminalSurface(io.StringIO())
    wanted = tmp_path / "new" / "folder" / "a.gif"
    handle = await surface.show(surface.address(wanted), RENDERING, "1")
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(surface.finished(handle))
        receipt = await surface.deliver(handle, DONE, rendition)

    assert wanted.read_bytes() == rendition.path.read_bytes()
    assert [path.name for path in wanted.parent.iterdir()] == ["a.gif"]
    assert receipt.proof == str(wanted)
    assert waiting.result() == DONE


async def test_a_place_that_can_not_be_written_is_refused_with_its_name(tmp_path: Path, rendition: Rendition) -> None:
    surface = TerminalSurface(io.StringIO())
    (tmp_path / "file").write_text("in the way")
    handle = await surface.show(surface.address(tmp_path / "file" / "a.gif"), RENDERING, "1")

    with pytest.raises(Refused, match=r"file/a\.gif can't be written \(.+\); .+\."):
        await surface.deliver(handle, DONE, rendition)


async def test_a_closed_stream_stops_nothing(tmp_path: Path) -> None:
    stream = io.StringIO()
    surface = TerminalSurface(stream)
    stream.close()
    handle = await surface.show(surface.address(tmp_path / "a.gif"), RENDERING, "1")
    await surface.redraw(handle, DONE)
    assert await surface.finished(handle) == DONE
