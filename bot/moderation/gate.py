"""Who may do what to jobs and clips: asked anew at every press, inside the transaction that acts."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import permissions
from bot.cards import closed
from db import gallery, moves, people, places, standing
from db.records import Address, Caller, Clip, Curb, Job

GRAVITY = {curb: rank for rank, curb in enumerate(Curb)}  # what a graver one forbids includes what a lesser one does


async def moderates(tx: AsyncConnection, caller: Caller, now: float) -> bool:
    """Whether the caller is a moderator where they are: the platform or the place says so, and no other moderator has
    banned them there. A private chat has no moderators."""
    here = caller.address
    if caller.circumstances.private:
        return False
    if not permissions.moderates(caller.circumstances, await places.settings(tx, here.surface, here.place)):
        return False
    return not await is_banned(tx, caller, now)


async def is_banned(tx: AsyncConnection, caller: Caller, now: float) -> bool:
    """Whether somebody gets no answer here but about their own data."""
    here = caller.address
    return (await standing.standing(tx, caller.asker, here.surface, here.place, now)).curb is Curb.BAN


async def barred(tx: AsyncConnection, caller: Caller, curb: Curb, now: float) -> str:
    """Why the caller may not do here what somebody under `curb` may not, in the language being spoken; or nothing."""
    here = caller.address
    stands = await standing.standing(tx, caller.asker, here.surface, here.place, now)
    if stands.curb is None or GRAVITY[stands.curb] < GRAVITY[curb]:
        return ""
    return closed.curbed(stands.curb, stands.until, now)


async def is_theirs(tx: AsyncConnection, caller: Caller, job: Job) -> bool:
    """Whether the caller is the person who asked for the job, as any of their identities."""
    return caller.asker in await people.identities(tx, job.asker)


async def may_end(tx: AsyncConnection, caller: Caller, job: Job, now: float) -> bool:
    """Whether the caller may cancel the job or delete its clip: its asker, or a moderator of its place."""
    if await is_theirs(tx, caller, job):
        return True
    return await is_home(tx, caller.address, job) and await moderates(tx, caller, now)


async def may_see(tx: AsyncConnection, caller: Caller, job: Job, clip: Clip | None) -> bool:
    """Whether a card of the job, or of its clip, may stand where the caller is."""
    if await is_home(tx, caller.address, job) or await is_theirs(tx, caller, job):
        return True
    return clip is not None and await gallery.may_see(tx, clip, caller.asker, caller.address)


async def is_home(tx: AsyncConnection, here: Address, job: Job) -> bool:
    """Whether the job was asked for here, also if the place has got another name since."""
    return await is_same_place(tx, here, job.handle.address)


async def is_same_place(tx: AsyncConnection, here: Address, there: Address) -> bool:
    """Whether two addresses belong to one place, also if it was called otherwise when `there` was written down."""
    return here.surface == there.surface and here.place in (
        there.place,
        await moves.moved(tx, there.surface, there.place),
    )
