"""The configuration: what is wrong is said in one sentence, what is secret is never said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from db.config import Config, chosen, load, load_secrets
from db.database import sqlite_path
from db.errors import ConfigError


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir()
    return folder / "zoetrope.toml"


def test_without_a_file_the_defaults_hold_below_the_current_folder(tmp_path: Path) -> None:
    config = load(None, {})
    assert config.web == Config().web
    assert config.data.folder == tmp_path / "data"
    assert config.database_url == f"sqlite:///{tmp_path}/data/zoetrope.db"
    assert config.masters_url == (tmp_path / "data" / "masters").as_uri()


def test_a_config_toml_in_the_current_folder_is_taken_only_by_those_who_look_for_it(tmp_path: Path, file: Path) -> None:
    assert chosen(None) is None
    (tmp_path / "config.toml").write_text("[web]\nport = 1234\n")
    assert load(chosen(None), {}).web.port == 1234
    assert load(None, {}).web == Config().web
    assert chosen(file) == file


def test_a_data_folder_may_have_any_name_a_folder_can_have(tmp_path: Path) -> None:
    odd = tmp_path / "my clips? 100%25 #1 & co: a@b"
    config = load(None, {}, odd)
    assert sqlite_path(config.database_url) == odd / "zoetrope.db"
    assert "?" not in config.masters_url


def test_what_the_file_says_replaces_defaults_and_only_those(file: Path) -> None:
    file.write_text(
        '[quota]\ncredits = 7\n[generator.stall]\nstep = 9.5\n[generator.models.zs]\npath = "cerspense/zeroscope"\n'
    )
    config = load(file, {})
    assert (config.quota.credits, config.quota.waiting) == (7.0, 5)
    assert (config.generator.stall.step, config.generator.stall.load) == (9.5, 600.0)
    assert config.generator.models["zs"].path == "cerspense/zeroscope"


def test_the_tree_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(None, {}).web.port = 1  # type: ignore[misc]


# --- where things lie


def test_folders_that_the_file_names_lie_beside_the_file(file: Path) -> None:
    (file.parent / "weights").mkdir()
    file.write_text(
        '[data]\nfolder = "store"\n[discord]\ntoken_file = "hush"\n[generator.models.mine]\npath = "weights"\n'
    )
    config = load(file, {})
    assert config.data.folder == file.parent / "store"
    assert config.discord.token_file == file.parent / "hush"
    assert config.generator.models["mine"].path == str(file.parent / "weights")


@pytest.mark.parametrize(
    ("environment", "data", "folder"),
    [
        ({}, None, "etc/store"),
        ({"ZOETROPE_DATA": ""}, None, "etc/store"),
        ({"ZOETROPE_DATA": "env"}, None, "env"),
        ({"ZOETROPE_DATA": "env"}, "arg", "arg"),
        ({}, "arg", "arg"),
        ({}, ".", "."),
        ({"ZOETROPE_DATA": "."}, None, "."),
    ],
)
def test_the_argument_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, file: Path, environment: dict[str, str], data: str | None, folder: str
) -> None:
    file.write_text('[data]\nfolder = "store"\n')
    config = load(file, environment, None if data is None else Path(data))
    assert config.data.folder == (tmp_path / folder).resolve()


def test_a_home_folder_is_found(file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "ada"))
    file.write_text('[data]\nfolder = "~/clips"\n')
    assert load(file, {}).data.folder == tmp_path / "ada" / "clips"


# --- what is wrong

WRONG = {
    "[web]\nprot = 1": "[web] has no key `prot`; did you mean `port`?",
    "[quota]\nwindow_hour = 1": "[quota] has no key `window_hour`; did you mean `window_hours`?",
    "[quota]\nqqq = 1": "[quota] has no key `qqq`; there are `credits`, `window_hours`, `waiting`, "
    "`cool_down_seconds`, `refused_credits`, `most_credits`.",
    "[discord]\ntoken = 'hush'": "[discord] has no key `token`; did you mean `token_file`?",
    "[generator.stal]": "[generator] has no key `stal`; did you mean `stall`?",
    "[generator.stall]\nsteps = 1": "[generator.stall] has no key `steps`; did you mean `step`?",
    "[generator.models.zs]\npath = 'x'\ndtyp = 1": "[generator.models.zs] has no key `dtyp`; did you mean `dtype`?",
    "[generator.models.zs]": "[generator.models.zs] lacks the key `path`; add it.",
    "[wbe]": "there is no section [wbe]; did you mean [web]?",
    "web = 3": "[web] must be a table of keys and values.",
    "[generator]\nmodels = 'pocket'": "[generator.models] must be a table of keys and values.",
    "[web]\nport = '8420'": "[web] port is '8420'; it must be a whole number.",
    "[web]\nport = 80.5": "[web] port is 80.5; it must be a whole number.",
    "[web]\nport = true": "[web] port is true; it must be a whole number.",
    "[web]\nport = 65536": "[web] port is 65536; it must be at most 65535.",
    "[web]\nport = -1": "[web] port is -1; it must be at least 0.",
    "[web]\nenabled = 'yes'": "[web] enabled is 'yes'; it must be true or false.",
    "[web]\nhost = 127": "[web] host is 127; it must be text in quotes.",
    "[data]\nfolder = 3": "[data] folder is 3; it must be a path in quotes.",
    "[quota]\ncredits = 0": "[quota] credits is 0; it must be more than 0.",
    "[quota]\ncredits = 'many'": "[quota] credits is 'many'; it must be a number.",
    "[quota]\ncredits = inf": "[quota] credits is inf; it must be a finite number.",
    "[quota]\ncredits = nan": "[quota] credits is nan; it must be a finite number.",
    "[log]\nlevel = 'debug'": "[log] level is 'debug'; it must be one of 'DEBUG', 'INFO', 'WARNING' or 'ERROR'.",
    "[generator]\nattempts = 10.0": "[generator] attempts is 10.0; it must be a whole number.",
    "[generator]\ndevice = 'cudda'": (
        "[generator] device is 'cudda'; it must be like one of these: auto, cpu, cuda, cuda:1, mps."
    ),
    "[generator]\ndefault_model = 'pockett'": (
        "[generator] default_model names no model, `pockett`; did you mean `pocket`?"
    ),
    "[generator]\ndefault_model = 'zeroscope'": (
        "[generator] default_model names no model, `zeroscope`; there are `pocket`."
    ),
    "[web]\nprot = 1\nport = 'x'": ("[web] has no key `prot`; did you mean `port`? (More problems after this one: 1.)"),
}


@pytest.mark.parametrize(("toml", "sentence"), WRONG.items(), ids=WRONG)
def test_what_is_wrong_is_one_sentence_naming_section_key_and_cure(file: Path, toml: str, sentence: str) -> None:
    file.write_text(toml)
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert str(caught.value) == f"{file}: {sentence}"


def test_a_misplaced_secret_is_not_repeated_in_the_sentence(file: Path) -> None:
    file.write_text("[telegram]\ntoken = 'hush-hush'")
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert "hush-hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[web]\nport = \n", r"not valid TOML \(.*line 2.*\); correct that place"),
        (b"[web]\nport = 1\nport = 2\n", r"not valid TOML \(.*line 3.*\); correct that place"),
        (b'[log]\nlevel = "\xff"\n', "not UTF-8 text; save it as UTF-8"),
    ],
)
def test_a_file_that_is_no_toml_is_one_sentence_with_the_line(file: Path, content: bytes, words: str) -> None:
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=words) as caught:
        load(file, {})
    assert str(file) in str(caught.value)


def test_a_file_that_is_not_there_or_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"does not exist; copy config\.example\.toml"):
        load(tmp_path / "nothing.toml", {})
    with pytest.raises(ConfigError, match=r"can't be read .*check its name and rights"):
        load(tmp_path, {})


def test_a_home_folder_of_nobody_is_one_sentence(file: Path) -> None:
    file.write_text('[data]\nfolder = "~nobody-of-that-name/clips"\n')
    with pytest.raises(ConfigError, match="no home folder for ~nobody-of-that-name/clips; write the whole path"):
        load(file, {})


# --- secrets


def _with_token_file(file: Path, content: bytes | None) -> Config:
    if content is not None:
        (file.parent / "hush").write_bytes(content)
    file.write_text('[discord]\ntoken_file = "hush"\n')
    return load(file, {})


def test_no_token_is_no_secret() -> None:
    found = load_secrets(Config(), {"ZOETROPE_DISCORD_TOKEN": "  "})
    assert (found.discord_token, found.telegram_token) == (None, None)


def test_tokens_come_from_the_environment_before_the_file(file: Path) -> None:
    config = _with_token_file(file, b"from-file\n")
    environment = {"ZOETROPE_DISCORD_TOKEN": "from-env\n", "ZOETROPE_TELEGRAM_TOKEN": "tele"}
    both, from_file = load_secrets(config, environment), load_secrets(config, {})
    assert both.discord_token is not None
    assert both.telegram_token is not None
    assert from_file.discord_token is not None
    assert both.discord_token.get_secret_value() == "from-env"
    assert both.telegram_token.get_secret_value() == "tele"
    assert from_file.discord_token.get_secret_value() == "from-file"


def test_secrets_are_never_printed() -> None:
    found = load_secrets(Config(), {"ZOETROPE_DISCORD_TOKEN": "hush-hush"})
    assert "hush-hush" not in f"{found} {found!r} {found.model_dump()} {found.model_dump_json()}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "can't be read; name a text file"),
        (b"\xff\xfe", "can't be read; name a text file"),
        (b" \n", "is empty; put the token in it"),
    ],
)
def test_a_token_file_without_a_token_is_one_sentence(file: Path, content: bytes | None, words: str) -> None:
    config = _with_token_file(file, content)
    with pytest.raises(ConfigError, match=re.escape("[discord] token_file: ") + f".*hush {words}"):
        load_secrets(config, {})
