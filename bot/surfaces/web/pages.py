"""The templates, and what all of them need: the language, the words, and a browser that is somebody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from bot.cards import web
from bot.surfaces.web.browsers import Browsers
from bot.surfaces.web.callers import language_of

FOLDER = Path(__file__).parent / "page"

# A strict cookie is not sent when a link of another site leads here; asking once more from our own page sends it.
ONCE_MORE = '<!doctype html><meta http-equiv="refresh" content="0"><title>Zoetrope</title>'


class Pages:
    """Renders pages in the language that the browser asks for."""

    def __init__(self, browsers: Browsers, *, has_door: bool = False) -> None:
        self._browsers = browsers
        self._has_door = has_door
        self._templates = Environment(loader=FileSystemLoader(FOLDER), autoescape=True)
        self._templates.policies["json.dumps_function"] = json.dumps

    def render(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        """A page for whoever asks."""
        html = self._templates.get_template(template).render(
            language=language_of(request.headers.get("accept-language", "")),
            labels=web.labels(),
            has_door=self._has_door,
            **values,
        )
        return HTMLResponse(html, status, {"cache-control": "no-store"})

    def render_for_asker(self, request: Request, template: str, **values: Any) -> Response:
        """A page that posts: with a token for its browser, which becomes a new asker if it is none of ours yet."""
        asker = self._browsers.asker(request.headers.get("cookie", ""))
        again = self.once_more(request) if asker is None else None
        if again is not None:
            return again
        known = asker or self._browsers.new_asker()
        token, me = self._browsers.token(known), self._browsers.tag(known)
        response = self.render(request, template, token=token, me=me, **values)
        if asker is None:
            response.headers["set-cookie"] = self._browsers.cookie(known, secure=request.state.secure)
        return response

    def once_more(self, request: Request) -> Response | None:
        """What is answered to a link of another site, where our cookies did not come along."""
        if request.headers.get("sec-fetch-site") != "cross-site":
            return None
        return HTMLResponse(ONCE_MORE)

    def sentence(self, request: Request, status: int, sentence: str) -> Response:
        """One sentence: as a page for somebody who looks, as plain text for anything else."""
        if "text/html" in request.headers.get("accept", ""):
            return self.render(request, "sentence.html", status, sentence=sentence)
        return PlainTextResponse(sentence, status)
