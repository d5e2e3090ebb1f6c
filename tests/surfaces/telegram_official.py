"""Telegram's own list of methods and types as a judge of calls: names, required parameters, types, shapes and lengths.

The list is the official Bot API reference as JSON; it lies beside the checkout, not in it. Where it is missing, nothing
is judged, and the test that says so is skipped by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATH = Path(__file__).parents[2].parent / "shared" / "contracts" / "telegram-bot-api.json"
SIMPLE: dict[str, Callable[[Any], bool]] = {
    "Integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "True": lambda value: value is True,
    "InputFile": lambda value: isinstance(value, str),
}
ACTIONS = {
    *("url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat"),
    *("switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay"),
}
ARRAY = "Array of "


@dataclass(frozen=True)
class Judged:
    """A call's parameters as values of their official types, and what is wrong with it, one sentence each."""

    values: dict[str, Any]
    problems: list[str]


class Official:
    """The list, read once."""

    def __init__(self, listed: Mapping[str, Any]) -> None:
        self._methods = listed["methods"]
        self._types = listed["types"]
        self._names = {name.lower(): name for name in self._methods}

    @classmethod
    def find(cls) -> Official | None:
        """The list beside this checkout, or None."""
        return cls(json.loads(PATH.read_text(encoding="utf-8"))) if PATH.exists() else None

    def name(self, method: str) -> str | None:
        """The method as officially spelled; Telegram does not mind the case."""
        return self._names.get(method.lower())

    def judge(self, method: str, sent: Mapping[str, Any], files: frozenset[str]) -> Judged:
        """Judge a call: `sent` are form fields (text) or JSON values, `files` the names of uploaded parts."""
        fields = {field["name"]: field for field in self._methods[method].get("fields", [])}
        values: dict[str, Any] = {}
        problems = [f"{method} has no parameter {name!r}" for name in sent if name not in fields]
        for name, field in fields.items():
            if name in sent:
                values[name] = value = typed(sent[name], field["types"])
                problems += self._of_any(field["types"], value, f"{method}.{name}")
            elif name in files:
                if not any("InputFile" in kind for kind in field["types"]):
                    problems.append(f"{method}.{name} was uploaded as a file but is no file")
            elif field["required"]:
                problems.append(f"{method} needs {name!r}")
        problems += [f"{method}: the upload {part!r} belongs to nothing" for part in _orphans(fields, values, files)]
        return Judged(values, problems + _too_long(method, values))

    def check(self, kind: str, value: Any) -> list[str]:
        """What is wrong with `value` as the official type `kind`."""
        return self._of(kind, value, kind)

    def _of_any(self, kinds: list[str], value: Any, where: str) -> list[str]:
        """The complaints of the type that fits best."""
        return min((self._of(kind, value, where) for kind in kinds), key=len)

    def _of(self, kind: str, value: Any, where: str) -> list[str]:
        if kind.startswith(ARRAY):
            if not isinstance(value, list):
                return [f"{where} must be a list"]
            inner = kind.removeprefix(ARRAY)
            return [found for at, one in enumerate(value) for found in self._of(inner, one, f"{where}[{at}]")]
        if kind in SIMPLE:
            return [] if SIMPLE[kind](value) else [f"{where} must be {kind}, not {value!r}"]
        return self._object(kind, value, where)

    def _object(self, kind: str, value: Any, where: str) -> list[str]:
        described = self._types[kind]
        if "subtypes" in described:
            return self._of_any(described["subtypes"], value, where)
        if not isinstance(value, dict):
            return [f"{where} must be the object {kind}, not {value!r}"]
        fields = {field["name"]: field for field in described.get("fields", [])}
        problems = [f"{where}: {kind} has no field {name!r}" for name in value if name not in fields]
        for name, field in fields.items():
            if name in value:
                problems += self._of_any(field["types"], value[name], f"{where}.{name}")
                problems += _constant(field, value[name], f"{where}.{name}")
            elif field["required"]:
                problems.append(f"{where}: {kind} needs {name!r}")
        return problems + _shape(kind, value, where)


def typed(sent: Any, kinds: list[str]) -> Any:
    """A form field as the value it stands for; what cannot be read stays text, and the judge complains."""
    if not isinstance(sent, str):
        return sent
    if "Integer" in kinds and re.fullmatch(r"-?\d+", sent):
        return int(sent)
    if "Boolean" in kinds and sent.lower() in {"true", "false"}:
        return sent.lower() == "true"
    if "String" in kinds or "InputFile" in kinds:
        return sent
    try:
        return json.loads(sent)
    except ValueError:
        return sent


def _orphans(fields: Mapping[str, Any], values: Mapping[str, Any], files: frozenset[str]) -> list[str]:
    """Uploads that no parameter is named after and no attach:// mentions."""
    mentioned = set(re.findall(r"attach://([^\"\s]+)", json.dumps(values)))
    return sorted(part for part in files if part not in fields and part not in mentioned)


def _constant(field: Mapping[str, Any], value: Any, where: str) -> list[str]:
    """Tags like `type` have one value per type, which only the description tells."""
    if field["name"] not in {"type", "status", "source"}:
        return []
    found = re.search(r"must be ([a-z_0-9]+)$|always [“\"]([a-z_0-9]+)[”\"]", field["description"])
    expected = found and (found[1] or found[2])
    return [f"{where} must be {expected!r}, not {value!r}"] if expected and value != expected else []


def _shape(kind: str, value: Mapping[str, Any], where: str) -> list[str]:
    """What the descriptions say about single objects and no type does."""
    if kind == "InlineKeyboardButton":
        return _button(value, where)
    if kind == "BotCommand":
        good = re.fullmatch(r"[a-z0-9_]{1,32}", str(value.get("command"))) and 1 <= len(value["description"]) <= 256
        return [] if good else [f"{where}: a command is 1-32 of a-z 0-9 _, its description 1-256 characters"]
    is_result = kind.startswith("InlineQueryResult") and kind != "InlineQueryResultsButton"
    if is_result and not 1 <= len(str(value.get("id", "")).encode()) <= 64:
        return [f"{where}.id must have 1-64 bytes"]
    return []


def _button(value: Mapping[str, Any], where: str) -> list[str]:
    problems = [] if value.get("text") else [f"{where}: a button needs a text"]
    if len(ACTIONS & value.keys()) != 1:
        problems.append(f"{where}: a button does exactly one thing, not {sorted(ACTIONS & value.keys())}")
    data = value.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= 64:
        problems.append(f"{where}: BUTTON_DATA_INVALID, callback_data has {len(str(data).encode())} of 1-64 bytes")
    return problems


def _too_long(method: str, values: Mapping[str, Any]) -> list[str]:
    """Lengths of parameters that hold no markup; texts with markup are measured once they are parsed."""
    problems = []
    if method == "answerCallbackQuery" and len(str(values.get("text", ""))) > 200:
        problems.append("answerCallbackQuery.text is over 200 characters")
    if method == "answerInlineQuery" and isinstance(values.get("results"), list) and len(values["results"]) > 50:
        problems.append("answerInlineQuery offers over 50 results")
    if method == "setMyCommands" and isinstance(values.get("commands"), list) and len(values["commands"]) > 100:
        problems.append("setMyCommands sets over 100 commands")
    if method == "setWebhook" and not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", str(values.get("secret_token", ""))):
        problems.append("setWebhook.secret_token holds more than A-Z a-z 0-9 _ -")
    return problems
