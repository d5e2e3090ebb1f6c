"""The web page's messages: a page that asks for what is new misses nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from db import room
from db.database import Database
from db.room import RoomMessage

CARD = {"title": "a heart", "buttons": [["Cancel", "c:1"]]}


async def _post(database: Database, nonce: str, where: str = "main") -> RoomMessage:
    async with database.transaction() as tx:
        return await room.post(tx, where, nonce, CARD, now=1.0)


async def test_a_message_comes_back_as_it_was_posted(database: Database) -> None:
    message = await _post(database, "n1")
    async with database.reading() as tx:
        assert await room.get(tx, message.id) == message
        assert await room.get(tx, "nobody") is None
    assert (message.card, message.rendition, message.room) == (CARD, "", "main")


async def test_the_same_nonce_again_is_the_same_message_as_it_is_now(database: Database) -> None:
    message = await _post(database, "n1")
    async with database.transaction() as tx:
        changed = await room.replace(tx, message.id, {"title": "done"}, "clip.gif")
    assert await _post(database, "n1") == changed
    assert (await _post(database, "n1", "elsewhere")).id != message.id


async def test_a_message_is_replaced_whole(database: Database) -> None:
    message = await _post(database, "n1")
    async with database.transaction() as tx:
        with_clip = await room.replace(tx, message.id, {"title": "done"}, "clip.gif")
        assert with_clip == replace(message, version=2, card={"title": "done"}, rendition="clip.gif")
        assert await room.replace(tx, message.id, CARD) == replace(message, version=3)
        assert await room.replace(tx, "nobody", CARD) is None


async def test_the_latest_messages_come_in_the_order_of_posting(database: Database) -> None:
    posted = [await _post(database, f"n{number}") for number in range(4)]
    await _post(database, "n9", "elsewhere")
    async with database.transaction() as tx:
        await room.replace(tx, posted[1].id, CARD)
        latest = await room.latest(tx, "main", 3)
    assert [message.id for message in latest] == [message.id for message in posted[1:]]


async def test_versions_grow_over_all_rooms_and_say_what_is_new(database: Database) -> None:
    first, second, other = await _post(database, "n1"), await _post(database, "n2"), await _post(database, "n3", "x")
    assert [first.version, second.version, other.version] == [1, 2, 3]
    async with database.transaction() as tx:
        await room.replace(tx, first.id, CARD)
        assert [message.id for message in await room.since(tx, "main", 1)] == [second.id, first.id]
        assert await room.since(tx, "main", 4) == []


async def test_a_page_learns_of_a_deletion_even_of_the_newest_message(database: Database) -> None:
    message = await _post(database, "n1")
    async with database.transaction() as tx:
        assert await room.delete(tx, message.id)
        assert not await room.delete(tx, message.id)
        (gone,) = await room.since(tx, "main", message.version)
        assert (gone.id, gone.deleted, gone.card) == (message.id, True, {})
        assert await room.get(tx, message.id) is None
        assert await room.latest(tx, "main", 5) == []
        assert await room.replace(tx, message.id, CARD) is None
    assert (await _post(database, "n2")).version > gone.version


async def test_writers_at_once_never_share_a_version(database: Database) -> None:
    posted = await asyncio.gather(*(_post(database, f"n{number}") for number in range(30)))
    assert sorted(message.version for message in posted) == list(range(1, 31))
