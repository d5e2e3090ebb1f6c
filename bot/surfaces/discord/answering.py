"""The commands whose answer is a card for the caller alone: which answer, and with which of the typed options."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot import typed
from bot.answers import Answers
from bot.cards import Card, asking
from bot.specs import Problem
from db.records import Caller

Options = Mapping[str, Any]
Answer = Callable[[Answers, Caller, Options], Awaitable[Card]]


def line(options: Options) -> typed.Line:
    """What was chosen, as if it had been typed."""
    return typed.Line("video", "", changes(options))


def changes(options: Options) -> dict[str, str]:
    """Every option as text."""
    return {name: str(value) for name, value in options.items()}


def text_in(options: Options, name: str) -> str:
    """One option as text; empty where nothing was said."""
    return str(options.get(name, "")).strip()


async def _quota(answers: Answers, caller: Caller, options: Options) -> Card:
    wish = typed.wish_of(line(options))
    return asking.only(wish.sentence) if isinstance(wish, Problem) else await answers.quota(caller, wish)


async def _cases(answers: Answers, caller: Caller, options: Options) -> Card:
    """One of them, if its number is named."""
    if "number" in options:
        return await answers.bench.case(caller, int(options["number"]))
    member, words = text_in(options, "member"), text_in(options, "words")
    return await answers.bench.cases(caller, member, words, int(options.get("page", 1)))


OF_EVERYBODY: Mapping[str, Answer] = {
    "queue": lambda answers, caller, _: answers.queue(caller),
    "cancel": lambda answers, caller, said: answers.cancel(caller, text_in(said, "job").lower()),
    "quota": _quota,
    "gallery": lambda answers, caller, said: answers.gallery(
        caller, str(said.get("words", "")), int(said.get("page", 1))
    ),
    "settings": lambda answers, caller, said: answers.settings(caller, changes(said)),
    "strikes": lambda answers, caller, _: answers.strikes(caller),
    "help": lambda answers, caller, _: answers.help(caller, "/", "/zoetrope "),
    "privacy": lambda answers, caller, _: answers.privacy(caller),
    "link": lambda answers, caller, said: answers.link(caller, str(said.get("code", "")), whispered=True),
}
OF_MODERATORS: Mapping[str, Answer] = {
    "settings": lambda answers, caller, said: answers.place_settings(caller, changes(said)),
    "pause": lambda answers, caller, _: answers.pause(caller),
    "resume": lambda answers, caller, _: answers.resume(caller),
    "cases": _cases,
    "amend": lambda answers, caller, said: answers.bench.amend(caller, int(said["number"]), text_in(said, "reason")),
    "why": lambda answers, caller, said: answers.bench.why(caller, text_in(said, "id").lower()),
    "test": lambda answers, caller, said: answers.bench.test(
        caller, text_in(said, "prompt"), text_in(said, "negative")
    ),
    "block": lambda answers, caller, said: answers.bench.block(
        caller, text_in(said, "member"), text_in(said, "hours"), text_in(said, "reason")
    ),
    "unblock": lambda answers, caller, said: answers.bench.unblock(
        caller, text_in(said, "member"), text_in(said, "reason")
    ),
    "grant": lambda answers, caller, said: answers.bench.grant(
        caller, text_in(said, "member"), text_in(said, "credits"), text_in(said, "hours"), text_in(said, "reason")
    ),
    "purge": lambda answers, caller, said: answers.bench.purge(caller, text_in(said, "member"), text_in(said, "hours")),
    "strikes": lambda answers, caller, said: answers.bench.strikes(caller, text_in(said, "member")),
}
