"""What lies in a model's folder: its JSON files and which files hold its weights, checked without torch.

Whatever is wrong becomes ModelUnusable: one sentence that names the file and what to do.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.errors import ModelUnusable

WEIGHED_PARTS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model"}
VARIANTS = ("", "fp16")  # as in `model.fp16.safetensors`
_MOST_HEADER_BYTES = 100_000_000  # the limit of the safetensors format


@dataclass(frozen=True, slots=True)
class Weights:
    """The files that hold one part's weights: all safetensors, or all pickled."""

    files: tuple[Path, ...]
    variant: str
    pickled: bool


def read_json(name: str, path: Path) -> dict[str, Any]:
    """A JSON object of the model called `name`. Raises ModelUnusable."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelUnusable(
            f"The file {path} of model {name} is missing; point generator.models.{name}.path at a complete folder in "
            f"diffusers format."
        ) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise ModelUnusable(f"The file {path} of model {name} can't be read ({why}); download it again.") from None
    if not isinstance(value, dict):
        raise ModelUnusable(f"The file {path} of model {name} is not a JSON object; download it again.")
    return value


def check_kind(name: str, folder: Path) -> None:
    """Raise ModelUnusable unless the parts are those of ModelScope's kind.

    The module names in model_index.json are not looked at: some fine-tunes name modules of their own for stock classes.
    """
    read_json(name, folder / "model_index.json")
    for part, key, wanted in (
        ("unet", "_class_name", "UNet3DConditionModel"),
        ("vae", "_class_name", "AutoencoderKL"),
        ("text_encoder", "model_type", "clip_text_model"),
    ):
        found = read_json(name, folder / part / "config.json").get(key)
        if found != wanted:
            raise ModelUnusable(
                f"Model {name} in {folder} is not of the ModelScope kind (its {part} is {found}, not {wanted}); "
                f"choose another model."
            )
    read_json(name, folder / "scheduler" / "scheduler_config.json")
    if not (folder / "tokenizer").is_dir():
        raise ModelUnusable(f"The tokenizer is missing in {folder}; download model {name} again.")


def widths(name: str, folder: Path, part: str) -> tuple[int, ...]:
    """Channels of each level of `unet` or `vae`, the first one nearest to the pixels. Raises ModelUnusable."""
    told = read_json(name, folder / part / "config.json").get("block_out_channels")
    if not isinstance(told, list) or not told or not all(isinstance(one, int) and one > 0 for one in told):
        raise ModelUnusable(
            f"The file {folder / part / 'config.json'} of model {name} is wrong at block_out_channels; "
            "download it again."
        )
    return tuple(told)


def find_weights(name: str, folder: Path, part: str, *, allow_pickle: bool) -> Weights:
    """The weight files of `unet`, `vae` or `text_encoder`; safetensors before pickles. Raises ModelUnusable."""
    place, stem = folder / part, WEIGHED_PARTS[part]
    for variant in VARIANTS:
        files = _safetensors(name, place, f"{stem}.{variant}".rstrip("."), variant)
        if files:
            return Weights(files, variant, pickled=False)
    pickles = [(v, place / f"{_pickled_stem(stem)}.{v}.bin".replace("..", ".")) for v in VARIANTS]
    found = next(((variant, path) for variant, path in pickles if path.is_file()), None)
    if found is None:
        raise ModelUnusable(f"The weights of {part} are missing in {folder}; download model {name} again.")
    if not allow_pickle:
        raise ModelUnusable(
            f"The weights of {part} in {folder} are pickled and a pickle can run code; get them as safetensors, or set "
            f"generator.models.{name}.allow_pickle = true if you trust whoever made them."
        )
    return Weights((found[1],), found[0], pickled=True)


def _pickled_stem(stem: str) -> str:
    return "pytorch_model" if stem == "model" else stem


def _safetensors(name: str, place: Path, stem: str, variant: str) -> tuple[Path, ...]:
    """One file, or the shards an index names."""
    whole = place / f"{stem}.safetensors"
    if whole.is_file():
        return (whole,)
    plain = stem.removesuffix(f".{variant}")
    index = place / f"{plain}.safetensors.index.{variant}.json".replace("..", ".")
    if not index.is_file():
        return ()
    placed = read_json(name, index).get("weight_map")
    shards = sorted({str(shard) for shard in placed.values()}) if isinstance(placed, dict) else []
    if not shards or not all(_is_beside(shard) for shard in shards):
        raise ModelUnusable(
            f"The file {index} of model {name} does not name safetensors files beside it; download it again."
        )
    return tuple(place / shard for shard in shards)


def _is_beside(shard: str) -> bool:
    """An index may name neither other folders nor pickles."""
    return shard.endswith(".safetensors") and "/" not in shard and "\\" not in shard


def check_whole(name: str, file: Path) -> None:
    """Raise ModelUnusable unless a safetensors file is as long as its header promises."""
    try:
        size, promised = file.stat().st_size, _promised_bytes(file)
    except FileNotFoundError:
        raise ModelUnusable(f"The file {file} is missing; download model {name} again.") from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, struct.error):
        raise ModelUnusable(f"The file {file} is not a safetensors file; download model {name} again.") from None
    if size < promised:
        raise ModelUnusable(
            f"The file {file} is cut short ({size:,} of {promised:,} bytes); download model {name} again."
        )


def count_values(file: Path) -> int:
    """How many numbers a whole safetensors file holds."""
    return sum(math.prod(tensor["shape"]) for tensor in _header(file)[1].values())


def _promised_bytes(file: Path) -> int:
    length, header = _header(file)
    return 8 + length + max((int(tensor["data_offsets"][1]) for tensor in header.values()), default=0)


def _header(file: Path) -> tuple[int, dict[str, Any]]:
    """Length and content of the header: 8 bytes little-endian length, then JSON (the safetensors format)."""
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        if length > _MOST_HEADER_BYTES:
            raise ValueError("header too long")
        header = json.loads(stream.read(length))
    header.pop("__metadata__", None)
    return length, header
