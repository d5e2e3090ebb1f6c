"""What an engine would find on this machine, as one JSON object."""

from __future__ import annotations

import subprocess
from typing import Any

import torch
from imageio_ffmpeg import get_ffmpeg_exe

from generator.engine.device import DeviceUnavailable, choose_device, choose_dtype, device_name, usable_cores
from generator.engine.memory import free_bytes


def examine(wanted: str) -> dict[str, Any]:
    """Device, memory, versions and whether ffmpeg can make masters. `problem` is a sentence, or empty."""
    found: dict[str, Any] = {"torch": torch.__version__, "cores": usable_cores(), "ffmpeg": ffmpeg_works()}
    try:
        device = choose_device(wanted)
    except DeviceUnavailable as error:
        return found | {"device": wanted, "problem": str(error)}
    problem = "" if found["ffmpeg"] else "ffmpeg does not run or lacks libx264rgb; reinstall imageio-ffmpeg."
    return found | {
        "device": str(device),
        "device_name": device_name(device),
        "memory_bytes": free_bytes(device),
        "dtype": str(choose_dtype(device, "auto")).removeprefix("torch."),
        "problem": problem,
    }


def ffmpeg_works() -> bool:
    """Whether the ffmpeg that imageio brings runs and has the encoder of masters."""
    try:
        told = subprocess.run([get_ffmpeg_exe(), "-hide_banner", "-encoders"], capture_output=True, timeout=30)  # noqa: S603
    except (OSError, RuntimeError, subprocess.TimeoutExpired):
        return False
    return b"libx264rgb" in told.stdout
