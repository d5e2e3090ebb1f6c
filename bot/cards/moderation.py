"""What moderators are shown and asked, and what people are told about decisions. Made from values; names nobody."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot import intents
from bot.cards import CATEGORIES, TITLE_CHARS, Button, Card, duration, shorten
from bot.language import say
from bot.safety.judging import OWN_WORD, PLACE_WORD
from db.records import Action, Clip, Curb, Decision, Report, Review, ReviewKind, Verdict

REASON_CHARS = 100  # of a report, where several stand below each other
MOST_REASONS = 5
PIECE_CHARS = 400  # of words that stand beside the title


@dataclass(frozen=True, slots=True)
class Struck:
    """What a strike led to: the points somebody has now, the curb it brought (until a moment or until it is lifted),
    and at how many points (0: never) which curb comes next."""

    points: int
    curb: Curb | None = None
    until: float | None = None
    next_at: int = 0
    next_curb: Curb | None = None


# --- the moderators' card of a review ---


def review(
    review: Review,
    prompt: str,
    verdict: Verdict,
    clip: Clip | None,
    reports: Sequence[Report],
    points: int,
    negative: str = "",
) -> Card:
    """What a moderator is to look at, and with which words; once decided, what was decided. `points` are the target's.

    The words are there whole: nobody decides about what they can't read. The clip is covered until somebody touches it;
    of the gravest kind there are no words.
    """
    if review.decision is not None:
        return _decided(review, prompt)
    return Card(
        title=shorten(prompt, TITLE_CHARS) or say("Words that are not kept"),
        status=_why_here(review, verdict, len(reports)),
        tone="busy",
        facts=(
            *_words(prompt, negative),
            *_facts(verdict, points),
            *_reported(reports),
            (say("Waiting since"), moment(review.opened_at)),
        ),
        buttons=_choices(review, offers_approval(review.kind, verdict)),
        clip=clip.id if clip else "",
        asker=review.target,
        spoiler=True,
    )


def _words(prompt: str, negative: str) -> tuple[tuple[str, str], ...]:
    """What the title has no room for, in pieces that every surface shows whole."""
    prompts = textwrap.wrap(prompt, PIECE_CHARS) if len(prompt) > TITLE_CHARS else []
    negatives = textwrap.wrap(negative, PIECE_CHARS)
    return (
        *((say("Words"), piece) for piece in prompts),
        *((say("The negative prompt"), piece) for piece in negatives),
    )


def is_review(card: Card) -> bool:
    """Whether it asks a moderator to decide; whoever it is about never gets to see it."""
    tokens = [intents.parse(button.token) for button in card.buttons]
    return any(isinstance(each, intents.Approve | intents.Remove | intents.FalseAlarm) for each in tokens)


def offers_approval(kind: ReviewKind, verdict: Verdict) -> bool:
    """Whether a moderator may allow it: what is never made stays refused, whoever appeals, and so does what a word of
    the operator or of the place stands against: no prompt is let through past these."""
    if kind is not ReviewKind.APPEAL:
        return True
    return not verdict.category.startswith("C") and {OWN_WORD, PLACE_WORD}.isdisjoint(verdict.rules)


def _decided(review: Review, prompt: str) -> Card:
    return Card(
        title=shorten(prompt, TITLE_CHARS) or say("Words that are not kept"),
        status=_what_was_decided(review),
        final=True,
        asker=review.target,
    )


def _what_was_decided(review: Review) -> str:
    assert review.decision is not None
    if review.decision is Decision.LAPSED:
        return say("Nothing is left to decide here.")
    what = decision_word(review.kind, review.decision)
    return say("Decided: {what} (case {number}).", what=what, number=review.case or "–")


def decision_word(kind: ReviewKind, decision: Decision) -> str:
    """What a decision means for that kind of review."""
    match decision, kind:
        case Decision.LAPSED, _:
            return say("lapsed")
        case Decision.FALSE_ALARM, _:
            return say("false alarm")
        case Decision.APPROVE, ReviewKind.APPEAL:
            return say("granted")
        case Decision.APPROVE, _:
            return say("approved")
        case Decision.REMOVE, ReviewKind.APPEAL:
            return say("declined")
        case Decision.REMOVE, ReviewKind.HELD:
            return say("declined, with a strike")
        case _:
            return say("removed, with a strike")


def _why_here(review: Review, verdict: Verdict, reports: int) -> str:
    what = say(CATEGORIES.get(verdict.category, "sensitive"))
    match review.kind:
        case ReviewKind.HELD:
            return say("The filter holds this until a moderator has looked: {what}.", what=what)
        case ReviewKind.REPORTED:
            return say("Members reported this clip; reports so far: {count}.", count=reports)
        case ReviewKind.APPEAL:
            return say("Somebody appeals against the refusal of this: {what}.", what=what)
        case ReviewKind.LABELLED:
            return say("This clip was delivered with a label: {what}.", what=what)


def _facts(verdict: Verdict, points: int) -> tuple[tuple[str, str], ...]:
    rules = ((say("Rules"), ", ".join(verdict.rules)),) if verdict.rules else ()
    return (*rules, (say("Their points here"), str(points)))


def _reported(reports: Sequence[Report]) -> tuple[tuple[str, str], ...]:
    reasons = [shorten(report.reason, REASON_CHARS) for report in reports if report.reason][:MOST_REASONS]
    return tuple((say("Reported for"), reason) for reason in reasons)


def _choices(review: Review, approvable: bool) -> tuple[Button, ...]:
    remove = say("Decline") if review.kind is ReviewKind.APPEAL else say("Remove and strike")
    approve = Button(say("Approve"), intents.token(intents.Approve(review.id)))
    return (
        *([approve] if approvable else []),
        Button(remove, intents.token(intents.Remove(review.id)), dangerous=True),
        Button(say("False alarm"), intents.token(intents.FalseAlarm(review.id))),
    )


def moment(at: float) -> str:
    """A moment for people in several time zones, at the nearest minute: the same wherever it is read."""
    return f"{datetime.fromtimestamp(math.floor(at / 60 + 0.5) * 60, UTC):%Y-%m-%d %H:%M} UTC"


ACTIONS = {
    Action.STRIKE: "strike",
    Action.COOL_DOWN: "cool-down",
    Action.MUTE: "mute",
    Action.BAN: "ban",
    Action.UNBLOCK: "ban lifted",
    Action.HIDE: "hidden",
    Action.APPROVE: "approved",
    Action.REMOVE: "removed",
    Action.DECLINE: "declined",
    Action.FALSE_ALARM: "false alarm",
    Action.GRANT: "credits granted",
    Action.PAUSE: "paused",
    Action.RESUME: "resumed",
    Action.PURGE: "clips deleted",
    Action.POLICY: "policy changed",
    Action.ERASE: "data deleted",
    Action.AMEND: "addition",
}


def action(found: Action) -> str:
    """What a case records, for chats and for the moderators' pages."""
    return say(ACTIONS[found])


# --- the answers to moderators ---

MODERATORS_ONLY = "Only the moderators of this place can do that; please ask one of them."
NO_REVIEW = "There is no such review here (any more); please look at the next one."
NEVER_LOOSENED = "What is never made can't be allowed by an appeal; please decline it, or say that it is a false alarm."
WORDS_STAND = (
    "A word that is not wanted here stands against it, which no appeal can allow; please decline it, "
    "or say that it is a false alarm."
)
NOTHING_LEFT = "There is nothing left to decide here: it was deleted, cancelled or made meanwhile."
MODERATORS_HID = "This clip is hidden; its asker can still delete it."
SHOWN_BY_MODERATORS = "This clip is shown here again."


def decided(review: Review, decision: Decision, number: int) -> str:
    what = decision_word(review.kind, decision)
    return say("Decided: {what} (case {number}).", what=what, number=number)


def decided_already(review: Review) -> str:
    """To the slower one of two moderators."""
    assert review.decision is not None
    return say("Somebody has decided this already: {what}.", what=decision_word(review.kind, review.decision))


# --- the answers to members ---


def appeal_decided(decision: Decision, verdict: Verdict) -> str:
    """What came of an appeal, to its asker: then, and whenever they appeal once more."""
    match decision:
        case Decision.LAPSED:
            return say("Your appeal can't be decided any more; please ask for something else.")
        case Decision.REMOVE:
            return say(DECLINED_APPEAL)
        case _:
            return say(GRANTED if offers_approval(ReviewKind.APPEAL, verdict) else AGREED)


REPORTED = "Thank you: this place's moderators take a look."
REPORTED_HIDDEN = "Thank you: the clip is hidden until one of this place's moderators has looked."
REPORTED_BEFORE = "You have reported this clip before; this place's moderators know of it."
YOUR_OWN = "This clip is your own; you can delete or hide it yourself."
NOT_A_CLIP = "There is no clip of Zoetrope's on that message; please choose one that shows a clip."
TOO_MANY_REPORTS = "You have reported as much as one person may within a day; please tell a moderator yourself."
TOO_MANY_APPEALS = "You have appealed as often as one person may within a day; please try again tomorrow."
HIDDEN_BY_YOU = "Hidden: nobody is shown this clip until you show it again."
SHOWN_BY_YOU = "The clip is shown again."
HIDDEN_BY_ASKER = "The one who asked for this clip has hidden it, so only they can show it again."
HIDDEN_BY_OTHERS = "This place's moderators have hidden this clip, so only they can show it again."
NOT_TO_CONFIRM = "There is nothing to confirm here (any more); please ask anew."
DISMISSED = "Nothing was done."
HIDE_WHOSE = "Only the one who asked for this clip, or a moderator of its place, can hide it; you can report it."


# --- what people are told under their cards ---


def declined(struck: Struck, now: float) -> str:
    told = say("A moderator has looked at your request: it is not made, and it cost nothing.")
    return f"{told} {_strike(struck, now)}"


def removed(struck: Struck, now: float) -> str:
    return f"{say(REMOVED)} {_strike(struck, now)}"


def removed_here(struck: Struck, now: float) -> str:
    return f"{say('A moderator of this place has taken this clip of yours down here.')} {_strike(struck, now)}"


def struck_for_refusals(count: int, struck: Struck, now: float) -> str:
    told = say("You have asked {count} times within a day for what is never made here.", count=count)
    return f"{told} {_strike(struck, now)}"


def struck_for_false_reports(count: int, struck: Struck, now: float) -> str:
    told = say("Moderators found nothing wrong with what you reported, now {count} times.", count=count)
    return f"{told} {_strike(struck, now)}"


def curb_told(curb: Curb, until: float | None, now: float) -> str:
    """To somebody whom a moderator has curbed by hand."""
    return f"{_curb(curb, until, now)} {say(SEE_STRIKES)}"


SEE_STRIKES = "/strikes shows how you stand here."
REPORTED_AND_HIDDEN = "This clip of yours was reported and is hidden until a moderator has looked at it."
SHOWN_AGAIN = "A moderator has looked at this clip of yours: it is shown again."
APPROVED = "A moderator has looked at your request: it is being made."
GRANTED = "Your appeal was granted: a moderator allows this here, so please ask for it again."
DECLINED_APPEAL = "Your appeal was declined: a moderator has looked and sees it as the filter did."
AGREED = (
    "A moderator agrees with your appeal and has passed it on to those who run Zoetrope, "
    "but it still can't be made here."
)
REMOVED = "A moderator has removed this clip of yours."
HIDDEN_BY_MODERATOR = "A moderator has hidden this clip of yours."


LASTING = {
    Curb.COOL_DOWN: "You can't ask for clips here until a moderator lifts it.",
    Curb.MUTE: "You can't ask for clips, report or appeal here until a moderator lifts it.",
    Curb.BAN: "You are banned from Zoetrope here until a moderator lifts it.",
}


def _strike(struck: Struck, now: float) -> str:
    """The strike, what it leads to now, and what comes next."""
    parts = [say("That is a strike; your points here are now {points}.", points=struck.points)]
    if struck.curb is not None:
        parts.append(_curb(struck.curb, struck.until, now))
    elif struck.next_curb is not None:
        parts.append(_warning(struck.next_at, struck.next_curb))
    return " ".join([*parts, say(SEE_STRIKES)])


def _warning(points: int, curb: Curb) -> str:
    match curb:
        case Curb.COOL_DOWN:
            return say("With {points} points you have to pause for a while.", points=points)
        case Curb.MUTE:
            return say("With {points} points you are muted for a while.", points=points)
        case Curb.BAN:
            return say("With {points} points you are banned from Zoetrope here.", points=points)


def _curb(curb: Curb, until: float | None, now: float) -> str:
    if until is None:
        return say(LASTING[curb])
    time = duration(until - now)
    match curb:
        case Curb.BAN:
            return say("You are banned from Zoetrope here for {time}.", time=time)
        case Curb.MUTE:
            return say("You can't ask for clips, report or appeal here for {time}.", time=time)
        case Curb.COOL_DOWN:
            return say("You can't ask for clips here for {time}.", time=time)
