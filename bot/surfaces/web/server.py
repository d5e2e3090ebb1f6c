"""The socket and the server on it: bound before anything is promised, stopped within a second."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from bot.errors import PortTaken

GRACE_SECONDS = 1  # requests that are still being answered at a stop get this long


class Server(uvicorn.Server):
    """uvicorn on our own socket; signals are the program's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(host: str, port: int) -> socket.socket:
    """Listen on a loopback address; PortTaken, a sentence, when that can't be done."""
    if not _is_loopback(host):
        raise PortTaken(
            f"The web page serves this machine only in this version, so it can't listen on {host}: "
            "set host to 127.0.0.1 under [web]."
        )
    address = "127.0.0.1" if host == "localhost" else host
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family, backlog=256)
    except OSError as error:
        why, shown = os.strerror(error.errno or 0).lower(), f"[{host}]" if ":" in host else host
        raise PortTaken(
            f"The web page can't listen on {shown}:{port} ({why}): stop the program that does, "
            "or choose another port under [web] or with --port."
        ) from error


def serving(app: ASGIApp) -> Server:
    """A server for `app` that trusts no proxy headers and logs no requests: their bodies are prompts."""
    return Server(
        uvicorn.Config(
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
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
