"""Which models there are and what each is good at, read from JSON files alone: no weights are opened, no torch.

A model is a folder in diffusers format (or a hub id that resolves to one in the local Hugging Face cache). The folder
may hold a `zoetrope.json` that says how to ask for it:

    {"name": "pocket", "title": "Pocket", "family": "unet3d",
     "defaults": {"steps": 12, "guidance": 4.0, "frames": 8, "width": 32, "height": 32, "fps": 8, "sampler": "ddim"},
     "limits": {"steps": [1, 100], "frames": [1, 24], "side": [16, 64], "multiple": 8},
     "crisp": true, "suggestions": ["a heart bouncing on blue"]}

Without one, the facts follow from the configurations of the parts, as the stock pipeline of ModelScope's kind derives
them: sample_size times the decoder's factor, 16 frames, guidance 9.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from db.config import BUILT_IN_MODEL, GeneratorConfig, ModelConfig
from db.records import Defaults, ModelFacts, ModelLimits, Range
from generator.errors import ModelUnusable
from generator.model_folder import WEIGHED_PARTS, check_kind, find_weights, read_json, widths

FAMILY: Final = "unet3d"
MOST_STEPS = 200
POCKET = Path(__file__).parent / "pocket"

_NAME = r"[A-Za-z0-9_](?:[A-Za-z0-9_]|[.-](?=[A-Za-z0-9_]))*"  # the hub's rule for each half of an id
_HUB_ID = re.compile(rf"(?=.{{3,96}}$){_NAME}/{_NAME}")
_SUGGESTIONS = (
    "an astronaut riding a horse",
    "a panda eating bamboo on a rock",
    "a goldfish swimming in a glass bowl",
    "fireworks over a city at night",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A model an engine can be asked for: `path` is a local folder, or a hub id that is not downloaded yet."""

    name: str
    path: str
    dtype: str
    allow_pickle: bool
    facts: ModelFacts

    @property
    def folder(self) -> Path | None:
        """The local folder, or None while the model lies on the hub only."""
        folder = Path(self.path)
        return folder if folder.is_dir() else None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models that can be asked for, and one sentence for each that can't."""

    entries: tuple[Entry, ...]
    problems: tuple[str, ...]

    @property
    def facts(self) -> tuple[ModelFacts, ...]:
        return tuple(entry.facts for entry in self.entries)


_ENTRIES: TypeAdapter[tuple[Entry, ...]] = TypeAdapter(tuple[Entry, ...])


def read_catalogue(config: GeneratorConfig, pocket: Path = POCKET) -> Catalogue:
    """The built-in pocket model and every model of the configuration; a broken one becomes a sentence."""
    models = {BUILT_IN_MODEL: ModelConfig(path=str(pocket))} | config.models
    entries, problems = [], []
    for name, model in models.items():
        try:
            entries.append(read_entry(name, model))
        except ModelUnusable as error:
            problems.append(str(error))
    return Catalogue(tuple(entries), tuple(problems))


def read_entry(name: str, model: ModelConfig) -> Entry:
    """One model of the configuration. Raises ModelUnusable with a sentence."""
    found = _find(name, model.path)
    facts = _derived(name, model.path) if found is None else _facts(name, model, found)
    return Entry(name, model.path if found is None else str(found), model.dtype, model.allow_pickle, facts)


def _find(name: str, path: str) -> Path | None:
    """The local folder a path or a hub id leads to; None for a hub id that was not downloaded yet."""
    try:
        folder = Path(path).expanduser()
        if folder.is_dir():
            return folder.resolve()
    except (OSError, RuntimeError) as error:  # a folder we may not enter, a name too long, a home that is nobody's
        raise ModelUnusable(
            f"The folder {path[:200]} of model {name} can't be opened ({error}); correct generator.models.{name}.path."
        ) from None
    if _HUB_ID.fullmatch(path):
        return cached_folder(path)
    raise ModelUnusable(f"The folder {path} of model {name} does not exist; correct generator.models.{name}.path.")


def write_entries(entries: Iterable[Entry], path: Path) -> None:
    """Write the entries as the JSON file an engine is started with (`--models`)."""
    path.write_bytes(_ENTRIES.dump_json(tuple(entries)))


def read_entries(path: Path) -> tuple[Entry, ...]:
    """The entries of a `--models` file. Raises pydantic.ValidationError or OSError."""
    return _ENTRIES.validate_json(path.read_bytes())


def cached_folder(hub_id: str) -> Path | None:
    """The snapshot of a hub id in the local Hugging Face cache, found without the network; None if there is none."""
    from huggingface_hub import try_to_load_from_cache  # takes 0.2 s, and most catalogues name no hub id

    found = try_to_load_from_cache(hub_id, "model_index.json")
    folder = Path(found).parent if isinstance(found, str) else None
    return folder if folder is not None and _has_weights(folder) else None


def _has_weights(folder: Path) -> bool:
    """Whether a download got as far as the weights of every part."""
    try:
        for part in WEIGHED_PARTS:
            find_weights("", folder, part, allow_pickle=True)
    except ModelUnusable:
        return False
    return True


# --- facts of a folder ---------------------------------------------------------------------------------------------


def _range(value: Any) -> Any:
    """A range may be written as [low, high] or as {"low": …, "high": …}."""
    return {"low": value[0], "high": value[1]} if isinstance(value, list) and len(value) == 2 else value


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Span(_Said):
    low: int = Field(ge=1)
    high: int = Field(ge=1)


class _Defaults(_Said):
    steps: int = Field(ge=1)
    guidance: float = Field(ge=0)
    frames: int = Field(ge=1)
    width: int = Field(ge=8)
    height: int = Field(ge=8)
    fps: int = Field(ge=1)
    sampler: Literal["ddim", "dpm++", "unipc", "lcm"]


class _Limits(_Said):
    steps: Annotated[_Span, BeforeValidator(_range)] = _Span(low=1, high=MOST_STEPS)
    frames: Annotated[_Span, BeforeValidator(_range)]
    side: Annotated[_Span, BeforeValidator(_range)] = Field(validation_alias=AliasChoices("side", "size"))
    multiple: int = Field(ge=1)


class _Sheet(_Said):
    """What `zoetrope.json` says; keys of its own (licence, training) may stand beside."""

    title: str
    family: Literal["unet3d"] = FAMILY
    defaults: _Defaults
    limits: _Limits
    crisp: bool = False
    suggestions: tuple[str, ...] = ()

    def facts(self, name: str) -> ModelFacts:
        limits = self.limits
        return ModelFacts(
            name=name,
            title=self.title,
            family=self.family,
            defaults=Defaults(**self.defaults.model_dump()),
            limits=ModelLimits(
                steps=Range(**limits.steps.model_dump()),
                frames=Range(**limits.frames.model_dump()),
                side=Range(**limits.side.model_dump()),
                multiple=limits.multiple,
            ),
            crisp=self.crisp,
            suggestions=self.suggestions,
        )


def _facts(name: str, model: ModelConfig, folder: Path) -> ModelFacts:
    check_kind(name, folder)
    for part in WEIGHED_PARTS:
        find_weights(name, folder, part, allow_pickle=model.allow_pickle)
    sheet = folder / "zoetrope.json"
    if sheet.is_file():
        return _sheet(name, sheet)
    factor = 2 ** (len(widths(name, folder, "vae")) - 1)
    widths(name, folder, "unet")
    return _derived(name, model.path, _latent_size(name, folder / "unet" / "config.json"), factor)


def _latent_size(name: str, config: Path) -> tuple[int, int]:
    """Height and width of the latents a UNet was trained on, as its configuration says; ModelScope's without it."""
    told = read_json(name, config).get("sample_size") or 32
    size = (told, told) if isinstance(told, int) else told
    match size:
        case [int(height), int(width)] if height > 0 and width > 0:
            return height, width
    raise ModelUnusable(f"The file {config} of model {name} is wrong at sample_size; download it again.")


def _sheet(name: str, path: Path) -> ModelFacts:
    try:
        return _Sheet.model_validate(read_json(name, path)).facts(name)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelUnusable(f"The file {path} of model {name} is wrong at {where}: {first['msg']}.") from None


def _derived(name: str, path: str, latent: tuple[int, int] = (32, 32), factor: int = 8) -> ModelFacts:
    """Facts of a folder that brings no sheet; what a fine-tune was trained at shows in its name only."""
    height, width = latent
    defaults = Defaults(25, 9.0, 16, width * factor, height * factor, 8, "dpm++")
    facts = ModelFacts(
        name=name,
        title=name,
        family=FAMILY,
        defaults=defaults,
        limits=ModelLimits(Range(1, MOST_STEPS), Range(1, 128), Range(8 * factor, 1024), factor),
        suggestions=_SUGGESTIONS,
    )
    return _known(facts, f"{name} {path}".lower())


def _known(facts: ModelFacts, told: str) -> ModelFacts:
    """Titles and sizes of well-known models, recognised by their names."""
    if "zeroscope" in told:
        title, width, height = ("Zeroscope v2 XL", 1024, 576) if "xl" in told else ("Zeroscope v2 576w", 576, 320)
        defaults = replace(facts.defaults, frames=24, width=width, height=height)
        return replace(facts, title=title, defaults=defaults)
    if "ms-1.7b" in told or "modelscope" in told:
        return replace(facts, title="ModelScope 1.7B")
    return facts
