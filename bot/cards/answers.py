"""What the bot answers to commands other than a clip: cards for one caller, and the sentences about wrong typing.

Made from values, in the language that is being spoken.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.cards import shorten
from bot.language import say

# --- what can be wrong with a typed line ---


def unknown_option(written: str, nearest: str, names: Sequence[str]) -> str:
    """`written` and the names are as they are typed, dashes included."""
    shown = shorten(written, 40)
    if nearest:
        return say("There is no option {written}; did you mean {nearest}?", written=shown, nearest=nearest)
    if not names:
        return say("There is no option {written}; this command takes none.", written=shown)
    return say("There is no option {written}; there are {names}.", written=shown, names=", ".join(names))


def no_value(name: str) -> str:
    return say("The option {name} has no value; write it behind, such as --{name} VALUE.", name=name)


def not_a_size(text: str) -> str:
    return say("{text} is no size; write width x height in pixels, such as 256x256.", text=shorten(text, 20))


def unknown_command(name: str, nearest: str, prefix: str) -> str:
    shown = f"{prefix}{shorten(name, 40)}"
    if nearest:
        return say("There is no command {name}; did you mean {nearest}?", name=shown, nearest=f"{prefix}{nearest}")
    return say("There is no command {name}; see {help}.", name=shown, help=f"{prefix}help")
