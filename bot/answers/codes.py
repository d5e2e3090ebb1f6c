"""One-time codes by which two identities become one person: sixty bits, kept as a hash only.

The letters are Crockford's (no i, l, o, u), so that what is misread is read right again.
"""

from __future__ import annotations

import hashlib
import re
import secrets

SECONDS = 600.0  # how long a code is good
TRIES = 5  # of codes that are not good, within
TRY_SECONDS = 600.0

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 12  # 60 bits
_CODE = re.compile(f"[{_ALPHABET}]{{{_LENGTH}}}")
_MISREAD = str.maketrans("ilo", "110")


def new() -> str:
    """As it is shown: K3V9-X0AB-CD4E."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)).upper()
    return "-".join(letters[at : at + 4] for at in range(0, _LENGTH, 4))


def read(typed: str) -> str:
    """The code in small letters without anything between them; empty: it can't be one."""
    letters = "".join(char for char in typed[:100].casefold() if char.isalnum()).translate(_MISREAD)
    return letters if _CODE.fullmatch(letters) else ""


def hashed(code: str) -> str:
    """What is kept of a code that was read."""
    return hashlib.sha256(code.encode()).hexdigest()
