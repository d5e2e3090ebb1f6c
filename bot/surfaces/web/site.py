"""The routes of the page, put together: the room, what it posts, what it listens to, and the files it shows."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from bot import cards, menu
from bot.cards import web
from bot.language import say
from bot.menu import Command, Option
from bot.surfaces.web import forms
from bot.surfaces.web.desk import Desk
from bot.surfaces.web.door import Door
from bot.surfaces.web.files import Files, OwnFiles
from bot.surfaces.web.gallery import Gallery
from bot.surfaces.web.handing import Handing
from bot.surfaces.web.listening import Listening
from bot.surfaces.web.moderation import Console
from bot.surfaces.web.pages import FOLDER, Pages
from db import room
from db.config import LimitsConfig
from db.errors import StoreError

log = logging.getLogger(__name__)


@dataclass
class Site:
    """Everything behind the guard."""

    pages: Pages
    desk: Desk
    listening: Listening
    files: Files
    gallery: Gallery
    console: Console
    handing: Handing
    door: Door | None

    def app(self) -> ASGIApp:
        routes: list[BaseRoute] = [
            Route("/", self.page),
            Route("/health", self.health),
            *self.desk.routes(),
            *self.listening.routes(),
            *self.files.routes(),
            *self.gallery.routes(),
            *self.console.routes(),
            *self.handing.routes(),
            Mount("/static", OwnFiles(directory=FOLDER / "static")),
        ]
        if self.door is None:
            return self._starlette(routes)
        return self.door.around(self._starlette([*routes, *self.door.routes()]))

    def _starlette(self, routes: list[BaseRoute]) -> Starlette:
        handlers = {forms.Unreadable: _unreadable, StoreError: _store_error, HTTPException: self._nowhere}
        return Starlette(routes=routes, exception_handlers=handlers)

    async def page(self, request: Request) -> Response:
        """The room; a browser without a cookie of ours becomes a new asker."""
        commands = self.desk.commands
        limits = commands.limits if commands else LimitsConfig()
        moderates = await self.desk.visitors.is_operator(request)
        listed = [_command(each) for each in menu.commands(limits) if moderates or not each.moderators]
        return self.pages.render_for_asker(
            request,
            "index.html",
            words=json.dumps(web.words()),
            menu=json.dumps(listed),
            video=listed[0],
            default_model=commands.default_model if commands else "",
            moderates=moderates,
            now=commands.clock() if commands else 0,
        )

    async def health(self, request: Request) -> Response:
        async with self.files.database.reading() as tx:
            await room.latest(tx, "main", 1)
        return JSONResponse({"status": "ok", "version": self.listening.version})

    async def _nowhere(self, request: Request, error: Exception) -> Response:
        """An address that we have not, or that is asked in a way it does not take."""
        assert isinstance(error, HTTPException)
        sentence = web.page_not_found() if error.status_code == 404 else web.not_that_way()
        return self.pages.sentence(request, error.status_code, sentence)


def _command(command: Command) -> dict[str, Any]:
    """A command as the page shows it, in the language that is being spoken."""
    options = [_option(option) for option in command.options]
    name = f"{menu.MODERATORS_PREFIX}{command.name}" if command.moderators else command.name
    return {"name": name, "description": say(command.description), "options": options}


def _option(option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "description": say(option.description),
        "range": web.range_of(option.low, option.high),
        "choices": option.choices,
        "autocomplete": option.autocomplete,
        "required": option.required,
    }


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, forms.Unreadable)
    return JSONResponse({"result": "problem", "sentence": error.sentence, "message": ""}, status_code=error.status)


async def _store_error(request: Request, error: Exception) -> Response:
    """The error names our folders and what to do about them: that is for the log."""
    log.error("The page could not be answered: %s", error)
    return JSONResponse({"result": "unreached", "sentence": say(cards.NO_DATABASE), "message": ""}, status_code=503)
