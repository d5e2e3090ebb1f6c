"""The delivery loop: promised clips are brought to their cards, each until it is there or can't be.

Delivering is an edit of a card that stands already, so repeating it is harmless: whatever is uncertain is done again.
One delivery at a time an address, several addresses at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import cards
from bot.board import Board
from bot.cards import Card
from bot.language import say, speaking
from bot.port import Gone, Receipt, Refused, Rendition, Surface, SurfaceError, Throttled, TooLarge
from bot.renditions import EncodeFailed, MasterGone, RenditionError, Renditions, Unfit, UnknownFormat
from db import deliveries, gallery, models, moves, people, places, queue
from db.clip_files import ClipFiles
from db.database import Database
from db.errors import StoreError
from db.records import Address, Clip, Delivery, DeliveryState, Handle, Job
from db.trouble import PAUSE_SECONDS, surviving

IDLE_SECONDS = 30.0
READ_AHEAD = 100  # due promises looked at in one go
AT_ONCE = 4  # addresses served at a time
OLD_CARD_SECONDS = 60.0  # edits are silent: under a card older than this a short reply follows
FIRST_BACKOFF = 2.0
LONGEST_BACKOFF = 600.0
ENCODE_ATTEMPTS = 5  # then the encoder is taken to fail on this clip for good
SHRINK = 0.8  # of a file that was too large for a limit nobody told

_SPEAKING = (SurfaceError, RenditionError, StoreError, OSError)  # the words of other errors may hold a prompt

log = logging.getLogger(__name__)


class _GiveUp(Exception):
    """This delivery will not succeed; `card` is what its message shall show instead, if anything."""

    def __init__(self, reason: str, card: Card | None = None) -> None:
        super().__init__(reason)
        self.card = card


class _Hidden(_GiveUp):
    """Nobody is to be shown the clip where its card stands, as long as that lasts."""


@dataclass
class DeliveryLoop:
    """Keeps the promises. `clock` gives seconds since the epoch.

    `patience` is how many times a file is tried to be made for which there is no room; None: until there is, since
    somebody will see to it.
    """

    database: Database
    surfaces: Mapping[str, Surface]
    files: ClipFiles
    renditions: Renditions
    board: Board
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    patience: int | None = None
    _todo: dict[Address, dict[str, Delivery]] = field(default_factory=dict, repr=False)
    _busy: set[Address] = field(default_factory=set, repr=False)

    async def run(self) -> None:
        """Serve until cancelled."""
        slots = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as bearers:
            while True:
                with surviving("see which clips are to be delivered") as trouble:
                    rung = self.database.bell.count()
                    wait = await self._notice()
                    for address in self._todo.keys() - self._busy:
                        self._busy.add(address)
                        bearers.create_task(self._bear_all(address, slots))
                    await self.database.bell.wait(rung, wait)
                if trouble:
                    await self.sleep(PAUSE_SECONDS)

    async def _notice(self) -> float:
        """Note what is due; returns how long to sleep unless the bell rings."""
        now = self.clock()
        async with self.database.reading() as tx:
            due = await deliveries.due(tx, self.surfaces.keys(), now, READ_AHEAD)
            next_due = await deliveries.next_due_at(tx, self.surfaces.keys())
        for delivery in due:
            self._todo.setdefault(delivery.handle.address, {}).setdefault(delivery.id, delivery)
        return IDLE_SECONDS if next_due is None or next_due <= now else min(next_due - now, IDLE_SECONDS)

    async def _bear_all(self, address: Address, slots: asyncio.Semaphore) -> None:
        """Deliver what is due at one address, one at a time; an address that asks for patience gets it."""
        todo = self._todo[address]
        while todo:
            delivery = todo.pop(next(iter(todo)))
            pause = 0.0
            async with slots:
                with surviving("deliver a clip"):
                    if await self._is_due(delivery):
                        pause = await self.attempt(delivery)
            await self.sleep(pause)
        del self._todo[address]
        self._busy.discard(address)

    async def _is_due(self, noted: Delivery) -> bool:
        """It may have been noted while it was being delivered."""
        async with self.database.reading() as tx:
            now = await deliveries.get(tx, noted.id)
        return now is not None and now.state is DeliveryState.PROMISED and now.due_at <= self.clock()

    async def attempt(self, delivery: Delivery) -> float:
        """Try once; afterwards the delivery is sent, postponed or given up in the database.

        Returns the seconds for which the address wants to be left in peace.
        """
        try:
            try:
                await self._bring(delivery)
            except _GiveUp as end:
                await self._give_up(delivery, end)
        except Throttled as error:
            await self._postpone(delivery, error.seconds, str(error))
            return error.seconds
        except Exception as error:  # Unreachable, a full disk, or a mistake of a surface: it is tried again
            why = error if isinstance(error, _SPEAKING) else type(error).__name__
            log.warning("The clip of job %s could not be delivered yet: %s", delivery.job, why)
            await self._postpone(delivery, _backoff(delivery.attempts), str(error))
        return 0.0

    async def _bring(self, delivery: Delivery) -> None:
        async with self.database.reading() as tx:
            delivery = await deliveries.get(tx, delivery.id) or delivery  # as it is now, not when it was noted
            job = await queue.get(tx, delivery.job)
            clip = await gallery.get(tx, delivery.clip)
            crisp = any(model.crisp for model in await models.known(tx) if clip and model.name == clip.spec.model)
            wants_word = (await people.settings(tx, job.asker)).notify if job else False
        if job is None:
            raise _GiveUp("The job of the clip is gone.")
        with speaking(job.language):
            if clip is None:
                raise _GiveUp("The clip was deleted before it could be delivered.", cards.deleted())
            receipt = await self._deliver(delivery, job, clip, crisp)
            sent = await self._mark_sent(delivery, job, receipt)
            is_old = self.clock() - delivery.card_at > OLD_CARD_SECONDS
            if sent and is_old and wants_word and delivery.handle == job.handle:
                await self._notify(receipt.handle or delivery.handle, job)

    async def _mark_sent(self, delivery: Delivery, job: Job, receipt: Receipt) -> bool:
        """With the place where the clip stands now, if it is another: that is where its card goes on."""
        async with self.database.transaction() as tx:
            sent = await deliveries.mark_sent(tx, delivery.id, receipt.proof, self.clock(), delivery.renewed)
            if receipt.handle is not None and receipt.handle != delivery.handle:
                await deliveries.set_handle(tx, delivery.id, receipt.handle)
                if delivery.handle == job.handle:
                    await queue.set_handle(tx, job.id, receipt.handle)
                if not sent:  # deleted meanwhile: the card that was blanked is not the one that carries it
                    await queue.touch(tx, job.id, self.clock())
                self.board.forget(delivery.handle)
        return sent

    async def _deliver(self, delivery: Delivery, job: Job, clip: Clip, crisp: bool) -> Receipt:
        """Bring the clip; a no for good ends the delivery."""
        try:
            return await self._hand_over(delivery, job, clip, crisp)
        except Gone as error:
            self.board.forget(delivery.handle)
            raise _GiveUp(str(error) or "The message is gone.") from error
        except Refused as error:
            raise _unwelcome(job, clip, error) from error

    async def _hand_over(self, delivery: Delivery, job: Job, clip: Clip, crisp: bool) -> Receipt:
        """Edit the card so that it carries the clip; a file that is too large is made smaller and tried again."""
        surface = self.surfaces[delivery.handle.address.surface]
        limits = await surface.limits(delivery.handle.address)
        limit = limits.upload_bytes
        kind = delivery.format or limits.formats[0]
        card = await self._card(delivery, job, clip)
        await self._see_that_it_may_be_seen(delivery)
        while True:
            rendition = await self._rendition(delivery, job, clip, crisp, kind, limit)
            try:
                async with self.board.pen(delivery.handle):
                    await self._see_that_it_is_wanted(delivery)
                    await self._see_that_it_may_be_seen(delivery)
                    receipt = await surface.deliver(delivery.handle, card, rendition)
                    self.board.drew(delivery.handle, card)
            except TooLarge as error:
                limit = _smaller(error.limit, rendition)
            else:
                return receipt

    async def _card(self, delivery: Delivery, job: Job, clip: Clip) -> Card:
        """With a cover where the place wants one: it may not be the one that the clip was made in."""
        address = delivery.handle.address
        async with self.database.reading() as tx:
            now = await moves.moved(tx, address.surface, address.place)
            place = await places.settings(tx, address.surface, now)
        return replace(cards.done(job, clip), spoiler=clip.verdict.spoiler or place.spoiler)

    async def _see_that_it_is_wanted(self, delivery: Delivery) -> None:
        """Asked with the pen in hand: a clip that was deleted while its file was made must not be drawn any more."""
        async with self.database.reading() as tx:
            now = await deliveries.get(tx, delivery.id)
        if now is None or now.state is not DeliveryState.PROMISED:
            raise _GiveUp("The clip was delivered or deleted meanwhile.")

    async def _see_that_it_may_be_seen(self, delivery: Delivery) -> None:
        """A clip that was hidden in the meantime, everywhere or where its card stands, is withheld."""
        async with self.database.reading() as tx:
            card = await _cover(tx, delivery)
        if card is not None:
            raise _Hidden("The clip was hidden before it could be delivered.", card)

    async def _rendition(
        self, delivery: Delivery, job: Job, clip: Clip, crisp: bool, kind: str, limit: int
    ) -> Rendition:
        try:
            master = await self.files.local(clip.master)
            return await self.renditions.make(master, clip, crisp, kind, limit)
        except Unfit as error:
            raise _GiveUp(str(error), cards.too_big(job, clip)) from error
        except (FileNotFoundError, MasterGone, UnknownFormat) as error:
            raise _unwelcome(job, clip, error) from error
        except (RenditionError, OSError) as error:
            if delivery.attempts + 1 >= self._attempts(error):
                raise _unwelcome(job, clip, error) from error
            raise

    def _attempts(self, error: Exception) -> float:
        """How many times a file is tried to be made that may be made yet."""
        patience = math.inf if self.patience is None else self.patience
        return min(patience, ENCODE_ATTEMPTS) if isinstance(error, EncodeFailed) else patience

    async def _notify(self, handle: Handle, job: Job) -> None:
        """The clip has arrived; whether the short reply does is not worth another try."""
        surface = self.surfaces[handle.address.surface]
        try:
            await surface.notify(handle, job.asker, cards.ready(job), nonce=job.id)
        except SurfaceError as error:
            log.info("No reply was posted under the card of job %s: %s", job.id, error)

    async def _postpone(self, delivery: Delivery, seconds: float, reason: str) -> None:
        async with self.database.transaction() as tx:
            await deliveries.postpone(tx, delivery.id, self.clock() + seconds, reason)

    async def _give_up(self, delivery: Delivery, end: _GiveUp) -> None:
        """The card says so first; while it can't be drawn, the delivery is postponed like any other."""
        log.warning("The clip of job %s is not delivered: %s", delivery.job, end)
        if end.card is not None:
            with contextlib.suppress(Gone, Refused, _GiveUp):  # then nobody can be told, or need be
                async with self.board.pen(delivery.handle):
                    await self._see_that_it_is_wanted(delivery)
                    await self.surfaces[delivery.handle.address.surface].redraw(delivery.handle, end.card)
                    self.board.drew(delivery.handle, end.card)
        async with self.database.transaction() as tx:
            if isinstance(end, _Hidden) and await _cover(tx, delivery) is None:
                return  # it was shown again meanwhile: the promise stands
            await deliveries.give_up(tx, delivery.id, str(end))


async def _cover(tx: AsyncConnection, delivery: Delivery) -> Card | None:
    """The card that stands for a clip which nobody is to be shown where the delivery goes; None: it may be seen."""
    there = delivery.handle.address
    clip = await gallery.get(tx, delivery.clip)
    withheld = await gallery.is_withheld(tx, delivery.clip, there.surface, there.place)
    return cards.hidden(clip, withheld=withheld) if clip is not None and (clip.hidden or withheld) else None


def _unwelcome(job: Job, clip: Clip, error: Exception) -> _GiveUp:
    match error:
        case FileNotFoundError():
            why = say(cards.MASTER_GONE)
        case RenditionError():
            why = error.sentence
        case OSError():
            why = say(cards.NO_ROOM)
        case _:
            why = str(error) or say(cards.SAID_NO)
    return _GiveUp(str(error) or why, cards.undeliverable(job, clip, why))


def _backoff(attempts: int) -> float:
    return float(min(FIRST_BACKOFF * 2.0**attempts, LONGEST_BACKOFF))


def _smaller(limit: int, rendition: Rendition) -> int:
    """Below what the platform says it takes, and below what it has just turned down."""
    return min(limit, int(rendition.bytes * SHRINK))
