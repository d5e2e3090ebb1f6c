"""Opening, writing, reading and hearing of a real file, from real processes."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import Popen

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

from db import runners, sqlite
from db.database import Database, sqlite_path
from db.errors import DatabaseUnreachable
from db.tables import runners as runners_table

Start = Callable[..., "Popen[str]"]


class Mishap(Exception):
    """Something unexpected in the middle of a transaction."""


async def _write_and_fail(database: Database) -> None:
    async with database.transaction() as tx:
        await runners.seen(tx, "half", "cpu", now=1.0)
        raise Mishap


async def _names(database: Database) -> set[str]:
    async with database.reading() as tx:
        return set((await tx.execute(select(runners_table.c.name))).scalars())


# --- opening


async def test_a_missing_folder_is_created_and_the_file_migrated(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/deep/down/zoetrope.db", migrate=True)
    assert await _names(database) == set()
    await database.close()


async def test_a_relative_url_lies_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    await (await Database.open("sqlite:///here.db", migrate=True)).close()
    assert (tmp_path / "here.db").is_file()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://ann:hush@host/zoetrope", "kind 'postgresql' are not supported yet"),
        ("mysql://host/zoetrope", "kind 'mysql' are not supported yet"),
        ("zoetrope.db", "can't be understood"),
        ("", "can't be understood"),
        ("sqlite://", "must name a plain file"),
        ("sqlite:///:memory:", "must name a plain file"),
        ("sqlite:///a.db?mode=ro", "must name a plain file"),
    ],
)
def test_a_url_that_names_no_file_is_refused_in_one_sentence(url: str, words: str) -> None:
    with pytest.raises(DatabaseUnreachable, match=words) as caught:
        sqlite_path(url)
    assert "sqlite:///data/zoetrope.db" in str(caught.value)
    assert "hush" not in str(caught.value)


async def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatabaseUnreachable, match=r"can't be created .* choose another data folder"):
        await Database.open(f"sqlite:///{tmp_path}/file/below/zoetrope.db", migrate=True)


async def test_a_file_that_is_no_database_is_one_sentence_and_stays(tmp_path: Path) -> None:
    diary = tmp_path / "zoetrope.db"
    diary.write_text("dear diary, " * 1000)
    with pytest.raises(DatabaseUnreachable, match="not a database; move that file away"):
        await Database.open(f"sqlite:///{diary}", migrate=True)
    assert diary.read_text().startswith("dear diary")


async def test_a_folder_in_the_place_of_the_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnreachable, match="can't be opened"):
        await Database.open(f"sqlite:///{tmp_path}", migrate=True)


async def test_only_the_migrating_program_creates_the_file(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnreachable, match=r"no database .* yet; start `zoetrope` first"):
        await Database.open(f"sqlite:///{tmp_path}/zoetrope.db")
    assert os.listdir(tmp_path) == []  # noqa: PTH208


async def test_the_file_is_in_wal_mode_with_full_syncs_and_foreign_keys(database: Database) -> None:
    async with database.transaction() as tx:
        found = {
            pragma: (await tx.execute(text(f"PRAGMA {pragma}"))).scalar_one()
            for pragma in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


# --- writing


async def test_four_processes_incrementing_lose_no_update(
    database: Database, database_url: str, start_child: Start
) -> None:
    async with database.transaction() as tx:
        await runners.seen(tx, "counter", "cpu", now=0.0)
    children = [start_child("increment", database_url, "300") for _ in range(4)]
    assert [child.wait(timeout=110) for child in children] == [0] * 4
    async with database.reading() as tx:
        assert (await tx.execute(select(runners_table.c.seen_at))).scalar_one() == 1200


async def test_a_hundred_tasks_writing_at_once_lose_no_update(database: Database) -> None:
    async def write(number: int) -> None:
        async with database.transaction() as tx:
            count = (await tx.execute(select(func.count()).select_from(runners_table))).scalar_one()
            await asyncio.sleep(0)
            await runners.seen(tx, str(number), "cpu", now=float(count))

    await asyncio.gather(*(write(number) for number in range(100)))
    async with database.reading() as tx:
        assert set((await tx.execute(select(runners_table.c.seen_at))).scalars()) == set(range(100))


async def test_an_error_rolls_the_whole_transaction_back(database: Database) -> None:
    with pytest.raises(Mishap):
        await _write_and_fail(database)
    assert await _names(database) == set()


async def test_a_cancelled_writer_leaves_nothing_and_blocks_nobody(database: Database) -> None:
    inside = asyncio.Event()

    async def write_for_ever() -> None:
        async with database.transaction() as tx:
            await runners.seen(tx, "half", "cpu", now=1.0)
            inside.set()
            await asyncio.Event().wait()

    writer = asyncio.create_task(write_for_ever())
    await inside.wait()
    writer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writer
    async with database.transaction() as tx:
        await runners.seen(tx, "whole", "cpu", now=1.0)
    assert await _names(database) == {"whole"}


async def test_a_reference_to_nothing_is_refused_at_commit(database: Database) -> None:
    with pytest.raises(Exception, match="FOREIGN KEY"):
        async with database.transaction() as tx:
            await tx.execute(
                text(
                    "INSERT INTO reservations (job, asker_surface, asker_id, credits, created_at, state)"
                    " VALUES ('nobody', 'web', 'ada', 1, 1.0, 'reserved')"
                )
            )


async def test_a_full_disk_is_one_sentence_and_nothing_is_written(database: Database) -> None:
    async with database.transaction() as tx:  # the limit stays with the one connection that writes
        pages = (await tx.execute(text("PRAGMA page_count"))).scalar_one()
        await tx.execute(text(f"PRAGMA max_page_count={pages}"))

    async def write_much() -> None:
        async with database.transaction() as tx:
            await runners.seen(tx, "small", "cpu", now=1.0)
            await runners.seen(tx, "x" * 1_000_000, "cpu", now=1.0)

    with pytest.raises(DatabaseUnreachable, match="no space left"):
        await write_much()
    assert await _names(database) == set()


@pytest.mark.parametrize("kill_after", [1, 2, 5, 11, 23])
async def test_a_kill_during_commits_loses_no_acknowledged_row(
    database_url: str, start_child: Start, kill_after: int
) -> None:
    child = start_child("commit_for_ever", database_url, "row")
    assert child.stdout is not None
    acknowledged = {child.stdout.readline().strip() for _ in range(kill_after)}
    child.kill()
    acknowledged |= {line.strip() for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")}
    child.wait(timeout=30)
    database = await Database.open(database_url)
    assert acknowledged <= await _names(database)
    async with database.reading() as tx:
        assert (await tx.execute(text("PRAGMA integrity_check"))).scalar_one() == "ok"
    await database.close()


# --- reading


async def test_a_reader_sees_one_moment_while_others_write(database: Database) -> None:
    async with database.reading() as snapshot:
        assert (await snapshot.execute(select(runners_table))).all() == []
        async with database.transaction() as tx:
            await runners.seen(tx, "new", "cpu", now=1.0)
        assert (await snapshot.execute(select(runners_table))).all() == []
    assert await _names(database) == {"new"}


async def test_writing_through_a_reader_is_refused_as_our_mistake(database: Database) -> None:
    with pytest.raises(OperationalError, match="readonly"):
        async with database.reading() as tx:
            await runners.seen(tx, "sneaky", "cpu", now=1.0)


# --- the bell


async def test_the_bell_rings_on_another_process_s_commit(
    database: Database, database_url: str, start_child: Start
) -> None:
    child = start_child("commit_on_call", database_url)
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.stdout.readline() == "ready\n"
    for name in ("first", "second"):
        seen = database.bell.count()
        child.stdin.write(f"{name}\n")
        child.stdin.flush()
        assert await database.bell.wait(seen, timeout=60) != seen
        assert name in await _names(database)


async def test_the_bell_rings_on_our_own_commit_for_every_waiter(database: Database) -> None:
    seen = database.bell.count()
    async with asyncio.TaskGroup() as group:
        waiters = [group.create_task(database.bell.wait(seen, timeout=60)) for _ in range(3)]
        async with database.transaction() as tx:
            await runners.seen(tx, "me", "cpu", now=1.0)
    assert all(waiter.result() != seen for waiter in waiters)


async def test_a_commit_before_the_wait_is_not_missed(database: Database) -> None:
    seen = database.bell.count()
    async with database.transaction() as tx:
        await runners.seen(tx, "me", "cpu", now=1.0)
    assert await database.bell.wait(seen, timeout=0) != seen


async def test_the_bell_is_silent_without_a_commit(database: Database) -> None:
    await _names(database)
    seen = database.bell.count()
    with pytest.raises(Mishap):
        await _write_and_fail(database)
    await _names(database)
    assert await database.bell.wait(seen, timeout=0.05) == seen


async def test_a_listener_blocks_no_writer(database: Database, database_url: str) -> None:
    database.bell.count()
    with closing(sqlite3.connect(Path(database_url.removeprefix("sqlite:///")), timeout=0)) as other:
        other.execute("BEGIN EXCLUSIVE")
        other.execute("ROLLBACK")


async def test_what_a_person_wrote_is_not_part_of_an_error(database: Database) -> None:
    """Errors reach logs, prompts must not."""
    with pytest.raises(Exception, match="no_such_table") as caught:
        async with database.transaction() as tx:
            await tx.execute(text("SELECT * FROM no_such_table WHERE prompt = :prompt"), {"prompt": "a heart on blue"})
    assert "a heart on blue" not in str(caught.value)
    assert "a heart on blue" not in str(caught.value.__cause__)


async def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "zoetrope.db"
    await (await Database.open(f"sqlite:///{path}", migrate=True)).close()
    with closing(sqlite3.connect(path)) as connection:
        pages = connection.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = 'runners'").fetchall()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        for (page,) in pages:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)
    database = await Database.open(f"sqlite:///{path}")
    with pytest.raises(DatabaseUnreachable, match="the file is damaged"):
        await _names(database)
    await database.close()


async def test_a_turn_that_does_not_come_is_one_sentence(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    database = await Database.open(database_url)
    async with database.transaction():
        with pytest.raises(DatabaseUnreachable, match="too much is waiting for it; try again"):
            await _write_and_fail(database)
    await database.close()
