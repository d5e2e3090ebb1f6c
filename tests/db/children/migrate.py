"""URL: open the database, migrating it, after a line on stdin."""

import asyncio
import sys

from db.database import Database


async def main(url: str) -> None:
    print("ready", flush=True)
    sys.stdin.readline()
    database = await Database.open(url, migrate=True)
    await database.close()
    print("migrated")


asyncio.run(main(sys.argv[1]))
