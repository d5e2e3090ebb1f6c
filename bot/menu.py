"""The commands as data: one source for every platform's registration, for typed commands and for /help.

Descriptions are English keys: whoever shows one says it (`say`). Names and choices are the same in every language.
Nothing stands here that does not work today.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from bot.specs import FORMATS, GUIDANCE
from db.config import LimitsConfig

SAFE_INTEGER = 2**53 - 1  # what every platform's numbers carry exactly
SWITCH = ("on", "off")
UNDO = "undo"  # the word that parts linked identities
DEFAULT = "default"  # the word that takes a setting back
PRESETS = ("family", "general", "adult-channel")
MY_DATA = ("export", "delete")
LEVELS = ("user", "strict")
WHO = ("everyone", "moderators", "nobody")
OF_THE_BANNED = ("hide", "strikes", "help", "privacy", "mydata")  # what somebody may do who may do nothing else
MOST_HOURS = 24 * 366  # that anything may be said to last
MOST_CREDITS = 1_000_000  # that a number may say; what may be given is the operator's to set
MOST_PAGES = 999_999
_HOURS = (0.01, MOST_HOURS)
MODERATORS_PREFIX = "z"  # before the name of a moderators' command where it is typed in one word


@dataclass(frozen=True, slots=True)
class Option:
    """What can be said with a command; `low` and `high` belong to the range.

    `kind` is text, integer, number, choice or member (somebody of this place, as the platform's own id).

    `autocomplete` names what is suggested while typing: models, prompts, sizes, or nothing.
    """

    name: str
    kind: str
    description: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    autocomplete: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `moderators` are the only ones who may give it; its name may be that of everybody's command."""

    name: str
    description: str
    options: tuple[Option, ...] = ()
    moderators: bool = False

    def option(self, name: str) -> Option | None:
        return next((option for option in self.options if option.name == name), None)


def commands(limits: LimitsConfig) -> tuple[Command, ...]:
    """Everybody's commands in the order of /help, then those of the moderators, within what the operator allows."""
    return (*_everybodys(limits), *_moderators())


def find(name: str, moderators: bool = False) -> Command | None:
    """The command of that name."""
    return next((each for each in COMMANDS if each.name == name and each.moderators is moderators), None)


def typed_names() -> Iterator[tuple[str, Command]]:
    """Every command by the one word it is typed as."""
    for command in COMMANDS:
        yield (f"{MODERATORS_PREFIX}{command.name}" if command.moderators else command.name), command


def nearest(word: str, names: Iterator[str] | tuple[str, ...]) -> str:
    """The name most like `word`, or nothing."""
    near = difflib.get_close_matches(word.casefold(), list(names), n=1, cutoff=0.6)
    return near[0] if near else ""


def _everybodys(limits: LimitsConfig) -> tuple[Command, ...]:
    return (
        Command("video", "Make a short clip from your words.", _video(limits)),
        Command("queue", "Your clips that wait or are being made."),
        Command("cancel", "Stop one of your clips.", (Option("job", "text", "Which one, if not the newest."),)),
        Command("quota", "What you have left, when more comes, and what a clip would cost.", _shape(limits)),
        Command("again", "Your newest clip once more, with another seed."),
        Command("show", "Show a clip here once more.", (_clip_id(),)),
        Command("gallery", "Look through the clips made here.", _gallery()),
        Command("random", "Show any clip made here."),
        Command("report", "Have a moderator look at a clip.", _report()),
        Command("hide", "Show a clip of yours to nobody; said again, it is shown again.", (_clip_id(),)),
        Command("settings", "What you prefer where you say nothing.", _personal()),
        Command("strikes", "How you stand with the moderators of this place."),
        Command("help", "What can be asked for here."),
        Command("privacy", "What is stored, for how long, and how to have it deleted."),
        Command("mydata", "Get a copy of what is stored about you, or have it deleted.", _mydata()),
        Command("link", "Be one person on two platforms.", (Option("code", "text", "The code from there, or undo."),)),
    )


def _moderators() -> tuple[Command, ...]:
    return (
        Command("settings", "What holds in this place.", _of_place(), moderators=True),
        Command("pause", "Take no more requests in this place.", moderators=True),
        Command("resume", "Take requests in this place again.", moderators=True),
        Command("review", "What is most urgent to look at here.", moderators=True),
        Command("cases", "What moderators have done here, the newest first.", _cases(), moderators=True),
        Command("amend", "Add to a case what it lacks.", _amendment(), moderators=True),
        Command("why", "Which rule decided about a clip, a job or a refusal of this place.", _why(), moderators=True),
        Command("test", "What would become of a prompt here, at no cost.", _test(), moderators=True),
        Command("block", "Ban somebody from Zoetrope in this place.", _block(), moderators=True),
        Command("unblock", "Lift a ban and all strikes of somebody here.", _unblock(), moderators=True),
        Command("grant", "Give somebody credits on top, here and for a while.", _grant(), moderators=True),
        Command("purge", "Delete somebody's clips, or the clips of the last hours.", _purge(), moderators=True),
        Command("strikes", "How somebody stands here.", (_member(),), moderators=True),
        Command("console", "A link into the moderators' pages, for you alone.", moderators=True),
    )


def _video(limits: LimitsConfig) -> tuple[Option, ...]:
    return (
        Option("prompt", "text", "What to show, in a few words.", autocomplete="prompts"),
        Option("negative", "text", "What not to show."),
        Option("seed", "integer", "The same seed and words make the same clip.", 0, SAFE_INTEGER),
        Option("guidance", "number", "How closely to follow the words.", *GUIDANCE),
        *_shape(limits),
        Option("format", "choice", "The kind of file.", choices=FORMATS),
    )


def _shape(limits: LimitsConfig) -> tuple[Option, ...]:
    """What decides the cost of a clip."""
    return (
        Option("steps", "integer", "How many steps to take: more look finer and cost more.", 1, limits.steps),
        Option("frames", "integer", "How many pictures the clip has.", 1, limits.frames),
        Option("size", "text", "Width x height in pixels, for example 48x32.", autocomplete="sizes"),
        Option("model", "text", "The model that makes the clip.", autocomplete="models"),
    )


def _gallery() -> tuple[Option, ...]:
    return (
        Option("words", "text", "Words that stand in the prompt."),
        Option("page", "integer", "Which page.", 1, MOST_PAGES),
    )


def _clip_id() -> Option:
    return Option("id", "text", "The clip's id.", required=True)


def _report() -> tuple[Option, ...]:
    return (_clip_id(), Option("reason", "text", "What is wrong with it, in a few words."))


def _mydata() -> tuple[Option, ...]:
    return (
        Option("action", "choice", "What to do: export brings a copy.", choices=MY_DATA, required=True),
        Option("level", "choice", "What to delete: strict leaves only what handling abuse needs.", choices=LEVELS),
        Option("part", "integer", "Which part of a large copy.", 1, MOST_PAGES),
    )


def _personal() -> tuple[Option, ...]:
    return (
        Option("format", "choice", "The kind of file you like best.", choices=(*FORMATS, DEFAULT)),
        Option("size", "text", "Width x height in pixels, for example 48x32, or default.", autocomplete="sizes"),
        Option("notify", "choice", "A short reply when a clip took a while.", choices=SWITCH),
    )


def _of_place() -> tuple[Option, ...]:
    return (
        Option("channels", "text", "Where to be used: here, all, or a list; +here adds, -here removes."),
        Option("model", "text", "The model of a request that names none, or default.", autocomplete="models"),
        Option("format", "choice", "The kind of file where nobody names one.", choices=(*FORMATS, DEFAULT)),
        Option("steps", "text", "Most steps, or default."),
        Option("frames", "text", "Most frames, or default."),
        Option("side", "text", "Longest side in pixels, or default."),
        Option("credits", "text", "Credits that one person has here, or default."),
        Option("roles", "text", "Credits by role, such as 1234=50; -1234 removes, none empties."),
        Option("moderators", "text", "Roles that may do this too; +1234 adds, -1234 removes, none empties."),
        Option("spoiler", "choice", "Cover every clip until it is touched.", choices=SWITCH),
        Option("preset", "choice", "How strict to be; adult-channel needs an age-restricted channel.", choices=PRESETS),
        Option("words", "text", "Words refused here; +word adds, -word removes, none empties."),
        Option("overrides", "text", "Rulings by category, such as P5=refuse P4=hold; -P5 removes, none empties."),
        Option("budget", "text", "Credits that everybody here has together, or default."),
        Option("quiet", "text", "Hours without new clips, such as 22:00-07:00 Europe/Berlin, or none."),
        Option("others", "choice", "Who besides its asker may have a clip made again.", choices=WHO),
        Option("reporters", "text", "How many people have to report a clip until it is hidden, or default."),
        Option("desk", "text", "Where moderators get cards to decide about: here, an id, or none."),
        Option("keep", "text", "Days after which clips of this place are deleted, or default."),
    )


# --- what moderators do ---


def _member() -> Option:
    return Option("member", "member", "Who.", required=True)


def _reason() -> Option:
    return Option("reason", "text", "Why, for the record of cases.")


def _cases() -> tuple[Option, ...]:
    return (
        Option("number", "integer", "One case with all that belongs to it.", 1, SAFE_INTEGER),
        Option("member", "member", "Only what is about this person."),
        Option("words", "text", "Words that stand in the reason or the rule."),
        Option("page", "integer", "Which page.", 1, MOST_PAGES),
    )


def _amendment() -> tuple[Option, ...]:
    return (
        Option("number", "integer", "The case.", 1, SAFE_INTEGER, required=True),
        Option("reason", "text", "What is to be added.", required=True),
    )


def _why() -> tuple[Option, ...]:
    return (Option("id", "text", "The id of the clip, the job or the refusal.", required=True),)


def _test() -> tuple[Option, ...]:
    return (
        Option("prompt", "text", "The words to be judged.", required=True),
        Option("negative", "text", "What not to show."),
    )


def _block() -> tuple[Option, ...]:
    hours = Option("hours", "number", "For how long; without it: until you lift it.", *_HOURS)
    return (_member(), hours, _reason())


def _unblock() -> tuple[Option, ...]:
    return (_member(), _reason())


def _grant() -> tuple[Option, ...]:
    return (
        _member(),
        Option("credits", "number", "How many.", 0.001, MOST_CREDITS, required=True),
        Option("hours", "number", "For how long they are good.", *_HOURS),
        _reason(),
    )


def _purge() -> tuple[Option, ...]:
    return (
        Option("member", "member", "Whose clips; without it: everybody's of the last hours."),
        Option("hours", "number", "Only the clips of the last so many hours.", *_HOURS),
    )


COMMANDS = commands(LimitsConfig())
