"""The clip that a moderator is to look at, for a message that they alone see."""

from __future__ import annotations

import logging

from bot import intents
from bot.cards import Card
from bot.commands import Commands
from bot.moderation.desk import Desk
from bot.port import Rendition
from bot.renditions import RenditionError
from db import models
from db.errors import StoreError
from db.records import Caller, Clip

log = logging.getLogger(__name__)


async def clip_of(commands: Commands, caller: Caller, card: Card) -> Clip | None:
    """The clip that a card asks a moderator about; None where there is none, or the caller may not look at it."""
    for button in card.buttons:
        match intents.parse(button.token):
            case intents.Approve(review) | intents.Remove(review) | intents.FalseAlarm(review):
                looked = await Desk(commands.database, commands.clock).look(caller, review)
                return looked.subject.clip if looked and looked.subject else None
    return None


async def file_of(commands: Commands, clip: Clip, kind: str, limit: int) -> Rendition | None:
    """Made to fit into `limit` bytes. None where it can't be (any more): the words of the card have to do."""
    async with commands.database.reading() as tx:
        crisp = any(model.crisp for model in await models.known(tx) if model.name == clip.spec.model)
    try:
        return await commands.renditions.make(await commands.files.local(clip.master), clip, crisp, kind, limit)
    except (RenditionError, StoreError, OSError) as error:
        log.warning("Clip %s could not be put on a moderator's card (%s).", clip.id, type(error).__name__)
        return None
