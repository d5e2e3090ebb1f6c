"""Which models there are: what runners announce, so that the bot knows without loading any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from pydantic import TypeAdapter
from sqlalchemy import delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.records import ModelFacts
from db.tables import models

GONE_SECONDS = 3600.0  # a runner announces every few seconds: one that has not for this long will not come back

_FACTS = TypeAdapter(ModelFacts)


async def announce(tx: AsyncConnection, runner: str, facts: Sequence[ModelFacts], now: float) -> None:
    """These, in this order, are the runner's models from now on; what it announced before is forgotten.

    So is what runners announced that are gone: a request for their models would wait for ever.
    """
    gone = models.c.announced_at < now - GONE_SECONDS
    await tx.execute(delete(models).where(or_(models.c.runner == runner, gone)))
    rows = [
        {"runner": runner, "name": model.name, "position": position, "facts": asdict(model), "announced_at": now}
        for position, model in enumerate(facts)
    ]
    if rows:
        await tx.execute(insert(models), rows)


async def known(tx: AsyncConnection) -> list[ModelFacts]:
    """Every model once, in the order of announcement; where runners disagree, the latest word holds."""
    latest_last = select(models).order_by(models.c.announced_at, models.c.runner)
    by_name = {row.name: row for row in await tx.execute(latest_last)}
    ordered = sorted(by_name.values(), key=lambda row: (row.position, row.name))
    return [_FACTS.validate_python(row.facts) for row in ordered]
