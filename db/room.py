"""The messages of the web page: what Discord's servers are for Discord.

Versions grow by one with every change in the whole table, so that a page asks "what is new since 41?" and misses
nothing, deletions included. They are handed out inside the write transaction, one writer at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.ids import new_id
from db.tables import room_messages


@dataclass(frozen=True, slots=True)
class RoomMessage:
    """One message: the card as JSON and the rendition it carries (the surface's own words for it), or empty.

    A deleted one has an empty card and is only ever seen in `since`.
    """

    id: str
    room: str
    version: int
    card: dict[str, Any]
    rendition: str
    created_at: float
    deleted: bool = False


async def post(tx: AsyncConnection, room: str, nonce: str, card: dict[str, Any], now: float) -> RoomMessage:
    """A new message. The same nonce in the same room again: the first one, as it is now, unchanged."""
    first = await _one(tx, and_(room_messages.c.room == room, room_messages.c.nonce == nonce))
    if first is not None:
        return first
    message = RoomMessage(new_id(), room, await _next_version(tx), card, "", now)
    values = {"id": message.id, "room": room, "nonce": nonce, "version": message.version, "card": card}
    await tx.execute(insert(room_messages).values(**values, rendition="", created_at=now))
    return message


async def replace(
    tx: AsyncConnection, message_id: str, card: dict[str, Any], rendition: str = ""
) -> RoomMessage | None:
    """The whole message anew: an empty rendition takes the clip away. None: there is no such message."""
    if not await _change(tx, message_id, card=card, rendition=rendition):
        return None
    return await get(tx, message_id)


async def get(tx: AsyncConnection, message_id: str) -> RoomMessage | None:
    return await _one(tx, _is(message_id))


async def delete(tx: AsyncConnection, message_id: str) -> bool:
    """False: there is no such message."""
    return await _change(tx, message_id, card={}, rendition="", deleted=True)


async def latest(tx: AsyncConnection, room: str, count: int) -> list[RoomMessage]:
    """The newest `count` messages, oldest first, as a page shows them."""
    there = and_(room_messages.c.room == room, room_messages.c.deleted.is_(False))
    newest = select(room_messages).where(there).order_by(room_messages.c.number.desc()).limit(count)
    return [_message_of(row) for row in (await tx.execute(newest)).all()][::-1]


async def since(tx: AsyncConnection, room: str, version: int) -> list[RoomMessage]:
    """What changed after `version`, deletions included, in the order of the changes."""
    newer = and_(room_messages.c.room == room, room_messages.c.version > version)
    rows = await tx.execute(select(room_messages).where(newer).order_by(room_messages.c.version))
    return [_message_of(row) for row in rows]


def _is(message_id: str) -> ColumnElement[bool]:
    return and_(room_messages.c.id == message_id, room_messages.c.deleted.is_(False))


async def _next_version(tx: AsyncConnection) -> int:
    highest: int | None = (await tx.execute(select(func.max(room_messages.c.version)))).scalar_one()
    return (highest or 0) + 1


async def _change(tx: AsyncConnection, message_id: str, **values: Any) -> bool:
    changed = update(room_messages).where(_is(message_id)).values(**values, version=await _next_version(tx))
    return (await tx.execute(changed)).rowcount == 1


async def _one(tx: AsyncConnection, where: ColumnElement[bool]) -> RoomMessage | None:
    row = (await tx.execute(select(room_messages).where(where))).one_or_none()
    return None if row is None else _message_of(row)


def _message_of(row: Row[Any]) -> RoomMessage:
    return RoomMessage(row.id, row.room, row.version, row.card, row.rendition, row.created_at, row.deleted)
