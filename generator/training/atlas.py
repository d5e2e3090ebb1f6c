"""The sprite atlas: one picture with every thing a training clip can show, and the words people use for them.

`python -m generator.training.atlas` draws `atlas/atlas.png` from Noto Color Emoji (SIL OFL 1.1) and from own
shapes; training reads the picture alone and needs no font.
"""

from __future__ import annotations

import argparse
import math
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

HERE = Path(__file__).parent / "atlas"
CELL = 72  # pixels; the strike of the font is 136 x 128
COLUMNS = 10
STRIKE = 109  # the one bitmap size NotoColorEmoji.ttf holds


@dataclass(frozen=True)
class Thing:
    """One thing: `words` are its names (the first is used plainly), `colour` the background it would vanish on."""

    name: str
    words: tuple[str, ...]
    colour: str
    glyph: str | None = None
    mask: str | None = None
    turns: bool = True

    @property
    def tintable(self) -> bool:
        """Whether a colour word changes it (own shapes only)."""
        return self.mask is not None


@lru_cache(maxsize=1)
def things() -> tuple[Thing, ...]:
    """Every thing of the atlas in the order of its cells."""
    rows = tomllib.loads((HERE / "things.toml").read_text(encoding="utf-8"))["thing"]
    return tuple(Thing(**{**row, "words": tuple(row["words"])}) for row in rows)


def sprites(names: tuple[str, ...], size: int) -> Tensor:
    """Sprites of the named things, premultiplied RGBA in 0..1, shape (things, 4, size, size), made smaller by area."""
    sheet = Image.open(HERE / "atlas.png").convert("RGBA")
    place = {thing.name: at for at, thing in enumerate(things())}
    cells = []
    for name in names:
        column, row = place[name] % COLUMNS, place[name] // COLUMNS
        cell = sheet.crop((column * CELL, row * CELL, (column + 1) * CELL, (row + 1) * CELL))
        rgba = torch.from_numpy(np.asarray(cell, dtype=np.float32) / 255).permute(2, 0, 1)
        cells.append(torch.cat([rgba[:3] * rgba[3:], rgba[3:]]))
    return torch.nn.functional.interpolate(torch.stack(cells), (size, size), mode="area")


def _outline(mask: str, size: float) -> list[tuple[float, float]]:
    """Corner points of an own shape inside a square of `size` pixels."""
    half = size / 2
    if mask == "heart":
        turn = [step * math.tau / 96 for step in range(96)]
        curve = [
            (16 * math.sin(a) ** 3, 13 * math.cos(a) - 5 * math.cos(2 * a) - 2 * math.cos(3 * a) - math.cos(4 * a))
            for a in turn
        ]
        return [(half + x * half / 17.5, half - (y + 2.5) * half / 17.5) for x, y in curve]
    if mask == "star":
        points = [(half * (0.96 if k % 2 == 0 else 0.42), k * math.pi / 5) for k in range(10)]
        return [(half + r * math.sin(a), half * 1.05 - r * math.cos(a)) for r, a in points]
    corners = {"circle": 64, "square": 4, "diamond": 4, "triangle": 3}[mask]
    radius = {"circle": 0.86, "square": 1.12, "diamond": 0.95, "triangle": 1.02}[mask] * half
    start = math.pi / 4 if mask == "square" else 0.0
    middle = half * (1.18 if mask == "triangle" else 1.0)
    around = [start + k * math.tau / corners for k in range(corners)]
    return [(half + radius * math.sin(a), middle - radius * math.cos(a)) for a in around]


def _draw_mask(mask: str) -> Image.Image:
    """A white shape with soft edges, four times oversampled."""
    big = Image.new("RGBA", (CELL * 4, CELL * 4), (255, 255, 255, 0))
    ImageDraw.Draw(big).polygon(_outline(mask, CELL * 4), fill=(255, 255, 255, 255))
    return big.resize((CELL, CELL), Image.Resampling.BOX)


def _draw_glyph(glyph: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    """One emoji, cropped to what is drawn and fitted into a cell."""
    canvas = Image.new("RGBA", (160, 160), (0, 0, 0, 0))
    ImageDraw.Draw(canvas).text((8, 8), glyph, font=font, embedded_color=True)
    drawn = canvas.crop(canvas.getbbox())
    fit = (CELL - 2) / max(drawn.size)
    small = drawn.resize((round(drawn.width * fit), round(drawn.height * fit)), Image.Resampling.LANCZOS)
    cell = Image.new("RGBA", (CELL, CELL), (0, 0, 0, 0))
    cell.paste(small, ((CELL - small.width) // 2, (CELL - small.height) // 2))
    return cell


def draw(font_path: Path) -> Image.Image:
    """The whole atlas, drawn from the font and the own shapes."""
    font = ImageFont.truetype(str(font_path), STRIKE)
    rows = -(-len(things()) // COLUMNS)
    sheet = Image.new("RGBA", (COLUMNS * CELL, rows * CELL), (0, 0, 0, 0))
    for at, thing in enumerate(things()):
        cell = _draw_mask(thing.mask) if thing.mask else _draw_glyph(str(thing.glyph), font)
        sheet.paste(cell, (at % COLUMNS * CELL, at // COLUMNS * CELL))
    return sheet


def main() -> None:
    """Draw the atlas anew."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--font", type=Path, default=Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"))
    draw(parser.parse_args().font).save(HERE / "atlas.png", optimize=True)


if __name__ == "__main__":
    main()
