"""Clips are removed: forgotten in the store at once, their files once that is certain.

Whoever removes a clip (its asker, a moderator) does it through here, so that nothing of it stays: no promise to bring
it, no card that carries it, no file, and nobody is asked to look at it any more.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import cards
from bot.renditions import Renditions
from db import deliveries, gallery, queue, reviews
from db.clip_files import ClipFiles
from db.errors import StoreError
from db.records import Clip

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Eraser:
    """`forget` in a transaction, then `remove` what it returned once that is committed."""

    files: ClipFiles
    renditions: Renditions

    async def forget(self, tx: AsyncConnection, clip_id: str, now: float) -> Clip | None:
        """Gone for everybody: its cards are redrawn without it, after a crash as well. None: it was gone before."""
        clip = await gallery.forget(tx, clip_id)
        if clip is None:
            return None
        for delivery in await deliveries.of_clip(tx, clip_id):
            await deliveries.give_up(tx, delivery.id, cards.DELETED)
        await reviews.lapse(tx, clip_id, now)
        await queue.touch(tx, clip.job, now)
        return clip

    async def remove(self, clips: Iterable[Clip]) -> None:
        """Their files. They are forgotten already: what can't be removed now is removed by the next sweep."""
        for clip in clips:
            try:
                await self.files.remove(clip.master)
                await self.renditions.forget(clip.id)
            except (OSError, StoreError):
                log.exception("The files of clip %s could not be removed yet.", clip.id)
