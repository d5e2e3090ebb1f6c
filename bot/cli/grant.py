"""`zoetrope grant`: credits on top of what everybody has, for a while."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass

from bot import cards
from bot.cards.moderation import moment
from bot.cli import known
from bot.cli.output import say
from bot.errors import WrongUse
from db import quotas
from db.config import Config
from db.database import Database
from db.ids import new_id
from db.records import MILLI, Asker

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Gift:
    """`credits` are standard clips for the person `id` of `surface`, good for `hours`; `new`: who may never have been
    here."""

    surface: str
    id: str
    credits: float
    hours: float
    new: bool = False


async def give(gift: Gift, config: Config) -> None:
    """Write the grant down, which counts from this moment on. Raises WrongUse, NobodyKnown, StoreError."""
    if not _ID.fullmatch(gift.id):
        raise WrongUse("That is no id of a person: give the number that the platform itself uses, not a name.")
    if not (math.isfinite(gift.credits) and math.isfinite(gift.hours)):
        raise WrongUse("Credits and hours must be plain numbers, such as 2.5.")
    amount = max(1, round(gift.credits * MILLI))
    now = time.time()
    until = now + gift.hours * 3600
    database = await Database.open(config.database_url)
    try:
        async with database.transaction() as tx:
            who = Asker(gift.surface, gift.id)
            if not gift.new:
                await known.require(tx, who, ", or add --new for somebody who has not come yet")
            await quotas.grant(tx, new_id(), who, amount, now, until)
    finally:
        await database.close()
    say(f"Granted {cards.price(amount)} to {gift.id} on {gift.surface}, good until {moment(until)}.")
