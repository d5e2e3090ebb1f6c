"""What a browser asks for, handed to the commands and the answers; nothing is decided here.

Whatever is for one browser alone comes back with the answer to its post: a card, a sentence, or where to go.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot import cards, intents, menu, typed
from bot.answers import Answers
from bot.cards import Card, web
from bot.cards import answers as sentences
from bot.commands import Commands, Outcome, Result
from bot.language import say
from bot.specs import Problem, clean
from bot.surfaces.web import bench, drawing, forms
from bot.surfaces.web.callers import Visitors
from bot.surfaces.web.forms import Posted
from bot.surfaces.web.handing import Handing
from bot.typed import Line
from db import people, room
from db.database import Database
from db.ids import new_id
from db.records import Asker, Caller

SUGGESTED = 12  # at a time
GALLERY = "/gallery"
CONSOLE = "/moderation"
EXPORT_BYTES = 500_000_000  # of one part of somebody's data
EMPTY = "empty"  # the result of a post that says nothing at all
WELL = frozenset(  # what was asked for was done, or will be
    {
        Result.QUEUED,
        Result.SHOWN,
        Result.CANCELLED,
        Result.STOPPING,
        Result.DELETED,
        Result.APPEALED,
        Result.REPORTED,
        Result.HIDDEN,
        Result.SHOWN_AGAIN,
        Result.DECIDED,
        Result.CONFIRMED,
        Result.DISMISSED,
    }
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a post led to. `message` is the card in the room, `card` one for this browser alone, `go` another page."""

    result: str
    sentence: str = ""
    message: str = ""
    card: Card | None = None
    job: str = ""
    prompt: str = ""
    go: str = ""


Answering = Callable[[Caller, Line, str], Awaitable[Reply]]


class Desk:
    """The posts of the room. Commands and answers are there once the program is composed."""

    def __init__(
        self,
        database: Database,
        visitors: Visitors,
        commands: Callable[[], Commands | None],
        answers: Callable[[], Answers | None],
        handing: Handing,
    ) -> None:
        self._database = database
        self._handing = handing
        self.visitors = visitors
        self._commands = commands
        self._answers = answers

    @property
    def commands(self) -> Commands | None:
        return self._commands()

    @property
    def answers(self) -> Answers | None:
        return self._answers()

    def routes(self) -> list[Route]:
        return [
            Route("/say", self.say, methods=["POST"]),
            Route("/press", self.press, methods=["POST"]),
            Route("/edit", self.edit, methods=["POST"]),
            Route("/dismiss", self.dismiss, methods=["POST"]),
            Route("/suggestions", self.suggestions),
        ]

    async def say(self, request: Request) -> Response:
        """A prompt or a command was typed: step 1 of the way of a clip."""
        return await self._answer(request, lambda counter, posted: counter.said(posted))

    async def press(self, request: Request) -> Response:
        """A button was pressed."""
        return await self._answer(request, lambda counter, posted: counter.pressed(posted.get("button"), posted))

    async def edit(self, request: Request) -> Response:
        """Other words for a job."""
        return await self._answer(request, lambda counter, posted: counter.edited(posted.get("job"), posted))

    async def dismiss(self, request: Request) -> Response:
        """A card that says no, or that nothing came of, is taken out of the room by its asker."""
        return await self._answer(request, lambda counter, posted: self._dismiss(counter.caller, posted.get("message")))

    async def suggestions(self, request: Request) -> Response:
        """What could be typed: `kind` is models, sizes or prompts, `start` what is there already."""
        caller = await self.visitors.caller(request)
        answers = self.answers
        if caller is None or answers is None:
            return JSONResponse([])
        kind, start = request.query_params.get("kind", ""), request.query_params.get("start", "")[:200]
        found = await _suggested(answers, caller, kind, start)
        return JSONResponse([{"value": value, "about": about} for value, about in found[:SUGGESTED]])

    async def _answer(self, request: Request, act: Callable[[Counter, Posted], Awaitable[Reply]]) -> Response:
        posted = await forms.read(request)
        caller = await self.visitors.caller(request)
        token = request.headers.get("x-zoetrope-token") or posted.get("token")
        if caller is None or not self.visitors.browsers.is_token(caller.asker.id, token):
            return _response(posted, 403, Reply("stranger", say(cards.STRANGER)))
        commands, answers = self.commands, self.answers
        if commands is None or answers is None:
            return _response(posted, 503, Reply("unreached", say(cards.STARTING)))
        origin = f"{caller.asker.id}:{posted.id() or new_id()}"  # which no other browser can take away
        return _response(posted, 200, await act(Counter(commands, answers, caller, origin, self._handing), posted))

    async def _dismiss(self, caller: Caller, message: str) -> Reply:
        async with self._database.transaction() as tx:
            kept = await room.get(tx, message)
            if kept is None:
                return Reply("dismissed", message=message)
            asker = TypeAdapter(Asker | None).validate_python(kept.card.get("asker"))
            theirs = asker is not None and caller.asker in await people.identities(tx, asker)
            if not theirs or not drawing.is_over(kept):
                return Reply("not yours", web.not_yours_to_dismiss())
            await room.delete(tx, message)
        return Reply("dismissed", message=message)


class Counter:
    """What one post of one caller asks for."""

    def __init__(self, commands: Commands, answers: Answers, caller: Caller, origin: str, handing: Handing) -> None:
        self._commands = commands
        self._answers = answers
        self._handing = handing
        self.caller = caller
        self._origin = origin
        self._words: dict[str, Callable[[Line], Awaitable[Reply]]] = {
            "": self._video,
            "video": self._video,
            "again": self._again,
            "show": self._show,
            "random": self._random,
            "gallery": self._gallery,
            "quota": self._quota,
            "settings": self._settings,
            "zsettings": self._settings,
            "report": self._report,
            "hide": self._hide,
            "mydata": self._my_data,
        }
        self._cards: dict[str, Callable[[Line], Awaitable[Card]]] = {
            "start": lambda line: answers.start(caller),
            "help": lambda line: answers.help(caller),
            "privacy": lambda line: answers.privacy(caller),
            "queue": lambda line: answers.queue(caller),
            "cancel": lambda line: answers.cancel(caller, line.options.get("job", line.words)),
            "link": lambda line: answers.link(caller, line.options.get("code", line.words), whispered=True),
        }

    async def said(self, posted: Posted) -> Reply:
        line = forms.completed(typed.read(posted.get("text")), posted.fields)
        if line.command in self._words:
            return await self._words[line.command](line)
        if line.command in self._cards:
            return _private(await self._cards[line.command](line))
        if line.command in bench.WAYS:
            return await self._moderated(line)
        unknown = typed.command_of(line)
        return _problem(unknown if isinstance(unknown, Problem) else Problem(say(cards.UNREADABLE)))

    async def pressed(self, token: str, posted: Posted | None = None) -> Reply:
        reason, intent = posted.get("reason") if posted else "", intents.parse(token)
        if reason and isinstance(intent, intents.Report):
            return _of(await self._commands.report(self.caller, intent.clip, reason))
        outcome = await self._commands.press(self.caller, token, self._origin)
        if outcome.result is Result.PAGE:
            return Reply(outcome.result, go=GALLERY)
        return _of(outcome)

    async def edited(self, job: str, posted: Posted) -> Reply:
        if not clean(posted.get("text")):
            return _empty()
        return _of(await self._commands.edit(self.caller, job, posted.get("text"), self._origin))

    async def _video(self, line: Line) -> Reply:
        wish = typed.wish_of(line)
        if isinstance(wish, Problem):
            return _problem(wish)
        if not clean(wish.prompt):
            return _empty()
        return _of(await self._commands.request_clip(self.caller, wish, self._origin))

    async def _again(self, line: Line) -> Reply:
        job = await self._answers.last_job(self.caller)
        return await self.pressed(intents.token(intents.Again(job))) if job else _problem(_nothing_yet())

    async def _show(self, line: Line) -> Reply:
        return await self._shown(line.options.get("id", line.words).strip())

    async def _random(self, line: Line) -> Reply:
        clip = await self._answers.random_clip(self.caller)
        return await self._shown(clip) if clip else _problem(_nothing_yet())

    async def _shown(self, clip: str) -> Reply:
        outcome = await self._commands.show_clip(self.caller, clip, self._origin)
        return _of(outcome) if outcome.handle else _problem(Problem(outcome.sentence))

    async def _gallery(self, line: Line) -> Reply:
        if "page" in line.options and (typed.whole(line.options["page"]) or 0) < 1:
            return _problem(Problem(cards.not_a_number("page", line.options["page"])))
        words = line.options.get("words", line.words).strip()
        return Reply("page", go=f"{GALLERY}?{urlencode({'q': words})}" if words else GALLERY)

    async def _quota(self, line: Line) -> Reply:
        """What a clip would cost is said where anything about it is."""
        wish = typed.wish_of(line)
        if isinstance(wish, Problem):
            return _problem(wish)
        return _private(await self._answers.quota(self.caller, wish if line.options else None))

    async def _settings(self, line: Line) -> Reply:
        changes = typed.changes_of(line)
        if isinstance(changes, Problem):
            return _problem(changes)
        settings = self._answers.settings if line.command == "settings" else self._answers.place_settings
        return _private(await settings(self.caller, changes))

    # --- moderation, and what is stored about oneself ---

    async def _moderated(self, line: Line) -> Reply:
        """An operator's browser is signed in to the console already: it needs no link."""
        if line.command == "zconsole" and self.caller.circumstances.moderator:
            return Reply("page", go=CONSOLE)
        said = typed.options_of(line)
        if isinstance(said, Problem):
            return _problem(said)
        return _private(await bench.WAYS[line.command](self._answers, self.caller, said))

    async def _report(self, line: Line) -> Reply:
        said = typed.options_of(line)
        if isinstance(said, Problem):
            return _problem(said)
        return _note(await self._commands.report(self.caller, said["id"].casefold(), said.get("reason", "")))

    async def _hide(self, line: Line) -> Reply:
        said = typed.options_of(line)
        if isinstance(said, Problem):
            return _problem(said)
        return _note(await self._commands.hide_or_show(self.caller, said["id"].casefold()))

    async def _my_data(self, line: Line) -> Reply:
        """A copy as a file that this browser alone fetches, once; or the question whether all shall go."""
        said = typed.options_of(line)
        if isinstance(said, Problem):
            return _problem(said)
        action, part = said["action"].casefold(), typed.whole(said.get("part", "1"))
        if action not in menu.MY_DATA:
            return _problem(Problem(sentences.not_one_of("action", action, menu.MY_DATA)))
        if action == "delete":
            return _private(await self._answers.my_data_delete(self.caller, said.get("level", "")))
        if part is None:
            return _problem(Problem(cards.not_a_number("part", said["part"])))
        export = await self._answers.my_data_export(self.caller, part, EXPORT_BYTES)
        go = await self._handing.offer(self.caller.asker, export) if export.path else ""
        return replace(_private(export.card), go=go)


async def _suggested(answers: Answers, caller: Caller, kind: str, start: str) -> list[tuple[str, str]]:
    match kind:
        case "models":
            return [(model.name, model.title) for model in await answers.models(start)]
        case "sizes":
            return [(size, "") for size in await answers.sizes(caller, start)]
        case "prompts":
            return [(prompt, "") for prompt in await answers.recent_prompts(caller, start)]
    return []


def _nothing_yet() -> Problem:
    return Problem(sentences.no_clip_yet())


def _problem(problem: Problem) -> Reply:
    """A sentence in the place of the card."""
    return Reply("problem", problem.sentence, card=cards.problem(problem.sentence))


def _empty() -> Reply:
    """A slip of the hand is nothing for the room: a sentence beside the line, for this browser alone."""
    return Reply(EMPTY, say(cards.EMPTY_PROMPT))


def _note(outcome: Outcome) -> Reply:
    """An outcome that no card in the room shows, told to this browser alone."""
    return _private(sentences.note(outcome.sentence))


def _private(card: Card) -> Reply:
    return Reply("answer", card.status, card=card)


def _of(outcome: Outcome) -> Reply:
    message = outcome.handle.message if outcome.handle else ""
    return Reply(outcome.result, outcome.sentence, message, job=outcome.job, prompt=outcome.prompt)


def _response(posted: Posted, status: int, reply: Reply) -> Response:
    """JSON for the page's script; a form sent without one goes back to the page, or gets the sentence."""
    if posted.scripted:
        card = drawing.private(reply.card) if reply.card else None
        words = {"result": reply.result, "sentence": reply.sentence, "message": reply.message}
        told = {**words, "card": card, "job": reply.job, "prompt": reply.prompt, "go": reply.go}
        return JSONResponse({**told, "well": reply.result in WELL}, status_code=status)
    if status == 200 and reply.card is None and reply.result != EMPTY:
        return RedirectResponse(reply.go or "/", 303)
    return PlainTextResponse(reply.sentence, status_code=status)
