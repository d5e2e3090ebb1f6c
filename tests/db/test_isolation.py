"""Nothing of one place is seen in another, whichever way it is asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from db import (
    allowed,
    cases,
    deliveries,
    gallery,
    pending,
    places,
    queue,
    refusals,
    reports,
    reviews,
    standing,
    week,
)
from db.database import Database
from db.ids import new_id
from db.records import (
    EVERYWHERE,
    Action,
    Address,
    Asker,
    Caller,
    Case,
    Clip,
    Curb,
    Delivery,
    Handle,
    Job,
    JobState,
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

Read = Callable[[AsyncConnection, str, str], Awaitable[object]]
ADA, MODERATOR, STRANGER = Asker("discord", "1"), Asker("discord", "9"), Asker("discord", "3")
WRONG = Verdict(Ruling.REFUSED, "V2")
NOW = 10.0
HOME = ("discord", "g1")


async def _may_see(tx: AsyncConnection, surface: str, place: str) -> bool:
    clip = await gallery.get(tx, "c1")
    assert clip is not None
    return await gallery.may_see(tx, clip, STRANGER, Address(surface, place))


READS: dict[str, Read] = {
    "settings": places.settings,
    "case": lambda tx, surface, place: cases.get(tx, surface, place, 1),
    "cases": cases.browse,
    "cases by words": lambda tx, surface, place: cases.browse(tx, surface, place, words="first"),
    "cases of somebody": lambda tx, surface, place: cases.browse(tx, surface, place, target=ADA),
    "how many cases": cases.count,
    "amendments": lambda tx, surface, place: cases.amendments(tx, surface, place, 1),
    "standing": lambda tx, surface, place: standing.standing(tx, ADA, surface, place, NOW),
    "strikes": lambda tx, surface, place: standing.strikes_of(tx, ADA, surface, place),
    "restrictions": lambda tx, surface, place: standing.restrictions_of(tx, ADA, surface, place),
    "lifting": lambda tx, surface, place: standing.lift(tx, ADA, surface, place, NOW),
    "reports": lambda tx, surface, place: reports.of_clip(tx, "c1", surface, place),
    "reporters": lambda tx, surface, place: reports.reporters(tx, "c1", surface, place, since=0.0, false_limit=9),
    "settling": lambda tx, surface, place: reports.settle(tx, "c1", surface, place, "false"),
    "the open review": lambda tx, surface, place: reviews.open_of(tx, surface, place, ReviewKind.REPORTED, "c1"),
    "reviews": reviews.waiting,
    "how many reviews": reviews.count_waiting,
    "allowed prompts": allowed.prompts,
    "taking an allowed prompt back": lambda tx, surface, place: allowed.remove(tx, surface, place, "a prompt"),
    "appeals": refusals.appealed,
    "withheld": lambda tx, surface, place: gallery.is_withheld(tx, "c2", surface, place),
    "showing again": lambda tx, surface, place: gallery.unwithhold(tx, "c2", surface, place),
    "at home": lambda tx, surface, place: gallery.is_at_home(tx, "c1", surface, place),
    "gallery": lambda tx, surface, place: gallery.browse(tx, surface, place, None, "", 0, 9),
    "a clip by its id": lambda tx, surface, place: gallery.shown(tx, surface, place, "c1"),
    "may see": _may_see,
    "the clip on a message": lambda tx, surface, place: deliveries.of_message(tx, surface, place, "m1"),
    "promising again": lambda tx, surface, place: deliveries.promise_again(tx, "c1", NOW, surface, place),
    "waiting jobs": lambda tx, surface, place: queue.waiting_of(tx, ADA, surface, place),
    "confirming": lambda tx, surface, place: pending.take(tx, "p1", Caller(MODERATOR, Address(surface, place)), NOW),
    "week": lambda tx, surface, place: week.week(tx, surface, place, NOW),
}


@pytest.fixture
async def filled(
    database: Database,
    make_job: Callable[..., Job],
    make_clip: Callable[..., Clip],
    make_delivery: Callable[..., Delivery],
) -> Database:
    """One thing of every kind at home."""
    card = Handle(Address(*HOME), "m1")
    async with database.transaction() as tx:
        for clip_id, handle in (("c1", card), ("c2", replace(card, address=Address("discord", "g7")))):
            job = make_job(handle=handle, asker=ADA, created_at=1.0)
            await queue.enqueue(tx, job)
            clip = make_clip(job, id=clip_id, created_at=5.0)
            await gallery.publish(tx, clip)
            await deliveries.promise(tx, make_delivery(clip, handle=handle))
        for delivery in await deliveries.of_clip(tx, "c1"):
            await deliveries.mark_sent(tx, delivery.id, "receipt", 5.0)
        await queue.enqueue(tx, make_job(handle=card, asker=ADA, state=JobState.HELD))
        await places.put(tx, *HOME, PlaceSettings(paused=True), 1.0)
        first = Case(*HOME, 0, MODERATOR, ADA, Action.REMOVE, "first", 5.0)
        await cases.add(tx, first)
        await cases.add(tx, replace(first, action=Action.AMEND, amends=1))
        await standing.strike(tx, Strike("s1", *HOME, ADA, 1, 1, 5.0, 99.0))
        await standing.restrict(tx, Restriction("r1", *HOME, ADA, Curb.MUTE, 1, 5.0, 99.0))
        await reports.add(tx, Report("f1", "c1", *HOME, STRANGER, "ugly", 5.0))
        await reviews.open(tx, Review(new_id(), *HOME, "", ReviewKind.REPORTED, "c1", ADA, 5.0))
        await allowed.add(tx, *HOME, "a prompt", WRONG, 1, True, 5.0)
        await gallery.withhold(tx, "c2", *HOME)
        await refusals.record(tx, Refusal("x1", "discord", "q1", ADA, Address(*HOME), WRONG, "p", 5.0, 6.0))
        await pending.keep(tx, Pending("p1", MODERATOR, *HOME, "purge", (), 99.0))
    return database


async def answer(database: Database, read: Read, place: tuple[str, str]) -> object:
    async with database.transaction() as tx:
        return await read(tx, *place)


@pytest.mark.parametrize("asked", READS)
async def test_a_place_sees_nothing_of_another(filled: Database, asked: str) -> None:
    nothing = await answer(filled, READS[asked], ("nowhere", "at all"))
    for elsewhere in (("discord", "g2"), ("telegram", "g1"), ("discord", ""), EVERYWHERE):
        if (asked, elsewhere) == ("promising again", EVERYWHERE):
            continue  # this one means every place
        assert await answer(filled, READS[asked], elsewhere) == nothing
    assert await answer(filled, READS[asked], HOME) != nothing
