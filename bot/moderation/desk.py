"""What moderators look at: the reviews that wait, the cases, the members who stood out, a week in numbers.

Whoever asks is checked inside the transaction that reads (`gate.moderates`), and what is read belongs to the place they
are at. None, wherever it comes back, means that they may not, or that there is no such thing there: nobody finds out
which.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.moderation import gate, subjects
from bot.moderation.subjects import Looked
from db import cases, gallery, members, places, reviews, standing, surveys
from db import week as weeks
from db.database import Database
from db.records import Asker, Caller, Case, Clip, PlaceSettings, Review, Standing, Strike
from db.surveys import PlaceSeen
from db.week import Week

OPERATOR = Asker("web", "operator")  # who knows the operator's password; no browser has this id
MOST_REVIEWS = 50  # on one page
PAGE_CASES = 25
PAGE_MEMBERS = 100
HISTORY = 20  # cases of one member
NUMBER = re.compile(r"\d{5,}", re.ASCII)  # an id as platforms give them, which no name is


@dataclass(frozen=True, slots=True)
class Found:
    """A page of cases, and how many there are in all."""

    cases: tuple[Case, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Told:
    """A case, and what was added to it later."""

    case: Case
    amendments: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody, as they stand in a place now."""

    asker: Asker
    standing: Standing


@dataclass(frozen=True, slots=True)
class History:
    """Somebody, with what there is about them in a place, newest first."""

    member: Member
    strikes: tuple[Strike, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """Each look is one reading transaction."""

    database: Database
    clock: Callable[[], float]

    async def places(self, caller: Caller) -> list[PlaceSeen] | None:
        """Every place. For the operator alone."""
        async with self.database.reading() as tx:
            theirs = caller.asker == OPERATOR and await self._may(tx, caller)
            return await surveys.places_seen(tx) if theirs else None

    async def waiting(self, caller: Caller) -> list[Review] | None:
        """The open reviews of the place, the most pressing first."""
        async with self.database.reading() as tx:
            return await self._waiting(tx, caller) if await self._may(tx, caller) else None

    async def count_waiting(self, caller: Caller) -> int | None:
        """How many reviews of the place are open, however many are shown."""
        here = caller.address
        async with self.database.reading() as tx:
            return await reviews.count_waiting(tx, here.surface, here.place) if await self._may(tx, caller) else None

    async def reviews(self, caller: Caller) -> list[Looked] | None:
        """The open reviews of the place with all that helps to decide them."""
        async with self.database.reading() as tx:
            if not await self._may(tx, caller):
                return None
            return [await subjects.look(tx, review, self.clock()) for review in await self._waiting(tx, caller)]

    async def look(self, caller: Caller, review_id: str) -> Looked | None:
        """One review of the place, open or decided."""
        async with self.database.reading() as tx:
            review = await reviews.get(tx, review_id) if await self._may(tx, caller) else None
            if review is None or not _is_here(review, caller):
                return None
            return await subjects.look(tx, review, self.clock())

    async def decided(self, caller: Caller, review_ids: list[str]) -> list[Review] | None:
        """Those of the reviews that are of this place and are not open any more."""
        async with self.database.reading() as tx:
            if not await self._may(tx, caller):
                return None
            found = [await reviews.get(tx, review_id) for review_id in review_ids]
        return [review for review in found if review and _is_here(review, caller) and review.decision is not None]

    async def clip(self, caller: Caller, clip_id: str) -> Clip | None:
        """A clip that the moderators of the place have to look at, or had to; hidden ones as well."""
        here = caller.address
        async with self.database.reading() as tx:
            theirs = await self._may(tx, caller) and await surveys.is_reviewed(tx, here.surface, here.place, clip_id)
            return await gallery.get(tx, clip_id) if theirs else None

    async def cases(self, caller: Caller, words: str = "", target: Asker | None = None, page: int = 1) -> Found | None:
        """A page of the cases of the place, newest first, the first page being 1."""
        here = (caller.address.surface, caller.address.place)
        async with self.database.reading() as tx:
            if not await self._may(tx, caller):
                return None
            offset = (page - 1) * PAGE_CASES
            found = await cases.browse(tx, *here, words=words, target=target, offset=offset, limit=PAGE_CASES)
            return Found(tuple(found), await cases.count(tx, *here, words=words, target=target))

    async def case(self, caller: Caller, number: int) -> Told | None:
        """One case of the place."""
        here = (caller.address.surface, caller.address.place)
        async with self.database.reading() as tx:
            found = await cases.get(tx, *here, number) if await self._may(tx, caller) else None
            return Told(found, tuple(await cases.amendments(tx, *here, number))) if found else None

    async def members(self, caller: Caller, page: int = 1) -> tuple[list[Member], bool] | None:
        """A page of who has or had strikes or restrictions in the place, the latest first; and whether more follow."""
        here = (caller.address.surface, caller.address.place)
        async with self.database.reading() as tx:
            if not await self._may(tx, caller):
                return None
            askers = await surveys.stood_out(tx, *here, (page - 1) * PAGE_MEMBERS, PAGE_MEMBERS + 1)
            shown = [await self._member(tx, asker, *here) for asker in askers[:PAGE_MEMBERS]]
            return shown, len(askers) > PAGE_MEMBERS

    async def member(self, caller: Caller, asker: Asker) -> History | None:
        """How somebody stands in the place: whoever has been there, or has an id as platforms give them."""
        here = (caller.address.surface, caller.address.place)
        async with self.database.reading() as tx:
            if not await self._may(tx, caller):
                return None
            if not NUMBER.fullmatch(asker.id) and not await members.is_known(tx, asker, *here):
                return None
            strikes = await standing.strikes_of(tx, asker, *here)
            about = await cases.browse(tx, *here, target=asker, limit=HISTORY)
            return History(await self._member(tx, asker, *here), tuple(strikes), tuple(about))

    async def settings(self, caller: Caller) -> PlaceSettings | None:
        """What the moderators of the place have set."""
        async with self.database.reading() as tx:
            if not await self._may(tx, caller):
                return None
            return await places.settings(tx, caller.address.surface, caller.address.place)

    async def week(self, caller: Caller) -> Week | None:
        """The last seven days of the place in numbers."""
        async with self.database.reading() as tx:
            if not await self._may(tx, caller):
                return None
            return await weeks.week(tx, caller.address.surface, caller.address.place, self.clock())

    async def _may(self, tx: AsyncConnection, caller: Caller) -> bool:
        return await gate.moderates(tx, caller, self.clock())

    async def _waiting(self, tx: AsyncConnection, caller: Caller) -> list[Review]:
        return await reviews.waiting(tx, caller.address.surface, caller.address.place, limit=MOST_REVIEWS)

    async def _member(self, tx: AsyncConnection, asker: Asker, surface: str, place: str) -> Member:
        return Member(asker, await standing.standing(tx, asker, surface, place, self.clock()))


def _is_here(review: Review, caller: Caller) -> bool:
    return (review.surface, review.place) == (caller.address.surface, caller.address.place)
