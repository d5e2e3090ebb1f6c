"""The REST routes a bot like ours uses, each as Discord documents it: what is refused comes first, then the effect."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.surfaces.discord_server.drafts import Draft, Upload, invalid_form, type_of
from tests.surfaces.discord_server.faults import ApiError, Call
from tests.surfaces.discord_server.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, Gateway
from tests.surfaces.discord_server.state import World
from tests.surfaces.discord_server.world import (
    ACK_SECONDS,
    COMPONENTS_V2,
    EPHEMERAL,
    FORUM,
    LOADING,
    MIB,
    TOKEN_SECONDS,
    Attachment,
    Channel,
    Guild,
    Interaction,
    Json,
    Message,
    User,
    bits,
    pinged,
)

NONCE_SECONDS = 300.0  # "the past few minutes"
HOUR = 3600.0
FOREIGN_FOLLOWUPS = 5
COMMAND_NAME = re.compile(r"[-_'\w]{1,32}")
ALLOWED_ACKS = {2: (4, 5, 9), 3: (4, 5, 6, 7, 9), 4: (8,), 5: (4, 5, 6, 7)}

Answer = tuple[int, Any]
Handler = Callable[..., Awaitable[Answer]]


@dataclass(frozen=True)
class Route:
    method: str
    template: str
    handler: Handler
    authorised: bool = True  # needs the bot's token

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"


class Rest:
    """Serves what `routes` lists."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self._world, self._gateway = world, gateway
        self.cdn_base = ""
        self.shards = 1
        self._nonces: dict[tuple[str, str], tuple[float, Message]] = {}

    def routes(self) -> list[Route]:
        me, channel = "/users/@me", "/channels/{channel_id}"
        message, guild = f"{channel}/messages/{{message_id}}", "/guilds/{guild_id}"
        hook = "/webhooks/{webhook_id}/{webhook_token}"
        commands = "/applications/{application_id}/commands"
        callback = "/interactions/{interaction_id}/{interaction_token}/callback"
        return [
            Route("GET", me, self.who_am_i),
            Route("GET", f"{me}/guilds", self.my_guilds),
            Route("POST", f"{me}/channels", self.open_dm),
            Route("GET", "/users/{user_id}", self.user),
            Route("GET", "/oauth2/applications/@me", self.my_application),
            Route("GET", "/applications/@me", self.my_application),
            Route("GET", "/gateway", self.gateway, authorised=False),
            Route("GET", "/gateway/bot", self.gateway_for_bots),
            Route("GET", commands, self.read_commands),
            Route("PUT", commands, self.write_commands),
            Route("GET", guild, self.guild),
            Route("GET", f"{guild}/channels", self.channels_of_guild),
            Route("GET", f"{guild}/roles", self.roles_of_guild),
            Route("GET", f"{guild}/members/{{user_id}}", self.member),
            Route("GET", channel, self.channel),
            Route("POST", f"{channel}/typing", self.typing),
            Route("PUT", f"{channel}/thread-members/@me", self.join_thread),
            Route("GET", f"{channel}/messages", self.messages),
            Route("POST", f"{channel}/messages", self.create_message),
            Route("GET", message, self.message),
            Route("PATCH", message, self.edit_message),
            Route("DELETE", message, self.delete_message),
            Route("POST", callback, self.callback, authorised=False),
            Route("POST", hook, self.follow_up, authorised=False),
            Route("GET", f"{hook}/messages/{{message_id}}", self.hook_message, authorised=False),
            Route("PATCH", f"{hook}/messages/{{message_id}}", self.hook_edit, authorised=False),
            Route("DELETE", f"{hook}/messages/{{message_id}}", self.hook_delete, authorised=False),
        ]

    # --- who and where ---

    async def who_am_i(self, call: Call) -> Answer:
        return 200, {**self._world.bot.json(), "mfa_enabled": False, "locale": "en-US", "verified": True}

    async def my_application(self, call: Call) -> Answer:
        world = self._world
        return 200, {
            "id": world.application,
            "name": "Zoetrope",
            "icon": None,
            "description": "",
            "type": None,
            "verify_key": "0" * 64,
            "flags": 0,
            "flags_new": "0",
            "bot_public": True,
            "bot_require_code_grant": False,
            "bot": world.bot.json(),
            "owner": next(iter(world.users.values())).json(),
            "team": None,
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "approximate_guild_count": len(world.guilds),
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "eligible_oauth2_scopes": [],
            "integration_types_config": {"0": {}, "1": {}},
            **world.portal,
        }

    async def gateway(self, call: Call) -> Answer:
        return 200, {"url": self._gateway.url}

    async def gateway_for_bots(self, call: Call) -> Answer:
        start = {"total": 1000, "remaining": 1000, "reset_after": 86_400_000, "max_concurrency": 1}
        return 200, {"url": self._gateway.url, "shards": self.shards, "session_start_limit": start}

    async def my_guilds(self, call: Call) -> Answer:
        mine = [guild for guild in self._world.guilds.values() if guild.has_bot]
        keys = ("id", "name", "icon", "banner", "features")
        return 200, [
            {
                **{key: guild.json()[key] for key in keys},
                "owner": False,
                "permissions": guild.json()["roles"][-1]["permissions"],
            }
            for guild in mine
        ]

    async def user(self, call: Call, user_id: str) -> Answer:
        return 200, self._user(user_id).json()

    async def open_dm(self, call: Call) -> Answer:
        return 200, self._world.dm_of(self._user(str(call.body["recipient_id"]))).json(self._world.bot)

    async def guild(self, call: Call, guild_id: str) -> Answer:
        return 200, self._guild(guild_id).json()

    async def channels_of_guild(self, call: Call, guild_id: str) -> Answer:
        guild = self._guild(guild_id)
        inside = [one for one in self._world.channels.values() if one.guild is guild and not one.is_thread]
        return 200, [one.json(self._world.bot) for one in inside if not one.gone]

    async def roles_of_guild(self, call: Call, guild_id: str) -> Answer:
        return 200, [role.json() for role in self._guild(guild_id).roles]

    async def member(self, call: Call, guild_id: str, user_id: str) -> Answer:
        guild, user = self._guild(guild_id), self._user(user_id)
        if user.id not in guild.members:
            raise ApiError(404, 10007, "Unknown Member")
        return 200, guild.member(user)

    async def channel(self, call: Call, channel_id: str) -> Answer:
        return 200, self._channel(channel_id).json(self._world.bot)

    async def typing(self, call: Call, channel_id: str) -> Answer:
        self._need(self._channel(channel_id), "send_messages")
        return 204, None

    async def join_thread(self, call: Call, channel_id: str) -> Answer:
        self._channel(channel_id)
        return 204, None

    # --- commands ---

    async def read_commands(self, call: Call, application_id: str) -> Answer:
        return 200, self._world.commands

    async def write_commands(self, call: Call, application_id: str) -> Answer:
        """The whole list at once; a command keeps its id as long as it keeps its name and type."""
        known = {(one["name"], one["type"]): one["id"] for one in self._world.commands}
        made = []
        for number, command in enumerate(call.body or []):
            kind = command.get("type") or 1
            if kind == 1 and (wrong := _wrong_name(command)):
                raise invalid_form(f"{number}.{wrong}", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
            if kind == 1 and not command.get("description"):
                raise invalid_form(f"{number}.description", "BASE_TYPE_REQUIRED", "This field is required")
            made.append(self._command(command, kind, known.get((command["name"], kind)) or self._world.new_id()))
        if len({(one["name"], one["type"]) for one in made}) < len(made):
            raise invalid_form(
                "name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique"
            )
        self._world.commands = made
        return 200, made

    def _command(self, asked: Json, kind: int, key: str) -> Json:
        limit = asked.get("default_member_permissions")
        return {
            **asked,
            "integration_types": asked.get("integration_types") or [0],
            "id": key,
            "type": kind,
            "application_id": self._world.application,
            "version": self._world.new_id(),
            "description": asked.get("description") or "",
            "default_member_permissions": None if limit is None else str(limit),
        }

    # --- messages with the bot's token ---

    async def messages(self, call: Call, channel_id: str) -> Answer:
        channel = self._channel(channel_id)
        self._need(channel, "read_message_history")
        seen = [one for one in self._world.messages_in(channel) if not one.ephemeral]
        limit = int(call.query.get("limit", 50))
        return 200, [one.json() for one in reversed(seen[-limit:])]

    async def create_message(self, call: Call, channel_id: str) -> Answer:
        channel, body = self._channel(channel_id), call.body
        self._may_post(channel, call)
        nonce = body.get("nonce")
        if body.get("enforce_nonce") and nonce is not None:
            at, earlier = self._nonces.get((channel.id, str(nonce)), (0.0, None))
            if earlier is not None and self._world.clock() - at < NONCE_SECONDS and not earlier.deleted:
                return 200, earlier.json()
        message = self._blank(channel, (body.get("flags") or 0) & ~(EPHEMERAL | LOADING))
        message.reply_to, message.nonce = self._replied(channel, body.get("message_reference")), nonce
        self._write(message, call, self._limit(channel))
        if channel.archived:
            channel.archived = False
            await self._gateway.channel_changed(channel)
        self._rings(message, body)
        await self._post(message)
        if nonce is not None:
            self._nonces[channel.id, str(nonce)] = (self._world.clock(), message)
        return 200, message.json()

    async def message(self, call: Call, channel_id: str, message_id: str) -> Answer:
        channel = self._channel(channel_id)
        self._need(channel, "read_message_history")
        return 200, self._message(channel, message_id).json()

    async def edit_message(self, call: Call, channel_id: str, message_id: str) -> Answer:
        channel = self._channel(channel_id)
        message = self._message(channel, message_id)
        if message.author is not self._world.bot:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
        if channel.archived:
            raise ApiError(400, 50083, "Thread is archived")
        if call.files:
            self._need(channel, "attach_files")
        if call.body.get("embeds"):
            self._need(channel, "embed_links")
        self._not_too_often(message)
        self._write(message, call, self._limit(channel))
        await self._edited(message)
        return 200, message.json()

    async def delete_message(self, call: Call, channel_id: str, message_id: str) -> Answer:
        channel = self._channel(channel_id)
        message = self._message(channel, message_id)
        if message.author is not self._world.bot:
            self._need(channel, "manage_messages")
        await self.remove(message)
        return 204, None

    async def remove(self, message: Message) -> None:
        """However it came about: everybody hears of it."""
        message.deleted = True
        guild = {"guild_id": message.channel.guild.id} if message.channel.guild else {}
        data = {"id": message.id, "channel_id": message.channel.id, **guild}
        await self._gateway.dispatch("MESSAGE_DELETE", data, message.channel, self._intent(message))

    # --- interactions ---

    async def callback(self, call: Call, interaction_id: str, interaction_token: str) -> Answer:
        now = self._world.clock()
        act = self._world.interactions.get(interaction_token)
        if act is None or act.id != interaction_id:
            raise ApiError(404, 10062, "Unknown interaction")
        if act.acked_at is not None:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        if now - act.made_at > ACK_SECONDS:
            act.late = True
            raise ApiError(404, 10062, "Unknown interaction")
        kind = call.body["type"]
        allowed = ALLOWED_ACKS[act.type]
        if kind not in allowed or (act.type == 5 and act.message is None and kind in (6, 7)):
            raise invalid_form("type", "INTERACTION_CALLBACK_TYPE_INVALID", f"{kind} does not answer type {act.type}")
        await self._acknowledge(act, kind, call)
        act.acked_at, act.answer_type = now, kind
        act.acknowledged.set()
        if kind != 5:
            act.answered.set()
        return (200, _callback_answer(act)) if call.query.get("with_response") in ("1", "true") else (204, None)

    async def _acknowledge(self, act: Interaction, kind: int, call: Call) -> None:
        data = call.body.get("data") or {}
        if kind in (4, 5):
            act.original = await self._answer(act, kind, call, data)
        elif kind == 7:
            assert act.message is not None
            self._write(act.message, _with_body(call, data), act.payload["attachment_size_limit"])
            await self._edited(act.message)
            act.original = act.message
        elif kind == 6:
            act.original = act.message
        elif kind == 8:
            act.choices = data.get("choices") or []
        else:
            act.modal = data

    async def _answer(self, act: Interaction, kind: int, call: Call, data: Json) -> Message:
        hidden = EPHEMERAL if act.hides else 0
        message = self._blank(act.channel, (data.get("flags") or 0) & (EPHEMERAL | COMPONENTS_V2) | hidden)
        message.interaction = act
        if kind == 5:
            message.flags = message.flags & EPHEMERAL | LOADING
        else:
            self._write(message, _with_body(call, data), act.payload["attachment_size_limit"])
            self._rings(message, data)
        await self._post(message)
        return message

    async def follow_up(self, call: Call, webhook_id: str, webhook_token: str) -> Answer:
        act = self._hook(webhook_id, webhook_token)
        if act.original is not None and act.original.loading:
            return 200, await self._fill(act, act.original, call)
        if act.foreign and len(act.followups) >= FOREIGN_FOLLOWUPS:
            raise ApiError(400, 40094, "This interaction has hit the maximum number of follow up messages")
        hidden = EPHEMERAL if act.hides else 0
        message = self._blank(act.channel, (call.body.get("flags") or 0) & (EPHEMERAL | COMPONENTS_V2) | hidden)
        message.interaction = act
        self._write(message, call, act.payload["attachment_size_limit"])
        self._rings(message, call.body)
        act.followups.append(message)
        await self._post(message)
        act.followed_up.set()
        return 200, message.json()

    async def hook_message(self, call: Call, webhook_id: str, webhook_token: str, message_id: str) -> Answer:
        return 200, self._hook_message(self._hook(webhook_id, webhook_token), message_id).json()

    async def hook_edit(self, call: Call, webhook_id: str, webhook_token: str, message_id: str) -> Answer:
        act = self._hook(webhook_id, webhook_token)
        return 200, await self._fill(act, self._hook_message(act, message_id), call)

    async def hook_delete(self, call: Call, webhook_id: str, webhook_token: str, message_id: str) -> Answer:
        await self.remove(self._hook_message(self._hook(webhook_id, webhook_token), message_id))
        return 204, None

    async def _fill(self, act: Interaction, message: Message, call: Call) -> Json:
        was_loading = message.loading
        self._write(message, call, act.payload["attachment_size_limit"])
        message.flags &= ~LOADING
        if was_loading:
            self._rings(message, call.body)
        await self._edited(message)
        act.answered.set()
        return message.json()

    def _hook(self, webhook_id: str, token: str) -> Interaction:
        act = self._world.interactions.get(token)
        if act is None or webhook_id != self._world.application:
            raise ApiError(404, 10015, "Unknown Webhook")
        if self._world.clock() - act.made_at > TOKEN_SECONDS:
            raise ApiError(401, 50027, "Invalid Webhook Token")
        if act.acked_at is None:
            raise ApiError(404, 10015, "Unknown Webhook")
        return act

    def _hook_message(self, act: Interaction, message_id: str) -> Message:
        mine = [one for one in (act.original, *act.followups) if one is not None and not one.deleted]
        if message_id == "@original":
            if act.original in mine and act.original is not None:
                return act.original
        elif found := [one for one in mine if one.id == message_id]:
            return found[0]
        raise ApiError(404, 10008, "Unknown Message")

    # --- what they share ---

    def _user(self, key: str) -> User:
        if key not in self._world.users:
            raise ApiError(404, 10013, "Unknown User")
        return self._world.users[key]

    def _guild(self, key: str) -> Guild:
        guild = self._world.guilds.get(key)
        if guild is None or not guild.has_bot:
            raise ApiError(404, 10004, "Unknown Guild")
        return guild

    def _channel(self, key: str) -> Channel:
        """A channel that the bot can see."""
        channel = self._world.channels.get(key)
        if channel is None or channel.gone:
            raise ApiError(404, 10003, "Unknown Channel")
        if not channel.permissions(self._world.bot) & bits("view_channel"):
            raise ApiError(403, 50001, "Missing Access")
        return channel

    def _need(self, channel: Channel, permission: str) -> None:
        if not channel.permissions(self._world.bot) & bits(permission):
            raise ApiError(403, 50013, "Missing Permissions")

    def _may_post(self, channel: Channel, call: Call) -> None:
        if channel.type == FORUM:
            raise ApiError(400, 50008, "Cannot send messages in a non-text channel")
        if any(not user.takes_dms for user in channel.recipients):
            raise ApiError(403, 50007, "Cannot send messages to this user")
        self._need(channel, "send_messages_in_threads" if channel.is_thread else "send_messages")
        if call.files:
            self._need(channel, "attach_files")
        if call.body.get("embeds"):
            self._need(channel, "embed_links")
        if call.body.get("message_reference"):
            self._need(channel, "read_message_history")
        if channel.locked:
            raise ApiError(400, 50083, "Thread is archived")

    def _message(self, channel: Channel, key: str) -> Message:
        message = self._world.messages.get(key)
        if message is None or message.deleted or message.ephemeral or message.channel is not channel:
            raise ApiError(404, 10008, "Unknown Message")
        return message

    def _replied(self, channel: Channel, reference: Json | None) -> Message | None:
        if not reference:
            return None
        message = self._world.messages.get(str(reference["message_id"]))
        if message is not None and not message.deleted and not message.ephemeral and message.channel is channel:
            return message
        if reference.get("fail_if_not_exists", True):
            raise invalid_form("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        return None

    def _not_too_often(self, message: Message) -> None:
        now = self._world.clock()
        recent = [at for at in message.edits if now - at < HOUR]
        if now - message.made_at > HOUR and len(recent) >= self._world.old_edits:
            words = "Maximum number of edits to messages older than 1 hour reached. Try again later"
            raise ApiError(429, 30046, words, retry_after=0.05)
        message.edits = [*recent, now] if now - message.made_at > HOUR else []

    def _limit(self, channel: Channel) -> int:
        return channel.guild.upload_bytes if channel.guild else 10 * MIB

    def _blank(self, channel: Channel, flags: int) -> Message:
        return Message(self._world.new_id(), channel, self._world.bot, self._world.clock(), flags=flags)

    def _write(self, message: Message, call: Call, limit: int) -> None:
        """Put what a request says on a message, all of it or nothing."""

        def keep(filename: str, content: bytes, facts: Json) -> Attachment:
            key = self._world.new_id()
            url = f"{self.cdn_base}/attachments/{message.channel.id}/{key}/{filename}?ex=0&is=0&hm=0"
            spoiler = bool(facts.get("is_spoiler")) or filename.startswith("SPOILER_")
            return Attachment(key, filename, content, url, type_of(filename), facts.get("description"), spoiler)

        draft = Draft.of(message)
        taken = limit if self._world.upload_limit is None else self._world.upload_limit
        draft.take(call.body, call.files, Upload(taken, keep))
        self._world.problems += [f"{call.route}: nothing shows the file {name}." for name in draft.hidden_files()]
        if message.id in self._world.messages:
            message.versions.append(message.json())
        draft.put_on(message)

    def _rings(self, message: Message, body: Json) -> None:
        """Only a new message rings anybody."""
        replied = message.reply_to.author if message.reply_to is not None else None
        text = "\n".join([message.content, *(part.get("content") or "" for part in message.parts())])
        message.pings = pinged(text, body.get("allowed_mentions"), replied)

    async def _post(self, message: Message) -> None:
        self._world.messages[message.id] = message
        if not message.ephemeral:
            await self._gateway.dispatch("MESSAGE_CREATE", self._event(message), message.channel, self._intent(message))

    async def _edited(self, message: Message) -> None:
        message.edited_at = self._world.clock()
        if not message.ephemeral:
            await self._gateway.dispatch("MESSAGE_UPDATE", self._event(message), message.channel, self._intent(message))

    def _event(self, message: Message) -> Json:
        guild = message.channel.guild
        return {**message.json(), **({"guild_id": guild.id} if guild else {})}

    def _intent(self, message: Message) -> int:
        return GUILD_MESSAGES if message.channel.guild else DIRECT_MESSAGES


def _with_body(call: Call, data: Json) -> Call:
    """The message inside a callback, as if it had come alone."""
    return Call(call.method, call.path, call.template, call.query, data, call.files, call.at)


def _wrong_name(node: Json) -> str:
    """Where a command, or an option of it, has a name in some language that Discord does not take; or nothing."""
    for name in (node["name"], *(node.get("name_localizations") or {}).values()):
        if not COMMAND_NAME.fullmatch(name) or name != name.lower():
            return f"name ({name})"
    inner = ((option, _wrong_name(option)) for option in node.get("options") or [])
    return next((f"options.{option['name']}.{wrong}" for option, wrong in inner if wrong), "")


def _callback_answer(act: Interaction) -> Json:
    said: Json = {"id": act.id, "type": act.type}
    answer: Json = {"interaction": said}
    if act.original is not None:
        said["response_message_id"] = act.original.id
        said["response_message_loading"] = act.original.loading
        said["response_message_ephemeral"] = act.original.ephemeral
        if act.answer_type in (4, 7):
            answer["resource"] = {"type": act.answer_type, "message": act.original.json()}
    return answer
