"""The room in a real browser, on the bot's real parts; a runner is played by the functions a runner uses."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect

from bot.cards import Button, Card
from bot.language import catalogue
from db import queue
from db.records import Address, Asker, Caller

ADDRESS = Address("web", "main")
HEART = "a heart bouncing on blue"
XSS = (Path(__file__).parent / "xss.txt").read_text(encoding="utf-8").splitlines()


def prompt(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Prompt or command")


async def say(page: Page, text: str) -> None:
    await prompt(page).fill(text)
    await page.keyboard.press("Enter")


def card(page: Page, number: int = -1) -> Locator:
    """The newest card, or another by its number."""
    return page.get_by_role("article").nth(number)


# --- from prompt to clip ---


async def test_a_suggestion_becomes_a_playing_gif(house: Any, loops: None, page: Page) -> None:
    await expect(page.get_by_role("heading", name="What shall move?")).to_be_visible()
    await page.get_by_role("button", name=HEART).click()
    await expect(card(page).get_by_role("heading")).to_have_text(HEART)
    await expect(card(page).get_by_text("Next in line")).to_be_visible()
    await expect(card(page).get_by_text("You", exact=True)).to_be_visible()
    await expect(page.get_by_role("heading", name="What shall move?")).to_be_hidden()
    lease = await house.claim()
    await house.step(lease, 2)
    await expect(card(page).get_by_text("step 2 of 4")).to_be_visible()
    await expect(card(page).get_by_role("progressbar")).to_have_js_property("value", 0.5)
    await expect(card(page).get_by_alt_text("Preview of the clip")).to_be_visible()
    await house.finish(lease)
    clip = card(page).get_by_alt_text(HEART)
    await expect(clip).to_be_visible()
    await expect(clip).to_have_js_property("naturalWidth", 256)
    await expect(clip).to_be_in_viewport()
    await expect(card(page).get_by_role("link")).to_have_text(["GIF", "MP4", "WebP"])
    await expect(card(page).locator("dt")).to_have_text(["Model", "Seed", "Steps", "Size", "Time", "Cost", "Clip's id"])
    await expect(card(page).get_by_role("progressbar")).to_be_hidden()


async def test_what_its_asker_is_told_stays_on_a_card_for_them_alone(
    browser: Browser, house: Any, loops: None, page: Page
) -> None:
    await say(page, HEART)
    clip = await house.finish(await house.claim())
    await expect(card(page).get_by_alt_text(HEART)).to_be_visible()
    other = await (await browser.new_context()).new_page()
    await other.goto(house.url)

    async with house.core.database.reading() as tx:
        job = await queue.get(tx, clip.job)
    assert job is not None
    await house.surface.notify(job.handle, job.asker, "A moderator has looked.", "n")
    await expect(card(page).get_by_text("A moderator has looked.")).to_be_visible()
    await house.core.commands.press(Caller(job.asker, ADDRESS), f"d:{clip.id}", "o1")
    for visited in (page, other):
        await expect(card(visited).get_by_text("The clip was deleted")).to_be_visible()
    await expect(card(page).get_by_text("A moderator has looked.")).to_be_visible()
    await expect(card(other).get_by_text("A moderator has looked.")).to_have_count(0)


async def test_a_preview_that_went_before_its_card_is_no_error_and_a_finished_card_asks_for_none(
    house: Any, page: Page
) -> None:
    complaints: list[str] = []
    page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/previews/" in request.url else None)
    await say(page, HEART)
    preview = f"{(await house.claim()).job.id}.webp"  # which the runner has removed
    late = Card("a late one", "Finishing the clip.", "busy", bar=1.0, preview=preview)
    async with page.expect_response(re.compile("/previews/")) as answered:
        handle = await house.surface.show(ADDRESS, late, "n")
    assert (await answered.value).status == 204
    await house.surface.redraw(handle, replace(late, status="It is finished.", bar=None, final=True))
    await expect(card(page).get_by_text("It is finished.")).to_be_visible()
    await page.reload()
    await expect(card(page).get_by_text("It is finished.")).to_be_visible()
    assert len(asked) == 1
    assert complaints == []


async def test_a_waiting_card_counts_down(house: Any, page: Page) -> None:
    waiting = Card("a heart", "Number 2 in line.", "busy", ready_at=house.clock() + 3600)
    handle = await house.surface.show(ADDRESS, waiting, "n")
    expected = card(page).locator(".expected")
    await expect(expected).to_have_text(re.compile(r"^, ready in about (1 h|59 min \d+ s)\.$"))
    first = await expected.text_content()
    await expect(expected).not_to_have_text(first or "")
    await house.surface.redraw(handle, replace(waiting, ready_at=house.clock() - 1))
    await expect(expected).to_have_text(", ready any moment.")


async def test_the_keyboard_alone_is_enough(house: Any, loops: None, page: Page) -> None:
    await page.keyboard.type("a cat spinning on green")  # the line has the focus when the page opens
    await page.keyboard.press("Enter")
    await expect(card(page).get_by_text("Next in line")).to_be_visible()
    await page.keyboard.press("Shift+Tab")  # "/" before the line
    await page.keyboard.press("Shift+Tab")
    await expect(card(page).get_by_role("button", name="Cancel")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(card(page).get_by_text("Cancelled; it cost nothing.")).to_be_visible()
    await expect(card(page).get_by_role("button", name="Again")).to_be_focused()
    await page.keyboard.press("Space")
    await expect(page.get_by_role("article")).to_have_count(2)
    await expect(card(page).get_by_text("Next in line")).to_be_visible()


async def test_a_clip_is_deleted_after_one_question(house: Any, loops: None, page: Page) -> None:
    await say(page, HEART)
    await house.finish(await house.claim())
    await card(page).get_by_role("button", name="Delete").click()
    await expect(card(page).get_by_text("Delete this clip for good?")).to_be_visible()
    await expect(card(page).get_by_role("button", name="Keep it")).to_be_focused()
    await page.keyboard.press("Escape")
    await card(page).get_by_role("button", name="Delete").click()
    await card(page).get_by_role("button", name="Delete", exact=True).click()
    await expect(page.get_by_role("heading", name="Deleted")).to_be_visible()
    await card(page).get_by_role("button", name="Dismiss").click()
    await expect(page.get_by_role("heading", name="What shall move?")).to_be_visible()
    await expect(prompt(page)).to_be_focused()


async def test_other_words_are_written_where_prompts_are(house: Any, loops: None, page: Page) -> None:
    await say(page, f"{HEART} --steps 3")
    await house.finish(await house.claim())
    await card(page).get_by_role("button", name="Edit").click()
    await expect(page.get_by_text("everything else stays as it was")).to_be_visible()
    await expect(prompt(page)).to_have_value(HEART)
    await expect(prompt(page)).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("everything else stays as it was")).to_be_hidden()
    await card(page).get_by_role("button", name="Edit").click()
    await expect(prompt(page)).to_have_value(HEART)
    await say(page, "a heart bouncing on green")
    await expect(page.get_by_role("article")).to_have_count(2)
    spec = (await house.claim()).job.spec
    assert (spec.prompt, spec.steps) == ("a heart bouncing on green", 3)
    await expect(page.get_by_text("everything else stays as it was")).to_be_hidden()
    await expect(prompt(page)).to_have_value("")


async def test_a_covered_clip_is_loaded_when_it_is_uncovered(house: Any, loops: None, page: Page) -> None:
    await say(page, HEART)
    lease = await house.claim()
    covered = replace(lease.job, verdict=replace(lease.job.verdict, spoiler=True))
    await house.finish(replace(lease, job=covered))
    await expect(card(page).get_by_role("link")).to_have_count(3)
    await expect(card(page).get_by_alt_text(HEART)).to_have_count(0)
    await card(page).get_by_role("button", name="Covered: show the clip").click()
    await expect(card(page).get_by_alt_text(HEART)).to_be_visible()


# --- the line and its menu ---


async def test_a_slash_lists_the_commands_and_the_keyboard_chooses(house: Any, loops: None, page: Page) -> None:
    await prompt(page).press_sequentially("/")
    options = page.get_by_role("option")
    await expect(options.first).to_contain_text("/video")
    await expect(prompt(page)).to_have_attribute("aria-expanded", "true")
    await prompt(page).press_sequentially("qu")
    await expect(options).to_have_text([re.compile("/queue"), re.compile("/quota")])
    await page.keyboard.press("ArrowDown")
    chosen = await prompt(page).get_attribute("aria-activedescendant")
    await expect(page.locator(f"#{chosen}")).to_contain_text("/quota")
    await page.keyboard.press("Enter")
    await expect(prompt(page)).to_have_value("/quota ")
    await page.keyboard.press("Enter")
    await expect(card(page).get_by_role("heading")).to_have_text("Your credit")
    await expect(card(page).get_by_text("Only you see this.")).to_be_visible()
    await card(page).get_by_role("button", name="Dismiss").click()
    await expect(page.get_by_role("article")).to_have_count(0)


async def test_options_are_listed_with_their_limits_and_values(house: Any, loops: None, page: Page) -> None:
    line, options = prompt(page), page.get_by_role("option")
    await line.press_sequentially("/video a heart --")
    await expect(options.filter(has_text="--steps")).to_contain_text("1 to 100")
    await line.press_sequentially("for")
    await expect(options).to_have_count(1)
    await page.keyboard.press("Tab")
    await expect(line).to_have_value("/video a heart --format ")
    await expect(options).to_have_text(["gif", "mp4", "webp"])
    await options.filter(has_text="webp").click()
    await line.press_sequentially("--size ")
    await expect(options.filter(has_text="32x32")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(options).to_have_count(0)
    await line.press_sequentially("32x32")
    await page.keyboard.press("Enter")
    await expect(card(page).get_by_role("heading")).to_have_text("a heart")
    job = (await house.claim()).job
    assert (job.format, job.spec.width) == ("webp", 32)


async def test_what_was_asked_before_and_suggestions_complete_a_prompt(house: Any, loops: None, page: Page) -> None:
    await say(page, "a heart beating")
    await expect(page.get_by_role("article")).to_have_count(1)
    await prompt(page).press_sequentially("a he")
    await expect(page.get_by_role("option")).to_have_text([re.compile("a heart beating"), re.compile(HEART)])
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(prompt(page)).to_have_value(HEART)


async def test_wrong_input_is_one_sentence_in_a_card_and_stays_to_be_changed(
    house: Any, loops: None, page: Page
) -> None:
    await page.get_by_role("button", name="Options").click()
    await page.get_by_label("steps").fill("abc")
    await say(page, "a heart")
    sentence = "The number of steps must be a whole number, not 'abc'; please write one."
    await expect(card(page).get_by_text(sentence)).to_be_visible()
    await expect(page.get_by_role("alert")).to_have_text(sentence)
    await expect(prompt(page)).to_have_value("a heart")
    await page.get_by_role("button", name="Options").click()
    await page.get_by_label("steps").fill("1000")
    await say(page, "a heart")
    await expect(card(page).get_by_text("must be between 1 and 50")).to_be_visible()
    await expect(page.get_by_role("article")).to_have_count(2)
    for left in (1, 0):
        await card(page).get_by_role("button", name="Dismiss").click()
        await expect(page.get_by_role("article")).to_have_count(left)


async def test_an_empty_prompt_is_told_beside_the_line_and_the_welcome_stays(
    house: Any, page: Page, browser: Browser
) -> None:
    other = await (await browser.new_context()).new_page()
    await other.goto(house.url)
    welcome = page.get_by_role("heading", name="What shall move?")
    sentence = re.compile("^The prompt is empty; say in a few words what to show")
    for text in ("", "/video"):
        await say(page, text)
        await expect(page.locator("#hint")).to_have_text(sentence)
        await expect(page.locator("#hint")).to_be_in_viewport(ratio=1)
        await expect(page.get_by_role("alert")).to_have_text(sentence)
        await expect(welcome).to_be_visible()
        await expect(prompt(page)).to_have_value(text)
        await expect(prompt(page)).to_be_focused()
    await prompt(page).fill("a heart")
    await expect(page.locator("#hint")).to_be_hidden()
    await page.keyboard.press("Enter")
    await expect(card(other).get_by_role("heading")).to_have_text("a heart")
    await expect(other.get_by_role("article")).to_have_count(1)
    await expect(page.get_by_role("article")).to_have_count(1)


async def test_other_words_that_are_none_are_asked_for_again(house: Any, loops: None, page: Page) -> None:
    await say(page, HEART)
    await house.finish(await house.claim())
    await card(page).get_by_role("button", name="Edit").click()
    await expect(prompt(page)).to_have_value(HEART)
    await say(page, " ")
    await expect(page.locator("#hint")).to_contain_text("The prompt is empty")
    await expect(page.get_by_text("everything else stays as it was")).to_be_visible()
    await expect(page.get_by_role("article")).to_have_count(1)


async def test_words_that_came_with_the_address_stand_in_the_line(house: Any, page: Page) -> None:
    await page.goto(f"{house.url}/#prompt=a+red+%26+blue+heart")
    await expect(prompt(page)).to_have_value("a red & blue heart")
    assert not page.url.endswith("heart")


# --- restarts, sleep, other tabs ---


async def test_the_server_killed_and_started_again_goes_on_without_a_reload(
    house: Any, loops: None, page: Page
) -> None:
    await page.get_by_role("button", name=HEART).click()
    await expect(card(page).get_by_text("Next in line")).to_be_visible()
    await page.evaluate("window.sameDocument = true")
    await house.stop()
    await expect(page.get_by_text("Zoetrope does not answer")).to_be_visible()
    lease = await house.claim()
    await house.step(lease, 1)
    await house.serve()
    await house.finish(lease)
    await expect(card(page).get_by_alt_text(HEART)).to_be_visible()
    await expect(page.get_by_text("Zoetrope does not answer")).to_be_hidden()
    assert await page.evaluate("window.sameDocument") is True
    await card(page).get_by_role("button", name="Again").click()
    await expect(page.get_by_role("article")).to_have_count(2)


@dataclass
class Line:
    """Between a browser and the server: one that went deaf passes nothing on and closes nothing, as in a sleep."""

    port: int = 0
    deaf: bool = False


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    line, tasks = Line(), set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, deafens: bool) -> None:
        try:
            while data := await reader.read(65536):
                if deafens and line.deaf:
                    await asyncio.Event().wait()
                writer.write(data)
        finally:
            writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        deafens = not line.deaf  # who comes after the sleep is heard
        tasks.add(asyncio.create_task(pass_on(reader, inner_writer, deafens)))
        tasks.add(asyncio.create_task(pass_on(inner_reader, writer, deafens)))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    line.port = server.sockets[0].getsockname()[1]
    yield line
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await server.wait_closed()


async def test_a_tab_that_slept_for_an_hour_on_a_dead_connection_comes_back_right(
    house: Any, loops: None, browser: Browser
) -> None:
    async with line_to(house.port) as line:
        await house.stop()
        await house.serve(names=[f"127.0.0.1:{line.port}"])
        tab = await (await browser.new_context()).new_page()
        await tab.clock.install()
        await tab.goto(f"http://127.0.0.1:{line.port}/")
        await tab.get_by_role("button", name=HEART).click()
        await expect(card(tab).get_by_text("Next in line")).to_be_visible()
        line.deaf = True
        await house.finish(await house.claim())
        await tab.clock.fast_forward("01:00:00")
        await expect(card(tab).get_by_alt_text(HEART)).to_be_visible()
        await tab.context.close()
        await house.stop()


async def test_buttons_work_from_a_second_tab(house: Any, loops: None, page: Page) -> None:
    await say(page, HEART)
    await expect(card(page).get_by_text("Next in line")).to_be_visible()
    second = await page.context.new_page()
    await second.goto(house.url)
    await expect(card(second).get_by_text("You", exact=True)).to_be_visible()
    await card(second).get_by_role("button", name="Cancel").click()
    await expect(card(page).get_by_text("Cancelled; it cost nothing.")).to_be_visible()


async def test_what_one_browser_asks_appears_in_the_others_who_are_not_offered_to_cancel_it(
    house: Any, loops: None, page: Page, browser: Browser
) -> None:
    other = await (await browser.new_context()).new_page()
    await other.goto(house.url)
    await page.get_by_role("button", name=HEART).click()
    await expect(card(other).get_by_role("heading")).to_have_text(HEART)
    await expect(card(other).get_by_text("Guest")).to_be_visible()
    await expect(card(other).get_by_text("Next in line")).to_be_visible()
    await expect(card(other).get_by_role("button")).to_have_count(0)
    await expect(card(page).get_by_role("button", name="Cancel")).to_be_visible()
    await house.step(await house.claim(), 2)
    await expect(card(other).get_by_text("step 2 of 4")).to_be_visible()
    await expect(card(other).get_by_role("button")).to_have_count(0)


async def test_who_did_not_ask_for_a_clip_may_ask_again_report_and_download_it_only(
    house: Any, loops: None, page: Page, browser: Browser
) -> None:
    await say(page, HEART)
    await house.finish(await house.claim())
    other = await (await browser.new_context()).new_page()
    await other.goto(house.url)
    await expect(card(other).get_by_role("link")).to_have_text(["GIF", "MP4", "WebP"])
    await expect(card(other).locator(".deeds button")).to_have_text(["Again", "Report"])
    await expect(card(page).locator(".deeds button")).to_have_text(["Again", "Edit", "Delete"])
    await card(other).get_by_role("button", name="Again").click()
    await expect(card(other).get_by_text("Next in line")).to_be_visible()
    await expect(card(other).get_by_role("button", name="Cancel")).to_be_visible()
    await expect(card(page).get_by_text("Next in line")).to_be_visible()
    await expect(card(page).get_by_role("button")).to_have_count(0)


async def test_a_refusal_is_appealed_by_the_one_who_asked_only(house: Any, page: Page, browser: Browser) -> None:
    other = await (await browser.new_context()).new_page()
    await other.goto(house.url)
    await say(page, "a naked woman")
    await expect(card(page).get_by_role("button", name="Appeal")).to_be_visible()
    await expect(card(other).get_by_role("heading")).to_have_text("Not made")
    await expect(card(other).get_by_role("button")).to_have_count(0)


async def test_an_answer_for_one_is_not_in_the_other_s_room(
    house: Any, loops: None, page: Page, browser: Browser
) -> None:
    other = await (await browser.new_context()).new_page()
    await other.goto(house.url)
    await say(page, "/help")
    await expect(card(page).get_by_text("Only you see this.")).to_be_visible()
    await say(other, HEART)
    await expect(page.get_by_role("article")).to_have_count(2)
    await expect(other.get_by_role("article")).to_have_count(1)


# --- hostile words ---


async def test_what_people_ask_for_is_shown_and_never_runs(house: Any, loops: None, page: Page) -> None:
    house.core.commands.allowance = replace(house.core.commands.allowance, waiting=1000, credits=10**9)
    for text in XSS:
        await say(page, text)
        await prompt(page).fill("")
    await say(page, "the last one")
    await expect(card(page).get_by_role("heading")).to_have_text("the last one")
    await page.reload()
    await expect(page.get_by_role("heading", name="the last one")).to_be_visible()
    await untouched(page)


async def test_no_part_of_a_card_is_markup(house: Any, page: Page) -> None:
    shown = XSS[-45:]  # as many as a fresh page gets
    for number, text in enumerate(shown):
        buttons = (Button(text[:20], "x:1"),)
        made = Card(text, text, "bad", facts=((text, text),), buttons=buttons, final=True)
        handle = await house.surface.show(ADDRESS, made, f"n{number}")
        await house.surface.notify(handle, Asker("web", "b"), text, "n")
    headings = page.get_by_role("article").get_by_role("heading")
    await expect(headings).to_have_count(len(shown))
    assert await headings.all_text_contents() == shown
    await page.reload()
    await expect(headings).to_have_count(len(shown))
    await untouched(page)


async def untouched(page: Page) -> None:
    assert await page.evaluate("[window.hit, Object.prototype.hit]") == [None, None]
    strange = "script, iframe, object, embed, svg, math, form, input, style, link, base, template, a[href^=javascript]"
    assert await page.locator("#room").locator(strange).count() == 0


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


# --- small, dark, still; another language ---


async def test_it_fits_a_phone_in_the_dark_and_stands_still_where_motion_is_unwelcome(
    house: Any, loops: None, page: Page, browser: Browser
) -> None:
    await say(page, HEART)
    await house.finish(await house.claim())
    await expect(card(page).get_by_role("link")).to_have_count(3)
    phone = await browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark", reduced_motion="reduce", has_touch=True
    )
    small = await phone.new_page()
    await small.goto(house.url)
    play = small.get_by_role("button", name="Play the clip")
    await expect(play).to_be_visible()
    await expect(small.get_by_alt_text(HEART)).to_be_hidden()
    await play.click()
    await expect(small.get_by_alt_text(HEART)).to_be_visible()
    await small.get_by_role("button", name="Commands").click()
    await expect(small.get_by_role("option").first).to_be_in_viewport(ratio=1)
    assert await small.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await small.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 21, 19)"


async def test_no_suggestion_is_cut_off_on_a_phone(house: Any, browser: Browser) -> None:
    phone = await browser.new_context(viewport={"width": 320, "height": 640})
    small = await phone.new_page()
    await small.goto(house.url)
    await expect(small.get_by_role("button", name=HEART)).to_be_visible()
    for chip in await small.locator("#chips button").all():
        box = await chip.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
        assert await chip.evaluate("chip => chip.scrollWidth <= chip.clientWidth")


async def test_the_page_speaks_the_browser_s_language(house: Any, loops: None, browser: Browser) -> None:
    german = catalogue("de")
    context = await browser.new_context(locale="de-DE")
    page = await context.new_page()
    await page.goto(house.url)
    await expect(page.get_by_text(german["What shall move?"])).to_be_visible()
    await page.get_by_role("button", name=german["Help"]).click()
    await expect(card(page).get_by_text(german["Only you see this."])).to_be_visible()
