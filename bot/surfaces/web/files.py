"""The files that the page shows: clips, previews, and the page's own."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bot import cards
from bot.language import say
from db import gallery, queue, room
from db.database import Database
from db.room import RoomMessage

MOST_PREVIEW_BYTES = 8 * 1024 * 1024
TYPES = {"gif": "image/gif", "mp4": "video/mp4", "webp": "image/webp"}
FOR_EVER = "private, max-age=31536000, immutable"

_CLIP_FILE = re.compile(r"([0-9a-z]{1,64})\.(gif|mp4|webp)", re.ASCII)
_PREVIEW_FILE = re.compile(r"[0-9a-z]{1,64}\.webp", re.ASCII)

# (clip id, format) -> the file, or the sentence that says why there is none
Convert = Callable[[str, str], Awaitable[Path | str]]


@dataclass(frozen=True)
class Files:
    """Reads below two folders; `convert` makes other formats and may stay away; `here` is the surface and place of the
    room."""

    database: Database
    renditions: Path
    previews: Path
    convert: Convert | None
    here: tuple[str, str]

    def routes(self) -> list[Route]:
        return [Route("/clips/{name}", self.clip), Route("/previews/{name}", self.preview)]

    async def clip(self, request: Request) -> Response:
        """A clip's file, as it was delivered or in another format; whole or in ranges."""
        found = _CLIP_FILE.fullmatch(request.path_params["name"])
        message = await self._message(found[1]) if found else None
        if found is None or message is None or not message.rendition:
            return PlainTextResponse(say(cards.NO_SUCH_CLIP), status_code=404)
        file = await self._clip_file(message, found[2])
        if isinstance(file, str):
            return PlainTextResponse(say(file), status_code=404)
        clip = message.card["card"]["clip"]
        shown_as = "attachment" if "download" in request.query_params else "inline"
        return await file_response(request, file, TYPES[found[2]], f"zoetrope-{clip}.{found[2]}", shown_as)

    async def preview(self, request: Request) -> Response:
        """The preview of a rendering job. It is replaced while we look, so it is read in one go.

        A preview goes when its job ends, and its card a moment later: who asks in between gets nothing, which is no
        error.
        """
        name = request.path_params["name"]
        if not _PREVIEW_FILE.fullmatch(name) or not await self._is_job_of_here(name.removesuffix(".webp")):
            return PlainTextResponse(say(cards.NO_PREVIEW), status_code=404)
        content = await asyncio.to_thread(_read, self.previews / name, MOST_PREVIEW_BYTES)
        if content is None:
            return Response(status_code=204, headers={"cache-control": "no-store"})
        return Response(content, media_type="image/webp", headers={"cache-control": "private, max-age=60"})

    async def _is_job_of_here(self, job_id: str) -> bool:
        """What is made for other places is nobody's business in the room."""
        async with self.database.reading() as tx:
            job = await queue.get(tx, job_id)
        return job is not None and (job.handle.address.surface, job.handle.address.place) == self.here

    async def _message(self, message_id: str) -> RoomMessage | None:
        """A card whose clip may be seen: one that was hidden or deleted a moment ago may still stand there."""
        async with self.database.reading() as tx:
            message = await room.get(tx, message_id)
            clip = await gallery.get(tx, message.card["card"]["clip"]) if message and not message.deleted else None
            is_seen = clip and not clip.hidden and not await gallery.is_withheld(tx, clip.id, *self.here)
        return message if is_seen else None

    async def _clip_file(self, message: RoomMessage, kind: str) -> Path | str:
        """The delivered rendition, or one made on demand: in another format, or because the cache was emptied."""
        delivered = self.renditions / message.rendition
        if kind == message.card["media"]["format"] and await asyncio.to_thread(delivered.is_file):
            return delivered
        if self.convert is None:
            return cards.NO_SUCH_CLIP
        return await self.convert(message.card["card"]["clip"], kind)


class OwnFiles(StaticFiles):
    """The page's own files, asked for anew each time: a new version takes effect with the next reload."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response


async def file_response(request: Request, file: Path, kind: str, name: str, shown_as: str) -> Response:
    """A file under an address that names the clip, so that what it shows never changes."""
    try:
        stat = await asyncio.to_thread(os.stat, file)
    except OSError:
        return PlainTextResponse(say(cards.NO_SUCH_CLIP), status_code=404)
    headers = {"cache-control": FOR_EVER}
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
