"""URL COUNT: read a number, wait a turn of the loop, write it back plus one; COUNT times."""

import asyncio
import sys

from sqlalchemy import select, update

from db.database import Database
from db.tables import runners


async def main(url: str, count: int) -> None:
    database = await Database.open(url)
    for _ in range(count):
        async with database.transaction() as tx:
            value = (await tx.execute(select(runners.c.seen_at))).scalar_one()
            await asyncio.sleep(0)
            await tx.execute(update(runners).values(seen_at=value + 1))
    await database.close()


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
