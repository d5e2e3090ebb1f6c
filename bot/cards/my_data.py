"""What people are told about their own data: what is stored and for how long, what they are handed, what is deleted.

Made from values, in the language that is being spoken.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.cards import Card
from bot.cards.answers import note
from bot.cards.bench import question
from bot.language import say
from db.records import Requester

Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Days:
    """After how many days something is deleted here; 0: when somebody deletes it."""

    clips: float
    prompts: float
    refusals: float
    cases: float


def privacy(kept: Days) -> Card:
    """What is stored, why and for how long, what never leaves the machine, and how to get it and have it deleted."""
    return Card(
        title=say("What is stored"),
        status=say("Only what is needed to make your clips and to bring them to you."),
        facts=(
            (
                say("Stored"),
                say("Your id here, the place and the messages, your prompts, your clips, and your settings."),
            ),
            (say("Your clips"), _how_long(kept.clips)),
            (say("Prompts without a clip"), _how_long(kept.prompts)),
            (
                say("Refused prompts"),
                say(
                    "{time}, so that you can appeal; of the gravest kind only a fingerprint without the words.",
                    time=_how_long(kept.refusals),
                ),
            ),
            (
                say("Moderation"),
                say("Strikes, reports and what moderators decide, by ids alone: {time}.", time=_how_long(kept.cases)),
            ),
            (
                say("Where"),
                say("On the operator's own machine: no other service sees your prompts, only this platform does."),
            ),
            (
                say("Yours"),
                say("mydata export hands you everything; mydata delete deletes it; so does Delete for a clip."),
            ),
        ),
        final=True,
    )


def _how_long(days: float) -> str:
    if not days:
        return say("until you or the operator deletes it")
    if days == 1:
        return say("a day")
    return say("{count} days", count=f"{days:g}")


# --- what somebody is handed ---


def handed(part: int, parts: int, clips: int) -> Card:
    """With the file of one part."""
    facts: Facts = ((say("Clips in it"), str(clips)),)
    if parts > 1:
        facts = ((say("Part"), say("{part} of {parts}", part=part, parts=parts)), *facts)
    return Card(title=say("Your data"), status=_what_is_in(part, parts), facts=facts, final=True)


def _what_is_in(part: int, parts: int) -> str:
    if part < parts:
        return say("This is part {part}; ask for part {next} to get more.", part=part, next=part + 1)
    if parts > 1:
        return say("This is the last part of everything that is stored about you.")
    return say("This is everything that is stored about you, with your clips.")


def file_gone() -> str:
    return say("Its file is no longer on the disk.")


def file_too_large() -> str:
    return say("It is too large for a file of this size; ask the operator for it.")


def no_such_part(parts: int) -> Card:
    if parts == 1:
        return note(say("There is only one part; leave the part out."), say("Your data"), well=False)
    return note(say("There are {parts} parts; ask for one of them.", parts=parts), say("Your data"), well=False)


def too_large() -> Card:
    sentence = say("That is more than a file can be here; the operator can hand it to you with zoetrope mydata export.")
    return note(sentence, say("Your data"), well=False)


def not_packed() -> Card:
    return note(say("Your data could not be packed just now; please try again."), say("Your data"), well=False)


# --- what is deleted ---


def ask_erase(level: Requester, clips: int, under_way: int, days: float, pending: str) -> Card:
    """Nothing is deleted before it is confirmed. `days` is how long moderation keeps what it needs."""
    facts: Facts = (
        (say("Goes"), _what_goes(level)),
        (say("Clips"), str(clips)),
        *(((say("Under way, which is stopped"), str(under_way)),) if under_way else ()),
        (say("Stays"), _what_stays(level, days)),
        (say("In the chat"), say("My cards lose their clips; what others saved or quoted is not mine to delete.")),
    )
    return question(say("Delete what is stored about you? That can't be taken back."), pending, facts)


def _what_goes(level: Requester) -> str:
    if level is Requester.USER:
        return say("Your clips with their files, and everything that you wrote.")
    return say("Your clips with their files, everything that you wrote, your settings, links and sign-ins.")


def _what_stays(level: Requester, days: float) -> str:
    needed = say(
        "Ids and times that say what you have used up and how you stand with moderators: {time}.", time=_how_long(days)
    )
    return (
        say("Your settings, and prompts that moderators found harmless.") + " " + needed
        if level is Requester.USER
        else needed
    )


def no_such_level(text: str) -> Card:
    sentence = say("{text} is none of the levels; choose user or strict.", text=text)
    return note(sentence, say("Your data"), well=False)


def erased(clips: int) -> str:
    if clips == 1:
        return say("Deleted: your clip, and everything that you wrote.")
    if clips:
        return say("Deleted: your {count} clips, and everything that you wrote.", count=clips)
    return say("Deleted: everything that you wrote.")
