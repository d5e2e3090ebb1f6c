from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from db.records import ClipSpec
from generator.errors import EngineGone
from generator.protocol import Cancel, Cancelled, Message, Ready, Render, Rendered
from generator.seats.child import ChildSeat, how_it_ended
from generator.seats.port import Seat

EndsWithin = Callable[[int, float], bool]
MakeSeat = Callable[..., ChildSeat]


@pytest.fixture
async def make_seat(scripted_engine: list[str], tmp_path: Path) -> AsyncIterator[MakeSeat]:
    seats = []

    def make(*arguments: str, start_seconds: float = 30.0) -> ChildSeat:
        seats.append(ChildSeat([*scripted_engine, *arguments], tmp_path / "logs" / "engine.log", start_seconds))
        return seats[-1]

    yield make
    for seat in seats:
        await seat.kill()


@pytest.fixture
def order(tmp_path: Path) -> Callable[[str], Render]:
    def make(prompt: str) -> Render:
        spec = ClipSpec(prompt, "", 1, 4, 1.0, 8, 32, 32, 8, "scripted")
        return Render(job="j1", attempt=1, spec=spec, master=str(tmp_path / "m.mkv"), preview=str(tmp_path / "p.webp"))

    return make


async def messages_until(seat: Seat, kind: type[Message]) -> list[str]:
    kinds: list[str] = []
    async with asyncio.timeout(30):
        while True:
            message = await seat.receive()
            kinds.append(message.kind)
            if isinstance(message, kind):
                return kinds


async def test_an_engine_renders_in_its_seat(make_seat: MakeSeat, order: Callable[[str], Render]) -> None:
    seat = make_seat()
    ready = await seat.start()
    assert isinstance(ready, Ready)
    assert ready.pid != os.getpid()
    await seat.send(order(""))
    kinds = await messages_until(seat, Rendered)
    assert kinds == ["loading", "encoding", "step", "preview", "decoding", "rendered"]


async def test_what_an_engine_prints_goes_into_the_log(make_seat: MakeSeat, tmp_path: Path) -> None:
    await make_seat().start()
    assert b"a library prints" in (tmp_path / "logs" / "engine.log").read_bytes()


async def test_a_grown_log_makes_room(make_seat: MakeSeat, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "engine.log"
    log.parent.mkdir()
    log.write_bytes(b"x" * 1_000_001)
    await make_seat().start()
    assert log.stat().st_size < 1000
    assert (tmp_path / "logs" / "engine.log.1").stat().st_size == 1_000_001


async def test_a_message_while_it_works_is_heard(make_seat: MakeSeat, order: Callable[[str], Render]) -> None:
    seat = make_seat()
    await seat.start()
    await seat.send(order("hold"))
    await seat.send(Cancel(job="j1"))
    assert (await messages_until(seat, Cancelled))[-1] == "cancelled"


@pytest.mark.parametrize(
    ("deed", "sentence"),
    [
        ("crash", "killed by the system, probably because memory ran out"),
        ("exit", "exit status 7"),
        ("nonsense", "not in the protocol"),
    ],
)
async def test_an_engine_that_dies_says_how(
    make_seat: MakeSeat, order: Callable[[str], Render], deed: str, sentence: str
) -> None:
    seat = make_seat()
    await seat.start()
    await seat.send(order(deed))
    with pytest.raises(EngineGone, match=sentence):
        await messages_until(seat, Rendered)
    assert not seat.running
    with pytest.raises(EngineGone):
        await seat.send(order(""))


async def test_a_seat_takes_a_new_engine_after_a_death(make_seat: MakeSeat, order: Callable[[str], Render]) -> None:
    seat = make_seat()
    first = await seat.start()
    os.kill(first.pid, signal.SIGKILL)
    with pytest.raises(EngineGone):
        await seat.receive()
    second = await seat.start()
    assert second.pid != first.pid
    await seat.send(order(""))
    assert "rendered" in await messages_until(seat, Rendered)


async def test_a_second_start_leaves_one_engine(make_seat: MakeSeat, ends_within: EndsWithin) -> None:
    seat = make_seat()
    first = await seat.start()
    second = await seat.start()
    assert ends_within(first.pid, 2.0)
    assert seat.running
    os.kill(second.pid, 0)


async def test_a_stopped_process_can_be_killed(make_seat: MakeSeat, ends_within: EndsWithin) -> None:
    seat = make_seat()
    ready = await seat.start()
    os.kill(ready.pid, signal.SIGSTOP)
    await seat.kill()
    assert ends_within(ready.pid, 0.0)


@pytest.mark.parametrize("frozen", [False, True])
async def test_stopping_takes_less_than_two_seconds(make_seat: MakeSeat, ends_within: EndsWithin, frozen: bool) -> None:
    seat = make_seat()
    ready = await seat.start()
    if frozen:
        os.kill(ready.pid, signal.SIGSTOP)
    async with asyncio.timeout(2.0):
        await seat.stop()
    assert ends_within(ready.pid, 0.0)


async def test_waiting_for_a_message_can_be_broken_off_without_loss(
    make_seat: MakeSeat, order: Callable[[str], Render]
) -> None:
    seat = make_seat()
    await seat.start()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await seat.receive()
    await seat.send(order(""))
    assert (await messages_until(seat, Rendered))[0] == "loading"


@pytest.mark.parametrize(
    ("start", "sentence"),
    [("silent", "not ready after 1 s"), ("steps", "began with step"), ("exit", "exit status 9")],
)
async def test_an_engine_that_does_not_get_ready_is_stopped(make_seat: MakeSeat, start: str, sentence: str) -> None:
    seat = make_seat("--start", start, start_seconds=1.0 if start == "silent" else 30.0)
    with pytest.raises(EngineGone, match=sentence):
        await seat.start()
    assert not seat.running


async def test_a_command_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    seat = ChildSeat([str(tmp_path / "nowhere")], tmp_path / "engine.log")
    with pytest.raises(EngineGone, match="can't be started"):
        await seat.start()


async def test_no_pipe_is_left_open(make_seat: MakeSeat) -> None:
    descriptors = Path("/proc/self/fd") if sys.platform == "linux" else Path("/dev/fd")
    seat = make_seat()
    await seat.start()
    await seat.kill()
    await asyncio.sleep(0)  # transports close on the next turn of the loop
    before = len(list(descriptors.iterdir()))
    for _ in range(3):
        await seat.start()
        await seat.kill()
        await asyncio.sleep(0)
    assert len(list(descriptors.iterdir())) == before


@pytest.mark.parametrize(
    ("status", "by_us", "words"),
    [
        (-9, False, "memory ran out"),
        (-9, True, "was stopped"),
        (-11, False, "SIGSEGV"),
        (-63, False, "signal 63"),
        (3, False, "exit status 3"),
        (None, False, "fell silent"),
    ],
)
def test_every_end_is_one_sentence(status: int | None, by_us: bool, words: str) -> None:
    sentence = how_it_ended(status, killed_by_us=by_us)
    assert words in sentence
    assert sentence.endswith(".")
