"""Whether cards and clips can be shown in one channel of Discord."""

from __future__ import annotations

from typing import Any

import discord
from discord.abc import GuildChannel, PrivateChannel

from bot.port import Gone
from bot.surfaces.discord.surface import DEFAULT_BYTES, REQUEST_BYTES
from bot.surfaces.discord.troubles import Barred, translated
from db.records import Finding

NAMES = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "send_messages_in_threads": "Send Messages in Threads",
    "attach_files": "Attach Files",
    "read_message_history": "Read Message History",
}
IN_THREADS = {name: NAMES[name] for name in NAMES if name != "send_messages"}
WITH_THREADS = (discord.TextChannel, discord.ForumChannel)
MIB = 2**20


async def look_at_channel(client: discord.Client, channel: str, invite: str) -> Finding:
    """What is missing in the channel with this id; raises the errors of port.py where Discord can't be asked."""
    try:
        with translated():
            found = await client.fetch_channel(int(channel))
            if isinstance(found, PrivateChannel):
                return _finding(True, "it is a private conversation, where nothing has to be allowed.")
            if isinstance(found, discord.CategoryChannel):
                return _finding(False, f"{found.name} is a category: give the ID of a channel in it.")
            guild = await client.fetch_guild(found.guild.id, with_counts=False)
            allowed = await _permissions(client, guild, found)
    except Gone:
        return _finding(False, "there is none with this ID: right-click the channel, Copy Channel ID, and try again.")
    except Barred:
        way_out = f"allow View Channel for it in the channel's settings, or add it to the server with {invite}"
        return _finding(False, f"the bot can't see it: {way_out}")
    return _of_permissions(guild, found, allowed)


def _finding(well: bool, sentence: str) -> Finding:
    return Finding("Discord channel", well, sentence)


async def _permissions(client: discord.Client, guild: discord.Guild, channel: Any) -> discord.Permissions:
    """Those of the bot, by roles, overwrites and time-outs; a thread has those of the channel it belongs to."""
    place: Any = await guild.fetch_channel(channel.parent_id if isinstance(channel, discord.Thread) else channel.id)
    assert client.user is not None
    return GuildChannel.permissions_for(place, await guild.fetch_member(client.user.id))


def _of_permissions(guild: discord.Guild, channel: Any, allowed: discord.Permissions) -> Finding:
    missing = [name for flag, name in _needed(channel).items() if not getattr(allowed, flag)]
    if missing:
        named = ", ".join(missing)
        return _finding(False, f"the bot lacks in {channel.name}: {named}; allow it in the channel's permissions.")
    most = min(max(guild.filesize_limit, DEFAULT_BYTES), REQUEST_BYTES) // MIB
    return _finding(True, f"cards and clips can be shown in {channel.name}, in files of up to {most} MiB.")


def _needed(channel: Any) -> dict[str, str]:
    """By the library's names, as people read them: in threads and posts another right to write counts."""
    if isinstance(channel, discord.Thread):
        return IN_THREADS
    if isinstance(channel, WITH_THREADS):
        return NAMES if isinstance(channel, discord.TextChannel) else IN_THREADS
    return {flag: name for flag, name in NAMES.items() if flag != "send_messages_in_threads"}
