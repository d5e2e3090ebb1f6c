"""How much a chat is spoken to."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bot.surfaces.telegram.pace import Kind, Pace

GROUP, FRIEND = "-100", "7"


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def speak(pace: Pace, clock: Clock, chat: str, kind: Kind, until: float) -> list[float]:
    """Speak whenever it is allowed; the moments."""
    spoken = []
    while clock.now <= until:
        wait = pace.take(chat, kind)
        if wait:
            clock.now += wait
        else:
            spoken.append(clock.now)
    return spoken


def most_within(moments: list[float], seconds: float) -> int:
    return max(sum(1 for other in moments if start <= other < start + seconds) for start in moments)


@pytest.mark.parametrize("chat", [GROUP, FRIEND])
def test_one_message_a_second(clock: Clock, chat: str) -> None:
    spoken = speak(Pace(clock), clock, chat, Kind.SAY, 1010.0)
    assert len(spoken) >= 10
    assert most_within(spoken, 0.999) == 1


def test_twenty_a_minute_in_a_group(clock: Clock) -> None:
    spoken = speak(Pace(clock), clock, GROUP, Kind.SAY, 1300.0)
    assert most_within(spoken, 59.999) == 20
    assert len(spoken) >= 100


def test_redraws_leave_room_for_what_cannot_wait(clock: Clock) -> None:
    pace = Pace(clock)
    assert len(speak(pace, clock, GROUP, Kind.REDRAW, 1030.0)) == 12
    clock.now = 1030.0
    assert pace.take(GROUP, Kind.REDRAW) > 0
    assert pace.take(GROUP, Kind.SAY) == 0.0


def test_a_chat_that_asks_for_patience_gets_it_alone(clock: Clock) -> None:
    pace = Pace(clock)
    pace.be_patient(GROUP, 30)
    assert pace.take(GROUP, Kind.SAY) == 30
    assert pace.take(FRIEND, Kind.SAY) == 0.0
    pace.be_patient(GROUP, 5)  # less than was asked for before
    assert pace.take(GROUP, Kind.SAY) == 30
    clock.now += 30
    assert pace.take(GROUP, Kind.SAY) == 0.0


def test_all_chats_together_stay_below_thirty_a_second(clock: Clock) -> None:
    pace = Pace(clock)
    assert sum(pace.take(str(chat), Kind.SAY) == 0.0 for chat in range(1, 100)) == 28


def test_asking_costs_nothing(clock: Clock) -> None:
    pace = Pace(clock)
    pace.take(FRIEND, Kind.SAY)
    waits = [pace.take(FRIEND, Kind.SAY) for _ in range(10)]
    assert waits == [1.0] * 10
