"""Measures a trained model: `python -m generator.training.evaluate --json`.

Prompts are worded from combinations of thing, motion and background that training never showed; clips are rendered
with fixed seeds and judged by the oracle, which looks at pixels alone. Printed: the share that is right for each
question and for all three, per number of steps, beside the oracle on true clips and beside guessing.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from generator.training.captions import Writer, catalogue
from generator.training.configurations import CONFIGURATIONS, Configuration
from generator.training.export import GUIDANCE, strip
from generator.training.networks import Networks, load, sample
from generator.training.oracle import Oracle, Seen
from generator.training.stage import Actor, Stage, Take

POCKET = Path(__file__).parents[1] / "pocket"
QUESTIONS = ("background", "motion", "thing", "all")


@dataclass(frozen=True)
class Question:
    """One prompt and what its clip must show."""

    prompt: str
    take: Take

    def marks(self, seen: Seen) -> dict[str, bool]:
        """Which of the three the oracle found right, and all of them."""
        actor = self.take.actors[0]
        marks = {
            "background": seen.background == self.take.background,
            "motion": seen.motion == actor.motion,
            "thing": seen.thing == actor.thing,
        }
        return {**marks, "all": all(marks.values())}


def questions(conf: Configuration, count: int, seed: int = 11) -> list[Question]:
    """`count` prompts of held-out combinations, each combination once before any comes twice."""
    rng = random.Random(seed)
    writer = Writer(conf.world, rng)
    held = conf.world.held_out()
    rng.shuffle(held)
    chosen = [held[at % len(held)] for at in range(count)]
    takes = [Take((Actor(thing, motion, _own_colour(thing)),), background) for thing, motion, background in chosen]
    return [Question(writer.caption(take, noise=0.0), take) for take in takes]


def _own_colour(thing: str) -> str | None:
    known = catalogue()[thing]
    return known.colour if known.tintable else None


def shares(marks: list[dict[str, bool]]) -> dict[str, float]:
    """Share of right answers by question, 0..1."""
    return {name: round(sum(mark[name] for mark in marks) / max(1, len(marks)), 4) for name in QUESTIONS}


def true_clips(conf: Configuration, asked: list[Question], seed: int = 5) -> Tensor:
    """What the stage itself draws for the questions, shape (questions, frames, 3, h, w)."""
    stage = Stage(conf.world.things, conf.world.backgrounds, conf.size, conf.frames)
    rng = torch.Generator().manual_seed(seed)
    parts = [stage.shoot([one.take for one in asked[at : at + 64]], rng) for at in range(0, len(asked), 64)]
    return torch.cat(parts)


def guessing(conf: Configuration) -> dict[str, float]:
    """What uniform guessing gets."""
    world = conf.world
    each = {"background": 1 / len(world.backgrounds), "motion": 1 / len(world.motions), "thing": 1 / len(world.things)}
    each["all"] = each["background"] * each["motion"] * each["thing"]
    return {name: round(value, 5) for name, value in each.items()}


def render(
    nets: Networks, conf: Configuration, asked: list[Question], steps: int, guidance: float, rows: int = 16
) -> Tensor:
    """Clips of the model for the questions; the seed of a clip is its number."""
    parts = []
    for at in range(0, len(asked), rows):
        some = asked[at : at + rows]
        parts.append(
            sample(
                nets,
                [one.prompt for one in some],
                frames=conf.frames,
                steps=steps,
                guidance=guidance,
                seeds=list(range(at, at + len(some))),
            ).cpu()
        )
    return torch.cat(parts)


def adherence(nets: Networks, conf: Configuration, count: int = 44, steps: int = 8) -> dict[str, float]:
    """Shares of right answers over a few held-out prompts: enough to see a training move, not to compare models by."""
    asked = questions(conf, count)
    oracle = Oracle(conf.world, conf.size, conf.frames)
    film = render(nets, conf, asked, steps, GUIDANCE)
    return shares([one.marks(oracle.look(clip)) for one, clip in zip(asked, film, strict=True)])


def seconds_per_clip(nets: Networks, conf: Configuration, steps: int, guidance: float) -> float:
    """Wall-clock seconds of one clip alone, second try."""
    took = 0.0
    for _ in range(2):
        began = time.perf_counter()
        sample(nets, ["a heart bouncing on blue"], frames=conf.frames, steps=steps, guidance=guidance, seeds=[1])
        took = time.perf_counter() - began
    return round(took, 2)


def wrong(asked: list[Question], seen: list[Seen]) -> dict[str, list[str]]:
    """The commonest mistakes, as 'wanted -> seen xN'."""
    pairs: dict[str, Counter[str]] = {"motion": Counter(), "thing": Counter(), "background": Counter()}
    for one, found in zip(asked, seen, strict=True):
        actor = one.take.actors[0]
        for name, wanted, got in (
            ("motion", actor.motion, found.motion),
            ("thing", actor.thing, found.thing),
            ("background", one.take.background, found.background),
        ):
            if wanted != got:
                pairs[name][f"{wanted} -> {got or 'nothing'}"] += 1
    return {name: [f"{pair} x{count}" for pair, count in found.most_common(8)] for name, found in pairs.items()}


def measure(
    nets: Networks,
    conf: Configuration,
    asked: list[Question],
    steps: list[int],
    guidance: float,
    sheet: Path | None = None,
) -> dict[str, object]:
    """All figures of a model as one JSON object."""
    oracle = Oracle(conf.world, conf.size, conf.frames)
    truth = [one.marks(oracle.look(film)) for one, film in zip(asked, true_clips(conf, asked), strict=True)]
    result: dict[str, object] = {
        "configuration": conf.name,
        "prompts": len(asked),
        "guidance": guidance,
        "sampler": "ddim",
        "oracle_on_true_clips": shares(truth),
        "guessing": guessing(conf),
    }
    for count in steps:
        film = render(nets, conf, asked, count, guidance)
        seen = [oracle.look(one) for one in film]
        marks = [one.marks(found) for one, found in zip(asked, seen, strict=True)]
        result[f"steps_{count}"] = {
            **shares(marks),
            "seconds_per_clip": seconds_per_clip(nets, conf, count, guidance),
            "wrong": wrong(asked, seen),
        }
        if sheet and count == steps[-1]:
            strip(film[:16], scale=1).save(sheet, optimize=True)
    return result


def configuration_of(folder: Path) -> Configuration:
    """The configuration a model folder was trained with (its own note, or the one that has its size)."""
    note = json.loads((folder / "zoetrope.json").read_text(encoding="utf-8"))
    for conf in CONFIGURATIONS.values():
        if (conf.size, conf.frames) == (note["defaults"]["width"], note["defaults"]["frames"]):
            return conf
    raise SystemExit(f"{folder}: no configuration has this model's size; name one with --configuration.")


def main(arguments: list[str] | None = None) -> None:
    """Measure how well a model follows prompts it was never trained on."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--model", type=Path, default=POCKET)
    parser.add_argument("--configuration", choices=sorted(CONFIGURATIONS))
    parser.add_argument("--prompts", type=int, default=320)
    parser.add_argument("--steps", default="8,12,20")
    parser.add_argument("--guidance", type=float, default=GUIDANCE)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--bfloat16", action="store_true", help="half the time, the same figures within noise")
    parser.add_argument("--sheet", type=Path, help="where to write a contact sheet PNG")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    asked = parser.parse_args(arguments)
    conf = CONFIGURATIONS[asked.configuration] if asked.configuration else configuration_of(asked.model)
    nets = load(asked.model).to(torch.device(asked.device))
    with torch.autocast(torch.device(asked.device).type, torch.bfloat16, enabled=asked.bfloat16):
        result = measure(
            nets,
            conf,
            questions(conf, asked.prompts),
            [int(one) for one in asked.steps.split(",")],
            asked.guidance,
            asked.sheet,
        )
    result["precision"] = "bfloat16" if asked.bfloat16 else "float32"
    print(json.dumps(result, indent=2, ensure_ascii=False) if asked.json else table(result))


def table(result: dict[str, object]) -> str:
    """The figures for reading."""
    lines = [f"{'':24}" + "".join(f"{name:>12}" for name in QUESTIONS)]
    for name, row in result.items():
        if isinstance(row, dict):
            lines.append(f"{name:24}" + "".join(f"{100 * row[question]:11.1f}%" for question in QUESTIONS))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
