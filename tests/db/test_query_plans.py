"""What is asked at every request, or by loops every few seconds, is searched by an index however much is stored.

SQLite plans by what it knows of the indexes alone, so that an empty file shows what a full one does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from db import allowed, cases, deliveries, gallery, notices, people, places, queue, quotas, reports, reviews, standing
from db.database import Database
from db.ids import new_id
from db.records import Address, Asker, Caller, Clip, ClipSpec, PlaceSettings, Report, ReviewKind, Ruling, Verdict
from db.tables import metadata

Ask = Callable[[AsyncConnection], Awaitable[object]]
ADA = Asker("discord", "1")
LINKED = [Asker("telegram", "1"), Asker("web", "1"), Asker("discord", "2")]
HERE = ("discord", "g1")
CALLER = Caller(ADA, Address(*HERE))
SPEC = ClipSpec("a heart", "", 1, 1, 1.0, 8, 32, 32, 8, "pocket")
CLIP = Clip("c1", "j1", Asker("discord", "5"), SPEC, Verdict(Ruling.ALLOWED), "", "", 1, {})
SURFACES = ["discord", "telegram", "web"]

ASKED: dict[str, Ask] = {
    "standing": lambda tx: standing.standing(tx, ADA, *HERE, 9.0),
    "usage": lambda tx: quotas.usage(tx, ADA, 1.0, 9.0),
    "allowed prompts": lambda tx: allowed.prompts(tx, *HERE),
    "settings": lambda tx: places.settings(tx, *HERE),
    "withheld": lambda tx: gallery.is_withheld(tx, "c1", *HERE),
    "may see": lambda tx: gallery.may_see(tx, CLIP, ADA, CALLER.address),
    "at home": lambda tx: gallery.is_at_home(tx, "c1", *HERE),
    "browse": lambda tx: gallery.browse(tx, *HERE, None, "", 0, 9),
    "the clip on a message": lambda tx: deliveries.of_message(tx, *HERE, "m1"),
    "waiting of somebody": lambda tx: queue.waiting_of(tx, ADA, *HERE),
    "undrawn": lambda tx: reviews.undrawn(tx, SURFACES, 9),
    "unlisted": lambda tx: reviews.unlisted_labelled(tx, 9),
    "due notices": lambda tx: notices.due(tx, SURFACES, 9.0, 9),
    "next notice": lambda tx: notices.next_due_at(tx, SURFACES),
    "reviews": lambda tx: reviews.waiting(tx, *HERE, after="r1"),
    "how many reviews": lambda tx: reviews.count_waiting(tx, *HERE),
    "the open review": lambda tx: reviews.open_of(tx, *HERE, ReviewKind.HELD, "j1"),
    "lapse": lambda tx: reviews.lapse(tx, "c1", 9.0),
    "stale": lambda tx: reviews.stale(tx, ReviewKind.REPORTED, "c1"),
    "report": lambda tx: reports.add(tx, Report(new_id(), "c1", *HERE, ADA, "", 9.0)),
    "reports of a clip": lambda tx: reports.of_clip(tx, "c1", *HERE),
    "reporters": lambda tx: reports.reporters(tx, "c1", *HERE, since=1.0, false_limit=3),
    "false reports": lambda tx: reports.false_count(tx, ADA, *HERE, 1.0),
    "strikes": lambda tx: standing.strikes_of(tx, ADA, *HERE),
    "cases": lambda tx: cases.browse(tx, *HERE, target=ADA),
    "a case": lambda tx: cases.get(tx, *HERE, 1),
}


@pytest.fixture
async def tx(database: Database) -> AsyncIterator[AsyncConnection]:
    """A place with a desk, somebody of four identities who reported something; whatever else is written is undone."""
    async with database.transaction() as connection:
        await places.put(connection, *HERE, PlaceSettings(desk="d"), 1.0)
        for number, other in enumerate(LINKED):
            await people.offer(connection, ADA, str(number), 9.0)
            await people.join(connection, other, str(number), 1.0)
        await reports.add(connection, Report("r0", "c1", *HERE, LINKED[0], "", 1.0))
        yield connection
        await connection.rollback()


async def plans(tx: AsyncConnection, ask: Ask) -> list[str]:
    """What SQLite will do for each statement of `ask`."""
    said: list[tuple[str, Any]] = []

    def listen(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        said.append((statement, values))

    event.listen(tx.sync_connection, "before_cursor_execute", listen)
    await ask(tx)
    event.remove(tx.sync_connection, "before_cursor_execute", listen)
    assert said
    return [
        row[-1]
        for statement, values in said
        for row in await tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
    ]


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
async def test_no_table_is_read_from_end_to_end(tx: AsyncConnection, ask: Ask) -> None:
    walked = [step for step in await plans(tx, ask) if step.startswith("SCAN") and step.split()[1] in metadata.tables]
    assert walked == []


async def test_a_table_that_is_read_from_end_to_end_is_noticed(tx: AsyncConnection) -> None:
    assert "SCAN clips" in await plans(tx, gallery.masters)


@pytest.mark.parametrize(("name", "most"), [("standing", 3), ("usage", 4), ("allowed prompts", 1)])
async def test_what_every_request_asks_is_few_statements(tx: AsyncConnection, name: str, most: int) -> None:
    """Each costs as much as the others however little it finds: half as many clips a second could be asked for."""
    said: list[str] = []
    event.listen(tx.sync_connection, "before_cursor_execute", lambda *given: said.append(given[2]))
    await ASKED[name](tx)
    assert len(said) <= most
