"""URL CREDIT COUNT: after a line on stdin, ask for COUNT clips at once, each paid in its own transaction; print how
many were granted."""

import asyncio
import sys

from db import queue, quotas
from db.database import Database
from db.ids import new_id
from db.records import MILLI, Address, Asker, ClipSpec, Handle, Job, JobState, Ruling, Verdict

ASKER = Asker("web", "ada")
HANDLE = Handle(Address("web", "main"), "m1")
SPEC = ClipSpec("a heart", "", 1, 1, 1.0, 8, 32, 32, 8, "pocket")


async def ask(database: Database, credit: int) -> bool:
    async with database.transaction() as tx:
        usage = await quotas.usage(tx, ASKER, since=0.0, now=1.0)
        if sum(cost for _, cost in usage.spent) + MILLI > credit:
            return False
        job = Job(new_id(), ASKER, HANDLE, SPEC, Verdict(Ruling.ALLOWED), "gif", MILLI, JobState.QUEUED, 0, 1.0, 1.0)
        await quotas.reserve(tx, job.id, ASKER, MILLI, now=1.0)
        await queue.enqueue(tx, job)
    return True


async def main(url: str, credit: int, count: int) -> None:
    database = await Database.open(url)
    print("ready", flush=True)
    sys.stdin.readline()
    print(sum(await asyncio.gather(*(ask(database, credit) for _ in range(count)))))
    await database.close()


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
