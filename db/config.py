"""The one typed configuration tree: read from TOML, frozen, every key explained in `config.example.toml`.

Sections are named by house or surface, and each house is handed its own. Unknown keys are refused with the nearest
right name. Secrets come from the environment or from a file named here, never from a value in the TOML.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from db.errors import ConfigError


class Section(BaseModel):
    """A frozen table of the TOML that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DataConfig(Section):
    """[data]"""

    folder: Path = Field(Path("data"), description="Everything Zoetrope writes lies below this folder.")
    database: str = Field("", description="Database URL; empty: sqlite in the data folder.")
    masters: str = Field("", description="fsspec URL of the clip store; empty: masters/ in the data folder.")


class QuotaConfig(Section):
    """[quota]: credits are standard clips."""

    credits: float = Field(100.0, gt=0, description="Standard clips one person may ask for within the window.")
    window_hours: float = Field(24.0, gt=0, description="Length of the rolling window in hours.")
    waiting: int = Field(5, ge=1, description="How many unfinished jobs one person may have at a time.")


class LimitsConfig(Section):
    """[limits]: what a wish may ask for, on top of what the model itself accepts."""

    prompt_chars: int = Field(1000, ge=1, description="Longest prompt in characters.")
    steps: int = Field(100, ge=1, description="Most denoising steps.")
    frames: int = Field(64, ge=1, description="Most frames.")
    side: int = Field(1024, ge=8, description="Longest side in pixels.")


class WebConfig(Section):
    """[web]"""

    enabled: bool = Field(True, description="Whether the web page is served.")
    host: str = Field("127.0.0.1", description="Address to bind; this version serves this machine only.")
    port: int = Field(8420, ge=0, le=65535, description="Port; 0 takes any free one.")


class ModelConfig(Section):
    """[generator.models.NAME]"""

    path: str = Field(description="A folder in diffusers format, or a hub id such as ali-vilab/text-to-video-ms-1.7b.")
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        "auto", description="Number format of the weights."
    )
    allow_pickle: bool = Field(
        False, description="Load .bin weights too; a pickle can run code, so only from people you trust."
    )


class StallConfig(Section):
    """[generator.stall]: seconds without a sign of life after which an engine counts as hung, per phase."""

    load: float = Field(600.0, gt=0, description="While weights are read.")
    encode: float = Field(120.0, gt=0, description="While the prompt is encoded.")
    step: float = Field(600.0, gt=0, description="Between two denoising steps.")
    decode: float = Field(600.0, gt=0, description="While latents become frames and the master is written.")


class GeneratorConfig(Section):
    """[generator]"""

    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, mps.")
    default_model: str = Field("pocket", description="The model of a request that names none.")
    threads: int = Field(0, ge=0, description="CPU threads of the engine; 0: as many as there are cores.")
    lease_seconds: float = Field(30.0, ge=3, description="How long a lease lasts without a heartbeat.")
    attempts: int = Field(3, ge=1, description="How many times a job is tried before it fails.")
    stall: StallConfig = StallConfig()
    models: dict[str, ModelConfig] = Field(
        default_factory=dict, description="Models besides the built-in pocket model."
    )


class ChatConfig(Section):
    """[discord] and [telegram]"""

    token_file: Path | None = Field(None, description="File that holds the token, if it is not in the environment.")


class LogConfig(Section):
    """[log]"""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="How much is written to the log.")


class Config(Section):
    """The whole tree."""

    data: DataConfig = DataConfig()
    quota: QuotaConfig = QuotaConfig()
    limits: LimitsConfig = LimitsConfig()
    generator: GeneratorConfig = GeneratorConfig()
    web: WebConfig = WebConfig()
    discord: ChatConfig = ChatConfig()
    telegram: ChatConfig = ChatConfig()
    log: LogConfig = LogConfig()

    @property
    def database_url(self) -> str:
        return self.data.database or f"sqlite:///{self.data.folder.resolve() / 'zoetrope.db'}"

    @property
    def masters_url(self) -> str:
        return self.data.masters or (self.data.folder.resolve() / "masters").as_uri()


class Secrets(BaseModel):
    """Tokens, kept out of every print and log."""

    model_config = ConfigDict(frozen=True)

    discord_token: SecretStr | None = None
    telegram_token: SecretStr | None = None


def load(file: Path | None, environment: Mapping[str, str], data: Path | None = None) -> Config:
    """The configuration in `file`, or the embedded defaults when there is none.

    The data folder is `data`, else ZOETROPE_DATA of `environment`, else what the file says; it comes back as a full
    path. Raises ConfigError with one sentence for anything that can't be used.
    """
    tree = {} if file is None else _read_toml(file)
    name = "The configuration" if file is None else str(file)
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(f"{name}: {_explain(error)}") from error
    folder = data or Path(environment.get("ZOETROPE_DATA", "") or config.data.folder)
    placed = config.data.model_copy(update={"folder": folder.expanduser().resolve()})
    return config.model_copy(update={"data": placed})


def load_secrets(config: Config, environment: Mapping[str, str]) -> Secrets:
    """Tokens from `environment`, else from the files the configuration names. Raises ConfigError."""
    return Secrets(
        discord_token=_token("DISCORD", config.discord, environment),
        telegram_token=_token("TELEGRAM", config.telegram, environment),
    )


def _token(chat: str, section: ChatConfig, environment: Mapping[str, str]) -> SecretStr | None:
    token = environment.get(f"ZOETROPE_{chat}_TOKEN", "").strip()
    if not token and section.token_file is not None:
        try:
            token = section.token_file.expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{chat.lower()}.token_file: {section.token_file} can't be read; name a file with the token in it."
            ) from error
    return SecretStr(token) if token else None


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"The configuration file {file} does not exist; copy config.example.toml and change what you want to."
        ) from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ConfigError(f"The configuration file {file} can't be read ({why}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration file {file} is not valid TOML ({error}); correct that place.") from error


def _explain(error: ValidationError) -> str:
    """The first problem as a sentence (a misspelt key explains the others), and how many more there are."""
    first, *others = sorted(error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden")
    place = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        sentence = f"there is no key {'.'.join(place)}{_nearest(place)}."
    else:
        sentence = f"{'.'.join(place)} can't be used ({_lower_first(first['msg'])})."
    return f"{sentence[:-1]}; problems after this one: {len(others)}." if others else sentence


def _nearest(place: list[str]) -> str:
    section = _section(place[:-1])
    near = difflib.get_close_matches(place[-1], section.model_fields, n=1)
    if near:
        return f", did you mean {'.'.join([*place[:-1], near[0]])}"
    return f"; there are {', '.join(section.model_fields)}"


def _section(place: list[str]) -> type[BaseModel]:
    """The table at `place`; in a table of tables (generator.models.NAME) the NAME stands for any of them."""
    section: type[BaseModel] = Config
    for part in place:
        field = section.model_fields.get(part)
        annotation = field.annotation if field is not None else None
        inner = (get_args(annotation) or (annotation,))[-1]
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            section = inner
    return section


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
