"""The policy in force: an operator's folder is read, read again when it changes, and never half."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import pytest

from bot.safety import Policy, PolicyError, Rulebook, Writing, judge, rulebook
from db.records import Ruling


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "words.toml").write_text('refuse = ["durian~"]\n')
    return tmp_path


def refuses(policy: Policy, prompt: str) -> bool:
    return judge(Writing(prompt), policy).ruling is Ruling.REFUSED


def test_without_a_folder_the_built_in_policy_is_in_force() -> None:
    book = Rulebook.open(None)
    assert not refuses(book.policy, "a durian")
    assert not book.look()


def test_a_folder_is_read_and_read_again_when_it_changes(folder: Path) -> None:
    book = Rulebook.open(folder)
    before = book.policy.version
    assert refuses(book.policy, "two durians")
    assert not book.look()
    (folder / "more.toml").write_text('refuse = ["jackfruit~"]\n')
    (folder / "notes.md").write_text("not for the filter")
    assert book.look()
    assert refuses(book.policy, "a jackfruit")
    assert refuses(book.policy, "two durians")
    assert book.policy.version != before


@pytest.mark.parametrize("broken", [b"refuse = [", b"lists = 3", b"\xff\xfe", b'[lists]\nno_such_list = ["x"]'])
def test_a_broken_file_keeps_the_last_good_policy_and_is_complained_about_once(
    folder: Path, broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    book = Rulebook.open(folder)
    (folder / "words.toml").write_bytes(broken)
    with caplog.at_level(logging.WARNING):
        assert not book.look()
        os.utime(folder / "words.toml", (1, 1))
        assert not book.look()
    assert refuses(book.policy, "a durian")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    (folder / "words.toml").write_text('refuse = ["jackfruit"]\n')
    assert book.look()
    assert refuses(book.policy, "a jackfruit")


def test_a_folder_that_vanishes_changes_nothing(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    book = Rulebook.open(folder)
    (folder / "words.toml").unlink()
    folder.rmdir()
    assert not book.look()
    assert not book.look()
    assert refuses(book.policy, "a durian")
    assert len(caplog.records) == 1


def test_a_folder_that_is_not_there_or_broken_at_the_start_is_said(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"can't be read \(no such file or directory\)"):
        Rulebook.open(tmp_path / "nowhere")
    (tmp_path / "a.toml").write_text("refuse = [")
    with pytest.raises(PolicyError, match=r"a\.toml"):
        Rulebook.open(tmp_path)


async def test_whoever_judges_is_handed_the_new_policy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rulebook, "LOOK_SECONDS", 0.001)
    book, changed = Rulebook.open(folder), asyncio.Event()
    handed: list[Policy] = []

    def use(policy: Policy) -> None:
        handed.append(policy)
        changed.set()

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        watching = group.create_task(book.watch(use))
        (folder / "words.toml").write_text('refuse = ["jackfruit"]\n')
        await changed.wait()
        watching.cancel()
    assert refuses(handed[-1], "a jackfruit")
