"""Says what a clip shows by its pixels alone: background, thing, motion. It never sees prompt, latents or weights.

* background: the nearest known backdrop by the frame's rim, where things seldom are (median over frames).
* thing: what differs from the backdrop, cropped and scaled to one size, against rendered sprites in several turns.
* motion: the path of centre and size against the stage's own curves; spinning by comparing turned sprites.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from generator.training.captions import World, catalogue
from generator.training.stage import COLOURS, MOTIONS, SPEEDS, TINTS, Stage, backdrop, curve, curves

PATCH = 16  # side of the normalised crop
TURNS = 16  # orientations a sprite is compared in
VISIBLE = 0.13  # largest channel difference (of 1) that still counts as backdrop


@dataclass(frozen=True)
class Seen:
    """What the oracle made out; an empty word where it made nothing out."""

    background: str
    thing: str
    motion: str


@dataclass(frozen=True)
class Track:
    """Where the thing is in every frame: centre (canvas units), log2 of its size, whether it is there, crops."""

    centre: Tensor  # (frames, 2)
    size: Tensor  # (frames,)
    there: Tensor  # (frames,) bool
    crops: Tensor  # (frames, 4, PATCH, PATCH): premultiplied colour and cover
    peak: Tensor  # (frames,) how much the clearest pixels differ from the backdrop, 0..1


class Oracle:
    """An oracle for one world and one clip size. `tints` are the colours tintable shapes are looked for in."""

    def __init__(self, world: World, size: int, frames: int) -> None:
        self.world, self.size, self.frames = world, size, frames
        self.backdrops = torch.stack([backdrop(name, size) for name in world.backgrounds])
        rim = torch.zeros(size, size, dtype=torch.bool)
        width = max(1, size // 16)
        rim[:width], rim[-width:], rim[:, :width], rim[:, -width:] = True, True, True, True
        self.rim = rim
        self.paths = _paths(world, frames)
        self.names, self.library = self._render_library()

    def look(self, film: Tensor) -> Seen:
        """What a clip (frames, 3, h, w) in -1..1 shows."""
        pixels = (film.float() + 1) / 2
        at = self._background(pixels)
        track = follow(pixels, self.backdrops[at])
        thing, upright, turned = self._thing(track, at)
        return Seen(self.world.backgrounds[at], thing, self._motion(track, upright, turned))

    def _background(self, pixels: Tensor) -> int:
        """Nearest backdrop; the better half of the rim counts, so that a thing that touches it does no harm."""
        steady = pixels.median(0).values[:, self.rim]
        away = (self.backdrops[:, :, self.rim] - steady).abs().amax(1)
        kept = away.sort(1).values[:, : away.shape[1] * 2 // 3]
        return int(kept.mean(1).argmin())

    def _render_library(self) -> tuple[list[str], list[Tensor]]:
        """Crops of every thing in every turn before every backdrop: per backdrop (things, TURNS, 4, PATCH, PATCH)."""
        looks = [
            (thing, tint) for thing in self.world.things for tint in (TINTS if catalogue()[thing].tintable else (None,))
        ]
        stage = Stage(self.world.things, self.world.backgrounds, self.size, 1)
        drawn = [_portraits(stage, thing, tint) for thing, tint in looks]
        library = []
        for behind in self.backdrops:
            shown = [behind * (1 - sprite[:, 3:]) + sprite[:, :3] for sprite in drawn]
            library.append(torch.stack([follow(picture, behind).crops for picture in shown]))
        return [thing for thing, _ in looks], library

    def _thing(self, track: Track, at: int) -> tuple[str, float, float]:
        """(name, distance when upright, distance when it spins); distances are means over the frames."""
        if not bool(track.there.any()):
            return "", 1.0, 1.0
        clear = track.there & (track.peak > 0.6 * track.peak.max())  # a thing that fades is judged while it shows
        crops = track.crops[clear]
        far = (self.library[at][:, :, None] - crops).abs().flatten(3).mean(3)  # (looks, TURNS, frames)
        upright = far[:, 0].mean(1)
        number = torch.arange(self.frames)[clear]
        spins = []
        for rounds in (0.5, 1.0):
            turn = (number * rounds * TURNS / self.frames).round().long() % TURNS
            spins.append(far[:, turn, torch.arange(len(number))].mean(1))
        turn = (curve("falling", "normal", self.frames)[number, 3] * TURNS).round().long()
        falls = far[:, turn, torch.arange(len(number))].mean(1)
        turned = torch.stack(spins).amin(0)
        best = torch.stack([upright, turned, falls]).amin(0)
        chosen = int(best.argmin())
        return self.names[chosen], float(upright[chosen]), float(turned[chosen])

    def _motion(self, track: Track, upright: float, turned: float) -> str:
        """The nearest curve, with fading and spinning decided by the crops."""
        if int(track.there.sum()) < max(2, self.frames // 2):
            return ""
        quarter = max(1, self.frames // 4)
        fades = float(track.peak[-quarter:].mean()) < 0.5 * float(track.peak[:quarter].mean())
        if "fading" in self.world.motions and fades:
            return "fading"
        best, name = float("inf"), ""
        for motion, path in self.paths:
            distance = _path_distance(track, path)
            if motion not in ("spinning", "fading") and distance < best:
                best, name = distance, motion
        if "spinning" in self.world.motions and name in ("still", "shaking") and turned < 0.93 * upright:
            return "spinning"
        return name


def _paths(world: World, frames: int) -> list[tuple[str, Tensor]]:
    """(motion, poses of shape (frames, 5)) of every motion at every speed."""
    table = curves(MOTIONS, frames)
    return [(motion, table[MOTIONS.index(motion), speed]) for motion in world.motions for speed in range(len(SPEEDS))]


def _path_distance(track: Track, path: Tensor) -> float:
    """How far a track is from a curve: both without their mean, only frames where the thing was seen."""
    there = track.there
    centre = track.centre[there] - track.centre[there].mean(0)
    wanted = path[there, :2] - path[there, :2].mean(0)
    size = track.size[there] - track.size[there].mean()
    wanted_size = path[there, 2] - path[there, 2].mean()
    return float(((centre - wanted) ** 2).sum(1).mean() + 0.25 * ((size - wanted_size) ** 2).mean())


def follow(pixels: Tensor, behind: Tensor) -> Track:
    """Tracks what differs from the backdrop. pixels (frames, 3, h, w), behind (3, h, w), both in 0..1."""
    differs = (pixels - behind).abs().amax(1)
    cover = (differs - VISIBLE).clamp(min=0, max=0.12) / 0.12
    cover = cover * _largest(cover)
    frames, height, width = cover.shape
    mass = cover.flatten(1).sum(1)
    there = mass > 0.006 * height * width
    rows = torch.linspace(-1 + 1 / height, 1 - 1 / height, height)
    columns = torch.linspace(-1 + 1 / width, 1 - 1 / width, width)
    safe = mass.clamp(min=1e-6)
    x = (cover.sum(1) * columns).sum(1) / safe
    y = (cover.sum(2) * rows).sum(1) / safe
    crops = torch.stack([_crop(pixels[at], cover[at]) for at in range(frames)])
    peak = differs.flatten(1).quantile(0.985, dim=1)
    return Track(torch.stack([x, y], 1), 0.5 * torch.log2(safe), there, crops, peak)


def _largest(cover: Tensor) -> Tensor:
    """Keeps specks out: cover that has enough cover around it."""
    around = functional.avg_pool2d(cover[:, None], 5, stride=1, padding=2)[:, 0]
    return (around > 0.22).float()


def _crop(picture: Tensor, cover: Tensor) -> Tensor:
    """The covered square of one frame scaled to PATCH x PATCH: colour times cover, and cover."""
    ys, xs = (cover > 0.3).nonzero(as_tuple=True)
    if not len(ys):
        return torch.zeros(4, PATCH, PATCH)
    top, bottom, left, right = int(ys.min()), int(ys.max()) + 1, int(xs.min()), int(xs.max()) + 1
    side = max(bottom - top, right - left)
    padded = functional.pad(torch.cat([picture * cover, cover[None]]), (side, side, side, side))
    row, column = (top + bottom - side) // 2 + side, (left + right - side) // 2 + side
    square = padded[:, row : row + side, column : column + side]
    return functional.interpolate(square[None], (PATCH, PATCH), mode="area" if side > PATCH else "bilinear")[0]


def _portraits(stage: Stage, thing: str, tint: str | None) -> Tensor:
    """One thing in the middle of the canvas in TURNS turns, premultiplied RGBA (TURNS, 4, h, w)."""
    sprite = stage.sprites[stage.things[thing]]
    if tint:
        sprite = sprite * torch.tensor([*COLOURS[tint], 1.0])[:, None, None]
    angle = torch.arange(TURNS) / TURNS * 2 * torch.pi
    cos, sin, zero = torch.cos(angle) * 2, torch.sin(angle) * 2, torch.zeros(TURNS)
    theta = torch.stack([torch.stack([cos, sin, zero], 1), torch.stack([-sin, cos, zero], 1)], 1)
    grid = functional.affine_grid(theta, [TURNS, 4, stage.size * 2, stage.size * 2], align_corners=False)
    turned = functional.grid_sample(sprite.expand(TURNS, -1, -1, -1), grid, align_corners=False)
    return functional.avg_pool2d(turned, 2)
