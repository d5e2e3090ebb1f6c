"""The clip store: whole files or none, wherever a process is stopped."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from db.clip_files import ClipFiles
from db.errors import ClipStoreFull, ClipStoreUnwritable, ConfigError
from db.ids import new_id

Start = Callable[..., "Popen[str]"]
FRAMES = bytes(range(256)) * 8192  # 2 MiB


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A folder that does not exist yet, with a name that URLs must escape."""
    return tmp_path / "my clips, 100% # done?"


@pytest.fixture
def files(store: Path) -> ClipFiles:
    return ClipFiles(store.as_uri())


@pytest.fixture
def temp(tmp_path: Path) -> Path:
    path = tmp_path / "work" / "job.mkv"
    path.parent.mkdir()
    path.write_bytes(FRAMES)
    return path


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _write_long_ago(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    os.utime(path, (time.time() - 7200,) * 2)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


async def test_a_kept_clip_has_the_name_of_its_id_and_the_temp_is_gone(
    files: ClipFiles, store: Path, temp: Path
) -> None:
    master = await files.keep(temp, "clip1", ".mkv")
    assert master == "clip1.mkv"
    assert (await files.local(master)).read_bytes() == FRAMES
    assert _names(store) == ["clip1.mkv"]
    assert _names(temp.parent) == []


async def test_keeping_the_same_clip_again_replaces_it(files: ClipFiles, store: Path, temp: Path) -> None:
    await files.keep(temp, "clip1", ".mkv")
    _write(temp, b"second attempt")
    await files.keep(temp, "clip1", ".mkv")
    assert (store / "clip1.mkv").read_bytes() == b"second attempt"
    assert _names(store) == ["clip1.mkv"]


async def test_the_bytes_are_on_the_disk_before_the_name_is(
    files: ClipFiles, temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, rename = os.fsync, Path.replace

    def noted_fsync(descriptor: int) -> None:
        calls.append("fsync")
        fsync(descriptor)

    def noted_rename(path: Path, target: Path) -> Path:
        calls.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_rename)
    await files.keep(temp, "clip1", ".mkv")
    assert calls == ["fsync", "rename", "fsync"]


@pytest.mark.parametrize("limit", [0, 1, len(FRAMES) - 1])
def test_a_store_without_room_keeps_no_half_file_and_leaves_the_temp(
    store: Path, temp: Path, start_child: Start, limit: int
) -> None:
    child = start_child("keep_within", store.as_uri(), str(temp), str(limit))
    assert child.communicate(timeout=60)[0] == "ClipStoreFull\n"
    assert _names(store) == []
    assert temp.read_bytes() == FRAMES


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (errno.ENOSPC, ClipStoreFull, "no space left"),
        (errno.EDQUOT, ClipStoreFull, "no space left"),
        (errno.EROFS, ClipStoreUnwritable, "can't be written"),
        (errno.EIO, ClipStoreUnwritable, "can't be written"),
    ],
)
async def test_a_disk_that_fails_at_the_last_moment_is_one_sentence_and_no_half_file(
    files: ClipFiles,
    store: Path,
    temp: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    kind: type[Exception],
    words: str,
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(kind, match=words):
        await files.keep(temp, "clip1", ".mkv")
    assert _names(store) == []
    assert _names(temp.parent) == ["job.mkv"]


@pytest.mark.parametrize("below", ["", "deep/down"])
async def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, temp: Path, below: str) -> None:
    (tmp_path / "file").write_text("in the way")
    files = ClipFiles((tmp_path / "file" / below).as_uri())
    with pytest.raises(ClipStoreUnwritable, match=r"can't be written .*\[data\] masters"):
        await files.keep(temp, "clip1", ".mkv")
    assert _names(temp.parent) == ["job.mkv"]
    assert (tmp_path / "file").read_text() == "in the way"


async def test_a_missing_temp_is_our_mistake_and_touches_nothing(files: ClipFiles, store: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await files.keep(tmp_path / "nothing.mkv", "clip1", ".mkv")
    assert _names(store) == []


@pytest.mark.parametrize(
    ("clip_id", "suffix"), [("../evil", ".mkv"), ("", ".mkv"), ("a/b", ".mkv"), ("clip1", "/../x"), ("clip1", "")]
)
async def test_a_name_that_is_no_id_never_reaches_a_path(
    files: ClipFiles, store: Path, temp: Path, clip_id: str, suffix: str
) -> None:
    with pytest.raises(ValueError, match="no name"):
        await files.keep(temp, clip_id, suffix)
    assert _names(store) == []


@pytest.mark.parametrize("master", ["../../etc/passwd", "/etc/passwd", "", ".", "..", ".clip1.mkv.part", "a/b.mkv"])
async def test_a_path_out_of_the_store_is_neither_read_nor_removed(files: ClipFiles, master: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        await files.local(master)
    with pytest.raises(ValueError, match="no name"):
        await files.remove(master)


async def test_a_removed_clip_is_gone_and_removing_it_again_is_fine(files: ClipFiles, store: Path, temp: Path) -> None:
    master = await files.keep(temp, "clip1", ".mkv")
    await files.remove(master)
    await files.remove(master)
    assert _names(store) == []
    with pytest.raises(FileNotFoundError):
        await files.local(master)


async def test_a_sweep_removes_old_files_that_no_row_names(files: ClipFiles, store: Path, temp: Path) -> None:
    assert await files.sweep(set()) == []
    young = await files.keep(temp, new_id(), ".mkv")
    named, orphan, half = f"{new_id()}.mkv", f"{new_id()}.mkv", f".{new_id()}.mkv.part"
    for name in (named, orphan, half):
        _write_long_ago(store / name)
    assert await files.sweep({named}) == sorted([half, orphan])
    assert _names(store) == sorted([named, young])


async def test_a_sweep_leaves_alone_what_zoetrope_did_not_make(files: ClipFiles, store: Path) -> None:
    theirs = ["holiday.mkv", "README", ".hidden", "0123456789a.mkv"]
    for name in theirs:
        _write_long_ago(store / name)
    assert await files.sweep(set()) == []
    assert _names(store) == sorted(theirs)


async def test_the_loop_turns_while_a_clip_is_kept(files: ClipFiles, temp: Path) -> None:
    keeping = asyncio.create_task(files.keep(temp, "clip1", ".mkv"))
    await asyncio.sleep(0)
    assert not keeping.done()
    assert await keeping == "clip1.mkv"


@pytest.mark.parametrize("url", ["file:///srv/what?/clips", "file:///srv/clips#1"])
def test_a_folder_is_never_cut_short_at_a_sign_of_urls(url: str) -> None:
    with pytest.raises(ConfigError, match="as %3F or %23"):
        ClipFiles(url)


@pytest.mark.parametrize("url", ["s3://bucket/clips", "masters", "http://host/x", "file:relative", "file://host/x", ""])
def test_a_store_of_another_kind_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(ConfigError, match=r"\[data\] masters .* file:///srv/zoetrope/masters"):
        ClipFiles(url)
