"""Clips that are to be deleted together, and who has ever been in a place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from db import cases, gallery, members, moves, pending, purges, queue, standing
from db.database import Database
from db.purges import Scope
from db.records import NOBODY, Action, Address, Asker, Case, Clip, Handle, Job, Strike

ADA, BOB, MODERATOR = Asker("web", "ada"), Asker("web", "bob"), Asker("web", "mod")
HOME = ("web", "main")


@pytest.fixture
async def made(database: Database, make_job: Callable[..., Job], make_clip: Callable[..., Clip]) -> Database:
    """Clips a1 to a3 of one, b1 of another, x1 elsewhere, a second after each other; a2 is hidden, a3 forgotten."""
    async with database.transaction() as tx:
        for at, (clip, asker, place) in enumerate(
            [("a1", ADA, "main"), ("a2", ADA, "main"), ("a3", ADA, "main"), ("b1", BOB, "main"), ("x1", ADA, "other")],
            start=1,
        ):
            job = make_job(asker=asker, handle=Handle(Address("web", place), "m"))
            await queue.enqueue(tx, job)
            await gallery.publish(tx, make_clip(job, id=clip, asker=asker, created_at=float(at)))
        await gallery.hide(tx, "a2", gallery.ASKER)
        await gallery.forget(tx, "a3")
    return database


@pytest.mark.parametrize(
    ("scope", "clips"),
    [
        (Scope(*HOME, None, 0.0, 9.0), ["b1", "a2", "a1"]),
        (Scope(*HOME, ADA, 0.0, 9.0), ["a2", "a1"]),
        (Scope(*HOME, None, 1.0, 9.0), ["b1", "a2"]),
        (Scope(*HOME, None, 0.0, 3.0), ["a2", "a1"]),
        (Scope(*HOME, MODERATOR, 0.0, 9.0), []),
        (Scope("web", "other", ADA, 0.0, 9.0), ["x1"]),
        (Scope("telegram", "main", None, 0.0, 9.0), []),
    ],
)
async def test_what_is_purged_is_of_one_place_one_time_and_maybe_one_person(
    made: Database, scope: Scope, clips: list[str]
) -> None:
    async with made.reading() as tx:
        assert [clip.id for clip in await purges.some(tx, scope, 10)] == clips
        assert [clip.id for clip in await purges.some(tx, scope, 1)] == clips[:1]
        assert await purges.count(tx, scope) == len(clips)


async def test_a_purge_is_remembered_until_it_is_done_and_follows_its_place(database: Database) -> None:
    scopes = [Scope(*HOME, ADA, 0.1 + 0.2, 9.0), Scope(*HOME, None, 0.0, 9.0)]
    async with database.transaction() as tx:
        for number, scope in enumerate(scopes):
            await purges.begin(tx, f"p{number}", MODERATOR, scope)
        await pending.forget(tx, 1e11)
        assert await purges.begun(tx) == [("p0", scopes[0]), ("p1", scopes[1])]
        await purges.done(tx, ["p0"])
        await moves.note(tx, *HOME, "new", 1.0)
        assert await purges.begun(tx) == [("p1", Scope("web", "new", None, 0.0, 9.0))]


async def test_who_left_any_trace_in_a_place_is_known_there(made: Database) -> None:
    async with made.transaction() as tx:
        await cases.add(tx, Case(*HOME, 0, NOBODY, Asker("web", "cas"), Action.STRIKE, "", 1.0))
        await standing.strike(tx, Strike("s", *HOME, Asker("web", "dot"), 1, 1, 1.0, 2.0))
        known = {
            name: await members.is_known(tx, Asker("web", name), *HOME) for name in ("ada", "bob", "cas", "dot", "mod")
        }
        assert known == {"ada": True, "bob": True, "cas": True, "dot": True, "mod": False}
        assert not await members.is_known(tx, Asker("telegram", "ada"), *HOME)
        assert await members.is_known(tx, ADA, "web", "other")
        assert not await members.is_known(tx, BOB, "web", "other")
