"""What a Discord server remembers: people, guilds, channels and their permissions, messages, files, interactions."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from discord import Permissions

Json = dict[str, Any]
Clock = Callable[[], float]

EPOCH_MS = 1_420_070_400_000
EPHEMERAL, LOADING, COMPONENTS_V2, SUPPRESS_EMBEDS = 1 << 6, 1 << 7, 1 << 15, 1 << 2
TEXT, DM, GROUP, ANNOUNCEMENT, PUBLIC_THREAD, PRIVATE_THREAD, FORUM = 0, 1, 3, 5, 11, 12, 15
THREADS = (10, PUBLIC_THREAD, PRIVATE_THREAD)
PATIENCE = 30.0  # seconds; an upper bound for what takes milliseconds on an idle machine
ACK_SECONDS, TOKEN_SECONDS = 3.0, 15 * 60.0
MIB = 1 << 20
BOOSTED = {0: 10 * MIB, 1: 10 * MIB, 2: 50 * MIB, 3: 100 * MIB}
ALL = Permissions.all().value
USUAL = Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    embed_links=True,
    attach_files=True,
    read_message_history=True,
    use_application_commands=True,
    use_external_apps=True,
).value


class Snowflakes:
    """Ids that grow and carry the time they were made at."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._last = clock, 0

    def __call__(self) -> str:
        self._last = max(self._last + 1, int(self._clock() * 1000 - EPOCH_MS) << 22)
        return str(self._last)


def timestamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def bits(*names: str) -> int:
    """Permissions by their names in discord.py."""
    return Permissions(**dict.fromkeys(names, True)).value


@dataclass(eq=False)
class User:
    id: str
    username: str
    bot: bool = False
    takes_dms: bool = True
    locale: str = "en-US"
    installed: bool = False  # has the app in their own account

    def json(self) -> Json:
        return {
            "id": self.id,
            "username": self.username,
            "global_name": self.username.title(),
            "discriminator": "0",
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
            "flags": 0,
            "primary_guild": None,
        }


@dataclass(eq=False)
class Role:
    id: str
    name: str
    permissions: int
    managed: bool = False

    def json(self) -> Json:
        return {
            "id": self.id,
            "name": self.name,
            "permissions": str(self.permissions),
            "position": 0 if self.name == "@everyone" else 1,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": self.managed,
            "mentionable": False,
            "icon": None,
            "unicode_emoji": None,
            "flags": 0,
        }


@dataclass(eq=False)
class Guild:
    """A server. The bot is a member of it or not (then people bring it along as a user-installed app)."""

    id: str
    name: str
    owner: User
    roles: list[Role]  # the first is @everyone
    members: dict[str, list[Role]]  # the roles of each user id
    joined_at: float
    has_bot: bool = True
    premium_tier: int = 0
    age_restricted: bool = False

    @property
    def upload_bytes(self) -> int:
        return BOOSTED[self.premium_tier]

    def member(self, user: User) -> Json:
        return {
            "user": user.json(),
            "roles": [role.id for role in self.members.get(user.id, [])],
            "joined_at": timestamp(self.joined_at),
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "nick": None,
            "avatar": None,
            "banner": None,
            "premium_since": None,
            "communication_disabled_until": None,
        }

    def json(self) -> Json:
        nothing = dict.fromkeys(NULL_OF_A_GUILD)
        return {
            **nothing,
            "id": self.id,
            "name": self.name,
            "features": [],
            "owner_id": self.owner.id,
            "region": "deprecated",
            "afk_timeout": 300,
            "system_channel_flags": 0,
            "widget_enabled": False,
            "verification_level": 0,
            "roles": [role.json() for role in self.roles],
            "default_message_notifications": 0,
            "mfa_level": 0,
            "explicit_content_filter": 0,
            "max_members": 500_000,
            "max_stage_video_channel_users": 50,
            "max_video_channel_users": 25,
            "premium_tier": self.premium_tier,
            "premium_subscription_count": 0,
            "preferred_locale": "en-US",
            "premium_progress_bar_enabled": False,
            "nsfw": False,
            "nsfw_level": 0,
            "emojis": [],
            "stickers": [],
        }


NULL_OF_A_GUILD = (
    *("icon", "description", "home_header", "splash", "discovery_splash", "banner", "application_id"),
    *("afk_channel_id", "system_channel_id", "widget_channel_id", "max_presences", "vanity_url_code"),
    *("rules_channel_id", "safety_alerts_channel_id", "public_updates_channel_id", "incidents_data"),
)


@dataclass(eq=False)
class Channel:
    """A channel, thread or conversation. `denied` and `allowed` are overwrites by role or user id."""

    id: str
    type: int
    name: str = ""
    guild: Guild | None = None
    parent: Channel | None = None
    recipients: tuple[User, ...] = ()
    denied: dict[str, int] = field(default_factory=dict)
    allowed: dict[str, int] = field(default_factory=dict)
    archived: bool = False
    locked: bool = False
    nsfw: bool = False
    owner: User | None = None
    gone: bool = False
    made_at: float = 0.0

    @property
    def is_thread(self) -> bool:
        return self.type in THREADS

    def permissions(self, user: User) -> int:
        """As Discord computes them: roles, then overwrites of everyone, of roles, of the member; threads inherit."""
        if self.guild is None:
            return USUAL if user in self.recipients else 0
        if user.id not in self.guild.members:
            return 0
        if user is self.guild.owner:
            return ALL
        held = [self.guild.roles[0], *self.guild.members[user.id]]
        base = 0
        for role in held:
            base |= role.permissions
        if base & Permissions(administrator=True).value:
            return ALL
        place = self.parent if self.is_thread and self.parent else self
        for layer in ([self.guild.id], [role.id for role in held[1:]], [user.id]):
            for one in layer:
                base &= ~place.denied.get(one, 0)
            for one in layer:
                base |= place.allowed.get(one, 0)
        return base if base & Permissions(view_channel=True).value else 0

    def json(self, viewer: User) -> Json:
        common = {"id": self.id, "type": self.type, "flags": 0, "last_message_id": None}
        if self.guild is None:
            others = [user.json() for user in self.recipients if user is not viewer]
            group = {"owner_id": self.recipients[0].id, "icon": None, "name": self.name or None}
            return {**common, "recipients": others, **(group if self.type == GROUP else {})}
        placed = {**common, "guild_id": self.guild.id, "name": self.name, "nsfw": self.nsfw, "rate_limit_per_user": 0}
        parent = self.parent.id if self.parent else None
        if not self.is_thread:
            return {
                **placed,
                "parent_id": parent,
                "topic": None,
                "position": 0,
                "permission_overwrites": self._overwrites(),
                **({"available_tags": []} if self.type == FORUM else {}),
            }
        return {
            **placed,
            "parent_id": parent,
            "owner_id": self.owner.id if self.owner else self.guild.owner.id,
            "message_count": 0,
            "member_count": 1,
            "total_message_sent": 0,
            "thread_metadata": {
                "archived": self.archived,
                "locked": self.locked,
                "auto_archive_duration": 1440,
                "archive_timestamp": timestamp(self.made_at),
                "create_timestamp": timestamp(self.made_at),
                **({"invitable": True} if self.type == PRIVATE_THREAD else {}),
            },
        }

    def _overwrites(self) -> list[Json]:
        assert self.guild is not None
        roles = {role.id for role in self.guild.roles}
        return [
            {
                "id": one,
                "type": 0 if one in roles else 1,
                "allow": str(self.allowed.get(one, 0)),
                "deny": str(self.denied.get(one, 0)),
            }
            for one in sorted({*self.denied, *self.allowed})
        ]


@dataclass(eq=False)
class Attachment:
    """An uploaded file with its bytes."""

    id: str
    filename: str
    content: bytes = field(repr=False)
    url: str
    content_type: str
    description: str | None = None
    is_spoiler: bool = False

    def json(self) -> Json:
        return {
            "id": self.id,
            "filename": self.filename,
            "size": len(self.content),
            "url": self.url,
            "proxy_url": self.url,
            "content_type": self.content_type,
            **({"description": self.description} if self.description is not None else {}),
            **({"flags": 1 << 5} if self.is_spoiler else {}),
        }


@dataclass(eq=False)
class Message:
    """A message as it stands; `versions` holds what stood there before, oldest first."""

    id: str
    channel: Channel
    author: User
    made_at: float
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    nonce: str | int | None = None
    reply_to: Message | None = None
    interaction: Interaction | None = None
    pings: frozenset[str] = frozenset()  # whom it rang: user ids, role ids, "everyone"
    edited_at: float | None = None
    deleted: bool = False
    edits: list[float] = field(default_factory=list)
    versions: list[Json] = field(default_factory=list, repr=False)

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        return bool(self.flags & LOADING)

    @property
    def text(self) -> str:
        """Everything a person reads on it, a line each: content, embeds, text displays, labels of buttons."""
        lines = [self.content]
        for embed in self.embeds:
            lines += [embed.get("author", {}).get("name", ""), embed.get("title", ""), embed.get("description", "")]
            lines += [f"{one['name']}: {one['value']}" for one in embed.get("fields", [])]
            lines += [embed.get("footer", {}).get("text", "")]
        for part in self.parts():
            lines += [part.get("content") or "", part.get("label") or "" if part["type"] == 2 else ""]
        return "\n".join(line for line in lines if line)

    def parts(self) -> list[Json]:
        """All components, however deep they lie."""
        return list(flat(self.components))

    @property
    def buttons(self) -> dict[str, Json]:
        """The buttons by their labels."""
        return {part.get("label", ""): part for part in self.parts() if part["type"] == 2}

    @property
    def file(self) -> bytes:
        """The bytes of the only attachment."""
        (only,) = self.attachments
        return only.content

    def json(self) -> Json:
        stands: Json = {
            "id": self.id,
            "type": 0 if self.reply_to is None else 19,
            "channel_id": self.channel.id,
            "author": self.author.json(),
            "content": self.content,
            "timestamp": timestamp(self.made_at),
            "edited_timestamp": timestamp(self.edited_at) if self.edited_at is not None else None,
            "tts": False,
            "mention_everyone": "everyone" in self.pings,
            "mentions": [],
            "mention_roles": [],
            "attachments": [one.json() for one in self.attachments],
            "embeds": [{"type": "rich", **embed} for embed in self.embeds],
            "components": self.components,
            "pinned": False,
            "flags": self.flags,
        }
        if self.nonce is not None:
            stands["nonce"] = self.nonce
        if self.reply_to is not None:
            stands["message_reference"] = {"type": 0, "channel_id": self.channel.id, "message_id": self.reply_to.id}
        if self.interaction is not None:
            stands |= self.interaction.provenance()
        return stands


@dataclass(eq=False)
class Interaction:
    """Something a person did, and what came of it."""

    id: str
    token: str
    type: int  # 2 command, 3 component, 4 autocomplete, 5 modal
    user: User
    channel: Channel
    application: str
    made_at: float
    payload: Json = field(repr=False)
    message: Message | None = None  # whose button was pressed
    foreign: bool = False  # the bot is no member where it happened
    hides: bool = False  # the answer is ephemeral whatever the bot wants
    owners: Json = field(default_factory=dict)
    acked_at: float | None = None
    late: bool = False  # an acknowledgement came, but after the deadline
    answer_type: int = 0
    original: Message | None = None
    modal: Json | None = None
    choices: list[Json] | None = None
    followups: list[Message] = field(default_factory=list)
    asked_by: Interaction | None = None  # whose modal this fills in
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    answered: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    followed_up: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def ack_seconds(self) -> float:
        """From the person's act to the bot's acknowledgement."""
        assert self.acked_at is not None, "the interaction was never acknowledged"
        return self.acked_at - self.made_at

    @property
    def reply(self) -> Message:
        """The message that answers it."""
        assert self.original is not None, f"no message answers the interaction {self.payload.get('data')}"
        return self.original

    async def card(self) -> Message:
        """The message that answers it, as soon as it says something: a bot may have thought first."""
        async with asyncio.timeout(PATIENCE):
            await self.answered.wait()
        return self.reply

    async def whisper(self) -> Message:
        """The first message that follows up on it: how a press is answered that leaves its card alone."""
        async with asyncio.timeout(PATIENCE):
            await self.followed_up.wait()
        return self.followups[0]

    def provenance(self) -> Json:
        """Where a message comes from that answers this."""
        told = self._metadata()
        return {"application_id": self.application, "webhook_id": self.application, "interaction_metadata": told}

    def _metadata(self) -> Json:
        """Discord's record of it on the message."""
        told: Json = {
            "id": self.id,
            "type": self.type,
            "user": self.user.json(),
            "authorizing_integration_owners": self.owners,
        }
        if self.type == 2:
            return {**told, "name": self.payload["data"]["name"], "command_type": 1}
        if self.type == 3 and self.message is not None:
            return {**told, "interacted_message_id": self.message.id}
        if self.type == 5 and self.asked_by is not None:
            return {**told, "triggering_interaction_metadata": self.asked_by._metadata()}
        return told


def flat(components: Iterable[Json]) -> Iterable[Json]:
    """Components and those inside them, in reading order."""
    for part in components:
        yield part
        inner = [part[name] for name in ("component", "accessory") if part.get(name)]
        yield from flat([*part.get("components", []), *inner])


def pinged(content: str, rules: Mapping[str, Any] | None, replied: User | None) -> frozenset[str]:
    """Whom a message rings: what is written in it, held against `allowed_mentions` as Discord documents it."""
    users = set(re.findall(r"<@!?(\d+)>", content))
    roles = set(re.findall(r"<@&(\d+)>", content))
    everyone = {"everyone"} if re.search(r"@(everyone|here)", content) else set()
    if rules is None:
        return frozenset(users | roles | everyone | ({replied.id} if replied else set()))
    parse = rules.get("parse") or []
    rung = users if "users" in parse else users & {str(one) for one in rules.get("users") or []}
    rung |= roles if "roles" in parse else roles & {str(one) for one in rules.get("roles") or []}
    rung |= everyone if "everyone" in parse else set()
    return frozenset(rung | ({replied.id} if replied and rules.get("replied_user") else set()))
