"""What people do in a Discord client, and what the platform makes of it: commands, buttons, modals, moderation.

A person can do only what the client would offer them: commands that are registered for that context, options within
their limits, buttons that are there and not disabled. Anything else raises `CannotDo`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from tests.surfaces.discord_server.gateway import GUILDS, Gateway
from tests.surfaces.discord_server.rest import Rest
from tests.surfaces.discord_server.state import World
from tests.surfaces.discord_server.world import (
    DM,
    MIB,
    PATIENCE,
    Channel,
    Clock,
    Guild,
    Interaction,
    Json,
    Message,
    Role,
    User,
    bits,
)

STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, NUMBER = 3, 4, 5, 6, 7, 8, 10
# What an app may where it is no member: in conversations of people, and in servers that somebody brought it to.
VISITOR = bits("attach_files", "embed_links", "mention_everyone")


class CannotDo(AssertionError):  # a test that tries this is wrong, or the bot offers too little
    """The client would not let a person do that."""


class People(World):
    """The world with people acting in it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.gateway = Gateway(self)
        self.rest = Rest(self, self.gateway)
        self.announced_limit: int | None = None  # `attachment_size_limit`, if it is not the true one
        self.untold: set[str] = set()  # what interactions leave out

    # --- acting ---

    async def invoke(
        self, command: str, options: Mapping[str, Any] | None = None, *, user: User, channel: Channel
    ) -> Interaction:
        """A slash command, "group sub" for one inside another; returns as soon as it is acknowledged.

        `await act.card()` waits on for the message where the bot only said that it thinks.
        """
        data = self._command_data(command, options or {}, user, channel)
        return await self._act(2, data, user, channel)

    async def invoke_on(self, command: str, message: Message, *, user: User) -> Interaction:
        """A command of the context menu of a message."""
        known = self._registered(command, 3, user, message.channel)
        data = {"id": known["id"], "name": known["name"], "type": 3, "target_id": message.id}
        resolved = {"messages": {message.id: message.json()}}
        return await self._act(2, {**data, "resolved": resolved}, user, message.channel)

    async def autocomplete(
        self, command: str, option: str, typed: str, *, user: User, channel: Channel, **others: Any
    ) -> list[str]:
        """The names that are offered while somebody types in an option."""
        data = self._command_data(command, others, user, channel, partial=True)
        leaf = data["options"] if " " not in command else data["options"][0]["options"]
        leaf.append({"name": option, "type": STRING, "value": typed, "focused": True})
        act = await self._act(4, data, user, channel)
        return [choice["name"] for choice in act.choices or []]

    async def click(
        self, message: Message, button: str, *, user: User | None = None, values: list[str] | None = None
    ) -> Interaction:
        """A button, by its label or its custom_id; with `values`, a menu by its custom_id."""
        visitor = user or self._whose(message)
        if message.deleted or (message.ephemeral and visitor is not self._whose(message)):
            raise CannotDo(f"{visitor.username} does not see that message")
        parts = [part for part in message.parts() if button in (part.get("custom_id"), part.get("label"))]
        if not parts or not parts[0].get("custom_id") or parts[0].get("disabled"):
            offered = [part.get("label") for part in message.parts() if part["type"] == 2]
            raise CannotDo(f"there is no {button!r} to press, only {offered}")
        data = {"custom_id": parts[0]["custom_id"], "component_type": parts[0]["type"], "id": parts[0]["id"]}
        if values is not None:
            data["values"] = values
        return await self._act(3, data, visitor, message.channel, message)

    async def submit(self, act: Interaction, values: Mapping[str, str]) -> Interaction:
        """Fill in the modal that came and send it; fields by custom_id or label, the others stay as prefilled."""
        if act.modal is None:
            raise CannotDo("no modal is open")
        left = dict(values)
        components = [_filled(part, left) for part in act.modal["components"]]
        if left:
            raise CannotDo(f"the modal has no field {sorted(left)}")
        data = {"custom_id": act.modal["custom_id"], "components": components}
        return await self._act(5, data, act.user, act.channel, act.message, act)

    async def say(self, content: str, *, user: User, channel: Channel) -> Message:
        """An ordinary message of a person."""
        message = Message(self.new_id(), channel, user, self.clock(), content)
        self.messages[message.id] = message
        return message

    # --- moderating ---

    async def delete(self, message: Message) -> None:
        """Somebody with the right to do so deletes a message."""
        await self.rest.remove(message)

    async def take_away(self, channel: Channel, *permissions: str) -> None:
        """The bot may no longer do that in a channel; for a thread it is decided above it."""
        place = channel.parent if channel.is_thread and channel.parent else channel
        place.denied[self.bot.id] = place.denied.get(self.bot.id, 0) | bits(*permissions)
        await self.gateway.channel_changed(place)

    async def give_back(self, channel: Channel) -> None:
        """Undo all of that."""
        place = channel.parent if channel.is_thread and channel.parent else channel
        place.denied.pop(self.bot.id, None)
        await self.gateway.channel_changed(place)

    async def forbid_apps(self, channel: Channel) -> None:
        """What people brought along speaks to them alone here."""
        assert channel.guild is not None
        channel.denied[channel.guild.id] = channel.denied.get(channel.guild.id, 0) | bits("use_external_apps")
        await self.gateway.channel_changed(channel)

    async def archive(self, thread: Channel, *, locked: bool = False) -> None:
        thread.archived, thread.locked = True, locked
        await self.gateway.channel_changed(thread)

    async def delete_channel(self, channel: Channel) -> None:
        channel.gone = True
        event = "THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE"
        await self.gateway.dispatch(event, channel.json(self.bot), channel, GUILDS)

    async def throw_out(self, guild: Guild) -> None:
        """The bot is removed from a server."""
        guild.has_bot = False
        guild.members.pop(self.bot.id, None)
        await self.gateway.dispatch("GUILD_DELETE", {"id": guild.id}, guild, GUILDS)

    async def invite(self, guild: Guild) -> None:
        """The bot comes (back) into a server."""
        guild.has_bot = True
        guild.members[self.bot.id] = [role for role in guild.roles if role.managed]
        await self.gateway.dispatch("GUILD_CREATE", self.gateway.guild_json(guild), guild, GUILDS)

    # --- how an act becomes an event ---

    async def _act(
        self,
        kind: int,
        data: Json,
        user: User,
        channel: Channel,
        message: Message | None = None,
        asked_by: Interaction | None = None,
    ) -> Interaction:
        key = self.new_id()
        act = Interaction(
            id=key,
            token=f"aW50ZXJhY3Rpb24{key}",
            type=kind,
            user=user,
            channel=channel,
            application=self.application,
            made_at=self.clock(),
            payload={},
            message=message,
            asked_by=asked_by,
            owners=_owners(user, channel),
        )
        guild = channel.guild
        act.foreign = not (guild.has_bot if guild else self.bot in channel.recipients)
        if guild is not None and act.foreign:
            act.hides = not channel.permissions(user) & bits("use_external_apps")
        act.payload = self._payload(act, data)
        self.interactions[act.token] = act
        await self.gateway.dispatch("INTERACTION_CREATE", act.payload, None if act.foreign else channel)
        async with asyncio.timeout(PATIENCE):
            await act.acknowledged.wait()
        return act

    def _payload(self, act: Interaction, data: Json) -> Json:
        guild, channel, user = act.channel.guild, act.channel, act.user
        placed = {**channel.json(user), "permissions": str(channel.permissions(user))}
        limit = max(10 * MIB, guild.upload_bytes if guild else 0)
        payload: Json = {
            "version": 1,
            "id": act.id,
            "application_id": act.application,
            "type": act.type,
            "token": act.token,
            "data": data,
            "channel": placed,
            "channel_id": channel.id,
            "locale": user.locale,
            "entitlements": [],
            "authorizing_integration_owners": act.owners,
            "context": _context(self.bot, channel),
            "attachment_size_limit": limit if self.announced_limit is None else self.announced_limit,
            "app_permissions": str(VISITOR if guild is None or act.foreign else channel.permissions(self.bot)),
        }
        if guild is not None:
            member = {**guild.member(user), "permissions": str(channel.permissions(user))}
            place = {"id": guild.id, "locale": "en-US", "features": []}
            payload |= {"guild_id": guild.id, "guild": place, "guild_locale": "en-US", "member": member}
        else:
            payload["user"] = user.json()
        if act.message is not None:
            payload["message"] = act.message.json()
        return {name: value for name, value in payload.items() if name not in self.untold}

    def _whose(self, message: Message) -> User:
        if message.interaction is None:
            raise CannotDo("say who presses: the message answers nobody")
        return message.interaction.user

    # --- what the client offers ---

    def _registered(self, name: str, kind: int, user: User, channel: Channel) -> Json:
        found = [one for one in self.commands if one["name"] == name and one["type"] == kind]
        if not found:
            raise CannotDo(f"there is no command {name!r}, only {sorted(one['name'] for one in self.commands)}")
        (command,) = found
        contexts = command.get("contexts")
        if contexts is not None and _context(self.bot, channel) not in contexts:
            raise CannotDo(f"{name!r} is not offered in this kind of channel")
        if not self._reaches(command, user, channel):
            raise CannotDo(f"{user.username} has not installed the app, and it is not in this server")
        needed = int(command["default_member_permissions"] or 0)
        if channel.guild is not None and channel.permissions(user) & needed != needed:
            raise CannotDo(f"{name!r} is not offered to {user.username}")
        return command

    def _reaches(self, command: Json, user: User, channel: Channel) -> bool:
        """Whether the app is here: as a member, in somebody's account, or as the other side of the conversation."""
        if channel.type == DM and self.bot in channel.recipients:
            return True
        kinds = command["integration_types"]
        return bool(channel.guild and channel.guild.has_bot and 0 in kinds) or (user.installed and 1 in kinds)

    def _command_data(
        self, name: str, options: Mapping[str, Any], user: User, channel: Channel, *, partial: bool = False
    ) -> Json:
        root, *path = name.split()
        command = self._registered(root, 1, user, channel)
        leaf, wrap = command, []
        for step in path:
            inner = [one for one in leaf.get("options") or [] if one["name"] == step and one["type"] in (1, 2)]
            if not inner:
                raise CannotDo(f"there is no command {name!r}")
            leaf = inner[0]
            wrap.append(leaf)
        given, resolved = _options(leaf, options, partial=partial)
        for step in reversed(wrap):
            given = [{"name": step["name"], "type": step["type"], "options": given}]
        if channel.guild is not None and (named := resolved.get("users")):
            resolved["members"] = _members(channel, [self.users[key] for key in named])
        data: Json = {"id": command["id"], "name": command["name"], "type": 1, "options": given}
        return {**data, "resolved": resolved} if resolved else data


def _context(bot: User, channel: Channel) -> int:
    if channel.guild is not None:
        return 0
    return 1 if bot in channel.recipients and channel.type == DM else 2


def _owners(user: User, channel: Channel) -> Json:
    owners: Json = {}
    if channel.guild is not None and channel.guild.has_bot:
        owners["0"] = channel.guild.id
    if user.installed:
        owners["1"] = user.id
    return owners or {"0": "0"}


def _options(leaf: Json, given: Mapping[str, Any], *, partial: bool) -> tuple[list[Json], Json]:
    """The options as they are sent, in the order of registration, and what they name."""
    known = {one["name"]: one for one in leaf.get("options") or []}
    if strange := set(given) - set(known):
        raise CannotDo(f"{leaf['name']!r} has no option {sorted(strange)}, only {sorted(known)}")
    if missing := [name for name, one in known.items() if one.get("required") and name not in given and not partial]:
        raise CannotDo(f"{leaf['name']!r} needs {missing}")
    sent: list[Json] = []
    resolved: Json = {}
    for name, option in known.items():
        if name in given:
            sent.append({"name": name, "type": option["type"], "value": _value(option, given[name], resolved)})
    return sent, resolved


def _value(option: Json, value: Any, resolved: Json) -> Any:
    """One value, if the client would let a person send it."""
    name, kind = option["name"], option["type"]
    if isinstance(value, User | Channel | Role):
        group = {USER: "users", CHANNEL: "channels", ROLE: "roles"}[kind]
        resolved.setdefault(group, {})[value.id] = _named(value)
        return value.id
    if type(value) not in {STRING: (str,), INTEGER: (int,), BOOLEAN: (bool,), NUMBER: (int, float)}[kind]:
        raise CannotDo(f"the option {name!r} does not take {value!r}")
    choices = [choice["value"] for choice in option.get("choices") or []]
    if choices and value not in choices:
        raise CannotDo(f"the option {name!r} offers {choices}")
    size = len(value) if isinstance(value, str) else value
    low, high = ("min_length", "max_length") if kind == STRING else ("min_value", "max_value")
    if option.get(low) is not None and size < option[low]:
        raise CannotDo(f"the option {name!r} takes {option[low]} at least")
    if option.get(high) is not None and size > option[high]:
        raise CannotDo(f"the option {name!r} takes {option[high]} at most")
    return value


def _members(channel: Channel, named: list[User]) -> Json:
    """Those of the people whom an option names that are in the server, as `resolved` carries them."""
    guild = channel.guild
    assert guild is not None
    lacks = {"user", "deaf", "mute"}
    return {
        user.id: {
            **{key: value for key, value in guild.member(user).items() if key not in lacks},
            "permissions": str(channel.permissions(user)),
        }
        for user in named
        if user.id in guild.members
    }


def _named(value: User | Channel | Role) -> Json:
    """What an option names, as `resolved` carries it."""
    if isinstance(value, Channel):
        return {**value.json(User("0", "")), "permissions": "0"}
    return value.json()


def _filled(part: Json, values: dict[str, str], label: str = "") -> Json:
    """A component of a modal as it is sent back, with what was typed into it."""
    sent: Json = {"type": part["type"], "id": part.get("id", 0)}
    if part["type"] == 18:
        return {**sent, "component": _filled(part["component"], values, part["label"])}
    if part["type"] == 1:
        return {**sent, "components": [_filled(one, values) for one in part["components"]]}
    if part["type"] != 4:
        return sent
    name = next((key for key in (part["custom_id"], label, part.get("label")) if key in values), None)
    value = values.pop(name) if name is not None else part.get("value") or ""
    if (part.get("required", True) and not value) or len(value) > (part.get("max_length") or 4000):
        raise CannotDo(f"the field {part['custom_id']!r} does not take {value[:40]!r}")
    return {**sent, "custom_id": part["custom_id"], "value": value}
