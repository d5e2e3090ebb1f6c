"""`zoetrope config show`: the configuration as it is in force, as TOML, secrets masked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from db.config import Config, Secrets

MASK = "********"
_PASSWORD = re.compile(r"(://[^:/@]*:).+(?=@)")  # of a URL like postgresql://name:password@host


def config_lines(config: Config, secrets: Secrets) -> Iterator[str]:
    """The configuration in TOML, then which tokens are there; never a token itself."""
    yield from _table_lines(config.model_dump(mode="json", exclude_none=True), "")
    yield ""
    for name, token in (("discord", secrets.discord_token), ("telegram", secrets.telegram_token)):
        yield f"# {name} token: {'not set' if token is None else MASK}"


def _table_lines(table: Mapping[str, Any], name: str) -> Iterator[str]:
    values = {key: value for key, value in table.items() if not isinstance(value, dict)}
    if name and (values or not table):
        yield f"[{name}]"
    for key, value in values.items():
        shown = _PASSWORD.sub(rf"\1{MASK}", value) if isinstance(value, str) else value
        yield f"{_key(key)} = {json.dumps(shown, ensure_ascii=False)}"  # JSON's scalars are TOML's
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _table_lines(value, f"{name}.{_key(key)}" if name else _key(key))


def _key(key: str) -> str:
    is_bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if is_bare else json.dumps(key, ensure_ascii=False)
