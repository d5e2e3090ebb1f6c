"""Promises to bring a clip to a card: made with the clip, kept by one loop, each with a state of its own."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import moves
from db.records import Delivery, DeliveryState, Handle
from db.rows import handle_of, handle_values
from db.tables import deliveries


async def promise(tx: AsyncConnection, delivery: Delivery) -> None:
    """Write the promise down in the transaction that publishes its clip."""
    values = {
        "id": delivery.id,
        "clip": delivery.clip,
        "job": delivery.job,
        **handle_values(delivery.handle),
        "format": delivery.format,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "due_at": delivery.due_at,
        "card_at": delivery.card_at,
        "receipt": delivery.receipt,
        "reason": delivery.reason,
        "renewed": delivery.renewed,
    }
    await tx.execute(insert(deliveries).values(values))


async def due(tx: AsyncConnection, surfaces: Collection[str], now: float, limit: int = 20) -> list[Delivery]:
    """Promises to these surfaces whose time has come, the longest overdue first."""
    ripe = and_(_open_at(surfaces), deliveries.c.due_at <= now)
    query = select(deliveries).where(ripe).order_by(deliveries.c.due_at, deliveries.c.id).limit(limit)
    return [_delivery_of(row) for row in await tx.execute(query)]


async def next_due_at(tx: AsyncConnection, surfaces: Collection[str]) -> float | None:
    """When the next promise to these surfaces falls due (it may be past), or None when all are kept."""
    open_ones = select(func.min(deliveries.c.due_at)).where(_open_at(surfaces))
    earliest: float | None = (await tx.execute(open_ones)).scalar_one()
    return earliest


async def mark_sent(
    tx: AsyncConnection, delivery_id: str, receipt: str, now: float, renewed: int | None = None
) -> bool:
    """PROMISED -> SENT with the platform's proof. False: it was closed before; or it was promised again since it was
    read as `renewed`, and stays promised, as what was drawn meanwhile may be covered."""
    values = {"state": DeliveryState.SENT, "receipt": receipt, "reason": "", "sent_at": now}
    as_read = () if renewed is None else (deliveries.c.renewed == renewed,)
    return await _change(tx, delivery_id, *as_read, **values)


async def postpone(tx: AsyncConnection, delivery_id: str, until: float, reason: str) -> None:
    """One attempt more is behind it; try again at `until`. A closed delivery stays closed."""
    await _change(tx, delivery_id, attempts=deliveries.c.attempts + 1, due_at=until, reason=reason)


async def give_up(tx: AsyncConnection, delivery_id: str, reason: str) -> bool:
    """PROMISED -> GIVEN_UP. False: it was closed before."""
    return await _change(tx, delivery_id, state=DeliveryState.GIVEN_UP, reason=reason)


async def get(tx: AsyncConnection, delivery_id: str) -> Delivery | None:
    row = (await tx.execute(select(deliveries).where(deliveries.c.id == delivery_id))).one_or_none()
    return None if row is None else _delivery_of(row)


async def of_job(tx: AsyncConnection, job_id: str) -> list[Delivery]:
    query = select(deliveries).where(deliveries.c.job == job_id).order_by(deliveries.c.card_at, deliveries.c.id)
    return [_delivery_of(row) for row in await tx.execute(query)]


async def of_clip(tx: AsyncConnection, clip_id: str) -> list[Delivery]:
    """Every card that carries the clip, or was to."""
    query = select(deliveries).where(deliveries.c.clip == clip_id).order_by(deliveries.c.card_at, deliveries.c.id)
    return [_delivery_of(row) for row in await tx.execute(query)]


async def of_message(tx: AsyncConnection, surface: str, place: str, message: str) -> Delivery | None:
    """What a message in a place carries, or was to: the newest promise to it. None: it is no clip's card."""
    names = await moves.names(tx, surface, place)
    there = and_(deliveries.c.surface == surface, deliveries.c.place.in_(names), deliveries.c.message == message)
    newest_first = (deliveries.c.card_at.desc(), deliveries.c.id)
    row = (await tx.execute(select(deliveries).where(there).order_by(*newest_first).limit(1))).one_or_none()
    return None if row is None else _delivery_of(row)


async def promise_again(tx: AsyncConnection, clip_id: str, now: float, surface: str = "", place: str = "") -> int:
    """SENT or GIVEN_UP -> PROMISED: the cards that carried the clip shall carry it once more; only those of a place
    where one is given. They count as cards of now: nobody is to be told a second time that their clip is ready.
    Returns how many. What is still PROMISED is renewed: it may have been drawn before this, and been covered since."""
    carried = deliveries.c.clip == clip_id
    if surface:
        names = await moves.names(tx, surface, place)
        carried = and_(carried, deliveries.c.surface == surface, deliveries.c.place.in_(names))
    await tx.execute(update(deliveries).where(carried).values(renewed=deliveries.c.renewed + 1))
    closed = and_(carried, deliveries.c.state != DeliveryState.PROMISED)
    fresh = {"state": DeliveryState.PROMISED, "attempts": 0, "due_at": now, "card_at": now, "sent_at": None}
    return (await tx.execute(update(deliveries).where(closed).values(**fresh, receipt="", reason=""))).rowcount


async def set_handle(tx: AsyncConnection, delivery_id: str, handle: Handle) -> None:
    """The card stands elsewhere now."""
    await tx.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(handle_values(handle)))


def _open_at(surfaces: Collection[str]) -> ColumnElement[bool]:
    return and_(deliveries.c.state == DeliveryState.PROMISED, deliveries.c.surface.in_(surfaces))


async def _change(tx: AsyncConnection, delivery_id: str, *also: ColumnElement[bool], **values: Any) -> bool:
    still_open = and_(deliveries.c.id == delivery_id, deliveries.c.state == DeliveryState.PROMISED, *also)
    return (await tx.execute(update(deliveries).where(still_open).values(values))).rowcount == 1


def _delivery_of(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        clip=row.clip,
        job=row.job,
        handle=handle_of(row),
        format=row.format,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        due_at=row.due_at,
        card_at=row.card_at,
        receipt=row.receipt,
        reason=row.reason,
        renewed=row.renewed,
    )
