"""Requests under the platform's own id: the same update delivered twice acts once, and a crash forgets none.

A draft is a request whose prompt is still being written; `complete` turns it into one that was received.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, func, select, update
from sqlalchemy.dialects.sqlite import insert  # ON CONFLICT DO NOTHING; PostgreSQL's dialect has the same construct
from sqlalchemy.ext.asyncio import AsyncConnection

from db import people
from db.records import Asker, JobState, Request, RequestState, Wish
from db.rows import address_of, address_values, asker_of, asker_values, circumstances_of
from db.tables import clips, jobs, requests


async def record(tx: AsyncConnection, request: Request) -> bool:
    """Write the request down before anything is done about it. False: it was seen before and nothing changed."""
    values = {
        "origin": request.surface,
        "id": request.id,
        **asker_values(request.asker),
        **address_values(request.address),
        "wish": asdict(request.wish),
        "created_at": request.created_at,
        "state": request.state,
        "message": request.message,
        "job": request.job or None,
        "made_from": request.made_from,
        "circumstances": asdict(request.circumstances),
        "shows": request.shows,
    }
    return (await tx.execute(insert(requests).values(values).on_conflict_do_nothing())).rowcount == 1


async def set_message(tx: AsyncConnection, surface: str, id: str, message: str) -> None:  # noqa: A002
    """The card is up: its plain message id, so that a restart can close it."""
    await tx.execute(update(requests).where(_is(surface, id)).values(message=message))


async def take(tx: AsyncConnection, surface: str, id: str, job: str) -> None:  # noqa: A002
    """RECEIVED -> TAKEN: it became `job`. A request that is past that stays as it is."""
    await _leave(tx, surface, id, state=RequestState.TAKEN, job=job)


async def close(tx: AsyncConnection, surface: str, id: str) -> bool:  # noqa: A002
    """RECEIVED -> CLOSED: its card says why. False: it is past that, and stays as it is."""
    return await _leave(tx, surface, id, state=RequestState.CLOSED)


async def complete(tx: AsyncConnection, draft: Request) -> bool:
    """DRAFT -> RECEIVED, with the wish, the moment, the address and the circumstances of now. False: it is no draft
    (any more), and stays as it is."""
    is_draft = and_(_is(draft.surface, draft.id), requests.c.state == RequestState.DRAFT)
    values = {
        "wish": asdict(draft.wish),
        "created_at": draft.created_at,
        **address_values(draft.address),
        "circumstances": asdict(draft.circumstances),
        "state": RequestState.RECEIVED,
    }
    return (await tx.execute(update(requests).where(is_draft).values(values))).rowcount == 1


async def blank(tx: AsyncConnection, surface: str, id: str) -> None:  # noqa: A002
    """The words of a wish are not kept; that somebody asked is."""
    await tx.execute(update(requests).where(_is(surface, id)).values(wish=asdict(Wish(""))))


async def of_job(tx: AsyncConnection, job_id: str) -> Request | None:
    """The request that became this job."""
    row = (await tx.execute(select(requests).where(requests.c.job == job_id))).first()
    return None if row is None else _request_of(row)


async def of_message(tx: AsyncConnection, surface: str, place: str, message: str) -> Request | None:
    """The request whose card is this message."""
    here = and_(requests.c.surface == surface, requests.c.place == place, requests.c.message == message)
    row = (await tx.execute(select(requests).where(here).order_by(requests.c.created_at.desc()).limit(1))).first()
    return None if row is None else _request_of(row)


async def recent_prompts(tx: AsyncConnection, asker: Asker, start: str, limit: int) -> list[str]:
    """What the asker has had made, each once, the latest first; only what begins with `start`, in either case. What
    was refused after all is not among it, nor what was deleted, by whomever."""
    prompt = requests.c.wish["prompt"].as_string()
    theirs = and_(requests.c.asker_surface == asker.surface, requests.c.asker_id == asker.id)
    taken = and_(theirs, requests.c.state == RequestState.TAKEN, prompt != "")
    taken = and_(taken, prompt.istartswith(start, autoescape=True))
    refused = exists().where(jobs.c.id == requests.c.job, jobs.c.state == JobState.REFUSED)
    deleted = exists().where(clips.c.job == requests.c.job, clips.c.forgotten)
    latest = select(prompt).where(taken, ~refused, ~deleted).group_by(prompt)
    latest = latest.order_by(func.max(requests.c.created_at).desc())
    return list((await tx.execute(latest.limit(limit))).scalars())


async def earlier_prompts(tx: AsyncConnection, asker: Asker, since: float, limit: int) -> list[str]:
    """What the person (all their identities) has had made since a moment, the oldest first: read together, several
    harmless prompts may say what one of them would not."""
    identities = await people.identities(tx, asker)
    theirs = people.one_of(identities, requests.c.asker_surface, requests.c.asker_id)
    taken = and_(theirs, requests.c.state == RequestState.TAKEN, requests.c.created_at > since)
    latest = select(requests.c.wish).where(taken).order_by(requests.c.created_at.desc()).limit(limit)
    return [wish["prompt"] for wish in (await tx.execute(latest)).scalars() if wish["prompt"]][::-1]


async def get(tx: AsyncConnection, surface: str, id: str) -> Request | None:  # noqa: A002
    row = (await tx.execute(select(requests).where(_is(surface, id)))).one_or_none()
    return None if row is None else _request_of(row)


async def unfinished(tx: AsyncConnection) -> list[Request]:
    """What was received and neither taken nor closed, oldest first: a start takes these up again."""
    open_ones = select(requests).where(requests.c.state == RequestState.RECEIVED).order_by(requests.c.created_at)
    return [_request_of(row) for row in await tx.execute(open_ones)]


def _is(surface: str, id: str) -> ColumnElement[bool]:  # noqa: A002
    return and_(requests.c.origin == surface, requests.c.id == id)


async def _leave(tx: AsyncConnection, surface: str, id: str, **values: Any) -> bool:  # noqa: A002
    received = and_(_is(surface, id), requests.c.state == RequestState.RECEIVED)
    return (await tx.execute(update(requests).where(received).values(values))).rowcount == 1


def _request_of(row: Row[Any]) -> Request:
    return Request(
        surface=row.origin,
        id=row.id,
        asker=asker_of(row),
        address=address_of(row),
        wish=Wish(**row.wish),
        created_at=row.created_at,
        state=RequestState(row.state),
        message=row.message,
        job=row.job or "",
        made_from=row.made_from,
        circumstances=circumstances_of(row.circumstances),
        shows=row.shows,
    )
