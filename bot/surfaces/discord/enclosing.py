"""The file of a clip for a message that only one person sees: a moderator looks before they decide."""

from __future__ import annotations

import logging

from bot.commands import Commands
from bot.port import Rendition
from bot.renditions import RenditionError
from db import gallery, models
from db.errors import StoreError

log = logging.getLogger(__name__)


async def file_of(commands: Commands, clip_id: str, kind: str, limit: int) -> Rendition | None:
    """Made to fit into `limit` bytes; whether it may be seen was asked before.

    None where it can't be made (any more): the words of the card have to do.
    """
    async with commands.database.reading() as tx:
        clip = await gallery.get(tx, clip_id)
        crisp = any(model.crisp for model in await models.known(tx) if clip and model.name == clip.spec.model)
    if clip is None:
        return None
    try:
        return await commands.renditions.make(await commands.files.local(clip.master), clip, crisp, kind, limit)
    except (RenditionError, StoreError, OSError) as error:
        log.warning("Clip %s could not be put on a moderator's card (%s).", clip_id, type(error).__name__)
        return None
