"""Which device, which number format, how many threads."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

from generator.errors import GeneratorError

_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class DeviceUnavailable(GeneratorError):
    """The device of the configuration is not there."""


def choose_device(wanted: str) -> torch.device:
    """The device for `auto`, `cpu`, `cuda`, `cuda:1` or `mps`. Raises DeviceUnavailable with a sentence."""
    if wanted == "auto":
        return torch.device(_best())
    try:
        device = torch.device(wanted)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise DeviceUnavailable(f"There is no kind of device called {wanted}; use auto, cpu, cuda, cuda:1 or mps.")
    if not _is_there(device):
        raise DeviceUnavailable(f"PyTorch finds no device {wanted} on this machine; set generator.device to auto.")
    return device


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _is_there(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    return device.type == "cpu" or torch.backends.mps.is_available()


def device_name(device: torch.device) -> str:
    """What the maker calls it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return cpu_model() or platform.machine() if device.type == "cpu" else "Apple GPU"


def choose_dtype(device: torch.device, wanted: str) -> torch.dtype:
    """The number format of the weights: what was asked for, or what the device computes fast without harm."""
    if wanted != "auto":
        return _DTYPES[wanted]
    if device.type == "cpu":
        return torch.float32
    return torch.bfloat16 if device.type == "cuda" and _has_bfloat16(device) else torch.float16


def _has_bfloat16(device: torch.device) -> bool:
    with torch.cuda.device(device):  # or the first card would be asked, whichever is meant
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def settle(threads: int) -> None:
    """Fix everything that would make two runs of one seed differ; 0 threads: as many as this process may use."""
    torch.set_num_threads(threads or usable_cores())
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


def usable_cores() -> int:
    """Cores this process may run on (a container may lend fewer than the machine has)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_model() -> str:
    """The processor's name on Linux, or an empty string."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
