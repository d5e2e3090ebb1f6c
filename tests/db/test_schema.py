"""Migrations: they end at what the tables say, run once, and never leave a file half-way."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from db import refusals, reviews, schema, sqlite
from db.database import Database
from db.errors import DatabaseUnreachable, WrongRevision
from db.records import Asker, ReviewKind
from db.tables import metadata

Start = Callable[..., "Popen[str]"]


def _write(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def _is_described(name: str | None, kind: str, parents: object) -> bool:
    """The search index is a virtual table of SQLite, which brings tables of its own."""
    return not (kind == "table" and name is not None and name.startswith("clip_words"))


def _constraints(path: Path) -> dict[str, Any]:
    engine = sqlite.migrating_engine(path)
    inspector = inspect(engine)
    found = {
        table: (
            {(check["name"], check["sqltext"]) for check in inspector.get_check_constraints(table)},
            {(key["name"], str(key["options"])) for key in inspector.get_foreign_keys(table)},
            {(unique["name"], tuple(unique["column_names"])) for unique in inspector.get_unique_constraints(table)},
        )
        for table in inspector.get_table_names()
        if table != "alembic_version" and not table.startswith("clip_words")
    }
    engine.dispose()
    return found


def test_a_fresh_upgrade_has_exactly_the_tables_columns_and_indices_of_the_metadata(empty_database: Path) -> None:
    engine = sqlite.migrating_engine(empty_database)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_name": _is_described}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    engine.dispose()
    assert differences == []


def test_a_fresh_upgrade_has_exactly_the_constraints_of_the_metadata(empty_database: Path, tmp_path: Path) -> None:
    engine = sqlite.migrating_engine(tmp_path / "direct.db")
    metadata.create_all(engine)
    engine.dispose()
    direct = _constraints(tmp_path / "direct.db")
    assert _constraints(empty_database) == direct
    assert any(checks for checks, _, _ in direct.values())


def test_the_head_written_in_the_program_is_the_last_migration() -> None:
    assert ScriptDirectory.from_config(schema.alembic_config()).get_heads() == [schema.HEAD]


def test_an_upgrade_of_an_upgraded_file_changes_nothing(empty_database: Path) -> None:
    before = empty_database.read_bytes()
    schema.upgrade(empty_database)
    assert empty_database.read_bytes() == before


async def test_three_processes_migrating_at_once_all_succeed(tmp_path: Path, start_child: Start) -> None:
    path = tmp_path / "zoetrope.db"
    children = [start_child("migrate", f"sqlite:///{path}") for _ in range(3)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    answers = [child.communicate("go\n", timeout=60)[0] for child in children]
    assert answers == ["migrated\n"] * 3
    schema.check(path)


async def test_a_file_of_a_newer_program_is_refused_by_everybody(database_url: str) -> None:
    path = Path(database_url.removeprefix("sqlite:///"))
    _write(path, "UPDATE alembic_version SET version_num = '9999'")
    for migrate in (True, False):
        with pytest.raises(WrongRevision, match=r"newer Zoetrope \(revision 9999, .*install the newer version"):
            await Database.open(database_url, migrate=migrate)


async def test_a_file_without_tables_waits_for_the_migrating_program(tmp_path: Path) -> None:
    path = tmp_path / "zoetrope.db"
    path.touch()
    with pytest.raises(WrongRevision, match="older than this program; start `zoetrope` once"):
        await Database.open(f"sqlite:///{path}")
    await (await Database.open(f"sqlite:///{path}", migrate=True)).close()
    await (await Database.open(f"sqlite:///{path}")).close()


async def test_a_file_of_an_older_program_waits_for_the_migrating_program(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "HEAD", "9999")
    with pytest.raises(WrongRevision, match="older than this program"):
        await Database.open(database_url)


def test_a_failed_upgrade_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "zoetrope.db"
    _write(path, "CREATE TABLE runners (in_the_way TEXT)")
    with pytest.raises(DatabaseUnreachable, match="runners already exists"):
        schema.upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("runners",)]


def test_a_lock_held_for_ever_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "zoetrope.db"
    monkeypatch.setattr(schema, "LOCK_SECONDS", 0.1)
    with schema._lock(path), pytest.raises(DatabaseUnreachable, match=r"still upgrading the database .*; wait for it"):
        schema.upgrade(path)


def _upgrade_to(path: Path, revision: str) -> None:
    engine = sqlite.migrating_engine(path)
    config = schema.alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def test_what_an_older_program_stored_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "zoetrope.db"
    _upgrade_to(path, "0001")
    row = "INSERT INTO requests VALUES ('web', 'r1', 'web', 'ada', 'web', 'main', '', '{}', 1.0, 'received', '', NULL)"
    _write(path, row)
    schema.upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id, made_from FROM requests").fetchall() == [("r1", "")]


def test_what_an_older_program_has_hidden_was_hidden_by_moderators_and_nothing_old_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "zoetrope.db"
    _upgrade_to(path, "0003")
    _write(
        path,
        "INSERT INTO jobs (id, asker_surface, asker_id, surface, place, thread, message, spec, verdict, format, cost,"
        " state, attempt, created_at, changed_at, reason, origin) SELECT column1, 'web', 'ada', 'web', 'main', '', '',"
        " '{}', '{}', 'gif', 0, 'done', 1, 1.0, 1.0, '', '' FROM (VALUES ('shown'), ('hidden'), ('forgotten'))",
    )
    _write(
        path,
        "INSERT INTO clips (id, job, asker_surface, asker_id, model, spec, verdict, master, sha256, bytes, seconds,"
        " created_at, hidden, forgotten) SELECT id, id, 'web', 'ada', 'm', '{}', '{\"ruling\": \"labelled\"}',"
        " iif(id = 'forgotten', '', id), '', 0, '{}', 1.0, id <> 'shown', id = 'forgotten' FROM jobs",
    )
    schema.upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT id, hidden_by, unlisted FROM clips ORDER BY id").fetchall()
    assert found == [("forgotten", "", 0), ("hidden", "moderators", 0), ("shown", "", 0)]


async def test_appeals_that_an_older_program_took_are_looked_at_where_the_place_is_now(tmp_path: Path) -> None:
    path = tmp_path / "zoetrope.db"
    _upgrade_to(path, "0003")
    _write(
        path,
        "INSERT INTO refusals SELECT column1, column1, 'telegram', '7', 'telegram', '-1', '',"
        ' \'{"ruling": "refused", "rules": []}\', \'naked\', 1.0, column2'
        " FROM (VALUES ('appealed', 2.0), ('silent', NULL))",
    )
    _write(path, "INSERT INTO moved_places VALUES ('telegram', '-1', '-2', 3.0)")
    schema.upgrade(path)
    database = await Database.open(f"sqlite:///{path}")
    async with database.reading() as tx:
        (review,) = await reviews.waiting(tx, "telegram", "-2")
        subject = await refusals.get(tx, review.subject)
        undrawn = await reviews.undrawn(tx, ["telegram"], 9)
    await database.close()
    assert (review.kind, review.target, review.opened_at) == (ReviewKind.APPEAL, Asker("telegram", "7"), 2.0)
    assert subject is not None
    assert (subject.id, subject.address.place) == ("appealed", "-2")
    assert undrawn == []  # there is no desk yet
