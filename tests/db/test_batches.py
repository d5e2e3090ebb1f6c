"""What is past its time goes a few rows at a time, and looking for it costs no more than one walk through a table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import batches, cases, notices, reports, retention, reviews, standing
from db.database import Database
from db.records import Decision, ReviewKind
from db.tables import metadata

Forget = Callable[[AsyncConnection, float], Awaitable[int]]

HERE = {"surface": "web", "place": "main"}
ADA = {"asker_surface": "web", "asker_id": "ada"}
CASE = {"actor_surface": "", "actor_id": "", "action": "strike", "rule": "", "policy": "", "reason": "", "about": []}
REVIEW = {"kind": ReviewKind.REPORTED, "target_surface": "web", "target_id": "ada", "decision": Decision.APPROVE}
CARD = {"thread": "", "decided_by_surface": "", "decided_by_id": "", "card_thread": "", "card_message": ""}
TOLD = {"thread": "", "message": "1", "sentence": "Hello.", "attempts": 0, "due_at": 1.0, "reason": ""}
ROWS: dict[str, tuple[Forget, dict[str, Any]]] = {
    "cases": (cases.forget, CASE),
    "strikes": (standing.forget, {**ADA, "points": 1, "case": 1, "until": 2.0}),
    "restrictions": (standing.forget, {**ADA, "curb": "mute", "case": 1, "since": 1.0, "until": 2.0}),
    "reviews": (reviews.forget, {**REVIEW, **CARD, "opened_at": 1.0, "decided_at": 2.0}),
    "reports": (reports.forget, {"reason": "", "outcome": "false", "clip": "c"}),
    "notices": (notices.forget, {**ADA, **TOLD, "sent_at": 2.0}),
}


def row(table: str, values: dict[str, Any], number: int) -> dict[str, Any]:
    own: dict[str, dict[str, Any]] = {
        "cases": {"number": number},
        "reviews": {"subject": str(number)},
        "reports": {**ADA, "asker_id": f"{number}"},
    }
    every = {"id": str(number), "created_at": 1.0, **HERE, **values, **own.get(table, {})}
    return {name: value for name, value in every.items() if name in metadata.tables[table].c}


@pytest.mark.parametrize(("table", "forget", "values"), [(name, *more) for name, more in ROWS.items()], ids=ROWS)
async def test_a_batch_goes_at_a_time(
    database: Database, monkeypatch: pytest.MonkeyPatch, table: str, forget: Forget, values: dict[str, Any]
) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    async with database.transaction() as tx:
        await tx.execute(insert(metadata.tables[table]), [row(table, values, number) for number in range(1, 6)])
        gone = [await forget(tx, 9.0) for _ in range(4)]
        left = (await tx.execute(select(func.count()).select_from(metadata.tables[table]))).scalar_one()
        await tx.rollback()
    assert (gone, left) == ([2, 2, 1, 0], 0)


async def test_the_jobs_are_not_gone_through_for_every_message(database: Database) -> None:
    said: list[tuple[str, Any]] = []
    async with database.transaction() as tx:
        event.listen(tx.sync_connection, "before_cursor_execute", lambda *given: said.append((given[2], given[3])))
        await retention.empty_room(tx, 9.0)
        looked = [await tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", values) for words, values in said[:1]]
        steps = [step[-1] for steps in looked for step in steps]
    assert any("room_messages" in step for step in steps)
    assert not any(step.startswith("SCAN jobs") for step in steps)
