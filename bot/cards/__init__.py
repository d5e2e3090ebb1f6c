"""Cards: everything a person can read, made from values.

A card is finished: a surface draws it whole, each time, and adds nothing. Every user-visible sentence of the bot is in
this file, so that it can be translated: first the cards, one function a state; then the answers to buttons; then what
can be wrong with a wish, with a clip's file, and with what a browser sends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot import intents, quota
from db.records import Asker, Clip, ClipSpec, Job, JobState, ModelFacts, Phase, Progress, Ruling, Verdict

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


def of(job: Job, clip: Clip | None = None, place: int = 0, expected: float | None = None, preview: str = "") -> Card:
    """The card of a job as it is now. `place` is 1 for the next one; `expected` seconds until its clip is there."""
    match job.state:
        case JobState.HELD:
            return held(job)
        case JobState.QUEUED:
            return queued(job, place, expected)
        case JobState.RENDERING:
            return rendering(job, preview)
        case JobState.DONE:
            return deleted() if clip is None or clip.hidden else done(job, clip)
        case JobState.FAILED:
            return failed(job)
        case JobState.CANCELLED:
            return cancelled(job)
        case JobState.REFUSED:
            return refused(job.verdict)


def queued(job: Job, place: int, expected: float | None = None) -> Card:
    """Waiting for a generator; a job that was tried before says so."""
    again = f"The generator stopped, so this is taken up again (attempt {job.attempt + 1}): " if job.attempt else ""
    where = "next in line" if place <= 1 else f"number {place} in line"
    about = f", ready in about {duration(expected)}" if expected else ""
    return Card(
        title=shorten(job.spec.prompt, TITLE_CHARS),
        status=_sentence(f"{again}{where}{about}."),
        tone="busy",
        facts=_label(job.verdict),
        buttons=(_cancel(job),),
    )


def rendering(job: Job, preview: str = "") -> Card:
    """At work, with the share of the denoising steps that are done."""
    at = job.progress
    return Card(
        title=shorten(job.spec.prompt, TITLE_CHARS),
        status="Stopping after this step." if job.cancel_asked else _doing(at),
        tone="busy",
        facts=_label(job.verdict),
        buttons=() if job.cancel_asked else (_cancel(job),),
        bar=at.step / at.steps if at and at.steps else 0.0,
        preview=preview,
    )


def done(job: Job, clip: Clip) -> Card:
    """The clip is here, with the facts that make it again."""
    return Card(
        title=shorten(clip.spec.prompt, TITLE_CHARS),
        status="AI-generated: this is not a recording of anything real."
        if clip.verdict.ruling is Ruling.LABELLED
        else "AI-generated.",
        tone="good",
        facts=_label(clip.verdict) + _made_with(clip),
        buttons=(_again(job), Button("Delete", intents.token(intents.Delete(clip.id)), dangerous=True)),
        clip=clip.id,
        final=True,
    )


def held(job: Job) -> Card:
    """Someone has to look first."""
    return Card(
        title=shorten(job.spec.prompt, TITLE_CHARS),
        status=f"A moderator looks at this first; after {duration(HELD_SECONDS)} it lapses and costs nothing.",
        buttons=(_cancel(job),),
    )


def failed(job: Job) -> Card:
    """It did not work out; the runner's reason is a whole sentence."""
    return Card(
        title=shorten(job.spec.prompt, TITLE_CHARS),
        status=job.reason or "The generator could not finish this clip; please ask again.",
        tone="bad",
        facts=(("Cost", "nothing"),),
        buttons=(_again(job),),
        final=True,
    )


def cancelled(job: Job) -> Card:
    """Stopped because the asker said so, or because no moderator looked at it in time."""
    lapsed = job.verdict.ruling is Ruling.HELD and job.changed_at - job.created_at >= HELD_SECONDS
    return Card(
        title=shorten(job.spec.prompt, TITLE_CHARS),
        status="No moderator looked at this in time, so it lapsed and cost nothing." if lapsed else CANCELLED,
        buttons=(_again(job),),
        final=True,
    )


def deleted() -> Card:
    """The clip is gone, and so are the words it was made from."""
    return Card(title="Deleted", status="The clip was deleted by the one who asked for it.", final=True)


def too_big(job: Job, clip: Clip) -> Card:
    """No rendition fits this address."""
    return Card(
        title=shorten(job.spec.prompt, TITLE_CHARS),
        status="The clip is finished but too big to be shown here; ask for fewer frames or a smaller size.",
        tone="bad",
        facts=_made_with(clip),
        buttons=(_again(job),),
        final=True,
    )


def undeliverable(job: Job, clip: Clip, why: str) -> Card:
    """The clip exists, but this place does not take it; `why` is the place's own sentence."""
    return Card(
        title=shorten(job.spec.prompt, TITLE_CHARS),
        status=f"The clip is finished but could not be shown here: {why}",
        tone="bad",
        facts=_made_with(clip),
        buttons=(_again(job),),
        final=True,
    )


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


def refused(verdict: Verdict) -> Card:
    """A kind no. It never repeats the prompt, and the gravest categories go unnamed: a name teaches a way round."""
    name = CATEGORIES.get(verdict.category)
    status = f"Sorry, {name} can't be made here; please ask for something else." if name else REFUSED
    return Card(title="Not made", status=status, tone="bad", final=True)


def denied(denial: quota.Denied, now: float) -> Card:
    """Not now, and when."""
    return Card(title="Not now", status=_denial(denial, now), tone="bad", final=True)


def problem(sentence: str) -> Card:
    """Something about the wish has to change; the sentence says what."""
    return Card(title="Please change one thing", status=sentence, tone="bad", final=True)


def too_late() -> Card:
    """The bot was away for too long to surprise anybody with an answer."""
    return Card(
        title="Too late",
        status="Zoetrope was away when this was asked and it cost nothing; please ask again.",
        tone="bad",
        final=True,
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


def ready(job: Job) -> str:
    """The short reply under an old card, because an edit makes no sound."""
    return f"Your clip is ready: {shorten(job.spec.prompt, 80)}"


# --- what can be wrong with a wish ---

EMPTY_PROMPT = "The prompt is empty; say in a few words what to show, for example: a heart bouncing on blue."
STILL_STARTING = "The generator is still starting; please ask again in a minute."

FIELDS = {  # of a wish, as sentences call them; `size` is width and height together
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
}


def too_long(field: str, limit: int) -> str:
    return f"{FIELDS[field]} is longer than {limit:,} characters; please shorten it."


def out_of_range(field: str, low: float, high: float) -> str:
    unit = " pixels" if field == "size" else ""
    return f"{FIELDS[field]} must be between {low:,} and {high:,}{unit}; please choose a number from there."


def not_a_number(field: str, text: str) -> str:
    kind = "number" if field == "guidance" else "whole number"
    return f"{FIELDS[field]} must be a {kind}, not {shorten(text, 20)!r}; please write one."


def wrong_multiple(width: int, height: int, multiple: int, nearest: tuple[int, int]) -> str:
    return (
        f"A size of {width}x{height} does not work because both sides must be multiples of {multiple}; "
        f"the nearest that works is {nearest[0]}x{nearest[1]}."
    )


def unknown_model(name: str, nearest: str, models: Sequence[ModelFacts]) -> str:
    known = ", ".join(model.name for model in models)
    hint = f"did you mean {nearest}?" if nearest else f"choose one of: {known}."
    return f"There is no model named {shorten(name, 40)!r}; {hint}"


def unknown_format(name: str, formats: Sequence[str]) -> str:
    return f"The format {shorten(name, 20)!r} is not made here; choose one of: {', '.join(formats)}."


# --- what can be wrong with a clip's file ---

MASTER_GONE = "The file of this clip is no longer kept here; please ask for the clip again."
NO_ROOM = "There is no room for files here just now; please ask again later."
NO_PREVIEW = "There is no preview (any more); reload the page to see how far the clip is."


def unfit(kind: str, limit: int) -> str:
    return f"The clip does not fit into {limit:,} bytes as {kind}; please ask for a shorter or smaller one."


def not_made(kind: str) -> str:
    return f"The {kind} could not be made of this clip; please ask for another format."


def made_too_slowly(kind: str, seconds: float) -> str:
    return f"Making the {kind} took longer than {duration(seconds)}; please ask for a smaller clip."


def unwritable(path: str, why: str) -> str:
    return f"{path} can't be written ({why}); please choose another place and ask again."


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
    """A length of time for people: '8 s', '1 min 20 s', '2 h 5 min'. Rounded up, so that nobody comes too early."""
    left = max(1, math.ceil(seconds))
    hours, left = divmod(left, 3600)
    minutes, rest = divmod(left, 60)
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{rest} s"


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, with an ellipsis where something was left out."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _doing(at: Progress | None) -> str:
    if at is None:
        return "A generator has taken this up."
    match at.phase:
        case Phase.LOAD:
            return "Loading the model."
        case Phase.ENCODE:
            return "Reading the prompt."
        case Phase.STEP:
            return f"Rendering: step {at.step} of {at.steps}."
        case Phase.DECODE:
            return "Finishing the clip."


def _denial(denial: quota.Denied, now: float) -> str:
    match denial.why:
        case quota.Why.WAITING:
            return "You already have as many clips waiting as you may; please wait for one or cancel one."
        case quota.Why.TOO_DEAR:
            return "This costs more than anyone may use in one go; ask for fewer steps, fewer frames or a smaller size."
        case quota.Why.SPENT:
            wait = duration((denial.until or now) - now)
            return f"Your credit is used up for now; this fits again in {wait}."


def _label(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    if verdict.ruling is not Ruling.LABELLED:
        return ()
    return (("Label", f"AI-generated ({CATEGORIES.get(verdict.category, 'sensitive')})"),)


def _made_with(clip: Clip) -> tuple[tuple[str, str], ...]:
    spec: ClipSpec = clip.spec
    return (
        ("Model", spec.model),
        ("Seed", str(spec.seed)),
        ("Steps", str(spec.steps)),
        ("Size", f"{spec.width}x{spec.height}, {spec.frames} frames"),
        ("Time", duration(sum(clip.seconds.values()))),
    )


def _cancel(job: Job) -> Button:
    return Button("Cancel", intents.token(intents.Cancel(job.id)), dangerous=True)


def _again(job: Job) -> Button:
    return Button("Again", intents.token(intents.Again(job.id)))
