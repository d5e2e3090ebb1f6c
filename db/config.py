"""The one typed configuration tree: read from TOML, frozen, every key explained in `config.example.toml`.

Sections are named by house or surface, and each house is handed its own. Unknown keys are refused with the nearest
right name. Secrets come from the environment or from a file named here, never from a value in the TOML.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from db.errors import ConfigError

DEFAULT_FILE = Path("config.toml")
BUILT_IN_MODEL = "pocket"
_ALLOWED = {
    "string_type": "text in quotes",
    "path_type": "a path in quotes",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "literal_error": "one of {expected}",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
}


_DEVICE = r"^(auto|cpu|mps|cuda(:\d{1,2})?)$"
_HTTP = r"^https?://\S+$"
_HTTP_OR_EMPTY = r"^(https?://[^\s/]+)?$"
_HTTPS_OR_EMPTY = r"^(https://\S+)?$"
_GATEWAY = r"^(wss?://\S+)?$"
_NAME = r"^(https://)?([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$"
_LIKE = {  # what fits a pattern, in words
    _DEVICE: "like one of these: auto, cpu, cuda, cuda:1, mps",
    _HTTP: "an address that begins with https:// or http://",
    _HTTP_OR_EMPTY: "an address such as https://clips.example.org, with nothing behind the name, or empty",
    _HTTPS_OR_EMPTY: "an address that begins with https://, or empty",
    _GATEWAY: "an address that begins with wss:// or ws://, or empty",
    _NAME: "a name such as clips.example.org, with https:// before it where browsers use that",
}
WebName = Annotated[str, Field(pattern=_NAME)]


class Section(BaseModel):
    """A frozen table of the TOML that refuses keys it does not know and values of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class DataConfig(Section):
    """[data]"""

    folder: Path = Field(Path("data"), strict=False, description="Everything Zoetrope writes lies below this folder.")
    database: str = Field("", description="Database URL; empty: zoetrope.db in the data folder.")
    masters: str = Field("", description="file: URL of the clip store; empty: masters/ in the data folder.")
    renditions_gigabytes: float = Field(
        5.0, gt=0, description="Room for the files made from masters; those used longest ago go first."
    )


class QuotaConfig(Section):
    """[quota]: credits are standard clips."""

    credits: float = Field(100.0, gt=0, description="Standard clips one person may ask for within the window.")
    window_hours: float = Field(24.0, gt=0, description="Length of the rolling window in hours.")
    waiting: int = Field(5, ge=1, description="How many unfinished jobs one person may have at a time.")
    cool_down_seconds: float = Field(0.0, ge=0, description="Seconds between two requests of one person.")
    refused_credits: float = Field(0.1, ge=0, description="What a refused prompt costs, so that probing costs.")
    most_credits: float = Field(
        1000.0, gt=0, description="The most that moderators of a place may allow one person there within the window."
    )


class LimitsConfig(Section):
    """[limits]: what a wish may ask for, on top of what the model itself accepts."""

    prompt_chars: int = Field(1000, ge=1, description="Longest prompt in characters.")
    steps: int = Field(100, ge=1, description="Most denoising steps.")
    frames: int = Field(64, ge=1, description="Most frames.")
    side: int = Field(1024, ge=8, description="Longest side in pixels.")


class WebConfig(Section):
    """[web]"""

    enabled: bool = Field(True, description="Whether the web page is served.")
    host: str = Field("127.0.0.1", description="Address to bind; any but this machine's own asks for a password.")
    port: int = Field(8420, ge=0, le=65535, description="Port; 0 takes any free one.")
    names: list[WebName] = Field(
        default_factory=list, description="Further names under which browsers reach the page, such as a proxy's."
    )
    address: str = Field(
        "",
        pattern=_HTTP_OR_EMPTY,
        description="Where moderators' browsers reach the page, for links that chats give them; empty: this machine's.",
    )
    password_file: Path | None = Field(
        None, strict=False, description="File with the password's hash, made by `zoetrope web-password FILE`."
    )
    operator_password_file: Path | None = Field(
        None,
        strict=False,
        description="The same for the operator, who moderates all places at /moderation; without it, links lead there.",
    )

    @property
    def reached_at(self) -> str:
        """The address that a link begins with; empty where no page is served."""
        if not self.enabled:
            return ""
        return self.address or f"http://127.0.0.1:{self.port}"


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

    device: str = Field("auto", pattern=_DEVICE, description="auto, cpu, cuda, cuda:1, mps.")
    default_model: str = Field(BUILT_IN_MODEL, description="The model of a request that names none.")
    threads: int = Field(0, ge=0, description="CPU threads of the engine; 0: as many as there are cores.")
    lease_seconds: float = Field(30.0, ge=3, description="How long a lease lasts without a heartbeat.")
    attempts: int = Field(3, ge=1, description="How many times a job is tried before it fails.")
    second_opinion: bool = Field(
        False, description="Whether a classifier in the engine judges each prompt once more; it must have one."
    )
    stall: StallConfig = StallConfig()
    models: dict[str, ModelConfig] = Field(
        default_factory=dict, description="Models besides the built-in pocket model."
    )


class SafetyConfig(Section):
    """[safety]"""

    folder: Path | None = Field(
        None,
        strict=False,
        description="Folder with lists of your own (places, groups, people, words); read again when it changes.",
    )


class ModerationConfig(Section):
    """[moderation]: what strikes lead to, and when reports count. Points are strikes that have not decayed."""

    strike_days: float = Field(30.0, gt=0, description="Days after which a strike decays.")
    cool_down_points: int = Field(2, ge=1, description="Points at which somebody has to cool down.")
    cool_down_minutes: float = Field(60.0, gt=0, description="How long a cool-down lasts.")
    mute_points: int = Field(3, ge=1, description="Points at which somebody is muted.")
    mute_hours: float = Field(24.0, gt=0, description="How long a mute lasts.")
    ban_points: int = Field(5, ge=1, description="Points at which somebody is banned, until a moderator lifts it.")
    refusals: int = Field(
        5, ge=0, description="Refusals for what is never made, within a day, that earn a strike; 0: they earn none."
    )
    reporters: int = Field(3, ge=1, description="How many people have to report a clip until it is hidden.")
    false_reports: int = Field(
        3,
        ge=1,
        description="False reports within strike_days that earn a strike, and from which on reports of theirs "
        "hide nothing.",
    )
    reports_a_day: int = Field(10, ge=1, description="Reports one person may make within a day.")
    appeals_a_day: int = Field(3, ge=1, description="Appeals one person may make within a day.")
    sign_in_hours: float = Field(8.0, gt=0, le=168, description="How long a moderator stays signed in to the console.")


class RetentionConfig(Section):
    """[retention]: after how many days something is deleted; 0 keeps it until somebody deletes it."""

    clips_days: float = Field(0.0, ge=0, description="Clips with their files, leaving a note that there was one.")
    prompts_days: float = Field(90.0, ge=0, description="The words of requests and jobs that left no clip.")
    refusals_days: float = Field(30.0, ge=0, description="Refused prompts.")
    cases_days: float = Field(
        365.0, ge=0, description="Moderators' cases, with what is long over of strikes and reports."
    )
    sweep_hour: int = Field(4, ge=0, le=23, description="The hour of this machine's clock at which it is swept.")


class ChatConfig(Section):
    """[discord] and [telegram]"""

    token_file: Path | None = Field(
        None, strict=False, description="File that holds the token, if it is not in the environment."
    )


class DiscordConfig(ChatConfig):
    """[discord]: the three addresses are Discord's own unless a proxy stands in between."""

    api_base: str = Field("https://discord.com/api/v10", pattern=_HTTP, description="Where Discord's REST API is.")
    gateway_url: str = Field("", pattern=_GATEWAY, description="Where its gateway is; empty: where the REST API says.")
    cdn_base: str = Field("https://cdn.discordapp.com", pattern=_HTTP, description="Where its files and pictures are.")


class TelegramConfig(ChatConfig):
    """[telegram]"""

    base_url: str = Field(
        "https://api.telegram.org/bot", description="Where the Bot API is; a local server: http://127.0.0.1:8081/bot."
    )
    base_file_url: str = Field(
        "https://api.telegram.org/file/bot", description="Where its files are, in the same way with /file/bot."
    )
    answer_seconds: float = Field(20.0, gt=0, le=300, description="How long to wait for an answer of the Bot API.")
    poll_seconds: int = Field(30, ge=1, le=50, description="How long one question for updates may stay open.")
    webhook_url: str = Field(
        "", pattern=_HTTPS_OR_EMPTY, description="Address to which Telegram sends updates; empty: we ask for them."
    )
    webhook_host: str = Field("127.0.0.1", description="Where the webhook listens, behind your own https proxy.")
    webhook_port: int = Field(8443, ge=0, le=65535, description="The port of the webhook; 0 takes any free one.")


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
    safety: SafetyConfig = SafetyConfig()
    moderation: ModerationConfig = ModerationConfig()
    retention: RetentionConfig = RetentionConfig()
    discord: DiscordConfig = DiscordConfig()
    telegram: TelegramConfig = TelegramConfig()
    log: LogConfig = LogConfig()

    @property
    def database_url(self) -> str:
        return self.data.database or f"sqlite:///{quote(str(self.data.folder.resolve() / 'zoetrope.db'))}"

    @property
    def masters_url(self) -> str:
        return self.data.masters or (self.data.folder.resolve() / "masters").as_uri()


class Secrets(BaseModel):
    """Tokens, kept out of every print and log."""

    model_config = ConfigDict(frozen=True)

    discord_token: SecretStr | None = None
    telegram_token: SecretStr | None = None


def chosen(file: Path | None) -> Path | None:
    """The file that was named, else `config.toml` of the current folder where there is one, else none."""
    return DEFAULT_FILE if file is None and DEFAULT_FILE.is_file() else file


def load(file: Path | None, environment: Mapping[str, str], data: Path | None = None) -> Config:
    """The configuration in `file`; None: the embedded defaults.

    The data folder is `data`, else ZOETROPE_DATA of `environment`, else what the file says. Folders that the file names
    are relative to the file, the others to the current folder; the data folder comes back as a full path.

    Raises:
        ConfigError: one sentence for anything that can't be used.
    """
    tree = {} if file is None else _read_toml(file)
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(f"{file}: {_explain(error)}") from error
    if problem := _unknown_default_model(config.generator):
        raise ConfigError(f"{file}: {problem}")
    config = _placed(config, Path.cwd() if file is None else file.absolute().parent)
    named = environment.get("ZOETROPE_DATA", "")
    if data is None and not named:
        return config
    return _with_data_folder(config, Path(named) if data is None else data)


def _unknown_default_model(generator: GeneratorConfig) -> str:
    """The sentence about a default model that nobody could render, or nothing."""
    names = [BUILT_IN_MODEL, *generator.models]
    if generator.default_model in names:
        return ""
    near = difflib.get_close_matches(generator.default_model, names, n=1)
    way_out = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{name}`' for name in names)}."
    return f"[generator] default_model names no model, `{generator.default_model}`; {way_out}"


def load_secrets(config: Config, environment: Mapping[str, str]) -> Secrets:
    """Tokens from `environment`, else from the files the configuration names.

    Raises:
        ConfigError: a named file can't be read or is empty.
    """
    return Secrets(
        discord_token=_token("discord", config.discord, environment),
        telegram_token=_token("telegram", config.telegram, environment),
    )


def _token(chat: str, section: ChatConfig, environment: Mapping[str, str]) -> SecretStr | None:
    token = environment.get(f"ZOETROPE_{chat.upper()}_TOKEN", "").strip()
    if not token and section.token_file is not None:
        token = _read_token(f"[{chat}] token_file", section.token_file)
    return SecretStr(token) if token else None


def _read_token(key: str, file: Path) -> str:
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{key}: {file} can't be read; name a text file with the token in it.") from error
    if not token:
        raise ConfigError(f"{key}: {file} is empty; put the token in it.")
    return token


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"The configuration file {file} does not exist; copy config.example.toml and change what you want to."
        ) from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ConfigError(f"The configuration file {file} can't be read ({why}); check its name and rights.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"The configuration file {file} is not UTF-8 text; save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The configuration file {file} is not valid TOML ({error}); correct that place.") from error


def _placed(config: Config, folder: Path) -> Config:
    """What the file names by a relative path lies relative to the file's own `folder`.

    A model's path stays as it is unless there is such a folder: it may be a hub id.
    """
    models = {name: _placed_model(model, folder) for name, model in config.generator.models.items()}
    sections = {
        "generator": config.generator.model_copy(update={"models": models}),
        "safety": _placed_safety(config.safety, folder),
        "discord": _placed_chat(config.discord, folder),
        "telegram": _placed_chat(config.telegram, folder),
        "web": _placed_web(config.web, folder),
    }
    return _with_data_folder(config.model_copy(update=sections), folder / _at_home(config.data.folder))


def _placed_model(model: ModelConfig, folder: Path) -> ModelConfig:
    local = folder / _at_home(Path(model.path))
    return model.model_copy(update={"path": str(local)}) if local.is_dir() else model


def _placed_chat(chat: ChatConfig, folder: Path) -> ChatConfig:
    if chat.token_file is None:
        return chat
    return chat.model_copy(update={"token_file": folder / _at_home(chat.token_file)})


def _placed_safety(safety: SafetyConfig, folder: Path) -> SafetyConfig:
    if safety.folder is None:
        return safety
    return safety.model_copy(update={"folder": folder / _at_home(safety.folder)})


def _placed_web(web: WebConfig, folder: Path) -> WebConfig:
    files = {"password_file": web.password_file, "operator_password_file": web.operator_password_file}
    return web.model_copy(update={key: folder / _at_home(file) for key, file in files.items() if file is not None})


def _with_data_folder(config: Config, folder: Path) -> Config:
    data = config.data.model_copy(update={"folder": _at_home(folder).resolve()})
    return config.model_copy(update={"data": data})


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ConfigError(f"There is no home folder for {path}; write the whole path.") from error


def _explain(error: ValidationError) -> str:
    """The first problem as a sentence (a misspelt key explains the others), and how many more there are."""
    problems = sorted(error.errors(include_url=False), key=lambda problem: problem["type"] != "extra_forbidden")
    sentence = _sentence(problems[0])
    return sentence if len(problems) == 1 else f"{sentence} (More problems after this one: {len(problems) - 1}.)"


def _sentence(problem: ErrorDetails) -> str:
    *tables, key = [str(part) for part in problem["loc"]]
    section = f"[{'.'.join(tables)}]"
    match problem["type"]:
        case "extra_forbidden" if not tables:
            return f"there is no section [{key}]; {_nearest(tables, key, '[{}]')}"
        case "extra_forbidden":
            return f"{section} has no key `{key}`; {_nearest(tables, key, '`{}`')}"
        case "missing":
            return f"{section} lacks the key `{key}`; add it."
        case "model_type" | "dict_type":
            return f"[{'.'.join([*tables, key])}] must be a table of keys and values."
    return f"{section} {key} is {_shown(problem['input'])}; it must be {_allowed(problem)}."


def _allowed(problem: ErrorDetails) -> str:
    """What a value may be, from pydantic's kind of error and its context."""
    if problem["type"] == "string_pattern_mismatch":
        return _LIKE[problem["ctx"]["pattern"]]
    words = _ALLOWED.get(problem["type"])
    if words is None:
        return f"something else ({problem['msg']})"
    return words.format(**{name: _number(bound) for name, bound in problem.get("ctx", {}).items()})


def _number(bound: object) -> object:
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _shown(value: object) -> str:
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    return text if len(text) <= 40 else f"{text[:40]}…"


def _nearest(tables: list[str], key: str, form: str) -> str:
    names = list(_section(tables).model_fields)
    near = difflib.get_close_matches(key, names, n=1)
    if near:
        return f"did you mean {form.format(near[0])}?"
    return f"there are {', '.join(form.format(name) for name in names)}."


def _section(tables: list[str]) -> type[BaseModel]:
    """The table at that place; in a table of tables (generator.models.NAME) the NAME stands for any of them."""
    section: type[BaseModel] = Config
    for table in tables:
        field = section.model_fields.get(table)
        annotation = field.annotation if field is not None else None
        inner = (get_args(annotation) or (annotation,))[-1]
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            section = inner
    return section
