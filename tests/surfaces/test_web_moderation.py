"""The moderators' pages without a window: who comes in, what they see and do, and what nobody from elsewhere does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot import intents
from bot.cards import console as sentences
from bot.menu import find
from bot.moderation.desk import PAGE_MEMBERS
from bot.surfaces.web import password
from bot.surfaces.web.moderation import charts, options, showing
from bot.surfaces.web.moderation.acting import ACTS
from bot.surfaces.web.moderation.sessions import hashed
from bot.surfaces.web.password import TRIES
from db import console, gallery, places, reviews
from db import standing as standings
from db.records import (
    Action,
    Address,
    Asker,
    Curb,
    Decision,
    PlaceSettings,
    Restriction,
    Ruling,
    Verdict,
)
from tests.surfaces.web_court import CHAT, Court, Signed

WORD = "correct horse battery"
HTML = {"accept": "text/html"}


@pytest.fixture
async def court(house: Any) -> Court:
    return Court(house)


@pytest.fixture
async def mod(court: Court) -> AsyncIterator[Signed]:
    async with court.signed_in("mod", "a") as signed:
        yield signed


@pytest.fixture
async def operated(house: Any, court: Court, tmp_path: Path) -> Court:
    """The page, served with a password."""
    password.write(tmp_path / "web.password", WORD)
    await house.stop()
    await house.serve(password_file=tmp_path / "web.password", operator_password_file=tmp_path / "web.password")
    return court


@pytest.fixture
async def operator(operated: Court) -> AsyncIterator[Signed]:
    """Signed in with the operator's password, at the room of the page."""
    async with operated.browser() as client:
        assert (await client.post("/moderation/sign-in", data={"password": WORD})).status_code == 303
        signed = Signed(client, "web", "main")
        await signed.read_token()
        yield signed


# --- signing in ---


async def test_a_link_is_good_once_and_looking_at_it_uses_nothing_up(court: Court) -> None:
    court.let_moderate("mod", "a")
    secret = await court.link("mod", "a")
    async with court.browser() as client:
        for _ in range(3):  # a chat that makes a preview of it
            looked = await client.get(f"/moderation/enter/{secret}")
            assert (looked.status_code, "set-cookie" in looked.headers) == (200, False)
        entered = await client.post(f"/moderation/enter/{secret}")
        cookie = entered.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        assert (await client.get("/moderation", follow_redirects=True)).url.path == f"/moderation/at/{CHAT}/a"
    async with court.browser() as client:
        again = await client.post(f"/moderation/enter/{secret}")
        assert (again.status_code, "set-cookie" in again.headers) == (403, False)
        assert "This link was used already or is too old" in again.text


async def test_the_bots_own_link_leads_here(court: Court) -> None:
    """The card of the console command names an address that this page answers."""
    from bot.answers.bench import Bench
    from db.records import Caller, Circumstances

    bench = Bench(court.house.core.commands, court.house.url)
    caller = Caller(Asker(CHAT, "mod"), Address(CHAT, "a"), Circumstances(moderator=True))
    card = await bench.console(caller)
    found = re.search(r"/moderation/enter/[0-9a-f]+", f"{card.status} {card.facts}")
    assert found
    court.let_moderate("mod", "a")
    async with court.browser() as client:
        assert (await client.post(found[0])).headers["location"] == "/moderation"


async def test_a_link_past_its_time_is_no_link(court: Court) -> None:
    secret = await court.link("mod", "a", seconds=-1)
    async with court.browser() as client:
        assert (await client.post(f"/moderation/enter/{secret}")).status_code == 403


async def test_guessing_links_is_stopped_with_a_sentence(court: Court) -> None:
    async with court.browser() as client:
        for number in range(TRIES):
            assert (await client.post(f"/moderation/enter/{number:064x}")).status_code == 403
        late = await client.post(f"/moderation/enter/{await court.link('mod', 'a')}")
    assert late.status_code == 429
    assert "Those were too many wrong links; please try again in" in late.text


async def test_guessing_the_password_is_stopped_at_both_doors_together(operated: Court) -> None:
    async with operated.browser() as client:
        for number in range(TRIES):
            door = "/moderation/sign-in" if number % 2 else "/sign-in"
            assert (await client.post(door, data={"password": "guess"})).status_code == 403
        late = await client.post("/moderation/sign-in", data={"password": WORD})
    assert late.status_code == 429
    assert "too many wrong passwords; please try again in" in late.text


async def test_without_a_password_the_door_says_how_to_make_one(court: Court) -> None:
    async with court.browser() as client:
        door = await client.get("/moderation")
        assert "`zoetrope web-password FILE`" in door.text
        assert 'type="password"' not in door.text
        assert (await client.post("/moderation/sign-in", data={"password": ""})).status_code == 403


def _secret(signed: Signed) -> str:
    """What is in the cookie."""
    return next(cookie.value or "" for cookie in signed.client.cookies.jar if cookie.name.endswith("-console"))


async def test_only_hashes_of_secrets_are_kept(court: Court, mod: Signed) -> None:
    secret = _secret(mod)
    assert secret
    async with court.house.core.database.reading() as tx:
        assert await console.session(tx, hashed(secret), court.house.clock()) is not None
        assert await console.session(tx, secret, court.house.clock()) is None


async def test_signing_out_ends_the_session_itself(court: Court, mod: Signed) -> None:
    cookies = dict(mod.client.cookies)
    wrong = await mod.client.post("/moderation/sign-out", data={"token": "0" * 64})
    assert (wrong.status_code, (await mod.get("/cases")).status_code) == (403, 200)
    left = await mod.client.post("/moderation/sign-out", data={"token": mod.token})
    assert left.headers["location"] == "/moderation"
    async with httpx.AsyncClient(base_url=court.house.url, cookies=cookies, timeout=20) as kept:
        assert (await kept.get(f"{mod.at}/cases")).status_code == 401


async def test_a_session_ends_by_itself(court: Court, mod: Signed) -> None:
    review = await court.held("a", "a president")
    secret = _secret(mod)
    async with court.house.core.database.transaction() as tx:
        session = await console.session(tx, hashed(secret), court.house.clock())
        assert session
        hours = court.house.core.commands.moderation.config.sign_in_hours
        assert session.until - session.created_at == hours * 3600
        await console.forget(tx, session.until)
    answer = await mod.post("/decide", review=review, decision="remove")
    assert (answer.status_code, answer.json()["result"]) == (401, "ended")
    assert await court.decision(review) is None
    page = await mod.get("", headers=HTML)
    assert (page.status_code, "This console is for moderators." in page.text) == (401, True)


# --- asked anew at every request ---


async def test_a_role_that_is_taken_away_ends_the_session_with_a_sentence(court: Court, mod: Signed) -> None:
    review = await court.held("a", "a president")
    assert (await mod.get()).status_code == 200
    court.let_moderate("mod", "a", moderator=False)
    answer = await mod.post("/decide", review=review, decision="remove")
    assert (answer.status_code, answer.json()["result"]) == (403, "ended")
    assert answer.json()["sentence"] == "You do not moderate this place (any more), so you were signed out."
    assert await court.decision(review) is None
    court.let_moderate("mod", "a")
    assert (await mod.get()).status_code == 401  # back in office, they sign in anew


async def test_a_moderator_who_was_banned_meanwhile_does_nothing_any_more(court: Court, mod: Signed) -> None:
    review = await court.held("a", "a president")
    banned = Restriction("r", CHAT, "a", Asker(CHAT, "mod"), Curb.BAN, 0, court.house.clock())
    async with court.house.core.database.transaction() as tx:
        await standings.restrict(tx, banned)
    assert (await mod.post("/decide", review=review, decision="remove")).status_code == 403
    assert await court.decision(review) is None


async def test_a_platform_that_does_not_answer_stops_everything_and_ends_nothing(court: Court, mod: Signed) -> None:
    review = await court.held("a", "a president")
    court.chat.silent = True
    for answer in (await mod.get(), await mod.post("/decide", review=review, decision="remove")):
        assert answer.status_code == 503
        assert "The platform can" in answer.text
    assert await court.decision(review) is None
    court.chat.silent = False
    assert (await mod.get()).status_code == 200


async def test_roles_that_the_place_has_named_count(court: Court) -> None:
    async with court.house.core.database.transaction() as tx:
        await places.put(tx, CHAT, "a", PlaceSettings(moderators=("77",)), court.house.clock())
    async with court.signed_in("helper", "a") as helper:
        court.let_moderate("helper", "a", moderator=False)
        known = court.chat.people[Address(CHAT, "a"), Asker(CHAT, "helper")]
        court.chat.people[Address(CHAT, "a"), Asker(CHAT, "helper")] = type(known)(roles=("77",))
        assert (await helper.get()).status_code == 200


# --- forged posts ---


@pytest.mark.parametrize("act", list(ACTS))
async def test_a_post_without_the_sessions_token_or_from_another_page_does_nothing(
    court: Court, mod: Signed, act: str
) -> None:
    path = f"{mod.at}/{act}"
    before = await court.cases("a")
    for token in ("", "0" * 64, "é"):
        bare = await mod.client.post(path, json={"token": token})
        assert (bare.status_code, bare.json()["sentence"][:26]) == (403, "This page is older than yo"), token
    foreign = {"origin": "http://evil.example", "x-zoetrope-token": mod.token}
    assert (await mod.client.post(path, json={}, headers=foreign)).status_code == 403
    other = await mod.client.get(path, headers={"sec-fetch-site": "cross-site"})
    assert other.status_code in (200, 405)  # nothing is done by looking
    assert await court.cases("a") == before


async def test_the_token_of_one_session_is_good_for_no_other(court: Court, mod: Signed) -> None:
    async with court.signed_in("second", "a") as second:
        answer = await mod.client.post(f"{mod.at}/pause", json={}, headers={"x-zoetrope-token": second.token})
    assert answer.status_code == 403


# --- one place sees nothing of another ---

PAGES = ("", "/news", "/cases", "/members", "/policies", "/week")


async def test_a_session_of_one_place_reaches_no_page_of_another(court: Court, mod: Signed) -> None:
    court.let_moderate("mod", "b")  # they moderate it, too: but this session is for one place
    await court.held("b", "a secret of b")
    for path in (*PAGES, "/cases/1", "/members/500001"):
        for elsewhere in (f"/moderation/at/{CHAT}/b", "/moderation/at/web/main", f"/moderation/at/{CHAT}/nowhere"):
            answer = await mod.client.get(f"{elsewhere}{path}", headers=HTML)
            assert answer.status_code == 404, (elsewhere, path)
            assert "a secret of b" not in answer.text
    for act in ACTS:
        answer = await mod.client.post(
            f"/moderation/at/{CHAT}/b/{act}", json={}, headers={"x-zoetrope-token": mod.token}
        )
        assert (answer.status_code, answer.json()["sentence"][:27]) == (404, "There is no such place in t"), act


async def test_ids_of_another_place_are_ids_of_nothing(court: Court, mod: Signed) -> None:
    """Every endpoint that takes an id, with an id of place b, asked by a session of place a."""
    held, reported = await court.held("b", "a secret of b"), await court.reported("b", "a filmed secret", "bad")
    appealed, case = await court.appealed("b", "a refused secret"), await court.struck("b", reason="secretly")
    async with court.house.core.database.reading() as tx:
        review = await reviews.get(tx, reported)
        assert review
    for path in ("", "/cases", "/cases?words=secretly", f"/cases?words={review.subject}", "/members", "/week"):
        assert "secret" not in (await mod.get(path)).text.replace(f'value="{"secretly"}"', ""), path
    for path in (f"/cases/{case.number}", f"/clips/{review.subject}.mp4", f"/clips/{review.subject}.webp"):
        assert (await mod.get(path)).status_code == 404, path
    assert "No strikes." in (await mod.get("/members/500001")).text
    assert (await mod.get(f"/news?open={held},{reported}")).json()["decided"] == {}
    for target in (held, reported, appealed):
        for decision in ("approve", "remove", "false alarm"):
            answer = (await mod.post("/decide", review=target, decision=decision)).json()
            assert (answer["well"], await court.decision(target)) == (False, None), decision
    assert not (await mod.post("/amend", number=str(case.number), reason="x")).json()["well"]
    pending = await _asked_to_purge_in_b(court)
    for intent in (intents.Confirm(pending), intents.Dismiss(pending)):
        assert not (await mod.post("/press", button=intents.token(intent))).json()["well"]
    async with court.house.core.database.reading() as tx:
        assert await gallery.get(tx, review.subject) is not None
    assert await court.cases("a") == []


async def _asked_to_purge_in_b(court: Court) -> str:
    """The id of what waits to be confirmed, asked for by the same person in the other place."""
    async with court.signed_in("mod", "b") as there:
        card = (await there.post("/purge", hours="24")).json()["card"]
    found = intents.parse(card["buttons"][0]["token"])
    assert isinstance(found, intents.Confirm)
    return found.pending


async def test_a_clip_that_nobody_has_to_look_at_is_none_of_theirs(court: Court, mod: Signed) -> None:
    from tests.surfaces.web_wall import film

    (clip,) = await film(court.house, "a quiet clip", place="a", surface=CHAT)
    assert (await mod.get(f"/clips/{clip.id}.mp4")).status_code == 404


# --- what is seen and done ---


async def test_a_hidden_clip_is_shown_to_its_moderators_and_kept_by_no_browser(court: Court, mod: Signed) -> None:
    reported = await court.reported("a", "a heart", "x", "y", "z")
    async with court.house.core.database.reading() as tx:
        review = await reviews.get(tx, reported)
        assert review
        clip = await gallery.get(tx, review.subject)
    assert clip
    assert clip.hidden
    answer = await mod.get(f"/clips/{clip.id}.mp4")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    assert answer.headers["cache-control"] == "no-store"
    assert (await mod.client.get(f"/gallery/{clip.id}/clip.mp4")).status_code == 404
    async with court.browser() as stranger:
        assert (await stranger.get(f"{mod.at}/clips/{clip.id}.mp4")).status_code == 401


async def test_why_a_review_is_there_stands_on_it(court: Court, mod: Signed) -> None:
    await court.held("a", "a president dancing")
    await court.reported("a", "a heart", "it is spam", "")
    await court.appealed("a", "a flag")
    await court.struck("a")
    page = (await mod.get()).text
    for words in ("a president dancing", "P5, public figures", "public-figure", "1 point", "it is spam", "a flag"):
        assert words in page, words


async def test_of_what_is_never_made_an_appeal_can_only_be_passed_on(court: Court, mod: Signed) -> None:
    await court.appealed("a", "a flag")
    page = (await mod.get()).text
    assert re.findall(r'data-key="(\w)"', page) == ["r", "f"]
    assert "Agree, and pass it on" in page


async def test_words_that_are_not_kept_are_not_shown(court: Court, mod: Signed) -> None:
    await court.appealed("a", "hash:0123456789abcdef", Verdict(Ruling.REFUSED, "C1", "", ("r",), "plain", "1"))
    page = (await mod.get()).text
    assert "The words are not kept." in page
    assert "0123456789abcdef" not in page


async def test_a_decision_is_a_case_and_the_slower_one_is_told(court: Court, mod: Signed) -> None:
    review = await court.reported("a", "a heart", "spam")
    async with court.signed_in("second", "a") as second:
        first = (await mod.post("/decide", review=review, decision="remove", reason="no spam here")).json()
        late = (await second.post("/decide", review=review, decision="approve")).json()
        told = (await second.get(f"/news?open={review}")).json()["decided"]
    assert (first["well"], late["well"], late["result"]) == (True, False, "decided already")
    assert await court.decision(review) is Decision.REMOVE
    assert "removed" in late["sentence"]
    assert told[review].startswith("Somebody has decided this already: removed")
    newest = next(case for case in await court.cases("a") if case.action is Action.REMOVE)
    assert (newest.actor, newest.reason) == (Asker(CHAT, "mod"), "no spam here")


async def test_news_cost_nothing_as_long_as_there_are_none(court: Court, mod: Signed) -> None:
    tag = (await mod.get("/news")).json()["tag"]
    court.chat.silent = True  # nobody is asked who they are
    assert (await mod.get(f"/news?tag={tag}")).status_code == 204
    court.chat.silent = False
    review = await court.held("a", "a president")
    news = (await mod.get(f"/news?tag={tag}")).json()
    assert (news["waiting"], news["decided"]) == ([review], {})


async def test_cases_are_searched_and_amended(court: Court, mod: Signed) -> None:
    one, other = await court.struck("a", "500001", "spam all day"), await court.struck("a", "500002", "rude")
    page = (await mod.get("/cases?words=spam")).text
    assert ("spam all day" in page, "rude" in page) == (True, False)
    assert "rude" in (await mod.get("/cases?member=500002")).text
    assert "There is no case like that here." in (await mod.get("/cases?action=ban")).text
    assert "rude" in (await mod.get("/cases?action=strike&page=1")).text
    assert (await mod.post("/amend", number=str(one.number), reason="he said sorry")).json()["well"]
    shown = (await mod.get(f"/cases/{one.number}")).text
    assert ("spam all day" in shown, "he said sorry" in shown) == (True, True)
    assert not (await mod.post("/amend", number="999", reason="x")).json()["well"]
    assert not (await mod.post("/amend", number=str(other.number), reason=" ")).json()["well"]


def test_every_action_can_be_searched_for_by_name() -> None:
    assert {value for value, _ in sentences.actions()} == set(Action)


async def test_members_are_blocked_after_a_question_and_unblocked(court: Court, mod: Signed) -> None:
    await court.struck("a")
    asked = (await mod.post("/block", member="500001", hours="2", reason="enough")).json()
    buttons = asked["card"]["buttons"]
    assert len(buttons) == 2
    assert "banned for" not in (await mod.get("/members/500001")).text
    done = (await mod.post("/press", button=buttons[0]["token"])).json()
    assert done["well"], done
    assert "banned for" in (await mod.get("/members/500001")).text
    assert "500001" in (await mod.get("/members")).text
    assert (await mod.post("/unblock", member="500001", reason="he said sorry")).json()["well"]
    assert "0 points" in (await mod.get("/members/500001")).text
    actions = [case.action for case in await court.cases("a")]
    assert (Action.BAN in actions, Action.UNBLOCK in actions) == (True, True)


async def test_a_hundred_members_are_a_page_and_the_others_follow(court: Court, mod: Signed) -> None:
    for number in range(PAGE_MEMBERS + 1):
        await court.struck("a", str(500_000 + number))
    newest, oldest = (await mod.get("/members")).text, (await mod.get("/members?page=2")).text
    assert (newest.count("<tr><th"), oldest.count("<tr><th")) == (PAGE_MEMBERS + 1, 2)  # one is the head
    assert ('href="?page=2"' in newest, 'href="?page=1"' in oldest) == (True, True)
    assert ("/members/500000" in newest, "/members/500000" in oldest) == (False, True)
    for page in ("0", "x", "99999999999", "-1"):
        assert (await mod.get(f"/members?page={page}")).status_code == 200
    assert f"{mod.at}/cases?member=500000" in (await mod.get("/members/500000")).text


async def test_buttons_other_than_yes_and_no_have_no_place_here(court: Court, mod: Signed) -> None:
    review = await court.held("a", "a president")
    for button in (intents.token(intents.Remove(review)), "", "k:", "nonsense", "k:nothing"):
        assert not (await mod.post("/press", button=button)).json()["well"], button
    assert await court.decision(review) is None


WRONG = [
    ("decide", {"review": "nothing", "decision": "remove"}),
    ("decide", {"review": "nothing", "decision": "explode"}),
    ("decide", {}),
    ("block", {"member": "no such member"}),
    ("block", {"member": "500001", "hours": "many"}),
    ("grant", {"member": "500001"}),
    ("grant", {"member": "500001", "credits": "lots"}),
    ("purge", {}),
    ("purge", {"hours": "-1"}),
    ("amend", {"number": "x", "reason": "y"}),
    ("test", {"prompt": ""}),
    ("policies", {}),
    ("policies", {"steps": "none", "was steps": ""}),
    ("policies", {"channels": "1, +here", "was channels": ""}),
    ("policies", {"desk": "Here", "was desk": ""}),
    ("unblock", {"member": ""}),
]


@pytest.mark.parametrize(("act", "fields"), WRONG)
async def test_whatever_is_wrong_is_one_sentence_and_changes_nothing(
    court: Court, mod: Signed, act: str, fields: dict[str, str]
) -> None:
    answer = await mod.post(f"/{act}", **fields)
    told = answer.json()
    assert (answer.status_code, told["well"]) == (200, False)
    assert re.fullmatch(r"[A-Z“\"'].+[.]", told["sentence"]), told["sentence"]
    assert await court.cases("a") == []


async def test_what_is_asked_for_and_is_not_there_is_a_page_with_one_sentence(mod: Signed) -> None:
    members = ("/members/a%20b", "/members/zzz", "/members/%25")
    for path in ("/cases/9", "/cases/x", "/cases/99999999999999999999", *members, "/clips/x.mp4", "/clips/x"):
        assert (await mod.get(path)).status_code == 404, path
    assert (await mod.get("/members?member=%3C@500001%3E", follow_redirects=True)).url.path.endswith("/members/500001")


async def test_without_a_script_every_form_is_answered_by_a_page(court: Court, mod: Signed) -> None:
    review = await court.held("a", "a president")
    form = {"token": mod.token, "review": review, "decision": "approve", "reason": ""}
    page = await mod.client.post(f"{mod.at}/decide", data=form)
    assert (page.status_code, await court.decision(review)) == (200, Decision.APPROVE)
    asked = await mod.client.post(f"{mod.at}/block", data={"token": mod.token, "member": "500001", "hours": "1"})
    button = re.search(r'name="button" value="(k:[^"]+)"', asked.text)
    assert button
    done = await mod.client.post(f"{mod.at}/press", data={"token": mod.token, "button": button[1]})
    assert done.status_code == 200
    assert any(case.action is Action.BAN for case in await court.cases("a"))


# --- policies ---


async def test_policies_are_changed_by_what_differs_from_what_was_shown(court: Court, mod: Signed) -> None:
    async with court.house.core.database.transaction() as tx:
        kept = PlaceSettings(words=("plum",), overrides=(("P5", "hold"),), quiet="22:00-07:00 UTC", budget=2500)
        await places.put(tx, CHAT, "a", kept, court.house.clock())
    page = (await mod.get("/policies")).text
    for value in ('value="plum"', 'value="22:00-07:00 UTC"', 'value="2.5"', '<option value="hold" selected>'):
        assert value in page, value
    changed = {"steps": "20", "was steps": "", "words": "plum", "was words": "plum", "quiet": "", "was quiet": "22"}
    rulings = {"P3": "refuse", "was P3": "", "P5": "", "was P5": "hold"}
    told = (await mod.post("/policies", **changed, **rulings)).json()
    assert told["well"], told
    async with court.house.core.database.reading() as tx:
        now = await places.settings(tx, CHAT, "a")
    assert (now.steps, now.words, now.quiet, now.budget) == (20, ("plum",), "", 2500)
    assert now.overrides == (("P3", "refuse"),)
    assert [case.action for case in await court.cases("a")] == [Action.POLICY]


async def test_a_form_without_a_script_holds_every_setting(court: Court, mod: Signed) -> None:
    page = (await mod.get("/policies")).text
    form = dict(re.findall(r'<input[^>]* name="(was [^"]+)" value="([^"]*)"', page))
    assert len(form) > 20
    form |= {name.removeprefix("was "): value for name, value in form.items()}
    answer = await mod.client.post(f"{mod.at}/policies", data={**form, "frames": "8", "token": mod.token})
    assert answer.status_code == 200
    async with court.house.core.database.reading() as tx:
        assert await places.settings(tx, CHAT, "a") == PlaceSettings(frames=8)


def test_every_setting_is_a_field_that_shows_what_is_set() -> None:
    known = find("settings", moderators=True)
    assert known
    names = {field.name for field in options.fields(PlaceSettings())}
    assert names == {option.name for option in known.options} - {"overrides"}
    filled = PlaceSettings(
        False, ("1",), "m", "gif", 1, 2, 3, 1500, (("r", 2000),), ("9",), True, "family", ("word",), (("P1", "hold"),),
        500, "22:00-07:00 UTC", "nobody", 4, "desk", 5,
    )  # fmt: skip
    values = {field.name: field.value for field in options.fields(filled)}
    empty = {field.name: field.value for field in options.fields(PlaceSettings())}
    assert [name for name in values if values[name] == empty[name]] == []
    assert (values["roles"], values["credits"], values["spoiler"]) == ("r=2", "1.5", "on")


async def test_every_row_of_the_policy_can_be_ruled_about_and_taken_back(court: Court, mod: Signed) -> None:
    rows = options.categories(court.house.core.commands.policy)
    assert {"P1", "P6", "P6-shown", "P9"} <= set(rows)
    assert all(row.startswith("P") for row in rows)
    for row in rows:
        told = (await mod.post("/policies", **{row: "hold", f"was {row}": ""})).json()
        assert told["well"], (row, told)
    shown = (await mod.get("/policies")).text
    assert shown.count('<option value="hold" selected>') == len(rows)
    assert "crime, drugs and weapons, merely shown" in shown
    assert (await mod.post("/policies", **{"P6-shown": "", "was P6-shown": "hold"})).json()["well"]
    async with court.house.core.database.reading() as tx:
        now = await places.settings(tx, CHAT, "a")
    assert dict(now.overrides) == {row: "hold" for row in rows if row != "P6-shown"}


async def test_the_main_channel_is_shown_kept_and_taken_back(court: Court, mod: Signed) -> None:
    async with court.house.core.database.transaction() as tx:
        await places.put(tx, CHAT, "a", PlaceSettings(threads=("", "7")), court.house.clock())
    assert 'name="channels" type="text" value="here, 7"' in (await mod.get("/policies")).text

    async def threads() -> tuple[str, ...]:
        async with court.house.core.database.reading() as tx:
            return (await places.settings(tx, CHAT, "a")).threads

    assert (await mod.post("/policies", **{"channels": "here", "was channels": "here, 7"})).json()["well"]
    assert await threads() == ("",)
    assert (await mod.post("/policies", **{"channels": "", "was channels": "here"})).json()["well"]
    assert await threads() == ()


async def test_the_list_of_cases_says_what_was_changed(court: Court, mod: Signed) -> None:
    await mod.post("/policies", **{"steps": "20", "was steps": "", "quiet": "22:00-07:00 UTC", "was quiet": ""})
    assert "Most steps: 20; Quiet hours: 22:00-07:00 UTC" in (await mod.get("/cases")).text


async def test_who_reads_a_reason_is_said_where_it_is_written(court: Court, mod: Signed) -> None:
    await court.held("a", "a president")
    for path in ("", "/members/500001"):
        assert "the member can read it" in (await mod.get(path)).text, path


@pytest.mark.parametrize("hours", ["abc", "-1", "0", "1e400", "nan"])
async def test_hours_that_are_no_hours_ask_nothing(court: Court, mod: Signed, hours: str) -> None:
    await court.struck("a")
    told = (await mod.post("/block", member="500001", hours=hours)).json()
    assert (told["well"], told["card"]["buttons"]) == (False, [])
    page = (await mod.get("/members/500001")).text
    assert 'type="number"' not in page  # in which letters vanish


async def test_a_prompt_is_tested_at_no_cost(court: Court, mod: Signed) -> None:
    told = (await mod.post("/test", prompt="a naked woman")).json()
    fine = (await mod.post("/test", prompt="a heart bouncing on blue")).json()
    assert told["card"]["facts"] != fine["card"]["facts"] or told["sentence"] != fine["sentence"]
    assert await court.cases("a") == []


async def test_pausing_and_resuming_are_cases(court: Court, mod: Signed) -> None:
    assert (await mod.post("/pause")).json()["well"]
    assert "Paused: no new requests are taken here." in (await mod.get()).text
    assert (await mod.post("/resume")).json()["well"]
    assert [case.action for case in await court.cases("a")] == [Action.RESUME, Action.PAUSE]


async def test_a_week_is_drawn_and_told(court: Court, mod: Signed) -> None:
    await court.reported("a", "a heart", "x", "y")
    await court.appealed("a", "a flag")
    page = (await mod.get("/week")).text
    assert page.count("<svg viewBox") >= 3
    assert "style=" not in page
    for words in ("Clips: 1", "C5: the promotion of terror", "Reports: 2", "Median waiting time: 5 s"):
        assert words in page, words


@pytest.mark.parametrize("highest", [0, 1, 3, 7, 10, 49, 120, 99_999])
def test_a_scale_reaches_over_every_column_in_few_even_steps(highest: float) -> None:
    chart = charts.columns(["a", "b"], [("x", [highest, None]), ("y", [0, highest / 2])], str, str)
    steps = [float(mark.text) for mark in chart.scale]
    assert steps[-1] >= max(1, highest)
    assert len(steps) <= charts.LINES + 2
    assert len({round(two - one, 6) for one, two in pairwise(steps)}) == 1
    assert all(bar.y >= charts.TOP and bar.y + bar.height <= charts.FLOOR + 0.1 for bar in chart.bars)
    assert [bar.says for bar in chart.bars] == ([f"a, x: {highest}", f"b, y: {highest / 2}"] if highest else [])


def test_parts_of_a_column_stand_on_each_other() -> None:
    lower, upper = charts.columns(["a"], [("x", [2.0]), ("y", [1.0])], str, str).bars
    assert lower.y == pytest.approx(upper.y + upper.height, abs=0.2)
    assert lower.height == pytest.approx(2 * upper.height, abs=0.2)
    assert (lower.shade, upper.shade) == (0, 1)


def test_what_there_are_no_shades_for_is_drawn_as_one() -> None:
    parts = [(f"P{number}", [float(number), None]) for number in range(1, 11)]
    drawn = charts.most(parts, "other")
    assert [name for name, _ in drawn] == ["P4", "P5", "P6", "P7", "P8", "P9", "P10", "other"]
    assert drawn[-1][1] == [1.0 + 2.0 + 3.0, 0.0]
    assert len({bar.shade for bar in charts.columns(["a", "b"], drawn, str, str).bars}) == charts.SHADES
    assert charts.most(parts[:8], "other") == parts[:8]


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (999, "999"), (1500, "1.5k"), (200_000, "200k"), (2e6, "2M"), (5e9, "5G")]
)
def test_the_scale_of_a_chart_has_room_for_its_numbers(value: float, shown: str) -> None:
    assert showing._brief(value) == shown


async def test_one_category_alone_is_named_beside_its_chart(court: Court, mod: Signed) -> None:
    await court.appealed("a", "a flag")
    page = (await mod.get("/week")).text
    assert page.count('<ul class="legend">') == 1
    assert "C5: the promotion of terror" in page.partition('<ul class="legend">')[2].partition("</ul>")[0]


async def test_an_empty_place_says_so(mod: Signed) -> None:
    for path, words in (
        ("", "Nothing waits for you here."),
        ("/cases", "There is no case like that here."),
        ("/members", "Nobody here has a strike or a restriction."),
        ("/week", "Nothing happened."),
    ):
        assert words in (await mod.get(path)).text, path


async def test_pages_speak_the_language_of_the_browser(mod: Signed) -> None:
    page = (await mod.get(headers={"accept-language": "de"})).text
    assert '<html lang="de">' in page
    assert "Hier wartet nichts auf dich." in page


# --- the operator ---


async def test_the_operator_sees_every_place_and_moderates_each(operated: Court, operator: Signed) -> None:
    await operated.held("a", "a president")
    await operated.reported("main", "a heart", "spam", surface="web")
    found = (await operator.client.get("/moderation")).text
    assert (f"/moderation/at/{CHAT}/a" in found, "/moderation/at/web/main" in found) == (True, True)
    assert "a heart" in (await operator.get()).text
    there = Signed(operator.client, CHAT, "a", operator.token)
    assert "a president" in (await there.get()).text
    assert (await there.post("/pause")).json()["well"]
    for surface, place in ((CHAT, "nowhere"), ("web", "other"), ("nothing", "main")):
        elsewhere = Signed(operator.client, surface, place, operator.token)
        for section in ("", "/policies", "/members/500001"):
            assert (await elsewhere.get(section)).status_code == 404, (surface, place, section)
        assert (await elsewhere.post("/pause")).status_code == 404
        assert elsewhere.at not in (await operator.client.get("/moderation")).text
    case = (await operated.cases("a"))[0]
    assert case.actor == Asker("web", "operator")


async def test_another_password_ends_what_began_with_the_one_before(
    operated: Court, operator: Signed, tmp_path: Path
) -> None:
    password.write(tmp_path / "web.password", "another horse")
    await operated.house.stop()
    await operated.house.serve(operator_password_file=tmp_path / "web.password")
    assert (await operator.get()).status_code == 401


async def test_the_rooms_password_makes_nobody_the_operator(operated: Court, tmp_path: Path) -> None:
    await operated.house.stop()
    await operated.house.serve(password_file=tmp_path / "web.password")
    async with operated.browser() as client:
        assert (await client.post("/moderation/sign-in", data={"password": WORD})).status_code == 403


async def test_the_operator_may_have_a_password_of_their_own(operated: Court, tmp_path: Path) -> None:
    password.write(tmp_path / "operator.password", "operators only")
    files = {"password_file": tmp_path / "web.password", "operator_password_file": tmp_path / "operator.password"}
    await operated.house.stop()
    await operated.house.serve(**files)
    async with operated.browser() as client:
        assert (await client.post("/moderation/sign-in", data={"password": WORD})).status_code == 403
        assert (await client.post("/sign-in", data={"password": "operators only"})).status_code == 403
        assert (await client.post("/moderation/sign-in", data={"password": "operators only"})).status_code == 303
        assert (await client.get("/moderation/at/web/main")).status_code == 200


async def test_signing_in_anew_ends_the_session_before(operated: Court, operator: Signed) -> None:
    before = dict(operator.client.cookies)
    assert (await operator.client.post("/moderation/sign-in", data={"password": WORD})).status_code == 303
    assert (await operator.get()).status_code == 200
    async with httpx.AsyncClient(base_url=operated.house.url, cookies=before, timeout=20) as kept:
        assert (await kept.get(operator.at)).status_code == 401


async def test_the_rooms_password_is_not_asked_of_moderators_nor_given_to_them(operated: Court) -> None:
    async with operated.signed_in("mod", "a") as signed:
        assert (await signed.get()).status_code == 200
        assert (await signed.client.get("/", headers=HTML)).headers["location"] == "/sign-in"


async def test_the_operators_browser_moderates_the_room(operated: Court, operator: Signed) -> None:
    async with operated.browser() as client:
        await client.post("/sign-in", data={"password": WORD})
        plain = await _room(client)
        assert (
            await _said(client, plain, "/zpause")
            == "Only those who manage this place can do that; please ask one of them."
        )
        client.cookies.update(operator.client.cookies)
        page = (await client.get("/")).text
        assert "zblock" in page
        assert 'href="/moderation"' in page
        assert "paused" in (await _said(client, plain, "/zpause")).lower()
        assert "Zoetrope" in (await _said(client, plain, "/ztest a heart bouncing"), "Zoetrope")
        go = await client.post("/say", json={"text": "/zconsole"}, headers={"x-zoetrope-token": plain})
        assert go.json()["go"] == "/moderation"
    assert [case.action for case in await operated.cases("main", "web")] == [Action.PAUSE]


async def _room(client: httpx.AsyncClient) -> str:
    found = re.search(r'name="zoetrope-token" content="([0-9a-f]{64})"', (await client.get("/")).text)
    assert found
    return found[1]


async def _said(client: httpx.AsyncClient, token: str, text: str) -> str:
    answer = await client.post("/say", json={"text": text}, headers={"x-zoetrope-token": token})
    return str(answer.json()["sentence"])


async def test_the_surface_says_who_moderates_the_room(house: Any) -> None:
    here = Address("web", "main")
    assert (await house.surface.circumstances(here, Asker("web", "operator"))).moderator
    assert not (await house.surface.circumstances(here, Asker("web", "0" * 20))).moderator
    assert not (await house.surface.circumstances(Address("web", "elsewhere"), Asker("web", "operator"))).moderator


# --- the room's own part ---


async def test_data_are_handed_to_the_browser_that_asked_and_only_once(house: Any, enter: Any) -> None:
    visitor, other = await enter(), await enter()
    await visitor.ask("a heart bouncing on blue")
    told = (await visitor.post("/say", {"text": "/mydata export"})).json()
    assert told["go"].startswith("/mydata/")
    assert (await other.client.get(told["go"])).status_code == 404
    answer = await visitor.client.get(told["go"])
    assert (answer.status_code, answer.content[:2]) == (200, b"PK")
    assert answer.headers["cache-control"] == "no-store"
    assert "attachment" in answer.headers["content-disposition"]
    gone = await visitor.client.get(told["go"])
    assert gone.status_code == 404
    assert "was handed over already" in gone.text
    await house.stop()  # what follows an answer is done by then
    assert list((house.folder / "exports").rglob("*.zip")) == []


async def test_deleting_everything_asks_first(house: Any, enter: Any) -> None:
    visitor = await enter()
    await visitor.ask("a heart bouncing on blue")
    card = (await visitor.post("/say", {"text": "/mydata delete"})).json()["card"]
    assert len(card["buttons"]) == 2
    done = (await visitor.post("/press", {"button": card["buttons"][0]["token"]})).json()
    assert done["result"] == "confirmed", done


async def test_a_clip_is_reported_by_its_id_hidden_and_shown_again(house: Any, court: Court, enter: Any) -> None:
    from tests.surfaces.web_wall import film

    visitor = await enter()
    (clip,) = await film(house, "a heart")
    told = (await visitor.post("/say", {"text": f"/report {clip.id} it is spam"})).json()
    assert told["result"] == "answer", told
    async with house.core.database.reading() as tx:
        waiting = await reviews.waiting(tx, "web", "main")
    assert [review.subject for review in waiting] == [clip.id]
    assert (await visitor.post("/say", {"text": "/strikes"})).json()["result"] == "answer"
    assert (await visitor.post("/say", {"text": "/report"})).json()["result"] == "problem"
    assert (await visitor.post("/say", {"text": f"/hide {clip.id}"})).json()["result"] == "answer"
