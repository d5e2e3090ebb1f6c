"""TelegramSurface: the contract of port.py on the Bot API, and what runs while the bot is on.

A card is one message. Delivering edits it so that it carries the clip, and repeating that is harmless. What can't be
repeated is posting: after a time-out nobody knows whether a message is there, and Telegram tells nobody. So the id of
every card is stored under its nonce as soon as it is known; only a post whose answer was lost may stand there twice,
once as an orphan without a job.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bot import cards
from bot.answers import Answers
from bot.cards import Button, Card, questions
from bot.cards.moderation import is_review
from bot.commands import Commands
from bot.port import Gone, Limits, Receipt, Refused, Rendition, SurfaceError, Throttled, TooLarge
from bot.surfaces.telegram import drawing, menu, wire
from bot.surfaces.telegram.callers import NAME
from bot.surfaces.telegram.hearing import Hearing
from bot.surfaces.telegram.inbox import Inbox
from bot.surfaces.telegram.pace import Kind, Pace, is_group
from bot.surfaces.telegram.places import Places
from bot.surfaces.telegram.polling import Polling, pause_after, tell
from bot.surfaces.telegram.questions import Questions
from bot.surfaces.telegram.webhook import Webhook
from bot.surfaces.telegram.wire import (
    LostFile,
    Media,
    Moved,
    NoCaption,
    NotText,
    PutOut,
    Target,
    Unchanged,
    Unknown,
    Wire,
)
from db import gallery, platform_files
from db.config import TelegramConfig
from db.database import Database
from db.records import Address, Asker, Caller, Circumstances, Handle

FORMATS = ("mp4", "gif", "webp")
PRIVATE_LIMITS = Limits(wire.UPLOAD_BYTES, 1.0, FORMATS, drawing.TEXT_UNITS)
GROUP_LIMITS = Limits(wire.UPLOAD_BYTES, 3.0, FORMATS, drawing.TEXT_UNITS)
DRAWINGS = 1000  # of the last cards that are remembered
WAIT_SECONDS = 2.0  # what is waited for on the spot; whoever has to wait longer is told how long
SECRET_BYTES = 32

Drawing = tuple[str, tuple[Button, ...]]

log = logging.getLogger(__name__)


class TelegramSurface:
    """One bot. `commands` and `answers` must be set before it runs; `clock` gives seconds since the epoch."""

    def __init__(
        self,
        config: TelegramConfig,
        token: str,
        database: Database,
        clock: Callable[[], float],
        pace: Pace | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._database = database
        self._clock = clock
        self._pace = pace or Pace(time.monotonic)
        self._sleep = sleep
        self.wire = Wire(config, token)
        self.places = Places(database, clock)
        self.questions = Questions(database, clock)
        self.answers_to: dict[tuple[Address, str], str] = {}  # the message that a card answers, while it is heard
        self._drawn: dict[Handle, Drawing] = {}  # what the last cards show, so that nothing is drawn twice in a row
        self.webhook_port = 0  # where the webhook listens, once it does
        self.commands: Commands | None = None
        self.answers: Answers | None = None

    @property
    def name(self) -> str:
        return NAME

    # --- what runs ---

    async def run(self) -> None:
        """Serve until cancelled."""
        assert self.commands is not None, "the commands are set before the surface runs"
        assert self.answers is not None, "the answers are set before the surface runs"
        hearing = Hearing(self, self.commands, self.answers)
        inbox = Inbox(self._database, self._clock, hearing.hear, hearing.excuse, self._sleep)
        try:
            await self._until_open()
            await menu.register(self.wire, self.commands.limits)
            async with asyncio.TaskGroup() as group:
                group.create_task(inbox.run())
                group.create_task(self._receive(inbox))
        finally:
            await self.wire.close()

    async def _until_open(self) -> None:
        """However long Telegram is away, or the token is wrong: nothing else stops for it."""
        failures = 0
        while True:
            try:
                await self.wire.open()
            except SurfaceError as error:
                failures += 1
                tell(error, failures)
                await self._sleep(pause_after(failures))
            else:
                log.info("Telegram knows this bot as @%s.", self.wire.username, extra={"action": "telegram_on"})
                return

    async def _receive(self, inbox: Inbox) -> None:
        if not self._config.webhook_url:
            await self._take_back_webhook()
            await Polling(self.wire, inbox, self._sleep).run()
        webhook = Webhook(self._config, inbox, secrets.token_urlsafe(SECRET_BYTES))
        try:
            self.webhook_port = webhook.open()
            await self._set_webhook(webhook)
            await webhook.run()
        finally:
            webhook.close()

    async def _set_webhook(self, webhook: Webhook) -> None:
        """With a new secret at every start. Raises Unreachable: then the surface is started again."""
        await self.places.note_webhook(self._config.webhook_url)
        await self.wire.set_webhook(self._config.webhook_url, webhook.secret)

    async def _take_back_webhook(self) -> None:
        """The one that we have set ourselves, before the configuration said otherwise; nobody else's."""
        ours = await self.places.webhook()
        try:
            if ours and await self.wire.webhook_url() == ours:
                await self.wire.delete_webhook()
                await self.places.note_webhook("")
        except SurfaceError as error:
            log.warning("The webhook could not be taken back (%s).", error)

    # --- the contract ---

    async def limits(self, address: Address) -> Limits:
        return GROUP_LIMITS if is_group(address.place) else PRIVATE_LIMITS

    async def show(self, address: Address, card: Card, nonce: str) -> Handle:
        if address.thread and not address.thread.isdecimal():  # somebody has typed it
            raise Gone("Topics have numbers.")
        known = await self.places.shown(address, nonce)
        if known is not None:
            return known
        handle = await self._post(address, card, self.answers_to.get((address, nonce), ""))
        await self.places.note_shown(address, nonce, handle)
        return handle

    async def redraw(self, handle: Handle, card: Card) -> None:
        """A clip that the message carries stays where the card still names one, and goes otherwise."""
        stands = await self._stands(handle)
        if stands is not None:
            try:
                return await self._edit(stands, card)
            except Moved:
                log.info("A card stayed behind in a group that has become another.")
        instead = await self._post(handle.address, card)
        return await self.places.note_stands(handle, instead)

    async def deliver(self, handle: Handle, card: Card, rendition: Rendition) -> Receipt:
        if rendition.bytes > wire.UPLOAD_BYTES:
            raise TooLarge(wire.UPLOAD_BYTES)
        stands = await self._stands(handle)
        if stands is not None:
            try:
                await self._put_in(stands, card, rendition)
            except (Moved, Refused) as error:  # an older local server puts nothing into a message of words
                log.info("A clip comes in a message of its own: %s", error)
            else:
                if stands != handle and stands.address == handle.address:  # we may have died before it was removed
                    await self._remove(stands.address.place, handle.message)
                return Receipt(stands.message, None if stands == handle else stands)
        return await self._send_instead(handle, stands, card, rendition)

    async def notify(self, handle: Handle, asker: Asker, sentence: str, nonce: str) -> None:
        key = f"reply {nonce}"
        if await self.places.shown(handle.address, key) is not None:
            return
        stands = await self._stands(handle) or handle
        async with self._turn(stands.address, Kind.SAY) as chat:
            target = Target(chat, stands.address.thread, stands.message)
            said = await self.wire.say(target, drawing.mention(asker.id, sentence))
        await self.places.note_shown(handle.address, key, Handle(stands.address, said))

    async def circumstances(self, address: Address, asker: Asker) -> Circumstances:
        """Who writes as the group itself is one of its administrators; other groups and channels manage nothing."""
        if not is_group(address.place):
            return Circumstances(private=asker == Asker(NAME, address.place))
        if asker == Asker(NAME, address.place):
            return Circumstances(moderator=True)
        member = await self.member(address.place, asker)
        return Circumstances(member.language or "en", moderator=member.manages) if member else Circumstances()

    # --- what hearing needs besides ---

    async def member(self, place: str, asker: Asker) -> wire.Member | None:
        """Who somebody is in a chat, asked anew; None: nobody that Telegram could tell of."""
        if asker.surface != NAME or not asker.id.isdecimal():
            return None
        try:
            return await self.wire.member(await self.places.now(place), asker.id)
        except (Gone, Refused) as error:
            log.info("Telegram does not tell who somebody is in a chat: %s", error)
            return None

    async def ask(self, address: Address, words: str, placeholder: str, answers: str, nonce: str) -> str:
        """A question whose answer is a reply to it; the id of its message. The same nonce asks only once."""
        known = await self.places.shown(address, nonce)
        if known is not None:
            return known.message
        async with self._turn(address, Kind.SAY) as chat:
            target = Target(chat, address.thread, answers)
            try:
                message = await self.wire.ask(target, words, placeholder)
            except Refused:  # a channel opens no answer field; its posts can be answered all the same
                self._pace.also(chat)
                message = await self.wire.say(target, words)
        await self.places.note_shown(address, nonce, Handle(address, message))
        return message

    async def show_the_way(self, caller: Caller, sentence: str, nonce: str) -> None:
        """A sentence that leads into the private chat. The same nonce says it only once."""
        address = caller.address
        if await self.places.shown(address, nonce) is not None:
            return
        words = drawing.leading(f"https://t.me/{self.wire.username}?start=private", sentence)
        async with self._turn(address, Kind.SAY) as chat:
            message = await self.wire.say(
                Target(chat, address.thread, self.answers_to.get((address, nonce), "")), words
            )
        await self.places.note_shown(address, nonce, Handle(Address(NAME, chat, address.thread), message))

    async def hand_over(self, address: Address, card: Card, file: Path, nonce: str) -> None:
        """A file with a card as its words. The same nonce brings it only once."""
        if await self.places.shown(address, nonce) is not None:
            return
        async with self._turn(address, Kind.SAY) as chat:
            target = Target(chat, address.thread, self.answers_to.get((address, nonce), ""))
            message = await self.wire.send_document(target, file, drawing.drawn(card, drawing.CAPTION_UNITS))
        await self.places.note_shown(address, nonce, Handle(address, message))

    # --- how ---

    async def _post(self, address: Address, card: Card, answers: str = "") -> Handle:
        """A new message with this card, where the chat is now."""
        words = drawing.drawn(card, drawing.TEXT_UNITS)
        async with self._turn(address, _kind(card)) as chat:
            try:
                message = await self.wire.say(Target(chat, address.thread, answers), words, card.buttons)
            except Moved as error:
                await self.places.move(chat, error.to)
                chat = error.to
                self._pace.also(chat)
                message = await self.wire.say(Target(chat, address.thread), words, card.buttons)
        handle = Handle(Address(NAME, chat, address.thread), message)
        self._remember(handle, (words, card.buttons))
        return handle

    async def _stands(self, handle: Handle) -> Handle | None:
        """Where this card is now; None: in a chat that has moved on, where nobody can edit it any more."""
        stands = await self.places.stands(handle) or handle
        here = await self.places.now(stands.address.place)
        return stands if here == stands.address.place else None

    async def _edit(self, stands: Handle, card: Card) -> None:
        """Words into a message of words, a caption under a clip; a clip that is no longer named gives way."""
        words = drawing.drawn(card, drawing.TEXT_UNITS)
        if self._drawn.get(stands) == (words, card.buttons):
            return
        async with self._turn(stands.address, Kind.REDRAW, stays=True) as chat:
            self._drawn.pop(stands, None)
            try:
                await (self._edit_clip if card.clip else self._edit_words)(chat, stands.message, card)
            except Unchanged:
                log.debug("A card was redrawn as it was.")
        self._remember(stands, (words, card.buttons))

    async def _edit_clip(self, chat: str, message: str, card: Card) -> None:
        try:
            await self.wire.edit_caption(chat, message, drawing.drawn(card, drawing.CAPTION_UNITS), card.buttons)
        except NoCaption:
            self._pace.also(chat)
            await self.wire.edit_text(chat, message, drawing.drawn(card, drawing.TEXT_UNITS), card.buttons)

    async def _edit_words(self, chat: str, message: str, card: Card) -> None:
        try:
            await self.wire.edit_text(chat, message, drawing.drawn(card, drawing.TEXT_UNITS), card.buttons)
        except NotText:
            self._pace.also(chat)
            await self.wire.blank(chat, message, drawing.drawn(card, drawing.CAPTION_UNITS), card.buttons)

    def _remember(self, handle: Handle, drawn: Drawing) -> None:
        self._drawn[handle] = drawn
        if len(self._drawn) > DRAWINGS:
            del self._drawn[next(iter(self._drawn))]

    async def _put_in(self, stands: Handle, card: Card, rendition: Rendition) -> None:
        """Edit the message so that it carries the clip: by the file that Telegram holds, or by an upload."""
        async with self._turn(stands.address, _kind(card), stays=True) as chat:
            self._drawn.pop(stands, None)
            for media in await self._media(card, rendition):
                try:
                    file = await self.wire.edit_media(chat, stands.message, media, card.buttons)
                except LostFile:
                    self._pace.also(chat)
                    continue
                except Unchanged:
                    return
                await self._keep_file(card, rendition, file)
                return
        raise Refused(cards.SAID_NO)

    async def _send_instead(self, handle: Handle, stands: Handle | None, card: Card, rendition: Rendition) -> Receipt:
        """The clip in a message of its own, which is the card from now on; the former one goes.

        Sending can't be repeated, so what nobody knows the end of is not tried again: the former card says so.
        """
        if await self.places.may_be_sent(handle):
            raise Refused(questions.perhaps_sent())
        async with self._turn(handle.address, Kind.SAY) as chat:
            target = Target(chat, handle.address.thread, stands.message if stands else "")
            for media in await self._media(card, rendition):
                try:
                    message, file = await self._send_once(handle, target, media, card)
                except LostFile:
                    self._pace.also(chat)
                    continue
                await self._keep_file(card, rendition, file)
                break
            else:
                raise Refused(cards.SAID_NO)
            instead = Handle(Address(NAME, chat, handle.address.thread), message)
            await self.places.note_stands(handle, instead)
            if stands is not None:
                await self._remove(chat, stands.message)
        return Receipt(message, instead)

    async def _send_once(self, handle: Handle, target: Target, media: Media, card: Card) -> tuple[str, str]:
        """Noted before it is sent, so that it is not sent again after a kill either."""
        await self.places.note_sending(handle)
        try:
            return await self.wire.send_clip(target, media, card.buttons)
        except Unknown as error:
            log.warning("A clip was sent, and Telegram did not say whether it came: %s", error)
            raise Refused(questions.perhaps_sent()) from error
        except SurfaceError:
            await self.places.note_unsent(handle)
            raise

    async def _remove(self, chat: str, message: str) -> None:
        try:
            await self.wire.delete(chat, message)
        except (Gone, Refused) as error:
            log.info("A card that was replaced could not be removed: %s", error)

    async def _media(self, card: Card, rendition: Rendition) -> list[Media]:
        """What to try in turn: the file that Telegram holds, then the file itself."""
        caption = drawing.drawn(card, drawing.CAPTION_UNITS)
        async with self._database.reading() as tx:
            held = await platform_files.file(tx, NAME, card.clip, rendition.format)
        content = await asyncio.to_thread(rendition.path.read_bytes)
        files: list[str | bytes] = [held, content] if held else [content]
        return [wire.media_of(rendition, caption, file, spoiler=card.spoiler) for file in files]

    async def _keep_file(self, card: Card, rendition: Rendition, file: str) -> None:
        """Showing this clip once more will cost no upload; one that was deleted meanwhile is not shown again."""
        if not file or not card.clip:
            return
        async with self._database.transaction() as tx:
            if await gallery.get(tx, card.clip) is not None:
                await platform_files.keep(tx, NAME, card.clip, rendition.format, file)

    @asynccontextmanager
    async def _turn(self, address: Address, kind: Kind, *, stays: bool = False) -> AsyncIterator[str]:
        """Wait for this chat's turn, and hear what it says about patience and about having moved; its id now.

        A message that `stays` is left behind where its chat has moved on since it was looked up: Moved.
        """
        chat = await self.places.now(address.place)
        if stays and chat != address.place:
            raise Moved(chat)
        while (wait := self._pace.take(chat, kind)) > 0:
            if wait > WAIT_SECONDS:
                raise Throttled(wait)
            await self._sleep(wait)
        try:
            yield chat
        except Throttled as error:
            self._pace.be_patient(chat, error.seconds)
            raise
        except Moved as error:
            await self.places.move(chat, error.to)
            raise
        except PutOut:
            await self.places.put_out(chat)
            raise


def _kind(card: Card) -> Kind:
    """A desk is a topic of its group: what comes there in a flood leaves room for what members wait for."""
    return Kind.REDRAW if is_review(card) else Kind.SAY
