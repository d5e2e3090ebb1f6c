"""A Discord on 127.0.0.1 that the real client can't tell from the real one, for tests: see `DiscordServer`."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.surfaces.discord_server.contract import contract
from tests.surfaces.discord_server.faults import ApiError, Bucket, Call, Fault, Window
from tests.surfaces.discord_server.people import People
from tests.surfaces.discord_server.rest import Route
from tests.surfaces.discord_server.world import Clock

API = "/api/v10"
GENEROUS = (10_000, 1.0)
MAJOR = ("channel_id", "guild_id", "webhook_id", "webhook_token")


class DiscordServer(People):
    """REST, gateway and CDN on one port; every request is judged by Discord's own schema.

        async with DiscordServer().serving() as server:
            guild = server.guild("crew", ann := server.person("ann"))
            general = server.channel(guild, "general")
            ... start a bot with server.token at server.api_base, server.gateway_url, server.cdn_base ...
            await server.gateway.until_connected()
            act = await server.invoke("video", {"prompt": "a heart"}, user=ann, channel=general)
            assert "a heart" in act.reply.text
            await server.click(act.reply, "Cancel")

    The clock decides about deadlines, ages and ids; rate limits and held requests run on real time. `violations` holds
    what the schema says against the requests, `problems` what a person would not like; a test must end without.
    """

    def __init__(self, clock: Clock = time.time) -> None:
        super().__init__(clock)
        self.limits: dict[str, tuple[int, float]] = {}  # requests and seconds by "METHOD /path/{with}/names"
        self.global_limit: Window | None = None
        self.mute: set[str] = set()  # routes that take what comes and answer nothing to it
        self.base = ""
        self._faults: list[Fault] = []
        self._buckets: dict[str, Bucket] = {}
        self._routes: list[tuple[Route, re.Pattern[str]]] = []

    @property
    def api_base(self) -> str:
        return f"{self.base}{API}"

    @property
    def gateway_url(self) -> str:
        return self.gateway.url

    @property
    def cdn_base(self) -> str:
        return self.rest.cdn_base

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[DiscordServer]:
        """Listen on 127.0.0.1 until the block ends; port 0 is any free one."""
        self._routes = [
            (route, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.template))) for route in self.rest.routes()
        ]
        app = web.Application(client_max_size=1 << 30)
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/cdn/{path:.*}", self._serve_file)
        app.router.add_route("*", f"{API}{{path:/.*}}", self._serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        bound: tuple[str, int] = runner.addresses[0]
        self.base = f"http://127.0.0.1:{bound[1]}"
        self.gateway.url = f"ws://127.0.0.1:{bound[1]}/gateway"
        self.rest.cdn_base = f"{self.base}/cdn"
        try:
            yield self
        finally:
            for fault in self._faults:
                if fault.gate is not None:
                    fault.gate.set()
            self.gateway.drop()
            await runner.cleanup()

    # --- faults: what happens to the next requests on a route, "METHOD /path/{with}/names" with * for anything ---

    def fail(
        self,
        route: str,
        status: int,
        *,
        code: int = 0,
        message: str = "Something went wrong",
        times: int = 1,
        after: bool = False,
        html: bool = False,
        only: Callable[[Call], bool] | None = None,
    ) -> Fault:
        """An error; with `after` the request took effect all the same.

        With `html` it comes as a page, as it does from what stands before Discord.
        """
        error = ApiError(status, code, message)
        error.page = html
        return self._put(Fault(route, times, after, error, only=only))

    def throttle(
        self,
        route: str,
        retry_after: float,
        *,
        times: int = 1,
        everything: bool = False,
        only: Callable[[Call], bool] | None = None,
    ) -> Fault:
        """429, for the route's bucket or for `everything` the bot does."""
        return self._put(Fault(route, times, error=_too_many(retry_after, everything), only=only))

    def drop(
        self, route: str, *, times: int = 1, after: bool = False, only: Callable[[Call], bool] | None = None
    ) -> Fault:
        """The connection breaks before or after the request took effect; no answer comes."""
        return self._put(Fault(route, times, after, drops=True, only=only))

    def hold(
        self, route: str, *, times: int = 1, after: bool = False, only: Callable[[Call], bool] | None = None
    ) -> Fault:
        """Nothing happens until `release()` of what is returned; with `after`, only the answer is held back."""
        return self._put(Fault(route, times, after, gate=asyncio.Event(), only=only))

    def stop_faults(self) -> None:
        self._faults = []

    def _put(self, fault: Fault) -> Fault:
        self._faults.append(fault)
        return fault

    # --- serving ---

    async def _serve_file(self, request: web.Request) -> web.Response:
        url = f"{self.cdn_base}/{request.match_info['path']}"
        for message in self.messages.values():
            for file in message.attachments:
                if file.url.partition("?")[0] == url:
                    return web.Response(body=file.content, content_type=file.content_type)
        raise web.HTTPNotFound

    async def _serve(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        route, values = self._route(request.method, path)
        body, files, form = await _read(request)
        template = route.template if route else ""
        call = Call(request.method, path, template, dict(request.query), body, files, self.clock())
        self.calls.append(call)
        headers: dict[str, str] = {}
        page = False
        try:
            await self._suffer(call, request, after=False)
            self._judge(call, form)
            known = self._admitted(route, call, request)
            self._meter(known, values, headers)
            status, answer = await self._effect(known, call, values)
            await self._suffer(call, request, after=True)
            if call.route in self.mute:
                status = 204
        except ApiError as error:
            status, answer, page = error.status, error.body, error.page
            headers |= _headers_of(error)
        except _Dropped:
            status, answer = 0, None
        call.status, call.answer = status, answer
        self.touch()
        return _response(status, answer, headers, page=page)

    def _admitted(self, route: Route | None, call: Call, request: web.Request) -> Route:
        if route is None:
            self.violations.append(f"{call.method} {call.path}: the loopback server does not know this route.")
            raise ApiError(404, 0, "404: Not Found")
        if route.authorised and request.headers.get("Authorization") != f"Bot {self.token}":
            raise ApiError(401, 0, "401: Unauthorized")
        return route

    def _route(self, method: str, path: str) -> tuple[Route | None, dict[str, str]]:
        for route, pattern in self._routes:
            if route.method == method and (found := pattern.fullmatch(path)):
                return route, found.groupdict()
        return None, {}

    def _judge(self, call: Call, form: str) -> None:
        judge = contract()
        trouble = judge.trouble(call.method, call.path, call.query, call.body, form, call.files) if judge else ""
        if trouble:
            self.violations.append(trouble)
            raise ApiError(400, 50035, f"Invalid Form Body: {trouble}")

    async def _effect(self, route: Route, call: Call, values: dict[str, str]) -> tuple[int, Any]:
        try:
            status, answer = await route.handler(call, **values)
        except ApiError:
            raise
        except Exception as error:
            self.violations.append(f"{route.name}: the loopback server failed with {error!r}.")
            raise ApiError(500, 0, "500: Internal Server Error") from error
        judge = contract()
        if judge is not None and (wrong := judge.wrong_answer(call.method, call.path, status, answer)):
            self.problems.append(f"The loopback server speaks wrongly: {wrong}.")
        return status, answer

    def _meter(self, route: Route, values: dict[str, str], headers: dict[str, str]) -> None:
        """Count the request against its bucket and the limit over all routes; fills in the headers."""
        now = asyncio.get_running_loop().time()
        if route.authorised and self.global_limit is not None and (wait := self.global_limit.take(now)):
            raise _too_many(wait, everywhere=True)
        key = ":".join([route.name, *(values[name] for name in MAJOR if name in values)])
        bucket = self._buckets.get(key)
        wanted = self.limits.get(route.name, GENEROUS)
        if bucket is None or (bucket.limit, bucket.seconds) != wanted:
            bucket = self._buckets[key] = Bucket(*wanted)
        wait = bucket.take(now)
        headers |= bucket.headers(f"{hash(route.name) & 0xFFFFFFFF:08x}", now, time.time())
        if wait:
            raise _too_many(wait, everywhere=False)

    async def _suffer(self, call: Call, request: web.Request, *, after: bool) -> None:
        fault = next((one for one in self._faults if one.after is after and one.takes(call)), None)
        if fault is None:
            return
        fault.met.set()
        self.touch()
        if fault.gate is not None:
            await fault.gate.wait()
        if fault.drops:
            if request.transport is not None:
                request.transport.abort()
            raise _Dropped
        if fault.error is not None:
            raise fault.error


class _Dropped(Exception):
    """The connection is broken: whatever is answered reaches nobody."""


async def _read(request: web.Request) -> tuple[Any, dict[str, tuple[str, bytes]], str]:
    """The JSON of the body, the uploaded files by the names of their parts, and the content type."""
    form = request.content_type if request.can_read_body else ""
    if form != "multipart/form-data":
        text = await request.text()
        return (json.loads(text) if text else None), {}, form
    body: Any = None
    files: dict[str, tuple[str, bytes]] = {}
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        assert not isinstance(part, type(reader)), "multipart inside multipart"
        content = bytes(await part.read())  # type: ignore[union-attr]
        if part.name == "payload_json":  # type: ignore[union-attr]
            body = json.loads(content)
        else:
            files[part.name or ""] = (part.filename or "", content)  # type: ignore[union-attr]
    return body, files, form


def _too_many(wait: float, everywhere: bool) -> ApiError:
    error = ApiError(429, 0, "You are being rate limited.", retry_after=round(wait, 3))
    error.body["global"] = everywhere
    return error


def _headers_of(error: ApiError) -> dict[str, str]:
    if error.status != 429:
        return {}
    everywhere = bool(error.body.get("global"))
    scope = {"X-RateLimit-Scope": "global" if everywhere else "user"}
    told = {"Retry-After": str(max(1, round(error.body.get("retry_after", 1)))), "Via": "1.1 google"}
    return {**scope, **told, **({"X-RateLimit-Global": "true"} if everywhere else {})}


def _response(status: int, answer: Any, headers: dict[str, str], *, page: bool) -> web.Response:
    """With a Content-Type of exactly application/json, which is what the client looks for."""
    if status in (0, 204):
        return web.Response(status=204, headers=headers)
    if page:
        return web.Response(status=status, text="<html>Bad gateway</html>", content_type="text/html", headers=headers)
    return web.Response(
        status=status, body=json.dumps(answer).encode(), content_type="application/json", headers=headers
    )
