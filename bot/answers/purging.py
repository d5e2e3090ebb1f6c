"""Clips are purged: counted and confirmed in one transaction, deleted a few at a time, so that nobody waits for long.

What a purge has still to do stands in the database: it goes on after a restart.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.commands import Commands
from db import purges
from db.purges import Scope
from db.records import Asker, Clip
from db.trouble import surviving

BATCH = 25  # clips that one transaction deletes
BELL_SECONDS = 5.0  # the longest sleep without a bell


@dataclass(frozen=True, slots=True)
class Purging:
    """The purges of all places; `begin` in the transaction of the case."""

    commands: Commands

    async def begin(self, tx: AsyncConnection, by: Asker, scope: Scope) -> None:
        await purges.begin(tx, self.commands.make_id(), by, scope)

    async def work_off(self) -> None:
        """Delete everything that is still to be deleted."""
        while True:
            async with self.commands.database.reading() as tx:
                begun = await purges.begun(tx)
            if not begun:
                return
            for purge_id, scope in begun:
                async with self.commands.database.transaction() as tx:
                    gone = await self._some(tx, scope)
                    if not gone:
                        await purges.done(tx, [purge_id])
                await self.commands.moderation.eraser.remove(gone)

    async def run(self) -> None:
        """Go on with what was begun, at start and whenever something is."""
        while True:
            heard = self.commands.database.bell.count()
            with surviving("purge clips"):
                await self.work_off()
            await self.commands.database.bell.wait(heard, BELL_SECONDS)

    async def _some(self, tx: AsyncConnection, scope: Scope) -> list[Clip]:
        """A batch that is forgotten now."""
        eraser, now = self.commands.moderation.eraser, self.commands.clock()
        gone = [await eraser.forget(tx, clip.id, now) for clip in await purges.some(tx, scope, BATCH)]
        return [clip for clip in gone if clip is not None]
