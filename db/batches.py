"""Rows that go, a few at a time: whoever else writes comes in between."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

BATCH = 100  # as much as one transaction does


async def drop_some(tx: AsyncConnection, table: Table, where: ColumnElement[bool]) -> int:
    """Delete at most `BATCH` of the rows. Returns how many; as many as that means that there may be more."""
    key = list(table.primary_key.columns)
    some = select(*key).where(where).limit(BATCH)
    return (await tx.execute(delete(table).where(tuple_(*key).in_(some)))).rowcount
