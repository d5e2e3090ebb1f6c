"""The progress loop: what changes in the database is redrawn on the cards, at each address's own pace.

A bell wakes it; it notes which cards are stale, and one drawer an address redraws them, the ends first. A card is made
when its turn comes, so of all the changes since the last redraw only the latest is drawn. What could not be drawn
stays stale and is tried again until it is drawn or its message is gone. Finished jobs are left to the delivery loop,
which draws their card with the clip on it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import cards
from bot.board import Board
from bot.cards import Card
from bot.language import speaking
from bot.port import Gone, Limits, Refused, Surface, SurfaceError, Throttled
from db import deliveries, gallery, queue
from db.database import Database
from db.errors import StoreError
from db.records import Address, Clip, Handle, Job, JobState
from db.trouble import PAUSE_SECONDS, surviving

IDLE_SECONDS = 5.0  # the longest sleep without a bell
RESUME_SECONDS = 24 * 3600.0  # ends this old are drawn again at start: nobody knows whether they were drawn before
OVERLAP_SECONDS = 5.0  # changes are read again this far back: another process may commit an earlier moment later
LONGEST_BACKOFF = 60.0
MISTAKES = 5  # of a surface, with one card: then it is left as it is until something about it changes

log = logging.getLogger(__name__)


class Urgency(IntEnum):
    """Which stale card comes first."""

    END = 0
    CHANGE = 1
    PLACE = 2  # only the place in the queue moved


@dataclass(frozen=True, slots=True)
class _Stale:
    """The card of `job` is to be redrawn."""

    urgency: Urgency
    job: str


@dataclass
class ProgressLoop:
    """Keeps the cards true. `previews` is the folder where runners put previews; `clock` seconds since the epoch."""

    database: Database
    surfaces: Mapping[str, Surface]
    board: Board
    previews: Path
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _stale: dict[Address, dict[Handle, _Stale]] = field(default_factory=dict, repr=False)
    _drawing: set[Address] = field(default_factory=set, repr=False)
    _lost: set[Handle] = field(default_factory=set, repr=False)
    _noticed: dict[str, Job] = field(default_factory=dict, repr=False)
    _places: dict[str, int] = field(default_factory=dict, repr=False)
    _typical: dict[str, float | None] = field(default_factory=dict, repr=False)

    async def run(self) -> None:
        """Serve until cancelled."""
        since = self.clock() - RESUME_SECONDS
        async with asyncio.TaskGroup() as drawers:
            while True:
                with surviving("see what has changed") as trouble:
                    rung = self.database.bell.count()
                    since = await self._notice(min(since, self.clock() - OVERLAP_SECONDS))  # clocks are set back, too
                    for address in self._stale.keys() - self._drawing:
                        self._drawing.add(address)
                        drawers.create_task(self._draw_all(address))
                    await self.database.bell.wait(rung, IDLE_SECONDS)
                if trouble:
                    await self.sleep(PAUSE_SECONDS)

    # --- noticing ---

    async def _notice(self, since: float) -> float:
        """Mark the cards that no longer tell the truth; returns the moment to read from the next time."""
        async with self.database.reading() as tx:
            changed = [job for job in await queue.changed_since(tx, since) if job != self._noticed.get(job.id)]
            moved = [job for job in changed if self._is_new_state(job)]
            waiting = await queue.waiting(tx) if moved else []
            carriers = await _carriers(tx, changed)
            for model in {job.spec.model for job in waiting}:
                self._typical[model] = await gallery.typical_seconds(tx, model)
        for job in changed:
            self._mark(job.handle, _Stale(Urgency.END if job.state.is_end else Urgency.CHANGE, job.id))
        for handle, job_id in carriers:
            self._mark(handle, _Stale(Urgency.END, job_id))
        if moved:
            self._mark_places(waiting)
        return self._remember(changed, since)

    def _is_new_state(self, job: Job) -> bool:
        before = self._noticed.get(job.id)
        return before is None or before.state is not job.state

    def _mark_places(self, waiting: list[Job]) -> None:
        places = {job.id: place for place, job in enumerate(waiting, start=1)}
        for job in waiting:
            if places[job.id] != self._places.get(job.id):
                self._mark(job.handle, _Stale(Urgency.PLACE, job.id))
        self._places = places

    def _mark(self, handle: Handle, stale: _Stale) -> None:
        if handle.address.surface not in self.surfaces:
            return
        if handle in self._lost:
            if stale.urgency is Urgency.END:
                self._lost.discard(handle)  # nothing will be drawn there any more: no need to remember it
            return
        todo = self._stale.setdefault(handle.address, {})
        before = todo.get(handle)
        if before is None or stale.urgency < before.urgency:
            todo[handle] = stale

    def _remember(self, changed: list[Job], since: float) -> float:
        self._noticed.update({job.id: job for job in changed})
        latest = min(max((job.changed_at for job in changed), default=since), self.clock())
        horizon = max(since, latest - OVERLAP_SECONDS)
        self._noticed = {key: job for key, job in self._noticed.items() if job.changed_at >= horizon}
        return horizon

    # --- drawing ---

    async def _draw_all(self, address: Address) -> None:
        """Redraw the stale cards of one address, one at a time, until none is left."""
        failures = 0
        mistakes: Counter[Handle] = Counter()
        todo = self._stale[address]
        while todo:
            handle = min(todo, key=lambda key: todo[key].urgency)  # of equals, the one that has waited longest
            stale = todo.pop(handle)
            try:
                pause = await self._draw(handle, stale)
                failures = 0
            except (Gone, Refused) as error:
                pause = self._lose(handle, stale, error)
            except Throttled as error:
                todo.setdefault(handle, stale)
                pause = error.seconds
            except Exception as error:  # a surface's mistake must not stop the cards of the others
                expected = isinstance(error, SurfaceError | StoreError)
                mistakes[handle] += not expected
                if mistakes[handle] < MISTAKES:
                    todo.setdefault(handle, stale)
                failures += 1
                pause = min(2.0**failures / 2, LONGEST_BACKOFF)
                why = error if expected else type(error).__name__  # its own words may hold a prompt
                log.warning("The card of job %s could not be redrawn (%s).", stale.job, why)
            await self.sleep(pause)
        del self._stale[address]
        self._drawing.discard(address)

    async def _draw(self, handle: Handle, stale: _Stale) -> float:
        """Redraw one card if it is not what should be seen; returns the seconds to leave this address in peace."""
        surface = self.surfaces[handle.address.surface]
        async with self.board.pen(handle):
            limits = await surface.limits(handle.address)
            job, clip, withheld = await self._seen(stale.job, handle.address)
            if job is None or (clip is not None and not clip.hidden and not withheld):
                return 0.0  # drawing it is the delivery loop's, which has the clip to it
            with speaking(job.language):
                card = _steady(self._card(job, clip, limits, withheld=withheld), self.board.shows(handle))
                if card == self.board.shows(handle):
                    return 0.0
                await surface.redraw(handle, card)
            self.board.drew(handle, card)
        return limits.redraw_seconds

    async def _seen(self, job_id: str, there: Address) -> tuple[Job | None, Clip | None, bool]:
        """The job, its clip, and whether the moderators of this place do not want the clip there."""
        async with self.database.reading() as tx:
            clip = await gallery.of_job(tx, job_id)
            withheld = clip is not None and await gallery.is_withheld(tx, clip.id, there.surface, there.place)
            return await queue.get(tx, job_id), clip, withheld

    def _card(self, job: Job, clip: Clip | None, limits: Limits, *, withheld: bool) -> Card:
        """The card of a job as it is now."""
        place = self._places.get(job.id, 0)
        typical = self._typical.get(job.spec.model)
        ready_at = None if typical is None else self.clock() + typical * place
        preview = f"{job.id}.webp" if limits.previews and (self.previews / f"{job.id}.webp").is_file() else ""
        return cards.of(job, clip, place=place, ready_at=ready_at, preview=preview, withheld=withheld)

    def _lose(self, handle: Handle, stale: _Stale, error: Exception) -> float:
        """The message is gone or may not be drawn: it is left alone from now on."""
        if stale.urgency is not Urgency.END:
            self._lost.add(handle)
        self.board.forget(handle)
        log.info("The card of job %s is not redrawn any more: %s", stale.job, error)
        return 0.0


async def _carriers(tx: AsyncConnection, changed: list[Job]) -> list[tuple[Handle, str]]:
    """The other cards that carry the clips of finished jobs, or were to: when a clip goes, it goes from all of them."""
    finished = [job for job in changed if job.state is JobState.DONE]
    return [
        (delivery.handle, job.id)
        for job in finished
        for delivery in await deliveries.of_job(tx, job.id)
        if delivery.handle != job.handle
    ]


def _steady(card: Card, shown: Card | None) -> Card:
    """The moment that was told stays while the words do: a card is not redrawn because time has passed."""
    if shown is None or shown.ready_at is None or card.ready_at is None or shown.status != card.status:
        return card
    return replace(card, ready_at=shown.ready_at)
