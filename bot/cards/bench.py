"""What moderators read and are asked when they act by a command, and how a member stands. Made from values.

Of what was refused for the gravest reason no words are shown to anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot import intents
from bot.cards import CATEGORIES, HELD_SECONDS, Button, Card, duration, price, refused, shorten
from bot.cards.moderation import action, moment
from bot.language import say
from db.records import Asker, Case, Curb, Restriction, Ruling, Standing, Strike, Verdict

LINE_CHARS = 160  # of a case, where several stand below each other
WORDS_CHARS = 300  # of a prompt
MOST_LINES = 10

Facts = tuple[tuple[str, str], ...]

CURBS = {Curb.COOL_DOWN: "cool-down", Curb.MUTE: "mute", Curb.BAN: "ban"}
RULINGS = {
    Ruling.ALLOWED: "allowed",
    Ruling.LABELLED: "labelled",
    Ruling.HELD: "held",
    Ruling.REFUSED: "refused",
}
ABOUT = {  # what a case names, but for settings, which are called as they are typed
    "clip": "Clip",
    "job": "Job",
    "refusal": "Refusal",
    "review": "Review",
    "case": "Case",
    "points": "Points",
    "count": "How many",
    "credits": "Credits",
    "until": "Until",
}
THINGS = {"clip": "Clip", "job": "Job", "refusal": "Refusal"}


# --- asking before something is done ---


def question(sentence: str, pending: str, facts: Facts = ()) -> Card:
    """Nothing is done before it is confirmed; `pending` is what would be."""
    return Card(
        title=say("Are you sure?"),
        status=sentence,
        facts=facts,
        buttons=(
            Button(say("Confirm"), intents.token(intents.Confirm(pending)), dangerous=True),
            Button(say("Dismiss"), intents.token(intents.Dismiss(pending))),
        ),
        final=True,
    )


def ask_block(member: str, seconds: float | None) -> str:
    if seconds is None:
        return say("Ban {member} from Zoetrope here until a moderator lifts it?", member=member)
    return say("Ban {member} from Zoetrope here for {time}?", member=member, time=duration(seconds))


def block_facts(waiting: int, known: bool, reason: str) -> Facts:
    """What `waiting` jobs a ban would cancel, and whether the person has ever been `known` here."""
    facts: Facts = ((say("Their clips under way, which are stopped"), str(waiting)),)
    if not known:
        facts += ((say("Please check the id"), say("Nobody with it has been heard of here so far.")),)
    return facts + (((say("Reason"), reason),) if reason else ())


def ask_purge(count: int, member: str, seconds: float | None) -> str:
    """`member` is empty, or `seconds` are None: not both."""
    clips = say("1 clip") if count == 1 else say("{count} clips", count=count)
    if seconds is None:
        return say("Delete {clips} of {member}?", clips=clips, member=member)
    time = duration(seconds)
    if not member:
        return say("Delete {clips}, all that was made here in the last {time}?", clips=clips, time=time)
    return say("Delete {clips} of {member}, made here in the last {time}?", clips=clips, member=member, time=time)


# --- what was done ---


def blocked(member: str, seconds: float | None, number: int) -> str:
    if seconds is None:
        return say("{member} is banned here until a moderator lifts it (case {number}).", member=member, number=number)
    time = duration(seconds)
    return say("{member} is banned here for {time} (case {number}).", member=member, time=time, number=number)


def unblocked(member: str, number: int) -> str:
    return say("Nothing counts against {member} here any more (case {number}).", member=member, number=number)


def still_curbed(member: str) -> str:
    return say("{member} is curbed by those who run Zoetrope, so only they can lift it.", member=member)


def granted(member: str, credits_: int, seconds: float, number: int) -> str:
    return say(
        "{member} has {credits} on top here for {time} (case {number}).",
        member=member,
        credits=price(credits_),
        time=duration(seconds),
        number=number,
    )


def purged(count: int, number: int) -> str:
    return say("Clips that are being deleted now: {count} (case {number}).", count=count, number=number)


def amended(number: int, by: int) -> str:
    return say("Case {number} was amended (by case {by}).", number=number, by=by)


# --- looks ---


@dataclass(frozen=True, slots=True)
class Decided:
    """What a verdict was about: a clip, a job or a refusal of a place. `words` are empty where they are not kept."""

    thing: str
    id: str
    asker: Asker
    words: str
    verdict: Verdict
    created_at: float


def why(decided: Decided) -> Card:
    """Which rule decided."""
    facts: Facts = (
        (say(THINGS[decided.thing]), decided.id),
        (say("Asked for by"), decided.asker.id),
        (say("When"), moment(decided.created_at)),
        (say("Words"), shorten(decided.words, WORDS_CHARS) or say("not kept")),
    )
    return Card(title=say("Why"), status=_ruled(decided.verdict), facts=facts + _verdict(decided.verdict), final=True)


def test(verdict: Verdict, preset: str, age_restricted: bool) -> Card:
    """What would become of a prompt here; its words are not repeated."""
    where = say("{preset}, in an age-restricted channel", preset=preset) if age_restricted else preset
    return Card(
        title=say("Test"),
        status=_ruled(verdict),
        facts=(*_verdict(verdict), (say("Preset in force"), where), (say("Its asker would read"), _read(verdict))),
        tone="bad" if verdict.ruling is Ruling.REFUSED else "plain",
        final=True,
    )


def _ruled(verdict: Verdict) -> str:
    match verdict.ruling:
        case Ruling.ALLOWED:
            return say("Nothing speaks against it.")
        case Ruling.LABELLED:
            return say("It is made and marked: {what}.", what=_named(verdict))
        case Ruling.HELD:
            return say("A moderator has to look first: {what}.", what=_named(verdict))
        case Ruling.REFUSED:
            return say("It is refused: {what}.", what=_named(verdict))


def _named(verdict: Verdict) -> str:
    name = CATEGORIES.get(verdict.category)
    return say(name) if name else verdict.category or say("a word that is not wanted here")


def _verdict(verdict: Verdict) -> Facts:
    earlier = say("yes, the prompt goes on from them") if "earlier" in verdict.view else say("no")
    said = (
        (say("Ruling"), say(RULINGS[verdict.ruling])),
        (say("Category"), verdict.category),
        (say("Reason"), verdict.reason and say(verdict.reason)),
        (say("Rules"), ", ".join(verdict.rules)),
        (say("Read as"), verdict.view),
        (say("Earlier prompts mattered"), earlier if verdict.rules else ""),
        (say("Policy"), verdict.policy),
    )
    return tuple((label, value) for label, value in said if value)


def _read(verdict: Verdict) -> str:
    """The sentence on the card of whoever asks for it."""
    match verdict.ruling:
        case Ruling.REFUSED:
            return refused(verdict).status
        case Ruling.HELD:
            return say(
                "A moderator looks at this first; after {time} it lapses and costs nothing.",
                time=duration(HELD_SECONDS),
            )
        case Ruling.LABELLED:
            return say("AI-generated: this is not a recording of anything real.")
        case Ruling.ALLOWED:
            return say("AI-generated.")


# --- cases ---


def cases(page: Sequence[Case], number: int, pages: int, count: int) -> Card:
    """A page of cases, newest first, the first page being 1."""
    if not page:
        return Card(title=say("Cases"), status=_no_cases(number, pages), final=True)
    return Card(
        title=say("Cases"),
        status=_how_many(number, pages, count),
        facts=tuple((f"#{case.number}", shorten(_line(case), LINE_CHARS)) for case in page),
        final=True,
    )


def _no_cases(number: int, pages: int) -> str:
    if pages:
        return say("There is no page {number}; the last one is {pages}.", number=shorten(str(number), 10), pages=pages)
    return say("There are no such cases here.")


def _how_many(number: int, pages: int, count: int) -> str:
    if pages <= 1:
        return say("Cases: {count}; name a number to see one whole.", count=count)
    return say(
        "Cases: {count}; this is page {number} of {pages}, and page={next} brings another.",
        count=count,
        number=number,
        pages=pages,
        next=number % pages + 1,
    )


def _line(case: Case) -> str:
    about = case.target.id if case.target else ""
    parts = (moment(case.created_at), action(case.action), about, case.reason or case.rule)
    return " · ".join(part for part in parts if part)


def case(case: Case, amendments: Sequence[Case]) -> Card:
    """One case whole, with what was added to it."""
    said = (
        (say("When"), moment(case.created_at)),
        (say("By"), case.actor.id or say("Zoetrope itself")),
        (say("About"), case.target.id if case.target else ""),
        (say("Reason"), case.reason),
        (say("Rules"), case.rule),
        (say("Policy"), case.policy),
        (say("Amends"), f"#{case.amends}" if case.amends else ""),
        *((say(ABOUT[name]) if name in ABOUT else name, _value(name, value)) for name, value in case.about),
        *((say("Amended"), f"#{later.number} · {moment(later.created_at)} · {later.reason}") for later in amendments),
    )
    return Card(
        title=say("Case {number}", number=case.number),
        status=say("What was done: {action}.", action=action(case.action)),
        facts=tuple((label, value) for label, value in said if value),
        final=True,
    )


def _value(name: str, value: str) -> str:
    if name != "until":
        return value
    return moment(float(value)) if value else say("until a moderator lifts it")


# --- how somebody stands ---


@dataclass(frozen=True, slots=True)
class Stand:
    """How a person stands in a place: all that is remembered of them there, newest first; `reasons` are those of the
    strikes and curbs, by the number of their case."""

    standing: Standing
    strikes: tuple[Strike, ...]
    restrictions: tuple[Restriction, ...]
    reasons: dict[int, str]


def own_strikes(stand: Stand, now: float) -> Card:
    """To the member. Who decided is not said."""
    return Card(title=say("How you stand here"), status=_stands(stand.standing, now), facts=_record(stand), final=True)


def strikes(member: str, stand: Stand, waiting: int, cases: Sequence[Case], now: float) -> Card:
    """To a moderator: the same, with the numbers of the cases."""
    numbered = tuple((f"#{case.number}", shorten(_line(case), LINE_CHARS)) for case in cases[:MOST_LINES])
    return Card(
        title=say("How {member} stands here", member=member),
        status=_stands_for_moderators(stand.standing, now),
        facts=(*_record(stand), (say("Clips under way"), str(waiting)), *numbered),
        final=True,
    )


def _stands(standing: Standing, now: float) -> str:
    """For the one it is about."""
    points = say("Points that count against you here: {points}.", points=standing.points)
    if standing.curb is None:
        return points if standing.points else say("Nothing counts against you here.")
    return f"{points} {_may_not(standing.curb)} {_lasts(standing.until, now)}"


def _may_not(curb: Curb) -> str:
    match curb:
        case Curb.COOL_DOWN:
            return say("You can't ask for clips here just now.")
        case Curb.MUTE:
            return say("You can't ask for clips, report or appeal here just now.")
        case Curb.BAN:
            return say("You are banned from Zoetrope here; what is stored about you stays yours to see and delete.")


def _lasts(until: float | None, now: float) -> str:
    if until is None:
        return say("That lasts until a moderator lifts it.")
    return say("That ends in {time}, at {moment}.", time=duration(until - now), moment=moment(until))


def _stands_for_moderators(standing: Standing, now: float) -> str:
    if standing.curb is None:
        return say("Points: {points}; they may do everything here.", points=standing.points)
    what = say(CURBS[standing.curb])
    if standing.until is None:
        return say("Points: {points}; {curb} until a moderator lifts it.", points=standing.points, curb=what)
    time = duration(standing.until - now)
    return say("Points: {points}; {curb} for {time} more.", points=standing.points, curb=what, time=time)


def _record(stand: Stand) -> Facts:
    """Strikes and curbs, the newest first."""
    lines: list[tuple[float, str, int, float | None, bool]] = [
        (each.created_at, say("strike"), each.case, each.until, each.lifted_at is not None) for each in stand.strikes
    ]
    lines += [
        (each.since, say(CURBS[each.curb]), each.case, each.until, each.lifted_at is not None)
        for each in stand.restrictions
    ]
    lines.sort(key=lambda line: (-line[0], -line[2]))
    return tuple(
        (moment(at), shorten(_entry(what, until, stand.reasons.get(number, ""), lifted=lifted), LINE_CHARS))
        for at, what, number, until, lifted in lines[:MOST_LINES]
    )


def _entry(what: str, until: float | None, reason: str, *, lifted: bool) -> str:
    if lifted:
        end = say("lifted")
    else:
        end = say("until a moderator lifts it") if until is None else say("until {moment}", moment=moment(until))
    return " · ".join(part for part in (what, end, reason) if part)


# --- what waits, and the pages ---


def waiting(card: Card, count: int, clip: str) -> Card:
    """A review for one moderator alone: with how many wait in all, and its clip by its id."""
    facts: Facts = ((say("Clip"), clip),) if clip else ()
    return replace(card, facts=(*card.facts, *facts, (say("Reviews that wait"), str(count))), clip="")


def nothing_waits() -> str:
    return say("Nothing waits for a moderator's look here.")


def console(link: str, seconds: float) -> Card:
    """The way into the moderators' pages."""
    return Card(
        title=say("The moderators' pages"),
        status=say("This link signs you in once, within {time}; give it to nobody.", time=duration(seconds)),
        facts=((say("Link"), link),),
        final=True,
    )


def no_pages() -> str:
    return say("The web page is switched off, and the moderators' pages with it; please ask those who run Zoetrope.")


def not_alone() -> str:
    return say("Others could read the link here; please ask for it where the answer is for you alone.")


# --- what can be wrong with what was typed ---


def not_a_member(text: str) -> str:
    return say(
        "{text} is nobody's id here; choose or mention somebody, or write the number that this platform gives them.",
        text=_quoted(text),
    )


def yourself() -> str:
    return say("That is you; please ask another moderator.")


def not_a_number(name: str, text: str, low: float, high: float) -> str:
    ends = {"low": f"{low:,.12g}", "high": f"{high:,.12g}"}
    return say(
        "{text} does not work for {name}; write a number from {low} to {high}.", text=_quoted(text), name=name, **ends
    )


def reason_too_long(limit: int) -> str:
    return say("The reason is longer than {limit} characters; please shorten it.", limit=limit)


def no_reason() -> str:
    return say("Please say in a few words what is to be added.")


def no_case(number: str) -> str:
    return say("There is no case {number} here; look at the cases for the right number.", number=_quoted(number))


def nothing_by_id(text: str) -> str:
    return say("Nothing that was made or refused here has the id {text}; copy it from its card.", text=_quoted(text))


def nothing_to_lift(member: str) -> str:
    return say("Nothing counts against {member} here, so there is nothing to lift.", member=member)


def blocked_already(member: str, seconds: float | None) -> str:
    """With the seconds that are left of it."""
    if seconds is None:
        return say("{member} is banned here already, until a moderator lifts it.", member=member)
    time = duration(seconds)
    return say("{member} is banned here already, for {time} more; unblock them first.", member=member, time=time)


def purge_what() -> str:
    return say("Please say whose clips are to be deleted, or those of how many hours.")


def nothing_to_purge() -> str:
    return say("There are no such clips here, so there is nothing to delete.")


def granted_enough(left: int) -> str:
    """`left` are the credits that may still be granted to them."""
    if left <= 0:
        return say("They have as many credits on top here as moderators may give; please wait until some are over.")
    return say("That is more than moderators may give; at most {credits} fit now.", credits=price(left))


def _quoted(text: str) -> str:
    return say("“{text}”", text=shorten(" ".join(text.split()), 40))
