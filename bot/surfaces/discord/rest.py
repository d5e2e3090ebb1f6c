"""The requests that show, change and answer, by the bot's own token or by that of an interaction."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, cast

import discord

from bot.cards import Card
from bot.port import Unreachable
from bot.surfaces.discord.drawing import Picture
from bot.surfaces.discord.troubles import Barred, translated, where

NOBODY = discord.AllowedMentions.none()
ORIGINAL = cast("int", "@original")  # an interaction's own message, which its token reaches without knowing the id

NOT_THERE = (discord.NotFound, discord.Forbidden)
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)  # what discord.py meets in an answer it does not expect

Found = discord.abc.GuildChannel | discord.abc.PrivateChannel | discord.Thread

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as Discord knows it."""

    message: str
    ephemeral: bool


class Rest:
    """Speaks through a client that is logged in; without one nothing can be reached."""

    def __init__(self) -> None:
        self.client: discord.Client | None = None

    # --- with the bot's own token ---

    async def edit(self, channel: str, message: str, picture: Picture, limit: int) -> None:
        """Replace the whole message."""
        with translated(limit):
            try:
                await self._message(channel, message).edit(**_whole(picture))
            except UNREADABLE as error:
                _taken_all_the_same(error)

    async def post(self, channel: str, picture: Picture, nonce: str, limit: int) -> str:
        """A new message; the same nonce within some minutes gives the first one back. Returns its id."""
        with translated(limit):
            posted = await self._channel(channel).send(
                view=picture.view(), files=picture.files(), nonce=nonce, allowed_mentions=NOBODY
            )
        return str(posted.id)

    async def reply(self, channel: str, message: str, words: str, person: str, nonce: str) -> None:
        """A line under a message that mentions `person`; without the reference where replying is not allowed."""
        reference = discord.MessageReference(message_id=int(message), channel_id=int(channel), fail_if_not_exists=False)
        heard = _only(person)
        with translated():
            try:
                await self._channel(channel).send(words, nonce=nonce, reference=reference, allowed_mentions=heard)
            except discord.HTTPException as error:
                if error.code != 160002:
                    raise
                await self._channel(channel).send(words, nonce=nonce, allowed_mentions=heard)

    async def file_of(self, channel: str, message: str) -> str:
        """The name of the file that a message carries, or empty."""
        with translated():
            found = await self._channel(channel).fetch_message(int(message))
        return found.attachments[0].filename if found.attachments else ""

    async def open_dm(self, person: str) -> str:
        """The id of the private channel with somebody."""
        with translated():
            return str((await self._logged_in().create_dm(discord.Object(int(person)))).id)

    # --- who and where ---

    async def member(self, guild: str, person: str) -> discord.Member | None:
        """Somebody as a server knows them at this moment, with its roles; None: it does not."""
        with translated():
            try:
                found = await self._logged_in().fetch_guild(int(guild), with_counts=False)
                return await found.fetch_member(int(person))
            except NOT_THERE:
                return None
            except UNREADABLE as error:
                raise Unreachable(where(error)) from error

    async def channel(self, channel: str) -> Found | None:
        """A channel, thread or conversation as it is at this moment; None: the bot sees none."""
        with translated():
            try:
                return await self._logged_in().fetch_channel(int(channel))
            except (*NOT_THERE, discord.InvalidData):
                return None
            except UNREADABLE as error:
                raise Unreachable(where(error)) from error

    # --- with the token of an interaction ---

    def adopt(self, interaction: discord.Interaction[Any]) -> None:
        """Let its answers go through this client: the one that heard of it may end before they are given."""
        if self.client is not None:
            http: Any = self.client.http
            interaction._session = http._HTTPClient__session  # noqa: SLF001

    async def original(self, token: str) -> Sent:
        """The message that an interaction has."""
        with translated():
            return _sent(await self._webhook(token).fetch_message(ORIGINAL))

    async def edit_original(self, token: str, picture: Picture, limit: int = 0) -> Sent | None:
        """Replace the whole message of an interaction. Returns it, if Discord tells."""
        with translated(limit):
            try:
                return _sent(await self._webhook(token).edit_message(ORIGINAL, **_whole(picture)))
            except UNREADABLE as error:
                _taken_all_the_same(error)
                return None

    async def show_original(self, token: str, card: Card) -> None:
        await self.edit_original(token, Picture(card))

    async def follow_up(self, token: str, words: str, person: str) -> None:
        """One more message of an interaction."""
        with translated():
            await self._webhook(token).send(words, allowed_mentions=_only(person))

    def _webhook(self, token: str) -> discord.Webhook:
        client = self._logged_in()
        if not token or client.application_id is None:
            raise Barred
        return discord.Webhook.partial(client.application_id, token, client=client)

    def _message(self, channel: str, message: str) -> discord.PartialMessage:
        return self._channel(channel).get_partial_message(int(message))

    def _channel(self, channel: str) -> discord.PartialMessageable:
        return self._logged_in().get_partial_messageable(int(channel))

    def _logged_in(self) -> discord.Client:
        if self.client is None:
            raise Unreachable("not logged in")
        return self.client


def _whole(picture: Picture) -> dict[str, Any]:
    """Everything about a message, so that nothing old stays: a file that is not kept is taken away."""
    drawn: dict[str, Any] = {"view": picture.view(), "allowed_mentions": NOBODY}
    if not picture.kept:
        drawn["attachments"] = picture.files()
    return drawn


def _taken_all_the_same(error: Exception) -> None:
    """An edit that Discord took is done, whatever it says to it; discord.py wants the whole message back."""
    log.warning("Discord's answer to an edit could not be read (%s).", where(error))


def _only(person: str) -> discord.AllowedMentions:
    people: list[discord.abc.Snowflake] = [discord.Object(int(person))] if person.isdecimal() else []
    return discord.AllowedMentions(everyone=False, roles=False, replied_user=False, users=people)


def _sent(message: discord.Message) -> Sent:
    return Sent(str(message.id), message.flags.ephemeral)
