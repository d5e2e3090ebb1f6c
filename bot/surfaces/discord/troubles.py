"""Discord's errors as the five of port.py, with what a way to a card has to know besides.

Gone                  the message or its channel is no more
Refused
├── Barred            this way does not lead there: no View Channel, archived, ephemeral, token run out
├── Blocked           the server's own filter does not let the words through
└── Worn              an old message was edited too often (30046)
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import discord

from bot.port import Gone, Refused, SurfaceError, Throttled, TooLarge, Unreachable

UNKNOWN = {10003, 10008}  # channel, message
BARRED = {
    10015,  # unknown webhook: the interaction's token has run out
    10062,  # unknown interaction
    50001,  # missing access: no View Channel
    50007,  # takes no direct messages
    50013,  # missing permissions
    50027,  # invalid webhook token
    50083,  # the thread is archived
    50278,  # no server in common with the person
    160002,  # may not reply where the history can't be read
}
BLOCKED = {200000, 200001}  # by AutoMod: a message, a title
WORN = 30046
TOO_LARGE = 40005
TAKEN_ALREADY = 40060  # the interaction was acknowledged before
PATIENCE = 5.0  # seconds, where a 429 does not say
LONGEST_WAIT = 30.0  # seconds that a request may wait inside discord.py; longer waits are the loops' to plan

log = logging.getLogger(__name__)


class Barred(Refused):
    """This way does not lead to the card."""


class Blocked(Refused):
    """The server's own filter does not let the words through."""


class Worn(Refused):
    """The message was edited too often for its age."""


@contextmanager
def translated(upload_limit: int = 0) -> Iterator[None]:
    """Raise what Discord and the network raise as errors of port.py; `upload_limit` is what was thought to fit."""
    try:
        yield
    except discord.RateLimited as error:
        raise Throttled(error.retry_after) from error
    except discord.HTTPException as error:
        raise _translation(error, upload_limit) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Unreachable(type(error).__name__) from error
    except RuntimeError as error:  # aiohttp's word for a session that is closed
        raise Unreachable(type(error).__name__) from error


def _translation(error: discord.HTTPException, upload_limit: int) -> SurfaceError:
    if error.code in UNKNOWN:
        return Gone(f"Discord {error.code}")
    if error.code in BARRED:
        return Barred()
    if error.code in BLOCKED:
        return Blocked()
    if error.code == WORN:
        return Worn()
    if error.code == TOO_LARGE or error.status == 413:
        return TooLarge(upload_limit)
    if error.status == 429:
        return Throttled(_patience(error))
    if error.status >= 500 or error.status == 401:  # a token that was withdrawn is put right by the operator
        return Unreachable(f"Discord {error.status}")
    log.warning("Discord said no: status %s, code %s.", error.status, error.code)
    return Refused()


def watching() -> aiohttp.TraceConfig:
    """Hears every answer before discord.py does, which waits in vain, or for hours, on some that ask for patience."""
    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(_heard)
    return trace


async def _heard(_session: aiohttp.ClientSession, _context: object, ended: aiohttp.TraceRequestEndParams) -> None:
    """Raise RateLimited where the wait is long, and HTTPException where waiting does not help or nothing is told."""
    if ended.response.status != 429:
        return
    said = _parsed(await ended.response.text())
    seconds = said.get("retry_after")
    if said.get("code") == WORN or not isinstance(seconds, int | float):
        raise discord.HTTPException(ended.response, said)
    if seconds > LONGEST_WAIT:
        raise discord.RateLimited(seconds)


def _parsed(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _patience(error: discord.HTTPException) -> float:
    try:
        return float(error.response.headers.get("Retry-After", PATIENCE))
    except ValueError:
        return PATIENCE


def where(error: BaseException) -> str:
    """An error for the log, without its words: they may hold a prompt or a token."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
