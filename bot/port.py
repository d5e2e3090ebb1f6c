"""What a surface is: the one contract that every chat platform and the web page fulfil.

The core speaks in finished cards; a surface draws each one natively, completely, every time. It decides nothing, trims
nothing in silence and keeps no state that a restart would lose. It raises five named errors and retries nothing: one
loop decides about retries.

    SurfaceError
    ├── Throttled(seconds)   the platform asks for patience at this address
    ├── TooLarge(limit)      the rendition is over the platform's limit in bytes
    ├── Gone                 the message or the place no longer exists
    ├── Refused              the platform understood and said no (permissions, content)
    └── Unreachable          nothing definite came back: the effect is unknown
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.cards import Card
from db.records import Address, Asker, Circumstances, Handle


class SurfaceError(Exception):
    """Base of what a surface may raise."""


class Throttled(SurfaceError):
    """Come back in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The platform asks to wait {seconds:.1f} s.")
        self.seconds = seconds


class TooLarge(SurfaceError):
    """The file is over the platform's `limit` in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The platform takes at most {limit} bytes here.")
        self.limit = limit


class Gone(SurfaceError):
    """The message or the place no longer exists."""


class Refused(SurfaceError):
    """The platform understood and said no."""


class Unreachable(SurfaceError):
    """Nothing definite came back; the effect is unknown."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an address takes. `redraw_seconds` is the shortest time between two redraws at this address."""

    upload_bytes: int
    redraw_seconds: float
    formats: tuple[str, ...]  # of "gif", "mp4", "webp"; the first is the default
    text_chars: int
    previews: bool = False  # whether a redraw may carry the preview file


@dataclass(frozen=True, slots=True)
class Rendition:
    """A file made to fit one address."""

    path: Path
    format: str
    bytes: int
    width: int
    height: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform's proof that a clip arrived (a message or file id).

    `handle` is where the clip stands now, if the card could not be edited and another message had to take its place.
    """

    proof: str
    handle: Handle | None = None


class Surface(Protocol):
    """A place where people are. `run` serves until cancelled; the other methods may be called while it runs."""

    @property
    def name(self) -> str: ...

    async def run(self) -> None: ...

    async def limits(self, address: Address) -> Limits: ...

    async def show(self, address: Address, card: Card, nonce: str) -> Handle:
        """Post a new card. The same `nonce` at the same address again returns the first one's handle where possible."""
        ...

    async def redraw(self, handle: Handle, card: Card) -> None:
        """Replace the whole card, buttons included."""
        ...

    async def deliver(self, handle: Handle, card: Card, rendition: Rendition) -> Receipt:
        """Edit the card so that it carries the clip. Repeating it is harmless."""
        ...

    async def notify(self, handle: Handle, asker: Asker, sentence: str, nonce: str) -> None:
        """A short reply to the card that mentions `asker`; edits are silent on most platforms."""
        ...

    async def circumstances(self, address: Address, asker: Asker) -> Circumstances:
        """What the platform says about `asker` at an address now: roles, and whether they manage the place.

        Asked for those who are not in the middle of a command or a click there, and never remembered. Whom the platform
        does not know there has none.
        """
        ...
