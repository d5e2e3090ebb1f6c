"""URL PREFIX: commit one row after the other and print its name once it is acknowledged, until killed."""

import asyncio
import itertools
import sys

from db import runners
from db.database import Database


async def main(url: str, prefix: str) -> None:
    database = await Database.open(url)
    for number in itertools.count():
        async with database.transaction() as tx:
            await runners.seen(tx, f"{prefix}-{number}", "cpu", now=1.0)
        print(f"{prefix}-{number}", flush=True)


asyncio.run(main(sys.argv[1], sys.argv[2]))
