from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from db.config import StallConfig
from db.records import ClipSpec
from generator.errors import EngineGone
from generator.protocol import Failed, Message, Render, Rendered
from generator.seats.child import ChildSeat
from generator.watch import Watch

MakeWatch = Callable[..., Watch]


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
async def make_watch(scripted_engine: list[str], tmp_path: Path, pauses: list[float]) -> AsyncIterator[MakeWatch]:
    watches = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    def make(command: list[str] = scripted_engine, **stall: float) -> Watch:
        seat = ChildSeat(command, tmp_path / "engine.log")
        watches.append(Watch(seat, StallConfig(**stall), lambda: 1000.0, note))
        return watches[-1]

    yield make
    for watch in watches:
        await watch.kill()


def order(prompt: str, folder: Path, model: str = "scripted") -> Render:
    spec = ClipSpec(prompt, "", 1, 4, 1.0, 8, 32, 32, 8, model)
    return Render(job="j1", attempt=1, spec=spec, master=str(folder / "m.mkv"), preview=str(folder / "p.webp"))


async def hear(watch: Watch, kind: type[Message]) -> None:
    async with asyncio.timeout(30):
        while not isinstance(await watch.receive(), kind):
            pass


async def test_pauses_double_while_an_engine_keeps_dying(make_watch: MakeWatch, pauses: list[float]) -> None:
    watch = make_watch(command=["/bin/sh", "-c", "exit 9"])
    for _ in range(9):
        await watch.rest()
        with pytest.raises(EngineGone, match="exit status 9"):
            await watch.ready()
    await watch.rest()
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


async def test_a_job_brought_to_its_end_forgives_former_deaths(
    make_watch: MakeWatch, pauses: list[float], tmp_path: Path
) -> None:
    watch = make_watch()
    for prompt in ("crash", "crash", "", "crash"):
        await watch.rest()
        await watch.ready()
        await watch.send(order(prompt, tmp_path))
        if prompt:
            with pytest.raises(EngineGone):
                await hear(watch, Rendered)
        else:
            await hear(watch, Rendered)
            watch.praise()
    await watch.rest()
    assert pauses == [0.5, 1.0, 0.5]


async def test_a_living_engine_is_not_started_again(make_watch: MakeWatch) -> None:
    watch = make_watch()
    await watch.ready()
    device = watch.device
    watch.device = "kept"
    await watch.ready()
    assert (device, watch.device) == ("Scripted CPU", "kept")


async def test_an_idle_death_costs_no_pause(make_watch: MakeWatch, pauses: list[float]) -> None:
    watch = make_watch()
    await watch.ready()
    await watch.kill()
    await watch.rest()
    await watch.ready()
    assert pauses == []


@pytest.mark.parametrize(
    ("deed", "phase", "words"),
    [
        ("deaf", "load", "loading the model"),
        ("mute", "encode", "reading the prompt"),
        ("hold", "step", "denoising"),
        ("stuck", "decode", "writing the clip"),
    ],
)
async def test_each_phase_has_a_patience_of_its_own(
    make_watch: MakeWatch, tmp_path: Path, deed: str, phase: str, words: str
) -> None:
    patience = dict.fromkeys(("load", "encode", "decode"), 30.0) | {"step": 0.2, phase: 0.2}
    watch = make_watch(**patience)
    await watch.ready()
    await watch.send(order(deed, tmp_path))
    with pytest.raises(EngineGone, match=f"no sign of life for 0 s while {words}"):
        await hear(watch, Rendered)


async def test_the_resident_model_is_known_once_it_is_loaded_and_forgotten_with_the_engine(
    make_watch: MakeWatch, tmp_path: Path
) -> None:
    watch = make_watch()
    await watch.ready()
    before = watch.resident
    await watch.send(order("", tmp_path))
    await hear(watch, Rendered)
    loaded = watch.resident, watch.resident_since
    await watch.kill()
    assert (before, loaded, watch.resident) == (None, ("scripted", 1000.0), None)


async def test_a_model_that_can_not_be_loaded_is_not_taken_for_resident(make_watch: MakeWatch, tmp_path: Path) -> None:
    watch = make_watch()
    await watch.ready()
    for deed, model, end in (("", "good", Rendered), ("broken", "bad", Failed), ("warm", "good", Rendered)):
        await watch.send(order(deed, tmp_path, model))
        await hear(watch, end)
    assert watch.resident == "good"
