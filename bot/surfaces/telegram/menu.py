"""The commands that Telegram offers while somebody types "/", in every language; moderators see theirs as well."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from bot import menu
from bot.language import LANGUAGES, say, speaking
from bot.port import SurfaceError
from bot.surfaces.telegram.wire import Wire
from db.config import LimitsConfig

log = logging.getLogger(__name__)


async def register(wire: Wire, limits: LimitsConfig) -> None:
    """Set the lists; the commands work without them, so a no stops nothing."""
    try:
        for language in LANGUAGES:
            code = "" if language == LANGUAGES[0] else language
            await wire.set_commands(_named(limits, language, moderators=False), code, moderators=False)
            await wire.set_commands(_named(limits, language, moderators=True), code, moderators=True)
    except SurfaceError as error:
        log.warning("The list of commands could not be set (%s).", error)


def _named(limits: LimitsConfig, language: str, *, moderators: bool) -> list[tuple[str, str]]:
    offered = [(name, command) for name, command in _typed(limits) if moderators or not command.moderators]
    with speaking(language):
        return [(name, say(command.description)) for name, command in offered]


def _typed(limits: LimitsConfig) -> Iterator[tuple[str, menu.Command]]:
    for command in menu.commands(limits):
        yield (f"{menu.MODERATORS_PREFIX}{command.name}" if command.moderators else command.name), command
