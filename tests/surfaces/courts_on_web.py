"""A court on the web page: the one room, new browsers for each test, and moderators who decide in the console.

Whoever knows the operator's password moderates the room: `mia` and `max` are two browsers that are signed in with it.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bot import intents
from bot.core import opened
from bot.surfaces.web import password
from bot.surfaces.web.browsers import Browsers, load_key
from bot.together import side_by_side
from db import models
from db.config import Config, DataConfig
from db.records import Address, Asker, Decision
from tests.surfaces.conftest import POCKET, House
from tests.surfaces.courts import PATIENCE, PRESSES, Button, Court, Life, Stands, typed
from tests.surfaces.web_court import Signed

WORD = "correct horse battery"
ROOM = Address("web", "main")


@dataclass(frozen=True, eq=False)
class Browser:
    """Somebody at a browser without a window. `console`: where they are signed in as moderator."""

    client: httpx.AsyncClient
    token: str
    id: str
    console: Signed | None = None

    async def post(self, path: str, **fields: str) -> Any:
        return (await self.client.post(path, json=fields, headers={"x-zoetrope-token": self.token})).json()


@dataclass(frozen=True)
class RoomCard:
    """What everybody sees in the room, by its message."""

    message: str


@dataclass(frozen=True)
class OwnCard:
    """What one browser alone was shown."""

    drawn: dict[str, Any]


@dataclass(frozen=True)
class ReviewCard:
    """A review in the console."""

    id: str


Card = RoomCard | OwnCard | ReviewCard


class WebGround:
    """The bot with the page as its only surface, and one page that is open all the time: what it is told is seen."""

    def __init__(self, folder: Path, mould: Path) -> None:
        shutil.copy(mould, folder / "zoetrope.db")
        password.write(folder / "operator.password", WORD)
        self._folder = folder
        self._stack = AsyncExitStack()
        self._port = 0
        self._changed = asyncio.Event()
        self._page: asyncio.Task[None] | None = None
        self.room: dict[str, Any] = {}
        self.signed_in: dict[str, str] = {}  # the moderators' sessions
        self.life = Life(self._living)

    async def start(self) -> None:
        await self.life.start()

    async def stop(self) -> None:
        await self.life.stop()
        await self._stack.aclose()

    @asynccontextmanager
    async def _living(self) -> AsyncIterator[House]:
        async with opened(Config(data=DataConfig(folder=self._folder))) as core:
            async with core.database.transaction() as tx:
                await models.announce(tx, "r", [POCKET], time.time())
            house = House(core, self._folder, self._port)
            await house.serve(operator_password_file=self._folder / "operator.password")
            self._port = house.port
            async with side_by_side(list(core.loops())):
                page = asyncio.create_task(self._look_on())
                yield house
                await house.stop()
                await page  # its stream ends with the server

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[httpx.AsyncClient]:
        """One that nobody knows yet."""
        url = f"http://127.0.0.1:{self._port}"
        async with httpx.AsyncClient(base_url=url, headers={"origin": url}, timeout=PATIENCE) as client:
            yield client

    async def _look_on(self) -> None:
        event = ""
        async with self.browser() as client, client.stream("GET", "/events") as said:
            async for line in said.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data" and event in {"room", "message"}:
                    found = json.loads(value)
                    for message in found if event == "room" else [found]:
                        self.room[message["id"]] = message
                    told, self._changed = self._changed, asyncio.Event()
                    told.set()

    async def until(self, look: Callable[[], Any]) -> Any:
        """What `look` finds; it looks whenever the open page is told something."""
        async with asyncio.timeout(PATIENCE):
            while not (found := look()):
                await self._changed.wait()
        return found

    @asynccontextmanager
    async def court(self) -> AsyncIterator[Court]:
        async with AsyncExitStack() as stack:
            yield WebCourt(self, stack, *[await self.enter(stack, name) for name in ("", "mia", "max")])

    async def enter(self, stack: AsyncExitStack, moderator: str = "") -> Browser:
        """Open the page in one more browser, and in the console as this moderator.

        Signing in is made slow on purpose: who is signed in stays so for the next test.
        """
        client = await stack.enter_async_context(self.browser())
        found = re.search(r'name="zoetrope-token" content="([0-9a-f]{64})"', (await client.get("/")).text)
        assert found
        browsers = Browsers(await asyncio.to_thread(load_key, self._folder))
        known = browsers.asker(f"{browsers.cookie_name}={client.cookies[browsers.cookie_name]}")
        assert known
        if not moderator:
            return Browser(client, found[1], known)
        name = f"{browsers.cookie_name}-console"
        if moderator not in self.signed_in:
            assert (await client.post("/moderation/sign-in", data={"password": WORD})).status_code == 303
            self.signed_in[moderator] = client.cookies[name]
        client.cookies.set(name, self.signed_in[moderator], domain="127.0.0.1")
        console = Signed(client, ROOM.surface, ROOM.place)
        await console.read_token()
        return Browser(client, found[1], known, console)


@dataclass
class WebCourt:
    """The room; its people are browsers."""

    ground: WebGround
    stack: AsyncExitStack
    ann: Browser
    mia: Browser
    max: Browser

    @property
    def address(self) -> Address:
        return ROOM

    async def member(self) -> Browser:
        return await self.ground.enter(self.stack)

    def asker(self, person: Browser) -> Asker:
        return Asker("web", person.id)

    async def ask(self, person: Browser, prompt: str) -> Card:
        told = await person.post("/say", text=prompt)
        await self.ground.until(lambda: told["message"] in self.ground.room)
        return RoomCard(told["message"])

    async def command(self, person: Browser, name: str, *, moderators: bool = False, **options: Any) -> Card:
        said = {key: value.id if isinstance(value, Browser) else value for key, value in options.items()}
        told = await person.post("/say", text=typed(name, moderators=moderators, **said))
        return OwnCard(told["card"])

    async def press(self, card: Card, button: Button, person: Browser) -> str:
        """A review's button is pressed in the room, where /zreview shows it."""
        token = (await self.stands(card)).token(button)
        return str((await person.post("/press", button=token))["sentence"])

    async def stands(self, card: Card, look: Callable[[Stands], bool] = lambda now: True) -> Stands:
        match card:
            case RoomCard(message):
                await self.ground.until(lambda: look(_drawn(self.ground.room[message])))
                return _drawn(self.ground.room[message])
            case OwnCard(drawn):
                assert look(_drawn(drawn))  # nobody draws it anew
                return _drawn(drawn)
            case ReviewCard(review):
                now = await self._of_review(review)
                assert look(now)  # decided in one transaction
                return now

    async def _of_review(self, review: str) -> Stands:
        """Its part of the queue, or what the open queue is told of it."""
        assert self.mia.console is not None
        page = (await self.mia.console.get()).text
        part = re.search(rf'<article id="review-{review}".*?</article>', page, re.DOTALL)
        if part is None:
            told = (await self.mia.console.get(f"/news?open={review}")).json()["decided"]
            return Stands(told[review], ())
        offered = re.findall(r'name="decision" value="([a-z ]+)" data-key', part[0])
        tokens = tuple(intents.token(PRESSES[Decision(each)](review)) for each in offered)
        words = html.unescape(re.sub(r"<[^>]+>", " ", part[0]))
        return Stands(words, tokens, "<video" in part[0])

    async def review(self, words: str) -> Card:
        """Found by its words on the page of the queue."""
        assert self.mia.console is not None
        page = (await self.mia.console.get()).text
        parts = re.findall(r'<article id="review-(\w+)"(.*?)</article>', page, re.DOTALL)
        (found,) = [review for review, part in parts if words in html.unescape(part)]
        return ReviewCard(found)

    async def decide(self, review: Card, decision: Decision, moderator: Browser) -> str:
        assert isinstance(review, ReviewCard)
        assert moderator.console is not None
        answer = await moderator.console.post("/decide", review=review.id, decision=decision)
        return str(answer.json()["sentence"])

    async def told(self, card: Card, words: str) -> str:
        assert isinstance(card, RoomCard)
        found = await self.ground.until(lambda: words in (note := self.ground.room[card.message]["note"]) and note)
        return str(found)

    async def demote(self, moderator: Browser) -> None:
        """They sign out in another window; this one knows nothing of it."""
        assert moderator.console is not None
        async with self.ground.browser() as window:
            window.cookies.update(moderator.client.cookies)
            self.ground.signed_in = {
                name: session
                for name, session in self.ground.signed_in.items()
                if session not in moderator.client.cookies.values()
            }
            left = await window.post("/moderation/sign-out", data={"token": moderator.console.token})
            assert left.status_code == 303


def _drawn(message: dict[str, Any]) -> Stands:
    if message.get("deleted"):
        return Stands("", ())
    facts = [f"{name}: {value}" for name, value in message.get("facts", [])]
    words = "\n".join([message["title"], message["status"], *facts])
    tokens = tuple(button["token"] for button in message["buttons"])
    return Stands(words, tokens, message["media"] is not None)
