"""Each browser is an asker: an id in a signed cookie, and a token against posts that another site forged.

The key lies in the data folder, readable by its owner alone. The cookie's name carries a mark of the key, so that two
Zoetropes on one machine (cookies know no ports) leave each other's askers alone.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from bot.errors import FolderUnwritable
from db.ids import new_id

KEY_FILE = "web.key"
KEY_BYTES = 32
YEAR = 365 * 24 * 3600  # seconds
_COOKIE = re.compile(r"([0-9a-z]{8,32})\.([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True)
class Browsers:
    """Makes and checks cookies and tokens with one key."""

    key: bytes

    @property
    def cookie_name(self) -> str:
        return f"zoetrope-{hashlib.sha256(self.key).hexdigest()[:8]}"

    def asker(self, cookie_header: str) -> str | None:
        """The asker's id in a Cookie header; None where there is none, or one we did not sign."""
        for part in cookie_header.split(";"):
            name, _, value = part.strip().partition("=")
            found = _COOKIE.fullmatch(value) if name == self.cookie_name else None
            if found and hmac.compare_digest(found[2], self._sign("asker", found[1])):
                return found[1]
        return None

    def new_asker(self) -> str:
        return new_id() + new_id()

    def cookie(self, asker: str) -> str:
        """A Set-Cookie header: no script reads it, no other site sends it."""
        value = f"{asker}.{self._sign('asker', asker)}"
        return f"{self.cookie_name}={value}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Strict"

    def token(self, asker: str) -> str:
        """What the page must send along with every post; only a page served to this asker knows it."""
        return self._sign("post", asker)

    def is_token(self, asker: str, token: str) -> bool:
        return hmac.compare_digest(token.encode(errors="replace"), self.token(asker).encode())

    def _sign(self, purpose: str, text: str) -> str:
        return hmac.new(self.key, f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()


def load_key(folder: Path) -> bytes:
    """The key in the data folder, made at the first start; FolderUnwritable when that can't be done."""
    path = folder / KEY_FILE
    try:
        if not path.exists():
            _write_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise FolderUnwritable(f"The key of the web page, {path}, can't be used: {error.strerror}.") from error
    if len(key) != KEY_BYTES:
        raise FolderUnwritable(f"The key of the web page, {path}, is damaged: delete that file and start again.")
    return key


def _write_key(path: Path) -> None:
    temp = path.with_name(f".{KEY_FILE}.{secrets.token_hex(4)}")
    descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    temp.replace(path)
