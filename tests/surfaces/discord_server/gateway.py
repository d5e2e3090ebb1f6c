"""The gateway: sessions that are identified, kept alive, dropped and resumed; dispatches that survive in between."""

from __future__ import annotations

import asyncio
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.surfaces.discord_server.state import World
from tests.surfaces.discord_server.world import Channel, Guild, Json, timestamp

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11
GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES = 1 << 0, 1 << 9, 1 << 12
PRIVILEGED = 1 << 1 | 1 << 8 | 1 << 15
TAIL = b"\x00\x00\xff\xff"


@dataclass(eq=False)
class Link:
    """One open socket, compressed as one stream if the client asked for that."""

    socket: web.WebSocketResponse
    request: web.Request
    stream: Any = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    session: Session | None = None

    async def send(self, frame: Json) -> None:
        async with self.lock:
            if self.socket.closed:
                return
            text = json.dumps(frame)
            if self.stream is None:
                await self.socket.send_str(text)
            else:
                data = self.stream.compress(text.encode()) + self.stream.flush(zlib.Z_SYNC_FLUSH)
                assert data.endswith(TAIL)
                await self.socket.send_bytes(data)

    def abort(self) -> None:
        if self.request.transport is not None:
            self.request.transport.abort()


@dataclass(eq=False)
class Session:
    """What a client identified once; it outlives its sockets."""

    id: str
    shard: tuple[int, int]
    intents: int
    link: Link | None = None
    sequence: int = 0
    sent: list[Json] = field(default_factory=list)

    async def dispatch(self, event: str, data: Any) -> None:
        self.sequence += 1
        frame = {"op": DISPATCH, "t": event, "s": self.sequence, "d": data}
        self.sent.append(frame)
        if self.link is not None:
            await self.link.send(frame)


class Gateway:
    """Serves /gateway. Counters tell what clients did; the methods are what may happen to them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.url = ""
        self.resume_url = ""  # where a session shall go on, if it is not here
        self.heartbeat_ms = 41_250
        self.identifies = self.resumes = self.heartbeats = self.refused = 0
        self.refuses = False  # answer 503 to whoever connects
        self.intents = 0  # of the last IDENTIFY
        self.sessions: dict[str, Session] = {}
        self._links: set[Link] = set()

    # --- what may happen ---

    def drop(self) -> None:
        """Every socket breaks, without a word; the sessions may be resumed."""
        for link in list(self._links):
            link.abort()

    async def close(self, code: int = 4000) -> None:
        """Every socket is closed with a code; sessions that end with 1000 or 1001 are gone."""
        for link in list(self._links):
            if code in (1000, 1001):
                self.forget(link)
            await link.socket.close(code=code)

    async def ask_to_reconnect(self) -> None:
        """Opcode 7."""
        for link in list(self._links):
            await link.send({"op": RECONNECT, "d": None})

    async def invalidate(self, *, resumable: bool = False) -> None:
        """Opcode 9."""
        for link in list(self._links):
            if not resumable:
                self.forget(link)
            await link.send({"op": INVALID, "d": resumable})

    async def dispatch_raw(self, event: str, data: Any) -> None:
        """A dispatch as it is, well-formed or not, to every session."""
        for session in self.sessions.values():
            await session.dispatch(event, data)

    def forget(self, link: Link) -> None:
        if link.session is not None:
            self.sessions.pop(link.session.id, None)

    @property
    def connected(self) -> int:
        """How many sessions have a socket."""
        return sum(session.link is not None for session in self.sessions.values())

    async def until_connected(self, sessions: int = 1) -> None:
        """Until so many sessions have identified or resumed."""
        await self._world.until(lambda: self.connected >= sessions)

    # --- events ---

    async def dispatch(self, event: str, data: Any, channel: Channel | Guild | None = None, intent: int = 0) -> None:
        """To the session of the shard that a guild belongs to; conversations belong to shard 0."""
        guild = channel.guild if isinstance(channel, Channel) else channel
        if guild is not None and not guild.has_bot and event != "GUILD_DELETE":
            return
        for session in list(self.sessions.values()):
            number, count = session.shard
            mine = number == (int(guild.id) >> 22) % count if guild is not None else number == 0
            if mine and (not intent or session.intents & intent):
                await session.dispatch(event, data)

    def guild_json(self, guild: Guild) -> Json:
        """As GUILD_CREATE has it."""
        bot = self._world.bot
        inside = [one for one in self._world.channels.values() if one.guild is guild and not one.gone]
        return {
            **guild.json(),
            "joined_at": timestamp(guild.joined_at),
            "large": False,
            "unavailable": False,
            "member_count": len(guild.members),
            "members": [guild.member(bot)],
            "channels": [one.json(bot) for one in inside if not one.is_thread],
            "threads": [one.json(bot) for one in inside if one.is_thread and not one.archived],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    async def channel_changed(self, channel: Channel) -> None:
        event = "THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE"
        await self.dispatch(event, channel.json(self._world.bot), channel, GUILDS)

    # --- serving ---

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if self.refuses:
            self.refused += 1
            self._world.touch()
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(max_msg_size=4096)
        await socket.prepare(request)
        compressed = request.query.get("compress") == "zlib-stream"
        link = Link(socket, request, zlib.compressobj() if compressed else None)
        self._links.add(link)
        try:
            await link.send({"op": HELLO, "d": {"heartbeat_interval": self.heartbeat_ms}})
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._heard(link, json.loads(message.data))
        finally:
            self._links.discard(link)
            if link.session is not None and link.session.link is link:
                link.session.link = None
            self._world.touch()
        return socket

    async def _heard(self, link: Link, frame: Json) -> None:
        if frame["op"] == HEARTBEAT:
            self.heartbeats += 1
            await link.send({"op": ACK})
        elif frame["op"] == IDENTIFY:
            await self._identify(link, frame["d"])
        elif frame["op"] == RESUME:
            await self._resume(link, frame["d"])
        self._world.touch()

    async def _identify(self, link: Link, said: Json) -> None:
        if said["token"] != self._world.token:
            await link.socket.close(code=4004, message=b"Authentication failed.")
            return
        if said["intents"] & PRIVILEGED:
            await link.socket.close(code=4014, message=b"Disallowed intent(s).")
            return
        self.identifies, self.intents = self.identifies + 1, said["intents"]
        number, count = said.get("shard", (0, 1))
        session = Session(self._world.new_id(), (number, count), said["intents"], link)
        link.session = self.sessions[session.id] = session
        mine = [g for g in self._world.guilds.values() if g.has_bot and (int(g.id) >> 22) % count == number]
        ready = {
            "v": 10,
            "user": self._world.bot.json(),
            "guilds": [{"id": guild.id, "unavailable": True} for guild in mine],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.resume_url or self.url,
            "application": {"id": self._world.application, "flags": 0},
            "shard": [number, count],
            "_trace": [],
        }
        await session.dispatch("READY", ready)
        for guild in mine if session.intents & GUILDS else []:
            await session.dispatch("GUILD_CREATE", self.guild_json(guild))

    async def _resume(self, link: Link, said: Json) -> None:
        session = self.sessions.get(said["session_id"])
        if session is None or said["token"] != self._world.token:
            await link.send({"op": INVALID, "d": False})
            return
        self.resumes += 1
        if session.link is not None:
            session.link.abort()
        link.session, session.link = session, link
        for frame in [frame for frame in session.sent if frame["s"] > said["seq"]]:
            await link.send(frame)
        await session.dispatch("RESUMED", {"_trace": []})
