"""What Discord says about somebody who is not in the middle of a command or a click. Asked anew every time.

Four requests at most: the server with its roles and its owner, the member, the channel, and the channel above a thread.
"""

from __future__ import annotations

import discord
from discord.abc import GuildChannel

from bot.surfaces.discord.callers import PRIVATE
from bot.surfaces.discord.drawing import NAME
from bot.surfaces.discord.rest import Rest
from db.records import Address, Asker, Circumstances

NOTHING = Circumstances()


async def circumstances(rest: Rest, address: Address, asker: Asker) -> Circumstances:
    """Nothing for whom Discord does not know there. Raises the errors of port.py where it can't be asked.

    Nobody can be asked about where the bot is no member.
    """
    if asker.surface != NAME or not asker.id.isdecimal():
        return NOTHING
    if address.place.startswith(PRIVATE):
        return await _in_private(rest, address, asker)
    return await _in_server(rest, address, asker) if address.place.isdecimal() else NOTHING


async def stands_in(rest: Rest, address: Address) -> bool:
    """Whether the channel of an address belongs to its server: the id of a channel may be what somebody typed."""
    channel = await rest.channel(address.thread) if address.thread.isdecimal() else None
    return isinstance(channel, GuildChannel | discord.Thread) and str(channel.guild.id) == address.place


async def _in_private(rest: Rest, address: Address, asker: Asker) -> Circumstances:
    channel = await rest.channel(address.thread)
    theirs = isinstance(channel, discord.DMChannel) and asker.id in {str(each.id) for each in channel.recipients}
    return Circumstances(private=True) if theirs else NOTHING


async def _in_server(rest: Rest, address: Address, asker: Asker) -> Circumstances:
    member = await rest.member(address.place, asker.id)
    if member is None:
        return NOTHING
    channel = await rest.channel(address.thread) if address.thread.isdecimal() else None
    above = await rest.channel(str(channel.parent_id)) if isinstance(channel, discord.Thread) else channel
    allowed = member.guild_permissions
    return Circumstances(
        roles=tuple(map(str, member._roles)),  # noqa: SLF001  # as in callers.py
        moderator=allowed.manage_guild or allowed.administrator,
        age_restricted=_is_age_restricted(above),
        parent=str(channel.parent_id) if isinstance(channel, discord.Thread) else "",
    )


def _is_age_restricted(channel: object) -> bool:
    restricted = getattr(channel, "is_nsfw", None)
    return bool(restricted()) if callable(restricted) else False
