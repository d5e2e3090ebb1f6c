"""Once, the real thing: ModelScope's full-size configuration, 1.8 billion random weights read from disk, one step."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet3DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from db.records import ClipSpec
from generator.catalogue import Entry
from generator.engine import unet3d

GIB = 1 << 30
UNET: dict[str, Any] = {
    "act_fn": "silu",
    "attention_head_dim": 64,
    "block_out_channels": (320, 640, 1280, 1280),
    "cross_attention_dim": 1024,
    "layers_per_block": 2,
    "sample_size": 32,
}
VAE: dict[str, Any] = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
    "sample_size": 512,
    "scaling_factor": 0.18215,
}
TEXT: dict[str, Any] = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_attention_heads": 16,
    "num_hidden_layers": 23,
    "vocab_size": 49408,
    "projection_dim": 512,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 1,
    "hidden_act": "gelu",
}


def write_weights(module: nn.Module, path: Path) -> int:
    """Write random bfloat16 weights for a module without weights, tensor by tensor; returns how many numbers."""
    noise = torch.randn(1 << 22, generator=torch.Generator().manual_seed(0)).mul(0.02).bfloat16().view(torch.int16)
    block = noise.numpy().astype(np.int16).tobytes()
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, tensor in module.state_dict().items():
        begin, end = end, end + 2 * tensor.numel()
        header[name] = {"dtype": "BF16", "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in module.state_dict().values():
            left = 2 * tensor.numel()
            while left:
                left -= file.write(block[:left])
    return end // 2


@pytest.fixture
def modelscope(tiny: Path, tmp_path: Path) -> Iterator[Path]:
    """The folder as it would be downloaded, but for the meaning of its numbers and the tiny tokenizer."""
    folder = tmp_path / "text-to-video-ms-1.7b"
    shutil.copytree(tiny / "tokenizer", folder / "tokenizer")
    shutil.copy(tiny / "model_index.json", folder)
    with torch.device("meta"):
        parts: dict[str, Any] = {
            "unet": UNet3DConditionModel(**UNET),
            "vae": AutoencoderKL(**VAE),
            "text_encoder": CLIPTextModel(CLIPTextConfig(**TEXT)),
        }
    values = 0
    for part, module in parts.items():
        (folder / part).mkdir()
        (module.save_config if part != "text_encoder" else module.config.save_pretrained)(folder / part)
        stem = "model" if part == "text_encoder" else "diffusion_pytorch_model"
        values += write_weights(module, folder / part / f"{stem}.safetensors")
    assert math.isclose(values, 1.835e9, rel_tol=0.001)
    DDIMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False).save_config(
        folder / "scheduler"
    )
    yield folder
    shutil.rmtree(folder)  # 3.4 GiB that pytest would keep


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_full_size_modelscope_configuration_loads_from_disk_and_does_a_step(
    modelscope: Path, entry_of: Callable[..., Entry], spec: Callable[..., ClipSpec]
) -> None:
    entry = entry_of(modelscope, "dpm++", dtype="bfloat16")
    defaults = entry.facts.defaults
    assert (defaults.width, defaults.height, defaults.frames) == (256, 256, 16)
    asked = spec(width=64, height=64, frames=2, steps=25)
    model = unet3d.load(entry, torch.device("cpu"), spec=asked, have=12 * GIB)
    assert model.weights / GIB == pytest.approx(3.42, rel=0.01)
    sample = model.prepare(asked)
    noise = sample.x
    model.step([sample])
    assert sample.at == 1
    assert sample.x.isfinite().all()
    assert not torch.equal(sample.x, noise)
    assert model.preview(sample).shape == (2, 8, 8, 3)
