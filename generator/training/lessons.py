"""The four lessons in the order that pays: words, pictures, stills, clips. Each is one loss on one batch.

* words: the text encoder alone learns to tell from a caption what is to be shown (thing, motion, background ...).
  It costs seconds, and the denoiser then starts from text states that already say what it needs.
* pictures: the autoencoder on single frames.
* stills: denoiser and text encoder on one frame a clip: things, places and colours at an eighth of the price.
* clips: the same on whole clips; here the temporal layers learn the order of frames.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from generator.training.captions import Writer
from generator.training.configurations import Configuration
from generator.training.networks import Networks, tokens
from generator.training.stage import COLOURS, MOTIONS, SIZES, SPEEDS, Stage, Take

NAMES = ("words", "pictures", "stills", "clips")
NOISY = 1.5  # 1 spreads moments evenly; more leans to strong noise, where place and motion are decided
UNTOLD = 0.1  # share of empty prompts, for classifier-free guidance


@dataclass
class Studio:
    """What every lesson needs: the networks, the stage, a writer and the sources of chance."""

    conf: Configuration
    nets: Networks
    stage: Stage
    writer: Writer
    rng: torch.Generator
    device: torch.device

    def autocast(self) -> AbstractContextManager[object]:
        """bfloat16 arithmetic where the configuration wants it; weights stay float32."""
        if not self.conf.bfloat16:
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def takes(self, count: int) -> list[Take]:
        """Takes to train on."""
        return [self.writer.take() for _ in range(count)]

    def captions(self, takes: list[Take]) -> Tensor:
        """Token ids of new wordings; some are left empty."""
        texts = ["" if self.writer.rng.random() < UNTOLD else self.writer.caption(take) for take in takes]
        return tokens(self.nets.tokenizer, texts).to(self.device)


def studio(conf: Configuration, nets: Networks, device: torch.device, seed: int) -> Studio:
    """A studio whose chance is all drawn from `seed`."""
    stage = Stage(conf.world.things, conf.world.backgrounds, conf.size, conf.frames, device)
    writer = Writer(conf.world, random.Random(seed))
    return Studio(conf, nets.to(device), stage, writer, torch.Generator().manual_seed(seed), device)


class Words(nn.Module):
    """Lesson one. A linear head a question, asked at the end of the text and at every padding token after it."""

    def __init__(self, room: Studio) -> None:
        super().__init__()
        world = room.conf.world
        self.answers: list[list[str]] = [
            list(world.things),
            list(MOTIONS),
            list(world.backgrounds),
            ["", *COLOURS],
            list(SIZES),
            list(SPEEDS),
            ["1", "2", "3"],
            ["alone", "beside", "riding", "meeting", "passing"],
            ["", *world.things],
            ["", *COLOURS],
        ]
        self.heads = nn.ModuleList(nn.Linear(room.conf.text_width, len(one)) for one in self.answers)
        self.room = room

    def questions(self, take: Take) -> list[str]:
        """The answers a take gives, one a head."""
        one, two = take.actors[0], take.actors[-1] if len(take.actors) > 1 else None
        return [
            one.thing,
            one.motion,
            take.background,
            one.tint or "",
            one.size,
            one.speed,
            str(one.count),
            take.company,
            two.thing if two else "",
            (two.tint or "") if two else "",
        ]

    def loss(self) -> Tensor:
        """Cross entropy over all questions."""
        takes = self.room.takes(self.room.conf.text_batch)
        ids = tokens(self.room.nets.tokenizer, [self.room.writer.caption(take) for take in takes]).to(self.room.device)
        states: Tensor = self.room.nets.text(ids)[0]
        after = ids == self.room.nets.tokenizer.eos_token_id
        told = [self.questions(take) for take in takes]
        total = states.new_zeros(())
        for at, (head, known) in enumerate(zip(self.heads, self.answers, strict=True)):
            right = torch.tensor([known.index(one[at]) for one in told], device=ids.device)
            wanted = right[:, None].expand(-1, ids.shape[1])[after]
            total = total + functional.cross_entropy(head(states[after]), wanted)
        return total / len(self.answers)


def pictures(room: Studio) -> Tensor:
    """Lesson two: one frame a clip through the autoencoder; L1 + L2, edges, and a very light KL."""
    frames = room.stage.shoot(room.takes(max(1, room.conf.picture_batch // 2)), room.rng)
    pick = torch.randint(0, frames.shape[1], (frames.shape[0], 2), generator=room.rng).to(room.device)
    images = frames.gather(1, pick[:, :, None, None, None].expand(-1, -1, *frames.shape[2:])).flatten(0, 1)
    with room.autocast():
        spread = room.nets.vae.encode(images).latent_dist
        latents = spread.mean + torch.exp(0.5 * spread.logvar) * torch.randn_like(spread.mean)
        decoded: Tensor = room.nets.vae.decode(latents).sample
        surprise: Tensor = spread.kl()
    again = decoded.float()
    loss = functional.l1_loss(again, images) + 2 * functional.mse_loss(again, images)
    for axis in (2, 3):
        loss = loss + 0.3 * functional.l1_loss(again.diff(dim=axis), images.diff(dim=axis))
    return loss + 2e-6 * surprise.float().mean()


@torch.no_grad()
def fidelity(room: Studio, clips: int = 32) -> tuple[float, float]:
    """(PSNR in dB of the autoencoder on new frames, standard deviation of its latents)."""
    images = room.stage.shoot(room.takes(clips), room.rng).flatten(0, 1)
    latents = room.nets.vae.encode(images).latent_dist.mode()
    again = room.nets.vae.decode(latents).sample.clamp(-1, 1)
    error = functional.mse_loss(again, images) / 4
    return float(-10 * torch.log10(error)), float(latents.std())


class Pool:
    """Encoded clips. Encoding costs as much as denoising, so each is shown several times, with new noise and words."""

    def __init__(self, room: Studio, single: bool) -> None:
        self.room, self.single = room, single
        self.takes: list[Take] = []
        self.latents: list[Tensor] = []
        self.oldest = 0

    def batch(self, count: int) -> tuple[Tensor, list[Take]]:
        """`count` clips: scaled latents of shape (count, channels, frames, h, w) and their takes."""
        limit = self.room.conf.pool
        new = count if len(self.takes) < min(limit, 4 * count) else max(1, round(count * self.room.conf.fresh))
        latents, takes = self._encode(new)
        if not limit:
            return latents, takes
        for latent, take in zip(latents, takes, strict=True):
            self._keep(latent, take, limit)
        rest = [self.room.writer.rng.randrange(len(self.takes)) for _ in range(count - new)]
        return (torch.stack([*latents, *(self.latents[at] for at in rest)]), takes + [self.takes[at] for at in rest])

    def _keep(self, latent: Tensor, take: Take, limit: int) -> None:
        if len(self.takes) < limit:
            self.takes.append(take)
            self.latents.append(latent)
        else:
            self.takes[self.oldest], self.latents[self.oldest] = take, latent
            self.oldest = (self.oldest + 1) % limit

    @torch.no_grad()
    def _encode(self, count: int) -> tuple[Tensor, list[Take]]:
        room = self.room
        takes = room.takes(count)
        film = room.stage.shoot(takes, room.rng)
        if self.single:
            pick = torch.randint(0, film.shape[1], (count,), generator=room.rng).to(film.device)
            film = film[torch.arange(count, device=film.device), pick][:, None]
        with room.autocast():
            flat = room.nets.vae.encode(film.flatten(0, 1)).latent_dist.mode()
        latents = flat.float().unflatten(0, film.shape[:2]) * room.nets.vae.config.scaling_factor
        return latents.permute(0, 2, 1, 3, 4).contiguous(), takes


def denoise(room: Studio, unet: nn.Module, pool: Pool, count: int) -> Tensor:
    """Lessons three and four: the v-prediction loss at moments of noise spread over the batch."""
    clean, takes = pool.batch(count)
    steps = room.nets.sampler.config.num_train_timesteps
    spread = 1 - (1 - (torch.arange(count) + torch.rand(count, generator=room.rng)) / count) ** NOISY
    moments = (spread[torch.randperm(count, generator=room.rng)] * steps).long().clamp(max=steps - 1).to(room.device)
    noise = torch.randn(clean.shape, generator=room.rng).to(room.device)
    noisy = room.nets.sampler.add_noise(clean, noise, moments)
    wanted = room.nets.sampler.get_velocity(clean, noise, moments)
    with room.autocast():
        states = room.nets.text(room.captions(takes))[0]
        guess = unet(noisy, moments, encoder_hidden_states=states).sample
    return functional.mse_loss(guess.float(), wanted)


def weights(*parts: nn.Module) -> Iterator[nn.Parameter]:
    """All parameters of some networks."""
    for part in parts:
        yield from part.parameters()
