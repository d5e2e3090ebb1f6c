"""The password of the page: kept as an argon2 hash, and tried a few times only."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import os
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from bot.errors import FolderUnwritable, PasswordMissing
from db.config import WebConfig

LEAST_CHARS = 8
MOST_CHARS = 1000
TRIES, TRIES_OF_ALL = 5, 60  # wrong passwords of one address and of all together within ...
TRY_SECONDS = 60.0


@dataclass(frozen=True)
class Password:
    """A password that is known by its hash alone."""

    hash: str = field(repr=False)

    @property
    def mark(self) -> str:
        """By which sessions of another password are told apart."""
        return hashlib.sha256(self.hash.encode()).hexdigest()[:16]

    def fits(self, text: str) -> bool:
        """Takes some 50 ms and 64 MiB, so that guessing is dear."""
        try:
            return PasswordHasher().verify(self.hash, text)
        except (VerificationError, InvalidHashError):
            return False


@dataclass
class Tries:
    """What was tried in vain within the last minute, by address.

    `of_all`: so many of all addresses together make everybody wait, None: they never do. A password needs that; what
    nobody can guess does not, and would let one stranger keep everybody out.
    """

    clock: Callable[[], float]
    of_all: int | None = TRIES_OF_ALL
    _wrong: deque[tuple[float, str]] = field(default_factory=deque)

    def note(self, address: str) -> None:
        self._wrong.append((self.clock(), household(address)))

    def wait(self, address: str) -> float:
        """Seconds until this address may try again; 0: now."""
        now = self.clock()
        while self._wrong and self._wrong[0][0] <= now - TRY_SECONDS:
            self._wrong.popleft()
        own = [at for at, by in self._wrong if by == household(address)]
        blocking = own[-TRIES:] if len(own) >= TRIES else []
        if not blocking and self.of_all is not None and len(self._wrong) >= self.of_all:
            blocking = [self._wrong[-self.of_all][0]]
        return max(1.0, blocking[0] + TRY_SECONDS - now) if blocking else 0.0


def household(address: str) -> str:
    """By which those who try are told apart: of IPv6 the network, for one machine has all of its addresses."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


@dataclass
class Attempts:
    """Passwords that are tried. Every door with the same password shares one of these."""

    clock: Callable[[], float]
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._tries = Tries(self.clock)

    async def fits(self, password: Password, text: str, address: str) -> bool | float:
        """Whether it is the password; or the seconds to wait before it is looked at. One is looked at at a time."""
        async with self._one:
            if wait := self._tries.wait(address):
                return wait
            fits = len(text) <= MOST_CHARS and await asyncio.to_thread(password.fits, text)
            if not fits:
                self._tries.note(address)
            return fits


def required(config: WebConfig) -> Password | None:
    """The configured password; None: this machine alone is served, and nobody has to sign in.

    Raises PasswordMissing, a sentence, where others are to be served and there is none, or it can't be read.
    """
    if config.password_file is not None:
        return _load(config.password_file)
    if is_loopback(config.host):
        return None
    raise PasswordMissing(
        f"The web page would be open to everybody who reaches {config.host}: make a password with "
        "`zoetrope web-password FILE` and name the file as password_file under [web], or set host to 127.0.0.1."
    )


def of_operator(config: WebConfig) -> Password | None:
    """The password of whoever runs this, for the moderators' pages; None: only links of a chat lead there.

    It is never the room's: who may come in is not therefore to moderate every place. Raises PasswordMissing like
    `required`.
    """
    return None if config.operator_password_file is None else _load(config.operator_password_file)


def _load(file: Path) -> Password:
    try:
        text = file.read_text(encoding="utf-8").strip()
        extract_parameters(text)
    except (OSError, UnicodeDecodeError, InvalidHashError) as error:
        raise PasswordMissing(
            f"The password file {file} can't be used: make it anew with `zoetrope web-password {file}`."
        ) from error
    return Password(text)


def write(file: Path, password: str) -> None:
    """Keep the hash of `password` where its owner alone can read it. Raises FolderUnwritable."""
    temp = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(f"{PasswordHasher().hash(password)}\n")
        temp.replace(file)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise FolderUnwritable(f"The password can't be written to {file} ({why}): name another file.") from error


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches that address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
