"""Which models there are, read from folders without weights worth the name and without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from db.config import GeneratorConfig, ModelConfig
from db.records import Defaults, ModelFacts, Range
from generator.catalogue import POCKET, cached_folder, read_catalogue, read_entries, read_entry, write_entries
from generator.errors import ModelUnusable

UNET = {"_class_name": "UNet3DConditionModel", "sample_size": 32, "block_out_channels": [320, 640, 1280, 1280]}
VAE = {"_class_name": "AutoencoderKL", "block_out_channels": [128, 256, 512, 512]}
CUSTOM = {"_class_name": "TextToVideoSDPipeline", "unet": ["models.unet_3d_condition", "UNet3DConditionModel"]}
SHEET: dict[str, Any] = {
    "name": "pocket",
    "title": "Pocket",
    "family": "unet3d",
    "defaults": {"steps": 16, "guidance": 4.0, "frames": 8, "width": 32, "height": 32, "fps": 8, "sampler": "ddim"},
    "limits": {"frames": [1, 24], "size": [16, 64], "multiple": 8},
    "crisp": True,
    "suggestions": ["a heart bouncing on blue"],
    "licence": "Apache-2.0",
}


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def lay(folder: Path, weights: str = "safetensors") -> Path:
    """A folder that looks like a model to whoever opens no weights."""
    write(folder / "model_index.json", CUSTOM)
    write(folder / "unet/config.json", UNET)
    write(folder / "vae/config.json", VAE)
    write(folder / "text_encoder/config.json", {"model_type": "clip_text_model"})
    write(folder / "scheduler/scheduler_config.json", {"_class_name": "DDIMScheduler"})
    write(folder / "tokenizer/vocab.json", {})
    for part, stem in (("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model")):
        (folder / part / f"{stem}.{weights}").write_bytes(b"")
    text = "model" if weights == "safetensors" else "pytorch_model"
    (folder / "text_encoder" / f"{text}.{weights}").write_bytes(b"")
    return folder


def entry(path: Path | str, name: str = "mine", **config: Any) -> ModelFacts:
    return read_entry(name, ModelConfig(path=str(path), **config)).facts


def test_facts_of_modelscope_follow_from_its_configurations(tmp_path: Path) -> None:
    facts = entry(lay(tmp_path / "text-to-video-ms-1.7b"))
    assert facts.defaults == Defaults(25, 9.0, 16, 256, 256, 8, "dpm++")
    assert facts.title == "ModelScope 1.7B"
    assert facts.limits.multiple == 8
    assert 16 in facts.limits.frames
    assert facts.suggestions


@pytest.mark.parametrize(("called", "size"), [("zeroscope_v2_576w", (576, 320)), ("zeroscope_v2_XL", (1024, 576))])
def test_zeroscope_is_recognised_by_its_name(tmp_path: Path, called: str, size: tuple[int, int]) -> None:
    defaults = entry(lay(tmp_path / called)).defaults
    assert (defaults.width, defaults.height, defaults.frames) == (*size, 24)


def test_a_sheet_says_how_to_ask_for_the_model(tmp_path: Path) -> None:
    write(lay(tmp_path / "pocket") / "zoetrope.json", SHEET)
    facts = entry(tmp_path / "pocket", "small")
    assert (facts.name, facts.title, facts.crisp) == ("small", "Pocket", True)
    assert facts.defaults == Defaults(16, 4.0, 8, 32, 32, 8, "ddim")
    assert (facts.limits.side, facts.limits.frames) == (Range(16, 64), Range(1, 24))
    assert 16 in facts.limits.steps
    assert facts.suggestions == ("a heart bouncing on blue",)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"defaults": SHEET["defaults"] | {"sampler": "euler"}}, "defaults.sampler"),
        ({"defaults": SHEET["defaults"] | {"steps": 0}}, "defaults.steps"),
        ({"limits": {"frames": [1, 2]}}, "limits"),
        ({"title": None}, "title"),
        ({"family": "wan"}, "family"),
    ],
)
def test_a_wrong_sheet_is_one_sentence_that_names_the_place(tmp_path: Path, change: dict[str, Any], where: str) -> None:
    write(lay(tmp_path / "pocket") / "zoetrope.json", SHEET | change)
    with pytest.raises(ModelUnusable, match=rf"zoetrope\.json .*{where}"):
        entry(tmp_path / "pocket")


def test_module_names_of_model_index_are_not_trusted_nor_minded(tmp_path: Path) -> None:
    assert entry(lay(tmp_path / "m")).family == "unet3d"


def remove(path: str) -> Callable[[Path], None]:
    return lambda folder: (folder / path).unlink()


def put(path: str, text: str) -> Callable[[Path], None]:
    def write_text(folder: Path) -> None:
        (folder / path).write_text(text, encoding="utf-8")

    return write_text


def change(path: str, **values: object) -> Callable[[Path], None]:
    return lambda folder: write(folder / path, json.loads((folder / path).read_text(encoding="utf-8")) | values)


def index(text: str) -> Callable[[Path], None]:
    """The UNet's weights in shards that this file names."""

    def shard(folder: Path) -> None:
        remove("unet/diffusion_pytorch_model.safetensors")(folder)
        put("unet/diffusion_pytorch_model.safetensors.index.json", text)(folder)

    return shard


def test_a_network_that_names_no_size_is_asked_for_as_modelscope_is(tmp_path: Path) -> None:
    folder = lay(tmp_path / "m")
    change("unet/config.json", sample_size=None)(folder)
    assert entry(folder).defaults.width == 256


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (remove("model_index.json"), "model_index.json of model mine is missing"),
        (put("model_index.json", "{"), "it is not JSON"),
        (put("model_index.json", "[]"), "not a JSON object"),
        (remove("unet/config.json"), "config.json of model mine is missing"),
        (put("unet/config.json", '{"_class_name": "WanTransformer3DModel"}'), "not of the ModelScope kind"),
        (remove("vae/diffusion_pytorch_model.safetensors"), "weights of vae are missing"),
        (remove("text_encoder/model.safetensors"), "weights of text_encoder are missing"),
        (remove("scheduler/scheduler_config.json"), "scheduler_config.json"),
        (change("unet/config.json", sample_size=[32, 32, 32]), "sample_size"),
        (change("unet/config.json", sample_size="big"), "sample_size"),
        (change("unet/config.json", block_out_channels=[]), "block_out_channels"),
        (change("vae/config.json", block_out_channels=4), "block_out_channels"),
        (index('{"weight_map": ["a"]}'), "does not name safetensors files"),
        (index('{"weight_map": {"a": "../b.bin"}}'), "does not name safetensors files"),
        (index("{}"), "does not name safetensors files"),
    ],
)
def test_a_broken_folder_is_one_sentence(tmp_path: Path, harm: Callable[[Path], None], sentence: str) -> None:
    harm(lay(tmp_path / "m"))
    with pytest.raises(ModelUnusable, match=sentence) as caught:
        entry(tmp_path / "m")
    told = str(caught.value)
    assert "\n" not in told
    assert told.endswith(".")


def test_pickled_weights_are_refused_unless_allowed(tmp_path: Path) -> None:
    folder = lay(tmp_path / "m", "bin")
    with pytest.raises(ModelUnusable, match=r"allow_pickle = true"):
        entry(folder)
    assert entry(folder, allow_pickle=True).family == "unet3d"


@pytest.mark.parametrize(
    "path", ["{tmp}/nowhere", "my models/zero scope", "owner/..", "../up", "~nobody-here/model", "a" * 5000, "a\0b/c"]
)
def test_a_path_that_leads_nowhere_names_the_key_to_correct(tmp_path: Path, path: str) -> None:
    with pytest.raises(ModelUnusable, match=r"correct generator\.models\.mine\.path"):
        entry(path.replace("{tmp}", str(tmp_path)))


def test_one_broken_model_does_not_take_the_others_down(tmp_path: Path) -> None:
    models = {"good": ModelConfig(path=str(lay(tmp_path / "m"))), "bad": ModelConfig(path=str(tmp_path / "none"))}
    read = read_catalogue(GeneratorConfig(models=models), pocket=lay(tmp_path / "pocket"))
    assert [one.name for one in read.entries] == ["pocket", "good"]
    assert [facts.name for facts in read.facts] == ["pocket", "good"]
    assert len(read.problems) == 1
    assert "bad" in read.problems[0]


def test_a_hub_id_that_is_not_downloaded_has_facts_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    read = read_entry("ms", ModelConfig(path="ali-vilab/text-to-video-ms-1.7b"))
    assert (read.path, read.folder) == ("ali-vilab/text-to-video-ms-1.7b", None)
    assert read.facts.defaults.width == 256


def test_a_hub_id_is_found_in_the_local_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--someone--tiny"
    folder = lay(repository / "snapshots" / "abc123")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc123", encoding="utf-8")
    assert cached_folder("someone/tiny") == folder
    assert read_entry("t", ModelConfig(path="someone/tiny")).folder == folder
    (folder / "unet/diffusion_pytorch_model.safetensors").unlink()
    assert cached_folder("someone/tiny") is None


def test_entries_travel_as_a_file(tmp_path: Path) -> None:
    one = read_entry("mine", ModelConfig(path=str(lay(tmp_path / "m")), dtype="float16"))
    write_entries([one], tmp_path / "models.json")
    assert read_entries(tmp_path / "models.json") == (one,)


def test_the_catalogue_needs_no_torch() -> None:
    code = "import sys, generator.catalogue; sys.exit(bool({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_built_in_model_is_in_order() -> None:
    facts = read_entry("pocket", ModelConfig(path=str(POCKET))).facts
    assert facts.defaults.width in facts.limits.side
    assert facts.defaults.frames in facts.limits.frames
    assert facts.suggestions
