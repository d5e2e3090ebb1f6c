"""Sizes of the pocket model. The same code trains all of them; see facts and card for the arithmetic behind them."""

from __future__ import annotations

from dataclasses import dataclass

from generator.training.atlas import things
from generator.training.captions import World
from generator.training.stage import COLOURS, MOTIONS, SCENES

_NAMES = tuple(thing.name for thing in things())
_COLOURS = tuple(COLOURS)[:10]


@dataclass(frozen=True)
class Configuration:
    """One size of the model and its training. Widths are channels, sizes pixels, rates per optimiser step."""

    name: str
    world: World
    size: int
    frames: int
    vae_widths: tuple[int, ...]
    vae_layers: int
    latent_channels: int
    unet_widths: tuple[int, ...]
    head_dim: int
    groups: int
    text_width: int
    text_layers: int
    tokens: int
    vocabulary: int
    text_batch: int
    picture_batch: int
    still_batch: int
    clip_batch: int
    pool: int  # encoded clips kept and shown again with new noise and new words
    fresh: float  # share of every batch that is drawn and encoded anew
    rates: tuple[float, float, float, float]  # peak learning rates: words, pictures, stills, clips
    shares: tuple[float, float, float, float]  # of the budget: words, pictures, stills, clips
    bfloat16: bool
    compiled: bool

    @property
    def latent(self) -> int:
        """Side of the latent picture."""
        return self.size >> (len(self.vae_widths) - 1)


CPU = Configuration(
    name="cpu",
    world=World(_NAMES[:24], (*_COLOURS, "grass", "sea", "space", "city"), MOTIONS[:11]),
    size=32,
    frames=8,
    vae_widths=(32, 48, 64),
    vae_layers=1,
    latent_channels=4,
    unet_widths=(64, 128),
    head_dim=16,
    groups=16,
    text_width=96,
    text_layers=2,
    tokens=24,
    vocabulary=2000,
    text_batch=256,
    picture_batch=64,
    still_batch=64,
    clip_batch=16,
    pool=6000,
    fresh=0.25,
    rates=(2e-3, 2e-3, 1e-3, 1e-3),
    shares=(0.03, 0.13, 0.12, 0.72),
    bfloat16=True,
    compiled=False,
)

GPU = Configuration(
    name="gpu",
    world=World(_NAMES, (*_COLOURS, *SCENES), MOTIONS),
    size=64,
    frames=16,
    vae_widths=(24, 48, 64, 64),
    vae_layers=1,
    latent_channels=8,
    unet_widths=(64, 128),
    head_dim=16,
    groups=16,
    text_width=128,
    text_layers=2,
    tokens=24,
    vocabulary=2000,
    text_batch=1024,
    picture_batch=512,
    still_batch=1024,
    clip_batch=256,
    pool=0,
    fresh=1.0,
    rates=(2e-3, 2e-3, 1e-3, 1.2e-3),
    shares=(0.02, 0.16, 0.12, 0.70),
    bfloat16=True,
    compiled=True,
)

TINY = Configuration(
    name="tiny",
    world=World(("heart", "cat", "car"), ("red", "blue", "grass"), ("right", "bouncing", "growing")),
    size=16,
    frames=4,
    vae_widths=(8, 8, 16),
    vae_layers=1,
    latent_channels=4,
    unet_widths=(16, 16),
    head_dim=8,
    groups=8,
    text_width=16,
    text_layers=1,
    tokens=24,
    vocabulary=700,
    text_batch=8,
    picture_batch=8,
    still_batch=4,
    clip_batch=2,
    pool=8,
    fresh=0.5,
    rates=(2e-3, 2e-3, 1e-3, 1e-3),
    shares=(0.15, 0.25, 0.25, 0.35),
    bfloat16=False,
    compiled=False,
)

CONFIGURATIONS = {one.name: one for one in (CPU, GPU, TINY)}
