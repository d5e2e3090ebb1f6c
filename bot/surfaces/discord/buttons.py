"""Buttons whose custom id is the intent token: they carry everything, so they work after any restart."""

from __future__ import annotations

import re
from re import Match
from typing import Any, Protocol, Self

import discord
from discord import ui

from bot.cards import shorten

LABEL_CHARS = 80
SHAPE = r"(?P<token>[a-z]:[0-9a-z]{1,32})"


class Listener(Protocol):
    """What a client has that takes presses."""

    def pressed(self, interaction: discord.Interaction[Any], token: str) -> None: ...


class IntentButton(ui.DynamicItem[ui.Button[Any]], template=SHAPE):
    """One button of a card."""

    def __init__(self, token: str, label: str, dangerous: bool = False) -> None:
        style = discord.ButtonStyle.danger if dangerous else discord.ButtonStyle.secondary
        super().__init__(ui.Button(label=shorten(label, LABEL_CHARS), custom_id=token, style=style))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: Match[str], /
    ) -> Self:
        return cls(match["token"], "?")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        listener: Listener = interaction.client
        listener.pressed(interaction, self.custom_id)


def is_token(interaction: discord.Interaction[Any]) -> bool:
    """Whether what was pressed carries something that looks like an intent token."""
    data: Any = interaction.data or {}
    return re.fullmatch(SHAPE, str(data.get("custom_id", ""))) is not None
