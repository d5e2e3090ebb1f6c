"""Nothing of a place is told or changed from another: every command of moderators, every button, every look and every
address of their pages, asked in place a with ids of place b by somebody with all rights (who moderates b as well).

The tables below are held against what there is, so that whatever is new must say here what it does with strange ids.
"""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
import pytest_asyncio

from bot import intents, menu
from bot.answers import Answers
from bot.core import opened
from bot.intents import (
    Again,
    Appeal,
    Approve,
    Cancel,
    Confirm,
    Delete,
    Dismiss,
    Edit,
    FalseAlarm,
    Hide,
    Page,
    Remove,
    Report,
    Show,
    Unhide,
)
from bot.moderation.desk import Desk
from bot.surfaces.web.browsers import Browsers
from bot.surfaces.web.moderation import Console
from bot.surfaces.web.pages import Pages
from bot.surfaces.web.password import Attempts
from db import allowed, models, moves, pending, places, refusals, reports, reviews, standing
from db.config import Config, DataConfig
from db.ids import new_id
from db.records import (
    Address,
    Asker,
    Caller,
    Circumstances,
    Curb,
    Decision,
    Pending,
    PlaceSettings,
    Refusal,
    Restriction,
    Review,
    ReviewKind,
)
from db.records import (
    Report as Flag,
)
from db.tables import metadata
from tests.surfaces.conftest import POCKET, House
from tests.surfaces.web_court import CHAT, PUBLIC_FIGURE, TERROR, Court, Signed
from tests.surfaces.web_wall import film

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "secretive"  # in every word that somebody has said in place b
HERE, THERE = Address(CHAT, "a"), Address(CHAT, "b")
MOD = Caller(Asker(CHAT, "mod"), HERE, Circumstances(moderator=True))
CASES = 40  # of place b: more than place a will have
WRITTEN = re.compile(
    r'[Cc]ase \d+|[0-9a-f]{64}|\d{4}-\d\d-\d\d \d\d:\d\d|"[kn]:[0-9a-z]{10}"'
)  # what differs each time, whoever asks


@dataclass(frozen=True)
class Ids:
    """One of everything that can be named; `member` is a number, `name` somebody's id that is none."""

    held: str
    reported: str
    appealed: str
    labelled: str
    decided: str
    clip: str
    job: str
    waiting: str
    refusal: str
    pending: str
    case: str
    member: str
    name: str

    def without(self, text: str) -> str:
        """What was said, whatever was named."""
        for field in fields(self):
            if field.name != "case":
                text = text.replace(getattr(self, field.name), f"<{field.name}>")
        return WRITTEN.sub("<written>", text.replace(f'value="{SECRET}"', "").replace(f"“{self.case}”", "<case>"))


def nothing() -> Ids:
    """The ids of nothing and nobody."""
    named = {field.name: f"zzzzz{field.name[:4]:z<4}z" for field in fields(Ids)}
    return Ids(**{**named, "case": "7777", "member": str(time.time_ns()), "name": f"n{new_id()}"})


@dataclass
class Town:
    """The bot with its page, and two places of one chat."""

    house: House
    court: Court
    signed: Signed

    @property
    def answers(self) -> Answers:
        return self.house.core.answers

    @property
    def desk(self) -> Desk:
        return Desk(self.house.core.database, self.house.core.commands.clock)

    async def ids(self) -> Ids:
        """Fresh ones of everything in place b, each full of secrets."""
        who, name, now = str(time.time_ns()), f"b{new_id()}", self.house.clock()
        asker, question, refusal = Asker(CHAT, who), new_id(), new_id()
        held = await self.court.held("b", f"a {SECRET} president", who)
        waiting = await self.court.held("b", f"a {SECRET} wait", name)
        case = await self.court.struck("b", who, f"{SECRET} reason")
        words = (f"a {SECRET} heart", f"a {SECRET} wave")
        clip, labelled = await film(self.house, *words, place="b", surface=CHAT, at=now)
        async with self.house.core.database.transaction() as tx:
            await reports.add(tx, Flag(new_id(), clip.id, CHAT, "b", Asker(CHAT, name), f"{SECRET}ly bad", now))
            said = Refusal(refusal, CHAT, new_id(), asker, THERE, TERROR, f"a {SECRET} flag", now)
            await refusals.record(tx, said)
            await refusals.appeal(tx, refusal, now)
            await standing.restrict(tx, Restriction(new_id(), CHAT, "b", asker, Curb.MUTE, case.number, now))
            values = (("member", who), ("seconds", ""), ("reason", SECRET))
            await pending.keep(tx, Pending(question, MOD.asker, CHAT, "b", "block", values, now + 600))
            kinds = (
                (ReviewKind.REPORTED, clip.id),
                (ReviewKind.APPEAL, refusal),
                (ReviewKind.LABELLED, labelled.id),
            )
            reported, appealed, marked = [
                (await reviews.open(tx, Review(new_id(), CHAT, "b", "", kind, subject, asker, now))).id
                for kind, subject in kinds
            ]
            lapsed = await reviews.open(tx, Review(new_id(), CHAT, "b", "", ReviewKind.LABELLED, SECRET, asker, now))
            assert await reviews.decide(tx, lapsed.id, Decision.REMOVE, MOD.asker, now, case.number)
            job, second = [one.subject for each in (held, waiting) if (one := await reviews.get(tx, each))]
        reviewed = (held, reported, appealed, marked, lapsed.id)
        return Ids(*reviewed, clip.id, job, second, refusal, question, str(case.number), who, name)

    async def elsewhere(self) -> dict[str, list[str]]:
        """Every row of every table but those that are about place a, and every master."""
        found = {}
        async with self.house.core.database.reading() as tx:
            for table in metadata.sorted_tables:
                rows = [tuple(row) for row in await tx.execute(table.select())]
                found[table.name] = sorted(str(row) for row in rows if "a" not in row)
        masters = self.house.folder / "masters"
        return found | {"masters": sorted(path.name for path in masters.rglob("*"))}

    async def is_blind(self, ask: Callable[[Ids], Awaitable[object]]) -> None:
        """What is asked with ids of place b is answered as if there were nothing, and does nothing there."""
        ids, none = await self.ids(), nothing()
        before = await self.elsewhere()
        told, of_nothing = ids.without(_said(await ask(ids))), none.without(_said(await ask(none)))
        assert SECRET not in told
        assert told == of_nothing
        assert await self.elsewhere() == before


def _said(answer: object) -> str:
    """Everything that is told, in words."""
    if isinstance(answer, httpx.Response):
        return f"{answer.status_code} {answer.headers.get('location', '')} {answer.text}"
    if isinstance(answer, list | tuple):
        return "\n".join(_said(each) for each in answer)
    tokens = [intents.parse(button.token) for button in getattr(answer, "buttons", ())]
    return f"{answer} {tokens}" if not tokens else f"{replace(answer, buttons=())} {[type(each) for each in tokens]}"  # type: ignore[type-var]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> AsyncIterator[Town]:
    """One for all: what a test does in place a leaves place b as it was, and each has ids of its own there."""
    folder, started = tmp_path_factory.mktemp("town"), time.time()
    (folder / "zoetrope.db").write_bytes(empty_database.read_bytes())  # noqa: ASYNC240
    async with opened(Config(data=DataConfig(folder=folder)), lambda: started) as core:
        async with core.database.transaction() as tx:
            await models.announce(tx, "r", [POCKET], started)
        house = House(core, folder, clock=lambda: started)
        await house.serve()
        court = Court(house)
        await _settle(house, court)
        async with court.signed_in("mod", "a") as signed:
            court.let_moderate("mod", "b")
            yield Town(house, court, signed)
        await house.stop()


async def _settle(house: House, court: Court) -> None:
    """What holds in place b, and so many cases that a number of its is none of place a's."""
    for _ in range(CASES):
        await court.struck("b", "500001", SECRET)
    kept = PlaceSettings(paused=True, words=(SECRET,), desk=SECRET, budget=7000)
    async with house.core.database.transaction() as tx:
        await moves.note(tx, CHAT, "b before", "b", house.clock())
        await places.put(tx, CHAT, "b", kept, house.clock())
        await allowed.add(tx, CHAT, "b", f"a naked {SECRET}", PUBLIC_FIGURE, 1, counts=True, now=house.clock())


# --- commands ---

Ask = Callable[[Answers, Ids], Awaitable[object]]


async def _each(ask: Callable[[str], Awaitable[object]], *named: str) -> list[object]:
    return [await ask(one) for one in named]


def _things(ids: Ids) -> tuple[str, ...]:
    """Whatever has an id of letters."""
    reviewed = (ids.held, ids.reported, ids.appealed, ids.labelled, ids.decided)
    return (*reviewed, ids.clip, ids.job, ids.waiting, ids.refusal, ids.pending)


async def _asked_and_confirmed(answers: Answers, card: Any) -> list[object]:
    """A question, and what comes of it."""
    confirms = [button.token for button in card.buttons if isinstance(intents.parse(button.token), Confirm)]
    told = [(await answers.commands.press(MOD, token, new_id())).sentence for token in confirms]
    await answers.bench.purging.work_off()
    return [card, *told]


async def _block(answers: Answers, ids: Ids) -> list[object]:
    cards = [await answers.bench.block(MOD, who, "2", "spam") for who in (ids.member, ids.name)]
    return [await _asked_and_confirmed(answers, card) for card in cards]


async def _purge(answers: Answers, ids: Ids) -> list[object]:
    cards = [await answers.bench.purge(MOD, who, "") for who in (ids.member, ids.name)]
    cards.append(await answers.bench.purge(MOD, "", "8000"))
    return [await _asked_and_confirmed(answers, card) for card in cards]


async def _cases(answers: Answers, ids: Ids) -> list[object]:
    bench = answers.bench
    by_member = [await bench.cases(MOD, who) for who in (ids.member, ids.name)]
    by_words = [await bench.cases(MOD, "", words) for words in ("secretive reason", ids.clip, ids.held)]
    return [await bench.case(MOD, ids.case), by_member, [card.facts for card in by_words]]


async def _paused(answers: Answers) -> list[object]:
    """And as it was again."""
    return [await answers.pause(MOD), await answers.resume(MOD)]


MODERATORS: dict[str, Ask] = {
    "settings": lambda answers, ids: answers.place_settings(MOD, {}),
    "pause": lambda answers, ids: _paused(answers),
    "resume": lambda answers, ids: _paused(answers),
    "review": lambda answers, ids: answers.bench.review(MOD),
    "cases": _cases,
    "amend": lambda answers, ids: answers.bench.amend(MOD, ids.case, "more"),
    "why": lambda answers, ids: _each(lambda one: answers.bench.why(MOD, one), *_things(ids)),
    "test": lambda answers, ids: answers.bench.test(MOD, "a naked secretive"),
    "block": _block,
    "unblock": lambda answers, ids: _each(lambda one: answers.bench.unblock(MOD, one), ids.member, ids.name),
    "grant": lambda answers, ids: _each(lambda one: answers.bench.grant(MOD, one, "5"), ids.member, ids.name),
    "purge": _purge,
    "strikes": lambda answers, ids: _each(lambda one: answers.bench.strikes(MOD, one), ids.member, ids.name),
    "console": lambda answers, ids: answers.bench.console(MOD),
}
COMMANDS_WITH_IDS: dict[str, Ask] = {
    "cancel": lambda answers, ids: _each(lambda one: answers.cancel(MOD, one), *_things(ids)),
    "show": lambda answers, ids: _each(lambda one: answers.commands.show_clip(MOD, one, new_id()), *_things(ids)),
    "report": lambda answers, ids: _each(lambda one: answers.commands.report(MOD, one), *_things(ids)),
    "hide": lambda answers, ids: _each(lambda one: answers.commands.hide_or_show(MOD, one), *_things(ids)),
}


async def test_every_command_of_moderators_and_every_other_that_takes_an_id_is_in_the_tables() -> None:
    assert {each.name for each in menu.COMMANDS if each.moderators} == set(MODERATORS)
    others = [each for each in menu.COMMANDS if not each.moderators]
    assert {each.name for each in others if each.option("id") or each.option("job")} == set(COMMANDS_WITH_IDS)


@pytest.mark.parametrize("command", MODERATORS)
async def test_a_command_of_moderators_reaches_nothing_of_another_place(town: Town, command: str) -> None:
    await town.is_blind(lambda ids: MODERATORS[command](town.answers, ids))


@pytest.mark.parametrize("command", COMMANDS_WITH_IDS)
async def test_a_command_that_takes_an_id_reaches_nothing_of_another_place(town: Town, command: str) -> None:
    await town.is_blind(lambda ids: COMMANDS_WITH_IDS[command](town.answers, ids))


# --- buttons ---

_REVIEWS = ("held", "reported", "appealed", "labelled", "decided")
BUTTONS: dict[Any, tuple[str, ...]] = {
    Cancel: ("job", "waiting"),
    Again: ("job", "waiting"),
    Delete: ("clip",),
    Edit: ("job", "waiting"),
    Appeal: ("refusal",),
    Show: ("clip",),
    Page: (),  # of the gallery of where it is pressed
    Report: ("clip",),
    Hide: ("clip",),
    Unhide: ("clip",),
    Approve: _REVIEWS,
    Remove: _REVIEWS,
    FalseAlarm: _REVIEWS,
    Confirm: ("pending",),
    Dismiss: ("pending",),
}


async def test_every_button_is_in_the_table() -> None:
    assert set(get_args(intents.Intent)) == set(BUTTONS)


@pytest.mark.parametrize("button", BUTTONS)
async def test_a_button_reaches_nothing_of_another_place(town: Town, button: Any) -> None:
    """With the id of what it is for first, then with that of anything."""

    async def press(ids: Ids) -> list[object]:
        named = [getattr(ids, name) for name in BUTTONS[button]]
        asked = [button(one) for one in (*named, *_things(ids))] if named else [button(1)]
        commands = town.answers.commands
        return [await commands.press(MOD, intents.token(intent), new_id()) for intent in asked]

    await town.is_blind(press)


async def test_pages_of_the_gallery_show_nothing_of_another_place(town: Town) -> None:
    await town.is_blind(lambda ids: _each(lambda words: town.answers.gallery(MOD, words), "", ids.clip))
    assert await town.answers.random_clip(MOD) == ""


# --- looks ---

Look = Callable[[Desk, Ids], Awaitable[object]]
LOOKS: dict[str, Look] = {
    "places": lambda desk, ids: desk.places(MOD),
    "waiting": lambda desk, ids: desk.waiting(MOD),
    "count_waiting": lambda desk, ids: desk.count_waiting(MOD),
    "reviews": lambda desk, ids: desk.reviews(MOD),
    "look": lambda desk, ids: _each(lambda one: desk.look(MOD, one), *_things(ids)),
    "decided": lambda desk, ids: desk.decided(MOD, list(_things(ids))),
    "clip": lambda desk, ids: _each(lambda one: desk.clip(MOD, one), *_things(ids)),
    "cases": lambda desk, ids: _each(lambda one: desk.cases(MOD, one), SECRET, ids.clip, ids.held),
    "case": lambda desk, ids: desk.case(MOD, int(ids.case)),
    "members": lambda desk, ids: desk.members(MOD),
    "member": lambda desk, ids: _each(lambda one: desk.member(MOD, Asker(CHAT, one)), ids.member, ids.name),
    "settings": lambda desk, ids: desk.settings(MOD),
    "week": lambda desk, ids: desk.week(MOD),
}


async def test_every_look_is_in_the_table() -> None:
    methods = {name for name, _ in inspect.getmembers(Desk, inspect.iscoroutinefunction) if not name.startswith("_")}
    assert methods == set(LOOKS)


@pytest.mark.parametrize("look", LOOKS)
async def test_a_look_shows_nothing_of_another_place(town: Town, look: str) -> None:
    await town.is_blind(lambda ids: LOOKS[look](town.desk, ids))


# --- the moderators' pages ---

AT = "/moderation/at/{surface}/{place}"
Visit = Callable[[Signed, Ids], Awaitable[object]]


def _seen(path: str) -> Visit:
    return lambda signed, ids: signed.get(path.format(**asdict(ids)))


def _posted(act: str, **said: str) -> Visit:
    return lambda signed, ids: signed.post(
        f"/{act}", **{name: text.format(**asdict(ids)) for name, text in said.items()}
    )


async def _decided(signed: Signed, ids: Ids) -> list[object]:
    named = (ids.held, ids.reported, ids.appealed, ids.labelled, ids.decided, ids.clip)
    said = ("approve", "remove", "false alarm")
    return [await signed.post("/decide", review=one, decision=word) for one in named for word in said]


async def _pressed(signed: Signed, ids: Ids) -> list[object]:
    asked = [button(one) for button in BUTTONS if button is not Page for one in (ids.pending, ids.held)]
    return [await signed.post("/press", button=intents.token(intent)) for intent in asked]


async def _pausing(signed: Signed, ids: Ids) -> list[object]:
    return [await signed.post(f"/{act}", place="b", surface=CHAT) for act in ("pause", "resume")]


async def _clips(signed: Signed, ids: Ids) -> list[object]:
    return [await signed.get(f"/clips/{one}.{kind}") for one in (ids.clip, ids.job) for kind in ("mp4", "gif")]


async def _entered(signed: Signed, ids: Ids) -> object:
    return await signed.client.post(f"/moderation/enter/{ids.pending}")


async def _signed_out(signed: Signed, ids: Ids) -> object:
    return await signed.client.post("/moderation/sign-out", data={"token": ids.pending})


ROUTES: dict[str, Visit] = {
    "GET /moderation": lambda signed, ids: signed.client.get("/moderation"),
    "GET /moderation/": lambda signed, ids: signed.client.get("/moderation/"),
    "GET /moderation/enter/{secret}": lambda signed, ids: signed.client.get(f"/moderation/enter/{ids.pending}"),
    "POST /moderation/enter/{secret}": _entered,
    "GET /moderation/sign-in": lambda signed, ids: signed.client.get("/moderation/sign-in"),
    "POST /moderation/sign-in": lambda signed, ids: signed.client.post("/moderation/sign-in", data={"password": "x"}),
    "POST /moderation/sign-out": _signed_out,
    f"GET {AT}": _seen(""),
    f"GET {AT}/news": _seen("/news?open={held},{reported},{appealed},{labelled},{decided}"),
    f"GET {AT}/cases": _seen(f"/cases?member={{member}}&words={SECRET}"),
    f"GET {AT}/cases/{{number}}": _seen("/cases/{case}"),
    f"GET {AT}/members": _seen("/members?member={member}"),
    f"GET {AT}/members/{{member}}": _seen("/members/{member}"),
    f"GET {AT}/policies": _seen("/policies?id={clip}"),
    f"GET {AT}/week": _seen("/week?id={clip}"),
    f"GET {AT}/clips/{{name}}": _clips,
    f"POST {AT}/decide": _decided,
    f"POST {AT}/press": _pressed,
    f"POST {AT}/policies": _posted("policies", preset="family"),
    f"POST {AT}/test": _posted("test", prompt="a naked {clip}"),
    f"POST {AT}/pause": _pausing,
    f"POST {AT}/resume": _pausing,
    f"POST {AT}/block": _posted("block", member="{member}", hours="2"),
    f"POST {AT}/unblock": _posted("unblock", member="{member}"),
    f"POST {AT}/grant": _posted("grant", member="{member}", credits="5"),
    f"POST {AT}/purge": _posted("purge", member="{name}", hours="8000"),
    f"POST {AT}/amend": _posted("amend", number="{case}", reason="more"),
}


async def _routes(town: Town) -> set[str]:
    """Every method and address of the pages."""
    browsers = Browsers(b"k" * 32)
    core, clock = town.house.core, town.house.clock
    pages, attempts = Pages(browsers, has_door=False), Attempts(clock)
    console = Console(
        core.database, browsers, pages, None, attempts, lambda: core.commands, lambda: core.answers, None, clock
    )
    return {
        f"{method} {route.path}" for route in console.routes() for method in route.methods or () if method != "HEAD"
    }


async def test_every_address_of_the_moderators_pages_is_in_the_table(town: Town) -> None:
    assert await _routes(town) == set(ROUTES)


@pytest.mark.parametrize("route", ROUTES)
async def test_an_address_shows_and_does_nothing_of_another_place(town: Town, route: str) -> None:
    await town.is_blind(lambda ids: ROUTES[route](town.signed, ids))


@pytest.mark.parametrize("route", [route for route in ROUTES if AT in route])
async def test_a_session_of_one_place_finds_no_other(town: Town, route: str) -> None:
    """As little as a place that there is not, though they moderate it."""

    async def visit(ids: Ids, place: str) -> str:
        said = _said(await ROUTES[route](replace(town.signed, place=place), ids))
        return ids.without(said).replace(f"/{CHAT}/{place}", "<place>")

    ids = await town.ids()
    before = await town.elsewhere()
    there = await visit(ids, "b")
    assert SECRET not in there
    assert there == await visit(nothing(), "nowhere")
    assert await town.elsewhere() == before
