"""Bringing a model from the Hugging Face hub into the local cache: only the files the five parts need."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from huggingface_hub.utils.tqdm import tqdm

from generator.errors import ModelUnusable, RenderFailed
from generator.model_folder import VARIANTS, WEIGHED_PARTS

SIGN_OF_LIFE = 1.0  # seconds between ticks while a file is downloaded


def fetch(
    name: str,
    hub_id: str,
    *,
    allow_pickle: bool,
    half: bool,
    tick: Callable[[], None] = lambda: None,
    endpoint: str | None = None,
) -> Path:
    """Download what is not in the cache yet and return the snapshot's folder.

    `tick` is called before every file and, perhaps from another thread, while a long one is on its way.

    `half` prefers the float16 files where there are any. Raises ModelUnusable when the hub has no such model, and
    RenderFailed (worth another attempt) when it can't be reached.
    """
    try:
        return _fetch(hub_id, allow_pickle=allow_pickle, half=half, tick=tick, endpoint=endpoint)
    except (RepositoryNotFoundError, GatedRepoError):
        raise ModelUnusable(
            f"Neither a folder nor a public model on the hub is called {hub_id}; correct generator.models.{name}.path."
        ) from None
    except Exception as error:  # which HTTP library raises is the hub client's own affair
        raise RenderFailed(
            f"Model {name} can't be fetched from the hub ({type(error).__name__}); check the network and the disk and "
            f"ask again, or point generator.models.{name}.path at a folder.",
            again=True,
        ) from error


def _fetch(hub_id: str, *, allow_pickle: bool, half: bool, tick: Callable[[], None], endpoint: str | None) -> Path:
    info = HfApi(endpoint=endpoint).model_info(hub_id)
    there = [sibling.rfilename for sibling in info.siblings or ()]
    place = Path()
    for file in wanted_files(there, allow_pickle=allow_pickle, half=half):
        tick()
        # By branch, not by commit: only then the cache notes which snapshot the catalogue is to find next time.
        place = Path(hf_hub_download(hub_id, file, endpoint=endpoint, tqdm_class=_ticking(tick)))
    return place.parent  # model_index.json comes last, so a snapshot that has it is complete


def _ticking(tick: Callable[[], None]) -> type[tqdm]:
    """A progress bar that draws nothing: gigabytes over a slow line take longer than an engine may be silent."""

    class Bar(tqdm):
        said = time.monotonic()

        def update(self, n: float | None = 1) -> bool | None:
            if time.monotonic() - Bar.said >= SIGN_OF_LIFE:
                Bar.said = time.monotonic()
                tick()
            return bool(super().update(n))

    return Bar


def wanted_files(there: Iterable[str], *, allow_pickle: bool, half: bool) -> list[str]:
    """The files to download, model_index.json last; where pickles are refused their lack is reported by the loader."""
    files = set(there)
    small = {
        file
        for file in files
        if file == "zoetrope.json"
        or file.startswith(("tokenizer/", "scheduler/"))
        or (file.endswith(".json") and file.split("/")[0] in WEIGHED_PARTS)
    }
    weights = {one for part in WEIGHED_PARTS for one in _weights_of(part, files, allow_pickle=allow_pickle, half=half)}
    return sorted(small) + sorted(weights) + ["model_index.json"]


def _weights_of(part: str, files: set[str], *, allow_pickle: bool, half: bool) -> list[str]:
    stem = WEIGHED_PARTS[part]
    variants = reversed(VARIANTS) if half else VARIANTS
    for variant in variants:
        found = _of_variant(files, f"{part}/{stem}", variant, "safetensors")
        if found:
            return found
    pickled = "pytorch_model" if stem == "model" else stem
    return _of_variant(files, f"{part}/{pickled}", "", "bin") if allow_pickle else []


def _of_variant(files: set[str], stem: str, variant: str, ending: str) -> list[str]:
    """The one file, or its shards (`stem-00001-of-00002.safetensors`)."""
    dotted = f".{variant}" if variant else ""
    whole = f"{stem}{dotted}.{ending}"
    return [whole] if whole in files else sorted(f for f in files if _is_shard(f, stem, dotted, ending))


def _is_shard(file: str, stem: str, dotted: str, ending: str) -> bool:
    return (
        file.startswith((f"{stem}-", f"{stem}{dotted}-"))
        and file.endswith(f".{ending}")
        and ((".fp16" in file) == bool(dotted))
    )
