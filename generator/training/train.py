"""Trains the pocket model from nothing: `python -m generator.training.train --budget MINUTES --device auto`.

The budget is wall-clock time. Every lesson has a share of it, and the learning rate follows the share of the lesson's
time that has passed, down to zero: a short run must end annealed, however fast the machine was. A checkpoint lies in
`--out` every few minutes; `--resume` goes on from it. At the end the averaged weights are exported.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn

from generator.training import lessons
from generator.training.configurations import CONFIGURATIONS, Configuration
from generator.training.crew import Crew, joined, muster
from generator.training.evaluate import adherence
from generator.training.export import contact_sheet, export
from generator.training.networks import Networks, build
from generator.training.optimiser import Optimiser, groups_of

CHECKPOINT = "checkpoint.pt"


@dataclass
class Progress:
    """Where a course stands: the lesson, its seconds so far, steps, and clips seen in each lesson."""

    lesson: int = 0
    seconds: float = 0.0
    steps: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)


class Average:
    """Exponential moving average of weights; short at first, so that the random start is forgotten."""

    def __init__(self, parts: list[nn.Module], longest: float = 0.998) -> None:
        self.longest, self.count = longest, 0
        self.live = list(lessons.weights(*parts))
        self.mean = [weight.detach().clone() for weight in self.live]

    @torch.no_grad()
    def update(self) -> None:
        """Takes the live weights in."""
        self.count += 1
        keep = min(self.longest, (1 + self.count) / (10 + self.count))
        torch._foreach_lerp_(self.mean, [weight.detach() for weight in self.live], 1 - keep)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchanges mean and live weights; call it twice to undo it."""
        for mean, live in zip(self.mean, self.live, strict=True):
            kept = live.detach().clone()
            live.copy_(mean)
            mean.copy_(kept)


def rate(share: float) -> float:
    """Learning rate as a share of its peak: 4 % warm-up, then a cosine to zero; `share` is time passed, 0..1."""
    if share < 0.04:
        return max(0.02, share / 0.04)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (share - 0.04) / 0.96)))


@dataclass
class Lesson:
    """One lesson under way: what it minimises, what it trains, and clips (or pictures) a step."""

    name: str
    loss: Callable[[], Tensor]
    parts: list[nn.Module]
    count: int
    optimiser: torch.optim.Optimizer
    peaks: list[float]
    average: Average
    budget: float  # seconds
    crew: Crew

    def step(self, share: float) -> float:
        """One step of the optimiser at `share` of the lesson's time; the loss before it."""
        for group, peak in zip(self.optimiser.param_groups, self.peaks, strict=True):
            group["lr"] = peak * rate(share)
        self.optimiser.zero_grad(set_to_none=True)
        value = self.loss()
        value.backward()  # type: ignore[no-untyped-call]
        self.crew.average(self.parts)
        nn.utils.clip_grad_norm_(list(lessons.weights(*self.parts)), 1.0)
        self.optimiser.step()
        self.average.update()
        return float(value.detach())


class Course:
    """One training run in one folder."""

    def __init__(
        self, conf: Configuration, device: torch.device, minutes: float, out: Path, seed: int, crew: Crew | None = None
    ) -> None:
        self.conf, self.out, self.seed, self.minutes = conf, out, seed, minutes
        self.crew = crew or Crew()
        self.nets = build(conf, seed)
        self.room = lessons.studio(conf, self.nets, device, seed + 1000 * self.crew.rank)
        self.progress = Progress()
        self.pending: dict[str, Any] | None = None  # optimiser and average of a lesson that was interrupted
        self.log = out / "log.jsonl"
        self.saved = time.monotonic()
        if device.type == "cpu":
            _plain_attention(self.nets)

    def run(self, every: float) -> None:
        """All lessons that are left, then the export. `every`: seconds between checkpoints."""
        while self.progress.lesson < len(lessons.NAMES):
            lesson = self._open(lessons.NAMES[self.progress.lesson])
            self._learn(lesson, every)
            lesson.average.swap()
            if lesson.name == "pictures":
                self._settle_latents()
            self._show(lesson)
            self.progress.spent[lesson.name] = round(self.progress.seconds, 1)
            self.progress = Progress(self.progress.lesson + 1, seen=self.progress.seen, spent=self.progress.spent)
            self.save()
        if self.crew.leads:
            export(self.nets, self.conf, self.out / "model")

    def _learn(self, lesson: Lesson, every: float) -> None:
        """One lesson until its time is up."""
        began, told, mean = time.monotonic() - self.progress.seconds, 0.0, 0.0
        while True:
            share = self.crew.agree((time.monotonic() - began) / lesson.budget)
            if share >= 1 and self.progress.steps:
                break
            value = lesson.step(share)
            mean = value if not mean else 0.98 * mean + 0.02 * value
            self.progress.steps += 1
            self.progress.seen[lesson.name] = self.progress.seen.get(lesson.name, 0) + lesson.count * self.crew.size
            self.progress.seconds = time.monotonic() - began
            if self.progress.seconds - told > lesson.budget / 60:
                told = self.progress.seconds
                self._note(lesson, mean)
            if self.crew.leads and time.monotonic() - self.saved > every:
                self.save(lesson)
                lesson.average.swap()
                self._show(lesson)
                lesson.average.swap()
                began = time.monotonic() - self.progress.seconds  # saving and showing are not training time
        self._note(lesson, mean)

    def _open(self, name: str) -> Lesson:
        """The lesson of a name, where an interrupted run left it."""
        loss, parts, count = self._subject(name)
        peak = self.conf.rates[lessons.NAMES.index(name)]
        gentle = name in ("stills", "clips")  # the text encoder already knows its lesson
        gains = [(part, peak * (0.3 if gentle and part is self.nets.text else 1.0)) for part in parts]
        optimiser = Optimiser(groups_of(gains, matrices=gentle))
        peaks = [float(group["lr"]) for group in optimiser.param_groups]
        kept = [part for part in parts if part in (self.nets.unet, self.nets.text, self.nets.vae)]
        budget = self.minutes * 60 * self.conf.shares[lessons.NAMES.index(name)]
        lesson = Lesson(name, loss, parts, count, optimiser, peaks, Average(kept), budget, self.crew)
        if self.pending and self.pending["optimiser"]:
            if len(self.pending["optimiser"]["param_groups"]) == len(optimiser.param_groups):
                optimiser.load_state_dict(self.pending["optimiser"])
            lesson.average.mean, lesson.average.count = self.pending["mean"], self.pending["count"]
        self.pending = None
        return lesson

    def _subject(self, name: str) -> tuple[Callable[[], Tensor], list[nn.Module], int]:
        """The loss of a lesson, what it trains, and clips (or pictures) a step."""
        conf, nets, room = self.conf, self.nets, self.room
        if name == "words":
            torch.manual_seed(self.seed)
            heads = lessons.Words(room).to(room.device)
            return heads.loss, [nets.text, heads.heads], conf.text_batch
        if name == "pictures":
            return lambda: lessons.pictures(room), [nets.vae], conf.picture_batch
        single = name == "stills"
        count = conf.still_batch if single else conf.clip_batch
        pool = lessons.Pool(room, single)
        unet: Any = torch.compile(nets.unet) if conf.compiled else nets.unet
        return lambda: lessons.denoise(room, unet, pool, count), [nets.unet, nets.text], count

    def _settle_latents(self) -> None:
        """Measures the autoencoder and scales its latents to unit deviation."""
        decibels, deviation = lessons.fidelity(self.room)
        self.nets.vae.register_to_config(scaling_factor=round(1 / self.crew.agree(deviation), 5))
        self._write({"lesson": "pictures", "psnr_db": round(decibels, 2), "latent_std": round(deviation, 4)})

    def _note(self, lesson: Lesson, mean: float) -> None:
        self._write(
            {
                "lesson": lesson.name,
                "seconds": round(self.progress.seconds, 1),
                "step": self.progress.steps,
                "loss": round(mean, 5),
                "seen": self.progress.seen[lesson.name],
            }
        )

    def _write(self, line: dict[str, object]) -> None:
        if not self.crew.leads:
            return
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _show(self, lesson: Lesson) -> None:
        """An export of the weights as they are, a contact sheet, and how well clips follow held-out prompts by now."""
        if lesson.name not in ("stills", "clips") or not self.crew.leads:
            return
        export(self.nets, self.conf, self.out / "model")
        minute = round((sum(self.progress.spent.values()) + self.progress.seconds) / 60)
        contact_sheet(self.out / "model", self.conf, self.out / f"sheet-{lesson.name}-{minute:03d}.png")
        if lesson.name == "clips":
            with self.room.autocast():
                self._write({"lesson": lesson.name, "minute": minute, "adherence": adherence(self.nets, self.conf)})

    def save(self, lesson: Lesson | None = None) -> None:
        """A checkpoint: everything a resumed run needs, plain tensors and numbers."""
        if not self.crew.leads:
            return
        nets = self.nets
        state = {
            "progress": vars(self.progress),
            "scaling": nets.vae.config.scaling_factor,
            "vae": nets.vae.state_dict(),
            "unet": nets.unet.state_dict(),
            "text": nets.text.state_dict(),
            "mean": lesson.average.mean if lesson else None,
            "count": lesson.average.count if lesson else 0,
            "optimiser": lesson.optimiser.state_dict() if lesson else None,
        }
        fresh = self.out / (CHECKPOINT + ".new")
        torch.save(state, fresh)
        fresh.replace(self.out / CHECKPOINT)
        self.saved = time.monotonic()

    def resume(self) -> None:
        """Goes on from the checkpoint. The stage draws other takes than the first time, on purpose."""
        state = torch.load(self.out / CHECKPOINT, weights_only=True, map_location=self.room.device)
        self.progress = Progress(**state["progress"])
        for part, name in ((self.nets.vae, "vae"), (self.nets.unet, "unet"), (self.nets.text, "text")):
            part.load_state_dict(state[name])
        self.nets.vae.register_to_config(scaling_factor=state["scaling"])
        seed = self.seed + 1 + self.progress.lesson + self.progress.steps + 1000 * self.crew.rank
        self.room = lessons.studio(self.conf, self.nets, self.room.device, seed)
        self.pending = state


def _plain_attention(nets: Networks) -> None:
    """Attention as two matrix products: on CPU the fused kernel is three times slower on 8 tokens a sequence."""
    for module in nets.unet.modules():
        if hasattr(module, "set_processor"):
            module.set_processor(AttnProcessor())


def choose_device(name: str) -> torch.device:
    """`auto` is a GPU where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def main(arguments: list[str] | None = None) -> None:
    """Train the pocket model."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--budget", type=float, required=True, help="wall-clock minutes of training")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--configuration", choices=sorted(CONFIGURATIONS))
    parser.add_argument("--out", type=Path, default=Path("data/pocket"))
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--checkpoint", type=float, default=300, help="seconds between checkpoints")
    parser.add_argument("--workers", type=int, default=1, help="single-threaded processes that share the work (CPU)")
    asked = parser.parse_args(arguments)
    asked.out.mkdir(parents=True, exist_ok=True)
    if asked.workers == 1:
        work(0, asked, asked.out)
        return
    with tempfile.TemporaryDirectory() as folder:
        muster(partial(work, asked=asked, folder=Path(folder)), asked.workers)


def work(rank: int, asked: argparse.Namespace, folder: Path) -> None:
    """One worker's course; `folder` is where the crew meets."""
    device = choose_device(asked.device)
    conf = CONFIGURATIONS[asked.configuration or ("cpu" if device.type == "cpu" else "gpu")]
    with joined(rank, asked.workers, folder / "crew") as crew:
        course = Course(shared(conf, crew.size), device, asked.budget, asked.out, asked.seed, crew)
        if asked.resume and (asked.out / CHECKPOINT).exists():
            course.resume()
        course.run(asked.checkpoint)


def shared(conf: Configuration, size: int) -> Configuration:
    """The configuration with its batches divided among the workers."""
    return replace(
        conf,
        text_batch=conf.text_batch // size,
        picture_batch=conf.picture_batch // size,
        still_batch=conf.still_batch // size,
        clip_batch=conf.clip_batch // size,
    )


if __name__ == "__main__":
    main()
