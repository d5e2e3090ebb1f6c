"""AdamW for vectors and embeddings, Muon for matrices: orthogonal updates learn more from few steps.

Muon (K. Jordan and others, 2024): the momentum of every weight matrix, convolutions flattened, is replaced by the
nearest orthogonal matrix, found by five Newton-Schulz iterations; scaled so that AdamW's learning rates fit
(Moonshot AI, 2025: 0.2 times the root of the longer side).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
MATRIX_GAIN = 2.0  # orthogonal updates bear larger steps than AdamW's


def orthogonal(matrix: Tensor, rounds: int = 5) -> Tensor:
    """The nearest (semi-)orthogonal matrix to a (rows, columns) one, roughly: singular values end in 0.7 .. 1.2."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).bfloat16()
    x = x / (x.norm() + 1e-7)
    for _ in range(rounds):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    turned: Tensor = x.T if tall else x
    return turned.to(matrix.dtype)


class Optimiser(torch.optim.AdamW):
    """AdamW whose groups marked `matrices` are stepped by Muon instead."""

    def __init__(self, groups: list[dict[str, object]]) -> None:
        super().__init__(groups, betas=(0.9, 0.99), weight_decay=0.01)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Takes a saved state over; AdamW wants a step count from every weight, Muon's too."""
        for one in state["state"].values():
            one.setdefault("step", torch.tensor(0.0))
        super().__setstate__(state)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step; learning rates are the groups'."""
        every = self.param_groups
        self.param_groups = [group for group in every if not group.get("matrices")]
        super().step()
        self.param_groups = every
        for group in every:
            if group.get("matrices"):
                for weight in group["params"]:
                    if weight.grad is not None:
                        self._turn(weight, group["lr"], group["weight_decay"])

    def _turn(self, weight: Tensor, rate: float, decay: float) -> None:
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        momentum: Tensor = state["momentum"]
        assert weight.grad is not None
        momentum.lerp_(weight.grad, 1 - MOMENTUM)
        ahead = weight.grad.lerp(momentum, MOMENTUM).flatten(1)
        update = orthogonal(ahead).view_as(weight)
        weight.mul_(1 - rate * decay)
        weight.add_(update, alpha=-rate * 0.2 * math.sqrt(max(ahead.shape)))


def groups_of(parts: Iterable[tuple[nn.Module, float]], matrices: bool) -> list[dict[str, object]]:
    """Parameter groups of networks and their peak learning rates, matrices apart if wanted.

    First and last layers and embeddings stay with AdamW: their rows are signals of their own.
    """
    groups: list[dict[str, object]] = []
    for part, peak in parts:
        turned = [weight for name, weight in part.named_parameters() if matrices and _is_hidden(name, weight)]
        known = {id(weight) for weight in turned}
        rest = [weight for weight in part.parameters() if id(weight) not in known]
        groups.append({"params": rest, "lr": peak})
        if turned:
            groups.append({"params": turned, "lr": peak * MATRIX_GAIN, "matrices": True})
    return groups


def _is_hidden(name: str, weight: Tensor) -> bool:
    return weight.ndim >= 2 and not any(word in name for word in ("embed", "conv_in", "conv_out"))
