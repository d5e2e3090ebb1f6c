"""The page in a real browser, on the bot's real parts; a runner is played by the functions a runner uses."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.cards import Button, Card
from db.records import Address, Asker

ADDRESS = Address("web", "main")
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
XSS = [
    "<script>window.hit = 1</script>",
    "<img src=x onerror='window.hit = 1'>",
    '"><svg onload=window.hit=1>',
    "javascript:window.hit=1",
    "{{constructor.constructor('window.hit=1')()}}",
    "${window.hit=1}",
    "</title><script>window.hit=1</script>",
    "<iframe srcdoc='<script>parent.hit=1</script>'>",
    "&lt;script&gt;window.hit=1&lt;/script&gt;",
    "'; window.hit = 1; '",
    "<a href='javascript:window.hit=1'>click</a>",
    "\u202e<b>gnp.exe\u202c",
]


def _browser_program() -> str:
    """Chromium's path; without one the tests say loudly that they did not run, or fail where all must run."""
    given = os.environ.get("ZOETROPE_CHROMIUM", "")
    found = given or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found and Path(found).exists():
        return found
    if os.environ.get("ZOETROPE_REQUIRE_ALL") == "1":
        pytest.fail("chromium is missing and everything must run: install it (Debian: apt install chromium)")
    pytest.skip("NOT CHECKED: chromium is missing, so the web page was not tried in a browser")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    program = _browser_program()
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=program, args=QUIET)
        yield opened
        await opened.close()


@pytest.fixture
async def page(browser: Browser, house: Any) -> AsyncIterator[Page]:
    """The page, open; nothing may go wrong in it while a test looks at it, and nothing may leave this machine."""
    context = await browser.new_context(viewport={"width": 1100, "height": 800})
    context.set_default_timeout(20_000)
    opened = await context.new_page()
    errors: list[str] = []
    foreign: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda request: None if request.url.startswith(house.url) else foreign.append(request.url))
    await opened.goto(house.url)
    yield opened
    assert errors == []
    assert [address for address in foreign if not address.startswith(("data:", "blob:"))] == []


async def test_a_suggestion_becomes_a_playing_gif(house: Any, loops: None, page: Page) -> None:
    await expect(page.get_by_text("No clips yet")).to_be_visible()
    await page.get_by_role("button", name="a heart bouncing on blue").click()
    card = page.get_by_role("article")
    await expect(card.get_by_role("heading")).to_have_text("a heart bouncing on blue")
    await expect(card.get_by_text("Next in line")).to_be_visible()
    await expect(page.get_by_text("No clips yet")).to_be_hidden()
    lease = await house.claim()
    await house.step(lease, 2)
    await expect(card.get_by_text("step 2 of 4")).to_be_visible()
    await expect(card.get_by_role("progressbar")).to_have_js_property("value", 0.5)
    await expect(card.get_by_alt_text("Preview of the clip")).to_be_visible()
    await house.finish(lease)
    clip = card.get_by_alt_text("a heart bouncing on blue")
    await expect(clip).to_be_visible()
    await expect(clip).to_have_js_property("naturalWidth", 256)
    await expect(clip).to_be_in_viewport()
    await expect(card.get_by_role("link")).to_have_text(["GIF", "MP4", "WebP"])
    await expect(card.get_by_role("button", name="Again")).to_be_visible()
    await expect(card.get_by_role("progressbar")).to_be_hidden()


async def test_a_typed_prompt_can_be_cancelled_and_asked_again_with_the_keyboard_alone(
    house: Any, loops: None, page: Page
) -> None:
    await page.keyboard.type("a cat spinning on green")  # the prompt has the focus when the page opens
    await page.keyboard.press("Enter")
    cards = page.get_by_role("article")
    await cards.get_by_role("button", name="Cancel").focus()
    await page.keyboard.press("Enter")
    await expect(cards.get_by_text("Cancelled; it cost nothing.")).to_be_visible()
    await cards.get_by_role("button", name="Again").focus()
    await page.keyboard.press("Space")
    await expect(cards).to_have_count(2)
    await expect(cards.first.get_by_text("Next in line")).to_be_visible()


async def test_wrong_input_is_answered_where_the_card_would_be(house: Any, loops: None, page: Page) -> None:
    await page.get_by_text("Options").click()
    await page.get_by_label("Steps").fill("abc")
    await page.get_by_label("Prompt", exact=True).fill("a heart")
    await page.get_by_role("button", name="Generate").click()
    await expect(page.get_by_role("alert")).to_have_text(
        "The number of steps must be a whole number, not 'abc'; please write one."
    )
    await page.get_by_label("Steps").fill("1000")
    await page.get_by_role("button", name="Generate").click()
    await expect(page.get_by_role("article").get_by_text("must be between 1 and 50")).to_be_visible()
    await expect(page.get_by_role("alert")).to_be_hidden()


async def test_the_server_killed_and_started_again_goes_on_without_a_reload(
    house: Any, loops: None, page: Page
) -> None:
    await page.get_by_role("button", name="a heart bouncing on blue").click()
    card = page.get_by_role("article")
    await expect(card.get_by_text("Next in line")).to_be_visible()
    await page.evaluate("window.sameDocument = true")
    await house.stop()
    await expect(page.get_by_text("Zoetrope does not answer")).to_be_visible()
    lease = await house.claim()
    await house.step(lease, 1)
    await house.serve()
    await house.finish(lease)
    await expect(card.get_by_alt_text("a heart bouncing on blue")).to_be_visible()
    await expect(page.get_by_text("Zoetrope does not answer")).to_be_hidden()
    assert await page.evaluate("window.sameDocument") is True
    await card.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("heading", name="Deleted")).to_be_visible()


async def test_what_one_browser_asks_appears_in_the_others_who_may_not_cancel_it(
    house: Any, loops: None, page: Page, browser: Browser
) -> None:
    other = await (await browser.new_context()).new_page()
    await other.goto(house.url)
    await page.get_by_role("button", name="a heart bouncing on blue").click()
    seen = other.get_by_role("article")
    await expect(seen.get_by_role("heading")).to_have_text("a heart bouncing on blue")
    await seen.get_by_role("button", name="Cancel").click()
    await expect(other.get_by_role("alert")).to_contain_text("Only the one who asked")
    await expect(page.get_by_role("article").get_by_role("button", name="Cancel")).to_be_visible()


async def test_what_people_write_is_shown_and_never_runs(house: Any, page: Page) -> None:
    for number, text in enumerate(XSS):
        buttons = (Button(text[:20], "x:1"),)
        card = Card(text, text, "bad", facts=((text, text),), buttons=buttons, final=True)
        handle = await house.surface.show(ADDRESS, card, f"n{number}")
        await house.surface.notify(handle, Asker("web", "b"), text, "n")
    headings = page.get_by_role("article").get_by_role("heading")
    await expect(headings).to_have_count(len(XSS))
    assert await headings.all_text_contents() == XSS[::-1]
    await page.reload()
    await expect(headings).to_have_count(len(XSS))
    assert await headings.all_text_contents() == XSS[::-1]
    assert await page.evaluate("window.hit") is None
    assert await page.locator("#room script, #room iframe, #room svg, #room b, #room a[href^=javascript]").count() == 0


async def test_even_markup_that_got_into_the_page_could_not_run(page: Page) -> None:
    """The policy is the second wall: an inline script, were one ever written into the page, is refused."""
    hit = await page.evaluate(
        """() => {
            const script = document.createElement("script");
            try { script.textContent = "window.hit = 1"; document.body.append(script); } catch { return "refused"; }
            return window.hit ?? "refused";
        }"""
    )
    assert hit == "refused"


async def test_it_fits_a_phone_in_the_dark_and_stands_still_where_motion_is_unwelcome(
    house: Any, loops: None, page: Page, browser: Browser
) -> None:
    await page.get_by_role("button", name="a heart bouncing on blue").click()
    await house.finish(await house.claim())
    await expect(page.get_by_role("article").get_by_role("link")).to_have_count(3)
    phone = await browser.new_context(
        viewport={"width": 360, "height": 740}, color_scheme="dark", reduced_motion="reduce", has_touch=True
    )
    small = await phone.new_page()
    await small.goto(house.url)
    play = small.get_by_role("button", name="Play the clip")
    await expect(play).to_be_visible()
    await expect(small.get_by_alt_text("a heart bouncing on blue")).to_be_hidden()
    await play.click()
    await expect(small.get_by_alt_text("a heart bouncing on blue")).to_be_visible()
    assert await small.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await small.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(23, 22, 20)"


async def test_everything_that_can_be_pressed_has_a_name_and_a_visible_focus(
    house: Any, loops: None, page: Page
) -> None:
    await page.get_by_role("button", name="a heart bouncing on blue").click()
    await expect(page.get_by_role("article")).to_be_visible()
    nameless = await page.evaluate(
        """() => [...document.querySelectorAll("button, a, input:not([type=hidden]), select")]
            .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim() || node.labels?.length))
            .map((node) => node.outerHTML)"""
    )
    assert nameless == []
    await page.get_by_label("Prompt", exact=True).focus()
    for _ in range(5):  # Generate, two suggestions, the options, Cancel
        await page.keyboard.press("Tab")
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
