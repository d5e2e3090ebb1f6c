"""Previews: what they show, how often, at what cost."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from db.records import ClipSpec
from generator.engine.previews import Pace, is_sd_space, latents_to_rgb, to_uint8, write_preview
from generator.engine.unet3d import PREVIEW_FRAMES, Unet3D


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def previews(step_seconds: float, cost: float, steps: int) -> tuple[int, float]:
    """How many previews a clip gets, and their share of the seconds spent on steps."""
    clock = Clock()
    pace, made = Pace(clock), 0
    for _ in range(steps):
        clock.now += step_seconds
        if pace.due():
            began = clock.now
            clock.now += cost
            pace.spent(began)
            made += 1
    return made, made * cost / (step_seconds * steps)


def test_quick_steps_show_a_preview_a_second_at_most() -> None:
    made, _ = previews(step_seconds=0.1, cost=0.001, steps=100)
    assert 8 <= made <= 10


@pytest.mark.parametrize(("step", "cost"), [(0.2, 0.3), (0.05, 1.0), (2.0, 0.5), (60.0, 10.0)])
def test_previews_cost_at_most_a_tenth_of_the_steps(step: float, cost: float) -> None:
    made, share = previews(step, cost, steps=400)
    assert made > 0
    assert share <= 0.1 + cost / (400 * step)  # the first one's cost is not known beforehand


def test_slow_steps_show_a_preview_each() -> None:
    made, _ = previews(step_seconds=60.0, cost=0.5, steps=20)
    assert made == 20


def test_latents_of_stable_diffusion_become_colours() -> None:
    assert is_sd_space(4, 0.18215)
    assert not is_sd_space(8, 0.18215)
    assert not is_sd_space(4, 1.0)
    latents = torch.zeros(1, 4, 2, 3, 5)
    latents[:, 0, 1] = 2.0
    shown = latents_to_rgb(latents)
    assert shown.shape == (2, 3, 5, 3)
    assert (shown[0] == 128).all()
    assert (shown[1] == np.rint((np.array([0.3512, 0.2297, 0.3227]) * 2 + 1) * 127.5)).all()


def test_pixels_are_rounded() -> None:
    assert to_uint8(torch.tensor([0.0, 0.4, 0.6, 254.6, 999.0, -9.0]) / 255).tolist() == [0, 0, 1, 255, 255, 0]


def test_the_first_preview_resembles_nothing_but_the_last_the_clip(
    own: Path, load: Callable[..., Unet3D], spec: Callable[..., ClipSpec]
) -> None:
    config = own / "vae/config.json"  # not Stable Diffusion's space any more: the model's own decoder shows it
    config.write_text(json.dumps(json.loads(config.read_text()) | {"scaling_factor": 0.5}), encoding="utf-8")
    model = load(own)
    asked = spec(frames=17, steps=3)
    sample = model.prepare(asked)
    with pytest.raises(ValueError, match="before the first step"):
        model.preview(sample)
    while not sample.done:
        model.step([sample])
    shown = model.preview(sample)
    assert len(shown) <= PREVIEW_FRAMES
    clip = np.concatenate(list(model.decode(sample, 4)))[::3]
    assert np.abs(shown.astype(int) - clip).mean() < 12  # DDIM's last step ends where the estimate points


def test_previews_are_latent_sized_in_the_common_space(
    load: Callable[..., Unet3D], spec: Callable[..., ClipSpec]
) -> None:
    model = load()
    sample = model.prepare(spec(width=72, height=40))
    model.step([sample])
    assert model.preview(sample).shape == (4, 5, 9, 3)


@pytest.fixture
def frames() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)


def test_a_preview_is_an_animated_webp_that_says_it_is_generated(tmp_path: Path, frames: NDArray[np.uint8]) -> None:
    path = tmp_path / "job.webp"
    for _ in range(2):
        write_preview(frames, path, 8, (64, 64), crisp=True)
    with Image.open(path) as shown:
        assert (shown.format, shown.size, shown.n_frames) == ("WEBP", (64, 64), 5)  # type: ignore[attr-defined]
        assert b"trainedAlgorithmicMedia" in shown.info["xmp"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_preview_that_fails_leaves_the_former_one(tmp_path: Path, frames: NDArray[np.uint8]) -> None:
    path = tmp_path / "job.webp"
    write_preview(frames, path, 8, (64, 64), crisp=True)
    former = path.read_bytes()
    with pytest.raises(ValueError, match="height and width"):
        write_preview(frames, path, 8, (0, 0), crisp=True)
    assert path.read_bytes() == former
    assert list(tmp_path.iterdir()) == [path]


def test_a_preview_into_a_missing_folder_is_an_os_error(tmp_path: Path, frames: NDArray[np.uint8]) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_preview(frames, tmp_path / "none" / "job.webp", 8, (64, 64), crisp=False)


def test_clocks_of_two_jobs_are_their_own() -> None:
    ticks = itertools.count()
    one, two = (Pace(lambda: float(next(ticks)), every=1.0) for _ in range(2))
    assert one.due()
    assert two.due()
