"""The pages of the console that are only read. Each is for whoever has a seat at its place, at that very moment."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.cards import console as sentences
from bot.cards import duration
from bot.cards.moderation import action, moment, offers_approval
from bot.moderation.desk import MOST_REVIEWS, PAGE_CASES, Desk
from bot.moderation.subjects import Looked
from bot.surfaces.web.files import TYPES, Convert, file_response
from bot.surfaces.web.moderation import charts, options
from bot.surfaces.web.moderation.charts import Parts
from bot.surfaces.web.moderation.entrance import HOME, Entrance
from bot.surfaces.web.moderation.seats import ROOM, No, Seat, Seats
from bot.surfaces.web.moderation.sessions import token
from bot.surfaces.web.pages import Pages
from db import reviews
from db.records import Action, Address, Asker, Case, Decision, ReviewKind
from db.week import Week

AT = "/moderation/at/{surface}/{place}"
SECTIONS = ("reviews", "cases", "members", "policies", "week")
WORDS_CHARS = 200  # of a search
MOST_PAGES = 999_999

_FILE = re.compile(r"([0-9a-z]{1,64})\.(gif|mp4|webp)", re.ASCII)
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)

Values = dict[str, Any]
Shown = Callable[[float], str]


@dataclass(frozen=True)
class Showing:
    """`convert` gives clips as files and may stay away."""

    seats: Seats
    desk: Desk
    entrance: Entrance
    pages: Pages
    convert: Convert | None
    clock: Callable[[], float]

    def routes(self) -> list[Route]:
        return [
            Route(HOME, self.home),
            Route(f"{HOME}/", self.home),
            Route(AT, self.queue),
            Route(f"{AT}/news", self.news),
            Route(f"{AT}/cases", self.cases),
            Route(f"{AT}/cases/{{number}}", self.case),
            Route(f"{AT}/members", self.members),
            Route(f"{AT}/members/{{member}}", self.member),
            Route(f"{AT}/policies", self.policies),
            Route(f"{AT}/week", self.week),
            Route(f"{AT}/clips/{{name}}", self.clip),
        ]

    async def home(self, request: Request) -> Response:
        """The door for those who are not signed in; the places for the operator; their place for a moderator."""
        found = await self.seats.session(request)
        if found is None:
            return self.pages.once_more(request) or self.entrance.door(request, 200, "")
        secret, session = found
        if not session.operator:
            return RedirectResponse(at(Address(session.surface, session.place)), 303)
        known = await self.desk.places(self.seats.operator_at(ROOM))
        if known is None:
            return self.entrance.turned_away(request, No(403, sentences.no_moderator(), ended=True))
        seen = [each for each in known if _ID.fullmatch(each.place)]  # a terminal has no moderators
        rows = [_place_row(each.surface, each.place, each.private, each.waiting) for each in seen]
        room = _place_row(ROOM.surface, ROOM.place, False, 0)
        rows = rows if any(row["link"] == room["link"] for row in rows) else [*rows, room]
        groups = _grouped(rows)
        return self.pages.render(
            request, "moderation/places.html", token=token(secret), groups=groups, say=sentences.labels()
        )

    # --- the queue ---

    async def queue(self, request: Request) -> Response:
        """What waits, the most pressing first, with all that helps to decide it."""

        async def values(seat: Seat) -> Values | None:
            looked = await self.desk.reviews(seat.caller)
            if looked is None:
                return None
            shown = [_shown(each, self.clock()) for each in looked]
            count = await self.desk.count_waiting(seat.caller) or 0
            return {"looks": shown, "tag": _tag([each.review.id for each in looked], count)}

        return await self._page(request, "reviews", "queue.html", values)

    async def news(self, request: Request) -> Response:
        """What has changed since the queue was shown: `tag` is what it was shown with, `open` what it shows as open.

        As long as nothing has, that is all that is told, and no platform is asked who somebody is; a page that wants
        to know that as well leaves the tag away.
        """
        waiting = await self._waiting_of_session(request)
        if waiting is not None and _tag(*waiting) == request.query_params.get("tag"):
            return Response(status_code=204, headers={"cache-control": "no-store"})
        seat = await self.seats.take(request)
        if isinstance(seat, No):
            return JSONResponse({"sentence": seat.sentence, "ended": seat.ended}, status_code=seat.status)
        open_ids = request.query_params.get("open", "").split(",")[:MOST_REVIEWS]
        now, count = await self.desk.waiting(seat.caller) or [], await self.desk.count_waiting(seat.caller) or 0
        there = {review.id for review in now}
        gone = await self.desk.decided(seat.caller, [each for each in open_ids if each and each not in there]) or []
        told = {review.id: sentences.decided(review, seat.caller.asker) for review in gone}
        ids = [review.id for review in now]
        news = {"tag": _tag(ids, count), "waiting": ids, "count": count, "decided": told}
        return JSONResponse(news, headers={"cache-control": "no-store"})

    async def _waiting_of_session(self, request: Request) -> tuple[list[str], int] | None:
        """The ids of what is shown of what waits, and how much does, for those who are signed in at this place."""
        found = await self.seats.session(request)
        surface, place = request.path_params["surface"], request.path_params["place"]
        if found is None or not (found[1].operator or (found[1].surface, found[1].place) == (surface, place)):
            return None
        async with self.desk.database.reading() as tx:
            shown = await reviews.waiting(tx, surface, place, limit=MOST_REVIEWS)
            return [review.id for review in shown], await reviews.count_waiting(tx, surface, place)

    async def clip(self, request: Request) -> Response:
        """A clip that is to be looked at, hidden or not; no browser keeps it."""
        match = _FILE.fullmatch(request.path_params["name"])
        seat = await self.seats.take(request)
        if isinstance(seat, No):
            return PlainTextResponse(seat.sentence, status_code=seat.status)
        clip = await self.desk.clip(seat.caller, match[1]) if match else None
        if match is None or clip is None or self.convert is None:
            return PlainTextResponse(sentences.nothing_here(), status_code=404)
        file = await self.convert(clip.id, match[2])
        if isinstance(file, str):
            return PlainTextResponse(sentences.nothing_here(), status_code=404)
        name = f"zoetrope-{clip.id}.{match[2]}"
        response = await file_response(request, file, TYPES[match[2]], name, "inline")
        response.headers["cache-control"] = "no-store"
        return response

    # --- records ---

    async def cases(self, request: Request) -> Response:
        """A page of cases, those with `words`, about `member`, of `action`."""
        asked = request.query_params
        words, member = asked.get("words", "")[:WORDS_CHARS].strip(), asked.get("member", "").strip()
        action = asked.get("action", "") if asked.get("action") in list(Action) else ""
        page = _page_of(request)

        async def values(seat: Seat) -> Values | None:
            target = Asker(seat.caller.address.surface, member) if _ID.fullmatch(member) else None
            found = await self.desk.cases(seat.caller, f"{words} {action}".strip(), target, page)
            if found is None:
                return None
            last = max(1, -(-found.count // PAGE_CASES))
            turn = [_turned(asked, page + by) if 1 <= page + by <= last else "" for by in (-1, 1)]
            return {
                "rows": [_case_row(case) for case in found.cases],
                "asked": {"words": words, "member": member, "action": action},
                "actions": sentences.actions(),
                "newer": turn[0],
                "older": turn[1],
            }

        return await self._page(request, "cases", "cases.html", values)

    async def case(self, request: Request) -> Response:
        number = request.path_params["number"]

        async def values(seat: Seat) -> Values | None:
            told = await self.desk.case(seat.caller, int(number)) if _NUMBER.fullmatch(number) else None
            if told is None:
                return None
            later = [_case_row(each) for each in told.amendments]
            return {"case": _case_row(told.case), "later": later, "title": sentences.case_title(told.case)}

        return await self._page(request, "cases", "case.html", values)

    async def members(self, request: Request) -> Response:
        """A page of who stood out; `member` looks somebody up."""
        wanted = request.query_params.get("member", "").strip().removeprefix("<@").removeprefix("!").removesuffix(">")
        if wanted and _ID.fullmatch(wanted):
            return RedirectResponse(f"{request.url.path}/{quote(wanted, safe='')}", 303)
        page = _page_of(request)

        async def values(seat: Seat) -> Values | None:
            seen = await self.desk.members(seat.caller, page)
            if seen is None:
                return None
            found, is_more = seen
            return {
                "newer": _turned({}, page - 1) if page > 1 else "",
                "older": _turned({}, page + 1) if is_more else "",
                "rows": [
                    {
                        "id": each.asker.id,
                        "name": sentences.person(each.asker),
                        "standing": sentences.standing(each.standing, self.clock()),
                    }
                    for each in found
                ],
            }

        return await self._page(request, "members", "members.html", values)

    async def member(self, request: Request) -> Response:
        wanted = request.path_params["member"]

        async def values(seat: Seat) -> Values | None:
            asker = Asker(seat.caller.address.surface, wanted)
            history = await self.desk.member(seat.caller, asker) if _ID.fullmatch(wanted) else None
            if history is None:
                return None
            now = self.clock()
            strikes = [
                {
                    "points": each.points,
                    "case": each.case,
                    "when": moment(each.created_at),
                    "until": moment(each.until),
                    "lifted": each.lifted_at is not None,
                    "over": each.until <= now,
                }
                for each in history.strikes
            ]
            return {
                "member": wanted,
                "name": sentences.person(asker),
                "standing": sentences.standing(history.member.standing, now),
                "strikes": strikes,
                "rows": [_case_row(case) for case in history.cases],
            }

        return await self._page(request, "members", "member.html", values)

    # --- the place ---

    async def policies(self, request: Request) -> Response:
        async def values(seat: Seat) -> Values | None:
            settings = await self.desk.settings(seat.caller)
            if settings is None:
                return None
            commands = self.seats.commands()
            rows = options.categories(commands.policy) if commands else ()
            return {"fields": options.fields(settings), "rulings": options.rulings(settings, rows)}

        return await self._page(request, "policies", "policies.html", values)

    async def week(self, request: Request) -> Response:
        async def values(seat: Seat) -> Values | None:
            week = await self.desk.week(seat.caller)
            return None if week is None else {"figures": _figures(week)}

        return await self._page(request, "week", "week.html", values)

    async def _page(self, request: Request, section: str, template: str, values: Callable[[Seat], Any]) -> Response:
        """A page of a place with what `values` gives for it; None: there is no such thing there."""
        seat = await self.seats.take(request)
        if isinstance(seat, No):
            return self.entrance.turned_away(request, seat)
        found = await values(seat)
        settings = await self.desk.settings(seat.caller)
        waiting = await self.desk.count_waiting(seat.caller)
        if found is None or settings is None or waiting is None:
            return self.entrance.turned_away(request, No(404, sentences.nothing_here()))
        where = seat.caller.address
        frame: Values = {
            "say": sentences.labels(),
            "words": json.dumps(sentences.words()),
            "token": token(seat.secret),
            "at": at(where),
            "place": sentences.place(where.surface, where.place),
            "operator": seat.session.operator,
            "sections": SECTIONS,
            "section": section,
            "waiting": waiting,
            "paused": settings.paused,
        }
        return self.pages.render(request, f"moderation/{template}", **frame, **found)


def at(where: Address) -> str:
    """The address of a place's pages."""
    return f"/moderation/at/{quote(where.surface, safe='')}/{quote(where.place, safe='')}"


def _tag(ids: list[str], count: int) -> str:
    return hashlib.sha256(f"{count}:{','.join(ids)}".encode()).hexdigest()[:16]


def _page_of(request: Request) -> int:
    number = request.query_params.get("page", "1")
    return min(int(number), MOST_PAGES) if _NUMBER.fullmatch(number) else 1


def _turned(asked: Any, page: int) -> str:
    return f"?{urlencode({**dict(asked), 'page': page})}"


def _place_row(surface: str, place: str, private: bool, waiting: int) -> Values:
    return {
        "surface": surface,
        "link": at(Address(surface, place)),
        "name": sentences.place(surface, place, private=private),
        "private": private,
        "waiting": waiting,
    }


def _grouped(rows: list[Values]) -> list[tuple[str, list[Values]]]:
    """Shared places first, then private chats."""
    parted = [[row for row in rows if row["private"] is private] for private in (False, True)]
    return [(title, found) for title, found in zip(sentences.place_groups(), parted, strict=True) if found]


def _shown(looked: Looked, now: float) -> Values:
    """A review as its page shows it; of one with nothing left to decide there are no words."""
    review, subject = looked.review, looked.subject
    clip = subject.clip if subject else None
    return {
        "id": review.id,
        "kind": sentences.kind(review.kind),
        "sort": str(review.kind),
        "why": sentences.why(review.kind),
        "prompt": subject.prompt if subject else "",
        "negative": subject.negative if subject else "",
        "verdict": sentences.verdict(subject.verdict if subject else None),
        "rules": ", ".join(subject.verdict.rules) if subject else "",
        "clip": clip.id if clip else "",
        "size": (clip.spec.width, clip.spec.height) if clip else (0, 0),
        "is_of_clip": review.kind in {ReviewKind.REPORTED, ReviewKind.LABELLED},
        "reports": [{"by": sentences.person(each.asker), "reason": each.reason} for each in looked.reports],
        "member": review.target.id,
        "is_of_here": review.target.surface == review.surface,
        "standing": sentences.standing(looked.standing, now),
        "age": sentences.age(now - review.opened_at),
        "decisions": _decisions(looked),
    }


def _decisions(looked: Looked) -> list[Values]:
    """What may be decided, each with the key it has. What is never made is not approved after all: a moderator who
    agrees with its asker can pass that on."""
    words, kind = sentences.labels(), looked.review.kind
    approvable = looked.subject is None or offers_approval(kind, looked.subject.verdict)
    approve = {"value": Decision.APPROVE, "label": words["approve"], "key": "a"}
    remove = words["decline" if kind is ReviewKind.APPEAL else "remove"]
    false_alarm = words["false_alarm" if approvable else "pass_on"]
    return [
        *([approve] if approvable else []),
        {"value": Decision.REMOVE, "label": remove, "key": "r"},
        {"value": Decision.FALSE_ALARM, "label": false_alarm, "key": "f"},
    ]


def _case_row(case: Case) -> Values:
    target = case.target
    return {
        "number": case.number,
        "action": action(case.action),
        "actor": sentences.person(case.actor),
        "target": sentences.person(target),
        "target_id": target.id if target is not None and target.surface == case.surface else "",
        "reason": case.reason,
        "rule": case.rule,
        "policy": case.policy,
        "when": moment(case.created_at),
        "about": case.about,
        "changed": sentences.changed(case),
        "amends": case.amends,
    }


def _figures(week: Week) -> list[Values]:
    """Four charts, each with the same as a table."""
    words, days = sentences.labels(), week.days
    names = [sentences.day(day.start) for day in days]
    categories = sorted({category for day in days for category, _ in day.refusals})
    refused: Parts = [
        (sentences.category(category), [float(dict(day.refusals).get(category, 0)) for day in days])
        for category in categories
    ]
    together = sentences.category("")
    made: Parts = [(words["clips"], [float(day.clips) for day in days])]
    reported: Parts = [(words["reports"], [float(day.reports) for day in days])]
    unit = sentences.unit_of(max((day.waiting or 0.0 for day in days), default=0.0))
    waited: Parts = [(words["waiting"], [None if day.waiting is None else day.waiting / unit for day in days])]
    return [
        _figure(words["clips_a_day"], names, made, _brief, _count),
        _figure(words["refusals_by_category"], names, refused, _brief, _count, together),
        _figure(words["reports_a_day"], names, reported, _brief, _count),
        _figure(
            words["waiting"],
            names,
            waited,
            lambda value: sentences.span(value * unit, unit),
            lambda value: duration(value * unit),
        ),
    ]


def _figure(title: str, names: list[str], parts: Parts, scale: Shown, shown: Shown, together: str = "") -> Values:
    """The table holds every part; what the drawing has no shades for stands there as one, called `together`. A figure
    without that name has one part alone, which its title names."""
    drawn, is_parted = charts.most(parts, together), bool(together)
    none = sentences.labels()["none_that_day"]
    cells = [
        [none if values[day] is None else shown(values[day] or 0.0) for _, values in parts]
        for day, _ in enumerate(names)
    ]
    return {
        "title": title,
        "chart": charts.columns(names, drawn, scale, shown),
        "legend": [what for what, _ in drawn] if is_parted else [],
        "heads": [what for what, _ in parts],
        "rows": list(zip(names, cells, strict=True)),
        "empty": not any(any(values) for _, values in parts),
    }


def _count(value: float) -> str:
    """Thousands parted as every language reads it."""
    return f"{value:,.0f}".replace(",", "\u202f")


def _brief(value: float) -> str:
    """For the scale, where there is no room for more than a few characters."""
    for unit, symbol in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{symbol}"
    return f"{value:g}"
