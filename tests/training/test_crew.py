"""Workers of a crew end with the same weights: they average their gradients and follow one clock."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from generator.training.crew import Crew, joined, muster


def _member(rank: int, folder: Path) -> None:
    with joined(rank, 2, folder / "crew") as crew:
        layer = nn.Linear(2, 1, bias=False)
        layer.weight.grad = torch.full((1, 2), float(rank))
        crew.average([layer])
        clock = crew.agree(float(10 + rank))
        torch.save(torch.tensor([*layer.weight.grad.flatten().tolist(), clock]), folder / f"{rank}.pt")


def test_alone_nothing_changes() -> None:
    """A crew of one keeps its own gradients and clock."""
    layer = nn.Linear(2, 1, bias=False)
    layer.weight.grad = torch.tensor([[1.0, 2.0]])
    Crew().average([layer])
    assert layer.weight.grad.tolist() == [[1.0, 2.0]]
    assert Crew().agree(3.5) == 3.5


def _failing(rank: int) -> None:
    if rank == 1:
        raise SystemExit(3)


def test_a_failing_worker_is_reported() -> None:
    """A worker that fails ends the crew with an error, not in silence."""
    with pytest.raises(ChildProcessError, match="worker"):
        muster(_failing, 2)


def test_two_workers_agree(tmp_path: Path) -> None:
    """Gradients are averaged, and the leader's clock counts."""
    muster(partial(_member, folder=tmp_path), 2)
    for rank in range(2):
        assert torch.load(tmp_path / f"{rank}.pt", weights_only=True).tolist() == [0.5, 0.5, 10.0]
