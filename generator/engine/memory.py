"""How much memory a clip will take, and whether the device has it: refused with a sentence instead of dying.

The factors come from peaks of the true ModelScope configuration with fused attention: a row's activations peak at 33.3
times the first feature map of the UNet (within 1 % for 16 frames of 256x256, 24 of 576x320 and of 1024x576), decoding a
frame at 6 times the last feature map of the decoder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import torch

from generator.errors import DoesNotFit
from generator.model_folder import Weights, count_values

ROW_FACTOR = 33.3
DECODE_FACTOR = 6.0
MARGIN = 1.1  # allocators waste a little
_GIB = 1 << 30
_CGROUP = Path("/sys/fs/cgroup")
_CGROUP_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes")


@dataclass(frozen=True)
class Footprint:
    """What one model takes: bytes of weights, and what its sizes cost. Widths are channels."""

    weights: int
    unet_width: int
    vae_width: int
    factor: int  # pixels of one latent's side
    itemsize: int

    def row(self, frames: int, width: int, height: int) -> int:
        """Activations of one row of a forward pass (a clip with guidance has two), in bytes."""
        latents = frames * (width // self.factor) * (height // self.factor)
        return int(ROW_FACTOR * latents * self.unet_width * self.itemsize)

    def decode(self, frames: int, width: int, height: int) -> int:
        """Decoding `frames` frames at once, and keeping them as float32 pixels."""
        return int(DECODE_FACTOR * frames * width * height * self.vae_width * self.itemsize)

    def clip(self, *, rows: int, frames: int, width: int, height: int, chunk: int) -> int:
        """Peak of a whole clip on top of the weights: its rows or its decoding, whichever is more."""
        steps = rows * self.row(frames, width, height)
        return max(steps, self.decode(min(chunk, frames), width, height))


def footprint(unet: Sequence[int], vae: Sequence[int], weights: Iterable[Weights], dtype: torch.dtype) -> Footprint:
    """The footprint of a model from the widths of its UNet and decoder and the headers of its weight files."""
    itemsize = dtype.itemsize
    return Footprint(
        weights=sum(_weight_bytes(one, itemsize) for one in weights),
        unet_width=unet[0],
        vae_width=vae[0],
        factor=2 ** (len(vae) - 1),
        itemsize=itemsize,
    )


def _weight_bytes(weights: Weights, itemsize: int) -> int:
    """Bytes in the number format they will have; a pickle's is not known before it is read, so its size stands."""
    if weights.pickled:
        return sum(file.stat().st_size for file in weights.files)
    return sum(count_values(file) for file in weights.files) * itemsize


def free_bytes(device: torch.device) -> int:
    """What the device could still give."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + cached)
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return min([int(psutil.virtual_memory().available), *_container_room()])


def _container_room() -> list[int]:
    """What a container's limit leaves, in a list; empty where there is no limit (cgroup v2, then v1)."""
    for folder, limit, used in (("", "memory.max", "memory.current"), ("memory", *_CGROUP_V1)):
        try:
            place = _CGROUP / folder
            room = int((place / limit).read_text()) - int((place / used).read_text())
            return [max(0, room + _reclaimable((place / "memory.stat").read_text()))]
        except (OSError, ValueError):  # "max" is no number: no limit
            continue
    return []


def _reclaimable(stat: str) -> int:
    """Bytes of files that the kernel counts as used and would drop at once."""
    rows = dict(line.split() for line in stat.splitlines())
    return int(rows.get("total_inactive_file", rows.get("inactive_file", "0")))


def fits(need: int, have: int) -> bool:
    """Whether `need` bytes and a margin fit into `have`."""
    return need * MARGIN <= have


def check_fits(what: str, need: int, have: int, device: torch.device) -> None:
    """Raise DoesNotFit with a sentence unless `need` bytes (and a margin) fit into `have`."""
    if not fits(need, have):
        wanted, there = need * MARGIN / _GIB, have / _GIB
        raise DoesNotFit(
            f"{what} needs about {wanted:.1f} GiB of memory and {device} has {there:.1f} GiB free; ask for a smaller "
            f"size or fewer frames, or choose a smaller model."
        )


def release(device: torch.device) -> None:
    """Give cached memory back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on whichever device."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    told = str(error)
    return isinstance(error, RuntimeError) and ("can't allocate memory" in told or "MPS backend out of memory" in told)
