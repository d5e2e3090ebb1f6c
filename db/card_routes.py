"""By which other way a card can be edited, where the bot's own token does not reach it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, select, update
from sqlalchemy.dialects.sqlite import insert  # ON CONFLICT; PostgreSQL's dialect has the same construct
from sqlalchemy.ext.asyncio import AsyncConnection

from db.records import Address
from db.rows import address_of, address_values
from db.tables import card_routes


@dataclass(frozen=True, slots=True)
class CardRoute:
    """The way to the card that was (or will be) shown under `nonce`; good until `until`.

    `kind` and `token` are the surface's own words; `message` is empty until the card is there. The token is a secret
    while it lasts.
    """

    nonce: str
    address: Address
    kind: str
    token: str
    until: float
    message: str = ""


async def keep(tx: AsyncConnection, route: CardRoute) -> None:
    """This is the way from now on."""
    values = {
        **address_values(route.address),
        "message": route.message,
        "kind": route.kind,
        "token": route.token,
        "until": route.until,
    }
    row = insert(card_routes).values(nonce=route.nonce, **values)
    await tx.execute(row.on_conflict_do_update(index_elements=["surface", "nonce"], set_=values))


async def set_message(tx: AsyncConnection, surface: str, nonce: str, message: str) -> None:
    """The card is up."""
    await tx.execute(update(card_routes).where(_of_nonce(surface, nonce)).values(message=message))


async def of_nonce(tx: AsyncConnection, surface: str, nonce: str) -> CardRoute | None:
    return await _one(tx, _of_nonce(surface, nonce))


async def of_message(tx: AsyncConnection, surface: str, message: str) -> CardRoute | None:
    """The way that lasts longest, if a card has several."""
    return await _one(tx, and_(card_routes.c.surface == surface, card_routes.c.message == message))


async def forget(tx: AsyncConnection, surface: str, before: float) -> None:
    """Drop a surface's ways that were good until a moment that is past."""
    await tx.execute(delete(card_routes).where(card_routes.c.surface == surface, card_routes.c.until < before))


def _of_nonce(surface: str, nonce: str) -> ColumnElement[bool]:
    return and_(card_routes.c.surface == surface, card_routes.c.nonce == nonce)


async def _one(tx: AsyncConnection, where: ColumnElement[bool]) -> CardRoute | None:
    row = (await tx.execute(select(card_routes).where(where).order_by(card_routes.c.until.desc()))).first()
    return None if row is None else _route_of(row)


def _route_of(row: Row[Any]) -> CardRoute:
    return CardRoute(row.nonce, address_of(row), row.kind, row.token, row.until, row.message)
