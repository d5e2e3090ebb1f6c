"""The cookie of who is signed in to the console: a random secret, of which the database keeps a hash alone."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from bot.surfaces.web.browsers import Browsers

_SECRET = re.compile(r"[0-9a-f]{64}", re.ASCII)


def new_secret() -> str:
    return secrets.token_hex(32)


def hashed(secret: str) -> str:
    """What the database keeps of a secret: of a cookie's, and of a link's."""
    return hashlib.sha256(secret.encode()).hexdigest()


def token(secret: str) -> str:
    """What every post of a session must bring along; only a page served to it knows this."""
    return hashlib.sha256(f"token of {secret}".encode()).hexdigest()


def is_token(secret: str, given: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), token(secret).encode())


@dataclass(frozen=True)
class Cookies:
    """Named like the room's, so that two Zoetropes on one machine leave each other's alone."""

    browsers: Browsers

    @property
    def name(self) -> str:
        return f"{self.browsers.cookie_name}-console"

    def secret(self, cookie_header: str) -> str:
        """The secret in a Cookie header, or empty."""
        for part in cookie_header.split(";"):
            name, _, value = part.strip().partition("=")
            if name == self.name and _SECRET.fullmatch(value):
                return value
        return ""

    def cookie(self, secret: str, seconds: float, *, secure: bool) -> str:
        """A Set-Cookie header; an empty secret takes the cookie away."""
        only_https = "; Secure" if secure else ""
        kept = f"Max-Age={int(seconds) if secret else 0}"
        return f"{self.name}={secret}; Path=/; {kept}; HttpOnly; SameSite=Strict{only_https}"
