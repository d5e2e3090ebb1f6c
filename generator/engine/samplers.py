"""Samplers by name: diffusers' noise schedulers on the schedule the model was trained with."""

from __future__ import annotations

import warnings
from typing import Any

from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, LCMScheduler, UniPCMultistepScheduler

from generator.errors import SpecRefused

SAMPLERS = ("ddim", "dpm++", "unipc", "lcm")
LCM_ORIGIN_STEPS = 50  # the distillation grid LCM skips over (arXiv 2310.04378)


def make_sampler(name: str, config: Any) -> Any:
    """A fresh sampler for one job; `config` is that of the scheduler in the model's folder.

    Samplers keep state between steps (the multistep ones their history), so no two jobs may share one.
    """
    match name:
        case "ddim":
            return DDIMScheduler.from_config(config)
        case "dpm++":  # DPM-Solver++ 2M (arXiv 2211.01095)
            return DPMSolverMultistepScheduler.from_config(config, algorithm_type="dpmsolver++", solver_order=2)
        case "unipc":  # arXiv 2302.04867
            return UniPCMultistepScheduler.from_config(config)
        case "lcm":
            return LCMScheduler.from_config(config)
        case _:
            raise SpecRefused(f"There is no sampler called {name}; use one of {', '.join(SAMPLERS)}.")


def set_steps(sampler: Any, steps: int, device: Any) -> Any:
    """Lay out `steps` denoising steps; returns the timesteps, latest noise first. Raises SpecRefused."""
    trained = int(sampler.config.num_train_timesteps)
    if steps > trained:
        raise SpecRefused(f"This model knows {trained} steps at most; ask for fewer steps.")
    grid = {"original_inference_steps": max(steps, LCM_ORIGIN_STEPS)} if isinstance(sampler, LCMScheduler) else {}
    with warnings.catch_warnings():  # diffusers 0.42 hands numpy 2 a tensor, and torch 2.13 does not know `copy` yet
        warnings.filterwarnings("ignore", "__array__ implementation doesn't accept a copy", DeprecationWarning)
        sampler.set_timesteps(steps, device=device, **grid)
    return sampler.timesteps
