"""The stage: draws training clips as tensors, whole batches at a time, on any device.

A `Take` says what a clip shows; `Stage.shoot` turns takes into video. Every motion is a fixed curve in a table,
so drawing is table lookups and one affine `grid_sample` a layer, and the oracle can compare with the same curves.
Space runs from -1 to 1 over the canvas, y downwards; time from the first frame to the last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from generator.training.atlas import sprites

COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.90, 0.12, 0.14),
    "orange": (1.00, 0.55, 0.05),
    "yellow": (1.00, 0.88, 0.15),
    "green": (0.12, 0.65, 0.22),
    "blue": (0.12, 0.35, 0.90),
    "purple": (0.52, 0.18, 0.72),
    "pink": (1.00, 0.60, 0.78),
    "white": (0.97, 0.97, 0.97),
    "black": (0.04, 0.04, 0.05),
    "grey": (0.52, 0.53, 0.55),
    "brown": (0.45, 0.27, 0.12),
    "cyan": (0.20, 0.85, 0.90),
}
SCENES = ("grass", "sea", "space", "city", "snow", "night", "desert")
TINTS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white")
MOTIONS = (
    "still",
    "left",
    "right",
    "up",
    "down",
    "bouncing",
    "spinning",
    "growing",
    "shrinking",
    "shaking",
    "circling",
    "falling",
    "fading",
)
SPEEDS = {"slow": 0.55, "normal": 1.0, "fast": 1.45}
SIZES = {"small": 0.36, "normal": 0.5, "big": 0.66}  # width as a share of the canvas
LAYERS = 3  # sprites a clip can hold


@dataclass(frozen=True)
class Actor:
    """One thing in a clip, with everything a caption can say about it."""

    thing: str
    motion: str
    tint: str | None = None
    size: str = "normal"
    speed: str = "normal"
    count: int = 1


@dataclass(frozen=True)
class Take:
    """What one clip shows: one or two actors before a background; `company` says how two belong together."""

    actors: tuple[Actor, ...]
    background: str
    company: str = "alone"  # alone, beside, riding, meeting, passing


def curve(motion: str, speed: str, frames: int) -> Tensor:
    """Poses of one motion, shape (frames, 5): x, y (canvas units), log2 size, turns, opacity."""
    pace = SPEEDS[speed]
    time = torch.linspace(0, 1, frames) if frames > 1 else torch.full((1,), 0.5)
    cycle = torch.arange(frames) / frames
    pose = torch.zeros(frames, 5)
    pose[:, 4] = 1
    x, y, size, turns, opacity = pose.unbind(1)
    way = 0.95 * pace * (time - 0.5)
    if motion in ("left", "right"):
        x += way if motion == "right" else -way
    elif motion in ("up", "down"):
        y += way if motion == "down" else -way
    elif motion == "bouncing":
        y += 0.3 - 0.72 * torch.sin(math.pi * cycle * _beats(pace)).abs()
    elif motion == "spinning":
        turns += cycle * (0.5 if pace < 1 else 1.0)
    elif motion in ("growing", "shrinking"):
        ramp = (time - 0.55) * 1.9 * min(pace, 1.15)
        size += ramp if motion == "growing" else ramp.flip(0)
    elif motion == "shaking":
        x += 0.16 * pace * (1 - 2 * (torch.arange(frames) // max(1, frames // 8) % 2))
    elif motion == "circling":
        angle = 2 * math.pi * cycle * (0.5 if pace < 1 else 1.0)
        x += 0.42 * torch.sin(angle)
        y -= 0.42 * torch.cos(angle)
    elif motion == "falling":
        y += -1.35 + 1.7 * (time / 0.7).clamp(max=1) ** 2
        turns += 0.25 * (time / 0.7).clamp(max=1)
    elif motion == "fading":
        opacity -= 0.92 * time
    return pose


def _beats(pace: float) -> float:
    """Half waves of a bounce in one clip; whole numbers, so that clips loop."""
    return 1.0 if pace < 1 else (2.0 if pace == 1 else 3.0)


def curves(motions: tuple[str, ...], frames: int) -> Tensor:
    """Every motion at every speed, shape (motions, speeds, frames, 5)."""
    return torch.stack([torch.stack([curve(m, s, frames) for s in SPEEDS]) for m in motions])


def backdrop(name: str, size: int) -> Tensor:
    """The picture of a background, shape (3, size, size) in 0..1. Scenes are the same picture every time."""
    if name in COLOURS:
        return torch.tensor(COLOURS[name])[:, None, None].expand(3, size, size).clone()
    scale = 4
    side = size * scale
    y = torch.linspace(0, 1, side)[:, None].expand(side, side)
    x = torch.linspace(0, 1, side)[None, :].expand(side, side)
    picture = _SCENES[name](x, y)
    return torch.nn.functional.avg_pool2d(picture[None], scale)[0].clamp(0, 1)


def _mix(low: tuple[float, float, float], high: tuple[float, float, float], share: Tensor) -> Tensor:
    """Blend of two colours by `share` in 0..1, shape (3, h, w)."""
    a, b = torch.tensor(low)[:, None, None], torch.tensor(high)[:, None, None]
    return a + (b - a) * share.clamp(0, 1)


def _put(picture: Tensor, colour: tuple[float, float, float], where: Tensor) -> Tensor:
    """`picture` with `colour` where the mask says."""
    return torch.where(where, torch.tensor(colour)[:, None, None], picture)


def _grass(x: Tensor, y: Tensor) -> Tensor:
    sky = _mix((0.35, 0.68, 0.98), (0.78, 0.92, 1.0), y / 0.66)
    hill = 0.66 + 0.035 * torch.sin(x * 9)
    return torch.where(y > hill, _mix((0.42, 0.78, 0.25), (0.22, 0.55, 0.14), (y - 0.66) / 0.34), sky)


def _sea(x: Tensor, y: Tensor) -> Tensor:
    water = _mix((0.10, 0.62, 0.72), (0.02, 0.20, 0.42), y)
    wave = 0.10 + 0.035 * torch.sin(x * 19)
    weed = y > 0.86 + 0.06 * torch.sin(x * 31)
    return _put(_put(water, (0.80, 0.95, 1.0), y < wave), (0.86, 0.76, 0.50), weed)


def _stars(x: Tensor, y: Tensor, count: int, seed: int) -> Tensor:
    spots = torch.rand(count, 3, generator=torch.Generator().manual_seed(seed))
    far = (x[None] - spots[:, 0, None, None]) ** 2 + (y[None] - spots[:, 1, None, None]) ** 2
    return (far < (0.012 + 0.010 * spots[:, 2, None, None]) ** 2).any(0)


def _space(x: Tensor, y: Tensor) -> Tensor:
    sky = _mix((0.03, 0.02, 0.12), (0.16, 0.06, 0.28), y)
    sky = _put(sky, (1.0, 1.0, 0.92), _stars(x, y, 16, 5))
    return _put(sky, (0.75, 0.45, 0.30), (x - 0.97) ** 2 + (y - 0.98) ** 2 < 0.2**2)


def _night(x: Tensor, y: Tensor) -> Tensor:
    sky = _mix((0.02, 0.06, 0.25), (0.10, 0.20, 0.45), y)
    sky = _put(sky, (1.0, 0.98, 0.8), _stars(x, y * 1.5, 14, 9))
    return _put(sky, (0.02, 0.08, 0.06), y > 0.84 + 0.03 * torch.sin(x * 12))


def _city(x: Tensor, y: Tensor) -> Tensor:
    sky = _mix((0.98, 0.72, 0.45), (0.99, 0.88, 0.70), y)
    tops = torch.tensor([0.42, 0.20, 0.50, 0.32, 0.56, 0.12, 0.40, 0.26])
    tower = (x * 8).long().clamp(max=7)
    wall = y > tops[tower]
    window = ((x * 8 % 1 - 0.5).abs() < 0.25) & ((y * 8 % 1) < 0.5) & wall & (y < 0.84)
    picture = _put(_put(sky, (0.36, 0.38, 0.50), wall), (0.95, 0.85, 0.55), window)
    return _put(picture, (0.25, 0.25, 0.27), y > 0.86)


def _snow(x: Tensor, y: Tensor) -> Tensor:
    sky = _mix((0.60, 0.70, 0.82), (0.80, 0.86, 0.93), y / 0.7)
    flakes = _stars(x, y, 22, 3)
    ground = y > 0.72 + 0.04 * torch.sin(x * 7 + 1)
    return _put(_put(sky, (1.0, 1.0, 1.0), flakes), (0.97, 0.98, 1.0), ground)


def _desert(x: Tensor, y: Tensor) -> Tensor:
    sky = _mix((0.99, 0.80, 0.50), (1.0, 0.93, 0.75), y / 0.6)
    dune = 0.62 + 0.07 * torch.sin(x * 6)
    return torch.where(y > dune, _mix((0.88, 0.62, 0.28), (0.72, 0.45, 0.18), (y - 0.6) / 0.4), sky)


_SCENES = {
    "grass": _grass,
    "sea": _sea,
    "space": _space,
    "night": _night,
    "city": _city,
    "snow": _snow,
    "desert": _desert,
}


@dataclass(frozen=True)
class _Layers:
    """The sprites of a batch, flat. clip and layer say where each belongs; pose has shape (sprites, frames, 5)."""

    clip: Tensor
    layer: Tensor
    thing: Tensor
    tint: Tensor
    width: Tensor
    pose: Tensor


class Stage:
    """Everything needed to draw, on one device: sprites, backgrounds and motion curves as tables."""

    def __init__(
        self,
        things: tuple[str, ...],
        backgrounds: tuple[str, ...],
        size: int,
        frames: int,
        device: torch.device | str = "cpu",
    ) -> None:
        self.size, self.frames, self.device = size, frames, torch.device(device)
        self.things = {name: at for at, name in enumerate(things)}
        self.backgrounds = {name: at for at, name in enumerate(backgrounds)}
        self.sprites = sprites(things, min(72, size * 3 // 4)).to(self.device)
        self.backdrops = torch.stack([backdrop(name, size) for name in backgrounds]).to(self.device)
        self.curves = curves(MOTIONS, frames)

    def shoot(self, takes: list[Take], rng: torch.Generator) -> Tensor:
        """Clips of the takes in -1..1, shape (takes, frames, 3, size, size). `rng` (a CPU generator) sets places."""
        layers = self._layers(takes, rng)
        at = torch.tensor([self.backgrounds[take.background] for take in takes], device=self.device)
        film = self.backdrops[at][:, None].expand(-1, self.frames, -1, -1, -1).clone()
        for layer in range(LAYERS):
            here = (layers.layer == layer).nonzero().squeeze(1)
            if len(here):
                film = self._paint(film, layers, here)
        return film * 2 - 1

    def _layers(self, takes: list[Take], rng: torch.Generator) -> _Layers:
        rows = [
            (clip, layer, actor, shift)
            for clip, take in enumerate(takes)
            for layer, (actor, shift) in enumerate(_cast(take))
        ]
        number = {motion: at for at, motion in enumerate(MOTIONS)}
        pace = {speed: at for at, speed in enumerate(SPEEDS)}
        pose = torch.stack([self.curves[number[a.motion], pace[a.speed]] for _, _, a, _ in rows]).clone()
        crowd = torch.tensor([_crowd(takes[clip]) for clip, _, _, _ in rows])
        width = torch.tensor([SIZES[a.size] for _, _, a, _ in rows]) * crowd
        clip = torch.tensor([row[0] for row in rows])
        anchors = torch.rand(len(takes), 2, generator=rng)[clip]
        pose[:, :, :2] *= torch.where(crowd < 1, 0.8, 1.0)[:, None, None]
        shifts = torch.tensor([shift for _, _, _, shift in rows])
        pose[:, :, :2] += self._anchor(pose, width, anchors, shifts, [takes[i] for i in clip.tolist()])
        tints = [COLOURS[a.tint] if a.tint else (1.0, 1.0, 1.0) for _, _, a, _ in rows]
        return _Layers(
            clip.to(self.device),
            torch.tensor([row[1] for row in rows]).to(self.device),
            torch.tensor([self.things[a.thing] for _, _, a, _ in rows]).to(self.device),
            torch.tensor(tints).to(self.device),
            width.to(self.device),
            pose.to(self.device),
        )

    def _anchor(self, pose: Tensor, width: Tensor, chance: Tensor, shifts: Tensor, takes: list[Take]) -> Tensor:
        """Where each sprite starts from: by chance, but so that the whole path stays in view where it can."""
        half = width[:, None] * 2.0 ** pose[:, :, 2].amax(1, keepdim=True)
        low = -1 + 0.94 * half - pose[:, :, :2].amin(1)
        high = 1 - 0.94 * half - pose[:, :, :2].amax(1)
        middle, room = (low + high) / 2, ((high - low) / 2).clamp(min=0)
        free = torch.tensor([[float(t.company == "alone" and t.actors[0].count == 1)] for t in takes])
        kept = torch.tensor([[float(t.actors[0].motion in ("bouncing", "falling"))] for t in takes])
        weight = torch.cat([torch.ones_like(kept), 1 - kept], 1)  # the ground stays where it is
        spot = middle + room * (chance * 2 - 1) * free * 0.8
        spot = torch.where(weight > 0, spot, torch.tensor(0.2) * torch.ones_like(spot))
        return (spot + shifts)[:, None]

    def _paint(self, film: Tensor, layers: _Layers, here: Tensor) -> Tensor:
        """`film` with one more sprite in every clip of `here`, composed at twice the resolution."""
        pose, width = layers.pose[here], layers.width[here]
        half = (width[:, None] * 2.0 ** pose[:, :, 2]).flatten()
        angle = (2 * math.pi * pose[:, :, 3]).flatten()
        x, y = pose[:, :, 0].flatten(), pose[:, :, 1].flatten()
        cos, sin = torch.cos(angle) / half, torch.sin(angle) / half
        theta = torch.stack(
            [torch.stack([cos, sin, -(cos * x + sin * y)], 1), torch.stack([-sin, cos, -(cos * y - sin * x)], 1)], 1
        )
        paint = (
            self.sprites[layers.thing[here]]
            * torch.cat([layers.tint[here], torch.ones_like(layers.tint[here][:, :1])], 1)[:, :, None, None]
        )
        paint = paint.repeat_interleave(self.frames, 0)
        grid = torch.nn.functional.affine_grid(
            theta, [len(theta), 4, self.size * 2, self.size * 2], align_corners=False
        )
        drawn = torch.nn.functional.avg_pool2d(torch.nn.functional.grid_sample(paint, grid, align_corners=False), 2)
        drawn = drawn * pose[:, :, 4].flatten()[:, None, None, None]
        drawn = drawn.view(len(here), self.frames, 4, self.size, self.size)
        clips = layers.clip[here]
        film[clips] = film[clips] * (1 - drawn[:, :, 3:]) + drawn[:, :, :3]
        return film


def _crowd(take: Take) -> float:
    """How much smaller sprites are when there are several."""
    total = sum(actor.count for actor in take.actors)
    return 1.0 if total == 1 else (0.82 if total == 2 else 0.66)


def _cast(take: Take) -> list[tuple[Actor, tuple[float, float]]]:
    """The sprites of a take with their shift from the anchor, back to front."""
    if take.company == "alone":
        actor = take.actors[0]
        spread = {1: (0.0,), 2: (-0.45, 0.45), 3: (-0.62, 0.0, 0.62)}[actor.count]
        return [(actor, (shift, 0.0)) for shift in spread]
    shifts = {
        "beside": ((-0.45, 0.0), (0.45, 0.0)),
        "riding": ((0.0, -0.34), (0.0, 0.24)),
        "meeting": ((-0.5, 0.0), (0.5, 0.0)),
        "passing": ((0.0, -0.4), (0.0, 0.4)),
    }[take.company]
    pairs = list(zip(take.actors, shifts, strict=True))
    return pairs[::-1] if take.company == "riding" else pairs
