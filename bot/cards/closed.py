"""Why nothing is made for somebody, or for anybody, in a place just now, and until when."""

from __future__ import annotations

from datetime import datetime

from bot.cards import duration
from bot.cards.moderation import moment
from bot.language import say
from db.records import Curb

NOT_OTHERS = "Only moderators have clips of others made again here; ask for one in your own words."
NOBODYS = "Nobody has clips of others made again here; ask for one in your own words."


def curbed(curb: Curb, until: float | None, now: float) -> str:
    """What a person may not do here, until when (None: until a moderator says otherwise), and where to read why."""
    if until is None:
        return _until_lifted(curb)
    end = {"moment": moment(until), "time": duration(until - now)}
    match curb:
        case Curb.BAN:
            return say("You are banned from Zoetrope here until {moment}, for {time} more; /strikes shows why.", **end)
        case Curb.MUTE:
            return say("You are muted here until {moment}, for {time} more; /strikes shows why.", **end)
        case Curb.COOL_DOWN:
            return say("You are to cool down here until {moment}, for {time} more; /strikes shows why.", **end)


def _until_lifted(curb: Curb) -> str:
    match curb:
        case Curb.BAN:
            return say("You are banned from Zoetrope here until a moderator lifts it; /strikes shows why.")
        case Curb.MUTE:
            return say("You are muted here until a moderator lifts it; /strikes shows why.")
        case Curb.COOL_DOWN:
            return say("You are to cool down here until a moderator lifts it; /strikes shows why.")


def quiet(end: datetime, zone: str, now: float) -> str:
    """Hours in which nothing is made. `end` is by the clocks of `zone`."""
    again = duration(end.timestamp() - now)
    return say(
        "It is quiet here until {hour} ({zone}); please ask again in {time}.",
        hour=f"{end:%H:%M}",
        zone=zone,
        time=again,
    )
