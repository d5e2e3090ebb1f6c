"""The commands of moderation that are typed in the room, each with what was said about its options."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bot.answers import Answers
from bot.cards import Card
from db.records import Caller

Said = Mapping[str, str]
Way = Callable[[Answers, Caller, Said], Awaitable[Card]]


async def _cases(answers: Answers, caller: Caller, said: Said) -> Card:
    """One of them, if its number is named."""
    if "number" in said:
        return await answers.bench.case(caller, said["number"])
    page = said.get("page", "1")
    return await answers.bench.cases(caller, said.get("member", ""), said.get("words", ""), page)


async def _grant(answers: Answers, caller: Caller, said: Said) -> Card:
    more = said.get("hours", ""), said.get("reason", "")
    return await answers.bench.grant(caller, said["member"], said["credits"], *more)


async def _block(answers: Answers, caller: Caller, said: Said) -> Card:
    return await answers.bench.block(caller, said["member"], said.get("hours", ""), said.get("reason", ""))


WAYS: Mapping[str, Way] = {
    "strikes": lambda answers, caller, said: answers.strikes(caller),
    "zpause": lambda answers, caller, said: answers.pause(caller),
    "zresume": lambda answers, caller, said: answers.resume(caller),
    "zreview": lambda answers, caller, said: answers.bench.review(caller),
    "zcases": _cases,
    "zamend": lambda answers, caller, said: answers.bench.amend(caller, said["number"], said["reason"]),
    "zwhy": lambda answers, caller, said: answers.bench.why(caller, said["id"].casefold()),
    "ztest": lambda answers, caller, said: answers.bench.test(caller, said["prompt"], said.get("negative", "")),
    "zblock": _block,
    "zunblock": lambda answers, caller, said: answers.bench.unblock(caller, said["member"], said.get("reason", "")),
    "zgrant": _grant,
    "zpurge": lambda answers, caller, said: answers.bench.purge(caller, said.get("member", ""), said.get("hours", "")),
    "zstrikes": lambda answers, caller, said: answers.bench.strikes(caller, said["member"]),
    "zconsole": lambda answers, caller, said: answers.bench.console(caller),
}
