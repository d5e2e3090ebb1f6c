"""The gallery: a wall of the clips of this surface's room, and a page for each of them.

The wall is asked for a page of clips at a time, each beginning where the one before ended, so that clip 10,000 costs
what the first one does. Open walls ask every few seconds which of their clips are still there; while nothing was
written to the database that is answered without looking. Pictures are made when somebody sees them for the first time,
and given up when they have gone on by then.
"""

from __future__ import annotations

import asyncio
import random
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot import cards
from bot.cards import gallery as sentences
from bot.cards import shorten
from bot.language import say
from bot.surfaces.web.files import TYPES, Convert, file_response
from bot.surfaces.web.pages import Pages
from db import gallery, models, queue
from db.database import Database
from db.records import Address, Clip

PAGE_CLIPS = 120  # of the wall at a time
MOST_IDS = 50_000  # told to an open wall
WORDS_CHARS = 200  # of a search
TILE_CHARS = 160  # of a prompt on the wall
MOST_MAKING = 100  # pictures that browsers wait for at a time
NAMES = {"gif": "GIF", "mp4": "MP4", "webp": "WebP"}

_ID = re.compile(r"[0-9a-z]{1,64}", re.ASCII)
_KEY = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,20})?)_([0-9a-z]{1,64})", re.ASCII)  # created_at and id
_FILE = re.compile(r"(?:(clip)\.(gif|mp4|webp)|(tile|still)\.webp)", re.ASCII)

Json = dict[str, Any]


@dataclass
class Gallery:
    """The routes below /gallery. `convert` makes the pictures (`tile` and `still` besides the formats) and may stay
    away; `chance` gives numbers from 0 to 1."""

    pages: Pages
    database: Database
    address: Address
    convert: Convert | None = None
    chance: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        self._start = secrets.token_hex(4)  # the bell counts anew at every start
        self._making = 0

    def routes(self) -> list[Route]:
        return [
            Route("/gallery", self.wall),
            Route("/gallery/clips", self.clips),
            Route("/gallery/ids", self.ids),
            Route("/gallery/random", self.random),
            Route("/gallery/{clip}", self.page),
            Route("/gallery/{clip}/facts", self.facts),
            Route("/gallery/{clip}/{name}", self.file),
        ]

    async def wall(self, request: Request) -> Response:
        """The wall with its first clips; `?q=` are words to search for."""
        words = _words(request)
        first = await self._some(words, None)
        first = {**first, "words": sentences.words()}
        return self.pages.render(request, "gallery.html", say=sentences.labels(), words=words, first=first)

    async def clips(self, request: Request) -> Response:
        """The clips after the one whose key is `after`, as JSON; the newest where it is missing."""
        key = request.query_params.get("after", "")
        after = _key_of(key)
        if key and after is None:
            return _problem(400, sentences.wrong_place())
        return JSONResponse(await self._some(_words(request), after), headers={"cache-control": "no-store"})

    async def ids(self, request: Request) -> Response:
        """Which clips there are from the newest down to the one whose key is `until`: what an open wall must show."""
        until = _key_of(request.query_params.get("until", ""))
        if until is None:
            return _problem(400, sentences.wrong_place())
        tag = f'"{self._start}-{self.database.bell.count()}"'  # the same as long as nobody writes anything
        headers = {"cache-control": "no-store", "etag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        async with self.database.reading() as tx:
            ids = await gallery.ids(tx, *self._here(), _words(request), until, MOST_IDS)
        return JSONResponse({"ids": ids}, headers=headers)

    async def random(self, request: Request) -> Response:
        """Any clip (of those with the words of `q`), as the wall gets them; null where there is none."""
        words = _words(request)
        async with self.database.reading() as tx:
            count = await gallery.count(tx, *self._here(), None, words)
            found = await gallery.browse(tx, *self._here(), None, words, int(self.chance() * count), 1)
            crisp = await _crisp(tx)
        clip = _tile(found[0], crisp) if found else None
        return JSONResponse({"clip": clip}, headers={"cache-control": "no-store"})

    async def page(self, request: Request) -> Response:
        """A clip's own page."""
        seen = await self._seen(request)
        if seen is None:
            return self.pages.sentence(request, 404, say(cards.NO_SUCH_CLIP))
        return self.pages.render(request, "clip.html", say=sentences.labels(), clip=seen)

    async def facts(self, request: Request) -> Response:
        """What a clip's own page says, as JSON."""
        seen = await self._seen(request)
        if seen is None:
            return _problem(404, say(cards.NO_SUCH_CLIP))
        return JSONResponse(seen, headers={"cache-control": "no-store"})

    async def file(self, request: Request) -> Response:
        """clip.gif, clip.mp4 or clip.webp (`?download` for keeping it), tile.webp or still.webp."""
        match = _FILE.fullmatch(request.path_params["name"])
        clip = await self._shown(request) if match else None
        if match is None or clip is None or self.convert is None:
            return PlainTextResponse(say(cards.NO_SUCH_CLIP), status_code=404)
        if self._making >= MOST_MAKING:
            return PlainTextResponse(sentences.busy(), status_code=503, headers={"retry-after": "2"})
        self._making += 1
        try:
            made = await _unless_gone(request, self.convert(clip.id, match[2] or match[3]))
        finally:
            self._making -= 1
        if isinstance(made, str):
            return PlainTextResponse(say(made), status_code=404)
        kind = match[2] or "webp"
        how = "attachment" if "download" in request.query_params else "inline"
        return await file_response(request, made, TYPES[kind], f"zoetrope-{clip.id}.{kind}", how)

    def _here(self) -> tuple[str, str]:
        return self.address.surface, self.address.place

    async def _some(self, words: str, after: tuple[float, str] | None) -> Json:
        """A page of the wall; the count of all is told with the first."""
        async with self.database.reading() as tx:
            found = await gallery.page(tx, *self._here(), words, after, PAGE_CLIPS)
            count = await gallery.count(tx, *self._here(), None, words) if after is None else None
            crisp = await _crisp(tx)
        more = {} if count is None else {"count": count}
        return {"clips": [_tile(clip, crisp) for clip in found], "more": len(found) == PAGE_CLIPS, **more}

    async def _shown(self, request: Request) -> Clip | None:
        clip_id = request.path_params["clip"]
        if not _ID.fullmatch(clip_id):
            return None
        async with self.database.reading() as tx:
            return await gallery.shown(tx, *self._here(), clip_id)

    async def _seen(self, request: Request) -> Json | None:
        clip = await self._shown(request)
        if clip is None:
            return None
        async with self.database.reading() as tx:
            crisp = await _crisp(tx)
            job = await queue.get(tx, clip.job)
            older = await gallery.shown(tx, *self._here(), job.origin) if job and job.origin else None
        made_from = f"/gallery/{older.id}" if older else ""
        return _view(clip, crisp, sentences.facts(clip, job.created_at if job else None, made_from))


def _words(request: Request) -> str:
    return request.query_params.get("q", "")[:WORDS_CHARS].strip()


def _key(clip: Clip) -> str:
    return f"{clip.created_at!r}_{clip.id}"


def _key_of(text: str) -> tuple[float, str] | None:
    found = _KEY.fullmatch(text)
    return (float(found[1]), found[2]) if found else None


async def _crisp(tx: AsyncConnection) -> frozenset[str]:
    """The models whose clips are to be enlarged without smoothing."""
    return frozenset(model.name for model in await models.known(tx) if model.crisp)


def _tile(clip: Clip, crisp: frozenset[str]) -> Json:
    """A clip as the wall gets it."""
    return {
        "id": clip.id,
        "key": _key(clip),
        "title": shorten(clip.spec.prompt, TILE_CHARS),
        "crisp": clip.spec.model in crisp,
        "covered": clip.verdict.spoiler,
    }


def _view(clip: Clip, crisp: frozenset[str], facts: tuple[sentences.Fact, ...]) -> Json:
    """A clip as its page shows it."""
    here = f"/gallery/{clip.id}"
    return {
        **_tile(clip, crisp),
        "title": clip.spec.prompt,
        "mark": sentences.mark(clip),
        "width": clip.spec.width,
        "height": clip.spec.height,
        "page": here,
        "video": f"{here}/clip.mp4",
        "still": f"{here}/still.webp",
        "files": [{"name": name, "link": f"{here}/clip.{kind}?download"} for kind, name in NAMES.items()],
        "again": f"/#{urlencode({'prompt': clip.spec.prompt})}",  # behind #, so that it reaches no server
        "facts": [fact._asdict() for fact in facts],
    }


async def _unless_gone(request: Request, work: Awaitable[Path | str]) -> Path | str:
    """What `work` gives; it is given up when the browser no longer waits for it."""
    making, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((making, leaving), return_when=asyncio.FIRST_COMPLETED)
        return making.result() if making.done() else sentences.busy()  # which nobody reads
    finally:
        making.cancel()
        leaving.cancel()
        await asyncio.wait((making, leaving))


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _problem(status: int, sentence: str) -> Response:
    return JSONResponse({"sentence": sentence}, status_code=status)
