"""Around every route: only our own names in Host, only our own page as Origin of a post, and strict headers.

A page of another site can make a browser send requests here. Host stops those that reach us under a foreign name (DNS
rebinding), Origin and SameSite cookies stop forged posts, the Content-Security-Policy stops anything but our own files.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot import cards
from bot.language import say, speaking
from bot.surfaces.web.callers import language_of
from bot.surfaces.web.password import is_loopback
from db.config import WebConfig

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
    "referrer-policy": "same-origin",  # with none, a browser sends no Origin along with a form
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True)
class Names:
    """What Host may say. `secure` ones are reached by https, through a proxy of the operator's.

    `addresses`: whether any plain address with our port will do. A page of another site comes under that site's name,
    never under an address of ours.
    """

    plain: frozenset[str]
    secure: frozenset[str]
    port: int
    addresses: bool = False

    def __contains__(self, host: str) -> bool:
        return host in self.plain or host in self.secure or (self.addresses and self._is_address(host))

    def origin(self, host: str) -> str:
        """The only Origin that a post to this host may have."""
        return f"{'https' if host in self.secure else 'http'}://{host}"

    def _is_address(self, host: str) -> bool:
        name, _, port = host.rpartition(":") if host.rpartition(":")[2].isdecimal() else (host, "", "80")
        try:
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return False
        return port == str(self.port)


def own_names(config: WebConfig, port: int) -> Names:
    """Loopback's names and the configured ones, with our port (which may be left out if it is 80).

    A configured name may also come without a port, or with one of its own, as a proxy in front of us has it.
    """
    host = config.host.lower()
    ours = {"127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host}
    plain = {f"{name}:{port}" for name in ours} | (ours if port == 80 else set())
    named = [name.lower() for name in config.names]
    secure = {name.removeprefix("https://") for name in named if name.startswith("https://")}
    for name in named:
        if not name.startswith("https://"):
            plain |= {name, f"{name}:{port}"}
    return Names(frozenset(plain), frozenset(secure), port, addresses=not is_loopback(config.host))


@dataclass(frozen=True)
class Guard:
    """ASGI middleware."""

    app: ASGIApp
    names: Names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope["method"], headers)
        scope["state"] = {**scope.get("state", {}), "secure": headers.get("host", "").lower() in self.names.secure}
        with speaking(language_of(headers.get("accept-language", ""))):
            app = PlainTextResponse(say(refusal), status_code=403) if refusal else self.app
            await app(scope, receive, _with_headers(send, HEADERS.items()))

    def _refusal(self, method: str, headers: Headers) -> str:
        host = headers.get("host", "").lower()
        if host not in self.names:
            return cards.FOREIGN_HOST
        if method not in {"GET", "HEAD"} and headers.get("origin", "").lower() != self.names.origin(host):
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
