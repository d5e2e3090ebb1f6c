"""Cards: everything a person can read, made from values.

A card is finished: a surface draws it whole, each time, and adds nothing. Every user-visible sentence of the bot is in
this package, and said in the language that is being spoken. In this file: first the cards, one function a state; then
the answers to buttons; then what can be wrong with a wish, with a clip's file, and with what a browser sends. Sentences
that are constants are said (`say(cards.PAUSED)`) by whoever uses them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot import intents, quota
from bot.language import say
from db.records import (
    BY_MODERATOR,
    MILLI,
    Asker,
    Clip,
    ClipSpec,
    Job,
    JobState,
    ModelFacts,
    Phase,
    Progress,
    Ruling,
    Verdict,
)

TITLE_CHARS = 200
HELD_SECONDS = 24 * 3600.0  # then a job that waits for a moderator lapses


@dataclass(frozen=True, slots=True)
class Button:
    """A label and the intent token it sends when pressed (at most 64 bytes, valid after a restart)."""

    label: str
    token: str
    dangerous: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """What one message shows. `status` is one sentence; `facts` are (label, value) pairs in order.

    `bar` is the share of the work that is done (0 to 1) or None; `preview` the name of the preview file below the
    previews folder, or empty; `clip` the id of the clip the card carries, or empty. `final` says that nothing more
    will happen to it unless somebody presses a button. `asker` is the one it answers; `ready_at` when its clip is
    expected (seconds since the epoch), for surfaces that can count down; `spoiler` covers the clip until it is touched.
    """

    title: str
    status: str
    tone: str = "plain"  # plain, busy, good, bad: how a surface may colour it
    facts: tuple[tuple[str, str], ...] = ()
    buttons: tuple[Button, ...] = ()
    bar: float | None = None
    preview: str = ""
    clip: str = ""
    final: bool = False
    asker: Asker | None = None
    ready_at: float | None = None
    spoiler: bool = False


# --- the cards of a job ---


def of(
    job: Job,
    clip: Clip | None = None,
    place: int = 0,
    ready_at: float | None = None,
    preview: str = "",
    *,
    withheld: bool = False,
) -> Card:
    """The card of a job as it is now. `place` is 1 for the next one; `ready_at` when its clip is expected; `withheld`
    says that the moderators of the place where the card stands do not want the clip there."""
    match job.state:
        case JobState.HELD:
            return held(job)
        case JobState.QUEUED:
            return queued(job, place, ready_at)
        case JobState.RENDERING:
            return rendering(job, preview)
        case JobState.DONE:
            if clip is None:
                return deleted()
            return hidden(clip, withheld=withheld) if clip.hidden or withheld else done(job, clip)
        case JobState.FAILED:
            return failed(job)
        case JobState.CANCELLED:
            return cancelled(job)
        case JobState.REFUSED:
            if job.verdict.view == BY_MODERATOR:
                return declined(job)
            return refused(job.verdict, job.asker, job.id)  # a second opinion's refusal has the job's own id


def queued(job: Job, place: int, ready_at: float | None = None) -> Card:
    """Waiting for a generator; a job that was tried before says so."""
    return Card(
        title=shorten(job.spec.prompt, TITLE_CHARS),
        status=_in_line(place, job.attempt + 1),
        tone="busy",
        facts=_label(job.verdict),
        buttons=(_cancel(job),),
        asker=job.asker,
        ready_at=ready_at,
    )


def rendering(job: Job, preview: str = "") -> Card:
    """At work, with the share of the denoising steps that are done."""
    at = job.progress
    return Card(
        title=shorten(job.spec.prompt, TITLE_CHARS),
        status=say("Stopping after this step.") if job.cancel_asked else _doing(at),
        tone="busy",
        facts=_label(job.verdict),
        buttons=() if job.cancel_asked else (_cancel(job),),
        bar=at.step / at.steps if at and at.steps else 0.0,
        preview=preview,
        asker=job.asker,
        spoiler=job.verdict.spoiler,
    )


def done(job: Job, clip: Clip) -> Card:
    """The clip is here, with the facts that make it again."""
    return Card(
        title=shorten(clip.spec.prompt, TITLE_CHARS),
        status=say("AI-generated: this is not a recording of anything real.")
        if clip.verdict.ruling is Ruling.LABELLED
        else say("AI-generated."),
        tone="good",
        facts=(*_label(clip.verdict), *_made_with(clip), (say("Cost"), price(job.cost))),
        buttons=(
            _again(job),
            _edit(job),
            Button(say("Delete"), intents.token(intents.Delete(clip.id)), True),
            Button(say("Report"), intents.token(intents.Report(clip.id))),
        ),
        clip=clip.id,
        final=True,
        asker=job.asker,
        spoiler=clip.verdict.spoiler,
    )


def bringing(clip: Clip, asker: Asker) -> Card:
    """A finished clip is on its way to a new card."""
    return Card(
        title=shorten(clip.spec.prompt, TITLE_CHARS),
        status=say("The clip is on its way."),
        tone="busy",
        facts=_label(clip.verdict),
        asker=asker,
    )


def held(job: Job) -> Card:
    """Someone has to look first."""
    return Card(
        title=shorten(job.spec.prompt, TITLE_CHARS),
        status=say(
            "A moderator looks at this first; after {time} it lapses and costs nothing.", time=duration(HELD_SECONDS)
        ),
        buttons=(_cancel(job),),
        asker=job.asker,
    )


def declined(job: Job) -> Card:
    """A moderator has looked, and it is not made. Its words are not repeated."""
    return Card(
        title=say("Not made"),
        status=say("A moderator has looked at this and declined it; it cost nothing."),
        tone="bad",
        final=True,
        asker=job.asker,
    )


def failed(job: Job) -> Card:
    """It did not work out; the runner's reason is a whole sentence."""
    if not job.spec.prompt:
        return erased()
    return Card(
        title=shorten(job.spec.prompt, TITLE_CHARS),
        status=say(job.reason) if job.reason else say("The generator could not finish this clip; please ask again."),
        tone="bad",
        facts=((say("Cost"), say("nothing")),),
        buttons=(_again(job),),
        final=True,
        asker=job.asker,
    )


def cancelled(job: Job) -> Card:
    """Stopped because the asker said so, or because no moderator looked at it in time."""
    if not job.spec.prompt:
        return erased()
    lapsed = job.verdict.ruling is Ruling.HELD and job.changed_at - job.created_at >= HELD_SECONDS
    return Card(
        title=shorten(job.spec.prompt, TITLE_CHARS),
        status=say("No moderator looked at this in time, so it lapsed and cost nothing.") if lapsed else say(CANCELLED),
        buttons=(_again(job),),
        final=True,
        asker=job.asker,
    )


def deleted() -> Card:
    """The clip is gone, and so are the words it was made from."""
    return Card(title=say("Deleted"), status=say("The clip was deleted."), final=True)


def erased() -> Card:
    """There is no clip, and the words for one are gone as well."""
    return Card(title=say("Deleted"), status=say("What was asked for here was deleted."), final=True)


def hidden(clip: Clip, *, withheld: bool = False) -> Card:
    """The clip is kept but shown to nobody. Who has hidden a clip of their own can show it again."""
    if withheld or clip.hidden_by != "asker":
        return Card(title=say("Hidden"), status=say("This place's moderators have hidden this clip."), final=True)
    return Card(
        title=say("Hidden"),
        status=say("The one who asked for this clip has hidden it."),
        buttons=(Button(say("Show again"), intents.token(intents.Unhide(clip.id))),),
        final=True,
        asker=clip.asker,
    )


def too_big(job: Job, clip: Clip) -> Card:
    """No rendition fits this address."""
    status = say("The clip is finished but too big to be shown here; ask for fewer frames or a smaller size.")
    return _stuck(job, clip, status)


def undeliverable(job: Job, clip: Clip, why: str) -> Card:
    """The clip exists, but this place does not take it; `why` is the place's own sentence."""
    return _stuck(job, clip, say("The clip is finished but could not be shown here: {why}", why=why))


def _stuck(job: Job, clip: Clip, status: str) -> Card:
    return Card(
        title=shorten(job.spec.prompt, TITLE_CHARS),
        status=status,
        tone="bad",
        facts=_made_with(clip),
        buttons=(_again(job),),
        final=True,
        asker=job.asker,
    )


def expectation(card: Card, now: float) -> str:
    """When the clip of a waiting card is expected, for surfaces that can't count down; empty where nobody can tell."""
    if card.ready_at is None:
        return ""
    if card.ready_at <= now:
        return say("ready any moment")
    return say("ready in about {time}", time=duration(card.ready_at - now))


def status_at(card: Card, now: float) -> str:
    """The status with the expectation in it, one sentence still."""
    when = expectation(card, now)
    return f"{card.status.removesuffix('.')}, {when}." if when else card.status


# --- the cards of a request that became no job ---

CATEGORIES = {
    "C4": "fabricated scenes of real violence shown as if they had been recorded",
    "C5": "the promotion of terror or hateful symbols",
    "C6": "the encouragement of self-harm",
    "P1": "nudity and sex",
    "P2": "graphic gore",
    "P3": "violence",
    "P4": "disturbing scenes",
    "P5": "public figures",
    "P6": "crime, drugs and weapons",
    "P7": "hate and discrimination",
    "P8": "trademarked characters",
    "P9": "scenes that pass for a recording of a real place",
}


def refused(verdict: Verdict, asker: Asker | None = None, refusal: str = "") -> Card:
    """A kind no. It never repeats the prompt, and the gravest categories go unnamed: a name teaches a way round.

    `refusal` is the id under which it can be appealed.
    """
    name = CATEGORIES.get(verdict.category)
    return Card(
        title=say("Not made"),
        status=say("Sorry, {what} can't be made here; please ask for something else.", what=say(name))
        if name
        else say(REFUSED),
        tone="bad",
        buttons=(Button(say("Appeal"), intents.token(intents.Appeal(refusal))),) if refusal else (),
        final=True,
        asker=asker,
    )


def denied(denial: quota.Denied, now: float, asker: Asker | None = None) -> Card:
    """Not now, and when; what it would cost, and how much is left."""
    facts = ((say("Cost"), price(denial.cost)), (say("Left"), price(denial.left)))
    return Card(title=say("Not now"), status=_denial(denial, now), tone="bad", facts=facts, final=True, asker=asker)


def problem(sentence: str, asker: Asker | None = None) -> Card:
    """Something about the wish has to change; the sentence says what."""
    return Card(title=say("Please change one thing"), status=sentence, tone="bad", final=True, asker=asker)


def not_here(sentence: str, asker: Asker | None = None) -> Card:
    """The place does not take requests; the sentence says why and what to do."""
    return Card(title=say("Not here"), status=sentence, tone="bad", final=True, asker=asker)


def too_late(asker: Asker | None = None) -> Card:
    """The bot was away for too long to surprise anybody with an answer."""
    return Card(
        title=say("Too late"),
        status=say("Zoetrope was away when this was asked and it cost nothing; please ask again."),
        tone="bad",
        final=True,
        asker=asker,
    )


# --- the answers to buttons, and other single sentences ---

REFUSED = "Sorry, this can't be made here; please ask for something else."
QUEUED_ALREADY = "This request is already in the queue."
ANSWERED_ALREADY = "This request was already answered; please ask again."
NOT_YOURS = "Only the one who asked for this can do that; ask for a clip of your own instead."
UNKNOWN_BUTTON = "This button is not known here (any more); please ask for a new clip."
NO_SUCH_CLIP = "This clip no longer exists; please ask for a new one."
STOPPING = "Stopping: the generator finishes the step it is in."
CANCELLED = "Cancelled; it cost nothing."
TOO_LATE_TO_CANCEL = "This is already finished, so there is nothing to cancel."
DELETED = "Deleted, together with its files."
UNSHOWN = "The answer could not be shown here; please check that Zoetrope may post here and ask again."
SAID_NO = "The platform said no; please check what Zoetrope may post here."
UNREACHED = "Your request is noted, and its answer follows shortly."
APPEALED = "This place's moderators take a look; their answer comes below the card."
NEW_PROMPT = "Write the new prompt; everything else stays as it was."
NOT_SHOWN_HERE = "The rules of this place do not let this clip be shown here; please show another one."
NO_DRAFT = "What you began to write is not known here (any more); please ask anew."
SHOWN_ALREADY = "This clip was brought already."
PAUSED = "Zoetrope is paused here; please ask again when a moderator has resumed it."
WRONG_THREAD = "Zoetrope is not used in this channel; please ask in one where it is."


def ready(job: Job) -> str:
    """The short reply under an old card, because an edit makes no sound."""
    return say("Your clip is ready: {prompt}", prompt=shorten(job.spec.prompt, 80))


# --- what can be wrong with a wish ---

EMPTY_PROMPT = "The prompt is empty; say in a few words what to show, for example: a heart bouncing on blue."
STILL_STARTING = "The generator is still starting; please ask again in a minute."

FIELDS = {  # of a wish and of a search, as sentences call them; `size` is width and height together
    "prompt": "The prompt",
    "negative": "The negative prompt",
    "seed": "The seed",
    "steps": "The number of steps",
    "guidance": "Guidance",
    "frames": "The number of frames",
    "width": "The width",
    "height": "The height",
    "size": "Width and height",
    "fps": "Frames per second",
    "page": "The page",
}


def too_long(field: str, limit: int) -> str:
    return say("{field} is longer than {limit} characters; please shorten it.", field=_field(field), limit=f"{limit:,}")


def out_of_range(field: str, low: float, high: float) -> str:
    ends = {"field": _field(field), "low": f"{low:,}", "high": f"{high:,}"}
    if field == "size":
        return say("{field} must be between {low} and {high} pixels; please choose a number from there.", **ends)
    return say("{field} must be between {low} and {high}; please choose a number from there.", **ends)


def not_a_number(field: str, text: str) -> str:
    said = {"field": _field(field), "text": repr(shorten(text, 20))}
    if field == "guidance":
        return say("{field} must be a number, not {text}; please write one.", **said)
    return say("{field} must be a whole number, not {text}; please write one.", **said)


def wrong_multiple(width: int, height: int, multiple: int, nearest: tuple[int, int]) -> str:
    return say(
        "A size of {size} does not work because both sides must be multiples of {multiple}; "
        "the nearest that works is {nearest}.",
        size=f"{width}x{height}",
        multiple=multiple,
        nearest=f"{nearest[0]}x{nearest[1]}",
    )


def unknown_model(name: str, nearest: str, models: Sequence[ModelFacts]) -> str:
    shown = repr(shorten(name, 40))
    if nearest:
        return say("There is no model named {name}; did you mean {nearest}?", name=shown, nearest=nearest)
    known = ", ".join(model.name for model in models)
    return say("There is no model named {name}; choose one of: {known}.", name=shown, known=known)


def unknown_format(name: str, formats: Sequence[str]) -> str:
    shown, known = repr(shorten(name, 20)), ", ".join(formats)
    return say("The format {name} is not made here; choose one of: {known}.", name=shown, known=known)


def _field(name: str) -> str:
    return say(FIELDS[name])


# --- what can be wrong with a clip's file ---

MASTER_GONE = "The file of this clip is no longer kept here; please ask for the clip again."
NO_ROOM = "There is no room for files here just now; please ask again later."
NO_PREVIEW = "There is no preview (any more); reload the page to see how far the clip is."


def unfit(kind: str, limit: int) -> str:
    return say(
        "The clip does not fit into {limit} bytes as {kind}; please ask for a shorter or smaller one.",
        limit=f"{limit:,}",
        kind=kind,
    )


def not_made(kind: str) -> str:
    return say("The {kind} could not be made of this clip; please ask for another format.", kind=kind)


def made_too_slowly(kind: str, seconds: float) -> str:
    return say(
        "Making the {kind} took longer than {time}; please ask for a smaller clip.", kind=kind, time=duration(seconds)
    )


def unwritable(path: str, why: str) -> str:
    return say("{path} can't be written ({why}); please choose another place and ask again.", path=path, why=why)


def mark(model: str) -> str:
    """What every file says about itself."""
    return f"AI-generated video, made by Zoetrope with the model {model}."


# --- what can be wrong with what a browser sends ---

STARTING = "Zoetrope is still starting; please ask again in a moment."
NO_DATABASE = "Zoetrope can't reach its database just now; please ask again in a minute."
STRANGER = "This browser is not known here (any more); reload the page and ask again."
TOO_MANY_PAGES = "Too many pages are open; close some and reload this one."
FOREIGN_HOST = "This page is not served under that name; open the address that Zoetrope printed at its start."
FOREIGN_ORIGIN = "This came from another site and was not taken; ask on Zoetrope's own page."
UNREADABLE = "The request could not be read; reload the page and ask again."
UNKNOWN_KIND = "The request is of an unknown kind; ask on Zoetrope's own page."
TOO_MUCH = "The request is too long; please shorten the prompt."


# --- small words ---


def duration(seconds: float) -> str:
    """A length of time for people: '8 s', '1 min 20 s', '2 h 5 min'. Whole seconds, of which the next one counts, and
    from an hour on the nearest minute."""
    left = max(1, math.ceil(seconds))
    minutes, rest = (math.floor(left / 60 + 0.5), 0) if left >= 3600 else divmod(left, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{rest} s"


def price(credits_: int) -> str:
    """Thousandths of a standard clip, for people: '1 credit', '2.5 credits', 'nothing'."""
    if credits_ == 0:
        return say("nothing")
    if credits_ == MILLI:
        return say("1 credit")
    return say("{count} credits", count=f"{credits_ / MILLI:,.3f}".rstrip("0").rstrip("."))


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, with an ellipsis where something was left out."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _in_line(place: int, attempt: int) -> str:
    again = {"attempt": attempt, "place": place}
    match place <= 1, attempt > 1:
        case True, False:
            return say("Next in line.")
        case False, False:
            return say("Number {place} in line.", place=place)
        case True, True:
            return say("The generator stopped, so this is taken up again (attempt {attempt}): next in line.", **again)
        case _:
            return say(
                "The generator stopped, so this is taken up again (attempt {attempt}): number {place} in line.", **again
            )


def _doing(at: Progress | None) -> str:
    if at is None:
        return say("A generator has taken this up.")
    match at.phase:
        case Phase.LOAD:
            return say("Loading the model.")
        case Phase.ENCODE:
            return say("Reading the prompt.")
        case Phase.STEP:
            return say("Rendering: step {step} of {steps}.", step=at.step, steps=at.steps)
        case Phase.DECODE:
            return say("Finishing the clip.")


def _denial(denial: quota.Denied, now: float) -> str:
    wait = duration((denial.until or now) - now)
    match denial.why:
        case quota.Why.WAITING:
            return say("You already have as many clips waiting as you may; please wait for one or cancel one.")
        case quota.Why.COOLING:
            return say("That was quick after your last request; please ask again in {time}.", time=wait)
        case quota.Why.TOO_DEAR:
            return say(
                "This costs more than anyone may use in one go; ask for fewer steps, fewer frames or a smaller size."
            )
        case quota.Why.SPENT:
            return say("Your credit is used up for now; this fits again in {time}.", time=wait)
        case quota.Why.PLACE if denial.until is None:
            return say(
                "This costs more than everybody here may use together; "
                "ask for fewer steps, fewer frames or a smaller size."
            )
        case quota.Why.PLACE:
            return say("What this place may use together is used up for now; this fits again in {time}.", time=wait)


def _label(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    if verdict.ruling is not Ruling.LABELLED:
        return ()
    what = say(CATEGORIES.get(verdict.category, "sensitive"))
    return ((say("Label"), say("AI-generated ({what})", what=what)),)


def _made_with(clip: Clip) -> tuple[tuple[str, str], ...]:
    spec: ClipSpec = clip.spec
    size = f"{spec.width}x{spec.height}"
    return (
        (say("Model"), spec.model),
        (say("Seed"), str(spec.seed)),
        (say("Steps"), str(spec.steps)),
        (say("Size"), say("{size}, {frames} frames", size=size, frames=spec.frames)),
        (say("Time"), duration(sum(clip.seconds.values()))),
    )


def _cancel(job: Job) -> Button:
    return Button(say("Cancel"), intents.token(intents.Cancel(job.id)), dangerous=True)


def _again(job: Job) -> Button:
    return Button(say("Again"), intents.token(intents.Again(job.id)))


def _edit(job: Job) -> Button:
    return Button(say("Edit"), intents.token(intents.Edit(job.id)))
