"""The queue: jobs wait, are leased by a runner, and end exactly once.

    held ──approve─────┐     (rejected: refused; not looked at: cancelled)
                       v
    enqueue ───────> queued ──claim──> rendering ──finish────> done
                       │ ^                 │  │ │
                       │ └─fail(again)─────┘  │ └──fail──────> failed
                       │   rescue             ├──cancelled───> cancelled
                       │                      └──refuse──────> refused
                       └──ask_to_cancel──────────────────────> cancelled

Every write under a lease names the attempt; a lease that lapsed and was rescued can change nothing any more (a fencing
token, as in Kleppmann, "How to do distributed locking", 2016). Ends absorb. Quota is the caller's: it settles or
releases in the same transaction.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, insert, literal, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import moves, people
from db.records import GRAVEST, UNFINISHED_STATES, Address, Asker, Handle, Job, JobState, Lease, Progress, Verdict
from db.rows import handle_values, job_of, job_values, lease_of, progress_values
from db.tables import jobs

_OLDEST_FIRST = (jobs.c.created_at, jobs.c.number)
_UNLEASED: dict[str, Any] = {"runner": None, "lease_until": None}


async def enqueue(tx: AsyncConnection, job: Job) -> None:
    """Add a new job, QUEUED or HELD, before its first attempt.

    Raises:
        ValueError: the job is in another state or has attempts behind it.
    """
    if job.state not in (JobState.QUEUED, JobState.HELD) or job.attempt != 0:
        raise ValueError(f"a new job can't be {job.state} at attempt {job.attempt}")
    await tx.execute(insert(jobs).values(job_values(job)))


async def get(tx: AsyncConnection, job_id: str) -> Job | None:
    row = (await tx.execute(_by_id(job_id))).one_or_none()
    return None if row is None else job_of(row)


async def waiting(tx: AsyncConnection) -> list[Job]:
    """What can be claimed, oldest first."""
    return await _jobs(tx, select(jobs).where(jobs.c.state == JobState.QUEUED).order_by(*_OLDEST_FIRST))


async def waiting_count(tx: AsyncConnection) -> int:
    """How many can be claimed."""
    count = select(func.count()).select_from(jobs).where(jobs.c.state == JobState.QUEUED)
    return (await tx.execute(count)).scalar_one()


async def held(tx: AsyncConnection) -> list[Job]:
    """What waits for a moderator, oldest first."""
    return await _jobs(tx, select(jobs).where(jobs.c.state == JobState.HELD).order_by(*_OLDEST_FIRST))


async def unfinished_of(tx: AsyncConnection, asker: Asker) -> list[Job]:
    """What the person (all their identities) waits for, oldest first."""
    unfinished = and_(await _of_person(tx, asker), jobs.c.state.in_(sorted(UNFINISHED_STATES)))
    return await _jobs(tx, select(jobs).where(unfinished).order_by(*_OLDEST_FIRST))


async def waiting_of(tx: AsyncConnection, asker: Asker, surface: str, place: str) -> list[Job]:
    """What the person (all their identities) waits for in a place, oldest first."""
    names = await moves.names(tx, surface, place)
    there = and_(await _of_person(tx, asker), jobs.c.surface == surface, jobs.c.place.in_(names))
    unfinished = and_(there, jobs.c.state.in_(sorted(UNFINISHED_STATES)))
    return await _jobs(tx, select(jobs).where(unfinished).order_by(*_OLDEST_FIRST))


async def last_of(tx: AsyncConnection, asker: Asker, near: Address | None = None) -> Job | None:
    """What the person (all their identities) asked for last, in the place of `near` if one is given; None: nothing."""
    theirs = select(jobs).where(await _of_person(tx, asker))
    if near is not None:
        theirs = theirs.where(jobs.c.surface == near.surface, jobs.c.place == near.place)
    found = await _jobs(tx, theirs.order_by(jobs.c.created_at.desc(), jobs.c.number.desc()).limit(1))
    return found[0] if found else None


async def place(tx: AsyncConnection, job_id: str) -> int:
    """The place in line of a waiting job, 1 for the next one; 0: it does not wait."""
    row = (await tx.execute(_by_id(job_id).where(jobs.c.state == JobState.QUEUED))).one_or_none()
    if row is None:
        return 0
    before = tuple_(jobs.c.created_at, jobs.c.number) < tuple_(literal(row.created_at), literal(row.number))
    ahead = select(func.count()).select_from(jobs).where(jobs.c.state == JobState.QUEUED, before)
    return int((await tx.execute(ahead)).scalar_one()) + 1


async def running(tx: AsyncConnection) -> list[Lease]:
    """What is being rendered now, oldest job first."""
    rendering = select(jobs).where(jobs.c.state == JobState.RENDERING).order_by(*_OLDEST_FIRST)
    return [lease_of(row) for row in await tx.execute(rendering)]


async def changed_since(tx: AsyncConnection, since: float) -> list[Job]:
    """Jobs whose `changed_at` is `since` or later, the oldest change first."""
    return await _jobs(tx, select(jobs).where(jobs.c.changed_at >= since).order_by(jobs.c.changed_at, jobs.c.number))


async def claim(tx: AsyncConnection, job_id: str, *, runner: str, now: float, until: float) -> Lease | None:
    """QUEUED -> RENDERING, one attempt more. None: somebody else was faster, or the job is not waiting."""
    claimed = await _change(
        tx,
        and_(jobs.c.id == job_id, jobs.c.state == JobState.QUEUED),
        state=JobState.RENDERING,
        attempt=jobs.c.attempt + 1,
        runner=runner,
        lease_until=until,
        changed_at=now,
        reason="",
        **progress_values(None),
    )
    return lease_of((await tx.execute(_by_id(job_id))).one()) if claimed else None


async def extend(tx: AsyncConnection, lease: Lease, until: float) -> bool:
    """The heartbeat. False: the lease is no longer ours, whatever we are rendering is nobody's."""
    return await _change(tx, _held_under(lease), lease_until=until)


async def report(tx: AsyncConnection, lease: Lease, progress: Progress, now: float) -> bool:
    """How far the job is. False: fenced off."""
    return await _change(tx, _held_under(lease), changed_at=now, **progress_values(progress))


async def finish(tx: AsyncConnection, lease: Lease, now: float) -> bool:
    """RENDERING -> DONE. False: fenced off, the clip must not be published."""
    return await _end(tx, lease, JobState.DONE, "", now)


async def cancelled(tx: AsyncConnection, lease: Lease, now: float) -> bool:
    """RENDERING -> CANCELLED. False: fenced off."""
    return await _end(tx, lease, JobState.CANCELLED, "", now)


async def refuse(tx: AsyncConnection, lease: Lease, verdict: Verdict, now: float) -> bool:
    """RENDERING -> REFUSED: a second opinion said no; of the gravest kind no words are kept. False: fenced off."""
    return await _change(tx, _held_under(lease), **_refused(lease.job, verdict, now), **_UNLEASED)


async def fail(
    tx: AsyncConnection, lease: Lease, reason: str, now: float, *, again: bool, attempts: int
) -> JobState | None:
    """The attempt failed for `reason`, one sentence for the asker.

    Returns the state the job went to: CANCELLED when that was asked meanwhile, QUEUED when another attempt may help
    and `attempts` are not used up, else FAILED. None: fenced off, nothing changed.
    """
    row = (await tx.execute(select(jobs).where(_held_under(lease)))).one_or_none()
    if row is None:
        return None
    state = _after_failure(job_of(row), again=again, attempts=attempts)
    await _end(tx, lease, state, reason, now)
    return state


async def ask_to_cancel(tx: AsyncConnection, job_id: str, now: float) -> JobState | None:
    """A waiting job is cancelled at once, a rendering one is flagged for its runner, an ended one stays as it is.

    Returns the state after that, or None when there is no such job.
    """
    job = await get(tx, job_id)
    if job is None:
        return None
    if job.state is JobState.RENDERING:
        await _change(tx, jobs.c.id == job_id, cancel_asked=True, changed_at=now)
    elif not job.state.is_end:
        await _change(tx, jobs.c.id == job_id, state=JobState.CANCELLED, changed_at=now)
        return JobState.CANCELLED
    return job.state


async def approve(tx: AsyncConnection, job_id: str, verdict: Verdict, now: float) -> bool:
    """HELD -> QUEUED: a moderator let it through, which `verdict` says. False: it is not held (any more)."""
    return await _change(
        tx, _still_held(job_id), state=JobState.QUEUED, verdict=asdict(verdict), reason="", changed_at=now
    )


async def reject(tx: AsyncConnection, job_id: str, verdict: Verdict, now: float) -> bool:
    """HELD -> REFUSED by a moderator; of the gravest kind no words are kept. False: it is not held (any more)."""
    job = await get(tx, job_id)
    return job is not None and await _change(tx, _still_held(job_id), **_refused(job, verdict, now))


async def lapse(tx: AsyncConnection, job_id: str, now: float) -> bool:
    """HELD -> CANCELLED: nobody looked in time. False: somebody has decided meanwhile."""
    return await _change(tx, _still_held(job_id), state=JobState.CANCELLED, changed_at=now)


async def set_handle(tx: AsyncConnection, job_id: str, handle: Handle) -> None:
    """The job's card stands elsewhere now."""
    await _change(tx, jobs.c.id == job_id, **handle_values(handle))


async def touch(tx: AsyncConnection, job_id: str, now: float) -> None:
    """Something about the job was changed that its card shows."""
    await _change(tx, jobs.c.id == job_id, changed_at=now)


async def rescue(tx: AsyncConnection, now: float, attempts: int, predecessor: str | None = None) -> list[Job]:
    """Take back the leases that lapsed before `now`, and at once all leases of the runner `predecessor`.

    Their jobs go to CANCELLED when that was asked, to FAILED when `attempts` are used up, else back to QUEUED. Returns
    them as they are now; the caller releases the quota of those that ended.
    """
    lapsed = or_(jobs.c.lease_until < now, jobs.c.runner == predecessor)
    found = select(jobs).where(jobs.c.state == JobState.RENDERING, lapsed).order_by(*_OLDEST_FIRST)
    rescued = []
    for lease in [lease_of(row) for row in await tx.execute(found)]:
        state = _after_failure(lease.job, again=True, attempts=attempts)
        await _end(tx, lease, state, _gone(lease) if state is JobState.FAILED else "", now)
        rescued.append(job_of((await tx.execute(_by_id(lease.job.id))).one()))
    return rescued


def _refused(job: Job, verdict: Verdict, now: float) -> dict[str, Any]:
    refused: dict[str, Any] = {"state": JobState.REFUSED, "verdict": asdict(verdict), "reason": "", "changed_at": now}
    if verdict.category == GRAVEST:
        refused["spec"] = asdict(replace(job.spec, prompt="", negative=""))
    return refused


def _after_failure(job: Job, *, again: bool, attempts: int) -> JobState:
    if job.cancel_asked:
        return JobState.CANCELLED  # nobody waits for the clip any more
    return JobState.QUEUED if again and job.attempt < attempts else JobState.FAILED


def _gone(lease: Lease) -> str:
    times = "once" if lease.attempt == 1 else f"{lease.attempt} times"
    return f"The renderer stopped {times} while working on this clip, so it was given up; please try again later."


async def _of_person(tx: AsyncConnection, asker: Asker) -> ColumnElement[bool]:
    return people.one_of(await people.identities(tx, asker), jobs.c.asker_surface, jobs.c.asker_id)


def _by_id(job_id: str) -> Select[Any]:
    return select(jobs).where(jobs.c.id == job_id)


def _still_held(job_id: str) -> ColumnElement[bool]:
    return and_(jobs.c.id == job_id, jobs.c.state == JobState.HELD)


def _held_under(lease: Lease) -> ColumnElement[bool]:
    return and_(
        jobs.c.id == lease.job.id,
        jobs.c.state == JobState.RENDERING,
        jobs.c.attempt == lease.attempt,  # no two claims have the same, so it names the runner too
    )


async def _end(tx: AsyncConnection, lease: Lease, state: JobState, reason: str, now: float) -> bool:
    """Leave RENDERING. What was reported stays on an ended job and is forgotten by one that waits again."""
    values: dict[str, Any] = {"state": state, "reason": reason, "changed_at": now, **_UNLEASED}
    if state is JobState.QUEUED:
        values |= progress_values(None)
    return await _change(tx, _held_under(lease), **values)


async def _change(tx: AsyncConnection, where: ColumnElement[bool], **values: Any) -> bool:
    return (await tx.execute(update(jobs).where(where).values(values))).rowcount == 1


async def _jobs(tx: AsyncConnection, query: Select[Any]) -> list[Job]:
    return [job_of(row) for row in await tx.execute(query)]
