"""The nightly sweep: what has been kept as long as it is to be kept goes, a little at a time.

It runs at the hour that the configuration names, by this machine's own clock, and at start if the machine slept through
that hour. When it last ran stands in a file of the data folder; a sweep that failed is tried again soon.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import parcels
from bot.erasing import Eraser
from db import cases, console, gallery, link_tries, notices, pending, people, reports, retention, reviews, standing
from db.batches import BATCH
from db.config import RetentionConfig
from db.database import Database
from db.errors import StoreError
from db.records import JobState, RequestState
from db.retention import Keeping
from db.trouble import surviving

log = logging.getLogger(__name__)

DAY = 24 * 3600.0
LOOK_SECONDS = 300.0  # between two looks at the clock, which may be set and whose machine may sleep
DRAFT_SECONDS = DAY  # then nobody is still writing
CLOSED_SECONDS = 30 * DAY  # then no platform repeats a request, nor does anybody ask what became of it
TOLD_SECONDS = 30 * DAY  # how long it is known what people were told
SWEPT = "swept"  # in the data folder

Some = Callable[[AsyncConnection], Awaitable[int]]  # does a batch, and says how much that was


@dataclass(frozen=True, slots=True)
class Retention:
    """`folder` is the data folder, `strike_days` how long strikes count; `clock` gives seconds since the epoch."""

    database: Database
    eraser: Eraser
    config: RetentionConfig
    strike_days: float
    folder: Path
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def run(self) -> None:
        """Sweep whenever it is time, until cancelled."""
        while True:
            try:
                with surviving("sweep what is past its time"):
                    await asyncio.to_thread(parcels.sweep, self.folder)
                    await self.sweep_if_due()
            except (OSError, StoreError) as error:  # of the disk: the bot goes on, and the sweep is tried again soon
                log.error("The sweep stopped short: %s", error)  # noqa: TRY400  # the sentence says it all
            await self.sleep(LOOK_SECONDS)

    async def sweep_if_due(self) -> bool:
        """Whether it was time. A clock that was set back makes it time, too: nobody knows what was missed."""
        now = self.clock()
        swept_at = await asyncio.to_thread(self._swept_at)
        if swept_at is not None and last_due(now, self.config.sweep_hour) <= swept_at <= now:
            return False
        await self.sweep()
        await asyncio.to_thread((self.folder / SWEPT).write_text, repr(now), encoding="ascii")
        return True

    async def sweep(self) -> None:
        """Everything that is past its time now, and then the files that no row names."""
        now = self.clock()
        await self._expire_clips(now)
        await self._take_words(now)
        await self._forget_decisions(now)
        await self._forget_what_is_over(now)
        await self.sweep_files()
        await self.database.empty_log()

    async def sweep_files(self) -> None:
        """Remove the files that no row names, and what somebody was handed and nobody removed."""
        async with self.database.reading() as tx:
            named = await gallery.masters(tx)
        await self.eraser.files.sweep(named)
        await self.eraser.renditions.sweep({Path(master).stem for master in named})
        await asyncio.to_thread(parcels.sweep, self.folder)

    def _swept_at(self) -> float | None:
        try:
            return float((self.folder / SWEPT).read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None

    # --- what goes ---

    async def _expire_clips(self, now: float) -> None:
        """By the operator's days and by those of each place: the fewer count."""
        if self.config.clips_days:
            await self._expire(now, self.config.clips_days)
        async with self.database.reading() as tx:
            keepings = await retention.keepings(tx)
        for keeping in keepings:
            await self._expire(now, keeping.days, keeping)
        async with self.database.transaction() as tx:  # also after clips that people have deleted themselves
            await gallery.forget_words(tx)

    async def _expire(self, now: float, days: float, keeping: Keeping | None = None) -> None:
        while True:
            async with self.database.transaction() as tx:
                gone = await retention.expire_clips(tx, now - days * DAY, now, keeping)
            await self.eraser.remove(gone)
            if len(gone) < BATCH:
                return

    async def _take_words(self, now: float) -> None:
        if days := self.config.prompts_days:
            before = now - days * DAY
            await self._all(lambda tx: retention.blank_jobs(tx, before))
            await self._all(lambda tx: retention.empty_room(tx, before))
        if days := self.config.refusals_days:
            refused_before = now - days * DAY
            await self._all(lambda tx: retention.forget_refusals(tx, refused_before))
            await self._all(lambda tx: retention.blank_jobs(tx, refused_before, JobState.REFUSED))
        limits = [days * DAY for days in (self.config.prompts_days, self.config.refusals_days) if days]
        answered_before = now - min([CLOSED_SECONDS, *limits])
        await self._all(lambda tx: retention.forget_requests(tx, RequestState.CLOSED, answered_before))
        await self._all(lambda tx: retention.forget_requests(tx, RequestState.DRAFT, now - DRAFT_SECONDS))

    async def _forget_decisions(self, now: float) -> None:
        """Cases, and of strikes, reports and reviews what is long over; nothing that still counts."""
        if not self.config.cases_days:
            return
        before = now - self.config.cases_days * DAY
        counted = min(before, now - self.strike_days * DAY)  # false reports count as long as strikes do
        for forget, moment in (
            (cases.forget, before),
            (standing.forget, before),
            (reviews.forget, before),
            (reports.forget, counted),
        ):
            await self._all(_before(forget, moment))
        await self._all(lambda tx: retention.forget_credits(tx, before))

    async def _forget_what_is_over(self, now: float) -> None:
        """Codes, sign-ins and questions past their time, and what people were told."""
        for forget, moment in (
            (people.forget_codes, now),
            (link_tries.forget, now - DAY),
            (pending.forget, now),
            (console.forget, now),
        ):
            async with self.database.transaction() as tx:
                await forget(tx, moment)
        await self._all(lambda tx: notices.forget(tx, now - TOLD_SECONDS))
        await self._all(retention.forget_platform_files)

    async def _all(self, some: Some) -> None:
        """Batch by batch, each a transaction of its own: whoever else writes comes in between."""
        done = BATCH
        while done >= BATCH:
            async with self.database.transaction() as tx:
                done = await some(tx)


def _before(forget: Callable[[AsyncConnection, float], Awaitable[int]], moment: float) -> Some:
    return lambda tx: forget(tx, moment)


def last_due(now: float, hour: int) -> float:
    """The last moment at which this machine's clock struck `hour`; days of 23 or 25 hours have one as well."""
    today = time.localtime(now)
    due = _struck(today, hour, 0)
    return due if due <= now else _struck(today, hour, 1)


def _struck(day: time.struct_time, hour: int, days_before: int) -> float:
    return time.mktime((day.tm_year, day.tm_mon, day.tm_mday - days_before, hour, 0, 0, 0, 0, -1))
