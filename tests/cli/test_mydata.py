"""`zoetrope mydata`, as an operator runs it."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cli import my_data
from bot.errors import WrongUse
from db import gallery, queue, quotas
from db.database import Database
from db.records import Address, Asker, Clip, ClipSpec, Handle, Job, JobState, Ruling, Verdict

Zoetrope = Callable[..., subprocess.CompletedProcess[str]]
ADA = Asker("telegram", "4711")
SPEC = ClipSpec("a quokka", "", 7, 12, 7.5, 8, 32, 32, 8, "pocket")
VERDICT = Verdict(Ruling.ALLOWED)


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A data folder with a clip of Ada's, and a job that waits."""
    folder = tmp_path / "data"
    (folder / "masters").mkdir(parents=True)
    (folder / "masters" / "0123456789.mkv").write_bytes(b"frames")
    database = await Database.open(f"sqlite:///{folder / 'zoetrope.db'}", migrate=True)
    handle = Handle(Address("telegram", "-100"), "1")
    async with database.transaction() as tx:
        for job_id in ("jobjobjob1", "jobjobjob2"):
            job = Job(job_id, ADA, handle, SPEC, VERDICT, "gif", 1000, JobState.QUEUED, 0, 100.0, 100.0)
            await queue.enqueue(tx, job)
            await quotas.reserve(tx, job_id, ADA, 1000, 100.0)
        lease = await queue.claim(tx, "jobjobjob1", runner="r", now=110.0, until=140.0)
        assert lease is not None
        assert await queue.finish(tx, lease, 120.0)
        clip = Clip("0123456789", "jobjobjob1", ADA, SPEC, VERDICT, "0123456789.mkv", "00", 6, {}, 120.0)
        await gallery.publish(tx, clip)
    await database.close()
    return folder


def test_everything_about_a_person_comes_in_one_zip(zoetrope: Zoetrope, data: Path, home: Path) -> None:
    done = zoetrope("mydata", "export", "telegram:4711", "--data", str(data))
    assert (done.returncode, done.stderr) == (0, "")
    assert "zoetrope-data-telegram-4711.zip" in done.stdout
    with zipfile.ZipFile(home / "zoetrope-data-telegram-4711.zip") as parcel:
        assert sorted(parcel.namelist()) == ["clips/0123456789.mkv", "data.json"]
        assert parcel.read("clips/0123456789.mkv") == b"frames"
        found = json.loads(parcel.read("data.json"))
    assert found["files"] == [{"clip": "0123456789", "file": "clips/0123456789.mkv"}]
    assert [clip["spec"]["prompt"] for clip in found["clips"]] == ["a quokka"]
    assert list((data / "exports").iterdir()) == []  # nothing lies about


@pytest.mark.parametrize("arguments", [("export",), ("delete",), ("delete", "--yes")])
def test_an_id_that_nobody_has_is_told(zoetrope: Zoetrope, data: Path, home: Path, arguments: tuple[str, ...]) -> None:
    done = zoetrope("mydata", *arguments, "web:nobody", "--data", str(data))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Nobody with the id nobody on web is known here: check the id.\n"
    assert list(home.iterdir()) == []


def test_a_file_that_is_there_is_not_written_over(zoetrope: Zoetrope, data: Path, tmp_path: Path) -> None:
    there = tmp_path / "mine.zip"
    there.write_text("mine")
    done = zoetrope("mydata", "export", "telegram:4711", "--out", str(there), "--data", str(data))
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert there.read_text() == "mine"


def test_where_nothing_can_be_written_it_says_so(zoetrope: Zoetrope, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "missing" / "mine.zip"
    done = zoetrope("mydata", "export", "telegram:4711", "--out", str(out), "--data", str(data))
    assert done.returncode == 1
    assert "can't be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((data / "exports").iterdir()) == []


async def left(data: Path) -> tuple[str, str, int]:
    """The words and the person of the clip's job, and how many jobs wait."""
    database = await Database.open(f"sqlite:///{data / 'zoetrope.db'}")
    try:
        async with database.reading() as tx:
            job = await queue.get(tx, "jobjobjob1")
            assert job is not None
            return job.spec.prompt, job.asker.id, await queue.waiting_count(tx)
    finally:
        await database.close()


@pytest.mark.parametrize(("level", "named"), [("strict", "4711"), ("platform", "deleted")])
async def test_a_level_deletes_clips_and_words(zoetrope: Zoetrope, data: Path, level: str, named: str) -> None:
    renditions, preview = data / "renditions" / "0123456789", data / "previews" / "jobjobjob2.webp"
    for folder in (renditions, preview.parent):
        folder.mkdir(parents=True)
    preview.write_bytes(b"half")
    done = zoetrope("mydata", "delete", "telegram:4711", "--level", level, "--yes", "--data", str(data))
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 clips, 1 under way" in done.stdout
    assert await left(data) == ("", named, 0)
    assert list((data / "masters").iterdir()) == []
    assert not renditions.exists()
    assert not preview.exists()


@pytest.mark.parametrize(("typed", "waiting"), [("y\n", 0), ("", 1)])
async def test_nothing_is_deleted_before_it_is_confirmed(
    zoetrope: Zoetrope, data: Path, typed: str, waiting: int
) -> None:
    done = zoetrope("mydata", "delete", "telegram:4711", "--data", str(data), typed=typed)
    assert "Delete what user covers of telegram:4711?" in done.stderr
    assert (await left(data))[2] == waiting
    assert done.returncode == (130 if waiting else 0)


@pytest.mark.parametrize("person", ["4711", "irc:4711", "telegram:@ada", "telegram:", "telegram:a b", "web:../x"])
def test_whoever_can_not_be_meant_is_told_how_to_name_them(person: str) -> None:
    with pytest.raises(WrongUse, match="SURFACE:ID"):
        my_data.person(person)


def test_wrong_use_is_one_sentence(zoetrope: Zoetrope, data: Path) -> None:
    done = zoetrope("mydata", "delete", "@ada", "--data", str(data))
    assert (done.returncode, done.stdout) == (2, "")
    assert "SURFACE:ID" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_level_that_there_is_not_is_one_sentence(zoetrope: Zoetrope, data: Path) -> None:
    done = zoetrope("mydata", "delete", "telegram:4711", "--level", "all", "--data", str(data))
    assert done.returncode == 2
    assert "platform" in done.stderr
