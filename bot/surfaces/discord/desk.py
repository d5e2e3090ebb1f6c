"""What people do on Discord, taken to the commands and the answers, and what comes of it shown to them.

Whatever it is, Discord hears of it first: it wants a sign within three seconds, before anything is looked up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import discord
from discord import InteractionResponseType as Response
from discord.app_commands import Choice
from sqlalchemy.exc import SQLAlchemyError

from bot import cards, intents, typed
from bot.answers import Answers
from bot.cards import Card, asking, questions
from bot.commands import Commands, Outcome, Result
from bot.language import say, speaking
from bot.menu import Command
from bot.port import Refused, TooLarge
from bot.specs import Problem
from bot.surfaces.discord import enclosing, receiving, windows
from bot.surfaces.discord.answering import OF_EVERYBODY, OF_MODERATORS, Answer, Options, line, text_in
from bot.surfaces.discord.callers import Interaction, caller_of, is_reachable, language_of
from bot.surfaces.discord.drawing import FORMATS, Picture
from bot.surfaces.discord.escaping import escaped, said
from bot.surfaces.discord.rest import NOBODY, Rest
from bot.surfaces.discord.troubles import where
from bot.surfaces.discord.ways import BOT, TOKEN, TOKEN_SECONDS, Ways
from db.card_routes import CardRoute
from db.errors import StoreError
from db.records import Address, Caller, Handle, Wish

A_LOOK = 2.0  # seconds in which what must be known before the first sign has to be found
CHOICES, CHOICE_CHARS = 25, 100
LEAST_BYTES = 2**18  # of a part of a copy: where not even so little is taken, less would not be either
DOUBLE_CLICK = 3.0  # seconds: the same button pressed again by the same person within them was one press

# What a second press within that time would answer with a no to what the first one did.
ONCE = (
    intents.Again
    | intents.Show
    | intents.Confirm
    | intents.Dismiss
    | intents.Approve
    | intents.Remove
    | intents.FalseAlarm
)

Act = Callable[[Caller], Awaitable[Outcome]]
Ask = Callable[[Caller], Awaitable[Outcome | str]]

log = logging.getLogger(__name__)


@dataclass
class Desk:
    """Takes what comes in; every work runs in `crew` and ends with it. `clock` gives seconds since the epoch."""

    commands: Commands
    answers: Answers
    rest: Rest
    ways: Ways
    clock: Callable[[], float]
    crew: asyncio.TaskGroup
    heard: Callable[[Address, int], None]  # how many bytes a place takes
    _presses: dict[tuple[str, str], float] = field(default_factory=dict, repr=False)
    _drafting: dict[str, asyncio.Event] = field(default_factory=dict, repr=False)  # until they are in the database

    # --- what comes in ---

    def given(self, interaction: Interaction, command: Command, options: Options) -> None:
        """A command with its typed options."""
        answers = OF_MODERATORS if command.moderators else OF_EVERYBODY
        if command.name in answers:
            self._begin(interaction, self._answer(interaction, options, answers[command.name]))
        else:
            works = BY_MODERATORS if command.moderators else BY_EVERYBODY
            self._begin(interaction, works[command.name](self, interaction, options))

    def pressed(self, interaction: Interaction, token: str) -> None:
        """A button."""
        self._begin(interaction, self._press(interaction, token))

    def written(self, interaction: Interaction) -> None:
        """A window came back."""
        self._begin(interaction, self._write(interaction))

    def pointed_at(self, interaction: Interaction, message: discord.Message) -> None:
        """A message was chosen to make a clip from its text."""
        self._begin(interaction, self._from_text(interaction, said(message.content)))

    def pointed_out(self, interaction: Interaction, message: discord.Message) -> None:
        """A message was chosen whose clip a moderator shall look at."""
        self._begin(interaction, self._ask_for_reason(interaction, message))

    def not_understood(self, interaction: Interaction) -> None:
        """Something came in that nobody here can take."""
        self._begin(interaction, self._whisper(interaction, questions.went_wrong()))

    async def suggestions(self, interaction: Interaction, what: str, start: str) -> list[Choice[str]]:
        """What could be meant, while it is being typed; nothing where that can't be found out in time."""
        try:
            async with asyncio.timeout(A_LOOK):
                found = await self._suggested(caller_of(interaction), what, start)
        except Exception as error:  # nobody's command fails for want of a suggestion
            log.warning("Nothing could be suggested (%s).", where(error))
            return []
        fitting = {value: cards.shorten(name, CHOICE_CHARS) for name, value in found if len(value) <= CHOICE_CHARS}
        return [Choice(name=name, value=value) for value, name in list(fitting.items())[:CHOICES]]

    async def _suggested(self, caller: Caller, what: str, start: str) -> list[tuple[str, str]]:
        """(shown, meant) pairs."""
        match what:
            case "models":
                return [(f"{model.title} ({model.name})", model.name) for model in await self.answers.models(start)]
            case "prompts":
                return [(prompt, prompt) for prompt in await self.answers.recent_prompts(caller, start)]
            case "sizes":
                return [(size, size) for size in await self.answers.sizes(caller, start)]
            case _:
                return []

    def _begin(self, interaction: Interaction, work: Coroutine[Any, Any, None]) -> None:
        self.crew.create_task(self._guarded(interaction, work))

    async def _guarded(self, interaction: Interaction, work: Awaitable[None]) -> None:
        """One person's trouble stays with that person, who is told of it."""
        with speaking(language_of(interaction)):
            try:
                self.rest.adopt(interaction)
                self.heard(caller_of(interaction).address, interaction.filesize_limit)
                await work
            except Exception as error:
                log.error("What was asked on Discord could not be done (%s).", where(error))  # noqa: TRY400
                away = isinstance(error, StoreError | SQLAlchemyError)
                await self._whisper(interaction, say(cards.NO_DATABASE) if away else questions.went_wrong())

    # --- what becomes a card that everybody sees ---

    async def video(self, interaction: Interaction, options: Options) -> None:
        """With a prompt a request; without one a window for it, while the options wait."""
        wish = typed.wish_of(line(options))
        if isinstance(wish, Problem):
            await self._whisper(interaction, wish.sentence)
        elif wish.prompt.strip():
            await self._request(interaction, wish)
        else:
            await self._ask_for_prompt(interaction, wish)

    async def _ask_for_prompt(self, interaction: Interaction, wish: Wish) -> None:
        """The window first: what was typed is kept while it is being read."""
        draft = str(interaction.id)
        kept = self._drafting[draft] = asyncio.Event()
        try:
            if await receiving.show_window(interaction, self._window(windows.DRAFT, draft)):
                await self.commands.draft(caller_of(interaction), wish, draft)
        finally:
            del self._drafting[draft]
            kept.set()

    async def again(self, interaction: Interaction, options: Options) -> None:
        """The caller's newest clip once more."""

        async def ask(caller: Caller) -> Outcome | str:
            job = await self.answers.last_job(caller)
            if not job:
                return asking.nothing_asked()
            return await self.commands.press(caller, intents.token(intents.Again(job)), str(interaction.id))

        await self._into_card(interaction, ask)

    async def show(self, interaction: Interaction, options: Options) -> None:
        """A clip by its id."""
        clip = str(options.get("id", "")).strip().lower()
        await self._into_card(interaction, lambda caller: self.commands.show_clip(caller, clip, str(interaction.id)))

    async def random(self, interaction: Interaction, options: Options) -> None:
        """Any clip that was made here."""

        async def ask(caller: Caller) -> Outcome | str:
            clip = await self.answers.random_clip(caller)
            return await self.commands.show_clip(caller, clip, str(interaction.id)) if clip else asking.nothing_made()

        await self._into_card(interaction, ask)

    async def _from_text(self, interaction: Interaction, text: str) -> None:
        if text:
            await self._request(interaction, Wish(prompt=text))
        else:
            await self._whisper(interaction, asking.no_text())

    async def _request(self, interaction: Interaction, wish: Wish) -> None:
        await self._into_card(interaction, lambda caller: self.commands.request_clip(caller, wish, str(interaction.id)))

    async def _write(self, interaction: Interaction) -> None:
        """The prompt of a draft came, or other words for a job."""
        written = windows.read(interaction)
        if written is None:
            await self._whisper(interaction, questions.went_wrong())
        elif written.kind == windows.REPORT:
            report = self.commands.report_message
            await self._tell(interaction, lambda caller: report(caller, written.subject, written.words))
        elif written.kind == windows.DRAFT:
            write = self.commands.write
            await self._into_card(
                interaction, lambda caller: write(caller, written.subject, written.words), draft=written.subject
            )
        else:
            edit = self.commands.edit
            await self._into_card(
                interaction, lambda caller: edit(caller, written.subject, written.words, str(interaction.id))
            )

    async def _into_card(self, interaction: Interaction, ask: Ask, draft: str = "") -> None:
        """The message that stands for the answer becomes the card; where none is shown, it says why.

        The way to it is kept before anything is asked, so that whoever takes this up after a crash finds the message:
        under the id of the request, which may have come earlier as a `draft`.
        """
        caller = caller_of(interaction)
        sent = await receiving.acknowledge(interaction, self.rest)
        if sent is None:
            return
        kind = BOT if is_reachable(interaction) and not sent.ephemeral else TOKEN
        until = self.clock() + TOKEN_SECONDS
        nonce = draft if draft and await self._is_theirs(draft, caller) else str(interaction.id)
        route = CardRoute(nonce, caller.address, kind, interaction.token, until, sent.message)
        await self.ways.keep(route)
        outcome = await ask(caller)
        if isinstance(outcome, str):
            await self.ways.fill(route, asking.only(outcome))
        elif outcome.result is not Result.UNREACHED and _stands_elsewhere(
            outcome, await self.ways.of_nonce(nonce) or route
        ):
            await self.ways.fill(route, asking.only(outcome.sentence))

    async def _is_theirs(self, draft: str, caller: Caller) -> bool:
        """What a window says it belongs to is the word of whoever sent it. A draft may still be on its way."""
        if draft in self._drafting:
            await self._drafting[draft].wait()
        return await self.ways.is_of(draft, caller.asker)

    # --- what only the caller sees ---

    async def _answer(self, interaction: Interaction, options: Options, answer: Answer) -> None:
        caller = caller_of(interaction)
        if await receiving.acknowledge(interaction, self.rest, ephemeral=True) is not None:
            await self.rest.show_original(interaction.token, await answer(self.answers, caller, options))

    async def report(self, interaction: Interaction, options: Options) -> None:
        """A clip by its id, for a moderator to look at."""
        clip, reason = text_in(options, "id").lower(), text_in(options, "reason")
        await self._tell(interaction, lambda caller: self.commands.report(caller, clip, reason))

    async def hide(self, interaction: Interaction, options: Options) -> None:
        """A clip of one's own by its id; hidden already, it is shown again."""
        clip = text_in(options, "id").lower()
        await self._tell(interaction, lambda caller: self.commands.hide_or_show(caller, clip))

    async def _tell(self, interaction: Interaction, act: Act) -> None:
        """What came of something that leaves no card, said to the caller alone."""
        caller = caller_of(interaction)
        if await receiving.acknowledge(interaction, self.rest, ephemeral=True) is not None:
            outcome = await act(caller)
            await self.rest.show_original(interaction.token, asking.only(outcome.sentence))

    async def mydata(self, interaction: Interaction, options: Options) -> None:
        """A copy of what is stored about the caller, as a file, or its deletion, which is asked about first."""
        caller = caller_of(interaction)
        if await receiving.acknowledge(interaction, self.rest, ephemeral=True) is None:
            return
        if text_in(options, "action") == "delete":
            card = await self.answers.my_data_delete(caller, text_in(options, "level"))
            await self.rest.show_original(interaction.token, card)
        else:
            await self._hand_over(interaction, caller, int(options.get("part", 1)))

    async def review(self, interaction: Interaction, options: Options) -> None:
        """What is most urgent to look at, with the clip that it is about."""
        caller = caller_of(interaction)
        if await receiving.acknowledge(interaction, self.rest, ephemeral=True) is not None:
            await self._show_review(interaction, caller, await self.answers.bench.review(caller))

    async def _show_review(self, interaction: Interaction, caller: Caller, card: Card) -> None:
        """With its clip, covered, where that can be had."""
        limit = self.ways.limit(caller.address)
        picture = await enclosing.with_clip(self.commands, caller, card, FORMATS[0], limit)
        await self._show_at_best(interaction, picture, limit)

    async def console(self, interaction: Interaction, options: Options) -> None:
        """The way into the moderators' pages."""
        caller = caller_of(interaction)
        if await receiving.acknowledge(interaction, self.rest, ephemeral=True) is not None:
            card = await self.answers.bench.console(caller)
            await self._show_at_best(interaction, Picture(card, link=enclosing.link_of(card)))

    async def _show_at_best(self, interaction: Interaction, picture: Picture, limit: int = 0) -> None:
        """Where Discord does not take what goes with the words, these alone."""
        try:
            await self.rest.edit_original(interaction.token, picture, limit)
        except (TooLarge, Refused):
            await self.rest.show_original(interaction.token, picture.card)

    async def _hand_over(self, interaction: Interaction, caller: Caller, part: int) -> None:
        """In a part that fits; Discord takes less here and there than it says."""
        limit = self.ways.limit(caller.address)
        while not await self._took(interaction, caller, part, limit):
            limit //= 2

    async def _took(self, interaction: Interaction, caller: Caller, part: int, limit: int) -> bool:
        """Whether Discord takes a part of so many bytes. Raises TooLarge where it does not take even very little."""
        export = await self.answers.my_data_export(caller, part, limit)
        try:
            await self.rest.edit_original(interaction.token, Picture(export.card, document=export.path), limit)
        except TooLarge:
            if limit < LEAST_BYTES:
                raise
            return False
        finally:
            await asyncio.to_thread(export.discard)
        return True

    async def _whisper(self, interaction: Interaction, sentence: str) -> None:
        """One sentence for the caller alone; where even that fails, nothing is left to be done."""
        try:
            match interaction.response.type:
                case None:
                    await receiving.whisper(interaction, escaped(sentence))
                case Response.deferred_channel_message:
                    await self.rest.show_original(interaction.token, asking.only(sentence))
                case _:
                    await interaction.followup.send(escaped(sentence), ephemeral=True, allowed_mentions=NOBODY)
        except Exception as error:
            log.warning("Somebody on Discord could not be told (%s).", where(error))

    # --- buttons ---

    async def _press(self, interaction: Interaction, token: str) -> None:
        if self._is_double_click(str(interaction.user.id), token):
            await receiving.accept(interaction)
            return
        match intents.parse(token):
            case intents.Again() | intents.Show():
                await self._into_card(
                    interaction, lambda caller: self.commands.press(caller, token, str(interaction.id))
                )
            case intents.Edit():
                await self._ask_for_words(interaction, token)
            case intents.Page(number):
                await self._turn_page(interaction, number)
            case intents.Confirm() | intents.Dismiss():
                await self._settle(interaction, token)
            case intents.Approve() | intents.Remove() | intents.FalseAlarm() if _is_whispered(interaction):
                await self._decide(interaction, token)
            case _:
                await self._act(interaction, token)

    def _is_double_click(self, person: str, token: str) -> bool:
        now = self.clock()
        self._presses = {key: at for key, at in self._presses.items() if now - at < DOUBLE_CLICK}
        seen = (person, token) in self._presses
        self._presses.setdefault((person, token), now)
        return seen and isinstance(intents.parse(token), ONCE)

    async def _ask_for_words(self, interaction: Interaction, token: str) -> None:
        """A window can only be the first sign itself, so what is in it has to be found quickly."""
        try:
            async with asyncio.timeout(A_LOOK):
                outcome = await self.commands.press(caller_of(interaction), token, str(interaction.id))
        except TimeoutError:
            await self._whisper(interaction, asking.slow())
            return
        if outcome.result is Result.ASK_PROMPT:
            await receiving.show_window(interaction, self._window(windows.EDIT, outcome.job, outcome.prompt))
        else:
            await self._whisper(interaction, outcome.sentence)

    async def _turn_page(self, interaction: Interaction, number: int) -> None:
        if await receiving.accept(interaction):
            card = await self.answers.gallery(caller_of(interaction), page=number)
            await self.rest.show_original(interaction.token, card)

    async def _ask_for_reason(self, interaction: Interaction, message: discord.Message) -> None:
        await receiving.show_window(interaction, windows.reason_window(str(message.id)))

    async def _settle(self, interaction: Interaction, token: str) -> None:
        """Yes or no to a question that only the caller sees: what came of it takes its place."""
        if await receiving.accept(interaction):
            outcome = await self.commands.press(caller_of(interaction), token, str(interaction.id))
            await self.rest.show_original(interaction.token, asking.only(outcome.sentence))

    async def _decide(self, interaction: Interaction, token: str) -> None:
        """A moderator's decision on a card of their own: what came of it, and the next one that waits."""
        if await receiving.accept(interaction):
            caller = caller_of(interaction)
            outcome = await self.commands.press(caller, token, str(interaction.id))
            following = await self.answers.bench.review(caller)
            await self._show_review(interaction, caller, asking.after(outcome.sentence, following))

    async def _act(self, interaction: Interaction, token: str) -> None:
        """What changes the card itself: the loops redraw it, and the one who pressed is told in a whisper."""
        if not await receiving.accept(interaction):
            return
        caller = caller_of(interaction)
        if interaction.message is not None:
            handle = Handle(caller.address, str(interaction.message.id))
            await self.ways.renew(handle, str(interaction.id), interaction.token)
        outcome = await self.commands.press(caller, token, str(interaction.id))
        await self._whisper(interaction, outcome.sentence)

    def _window(self, kind: str, subject: str, prompt: str = "") -> discord.ui.Modal:
        return windows.window(kind, subject, self.commands.limits.prompt_chars, prompt)


def _is_whispered(interaction: Interaction) -> bool:
    """Whether the message of a button is seen by the caller alone."""
    return interaction.message is not None and interaction.message.flags.ephemeral


def _stands_elsewhere(outcome: Outcome, route: CardRoute) -> bool:
    """Whether the message that was prepared for the card is still empty."""
    return outcome.handle is None or outcome.handle.message != route.message


Work = Callable[[Desk, Interaction, Options], Coroutine[Any, Any, None]]

# The commands that are more than an answer.
BY_EVERYBODY: Mapping[str, Work] = {
    "video": Desk.video,
    "again": Desk.again,
    "show": Desk.show,
    "random": Desk.random,
    "report": Desk.report,
    "hide": Desk.hide,
    "mydata": Desk.mydata,
}
BY_MODERATORS: Mapping[str, Work] = {"review": Desk.review, "console": Desk.console}
