"""The moderators' sign-in: links that are good once, and who is signed in. Of secrets only hashes are kept."""

from __future__ import annotations

from sqlalchemy import and_, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.records import Asker, ConsoleSession
from db.rows import asker_of, asker_values
from db.tables import console_links, console_sessions


async def offer(tx: AsyncConnection, secret_hash: str, session: ConsoleSession) -> None:
    """Whoever brings the secret before `session.until` signs in as its asker, in its place. Only the last link that
    somebody was given for a place is good."""
    theirs = and_(
        console_links.c.asker_surface == session.asker.surface,
        console_links.c.asker_id == session.asker.id,
        console_links.c.surface == session.surface,
        console_links.c.place == session.place,
    )
    await tx.execute(delete(console_links).where(theirs))
    values = {**asker_values(session.asker), "surface": session.surface, "place": session.place}
    await tx.execute(insert(console_links).values(secret_hash=secret_hash, **values, until=session.until))


async def enter(tx: AsyncConnection, secret_hash: str, now: float) -> ConsoleSession | None:
    """Who may sign in by this link, which is used up; `created_at` is `now` and `until` is the link's: the caller says
    how long the session lasts. None: there is no such link, or it is past its time."""
    link = console_links.c.secret_hash == secret_hash
    row = (await tx.execute(select(console_links).where(link, console_links.c.until > now))).one_or_none()
    if row is None:
        return None
    await tx.execute(delete(console_links).where(link))
    return ConsoleSession(asker_of(row), row.surface, row.place, now, row.until)


async def begin(tx: AsyncConnection, secret_hash: str, session: ConsoleSession) -> None:
    """They are signed in from now on."""
    values = {
        "secret_hash": secret_hash,
        **asker_values(session.asker),
        "surface": session.surface,
        "place": session.place,
        "operator": session.operator,
        "created_at": session.created_at,
        "until": session.until,
    }
    await tx.execute(insert(console_sessions).values(values))


async def session(tx: AsyncConnection, secret_hash: str, now: float) -> ConsoleSession | None:
    """None: nobody is signed in with this secret, or no longer."""
    good = and_(console_sessions.c.secret_hash == secret_hash, console_sessions.c.until > now)
    row = (await tx.execute(select(console_sessions).where(good))).one_or_none()
    if row is None:
        return None
    return ConsoleSession(asker_of(row), row.surface, row.place, row.created_at, row.until, row.operator)


async def end(tx: AsyncConnection, secret_hash: str) -> None:
    """They have signed out."""
    await tx.execute(delete(console_sessions).where(console_sessions.c.secret_hash == secret_hash))


async def end_of(tx: AsyncConnection, asker: Asker) -> None:
    """This identity is signed in nowhere any more, and no link of theirs is good."""
    for table in (console_links, console_sessions):
        theirs = and_(table.c.asker_surface == asker.surface, table.c.asker_id == asker.id)
        await tx.execute(delete(table).where(theirs))


async def forget(tx: AsyncConnection, now: float) -> None:
    """Drop what is past its time."""
    for table in (console_links, console_sessions):
        await tx.execute(delete(table).where(table.c.until <= now))
