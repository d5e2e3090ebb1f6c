"""How much a chat is spoken to: Telegram's own limits, kept before it has to ask for patience.

Limits are windows: at most `count` calls within any `seconds`. A chat that asked for patience gets it alone; the others
go on. Redraws, and reviews at a desk, leave room in a group's window for what can't wait: cards, clips and answers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True, slots=True)
class Window:
    """At most `count` calls within any `seconds`; `redraws` of them may be redraws."""

    count: int
    seconds: float
    redraws: int


PRIVATE = (Window(1, 1.0, 1),)
GROUP = (Window(1, 1.0, 1), Window(20, 62.0, 12))  # 20 a minute where they arrive: a call takes up to two seconds
EVERYWHERE = Window(28, 1.0, 20)  # over all chats; Telegram's own limit is about 30


class Kind(Enum):
    """What a call is for."""

    SAY = "say"
    REDRAW = "redraw"  # or anything else that can wait


@dataclass
class Pace:
    """What was said where, and when. `clock` counts seconds and never goes back."""

    clock: Callable[[], float]
    private: tuple[Window, ...] = PRIVATE
    group: tuple[Window, ...] = GROUP
    everywhere: Window = EVERYWHERE
    _said: dict[str, deque[float]] = field(default_factory=dict, repr=False)
    _overall: deque[float] = field(default_factory=deque, repr=False)
    _patience: dict[str, float] = field(default_factory=dict, repr=False)

    def take(self, chat: str, kind: Kind) -> float:
        """0.0: speak now, and it is counted. Otherwise the seconds after which to ask again."""
        now = self.clock()
        self._forget(now)
        said = self._said.setdefault(chat, deque())
        waits = [_wait(said, window, kind, now) for window in self._windows(chat)]
        waits += [_wait(self._overall, self.everywhere, kind, now), self._patience.get(chat, now) - now]
        longest = max(waits)
        if longest > 0:
            return longest
        said.append(now)
        self._overall.append(now)
        return 0.0

    def also(self, chat: str) -> None:
        """One call needed another right away; it counts as well."""
        now = self.clock()
        self._said.setdefault(chat, deque()).append(now)
        self._overall.append(now)

    def be_patient(self, chat: str, seconds: float) -> None:
        """The platform asked to leave this chat in peace."""
        self._patience[chat] = max(self._patience.get(chat, 0.0), self.clock() + seconds)

    def _windows(self, chat: str) -> tuple[Window, ...]:
        return self.group if is_group(chat) else self.private

    def _forget(self, now: float) -> None:
        """What is too old to count; a chat of which nothing is left goes."""
        longest = max((window.seconds for window in (*self.private, *self.group)), default=0.0)
        for chat in list(self._said):
            said = self._said[chat]
            while said and said[0] <= now - longest:
                said.popleft()
            if not said:
                del self._said[chat]
        while self._overall and self._overall[0] <= now - self.everywhere.seconds:
            self._overall.popleft()
        self._patience = {chat: until for chat, until in self._patience.items() if until > now}


def is_group(chat: str) -> bool:
    """Groups and channels have negative ids."""
    return chat.startswith("-")


def _wait(said: deque[float], window: Window, kind: Kind, now: float) -> float:
    """Seconds until one more call fits into the window."""
    most = window.redraws if kind is Kind.REDRAW else window.count
    recent = [moment for moment in said if moment > now - window.seconds]
    if len(recent) < most:
        return 0.0
    return recent[len(recent) - most] + window.seconds - now
