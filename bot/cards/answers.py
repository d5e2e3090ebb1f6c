"""What the bot answers to commands other than a clip: cards for one caller, and the sentences about wrong typing.

Made from values, in the language that is being spoken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot import intents
from bot.cards import Button, Card, duration, shorten
from bot.cards import price as credit
from bot.language import say
from db.records import MILLI, Clip, Job, JobState, PersonSettings, PlaceSettings

LINE_CHARS = 80  # of a prompt, where several stand below each other
LIST_CHARS = 200  # of a setting that is a list
MOST_LINES = 10
MOST_BUTTONS = 5

Facts = tuple[tuple[str, str], ...]


def note(sentence: str, title: str = "Zoetrope", *, well: bool = True) -> Card:
    """One sentence, and nothing to press."""
    return Card(title=title, status=sentence, tone="plain" if well else "bad", final=True)


# --- one's own jobs ---


def queue(lines: Sequence[tuple[Job, int, float | None]], ahead: int) -> Card:
    """One's own jobs, each with its place (1 is next, 0 is not waiting) and the seconds until its clip is there.

    `ahead` is how many wait before the first of them, or in all where one has none.
    """
    if not lines:
        return Card(title=say("Your clips"), status=_nothing_waits(ahead), final=True)
    shown = lines[:MOST_LINES]
    return Card(
        title=say("Your clips"),
        status=_how_many(len(lines), ahead),
        facts=tuple(
            (job.id, f"{shorten(job.spec.prompt, LINE_CHARS)} · {_standing(job, place, expected)}")
            for job, place, expected in shown
        ),
        buttons=tuple(
            Button(say("Cancel {id}", id=job.id), intents.token(intents.Cancel(job.id)), dangerous=True)
            for job, _, _ in shown[:MOST_BUTTONS]
            if not job.cancel_asked
        ),
        final=True,
    )


def elsewhere() -> str:
    """Instead of the prompt of what was asked for in another place, where others may read along."""
    return say("asked for elsewhere")


def _nothing_waits(ahead: int) -> str:
    if ahead:
        return say("Nothing of yours is waiting; others before a new clip: {ahead}.", ahead=ahead)
    return say("Nothing is waiting; a new clip would be made at once.")


def _how_many(count: int, ahead: int) -> str:
    if ahead:
        return say("{count} of yours under way, {ahead} of others before.", count=count, ahead=ahead)
    return say("{count} of yours under way, and nobody before.", count=count)


def _standing(job: Job, place: int, expected: float | None) -> str:
    if job.cancel_asked:
        return say("is being stopped")
    if job.state is JobState.HELD:
        return say("a moderator looks at it first")
    if job.state is JobState.RENDERING:
        at = job.progress
        return say("step {step} of {steps}", step=at.step, steps=at.steps) if at else say("being made")
    where = say("next in line") if place <= 1 else say("number {place} in line", place=place)
    return f"{where}, {say('ready in about {time}', time=duration(expected))}" if expected else where


def nothing_to_cancel(named: str) -> str:
    """`named` is what can be the id of no job, or empty."""
    if named:
        return say("There is no clip {id} to cancel; look at your queue for the right one.", id=_one_line(named, 20))
    return say("Nothing of yours is waiting, so there is nothing to cancel.")


# --- what is left ---


def quota(facts: Facts) -> Card:
    """Made of the facts below."""
    return Card(
        title=say("Your credit"),
        status=say("One credit makes a clip with the usual steps, frames and size."),
        facts=facts,
        final=True,
    )


def left(credits_: int, most: int, waiting: int, most_waiting: int) -> Facts:
    """Credits (thousandths of a standard clip) that are left of the most, and how many jobs wait of the most."""
    return (
        (say("Left"), say("{left} of {most} credits", left=_exactly(credits_), most=_exactly(most))),
        (say("Waiting"), say("{count} of {most}", count=waiting, most=most_waiting)),
    )


def left_here(credits_: int, most: int) -> Facts:
    """Credits (thousandths of a standard clip) that are left of what everybody in the place has together."""
    shared = say("{left} of {most} credits", left=_exactly(credits_), most=_exactly(most))
    return ((say("Left for everybody here"), shared),)


def refill(credits_: int, seconds: float) -> Facts:
    """What comes back next, and in how many seconds."""
    return ((say("Comes back"), say("{amount} in {time}", amount=credit(credits_), time=duration(seconds))),)


def price(cost: int, seconds: float | None, *, fits: bool) -> Facts:
    """What a clip costs, and whether it fits now; if not, in how many seconds, where that can be told."""
    if fits:
        fit = say("it fits")
    elif seconds is None:
        fit = say("it does not fit")
    else:
        fit = say("it fits in {time}", time=duration(seconds))
    return ((say("This clip costs"), f"{credit(cost)} ({fit})"),)


# --- what has been made ---


def gallery(page: Sequence[Clip], number: int, pages: int, count: int, words: str) -> Card:
    """A page of clips, the first being 1. A search has no buttons to turn its pages: they could not carry its words."""
    if not page:
        return note(_empty(number, pages, words), say("Gallery"))
    turns = [] if words else [_page(say("Newer"), number - 1), _page(say("Older"), number + 1)]
    return Card(
        title=say("Gallery"),
        status=_found(number, pages, count, words),
        facts=tuple((clip.id, shorten(clip.spec.prompt, LINE_CHARS)) for clip in page),
        buttons=(
            *(Button(say("Show {id}", id=clip.id), intents.token(intents.Show(clip.id))) for clip in page),
            *(turn for turn, at in zip(turns, (number - 1, number + 1), strict=False) if 1 <= at <= pages),
        ),
        final=True,
    )


def _page(label: str, number: int) -> Button:
    return Button(label, intents.token(intents.Page(number)))


def _found(number: int, pages: int, count: int, words: str) -> str:
    if words and pages > 1:
        return say(
            "Clips with these words: {count}; this is page {number} of {pages}, and page={next} brings another.",
            count=count,
            number=number,
            pages=pages,
            next=number % pages + 1,
        )
    if words:
        return say("Clips with these words: {count}.", count=count)
    return say("Page {number} of {pages}; add words to search for them.", number=number, pages=pages)


def _empty(number: int, pages: int, words: str) -> str:
    if pages:
        return say("There is no page {number}; the last one is {pages}.", number=shorten(str(number), 10), pages=pages)
    if words:
        return say("No clip here has these words; try fewer of them, or only their beginnings.")
    return say("No clip has been made here yet; ask for one, for example: a red heart bouncing on blue.")


def no_clip_yet() -> str:
    return say("No clip has been made here yet; ask for one, for example: a red heart bouncing on blue.")


# --- settings ---


def settings(now: PersonSettings, *, changed: bool) -> Card:
    """What somebody prefers."""
    size = f"{now.width}x{now.height}" if now.width and now.height else say("as the model likes it")
    facts = (
        ("format", now.format or say("what is usual here")),
        ("size", size),
        ("notify", _on_or_off(on=now.notify)),
    )
    status = say("Kept; this is what you prefer now.") if changed else say("This is what you prefer; {how}", how=_how())
    return Card(title=say("Your settings"), status=status, facts=facts, final=True)


def place_settings(now: PlaceSettings, *, changed: bool, loosened: Sequence[str] = (), trouble: str = "") -> Card:
    """What holds in a place. `loosened` are the categories about which it says less than its preset."""
    facts = (
        (say("Where and when"), _line_of(channels=_channels(now.threads), quiet=now.quiet or say("none"))),
        (
            say("What is made"),
            _line_of(
                model=now.model or _usual(),
                format=now.format or _usual(),
                steps=_at_most(now.steps),
                frames=_at_most(now.frames),
                side=_at_most(now.side),
            ),
        ),
        (say("Credit"), _line_of(credits=_given(now.credits), budget=_given(now.budget), roles=_roles(now.roles))),
        (
            say("What is refused"),
            _line_of(
                preset=now.preset,
                overrides=_listed(f"{category}={ruling}" for category, ruling in now.overrides),
                words=_listed(now.words),
                spoiler=_on_or_off(on=now.spoiler),
            ),
        ),
        (
            say("Moderation"),
            _line_of(
                moderators=_listed(now.moderators),
                desk=now.desk or say("none"),
                reporters=_usual() if now.reporters is None else str(now.reporters),
                others=now.others,
                keep=_usual() if now.keep_days is None else say("{count} days", count=now.keep_days),
            ),
        ),
    )
    said = say("Kept; this holds here now.") if changed else say("This holds here; {how}", how=_how())
    status = f"{said} {say('Requests are not taken here just now.')}" if now.paused else said
    if loosened:
        where = say(
            "{categories}: that is looser than the preset and counts in age-restricted channels only.",
            categories=", ".join(loosened),
        )
        status = f"{status} {where}"
    tone = "bad" if trouble else "plain"
    return Card(
        title=say("Settings of this place"), status=f"{status} {trouble}".strip(), tone=tone, facts=facts, final=True
    )


def _line_of(**values: str) -> str:
    """Settings of one kind on one line, each by the name under which it is changed."""
    return " · ".join(f"{name}: {value}" for name, value in values.items())


def _usual() -> str:
    return say("as usual")


def _given(credits_: int | None) -> str:
    return _usual() if credits_ is None else _exactly(credits_)


def _channels(threads: Sequence[str]) -> str:
    return shorten(", ".join(map(_channel, threads)), LIST_CHARS) or say("everywhere")


def _roles(roles: Iterable[tuple[str, int]]) -> str:
    return _listed(f"{role}={_exactly(given)}" for role, given in roles)


def paused(before: bool) -> str:
    if before:
        return say("This place was paused already; resume it to have requests taken again.")
    return say("Paused: no more requests are taken here until it is resumed; what waits is still made.")


def resumed(before: bool) -> str:
    return say("Requests are taken here already.") if before else say("Resumed: requests are taken here again.")


def only_moderators() -> str:
    return say("Only those who manage this place can do that; please ask one of them.")


def only_the_platforms_moderators() -> str:
    return say("Only those whom the platform itself lets manage this place can say who else may.")


def _how() -> str:
    return say("name a setting and its value to change it.")


def _exactly(credits_: int) -> str:
    return f"{credits_ / MILLI:.3f}".rstrip("0").rstrip(".")


def _on_or_off(*, on: bool) -> str:
    return say("on") if on else say("off")


def _channel(thread: str) -> str:
    return thread or say("the main one")


def _at_most(number: int | None) -> str:
    return _usual() if number is None else say("at most {number}", number=number)


def _listed(entries: Iterable[str]) -> str:
    return shorten(", ".join(entries), LIST_CHARS) or say("none")


# --- help, a first word ---


def help(commands: Sequence[tuple[str, str]], options: Sequence[str]) -> Card:  # noqa: A001
    """The commands as they are typed, each with its description; `options` of the first."""
    return Card(
        title=say("Zoetrope"),
        status=say("Say in a few words what to show, and a short clip of it comes back here."),
        facts=(
            *((name, say(description)) for name, description in commands),
            *(((say("Options"), ", ".join(options)),) if options else ()),
        ),
        final=True,
    )


def start(suggestions: Sequence[str]) -> Card:
    """What this is, and what to try first."""
    return Card(
        title=say("Zoetrope"),
        status=say("Say in a few words what to show, and a short clip of it comes back here."),
        facts=tuple((say("Try"), suggestion) for suggestion in suggestions),
        final=True,
    )


# --- one person on two platforms ---


def code(shown: str, seconds: float, linked: Sequence[str]) -> Card:
    """A code to be typed elsewhere; `linked` are the platforms that are linked already."""
    return Card(
        title=say("Link"),
        status=say(
            "Give this code to the link command on your other platform within {time}, and both count as one person.",
            time=duration(seconds),
        ),
        facts=((say("Code"), shown), *_linked(linked)),
        final=True,
    )


def linked(surfaces: Sequence[str]) -> Card:
    return Card(
        title=say("Link"),
        status=say(
            "Linked: your credit, your queue and your clips count as one from now on; link undo parts them again."
        ),
        facts=_linked(surfaces),
        final=True,
    )


def _linked(surfaces: Sequence[str]) -> Facts:
    return ((say("Linked with"), ", ".join(surfaces)),) if surfaces else ()


def parted(before: bool) -> str:
    if before:
        return say("Parted: this identity counts alone again.")
    return say("This identity is not linked with any other.")


def not_alone() -> str:
    return say("Others could read the code here; please link in a private chat with Zoetrope.")


def your_own_code() -> str:
    return say("This code is your own; give it to the link command on your other platform.")


def wrong_code() -> str:
    return say("This code is not good (any more); ask for a new one on your other platform.")


def too_many_codes(seconds: float) -> str:
    return say("Those were too many codes that are not good; please try again in {time}.", time=duration(seconds))


def no_code(text: str) -> str:
    return say("{text} is no code; it has twelve letters and digits, such as K3V9-X0AB-CD4E.", text=_quoted(text))


# --- what can be wrong with a typed line ---


def unknown_option(written: str, nearest: str, names: Sequence[str]) -> str:
    """`written` and the names are as they are typed, dashes included."""
    shown = _one_line(written, 40)
    if nearest:
        return say("There is no option {written}; did you mean {nearest}?", written=shown, nearest=nearest)
    if not names:
        return say("There is no option {written}; this command takes none.", written=shown)
    return say("There is no option {written}; there are {names}.", written=shown, names=", ".join(names))


def no_value(name: str) -> str:
    return say("The option {name} has no value; write it behind, such as --{name} VALUE.", name=name)


LACKING = {  # by option
    "id": "Please say which clip is meant, by its id, such as {example}.",
    "member": "Please say who is meant, such as {example}.",
    "credits": "Please say how many credits, such as {example}.",
    "number": "Please say the number of the case, such as {example}.",
    "reason": "Please say what is to be added to the case, such as {example}.",
    "prompt": "Please say the words that are to be judged, such as {example}.",
    "action": "Please say export or delete, such as {example}.",
}
EXAMPLES = {  # by command, whole
    "show": "/show k3v9x0abcd",
    "report": "/report k3v9x0abcd it frightens children",
    "hide": "/hide k3v9x0abcd",
    "mydata": "/mydata export",
    "zamend": "/zamend 12 it was a joke among friends",
    "zwhy": "/zwhy k3v9x0abcd",
    "ztest": "/ztest a red heart",
    "zblock": "/zblock 123456789 24 spam",
    "zunblock": "/zunblock 123456789 they are sorry",
    "zgrant": "/zgrant 123456789 2.5 24",
    "zstrikes": "/zstrikes 123456789",
}


def nothing_said(command: str, option: str) -> str:
    """An option that a command can't do without; the command is called as it is typed."""
    example = say(EXAMPLES[command])
    if command == "zwhy":
        return say("Please say the id of a clip, a job or a refusal, such as {example}.", example=example)
    return say(LACKING[option], example=example)


def not_a_size(text: str) -> str:
    return say("{text} is no size; write width x height in pixels, for example 48x32.", text=_quoted(text))


def unknown_command(name: str, nearest: str, prefix: str) -> str:
    shown = f"{prefix}{_one_line(name, 40)}"
    if nearest:
        return say("There is no command {name}; did you mean {nearest}?", name=shown, nearest=f"{prefix}{nearest}")
    return say("There is no command {name}; see {help}.", name=shown, help=f"{prefix}help")


# --- what can be wrong with a change of settings ---


def unknown_setting(name: str, nearest: str, names: Sequence[str]) -> str:
    shown = _one_line(name, 40)
    if nearest:
        return say("There is no setting {name}; did you mean {nearest}?", name=shown, nearest=nearest)
    return say("There is no setting {name}; there are {names}.", name=shown, names=", ".join(names))


def not_one_of(name: str, text: str, choices: Sequence[str]) -> str:
    return say(
        "{text} is nothing that {name} can be; choose one of: {choices}.",
        text=_quoted(text),
        name=name,
        choices=", ".join(choices),
    )


def not_within(name: str, text: str, low: float, high: float) -> str:
    return say(
        "{text} does not work for {name}; write a number from {low} to {high}, or default.",
        text=_quoted(text),
        name=name,
        low=_plain(low),
        high=_plain(high),
    )


def _plain(number: float) -> str:
    return f"{number:,.3f}".rstrip("0").rstrip(".")


def not_ids(name: str, text: str) -> str:
    return say(
        "{text} does not work for {name}; write ids with commas between them, or none.", text=_quoted(text), name=name
    )


def not_roles(text: str) -> str:
    return say(
        "{text} does not work for roles; write ids with credits and commas between them, such as 1234=50, or none.",
        text=_quoted(text),
    )


def not_overrides(text: str, categories: Sequence[str], rulings: Sequence[str]) -> str:
    return say(
        "{text} does not work for overrides; write such as P5=refuse P4=hold, of {categories} and {rulings}, or none.",
        text=_quoted(text),
        categories=", ".join(categories),
        rulings=", ".join(rulings),
    )


def never_loosened(categories: Sequence[str]) -> str:
    return say(
        "C1 to C6 are made in no place, so nothing can be said about them; name one of {categories}.",
        categories=", ".join(categories),
    )


def not_quiet(text: str) -> str:
    return say(
        "{text} does not work for quiet; write hours and a time zone such as 22:00-07:00 Europe/Berlin, or none.",
        text=_quoted(text),
    )


def not_a_desk(text: str) -> str:
    return say("{text} does not work for desk; write here, the id of a channel, or none.", text=_quoted(text))


def no_desk_here() -> str:
    return say("Everybody reads along here; say it in a channel or topic that moderators have to themselves.")


def desk_opened() -> Card:
    """Said where moderators get their cards from now on."""
    return note(say("What moderators of this place are to decide about comes here from now on."), say("Moderation"))


def desk_closed() -> str:
    return say("Nothing can be said at desk: let the bot see it and write there, then name it once more.")


def not_words(low: int, high: int) -> str:
    return say("A refused word has {low} to {high} characters; write them with commas between.", low=low, high=high)


def too_many(name: str, most: int) -> str:
    return say("{name} takes at most {most} entries; please remove some first.", name=name, most=most)


def _quoted(text: str) -> str:
    return say("“{text}”", text=_one_line(text, 20))


def _one_line(text: str, limit: int) -> str:
    return shorten(" ".join(text.split()), limit)
