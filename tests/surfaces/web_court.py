"""A court beside a served page: a chat with moderators, what waits for them, and browsers that are signed in."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from bot.port import Unreachable
from bot.surfaces.recording import RecordingSurface
from db import cases, console, queue, quotas, refusals, reviews, standing
from db.ids import new_id
from db.records import (
    Action,
    Address,
    Asker,
    Caller,
    Case,
    Circumstances,
    ConsoleSession,
    Decision,
    Handle,
    Job,
    JobState,
    Refusal,
    ReviewKind,
    Ruling,
    Strike,
    Verdict,
)
from tests.surfaces.web_wall import SPEC, film

CHAT = "recording"
PUBLIC_FIGURE = Verdict(Ruling.HELD, "P5", "a public figure", ("public-figure",), "plain", "1")
TERROR = Verdict(Ruling.REFUSED, "C5", "terror", ("terror",), "plain", "1")


class Chat(RecordingSurface):
    """A platform that can be out of reach."""

    silent = False

    async def circumstances(self, address: Address, asker: Asker) -> Circumstances:
        if self.silent:
            raise Unreachable("nobody answers")
        return await super().circumstances(address, asker)


@dataclass
class Signed:
    """A browser that is signed in at one place; no window."""

    client: httpx.AsyncClient
    surface: str
    place: str
    token: str = ""

    @property
    def at(self) -> str:
        return f"/moderation/at/{self.surface}/{self.place}"

    async def get(self, path: str = "", **how: Any) -> httpx.Response:
        return await self.client.get(f"{self.at}{path}", **how)

    async def post(self, path: str, **fields: Any) -> httpx.Response:
        return await self.client.post(f"{self.at}{path}", json=fields, headers={"x-zoetrope-token": self.token})

    async def read_token(self) -> str:
        found = re.search(r'name="zoetrope-token" content="([0-9a-f]{64})"', (await self.get("/cases")).text)
        assert found
        self.token = found[1]
        return self.token


@dataclass
class Court:
    """`mod` moderates both places of the chat where nothing else is said."""

    house: Any
    chat: Chat = field(default_factory=Chat)

    def __post_init__(self) -> None:
        self.house.core.surfaces[CHAT] = self.chat

    def let_moderate(self, who: str, place: str, *, moderator: bool = True) -> None:
        self.chat.people[Address(CHAT, place), Asker(CHAT, who)] = Circumstances(moderator=moderator)

    # --- signing in ---

    async def link(self, who: str, place: str, seconds: float = 600) -> str:
        """The secret of a link that the bot made."""
        secret = secrets.token_hex(32)
        until = self.house.clock() + seconds
        session = ConsoleSession(Asker(CHAT, who), CHAT, place, self.house.clock(), until)
        async with self.house.core.database.transaction() as tx:
            await console.offer(tx, hashlib.sha256(secret.encode()).hexdigest(), session)
        return secret

    @asynccontextmanager
    async def signed_in(self, who: str, place: str) -> AsyncIterator[Signed]:
        self.let_moderate(who, place)
        async with self.browser() as client:
            entered = await client.post(f"/moderation/enter/{await self.link(who, place)}")
            assert entered.status_code == 303
            signed = Signed(client, CHAT, place)
            await signed.read_token()
            yield signed

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[httpx.AsyncClient]:
        url = self.house.url
        async with httpx.AsyncClient(base_url=url, headers={"origin": url}, timeout=20) as client:
            yield client

    # --- what waits ---

    async def held(self, place: str, prompt: str, who: str = "500001", surface: str = CHAT) -> str:
        """The id of the review of a held job."""
        now, handle = self.house.clock(), Handle(Address(surface, place), "m")
        spec = replace(SPEC, prompt=prompt)
        job = Job(new_id(), Asker(surface, who), handle, spec, PUBLIC_FIGURE, "gif", 1000, JobState.HELD, 0, now, now)
        async with self.house.core.database.transaction() as tx:
            await queue.enqueue(tx, job)
            await quotas.reserve(tx, job.id, job.asker, job.cost, now)
            await self.house.core.commands.moderation.open_held(tx, job)
        return await self._review(surface, place, ReviewKind.HELD, job.id)

    async def reported(self, place: str, prompt: str, *reasons: str, surface: str = CHAT) -> str:
        """The id of the review of a clip that as many people reported as there are reasons."""
        (clip,) = await film(self.house, prompt, place=place, surface=surface, at=self.house.clock())
        for number, reason in enumerate(reasons or ("",)):
            caller = Caller(Asker(surface, f"60000{number}"), Address(surface, place))
            await self.house.core.commands.moderation.report(caller, clip.id, reason)
        return await self._review(surface, place, ReviewKind.REPORTED, clip.id)

    async def appealed(self, place: str, prompt: str, verdict: Verdict = TERROR, surface: str = CHAT) -> str:
        """The id of the review of a refusal that somebody appealed against."""
        asker, now = Asker(surface, "700001"), self.house.clock()
        refusal = Refusal(new_id(), surface, new_id(), asker, Address(surface, place), verdict, prompt, now)
        async with self.house.core.database.transaction() as tx:
            await refusals.record(tx, refusal)
        await self.house.core.commands.moderation.appeal(Caller(asker, refusal.address), refusal.id)
        return await self._review(surface, place, ReviewKind.APPEAL, refusal.id)

    async def struck(self, place: str, who: str = "500001", reason: str = "rude", surface: str = CHAT) -> Case:
        """The case of a strike."""
        now, mod = self.house.clock(), Asker(surface, "mod")
        asker = Asker(surface, who)
        async with self.house.core.database.transaction() as tx:
            case = await cases.add(tx, Case(surface, place, 0, mod, asker, Action.STRIKE, reason, now, rule="by hand"))
            await standing.strike(tx, Strike(new_id(), surface, place, asker, 1, case.number, now, now + 86400.0))
        return case

    async def decision(self, review: str) -> Decision | None:
        async with self.house.core.database.reading() as tx:
            found = await reviews.get(tx, review)
        assert found
        return found.decision

    async def decide(self, who: str, place: str, review: str, decision: Decision) -> None:
        """Somebody else decides, elsewhere."""
        self.let_moderate(who, place)
        caller = Caller(Asker(CHAT, who), Address(CHAT, place), Circumstances(moderator=True))
        await self.house.core.commands.moderation.decide(caller, review, decision)

    async def cases(self, place: str, surface: str = CHAT) -> list[Case]:
        async with self.house.core.database.reading() as tx:
            return await cases.browse(tx, surface, place)

    async def _review(self, surface: str, place: str, kind: ReviewKind, subject: str) -> str:
        async with self.house.core.database.reading() as tx:
            found = await reviews.open_of(tx, surface, place, kind, subject)
        assert found
        return found.id
