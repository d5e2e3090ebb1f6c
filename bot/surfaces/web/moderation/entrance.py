"""Signing in to the console, and out.

A link that the bot made is good once: looking at it uses nothing up, because chats look at links to show a preview; its
page has one button, which does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.cards import console as sentences
from bot.cards import web
from bot.commands import Commands
from bot.moderation.desk import OPERATOR
from bot.surfaces.web import forms
from bot.surfaces.web.moderation.seats import No, Seats
from bot.surfaces.web.moderation.sessions import hashed, is_token, new_secret
from bot.surfaces.web.pages import Pages
from bot.surfaces.web.password import Attempts, Tries
from db import console
from db.records import ConsoleSession

HOME = "/moderation"
MOST_LINK_CHARS = 200


class Entrance:
    """The door of the console. Without a password the operator can't come in, and is told how to make one."""

    def __init__(
        self,
        seats: Seats,
        pages: Pages,
        attempts: Attempts,
        commands: Callable[[], Commands | None],
    ) -> None:
        self._seats = seats
        self._pages = pages
        self._password = seats.password
        self._attempts = attempts
        self._links = Tries(seats.clock, of_all=None)
        self._commands = commands

    def routes(self) -> list[Route]:
        return [
            Route("/moderation/enter/{secret}", self.show_link),
            Route("/moderation/enter/{secret}", self.enter, methods=["POST"]),
            Route("/moderation/sign-in", self.to_door),
            Route("/moderation/sign-in", self.sign_in, methods=["POST"]),
            Route("/moderation/sign-out", self.sign_out, methods=["POST"]),
        ]

    async def show_link(self, request: Request) -> Response:
        """One button, which signs in."""
        return self._pages.render(request, "moderation/enter.html", say=sentences.labels())

    async def enter(self, request: Request) -> Response:
        """The link is used up; who used it is signed in for its place."""
        if wait := self._links.wait(_address(request)):
            return self.door(request, 429, sentences.too_many_links(wait))
        if self._commands() is None:  # nothing is used up for a sign-in that can't be
            return self.door(request, 503, sentences.starting())
        given, now = request.path_params["secret"], self._seats.clock()
        async with self._seats.database.transaction() as tx:
            offered = await console.enter(tx, hashed(given), now) if len(given) <= MOST_LINK_CHARS else None
        if offered is None:
            self._links.note(_address(request))
            return self.door(request, 403, sentences.link_used())
        return await self._begin(request, offered)

    async def to_door(self, request: Request) -> Response:
        return RedirectResponse(HOME, 303)

    async def sign_in(self, request: Request) -> Response:
        """The operator said the password."""
        posted = await forms.read(request)
        if self._password is None:
            return self.door(request, 403, "")
        fits = await self._attempts.fits(self._password, posted.get("password"), _address(request))
        if fits is True:
            return await self._begin(request, ConsoleSession(OPERATOR, "", "", 0.0, 0.0, operator=True))
        if fits is False:
            return self.door(request, 403, web.wrong_password())
        return self.door(request, 429, web.too_many_attempts(fits))

    async def sign_out(self, request: Request) -> Response:
        posted = await forms.read(request)
        found = await self._seats.session(request)
        if found is not None:
            secret, _ = found
            if not is_token(secret, posted.get("token")):
                return self._pages.sentence(request, 403, sentences.wrong_token())
            await self._seats.end(secret)
        response = RedirectResponse(HOME, 303)
        response.headers["set-cookie"] = self._seats.cookies.cookie("", 0, secure=request.state.secure)
        return response

    def door(self, request: Request, status: int, said: str) -> Response:
        """Where everybody comes who is not signed in; `said` is what went wrong, or empty."""
        has_password = self._password is not None
        return self._pages.render(
            request, "moderation/door.html", status, say=sentences.labels(), said=said, has_password=has_password
        )

    def turned_away(self, request: Request, no: No) -> Response:
        """A page for somebody without a seat."""
        if no.ended:
            again = self._pages.once_more(request) if no.status == 401 else None
            return again or self.door(request, no.status, "" if no.status == 401 else no.sentence)
        return self._pages.render(
            request, "moderation/sentence.html", no.status, say=sentences.labels(), sentence=no.sentence
        )

    async def _begin(self, request: Request, session: ConsoleSession) -> Response:
        commands, now = self._commands(), self._seats.clock()
        if commands is None:
            return self.door(request, 503, sentences.starting())
        seconds = commands.moderation.config.sign_in_hours * 3600
        secret, before = new_secret(), self._seats.cookies.secret(request.headers.get("cookie", ""))
        if before:
            await self._seats.end(before)
        async with self._seats.database.transaction() as tx:
            await console.forget(tx, now)
            key = self._seats.key(secret, operator=session.operator)
            await console.begin(tx, key, replace(session, created_at=now, until=now + seconds))
        response = RedirectResponse(HOME, 303)
        response.headers["set-cookie"] = self._seats.cookies.cookie(secret, seconds, secure=request.state.secure)
        return response


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
