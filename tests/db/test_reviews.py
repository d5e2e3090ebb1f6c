"""Reviews: opened once, the most pressing first, decided by whoever is first, and drawn until their cards are true."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from subprocess import Popen

import pytest

from db import gallery, places, reviews
from db.database import Database
from db.ids import new_id
from db.records import (
    NOBODY,
    Address,
    Asker,
    Clip,
    Decision,
    Handle,
    PlaceSettings,
    Review,
    ReviewKind,
    Ruling,
    Verdict,
)

Film = Callable[..., Awaitable[Clip]]
Start = Callable[..., "Popen[str]"]
ADA, ONE, OTHER = Asker("discord", "1"), Asker("discord", "8"), Asker("discord", "9")
CARD = Handle(Address("discord", "g1", "desk"), "m1")


def look(subject: str = "j1", kind: ReviewKind = ReviewKind.HELD, at: float = 10.0, **changes: object) -> Review:
    review = Review(new_id(), "discord", "g1", "t", kind, subject, ADA, at)
    return replace(review, **changes)  # type: ignore[arg-type]


async def open_(database: Database, *wanted: Review) -> list[Review]:
    async with database.transaction() as tx:
        return [await reviews.open(tx, review) for review in wanted]


async def decide(database: Database, review: Review, by: Asker = ONE, decision: Decision = Decision.APPROVE) -> bool:
    async with database.transaction() as tx:
        return await reviews.decide(tx, review.id, decision, by, 20.0, 5)


async def get(database: Database, review: Review) -> Review:
    async with database.reading() as tx:
        found = await reviews.get(tx, review.id)
    assert found is not None
    return found


async def undrawn(database: Database, *surfaces: str, limit: int = 10) -> list[str]:
    async with database.reading() as tx:
        return [review.id for review in await reviews.undrawn(tx, surfaces or ("discord", "web"), limit)]


async def put_desk(database: Database, place: str = "g1", desk: str = "desk", surface: str = "discord") -> None:
    async with database.transaction() as tx:
        await places.put(tx, surface, place, PlaceSettings(desk=desk), 1.0)


async def test_a_subject_has_one_open_review_of_a_kind_in_a_place(database: Database) -> None:
    first, appeal, elsewhere = look(), look(kind=ReviewKind.APPEAL), look(place="g2")
    assert await open_(database, first, look(), appeal, elsewhere) == [first, first, appeal, elsewhere]
    assert await get(database, first) == first
    assert await decide(database, first)
    (second,) = await open_(database, again := look())
    assert second == again
    async with database.reading() as tx:
        assert await reviews.open_of(tx, "discord", "g1", ReviewKind.HELD, "j1") == again
        assert await reviews.open_of(tx, "discord", "g2", ReviewKind.HELD, "j1") == elsewhere
        assert await reviews.open_of(tx, "telegram", "g1", ReviewKind.HELD, "j1") is None
        assert await reviews.open_of(tx, "discord", "g1", ReviewKind.REPORTED, "j1") is None
        assert await reviews.get(tx, "nobody") is None


async def test_what_waits_is_given_by_kind_then_age_page_by_page(database: Database) -> None:
    ordered = [
        look(f"s{number}", kind, float(age), id=f"r{number:02}")
        for number, (kind, age) in enumerate((kind, age) for kind in ReviewKind for age in (10, 10, 11))
    ]
    shuffled = random.Random(4).sample(ordered, len(ordered))
    await open_(database, *shuffled, look(place="g2"), done := look("x", at=1.0))
    await decide(database, done)
    async with database.reading() as tx:
        assert await reviews.waiting(tx, "discord", "g1") == ordered
        assert await reviews.count_waiting(tx, "discord", "g1") == 12
        assert await reviews.waiting(tx, "discord", "g1", 5) == ordered[:5]
        assert await reviews.waiting(tx, "discord", "g1", 5, ordered[4].id) == ordered[5:10]
        assert await reviews.waiting(tx, "discord", "g1", 5, ordered[11].id) == []
        assert await reviews.places_waiting(tx) == [("discord", "g1", 12), ("discord", "g2", 1)]
    await decide(database, ordered[4])
    async with database.reading() as tx:
        assert await reviews.waiting(tx, "discord", "g1", 50, ordered[4].id) == ordered[5:]


async def test_nothing_of_one_place_waits_in_another(database: Database) -> None:
    (mine, theirs) = await open_(database, look(), look(place="g2"))
    async with database.reading() as tx:
        assert await reviews.waiting(tx, "discord", "g2") == [theirs]
        assert await reviews.waiting(tx, "telegram", "g1") == []
        assert await reviews.count_waiting(tx, "discord", "g3") == 0
        assert await reviews.waiting(tx, "discord", "g2", after=mine.id) == [theirs]


async def test_the_first_decision_holds(database: Database) -> None:
    (review,) = await open_(database, look())
    assert await decide(database, review, ONE, Decision.REMOVE)
    assert not await decide(database, review, OTHER, Decision.APPROVE)
    assert not await decide(database, look())
    decided = await get(database, review)
    assert (decided.decision, decided.decided_by, decided.decided_at, decided.case) == (Decision.REMOVE, ONE, 20.0, 5)


async def test_a_review_that_lapsed_was_decided_by_nobody(database: Database) -> None:
    (review,) = await open_(database, look())
    assert await decide(database, review, NOBODY, Decision.LAPSED)
    assert (await get(database, review)).decided_by == NOBODY


async def test_of_two_connections_deciding_at_the_same_instant_exactly_one_wins(
    database: Database, database_url: str
) -> None:
    other = await Database.open(database_url)
    opened = await open_(database, *(look(f"j{number}") for number in range(20)))
    for review in opened:
        won = await asyncio.gather(
            decide(database, review, ONE, Decision.APPROVE), decide(other, review, OTHER, Decision.REMOVE)
        )
        assert sorted(won) == [False, True]
        decided = await get(database, review)
        assert decided.decided_by == (ONE if won[0] else OTHER)
        assert decided.decision is (Decision.APPROVE if won[0] else Decision.REMOVE)
    await other.close()


async def test_of_four_processes_deciding_at_once_each_review_is_won_by_one(
    database: Database, database_url: str, start_child: Start
) -> None:
    opened = await open_(database, *(look(f"j{number}") for number in range(25)))
    children = [start_child("decide_all", database_url, str(number)) for number in range(4)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    won = [set(child.communicate(timeout=60)[0].split()) for child in children]
    assert sorted(review for each in won for review in each) == sorted(review.id for review in opened)
    for number, each in enumerate(won):
        for review_id in each:
            async with database.reading() as tx:
                decided = await reviews.get(tx, review_id)
            assert decided is not None
            assert decided.decided_by == Asker("web", str(number))


async def test_only_places_with_a_desk_get_cards(database: Database) -> None:
    late, early = look("j1", at=11.0), look("j2", at=10.0)
    await open_(database, late, early, look(place="g2"), look(place="g1", surface="telegram"))
    assert await undrawn(database) == []
    await put_desk(database)
    await put_desk(database, "g2", "")
    await put_desk(database, "g1", "topic", "telegram")
    assert await undrawn(database) == [early.id, late.id]
    assert await undrawn(database, limit=1) == [early.id]
    assert await undrawn(database, "web") == []
    assert len(await undrawn(database, "telegram", "discord")) == 3


async def test_a_card_is_drawn_until_it_tells_the_truth(database: Database) -> None:
    (review,) = await open_(database, look())
    await put_desk(database)
    async with database.transaction() as tx:
        await reviews.set_handle(tx, review.id, CARD)
        assert await reviews.set_drawn(tx, review.id, True, review.version)
    shown = await get(database, review)
    assert (shown.handle, shown.drawn) == (CARD, True)
    assert await undrawn(database) == []
    assert await decide(database, review)
    assert await undrawn(database) == [review.id]
    await put_desk(database, desk="")  # the card that is there is redrawn all the same
    assert await undrawn(database) == [review.id]
    async with database.transaction() as tx:
        assert await reviews.set_drawn(tx, review.id, True)
    assert await undrawn(database) == []


async def test_what_is_decided_while_its_card_is_being_drawn_is_drawn_again(database: Database) -> None:
    (review,) = await open_(database, look())
    await put_desk(database)
    assert await undrawn(database) == [review.id]
    assert await decide(database, review)  # while the card that shows it open is on its way
    assert await undrawn(database) == []
    async with database.transaction() as tx:
        await reviews.set_handle(tx, review.id, CARD)
        assert not await reviews.set_drawn(tx, review.id, True, review.version)
    assert await undrawn(database) == [review.id]


async def test_cards_about_a_subject_that_has_changed_are_drawn_again_in_every_place(database: Database) -> None:
    here, there, beside = look("c1", ReviewKind.REPORTED), look("c1", ReviewKind.REPORTED, place="g2"), look("c1")
    unseen = look("c1", ReviewKind.REPORTED, place="g3")
    await open_(database, here, there, beside, unseen)
    await decide(database, there)
    await decide(database, unseen)
    async with database.transaction() as tx:
        for review in (here, there, beside):
            await reviews.set_handle(tx, review.id, CARD)
            await reviews.set_drawn(tx, review.id, True)
        await reviews.stale(tx, ReviewKind.REPORTED, "c1")
    assert sorted(await undrawn(database)) == sorted([here.id, there.id])
    async with database.transaction() as tx:
        assert not await reviews.set_drawn(tx, here.id, True, here.version)


async def test_only_what_was_decided_long_ago_is_forgotten(database: Database) -> None:
    waiting, done = await open_(database, look("j1", at=1.0), look("j2", at=1.0))
    await decide(database, done)
    async with database.transaction() as tx:
        await reviews.forget(tx, 20.0)
        assert await reviews.get(tx, done.id) is not None
        await reviews.forget(tx, 21.0)
        assert await reviews.get(tx, done.id) is None
        assert await reviews.get(tx, waiting.id) == waiting


@pytest.mark.parametrize("ruling", [ruling for ruling in Ruling if ruling is not Ruling.LABELLED])
async def test_only_labelled_clips_are_listed_for_a_look_afterwards(
    database: Database, show: Film, ruling: Ruling
) -> None:
    await show(verdict=Verdict(ruling, "P1"))
    labelled = await show(place="g2")
    async with database.reading() as tx:
        assert await reviews.unlisted_labelled(tx, 10) == [labelled]


async def test_a_labelled_clip_is_listed_until_somebody_was_asked_to_look_or_it_is_gone(
    database: Database, show: Film
) -> None:
    late, early, gone = await show(created_at=5.0), await show(created_at=4.0), await show(created_at=3.0)
    async with database.transaction() as tx:
        await gallery.forget(tx, gone.id)
        assert await reviews.unlisted_labelled(tx, 10) == [early, late]
        assert await reviews.unlisted_labelled(tx, 1) == [early]
        await reviews.open(tx, look(early.id, ReviewKind.REPORTED))
        assert await reviews.unlisted_labelled(tx, 10) == [early, late]
        await reviews.open(tx, look(early.id, ReviewKind.LABELLED))
        assert await reviews.unlisted_labelled(tx, 10) == [late]
