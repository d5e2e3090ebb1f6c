"""The networks of the pocket model: built, sampled from, saved and loaded in diffusers' own classes and folders."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet3DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from generator.training.captions import Writer
from generator.training.configurations import Configuration
from generator.training.tokenizer import learn


@dataclass
class Networks:
    """The five parts of a text-to-video model of ModelScope's kind."""

    vae: AutoencoderKL
    unet: UNet3DConditionModel
    text: CLIPTextModel
    tokenizer: CLIPTokenizer
    sampler: DDIMScheduler

    def to(self, device: torch.device) -> Networks:
        """Moves the weights."""
        for part in (self.vae, self.unet, self.text):
            part.to(device)
        return self

    def eval(self) -> Networks:
        """Switches dropout off (a fresh UNet3D has some in its temporal convolutions)."""
        for part in (self.vae, self.unet, self.text):
            part.eval()
        return self


def build(conf: Configuration, seed: int) -> Networks:
    """Fresh networks of a configuration, the tokenizer learned from its captions."""
    torch.manual_seed(seed)
    writer = Writer(conf.world, random.Random(seed))
    tokenizer = learn((writer.caption(writer.take()) for _ in range(20_000)), conf.vocabulary, conf.tokens)
    return Networks(_vae(conf), _unet(conf), _text(conf, tokenizer), tokenizer, _sampler())


def _vae(conf: Configuration) -> AutoencoderKL:
    levels = len(conf.vae_widths)
    return AutoencoderKL(
        block_out_channels=conf.vae_widths,
        layers_per_block=conf.vae_layers,
        latent_channels=conf.latent_channels,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        norm_num_groups=8,
        sample_size=conf.size,
        mid_block_add_attention=False,
        scaling_factor=1.0,
    )


def _unet(conf: Configuration) -> UNet3DConditionModel:
    levels = len(conf.unet_widths)
    unet = UNet3DConditionModel(
        sample_size=conf.latent,
        in_channels=conf.latent_channels,
        out_channels=conf.latent_channels,
        block_out_channels=conf.unet_widths,
        layers_per_block=1,
        attention_head_dim=conf.head_dim,
        norm_num_groups=conf.groups,
        cross_attention_dim=conf.text_width,
        down_block_types=("CrossAttnDownBlock3D",) * levels,
        up_block_types=("CrossAttnUpBlock3D",) * levels,
    )
    for module in unet.modules():  # dropout helps a billion weights, not a few million
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return unet


def _text(conf: Configuration, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=conf.text_width,
            intermediate_size=conf.text_width * 4,
            num_hidden_layers=conf.text_layers,
            num_attention_heads=max(1, conf.text_width // 16),
            max_position_embeddings=conf.tokens,
            hidden_act="gelu",
            projection_dim=conf.text_width,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def _sampler() -> DDIMScheduler:
    """ModelScope's own schedule, rescaled to end in pure noise (zero terminal SNR), so it wants `trailing` steps."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=0,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
    )


def tokens(tokenizer: CLIPTokenizer, prompts: list[str]) -> Tensor:
    """Token ids, padded to the model's length, shape (prompts, tokens)."""
    ids: Tensor = tokenizer(
        prompts, padding="max_length", truncation=True, max_length=tokenizer.model_max_length, return_tensors="pt"
    ).input_ids
    return ids


@torch.no_grad()
def sample(
    nets: Networks,
    prompts: list[str],
    *,
    frames: int,
    steps: int,
    guidance: float,
    seeds: list[int],
    watch: Callable[[int], None] | None = None,
) -> Tensor:
    """Clips in -1..1, shape (prompts, frames, 3, h, w); deterministic DDIM with guidance, one seed a prompt."""
    device = nets.unet.device
    states = nets.text(tokens(nets.tokenizer, prompts + [""] * len(prompts)).to(device))[0]
    side, channels = nets.unet.config.sample_size, nets.unet.config.in_channels
    latents = torch.stack(
        [torch.randn(channels, frames, side, side, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    ).to(device)
    nets.sampler.set_timesteps(steps)
    for number, moment in enumerate(nets.sampler.timesteps):
        doubled = torch.cat([latents, latents])
        told, untold = nets.unet(doubled, moment, encoder_hidden_states=states).sample.float().chunk(2)
        latents = nets.sampler.step(untold + guidance * (told - untold), moment, latents).prev_sample
        if watch:
            watch(number)
    flat = latents.permute(0, 2, 1, 3, 4).flatten(0, 1) / nets.vae.config.scaling_factor
    film: Tensor = nets.vae.decode(flat).sample
    return film.float().clamp(-1, 1).reshape(len(prompts), frames, *film.shape[1:])


def save(nets: Networks, folder: Path) -> None:
    """Write the model as a diffusers folder, float16 safetensors, loadable by stock `TextToVideoSDPipeline`."""
    from diffusers import TextToVideoSDPipeline

    folder.mkdir(parents=True, exist_ok=True)
    vae, unet, text = (copy.deepcopy(part).half() for part in (nets.vae, nets.unet, nets.text))
    pipeline = TextToVideoSDPipeline(
        vae=vae, unet=unet, text_encoder=text, tokenizer=nets.tokenizer, scheduler=nets.sampler
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    for weights in folder.rglob("*.safetensors"):  # written for their owner alone; a model is for everyone
        weights.chmod(0o644)
    _load_as_float32(folder / "text_encoder" / "config.json")


def _load_as_float32(config: Path) -> None:
    """Untold, transformers loads in the format its config names and diffusers in float32; one pipeline needs one."""
    told = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps(told | {"dtype": "float32"}, indent=2) + "\n", encoding="utf-8")


def load(folder: Path) -> Networks:
    """Read a model folder, float32, ready to sample from."""
    parts = Networks(
        AutoencoderKL.from_pretrained(folder / "vae"),
        UNet3DConditionModel.from_pretrained(folder / "unet"),
        CLIPTextModel.from_pretrained(folder / "text_encoder"),
        CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        DDIMScheduler.from_pretrained(folder / "scheduler"),
    )
    for part in (parts.vae, parts.unet, parts.text):
        part.float()
    return parts.eval()
