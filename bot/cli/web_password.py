"""`zoetrope web-password`: the password of the web page or of the operator, kept as a hash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.cli.output import say
from bot.errors import WrongUse
from bot.surfaces.web import password


def keep(file: Path, ask: Callable[[], str]) -> None:
    """Write the hash of the password that `ask` gives. Raises WrongUse, FolderUnwritable."""
    if file.is_dir():
        raise WrongUse(f"{file} is a folder: name a file in it, such as {file / 'web.password'}.")
    word = ask()
    if not password.LEAST_CHARS <= len(word) <= password.MOST_CHARS:
        raise WrongUse(
            f"A password has {password.LEAST_CHARS} to {password.MOST_CHARS:,} characters: choose one of that length."
        )
    password.write(file, word)
    say(
        f"Written to {file}: name it under [web] as password_file (for everybody) or as operator_password_file "
        "(for the moderators' pages), and start Zoetrope anew."
    )
