"""The moderators' bench: everything they can ask for and do by a command, in the order of the menu.

Whether somebody may sit there is asked inside the transaction that answers; what they name belongs to their place.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.answers.acts import Acts
from bot.answers.looks import Looks
from bot.answers.purging import Purging
from bot.answers.seat import Seat
from bot.cards import Card
from bot.commands import Commands
from db.records import Caller


@dataclass(frozen=True, slots=True)
class Bench:
    """Each answer is a finished card for its caller alone. What they type comes as it was typed; a member is the
    platform's own id, or a mention. `address` is where the web page is reached, empty where there is none.
    """

    commands: Commands
    address: str = ""
    purging: Purging = field(init=False)
    _acts: Acts = field(init=False)
    _looks: Looks = field(init=False)

    def __post_init__(self) -> None:
        seat = Seat(self.commands)
        object.__setattr__(self, "purging", Purging(self.commands))
        object.__setattr__(self, "_acts", Acts(seat, self.purging))
        object.__setattr__(self, "_looks", Looks(seat, self.address))
        self._acts.register()

    async def review(self, caller: Caller) -> Card:
        """The most pressing open review with its buttons, and how many wait."""
        return await self._looks.review(caller)

    async def cases(self, caller: Caller, member: str = "", words: str = "", page: int | str = 1) -> Card:
        """A page of the cases of this place, newest first; about one person, or with some words, alone."""
        return await self._looks.cases(caller, member, words, str(page))

    async def case(self, caller: Caller, number: int | str) -> Card:
        """One case of this place, with what was added to it."""
        return await self._looks.case(caller, str(number))

    async def amend(self, caller: Caller, number: int | str, reason: str) -> Card:
        """Add to a case of this place, which itself is never edited."""
        return await self._acts.amend(caller, str(number), reason)

    async def why(self, caller: Caller, id_: str) -> Card:
        """Which rule decided about a clip, a job or a refusal of this place."""
        return await self._looks.why(caller, id_)

    async def test(self, caller: Caller, prompt: str, negative: str = "") -> Card:
        """What would become of a prompt where the caller is, at no cost."""
        return await self._looks.test(caller, prompt, negative)

    async def block(self, caller: Caller, member: str, hours: str = "", reason: str = "") -> Card:
        """Ask whether somebody is to be banned here; without hours, until it is lifted."""
        return await self._acts.block(caller, member, hours, reason)

    async def unblock(self, caller: Caller, member: str, reason: str = "") -> Card:
        """Lift all that counts against somebody here."""
        return await self._acts.unblock(caller, member, reason)

    async def grant(self, caller: Caller, member: str, credits_: str, hours: str = "", reason: str = "") -> Card:
        """Give somebody credits on top, which count here; without hours, for as long as the window of the quota."""
        return await self._acts.grant(caller, member, credits_, hours, reason)

    async def purge(self, caller: Caller, member: str = "", hours: str = "") -> Card:
        """Ask whether somebody's clips, or all of the last hours, are to be deleted here."""
        return await self._acts.purge(caller, member, hours)

    async def strikes(self, caller: Caller, member: str) -> Card:
        """How somebody stands here."""
        return await self._looks.strikes(caller, member)

    async def console(self, caller: Caller, *, whispered: bool = True) -> Card:
        """A link that signs the caller in to the moderators' pages of this place, once.

        `whispered`: whether the surface shows this answer to the caller alone; a link is shown nowhere else.
        """
        return await self._looks.console(caller, whispered=whispered)
