"""The model in the repository: small, without pickles, and what stock diffusers expects."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

POCKET = Path(__file__).parents[2] / "generator" / "pocket"

pytestmark = pytest.mark.filterwarnings("ignore")  # diffusers warns about its own ways


def test_folder_is_small_and_holds_no_pickles() -> None:
    """25 MB with everything, weights in safetensors."""
    files = [path for path in POCKET.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 25_000_000
    assert not [path for path in files if path.suffix in {".bin", ".pt", ".pth", ".ckpt", ".pkl"}]
    assert len([path for path in files if path.suffix == ".safetensors"]) == 3


def test_facts_fit_the_weights() -> None:
    """`zoetrope.json` speaks of the model that lies beside it."""
    facts = json.loads((POCKET / "zoetrope.json").read_text(encoding="utf-8"))
    unet = json.loads((POCKET / "unet" / "config.json").read_text(encoding="utf-8"))
    vae = json.loads((POCKET / "vae" / "config.json").read_text(encoding="utf-8"))
    scale = 2 ** (len(vae["block_out_channels"]) - 1)
    assert facts["defaults"]["width"] == unet["sample_size"] * scale
    assert facts["defaults"]["width"] % facts["limits"]["multiple"] == 0
    assert len(facts["suggestions"]) >= 8


def test_stock_diffusers_shows_a_red_heart_on_blue_going_up_and_down() -> None:
    """The first clip a newcomer sees, by stock code."""
    from diffusers import TextToVideoSDPipeline

    facts = json.loads((POCKET / "zoetrope.json").read_text(encoding="utf-8"))["defaults"]
    pipeline = TextToVideoSDPipeline.from_pretrained(POCKET)
    pipeline.set_progress_bar_config(disable=True)
    side = pipeline.unet.config.sample_size
    noise = torch.randn(
        1, pipeline.unet.config.in_channels, facts["frames"], side, side, generator=torch.Generator().manual_seed(1)
    )
    # The pipeline takes pixels by the scale of its autoencoder, which is the pocket model's own.
    film = pipeline(
        "a heart bouncing on blue",
        latents=noise,
        num_frames=facts["frames"],
        height=facts["height"],
        width=facts["width"],
        num_inference_steps=12,
        guidance_scale=facts["guidance"],
    ).frames[0]
    border = film[:, 0].mean((0, 1))
    assert border[2] > 0.6
    assert border[0] < 0.4
    red = (film[..., 0] > 0.6) & (film[..., 2] < 0.5)
    rows = np.arange(film.shape[1])[:, None]
    heights = [float((rows * mask).sum() / mask.sum()) for mask in red if mask.sum() > 4]
    assert len(heights) >= 6
    assert max(heights) - min(heights) > film.shape[1] * 0.12
