"""What a clip will look like, shown while it is made: the estimate of the clean latents as a small animated WebP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

Frames = NDArray[np.uint8]  # (frames, height, width, 3), RGB

# Stable Diffusion's latents to RGB, linear (the factors ComfyUI publishes for SD 1.x); ModelScope shares that space.
_RGB = torch.tensor(
    [[0.3512, 0.2297, 0.3227], [0.3250, 0.4974, 0.2350], [-0.2829, 0.1762, 0.2721], [-0.2120, -0.2616, -0.7177]]
)
SD_SCALING = 0.18215
_XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    b'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" Iptc4xmpExt:DigitalSourceType='
    b'"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/></rdf:RDF></x:xmpmeta>'
    b'<?xpacket end="r"?>'
)


def is_sd_space(channels: int, scaling: float) -> bool:
    """Whether latents are those of Stable Diffusion's autoencoder."""
    return channels == _RGB.shape[0] and abs(scaling - SD_SCALING) < 1e-4


def latents_to_rgb(latents: Tensor) -> Frames:
    """(1, 4, f, h, w) scaled latents of Stable Diffusion's space -> (f, h, w, 3): one pixel a latent."""
    pixels = torch.einsum("cfhw,cr->fhwr", latents[0].float(), _RGB.to(latents.device))
    return to_uint8(pixels.clamp(-1, 1).add(1).div(2))


def to_uint8(pixels: Tensor) -> Frames:
    """Pixels in 0..1 of any shape, rounded (not truncated) to bytes."""
    found: Frames = pixels.mul(255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
    return found


class Pace:
    """When a preview is due: not more often than every `every` seconds, and all together at most `share` of the time.

    `clock` gives seconds that only grow. The cost of the next preview is taken to be that of the last one.
    """

    def __init__(self, clock: Callable[[], float], every: float = 1.0, share: float = 0.1) -> None:
        self._clock = clock
        self._every = every
        self._share = share
        self._began = self._last = clock()
        self._spent = self._cost = 0.0

    def due(self) -> bool:
        now = self._clock()
        worked = now - self._began - self._spent
        return now - self._last >= self._every and self._spent + self._cost <= self._share * worked

    def spent(self, since: float) -> None:
        """A preview was made between `since` and now."""
        self._last = self._clock()
        self._cost = self._last - since
        self._spent += self._cost


def write_preview(frames: Frames, path: Path, fps: float, size: tuple[int, int], *, crisp: bool) -> None:
    """Replace `path` by an animated WebP of `size` (width, height) in one go. Raises OSError."""
    smooth = Image.Resampling.NEAREST if crisp else Image.Resampling.BILINEAR
    pictures = [Image.fromarray(frame).resize(size, smooth) for frame in frames]
    temp = path.with_name(f"{path.name}.part")
    try:
        pictures[0].save(
            temp,
            format="WEBP",
            save_all=True,
            append_images=pictures[1:],
            duration=round(1000 / fps),
            loop=0,
            quality=70,
            method=0,
            xmp=_XMP,
        )
        temp.replace(path)
    finally:
        temp.unlink(missing_ok=True)
