"""What can go wrong between a bot and Discord, on purpose: failures by route, and rate limits by bucket."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """What Discord answers instead of success."""

    def __init__(self, status: int, code: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "code": code, **more}
        self.page = False  # comes as HTML


@dataclass(eq=False)
class Call:
    """A request that came in, and how it was answered (status 0: not yet, or the connection was dropped)."""

    method: str
    path: str  # without the base
    template: str  # with {names} for what varies; empty when nothing like it is served
    query: dict[str, str]
    body: Any
    files: dict[str, tuple[str, bytes]] = field(repr=False)
    at: float
    status: int = 0
    answer: Any = None

    @property
    def route(self) -> str:
        return f"{self.method} {self.template}"


@dataclass(eq=False)
class Fault:
    """Does something to the next `times` requests on a route; `met` is set when the first one came there.

    With `after`, the request has taken effect by then, and only the answer suffers.
    """

    route: str
    times: int
    after: bool = False
    error: ApiError | None = None
    drops: bool = False  # the connection breaks
    gate: asyncio.Event | None = None  # held back until this is set
    only: Callable[[Call], bool] | None = None
    met: asyncio.Event = field(default_factory=asyncio.Event)
    hits: int = 0

    def takes(self, call: Call) -> bool:
        """Whether this request is one of those; counts it."""
        if self.hits >= self.times or not matches(self.route, call) or (self.only and not self.only(call)):
            return False
        self.hits += 1
        return True

    def release(self) -> None:
        """Let the requests go on that are held back."""
        assert self.gate is not None
        self.gate.set()


def matches(route: str, call: Call) -> bool:
    """`route` is "METHOD /path/{with}/names", a concrete path, or has a * for anything."""
    pattern = re.escape(route).replace(r"\*", ".*")
    return bool(re.fullmatch(pattern, call.route) or re.fullmatch(pattern, f"{call.method} {call.path}"))


@dataclass
class Bucket:
    """At most `limit` requests in any window of `seconds` that begins with its first request."""

    limit: int
    seconds: float
    began: float = -1e9
    used: int = 0

    def take(self, now: float) -> float:
        """0 when the request may pass, else the seconds to wait."""
        if now - self.began >= self.seconds:
            self.began, self.used = now, 0
        if self.used >= self.limit:
            return self.began + self.seconds - now
        self.used += 1
        return 0.0

    def headers(self, name: str, now: float, wall: float) -> dict[str, str]:
        left = max(0.0, self.began + self.seconds - now)
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.limit - self.used),
            "X-RateLimit-Reset": f"{wall + left:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
            "X-RateLimit-Bucket": name,
        }


@dataclass
class Window:
    """At most `limit` requests in any `seconds`: the limit over all routes."""

    limit: int
    seconds: float = 1.0
    times: deque[float] = field(default_factory=deque)

    def take(self, now: float) -> float:
        while self.times and now - self.times[0] >= self.seconds:
            self.times.popleft()
        if len(self.times) >= self.limit:
            return self.times[0] + self.seconds - now
        self.times.append(now)
        return 0.0
