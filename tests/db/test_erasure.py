"""Erasing a person: seeded in every table there is, then looked for in every column of every table."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db import erasure, gallery, holdings, people, queue, quotas, requests, standing
from db.belongings import ABOUT, BODIES, NOBODYS
from db.database import Database
from db.purges import PURGING
from db.records import (
    Action,
    Asker,
    ClipSpec,
    Curb,
    Decision,
    DeliveryState,
    Job,
    JobState,
    PersonSettings,
    Requester,
    RequestState,
    ReviewKind,
    Ruling,
    Verdict,
    Wish,
)
from db.tables import ReservationState, cases, metadata, restrictions, reviews, room_messages, updates

ID = "7700112233"
ADA = Asker("telegram", ID)
BOB = Asker("telegram", "8800445566")
GROUP, PRIVATE = "-100200", ID  # Telegram calls a private chat by the id of its person
WORDS = "quokka"  # stands in everything that Ada wrote, or that was made from it
OTHERS = "wombat"  # the same for Bob
NOW = 1000.0

SPEC = ClipSpec(f"a {WORDS} dancing", f"{WORDS} tail", 7, 12, 7.5, 8, 32, 32, 8, "pocket")
VERDICT = Verdict(Ruling.LABELLED, "P1", "mild")


@pytest.fixture
async def seeded(database: Database) -> Database:
    async with database.transaction() as tx:
        await seed(tx, ADA, WORDS, "a")
        await seed(tx, BOB, OTHERS, "b")
        await tx.execute(
            insert(metadata.tables["moved_places"]).values(surface="telegram", place="-1", to="-2", moved_at=1)
        )
        await tx.execute(insert(metadata.tables["runners"]).values(name="r1", device="cpu", seen_at=1.0))
        row = {"runner": "r1", "name": "pocket", "position": 0, "facts": {}, "announced_at": 1.0}
        await tx.execute(insert(metadata.tables["models"]).values(row))
    return database


async def seed(tx: AsyncConnection, who: Asker, words: str, mark: str) -> None:
    """A row about `who` in every table that can have one, in the group and in their private chat; ids begin with
    `mark`."""
    spec = {**asdict(SPEC), "prompt": f"a {words} dancing", "negative": f"{words} tail"}
    me = {"asker_surface": who.surface, "asker_id": who.id}
    group = {"surface": who.surface, "place": GROUP}
    private = {"surface": who.surface, "place": who.id}
    verdict = asdict(VERDICT)

    async def add(name: str, **values: Any) -> None:
        await tx.execute(insert(metadata.tables[name]).values(values))

    for number, (place, state) in enumerate(
        [(group, JobState.DONE), (private, JobState.FAILED), (group, JobState.QUEUED), (private, JobState.HELD)]
    ):
        job = f"{mark}job{number}"
        card = {"thread": "", "message": f"{mark}{number}"}
        times = {"created_at": 100.0, "changed_at": 100.0}
        shape = {"format": "gif", "cost": 1000, "attempt": 0, "origin": "", "reason": f"no {words}"}
        await add("jobs", id=job, **me, **place, **card, **times, **shape, spec=spec, verdict=verdict, state=state)
        held = ReservationState.SETTLED if state is JobState.DONE else ReservationState.RESERVED
        await add("reservations", job=job, **me, credits=1000, created_at=100.0, state=held)
        wish = {"wish": asdict(Wish(f"a {words} dancing")), "circumstances": {"roles": ["r"]}}
        await add(
            "requests",
            origin=who.surface,
            id=f"{mark}req{number}",
            **{**me, **place, **card, **wish},
            created_at=100.0,
            state=RequestState.TAKEN,
            job=job,
        )
    for unanswered in (RequestState.DRAFT, RequestState.RECEIVED, RequestState.CLOSED):
        asked = {"wish": asdict(Wish(f"a {words} waiting")), "circumstances": {}, "state": unanswered}
        origin = {"origin": who.surface, "id": f"{mark}{unanswered}"}
        await add("requests", **origin, **me, **group, **asked, thread="", message="", created_at=100.0, job=None)
    clip = f"{mark}clip"
    await add(
        "clips",
        id=clip,
        job=f"{mark}job0",
        **me,
        **group,
        model="pocket",
        spec=spec,
        verdict=verdict,
        master=f"{clip}.mkv",
        sha256="00",
        bytes=5,
        seconds={},
        created_at=200.0,
    )
    await tx.execute(
        text("INSERT INTO clip_words (clip, prompt) VALUES (:clip, :words)"), {"clip": clip, "words": words}
    )
    delivery = {"id": f"{mark}delivery", "clip": clip, "job": f"{mark}job0", "format": "gif", "attempts": 0}
    promise = {"due_at": 200.0, "card_at": 100.0, "receipt": "", "reason": "", "state": DeliveryState.PROMISED}
    await add("deliveries", **delivery, **promise, **group, thread="", message=f"{mark}0")
    drawn = {"title": f"a {words} dancing", "asker": {"surface": who.surface, "id": who.id}}
    post = {"room": "main", "rendition": "r.gif", "created_at": 100.0}
    await add(
        "room_messages",
        id=f"{mark}msg",
        nonce=f"{mark}n",
        version=ord(mark),
        card={"card": drawn, "asker": drawn["asker"], "note": ""},
        **post,
    )
    await add("room_messages", id=f"{mark}0", nonce=f"{mark}m", version=500 + ord(mark), card={"card": drawn}, **post)
    await add("credit_entries", id=f"{mark}c", **me, credits=100, reason="a refused prompt", created_at=100.0)
    await add("people", **me, settings={"format": "mp4"}, person="")
    await add("link_codes", code_hash=f"{mark}h", **me, until=2000.0)
    await add("link_tries", id=f"{mark}t", **me, tried_at=100.0)
    refusal = {"thread": "", "verdict": verdict, "created_at": 100.0}
    await add("refusals", id=f"{mark}r1", request=f"{mark}x", **me, **group, **refusal, prompt=f"naked {words}")
    await add("refusals", id=f"{mark}r2", request=f"{mark}y", **me, **private, **refusal, prompt="hash:00ff")
    body = {"message": {"from": {"id": int(who.id)}, "text": f"/video {words}", "chat": {"id": int(who.id)}}}
    await add("updates", surface=who.surface, number=ord(mark), body=body, received_at=100.0)
    route = {"thread": "", "message": "1", "kind": "shown", "token": "", "until": 2000.0}
    await add("card_routes", nonce=f"shown:{who.id}::1", **private, **route)
    outcome = json.dumps({"sentence": "Write the new prompt.", "job": f"{mark}job0", "prompt": f"a {words} dancing"})
    about = json.dumps({"status": f"Granted to {who.id}.", "facts": []})
    for number, token in enumerate((outcome, about)):
        noted = {"nonce": f"begun:{mark}{number}", "surface": who.surface, "place": "", "token": token}
        await add("card_routes", **{**route, **noted})
    await add("platform_files", surface=who.surface, clip=clip, format="gif", file="f")
    await add("withheld", clip=clip, surface=who.surface, place="-5")
    await add("places", **private, settings={}, changed_at=1.0)
    number = ord(mark)
    case = {"rule": "R", "policy": "1", "reason": "spam", "about": [["clip", clip]], "created_at": 100.0}
    actor = {"actor_surface": "", "actor_id": ""}
    target = {"target_surface": who.surface, "target_id": who.id}
    await add("cases", **group, number=number, **actor, **target, action=Action.STRIKE, **case)
    await add("cases", **private, number=1, **actor, **target, action=Action.STRIKE, **case)
    by_them = {"actor_surface": who.surface, "actor_id": who.id}
    await add("cases", **group, number=number + 50, **by_them, action=Action.PAUSE, **case)
    await add("case_numbers", **private, last=1)
    await add("strikes", id=f"{mark}s", **group, **me, points=1, case=number, created_at=100.0, until=5000.0)
    for curb, until in ((Curb.BAN, None), (Curb.MUTE, 5000.0)):
        await add("restrictions", id=f"{mark}{curb}", **group, **me, curb=curb, case=number, since=100.0, until=until)
    await add("reports", id=f"{mark}rep", clip=clip, **group, **me, reason=f"too {words}", created_at=100.0, outcome="")
    for kind, subject in ((ReviewKind.REPORTED, clip), (ReviewKind.APPEAL, f"{mark}r1")):
        review = {"opened_at": 100.0, "decision": "", "decided_by_surface": "", "decided_by_id": "", "card_thread": ""}
        there = {**group, "thread": "", "card_message": "99", "drawn": True}
        await add("reviews", id=f"{mark}{kind}", **there, kind=kind, subject=subject, **target, **review)
    decided = {"decision": Decision.APPROVE, "decided_by_surface": who.surface, "decided_by_id": who.id}
    other = {"kind": ReviewKind.LABELLED, "subject": "elsewhere", "target_surface": "web", "target_id": "x"}
    cardless = {**group, "thread": "", "card_message": "", "card_thread": "", "opened_at": 100.0, "decided_at": 200.0}
    await add("reviews", id=f"{mark}by", **cardless, **other, **decided)
    allowed = {"prompt": f"naked {words}", "verdict": verdict, "case": number, "counts": True, "created_at": 100.0}
    await add("allowed_prompts", **group, **allowed)
    told = {"thread": "", "message": "1", "sentence": f"no {words}", "attempts": 0, "due_at": 100.0, "reason": ""}
    await add("notices", id=f"{mark}note", **group, **me, **told, created_at=100.0)
    await add("pending", id=f"{mark}p1", **me, **group, what="erase", values=[["level", "user"]], until=2000.0)
    scope = [["since", "0.0"], ["until", "1.0"]]
    await add("pending", id=f"{mark}p3", **me, **group, what=PURGING, values=scope, until=1e12)
    by_other = {"asker_surface": "telegram", "asker_id": "99"}
    await add("pending", id=f"{mark}p2", **by_other, **group, what="block", values=[["id", who.id]], until=2000.0)
    await add("console_links", secret_hash=f"{mark}l", **me, **group, until=2000.0)
    await add("console_sessions", secret_hash=f"{mark}cs", **me, **group, operator=False, created_at=1.0, until=2000.0)


async def erase(database: Database, requester: Requester, asker: Asker = ADA) -> erasure.Erased:
    async with database.transaction() as tx:
        return await erasure.erase(tx, asker, requester, NOW)


async def places_of(database: Database, needle: str) -> set[str]:
    """Every table.column, of the search index too, in which the needle occurs."""
    found = set()
    async with database.reading() as tx:
        names = (await tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))).scalars().all()
        for name in names:
            for row in (await tx.execute(text(f'SELECT * FROM "{name}"'))).mappings():
                found |= {f"{name}.{column}" for column, value in row.items() if needle in _text(value)}
    return found


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


# --- the tables themselves ---


def test_every_table_is_about_somebody_or_about_nobody() -> None:
    known = set(ABOUT) | NOBODYS | BODIES
    assert known == set(metadata.tables), "say in db/belongings.py what a new table has to do with people"


async def test_every_table_is_seeded(seeded: Database) -> None:
    async with seeded.reading() as tx:
        empty = [name for name, table in metadata.tables.items() if (await tx.execute(select(table))).first() is None]
    assert empty == [], "seed a new table here, so that what erasing leaves in it is seen"


async def test_every_column_that_can_hold_words_about_somebody_is_looked_at(seeded: Database) -> None:
    """What the seed writes shows that the search finds it: words in texts and in JSON, and the id as well."""
    assert await places_of(seeded, WORDS) >= {
        "jobs.spec",
        "jobs.reason",
        "requests.wish",
        "clips.spec",
        "clip_words.prompt",
        "clip_words_data.block",  # where SQLite's own index of words lies
        "room_messages.card",
        "refusals.prompt",
        "updates.body",
        "card_routes.token",
        "reports.reason",
        "allowed_prompts.prompt",
        "notices.sentence",
    }
    with_ids = {place.partition(".")[0] for place in await places_of(seeded, ID)}
    assert with_ids == set(metadata.tables) - NOBODYS - {
        "deliveries",
        "platform_files",
        "withheld",
        "allowed_prompts",
    } | {"case_numbers"}


# --- the levels ---


@pytest.mark.parametrize(
    ("requester", "where"),
    [
        (Requester.USER, {"allowed_prompts.prompt"}),  # the place would forget what it has learned
        (Requester.STRICT, set()),
        (Requester.OWNER, set()),
        (Requester.PLATFORM, set()),
    ],
)
async def test_their_words_are_nowhere_any_more(seeded: Database, requester: Requester, where: set[str]) -> None:
    before = await places_of(seeded, OTHERS)
    await erase(seeded, requester)
    assert await places_of(seeded, WORDS) == where
    assert await places_of(seeded, OTHERS) == before  # nobody else's are touched


async def test_their_words_are_not_in_the_log_beside_the_file_while_others_have_it_open(
    seeded: Database, database_url: str
) -> None:
    file = Path(database_url.removeprefix("sqlite:///"))
    await erase(seeded, Requester.STRICT)
    assert await seeded.empty_log()
    content = await asyncio.to_thread(lambda: b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*")))
    assert WORDS.encode() not in content
    assert OTHERS.encode() in content


async def test_their_words_are_not_in_the_file_either(seeded: Database, database_url: str) -> None:
    file = Path(database_url.removeprefix("sqlite:///"))
    await erase(seeded, Requester.STRICT)
    await seeded.close()  # and with the last connection goes the log beside the file
    assert await asyncio.to_thread(lambda: list(file.parent.glob(f"{file.name}*"))) == [file]
    content = await asyncio.to_thread(file.read_bytes)
    assert WORDS.encode() not in content
    assert OTHERS.encode() in content


async def test_for_the_platform_their_id_is_nowhere_any_more(seeded: Database) -> None:
    before = await places_of(seeded, BOB.id)
    await erase(seeded, Requester.PLATFORM)
    assert await places_of(seeded, ID) == set()
    assert await places_of(seeded, BOB.id) == before


@pytest.mark.parametrize(
    ("requester", "kept"),
    [
        (
            Requester.USER,
            {
                *("jobs", "clips", "reservations", "requests", "credit_entries", "people", "link_codes", "link_tries"),
                *("refusals", "strikes", "restrictions", "reports", "reviews", "cases", "console_links"),
                *("console_sessions", "places", "card_routes", "pending", "case_numbers"),
            },
        ),
        (
            Requester.STRICT,
            {
                *("jobs", "clips", "reservations", "requests", "credit_entries", "link_tries", "refusals", "strikes"),
                *("restrictions", "reports", "reviews", "cases", "places", "card_routes", "pending", "case_numbers"),
            },
        ),
        (
            Requester.OWNER,
            {
                *("reservations", "credit_entries", "restrictions", "cases", "places", "card_routes", "pending"),
                *("reviews", "case_numbers", "jobs"),
            },
        ),
    ],
)
async def test_their_id_stays_where_the_level_says_so(seeded: Database, requester: Requester, kept: set[str]) -> None:
    await erase(seeded, requester)
    assert {place.partition(".")[0] for place in await places_of(seeded, ID)} == kept


async def rows(database: Database, name: str, **values: object) -> list[dict[str, Any]]:
    table = metadata.tables[name]
    async with database.reading() as tx:
        found = await tx.execute(select(table).where(*(table.c[key] == value for key, value in values.items())))
        return [dict(row) for row in found.mappings()]


@pytest.mark.parametrize("requester", list(Requester))
async def test_unfinished_jobs_end_and_cost_nothing_while_what_was_spent_stays_counted(
    seeded: Database, requester: Requester
) -> None:
    erased = await erase(seeded, requester)
    assert sorted(erased.jobs) == ["ajob2", "ajob3"]
    states = {row["id"]: row["state"] for row in await rows(seeded, "jobs") if row["id"].startswith("a")}
    assert states == {"ajob0": "done", "ajob1": "failed", "ajob2": "cancelled", "ajob3": "cancelled"}
    held = {row["job"]: row["state"] for row in await rows(seeded, "reservations") if row["job"].startswith("a")}
    assert held == {"ajob0": "settled", "ajob1": "reserved", "ajob2": "released", "ajob3": "released"}


@pytest.mark.parametrize("requester", [Requester.USER, Requester.STRICT, Requester.OWNER])
async def test_erasing_does_not_fill_the_quota_up_again(seeded: Database, requester: Requester) -> None:
    await erase(seeded, requester)
    async with seeded.reading() as tx:
        usage = await quotas.usage(tx, ADA, 0.0, NOW)
    assert sum(spent for _, spent in usage.spent) == 2100  # a clip, a failed job that was never released, a charge


@pytest.mark.parametrize("requester", list(Requester))
async def test_a_clip_leaves_a_tombstone_and_its_file_is_to_be_removed(seeded: Database, requester: Requester) -> None:
    erased = await erase(seeded, requester)
    assert [(clip.id, clip.master) for clip in erased.clips] == [("aclip", "aclip.mkv")]
    (stone,) = await rows(seeded, "clips", id="aclip")
    assert (stone["forgotten"], stone["hidden"], stone["master"]) == (True, True, "")
    assert (stone["spec"]["prompt"], stone["spec"]["negative"], stone["spec"]["seed"]) == ("", "", 7)
    (delivery,) = await rows(seeded, "deliveries", id="adelivery")
    assert delivery["state"] == DeliveryState.GIVEN_UP
    async with seeded.reading() as tx:
        assert await gallery.get(tx, "aclip") is None
        assert await gallery.get(tx, "bclip") is not None
        assert await gallery.browse(tx, "telegram", GROUP, None, OTHERS, 0, 5) != []


@pytest.mark.parametrize("requester", [Requester.USER, Requester.STRICT])
async def test_a_member_does_not_get_rid_of_what_counts_against_them(seeded: Database, requester: Requester) -> None:
    await erase(seeded, requester)
    for name, count in (("strikes", 1), ("restrictions", 2), ("reports", 1), ("refusals", 2)):
        assert len(await rows(seeded, name, asker_id=ID)) == count
    assert len(await rows(seeded, "cases", target_id=ID)) == 2


async def test_for_the_owner_only_a_ban_in_force_stays_and_cases(seeded: Database) -> None:
    await erase(seeded, Requester.OWNER)
    assert [row["curb"] for row in await rows(seeded, "restrictions", asker_id=ID)] == [Curb.BAN]
    assert len(await rows(seeded, "cases", target_id=ID)) == 2


async def test_a_ban_that_is_over_does_not_stay_for_the_owner(seeded: Database) -> None:
    async with seeded.transaction() as tx:
        await tx.execute(update(restrictions).where(restrictions.c.curb == Curb.BAN).values(until=NOW - 1))
    await erase(seeded, Requester.OWNER)
    assert await rows(seeded, "restrictions", asker_id=ID) == []


async def test_the_cases_of_an_account_that_is_no_more_stay_without_its_id(seeded: Database) -> None:
    before = len(await rows(seeded, "cases"))
    await erase(seeded, Requester.PLATFORM)
    cases = await rows(seeded, "cases")
    assert len(cases) == before
    assert [row["target_id"] for row in cases].count("deleted") == 2


@pytest.mark.parametrize("requester", list(Requester))
async def test_a_purge_that_a_moderator_has_begun_goes_on_without_them(seeded: Database, requester: Requester) -> None:
    await erase(seeded, requester)
    assert len(await rows(seeded, "pending", id="ap3")) == 1
    assert await rows(seeded, "pending", id="ap1") == []


async def test_two_accounts_that_are_no_more_share_no_place(seeded: Database) -> None:
    await erase(seeded, Requester.PLATFORM)
    await erase(seeded, Requester.PLATFORM, BOB)
    renamed = [row["place"] for row in await rows(seeded, "cases") if row["place"] != GROUP]
    assert len(set(renamed)) == 2


@pytest.mark.parametrize("requester", list(Requester))
async def test_there_is_nothing_left_to_review_and_the_moderators_cards_are_drawn_anew(
    seeded: Database, requester: Requester
) -> None:
    await erase(seeded, requester)
    theirs = {row["id"]: row for row in await rows(seeded, "reviews") if row["id"] in ("areported", "aappeal")}
    assert {row["decision"] for row in theirs.values()} == {Decision.LAPSED}
    assert {row["drawn"] for row in theirs.values()} == {False}
    assert {row["version"] for row in theirs.values()} == {1}


async def test_messages_of_the_web_page_are_gone_for_open_pages_too(seeded: Database) -> None:
    highest = max(row["version"] for row in await rows(seeded, "room_messages"))
    await erase(seeded, Requester.USER)
    gone = [row for row in await rows(seeded, "room_messages") if row["id"] in ("amsg", "a0")]
    assert [row["card"] for row in gone] == [{}, {}]
    assert all(row["deleted"] and row["version"] > highest for row in gone)


async def test_every_card_of_theirs_is_to_be_redrawn(seeded: Database) -> None:
    await erase(seeded, Requester.USER)
    assert {row["changed_at"] for row in await rows(seeded, "jobs") if row["id"].startswith("a")} == {NOW}


async def test_no_card_is_redrawn_in_a_chat_that_is_called_by_no_name_any_more(seeded: Database) -> None:
    await erase(seeded, Requester.PLATFORM)
    changed = {row["id"]: row["changed_at"] for row in await rows(seeded, "jobs") if row["id"].startswith("a")}
    assert changed == {"ajob0": NOW, "ajob1": 0.0, "ajob2": NOW, "ajob3": 0.0}


# --- in the middle of things ---


async def test_a_clip_that_is_being_rendered_can_not_be_published_any_more(
    database: Database, make_job: Callable[..., Job], asker: Asker
) -> None:
    job = make_job()
    async with database.transaction() as tx:
        await queue.enqueue(tx, job)
        await quotas.reserve(tx, job.id, job.asker, 1000, 100.0)
        lease = await queue.claim(tx, job.id, runner="r1", now=110.0, until=140.0)
    assert lease is not None
    erased = await erase(database, Requester.USER, asker)
    assert erased.jobs == (job.id,)
    async with database.transaction() as tx:
        assert not await queue.extend(tx, lease, 170.0)  # its runner hears that nobody waits for it
        assert not await queue.finish(tx, lease, 120.0)  # and what it brings all the same is fenced off
        after = await queue.get(tx, job.id)
    assert after is not None
    assert (after.state, after.cancel_asked, after.spec.prompt) == (JobState.CANCELLED, True, "")


async def test_a_request_that_is_just_being_shown_becomes_no_job(seeded: Database) -> None:
    await erase(seeded, Requester.USER)
    async with seeded.transaction() as tx:
        first = await requests.get(tx, "telegram", f"a{RequestState.RECEIVED}")
        draft = await requests.get(tx, "telegram", f"a{RequestState.DRAFT}")
    assert first is not None
    assert (first.state, first.wish.prompt, draft) == (RequestState.CLOSED, "", None)


async def test_erasing_again_changes_nothing_more(seeded: Database) -> None:
    await erase(seeded, Requester.STRICT)
    again = await erase(seeded, Requester.STRICT)
    assert (again.clips, again.jobs) == ((), ())


async def test_what_was_noted_of_a_command_still_says_that_there_was_one(seeded: Database) -> None:
    await erase(seeded, Requester.USER)
    tokens = {row["nonce"]: row["token"] for row in await rows(seeded, "card_routes")}
    assert (tokens["begun:a0"], tokens["begun:a1"]) == ("", "")
    assert tokens["begun:b0"] != ""


# --- several identities ---


async def linked(database: Database) -> Asker:
    other = Asker("discord", "12345")
    async with database.transaction() as tx:
        await people.put(tx, other, PersonSettings(format="webp"))
        await people.offer(tx, other, "code", 9999.0)
        await people.join(tx, ADA, "code", NOW)
    return other


@pytest.mark.parametrize("requester", [Requester.STRICT, Requester.OWNER])
async def test_all_identities_of_a_person_are_erased(seeded: Database, requester: Requester) -> None:
    other = await linked(seeded)
    await erase(seeded, requester, other)
    assert await places_of(seeded, WORDS) == set()
    assert await rows(seeded, "people", asker_surface="discord") == []


async def test_an_account_that_is_no_more_takes_none_of_the_others_along(seeded: Database) -> None:
    other = await linked(seeded)
    await erase(seeded, Requester.PLATFORM)
    async with seeded.reading() as tx:
        assert await people.identities(tx, other) == (other,)
        assert (await people.settings(tx, other)).format == "webp"


# --- what they are handed ---


async def test_everything_about_a_person_is_handed_out_in_plain_words(seeded: Database) -> None:
    other = await linked(seeded)
    async with seeded.reading() as tx:
        found = await holdings.of(tx, other)
    assert json.loads(json.dumps(found)) == found
    tables = {name.replace(" ", "_") for name in found} - {"identities"}
    assert tables == set(metadata.tables) - NOBODYS
    assert found["identities"] == [{"surface": "discord", "id": "12345"}, {"surface": "telegram", "id": ID}]
    assert found["clips"][0]["created at"] == "1970-01-01T00:03:20+00:00"
    assert found["reservations"][0]["credits"] == 1.0
    assert f"naked {WORDS}" in json.dumps(found["refusals"])
    assert OTHERS not in json.dumps(found)
    assert BOB.id not in json.dumps(found)


async def test_somebody_is_known_by_anything_that_is_stored_and_by_nothing_else(seeded: Database) -> None:
    carol, dora = Asker("telegram", "555"), Asker("telegram", "556")
    body = {"message": {"from": {"id": 555}, "text": "hello"}}
    async with seeded.transaction() as tx:
        await tx.execute(insert(updates).values(surface="telegram", number=900, body=body, received_at=1))
    other = await linked(seeded)
    async with seeded.reading() as tx:
        known = [await holdings.is_known(tx, who) for who in (ADA, BOB, other, carol, dora)]
        assert known == [True, True, True, True, False]
    await erase(seeded, Requester.PLATFORM)
    async with seeded.reading() as tx:
        assert not await holdings.is_known(tx, ADA)


async def test_neither_secrets_nor_names_of_moderators_are_handed_out(seeded: Database) -> None:
    async with seeded.transaction() as tx:
        await tx.execute(update(reviews).where(reviews.c.id == "areported").values(decided_by_id="themod"))
    async with seeded.reading() as tx:
        found = json.dumps(await holdings.of(tx, ADA))
    assert "themod" not in found
    assert "secret" not in found


async def test_nobody_else_is_named_in_what_somebody_is_handed(seeded: Database) -> None:
    """Neither those whom they moderated, nor who had their clip shown once more, nor whom they answered."""
    quoted = {"from": {"id": int(BOB.id)}, "text": OTHERS}
    shown = {"title": f"a {WORDS} dancing", "asker": {"surface": BOB.surface, "id": BOB.id}}
    bodies = [
        {"message": {"from": {"id": int(ID)}, "text": "/report", "reply_to_message": quoted}},
        {"message": {**quoted, "reply_to_message": {"from": {"id": int(ID)}, "text": WORDS}}},
    ]
    about_bob = {"target_surface": BOB.surface, "target_id": BOB.id}
    async with seeded.transaction() as tx:
        for number, body in enumerate(bodies):
            await tx.execute(insert(updates).values(surface="telegram", number=900 + number, body=body, received_at=1))
        await tx.execute(update(room_messages).where(room_messages.c.id == "a0").values(card={"asker": shown["asker"]}))
        await tx.execute(update(cases).where(cases.c.actor_id == ID).values(about_bob))
        await tx.execute(update(reviews).where(reviews.c.decided_by_id == ID).values(about_bob))
    async with seeded.reading() as tx:
        found = await holdings.of(tx, ADA)
    said = json.dumps(found)
    assert BOB.id not in said
    assert OTHERS not in said
    assert [row["number"] for row in found["updates"]] == [ord("a"), 900]


@pytest.mark.parametrize("requester", [Requester.STRICT, Requester.OWNER, Requester.PLATFORM])
async def test_a_ban_is_not_escaped_with_a_linked_account(seeded: Database, requester: Requester) -> None:
    other = Asker("telegram", "5550001")
    async with seeded.transaction() as tx:
        await people.offer(tx, other, "code", 9999.0)
        await people.join(tx, ADA, "code", NOW)
    await erase(seeded, requester)
    async with seeded.reading() as tx:
        assert (await standing.standing(tx, other, "telegram", GROUP, NOW)).curb is Curb.BAN


def test_nothing_that_can_hold_words_is_of_another_kind_than_text_or_json() -> None:
    """The search above reads every column as text; a column of bytes would have to be looked into in another way."""
    kinds = {type(column.type).__name__ for table in metadata.tables.values() for column in table.columns}
    assert kinds <= {"Text", "JSON", "Integer", "BigInteger", "Double", "Boolean"}
