"""What a person can get wrong on the command line of a runner: one sentence each, and a status."""

from __future__ import annotations

import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from generator.__main__ import main
from generator.errors import GeneratorError
from generator.supervision import only_runner


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "{tmp}/nowhere"], "no data folder"),
        (["--data", "{tmp}/empty"], "no database"),
        (["--data", "{tmp}/file"], "can't be written"),
        (["--config", "{tmp}/none.toml"], "does not exist"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    assert main([argument.replace("{tmp}", str(tmp_path)) for argument in arguments]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"), [(["--name", "../up"], "letters, digits or dashes"), (["fly"], "invalid choice")]
)
def test_a_wrong_argument_is_explained(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_a_runner_does_not_migrate_a_database_of_another_revision(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    assert main(["--data", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0000",)


def hold(lock: Path, name: str) -> str:
    """Hold the lock for a moment; whom it belonged to before."""
    with only_runner(lock, name, patience=0.0, say=lambda _: None) as predecessor:
        return predecessor


def test_a_lock_remembers_its_predecessor_whatever_it_was_killed_over(tmp_path: Path) -> None:
    lock = tmp_path / "runner.lock"
    assert hold(lock, "a-longer-name") == ""
    assert hold(lock, "short") == "a-longer-name"
    lock.write_bytes(lock.read_bytes() + b"of a longer line\n")  # killed before it was cut off
    assert hold(lock, "next") == "short"


def test_a_lock_that_can_not_be_written_is_one_sentence_and_forgets_nothing(tmp_path: Path) -> None:
    """A limit on the size of this process's files stands for the disk."""
    lock = tmp_path / "runner.lock"
    hold(lock, "first")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(GeneratorError, match="can't be written"):
            hold(lock, "second")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert hold(lock, "third") == "first"
