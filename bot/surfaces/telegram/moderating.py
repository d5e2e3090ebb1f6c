"""What moderators type, and what members type to them, handed to the bench and to moderation; nothing is decided here.

Somebody is named by a reply to any of their messages or to a card of theirs, by a mention, or by Telegram's number.
What only the one who asked should see comes in their private chat. What acts at once is begun once, so that an update
which is handled a second time, after we were stopped in the middle of it, does nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from telegram import Message

from bot import menu, typed
from bot.answers import Answers
from bot.cards import Card, bench, questions
from bot.cards import answers as sentences
from bot.commands import Commands, Outcome
from bot.port import TooLarge
from bot.specs import Problem
from bot.surfaces.telegram import members, wire
from bot.surfaces.telegram.saying import Saying, private_chat
from bot.typed import Line
from db.records import Caller, Requester

if TYPE_CHECKING:
    from bot.surfaces.telegram.surface import TelegramSurface

Said = Mapping[str, str]  # what was said, by the names of the command's options
Answer = Callable[[Caller, Said], Awaitable[Card]]

LEAST_BYTES = 1_000_000  # of a part of somebody's data

_CARD = TypeAdapter(Card)


@dataclass(frozen=True, slots=True)
class Way:
    """How a command is answered: for the caller's eyes alone or for all, and whether it acts as soon as it is given."""

    answer: Answer
    whispered: bool = False
    acts: bool = False


class Moderating:
    """One for a bot; it remembers nothing."""

    def __init__(self, surface: TelegramSurface, commands: Commands, answers: Answers, saying: Saying) -> None:
        self._surface = surface
        self._commands = commands
        self._answers = answers
        self._saying = saying
        self._ways = self._of_moderators() | {
            "strikes": Way(lambda caller, said: answers.strikes(caller), whispered=True),
            "hide": Way(self._hide, acts=True),
        }

    @property
    def names(self) -> frozenset[str]:
        """The commands that are heard here."""
        return frozenset({*self._ways, "report", "mydata"})

    def _of_moderators(self) -> dict[str, Way]:
        return {
            "zblock": Way(self._block),
            "zunblock": Way(self._unblock, acts=True),
            "zgrant": Way(self._grant, acts=True),
            "zpurge": Way(self._purge),
            "zcases": Way(self._cases, whispered=True),
            "zamend": Way(self._amend, whispered=True, acts=True),
            "zwhy": Way(lambda c, said: self._answers.bench.why(c, said["id"].casefold()), whispered=True),
            "ztest": Way(self._test, whispered=True),
            "zstrikes": Way(lambda c, said: self._answers.bench.strikes(c, said["member"]), whispered=True),
            "zreview": Way(lambda c, said: self._answers.bench.review(c), whispered=True),
            "zconsole": Way(lambda c, said: self._answers.bench.console(c), whispered=True),
        }

    async def hear(self, caller: Caller, line: Line, message: Message, origin: str) -> None:
        """Answer a command; the circumstances of the caller are those of now."""
        if line.command == "report":
            return await self._report(caller, line, message, origin)
        said = await self._said(caller, line, message)
        if isinstance(said, Problem):
            return await self._saying.tell(caller, said.sentence, origin)
        if line.command == "mydata":
            return await self._my_data(caller, said, origin)
        way = self._ways[line.command]
        card = await (self._once(caller, said, way, origin) if way.acts else way.answer(caller, said))
        may_see = not line.command.startswith("z") or caller.circumstances.moderator
        if way.whispered and may_see:
            return await self._saying.whisper(caller, card, origin)
        return await self._saying.put(caller, card, origin)

    # --- who and what is meant ---

    async def _said(self, caller: Caller, line: Line, message: Message) -> Said | Problem:
        """What was said about each option; a member may have been pointed at instead."""
        command = typed.command_of(line)
        if isinstance(command, Problem):
            return command
        if command.option("member") is None:
            return typed.options_of(line)
        words, mentioned = members.mentioned(message)
        line = typed.read(words)
        member = str(mentioned.id) if mentioned else await self._answered(caller, line, message)
        if isinstance(member, Problem):
            return member
        said = typed.options_of(line, {"member": member} if member else None)
        if not isinstance(said, Problem) and said.get("member", "").startswith("@"):
            return Problem(questions.no_names())
        return said

    async def _answered(self, caller: Caller, line: Line, message: Message) -> str | Problem:
        """Who is meant by the message that is answered, if one is; a number of somebody's own counts more."""
        found, word = members.answered(message), next(iter(line.words.split()), "")
        if found is None or "member" in line.options or members.names_somebody(word):
            return ""
        us = self._surface.wire.bot.id
        asker = await members.behind(found, caller.address, us, self._commands.database)
        return asker.id if asker else Problem(questions.nobody_behind())

    # --- what moderators ask for ---

    async def _block(self, caller: Caller, said: Said) -> Card:
        return await self._answers.bench.block(caller, said["member"], said.get("hours", ""), said.get("reason", ""))

    async def _unblock(self, caller: Caller, said: Said) -> Card:
        return await self._answers.bench.unblock(caller, said["member"], said.get("reason", ""))

    async def _purge(self, caller: Caller, said: Said) -> Card:
        return await self._answers.bench.purge(caller, said.get("member", ""), said.get("hours", ""))

    async def _test(self, caller: Caller, said: Said) -> Card:
        return await self._answers.bench.test(caller, said["prompt"], said.get("negative", ""))

    async def _grant(self, caller: Caller, said: Said) -> Card:
        more = said.get("hours", ""), said.get("reason", "")
        return await self._answers.bench.grant(caller, said["member"], said["credits"], *more)

    async def _cases(self, caller: Caller, said: Said) -> Card:
        """One of them, if its number is named."""
        if "number" in said:
            return await self._answers.bench.case(caller, said["number"])
        return await self._answers.bench.cases(
            caller, said.get("member", ""), said.get("words", ""), said.get("page", "1")
        )

    async def _amend(self, caller: Caller, said: Said) -> Card:
        return await self._answers.bench.amend(caller, said["number"], said["reason"])

    # --- what members ask for ---

    async def _hide(self, caller: Caller, said: Said) -> Card:
        return _note(await self._commands.hide_or_show(caller, said["id"].casefold()))

    async def _report(self, caller: Caller, line: Line, message: Message, origin: str) -> None:
        """The clip of the message that is answered, or one that is named."""
        found = members.answered(message)
        if found is not None and found.from_user is not None and found.from_user.id == self._surface.wire.bot.id:
            reason = line.options.get("reason", line.words)
            outcome = await self._commands.report_message(caller, str(found.message_id), reason)
            return await self._saying.outcome(caller, outcome, origin)
        if not line.words and not line.options:
            return await self._saying.tell(caller, questions.which_clip(), origin)
        said = typed.options_of(line)
        if isinstance(said, Problem):
            return await self._saying.tell(caller, said.sentence, origin)
        outcome = await self._commands.report(caller, said["id"].casefold(), said.get("reason", ""))
        return await self._saying.outcome(caller, outcome, origin)

    async def _my_data(self, caller: Caller, said: Said, origin: str) -> None:
        """In the private chat alone, wherever it was asked for."""
        private = private_chat(caller.asker)
        if private is None:
            return await self._saying.tell(caller, questions.nobody_to_write_to(), origin)
        alone = Caller(caller.asker, private, replace(caller.circumstances, private=True, moderator=False))
        match said["action"].casefold():
            case "export":
                await self._export(caller, alone, said, origin)
            case "delete":
                card = await self._answers.my_data_delete(alone, said.get("level", Requester.USER))
                await self._saying.whisper(caller, card, origin, private)
            case other:
                await self._saying.tell(caller, sentences.not_one_of("action", other, menu.MY_DATA), origin)
        return None

    async def _export(self, caller: Caller, alone: Caller, said: Said, origin: str) -> None:
        part = typed.whole(said.get("part", "1"))
        if part is None or not 1 <= part <= menu.MOST_PAGES:
            wrong = bench.not_a_number("part", said["part"], 1, menu.MOST_PAGES)
            return await self._saying.tell(caller, wrong, origin)
        limit = wire.UPLOAD_BYTES
        while not await self._handed_over(caller, alone, part, limit, origin):
            limit //= 2  # whatever stands before Telegram takes less than Telegram
        return None

    async def _handed_over(self, caller: Caller, alone: Caller, part: int, limit: int, origin: str) -> bool:
        """Whether a file of at most so many bytes was small enough. Raises TooLarge where nothing is."""
        export = await self._answers.my_data_export(alone, part, limit)
        try:
            if export.path is None:
                await self._saying.whisper(caller, export.card, origin, alone.address)
            else:
                await self._saying.hand_over(caller, export.card, export.path, origin)
        except TooLarge:
            if limit < LEAST_BYTES:
                raise
            return False
        finally:
            await asyncio.to_thread(export.discard)
        return True

    # --- what acts ---

    async def _once(self, caller: Caller, said: Said, way: Way, origin: str) -> Card:
        """What a command acted upon before is answered as it was then, if that is known."""
        places = self._surface.places
        if (begun := await places.begun(origin)) is not None:
            return _CARD.validate_json(begun) if begun else sentences.note(questions.perhaps_done(), well=False)
        await places.note_begun(origin)
        try:
            card = await way.answer(caller, said)
        except Exception:
            await places.note_not_begun(origin)  # nothing was done: its transaction is undone
            raise
        await places.note_begun(origin, _CARD.dump_json(card).decode())
        return card


def _note(outcome: Outcome) -> Card:
    return sentences.note(outcome.sentence)
