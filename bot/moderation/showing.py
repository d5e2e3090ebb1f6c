"""Where clips are shown and where not: hidden by their asker, hidden or taken down by a place's moderators.

At home moderators hide a clip from everybody; where it was brought from elsewhere, from those who are there. Each
change touches the clip's job, by which every card that carries it is drawn again, after a crash as well.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from db import deliveries, gallery, queue
from db.records import Clip


async def hide_here(tx: AsyncConnection, clip: Clip, surface: str, place: str, now: float) -> bool:
    """A place's moderators want nobody there to be shown the clip. False: that was so before."""
    if await gallery.is_at_home(tx, clip.id, surface, place):
        changed = await gallery.hide(tx, clip.id, gallery.MODERATORS)
    else:
        changed = await gallery.withhold(tx, clip.id, surface, place)
    await queue.touch(tx, clip.job, now)
    return changed


async def show_here(tx: AsyncConnection, clip: Clip, surface: str, place: str, now: float) -> bool:
    """What moderators of this place have hidden is brought to its cards anew. False: they had hidden nothing, or its
    asker has hidden it as well."""
    if await gallery.is_at_home(tx, clip.id, surface, place):
        shown = await gallery.unhide(tx, clip.id, gallery.MODERATORS)
        return shown and await _bring_again(tx, clip, now)
    shown = await gallery.unwithhold(tx, clip.id, surface, place) and not clip.hidden
    return shown and await _bring_again(tx, clip, now, surface, place)


async def hide_own(tx: AsyncConnection, clip: Clip, now: float) -> bool:
    """The one who asked for it wants nobody to be shown it. False: that was so before."""
    changed = await gallery.hide(tx, clip.id, gallery.ASKER)
    await queue.touch(tx, clip.job, now)
    return changed


async def show_own(tx: AsyncConnection, clip: Clip, now: float) -> bool:
    """The one who asked for it wants it to be shown again. False: moderators have hidden it (as well)."""
    if not clip.hidden:
        return True
    shown = await gallery.unhide(tx, clip.id, gallery.ASKER)
    return shown and await _bring_again(tx, clip, now)


async def moderators_hid(tx: AsyncConnection, clip: Clip, surface: str, place: str) -> bool:
    """Whether the moderators of this place want nobody there to be shown the clip, whatever its asker wants."""
    if await gallery.is_at_home(tx, clip.id, surface, place):
        return clip.hidden_by in {gallery.MODERATORS, gallery.BOTH}
    return await gallery.is_withheld(tx, clip.id, surface, place)


async def is_hidden_here(tx: AsyncConnection, clip: Clip, surface: str, place: str) -> bool:
    """Whether nobody in this place is to be shown the clip."""
    return clip.hidden or await gallery.is_withheld(tx, clip.id, surface, place)


async def _bring_again(tx: AsyncConnection, clip: Clip, now: float, surface: str = "", place: str = "") -> bool:
    await deliveries.promise_again(tx, clip.id, now, surface, place)
    await queue.touch(tx, clip.job, now)
    return True
