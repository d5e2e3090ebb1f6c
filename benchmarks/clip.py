"""Where the seconds of a clip go, and our engine against stock diffusers: same weights, same clip, in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from diffusers import DDIMScheduler, TextToVideoSDPipeline

from benchmarks.figures import spread
from db.config import GeneratorConfig
from db.records import ClipSpec
from generator.catalogue import read_catalogue
from generator.engine import unet3d
from generator.engine.loader import quiet_libraries

PAIRS = 5
PLENTY = 1 << 40
PROMPT = "a heart bouncing on blue"


def measure() -> Iterator[dict[str, Any]]:
    """The pocket model on the CPU with all its cores; the sampler is DDIM on both sides."""
    quiet_libraries()
    ours, spec, load_seconds = _load()
    stock = _stock(ours)
    runs: list[dict[str, float]] = []
    ratios: list[float] = []
    _seconds(lambda: _stock_clip(stock, spec))  # warm both up
    _our_clip(ours, spec)
    for turn in range(PAIRS):
        one = replace(spec, prompt=f"{PROMPT} {turn}", seed=turn)  # a prompt that is in no cache
        runs.append(_our_clip(ours, one))
        ratios.append(_seconds(partial(_stock_clip, stock, one)) / sum(runs[-1].values()))
    of = {"model": spec.model, "frames": spec.frames, "size": f"{spec.width}x{spec.height}", "steps": spec.steps}
    yield {"measure": "load_seconds", "value": round(load_seconds, 3), **of}
    for stage in runs[0]:
        yield {"measure": f"{stage}_seconds", **spread([run[stage] for run in runs]), **of}
    yield {"measure": "clip_seconds", **spread([sum(run.values()) for run in runs]), **of}
    yield {"measure": "stock_over_ours", **spread(ratios), **of}


def _load() -> tuple[unet3d.Unet3D, ClipSpec, float]:
    entry = next(entry for entry in read_catalogue(GeneratorConfig()).entries if entry.name == "pocket")
    usual = entry.facts.defaults
    spec = ClipSpec(
        PROMPT, "", 7, usual.steps, usual.guidance, usual.frames, usual.width, usual.height, usual.fps, entry.name
    )
    started = time.perf_counter()
    model = unet3d.load(entry, torch.device("cpu"), spec=spec, have=PLENTY)
    return model, spec, time.perf_counter() - started


def _stock(ours: unet3d.Unet3D) -> TextToVideoSDPipeline:
    """diffusers' own pipeline around the very same networks."""
    parts = ours.parts
    pipeline = TextToVideoSDPipeline(
        unet=parts.unet,
        vae=parts.vae,
        text_encoder=parts.text_encoder,
        tokenizer=parts.tokenizer,
        scheduler=DDIMScheduler.from_config(parts.schedule),
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _our_clip(model: unet3d.Unet3D, spec: ClipSpec) -> dict[str, float]:
    """Seconds by stage."""
    seconds = {}
    began = time.perf_counter()
    work = model.prepare(spec)
    seconds["encode"] = time.perf_counter() - began
    began = time.perf_counter()
    while not work.done:
        model.step([work])
    seconds["denoise"] = time.perf_counter() - began
    began = time.perf_counter()
    list(model.decode(work, model.chunk))
    seconds["decode"] = time.perf_counter() - began
    return seconds


def _stock_clip(pipeline: TextToVideoSDPipeline, spec: ClipSpec) -> None:
    pipeline(
        spec.prompt,
        num_frames=spec.frames,
        width=spec.width,
        height=spec.height,
        num_inference_steps=spec.steps,
        guidance_scale=spec.guidance,
        generator=torch.Generator("cpu").manual_seed(spec.seed),
        output_type="np",
    )


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
