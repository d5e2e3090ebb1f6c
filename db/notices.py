"""Sentences that people are to be told below a card, each once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.batches import drop_some
from db.records import Notice
from db.rows import asker_of, asker_values, handle_of, handle_values, storable
from db.tables import notices


async def add(tx: AsyncConnection, notice: Notice) -> None:
    """Promise to tell it, in the transaction of what it tells about."""
    values = {
        "id": notice.id,
        **handle_values(notice.handle),
        **asker_values(notice.asker),
        "sentence": storable(notice.sentence),
        "created_at": notice.created_at,
        "attempts": notice.attempts,
        "due_at": notice.created_at,
        "reason": "",
    }
    await tx.execute(insert(notices).values(values))


async def due(tx: AsyncConnection, surfaces: Collection[str], now: float, limit: int) -> list[Notice]:
    """What is to be told on these surfaces and whose time has come, the longest overdue first."""
    ripe = and_(_open_at(surfaces), notices.c.due_at <= now)
    query = select(notices).where(ripe).order_by(notices.c.due_at, notices.c.id).limit(limit)
    return [_notice_of(row) for row in await tx.execute(query)]


async def next_due_at(tx: AsyncConnection, surfaces: Collection[str]) -> float | None:
    """When the next one falls due (it may be past), or None when all are told."""
    earliest: float | None = (
        await tx.execute(select(func.min(notices.c.due_at)).where(_open_at(surfaces)))
    ).scalar_one()
    return earliest


async def sent(tx: AsyncConnection, notice_id: str, now: float) -> bool:
    """They were told. False: that is over already."""
    return await _change(tx, notice_id, sent_at=now)


async def postpone(tx: AsyncConnection, notice_id: str, until: float) -> None:
    """One attempt more is behind it; try again at `until`."""
    await _change(tx, notice_id, attempts=notices.c.attempts + 1, due_at=until)


async def give_up(tx: AsyncConnection, notice_id: str, reason: str, now: float) -> bool:
    """They can't be told, for this reason. False: that is over already."""
    return await _change(tx, notice_id, sent_at=now, reason=reason)


async def forget(tx: AsyncConnection, before: float) -> int:
    """Drop what was told, or given up, before a moment; a batch of it (`db.batches`)."""
    return await drop_some(tx, notices, notices.c.sent_at < before)


def _open_at(surfaces: Collection[str]) -> ColumnElement[bool]:
    return and_(notices.c.sent_at.is_(None), notices.c.surface.in_(surfaces))


async def _change(tx: AsyncConnection, notice_id: str, **values: Any) -> bool:
    still_open = and_(notices.c.id == notice_id, notices.c.sent_at.is_(None))
    return (await tx.execute(update(notices).where(still_open).values(values))).rowcount == 1


def _notice_of(row: Row[Any]) -> Notice:
    return Notice(row.id, handle_of(row), asker_of(row), row.sentence, row.created_at, row.attempts)
