"""Who is signed in, as their platform says they are at this very request.

A moderator's session is for one place. What their platform says of them is asked anew each time and never remembered,
so a role that is taken away ends the session with the next thing they look at or do. The operator may look at every
place and counts as its moderator.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from starlette.requests import Request

from bot.cards import console as sentences
from bot.commands import Commands
from bot.moderation import gate
from bot.moderation.desk import OPERATOR
from bot.port import SurfaceError
from bot.surfaces.web.callers import language_of
from bot.surfaces.web.moderation.sessions import Cookies, hashed
from bot.surfaces.web.password import Password
from db import console, surveys
from db.database import Database
from db.records import Address, Caller, Circumstances, ConsoleSession

ROOM = Address(OPERATOR.surface, "main")  # which is there before anybody has asked for anything in it

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seat:
    """A session at one place, and its caller there."""

    secret: str
    session: ConsoleSession
    caller: Caller


@dataclass(frozen=True, slots=True)
class No:
    """Why there is no seat; `ended`: whoever asked has to sign in (anew)."""

    status: int
    sentence: str
    ended: bool = False


@dataclass(frozen=True)
class Seats:
    """`commands` are there once the program is composed; `password` is the operator's, None: there is none."""

    database: Database
    cookies: Cookies
    password: Password | None
    commands: Callable[[], Commands | None]
    clock: Callable[[], float]

    async def session(self, request: Request) -> tuple[str, ConsoleSession] | None:
        """The secret and the session of a browser; None: it is not signed in (any more)."""
        secret = self.cookies.secret(request.headers.get("cookie", ""))
        if not secret:
            return None
        async with self.database.reading() as tx:
            found = [await console.session(tx, key, self.clock()) for key in self._keys(secret)]
        session = next((each for each in found if each), None)
        return (secret, session) if session else None

    def key(self, secret: str, *, operator: bool) -> str:
        """Under which a session is kept. An operator's belongs to the password: another one ends it."""
        return hashed(f"{self.password.mark} {secret}") if operator and self.password else hashed(secret)

    def _keys(self, secret: str) -> tuple[str, ...]:
        """Where there is no password (any more), no operator is signed in."""
        operators = (self.key(secret, operator=True),) if self.password else ()
        return (hashed(secret), *operators)

    async def is_operator(self, request: Request) -> bool:
        """Whether a browser is signed in with the operator's password."""
        found = await self.session(request)
        return found is not None and found[1].operator

    @staticmethod
    def operator_at(address: Address) -> Caller:
        """The operator, who moderates every place."""
        return Caller(OPERATOR, address, Circumstances(moderator=True))

    async def take(self, request: Request) -> Seat | No:
        """The seat at the place that the address of the request names."""
        commands = self.commands()
        if commands is None:
            return No(503, sentences.starting())
        found = await self.session(request)
        if found is None:
            return No(401, sentences.not_signed_in(), ended=True)
        secret, session = found
        address = Address(request.path_params["surface"], request.path_params["place"])
        if not await self._is_theirs(session, address):
            return No(404, sentences.no_such_place())
        language = language_of(request.headers.get("accept-language", ""))
        circumstances = await self._circumstances(commands, session, address)
        if circumstances is None:
            return No(503, sentences.platform_silent())
        caller = Caller(session.asker, address, replace(circumstances, language=language))
        if not await self._moderates(caller):
            await self.end(secret)
            return No(403, sentences.no_moderator(), ended=True)
        return Seat(secret, session, caller)

    async def end(self, secret: str) -> None:
        async with self.database.transaction() as tx:
            for key in self._keys(secret):
                await console.end(tx, key)

    async def _is_theirs(self, session: ConsoleSession, address: Address) -> bool:
        if not session.operator:
            return (address.surface, address.place) == (session.surface, session.place)
        async with self.database.reading() as tx:
            return address == ROOM or await surveys.is_seen(tx, address.surface, address.place)

    async def _circumstances(
        self, commands: Commands, session: ConsoleSession, address: Address
    ) -> Circumstances | None:
        """What the platform says right now; None: it says nothing."""
        if session.operator:
            return self.operator_at(address).circumstances
        surface = commands.surfaces.get(address.surface)
        if surface is None:
            return None
        try:
            return await surface.circumstances(address, session.asker)
        except SurfaceError as error:
            log.warning("%s could not be asked about a moderator: %s", address.surface, type(error).__name__)
            return None

    async def _moderates(self, caller: Caller) -> bool:
        async with self.database.reading() as tx:
            return await gate.moderates(tx, caller, self.clock())
