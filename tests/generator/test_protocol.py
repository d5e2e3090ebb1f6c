from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from db.records import ClipSpec
from generator import protocol
from generator.protocol import (
    Cancel,
    Cancelled,
    Decoding,
    Encoding,
    Failed,
    Judge,
    Judged,
    Loading,
    Message,
    Preview,
    Ready,
    Render,
    Rendered,
    Shutdown,
    Step,
    parse_from_engine,
    parse_to_engine,
    to_line,
)

SNAPSHOT = Path(__file__).parent / "protocol.jsonl"
SPEC = ClipSpec("a heart „bouncing“\non blue ♥", "red", 7, 12, 4.5, 8, 64, 32, 8, "pocket")
TO_ENGINE: list[Message] = [
    Judge(job="j1", prompt="a heart „bouncing“\non blue ♥", negative="red"),
    Render(job="j1", attempt=2, spec=SPEC, master="/data/bench/j1/master.mkv", preview="/data/previews/j1.webp"),
    Cancel(job="j1"),
    Shutdown(),
]
FROM_ENGINE: list[Message] = [
    Ready(device="cuda:0", device_name="A card", memory_bytes=8_000_000_000, pid=4711),
    Judged(job="j1", refused=True, category="P1", classifier="a classifier 1.0"),
    Loading(job="j1", model="pocket"),
    Encoding(job="j1"),
    Step(job="j1", step=3, steps=12, seconds=0.25),
    Preview(job="j1", step=3),
    Decoding(job="j1"),
    Rendered(job="j1", seconds={"load": 1.5, "denoise": 3.0}),
    Failed(job="j1", reason="It broke; try again.", again=True),
    Cancelled(job="j1"),
]


def test_every_message_is_written_as_the_snapshot_says() -> None:
    assert b"".join(map(to_line, TO_ENGINE + FROM_ENGINE)).decode() == SNAPSHOT.read_text(encoding="utf-8")


def test_every_message_is_read_back_from_the_snapshot() -> None:
    lines = SNAPSHOT.read_bytes().splitlines(keepends=True)
    assert [parse_to_engine(line) for line in lines[: len(TO_ENGINE)]] == TO_ENGINE
    assert [parse_from_engine(line) for line in lines[len(TO_ENGINE) :]] == FROM_ENGINE


def test_the_snapshot_holds_every_kind_of_message() -> None:
    kinds = {json.loads(line)["kind"] for line in SNAPSHOT.read_text(encoding="utf-8").splitlines()}
    known = [*get_args(get_args(protocol.ToEngine)[0]), *get_args(get_args(protocol.FromEngine)[0])]
    assert kinds == {message.model_fields["kind"].default for message in known}


def test_a_message_is_one_line_whatever_the_prompt() -> None:
    assert to_line(TO_ENGINE[1]).count(b"\n") == 1


@pytest.mark.parametrize(
    "line",
    [
        b'{"kind":"poem","job":"j1"}',
        b'{"job":"j1"}',
        b'{"kind":"cancel","job":"j1","why":"bored"}',
        b'{"kind":"cancel"}',
        to_line(TO_ENGINE[1]).replace(b'"prompt":', b'"colour":"red","prompt":'),
        b'{"kind":"step","job":"j1","step":1,"steps":2,"seconds":0.1}',  # the other direction
        b"Loading pipeline components...",
        b"[]",
        b"",
    ],
)
def test_what_is_not_a_message_to_an_engine_is_refused(line: bytes) -> None:
    with pytest.raises(ValidationError):
        parse_to_engine(line)


@pytest.mark.parametrize(
    "line",
    [
        b'{"kind":"poem","job":"j1"}',
        b'{"kind":"cancelled","job":"j1","sorry":true}',
        b'{"kind":"step","job":"j1","step":"many","steps":2,"seconds":0.1}',
        b'{"kind":"shutdown"}',
        b"\xff\xfe",
    ],
)
def test_what_is_not_a_message_from_an_engine_is_refused(line: bytes) -> None:
    with pytest.raises(ValidationError):
        parse_from_engine(line)
