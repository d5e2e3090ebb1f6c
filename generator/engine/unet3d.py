"""The Unet3D family: ModelScope's text-to-video, zeroscope, the pocket model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from db.records import ClipSpec, ModelFacts
from generator.catalogue import Entry
from generator.engine import loop, memory
from generator.engine.device import choose_dtype
from generator.engine.loader import Parts, find_folder, load_parts
from generator.engine.loop import Sample
from generator.engine.memory import Footprint
from generator.engine.previews import Frames, is_sd_space, latents_to_rgb, to_uint8
from generator.engine.text import PromptEncoder, context
from generator.errors import RenderFailed, SpecRefused
from generator.model_folder import WEIGHED_PARTS, find_weights, widths

CHUNK = 4  # frames decoded at once; always the same, so that free memory never shows in a clip
PREVIEW_FRAMES = 8  # that the model's own decoder makes at most


@dataclass
class Unet3D:
    """A loaded model of this family."""

    facts: ModelFacts
    parts: Parts
    footprint: Footprint
    device: torch.device

    def __post_init__(self) -> None:
        self._encoder = PromptEncoder(self.parts.tokenizer, self.parts.text_encoder)
        self._channels = int(self.parts.unet.config.in_channels)
        self._scaling = float(self.parts.vae.config.scaling_factor)

    @property
    def weights(self) -> int:
        return self.footprint.weights

    @property
    def chunk(self) -> int:
        return CHUNK

    def need(self, spec: ClipSpec) -> int:
        check_spec(self.facts, spec)
        return needed(self.footprint, spec)

    @torch.inference_mode()
    def prepare(self, spec: ClipSpec) -> Sample:
        check_spec(self.facts, spec)
        factor = self.footprint.factor
        return loop.start(
            shape=(self._channels, spec.frames, spec.height // factor, spec.width // factor),
            context=context(self._encoder, spec.prompt, spec.negative, spec.guidance),
            guidance=spec.guidance,
            sampler=self.facts.defaults.sampler,
            config=self.parts.schedule,
            steps=spec.steps,
            seed=spec.seed,
        )

    @torch.inference_mode()
    def step(self, works: Sequence[Sample]) -> None:
        loop.step(self.parts.unet, works)

    @torch.inference_mode()
    def preview(self, work: Sample) -> Frames:
        latents = loop.clean_estimate(work)
        if latents is None:
            raise ValueError("there is nothing to show before the first step")
        if is_sd_space(self._channels, self._scaling):
            return latents_to_rgb(latents)
        stride = -(-latents.shape[2] // PREVIEW_FRAMES)
        shown = torch.split(latents[:, :, ::stride], CHUNK, dim=2)  # not more at once than memory was checked for
        return np.concatenate([to_uint8(self.pixels(part)) for part in shown])

    @torch.inference_mode()
    def decode(self, work: Sample, chunk: int) -> Iterator[Frames]:
        check_finite(work.x)
        for latents in torch.split(work.x, chunk, dim=2):
            yield to_uint8(self.pixels(latents))

    def pixels(self, latents: Tensor) -> Tensor:
        """(1, c, f, h, w) latents -> (f, height, width, 3) float32 in 0..1. Frames do not see each other here.

        Raises RenderFailed when the decoder's numbers leave their range, as float16 may let them.
        """
        pictures = latents[0].permute(1, 0, 2, 3) / self._scaling
        decoded: Tensor = self.parts.vae.decode(pictures.to(self.parts.vae.dtype), return_dict=False)[0]
        check_finite(decoded)
        return decoded.float().div(2).add(0.5).clamp(0, 1).permute(0, 2, 3, 1)


def load(
    entry: Entry,
    device: torch.device,
    *,
    spec: ClipSpec,
    have: int,
    tick: Callable[[], None] = lambda: None,
    make_room: Callable[[], None] = lambda: None,
) -> Unet3D:
    """Load a model of this family; see `family.Load`."""
    check_spec(entry.facts, spec)
    dtype = choose_dtype(device, entry.dtype)
    folder = find_folder(entry, dtype, tick)
    unet, vae = (widths(entry.name, folder, part) for part in ("unet", "vae"))
    files = [find_weights(entry.name, folder, part, allow_pickle=entry.allow_pickle) for part in WEIGHED_PARTS]
    takes = memory.footprint(unet, vae, files, dtype)
    memory.check_fits(f"Model {entry.name} with this clip", takes.weights + needed(takes, spec), have, device)
    tick()
    make_room()
    return Unet3D(entry.facts, load_parts(entry, folder, device, dtype), takes, device)


def needed(footprint: Footprint, spec: ClipSpec) -> int:
    """Bytes one clip takes on top of the weights."""
    rows = 2 if spec.guidance > 1 else 1
    return footprint.clip(rows=rows, frames=spec.frames, width=spec.width, height=spec.height, chunk=CHUNK)


def check_finite(numbers: Tensor) -> None:
    """Raise RenderFailed unless all are numbers that can become a picture: nobody wants a black clip."""
    if not bool(torch.isfinite(numbers).all()):
        raise RenderFailed(
            "The model produced no picture because its numbers left their range; ask for less guidance, or set "
            'the model\'s dtype to "float32".'
        )


def check_spec(facts: ModelFacts, spec: ClipSpec) -> None:
    """Raise SpecRefused with a sentence unless the model can make the clip."""
    limits = facts.limits
    for what, value, span in (
        ("steps", spec.steps, limits.steps),
        ("frames", spec.frames, limits.frames),
        ("pixels wide", spec.width, limits.side),
        ("pixels high", spec.height, limits.side),
    ):
        if value not in span:
            raise SpecRefused(f"{facts.title} makes clips of {span.low} to {span.high} {what}, not {value}.")
    if spec.width % limits.multiple or spec.height % limits.multiple:
        raise SpecRefused(f"{facts.title} makes sizes in multiples of {limits.multiple} pixels; round the size.")
    if spec.fps < 1:
        raise SpecRefused("A clip needs at least one frame a second.")
    if not math.isfinite(spec.guidance):
        raise SpecRefused("Guidance is a number such as 9.")
