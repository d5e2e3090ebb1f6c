"""Who has not said the password sees the door alone. Without a password there is no door."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.cards import web
from bot.surfaces.web import forms
from bot.surfaces.web.browsers import Browsers
from bot.surfaces.web.pages import Pages
from bot.surfaces.web.password import Attempts, Password

SIGN_IN = "/sign-in"
OPEN = (SIGN_IN, "/health")
OTHER_DOORS = ("/static/", "/moderation/")  # below the second, the console asks for its own sign-in


@dataclass
class Door:
    """The sign-in page, and the middleware that leads there."""

    password: Password
    browsers: Browsers
    pages: Pages
    attempts: Attempts
    clock: Callable[[], float]

    def routes(self) -> list[Route]:
        return [
            Route(SIGN_IN, self.show),
            Route(SIGN_IN, self.enter, methods=["POST"]),
            Route("/sign-out", self.leave, methods=["POST"]),
        ]

    def around(self, app: ASGIApp) -> ASGIApp:
        """`app` for those who have signed in, the door for everybody else."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            path = scope["path"]
            free = path in OPEN or f"{path}/".startswith(OTHER_DOORS)
            shut = not (free or self._is_known(request))
            await (self._refusal(request) if shut else app)(scope, receive, send)

        return guarded

    async def show(self, request: Request) -> Response:
        """The sign-in page."""
        if self._is_known(request):
            return RedirectResponse("/", 303)
        return self.pages.render(request, "sign_in.html", said="")

    async def enter(self, request: Request) -> Response:
        """The password was said."""
        posted = await forms.read(request)
        address = request.client.host if request.client else ""
        fits = await self.attempts.fits(self.password, posted.get("password"), address)
        if fits is True:
            response = RedirectResponse("/", 303)
            session = self.browsers.session(self.password.mark, self.clock(), secure=request.state.secure)
            response.headers["set-cookie"] = session
            return response
        if fits is False:
            return self.pages.render(request, "sign_in.html", 403, said=web.wrong_password())
        return self.pages.render(request, "sign_in.html", 429, said=web.too_many_attempts(fits))

    async def leave(self, request: Request) -> Response:
        """This browser is forgotten by the door; its askers' cookie stays."""
        response = RedirectResponse(SIGN_IN, 303)
        response.headers["set-cookie"] = self.browsers.no_session()
        return response

    def _is_known(self, request: Request) -> bool:
        return self.browsers.is_signed_in(request.headers.get("cookie", ""), self.password.mark, self.clock())

    def _refusal(self, request: Request) -> Response:
        if request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("accept", ""):
            return self.pages.once_more(request) or RedirectResponse(SIGN_IN, 303)
        if request.method == "POST":
            return JSONResponse({"result": "signed out", "sentence": web.signed_out(), "message": ""}, 401)
        return PlainTextResponse(web.signed_out(), 401)
