"""The denoising loop of the Unet3D family: rows of several jobs share one forward pass.

`UNet3DConditionModel` takes a vector of timesteps, so every row may stand at its own step: jobs join and leave between
steps with their own step count, guidance and sampler, and each comes out as if it had run alone. Run alone it equals
diffusers' `TextToVideoSDPipeline` (diffusers 0.42.1, pipelines/deprecated/text_to_video_synthesis).
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from generator.engine.samplers import make_sampler, set_steps


@dataclass(frozen=True)
class Estimate:
    """What the network said last: its guided `output` for the noisy latents `x` at timestep `t`."""

    x: Tensor
    output: Tensor
    t: Tensor


@dataclass
class Sample:
    """One clip on its way from noise to latents.

    `x` is (1, channels, frames, height, width) in float32; `context` (rows, tokens, width), where two rows mean
    guidance (without and with the prompt) and one row means none.
    """

    x: Tensor
    context: Tensor
    guidance: float
    sampler: Any
    timesteps: Tensor
    rng: torch.Generator
    at: int = 0
    last: Estimate | None = None

    @property
    def rows(self) -> int:
        return self.context.shape[0]

    @property
    def steps(self) -> int:
        return len(self.timesteps)

    @property
    def done(self) -> bool:
        return self.at >= self.steps

    @property
    def shape(self) -> tuple[int, int, int]:
        """Latent (frames, height, width): jobs of one shape can share a forward pass."""
        return (self.x.shape[2], self.x.shape[3], self.x.shape[4])


def start(
    *,
    shape: tuple[int, int, int, int],
    context: Tensor,
    guidance: float,
    sampler: str,
    config: Any,
    steps: int,
    seed: int,
) -> Sample:
    """Pure noise of `shape` (channels, frames, height, width) on the context's device, before its first step.

    The noise is drawn on the CPU in float32, whatever the device and number format: a seed means one clip.
    """
    own = make_sampler(sampler, config)
    timesteps = set_steps(own, steps, context.device)
    rng = torch.Generator("cpu").manual_seed(seed)
    noise = torch.randn((1, *shape), generator=rng).to(context.device) * own.init_noise_sigma
    return Sample(noise, context, guidance, own, timesteps, rng)


def step(unet: Any, samples: Sequence[Sample]) -> None:
    """Advance every sample by one of its own steps in a single forward pass; all must be of one shape.

    The forward pass changes no sample: when it runs out of memory, all of them can simply be stepped again.
    """
    inputs, times, contexts = [], [], []
    for sample in samples:
        t = sample.timesteps[sample.at]
        scaled = sample.sampler.scale_model_input(sample.x, t)
        inputs.append(scaled.expand(sample.rows, -1, -1, -1, -1))
        times += [t] * sample.rows
        contexts.append(sample.context)
    said = unet(
        torch.cat(inputs).to(unet.dtype),
        torch.stack(times),
        encoder_hidden_states=torch.cat(contexts),
        return_dict=False,
    )[0].float()
    for sample, rows in zip(samples, said.split([sample.rows for sample in samples]), strict=True):
        _advance(sample, rows)


def _advance(sample: Sample, rows: Tensor) -> None:
    """Guidance (arXiv 2207.12598) and one step of the sample's own sampler."""
    output = rows[:1] + sample.guidance * (rows[1:] - rows[:1]) if sample.rows == 2 else rows
    t = sample.timesteps[sample.at]
    sample.last = Estimate(sample.x, output, t)
    pictures = sample.sampler.step(_flat(output), t, _flat(sample.x), **_randomness(sample)).prev_sample
    sample.x = pictures[None].permute(0, 2, 1, 3, 4)
    sample.at += 1


def _flat(x: Tensor) -> Tensor:
    """(1, c, f, h, w) -> (f, c, h, w): samplers know pictures."""
    return x[0].permute(1, 0, 2, 3)


def _randomness(sample: Sample) -> dict[str, torch.Generator]:
    """The sample's own random numbers for samplers that draw noise at every step (LCM)."""
    accepts = "generator" in inspect.signature(sample.sampler.step).parameters
    return {"generator": sample.rng} if accepts else {}


def clean_estimate(sample: Sample) -> Tensor | None:
    """The clean latents as the last step saw them, (1, c, f, h, w) float32; None before the first step.

    Inverts x_t = sqrt(a) x_0 + sqrt(1 - a) noise for what the network predicts: the noise, or v = sqrt(a) noise -
    sqrt(1 - a) x_0 (arXiv 2202.00512), or x_0 itself.
    """
    if sample.last is None:
        return None
    x, output = sample.last.x, sample.last.output
    a: Tensor = sample.sampler.alphas_cumprod[int(sample.last.t)].to(x)
    kind = sample.sampler.config.prediction_type
    if kind == "v_prediction":
        return a.sqrt() * x - (1 - a).sqrt() * output
    if kind == "sample":
        return output
    return (x - (1 - a).sqrt() * output) / a.sqrt()
