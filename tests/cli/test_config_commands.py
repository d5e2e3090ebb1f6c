from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

Zoetrope = Callable[..., subprocess.CompletedProcess[str]]
TOKEN = "a-token-that-nobody-may-see"


def test_the_shown_configuration_is_the_one_in_force(zoetrope: Zoetrope, home: Path) -> None:
    (home / "my.toml").write_text('[generator.models."my model"]\npath = "models/mine"\n[web]\nport = 9000\n')
    shown = tomllib.loads(zoetrope("config", "show", "--config", "my.toml").stdout)
    assert shown["web"] == {"enabled": True, "host": "127.0.0.1", "port": 9000, "names": [], "address": ""}
    assert shown["generator"]["models"]["my model"]["path"] == "models/mine"
    assert shown["data"]["folder"] == str(home / "data")


def test_what_is_shown_can_be_used_as_a_configuration(zoetrope: Zoetrope, home: Path) -> None:
    (home / "shown.toml").write_text(zoetrope("config", "show").stdout)
    assert zoetrope("config", "check", "--config", "shown.toml").stdout == "shown.toml is fine.\n"


@pytest.mark.parametrize("password", ["hidden-word", "hid:den-word", "hid/den-word", "hid@den-word"])
def test_secrets_are_masked(zoetrope: Zoetrope, home: Path, password: str) -> None:
    (home / "token").write_text(TOKEN)
    (home / "my.toml").write_text(
        f'[data]\ndatabase = "postgresql://me:{password}@host/db"\n[telegram]\ntoken_file = "token"\n'
    )
    done = zoetrope("config", "show", "--config", "my.toml", ZOETROPE_DISCORD_TOKEN=TOKEN)
    assert "discord token: ********" in done.stdout
    assert "telegram token: ********" in done.stdout
    assert TOKEN not in done.stdout + done.stderr
    assert 'database = "postgresql://me:********@host/db"' in done.stdout
    assert "den-word" not in done.stdout + done.stderr


def test_the_data_folder_is_chosen_by_argument_then_environment_then_file(zoetrope: Zoetrope, home: Path) -> None:
    (home / "my.toml").write_text('[data]\nfolder = "filed"\n')

    def folder(*arguments: str, **environment: str) -> str:
        shown = zoetrope("config", "show", "--config", "my.toml", *arguments, **environment).stdout
        return Path(tomllib.loads(shown)["data"]["folder"]).name

    assert folder() == "filed"
    assert folder(ZOETROPE_DATA="surrounding") == "surrounding"
    assert folder("--data", "said", ZOETROPE_DATA="surrounding") == "said"


def test_the_commands_answer_without_writing_anything(zoetrope: Zoetrope, home: Path) -> None:
    for arguments in (["--help"], ["--version"], ["config", "show"], ["judge", "a heart"]):
        assert zoetrope(*arguments).returncode == 0
    assert list(home.iterdir()) == []
