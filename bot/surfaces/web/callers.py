"""Who is at the browser, and which language they read."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request

from bot.language import LANGUAGES, known
from bot.surfaces.web.browsers import Browsers
from db.records import Address, Asker, Caller, Circumstances

MOST_LANGUAGES = 20
_WEIGHED = re.compile(
    r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?"
)


def language_of(accepted: str) -> str:
    """The language in an Accept-Language header that we speak and that is wanted most; English where there is none."""
    wanted: list[tuple[float, str]] = []
    for part in accepted.split(",")[:MOST_LANGUAGES]:
        found = _WEIGHED.fullmatch(part)
        if found and float(found[2] or 1) > 0 and found[1].split("-")[0].casefold() in LANGUAGES:
            wanted.append((float(found[2] or 1), known(found[1])))
    return max(wanted, key=lambda each: each[0])[1] if wanted else LANGUAGES[0]


@dataclass(frozen=True)
class Visitors:
    """The browsers of the room. `is_operator` says whether one is signed in to the console with the operator's
    password: who is, counts as moderator of the room."""

    browsers: Browsers
    address: Address
    is_operator: Callable[[Request], Awaitable[bool]]

    async def caller(self, request: Request) -> Caller | None:
        """The asker whose cookie came along, with what is known of them; None: no cookie of ours."""
        asker = self.browsers.asker(request.headers.get("cookie", ""))
        if asker is None:
            return None
        language = language_of(request.headers.get("accept-language", ""))
        circumstances = Circumstances(language=language, moderator=await self.is_operator(request))
        return Caller(Asker(self.address.surface, asker), self.address, circumstances)
