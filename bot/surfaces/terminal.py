"""The terminal as a surface: a live progress bar on standard error, and the clip copied to the wanted path.

An address is such a path. Where the stream is no terminal, progress comes as plain lines, a second apart.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from bot import cards
from bot.cards import Card, shorten
from bot.port import Gone, Limits, Receipt, Refused, Rendition
from bot.specs import FORMATS
from db.records import Address, Asker, Circumstances, Handle

NAME = "terminal"
NO_LIMIT = 2**40
BAR_CELLS = 24
_CLEAR_LINE = "\r\x1b[2K"


class TerminalSurface:
    """Draws on `stream` (None: on nothing). `live`: whether lines may be overwritten; a terminal's may.

    `clock` gives seconds since the epoch.
    """

    def __init__(self, stream: TextIO | None, live: bool | None = None, clock: Callable[[], float] = time.time) -> None:
        self._stream = stream
        self._clock = clock
        self._live = bool(stream and stream.isatty()) if live is None else live
        self._cards: dict[Handle, Card] = {}
        self._final: defaultdict[Handle, asyncio.Event] = defaultdict(asyncio.Event)

    @staticmethod
    def address(path: Path) -> Address:
        """Where a clip is wanted."""
        return Address(NAME, str(path.absolute()))

    @property
    def name(self) -> str:
        return NAME

    async def run(self) -> None:
        """Nothing comes in by itself: the command line asks."""
        await asyncio.Event().wait()

    async def limits(self, address: Address) -> Limits:
        wanted = Path(address.place).suffix.removeprefix(".").lower()
        formats = tuple(sorted(FORMATS, key=lambda name: name != wanted))  # stable: the wanted one first
        return Limits(NO_LIMIT, redraw_seconds=0.1 if self._live else 1.0, formats=formats, text_chars=2000)

    async def show(self, address: Address, card: Card, nonce: str) -> Handle:
        handle = Handle(address, nonce)
        if handle not in self._cards:
            self._draw(handle, card)
        return handle

    async def redraw(self, handle: Handle, card: Card) -> None:
        self._known(handle)
        self._draw(handle, card)

    async def deliver(self, handle: Handle, card: Card, rendition: Rendition) -> Receipt:
        self._known(handle)
        target = Path(handle.address.place)
        try:
            await asyncio.to_thread(_copy, rendition.path, target)
        except OSError as error:
            raise Refused(cards.unwritable(str(target), (error.strerror or str(error)).lower())) from error
        self._draw(handle, card)
        return Receipt(str(target))

    async def notify(self, handle: Handle, asker: Asker, sentence: str, nonce: str) -> None:
        """Whoever watches a terminal has just seen it."""
        self._known(handle)

    async def circumstances(self, address: Address, asker: Asker) -> Circumstances:
        """A terminal knows nobody."""
        return Circumstances()

    async def finished(self, handle: Handle) -> Card:
        """The final card of a request, as soon as it is drawn."""
        await self._final[handle].wait()
        return self._cards[handle]

    def stands(self, handle: Handle) -> Card | None:
        """The card drawn last."""
        return self._cards.get(handle)

    def _known(self, handle: Handle) -> None:
        if handle not in self._cards:
            raise Gone("Nothing was shown under this name in this terminal.")

    def _draw(self, handle: Handle, card: Card) -> None:
        self._cards[handle] = card
        line = _line(card, cards.status_at(card, self._clock()))
        if self._live:
            columns = shutil.get_terminal_size().columns
            self._write(f"{_CLEAR_LINE}{shorten(line, max(20, columns - 1))}" + ("\n" if card.final else ""))
        else:
            self._write(f"{line}\n")
        if card.final:
            self._final[handle].set()

    def _write(self, text: str) -> None:
        """When nobody can read the progress, that is no reason to stop."""
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._stream = None


def _line(card: Card, status: str) -> str:
    words = f"{shorten(card.title, 48)}: {status}"
    if card.bar is None:
        return words
    done = round(card.bar * BAR_CELLS)
    return f"[{'#' * done}{'.' * (BAR_CELLS - done)}] {card.bar:4.0%} {words}"


def _copy(source: Path, target: Path) -> None:
    """Whole or not at all."""
    part = target.with_name(f".{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
