"""The commands of bot/menu.py as Discord knows them: typed options with limits, choices and suggestions."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import logging
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice
from discord.http import Route

from bot import language
from bot.cards import asking
from bot.menu import Command, Option
from bot.surfaces.discord.callers import Interaction
from bot.surfaces.discord.desk import Desk

GROUP = "zoetrope"
MEMORY = "discord-commands.sha256"  # in the data folder
TEXT_CHARS = 6000  # the most that Discord takes in an option
DESCRIPTION_CHARS = 100
DESCRIPTIONS = {
    app_commands.TranslationContextLocation.command_description,
    app_commands.TranslationContextLocation.group_description,
    app_commands.TranslationContextLocation.parameter_description,
}
EVERYWHERE = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
ANYBODY = app_commands.AppInstallationType(guild=True, user=True)
MANAGERS = discord.Permissions(manage_guild=True)

Suggester = Callable[[Interaction, str], Coroutine[Any, Any, list[Choice[str]]]]

log = logging.getLogger(__name__)


class Tree(app_commands.CommandTree[Any]):
    """The registered commands of one client. The desk is asked for nothing before somebody gives one: the doctor, who
    only compares commands, has none."""

    def __init__(self, client: discord.Client, desk: Desk, commands: Iterable[Command], prompt_chars: int) -> None:
        super().__init__(client)
        self._desk = desk
        group = app_commands.Group(
            name=GROUP,
            description=asking.MODERATORS,
            default_permissions=MANAGERS,
            allowed_contexts=app_commands.AppCommandContext(guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True),
        )
        for command in commands:
            made = _made(command, desk, min(prompt_chars, TEXT_CHARS))
            (group if command.moderators else self).add_command(made)
        self.add_command(group)
        self.add_command(_of_messages(asking.CLIP_FROM_TEXT, lambda *pointed: desk.pointed_at(*pointed)))
        self.add_command(_of_messages(asking.REPORT_CLIP, lambda *pointed: desk.pointed_out(*pointed)))

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """A command that Discord knows otherwise than we do, or an old one; its words are not for the log."""
        log.warning("A command of Discord could not be taken (%s).", type(error).__name__)
        self._desk.not_understood(interaction)

    async def payload(self) -> list[dict[str, Any]]:
        """What Discord is told about the commands."""
        translator = self.translator
        assert translator is not None
        return [dict(await command.get_translated_payload(self, translator)) for command in self.get_commands()]


class Catalogues(app_commands.Translator):
    """The languages of bot/language.py. A description is a key there, and so is a name in the menu of a message.

    Names that are typed, and choices, are the same in every language: as words they may be keys of something else.
    """

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        in_a_menu = isinstance(context.data, app_commands.ContextMenu)
        if context.location not in DESCRIPTIONS and not in_a_menu:
            return None
        return language.catalogue(language.known(locale.value)).get(string.message)


async def sync(tree: Tree, memory: Path) -> bool:
    """Tell Discord about the commands, if they are not those it was told last (see `memory`). True: it was told."""
    mark = await mark_of(tree)
    if await asyncio.to_thread(remembered, memory) == mark:
        return False
    payload: Any = await tree.payload()
    assert tree.client.application_id is not None
    await tree.client.http.bulk_upsert_global_commands(tree.client.application_id, payload=payload)
    await asyncio.to_thread(memory.write_text, mark, "ascii")
    return True


async def mark_of(tree: Tree) -> str:
    """A short sign for all that is told about the commands of one application, and where."""
    await tree.set_translator(Catalogues())
    known = json.dumps([Route.BASE, tree.client.application_id, await tree.payload()], sort_keys=True)
    return hashlib.sha256(known.encode()).hexdigest()


def remembered(memory: Path) -> str:
    """The mark of what Discord was told last, or empty."""
    return memory.read_text(encoding="ascii") if memory.is_file() else ""


def _made(command: Command, desk: Desk, prompt_chars: int) -> app_commands.Command[Any, ..., None]:
    async def callback(interaction: Interaction, **given: Any) -> None:
        desk.given(interaction, command, {name: _said(value) for name, value in given.items() if value is not None})

    interaction = inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    options = [_parameter(option, prompt_chars) for option in command.options]
    callback.__signature__ = inspect.Signature([interaction, *options])  # type: ignore[attr-defined]
    if command.options:
        app_commands.describe(**{option.name: option.description for option in command.options})(callback)
        app_commands.choices(**{option.name: _choices(option) for option in command.options if option.choices})(
            callback
        )
        suggesters = {each.name: _suggester(each.autocomplete, desk) for each in command.options if each.autocomplete}
        app_commands.autocomplete(**suggesters)(callback)
    return app_commands.Command(
        name=command.name,
        description=command.description,
        callback=callback,
        allowed_contexts=None if command.moderators else EVERYWHERE,
        allowed_installs=None if command.moderators else ANYBODY,
    )


def _parameter(option: Option, prompt_chars: int) -> inspect.Parameter:
    default = inspect.Parameter.empty if option.required else None
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(option.name, kind, default=default, annotation=_annotation(option, prompt_chars))


def _annotation(option: Option, prompt_chars: int) -> Any:
    match option.kind:
        case "integer":
            return app_commands.Range[int, option.low and int(option.low), option.high and int(option.high)]
        case "number":
            return app_commands.Range[float, _float(option.low), _float(option.high)]
        case "choice":
            return str
        case "member":
            return discord.User  # also somebody who has left
        case _:
            return app_commands.Range[str, 1, int(option.high or prompt_chars)]


def _float(bound: float | None) -> float | None:
    """discord.py wants both ends of a range to be of one type."""
    return None if bound is None else float(bound)


def _said(value: Any) -> Any:
    """People by their ids."""
    return str(value.id) if isinstance(value, discord.User | discord.Member) else value


def _choices(option: Option) -> list[Choice[str]]:
    return [Choice(name=choice, value=choice) for choice in option.choices]


def _suggester(what: str, desk: Desk) -> Suggester:
    async def suggest(interaction: Interaction, current: str) -> list[Choice[str]]:
        return await desk.suggestions(interaction, what, current)

    return suggest


def _of_messages(name: str, take: Callable[[Interaction, discord.Message], None]) -> app_commands.ContextMenu:
    """A command of the menu of a message."""

    async def callback(interaction: Interaction, message: discord.Message) -> None:
        take(interaction, message)

    return app_commands.ContextMenu(name=name, callback=callback, allowed_contexts=EVERYWHERE, allowed_installs=ANYBODY)
