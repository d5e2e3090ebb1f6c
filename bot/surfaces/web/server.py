"""The socket and the server on it: bound before anything is promised, stopped within a second."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import resource
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from bot.errors import PortTaken

BACKLOG = 1024  # all pages come back at once when the server was away
MOST_PAGES = 4000  # told of changes at a time
OTHER_FILES = 300  # sockets of requests and of chats, files, the database
GRACE_SECONDS = 1  # requests that are still being answered at a stop get this long


class Server(uvicorn.Server):
    """uvicorn on our own socket; signals are the program's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def is_everywhere(host: str) -> bool:
    """Whether that stands for all addresses of this machine, and so is none to open in a browser."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def address_to_open(host: str, port: int) -> str:
    """Where a browser on this machine finds what listens on `host`; all of IPv6 does not mean IPv4 too."""
    if is_everywhere(host):
        host = "::1" if ":" in host else "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def bind(host: str, port: int) -> socket.socket:
    """Listen there; PortTaken, a sentence, when that can't be done."""
    address = "127.0.0.1" if host == "localhost" else host
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listening = socket.create_server((address, port), family=family, backlog=BACKLOG)
    except OSError as error:
        why = str(error.strerror) if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        shown = f"[{host}]" if ":" in host else host
        raise PortTaken(
            f"The web page can't listen on {shown}:{port} ({why.lower()}): stop the program that does, "
            "or choose another address or port under [web] or with --host and --port."
        ) from error
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it on sockets of its own making only
    return listening


def pages_at_once() -> int:
    """How many pages may be told of changes: each holds a socket, and a process may open so many files and no more.

    The limit is raised as far as this process may raise it and has a use for it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_PAGES + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST_PAGES if soft == resource.RLIM_INFINITY else max(1, min(MOST_PAGES, soft - OTHER_FILES))


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
