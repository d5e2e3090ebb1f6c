"""A person's data is erased, as far as whoever wants it gone may have it gone (db.records.Requester).

    user       jobs end, clips and words go, and so does what was said to them
    strict     settings, links and sign-ins as well, and what places learned from their prompts
    owner      strikes, reports and refusals as well, and every curb but a ban that is in force; what they had made is
               nobody's
    platform   the rest, and their id wherever it stands: of this one account, as the others that were linked live on

What stays of a clip is a tombstone, so that what was made from it can still say so. What was spent of the quota stays
counted, or erasing would fill it up again. A job that is being rendered ends at once, and with it its lease: whatever
its runner brings is fenced off (`db.queue`), so that no clip can come after its words have gone.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, not_, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import blanking, cases, gallery, people, quotas, room, standing
from db.belongings import ABOUT, Whose
from db.ids import new_id
from db.purges import PURGING
from db.records import (
    UNFINISHED_STATES,
    Asker,
    Clip,
    Curb,
    Decision,
    JobState,
    Requester,
    RequestState,
)
from db.rows import progress_values
from db.tables import (
    card_routes,
    clips,
    jobs,
    metadata,
    moved_places,
    pending,
    refusals,
    reports,
    requests,
    reservations,
    restrictions,
    reviews,
    room_messages,
    updates,
)

GONE = "deleted"  # instead of an id
HASHED = "hash:"  # how a prompt begins that was never kept
_GIVEN_UP = "The clip was deleted."

_LEVELS = tuple(Requester)  # each goes as far as those before it
_DROPPED = {  # from which level on the rows about somebody are deleted
    Requester.USER: ("notices", "platform_files", "withheld"),
    Requester.STRICT: ("allowed_prompts", "console_links", "console_sessions", "link_codes", "people"),
    Requester.OWNER: ("link_tries", "refusals", "reports", "requests", "strikes"),
    Requester.PLATFORM: ("card_routes", "credit_entries", "places", "restrictions"),
}


@dataclass(frozen=True, slots=True)
class Erased:
    """What is to be removed from the disk once this is committed: the files of `clips`, and previews of `jobs`."""

    clips: tuple[Clip, ...]
    jobs: tuple[str, ...]


async def erase(tx: AsyncConnection, asker: Asker, requester: Requester, now: float) -> Erased:
    """Over all identities of the person; for the platform, over this one."""
    alone = requester is Requester.PLATFORM
    whose = Whose((asker,) if alone else await people.identities(tx, asker))
    if requester is not Requester.USER:
        await standing.share(tx, asker, now)  # the links go, or one of the linked
    stopped = await _stop_jobs(tx, whose, now)
    await tx.execute(delete(pending).where(whose.named(pending), pending.c.what != PURGING))
    await _lapse_reviews(tx, whose, now)
    await _empty_room(tx, whose)
    forgotten = await blanking.forget_clips(tx, whose.named(clips), _GIVEN_UP)
    if forgotten:
        await gallery.forget_words(tx)
    await _take_words(tx, whose, now)
    for level in _LEVELS[: _LEVELS.index(requester) + 1]:
        await _drop(tx, whose, _DROPPED[level])
    if requester is Requester.OWNER:
        await _lift_what_is_no_ban(tx, whose, now)
    if requester in (Requester.OWNER, Requester.PLATFORM):
        await _unname_works(tx, whose)
    if requester is Requester.PLATFORM:
        await _unname(tx, whose)
    return Erased(tuple(forgotten), tuple(stopped))


async def _stop_jobs(tx: AsyncConnection, whose: Whose, now: float) -> list[str]:
    """Whatever is unfinished ends here, and costs nothing."""
    unfinished = and_(whose.named(jobs), jobs.c.state.in_(sorted(UNFINISHED_STATES)))
    ids = list((await tx.execute(select(jobs.c.id).where(unfinished))).scalars())
    ended: dict[str, Any] = {"state": JobState.CANCELLED, "cancel_asked": True, "runner": None, "lease_until": None}
    await tx.execute(update(jobs).where(unfinished).values(**ended, **progress_values(None)))
    for job in ids:
        await quotas.release(tx, job)
    return ids


async def _lapse_reviews(tx: AsyncConnection, whose: Whose, now: float) -> None:
    """There is nothing left to look at; the moderators' cards are drawn anew without it, those of old ones too."""
    subjects = whose.jobs.union(whose.clips, select(refusals.c.id).where(whose.named(refusals)))
    theirs = reviews.c.subject.in_(subjects)
    lapsed = {"decision": Decision.LAPSED, "decided_at": now}
    await tx.execute(update(reviews).where(theirs, reviews.c.decision == "").values(**lapsed))
    stale = {"drawn": False, "version": reviews.c.version + 1}
    await tx.execute(update(reviews).where(theirs, reviews.c.card_message != "").values(stale))


async def _empty_room(tx: AsyncConnection, whose: Whose) -> None:
    """The web page's own messages go at once; those of other platforms are redrawn by the loops."""
    posted = and_(ABOUT["room_messages"](whose), room_messages.c.deleted.is_(False))
    for message in (await tx.execute(select(room_messages.c.id).where(posted))).scalars().all():
        await room.delete(tx, message)


async def _take_words(tx: AsyncConnection, whose: Whose, now: float) -> None:
    await blanking.specs(tx, jobs, whose.named(jobs))
    await tx.execute(update(jobs).where(whose.named(jobs)).values(reason="", changed_at=now))  # their cards are redrawn
    drafts = and_(whose.named(requests), requests.c.state == RequestState.DRAFT)
    await tx.execute(delete(requests).where(drafts))
    await blanking.wishes(tx, whose.named(requests))
    waiting = and_(whose.named(requests), requests.c.state == RequestState.RECEIVED)
    await tx.execute(update(requests).where(waiting).values(state=RequestState.CLOSED))
    await tx.execute(update(requests).where(whose.named(requests)).values(circumstances={}))
    readable = and_(whose.named(refusals), not_(refusals.c.prompt.startswith(HASHED)))
    await tx.execute(update(refusals).where(readable).values(prompt=""))
    await tx.execute(update(reports).where(whose.named(reports)).values(reason=""))
    await _empty_updates(tx, whose, now)
    await _empty_outcomes(tx, whose)


async def _empty_updates(tx: AsyncConnection, whose: Whose, now: float) -> None:
    """What they wrote and what was not handled yet: it counts as handled. What was handled is empty (`db.updates`)."""
    for identity in whose.identities:
        waiting = and_(updates.c.surface == identity.surface, updates.c.handled_at.is_(None))
        kept = select(updates.c.number, updates.c.body).where(waiting)
        for row in (await tx.execute(kept)).all():
            if is_from(row.body, identity.id):
                it = and_(updates.c.surface == identity.surface, updates.c.number == row.number)
                await tx.execute(update(updates).where(it).values(body={}, handled_at=now))


async def _empty_outcomes(tx: AsyncConnection, whose: Whose) -> None:
    """What surfaces have noted as the outcome of a command, so that it acts once, may repeat words: of those about
    them, only that there was one stays."""
    works = whose.jobs.union(whose.clips, select(refusals.c.id).where(whose.named(refusals)))
    known = {*(await tx.execute(works)).scalars(), *(identity.id for identity in whose.identities)}
    surfaces = {identity.surface for identity in whose.identities}
    noted = select(card_routes).where(card_routes.c.surface.in_(surfaces), card_routes.c.token.startswith("{"))
    for row in (await tx.execute(noted)).all():
        if _says(row.token, known):
            it = and_(card_routes.c.surface == row.surface, card_routes.c.nonce == row.nonce)
            await tx.execute(update(card_routes).where(it).values(token=""))


def _says(token: str, known: AbstractSet[str]) -> bool:
    """Whether one of these ids stands in what was noted, by itself or in a sentence."""
    return not known.isdisjoint(re.findall(r"[\w-]+", token))


def is_from(body: Any, person: str) -> bool:
    """Whether anything in what a platform sent has this person as its `from`."""
    if isinstance(body, list):
        return any(is_from(each, person) for each in body)
    if not isinstance(body, dict):
        return False
    sender = body.get("from")
    if isinstance(sender, dict) and str(sender.get("id")) == person:
        return True
    return any(is_from(each, person) for each in body.values())


async def _drop(tx: AsyncConnection, whose: Whose, names: Collection[str]) -> None:
    for name in names:
        await tx.execute(delete(metadata.tables[name]).where(ABOUT[name](whose)))


async def _lift_what_is_no_ban(tx: AsyncConnection, whose: Whose, now: float) -> None:
    """A ban that is in force is lifted by itself, by a moderator: erasing is no way round it."""
    lasting = or_(restrictions.c.until.is_(None), restrictions.c.until > now)
    in_force = and_(restrictions.c.curb == Curb.BAN, restrictions.c.lifted_at.is_(None), lasting)
    await tx.execute(delete(restrictions).where(whose.named(restrictions), not_(in_force)))


async def _unname_works(tx: AsyncConnection, whose: Whose) -> None:
    """What stays of what they had made is nobody's; the words and files have gone already."""
    for table, role in ((jobs, "asker"), (clips, "asker"), (reviews, "target")):
        await tx.execute(_without_id(table, role, whose.named(table, role)))


async def _unname(tx: AsyncConnection, whose: Whose) -> None:
    """Not even their id stays."""
    for table, role in ((reservations, "asker"), (reviews, "decided_by"), (pending, "asker")):
        await tx.execute(_without_id(table, role, whose.named(table, role)))
    await cases.unname(tx, whose.identities)
    await _drop_what_was_planned(tx, whose)
    for identity in whose.identities:
        await _unname_private_chat(tx, identity)


def _without_id(table: Table, role: str, where: ColumnElement[bool]) -> Any:
    return update(table).where(where).values({f"{role}_id": GONE})


async def _drop_what_was_planned(tx: AsyncConnection, whose: Whose) -> None:
    """What others were about to do to them."""
    ids = {identity.id for identity in whose.identities}
    for row in (await tx.execute(select(pending.c.id, pending.c["values"]))).all():
        if ids & {str(value) for pair in row[1] for value in pair}:
            await tx.execute(delete(pending).where(pending.c.id == row.id))


async def _unname_private_chat(tx: AsyncConnection, identity: Asker) -> None:
    """Where a platform calls a private chat by the id of its person, no place is called that any more.

    Each gets a name of its own, as cases are numbered by place. Nobody is there any more, so no card is redrawn.
    """
    renamed = f"{GONE}-{new_id()}"
    here = (identity.surface, identity.id)
    await tx.execute(update(jobs).where(tuple_(jobs.c.surface, jobs.c.place) == here).values(changed_at=0.0))
    to_here = and_(moved_places.c.surface == identity.surface, moved_places.c.to == identity.id)
    await tx.execute(delete(moved_places).where(to_here))
    for table in metadata.sorted_tables:
        if {"surface", "place"} <= set(table.c.keys()):
            where = and_(table.c.surface == identity.surface, table.c.place == identity.id)
            await tx.execute(update(table).where(where).values(place=renamed))
