"""Clips: published once, forgotten."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db import deliveries, gallery, moves, people, platform_files, queue
from db.database import Database
from db.ids import new_id
from db.records import Address, Asker, Clip, Delivery, Handle, Job

MakeJob = Callable[..., Job]
MakeClip = Callable[..., Clip]
MakeDelivery = Callable[..., Delivery]
Film = Callable[..., Awaitable[Clip]]
ADA, BOB = Asker("web", "ada"), Asker("web", "bob")


@pytest.fixture
def publish(database: Database, make_job: MakeJob, make_clip: MakeClip) -> Callable[..., object]:
    async def publish_one(model: str = "pocket", **changes: object) -> Clip:
        job = make_job()
        job = replace(job, spec=replace(job.spec, model=model))
        clip = make_clip(job, **changes)
        async with database.transaction() as tx:
            await queue.enqueue(tx, job)
            await gallery.publish(tx, clip)
        return clip

    return publish_one


@pytest.mark.parametrize("hidden", [True, False])
async def test_a_clip_comes_back_as_it_was_published(database: Database, publish: MakeClip, hidden: bool) -> None:
    by = "asker" if hidden else ""
    clip = await publish(hidden=hidden, hidden_by=by, bytes=5_000_000_000)  # type: ignore[misc]
    async with database.reading() as tx:
        assert await gallery.get(tx, clip.id) == clip
        assert await gallery.of_job(tx, clip.job) == clip
        assert await gallery.get(tx, "nobody") is None
        assert await gallery.of_job(tx, "nobody") is None


async def test_a_job_has_one_clip_at_most(database: Database, publish: MakeClip) -> None:
    clip = await publish()  # type: ignore[misc]

    async def publish_again() -> None:
        async with database.transaction() as tx:
            await gallery.publish(tx, replace(clip, id=new_id()))

    with pytest.raises(IntegrityError):
        await publish_again()


async def test_a_forgotten_clip_is_gone_and_names_its_file_once_more(database: Database, publish: MakeClip) -> None:
    kept, clip = await publish(), await publish()  # type: ignore[misc]
    async with database.transaction() as tx:
        assert await gallery.masters(tx) == {kept.master, clip.master}
        assert await gallery.forget(tx, clip.id) == clip
        assert await gallery.forget(tx, clip.id) is None
        assert await gallery.get(tx, clip.id) is None
        assert await gallery.of_job(tx, clip.job) is None
        assert await gallery.get(tx, kept.id) == kept
        assert await gallery.masters(tx) == {kept.master}


async def test_typical_seconds_are_the_median_of_the_models_last_clips(database: Database, publish: MakeClip) -> None:
    for number, seconds in enumerate([100.0, 1.0, 2.0, 30.0]):
        await publish(created_at=float(number), seconds={"step": seconds, "decode": 0.5})  # type: ignore[misc]
    await publish(model="zeroscope", created_at=9.0, seconds={"step": 7.0})  # type: ignore[misc]
    async with database.reading() as tx:
        assert await gallery.typical_seconds(tx, "pocket", 3) == 2.5
        assert await gallery.typical_seconds(tx, "zeroscope") == 7.0
        assert await gallery.typical_seconds(tx, "unknown") is None


@pytest.fixture
def film(database: Database, make_job: MakeJob, make_clip: MakeClip) -> Film:
    """A clip of a prompt, asked for by somebody somewhere; each one newer than the one before."""
    moments = itertools.count(1)

    async def film_one(prompt: str, asker: Asker = ADA, place: str = "main", surface: str = "web") -> Clip:
        job = make_job(asker=asker, handle=Handle(Address(surface, place), "m"))
        job = replace(job, spec=replace(job.spec, prompt=prompt))
        clip = make_clip(job, created_at=float(next(moments)))
        async with database.transaction() as tx:
            await queue.enqueue(tx, job)
            await gallery.publish(tx, clip)
        return clip

    return film_one


async def browsed(
    database: Database, words: str = "", asker: Asker | None = None, offset: int = 0, limit: int = 10
) -> list[str]:
    async with database.reading() as tx:
        found = await gallery.browse(tx, "web", "main", asker, words, offset, limit)
        return [clip.spec.prompt for clip in found]


async def test_a_place_shows_its_own_clips_newest_first_a_page_at_a_time(database: Database, film: Film) -> None:
    for prompt in ("one", "two", "three"):
        await film(prompt)
    await film("elsewhere", place="other")
    await film("on another surface", surface="telegram")
    assert await browsed(database) == ["three", "two", "one"]
    assert await browsed(database, offset=1, limit=1) == ["two"]
    async with database.reading() as tx:
        assert await gallery.count(tx, "web", "main", None) == 3
        assert await gallery.count(tx, "web", "main", BOB) == 0


async def test_in_private_only_ones_own_clips_are_shown(database: Database, film: Film) -> None:
    await film("mine")
    await film("theirs", BOB)
    assert await browsed(database, asker=ADA) == ["mine"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("heart", ["A red HEART", "two hearts"]),
        ("hea re", ["A red HEART"]),
        ("über", ["Über den Wolken"]),
        ("uber", ["Über den Wolken"]),
        ("frog", []),
        ('"; DROP TABLE clips; --', []),
        ("heart* OR (", []),
        ("!?", ["A red HEART", "two hearts", "Über den Wolken"]),
    ],
)
async def test_words_are_found_from_their_beginning_and_are_never_a_query_language(
    database: Database, film: Film, words: str, expected: list[str]
) -> None:
    for prompt in reversed(["A red HEART", "two hearts", "Über den Wolken"]):
        await film(prompt)
    assert await browsed(database, words) == expected


async def test_hidden_and_forgotten_clips_are_never_shown(database: Database, film: Film) -> None:
    hidden, forgotten, kept = await film("a heart 1"), await film("a heart 2"), await film("a heart 3")
    async with database.transaction() as tx:
        await platform_files.keep(tx, "telegram", forgotten.id, "mp4", "f1")
        assert await gallery.hide(tx, hidden.id, gallery.MODERATORS)
        assert not await gallery.hide(tx, hidden.id, gallery.MODERATORS)
        await gallery.forget(tx, forgotten.id)
        assert await gallery.get(tx, hidden.id) == replace(hidden, hidden=True, hidden_by="moderators")
        assert await platform_files.file(tx, "telegram", forgotten.id, "mp4") == ""
        assert await gallery.found(tx, ADA, "heart", 10) == [kept]
        assert await gallery.random(tx, "web", "main", None, 0.99) == kept
        assert (await tx.execute(text("SELECT clip FROM clip_words"))).scalars().all() == [kept.id]
    assert await browsed(database) == await browsed(database, "heart") == ["a heart 3"]


async def test_chance_reaches_every_clip_of_a_place(database: Database, film: Film) -> None:
    async with database.reading() as tx:
        assert await gallery.random(tx, "web", "main", None, 0.5) is None
    clips = [await film(str(number)) for number in range(4)]
    async with database.reading() as tx:
        drawn = [await gallery.random(tx, "web", "main", None, chance) for chance in (0.0, 0.25, 0.5, 0.999)]
    assert drawn == clips[::-1]


async def test_found_is_what_is_ones_own_or_of_places_where_one_has_asked(database: Database, film: Film) -> None:
    here, own, beside = await film("here"), await film("own", place="private"), await film("beside", BOB)
    await film("a stranger's", BOB, place="private of bob")
    linked = await film("linked", Asker("telegram", "7"), surface="telegram", place="7")
    async with database.transaction() as tx:
        assert await gallery.found(tx, ADA, "", 10) == [beside, own, here]
        await people.offer(tx, ADA, "hash", 10.0)
        await people.join(tx, Asker("telegram", "7"), "hash", 1.0)
        assert await gallery.found(tx, ADA, "", 10) == [linked, beside, own, here]
        assert await gallery.found(tx, ADA, "", 1) == [linked]


async def test_a_clip_is_seen_by_its_asker_and_where_it_was_asked_for_or_shown(
    database: Database, film: Film, make_delivery: MakeDelivery
) -> None:
    clip = await film("secret", place="private")
    async with database.transaction() as tx:
        assert await gallery.may_see(tx, clip, ADA, Address("web", "main"))
        assert await gallery.may_see(tx, clip, BOB, Address("web", "private"))
        assert not await gallery.may_see(tx, clip, BOB, Address("web", "main"))
        shown = make_delivery(clip, handle=Handle(Address("web", "main", "t"), "m9"))
        await deliveries.promise(tx, shown)
        assert await gallery.may_see(tx, clip, BOB, Address("web", "main"))
        assert await deliveries.of_clip(tx, clip.id) == [shown]


async def test_a_search_of_thousands_of_words_looks_for_the_first_few(database: Database, film: Film) -> None:
    clip = await film("a red heart")
    many = " ".join(["heart", *["a"] * 2000, *(f"w{number}" for number in range(2000))])
    async with database.reading() as tx:
        assert await gallery.browse(tx, "web", "main", None, "heart " * 2000, 0, 9) == [clip]
        assert await gallery.browse(tx, "web", "main", None, many, 0, 9) == []
        within = " ".join(["heart", "red", "a"] * 700)
        assert await gallery.browse(tx, "web", "main", None, within, 0, 9) == [clip]


async def test_clips_of_a_place_that_moved_are_found_by_those_who_asked_there(database: Database, film: Film) -> None:
    theirs = await film("a red heart", asker=BOB)
    await film("a star", asker=ADA)
    async with database.transaction() as tx:
        await moves.note(tx, "web", "main", "elsewhere", 1.0)
        assert theirs in await gallery.found(tx, ADA, "heart", 9)
