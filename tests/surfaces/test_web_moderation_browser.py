"""The moderators' pages in a real browser: by keyboard alone, live, for everybody's eyes, and with hostile words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, expect

from bot.moderation import telling
from bot.moderation.desk import MOST_REVIEWS, OPERATOR
from db import gallery, refusals, reviews
from db.records import Action, Address, Caller, Circumstances, Decision, Ruling, Verdict
from tests.surfaces.web_court import CHAT, Court

XSS = (Path(__file__).parent / "xss.txt").read_text(encoding="utf-8").splitlines()
AT = f"/moderation/at/{CHAT}/a"


async def complaints(page: Page) -> list[str]:
    """What axe-core finds wrong, with the places."""
    found = await Axe().run(page)
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found.response["violations"]]


@pytest.fixture
async def court(house: Any) -> Court:
    return Court(house)


@pytest.fixture(params=["light"])
async def desk(request: pytest.FixtureRequest, court: Court, browser: Browser) -> AsyncIterator[Page]:
    """A browser that followed its link; nothing may go wrong in it, and nothing may leave this machine."""
    size = {"width": 390, "height": 800} if request.param == "phone" else {"width": 1100, "height": 800}
    scheme: Any = "dark" if request.param == "dark" else "light"
    context = await browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda told: wrong.append(told.text) if "Content Security Policy" in told.text else None)
    page.on("request", lambda asked: None if asked.url.startswith(court.house.url) else wrong.append(asked.url))
    court.let_moderate("mod", "a")
    await page.goto(f"{court.house.url}/moderation/enter/{await court.link('mod', 'a')}")
    await expect(page.get_by_role("button", name="Sign in to the console")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="What waits for a decision")).to_be_visible()
    yield page
    assert wrong == []
    await context.close()


def current(page: Page) -> Locator:
    return page.locator("article.current")


# --- the queue ---


async def test_three_reviews_are_decided_by_keyboard_alone(court: Court, desk: Page) -> None:
    held, appealed = await court.held("a", "a president dancing"), await court.appealed("a", "a flag")
    reported = await court.reported("a", "a heart bouncing", "it is spam")
    await desk.reload()
    await expect(current(desk).get_by_role("heading")).to_have_text("a president dancing")
    await expect(desk.locator("#position")).to_have_text("1 of 3")
    await desk.keyboard.press("a")
    await expect(desk.locator("#said")).to_contain_text("approved")
    await expect(current(desk).get_by_role("heading")).to_have_text("a heart bouncing")
    await expect(current(desk)).to_be_focused()
    video = current(desk).locator("video")
    await expect(video).to_be_hidden()
    await desk.keyboard.press("Space")
    await expect(video).to_be_visible()
    await expect(video).to_have_js_property("paused", False)
    await desk.keyboard.press("Space")
    await expect(video).to_have_js_property("paused", True)
    await desk.keyboard.press("j")
    await expect(current(desk).get_by_role("heading")).to_have_text("a flag")
    await desk.keyboard.press("k")
    await expect(current(desk).get_by_role("heading")).to_have_text("a heart bouncing")
    await expect(video).to_be_hidden()  # covered again when it was left
    await desk.keyboard.press("r")
    await expect(current(desk).get_by_label("Reason")).to_be_focused()
    await desk.keyboard.type("far too many of them")
    await desk.keyboard.press("Enter")
    await expect(current(desk).get_by_role("heading")).to_have_text("a flag")
    await desk.keyboard.press("f")
    await expect(desk.get_by_text("Nothing waits for you here.")).to_be_visible()
    found = [await court.decision(review) for review in (held, reported, appealed)]
    assert found == [Decision.APPROVE, Decision.REMOVE, Decision.FALSE_ALARM]
    removed = next(case for case in await court.cases("a") if case.action is Action.REMOVE)
    assert removed.reason == "far too many of them"


async def test_removing_can_be_thought_better_of(court: Court, desk: Page) -> None:
    review = await court.held("a", "a president")
    await desk.reload()
    await desk.keyboard.press("r")
    await desk.keyboard.type("raf")  # which are letters here, not keys
    await desk.keyboard.press("Escape")
    await expect(current(desk).get_by_label("Reason")).to_be_hidden()
    await expect(current(desk).get_by_role("button", name="Remove and strike")).to_be_focused()
    assert await court.decision(review) is None


async def test_a_key_that_is_held_down_decides_one_review_and_caps_lock_is_no_matter(court: Court, desk: Page) -> None:
    first, second = await court.held("a", "a president"), await court.held("a", "another president")
    await desk.reload()
    await desk.keyboard.down("a")
    await expect(current(desk).get_by_role("heading")).to_have_text("another president")
    await desk.keyboard.down("a")  # once more without having been let go: the keyboard repeats it
    await desk.keyboard.up("a")
    await desk.keyboard.press("?")
    await desk.keyboard.press("Escape")
    assert (await court.decision(first), await court.decision(second)) == (Decision.APPROVE, None)
    await desk.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'F', bubbles: true }))")
    await expect(desk.get_by_text("Nothing waits for you here.")).to_be_visible()
    assert await court.decision(second) is Decision.FALSE_ALARM


async def test_the_keys_are_explained(court: Court, desk: Page) -> None:
    await court.held("a", "a president")
    await desk.reload()
    await desk.keyboard.press("?")
    await expect(desk.get_by_role("dialog", name="Keys")).to_be_visible()
    await desk.keyboard.press("a")  # nothing is decided behind it
    await desk.keyboard.press("Escape")
    await expect(desk.get_by_role("dialog")).to_be_hidden()
    await expect(current(desk).get_by_role("heading")).to_have_text("a president")


async def test_what_others_decide_and_what_comes_in_appears_by_itself(court: Court, desk: Page) -> None:
    await expect(desk.get_by_text("Nothing waits for you here.")).to_be_visible()
    review = await court.held("a", "a president")
    await expect(current(desk).get_by_role("heading")).to_have_text("a president")
    await expect(desk.locator("#count")).to_have_text("1")
    await court.held("a", "another president")
    await expect(desk.locator("#position")).to_have_text("1 of 2")
    await court.decide("second", "a", review, Decision.REMOVE)
    told = "Somebody has decided this already: declined, with a strike."
    await expect(desk.locator("#alarm")).to_have_text(told)
    await expect(current(desk).get_by_text(told)).to_be_visible()
    await expect(current(desk).get_by_role("button", name="Approve")).to_be_hidden()
    await desk.keyboard.press("j")
    await expect(current(desk).get_by_role("heading")).to_have_text("another president")
    await expect(desk.get_by_role("article")).to_have_count(1)


async def test_who_is_slower_is_told_so(court: Court, desk: Page) -> None:
    review = await court.held("a", "a president")
    await desk.reload()
    await desk.route("**/news*", lambda route: route.abort())  # so that nothing is known before
    await court.decide("second", "a", review, Decision.APPROVE)
    await desk.keyboard.press("f")
    await expect(desk.locator("#alarm")).to_contain_text("decided")
    assert await court.decision(review) is Decision.APPROVE


async def test_a_role_that_is_taken_away_ends_the_page_with_a_sentence(court: Court, desk: Page) -> None:
    review = await court.held("a", "a president")
    await expect(current(desk)).to_be_visible()
    court.let_moderate("mod", "a", moderator=False)
    await desk.keyboard.press("a")
    await expect(desk.get_by_role("alert")).to_contain_text("You do not moderate this place (any more)")
    await expect(desk.get_by_role("article")).to_have_count(0)
    assert await court.decision(review) is None
    await desk.reload()
    await expect(desk.get_by_text("This console is for moderators.")).to_be_visible()


async def test_a_clip_is_asked_for_when_it_is_uncovered_and_not_before(court: Court, desk: Page) -> None:
    await court.reported("a", "a heart", "spam")
    asked: list[str] = []
    desk.on("request", lambda request: asked.append(request.url) if "/clips/" in request.url else None)
    await expect(current(desk).get_by_role("heading")).to_have_text("a heart")
    assert asked == []
    await current(desk).get_by_text("Covered: show the clip").click()
    await expect(current(desk).locator("video")).to_have_js_property("paused", False)
    assert asked


# --- the other pages ---


async def test_a_member_is_banned_after_a_question(court: Court, desk: Page) -> None:
    await court.struck("a")
    await desk.goto(f"{court.house.url}{AT}/members")
    await desk.get_by_role("link", name="500001").click()
    form = desk.locator("form", has=desk.get_by_role("heading", name="Block"))
    await form.get_by_label("Hours").fill("3")
    await form.get_by_role("button", name="Block").click()
    question = desk.get_by_role("dialog")
    await expect(question).to_be_visible()
    await desk.keyboard.press("Escape")
    await expect(question).to_be_hidden()
    assert [case.action for case in await court.cases("a")] == [Action.STRIKE]
    await form.get_by_role("button", name="Block").click()
    await question.get_by_role("button").first.click()
    await expect(desk.locator("#said")).not_to_be_empty()
    await expect(desk.get_by_text("banned for")).to_be_visible()


async def test_a_prompt_is_tested_while_it_is_written(court: Court, desk: Page) -> None:
    await desk.goto(f"{court.house.url}{AT}/policies")
    verdict = desk.locator("#verdict")
    await desk.get_by_label("Prompt", exact=True).fill("a naked woman")
    await expect(verdict).not_to_be_empty()
    refused = await verdict.text_content()
    await desk.get_by_label("Prompt", exact=True).fill("a heart bouncing on blue")
    await expect(verdict).not_to_have_text(refused or "")
    await desk.get_by_label("Prompt", exact=True).fill("")
    await expect(verdict).to_be_empty()
    assert await court.cases("a") == []


async def test_policies_are_saved_and_the_place_is_paused(court: Court, desk: Page) -> None:
    await desk.goto(f"{court.house.url}{AT}/policies")
    await desk.get_by_label("Most steps").fill("12")
    await desk.get_by_label("public figures").select_option("hold")
    await desk.get_by_role("button", name="Save").click()
    await expect(desk.locator("#said")).not_to_be_empty()
    await expect(desk.get_by_label("Most steps")).to_have_value("12")
    await expect(desk.get_by_label("public figures")).to_have_value("hold")
    await desk.get_by_label("Most steps").fill("a dozen")
    await desk.get_by_role("button", name="Save").click()
    await expect(desk.get_by_role("alert")).not_to_be_empty()
    await expect(desk.get_by_label("Most steps")).to_have_value("a dozen")  # to be mended
    await desk.get_by_role("button", name="Pause").click()
    await expect(desk.get_by_text("Paused: no new requests are taken here.")).to_be_visible()
    await desk.get_by_role("button", name="Resume").click()
    await expect(desk.get_by_text("Requests are taken here.")).to_be_visible()


async def fill(court: Court) -> None:
    """Something of everything."""
    await court.held("a", "a president dancing in a very long prompt " * 6)
    await court.reported("a", "a heart bouncing", "it is spam", "")
    await court.appealed("a", "a flag", Verdict(Ruling.REFUSED, "P7", "hate", ("symbol",), "plain", "1"))
    await court.struck("a")


@pytest.mark.parametrize("desk", ["light", "dark", "phone"], indirect=True)
async def test_everybody_can_use_every_page(court: Court, desk: Page) -> None:
    await fill(court)
    await desk.reload()
    await expect(current(desk)).to_be_visible()
    assert await complaints(desk) == []  # a held prompt
    await desk.keyboard.press("r")
    assert await complaints(desk) == []  # a reason is asked for
    await desk.keyboard.press("Escape")
    await desk.keyboard.press("j")
    await desk.keyboard.press("Space")
    await expect(current(desk).locator("video")).to_be_visible()
    assert await complaints(desk) == []  # a clip plays
    await desk.keyboard.press("?")
    assert await complaints(desk) == []
    for path in ("/cases", "/cases/1", "/members", "/members/500001", "/policies", "/week"):
        await desk.goto(f"{court.house.url}{AT}{path}")
        for table in await desk.get_by_text("As a table").all():
            await table.click()
        assert await complaints(desk) == [], path
        width = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert await desk.evaluate(width), path
    await desk.goto(f"{court.house.url}{AT}/members/500001")
    await desk.get_by_role("button", name="Block").click()
    await expect(desk.get_by_role("dialog")).to_be_visible()
    assert await complaints(desk) == []  # a question
    await desk.context.clear_cookies()
    await desk.goto(f"{court.house.url}/moderation")
    assert await complaints(desk) == []


async def test_words_are_only_ever_words(court: Court, desk: Page) -> None:
    """Prompts, reasons and reports from the corpus, on every page where they stand."""
    some = XSS[:: max(1, len(XSS) // 12)]
    for number, hostile in enumerate(some):
        await court.held("a", hostile)
        await court.struck("a", reason=hostile)
        if number < 3:
            await court.reported("a", hostile, hostile)
    await desk.reload()
    await expect(desk.locator("#position")).to_contain_text(f"of {len(some) + 3}")
    for _ in range(3):
        await desk.keyboard.press("j")
    for path in ("", "/cases", "/cases/1", "/members/500001", f"/cases?words={'%3Cscript%3E'}", "/policies"):
        await desk.goto(f"{court.house.url}{AT}{path}")
        assert await desk.evaluate("window.hit") is None, path
    await desk.get_by_label("Prompt", exact=True).fill(some[0])
    await expect(desk.locator("#verdict")).not_to_be_empty()
    assert await desk.evaluate("window.hit") is None
    assert await desk.evaluate("document.querySelectorAll('main script, main img, main iframe').length") == 0


async def test_what_waits_beyond_a_page_is_counted_and_follows(court: Court, desk: Page) -> None:
    for number in range(MOST_REVIEWS + 2):
        await court.held("a", f"a president dancing {number}")
    await desk.reload()
    await expect(desk.locator("#position")).to_have_text(f"1 of {MOST_REVIEWS + 2}")
    await expect(desk.locator("#count")).to_have_text(str(MOST_REVIEWS + 2))
    await desk.keyboard.press("a")
    await expect(desk.locator("article.look")).to_have_count(MOST_REVIEWS)  # one has followed
    await expect(desk.locator("#count")).to_have_text(str(MOST_REVIEWS + 1))
    await court.held("a", "the newest president")
    await expect(desk.locator("#count")).to_have_text(str(MOST_REVIEWS + 2))
    await desk.goto(f"{court.house.url}{AT}/week")
    await expect(desk.locator("#count")).to_have_text(str(MOST_REVIEWS + 2))


@pytest.mark.parametrize("desk", ["phone"], indirect=True)
async def test_the_longest_id_and_reason_stay_on_the_page(court: Court, desk: Page) -> None:
    await court.struck("a", "5" * 64, "w" * 300)
    for path in ("/cases", "/cases/1", "/members", f"/members/{'5' * 64}"):
        await desk.goto(f"{court.house.url}{AT}{path}")
        width = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert await desk.evaluate(width), path


# --- the room ---


async def test_a_clip_of_somebody_else_is_reported_with_a_reason(
    house: Any, loops: None, page: Page, enter: Any
) -> None:
    other = await enter()
    await other.ask("a heart bouncing on blue")
    clip = await house.finish(await house.claim())
    card = page.get_by_role("article").last
    await card.get_by_role("button", name="Report").click()
    await expect(card.get_by_label("What is wrong with it (optional)")).to_be_focused()
    await page.keyboard.type("it is spam")
    await page.keyboard.press("Enter")
    await expect(card.locator(".told.well")).to_have_text("Thank you: this place's moderators take a look.")
    await expect(card.locator("dd.id")).to_have_text(clip.id)
    async with house.core.database.reading() as tx:
        (review,) = await reviews.waiting(tx, "web", "main")
        assert await gallery.get(tx, review.subject) is not None
    assert review.subject == clip.id


async def test_an_answered_question_says_what_came_of_it_and_asks_no_more(house: Any, page: Page) -> None:
    async def typed(line: str) -> Locator:
        await page.get_by_role("combobox", name="Prompt or command").fill(line)
        await page.keyboard.press("Enter")
        return page.get_by_role("article").last

    for press, words in (("Dismiss", "Nothing was done."), ("Confirm", "Deleted")):
        made = await typed("a heart bouncing on blue")
        await expect(made.get_by_role("heading")).to_have_text("a heart bouncing on blue")
        asked = await typed("/mydata delete")
        await expect(asked.get_by_role("button", name="Confirm")).to_be_visible()
        await asked.get_by_role("button", name=press).last.click()
        await expect(asked.locator(".status")).to_contain_text(words)
        await expect(asked.get_by_role("heading")).to_have_text("Zoetrope")
        await expect(asked).to_have_attribute("data-tone", "plain")
        await expect(asked.locator(".deeds")).to_be_hidden()
        await expect(asked.locator(".told")).to_be_empty()


async def test_the_answer_to_an_appeal_stands_alone_and_nothing_is_left_to_appeal(
    house: Any, court: Court, page: Page
) -> None:
    await page.get_by_role("combobox", name="Prompt or command").fill("a nude woman")
    await page.keyboard.press("Enter")
    card = page.get_by_role("article").last
    await card.get_by_role("button", name="Appeal").click()
    await expect(card.locator(".told.well")).to_contain_text("take a look")
    async with house.core.database.reading() as tx:
        (review,) = await reviews.waiting(tx, "web", "main")
        (refusal,) = await refusals.appealed(tx, "web", "main")
        handle = (await telling.under_refusal(tx, refusal)).handle
    await house.surface.notify(handle, review.target, "Something else.", "n1")
    await expect(card.get_by_role("button", name="Appeal")).to_be_visible()
    operator = Caller(OPERATOR, Address("web", "main"), Circumstances(moderator=True))
    await house.core.commands.moderation.decide(operator, review.id, Decision.REMOVE)
    await house.surface.notify(handle, review.target, "Your appeal was declined.", "n2")
    await expect(card.locator(".note")).to_have_text("Your appeal was declined.")
    await expect(card.get_by_role("button", name="Appeal")).to_have_count(0)
    await expect(card.locator(".told")).to_be_empty()
