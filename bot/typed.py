"""Commands that were typed by hand, read forgivingly: what a chat's keyboard makes of `--` and of quotes is undone.

    /video@zoetrope_bot a heart —seed 7 -steps 20 --no “blurry, grey” --size 256 × 256

What is no option stays in the words, in its order: nothing that was typed is lost. Where no prompt is asked for, an
option may be called without dashes as well (`hours 3`, `hours: 3`, `hours=3`), if it can't be meant as a word.
Sentences come in the language that is being spoken (`bot.language.speaking`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from bot import cards, menu
from bot.cards import answers
from bot.menu import Command, Option
from bot.specs import Problem
from db.records import Wish

ALIASES = {
    "no": "negative",
    "neg": "negative",
    "cfg": "guidance",
    "guide": "guidance",
    "length": "frames",
    "channel": "channels",
    "role": "roles",
    "word": "words",
    "override": "overrides",
    "category": "overrides",
    "reporter": "reporters",
    "hour": "hours",
    "credit": "credits",
    "user": "member",
    "who": "member",
    "why": "reason",
}
LOOK_ALIKES = {"width": "size", "height": "size", "ar": "size", "aspect": "size", "resolution": "size", "s": "seed"}
TO_THE_NEXT = frozenset({"negative", "channels", "roles", "moderators", "words"})  # their values need no quotes
ALL_OF_IT = TO_THE_NEXT | {"overrides", "quiet", "reason", "prompt"}  # nor do these, where there is no prompt before
ONE_WORD = frozenset({"id", "job", "code", "size", "model"})  # of text; any other takes all that is left

_DASHES = "-‐‑‒–—―−"
_LONG = "–—―"  # what keyboards make of two hyphens
_STEER = "\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"  # invisible marks that only steer the direction of text
_COMMAND = re.compile(rf"[\s{_STEER}]*[/／]([A-Za-z0-9_]{{1,32}})(?:@\S*)?(?=\s|$)")
_FLAG = re.compile(rf"([{_DASHES}]+)([A-Za-z][A-Za-z_-]*)(?:[=:](.*))?", re.DOTALL)
_HANGING = re.compile(rf"(?:[{_DASHES}]+[A-Za-z][A-Za-z_-]*[=:]|[A-Za-z]+[=:])")
_SPACE = re.compile(r"\s")
_PAIR = re.compile(r"([A-Za-z]+)([=:])(.*)", re.DOTALL)
_CLOSED_BY = {'"': '"”“„', "“": '”"“', "„": '“”"', "«": "»", "»": "«", "'": "'’", "‘": "’'", "‚": "‘’'"}
_CLOSING = {mark: re.compile(rf"[{closing}](?!\S)") for mark, closing in _CLOSED_BY.items()}
_DOUBLE = '"“„«»'
_SIZE = re.compile(r"\s*(\d{1,6})\s*(?:[xX×✕*]\s*(\d{1,6}))?\s*(?:px)?\s*", re.ASCII)
_TIMES = frozenset("xX×✕*")
_SOMEBODY = re.compile(r"<@!?\w+>|@\S+|\d{6,}|(?=\w*\d)(?=\w*[A-Za-z])\w{8,}", re.ASCII)  # and no number or word


@dataclass(frozen=True, slots=True)
class Line:
    """What was typed. `command` is without "/" and in small letters, empty for plain text.

    `options` hold values as they were typed, empty where none was; `unknown` are the flags nobody knows, which stand in
    the `words` as well.
    """

    command: str
    words: str
    options: dict[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Token:
    """A word or a quoted piece; `text` is what stood there, `value` is it without its quotes."""

    text: str
    value: str
    quoted: bool = False


@dataclass
class _Reading:
    """A line being read: what is left of it, and what has been found so far."""

    options_known: tuple[Option, ...]
    settings: bool  # a line of settings has no prompt, so names count without dashes as well
    worded: bool  # whether it is mainly a prompt
    moderators: bool  # whether it is a command of theirs
    rest: list[_Token]
    words: list[_Token] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    in_text: bool = False  # whether a value of several words is being read

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(option.name for option in self.options_known)

    def option(self, name: str) -> Option | None:
        return next((option for option in self.options_known if option.name == name), None)

    def choices(self, name: str) -> tuple[str, ...]:
        option = self.option(name)
        return option.choices if option else ()


def read(text: str) -> Line:
    """Take a typed line apart. Never fails: what is not understood stays words."""
    head = _COMMAND.match(text)
    name = head.group(1).lower() if head else ""
    command = dict(menu.typed_names()).get(name or "video") or menu.COMMANDS[0]
    tokens = _tokens(text[head.end() :] if head else text)
    worded = command.name == "video"
    reading = _Reading(command.options, command.name == "settings", worded, command.moderators, tokens)
    while reading.rest:
        _read_one(reading)
    return Line(name, _joined(reading.words), reading.options, tuple(reading.unknown))


def wish_of(line: Line) -> Wish | Problem:
    """What the line asks for; an empty prompt is for the caller to ask about. The first wrong thing is the answer."""
    trouble = _misread(line, _names_of("video"))
    if trouble:
        return Problem(trouble)
    said = line.options
    size = size_of(said["size"]) if "size" in said else (None, None)
    if size is None:
        return Problem(answers.not_a_size(said["size"]))
    numbers: dict[str, int | None] = {}
    for name in ("seed", "steps", "frames"):
        numbers[name] = whole(said[name]) if name in said else None
        if name in said and numbers[name] is None:
            return Problem(cards.not_a_number(name, said[name]))
    guidance = number(said["guidance"]) if "guidance" in said else None
    if "guidance" in said and guidance is None:
        return Problem(cards.not_a_number("guidance", said["guidance"]))
    return Wish(
        prompt=said.get("prompt", line.words),
        negative=said.get("negative", ""),
        guidance=guidance,
        width=size[0],
        height=size[1],
        model=said.get("model"),
        format=said["format"].casefold() if "format" in said else None,
        **numbers,
    )


def changes_of(line: Line) -> dict[str, str] | Problem:
    """The changes that a line of settings asks for; empty: it only wants to see them."""
    command = command_of(line)
    if isinstance(command, Problem):
        return command
    names = tuple(option.name for option in command.options)
    trouble = _misread(line, names)
    if not trouble and line.words:
        trouble = _nowhere(line.words.split()[0], names)
    return Problem(trouble) if trouble else dict(line.options)


def options_of(line: Line, given: Mapping[str, str] | None = None) -> dict[str, str] | Problem:
    """What a line says about each option of its command: by flags, and by words in the order of the options.

    `given` is known already, such as whom a reply is meant for; no word is taken for it.
    """
    command = command_of(line)
    if isinstance(command, Problem):
        return command
    names = tuple(option.name for option in command.options)
    if trouble := _misread(line, names):
        return Problem(trouble)
    said, words = _placed(command.options, {**(given or {}), **line.options}, line.words.split())
    text = next((option for option in command.options if _is_free(option) and option.name not in said), None)
    if words and text:
        said[text.name], words = " ".join(words), []
    if words:
        return Problem(_nowhere(words[0], names))
    missing = next((option for option in command.options if option.required and option.name not in said), None)
    return Problem(answers.nothing_said(line.command, missing.name)) if missing else said


def _placed(
    options: Sequence[Option], said: Mapping[str, str], words: Sequence[str]
) -> tuple[dict[str, str], list[str]]:
    """What is said of the options that take one word, these taken in their order; and the words that are left.

    A unit is no word of its own, as in `5 hours`.
    """
    placed, left = dict(said), list(words)
    for option in options:
        if option.name in placed:
            continue
        if not left or _is_free(option):
            break
        if not _takes(option, left[0]):
            continue
        placed[option.name] = left.pop(0)
        if option.kind == "number" and left and _known_as(left[0].casefold(), (option.name,)) == option.name:
            del left[0]
    return placed, left


def _is_free(option: Option) -> bool:
    """Whether it takes all the words that are left."""
    return option.kind == "text" and option.name not in ONE_WORD


def _nowhere(word: str, names: tuple[str, ...]) -> str:
    """The sentence about a word that belongs to no option; to suggest that very word would help nobody."""
    name = _known_as(word.rstrip("=:").casefold(), names)
    if name in names:
        return answers.no_value(name)
    return answers.unknown_option(word, menu.nearest(word, names), names)


def _takes(option: Option, word: str) -> bool:
    """Whether a word can be this option's value; of what need not be said, only what can be nothing else."""
    match option.kind:
        case "integer":
            return option.required or (whole(word) is not None and not _SOMEBODY.fullmatch(word))
        case "number":
            return option.required or number(word) is not None
        case "choice":
            return option.required or word.casefold() in option.choices
        case "member":
            return option.required or _SOMEBODY.fullmatch(word) is not None
        case _:
            return True


def command_of(line: Line, prefix: str = "/") -> Command | Problem:
    """The command of the menu that was typed; plain text is a prompt."""
    names = dict(menu.typed_names())
    found = names.get(line.command or "video")
    near = menu.nearest(line.command, tuple(names))
    return found or Problem(answers.unknown_command(line.command, near, prefix))


def size_of(text: str) -> tuple[int, int] | None:
    """Width and height in pixels of "256x256", "256 × 144" or "256"; None: it is no size."""
    found = _SIZE.fullmatch(text)
    if found is None:
        return None
    width, height = found.groups()
    return int(width), int(height or width)


def _names_of(command: str) -> tuple[str, ...]:
    found = menu.find(command)
    return tuple(option.name for option in found.options) if found else ()


def _misread(line: Line, names: tuple[str, ...]) -> str:
    """The sentence about a flag that nobody knows or that lacks its value."""
    if line.unknown:
        flag = line.unknown[0]
        return answers.unknown_option(f"--{flag}", _like(flag, names), tuple(f"--{name}" for name in names))
    empty = [name for name, value in line.options.items() if not value.strip()]
    return answers.no_value(empty[0]) if empty else ""


def _like(flag: str, names: tuple[str, ...]) -> str:
    """The flag that was meant, with its dashes, or nothing."""
    meant = LOOK_ALIKES.get(flag, "")
    meant = meant if meant in names else menu.nearest(flag, names)
    return f"--{meant}" if meant else ""


# --- from text to tokens ---


def _tokens(text: str) -> list[_Token]:
    """Words, and quoted pieces as one. Single quotes count only behind a flag: elsewhere they are apostrophes."""
    found: list[_Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        behind_a_flag = bool(found) and _FLAG.fullmatch(found[-1].text) is not None
        end = _quoted_end(text, at) if text[at] in _DOUBLE or behind_a_flag else 0
        end = end or _word_end(text, at)
        piece = text[at:end]
        quoted = _is_quoted(piece)
        found.append(_Token(piece, piece[1:-1].strip() if quoted else piece, quoted))
        at = end
    return found


def _word_end(text: str, at: int) -> int:
    """Where the word that begins at `at` ends: before a space, or after the quoted value of an option."""
    hanging = _HANGING.match(text, at)
    end = _quoted_end(text, hanging.end()) if hanging and hanging.end() < len(text) else 0
    if end:
        return end
    space = _SPACE.search(text, at)
    return space.start() if space else len(text)


def _quoted_end(text: str, at: int) -> int:
    """Where the quoted piece that begins at `at` ends, or 0: its closing mark stands before a space or the end."""
    closed = _CLOSING.get(text[at])
    found = closed.search(text, at + 2) if closed else None
    return found.end() if found else 0


def _is_quoted(piece: str) -> bool:
    return len(piece) > 2 and piece[-1] in _CLOSED_BY.get(piece[0], "")


def _joined(tokens: list[_Token]) -> str:
    """The words in their order; quotes round the whole of them are a habit from elsewhere and mean nothing."""
    if len(tokens) == 1 and tokens[0].quoted and tokens[0].text[0] in _DOUBLE:
        return tokens[0].value
    return " ".join(token.text for token in tokens)


# --- from tokens to options ---


def _read_one(reading: _Reading) -> None:
    token = reading.rest.pop(0)
    name, value = _option(token, reading)
    if name in reading.names:
        reading.options[name] = _hanging(reading, name, value) if value else _value(reading, name)
        return
    if name:
        reading.unknown.append(name)
    reading.words.append(token)


def _hanging(reading: _Reading, name: str, value: str) -> str:
    """The value of which the beginning hangs on the name; where there is no prompt, a text goes on behind it."""
    if reading.worded or _is_quoted(value) or name not in ALL_OF_IT:
        return _unquoted(value)
    return f"{value} {_up_to_the_next(reading)}".rstrip()


def _option(token: _Token, reading: _Reading, at: int = 0) -> tuple[str, str | None]:
    """The option that a token names (empty: it is a word) and the value that hangs on it.

    What follows the token stands at `at` in the rest of the line.
    """
    if token.quoted and token.text[0] in _DOUBLE:
        return "", None
    flag = _FLAG.fullmatch(token.text)
    if flag:
        dashes, written, value = flag.groups()
        name = _known_as(written.lower(), reading.names)
        return (name if _is_sure(dashes, name, value or _follows(reading, at), reading.names) else ""), value
    if reading.worded:
        return "", None
    pair = _PAIR.fullmatch(token.text)
    written, sign, value = pair.groups() if pair else (token.text, "", None)
    name = _known_as(written.lower(), reading.names)
    if reading.settings:
        return (name if name in reading.names or sign == "=" else ""), value
    option = reading.option(name)
    return (name if option and _is_called(option, sign, value or "", reading, at) else ""), value


def _is_called(option: Option, sign: str, value: str, reading: _Reading, at: int) -> bool:
    """Whether a name without dashes means the option: not where it can be a word of a reason or of a search.

    `sign` is "=", ":" or empty, `value` what hangs on it.
    """
    if sign == "=":
        return True
    behind, value = at + (not value), value or _follows(reading, at)
    if not value:
        return False
    placed, left = _placed(reading.options_known, reading.options, [token.text for token in reading.words])
    if not sign and option.name in placed:
        return False  # a word told it already, so this one is its unit
    before = not left and not reading.in_text  # no word of a text has come so far
    lacking = any(each.required and not _is_free(each) and each.name not in placed for each in reading.options_known)
    if before and (lacking or not any(map(_is_free, reading.options_known))):
        return True
    if _is_free(option):
        return _begins_text(option, sign, reading, before=before)
    if before and sign and option.name not in placed:
        return True
    return _is_plausible(option, value) and (before or _may_end(reading, behind))


def _begins_text(option: Option, sign: str, reading: _Reading, *, before: bool) -> bool:
    """Of what takes several words: in front of them all, and what a prompt has to do without also behind it."""
    if option.name == "negative":
        return bool(sign)
    return before and (bool(sign) or reading.moderators or option.name == "reason")


def _may_end(reading: _Reading, at: int) -> bool:
    """Whether no word of a text stands at `at` in the rest of the line."""
    if at >= len(reading.rest):
        return True
    text = reading.rest[at].text
    pair = _PAIR.fullmatch(text)
    return bool(_FLAG.fullmatch(text)) or _known_as((pair[1] if pair else text).lower(), reading.names) in reading.names


def _is_plausible(option: Option, value: str) -> bool:
    return _takes(replace(option, required=False), value)


def _is_sure(dashes: str, name: str, value: str, names: tuple[str, ...]) -> bool:
    """Whether a flag is meant. A single hyphen stands before many a word: it needs a known name and a value."""
    if len(dashes) == 1 and dashes not in _LONG:
        return name in names and bool(value)
    return bool(names) and (dashes.startswith("--") or name in names or bool(_like(name, names)))


def _follows(reading: _Reading, at: int) -> str:
    """The value that stands at `at` in the rest of the line; empty: there is a flag or nothing."""
    text = reading.rest[at].text if at < len(reading.rest) else ""
    return "" if _FLAG.fullmatch(text) else text


def _known_as(name: str, names: tuple[str, ...]) -> str:
    return name if name in names else ALIASES.get(name, name)


def _value(reading: _Reading, name: str) -> str:
    """The value that follows an option: a quoted piece, a word, or for some all words up to the next option."""
    if not reading.rest:
        return ""
    if reading.rest[0].text.casefold() in reading.choices(name):  # also where a choice is called like an option
        return reading.rest.pop(0).text
    if _option(reading.rest[0], reading, 1)[0]:
        return ""
    if reading.rest[0].quoted:
        return reading.rest.pop(0).value
    if name == "size":
        return _size_value(reading)
    if name in (TO_THE_NEXT if reading.worded else ALL_OF_IT) and (reading.words or not reading.worded):
        return _up_to_the_next(reading)
    return reading.rest.pop(0).text


def _up_to_the_next(reading: _Reading) -> str:
    taken, reading.in_text = [], True
    while reading.rest and not _option(reading.rest[0], reading, 1)[0]:
        taken.append(reading.rest.pop(0).text)
    reading.in_text = False
    return " ".join(taken)


def _size_value(reading: _Reading) -> str:
    """`256 x 144` is three tokens, `256x 144` and `256 x144` are two: what is parted is parted at the sign."""
    for count in (3, 2):
        pieces = [token.text for token in reading.rest[:count]]
        parted = any(one[-1] in _TIMES or other[0] in _TIMES for one, other in pairwise(pieces))
        if len(pieces) == count and parted and _SIZE.fullmatch("".join(pieces)):
            del reading.rest[:count]
            return "".join(pieces)
    return reading.rest.pop(0).text


def _unquoted(value: str) -> str:
    return value[1:-1].strip() if _is_quoted(value) else value


def whole(text: str) -> int | None:
    """None: it is no whole number."""
    try:
        return int(text.replace("−", "-"))
    except ValueError:
        return None


def number(text: str) -> float | None:
    """A finite number, also with a decimal comma; None: it is none."""
    try:
        value = float(text.replace("−", "-").replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
