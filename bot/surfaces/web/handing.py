"""Files that one browser is handed once: what is stored about whoever is at it."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from bot.answers.my_data import Export
from bot.cards import web
from bot.surfaces.web.callers import Visitors
from bot.surfaces.web.pages import Pages
from db.records import Asker

SECONDS = 600.0  # for which a file waits to be fetched
_SECRET = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Offer:
    asker: Asker
    export: Export
    until: float


@dataclass
class Handing:
    """Remembers what it offered for a few minutes; a person has one offer at a time."""

    visitors: Visitors
    pages: Pages
    clock: Callable[[], float]
    _offers: dict[str, _Offer] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        return [Route("/mydata/{secret}", self.fetch)]

    async def offer(self, asker: Asker, export: Export) -> str:
        """Where this browser, and no other, fetches the file."""
        now = self.clock()
        stale = [secret for secret, each in self._offers.items() if each.until <= now or each.asker == asker]
        for secret in stale:
            await asyncio.to_thread(self._offers.pop(secret).export.discard)
        secret = secrets.token_hex(16)
        self._offers[secret] = _Offer(asker, export, now + SECONDS)
        return f"/mydata/{secret}"

    async def fetch(self, request: Request) -> Response:
        """The file, which is removed when it has been sent. Asking what it is like uses nothing up."""
        caller = await self.visitors.caller(request)
        secret = request.path_params["secret"]
        offer = self._offers.get(secret) if _SECRET.fullmatch(secret) else None
        if offer is None or caller is None or offer.asker != caller.asker or offer.until <= self.clock():
            return self.pages.sentence(request, 404, web.file_gone())
        path, after = offer.export.path, None
        assert path is not None
        if request.method == "GET":
            del self._offers[secret]
            after = BackgroundTask(asyncio.to_thread, offer.export.discard)
        return FileResponse(
            path,
            filename=path.name,
            media_type="application/zip",
            headers={"cache-control": "no-store"},
            background=after,
        )
