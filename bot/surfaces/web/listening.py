"""What open pages are told, as server-sent events."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from bot import cards
from bot.language import say
from bot.surfaces.web.feed import Feed

KEEP_ALIVE_SECONDS = 15.0  # proxies and sleeping radios drop silent connections, and pages notice silence
RECONNECT_MILLISECONDS = 1000
STILL_HERE = b"event: still\ndata: here\n\n"


class Listening:
    """One stream for each open page; `most` pages at a time, because each holds a socket."""

    def __init__(self, feed: Feed, most: int) -> None:
        self.most = most
        self._feed = feed
        self._open = 0

    @property
    def version(self) -> int:
        return self._feed.version

    def routes(self) -> list[Route]:
        return [Route("/events", self.events)]

    async def events(self, request: Request) -> Response:
        """Events `room` (all of it), `message` (one, new or changed), `models`, and `still` when there is no news."""
        if self._open >= self.most:
            return PlainTextResponse(say(cards.TOO_MANY_PAGES), status_code=503)
        last = request.headers.get("last-event-id", "")
        version = int(last) if re.fullmatch(r"[0-9]{1,18}", last, re.ASCII) else -1
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(self._stream(version), media_type="text/event-stream", headers=headers)

    async def _stream(self, version: int) -> AsyncIterator[bytes]:
        self._open += 1
        try:
            async for event in self._since(version):
                yield event
        finally:
            self._open -= 1

    async def _since(self, version: int) -> AsyncIterator[bytes]:
        models, feed = b"", self._feed
        yield b"retry: %d\n\n" % RECONNECT_MILLISECONDS
        known = feed.reaches(version)
        while not feed.closing:
            if not known or feed.has_forgotten(version):
                version, messages = await feed.fresh()
                known = True
                yield messages
            if feed.models != models:
                models = feed.models
                yield models
            for change in feed.since(version):
                version = change.version
                yield change.event
            if not await feed.wait(version, models, KEEP_ALIVE_SECONDS):
                yield STILL_HERE
