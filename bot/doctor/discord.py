"""What Discord says about the token, the application, its commands, and how to invite the bot."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any, cast

import discord

from bot import menu
from bot.doctor.discord_channel import look_at_channel
from bot.port import SurfaceError
from bot.surfaces.discord import endpoints, slash
from bot.surfaces.discord.desk import Desk
from bot.surfaces.discord.gateway import INTENTS
from bot.surfaces.discord.troubles import translated
from db.config import Config, Secrets
from db.records import Finding

PATIENCE = 30.0  # seconds for one question
PORTAL = "the developer portal (https://discord.com/developers/applications)"
WANTED = discord.Permissions(
    view_channel=True, send_messages=True, send_messages_in_threads=True, attach_files=True, read_message_history=True
)
USER_INSTALL = "https://discord.com/oauth2/authorize?client_id={id}&integration_type=1&scope=applications.commands"
PRIVILEGED = {
    "Presence": ("gateway_presence", "gateway_presence_limited"),
    "Server Members": ("gateway_guild_members", "gateway_guild_members_limited"),
    "Message Content": ("gateway_message_content", "gateway_message_content_limited"),
}

Look = Callable[[], Awaitable[Finding]]
Json = Mapping[str, Any]


async def look_at_discord(config: Config, secrets: Secrets, channel: str = "") -> AsyncIterator[Finding]:
    """One finding after the other; without a token that works there is only one."""
    if secrets.discord_token is None:
        yield Finding("Discord token", False, f"there is none: {_way_to_a_token()}.")
        return
    logging.getLogger("discord").setLevel(logging.CRITICAL)  # what it would say is said here in a sentence
    endpoints.use(config.discord)
    async with discord.Client(intents=INTENTS, max_ratelimit_timeout=PATIENCE) as client:
        of_token = await _asked("Discord token", config, lambda: _log_in(client, secrets))
        yield of_token
        if not of_token.well:
            return
        for thing, look in _looks(client, config, channel):
            yield await _asked(thing, config, look)


def _looks(client: discord.Client, config: Config, channel: str) -> Iterable[tuple[str, Look]]:
    application = client.application
    assert application is not None, "known since the login"
    yield "Discord application", lambda: _said(look_at_application(application))
    yield "Discord intents", lambda: _said(look_at_intents(application))
    yield "Discord installing", lambda: _said(look_at_installing(application))
    yield "Discord gateway", lambda: _look_at_gateway(client)
    yield "Discord commands", lambda: _look_at_commands(client, config)
    yield "Discord invite", lambda: _said(invitation(application))
    if channel:
        yield "Discord channel", lambda: look_at_channel(client, channel, invite_link(application.id))


async def _said(finding: Finding) -> Finding:
    return finding


async def _asked(thing: str, config: Config, look: Look) -> Finding:
    """What a look finds; a Discord that does not answer is a finding as well."""
    try:
        with translated():
            async with asyncio.timeout(PATIENCE):
                return await look()
    except discord.LoginFailure:
        return Finding(thing, False, f"Discord does not take it: {_way_to_a_token()}.")
    except (SurfaceError, discord.DiscordException) as error:
        where = config.discord.api_base
        return Finding(thing, False, f"{where} gave no answer that could be used ({_why(error)}): try again.")


def _why(error: Exception) -> str:
    """The platform's number or the kind of trouble; nothing of what was asked."""
    cause = error.__cause__
    if isinstance(cause, discord.HTTPException):
        return f"status {cause.status}, code {cause.code}"
    return type(cause or error).__name__


def _way_to_a_token() -> str:
    return (
        f"press Reset Token on the page Bot of {PORTAL} and put it into ZOETROPE_DISCORD_TOKEN "
        "or the token_file under [discord]"
    )


async def _log_in(client: discord.Client, secrets: Secrets) -> Finding:
    assert secrets.discord_token is not None
    await client.login(secrets.discord_token.get_secret_value())
    assert client.application is not None
    return Finding(
        "Discord token", True, f"it is that of {client.application.name} (application {client.application.id})."
    )


# --- the application, as the developer portal has it ---


def look_at_application(application: discord.AppInfo) -> Finding:
    """Whether commands come to the gateway, and whether an invite link can work."""
    if application.interactions_endpoint_url:
        return Finding(
            "Discord application",
            False,
            "its commands are sent to an Interactions Endpoint URL and never arrive here: "
            f"empty that field on the page General Information of {PORTAL}.",
        )
    if application.bot_require_code_grant:
        return Finding(
            "Discord application",
            False,
            f"it can't be invited by a link: switch Requires OAuth2 Code Grant off on the page Bot of {PORTAL}.",
        )
    who = "everybody" if application.bot_public else "only its owner"
    return Finding("Discord application", True, f"its commands come here, and {who} may invite it.")


def look_at_intents(application: discord.AppInfo) -> Finding:
    flags = application.flags
    switched = [name for name, fields in PRIVILEGED.items() if any(getattr(flags, field) for field in fields)]
    if not switched:
        return Finding("Discord intents", True, "no privileged one is switched on, and none is needed.")
    named = ", ".join(switched)
    return Finding("Discord intents", True, f"switched on and not needed: {named}; Zoetrope asks for none of them.")


def look_at_installing(application: discord.AppInfo) -> Finding:
    """Who can add the application: servers, and people for themselves."""
    if application.guild_integration_config is None:
        return Finding(
            "Discord installing",
            False,
            f"no server can add it: tick Guild Install on the page Installation of {PORTAL}.",
        )
    if application.user_integration_config is None:
        return Finding(
            "Discord installing",
            True,
            "servers can add it, people for themselves can't until User Install is ticked on the page Installation.",
        )
    own = USER_INSTALL.format(id=application.id)
    return Finding("Discord installing", True, f"servers can add it, and people for themselves with {own}")


def invitation(application: discord.AppInfo) -> Finding:
    count = application.approximate_guild_count
    now = f"it is on {count} server{'s' if count != 1 else ''}"
    return Finding("Discord invite", True, f"{now}; add it to one with {invite_link(application.id)}")


def invite_link(application_id: int) -> str:
    """Where somebody who manages a server adds the bot to it, with the permissions that cards need."""
    return discord.utils.oauth_url(application_id, permissions=WANTED, scopes=("bot", "applications.commands"))


# --- what only asking tells ---


async def _look_at_gateway(client: discord.Client) -> Finding:
    shards, _, starts = await client.http.get_bot_gateway()
    left, total = starts["remaining"], starts["total"]
    if not left:
        hours = starts["reset_after"] / 3_600_000
        return Finding(
            "Discord gateway", False, f"all {total} starts of a day are used up: wait {hours:.1f} h, and start less."
        )
    return Finding("Discord gateway", True, f"{shards} shard(s) serve it, {left} of {total} starts are left today.")


async def _look_at_commands(client: discord.Client, config: Config) -> Finding:
    """Whether Discord knows the commands of the menu; the bot tells it when they differ from what it told last."""
    tree = _commands(client, config)
    told_last = await asyncio.to_thread(slash.remembered, config.data.folder / slash.MEMORY)
    told = await slash.mark_of(tree) == told_last
    assert client.application_id is not None
    known = await client.http.get_global_commands(client.application_id)
    return compare([dict(each) for each in known], await tree.payload(), config, told=told)


def _commands(client: discord.Client, config: Config) -> slash.Tree:
    """As the bot registers them. Nobody takes them here: there is nothing but to look at what they are."""
    nobody = cast("Desk", None)
    return slash.Tree(client, nobody, menu.commands(config.limits), config.limits.prompt_chars)


def compare(known: Iterable[Json], wanted: Iterable[Json], config: Config, *, told: bool) -> Finding:
    """`known` by Discord, `wanted` by the menu; `told`: whether the bot believes that Discord knows these."""
    there, ours = _by_name(known), _by_name(wanted)
    if there == ours:
        return Finding("Discord commands", True, f"Discord knows all {len(ours)}, and nothing else.")
    same = sum(there.get(name) == command for name, command in ours.items())
    if not told:
        return Finding(
            "Discord commands", True, f"Discord knows {same} of {len(ours)}; the next start tells it about all."
        )
    memory = config.data.folder / slash.MEMORY
    return Finding(
        "Discord commands",
        False,
        f"Discord has others than it was told ({_difference(there, ours)}): stop whatever else uses this token, "
        f"remove {memory}, and start again.",
    )


def _difference(there: Json, ours: Json) -> str:
    missing = [f"no {name}" for name in ours if name not in there]
    changed = [f"another {name}" for name, command in ours.items() if name in there and there[name] != command]
    strange = [f"a strange {name}" for name in there if name not in ours]
    return ", ".join(missing + changed + strange)


def _by_name(commands: Iterable[Json]) -> dict[str, Json]:
    return {f"{'/' if each.get('type', 1) == 1 else ''}{each['name']}": _plain(each) for each in commands}


def _plain(part: Json) -> Json:
    """A command or an option without what Discord adds or leaves out: ids, and what is as usual."""
    names = ("type", "name", "description", "required", "autocomplete", "nsfw")
    bounds = ("min_value", "max_value", "min_length", "max_length")
    limit = part.get("default_member_permissions")
    found = {
        **{name: part.get(name) or None for name in names},
        **{name: part.get(name) for name in bounds},
        "default_member_permissions": None if limit is None else str(limit),
        "contexts": sorted(part.get("contexts") or ()),
        "integration_types": sorted(part.get("integration_types") or ()),
        "choices": [(choice["name"], choice["value"]) for choice in part.get("choices") or ()],
        "options": [_plain(option) for option in part.get("options") or ()],
    }
    return {name: value for name, value in found.items() if value not in (None, [])}
