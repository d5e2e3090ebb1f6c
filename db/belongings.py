"""Which rows are about a person, table by table: what somebody is handed and what is erased both begin here.

A table that is named neither in ABOUT nor in NOBODYS fails a test, so that none is forgotten when one is added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, Table, or_, select, tuple_

from db import people
from db.records import Asker
from db.tables import cases, clips, deliveries, jobs, reviews, room_messages


@dataclass(frozen=True, slots=True)
class Whose:
    """A person, as all the identities that count."""

    identities: tuple[Asker, ...]

    def named(self, table: Table, role: str = "asker") -> ColumnElement[bool]:
        """Whether a row names them in its two columns `<role>_surface` and `<role>_id`."""
        return people.one_of(self.identities, table.c[f"{role}_surface"], table.c[f"{role}_id"])

    def alone_in(self, table: Table) -> ColumnElement[bool]:
        """Whether a row's place is their private chat, where a platform calls that by their own id."""
        return people.one_of(self.identities, table.c.surface, table.c.place)

    @property
    def jobs(self) -> Select[tuple[str]]:
        return select(jobs.c.id).where(self.named(jobs))

    @property
    def clips(self) -> Select[tuple[str]]:
        return select(clips.c.id).where(self.named(clips))


def _own(table: Table) -> Callable[[Whose], ColumnElement[bool]]:
    return lambda whose: whose.named(table)


def _of_their_clips(table: Table) -> Callable[[Whose], ColumnElement[bool]]:
    return lambda whose: table.c.clip.in_(whose.clips)


def _alone(table: Table) -> Callable[[Whose], ColumnElement[bool]]:
    return lambda whose: whose.alone_in(table)


def _delivered(whose: Whose) -> ColumnElement[bool]:
    return or_(deliveries.c.job.in_(whose.jobs), deliveries.c.clip.in_(whose.clips))


def _posted(whose: Whose) -> ColumnElement[bool]:
    """What answers them, and every message that carries a clip of theirs, whoever asked to see it."""
    answers = room_messages.c.card["asker"]
    carriers = select(deliveries.c.message).where(_delivered(whose))
    return or_(
        people.one_of(whose.identities, answers["surface"].as_string(), answers["id"].as_string()),
        room_messages.c.id.in_(carriers),
        room_messages.c.id.in_(select(jobs.c.message).where(whose.named(jobs))),
    )


def _judged(whose: Whose) -> ColumnElement[bool]:
    return or_(whose.named(cases, "target"), whose.named(cases, "actor"))


def _looked_at(whose: Whose) -> ColumnElement[bool]:
    return or_(whose.named(reviews, "target"), whose.named(reviews, "decided_by"))


def _found_harmless(whose: Whose) -> ColumnElement[bool]:
    """Prompts that a case about them let a place make."""
    allowed = jobs.metadata.tables["allowed_prompts"]
    about = select(cases.c.surface, cases.c.place, cases.c.number).where(whose.named(cases, "target"))
    return tuple_(allowed.c.surface, allowed.c.place, allowed.c.case).in_(about)


def _tables() -> Mapping[str, Callable[[Whose], ColumnElement[bool]]]:
    tables = jobs.metadata.tables
    own = {name: _own(table) for name, table in tables.items() if "asker_id" in table.c}
    return {
        **own,
        "deliveries": _delivered,
        "room_messages": _posted,
        "cases": _judged,
        "reviews": _looked_at,
        "allowed_prompts": _found_harmless,
        "platform_files": _of_their_clips(tables["platform_files"]),
        "withheld": _of_their_clips(tables["withheld"]),
        "places": _alone(tables["places"]),
        "card_routes": _alone(tables["card_routes"]),
    }


ABOUT = _tables()  # by the name of a table: which of its rows are about a person
NOBODYS = frozenset({"case_numbers", "models", "moved_places", "runners"})  # nothing about people
BODIES = frozenset({"updates"})  # what a platform sent, as it sent it: has to be looked through
