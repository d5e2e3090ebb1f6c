"""The words of the web page's gallery: its labels, what its scripts say themselves, and what is known of a clip."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from bot import cards
from bot.cards.moderation import moment
from bot.language import say
from db.records import Clip, Ruling


class Fact(NamedTuple):
    """A label and its value; `time` is the value as ISO 8601, `link` where it leads, either may be empty."""

    label: str
    value: str
    time: str = ""
    link: str = ""


def labels() -> dict[str, str]:
    """What stands in the templates."""
    return {
        "gallery": say("Gallery"),
        "room": say("Back to the room"),
        "wall": say("Back to the gallery"),
        "skip": say("Skip to the clips"),
        "search": say("Search the prompts"),
        "placeholder": say("Words of a prompt"),
        "show": say("How clips are shown"),
        "videos": say("Videos"),
        "stills": say("Stills"),
        "random": say("Random"),
        "clips": say("Clips, the newest first"),
        "keys": say("Keys: v videos, i stills, r any clip, arrows to move, Enter to open, Escape to close."),
        "close": say("Close"),
        "newer": say("Newer clip"),
        "older": say("Older clip"),
        "downloads": say("Download"),
        "again": say("Make it again"),
        "page": say("Page of this clip"),
        "cover": say("Covered: show the clip"),
        "mark": say("Every clip here is AI-generated, and its file says so."),
        "script": say("The clips are shown by a script; please allow this page to run it."),
    }


def words() -> dict[str, str]:
    """What the scripts put on the page, by the name it has there; `{count}` is filled there."""
    return {
        "count": say("Clips: {count}"),
        "found": say("Clips with these words: {count}."),
        "none": say("No clip has been made here yet; ask for one in the room."),
        "nothing": say("No clip here has these words; try fewer of them, or only their beginnings."),
        "away": say("Zoetrope does not answer; this page goes on as soon as it does."),
        "gone": say(cards.NO_SUCH_CLIP),
        "covered": say("Covered"),
    }


def facts(clip: Clip, asked_at: float | None, made_from: str) -> tuple[Fact, ...]:
    """Everything that was said to make the clip, and when; `made_from` is the address of the clip it was made again
    from, or empty, and `asked_at` None where nobody knows any more."""
    return (*_label(clip), *_said(clip), *_history(clip, asked_at, made_from))


def mark(clip: Clip) -> str:
    """The sentence under every clip."""
    if clip.verdict.ruling is Ruling.LABELLED:
        return say("AI-generated: this is not a recording of anything real.")
    return say("AI-generated.")


def wrong_place() -> str:
    return say("That place of the gallery is not known; open the gallery anew.")


def busy() -> str:
    return say("Too many pictures are being made just now; this one comes in a moment.")


def _label(clip: Clip) -> tuple[Fact, ...]:
    if clip.verdict.ruling is not Ruling.LABELLED:
        return ()
    what = say(cards.CATEGORIES.get(clip.verdict.category, "sensitive"))
    return (Fact(say("Label"), say("AI-generated ({what})", what=what)),)


def _said(clip: Clip) -> tuple[Fact, ...]:
    spec = clip.spec
    size = f"{spec.width}x{spec.height}"
    seconds = f"{spec.frames / spec.fps:.1f}"
    return (
        *((Fact(say("Not to show"), spec.negative),) if spec.negative else ()),
        Fact(say("Model"), spec.model),
        Fact(say("Seed"), str(spec.seed)),
        Fact(say("Steps"), str(spec.steps)),
        Fact(say("Guidance"), f"{spec.guidance:g}"),
        Fact(say("Size"), say("{size}, {frames} frames", size=size, frames=spec.frames)),
        Fact(say("Length"), say("{seconds} s at {fps} frames a second", seconds=seconds, fps=spec.fps)),
    )


def _history(clip: Clip, asked_at: float | None, made_from: str) -> tuple[Fact, ...]:
    return (
        *((_moment(say("Asked"), asked_at),) if asked_at is not None else ()),
        _moment(say("Finished"), clip.created_at),
        Fact(say("Time"), cards.duration(sum(clip.seconds.values()))),
        *((Fact(say("Made again from"), say("this clip"), link=made_from),) if made_from else ()),
    )


def _moment(label: str, at: float) -> Fact:
    when = datetime.fromtimestamp(at, UTC)
    return Fact(label, moment(at), time=when.isoformat(timespec="seconds"))
