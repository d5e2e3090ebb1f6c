"""URL NAME: after a line on stdin, claim every waiting job that is still to be had; print the claimed ids."""

import asyncio
import sys

from db import queue
from db.database import Database


async def main(url: str, name: str) -> None:
    database = await Database.open(url)
    async with database.reading() as tx:
        ids = [job.id for job in await queue.waiting(tx)]
    print("ready", flush=True)
    sys.stdin.readline()
    for job_id in ids:
        async with database.transaction() as tx:
            lease = await queue.claim(tx, job_id, runner=name, now=0.0, until=9e9)
        if lease is not None:
            print(lease.job.id, lease.attempt, flush=True)
    await database.close()


asyncio.run(main(sys.argv[1], sys.argv[2]))
