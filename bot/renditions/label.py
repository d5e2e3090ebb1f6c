"""The corner mark of labelled clips: "AI" in light letters on a dark plate, drawn into every frame. Pure.

It is made of boxes, not of a font: the same on every machine, and sharp in the smallest clip. It is drawn at the size
of the rendition, after enlarging, so that a clip of 32 px shows it as clearly as one of 512.
"""

from __future__ import annotations

from typing import NamedTuple

PLATE_COLOUR, LETTER_COLOUR = "0x101010", "0xf4f4f4"

_PLATE_CELLS = (10, 7)  # width and height; even sides, so that halved colour planes hold nothing but plate
_SHARE = 45  # the short side of the picture is this many cells
# A and I in cells, inside the plate: x, y, width, height
_STROKES = ((1, 2, 1, 4), (4, 2, 1, 4), (2, 1, 2, 1), (2, 3, 2, 1), (6, 1, 3, 1), (6, 5, 3, 1), (7, 2, 1, 3))


class Box(NamedTuple):
    """A filled box in pixels from the picture's upper left corner."""

    x: int
    y: int
    width: int
    height: int


def cell(width: int, height: int) -> int:
    """The side of one cell of the letters in a picture of that size, in pixels."""
    return max(1, round(min(width, height) / _SHARE))


def plate(width: int, height: int) -> Box:
    """Where the mark stands: the lower right corner, on even pixels."""
    side = cell(width, height)
    across, down = (cells * side for cells in _PLATE_CELLS)
    down += down % 2
    return Box(max(0, width - across - side) // 2 * 2, max(0, height - down - side) // 2 * 2, across, down)


def letters(width: int, height: int) -> tuple[Box, ...]:
    """The strokes of the letters."""
    left, top, _, _ = plate(width, height)
    side = cell(width, height)
    return tuple(Box(left + x * side, top + y * side, w * side, h * side) for x, y, w, h in _STROKES)


def filters(width: int, height: int) -> str:
    """The mark as ffmpeg filters for a picture of that size."""
    boxes = [(plate(width, height), PLATE_COLOUR), *((box, LETTER_COLOUR) for box in letters(width, height))]
    return ",".join(
        f"drawbox=x={box.x}:y={box.y}:w={box.width}:h={box.height}:color={colour}:t=fill" for box, colour in boxes
    )
