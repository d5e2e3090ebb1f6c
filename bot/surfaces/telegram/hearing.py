"""What an update asks for, handed to the commands and the answers; nothing is decided here.

An update's number is the origin of what it asks for, so an update that is handled a second time does nothing twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from telegram import CallbackQuery, ChatMemberUpdated, InlineQuery, InlineQueryResultCachedMpeg4Gif, Message, Update
from telegram.constants import ChatMemberStatus, ChatType, ParseMode

from bot import cards, intents, typed
from bot.answers import Answers
from bot.cards import Card, asking, questions
from bot.cards import answers as sentences
from bot.commands import TOO_LATE_SECONDS, Commands, Outcome, Result
from bot.language import say, speaking
from bot.port import Gone, SurfaceError
from bot.specs import Problem
from bot.surfaces.telegram import callers, drawing
from bot.surfaces.telegram.callers import NAME
from bot.surfaces.telegram.members import words_of
from bot.surfaces.telegram.moderating import Moderating
from bot.surfaces.telegram.questions import About, Question
from bot.surfaces.telegram.saying import Saying, nonces, question_nonce
from bot.surfaces.telegram.wire import TooOld
from bot.typed import Line
from db import platform_files, queue, requests
from db.records import Address, Asker, Caller, Clip, Handle

if TYPE_CHECKING:
    from bot.surfaces.telegram.surface import TelegramSurface

ANSWER_SECONDS = 2.0  # a button turns for as long as it has no answer
INLINE_CLIPS = 50
INLINE_MOST = 500  # clips that one search leads to
ALARMING = frozenset(
    {Result.NOT_YOURS, Result.REFUSED, Result.DENIED, Result.PROBLEM, Result.UNSHOWN, Result.DECIDED_ALREADY}
)

NOT_FOUND = frozenset({Result.NOT_YOURS, Result.UNKNOWN})
OF_MODERATION = (  # buttons of which Telegram is asked first who presses them
    intents.Approve
    | intents.Remove
    | intents.FalseAlarm
    | intents.Confirm
    | intents.Dismiss
    | intents.Hide
    | intents.Unhide
)

Answering = Callable[[Caller, Line, str], Awaitable[None]]

log = logging.getLogger(__name__)


class Hearing:
    """One for a bot; it remembers nothing."""

    def __init__(self, surface: TelegramSurface, commands: Commands, answers: Answers) -> None:
        self._surface = surface
        self._commands = commands
        self._answers = answers
        self._saying = Saying(surface)
        self._moderating = Moderating(surface, commands, answers, self._saying)
        self._words: dict[str, Answering] = {
            "video": self._video,
            "again": self._again,
            "show": self._show,
            "random": self._random,
            "settings": self._settings,
            "zsettings": self._place_settings,
        }
        self._cards: dict[str, Callable[[Caller, Line], Awaitable[Card]]] = {
            "start": lambda caller, line: answers.start(caller),
            "help": lambda caller, line: answers.help(caller),
            "privacy": lambda caller, line: answers.privacy(caller),
            "queue": lambda caller, line: answers.queue(caller),
            "cancel": lambda caller, line: answers.cancel(caller, line.options.get("job", line.words)),
            "quota": self._quota,
            "gallery": self._gallery,
            "link": lambda caller, line: answers.link(caller, line.options.get("code", line.words)),
            "zpause": lambda caller, line: answers.pause(caller),
            "zresume": lambda caller, line: answers.resume(caller),
        }

    async def hear(self, number: int, body: dict[str, Any], waited: float = 0.0) -> None:
        """Do what an update asks for that had waited for us for so many seconds. Repeating it is harmless."""
        update, origin = Update.de_json(body, self._surface.wire.bot), str(number)
        late = waited > TOO_LATE_SECONDS
        if update.callback_query and not late:
            await self._pressed(update.callback_query, origin)
        elif update.inline_query:
            await self._searched(update.inline_query)
        elif update.my_chat_member:
            await self._placed(update.my_chat_member)
        elif message := update.message or update.channel_post:
            await (self._said_long_ago if late else self._said)(message, origin)

    async def excuse(self, number: int, body: dict[str, Any]) -> None:
        """Say that an update came and nothing could be done."""
        update = Update.de_json(body, self._surface.wire.bot)
        press, message = update.callback_query, update.message or update.channel_post
        caller = callers.of_message(message) if message else None
        if press is not None:
            with speaking(press.from_user.language_code or ""):
                await self._answer(press, questions.went_wrong(), alert=True)
        elif caller is not None and message is not None and _expects_an_answer(message, caller):
            with speaking(caller.circumstances.language):
                await self._saying.tell(caller, questions.went_wrong(), f"excuse {number}")

    # --- what was said ---

    async def _said(self, message: Message, origin: str) -> None:
        if await self._moved(message) or (caller := _speaker(message)) is None:
            return
        await self._surface.places.let_in(caller.address.place)
        with speaking(caller.circumstances.language), self._answering(caller, message, *nonces(origin)):
            line = typed.read(words_of(message))
            if line.command:
                await self._commanded(caller, line, message, origin)
            elif question := await self._asked(caller, message):
                await self._replied(caller, question, line, origin)
            elif caller.circumstances.private:
                await self._saying.put(caller, await self._answers.start(caller), origin)

    async def _said_long_ago(self, message: Message, origin: str) -> None:
        """Nobody wants to be surprised with it any more. It is told once for all that somebody said in an hour."""
        if await self._moved(message) or (caller := _speaker(message)) is None:
            return
        line = typed.read(words_of(message))
        ours = line.command in {*self._words, *self._cards, *self._moderating.names}
        if not (caller.circumstances.private or (ours and self._is_for_us(message))) or await self._is_known(origin):
            return
        nonce = f"late {caller.asker.id} {message.date.timestamp() // 3600:.0f}"
        with speaking(caller.circumstances.language), self._answering(caller, message, nonce):
            await self._surface.show(caller.address, cards.too_late(caller.asker), nonce)

    async def _is_known(self, origin: str) -> bool:
        """Whether it was heard before we went away: then its card says what became of it."""
        async with self._commands.database.reading() as tx:
            return await requests.get(tx, NAME, origin) is not None

    async def _moved(self, message: Message) -> bool:
        """Whether it only says that a group has become a supergroup, told once in each of both."""
        here = str(message.chat.id)
        if message.migrate_to_chat_id:
            await self._surface.places.move(here, str(message.migrate_to_chat_id))
        elif message.migrate_from_chat_id:
            await self._surface.places.move(str(message.migrate_from_chat_id), here)
        else:
            return False
        return True

    async def _commanded(self, caller: Caller, line: Line, message: Message, origin: str) -> None:
        if not self._is_for_us(message):
            return
        if line.command.startswith("z") or line.command in {*self._moderating.names, "help"}:
            caller = await self._now(caller)
        if line.command in self._moderating.names:
            await self._moderating.hear(caller, line, message, origin)
        elif line.command in self._words:
            await self._words[line.command](caller, line, origin)
        elif line.command in self._cards:
            await self._saying.put(caller, await self._cards[line.command](caller, line), origin)
        elif _addressee(message) or caller.circumstances.private:  # a group has other bots, whose commands these may be
            unknown = typed.command_of(line)
            if isinstance(unknown, Problem):
                await self._saying.tell(caller, unknown.sentence, origin)

    def _is_for_us(self, message: Message) -> bool:
        return _addressee(message) in {"", self._surface.wire.username.casefold()}

    async def _asked(self, caller: Caller, message: Message) -> Question | None:
        """The question that this answers: the one replied to, or in private the last one."""
        answered, found = message.reply_to_message, None
        questions_asked = self._surface.questions
        if answered is not None:
            found = await questions_asked.of_message(caller.address, str(answered.message_id))
        if found is None and caller.circumstances.private:
            found = await questions_asked.of_person(caller.address, caller.asker)
        return found if found is not None and found.asker == caller.asker else None

    async def _replied(self, caller: Caller, question: Question, line: Line, origin: str) -> None:
        """Options count in an answer as well; one that says too little leaves the question open."""
        wish = typed.wish_of(line)
        if isinstance(wish, Problem):
            return await self._saying.tell(caller, wish.sentence, origin)
        if not wish.prompt.strip():
            return await self._saying.tell(caller, questions.which_prompt(), origin)
        match question.about:
            case About.DRAFT:
                with self._answering_draft(caller, question.subject, origin):
                    outcome = await self._commands.write(caller, question.subject, wish.prompt, wish)
            case About.EDIT:
                outcome = await self._commands.edit(caller, question.subject, wish.prompt, origin, wish)
        await self._saying.outcome(caller, outcome, origin)
        return await self._surface.questions.answered(caller.address, caller.asker)

    # --- commands ---

    async def _video(self, caller: Caller, line: Line, origin: str) -> None:
        wish = typed.wish_of(line)
        if isinstance(wish, Problem):
            return await self._saying.tell(caller, wish.sentence, origin)
        if wish.prompt.strip():
            return await self._saying.outcome(caller, await self._commands.request_clip(caller, wish, origin), origin)
        await self._commands.draft(caller, wish, origin)
        return await self._ask(
            caller,
            Question(About.DRAFT, origin, caller.asker),
            drawing.mention(caller.asker.id, questions.which_prompt()),
            questions.prompt_placeholder(),
            origin,
        )

    async def _again(self, caller: Caller, line: Line, origin: str) -> None:
        job = await self._answers.last_job(caller)
        if not job:
            return await self._saying.tell(caller, sentences.no_clip_yet(), origin)
        outcome = await self._commands.press(caller, intents.token(intents.Again(job)), origin)
        return await self._saying.outcome(caller, outcome, origin)

    async def _show(self, caller: Caller, line: Line, origin: str) -> None:
        clip = line.options.get("id", line.words).strip()
        await self._saying.outcome(caller, await self._commands.show_clip(caller, clip, origin), origin)

    async def _random(self, caller: Caller, line: Line, origin: str) -> None:
        clip = await self._answers.random_clip(caller)
        if not clip:
            return await self._saying.tell(caller, sentences.no_clip_yet(), origin)
        return await self._saying.outcome(caller, await self._commands.show_clip(caller, clip, origin), origin)

    async def _settings(self, caller: Caller, line: Line, origin: str) -> None:
        changes = typed.changes_of(line)
        if isinstance(changes, Problem):
            return await self._saying.tell(caller, changes.sentence, origin)
        return await self._saying.put(caller, await self._answers.settings(caller, changes), origin)

    async def _place_settings(self, caller: Caller, line: Line, origin: str) -> None:
        changes = typed.changes_of(line)
        if isinstance(changes, Problem):
            return await self._saying.tell(caller, changes.sentence, origin)
        return await self._saying.put(caller, await self._answers.place_settings(caller, changes), origin)

    async def _quota(self, caller: Caller, line: Line) -> Card:
        """What a clip would cost is said where anything about it is."""
        wish = typed.wish_of(line)
        if isinstance(wish, Problem):
            return sentences.note(wish.sentence, well=False)
        return await self._answers.quota(caller, wish if line.options else None)

    async def _gallery(self, caller: Caller, line: Line) -> Card:
        page = typed.whole(line.options["page"]) if "page" in line.options else 1
        if page is None or page < 1:
            return sentences.note(cards.not_a_number("page", line.options["page"]), well=False)
        return await self._answers.gallery(caller, line.options.get("words", line.words), page)

    # --- buttons ---

    async def _pressed(self, press: CallbackQuery, origin: str) -> None:
        """Answered within seconds whatever happens: with the outcome's sentence where that is there in time."""
        caller, token = callers.of_press(press), callers.token_of(press)
        with speaking(press.from_user.language_code or ""):
            if caller is None or not token:
                return await self._answer(press, say(cards.UNKNOWN_BUTTON))
            await self._surface.places.let_in(caller.address.place)
            acting = asyncio.create_task(self._act(caller, press, token, origin))
            try:
                await asyncio.wait([acting], timeout=ANSWER_SECONDS)
                if not acting.done() or acting.exception() is not None:
                    await self._answer(press, "")
                outcome = await acting
            finally:
                acting.cancel()
            if outcome is None:
                return await self._answer(press, "")
            return await self._answer(press, outcome.sentence, alert=outcome.result in ALARMING)

    async def _act(self, caller: Caller, press: CallbackQuery, token: str, origin: str) -> Outcome | None:
        """What the button does; None: what is seen of it says enough."""
        intent, about = intents.parse(token), await self._about(caller, press)
        outcome = await self._surface.places.outcome(origin)
        if outcome is None:
            meant = replace(caller, address=about or caller.address)
            of_moderation = isinstance(intent, OF_MODERATION)
            outcome = await (self._moderated if of_moderation else self._done)(meant, press, token, origin)
        match outcome.result, intent:
            case Result.PAGE, intents.Page(number):
                await self._turn_page(caller, press, number)
                return None
            case Result.ASK_PROMPT, _:
                await self._ask_for_other_words(caller, press, outcome, origin)
                return None
            case ((Result.CONFIRMED | Result.DISMISSED), _):
                await self._redraw_pressed(caller, press, sentences.note(outcome.sentence))
            case ((Result.DECIDED | Result.DECIDED_ALREADY), _) if about is not None:  # a desk's cards have a loop
                following = await self._answers.bench.review(await self._now(replace(caller, address=about)))
                await self._redraw_pressed(caller, press, asking.after(outcome.sentence, following))
        return outcome

    async def _moderated(self, caller: Caller, press: CallbackQuery, token: str, origin: str) -> Outcome:
        """Begun is noted before, and what came of it after: from then on only its card has to be drawn."""
        places = self._surface.places
        begun_before = await places.begun(origin) is not None
        await places.note_begun(origin)
        outcome = await self._done(caller, press, token, origin)
        if begun_before and isinstance(intents.parse(token), intents.Confirm) and outcome.result in NOT_FOUND:
            outcome = Outcome(Result.CONFIRMED, questions.perhaps_done())  # what it asked for is gone: it was taken
        await places.note_outcome(origin, outcome)
        return outcome

    async def _done(self, caller: Caller, press: CallbackQuery, token: str, origin: str) -> Outcome:
        """By the caller as they are now; what an anonymous administrator has asked for, they answer for as well."""
        intent, asked_anew = intents.parse(token), False
        if isinstance(intent, OF_MODERATION):
            caller, asked_anew = await self._now(caller), True
        outcome = await self._commands.press(caller, token, origin)
        if outcome.result is Result.NOT_YOURS and not asked_anew:
            caller = await self._now(caller)
            if caller.circumstances.moderator:
                outcome = await self._commands.press(caller, token, origin)
        may_be_the_places = isinstance(intent, intents.Confirm | intents.Dismiss) and outcome.result in NOT_FOUND
        if may_be_the_places and await self._speaks_for_the_place(caller, press):
            place = Asker(NAME, caller.address.place)
            outcome = await self._commands.press(replace(caller, asker=place), token, origin)
        return outcome

    async def _speaks_for_the_place(self, caller: Caller, press: CallbackQuery) -> bool:
        """Whether the caller writes in the chat's own name: an anonymous administrator, or any of a channel's."""
        member = await self._surface.member(caller.address.place, caller.asker)
        in_channel = press.message is not None and press.message.chat.type == ChatType.CHANNEL
        return member is not None and (member.anonymous or (member.manages and in_channel))

    async def _about(self, caller: Caller, press: CallbackQuery) -> Address | None:
        """The place that a card in a private chat speaks of; None: the chat itself."""
        if press.message is None or not caller.circumstances.private:
            return None
        try:
            return await self._surface.places.about(Handle(caller.address, str(press.message.message_id)))
        except Gone:  # we were put out of there: nobody moderates here
            return None

    async def _redraw_pressed(self, caller: Caller, press: CallbackQuery, card: Card) -> None:
        if press.message is not None:
            await self._surface.redraw(Handle(caller.address, str(press.message.message_id)), card)

    async def _turn_page(self, caller: Caller, press: CallbackQuery, number: int) -> None:
        await self._redraw_pressed(caller, press, await self._answers.gallery(caller, page=number))

    async def _ask_for_other_words(self, caller: Caller, press: CallbackQuery, outcome: Outcome, origin: str) -> None:
        """Telegram fills no field with words beforehand: they stand below the question, and a touch copies them."""
        words = f"{drawing.mention(caller.asker.id, outcome.sentence)}\n{drawing.quoted(outcome.prompt)}"
        card = str(press.message.message_id) if press.message else ""
        question = Question(About.EDIT, outcome.job, caller.asker)
        await self._ask(caller, question, words, outcome.prompt, origin, card)

    async def _answer(self, press: CallbackQuery, sentence: str, *, alert: bool = False) -> None:
        """One that comes too late, or a second time, is nothing to worry about."""
        try:
            await self._surface.wire.answer_press(
                press.id, cards.shorten(sentence, drawing.ALERT_CHARS), alert=alert and bool(sentence)
            )
        except TooOld:
            log.debug("A button was answered before, or too late.")
        except SurfaceError as error:
            log.info("A button could not be answered: %s", error)

    # --- inline ---

    async def _searched(self, query: InlineQuery) -> None:
        """Finished clips by their words, as files that Telegram holds already."""
        caller = callers.of_inline(query)
        start = int(query.offset) if query.offset.isdecimal() and len(query.offset) < 6 else 0
        with speaking(caller.circumstances.language):
            most = min(start + INLINE_CLIPS + 1, INLINE_MOST)
            found = (await self._answers.found(caller, query.query, limit=most))[start:]
            offered = await self._offered(found[:INLINE_CLIPS])
            following = str(start + INLINE_CLIPS) if len(found) > INLINE_CLIPS else ""
            button = questions.make_the_first() if not found and not start else ""
            try:
                await self._surface.wire.answer_inline(query.id, offered, following, button)
            except TooOld:
                log.debug("An inline question was given up before its answer came.")

    async def _offered(self, clips: Sequence[Clip]) -> list[InlineQueryResultCachedMpeg4Gif]:
        offered = []
        async with self._commands.database.reading() as tx:
            for clip in clips:
                file = await platform_files.file(tx, NAME, clip.id, "mp4")
                file = file or await platform_files.file(tx, NAME, clip.id, "gif")
                job = await queue.get(tx, clip.job)
                if file and job is not None and not clip.verdict.spoiler:  # nothing can be covered here
                    offered.append(_offer(clip, file, cards.done(job, clip)))
        return offered

    # --- where we may be ---

    async def _placed(self, change: ChatMemberUpdated) -> None:
        """We were let in, put out, or blocked."""
        out = change.new_chat_member.status in (ChatMemberStatus.BANNED, ChatMemberStatus.LEFT)
        place = str(change.chat.id)
        if out:
            await self._surface.places.put_out(place)
        else:
            await self._surface.places.let_in(place)

    async def _now(self, caller: Caller) -> Caller:
        """With what Telegram says about them now: rights are taken away, too. Their language is known already."""
        told = await self._surface.circumstances(caller.address, caller.asker)
        return replace(caller, circumstances=replace(told, language=caller.circumstances.language))

    # --- speaking ---

    @contextmanager
    def _answering(self, caller: Caller, message: Message, *nonces: str) -> Iterator[None]:
        """What is posted under these nonces answers this message."""
        keys = [(caller.address, nonce) for nonce in nonces]
        self._surface.answers_to.update(dict.fromkeys(keys, str(message.message_id)))
        try:
            yield
        finally:
            for key in keys:
                self._surface.answers_to.pop(key, None)

    @contextmanager
    def _answering_draft(self, caller: Caller, draft: str, origin: str) -> Iterator[None]:
        """The card of a draft is posted for the draft's origin, and answers what has come now."""
        answers_to, key = self._surface.answers_to, (caller.address, draft)
        answers_to[key] = answers_to.get((caller.address, origin), "")
        try:
            yield
        finally:
            answers_to.pop(key, None)

    async def _ask(
        self, caller: Caller, question: Question, words: str, placeholder: str, origin: str, answers: str = ""
    ) -> None:
        shown = placeholder if len(placeholder) <= drawing.PLACEHOLDER_CHARS else ""
        message = await self._surface.ask(caller.address, words, shown, answers, question_nonce(origin))
        await self._surface.questions.ask(caller.address, message, question)


def _expects_an_answer(message: Message, caller: Caller) -> bool:
    return caller.circumstances.private or words_of(message).startswith("/")


def _speaker(message: Message) -> Caller | None:
    """Whoever said words of their own, or nobody."""
    return callers.of_message(message) if message.via_bot is None and words_of(message) else None


def _addressee(message: Message) -> str:
    """The bot that a command names, in small letters, or nothing."""
    return next(iter(words_of(message).split(maxsplit=1)), "").partition("@")[2].casefold()


def _offer(clip: Clip, file: str, card: Card) -> InlineQueryResultCachedMpeg4Gif:
    return InlineQueryResultCachedMpeg4Gif(
        id=clip.id,
        mpeg4_file_id=file,
        title=card.title,
        caption=drawing.drawn(card, drawing.CAPTION_UNITS),
        parse_mode=ParseMode.HTML,
    )
