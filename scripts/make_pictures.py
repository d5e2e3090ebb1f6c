"""Makes the pictures of the README from the real thing: `.venv/bin/python scripts/make_pictures.py`.

docs/images/ gets the page as chromium shows it: empty.png, page.png with finished clips and one being rendered,
menu.png, phone.png; the moderators' pages: queue.png, week.png; and clips.gif, a row of clips of the pocket model, with
the same seed for everybody.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from PIL import Image, ImageSequence
from playwright.sync_api import Browser, Page, expect, sync_playwright

IMAGES = Path(__file__).parent.parent / "docs" / "images"
ZOETROPE = [sys.executable, "-P", "-m", "bot"]
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
SEED = "7"
SHOWN = ("a star growing on black", "a car racing in the city", "a heart bouncing on blue")
ROW = (
    "a heart bouncing on blue",
    "a soccer ball bouncing on grass",
    "a car racing in the city",
    "a ghost shaking on purple",
    "a rocket flying up in space",
    "a moon rising in space",
)
SIDE = 128  # pixels of a clip in the row
WEEK = (  # what members ask for before a moderator comes
    "a ghost shaking on purple",
    "news footage of rain in Berlin",
    "naked people at a party",
    "leaked phone footage of a massacre in Kharkiv",
)
OPERATOR = "correct horse battery staple"
PATIENCE = 60_000  # milliseconds


def main() -> None:
    """Make all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        make_row(Path(folder), IMAGES / "clips.gif")
        make_page(Path(folder) / "data", IMAGES)
        make_console(Path(folder), IMAGES)


def make_row(folder: Path, out: Path) -> None:
    """Render the prompts of ROW and put the clips side by side."""
    subprocess.run([*ZOETROPE, "video", *ROW, "-o", str(folder / "row"), "--seed", SEED], check=True)
    clips = [_frames(path) for path in sorted((folder / "row").glob("*.gif"))]
    frames = [_side_by_side([clip[at % len(clip)] for clip in clips]) for at in range(max(map(len, clips)))]
    frames[0].save(out, save_all=True, append_images=frames[1:], duration=130, loop=0)


def _frames(path: Path) -> list[Image.Image]:
    with Image.open(path) as gif:
        return [frame.convert("RGB").resize((SIDE, SIDE), Image.Resampling.NEAREST) for frame in _each(gif)]


def _each(gif: Image.Image) -> Iterator[Image.Image]:
    yield from ImageSequence.Iterator(gif)


def _side_by_side(pictures: Sequence[Image.Image]) -> Image.Image:
    row = Image.new("RGB", (SIDE * len(pictures), SIDE))
    for at, picture in enumerate(pictures):
        row.paste(picture, (SIDE * at, 0))
    return row


def make_page(data: Path, folder: Path) -> None:
    """Ask for clips in a fresh room and photograph its main states."""
    with _playing(data) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        page = chromium.new_page(viewport={"width": 880, "height": 1000}, color_scheme="light")
        page.goto(address)
        page.locator("#chips button").first.wait_for(timeout=PATIENCE)
        page.screenshot(path=folder / "empty.png")
        for number, prompt in enumerate(SHOWN, start=1):
            _ask(page, f"{prompt} --seed {SEED}")
            expect(page.get_by_role("button", name="Delete")).to_have_count(number, timeout=PATIENCE)
        _ask(page, f"a rocket flying up in space --seed {SEED} --steps 80")
        rendering = page.get_by_text(re.compile(r"step [2-5][0-9] of"))  # there is a preview by now
        rendering.first.wait_for(timeout=PATIENCE)
        page.screenshot(path=folder / "page.png")
        page.locator("#prompt").press_sequentially("/")
        page.get_by_role("option").first.wait_for()
        page.screenshot(path=folder / "menu.png")
        _photograph_phone(chromium, address, folder / "phone.png")
        chromium.close()


def _photograph_phone(chromium: Browser, address: str, out: Path) -> None:
    phone = chromium.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark", device_scale_factor=2)
    phone.goto(address)
    phone.get_by_role("link", name="WebP").nth(len(SHOWN) - 1).wait_for(timeout=PATIENCE)
    phone.get_by_role("article").nth(len(SHOWN) - 1).scroll_into_view_if_needed()
    phone.evaluate("Promise.all([...document.images].map(image => image.decode()))")
    phone.screenshot(path=out)


def _ask(page: Page, text: str) -> None:
    page.locator("#prompt").fill(text)
    page.locator("#prompt").press("Enter")


def make_console(folder: Path, out: Path) -> None:
    """Members ask, three of them report, one appeals; the operator signs in and is photographed at work."""
    secret, config = folder / "operator.password", folder / "config.toml"
    subprocess.run([*ZOETROPE, "web-password", str(secret)], input=OPERATOR, text=True, check=True)
    config.write_text(f'[web]\nport = 0\noperator_password_file = "{secret}"\n', encoding="utf-8")
    line = [*ZOETROPE, "run", "--config", str(config), "--data", str(folder / "moderated")]
    with _serving(line) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        _ask_and_appeal(chromium.new_page(), address)
        for _ in range(3):
            _report(chromium.new_page(), address)
        page = chromium.new_page(viewport={"width": 1000, "height": 790}, color_scheme="light")
        page.goto(f"{address}/moderation")
        page.locator("#password").fill(OPERATOR)
        page.keyboard.press("Enter")
        page.locator(".places a").first.click()
        page.locator("article.current").wait_for(timeout=PATIENCE)
        page.keyboard.press("Space")
        clip = page.locator("article.current video")
        expect(clip).to_have_js_property("readyState", 4, timeout=PATIENCE)  # all of it is there
        clip.evaluate("video => new Promise(seen => video.requestVideoFrameCallback(seen))")
        page.screenshot(path=out / "queue.png")
        page.goto(f"{address}/moderation/at/web/main/week")
        page.screenshot(path=out / "week.png")
        chromium.close()


def _ask_and_appeal(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("#chips button").first.wait_for(timeout=PATIENCE)
    for prompt in WEEK:
        _ask(page, f"{prompt} --seed {SEED}" if prompt == WEEK[0] else prompt)
    expect(page.get_by_role("button", name="Delete")).to_have_count(2, timeout=PATIENCE)
    page.get_by_role("button", name="Appeal").first.click()
    page.close()


def _report(page: Page, address: str) -> None:
    """A browser of its own is a member of its own."""
    page.goto(address)
    card = page.get_by_role("article").filter(has_text=WEEK[0])
    card.get_by_role("button", name="Report").click(timeout=PATIENCE)
    page.keyboard.type("it scares the little ones")
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    page.close()


def _playing(data: Path) -> AbstractContextManager[str]:
    """`zoetrope play` on a folder; its address."""
    return _serving([*ZOETROPE, "play", "--port", "0", "--data", str(data)])


@contextmanager
def _serving(line: Sequence[str]) -> Iterator[str]:
    """The page of this command; its address."""
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as bot:
        assert bot.stdout is not None
        try:
            found = re.search(r"http://[0-9.:]+", bot.stdout.readline())
            assert found is not None, "zoetrope did not start"
            yield found[0]
        finally:
            bot.terminate()


if __name__ == "__main__":
    main()
