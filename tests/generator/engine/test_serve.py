"""The engine's turns: what it says in which order, who shares a pass, what ends one job only."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from db.records import ClipSpec
from generator.catalogue import Entry
from generator.engine import memory, serve, unet3d
from generator.engine.loop import Sample
from generator.engine.pipes import Inbox
from generator.engine.previews import Frames
from generator.engine.serve import Engine
from generator.engine.unet3d import Unet3D
from generator.protocol import Cancel, Failed, Judge, Message, Render, Rendered, Step

CPU = torch.device("cpu")


class Desk:
    """An engine with its inbox, and everything it said."""

    def __init__(
        self, entries: Sequence[Entry], families: Any = None, clock: Callable[[], float] | None = None
    ) -> None:
        self.inbox = Inbox()
        self.said: list[Any] = []
        self.when: dict[int, Callable[[], None]] = {}
        self.model: Any = None  # the one loaded last
        load = (families or serve.FAMILIES)["unet3d"]

        def remember(*args: Any, **kwargs: Any) -> Any:
            self.model = load(*args, **kwargs)
            return self.model

        self.engine = Engine(
            entries,
            CPU,
            self.inbox,
            self.hear,
            families={"unet3d": remember},
            clock=clock or time.monotonic,
        )

    def hear(self, message: Message) -> None:
        self.said.append(message)
        if action := self.when.pop(len(self.said), None):
            action()

    def work(self, *renders: Judge | Render, turns: int = 100) -> list[Any]:
        """Hand in and turn until every job has ended."""
        for render in renders:
            self.inbox.put(render)
        wanted = len(self.ended()) + len(renders)
        for _ in range(turns):
            if len(self.ended()) == wanted:
                return self.said
            self.engine.turn()
        raise AssertionError(f"jobs are left after {turns} turns: {self.kinds()}")

    def ended(self) -> list[Any]:
        return [one for one in self.said if one.kind in ("rendered", "failed", "cancelled")]

    def kinds(self, job: str | None = None) -> list[str]:
        return [one.kind for one in self.said if job in (None, one.job)]


@pytest.fixture
def desk(tiny: Path, entry_of: Callable[..., Entry]) -> Desk:
    return Desk([entry_of(tiny)])


Order = Callable[..., Render]


def test_a_job_is_told_stage_by_stage_and_its_master_lies_there(desk: Desk, render: Order) -> None:
    order = render(steps=3)
    desk.work(order)
    assert desk.kinds() == ["loading", "loading", "encoding", "step", "step", "step", "decoding", "rendered"]
    assert [(s.step, s.steps) for s in desk.said if isinstance(s, Step)] == [(1, 3), (2, 3), (3, 3)]
    done = desk.said[-1]
    assert {"load", "encode", "denoise", "decode", "master"} <= set(done.seconds)
    assert Path(order.master).stat().st_size > 0
    assert not Path(order.master + ".part").exists()


def test_the_model_stays_loaded(desk: Desk, render: Order) -> None:
    desk.work(render("one"))
    desk.work(render("two"))
    assert "loading" in desk.kinds("one")
    assert "loading" not in desk.kinds("two")


def test_the_same_seed_makes_the_same_master_in_any_company(desk: Desk, render: Order) -> None:
    desk.work(render("alone"))
    desk.work(render("again"))
    alone, again = (Path(render(job).master).read_bytes() for job in ("alone", "again"))
    assert alone == again


def test_jobs_of_one_size_share_their_passes(desk: Desk, render: Order) -> None:
    rows: list[int] = []
    desk.work(render("warm", steps=1))
    unet = desk.model.parts.unet
    unet.register_forward_pre_hook(lambda _, inputs: rows.append(inputs[0].shape[0]))
    desk.work(render("a", steps=3), render("b", steps=2, guidance=1.0, seed=9))
    assert rows == [3, 3, 2]


def test_jobs_of_two_sizes_take_turns(desk: Desk, render: Order) -> None:
    desk.work(render("a", steps=2), render("b", steps=2, width=72))
    steps = [one.job for one in desk.said if isinstance(one, Step)]
    assert steps == ["a", "b", "a", "b"]


def test_a_job_cancelled_between_steps_stops_and_leaves_nothing(desk: Desk, render: Order) -> None:
    order = render("a", steps=50)
    desk.when[5] = lambda: desk.inbox.put(Cancel(job="a"))
    desk.work(order, render("b", steps=4, seed=2))
    assert desk.kinds("a")[-1] == "cancelled"
    assert desk.kinds("a").count("step") < 5
    assert desk.kinds("b")[-1] == "rendered"
    assert not Path(order.master).exists()


def test_a_waiting_job_can_be_cancelled_before_it_begins(desk: Desk, render: Order) -> None:
    desk.inbox.put(render("a"))
    desk.inbox.put(Cancel(job="a"))
    desk.engine.turn()
    assert desk.kinds() == ["cancelled"]


def test_a_new_attempt_of_a_cancelled_job_runs(desk: Desk, render: Order) -> None:
    desk.inbox.put(Cancel(job="a"))
    desk.work(render("a", steps=1))
    assert desk.kinds()[-1] == "rendered"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"width": 17, "height": 33}, "pixels wide"),
        ({"width": 100_000, "height": 100_000}, "pixels wide"),
        ({"width": 65}, "multiples of 8"),
        ({"frames": 0}, "frames"),
        ({"frames": 10**6}, "frames"),
        ({"steps": 0}, "steps"),
        ({"steps": 10**9}, "steps"),
        ({"guidance": float("nan")}, "Guidance"),
        ({"fps": 0}, "frame a second"),
        ({"model": "nothing"}, "no model called nothing"),
    ],
)
def test_what_can_not_be_made_fails_with_a_sentence_and_without_another_try(
    desk: Desk, render: Order, changes: dict[str, Any], sentence: str
) -> None:
    desk.work(render(**changes))
    failed = desk.said[-1]
    assert isinstance(failed, Failed)
    assert sentence in failed.reason
    assert not failed.again


def test_a_refusal_leaves_the_engine_ready(desk: Desk, render: Order) -> None:
    desk.work(render("wrong", width=17), render("unknown", model="nothing"), render("next", steps=1))
    assert isinstance(desk.said[-1], Rendered)


def test_a_broken_model_fails_its_job_and_the_other_model_goes_on(
    own: Path, tiny: Path, entry_of: Callable[..., Entry], render: Order
) -> None:
    broken = replace(entry_of(own), name="broken")
    weights = own / "unet/diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-5])
    desk = Desk([entry_of(tiny), broken])
    desk.work(render("a", steps=1), render("b", steps=1, model="broken"), render("c", steps=1))
    failed = next(one for one in desk.said if isinstance(one, Failed))
    assert failed.job == "b"
    assert "cut short" in failed.reason
    assert desk.kinds("c")[-1] == "rendered"
    assert "loading" not in desk.kinds("c")  # the broken one never took the good one's place


def test_a_model_whose_folder_is_gone_is_named_by_it_and_not_looked_for_on_the_hub(
    desk: Desk, render: Order, own: Path, entry_of: Callable[..., Entry]
) -> None:
    desk = Desk([entry_of(own)])
    shutil.rmtree(own)
    desk.work(render())
    failed = desk.said[-1]
    assert isinstance(failed, Failed)
    assert f"The folder {own} of model tiny is gone" in failed.reason
    assert not failed.again


def test_another_model_is_loaded_on_demand_in_place_of_the_former(
    own: Path, tiny: Path, entry_of: Callable[..., Entry], render: Order
) -> None:
    other = entry_of(own)
    other = replace(other, name="other", facts=replace(other.facts, name="other"))
    desk = Desk([entry_of(tiny), other])
    desk.work(render("a", steps=1), render("b", steps=1, model="other"), render("c", steps=1))
    assert [desk.kinds(job)[-1] for job in "abc"] == ["rendered"] * 3
    assert [one.model for one in desk.said if one.kind == "loading"] == ["tiny", "tiny", "other", "other"] + [
        "tiny"
    ] * 2


def test_too_little_memory_is_refused_before_loading(
    desk: Desk, render: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda _: 1000)
    desk.work(render())
    failed = desk.said[-1]
    assert "GiB of memory" in failed.reason
    assert "smaller size" in failed.reason
    assert not failed.again
    assert desk.model is None


def test_jobs_that_do_not_fit_beside_each_other_run_one_after_another(
    desk: Desk, render: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.work(render("warm", steps=1))
    one = desk.model.need(render().spec)
    monkeypatch.setattr(memory, "free_bytes", lambda _: int(one * memory.MARGIN * 1.5))
    desk.said.clear()
    desk.work(render("a", steps=2), render("b", steps=2))
    assert desk.kinds().index("rendered") < desk.kinds().index("encoding", 1)


class Forgetful(Unet3D):
    """A model on a device whose memory runs out when told to."""

    full_steps: set[int]  # runs out with that many jobs in a pass
    full_chunk: int  # runs out from that many frames at once

    def step(self, works: Sequence[Sample]) -> None:
        if len(works) in self.full_steps:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        super().step(works)

    def decode(self, work: Sample, chunk: int) -> Iterator[Frames]:
        if chunk >= self.full_chunk:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        yield from super().decode(work, chunk)


def forgetful(steps: set[int], chunk: int) -> dict[str, Any]:
    def load(*args: Any, **kwargs: Any) -> Forgetful:
        real = unet3d.load(*args, **kwargs)
        model = Forgetful(real.facts, real.parts, real.footprint, real.device)
        model.full_steps, model.full_chunk = steps, chunk
        return model

    return {"unet3d": load}


def test_memory_that_runs_out_while_decoding_is_met_with_one_frame_at_a_time(
    tiny: Path, entry_of: Callable[..., Entry], render: Order
) -> None:
    desk = Desk([entry_of(tiny)], forgetful(set(), chunk=2))
    desk.work(render(steps=1))
    assert desk.kinds()[-1] == "rendered"


def test_memory_that_runs_out_again_fails_that_job_only(
    tiny: Path, entry_of: Callable[..., Entry], render: Order
) -> None:
    desk = Desk([entry_of(tiny)], forgetful(set(), chunk=1))
    desk.work(render(steps=1))
    failed = desk.said[-1]
    assert "ran out of memory" in failed.reason
    desk.model.full_chunk = 100
    desk.work(render("next", steps=1))
    assert desk.kinds()[-1] == "rendered"


def test_memory_that_runs_out_in_a_shared_pass_is_met_by_stepping_each_alone(
    tiny: Path, entry_of: Callable[..., Entry], render: Order
) -> None:
    desk = Desk([entry_of(tiny)], forgetful({2}, chunk=100))
    desk.work(render("a", steps=2), render("b", steps=2, seed=6))
    assert [one.step for one in desk.said if one.kind == "step" and one.job == "a"] == [1, 2]
    assert desk.kinds("a")[-1] == desk.kinds("b")[-1] == "rendered"


def test_memory_that_runs_out_alone_fails_the_job(tiny: Path, entry_of: Callable[..., Entry], render: Order) -> None:
    desk = Desk([entry_of(tiny)], forgetful({1}, chunk=100))
    desk.work(render("a"))
    assert "ran out of memory" in desk.said[-1].reason
    assert not desk.said[-1].again


def test_numbers_out_of_range_are_a_sentence_not_a_black_clip(desk: Desk, render: Order) -> None:
    desk.work(render("warm", steps=1))
    with torch.no_grad():
        desk.model.parts.unet.conv_out.bias.fill_(float("nan"))
    desk.work(render())
    assert "produced no picture" in desk.said[-1].reason


def test_a_decoder_out_of_range_is_a_sentence_not_a_black_clip(desk: Desk, render: Order) -> None:
    desk.work(render("warm", steps=1))
    with torch.no_grad():
        desk.model.parts.vae.decoder.conv_out.bias.fill_(float("nan"))
    desk.work(render())
    assert "produced no picture" in desk.said[-1].reason


def test_the_unexpected_is_a_sentence_worth_another_try(
    desk: Desk, render: Order, caplog: pytest.LogCaptureFixture, spec: Callable[..., ClipSpec]
) -> None:
    desk.work(render("warm", steps=1))
    desk.model.parts.vae.decoder = None
    desk.work(render())
    failed = desk.said[-1]
    assert failed.again
    assert "failed unexpectedly" in failed.reason
    assert spec().prompt not in caplog.text
    assert spec().prompt not in failed.reason


def test_a_broken_device_ends_the_process(desk: Desk, render: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered", 700)

    desk.work(render("warm", steps=1))
    monkeypatch.setattr(desk.model, "step", broken)
    with pytest.raises(torch.AcceleratorError):
        desk.work(render())


def test_previews_are_shown_while_it_takes_long(tiny: Path, entry_of: Callable[..., Entry], render: Order) -> None:
    ticks = iter(np.arange(0.0, 1000.0, 1.5))
    desk = Desk([entry_of(tiny)], clock=lambda: float(next(ticks)))
    order = render(steps=4)
    desk.work(order)
    shown = [one.step for one in desk.said if one.kind == "preview"]
    assert shown
    assert shown[-1] < 4
    with Image.open(order.preview) as preview:
        assert preview.size == (64, 64)


def test_a_preview_that_can_not_be_written_harms_nobody(
    tiny: Path, entry_of: Callable[..., Entry], render: Order, tmp_path: Path
) -> None:
    ticks = iter(np.arange(0.0, 1000.0, 1.5))
    desk = Desk([entry_of(tiny)], clock=lambda: float(next(ticks)))
    order = render(steps=4).model_copy(update={"preview": str(tmp_path / "none" / "p.webp")})
    desk.work(order)
    assert "preview" not in desk.kinds()
    assert desk.kinds()[-1] == "rendered"


@pytest.mark.parametrize("error", [torch.cuda.OutOfMemoryError("CUDA out of memory"), ValueError("no colours")])
def test_a_preview_that_can_not_be_made_harms_nobody(
    tiny: Path, entry_of: Callable[..., Entry], render: Order, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> Frames:
        raise error

    monkeypatch.setattr(Unet3D, "preview", fail)
    ticks = iter(np.arange(0.0, 1000.0, 1.5))
    desk = Desk([entry_of(tiny)], clock=lambda: float(next(ticks)))
    desk.work(render(steps=4))
    assert "preview" not in desk.kinds()
    assert desk.kinds()[-1] == "rendered"


def test_a_long_decode_gives_signs_of_life_and_can_be_cancelled(
    desk: Desk, render: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "SIGN_OF_LIFE", -1.0)
    desk.work(render("a", steps=1, frames=12))
    assert desk.kinds("a").count("decoding") > 2
    begun = len(desk.said) + 3  # encoding, step, decoding
    desk.when[begun] = lambda: desk.inbox.put(Cancel(job="b"))
    desk.work(render("b", steps=1, frames=12))
    assert desk.kinds("b")[-2:] == ["decoding", "cancelled"]


@pytest.mark.parametrize(("most", "passes"), [(1, [2, 2, 2]), (3, [2, 2, 2]), (5, [4, 2])])
def test_rows_beyond_what_attention_kernels_take_are_split(
    desk: Desk, render: Order, monkeypatch: pytest.MonkeyPatch, most: int, passes: list[int]
) -> None:
    monkeypatch.setattr(serve, "MOST_ATTENTION_BATCH", most * 8 * 8)
    rows: list[int] = []
    desk.work(render("warm", steps=1))
    unet = desk.model.parts.unet
    unet.register_forward_pre_hook(lambda _, inputs: rows.append(inputs[0].shape[0]))
    desk.work(*(render(job, steps=1) for job in "abc"))
    assert rows == passes


def test_an_engine_without_a_classifier_says_so_instead_of_an_opinion(desk: Desk) -> None:
    said = desk.work(Judge(job="j1", prompt="a heart", negative=""))
    assert [(one.kind, one.again) for one in said] == [("failed", False)]
    assert "second_opinion" in said[0].reason
