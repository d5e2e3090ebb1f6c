"""Muon steps matrices, AdamW the rest, and both go on from a saved state."""

from __future__ import annotations

import torch
from torch import nn

from generator.training.optimiser import Optimiser, groups_of, orthogonal


def test_orthogonal_evens_out_singular_values() -> None:
    """All singular values end near one, whichever side is longer."""
    rng = torch.Generator().manual_seed(0)
    for shape in ((16, 48), (48, 16)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape, generator=rng)))
        assert float(values.min()) > 0.5
        assert float(values.max()) < 1.3


def test_matrices_and_the_rest_are_told_apart() -> None:
    """Convolutions inside go to Muon; biases, first and last layers stay with AdamW."""
    net = nn.ModuleDict({"conv_in": nn.Conv2d(3, 8, 3), "middle": nn.Conv2d(8, 8, 3)})
    groups = groups_of([(net, 1e-3)], matrices=True)
    assert [len(list(group["params"])) for group in groups] == [3, 1]  # type: ignore[call-overload]


def test_both_kinds_learn_and_resume() -> None:
    """The loss falls, and a second optimiser takes the state over."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
    data = torch.randn(64, 4)
    wanted = data.sum(1, keepdim=True)
    optimiser = Optimiser(groups_of([(net, 1e-2)], matrices=True))
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = nn.functional.mse_loss(net(data), wanted)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]
    again = Optimiser(groups_of([(net, 1e-2)], matrices=True))
    again.load_state_dict(optimiser.state_dict())
    again.step()
