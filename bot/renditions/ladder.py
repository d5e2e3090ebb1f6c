"""Which sizes, frame rates and qualities to try for a limit in bytes, best first. Pure.

The order is the one people mind least: quality, then colours or crf, then frame rate, then size. Every rung says what
share of the first rung's bytes it is expected to need, so that a clip far over its limit does not climb down rung by
rung. The shares are rounded from the encoders measured on two real clips and the pocket model's; they only save time:
what counts is the finished file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

FORMATS = ("gif", "mp4", "webp")
LOSSLESS = 100  # of a WebP's quality

_TILE = 256  # px: the long side of a picture on a wall of many
_TILE_QUALITY = 60  # of a WebP

_SMALL = 256  # px: crisp clips are enlarged until their long side is at least this ...
_LARGE = 384  # px: ... and at most this
_SMALLEST = 32  # px: no rung goes below it on the long side
_HOPE = 1.25  # a rung expected to be over the limit by more than this is not tried

_QUALITIES: dict[str, tuple[tuple[int, float], ...]] = {
    "gif": ((256, 1.0), (128, 0.78), (64, 0.6), (32, 0.45)),  # colours
    "mp4": ((18, 1.0), (23, 0.55), (28, 0.3), (34, 0.16)),  # crf
    "webp": ((85, 1.0), (75, 0.7), (50, 0.5), (25, 0.35)),  # quality
}
_SCALES = (0.75, 0.5, 0.35, 0.25, 0.15)


@dataclass(frozen=True, slots=True)
class Rung:
    """One encode: size in pixels, every n-th frame, and the quality (colours, crf or WebP quality)."""

    width: int
    height: int
    every: int
    quality: int
    share: float  # expected bytes, as a share of the first rung's


@dataclass(frozen=True, slots=True)
class Picture:
    """A master as the ladder sees it."""

    width: int
    height: int
    frames: int
    crisp: bool


def rungs(picture: Picture, format: str) -> Iterator[Rung]:  # noqa: A002
    """All rungs from the best down; the last one is the smallest file we are willing to make."""
    width, height = _full_size(picture, format)
    if format == "webp" and picture.crisp:
        yield Rung(width, height, 1, LOSSLESS, 1.0)
    share, quality, every = 1.0, 0, 1
    for quality, share in _QUALITIES[format]:
        yield Rung(width, height, 1, quality, share)
    if picture.frames >= 4:
        share, every = share * 0.6, 2
        yield Rung(width, height, every, quality, share)
    for small in _smaller_sizes(picture, format):
        yield Rung(*small, every, quality, share * (small[0] / width) ** (1 if picture.crisp else 2))


def small(picture: Picture, *, labelled: bool) -> Rung:
    """The one encode for a wall of many clips. Crisp clips stay as small as they are (whoever shows them enlarges them
    without smoothing) unless a mark has to be legible in them."""
    long_side = max(picture.width, picture.height)
    if picture.crisp and long_side <= _TILE:
        factor = whole_factor(long_side) if labelled else 1
        return Rung(picture.width * factor, picture.height * factor, 1, LOSSLESS, 1.0)
    return Rung(*_fit(picture, min(1.0, _TILE / long_side), "webp"), 1, _TILE_QUALITY, 1.0)


def next_rung(ladder: list[Rung], tried: int, first_bytes: int, limit: int) -> int:
    """The index of the rung to try after `tried`, given the bytes of the first one; len(ladder) when none is left."""
    for index in range(tried + 1, len(ladder) - 1):
        if ladder[index].share * first_bytes <= limit * _HOPE:
            return index
    return len(ladder) - 1 if tried < len(ladder) - 1 else len(ladder)


def whole_factor(long_side: int) -> int:
    """How many times a small crisp clip is enlarged: 32 px -> 8, 64 -> 4, 100 -> 3; from 193 px on: 1."""
    factor = -(-_SMALL // long_side)
    return max(1, factor if factor * long_side <= _LARGE else factor - 1)


def _full_size(picture: Picture, format: str) -> tuple[int, int]:  # noqa: A002
    if not picture.crisp:
        return _fit(picture, 1.0, format)
    return _enlarged(picture, whole_factor(max(picture.width, picture.height)), format)


def _smaller_sizes(picture: Picture, format: str) -> list[tuple[int, int]]:  # noqa: A002
    """Sizes below the full one, largest first: whole factors while the pixels stay crisp, then shares of the master."""
    long_side = max(picture.width, picture.height)
    sizes = []
    if picture.crisp:
        sizes += [_enlarged(picture, factor, format) for factor in range(whole_factor(long_side) - 1, 0, -1)]
    sizes += [_fit(picture, scale, format) for scale in _SCALES if scale * long_side >= _SMALLEST]
    return [size for index, size in enumerate(sizes) if size not in sizes[:index]]


def _enlarged(picture: Picture, factor: int, format: str) -> tuple[int, int]:  # noqa: A002
    odd = picture.width * factor % 2 or picture.height * factor % 2
    if format == "mp4" and odd:  # yuv420p has one colour for 2 x 2 pixels
        factor += 1
    return picture.width * factor, picture.height * factor


def _fit(picture: Picture, scale: float, format: str) -> tuple[int, int]:  # noqa: A002
    step = 2 if format == "mp4" else 1
    width, height = (max(1, math.ceil(side * scale / step)) * step for side in (picture.width, picture.height))
    return width, height
