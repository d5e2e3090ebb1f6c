"""The loop of moderation: every review gets its card at the desk of its place, and people are told what was decided.

All of it goes through rows: which cards are missing or tell no truth any more, and which sentences are still to be
told. So a stop at any moment loses nothing, and repeating is harmless: a card is posted under the review's own id, a
reply under the notice's.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.cards import Card
from bot.cards import moderation as sentences
from bot.language import speaking
from bot.moderation import Moderation, subjects
from bot.moderation.subjects import Looked
from bot.port import Gone, Receipt, Refused, Rendition, Surface, SurfaceError, Throttled, TooLarge
from bot.renditions import RenditionError, Renditions
from db import models, notices, places, queue, reviews
from db.clip_files import ClipFiles
from db.database import Database
from db.errors import DatabaseUnreachable, StoreError
from db.records import Address, Clip, Handle, Notice, Review, Ruling, Verdict
from db.trouble import PAUSE_SECONDS, surviving

IDLE_SECONDS = 15.0  # the longest sleep without a bell
READ_AHEAD = 1000  # reviews looked at in one go: those at a desk that can't be reached stay among them
AT_ONCE = 50  # clips listed and sentences told in one go
AT_A_DESK = 10  # cards drawn at one desk in one go: a platform takes them slowly, and others wait as well
UNWELCOME_SECONDS = 60.0  # how long a desk is left alone that takes no cards
MOST_DOUBLINGS = 6  # of that time for a card which is refused again and again
UNREACHED_SECONDS = 30.0
TELL_SECONDS = 24 * 3600.0  # then nobody is told any more
SHRINK = 0.8  # of a file that was too large for a limit nobody told

_SPEAKING = (SurfaceError, StoreError, RenditionError, OSError)  # the words of other errors may hold a prompt

log = logging.getLogger(__name__)


@dataclass
class ReviewLoop:
    """Keeps the moderators' cards true and tells people. `clock` gives seconds since the epoch."""

    database: Database
    surfaces: Mapping[str, Surface]
    moderation: Moderation
    files: ClipFiles
    renditions: Renditions
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _left_alone: dict[Address | str, float] = field(default_factory=dict, repr=False)  # a desk or a review, until when
    _refusals: dict[str, int] = field(default_factory=dict, repr=False)  # how often a review's card was refused

    async def run(self) -> None:
        """Serve until cancelled."""
        with surviving("look for held jobs that nobody was asked to look at"):
            await self._ask_about_held()
        while True:
            with surviving("look after the reviews") as trouble:
                rung = self.database.bell.count()
                if not await self.tick():
                    await self.database.bell.wait(rung, IDLE_SECONDS)
            if trouble:
                await self.sleep(PAUSE_SECONDS)

    async def tick(self) -> bool:
        """What is to be done now, once, and of the cards of each desk some. True: at some desk more are to be drawn."""
        await self._list_labelled()
        async with self.database.reading() as tx:
            undrawn = await reviews.undrawn(tx, self.surfaces.keys(), READ_AHEAD)
            desks = await _desks(tx, undrawn)
            due = await notices.due(tx, self.surfaces.keys(), self.clock(), AT_ONCE)
        for notice in due:
            await self._tell(notice)
        return await self._draw_some(undrawn, desks)

    async def _ask_about_held(self) -> None:
        """Of an earlier version's held jobs, or of one that could not yet ask."""
        async with self.database.transaction() as tx:
            for job in await queue.held(tx):
                await self.moderation.open_held(tx, job)

    async def _list_labelled(self) -> None:
        async with self.database.reading() as tx:
            unlisted = await reviews.unlisted_labelled(tx, AT_ONCE)
        if unlisted:
            async with self.database.transaction() as tx:
                for clip in await reviews.unlisted_labelled(tx, AT_ONCE):  # asked anew: some may be gone by now
                    await self.moderation.open_labelled(tx, clip)

    # --- the cards ---

    async def _draw_some(self, undrawn: list[Review], desks: Mapping[str, Address]) -> bool:
        """Whether some desk has more than it gets in one go."""
        drawn: Counter[Address] = Counter()
        for review in sorted(undrawn, key=lambda each: self._refusals.get(each.id, 0)):
            desk = desks[review.id]
            if self._is_left_alone(desk) or self._is_left_alone(review.id):
                continue
            drawn[desk] += 1
            if drawn[desk] <= AT_A_DESK:
                await self._try_to_draw(review, desk)
        return max(drawn.values(), default=0) > AT_A_DESK

    async def _try_to_draw(self, review: Review, desk: Address) -> None:
        try:
            await self._draw(review, desk)
        except (Gone, Refused) as error:
            log.info("The card of review %s can't be shown: %s", review.id, error)
            if review.handle is None:
                self._refused(review, desk)
            else:
                await self._set_drawn(review)  # whoever deleted it does not want it
        except Throttled as error:
            self._leave_alone(desk, error.seconds)
        except DatabaseUnreachable:
            raise
        except Exception as error:  # one desk must not keep the others from their cards
            log.warning("The card of review %s could not be drawn yet (%s).", review.id, _words(error))
            self._leave_alone(desk, UNREACHED_SECONDS)
        else:
            self._refusals.pop(review.id, None)

    def _refused(self, review: Review, desk: Address) -> None:
        """It may be the desk that takes no cards, or this card alone: other cards come before it the next time."""
        before = self._refusals.get(review.id, 0)
        self._refusals[review.id] = min(before + 1, MOST_DOUBLINGS)
        self._leave_alone(desk, UNWELCOME_SECONDS)
        self._leave_alone(review.id, UNWELCOME_SECONDS * 2**before)

    def _leave_alone(self, which: Address | str, seconds: float) -> None:
        now = self.clock()
        self._left_alone = {each: until for each, until in self._left_alone.items() if until > now}
        self._left_alone[which] = now + seconds

    def _is_left_alone(self, which: Address | str) -> bool:
        return self.clock() < self._left_alone.get(which, 0.0)

    async def _draw(self, noted: Review, desk: Address) -> None:
        async with self.database.reading() as tx:
            review = await reviews.get(tx, noted.id)
            if review is None:
                return None
            looked = await subjects.look(tx, review, self.clock())
            language = (await places.settings(tx, review.surface, review.place)).desk_language
        if review.decision is None and looked.subject is None:
            async with self.database.transaction() as tx:
                await reviews.lapse(tx, review.subject, self.clock())
            return None  # and its card, if there is one, is drawn the next time
        if review.decision is not None and review.handle is None:
            return await self._set_drawn(review)
        card = _card(looked, language)
        surface = self.surfaces[review.surface]
        handle = review.handle
        if handle is None:
            handle = await self._post(surface, review, desk, card)
        elif not card.clip:
            await surface.redraw(handle, card)
        if card.clip:
            await self._bring(surface, handle, card, looked)
        return await self._set_drawn(review)

    async def _post(self, surface: Surface, review: Review, desk: Address, card: Card) -> Handle:
        handle = await surface.show(desk, card, nonce=review.id)
        async with self.database.transaction() as tx:
            await reviews.set_handle(tx, review.id, handle)
        return handle

    async def _set_drawn(self, review: Review) -> None:
        """Unless it has changed since it was looked at: then it is drawn once more."""
        async with self.database.transaction() as tx:
            await reviews.set_drawn(tx, review.id, True, review.version)

    async def _bring(self, surface: Surface, handle: Handle, card: Card, looked: Looked) -> None:
        """Put the clip on the card; where that can't be, the words have to do."""
        clip = looked.subject.clip if looked.subject else None
        assert clip is not None
        limits = await surface.limits(handle.address)
        limit = limits.upload_bytes
        receipt: Receipt | None = None
        while receipt is None:
            rendition = await self._rendition(clip, limits.formats[0], limit)
            if rendition is None:
                return await surface.redraw(handle, card)
            try:
                receipt = await surface.deliver(handle, card, rendition)
            except TooLarge as error:
                limit = min(error.limit, int(rendition.bytes * SHRINK))
            except FileNotFoundError:  # its clip was removed meanwhile; then the review is drawn once more
                return await surface.redraw(handle, card)
        if receipt.handle is not None and receipt.handle != handle:
            async with self.database.transaction() as tx:
                await reviews.set_handle(tx, looked.review.id, receipt.handle)
        return None

    async def _rendition(self, clip: Clip, kind: str, limit: int) -> Rendition | None:
        async with self.database.reading() as tx:
            crisp = any(model.crisp for model in await models.known(tx) if model.name == clip.spec.model)
        try:
            return await self.renditions.make(await self.files.local(clip.master), clip, crisp, kind, limit)
        except (RenditionError, StoreError, OSError) as error:
            log.warning("Clip %s could not be put on its review's card: %s", clip.id, error)
            return None

    # --- what people are told ---

    async def _tell(self, notice: Notice) -> None:
        surface = self.surfaces[notice.handle.address.surface]
        try:
            await surface.notify(notice.handle, notice.asker, notice.sentence, nonce=notice.id)
            async with self.database.transaction() as tx:
                await notices.sent(tx, notice.id, self.clock())
        except (Gone, Refused) as error:
            await self._give_up(notice, str(error))
        except Throttled as error:
            await self._postpone(notice, error.seconds)
        except DatabaseUnreachable:
            raise
        except Exception as error:  # Unreachable, or a mistake of a surface: it is tried again
            log.warning("Somebody could not be told yet (%s).", _words(error))
            if self.clock() - notice.created_at > TELL_SECONDS:
                await self._give_up(notice, type(error).__name__)
            else:
                await self._postpone(notice, UNREACHED_SECONDS * 2 ** min(notice.attempts, 6))

    async def _postpone(self, notice: Notice, seconds: float) -> None:
        async with self.database.transaction() as tx:
            await notices.postpone(tx, notice.id, self.clock() + seconds)

    async def _give_up(self, notice: Notice, reason: str) -> None:
        async with self.database.transaction() as tx:
            await notices.give_up(tx, notice.id, reason, self.clock())


async def _desks(tx: AsyncConnection, undrawn: list[Review]) -> dict[str, Address]:
    """Where the card of each review stands, or is to."""
    there = {(review.surface, review.place) for review in undrawn}
    threads = {place: (await places.settings(tx, *place)).desk for place in there}
    return {
        review.id: review.handle.address
        if review.handle
        else Address(review.surface, review.place, threads[review.surface, review.place])
        for review in undrawn
    }


def _card(looked: Looked, language: str) -> Card:
    """In the language of the moderators: of the one who has chosen their desk."""
    subject = looked.subject
    with speaking(language):
        return sentences.review(
            looked.review,
            subject.prompt if subject else "",
            subject.verdict if subject else Verdict(Ruling.ALLOWED),
            subject.clip if subject else None,
            looked.reports,
            looked.standing.points,
            subject.negative if subject else "",
        )


def _words(error: Exception) -> object:
    return error if isinstance(error, _SPEAKING) else type(error).__name__
