"""Everybody can use the room: axe-core finds nothing to complain about, in light and dark, in every main state."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from bot.surfaces.web import password

HEART = "a heart bouncing on blue"


async def complaints(page: Page) -> list[str]:
    """What axe-core finds wrong, with the places."""
    found = await Axe().run(page)
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found.response["violations"]]


@pytest.fixture(params=["light", "dark"])
async def shown(request: pytest.FixtureRequest, browser: Browser, house: Any) -> AsyncIterator[Page]:
    context = await browser.new_context(color_scheme=request.param, viewport={"width": 1000, "height": 800})
    context.set_default_timeout(20_000)
    yield await context.new_page()
    await context.close()


async def test_the_room_in_all_its_states(house: Any, loops: None, shown: Page) -> None:
    await shown.goto(house.url)
    line = shown.get_by_role("combobox")
    await expect(shown.get_by_role("button", name=HEART)).to_be_visible()
    assert await complaints(shown) == []  # empty
    await line.press_sequentially("/")
    await expect(shown.get_by_role("option").first).to_be_visible()
    assert await complaints(shown) == []  # with the menu
    await line.fill(HEART)
    await shown.keyboard.press("Enter")
    lease = await house.claim()
    await house.step(lease, 2)
    await expect(shown.get_by_role("article").get_by_alt_text("Preview of the clip")).to_be_visible()
    assert await complaints(shown) == []  # running
    await house.finish(lease)
    await expect(shown.get_by_role("link", name="WebP")).to_be_visible()
    await line.fill("a heart --steps 1000")
    await shown.keyboard.press("Enter")
    await expect(shown.get_by_role("article").get_by_text("must be between")).to_be_visible()
    await line.fill("/help")
    await shown.keyboard.press("Enter")
    await expect(shown.get_by_text("Only you see this.")).to_be_visible()
    await shown.get_by_role("button", name="Delete").click()
    await shown.get_by_role("button", name="Options").click()
    assert await complaints(shown) == []  # done, refused, answered, asking, with options


async def test_the_door_and_a_page_that_is_not_there(house: Any, shown: Page, tmp_path: Path) -> None:
    await shown.goto(f"{house.url}/nowhere")
    assert await complaints(shown) == []
    password.write(tmp_path / "web.password", "correct horse")
    await house.stop()
    await house.serve(password_file=tmp_path / "web.password")
    await shown.goto(house.url)
    field = shown.get_by_label("Password")
    await expect(field).to_be_focused()
    assert await complaints(shown) == []
    await field.fill("wrong horse")
    await shown.keyboard.press("Enter")
    await expect(shown.get_by_role("alert")).to_have_text("That is not the password; please try again.")
    assert await complaints(shown) == []
    await field.fill("correct horse")
    await shown.keyboard.press("Enter")
    await expect(shown.get_by_role("combobox")).to_be_visible()
    await shown.get_by_role("button", name="Sign out").click()
    await expect(field).to_be_visible()


async def test_everything_that_can_be_pressed_is_reached_in_order_and_shows_its_focus(
    house: Any, loops: None, page: Page
) -> None:
    await page.get_by_role("button", name=HEART).click()
    await expect(page.get_by_role("article").get_by_role("button", name="Cancel")).to_be_visible()
    await expect(page.get_by_role("combobox")).to_be_focused()  # where the one who clicked goes on
    await page.locator(".skip").focus()
    names = []
    for _ in range(8):
        names.append(await page.evaluate("document.activeElement.ariaLabel || document.activeElement.textContent"))
        ring = await page.evaluate(
            """() => {
                const style = (node) => getComputedStyle(node);
                const it = document.activeElement;
                return style(it).outlineStyle !== "none" || style(it.closest(".bar") ?? it).boxShadow !== "none";
            }"""
        )
        assert ring or len(names) == 1, names[-1]  # the first had the focus put on it, which shows no ring
        await page.keyboard.press("Tab")
    assert names == [
        "Skip to the prompt",
        "Gallery",
        "Help",
        f"Cancel: {HEART}",
        "Commands",
        "",  # the line itself, which has a label
        "Options",
        "Send",
    ]


async def test_news_are_read_out(house: Any, loops: None, page: Page) -> None:
    await page.get_by_role("combobox").fill(HEART)
    await page.keyboard.press("Enter")
    spoken = page.locator("#announcer")
    await expect(spoken).to_have_text(f"{HEART}: Next in line.")
    await house.finish(await house.claim())
    await expect(spoken).to_have_text(f"{HEART}: AI-generated.")
