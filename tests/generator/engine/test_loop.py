"""The denoising loop against diffusers' own pipeline, and against itself in other company."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from db.records import ClipSpec
from generator.engine.loop import Sample, clean_estimate, start
from generator.engine.samplers import SAMPLERS, make_sampler, set_steps
from generator.engine.unet3d import Unet3D
from generator.errors import SpecRefused


def denoise(model: Unet3D, spec: ClipSpec) -> Sample:
    sample = model.prepare(spec)
    while not sample.done:
        model.step([sample])
    return sample


def frames_of(model: Unet3D, sample: Sample) -> np.ndarray[Any, Any]:
    return np.concatenate(list(model.decode(sample, 2)))


def stock_frames(stock: Any, spec: ClipSpec, sampler: str) -> np.ndarray[Any, Any]:
    """What the stock pipeline makes of a spec, float32 in 0..1."""
    alone = copy.copy(stock)
    alone.scheduler = make_sampler(sampler, stock.scheduler.config)
    made: np.ndarray[Any, Any] = alone(
        spec.prompt,
        negative_prompt=spec.negative or None,
        num_frames=spec.frames,
        height=spec.height,
        width=spec.width,
        num_inference_steps=spec.steps,
        guidance_scale=spec.guidance,
        generator=torch.Generator().manual_seed(spec.seed),
    ).frames[0]
    return made


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # stock's own
@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize(
    "changes",
    [{"guidance": 1.0}, {"guidance": 9.0}, {"guidance": 6.0, "negative": "grey, blurred", "width": 72, "height": 40}],
    ids=["no guidance", "guidance", "negative prompt and odd size"],
)
def test_equals_the_stock_pipeline_frame_by_frame(
    stock: Any, load: Callable[..., Unet3D], spec: Callable[..., ClipSpec], sampler: str, changes: dict[str, Any]
) -> None:
    asked = spec(steps=5, **changes)
    model = load(sampler=sampler)
    sample = denoise(model, asked)
    expected = stock_frames(stock, asked, sampler)
    with torch.inference_mode():
        ours = model.pixels(sample.x).numpy()
    assert ours.shape == expected.shape
    assert np.abs(ours - expected).max() < 1e-4
    assert np.abs(frames_of(model, sample) - expected * 255).max() < 0.51


def test_bytes_are_rounded_as_the_pixels_say(load: Callable[..., Unet3D], spec: Callable[..., ClipSpec]) -> None:
    model = load()
    sample = denoise(model, spec())
    with torch.inference_mode():
        pixels = model.pixels(sample.x).numpy()
    whole = np.concatenate(list(model.decode(sample, 64)))
    assert np.array_equal(whole, np.rint(pixels * 255).astype(np.uint8))


@pytest.mark.parametrize("sampler", ["ddim", "dpm++"])
def test_jobs_that_join_at_different_times_come_out_as_if_alone(
    load: Callable[..., Unet3D], spec: Callable[..., ClipSpec], sampler: str
) -> None:
    model = load(sampler=sampler)
    asked = [spec(steps=6), spec(seed=8, steps=9, guidance=4.0, negative="red"), spec(seed=9, steps=3, guidance=1.0)]
    alone = [denoise(model, one).x for one in asked]
    arrivals = {0: asked[0], 2: asked[1], 3: asked[2]}
    samples: list[Sample] = []
    for tick in range(11):
        if tick in arrivals:
            samples.append(model.prepare(arrivals[tick]))
        model.step([sample for sample in samples if not sample.done])
    assert all(sample.done for sample in samples)
    for together, single in zip(samples, alone, strict=True):
        assert (together.x - single).abs().max() < 1e-4 * single.abs().max()


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_same_seed_same_clip_and_another_seed_another(
    load: Callable[..., Unet3D], spec: Callable[..., ClipSpec], sampler: str
) -> None:
    model = load(sampler=sampler)
    first, again, other = (frames_of(model, denoise(model, spec(seed=seed))) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_prompt_and_the_negative_prompt_matter(load: Callable[..., Unet3D], spec: Callable[..., ClipSpec]) -> None:
    model = load()
    plain = denoise(model, spec()).x
    assert not torch.equal(plain, denoise(model, spec(prompt="a car")).x)
    assert not torch.equal(plain, denoise(model, spec(negative="red")).x)


def test_chunked_decoding_equals_decoding_at_once(load: Callable[..., Unet3D], spec: Callable[..., ClipSpec]) -> None:
    model = load()
    sample = denoise(model, spec(frames=5))
    whole = np.concatenate(list(model.decode(sample, 5)))
    assert whole.shape == (5, 64, 64, 3)
    for chunk in (1, 2, 4):
        parts = list(model.decode(sample, chunk))
        assert max(len(part) for part in parts) == chunk
        assert np.abs(np.concatenate(parts).astype(int) - whole).max() <= 1


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_the_clean_estimate_undoes_the_noising(kind: str) -> None:
    config = dict(make_sampler("ddim", {"prediction_type": kind}).config)
    sample = start(
        shape=(4, 2, 8, 8), context=torch.zeros(1, 3, 2), guidance=1.0, sampler="ddim", config=config, steps=3, seed=0
    )
    clean, noise = torch.randn(1, 4, 2, 8, 8), sample.x
    a = sample.sampler.alphas_cumprod[int(sample.timesteps[0])]
    said = {"epsilon": noise, "v_prediction": a.sqrt() * noise - (1 - a).sqrt() * clean, "sample": clean}[kind]
    sample.x = a.sqrt() * clean + (1 - a).sqrt() * noise
    assert clean_estimate(sample) is None

    class Knowing(torch.nn.Module):
        dtype = torch.float32

        def forward(self, *_: Any, **__: Any) -> tuple[torch.Tensor]:
            return (said,)

    from generator.engine.loop import step

    step(Knowing(), [sample])
    estimate = clean_estimate(sample)
    assert estimate is not None
    assert torch.allclose(estimate, clean, atol=1e-3)


def test_prompts_are_encoded_once(load: Callable[..., Unet3D], spec: Callable[..., ClipSpec]) -> None:
    model = load()
    asked: list[int] = []
    model.parts.text_encoder.register_forward_hook(lambda *_: asked.append(1))
    for seed in range(3):
        model.prepare(spec(seed=seed))
    assert len(asked) == 2  # the prompt and the empty negative prompt


def test_long_and_strange_prompts_are_cut_not_refused(
    load: Callable[..., Unet3D], spec: Callable[..., ClipSpec]
) -> None:
    model = load()
    for prompt in ("", "   ", "x" * 10_000, "\u202eright to left", "\x00\x07", "💃" * 500):
        model.step([model.prepare(spec(prompt=prompt))])


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 60])
def test_every_sampler_takes_few_and_many_steps(sampler: str, steps: int) -> None:
    assert len(set_steps(make_sampler(sampler, {}), steps, "cpu")) == steps


def test_more_steps_than_the_model_was_trained_with_are_refused() -> None:
    with pytest.raises(SpecRefused, match="fewer steps"):
        set_steps(make_sampler("ddim", {}), 1001, "cpu")


def test_an_unknown_sampler_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SpecRefused, match="ddim, dpm"):
        make_sampler("euler", {})
