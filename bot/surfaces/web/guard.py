"""Around every route: only our own names in Host, only our own page as Origin of a post, and strict headers.

A page of another site can make a browser send requests here. Host stops those that reach us under a foreign name (DNS
rebinding), Origin and SameSite cookies stop forged posts, the Content-Security-Policy stops anything but our own files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot import cards

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def own_hosts(host: str, port: int) -> frozenset[str]:
    """What Host may say: loopback's names and the configured one, with our port (which may be left out if it is 80)."""
    names = {"127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host.lower()}
    with_port = {f"{name}:{port}" for name in names}
    return frozenset(with_port | names) if port == 80 else frozenset(with_port)


@dataclass(frozen=True)
class Guard:
    """ASGI middleware; `hosts` are the values of Host that are ours."""

    app: ASGIApp
    hosts: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        app = PlainTextResponse(refusal, status_code=403) if refusal else self.app
        await app(scope, receive, _with_headers(send, HEADERS.items()))

    def _refusal(self, method: str, headers: Headers) -> str:
        host = headers.get("host", "").lower()
        if host not in self.hosts:
            return cards.FOREIGN_HOST
        if method not in {"GET", "HEAD"} and headers.get("origin", "").lower() != f"http://{host}":
            return cards.FOREIGN_ORIGIN
        return ""


def _with_headers(send: Send, extra: Iterable[tuple[str, str]]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in extra:
                headers.setdefault(name, value)
        await send(message)

    return sending
