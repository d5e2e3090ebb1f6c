"""The stage draws what a take says, and training never sees what the measure asks."""

from __future__ import annotations

import random

import pytest
import torch

from generator.training.atlas import things
from generator.training.captions import Writer, allowed, held_out
from generator.training.configurations import CONFIGURATIONS, CPU
from generator.training.evaluate import questions, shares, true_clips
from generator.training.oracle import Oracle
from generator.training.stage import Actor, Stage, Take


def test_atlas_holds_many_things_with_words() -> None:
    """At least 64 things, each with a name of its own; a word means one thing."""
    names = [thing.name for thing in things()]
    assert len(names) >= 64
    spoken = [word for thing in things() for word in thing.words]
    assert len(set(spoken)) == len(spoken)


def test_oracle_reads_true_clips() -> None:
    """Background, thing and motion of true clips are read off their pixels, 98 in 100."""
    asked = questions(CPU, 120)
    oracle = Oracle(CPU.world, CPU.size, CPU.frames)
    marks = [one.marks(oracle.look(film)) for one, film in zip(asked, true_clips(CPU, asked), strict=True)]
    for share in shares(marks).values():
        assert share >= 0.98


def test_same_seed_same_clip() -> None:
    """Clips come from the generator alone."""
    stage = Stage(CPU.world.things, CPU.world.backgrounds, 32, 8)
    takes = [Take((Actor("cat", "bouncing"),), "blue"), Take((Actor("heart", "left", "red"),), "city")]
    one, two = (stage.shoot(takes, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == (2, 8, 3, 32, 32)
    assert float(one.abs().max()) <= 1


def test_a_red_heart_goes_up_and_down_on_blue() -> None:
    """Something red bounces before something blue."""
    stage = Stage(("heart",), ("blue",), 32, 8)
    film = stage.shoot([Take((Actor("heart", "bouncing", "red"),), "blue")], torch.Generator().manual_seed(0))[0]
    assert float(film[:, 2, 0, 0].min()) > 0.5
    red = (film[:, 0] > 0.3) & (film[:, 2] < 0)
    rows = torch.arange(32)[:, None]
    heights = [float((rows * mask).sum() / mask.sum()) for mask in red]
    assert heights[0] - heights[2] > 6
    assert abs(heights[0] - heights[4]) < 1


@pytest.mark.parametrize("name", sorted(CONFIGURATIONS))
def test_held_out_combinations_are_never_trained(name: str) -> None:
    """Nothing the writer invents holds a combination that is kept for the measure."""
    writer = Writer(CONFIGURATIONS[name].world, random.Random(1))
    for _ in range(3000):
        take = writer.take()
        assert allowed(take)
        assert not any(held_out(actor.thing, actor.motion, take.background) for actor in take.actors)


def test_the_measure_asks_only_what_was_held_out() -> None:
    """Every prompt of the measure is about a held-out combination, and there are 300 different ones."""
    asked = questions(CPU, 320)
    combinations = {(one.take.actors[0].thing, one.take.actors[0].motion, one.take.background) for one in asked}
    assert len(combinations) >= 300
    assert all(held_out(*one) for one in combinations)
