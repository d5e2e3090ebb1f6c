"""Writes the trained model down: diffusers folder, facts for our loader, contact sheets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from generator.training.configurations import Configuration
from generator.training.networks import Networks, load, sample, save

STEPS, GUIDANCE = 12, 4.0
# What the trained model is good at, chosen from a contact sheet of forty prompts.
SUGGESTIONS = (
    "a heart bouncing on blue",
    "a moon rising in space",
    "a soccer ball bouncing on grass",
    "a ghost shaking on purple",
    "an apple jumping on grass",
    "a rocket flying up in space",
    "an astronaut floating in space",
    "a dog running on grass",
    "a kitty jumping on blue",
    "a smiley laughing on red",
    "a green circle circling on grey",
    "a sun going up under a blue sky",
)


def facts(conf: Configuration) -> dict[str, object]:
    """What our loader wants to know about the model (`zoetrope.json`)."""
    return {
        "name": "pocket",
        "title": f"Zoetrope pocket model, {conf.size} pixels",
        "family": "unet3d",
        "defaults": {
            "steps": STEPS,
            "guidance": GUIDANCE,
            "frames": conf.frames,
            "width": conf.size,
            "height": conf.size,
            "fps": 8,
            "sampler": "ddim",
        },
        "limits": {
            "frames": [1, conf.frames * 3],
            "size": [conf.size // 2, conf.size * 2],
            "multiple": conf.size // conf.latent * 2,
        },
        "crisp": True,
        "suggestions": list(SUGGESTIONS),
    }


def export(nets: Networks, conf: Configuration, folder: Path) -> None:
    """The model folder: five parts, fp16 safetensors, and `zoetrope.json`."""
    save(nets, folder)
    text = json.dumps(facts(conf), indent=2, ensure_ascii=False)
    (folder / "zoetrope.json").write_text(text + "\n", encoding="utf-8")


def strip(film: Tensor, scale: int = 2) -> Image.Image:
    """Clips (rows, frames, 3, h, w) in -1..1 as one picture: a row a clip, frames side by side."""
    rows = torch.cat(list(film.unbind(1)), dim=3).permute(0, 2, 3, 1).flatten(0, 1)
    pixels = ((rows + 1) * 127.5).round().clamp(0, 255).byte().cpu().numpy()
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


def contact_sheet(folder: Path, conf: Configuration, path: Path, prompts: tuple[str, ...] = SUGGESTIONS) -> None:
    """Renders prompts with the model of a folder, two columns of clips, all frames shown."""
    nets = load(folder)
    film = sample(
        nets, list(prompts), frames=conf.frames, steps=STEPS, guidance=GUIDANCE, seeds=list(range(1, len(prompts) + 1))
    )
    half = (len(prompts) + 1) // 2
    columns = [strip(film[:half]), strip(film[half:])]
    gap = 8
    sheet = Image.new("RGB", (columns[0].width * 2 + gap, columns[0].height), "white")
    for at, column in enumerate(columns):
        sheet.paste(column, (at * (column.width + gap), 0))
    sheet.save(path, optimize=True)
