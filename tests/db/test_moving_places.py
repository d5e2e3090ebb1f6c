"""A place that gets a new name takes along what it stored and what was decided there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db import (
    allowed,
    cases,
    console,
    deliveries,
    gallery,
    moves,
    pending,
    places,
    queue,
    refusals,
    reports,
    reviews,
    standing,
)
from db.database import Database
from db.records import (
    Action,
    Address,
    Asker,
    Caller,
    Case,
    Clip,
    ConsoleSession,
    Curb,
    Decision,
    Delivery,
    Handle,
    Job,
    Pending,
    PlaceSettings,
    Refusal,
    Report,
    Restriction,
    Review,
    ReviewKind,
    Ruling,
    Strike,
    Verdict,
)
from db.tables import metadata

Film = Callable[..., Awaitable[Clip]]
ADA, BOB = Asker("telegram", "1"), Asker("telegram", "2")
MODERATOR = Asker("telegram", "9")
OLD, NEW = "-1", "-100"
WRONG = Verdict(Ruling.REFUSED, "V2")
STAY_BEHIND = {"jobs", "requests", "deliveries", "notices", "card_routes", "moved_places"}  # where cards stand


def case(reason: str, place: str = OLD, **changes: object) -> Case:
    made = Case("telegram", place, 0, MODERATOR, ADA, Action.REMOVE, reason, 5.0)
    return replace(made, **changes)  # type: ignore[arg-type]


async def fill(tx: AsyncConnection, place: str, clip: Clip, elsewhere: Clip) -> None:
    """One thing of every kind, under ids that begin with the name of the place."""
    here = ("telegram", place)
    await places.put(tx, *here, PlaceSettings(paused=True), 1.0)
    number = (await cases.add(tx, case("first", place))).number
    await standing.strike(tx, Strike(f"{place} s", *here, ADA, 1, number, 5.0, 99.0))
    await standing.restrict(tx, Restriction(f"{place} r", *here, ADA, Curb.MUTE, number, 5.0, 99.0))
    await reports.add(tx, Report(f"{place} f", clip.id, *here, BOB, "ugly", 5.0))
    await reviews.open(tx, Review(f"{place} v", *here, "", ReviewKind.REPORTED, clip.id, ADA, 5.0))
    await allowed.add(tx, *here, f"{place} prompt", WRONG, number, True, 5.0)
    await gallery.withhold(tx, elsewhere.id, *here)
    await refusals.record(tx, Refusal(f"{place} x", "telegram", place, ADA, Address(*here), WRONG, "p", 5.0, 6.0))
    await pending.keep(tx, Pending(f"{place} p", MODERATOR, *here, "purge", (), 99.0))
    await console.offer(tx, f"{place} h", ConsoleSession(MODERATOR, *here, 5.0, 99.0))
    await console.begin(tx, f"{place} k", ConsoleSession(MODERATOR, *here, 5.0, 99.0))


async def placed(tx: AsyncConnection, place: str) -> dict[str, int]:
    """How many rows of each table name a place."""
    named = {}
    for table in metadata.sorted_tables:
        if "place" in table.c:
            rows = (await tx.execute(table.select().where(table.c.place == place))).all()
            named[table.name] = len(rows)
    return {name: count for name, count in named.items() if count}


async def test_a_place_that_moves_takes_everything_along_and_leaves_only_cards_behind(
    database: Database, show: Film
) -> None:
    clip, elsewhere = await show("telegram", OLD), await show("telegram", "-7")
    async with database.transaction() as tx:
        await fill(tx, OLD, clip, elsewhere)
        before = await placed(tx, OLD)
        await moves.note(tx, "telegram", OLD, NEW, 9.0)
        assert set(await placed(tx, OLD)) <= STAY_BEHIND
        assert await placed(tx, NEW) == {name: count for name, count in before.items() if name not in STAY_BEHIND}
        await moves.note(tx, "telegram", OLD, NEW, 9.0)
        assert await placed(tx, NEW) == {name: count for name, count in before.items() if name not in STAY_BEHIND}


async def test_what_moved_along_is_found_by_those_who_ask_for_it(database: Database, show: Film) -> None:
    clip, elsewhere = await show("telegram", OLD), await show("telegram", "-7")
    now = ("telegram", NEW)
    async with database.transaction() as tx:
        await fill(tx, OLD, clip, elsewhere)
        await moves.note(tx, "telegram", OLD, NEW, 9.0)
        assert (await places.settings(tx, *now)).paused
        assert [found.reason for found in await cases.browse(tx, *now)] == ["first"]
        assert (await standing.standing(tx, ADA, *now, 9.0)).curb is Curb.MUTE
        assert (await standing.standing(tx, ADA, *now, 9.0)).points == 1
        assert len(await reports.of_clip(tx, clip.id, *now)) == 1
        assert [review.id for review in await reviews.waiting(tx, *now)] == [f"{OLD} v"]
        assert await allowed.prompts(tx, *now) == (f"{OLD} prompt",)
        assert [refusal.id for refusal in await refusals.appealed(tx, *now)] == [f"{OLD} x"]
        assert await pending.take(tx, f"{OLD} p", Caller(MODERATOR, Address(*now)), 9.0) is not None
        session = await console.session(tx, f"{OLD} k", 9.0)
        assert session is not None
        assert session.place == NEW
        assert await gallery.is_withheld(tx, elsewhere.id, *now)
        assert await gallery.is_withheld(tx, elsewhere.id, "telegram", OLD)
        assert await gallery.is_at_home(tx, clip.id, *now)
        assert await gallery.is_at_home(tx, clip.id, "telegram", OLD)


async def test_where_both_names_have_cases_the_old_ones_keep_their_numbers_and_the_new_ones_follow(
    database: Database,
) -> None:
    async with database.transaction() as tx:
        for reason in ("old 1", "old 2"):
            await cases.add(tx, case(reason))
        await cases.add(tx, case("old 3", action=Action.AMEND, amends=1))
        for reason in ("new 1", "new 2", "new 3", "new 4"):
            await cases.add(tx, case(reason, NEW))
        await cases.add(tx, case("new 5", NEW, action=Action.AMEND, amends=2, about=(("clip", "c"), ("case", "1"))))
        await cases.add(tx, case("another place", "-7"))
        await moves.note(tx, "telegram", OLD, NEW, 9.0)
        found = await cases.browse(tx, "telegram", NEW)
        reasons = ["old 1", "old 2", "old 3", "new 1", "new 2", "new 3", "new 4", "new 5"]
        assert [(one.number, one.reason) for one in reversed(found)] == list(enumerate(reasons, 1))
        assert [one.reason for one in await cases.amendments(tx, "telegram", NEW, 1)] == ["old 3"]
        assert [one.about for one in await cases.amendments(tx, "telegram", NEW, 5)] == [(("clip", "c"), ("case", "4"))]
        assert await cases.count(tx, "telegram", OLD) == 0
        assert await cases.count(tx, "telegram", "-7") == 1
        assert (await cases.add(tx, case("later", NEW))).number == 9
        await moves.note(tx, "telegram", OLD, NEW, 9.0)
        assert await cases.count(tx, "telegram", NEW) == 9


async def test_numbers_of_forgotten_cases_are_counted_when_places_are_joined(database: Database) -> None:
    async with database.transaction() as tx:
        await cases.add(tx, case("forgotten"))
        await cases.forget(tx, 6.0)
        await cases.add(tx, case("new 1", NEW))
        await moves.note(tx, "telegram", OLD, NEW, 9.0)
        assert [one.number for one in await cases.browse(tx, "telegram", NEW)] == [2]
        assert (await cases.add(tx, case("later", NEW))).number == 3


async def test_what_names_a_case_names_it_by_its_new_number(database: Database, show: Film) -> None:
    clip, elsewhere = await show("telegram", "-7"), await show("telegram", "-7")
    here = ("telegram", NEW)
    async with database.transaction() as tx:
        for _ in range(3):
            await cases.add(tx, case("old"))
        await fill(tx, NEW, clip, elsewhere)
        await reviews.decide(tx, f"{NEW} v", Decision.REMOVE, MODERATOR, 7.0, 1)
        await moves.note(tx, "telegram", OLD, NEW, 9.0)
        (strike,) = await standing.strikes_of(tx, ADA, *here)
        (mute,) = await standing.restrictions_of(tx, ADA, *here)
        review = await reviews.get(tx, f"{NEW} v")
        assert review is not None
        assert strike.case == mute.case == review.case == 4
        found = await cases.get(tx, *here, 4)
        assert found is not None
        assert found.reason == "first"


async def test_what_both_names_have_is_there_once(database: Database, show: Film) -> None:
    clip, elsewhere = await show("telegram", "-7"), await show("telegram", "-7")
    here = ("telegram", NEW)
    async with database.transaction() as tx:
        await fill(tx, OLD, clip, elsewhere)
        await fill(tx, NEW, clip, elsewhere)
        await allowed.add(tx, "telegram", OLD, "both", WRONG, 1, True, 5.0)
        await allowed.add(tx, "telegram", NEW, "both", WRONG, 1, True, 5.0)
        await moves.note(tx, "telegram", OLD, NEW, 9.0)
        assert await allowed.prompts(tx, *here) == (f"{OLD} prompt", f"{NEW} prompt", "both")
        assert [report.id for report in await reports.of_clip(tx, clip.id, *here)] == [f"{NEW} f"]
        assert [review.id for review in await reviews.waiting(tx, *here)] == [f"{NEW} v"]
        lapsed = await reviews.get(tx, f"{OLD} v")
        assert lapsed is not None
        assert (lapsed.decision, lapsed.decided_at, lapsed.place) == (Decision.LAPSED, 9.0, NEW)
        assert (await standing.standing(tx, ADA, *here, 9.0)).points == 2
        assert await gallery.is_withheld(tx, elsewhere.id, *here)


async def test_open_reviews_get_new_cards_and_old_cards_are_left_behind(database: Database) -> None:
    waiting = Review("r1", "telegram", OLD, "", ReviewKind.HELD, "j1", ADA, 5.0)
    async with database.transaction() as tx:
        await places.put(tx, "telegram", OLD, PlaceSettings(desk="7"), 1.0)
        for review in (waiting, replace(waiting, id="r2", subject="j2")):
            await reviews.open(tx, review)
            await reviews.set_handle(tx, review.id, Handle(Address("telegram", OLD, "7"), "m1"))
            await reviews.set_drawn(tx, review.id, True)
        await reviews.decide(tx, "r2", Decision.REMOVE, MODERATOR, 6.0, 1)
        await moves.note(tx, "telegram", OLD, NEW, 9.0)
        (again,) = await reviews.undrawn(tx, ["telegram"], 9)
        assert (again.id, again.place, again.handle) == ("r1", NEW, None)
        assert again.version > waiting.version  # who was drawing it has not drawn what it is now


async def test_a_place_knows_the_names_it_had(database: Database) -> None:
    async with database.transaction() as tx:
        for old, new in (("a", "b"), ("b", "c"), ("x", "c"), ("c", "d"), ("k", "l")):
            await moves.note(tx, "telegram", old, new, 1.0)
        assert set(await moves.names(tx, "telegram", "d")) == {"a", "b", "c", "d", "x"}
        assert (await moves.names(tx, "telegram", "d"))[0] == "d"
        assert await moves.names(tx, "discord", "d") == ("d",)
        await moves.note(tx, "telegram", "d", "a", 2.0)
        assert set(await moves.names(tx, "telegram", "a")) == {"a", "b", "c", "d", "x"}


async def test_a_clip_that_is_finished_after_the_move_belongs_to_the_place_by_its_new_name(
    database: Database, make_job: Callable[..., Job], make_clip: Callable[..., Clip]
) -> None:
    job = make_job(handle=Handle(Address("telegram", OLD), "m1"))
    clip = make_clip(job)
    async with database.transaction() as tx:
        await queue.enqueue(tx, job)
        await moves.note(tx, "telegram", OLD, NEW, 9.0)
        await gallery.publish(tx, clip)
        assert await gallery.browse(tx, "telegram", NEW, None, "", 0, 9) == [clip]


async def test_a_place_that_moves_to_itself_keeps_what_it_has(database: Database) -> None:
    async with database.transaction() as tx:
        await places.put(tx, "telegram", OLD, PlaceSettings(paused=True), 1.0)
        await cases.add(tx, case("first"))
        await moves.note(tx, "telegram", OLD, OLD, 9.0)
        assert (await places.settings(tx, "telegram", OLD)).paused
        assert await cases.count(tx, "telegram", OLD) == 1
        assert (await cases.add(tx, case("second"))).number == 2


@pytest.mark.parametrize("asked", [OLD, NEW])
async def test_a_card_that_was_left_behind_is_known_under_either_name(
    database: Database, show: Film, make_delivery: Callable[..., Delivery], asked: str
) -> None:
    clip = await show("telegram", "-7")
    promised: Any = make_delivery(clip, handle=Handle(Address("telegram", OLD), "m5"))
    async with database.transaction() as tx:
        await deliveries.promise(tx, promised)
        await moves.note(tx, "telegram", OLD, NEW, 9.0)
        assert await deliveries.of_message(tx, "telegram", asked, "m5") == promised
        assert await gallery.may_see(tx, clip, BOB, Address("telegram", asked))
        await deliveries.mark_sent(tx, promised.id, "r", 9.0)
        assert await deliveries.promise_again(tx, clip.id, 10.0, "telegram", asked) == 1
