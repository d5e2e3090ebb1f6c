"""A Discord server with moderators, and a channel in which their reviews come up, for tests of moderation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from db.records import Clip
from tests.surfaces.conftest import Crew, House
from tests.surfaces.discord_server.server import DiscordServer
from tests.surfaces.discord_server.world import Channel, Guild, Message, Role, User

APPROVE, REMOVE, FALSE_ALARM = "Approve", "Remove and strike", "False alarm"


@dataclass
class Court:
    """`mia` and `max` moderate the crew's server, and what is reported comes to `desk`."""

    server: DiscordServer
    house: House
    crew: Crew
    mods: Role
    mia: User
    max: User
    desk: Channel

    # --- what people do ---

    async def made(self, prompt: str = "a heart", user: User | None = None) -> tuple[Message, Clip]:
        """A card in the channel, and the clip that stands on it."""
        act = await self.server.invoke(
            "video", {"prompt": prompt}, user=user or self.crew.ann, channel=self.crew.general
        )
        card = await act.card()
        clip = await self.house.finish(await self.house.claim())
        await self.server.until(lambda: card.attachments)
        return card, clip

    async def report(self, card: Message, user: User) -> str:
        """Press Report; what is answered."""
        return (await (await self.server.click(card, "Report", user=user)).whisper()).text

    async def ordered(
        self, command: str, options: dict[str, Any] | None = None, user: User | None = None, at: Channel | None = None
    ) -> Message:
        """A moderator's command, `mia`'s unless somebody else is named; the card that answers it."""
        channel = at or self.desk
        act = await self.server.invoke(f"zoetrope {command}", options, user=user or self.mia, channel=channel)
        card = await act.card()
        assert card.ephemeral
        return card

    async def said(self, command: str, options: dict[str, Any] | None = None, user: User | None = None) -> Message:
        """Anybody's command, `ann`'s unless somebody else is named; the message that answers it."""
        user, channel = user or self.crew.ann, self.crew.general
        return await (await self.server.invoke(command, options, user=user, channel=channel)).card()

    async def pressed(self, card: Message, button: str, user: User) -> Message:
        """A button; the whisper that answers it."""
        return await (await self.server.click(card, button, user=user)).whisper()

    async def settled(self, card: Message, button: str, user: User | None = None) -> Message:
        """A button of a card that only one person sees; that card, once it has changed."""
        before = len(card.versions)
        await self.server.click(card, button, user=user)
        await self.server.until(lambda: len(card.versions) > before)
        return card

    # --- what stands there ---

    def reviews(self) -> list[Message]:
        """The cards at the desk, oldest first, but for the word that they come there."""
        seen = [one for one in self.server.messages_in(self.desk) if not one.ephemeral]
        return [one for one in seen if "comes here from now on" not in one.text]

    async def review(self) -> Message:
        """The newest card at the desk that waits for somebody and has its clip."""
        return await self.server.until(
            lambda: next((one for one in self.reviews() if REMOVE in one.buttons and one.attachments), None)
        )


async def court_of(server: DiscordServer, house: House, crew: Crew) -> Court:
    """The crew's server gets moderators and a desk, which one of them names."""
    mods = server.role(crew.guild, "mods", "manage_guild")
    mia, other = moderator(server, crew.guild, mods, "mia"), moderator(server, crew.guild, mods, "max")
    court = Court(server, house, crew, mods, mia, other, server.channel(crew.guild, "desk"))
    await court.ordered("settings", {"desk": "here"})
    return court


def moderator(server: DiscordServer, guild: Guild, role: Role, name: str) -> User:
    user = server.join(guild, name)
    guild.members[user.id].append(role)
    return user


def spoilers(message: Message) -> list[bool]:
    """Whether each picture on a message is covered."""
    return [item["spoiler"] for part in message.parts() for item in part.get("items") or []]
