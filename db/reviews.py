"""Moderators' looks: opened once for a subject, decided once, and where the moderators' card of each stands.

Whoever draws a card reads the review, draws it, and says with `set_drawn(..., version=review.version)` that it is
drawn: what was decided or has changed while it was being drawn makes it be drawn again.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db.batches import drop_some
from db.records import Address, Asker, Clip, Decision, Handle, Review, ReviewKind
from db.rows import clip_of
from db.tables import clips, places, reviews

_OPEN = reviews.c.decision == ""
_HAS_NO_CARD = reviews.c.card_message == ""
_HAS_CARD = reviews.c.card_message > ""
_UNDRAWN = reviews.c.drawn.is_(False)
_PRESSING = case({kind: rank for rank, kind in enumerate(ReviewKind)}, value=reviews.c.kind)
_OLDEST_FIRST = (reviews.c.opened_at, reviews.c.id)


async def open(tx: AsyncConnection, review: Review) -> Review:  # noqa: A001
    """A moderator shall look. Returns the open review of the same kind and subject where there is one."""
    there = await open_of(tx, review.surface, review.place, review.kind, review.subject)
    if there is not None:
        return there
    await tx.execute(insert(reviews).values(_values(review)))
    if review.kind is ReviewKind.LABELLED:
        await tx.execute(update(clips).where(clips.c.id == review.subject).values(unlisted=False))
    return review


async def get(tx: AsyncConnection, review_id: str) -> Review | None:
    return await _one(tx, select(reviews).where(reviews.c.id == review_id))


async def open_of(tx: AsyncConnection, surface: str, place: str, kind: ReviewKind, subject: str) -> Review | None:
    """The review of a subject that is still open in a place; None: there is none."""
    of_it = and_(_of(surface, place), reviews.c.kind == kind, reviews.c.subject == subject)
    return await _one(tx, select(reviews).where(of_it, _OPEN))


async def decision_of(tx: AsyncConnection, kind: ReviewKind, subject: str) -> Decision | None:
    """What was decided last about a subject, wherever; None: nothing (yet)."""
    of_it = and_(reviews.c.kind == kind, reviews.c.subject == subject)
    latest = select(reviews).where(of_it).order_by(reviews.c.opened_at.desc(), reviews.c.id.desc()).limit(1)
    found = await _one(tx, latest)
    return found.decision if found else None


async def waiting(tx: AsyncConnection, surface: str, place: str, limit: int = 50, after: str = "") -> list[Review]:
    """What waits for a look in a place, the most pressing kind first, then the oldest.

    `after` is the id of a review (decided or not) whose followers are wanted; one that is not of this place, or empty:
    from the first on.
    """
    query = select(reviews).where(_of(surface, place), _OPEN).order_by(_PRESSING, *_OLDEST_FIRST).limit(limit)
    last = (await tx.execute(select(reviews, _PRESSING.label("rank")).where(_of(surface, place), _is(after)))).first()
    if last is not None:
        seen = tuple_(literal(last.rank), literal(last.opened_at), literal(last.id))
        query = query.where(tuple_(_PRESSING, *_OLDEST_FIRST) > seen)
    return await _reviews(tx, query)


async def count_waiting(tx: AsyncConnection, surface: str, place: str) -> int:
    query = select(func.count()).select_from(reviews).where(_of(surface, place), _OPEN)
    return (await tx.execute(query)).scalar_one()


async def places_waiting(tx: AsyncConnection) -> list[tuple[str, str, int]]:
    """Every place in which something waits, as (surface, place, how much); for whoever may look at all of them."""
    there = (reviews.c.surface, reviews.c.place)
    query = select(*there, func.count().label("waiting")).where(_OPEN).group_by(*there).order_by(*there)
    return [(row.surface, row.place, row.waiting) for row in await tx.execute(query)]


async def decide(
    tx: AsyncConnection, review_id: str, decision: Decision, by: Asker, now: float, number: int | None
) -> bool:
    """The first decision holds; `number` is its case. False: it was decided before, and nothing changes."""
    values = {
        "decision": decision,
        "decided_by_surface": by.surface,
        "decided_by_id": by.id,
        "decided_at": now,
        "case": number,
        "drawn": _HAS_NO_CARD,  # nobody needs to be told by a card that is not there
        "version": reviews.c.version + 1,
    }
    return (await tx.execute(update(reviews).where(_is(review_id), _OPEN).values(values))).rowcount == 1


async def lapse(tx: AsyncConnection, subject: str, now: float) -> None:
    """Nothing is left to decide about this subject, in whichever place somebody was to look at it."""
    values = {
        "decision": Decision.LAPSED,
        "decided_at": now,
        "drawn": _HAS_NO_CARD,
        "version": reviews.c.version + 1,
    }
    await tx.execute(update(reviews).where(reviews.c.subject == subject, _OPEN).values(values))


async def undrawn(tx: AsyncConnection, surfaces: Collection[str], limit: int) -> list[Review]:
    """Open reviews without a card in places that have a desk, and those whose card tells no truth any more, the
    oldest first."""
    undrawn_there = and_(_UNDRAWN, reviews.c.surface.in_(surfaces))
    desks = await _with_desk(tx, surfaces)
    at_desks = and_(
        reviews.c.place.in_({place for _, place in desks}),  # what the index is searched by
        tuple_(reviews.c.surface, reviews.c.place).in_(desks),
    )
    new = select(reviews).where(undrawn_there, _HAS_NO_CARD, at_desks, _OPEN)
    lying = select(reviews).where(undrawn_there, _HAS_CARD)
    found = [
        *await _reviews(tx, new.order_by(*_OLDEST_FIRST).limit(limit)),
        *await _reviews(tx, lying.order_by(*_OLDEST_FIRST).limit(limit)),
    ]
    return sorted(found, key=lambda review: (review.opened_at, review.id))[:limit]


async def set_handle(tx: AsyncConnection, review_id: str, handle: Handle) -> None:
    """The card is there, or stands elsewhere now; whether it tells the truth is for `set_drawn` to say."""
    values = {"card_thread": handle.address.thread, "card_message": handle.message, "drawn": False}
    await tx.execute(update(reviews).where(_is(review_id)).values(values))


async def set_drawn(tx: AsyncConnection, review_id: str, drawn: bool, version: int | None = None) -> bool:
    """Whether the card tells the truth. False: the review is not in the `version` any more that was drawn, and
    nothing changes."""
    as_drawn = _is(review_id) if version is None else and_(_is(review_id), reviews.c.version == version)
    return (await tx.execute(update(reviews).where(as_drawn).values(drawn=drawn))).rowcount == 1


async def stale(tx: AsyncConnection, kind: ReviewKind, subject: str) -> None:
    """Something that the cards about this subject show has changed; in every place."""
    shown = and_(reviews.c.kind == kind, reviews.c.subject == subject, or_(_HAS_CARD, _OPEN))
    await tx.execute(update(reviews).where(shown).values(drawn=False, version=reviews.c.version + 1))


async def forget(tx: AsyncConnection, before: float) -> int:
    """Drop what was decided before a moment; a batch of it (`db.batches`)."""
    return await drop_some(tx, reviews, and_(~_OPEN, reviews.c.decided_at < before))


async def unlisted_labelled(tx: AsyncConnection, limit: int) -> list[Clip]:
    """Labelled clips that nobody was asked to look at yet, the oldest first; `open` takes them off this list."""
    query = select(clips).where(clips.c.unlisted.is_(True)).order_by(clips.c.created_at, clips.c.id).limit(limit)
    return [clip_of(row) for row in await tx.execute(query)]


async def _with_desk(tx: AsyncConnection, surfaces: Collection[str]) -> list[tuple[str, str]]:
    has_desk = places.c.settings["desk"].as_string() > ""
    rows = await tx.execute(select(places.c.surface, places.c.place).where(places.c.surface.in_(surfaces), has_desk))
    return [(row.surface, row.place) for row in rows]


def _is(review_id: str) -> ColumnElement[bool]:
    return reviews.c.id == review_id


def _of(surface: str, place: str) -> ColumnElement[bool]:
    return and_(reviews.c.surface == surface, reviews.c.place == place)


async def _reviews(tx: AsyncConnection, query: Select[Any]) -> list[Review]:
    return [_review_of(row) for row in await tx.execute(query)]


async def _one(tx: AsyncConnection, query: Select[Any]) -> Review | None:
    found = await _reviews(tx, query)
    return found[0] if found else None


def _values(review: Review) -> dict[str, Any]:
    by, card = review.decided_by, review.handle
    return {
        "id": review.id,
        "surface": review.surface,
        "place": review.place,
        "thread": review.thread,
        "kind": review.kind,
        "subject": review.subject,
        "target_surface": review.target.surface,
        "target_id": review.target.id,
        "opened_at": review.opened_at,
        "decision": review.decision or "",
        "decided_by_surface": by.surface if by else "",
        "decided_by_id": by.id if by else "",
        "decided_at": review.decided_at,
        "case": review.case,
        "card_thread": card.address.thread if card else "",
        "card_message": card.message if card else "",
        "drawn": review.drawn,
        "version": review.version,
    }


def _review_of(row: Row[Any]) -> Review:
    card = Handle(Address(row.surface, row.place, row.card_thread), row.card_message)
    return Review(
        id=row.id,
        surface=row.surface,
        place=row.place,
        thread=row.thread,
        kind=ReviewKind(row.kind),
        subject=row.subject,
        target=Asker(row.target_surface, row.target_id),
        opened_at=row.opened_at,
        decision=Decision(row.decision) if row.decision else None,
        decided_by=Asker(row.decided_by_surface, row.decided_by_id) if row.decision else None,
        decided_at=row.decided_at,
        case=row.case,
        handle=card if card.message else None,
        drawn=row.drawn,
        version=row.version,
    )
