"""What Discord's official OpenAPI document says about a request: a validator per schema, built when first needed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

FILE = Path(__file__).parents[4] / "shared" / "contracts" / "discord-openapi.json"
NOT_CHECKED = f"NOT CHECKED: {FILE.name} is not in ../shared/contracts, so no request was judged by Discord's schema"

_FORM = re.compile(r"files\[\d\]")


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    template: str
    parameters: tuple[Mapping[str, Any], ...]
    bodies: Mapping[str, Any] | None
    answers: Mapping[str, Any]


class Contract:
    """The document, its paths as patterns, and the validators made so far."""

    def __init__(self, document: dict[str, Any]) -> None:
        # Discord reads snowflakes written as numbers too, and that is how discord.py writes them.
        schemas = document["components"]["schemas"]
        schemas["SnowflakeType"]["type"] = ["string", "integer"]
        _tell_apart(document, schemas)
        resource = DRAFT202012.create_resource(document)
        self._registry: Registry[Any] = Registry().with_resource("discord:", resource)
        self._validators: dict[str, Draft202012Validator] = {}
        self._paths = [
            (re.compile(re.sub(r"\\{\w+\\}", "([^/]+)", re.escape(path))), path, item)
            for path, item in sorted(document["paths"].items(), key=lambda pair: pair[0].count("{"))
        ]

    def operation(self, method: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
        """The operation that a path without its base names, with the values of the path's parameters."""
        for pattern, template, item in self._paths:
            found = pattern.fullmatch(path)
            if found and (spec := item.get(method.lower())):
                parameters = (*item.get("parameters", ()), *spec.get("parameters", ()))
                bodies = spec.get("requestBody")
                return Operation(method, template, parameters, bodies, spec["responses"]), found.groups()
        return None

    def trouble(
        self, method: str, path: str, query: Mapping[str, str], body: Any, form: str, files: Iterable[str]
    ) -> str:
        """A sentence about the first thing wrong with a request; empty when all is well.

        `form` is the content type of the body, empty when there is none; `files` are the names of the uploaded parts.
        """
        known = self.operation(method, path)
        if known is None:
            return f"Discord's API has no {method} {path}."
        operation, values = known
        wrong = self._wrong_parameter(operation, values, query) or self._wrong_body(operation, body, form, files)
        return f"{method} {operation.template}: {wrong}." if wrong else ""

    def wrong_answer(self, method: str, path: str, status: int, body: Any) -> str:
        """The same of what a server answered with success."""
        known = self.operation(method, path)
        if known is None:
            return f"Discord's API has no {method} {path}"
        answer = known[0].answers.get(str(status))
        if answer is None:
            return f"{method} {known[0].template} never answers {status}"
        schema = (answer.get("content") or {}).get("application/json", {}).get("schema")
        if schema is None or status == 204:
            return ""
        wrong = self._wrong(schema, body)
        return f"the answer to {method} {known[0].template}: {wrong}" if wrong else ""

    def _wrong_parameter(self, operation: Operation, values: tuple[str, ...], query: Mapping[str, str]) -> str:
        named = dict(zip(re.findall(r"\{(\w+)\}", operation.template), values, strict=True))
        expected = {parameter["name"]: parameter for parameter in operation.parameters}
        for name in query:
            if expected.get(name, {}).get("in") != "query":
                return f"the query parameter {name!r} is not known"
        for name, parameter in expected.items():
            given = (named if parameter["in"] == "path" else query).get(name)
            if given is None:
                if parameter.get("required"):
                    return f"the parameter {name!r} is missing"
                continue
            if wrong := self._wrong(parameter["schema"], _typed(given, parameter["schema"])):
                return f"the parameter {name!r}: {wrong}"
        return ""

    def _wrong_body(self, operation: Operation, body: Any, form: str, files: Iterable[str]) -> str:
        if operation.bodies is None:
            return f"a body ({form}) where none belongs" if form else ""
        if not form:
            return "there is no body" if operation.bodies.get("required") else ""
        schema = operation.bodies["content"].get(form, {}).get("schema")
        if schema is None:
            return f"the content type {form} is not taken"
        if strange := [name for name in files if not _FORM.fullmatch(name)]:
            return f"an upload is called {strange[0]!r} instead of 'files[n]'"
        return self._wrong(schema, body)

    def _wrong(self, schema: Mapping[str, Any], value: Any) -> str:
        error = best_match(self._validator(schema).iter_errors(value))
        return f"{error.json_path} {error.message[:400]}" if error is not None else ""

    def _validator(self, schema: Mapping[str, Any]) -> Draft202012Validator:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            placed = json.loads(key.replace('"#/', '"discord:#/'))
            self._validators[key] = Draft202012Validator(placed, registry=self._registry)
        return self._validators[key]


def _typed(given: str, schema: Mapping[str, Any]) -> Any:
    """A parameter arrives as text; what it means depends on the schema."""
    if schema.get("type") == "boolean":
        return {"0": False, "1": True, "true": True, "false": False, "True": True, "False": False}.get(given, given)
    if schema.get("type") == "integer":
        return int(given) if re.fullmatch(r"-?\d+", given) else given
    return given


def _tell_apart(node: Any, schemas: Mapping[str, Any]) -> None:
    """Unions of things that name their type are looked at by that type alone: faster, and the error is about the thing.

    Changes the schemas below `node`.
    """
    if isinstance(node, list):
        for inner in node:
            _tell_apart(inner, schemas)
    elif isinstance(node, dict):
        for word in ("oneOf", "anyOf"):
            kinds = _kinds(node.get(word), schemas)
            if kinds:
                del node[word]
                known = {"required": ["type"], "properties": {"type": {"enum": list(kinds)}}}
                node["allOf"] = [known, *(_when(kind, branch) for kind, branch in kinds.items())]
        for inner in node.values():
            _tell_apart(inner, schemas)


def _kinds(branches: Any, schemas: Mapping[str, Any]) -> dict[Any, Any]:
    """The branch of each type; empty unless every branch has types of its own."""
    kinds: dict[Any, Any] = {}
    for branch in branches or ():
        named = schemas.get(branch.get("$ref", "").rpartition("/")[2], {})
        types = named.get("properties", {}).get("type", {}).get("enum", ())
        if not types or "type" not in named.get("required", ()) or kinds.keys() & set(types):
            return {}
        kinds |= dict.fromkeys(types, branch)
    return kinds


def _when(kind: Any, branch: Any) -> dict[str, Any]:
    return {"if": {"properties": {"type": {"const": kind}}}, "then": branch}


@cache
def contract() -> Contract | None:
    """Discord's own document, read once; None where it is missing."""
    return Contract(json.loads(FILE.read_text(encoding="utf-8"))) if FILE.exists() else None
