"""The state that the gateway, the REST routes and the people share, and a way to wait until it changes."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from typing import Any, TypeVar

from tests.surfaces.discord_server.faults import Call
from tests.surfaces.discord_server.world import (
    DM,
    PATIENCE,
    PUBLIC_THREAD,
    TEXT,
    USUAL,
    Channel,
    Clock,
    Guild,
    Interaction,
    Json,
    Message,
    Role,
    Snowflakes,
    User,
    bits,
)

T = TypeVar("T")


class World:
    """Everything there is, with makers for what a test wants to exist before the bot comes."""

    def __init__(self, clock: Clock = time.time) -> None:
        self._real_clock, self._ahead = clock, 0.0
        self.new_id = Snowflakes(self.clock)
        self.users: dict[str, User] = {}
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, Message] = {}
        self.interactions: dict[str, Interaction] = {}  # by token
        self.commands: list[Json] = []
        self.calls: list[Call] = []
        self.violations: list[str] = []  # what Discord's schema says against the bot's requests
        self.problems: list[str] = []  # what Discord would take and no person would be happy with
        self.upload_limit: int | None = None  # what is really taken, if it is not what is announced
        self.old_edits = 30  # how often a message older than an hour may be edited within an hour
        self.bot = self.person("zoetrope", bot=True)
        self.application = self.bot.id
        self.portal: Json = {}  # what is set otherwise than usual in the developer portal
        self.token = f"{base64.b64encode(self.bot.id.encode()).decode()}.loopback.not-a-secret"
        self._changed = asyncio.Event()

    def clock(self) -> float:
        """Seconds since 1970, as Discord sees it."""
        return self._real_clock() + self._ahead

    def advance(self, seconds: float) -> None:
        """So much time passes at once: deadlines and ages are judged by it, while nobody waits."""
        self._ahead += seconds

    # --- making ---

    def person(self, name: str, **traits: Any) -> User:
        user = User(self.new_id(), name, **traits)
        self.users[user.id] = user
        return user

    def join(self, guild: Guild, name: str) -> User:
        """One more person, in this server."""
        user = self.person(name)
        guild.members[user.id] = []
        return user

    def guild(self, name: str, *members: User, has_bot: bool = True, **traits: Any) -> Guild:
        """A server with its owner nobody we know; the bot's own role has the usual permissions."""
        key = self.new_id()
        everyone = Role(key, "@everyone", USUAL)
        guild = Guild(
            id=key,
            name=name,
            owner=self.person(f"{name}-owner"),
            roles=[everyone],
            members={},
            joined_at=self.clock(),
            has_bot=has_bot,
            **traits,
        )
        for member in (guild.owner, *members):
            guild.members[member.id] = []
        if has_bot:
            guild.roles.append(Role(self.new_id(), "zoetrope", USUAL, managed=True))
            guild.members[self.bot.id] = [guild.roles[-1]]
        self.guilds[key] = guild
        return guild

    def role(self, guild: Guild, name: str, *permissions: str) -> Role:
        made = Role(self.new_id(), name, bits(*permissions))
        guild.roles.append(made)
        return made

    def channel(self, guild: Guild, name: str, kind: int = TEXT, **traits: Any) -> Channel:
        made = Channel(self.new_id(), kind, name, guild, made_at=self.clock(), **traits)
        self.channels[made.id] = made
        return made

    def thread(self, parent: Channel, name: str, kind: int = PUBLIC_THREAD, **traits: Any) -> Channel:
        """A thread; below a forum it is a post."""
        assert parent.guild is not None
        return self.channel(parent.guild, name, kind, parent=parent, **traits)

    def conversation(self, *people: User, kind: int = DM, with_bot: bool = True) -> Channel:
        """A DM (with the bot, if nothing else is said) or a group DM."""
        recipients = (*people, self.bot) if with_bot else people
        made = Channel(self.new_id(), kind, recipients=recipients, made_at=self.clock())
        self.channels[made.id] = made
        return made

    def dm_of(self, user: User) -> Channel:
        """The DM between the bot and somebody, which exists once somebody asks for it."""
        for channel in self.channels.values():
            if channel.type == DM and set(channel.recipients) == {user, self.bot}:
                return channel
        return self.conversation(user)

    # --- looking ---

    def messages_in(self, channel: Channel) -> list[Message]:
        """What stands in a channel, the oldest first; ephemeral ones too."""
        return [one for one in self.messages.values() if one.channel is channel and not one.deleted]

    def rung(self) -> frozenset[str]:
        """Whom the bot's messages rang, of all that ever stood anywhere."""
        return frozenset(one for message in self.messages.values() for one in message.pings)

    def called(self, route: str, status: int | None = None) -> list[Call]:
        """The requests on "METHOD /path/{with}/names", of a status if one is given."""
        return [one for one in self.calls if one.route == route and status in (None, one.status)]

    def check(self) -> None:
        """Fails the test whose bot did what Discord or a person would not take."""
        assert not self.violations, "\n".join(self.violations)
        assert not self.problems, "\n".join(self.problems)

    def touch(self) -> None:
        """Something changed: whoever waits looks again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, look: Callable[[], T | None], within: float = PATIENCE) -> T:
        """What `look` finds, as soon as it finds something; it looks at every change here.

        Raises TimeoutError when that takes longer than `within` seconds.
        """
        async with asyncio.timeout(within):
            while not (found := look()):
                await self._changed.wait()
        return found
