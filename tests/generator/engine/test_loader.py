"""Folders as people have them: whole, odd, broken, pickled, on the hub."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from db.records import ClipSpec
from generator.catalogue import Entry
from generator.engine import loader
from generator.engine.unet3d import Unet3D
from generator.errors import ModelUnusable

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def refusal(entry_of: Callable[..., Entry]) -> Callable[..., str]:
    """The sentence with which a folder is refused by the loader, the catalogue's own look left out."""

    def refuse(folder: Path, entry: Entry) -> str:
        with pytest.raises(ModelUnusable) as caught:
            loader.load_parts(entry, loader.find_folder(entry, torch.float32), torch.device("cpu"), torch.float32)
        told = str(caught.value)
        assert "\n" not in told
        return told

    return refuse


def pickle_all(folder: Path) -> None:
    for part, stem in (("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model"), ("text_encoder", "")):
        file = folder / part / f"{stem or 'model'}.safetensors"
        torch.save(load_file(file), folder / part / f"{stem or 'pytorch_model'}.bin")
        file.unlink()


def first_step(model: Unet3D, spec: ClipSpec) -> torch.Tensor:
    sample = model.prepare(spec)
    model.step([sample])
    return sample.x


def test_a_folder_whose_model_index_names_modules_of_its_own_loads(
    own: Path, load: Callable[..., Unet3D], spec: Callable[..., ClipSpec]
) -> None:
    index = json.loads((own / "model_index.json").read_text())
    index["unet"] = ["models.unet_3d_condition", "UNet3DConditionModel"]
    (own / "model_index.json").write_text(json.dumps(index), encoding="utf-8")
    assert torch.equal(first_step(load(own), spec()), first_step(load(), spec()))


def test_loaded_networks_do_not_drop_out(load: Callable[..., Unet3D]) -> None:
    parts = load().parts
    assert not any(part.training for part in (parts.unet, parts.vae, parts.text_encoder))


def test_missing_weights_are_one_sentence(
    own: Path, entry_of: Callable[..., Entry], refusal: Callable[..., str]
) -> None:
    entry = entry_of(own)
    (own / WEIGHTS).unlink()
    assert "weights of unet are missing" in refusal(own, entry)


@pytest.mark.parametrize("left", [0, 5, 2000, -1])
def test_truncated_weights_are_one_sentence(
    own: Path, entry_of: Callable[..., Entry], refusal: Callable[..., str], left: int
) -> None:
    entry = entry_of(own)
    whole = (own / WEIGHTS).read_bytes()
    (own / WEIGHTS).write_bytes(whole[:left])
    told = refusal(own, entry)
    assert "download model tiny again" in told
    assert "cut short" in told or "not a safetensors file" in told


def test_a_header_that_claims_to_be_huge_is_not_read(
    own: Path, entry_of: Callable[..., Entry], refusal: Callable[..., str]
) -> None:
    entry = entry_of(own)
    (own / WEIGHTS).write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    assert "not a safetensors file" in refusal(own, entry)


def test_weights_that_lack_a_tensor_are_one_sentence(
    own: Path, entry_of: Callable[..., Entry], refusal: Callable[..., str]
) -> None:
    tensors = load_file(own / WEIGHTS)
    del tensors["conv_out.weight"]
    save_file(tensors, own / WEIGHTS, metadata={"format": "pt"})
    assert "lack 1 tensors (conv_out.weight" in refusal(own, entry_of(own))


def test_weights_of_another_size_are_one_sentence(
    own: Path, entry_of: Callable[..., Entry], refusal: Callable[..., str]
) -> None:
    tensors = load_file(own / WEIGHTS)
    tensors["conv_out.weight"] = torch.zeros(3, 3, 3, 3)
    save_file(tensors, own / WEIGHTS, metadata={"format": "pt"})
    assert "unet of model tiny can't be loaded" in refusal(own, entry_of(own))


def test_pickled_weights_load_only_when_allowed(
    own: Path,
    entry_of: Callable[..., Entry],
    refusal: Callable[..., str],
    load: Callable[..., Unet3D],
    spec: Callable[..., ClipSpec],
) -> None:
    entry = entry_of(own)
    pickle_all(own)
    assert "allow_pickle = true" in refusal(own, entry)
    assert torch.equal(first_step(load(own, allow_pickle=True), spec()), first_step(load(), spec()))


def test_a_tokenizer_that_is_not_one_is_a_sentence(
    own: Path, entry_of: Callable[..., Entry], refusal: Callable[..., str]
) -> None:
    (own / "tokenizer/tokenizer.json").write_text('{"model": {"type": "Poem"}}', encoding="utf-8")
    assert "tokenizer of model tiny can't be loaded" in refusal(own, entry_of(own))


@pytest.mark.parametrize("shard", ["pickle.bin", "../vae/pickle.bin", "deeper/one.safetensors"])
def test_an_index_names_no_shards_but_safetensors_beside_it(
    own: Path, entry_of: Callable[..., Entry], refusal: Callable[..., str], shard: str
) -> None:
    entry = entry_of(own)
    index = {"metadata": {}, "weight_map": {"conv_in.weight": shard}}
    (own / WEIGHTS).rename(own / "unet/one.safetensors")
    (own / f"{WEIGHTS}.index.json").write_text(json.dumps(index), encoding="utf-8")
    assert "does not name safetensors files beside it" in refusal(own, entry)


class Burglar:
    """What a pickle can do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return (Path.touch, (self.path,))


def test_an_allowed_pickle_still_can_not_run_code(
    own: Path, tmp_path: Path, entry_of: Callable[..., Entry], refusal: Callable[..., str]
) -> None:
    pickle_all(own)
    torch.save({"conv_in.weight": Burglar(tmp_path / "broken in")}, own / "unet/diffusion_pytorch_model.bin")
    assert "unet of model tiny can't be loaded" in refusal(own, entry_of(own, allow_pickle=True))
    assert not (tmp_path / "broken in").exists()


def test_half_precision_files_of_a_variant_are_found(
    own: Path, load: Callable[..., Unet3D], spec: Callable[..., ClipSpec]
) -> None:
    for part, stem in (
        ("unet", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model"),
        ("text_encoder", "model"),
    ):
        file = own / part / f"{stem}.safetensors"
        halves = {name: tensor.half() for name, tensor in load_file(file).items()}
        save_file(halves, own / part / f"{stem}.fp16.safetensors", metadata={"format": "pt"})
        file.unlink()
    model = load(own)
    assert model.parts.unet.dtype == torch.float32
    assert first_step(model, spec()).isfinite().all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_number_format_is_the_one_asked_for(
    load: Callable[..., Unet3D], spec: Callable[..., ClipSpec], dtype: str
) -> None:
    model = load(dtype=dtype)
    assert {str(p.dtype) for p in (model.parts.unet, model.parts.vae, model.parts.text_encoder)} == {f"torch.{dtype}"}
    sample = model.prepare(spec(steps=1))
    model.step([sample])
    assert sample.x.dtype == torch.float32
    assert next(iter(model.decode(sample, 1))).shape == (1, 64, 64, 3)
