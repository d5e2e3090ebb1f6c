"""The policy in force: what the program brings along, and an operator's folder, read again whenever it changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.abc import Traversable
from pathlib import Path

from bot.safety.policy import Files, Policy, PolicyError, parse_policy

LOOK_SECONDS = 5.0  # how often the folder is looked at
_ENDINGS = (".toml", ".txt")

Stamp = tuple[tuple[str, int, int], ...]  # name, time of change, bytes of each file

log = logging.getLogger(__name__)


def built_in_policy(extra: Files | None = None) -> Policy:
    """The policy that this program brings along, with an operator's `extra` files. Raises PolicyError."""
    return _brought_along() if extra is None else parse_policy(_own_texts(), extra)


@cache
def _brought_along() -> Policy:
    """It never changes, and reading it takes a while: once a process."""
    return parse_policy(_own_texts())


def _own_texts() -> Files:
    return _texts(resources.files("bot.safety").joinpath("rules"))


@dataclass
class Rulebook:
    """`policy` is the last good one: a folder that can't be used changes nothing, and is complained about once."""

    folder: Path | None
    policy: Policy
    _stamp: Stamp
    _complaint: str = ""

    @classmethod
    def open(cls, folder: Path | None) -> Rulebook:
        """Read everything. Raises PolicyError: at the start a broken folder must not be passed over."""
        if folder is None:
            return cls(None, built_in_policy(), ())
        try:
            return cls(folder, _policy_with(folder), _stamp_of(folder))
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise PolicyError(
                f"The safety folder {folder} can't be read ({why}): make it, or take its key out."
            ) from error

    def look(self) -> bool:
        """Read the folder again if anything in it has changed; whether there is a new policy."""
        if self.folder is None:
            return False
        try:
            stamp = _stamp_of(self.folder)
            if stamp == self._stamp:
                return False
            self._stamp = stamp
            self.policy = _policy_with(self.folder)
        except (OSError, PolicyError) as error:
            if self._complaint != str(error):
                log.warning("The safety rules stay as they were: %s", error, extra={"action": "rules_kept"})
            self._complaint = str(error)
            return False
        self._complaint = ""
        log.info("The safety rules are now %s.", self.policy.version, extra={"action": "rules_read"})
        return True

    async def watch(self, use: Callable[[Policy], None]) -> None:
        """Look now and then, and hand every new policy to `use`."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if await asyncio.to_thread(self.look):
                use(self.policy)


def _policy_with(folder: Path) -> Policy:
    try:
        return built_in_policy(_texts(folder))
    except UnicodeDecodeError as error:
        raise PolicyError(f"A file in the safety folder {folder} is not UTF-8 text; save it as UTF-8.") from error


def _texts(folder: Traversable) -> Files:
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(_ENDINGS)}


def _stamp_of(folder: Path) -> Stamp:
    files = sorted(file for file in folder.iterdir() if file.name.endswith(_ENDINGS))
    return tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files)
