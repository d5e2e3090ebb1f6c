"""URL: commit one row for each line on stdin."""

import asyncio
import sys

from db import runners
from db.database import Database


async def main(url: str) -> None:
    database = await Database.open(url)
    print("ready", flush=True)
    for line in sys.stdin:
        async with database.transaction() as tx:
            await runners.seen(tx, line.strip(), "cpu", now=1.0)
    await database.close()


asyncio.run(main(sys.argv[1]))
