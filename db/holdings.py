"""Everything that is stored about a person, in words that a person can read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Table, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db import people
from db.belongings import ABOUT, BODIES, Whose
from db.erasure import is_from
from db.records import MILLI, Asker, Clip
from db.rows import clip_of
from db.tables import clips, metadata

Rows = dict[str, list[dict[str, Any]]]

_SECRETS = {
    "card_routes": {"token"},
    "console_links": {"secret_hash"},
    "console_sessions": {"secret_hash"},
    "link_codes": {"code_hash"},
}
_ROLES = ("actor", "target", "decided_by")  # in which a row about somebody may name somebody else
_CREDITS = {"cost", "credits"}
_TIMES = {"until", "since"}


async def of(tx: AsyncConnection, asker: Asker) -> Rows:
    """By table, the oldest row first: over all identities of the person. Times are UTC in ISO 8601, credits are
    standard clips. Neither secrets nor the names of other people are among it."""
    whose = Whose(await people.identities(tx, asker))
    found: Rows = {"identities": [{"surface": each.surface, "id": each.id} for each in whose.identities]}
    for name, about in sorted(ABOUT.items()):
        table = metadata.tables[name]
        rows = (await tx.execute(select(table).where(about(whose)).order_by(*table.primary_key.columns))).all()
        found[_plain(name)] = await asyncio.to_thread(_all_readable, table, rows, whose)
    for name in sorted(BODIES):
        found[_plain(name)] = await _sent_by(tx, metadata.tables[name], whose)
    return {name: rows for name, rows in found.items() if rows}


async def is_known(tx: AsyncConnection, asker: Asker) -> bool:
    """Whether anything is stored about the person, over all their identities."""
    whose = Whose(await people.identities(tx, asker))
    for name, about in ABOUT.items():
        if (
            await tx.execute(select(literal(1)).select_from(metadata.tables[name]).where(about(whose)).limit(1))
        ).first():
            return True
    for name in BODIES:
        if await _sent_by(tx, metadata.tables[name], whose):
            return True
    return False


async def _sent_by(tx: AsyncConnection, table: Table, whose: Whose) -> list[dict[str, Any]]:
    """What was not handled yet, as nothing else is kept; without what others had said that it answers or quotes."""
    waiting = select(table).where(table.c.handled_at.is_(None)).order_by(*table.primary_key.columns)
    sent = []
    for row in (await tx.execute(waiting)).all():
        theirs = {each.id for each in whose.identities if each.surface == row.surface}
        body = _without_others(row.body, theirs)
        if any(is_from(body, person) for person in theirs):
            sent.append({**_readable(table, row, whose), "body": _spelled(body, _plain)})
    return sent


def _without_others(body: Any, people_: Collection[str]) -> Any:
    """What a platform sent without the parts that are from anybody else."""
    if isinstance(body, list):
        return [_without_others(each, people_) for each in body]
    if not isinstance(body, dict):
        return body
    sender = body.get("from")
    if isinstance(sender, dict) and str(sender.get("id")) not in people_:
        return {}
    return {key: _without_others(each, people_) for key, each in body.items()}


def _all_readable(table: Table, rows: Sequence[Row[Any]], whose: Whose) -> list[dict[str, Any]]:
    return [_readable(table, row, whose) for row in rows]


def _readable(table: Table, row: Row[Any], whose: Whose) -> dict[str, Any]:
    """A row in plain words, without secrets and the names of other people, who have a right of their own."""
    values = {column.name: value for column, value in zip(table.columns, row, strict=True)}
    hidden = _SECRETS.get(table.name, set()) | _others(values, whose)
    if "card" in values and not _is_theirs(values["card"].get("asker"), whose):
        values["card"] = {name: value for name, value in values["card"].items() if name != "asker"}
    return {_plain(name): _value(name, value) for name, value in values.items() if name not in hidden and _says(value)}


def _others(values: Mapping[str, Any], whose: Whose) -> set[str]:
    """The columns that name somebody else."""
    named = ((f"{role}_surface", f"{role}_id") for role in _ROLES if f"{role}_id" in values)
    return {
        column for pair in named for column in pair if Asker(values[pair[0]], values[pair[1]]) not in whose.identities
    }


def _is_theirs(asker: Any, whose: Whose) -> bool:
    return isinstance(asker, dict) and Asker(asker.get("surface", ""), asker.get("id", "")) in whose.identities


def _says(value: Any) -> bool:
    return value not in (None, "", [], {})


def _value(name: str, value: Any) -> Any:
    if isinstance(value, float) and (name.endswith("_at") or name in _TIMES):
        return _moment(value)
    if isinstance(value, int) and not isinstance(value, bool) and name in _CREDITS:
        return value / MILLI
    return _spelled(value, _plain)


def _moment(value: float) -> str | None:
    """Times beyond the calendar mean for ever."""
    try:
        return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")
    except (OverflowError, ValueError, OSError):
        return None


def _spelled(value: Any, plain: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {plain(str(key)): _spelled(each, plain) for key, each in value.items()}
    if isinstance(value, list):
        return _all_spelled(value, plain)
    return value


def _all_spelled(values: Iterable[Any], plain: Callable[[str], str]) -> list[Any]:
    return [_spelled(each, plain) for each in values]


def _plain(name: str) -> str:
    """`asker_id` is what the code calls it."""
    return name.replace("asker_", "your_").replace("_", " ")


async def clips_of(tx: AsyncConnection, asker: Asker) -> list[Clip]:
    """The clips that have a file, over all identities of the person, the oldest first."""
    theirs = Whose(await people.identities(tx, asker)).named(clips)
    kept = select(clips).where(theirs, clips.c.forgotten.is_(False)).order_by(clips.c.created_at, clips.c.id)
    return [clip_of(row) for row in await tx.execute(kept)]
