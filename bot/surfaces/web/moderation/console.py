"""The console's routes put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.routing import Route

from bot.answers import Answers
from bot.commands import Commands
from bot.moderation.desk import Desk
from bot.surfaces.web.browsers import Browsers
from bot.surfaces.web.files import Convert
from bot.surfaces.web.moderation.acting import Acting
from bot.surfaces.web.moderation.entrance import Entrance
from bot.surfaces.web.moderation.seats import Seats
from bot.surfaces.web.moderation.sessions import Cookies
from bot.surfaces.web.moderation.showing import Showing
from bot.surfaces.web.pages import Pages
from bot.surfaces.web.password import Attempts, Password
from db.database import Database


@dataclass(frozen=True)
class Console:
    """Everything below /moderation. Commands and answers are there once the program is composed."""

    database: Database
    browsers: Browsers
    pages: Pages
    password: Password | None
    attempts: Attempts
    commands: Callable[[], Commands | None]
    answers: Callable[[], Answers | None]
    convert: Convert | None
    clock: Callable[[], float]

    @property
    def seats(self) -> Seats:
        return Seats(self.database, Cookies(self.browsers), self.password, self.commands, self.clock)

    def routes(self) -> list[Route]:
        seats, desk = self.seats, Desk(self.database, self.clock)
        entrance = Entrance(seats, self.pages, self.attempts, self.commands)
        showing = Showing(seats, desk, entrance, self.pages, self.convert, self.clock)
        acting = Acting(seats, entrance, self.pages, self.answers)
        return [*entrance.routes(), *showing.routes(), *acting.routes()]
