"""Estimates against the numbers measured on the true ModelScope configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from db.records import ClipSpec
from generator.engine import memory
from generator.engine.memory import Footprint
from generator.engine.unet3d import Unet3D
from generator.errors import DoesNotFit

GIB = 1 << 30
MODELSCOPE = Footprint(weights=int(3.42 * GIB), unet_width=320, vae_width=128, factor=8, itemsize=2)


@pytest.mark.parametrize(
    ("frames", "width", "height", "two_rows"),
    [(16, 256, 256, 0.65), (24, 576, 320, 2.73), (24, 1024, 576, 8.7), (64, 256, 256, 2.6)],
)
def test_rows_take_what_was_measured(frames: int, width: int, height: int, two_rows: float) -> None:
    assert 2 * MODELSCOPE.row(frames, width, height) / GIB == pytest.approx(two_rows, rel=0.03)


@pytest.mark.parametrize(
    ("frames", "width", "height", "measured"),
    [(16, 256, 256, 1.5), (1, 256, 256, 0.09), (24, 576, 320, 6.33), (1, 576, 320, 0.26)],
)
def test_decoding_takes_what_was_measured(frames: int, width: int, height: int, measured: float) -> None:
    assert MODELSCOPE.decode(frames, width, height) / GIB == pytest.approx(measured, rel=0.08)


def test_weights_are_counted_from_their_headers(load: Callable[..., Unet3D]) -> None:
    model = load()
    parts = (model.parts.unet, model.parts.vae, model.parts.text_encoder)
    assert model.weights == sum(p.numel() * 4 for part in parts for p in part.parameters())
    assert load(dtype="float16").weights * 2 == model.weights


def test_a_clip_with_guidance_needs_more(load: Callable[..., Unet3D], spec: Callable[..., ClipSpec]) -> None:
    model = load()
    assert model.need(spec(frames=64, guidance=9.0)) == 2 * model.need(spec(frames=64, guidance=1.0))


def test_the_refusal_names_need_have_and_the_way_out() -> None:
    with pytest.raises(DoesNotFit, match=r"needs about 8\.8 GiB .* cpu has 4\.0 GiB free; .*smaller size") as caught:
        memory.check_fits("Model ms with this clip", 8 * GIB, 4 * GIB, torch.device("cpu"))
    assert not caught.value.again
    memory.check_fits("Model ms with this clip", 3 * GIB, 4 * GIB, torch.device("cpu"))


def test_a_container_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("900\n")
    (tmp_path / "memory.stat").write_text("anon 500\ninactive_file 300\n")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert memory.free_bytes(torch.device("cpu")) == 400
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.free_bytes(torch.device("cpu")) > 1_000_000


@pytest.mark.parametrize(
    ("error", "ran_out"),
    [
        (torch.cuda.OutOfMemoryError("CUDA out of memory"), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate"), True),
        (RuntimeError("shapes do not match"), False),
    ],
)
def test_running_out_of_memory_is_recognised(error: Exception, ran_out: bool) -> None:
    assert memory.is_out_of_memory(error) is ran_out
