"""What goes with the words of a moderator's own card: the clip to look at, the way into their pages."""

from __future__ import annotations

import logging
from dataclasses import replace

from bot import intents
from bot.cards import Card
from bot.commands import Commands
from bot.moderation.desk import Desk
from bot.port import Rendition
from bot.renditions import RenditionError
from bot.surfaces.discord.drawing import Picture
from db import models
from db.errors import StoreError
from db.records import Caller, Clip

log = logging.getLogger(__name__)


async def with_clip(commands: Commands, caller: Caller, card: Card, kind: str, limit: int) -> Picture:
    """With the clip that the card asks about, covered, in at most so many bytes; without it where it can't be had."""
    clip = await _clip_of(commands, caller, card)
    if clip is None:
        return Picture(card)
    file = await _file_of(commands, clip, kind, limit)
    return Picture(replace(card, clip=clip.id, spoiler=True), file)


def link_of(card: Card) -> str:
    """The link that one of its facts is, or empty."""
    return next((value for _, value in card.facts if value.startswith(("https://", "http://"))), "")


async def _clip_of(commands: Commands, caller: Caller, card: Card) -> Clip | None:
    """None where there is none, or the caller may not look at it."""
    for button in card.buttons:
        match intents.parse(button.token):
            case intents.Approve(review) | intents.Remove(review) | intents.FalseAlarm(review):
                looked = await Desk(commands.database, commands.clock).look(caller, review)
                return looked.subject.clip if looked and looked.subject else None
    return None


async def _file_of(commands: Commands, clip: Clip, kind: str, limit: int) -> Rendition | None:
    """Made to fit into `limit` bytes. None where it can't be (any more): the words of the card have to do."""
    async with commands.database.reading() as tx:
        crisp = any(model.crisp for model in await models.known(tx) if model.name == clip.spec.model)
    try:
        return await commands.renditions.make(await commands.files.local(clip.master), clip, crisp, kind, limit)
    except (RenditionError, StoreError, OSError) as error:
        log.warning("Clip %s could not be put on a moderator's card (%s).", clip.id, type(error).__name__)
        return None
