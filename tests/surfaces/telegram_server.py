"""A Telegram Bot API server on loopback: real sockets, real refusals, and people who write, press and leave.

    async with serving() as telegram:
        ada = telegram.person("Ada")
        chat = telegram.private(ada)
        telegram.say(chat, ada, "/video a cat")
        card = await telegram.until(lambda: next((m for m in telegram.messages(chat) if m.buttons), None))
        press = telegram.press(card, "Cancel", ada)

Point a client at `base_url` and `base_file_url` with the token `TOKEN`. Every call is judged by Telegram's official
list of methods; what breaks it is refused with 400 and kept in `violations`, and `serving` fails the test at its end.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from aiohttp import web

from tests.surfaces.telegram_chats import GROUPS, Chat, Json, Message, Person
from tests.surfaces.telegram_methods import BOT, ApiError, Methods, Params, Press, Search, Upload, World, member
from tests.surfaces.telegram_official import Official

T = TypeVar("T")
TOKEN = "4242:loopback"
PATIENCE = 20.0  # seconds; an upper bound for what takes milliseconds on an idle machine
HIDDEN = {"chat_member", "message_reaction", "message_reaction_count"}  # updates that must be asked for by name
GUESSED = re.compile(  # names of parameters that are no text
    r"(chat|user|message|message_thread)_id|offset|limit|timeout|width|height|duration|reply_\w+|media|results|button"
    r"|commands|scope|allowed_updates|\w*entities|link_preview_options|has_spoiler|is_personal|show_alert|drop_\w+"
)
COUNTED = re.compile(r"send(?!ChatAction)|editMessage", re.IGNORECASE)


@dataclass(frozen=True)
class Call:
    """One call as it was answered; `status` 0 means that no answer was given."""

    method: str
    values: Json
    files: dict[str, Upload]
    at: float
    status: int

    @property
    def chat(self) -> Any:
        return self.values.get("chat_id")


@dataclass(eq=False)
class Fault:
    """What goes wrong with the next `times` calls of a method (at one chat).

    `status` or `retry_after`: answered so, without effect. `drop` "before" or "after" the effect: the connection is
    cut. `hold`: the effect happens, the answer waits for `release()` or until the client hangs up. `then` is done
    after the effect and before the answer.
    """

    method: str
    status: int = 0
    retry_after: int = 0
    description: str = ""
    drop: str = ""
    hold: bool = False
    then: Callable[[], None] | None = None
    times: int = 1
    chat: Chat | None = None
    hits: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        self.released.set()

    def meets(self, method: str, params: Params) -> bool:
        here = self.chat is None or params.get("chat_id") == self.chat.id
        return self.method in {method, "*"} and here and self.hits < self.times

    def refusal(self) -> ApiError | None:
        if self.retry_after:
            said = f"Too Many Requests: retry after {self.retry_after}"
            return ApiError(429, said, retry_after=self.retry_after)
        names = {
            502: "Bad Gateway",
            500: "Internal Server Error",
            409: "Conflict: terminated by other getUpdates request",
        }
        return ApiError(self.status, self.description or names.get(self.status, "Bad Request")) if self.status else None


@dataclass
class Pace:
    """How much a chat takes before it answers 429: `group` calls in `minute` seconds, `each` in one; 0: no limit."""

    group: int
    each: int
    minute: float
    clock: Callable[[], float]
    done: dict[int, list[float]] = field(default_factory=dict)

    def wait(self, chat: Chat) -> int:
        """Whole seconds to wait before this chat takes a message, which is counted if it is 0."""
        now = self.clock()
        past = self.done[chat.id] = [one for one in self.done.get(chat.id, []) if one > now - self.minute]
        free = now
        if self.group and chat.type in GROUPS and len(past) >= self.group:
            free = max(free, past[-self.group] + self.minute)
        if self.each and len(past) >= self.each:
            free = max(free, past[-self.each] + 1)
        if free <= now:
            past.append(now)
            return 0
        return int(free - now) + 1


@dataclass(frozen=True)
class Offered:
    """One result of an inline search."""

    search: Search
    result: Json


class TelegramServer:
    """The server and the people in front of it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.world = World()
        self.clock = clock
        self.official = Official.find()
        self.violations: list[str] = []
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.pace: Pace | None = None
        self.inline_feedback = True
        self.proxy = ""  # what stands behind the webhook's https address; empty: the address itself is pushed to
        self.port = 0
        self._methods = Methods(self.world)
        self._runner: web.AppRunner | None = None
        self._pusher: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self.polls = 0
        self._numbers = itertools.count(1)
        self._update_numbers = itertools.count(70_000_001)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/bot"

    @property
    def base_file_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/file/bot"

    # --- serving ---

    async def start(self) -> None:
        """Serve on a free port, or on the last one again after `stop`."""
        app = web.Application(client_max_size=2**31)
        app.router.add_route("*", "/bot{token}/{method}", self._serve)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._pusher = asyncio.create_task(self._push())

    async def stop(self) -> None:
        """Unreachable from now on; chats and waiting updates are kept."""
        if self._pusher is not None:
            self._pusher.cancel()
            await asyncio.wait([self._pusher])
        for fault in self.faults:
            fault.release()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != TOKEN:
            return answer(ApiError(401, "Unauthorized"))
        asked, params, files = request.match_info["method"], dict(request.query), {}
        for name, value in (await self._body(request)).items():
            if isinstance(value, web.FileField):
                with value.file as sent:
                    files[name] = Upload(value.filename, value.content_type, sent.read())
            else:
                params[name] = value
        return await self._called(request, asked, params, files)

    async def _body(self, request: web.Request) -> dict[str, Any]:
        if request.content_type == "application/json":
            sent = await request.json()
            return sent if isinstance(sent, dict) else {}
        return dict(await request.post())

    async def _called(
        self, request: web.Request, asked: str, sent: Json, files: dict[str, Upload]
    ) -> web.StreamResponse:
        method, params, problem = self._judged(asked, sent, files)
        fault = None if problem else next((one for one in self.faults if one.meets(method, params)), None)
        if fault is not None:
            fault.hits += 1
        refusal = problem or (fault and fault.refusal()) or self._throttled(method, params)
        if refusal is None and fault is not None and fault.drop == "before":
            self._note(method, params, 0)
            return cut(request)
        result = refusal or await self._done(method, params)
        status = result.code if isinstance(result, ApiError) else 200
        lost = refusal is None and fault is not None and (fault.hold or fault.drop == "after")
        self._note(method, params, 0 if lost else status)
        if refusal is None and fault is not None:
            if fault.then is not None:
                fault.then()
            if fault.drop == "after":
                return cut(request)
            if fault.hold:
                await fault.released.wait()
        return answer(result)

    def _judged(self, asked: str, sent: Json, files: dict[str, Upload]) -> tuple[str, Params, ApiError | None]:
        """The method as officially spelled, its typed parameters, and a refusal if the official list says no."""
        known = {name.lower(): name for name in self._methods.table} | {"getupdates": "getUpdates"}
        method = (self.official.name(asked) if self.official else known.get(asked.lower())) or ""
        if not method or method.lower() not in known:
            self.violations.append(f"There is no method {asked!r}{' on this test server' if method else ''}.")
            return asked, Params(sent, files), ApiError(404, "Not Found")
        if self.official is None:
            return method, Params({name: _guessed(name, value) for name, value in sent.items()}, files), None
        judged = self.official.judge(method, sent, frozenset(files))
        self.violations += judged.problems
        data = any("BUTTON_DATA_INVALID" in problem for problem in judged.problems)
        said = "BUTTON_DATA_INVALID" if data else "; ".join(judged.problems)
        return method, Params(judged.values, files), ApiError(400, f"Bad Request: {said}") if judged.problems else None

    def _throttled(self, method: str, params: Params) -> ApiError | None:
        chat = self.world.chats.get(params.get("chat_id", 0))
        if self.pace is None or chat is None or not COUNTED.match(method):
            return None
        seconds = self.pace.wait(chat)
        return ApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds) if seconds else None

    async def _done(self, method: str, params: Params) -> Any:
        """The method's result, or the refusal."""
        try:
            return await self._updates(params) if method == "getUpdates" else self._methods.table[method](params)
        except ApiError as refusal:
            if refusal.misuse:
                self.violations.append(f"{method}: {refusal}")
            return refusal

    def _note(self, method: str, params: Params, status: int) -> None:
        self.calls.append(Call(method, params.values, params.files, self.clock(), status))
        self.changed()

    async def _download(self, request: web.Request) -> web.StreamResponse:
        path, files = request.match_info["path"], self.world.files.values()
        stored = next((one for one in files if one.path == path), None)
        if request.match_info["token"] != TOKEN or stored is None:
            return answer(ApiError(404, "Not Found"))
        return web.Response(body=stored.content, content_type=stored.mime)

    # --- updates ---

    async def _updates(self, call: Params) -> list[Json]:
        """Long polling: an offset confirms (forgets) everything below it; a newer poll ends an older one."""
        if self.world.webhook:
            said = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            raise ApiError(409, f"Conflict: {said}")
        self.polls += 1
        mine, waiting = self.polls, self.world.updates
        self.changed()
        if "allowed_updates" in call.values:
            self.world.allowed = call.get("allowed_updates")
        offset = call.get("offset", 0)
        kept = waiting[offset:] if offset < 0 else [one for one in waiting if one["update_id"] >= offset]
        waiting[:] = kept
        with suppress(TimeoutError):
            await self.until(lambda: waiting or mine != self.polls, call.get("timeout", 0))
        if mine != self.polls:
            said = "terminated by other getUpdates request; make sure that only one bot instance is running"
            raise ApiError(409, f"Conflict: {said}")
        return waiting[: call.get("limit", 100)]

    def tell(self, kind: str, payload: Json) -> Json | None:
        """Queue an update for the bot, if it asked for this kind."""
        allowed = self.world.allowed
        if kind not in allowed if allowed else kind in HIDDEN:
            return None
        update = {"update_id": next(self._update_numbers), kind: payload}
        if self.official is not None and (wrong := self.official.check("Update", update)):
            raise AssertionError(f"the test server made an update that Telegram never sends: {wrong}")
        self.world.updates.append(update)
        self.changed()
        return update

    async def _push(self) -> None:
        """Deliver waiting updates to the webhook, one after the other, again until it takes them."""
        async with httpx.AsyncClient(timeout=10, verify=False) as client:  # plain http
            while True:
                await self.until(lambda: self.world.webhook and self.world.updates, None)
                update = self.world.updates[0]
                if await self._pushed(client, update):
                    self.world.updates[:] = [one for one in self.world.updates if one is not update]
                    self.changed()
                else:  # Telegram too tries again after a while
                    with suppress(TimeoutError):
                        await self.until(lambda: not self.world.webhook, 0.2)

    async def _pushed(self, client: httpx.AsyncClient, update: Json) -> bool:
        hook = self.world.webhook
        secret = hook.get("secret_token", "")
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        try:
            reply = await client.post(self.proxy or hook["url"], json=update, headers=headers)
        except httpx.HTTPError as trouble:
            said = str(trouble) or type(trouble).__name__
        else:
            if reply.is_success:
                return True
            said = f"Wrong response from the webhook: {reply.status_code} {reply.reason_phrase}"
        hook |= {"last_error": said, "last_error_date": int(time.time())}
        self.changed()
        return False

    # --- waiting and looking ---

    def changed(self) -> None:
        """Wake everybody who waits for something to happen."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, look: Callable[[], T], patience: float | None = PATIENCE) -> T:
        """What `look` finds once it is true; it looks whenever something happened here."""
        async with asyncio.timeout(patience):
            while not (found := look()):
                await self._changed.wait()
            return found

    async def sees(self, chat: Chat, look: Callable[[Message], bool]) -> Message:
        """The first message of a chat that looks so, once there is one."""
        return await self.until(lambda: next((one for one in self.messages(chat) if look(one)), None)) or _never()

    def messages(self, chat: Chat) -> list[Message]:
        """What stands in a chat now."""
        return [one for one in chat.history if not one.deleted]

    def clips(self, chat: Chat) -> list[Message]:
        """The messages of a chat that carry a clip."""
        return [one for one in self.messages(chat) if one.kind in {"animation", "document", "video"}]

    def made(self, method: str, chat: Chat | None = None) -> list[Call]:
        """The calls of a method so far (at one chat)."""
        return [one for one in self.calls if one.method == method and (chat is None or one.chat == chat.id)]

    def traffic(self, chat: Chat) -> list[float]:
        """When messages and edits reached a chat (what its rate limit counts), by the server's clock."""
        return [one.at for one in self.calls if one.chat == chat.id and COUNTED.match(one.method)]

    def commands(self, scope: str = "default", language: str = "", **more: int) -> list[Json]:
        """The commands that are set for a scope ("all_group_chats", ...) and language."""
        named = {"type": scope, **more}
        return self.world.commands.get((json.dumps(named, sort_keys=True), language), [])

    def forgive(self, fragment: str) -> None:
        """A test that breaks the rules on purpose says so; fails if the rule was not broken."""
        kept = [one for one in self.violations if fragment not in one]
        assert len(kept) < len(self.violations), f"nothing like {fragment!r} among {self.violations}"
        self.violations = kept

    def fault(self, method: str, **how: Any) -> Fault:
        """The next call of `method` ("*" for any) goes wrong; see Fault."""
        self.faults.append(Fault(method, **how))
        return self.faults[-1]

    def limit(self, group: int = 20, each: int = 0, minute: float = 60.0) -> None:
        """From now on 429 answers over `group` messages and edits a `minute` in a group, `each` a second anywhere."""
        self.pace = Pace(group, each, minute, lambda: self.clock())

    # --- people and chats ---

    def person(self, name: str, *, language: str = "en") -> Person:
        number = 700_000_000 + next(self._numbers)
        return self._met(Person(number, name, f"{name.lower()}_{number}", language))

    def _met(self, person: Person) -> Person:
        self.world.people[person.id] = person
        return person

    def private(self, person: Person, *, started: bool = True) -> Chat:
        return self._chat(Chat(person.id, "private", person.first_name, person, bot="member" if started else "new"))

    def group(self, title: str, *people: Person) -> Chat:
        """A basic group; the first of `people` created it."""
        return self._chat(Chat(-500 - next(self._numbers), "group", title, members=_ranked(people)))

    def supergroup(self, title: str, *people: Person, topics: tuple[str, ...] = ()) -> Chat:
        """With `topics` a forum; the first of `people` created it."""
        number = -1_001_000_000_000 - next(self._numbers)
        chat = self._chat(Chat(number, "supergroup", title, forum=bool(topics), members=_ranked(people)))
        for name in topics:
            made = chat.add(
                sender=people[0] if people else BOT,
                service={"forum_topic_created": {"name": name, "icon_color": 7322096}},
            )
            made.thread = made.id
            chat.topics[made.id] = name
        return chat

    def channel(self, title: str, *admins: Person, bot: str = "administrator") -> Chat:
        members = dict.fromkeys((one.id for one in admins), "administrator")
        return self._chat(Chat(-1_002_000_000_000 - next(self._numbers), "channel", title, members=members, bot=bot))

    def _chat(self, chat: Chat) -> Chat:
        self.world.chats[chat.id] = chat
        return chat

    def topic(self, chat: Chat, name: str) -> int:
        """A topic's thread id."""
        return next(thread for thread, title in chat.topics.items() if title == name)

    # --- what people do ---

    def say(
        self,
        chat: Chat,
        person: Person,
        text: str,
        *,
        reply_to: Message | None = None,
        thread: int = 0,
        ago: int = 0,
        naming: Person | None = None,
    ) -> Message:
        """Write a message (so many seconds `ago`); the bot hears of it if it may (privacy mode).

        `naming` is somebody whose first name in the text was chosen from the list of members, as of those who have no
        @name. In a group an anonymous administrator's words are the group's own.
        """
        if chat.type == "private" and chat.bot == "new":
            chat.bot = "member"
        if chat.type in GROUPS:
            chat.members.setdefault(person.id, "member")
        marks = _commands_in(text) + ([_named_in(text, naming)] if naming else [])
        thread = thread or (reply_to.thread if reply_to else 0)
        answered = reply_to.id if reply_to else 0
        sender = None if person.id in chat.anonymous else person
        message = chat.add(sender=sender, text=text, entities=marks, thread=thread, reply_to=answered)
        message.date -= ago
        if self._heard(chat, message, reply_to):
            self.tell("message", message.json(BOT))
        self.changed()
        return message

    def _heard(self, chat: Chat, message: Message, reply_to: Message | None) -> bool:
        if chat.bot not in {"member", "administrator"} or chat.moved_to:
            return False
        if chat.type == "private" or chat.bot == "administrator" or not self.world.privacy:
            return True
        to_me = reply_to is not None and reply_to.sender == BOT
        aimed = re.findall(r"^/\w+(?:@(\w+))?", message.text)
        return to_me or any(not name or name.lower() == BOT.username.lower() for name in aimed)

    def post(self, channel: Chat, text: str) -> Message:
        """A channel's admin posts under the channel's name."""
        message = channel.add(sender=None, text=text, entities=_commands_in(text))
        self.tell("channel_post", message.json(BOT))
        return message

    def press(self, message: Message, button: str, person: Person) -> Press:
        """Press the button with this label or data; see `answered`."""
        found = [one for one in message.buttons if button in {one["text"], one.get("callback_data")}]
        assert found, f"no button {button!r} among {message.labels}"
        press = Press(str(10**15 + next(self._numbers)), person)
        self.world.presses[press.id] = press
        query = {"id": press.id, "from": person.json(), "chat_instance": str(message.chat.id)}
        if message.inline_id:
            query["inline_message_id"] = message.inline_id
        else:
            query["message"] = message.json(BOT)
        self.tell("callback_query", query | {"data": found[0]["callback_data"]})
        return press

    async def answered(self, press: Press) -> str:
        """What the bot's answer to the press says (empty for a silent one)."""
        await self.until(lambda: press.answer is not None)
        return press.toast

    async def inline(
        self, person: Person, words: str, offset: str = "", chat_type: str = "supergroup"
    ) -> tuple[list[Offered], str]:
        """Type words after the bot's name: what is offered, and the offset of what comes next."""
        search = Search(str(10**15 + next(self._numbers)), person, words)
        self.world.searches[search.id] = search
        query = {"id": search.id, "from": person.json(), "query": words, "offset": offset, "chat_type": chat_type}
        self.tell("inline_query", query)
        await self.until(lambda: search.answer is not None)
        answer = search.answer or {}
        return [Offered(search, result) for result in answer["results"]], answer.get("next_offset", "")

    def choose(self, offered: Offered, chat: Chat) -> Message:
        """Post an offered result into a chat, in one's own name."""
        result, person = offered.result, offered.search.person
        named = next((value for key, value in result.items() if key.endswith("_file_id")), None)
        markup = result.get("reply_markup")
        message = chat.add(sender=person, text=result.get("caption", ""), markup=markup, via_bot=True)
        if named is not None:
            message.file, message.kind = self.world.files[named], "animation"
        else:
            message.text = result["input_message_content"]["message_text"]
        chosen = {"result_id": result["id"], "from": person.json(), "query": offered.search.words}
        if markup:
            message.inline_id = chosen["inline_message_id"] = f"inline-{next(self._numbers)}"
            self.world.inline[message.inline_id] = message
        if self.inline_feedback:
            self.tell("chosen_inline_result", chosen)
        return message

    def remove(self, message: Message) -> None:
        """Somebody deletes a message; bots are never told."""
        message.deleted = True

    def block(self, person: Person) -> None:
        """The person blocks the bot."""
        self._station(self.world.chats[person.id], person, "blocked")

    def unblock(self, person: Person) -> None:
        self._station(self.world.chats[person.id], person, "member")

    def kick(self, chat: Chat, by: Person) -> None:
        """The bot is thrown out of a group."""
        self._station(chat, by, "kicked")

    def promote(self, chat: Chat, person: Person, by: Person, rank: str = "administrator") -> None:
        """Make somebody (or the bot) an administrator, or with "member" an ordinary member again."""
        if person == BOT:
            return self._station(chat, by, rank)
        old, chat.members[person.id] = chat.members.get(person.id, "left"), rank
        self.tell("chat_member", self._became(chat, by, member(person, old), member(person, rank)))
        return None

    def _station(self, chat: Chat, by: Person, rank: str) -> None:
        old, chat.bot = chat.bot, rank
        self.tell("my_chat_member", self._became(chat, by, member(BOT, old), member(BOT, rank)))

    def _became(self, chat: Chat, by: Person, old: Json, new: Json) -> Json:
        told = {"chat": chat.json(), "from": by.json(), "date": int(time.time())}
        return told | {"old_chat_member": old, "new_chat_member": new}

    def migrate(self, group: Chat, by: Person) -> Chat:
        """A basic group becomes a supergroup: a new id, the old one refuses."""
        chat = self.supergroup(group.title)
        chat.members, chat.bot, group.moved_to = dict(group.members), group.bot, chat.id
        left = group.add(sender=by, service={"migrate_to_chat_id": chat.id})
        arrived = chat.add(sender=by, service={"migrate_from_chat_id": group.id})
        self.tell("message", left.json(BOT))
        self.tell("message", arrived.json(BOT))
        return chat


@asynccontextmanager
async def serving(*, clock: Callable[[], float] = time.monotonic) -> AsyncIterator[TelegramServer]:
    """A server that is reachable; at the end every call must have been one that Telegram's official list allows."""
    server = TelegramServer(clock=clock)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
    assert not server.violations, "Calls broke Telegram's rules:\n  " + "\n  ".join(server.violations)


def answer(result: Any) -> web.Response:
    """A result or a refusal as Telegram writes it."""
    if not isinstance(result, ApiError):
        return web.json_response({"ok": True, "result": result})
    told: Json = {"ok": False, "error_code": result.code, "description": str(result)}
    if result.parameters:
        told["parameters"] = result.parameters
    return web.json_response(told, status=result.code)


def cut(request: web.Request) -> web.Response:
    """Cut the connection; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _guessed(name: str, value: Any) -> Any:
    """A parameter's value where there is no official list to say its type."""
    try:
        return json.loads(value) if isinstance(value, str) and GUESSED.fullmatch(name) else value
    except ValueError:
        return value


def _ranked(people: tuple[Person, ...]) -> dict[int, str]:
    return {one.id: "member" if at else "creator" for at, one in enumerate(people)}


def _commands_in(text: str) -> list[Json]:
    """Telegram marks what looks like a command."""
    found = re.finditer(r"(?<!\S)/[A-Za-z0-9_]{1,64}(?:@\w+)?", text)
    return [
        {"type": "bot_command", "offset": len(text[: one.start()].encode("utf-16-le")) // 2, "length": len(one[0])}
        for one in found
    ]


def _named_in(text: str, person: Person) -> Json:
    """The mention of somebody by their first name."""
    at = len(text.partition(person.first_name)[0].encode("utf-16-le")) // 2
    long = len(person.first_name.encode("utf-16-le")) // 2
    return {"type": "text_mention", "offset": at, "length": long, "user": person.json()}


def _never() -> Any:
    raise AssertionError("waiting ended without a result")
