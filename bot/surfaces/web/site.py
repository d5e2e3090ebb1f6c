"""The routes: the page, what it posts, what it listens to, and the files it shows."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.responses import StreamingResponse as Stream
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bot import cards
from bot.surfaces.web import forms
from bot.surfaces.web.browsers import Browsers
from bot.surfaces.web.feed import Feed
from db import room
from db.database import Database
from db.errors import StoreError
from db.ids import new_id
from db.records import Address, Asker, Caller, Handle, Wish
from db.room import RoomMessage

PAGE = Path(__file__).parent / "page"
KEEP_ALIVE_SECONDS = 15.0  # proxies and sleeping radios drop silent connections
RECONNECT_MILLISECONDS = 1000
MOST_PAGES = 200  # open at a time: each holds a socket, and a process has about a thousand of those
MOST_PREVIEW_BYTES = 8 * 1024 * 1024
TYPES = {"gif": "image/gif", "mp4": "video/mp4", "webp": "image/webp"}

# A strict cookie is not sent when a link of another site leads here; asking once more from our own page sends it.
ONCE_MORE = '<!doctype html><meta http-equiv="refresh" content="0"><title>Zoetrope</title>'

_CLIP_FILE = re.compile(r"([0-9a-z]{1,64})\.(gif|mp4|webp)", re.ASCII)
_PREVIEW_FILE = re.compile(r"[0-9a-z]{1,64}\.webp", re.ASCII)

log = logging.getLogger(__name__)


class Outcome(Protocol):
    """What a request or a button led to (`bot.commands.Outcome`; a surface imports no use cases)."""

    @property
    def result(self) -> str: ...

    @property
    def sentence(self) -> str: ...

    @property
    def handle(self) -> Handle | None: ...


class Desk(Protocol):
    """What the page asks of the commands."""

    async def request_clip(self, caller: Caller, wish: Wish, origin: str) -> Outcome: ...

    async def press(self, caller: Caller, token: str, origin: str) -> Outcome: ...


# (clip id, format) -> the file, or the sentence that says why there is none
Convert = Callable[[str, str], Awaitable[Path | str]]


@dataclass
class Site:
    """Everything behind the guard. `desk` gives the commands once the program is composed; `convert` may stay away."""

    database: Database
    address: Address
    feed: Feed
    browsers: Browsers
    renditions: Path
    previews: Path
    desk: Callable[[], Desk | None]
    convert: Convert | None = None

    def __post_init__(self) -> None:
        self._open_pages = 0
        self._templates = Environment(loader=FileSystemLoader(PAGE), autoescape=True)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self.page),
                Route("/request", self.request, methods=["POST"]),
                Route("/press", self.press, methods=["POST"]),
                Route("/events", self.events),
                Route("/clips/{name}", self.clip),
                Route("/previews/{name}", self.preview),
                Route("/health", self.health),
                Mount("/static", _Files(directory=PAGE / "static")),
            ],
            exception_handlers={forms.Unreadable: _unreadable, StoreError: _store_error},
        )

    async def page(self, request: Request) -> Response:
        """The page; a browser without a cookie of ours becomes a new asker."""
        asker = self.browsers.asker(request.headers.get("cookie", ""))
        if asker is None and request.headers.get("sec-fetch-site") == "cross-site":
            return Response(ONCE_MORE, media_type="text/html")
        known = asker or self.browsers.new_asker()
        html = self._templates.get_template("index.html").render(token=self.browsers.token(known))
        response = Response(html, media_type="text/html", headers={"cache-control": "no-store"})
        if asker is None:
            response.headers["set-cookie"] = self.browsers.cookie(known)
        return response

    async def request(self, request: Request) -> Response:
        """A clip is asked for: step 1 of its way."""
        posted = await forms.read(request)
        asker = self._asker(request, posted)
        if isinstance(asker, Response):
            return asker
        wish = forms.wish(posted.fields)
        if isinstance(wish, str):
            return _answer(posted, 422, {"result": "problem", "sentence": wish, "message": ""})
        commands = self.desk()
        if commands is None:
            return _answer(posted, 503, {"result": "unreached", "sentence": cards.STARTING, "message": ""})
        outcome = await commands.request_clip(Caller(asker, self.address), wish, _origin(asker, posted))
        return _answer(posted, 200, _words(outcome))

    async def press(self, request: Request) -> Response:
        """A button was pressed."""
        posted = await forms.read(request)
        asker = self._asker(request, posted)
        if isinstance(asker, Response):
            return asker
        commands = self.desk()
        if commands is None:
            return _answer(posted, 503, {"result": "unreached", "sentence": cards.STARTING, "message": ""})
        caller = Caller(asker, self.address)
        outcome = await commands.press(caller, posted.fields.get("button", ""), _origin(asker, posted))
        return _answer(posted, 200, _words(outcome))

    async def events(self, request: Request) -> Response:
        """Server-sent events: `room` (all of it), `message` (one, new or changed), `models`."""
        if self._open_pages >= MOST_PAGES:
            return PlainTextResponse(cards.TOO_MANY_PAGES, status_code=503)
        last = request.headers.get("last-event-id", "")
        version = int(last) if re.fullmatch(r"[0-9]{1,18}", last, re.ASCII) else -1
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return Stream(self._stream(version), media_type="text/event-stream", headers=headers)

    async def _stream(self, version: int) -> AsyncIterator[str]:
        self._open_pages += 1
        try:
            async for event in self._events_since(version):
                yield event
        finally:
            self._open_pages -= 1

    async def _events_since(self, version: int) -> AsyncIterator[str]:
        models = ""
        yield f"retry: {RECONNECT_MILLISECONDS}\n\n"
        known = self.feed.reaches(version)
        while not self.feed.closing:
            if not known or self.feed.has_forgotten(version):
                version, messages = await self.feed.fresh()
                known = True
                yield f"event: room\nid: {version}\ndata: {messages}\n\n"
            if self.feed.models != models:
                models = self.feed.models
                yield f"event: models\ndata: {models}\n\n"
            for change in self.feed.since(version):
                version = change.version
                yield f"event: message\nid: {version}\ndata: {change.json}\n\n"
            if not await self.feed.wait(version, models, KEEP_ALIVE_SECONDS):
                yield ": still here\n\n"

    async def clip(self, request: Request) -> Response:
        """A clip's file, as it was delivered or in another format; whole or in ranges."""
        found = _CLIP_FILE.fullmatch(request.path_params["name"])
        message = await self._message(found[1]) if found else None
        if found is None or message is None or not message.rendition:
            return PlainTextResponse(cards.NO_SUCH_CLIP, status_code=404)
        file = await self._clip_file(message, found[2])
        if isinstance(file, str):
            return PlainTextResponse(file, status_code=404)
        clip = message.card["card"]["clip"]
        shown_as = "attachment" if "download" in request.query_params else "inline"
        return await _file_response(request, file, TYPES[found[2]], f"zoetrope-{clip}.{found[2]}", shown_as)

    async def preview(self, request: Request) -> Response:
        """The preview of a rendering job. It is replaced while we look, so it is read in one go."""
        name = request.path_params["name"]
        content = None
        if _PREVIEW_FILE.fullmatch(name):
            content = await asyncio.to_thread(_read, self.previews / name, MOST_PREVIEW_BYTES)
        if content is None:
            return PlainTextResponse(cards.NO_PREVIEW, status_code=404)
        return Response(content, media_type="image/webp", headers={"cache-control": "private, max-age=60"})

    async def health(self, request: Request) -> Response:
        async with self.database.reading() as tx:
            await room.latest(tx, self.address.place, 1)
        return JSONResponse({"status": "ok", "version": self.feed.version})

    def _asker(self, request: Request, posted: forms.Posted) -> Asker | Response:
        asker = self.browsers.asker(request.headers.get("cookie", ""))
        token = request.headers.get("x-zoetrope-token") or posted.fields.get("token", "")
        if asker is None or not self.browsers.is_token(asker, token):
            return _answer(posted, 403, {"result": "stranger", "sentence": cards.STRANGER, "message": ""})
        return Asker(self.address.surface, asker)

    async def _message(self, message_id: str) -> RoomMessage | None:
        async with self.database.reading() as tx:
            return await room.get(tx, message_id)

    async def _clip_file(self, message: RoomMessage, kind: str) -> Path | str:
        """The delivered rendition, or one made on demand: in another format, or because the cache was emptied."""
        delivered = self.renditions / message.rendition
        if kind == message.card["media"]["format"] and await asyncio.to_thread(delivered.is_file):
            return delivered
        if self.convert is None:
            return cards.NO_SUCH_CLIP
        return await self.convert(message.card["card"]["clip"], kind)


class _Files(StaticFiles):
    """The page's own files, asked for anew each time: a new version takes effect with the next reload."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response


def _origin(asker: Asker, posted: forms.Posted) -> str:
    """The id of a post, which no other browser can take away."""
    return f"{asker.id}:{posted.id() or new_id()}"


def _words(outcome: Outcome) -> dict[str, str]:
    message = outcome.handle.message if outcome.handle else ""
    return {"result": str(outcome.result), "sentence": outcome.sentence, "message": message}


def _answer(posted: forms.Posted, status: int, words: dict[str, str]) -> Response:
    """JSON for the page's script; a form sent without one goes back to the page, or gets the sentence."""
    if posted.scripted:
        return JSONResponse(words, status_code=status)
    return RedirectResponse("/", 303) if status == 200 else PlainTextResponse(words["sentence"], status_code=status)


async def _file_response(request: Request, file: Path, kind: str, name: str, shown_as: str) -> Response:
    """The address of a clip's file names the clip, so what it shows never changes."""
    try:
        stat = await asyncio.to_thread(os.stat, file)
    except OSError:
        return PlainTextResponse(cards.NO_SUCH_CLIP, status_code=404)
    headers = {"cache-control": "private, max-age=31536000, immutable"}
    response = FileResponse(
        file, headers=headers, media_type=kind, stat_result=stat, filename=name, content_disposition_type=shown_as
    )
    if response.headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={**headers, "etag": response.headers["etag"]})
    return response


def _read(path: Path, most: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError:
        return None
    return content if len(content) <= most else None


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, forms.Unreadable)
    return JSONResponse({"result": "problem", "sentence": error.sentence, "message": ""}, status_code=error.status)


async def _store_error(request: Request, error: Exception) -> Response:
    """The error names our folders and what to do about them: that is for the log."""
    log.error("The page could not be answered: %s", error)
    return JSONResponse({"result": "unreached", "sentence": cards.NO_DATABASE, "message": ""}, status_code=503)
