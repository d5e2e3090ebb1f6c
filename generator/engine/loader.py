"""Weights from disk: the five parts of a model folder, each by its subfolder and by a class we name ourselves.

Stock `from_pretrained` on the whole folder would refuse (or import) modules that model_index.json names; we never look
at them. Files are checked before they are handed on, so that every failure is one sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, UNet3DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from generator.catalogue import Entry
from generator.engine.hub import fetch
from generator.errors import ModelUnusable
from generator.model_folder import WEIGHED_PARTS, Weights, check_kind, check_whole, find_weights, read_json

_CLASSES = {"unet": UNet3DConditionModel, "vae": AutoencoderKL, "text_encoder": CLIPTextModel}


@dataclass(frozen=True)
class Parts:
    """A loaded model in eval mode; `schedule` is the configuration of its own noise scheduler."""

    unet: Any
    vae: Any
    text_encoder: Any
    tokenizer: Any
    schedule: dict[str, Any]


def quiet_libraries() -> None:
    """No progress bars and no advice from the libraries; errors still speak."""
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def find_folder(entry: Entry, dtype: torch.dtype, tick: Callable[[], None] = lambda: None) -> Path:
    """The entry's folder, downloaded first if it only lies on the hub, with whole weights of the right kind.

    Raises ModelUnusable, or RenderFailed when the hub can't be reached.
    """
    folder = entry.folder
    if folder is None:
        if Path(entry.path).is_absolute():  # the catalogue saw it, so it is no hub id
            raise ModelUnusable(
                f"The folder {entry.path} of model {entry.name} is gone; put it back or correct "
                f"generator.models.{entry.name}.path."
            )
        half = dtype != torch.float32
        folder = fetch(entry.name, entry.path, allow_pickle=entry.allow_pickle, half=half, tick=tick)
    check_kind(entry.name, folder)
    for part in WEIGHED_PARTS:
        weights = find_weights(entry.name, folder, part, allow_pickle=entry.allow_pickle)
        for file in () if weights.pickled else weights.files:
            check_whole(entry.name, file)
    return folder


def load_parts(entry: Entry, folder: Path, device: torch.device, dtype: torch.dtype) -> Parts:
    """Read all parts of a folder that `find_folder` approved. Raises ModelUnusable."""
    quiet_libraries()
    loaded = {part: _load(entry, folder, part, dtype).to(device).eval() for part in WEIGHED_PARTS}
    try:
        tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    except Exception as error:  # the tokenizers library raises plain Exception
        raise _broken(entry, "tokenizer", error) from error
    schedule = read_json(entry.name, folder / "scheduler" / "scheduler_config.json")
    return Parts(**loaded, tokenizer=tokenizer, schedule=schedule)


def _load(entry: Entry, folder: Path, part: str, dtype: torch.dtype) -> Any:
    weights = find_weights(entry.name, folder, part, allow_pickle=entry.allow_pickle)
    try:
        model, told = _CLASSES[part].from_pretrained(folder / part, **_options(part, weights, dtype))
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # the libraries raise a dozen kinds, from KeyError to SafetensorError
        raise _broken(entry, part, error) from error
    lacking = sorted(told["missing_keys"])
    if lacking:
        raise ModelUnusable(
            f"The weights of {part} of model {entry.name} lack {len(lacking)} tensors ({lacking[0]} is the first); "
            f"download the model again."
        )
    return model


def _options(part: str, weights: Weights, dtype: torch.dtype) -> dict[str, Any]:
    """Arguments of `from_pretrained`; pickles are read by torch's restricted unpickler (weights_only, its default)."""
    named = "dtype" if part == "text_encoder" else "torch_dtype"
    return {
        named: dtype,
        "use_safetensors": not weights.pickled,
        "variant": weights.variant or None,
        "output_loading_info": True,
        "local_files_only": True,
    }


def _broken(entry: Entry, part: str, error: Exception) -> ModelUnusable:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
    return ModelUnusable(f"The {part} of model {entry.name} can't be loaded ({first}); download the model again.")
