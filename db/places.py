"""What the moderators of a place have set."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.dialects.sqlite import insert  # ON CONFLICT; PostgreSQL's dialect has the same construct
from sqlalchemy.ext.asyncio import AsyncConnection

from db.records import PlaceSettings
from db.tables import places


async def settings(tx: AsyncConnection, surface: str, place: str) -> PlaceSettings:
    """The defaults for a place where nobody has set anything."""
    stored = (await tx.execute(select(places.c.settings).where(_is(surface, place)))).scalar_one_or_none()
    return PlaceSettings(**_from_json(stored)) if stored else PlaceSettings()


async def put(tx: AsyncConnection, surface: str, place: str, settings: PlaceSettings, now: float) -> None:
    """These are the settings of the place from `now` on."""
    values = {"settings": asdict(settings), "changed_at": now}
    row = insert(places).values(surface=surface, place=place, **values)
    await tx.execute(row.on_conflict_do_update(index_elements=["surface", "place"], set_=values))


def _is(surface: str, place: str) -> ColumnElement[bool]:
    return and_(places.c.surface == surface, places.c.place == place)


def _from_json(stored: dict[str, Any]) -> dict[str, Any]:
    """JSON has lists where the record has tuples."""
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()}
    for key in ("roles", "overrides"):
        values[key] = tuple(map(tuple, values.get(key, ())))
    return values
