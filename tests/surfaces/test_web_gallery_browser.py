"""The gallery in a real browser: a wall that stays light however long it is, keys, searching, a clip's own page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from bot.language import catalogue
from db import gallery
from tests.surfaces.web_wall import film, numbered

MOST_TILES = 90  # in the document: three screens and a half of 800 pixels with five columns, and a row to spare
XSS = [
    "<script>window.hit = 1</script>",
    "<img src=x onerror='window.hit = 1'>",
    '"><svg onload=window.hit=1>',
    "</script><script>window.hit=1</script>",
    "{{constructor.constructor('window.hit=1')()}}",
    "javascript:window.hit=1",
    "\u202e<b>gnp.exe\u202c",
]


@pytest.fixture
async def page(browser: Browser, house: Any) -> AsyncIterator[Page]:
    """A page of the house, not opened yet; nothing may go wrong in it, and nothing may leave this machine."""
    context = await browser.new_context(viewport={"width": 1200, "height": 800})
    context.set_default_timeout(20_000)
    opened = await context.new_page()
    errors: list[str] = []
    foreign: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda request: None if request.url.startswith(house.url) else foreign.append(request.url))
    yield opened
    assert errors == []
    assert [address for address in foreign if not address.startswith(("data:", "blob:"))] == []


async def forget(house: Any, clip_id: str) -> None:
    async with house.core.database.transaction() as tx:
        await gallery.forget(tx, clip_id)


async def until(page: Page, condition: str) -> None:
    """Wait for an expression of the page to be true; the page's policy keeps playwright from waiting for it there."""
    look = f"async () => {{ while (!({condition})) await new Promise(requestAnimationFrame); }}"
    async with asyncio.timeout(20):
        await page.evaluate(look)


async def violations(page: Page) -> str:
    """What axe-core says against the page, or nothing."""
    results = await Axe().run(page)
    return str(results.generate_report()) if results.violations_count else ""


# --- the wall ---


async def test_only_what_is_on_the_screen_plays_and_the_rest_is_still(house: Any, page: Page) -> None:
    await film(house, *numbered("a heart", range(60)))
    await page.goto(f"{house.url}/gallery")
    await expect(page.locator(".tile").first.locator("img.moving")).to_be_visible()
    await expect(page.locator(".tile").nth(24).locator("img.still")).to_be_attached()
    await until(page, "document.querySelectorAll('img.moving').length >= 15")  # three rows of five
    playing_unseen = """() => [...document.querySelectorAll("img.moving")].filter((image) => {
        const box = image.getBoundingClientRect();
        return box.bottom < 0 || box.top > innerHeight;
    }).length"""
    assert await page.evaluate(playing_unseen) == 0
    await page.mouse.wheel(0, 1500)
    await until(page, "scrollY > 1400 && document.querySelectorAll('img.moving').length >= 15")
    await until(page, f"({playing_unseen})() === 0")


async def test_a_long_wall_is_scrolled_to_its_end_with_few_tiles_in_the_document(house: Any, page: Page) -> None:
    await film(house, *numbered("a heart", range(400)))
    await page.goto(f"{house.url}/gallery")
    await expect(page.get_by_role("status").first).to_have_text("Clips: 400")
    most = await page.evaluate(
        """async () => {
            let most = 0;
            const last = () => [...document.querySelectorAll(".tile")].some((tile) => tile.ariaPosInSet === "400");
            while (!last()) {
                scrollBy(0, 600);
                await new Promise(requestAnimationFrame);
                await new Promise(requestAnimationFrame);
                most = Math.max(most, document.querySelectorAll(".tile").length);
            }
            return most;
        }"""
    )
    assert 15 <= most <= MOST_TILES
    await expect(page.get_by_role("link", name="a heart 399", exact=True)).to_be_attached()


async def test_what_is_deleted_leaves_an_open_wall_and_what_is_new_comes(house: Any, page: Page) -> None:
    clips = await film(house, *numbered("a heart", range(5)))
    await page.goto(f"{house.url}/gallery")
    await expect(page.get_by_role("listitem")).to_have_count(5)
    await forget(house, clips[2].id)
    await film(house, "a new ball", at=2e9)
    await expect(page.get_by_role("link", name="a heart 2")).to_have_count(0)
    names = ["a new ball", "a heart 0", "a heart 1", "a heart 3", "a heart 4"]
    await expect(page.get_by_role("listitem")).to_have_text(names)
    await expect(page.get_by_role("status").first).to_have_text("Clips: 5")


async def test_what_comes_above_does_not_move_what_somebody_looks_at(house: Any, page: Page) -> None:
    await film(house, *numbered("a heart", range(200)))
    await page.goto(f"{house.url}/gallery")
    await page.mouse.wheel(0, 3000)
    seen = page.get_by_role("link", name="a heart 62", exact=True)
    await expect(seen).to_be_in_viewport()
    before = await seen.bounding_box()
    await film(house, *numbered("new", range(15)), at=2e9)
    await expect(page.get_by_role("status").first).to_have_text("Clips: 215")
    after = await seen.bounding_box()
    assert before
    assert after
    assert abs(after["y"] - before["y"]) < 2


async def test_the_wall_goes_on_when_the_server_comes_back(house: Any, page: Page) -> None:
    await film(house, *numbered("a heart", range(3)))
    await page.goto(f"{house.url}/gallery")
    await expect(page.get_by_role("listitem")).to_have_count(3)
    await house.stop()
    await expect(page.get_by_text("Zoetrope does not answer")).to_be_visible()
    await film(house, "a new ball", at=2e9)
    await house.serve()
    await expect(page.get_by_role("listitem")).to_have_count(4)
    await expect(page.get_by_text("Zoetrope does not answer")).to_be_hidden()


async def test_an_empty_wall_says_what_to_do_and_fills_by_itself(house: Any, page: Page) -> None:
    await page.goto(f"{house.url}/gallery")
    await expect(page.get_by_text("No clip has been made here yet")).to_be_visible()
    await film(house, "a heart")
    await expect(page.get_by_role("link", name="a heart")).to_be_visible()
    await expect(page.get_by_text("No clip has been made here yet")).to_be_hidden()


# --- keys ---


async def test_the_keyboard_alone_moves_opens_steps_and_closes(house: Any, page: Page) -> None:
    clips = await film(house, *numbered("a heart", range(30)))
    await page.goto(f"{house.url}/gallery")
    await expect(page.get_by_role("link", name="a heart 0")).to_be_visible()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("link", name="a heart 0", exact=True)).to_be_focused()
    for key, number in (("ArrowRight", 1), ("ArrowDown", 6), ("ArrowLeft", 5), ("ArrowUp", 0)):
        await page.keyboard.press(key)
        await expect(page.get_by_role("link", name=f"a heart {number}", exact=True)).to_be_focused()
    await page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog", name="a heart 0")
    await expect(viewer.get_by_text("32x32, 8 frames")).to_be_visible()
    await expect(page).to_have_url(f"{house.url}/gallery/{clips[0].id}")
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("dialog", name="a heart 1")).to_be_visible()
    await expect(page).to_have_url(f"{house.url}/gallery/{clips[1].id}")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page).to_have_url(f"{house.url}/gallery")
    await expect(page.get_by_role("link", name="a heart 1", exact=True)).to_be_focused()


async def test_arrows_lead_down_the_whole_wall_and_the_focused_clip_is_in_sight(house: Any, page: Page) -> None:
    await film(house, *numbered("a heart", range(150)))
    await page.goto(f"{house.url}/gallery")
    await expect(page.get_by_role("link", name="a heart 0")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    for number in range(5, 150, 5):
        await page.keyboard.press("ArrowDown")
        await expect(page.get_by_role("link", name=f"a heart {number}", exact=True)).to_be_focused()
    await expect(page.get_by_role("link", name="a heart 145", exact=True)).to_be_in_viewport(ratio=0.9)


async def test_v_plays_i_stands_still_and_r_shows_any_clip(house: Any, page: Page) -> None:
    await film(house, *numbered("a heart", range(10)))
    await page.goto(f"{house.url}/gallery")
    moving = page.locator("img.moving")
    await expect(moving).to_have_count(10)
    await page.keyboard.press("i")
    await expect(moving).to_have_count(0)
    await expect(page.get_by_role("button", name="Stills")).to_have_attribute("aria-pressed", "true")
    await page.reload()
    await expect(page.locator("img.still")).to_have_count(10)
    await expect(moving).to_have_count(0)  # the choice is kept
    await page.keyboard.press("v")
    await expect(moving).to_have_count(10)
    await page.keyboard.press("r")
    await expect(page.get_by_role("dialog", name=re.compile("a heart [0-9]"))).to_be_visible()


async def test_letters_that_are_typed_into_the_search_are_no_keys(house: Any, page: Page) -> None:
    await film(house, "a vivid river", "a heart")
    await page.goto(f"{house.url}/gallery")
    await page.get_by_role("searchbox").press_sequentially("river")
    await expect(page.get_by_role("listitem")).to_have_count(1)
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.get_by_role("button", name="Videos")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("link", name="a vivid river")).to_be_focused()


async def test_back_closes_the_clip_and_forward_leads_to_its_own_page(house: Any, page: Page) -> None:
    clips = await film(house, "a heart")
    await page.goto(f"{house.url}/gallery")
    await page.get_by_role("link", name="a heart").click()
    await expect(page.get_by_role("dialog", name="a heart")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await page.go_forward()
    await expect(page).to_have_url(f"{house.url}/gallery/{clips[0].id}")
    await expect(page.get_by_role("heading", name="a heart", level=1)).to_be_visible()


# --- searching ---


async def test_a_search_has_an_address_that_can_be_passed_on(house: Any, page: Page) -> None:
    await film(house, "a red heart", "a blue ball", "a red ball")
    await page.goto(f"{house.url}/gallery")
    await page.get_by_role("searchbox").fill("ball")
    await expect(page.get_by_role("listitem")).to_have_text(["a blue ball", "a red ball"])
    await expect(page.get_by_role("status").first).to_have_text("Clips with these words: 2.")
    await expect(page).to_have_url(f"{house.url}/gallery?q=ball")
    await page.reload()
    await expect(page.get_by_role("listitem")).to_have_text(["a blue ball", "a red ball"])
    await page.get_by_role("searchbox").fill("zebra")
    await expect(page.get_by_text("No clip here has these words")).to_be_visible()
    await page.get_by_role("searchbox").fill("")
    await expect(page.get_by_role("listitem")).to_have_count(3)
    await expect(page).to_have_url(f"{house.url}/gallery")


async def test_a_search_that_is_typed_on_shows_what_was_typed_last(house: Any, page: Page) -> None:
    await film(house, *numbered("heart", range(130)), "hearth and home")
    await page.goto(f"{house.url}/gallery")
    await page.get_by_role("searchbox").press_sequentially("hearth", delay=30)
    await expect(page.get_by_role("listitem")).to_have_text(["hearth and home"])


# --- one clip ---


async def test_a_clip_can_be_made_again_taken_home_and_left(house: Any, page: Page) -> None:
    clip = (await film(house, "a heart & a <ball> #1 + 100%"))[0]
    await page.goto(f"{house.url}/gallery/{clip.id}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("a heart & a <ball> #1 + 100%")
    await until(page, "document.querySelector('video').currentTime > 0")
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="GIF").click()
    download = await coming.value
    assert download.suggested_filename == f"zoetrope-{clip.id}.gif"
    assert (await download.path()).stat().st_size > 100
    await page.keyboard.press("Escape")
    await expect(page).to_have_url(f"{house.url}/gallery")
    await page.go_back()
    await page.get_by_role("link", name="Make it again").click()
    await expect(page.locator("#prompt")).to_have_value("a heart & a <ball> #1 + 100%")


async def test_the_way_back_to_the_room_can_be_read(house: Any, browser: Browser, page: Page) -> None:
    await page.goto(f"{house.url}/gallery")
    await expect(page.get_by_role("banner").get_by_text("Back to the room")).to_be_visible()
    await page.get_by_role("link", name="Back to the room").click()
    await expect(page.get_by_role("heading", name="What shall move?")).to_be_visible()
    small = await (await browser.new_context(viewport={"width": 320, "height": 640}, locale="de-DE")).new_page()
    await small.goto(f"{house.url}/gallery")
    back = small.get_by_role("banner").get_by_text(catalogue("de")["Back to the room"])
    await expect(back).to_be_in_viewport(ratio=1)
    assert await small.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_clip_that_is_deleted_while_somebody_looks_says_so(house: Any, page: Page) -> None:
    clips = await film(house, "a heart", "a ball")
    await page.goto(f"{house.url}/gallery")
    await page.get_by_role("link", name="a heart").click()
    await expect(page.get_by_role("dialog").get_by_text("32x32, 8 frames")).to_be_visible()
    await forget(house, clips[0].id)
    await expect(page.get_by_role("dialog").get_by_role("heading")).to_contain_text("no longer exists")
    await expect(page.get_by_role("dialog").locator("video")).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("listitem")).to_have_text(["a ball"])


async def test_a_covered_clip_is_loaded_by_nobody_before_it_is_uncovered(house: Any, page: Page) -> None:
    clip = (await film(house, "a surprise", spoiler=True))[0]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{house.url}/gallery")
    await expect(page.get_by_role("link", name="a surprise")).to_contain_text("Covered")
    await page.get_by_role("link", name="a surprise").click()
    await expect(page.get_by_role("dialog").get_by_text("32x32, 8 frames")).to_be_visible()
    assert [address for address in asked if re.search(r"\.(webp|mp4|gif)", address)] == []
    await page.get_by_role("dialog").get_by_text("Covered: show the clip").click()
    await expect(page.get_by_role("dialog").locator("video")).to_be_visible()
    await until(page, "document.querySelector('dialog video').readyState >= 2")
    assert any(address.endswith(f"{clip.id}/clip.mp4") for address in asked)


async def test_what_people_wrote_is_shown_and_never_runs(house: Any, page: Page) -> None:
    clips = await film(house, *XSS, negative="<img src=x onerror='window.hit = 1'>")
    await page.goto(f"{house.url}/gallery")
    await expect(page.locator(".tile .words")).to_have_text(XSS)
    for clip in clips[1:4]:
        await page.goto(f"{house.url}/gallery/{clip.id}")
        await expect(page.get_by_role("heading", level=1)).to_have_text(clip.spec.prompt)
        assert await page.evaluate("window.hit") is None
    await page.goto(f"{house.url}/gallery?q={XSS[2]}")
    await page.locator(".tile a").first.click()
    await expect(page.get_by_role("dialog").get_by_text("<img src=x").first).to_be_visible()
    assert await page.evaluate("window.hit") is None


# --- everybody ---


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_wrong(house: Any, browser: Browser, scheme: Any) -> None:
    await film(house, "a surprise", spoiler=True, at=2e9)
    clips = await film(house, *numbered("a heart", range(40)), negative="blur")
    page = await (await browser.new_context(color_scheme=scheme)).new_page()
    await page.goto(f"{house.url}/gallery")
    await expect(page.locator("img.moving").first).to_be_visible()
    assert await violations(page) == ""
    await page.locator(".tile a").nth(1).click()
    await expect(page.get_by_role("dialog").get_by_text("32x32, 8 frames")).to_be_visible()
    assert await violations(page) == ""
    await page.goto(f"{house.url}/gallery?q=zebra")
    await expect(page.get_by_text("No clip here has these words")).to_be_visible()
    assert await violations(page) == ""
    for clip_id in (clips[0].id, "nothing"):
        await page.goto(f"{house.url}/gallery/{clip_id}")
        assert await violations(page) == ""


async def test_where_motion_is_unwelcome_nothing_moves_unless_it_is_asked_for(house: Any, browser: Browser) -> None:
    clip = (await film(house, "a heart", "a ball"))[0]
    page = await (await browser.new_context(reduced_motion="reduce")).new_page()
    await page.goto(f"{house.url}/gallery")
    await expect(page.locator("img.still")).to_have_count(2)
    await expect(page.get_by_role("button", name="Stills")).to_have_attribute("aria-pressed", "true")
    assert await page.locator("img.moving").count() == 0
    await page.keyboard.press("v")
    await expect(page.locator("img.moving")).to_have_count(2)
    await page.goto(f"{house.url}/gallery/{clip.id}")
    await until(page, "document.querySelector('video').readyState >= 2")
    assert await page.evaluate("document.querySelector('video').paused")


async def test_it_fits_a_phone(house: Any, browser: Browser) -> None:
    clip = (await film(house, *numbered("a heart with a rather long prompt that goes on", range(20))))[0]
    context = await browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = await context.new_page()
    fits = "document.documentElement.scrollWidth <= innerWidth"
    await page.goto(f"{house.url}/gallery")
    await expect(page.locator("img.moving").first).to_be_visible()
    assert await page.evaluate(fits)
    await page.locator(".tile a").first.tap()
    await expect(page.get_by_role("dialog").get_by_text("32x32, 8 frames")).to_be_visible()
    assert await page.evaluate("document.querySelector('dialog').scrollWidth <= innerWidth")
    await page.get_by_role("button", name="Close").tap()
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page).to_have_url(f"{house.url}/gallery")  # going back takes a moment, and would end going elsewhere
    await page.goto(f"{house.url}/gallery/{clip.id}")
    assert await page.evaluate(fits)
