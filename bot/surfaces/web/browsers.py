"""Each browser is an asker: an id in a signed cookie, and a token against posts that another site forged.

The key lies in the data folder, readable by its owner alone. The cookie's name carries a mark of the key, so that two
Zoetropes on one machine (cookies know no ports) leave each other's askers alone.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot import key_file
from db.ids import new_id

KEY_FILE = "web.key"
YEAR = 365 * 24 * 3600  # seconds
SESSION_SECONDS = 30 * 24 * 3600
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
        for found in _values(cookie_header, self.cookie_name):
            if hmac.compare_digest(found[2], self._sign("asker", found[1])):
                return found[1]
        return None

    def new_asker(self) -> str:
        return new_id() + new_id()

    def cookie(self, asker: str, *, secure: bool = False) -> str:
        """A Set-Cookie header: no script reads it, no other site sends it; a `secure` one goes over https alone."""
        return _set_cookie(self.cookie_name, f"{asker}.{self._sign('asker', asker)}", YEAR, secure=secure)

    def tag(self, asker: str) -> str:
        """By which the page tells people apart; nobody's id can be found out from it."""
        return self._sign("tag", asker)[:6]

    @property
    def session_name(self) -> str:
        return f"{self.cookie_name}-session"

    def session(self, mark: str, now: float, *, secure: bool = False) -> str:
        """A Set-Cookie header for a browser that has said the password of this mark."""
        until = f"{int(now) + SESSION_SECONDS:020}"
        value = f"{until}.{self._sign('session', f'{until}:{mark}')}"
        return _set_cookie(self.session_name, value, SESSION_SECONDS, secure=secure)

    def no_session(self) -> str:
        """A Set-Cookie header that takes the session away."""
        return _set_cookie(self.session_name, "", 0, secure=False)

    def is_signed_in(self, cookie_header: str, mark: str, now: float) -> bool:
        """Whether a session in a Cookie header is ours, of this password, and not over."""
        for found in _values(cookie_header, self.session_name):
            if hmac.compare_digest(found[2], self._sign("session", f"{found[1]}:{mark}")) and found[1].isdecimal():
                return int(found[1]) > now
        return False

    def token(self, asker: str) -> str:
        """What the page must send along with every post; only a page served to this asker knows it."""
        return self._sign("post", asker)

    def is_token(self, asker: str, token: str) -> bool:
        return hmac.compare_digest(token.encode(errors="replace"), self.token(asker).encode())

    def _sign(self, purpose: str, text: str) -> str:
        return hmac.new(self.key, f"{purpose}:{text}".encode(), hashlib.sha256).hexdigest()


def _set_cookie(name: str, value: str, seconds: int, *, secure: bool) -> str:
    only_https = "; Secure" if secure else ""
    return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{only_https}"


def _values(cookie_header: str, wanted: str) -> Iterator[re.Match[str]]:
    """The values of that name which look like ours: what was signed, and the signature."""
    for part in cookie_header.split(";"):
        name, _, value = part.strip().partition("=")
        found = _COOKIE.fullmatch(value) if name == wanted else None
        if found:
            yield found


def load_key(folder: Path) -> bytes:
    """The key in the data folder, made at the first start; FolderUnwritable when that can't be done."""
    return key_file.load(folder / KEY_FILE)
