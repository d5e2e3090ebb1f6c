"""Who asks, where and in which circumstances, as an interaction tells it; nothing of it is believed beyond that."""

from __future__ import annotations

from typing import Any

import discord

from bot.surfaces.discord.drawing import NAME
from db.records import Address, Asker, Caller, Circumstances

PRIVATE, FOREIGN = "dm", "user"  # before a channel's id: a private talk with the bot; where the bot is no member

Interaction = discord.Interaction[Any]


def caller_of(interaction: Interaction) -> Caller:
    """The person, the place and the circumstances of a command or a click."""
    return Caller(Asker(NAME, str(interaction.user.id)), address_of(interaction), _circumstances(interaction))


def address_of(interaction: Interaction) -> Address:
    channel = str(interaction.channel_id or 0)
    if interaction.guild_id is not None and not _is_visitor(interaction):
        return Address(NAME, str(interaction.guild_id), channel)
    return Address(NAME, f"{PRIVATE if _is_private(interaction) else FOREIGN}{channel}", channel)


def language_of(interaction: Interaction) -> str:
    """The code of the person's own language."""
    return str(interaction.locale.value or "en")


def is_reachable(interaction: Interaction) -> bool:
    """Whether the bot's own token can edit a message here."""
    address = address_of(interaction)
    if address.place.startswith(FOREIGN):
        return False
    allowed = interaction.app_permissions
    return address.place.startswith(PRIVATE) or allowed.view_channel or not allowed.value  # nothing: it was not told


def _is_visitor(interaction: Interaction) -> bool:
    """Whether somebody brought the bot along to a server it is no member of; untold, it is one."""
    return bool(interaction._integration_owners) and not interaction.is_guild_integration()  # noqa: SLF001


def _circumstances(interaction: Interaction) -> Circumstances:
    allowed = interaction.permissions
    return Circumstances(
        language=language_of(interaction),
        roles=_roles(interaction.user),
        moderator=allowed.manage_guild or allowed.administrator,
        age_restricted=_is_age_restricted(interaction.channel),
        private=_is_private(interaction),
        parent=str(getattr(interaction.channel, "parent_id", None) or ""),
    )


def _roles(person: discord.User | discord.Member) -> tuple[str, ...]:
    """As the interaction brings them: `Member.roles` lacks those of a server that has not been told about yet."""
    return tuple(map(str, person._roles)) if isinstance(person, discord.Member) else ()  # noqa: SLF001


def _is_private(interaction: Interaction) -> bool:
    """A talk with the bot alone; in other private channels more people read along."""
    context = interaction.context
    if not (context.guild or context.dm_channel or context.private_channel):  # it was not told
        return interaction.guild_id is None and isinstance(interaction.channel, discord.DMChannel)
    return interaction.guild_id is None and context.dm_channel is True


def _is_age_restricted(channel: object) -> bool:
    restricted = getattr(channel, "is_nsfw", None)
    return bool(restricted()) if callable(restricted) else False
