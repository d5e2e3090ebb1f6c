"""Sizes that are worth suggesting for a model. Pure."""

from __future__ import annotations

from db.config import LimitsConfig
from db.records import ModelFacts

_SHAPES = ((1, 1), (4, 3), (3, 4), (16, 9), (9, 16))
_SCALES = (1.0, 0.5, 0.75, 1.5, 2.0)  # of the model's usual number of pixels along a side


def worth_trying(model: ModelFacts, limits: LimitsConfig) -> list[str]:
    """The model's usual size first, then other shapes and scales of it, as "256x256"."""
    usual = model.defaults
    side = (usual.width * usual.height) ** 0.5
    sizes = {(usual.width, usual.height): None}
    for scale in _SCALES:
        for wide, high in _SHAPES:
            stretch = side * scale / (wide * high) ** 0.5
            sizes.setdefault((_fitting(stretch * wide, model), _fitting(stretch * high, model)))
    low, high = model.limits.side.low, min(model.limits.side.high, limits.side)
    return [f"{width}x{height}" for width, height in sizes if low <= min(width, height) and max(width, height) <= high]


def _fitting(length: float, model: ModelFacts) -> int:
    return round(length / model.limits.multiple) * model.limits.multiple
