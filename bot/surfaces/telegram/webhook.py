"""Updates that are sent to us: stored before they are acknowledged, taken only from whoever knows the secret."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import os
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import PortTaken
from bot.surfaces.telegram.inbox import Inbox, number_of
from db.config import TelegramConfig
from db.errors import StoreError

MOST_BYTES = 1_000_000  # of one update
HEADER = "x-telegram-bot-api-secret-token"
GRACE_SECONDS = 1

log = logging.getLogger(__name__)


class Webhook:
    """The one route, on a port of its own."""

    def __init__(self, config: TelegramConfig, inbox: Inbox, secret: str) -> None:
        self._config = config
        self._inbox = inbox
        self.secret = secret
        self._socket: socket.socket | None = None

    def open(self) -> int:
        """Bind the port and return it; PortTaken, a sentence, when that can't be done."""
        if self._socket is None:
            self._socket = _bind(self._config.webhook_host, self._config.webhook_port)
        return int(self._socket.getsockname()[1])

    async def run(self) -> None:
        """Serve until cancelled."""
        self.open()
        assert self._socket is not None
        listening, self._socket = self._socket, None
        server = _Server(_settings(self.app()))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            await asyncio.wait([serving])
            serving.result()
        finally:
            server.should_exit = True
            await asyncio.wait([serving])
            listening.close()

    def close(self) -> None:
        """Let go of a port that was opened and never served."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def app(self) -> Starlette:
        path = urlsplit(self._config.webhook_url).path or "/"
        return Starlette(routes=[Route(path, self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        """200 says that the update is stored; anything else has Telegram send it again."""
        if not hmac.compare_digest(request.headers.get(HEADER, "").encode(), self.secret.encode()):
            return Response(status_code=403)
        body = await _read(request)
        if body is None:
            return Response(status_code=400)
        try:
            await self._inbox.keep([body])
        except StoreError as error:
            log.error("An update from Telegram can't be stored and is sent again: %s", error)  # noqa: TRY400
            return Response(status_code=503)
        return Response(status_code=200)


class _Server(uvicorn.Server):
    """uvicorn on our own socket; signals are the program's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _settings(app: Starlette) -> uvicorn.Config:
    """Trust no proxy headers, log no requests: their bodies are prompts."""
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        raise PortTaken(
            f"Telegram's webhook can't listen on {host}:{port} ({why}): stop the program that does, "
            "or choose another webhook_port under [telegram]."
        ) from error


async def _read(request: Request) -> dict[str, Any] | None:
    """One update, or None for anything else."""
    read = bytearray()
    async for piece in request.stream():
        read += piece
        if len(read) > MOST_BYTES:
            return None
    try:
        body = json.loads(read)
    except (ValueError, RecursionError):
        return None
    return body if number_of(body) is not None else None
