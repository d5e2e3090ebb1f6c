"""Ids of our own things: short enough for a button, unguessable enough for an address bar."""

from __future__ import annotations

import re
import secrets

LENGTH = 10
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32: no i, l, o, u to misread


_ID = re.compile(f"[{_ALPHABET}]{{{LENGTH}}}")


def new_id() -> str:
    """Ten lower-case characters, 50 bits: safe in URLs, file names, Discord custom ids and Telegram callbacks."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))


def is_id(text: str) -> bool:
    """Whether `new_id` can have made it."""
    return _ID.fullmatch(text) is not None
