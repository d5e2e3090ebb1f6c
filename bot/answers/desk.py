"""Every answer in the order of the menu. Who may ask for what is checked here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.cards import Card
from bot.commands import Commands
from db import models
from db.records import Caller, Clip, ModelFacts, Wish


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers from the same database, rules and clock as the commands' own."""

    commands: Commands

    async def queue(self, caller: Caller) -> Card:
        """The caller's own unfinished jobs, each with its place and expected time."""
        raise NotImplementedError

    async def cancel(self, caller: Caller, job: str = "") -> Card:
        """Stop one of the caller's jobs; none named: the newest unfinished one."""
        raise NotImplementedError

    async def quota(self, caller: Caller, wish: Wish | None = None) -> Card:
        """What is left, when more comes, and what `wish` would cost (its prompt may be empty)."""
        raise NotImplementedError

    async def gallery(self, caller: Caller, words: str = "", page: int = 1) -> Card:
        """A page of the clips made here (in private: the caller's own), with buttons to show one and to turn pages."""
        raise NotImplementedError

    async def settings(self, caller: Caller, changes: Mapping[str, str]) -> Card:
        """What the caller prefers, after `changes`; one that can't be taken means that none is."""
        raise NotImplementedError

    async def place_settings(self, caller: Caller, changes: Mapping[str, str]) -> Card:
        """What holds in the place, after `changes` by a moderator; one that can't be taken means that none is."""
        raise NotImplementedError

    async def pause(self, caller: Caller) -> Card:
        """A moderator has no more requests taken in the place."""
        raise NotImplementedError

    async def resume(self, caller: Caller) -> Card:
        """A moderator has requests taken again."""
        raise NotImplementedError

    async def help(self, caller: Caller, prefix: str = "/", moderators: str = "/z") -> Card:
        """The commands; `prefix` stands before everybody's, `moderators` before those of moderators."""
        raise NotImplementedError

    async def privacy(self, caller: Caller) -> Card:
        """What is stored, for how long, what never leaves the machine, and how to have it deleted."""
        raise NotImplementedError

    async def start(self, caller: Caller) -> Card:
        """What this is, and three prompts that the default model is good at."""
        raise NotImplementedError

    async def link(self, caller: Caller, code: str = "") -> Card:
        """Without a code: one to be typed elsewhere; with one: the two identities are joined; "undo": parted again."""
        raise NotImplementedError

    async def last_job(self, caller: Caller) -> str:
        """The id of the caller's newest job, or empty."""
        raise NotImplementedError

    async def random_clip(self, caller: Caller) -> str:
        """The id of any clip of the gallery that the caller sees, or empty."""
        raise NotImplementedError

    async def recent_prompts(self, caller: Caller, start: str = "") -> list[str]:
        """The caller's own last prompts that begin with `start`, newest first."""
        raise NotImplementedError

    async def models(self, start: str = "") -> list[ModelFacts]:
        """The models that can be asked for, whose names or titles begin with `start`."""
        async with self.commands.database.reading() as tx:
            known = await models.known(tx)
        wanted = start.casefold()
        return [each for each in known if each.name.casefold().startswith(wanted) or wanted in each.title.casefold()]

    async def sizes(self, caller: Caller, start: str = "") -> list[str]:
        """Sizes such as "256x256" that the default model makes here."""
        raise NotImplementedError

    async def suggestions(self) -> tuple[str, ...]:
        """Prompts that the default model is good at."""
        raise NotImplementedError

    async def found(self, caller: Caller, words: str, limit: int = 50) -> list[Clip]:
        """Clips of the caller, and of places where the caller has asked for clips, whose prompts hold `words`."""
        raise NotImplementedError
