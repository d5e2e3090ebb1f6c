"""What Discord says about somebody who is not in the middle of a command: asked anew, and nothing of it remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.cards import Card
from bot.port import Gone, Unreachable
from db.records import Address, Asker, Circumstances
from tests.surfaces.discord_server.world import FORUM

if TYPE_CHECKING:
    from tests.surfaces.conftest import Crew, House
    from tests.surfaces.discord_server.server import DiscordServer
    from tests.surfaces.discord_server.world import Channel, User

GUILD = "GET /guilds/{guild_id}"
MEMBER = "GET /guilds/{guild_id}/members/{user_id}"


def here(channel: Channel) -> Address:
    assert channel.guild is not None
    return Address("discord", channel.guild.id, channel.id)


async def told(house: House, person: User, address: Address) -> Circumstances:
    return await house.core.surfaces["discord"].circumstances(address, Asker("discord", person.id))


async def test_a_member_has_the_roles_they_have_now(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    assert await told(on_discord, crew.ann, here(crew.general)) == Circumstances()

    crew.guild.members[crew.ann.id].append(painter := discord_server.role(crew.guild, "painters"))
    assert await told(on_discord, crew.ann, here(crew.general)) == Circumstances(roles=(painter.id,))


@pytest.mark.parametrize("permission", ["manage_guild", "administrator"])
async def test_who_manages_the_server_is_asked_every_time(
    on_discord: House, discord_server: DiscordServer, crew: Crew, permission: str
) -> None:
    crew.guild.members[crew.ben.id].append(mods := discord_server.role(crew.guild, "mods", permission))
    assert (await told(on_discord, crew.ben, here(crew.general))).moderator

    crew.guild.members[crew.ben.id].remove(mods)
    assert not (await told(on_discord, crew.ben, here(crew.general))).moderator


async def test_the_owner_needs_no_role(on_discord: House, crew: Crew) -> None:
    assert (await told(on_discord, crew.guild.owner, here(crew.general))).moderator


async def test_a_permission_of_everybody_counts(on_discord: House, discord_server: DiscordServer, crew: Crew) -> None:
    crew.guild.roles[0].permissions |= discord_server.role(crew.guild, "x", "manage_guild").permissions
    assert (await told(on_discord, crew.ann, here(crew.general))).moderator


async def test_a_thread_is_as_the_channel_above_it(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    late = discord_server.channel(crew.guild, "late", nsfw=True)
    posts = discord_server.channel(crew.guild, "posts", FORUM)
    below, post = discord_server.thread(late, "below"), discord_server.thread(posts, "post")

    assert (await told(on_discord, crew.ann, here(late))) == Circumstances(age_restricted=True)
    assert (await told(on_discord, crew.ann, here(below))) == Circumstances(age_restricted=True, parent=late.id)
    assert (await told(on_discord, crew.ann, here(post))) == Circumstances(parent=posts.id)


async def test_whom_discord_does_not_know_there_has_none(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    stranger = discord_server.person("cleo")
    abroad = discord_server.guild("abroad", crew.ann, has_bot=False)
    elsewhere = discord_server.channel(abroad, "general")

    assert await told(on_discord, stranger, here(crew.general)) == Circumstances()
    assert await told(on_discord, crew.ann, here(elsewhere)) == Circumstances()
    assert await told(on_discord, crew.ann, Address("discord", f"user{elsewhere.id}", elsewhere.id)) == Circumstances()
    nobody = on_discord.core.surfaces["discord"].circumstances(here(crew.general), Asker("telegram", crew.ann.id))
    assert await nobody == Circumstances()


async def test_who_was_thrown_out_has_none_any_more(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    crew.guild.members[crew.ben.id].append(discord_server.role(crew.guild, "mods", "manage_guild"))
    assert (await told(on_discord, crew.ben, here(crew.general))).moderator

    del crew.guild.members[crew.ben.id]
    assert await told(on_discord, crew.ben, here(crew.general)) == Circumstances()


async def test_a_channel_that_is_gone_takes_no_role_away(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    crew.guild.members[crew.ben.id].append(mods := discord_server.role(crew.guild, "mods", "manage_guild"))
    await discord_server.delete_channel(crew.general)
    known = await told(on_discord, crew.ben, here(crew.general))
    assert known == Circumstances(roles=(mods.id,), moderator=True)


async def test_in_private_there_are_no_moderators(on_discord: House, discord_server: DiscordServer, crew: Crew) -> None:
    talk = discord_server.dm_of(crew.ann)
    address = Address("discord", f"dm{talk.id}", talk.id)
    assert await told(on_discord, crew.ann, address) == Circumstances(private=True)
    assert await told(on_discord, crew.ben, address) == Circumstances()


async def test_what_can_not_be_asked_is_no_no(on_discord: House, discord_server: DiscordServer, crew: Crew) -> None:
    """Whoever needs to know must not take silence for a person without rights, nor for one with them."""
    for route in (GUILD, MEMBER):
        discord_server.fail(route, 503, times=10)
        with pytest.raises(Unreachable):
            await told(on_discord, crew.ann, here(crew.general))
        discord_server.stop_faults()


async def test_a_card_goes_to_no_channel_of_another_server(
    on_discord: House, discord_server: DiscordServer, crew: Crew
) -> None:
    """A moderator types the id of the channel in which reviews are shown, and may type any."""
    others = discord_server.channel(discord_server.guild("others"), "general")
    surface = on_discord.core.surfaces["discord"]

    for thread in (others.id, "123456789012345678"):
        with pytest.raises(Gone):
            await surface.show(Address("discord", crew.guild.id, thread), Card("", "a look"), "n1")
    assert not discord_server.messages_in(others)
