"""URL NAME: after a line on stdin, decide every open review as NAME, each in its own transaction; print those won."""

import asyncio
import sys

from db import reviews
from db.database import Database
from db.records import Asker, Decision


async def main(url: str, name: str) -> None:
    database = await Database.open(url)
    async with database.reading() as tx:
        found = await reviews.waiting(tx, "discord", "g1")
    print("ready", flush=True)
    sys.stdin.readline()
    for review in found:
        async with database.transaction() as tx:
            if await reviews.decide(tx, review.id, Decision.REMOVE, Asker("web", name), 20.0, None):
                print(review.id)
    await database.close()


asyncio.run(main(sys.argv[1], sys.argv[2]))
