"""What moderators decide, change and ask for on their pages; each needs their session's token, and becomes a case.

Nothing is decided here: the reviews go to moderation, everything else to the answers that the chats' commands give.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot import intents
from bot.answers import Answers
from bot.cards import Card
from bot.cards import console as sentences
from bot.commands import Commands, Outcome, Result
from bot.surfaces.web import drawing, forms
from bot.surfaces.web.forms import Posted
from bot.surfaces.web.moderation import options
from bot.surfaces.web.moderation.entrance import Entrance
from bot.surfaces.web.moderation.seats import No, Seat, Seats
from bot.surfaces.web.moderation.sessions import is_token, token
from bot.surfaces.web.moderation.showing import AT, at
from bot.surfaces.web.pages import Pages
from db.ids import new_id
from db.records import Decision

MOST_FIELDS = 100  # of a form: every setting of a place, and what it was
DECISIONS = frozenset({Decision.APPROVE, Decision.REMOVE, Decision.FALSE_ALARM})
WELL = frozenset({Result.DECIDED, Result.CONFIRMED, Result.DISMISSED})


@dataclass(frozen=True, slots=True)
class Reply:
    """What a post led to. `well`: it was done; `card` says more, or asks to be confirmed."""

    sentence: str
    well: bool = True
    card: Card | None = None
    result: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a post may use."""

    commands: Commands
    answers: Answers
    seat: Seat
    posted: Posted


Act = Callable[[Bench], Awaitable[Reply]]


@dataclass(frozen=True)
class Acting:
    """The posts of the console. Commands and answers are there once the program is composed."""

    seats: Seats
    entrance: Entrance
    pages: Pages
    answers: Callable[[], Answers | None]

    def routes(self) -> list[Route]:
        return [Route(f"{AT}/{name}", self._route(act), methods=["POST"]) for name, act in ACTS.items()]

    def _route(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return await self._answer(request, act)

        return answer

    async def _answer(self, request: Request, act: Act) -> Response:
        posted = await forms.read(request, MOST_FIELDS)
        seat = await self.seats.take(request)
        if isinstance(seat, No):
            return self._refused(request, posted, seat)
        if not is_token(seat.secret, request.headers.get("x-zoetrope-token") or posted.get("token")):
            return self._refused(request, posted, No(403, sentences.wrong_token()))
        commands, answers = self.seats.commands(), self.answers()
        if commands is None or answers is None:
            return self._refused(request, posted, No(503, sentences.starting()))
        reply = await act(Bench(commands, answers, seat, posted))
        return self._told(request, posted, seat, reply)

    def _refused(self, request: Request, posted: Posted, no: No) -> Response:
        if posted.scripted:
            told = {"result": "ended" if no.ended else "problem", "sentence": no.sentence, "well": False, "card": None}
            return JSONResponse(told, status_code=no.status)
        return self.entrance.turned_away(request, no)

    def _told(self, request: Request, posted: Posted, seat: Seat, reply: Reply) -> Response:
        """JSON for a script; without one a page that says it, with the buttons of a question."""
        card = drawing.private(reply.card) if reply.card else None
        if posted.scripted:
            told = {"result": reply.result, "sentence": reply.sentence, "well": reply.well, "card": card}
            return JSONResponse(told, headers={"cache-control": "no-store"})
        values = {"token": token(seat.secret), "at": at(seat.caller.address), "say": sentences.labels()}
        return self.pages.render(request, "moderation/told.html", 200, reply=reply, card=card, **values)


async def _decide(bench: Bench) -> Reply:
    said, posted = bench.posted.get("decision"), bench.posted
    if said not in DECISIONS:
        return Reply(sentences.no_decision(), well=False)
    moderation = bench.commands.moderation
    review, reason = posted.get("review"), posted.get("reason")
    return _of(await moderation.decide(bench.seat.caller, review, Decision(said), reason))


async def _press(bench: Bench) -> Reply:
    """A question's yes or no; other buttons have no place here."""
    button = bench.posted.get("button")
    if not isinstance(intents.parse(button), intents.Confirm | intents.Dismiss):
        return Reply(sentences.nothing_here(), well=False)
    return _of(await bench.commands.press(bench.seat.caller, button, new_id()))


async def _policies(bench: Bench) -> Reply:
    changes = options.changes(bench.posted.fields, options.categories(bench.commands.policy))
    if not changes:
        return Reply(sentences.nothing_changed(), well=False)
    if options.names_here(changes, bench.posted.fields):
        return Reply(sentences.here_is_nowhere(), well=False)
    return _card(await bench.answers.place_settings(bench.seat.caller, changes))


async def _test(bench: Bench) -> Reply:
    posted = bench.posted
    return _card(await bench.answers.bench.test(bench.seat.caller, posted.get("prompt"), posted.get("negative")))


async def _pause(bench: Bench) -> Reply:
    return _card(await bench.answers.pause(bench.seat.caller))


async def _resume(bench: Bench) -> Reply:
    return _card(await bench.answers.resume(bench.seat.caller))


async def _block(bench: Bench) -> Reply:
    posted = bench.posted
    member, hours, reason = posted.get("member"), posted.get("hours").strip(), posted.get("reason")
    return _card(await bench.answers.bench.block(bench.seat.caller, member, hours, reason))


async def _unblock(bench: Bench) -> Reply:
    posted = bench.posted
    return _card(await bench.answers.bench.unblock(bench.seat.caller, posted.get("member"), posted.get("reason")))


async def _grant(bench: Bench) -> Reply:
    posted = bench.posted
    member, credits_, hours = (posted.get(name).strip() for name in ("member", "credits", "hours"))
    if not credits_:
        return Reply(sentences.not_said(), well=False)
    return _card(await bench.answers.bench.grant(bench.seat.caller, member, credits_, hours, posted.get("reason")))


async def _purge(bench: Bench) -> Reply:
    posted = bench.posted
    member, hours = posted.get("member").strip(), posted.get("hours").strip()
    if not member and not hours:
        return Reply(sentences.not_said(), well=False)
    return _card(await bench.answers.bench.purge(bench.seat.caller, member, hours))


async def _amend(bench: Bench) -> Reply:
    number, reason = bench.posted.get("number").strip(), bench.posted.get("reason").strip()
    if not reason:
        return Reply(sentences.not_said(), well=False)
    return _card(await bench.answers.bench.amend(bench.seat.caller, number, reason))


ACTS: dict[str, Act] = {
    "decide": _decide,
    "press": _press,
    "policies": _policies,
    "test": _test,
    "pause": _pause,
    "resume": _resume,
    "block": _block,
    "unblock": _unblock,
    "grant": _grant,
    "purge": _purge,
    "amend": _amend,
}


def _of(outcome: Outcome) -> Reply:
    return Reply(outcome.sentence, outcome.result in WELL, result=outcome.result)


def _card(card: Card) -> Reply:
    return Reply(card.status, card.tone != "bad", card)
