"""The gallery over real sockets: what is on the wall, what is found, what is never shown, which files are served."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from bot.surfaces.web.gallery import PAGE_CLIPS
from db import gallery
from tests.surfaces.web_wall import film, numbered

SOON = 20.0  # seconds: a bound for waits that end much earlier
HOSTILE = [
    '"',
    "'",
    "a AND",
    "NEAR(a b)",
    "NOT",
    "* ^ :",
    "prompt: heart",
    "(((",
    "clip_words MATCH",
    "_",
    "²",
    "\x00heart",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "%00",
    "a-" * 5000,
    " ".join(map(str, range(3000))),
    "'; DROP TABLE clips; --",
    "<script>window.hit = 1</script>",
    "𝕙𝕖𝕒𝕣𝕥 ❤ \u202eheart",
]


@pytest.fixture
async def client(house: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=house.url, timeout=SOON) as opened:
        yield opened


async def prompts(client: httpx.AsyncClient, **parameters: str) -> list[str]:
    """The prompts on the wall, all pages of it."""
    found: list[str] = []
    after = ""
    while True:
        page = (await client.get("/gallery/clips", params={**parameters, "after": after})).json()
        found += [clip["title"] for clip in page["clips"]]
        if not page["more"]:
            return found
        after = page["clips"][-1]["key"]


# --- the wall ---


async def test_the_wall_comes_with_its_newest_clips_and_runs_no_script_but_its_own(
    house: Any, client: httpx.AsyncClient
) -> None:
    await film(house, "</script><script>window.hit = 1</script>", "an older heart")
    page = await client.get("/gallery")
    blocks = re.findall(r"<script([^>]*)>(.*?)</script>", page.text, re.DOTALL)
    assert [bool(text) for _, text in blocks if "application/json" not in _] == [False]
    first = json.loads(next(text for kind, text in blocks if "application/json" in kind))
    assert [clip["title"] for clip in first["clips"]] == ["</script><script>window.hit = 1</script>", "an older heart"]
    assert first["count"] == 2
    assert re.findall(r"\son[a-z]+=|style=", page.text) == []
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_every_clip_is_on_the_wall_once_and_newest_first_however_many_were_finished_at_once(
    house: Any, client: httpx.AsyncClient
) -> None:
    count = 2 * PAGE_CLIPS + 10
    together = await film(house, *numbered("at once", range(count)), step=0.0)
    older = await film(house, "the oldest", at=1.0)
    by_id = [clip.spec.prompt for clip in sorted(together, key=lambda clip: clip.id)]
    assert await prompts(client) == [*by_id, older[0].spec.prompt]


async def test_a_page_deep_down_goes_on_where_the_last_one_ended_although_clips_came_and_went(
    house: Any, client: httpx.AsyncClient
) -> None:
    clips = await film(house, *numbered("a heart", range(PAGE_CLIPS + 5)))
    first = (await client.get("/gallery/clips")).json()
    async with house.core.database.transaction() as tx:
        await gallery.forget(tx, clips[PAGE_CLIPS - 1].id)  # the one whose key is asked for
    await film(house, "a new one", at=2e9)
    second = (await client.get("/gallery/clips", params={"after": first["clips"][-1]["key"]})).json()
    assert [clip["title"] for clip in second["clips"]] == numbered("a heart", range(PAGE_CLIPS, PAGE_CLIPS + 5))


async def test_an_open_wall_learns_what_came_and_went_and_is_told_shortly_when_nothing_did(
    house: Any, client: httpx.AsyncClient
) -> None:
    clips = await film(house, *numbered("a heart", range(4)))
    page = (await client.get("/gallery/clips")).json()
    until = {"until": page["clips"][2]["key"]}
    before = await client.get("/gallery/ids", params=until)
    assert before.json()["ids"] == [clip.id for clip in clips[:3]]
    tag = {"if-none-match": before.headers["etag"]}
    assert (await client.get("/gallery/ids", params=until, headers=tag)).status_code == 304
    async with house.core.database.transaction() as tx:
        await gallery.forget(tx, clips[1].id)
    new = await film(house, "a new one", at=2e9)
    after = await client.get("/gallery/ids", params=until, headers=tag)
    assert after.json()["ids"] == [new[0].id, clips[0].id, clips[2].id]


@pytest.mark.parametrize("path", ["/gallery/clips?after=", "/gallery/ids?until="])
@pytest.mark.parametrize("key", ["x", "1_", "_a", "1e400_a", "1.5_A", "-1_a", "9" * 400 + "_a"])
async def test_a_place_that_nobody_was_given_is_said_to_be_unknown(
    client: httpx.AsyncClient, path: str, key: str
) -> None:
    answer = await client.get(path + key)
    assert answer.status_code == 400
    assert answer.json()["sentence"].endswith(".")


# --- searching ---


async def test_words_are_found_by_their_beginnings_in_any_order(house: Any, client: httpx.AsyncClient) -> None:
    await film(house, "a red heart on blue", "a blue ball", "a red ball on green")
    assert await prompts(client, q="ball") == ["a blue ball", "a red ball on green"]
    assert await prompts(client, q="bl RED") == ["a red heart on blue"]
    assert await prompts(client, q="zebra") == []
    page = (await client.get("/gallery", params={"q": "ball"})).text
    assert 'value="ball"' in page
    assert '"count": 2' in page


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
async def test_nothing_that_is_searched_for_is_an_error(house: Any, client: httpx.AsyncClient, words: str) -> None:
    await film(house, "a heart")
    for path in ("/gallery", "/gallery/clips", "/gallery/random"):
        assert (await client.get(path, params={"q": words})).status_code == 200, path
    ids = await client.get("/gallery/ids", params={"q": words, "until": "1_a"})
    assert ids.status_code == 200


async def test_any_clip_is_one_of_those_with_the_words(house: Any, client: httpx.AsyncClient) -> None:
    assert (await client.get("/gallery/random")).json() == {"clip": None}
    await film(house, "a heart", "a ball")
    assert {(await client.get("/gallery/random?q=ball")).json()["clip"]["title"] for _ in range(5)} == {"a ball"}


# --- what is never shown ---


async def test_hidden_forgotten_and_foreign_clips_are_nowhere(house: Any, client: httpx.AsyncClient) -> None:
    hidden = await film(house, "a hidden heart", hidden=True)
    foreign = await film(house, "a heart elsewhere", place="other")
    foreign += await film(house, "a heart of a chat", surface="telegram")
    forgotten = await film(house, "a forgotten heart")
    moderated = await film(house, "a moderated heart")
    async with house.core.database.transaction() as tx:
        await gallery.forget(tx, forgotten[0].id)
        await gallery.hide(tx, moderated[0].id, gallery.MODERATORS)
    assert await prompts(client) == await prompts(client, q="heart") == []
    assert (await client.get("/gallery/ids?until=1_a")).json() == {"ids": []}
    assert (await client.get("/gallery/random")).json() == {"clip": None}
    for clip in [*hidden, *foreign, *forgotten, *moderated]:
        for name in ("", "/facts", "/still.webp", "/tile.webp", "/clip.gif", "/clip.mp4"):
            answer = await client.get(f"/gallery/{clip.id}{name}")
            assert answer.status_code == 404
            assert "no longer exists" in answer.text
            assert clip.spec.prompt not in answer.text


async def test_covered_clips_are_known_to_be_covered(house: Any, client: httpx.AsyncClient) -> None:
    clips = await film(house, "a surprise", spoiler=True)
    assert (await client.get("/gallery/clips")).json()["clips"][0]["covered"] is True
    page = (await client.get(f"/gallery/{clips[0].id}")).text
    assert "<details" in page
    assert "poster=" not in page
    assert 'preload="none"' in page


# --- a clip's own page ---


async def test_a_clip_s_page_tells_its_facts_and_where_it_came_from(house: Any, client: httpx.AsyncClient) -> None:
    first = (await film(house, "the first heart"))[0]
    again = (await film(house, "the second <heart>", origin=first.id, negative="blur", seed=41))[0]
    page = (await client.get(f"/gallery/{again.id}")).text
    assert "the second &lt;heart&gt;" in page
    facts = {fact["label"]: fact for fact in (await client.get(f"/gallery/{again.id}/facts")).json()["facts"]}
    assert {name: facts[name]["value"] for name in ("Seed", "Model", "Steps", "Size", "Not to show", "Length")} == {
        "Seed": "41",
        "Model": "pocket",
        "Steps": "4",
        "Size": "32x32, 8 frames",
        "Not to show": "blur",
        "Length": "1.0 s at 8 frames a second",
    }
    assert facts["Asked"]["value"] == "2025-11-22 08:27 UTC"
    assert facts["Finished"]["time"] == "2025-11-22T08:26:40+00:00"
    assert facts["Made again from"]["link"] == f"/gallery/{first.id}"
    assert f'href="/gallery/{first.id}"' in page
    assert 'href="/#prompt=the+second+%3Cheart%3E"' in page
    async with house.core.database.transaction() as tx:
        await gallery.forget(tx, first.id)
    assert "Made again from" not in (await client.get(f"/gallery/{again.id}")).text


async def test_the_gallery_speaks_the_browser_s_language(house: Any, client: httpx.AsyncClient) -> None:
    clip = (await film(house, "a heart"))[0]
    german = {"accept-language": "de-AT,de;q=0.9"}
    assert "Zurück zur Galerie" in (await client.get(f"/gallery/{clip.id}", headers=german)).text
    assert 'lang="de"' in (await client.get("/gallery", headers=german)).text
    gone = await client.get("/gallery/nothing", headers=german)
    assert "gibt es nicht mehr" in gone.text


# --- files ---


async def test_a_wall_gets_small_pictures_as_they_are_wanted(house: Any, client: httpx.AsyncClient) -> None:
    clip = (await film(house, "a heart"))[0]
    still = await client.get(f"/gallery/{clip.id}/still.webp")
    tile = await client.get(f"/gallery/{clip.id}/tile.webp")
    with Image.open(io.BytesIO(still.content)) as one, Image.open(io.BytesIO(tile.content)) as moving:
        assert one.size == moving.size == (32, 32)  # a crisp model's clip is enlarged by the page
        assert (getattr(one, "n_frames", 1), getattr(moving, "n_frames", 1)) == (1, 8)
    assert "immutable" in still.headers["cache-control"]
    tag = {"if-none-match": still.headers["etag"]}
    assert (await client.get(f"/gallery/{clip.id}/still.webp", headers=tag)).status_code == 304


@pytest.mark.parametrize(("kind", "begin"), [("gif", b"GIF89a"), ("mp4", b"ftyp"), ("webp", b"WEBP")])
async def test_a_clip_can_be_taken_home_in_every_format(
    house: Any, client: httpx.AsyncClient, kind: str, begin: bytes
) -> None:
    clip = (await film(house, "a heart"))[0]
    file = await client.get(f"/gallery/{clip.id}/clip.{kind}?download")
    assert begin in file.content[:16]
    assert file.headers["content-disposition"] == f'attachment; filename="zoetrope-{clip.id}.{kind}"'
    part = await client.get(f"/gallery/{clip.id}/clip.{kind}", headers={"range": "bytes=0-9"})
    assert (part.status_code, part.content) == (206, file.content[:10])


@pytest.mark.parametrize("name", ["clip.exe", "tile.gif", "still", "..%2fmaster", "clip.gif.webp", "facts.json"])
async def test_other_names_are_no_files(house: Any, client: httpx.AsyncClient, name: str) -> None:
    clip = (await film(house, "a heart"))[0]
    assert (await client.get(f"/gallery/{clip.id}/{name}")).status_code == 404


async def test_a_master_that_is_gone_is_said_in_a_sentence(house: Any, client: httpx.AsyncClient) -> None:
    clip = (await film(house, "a heart"))[0]
    await house.core.files.remove(clip.master)
    answer = await client.get(f"/gallery/{clip.id}/still.webp")
    assert (answer.status_code, "no longer kept" in answer.text) == (404, True)


async def test_a_picture_is_given_up_when_nobody_waits_for_it_any_more(house: Any, tmp_path: Path) -> None:
    clip = (await film(house, "a heart"))[0]
    begun, hung = tmp_path / "begun", tmp_path / "hung"
    os.mkfifo(begun)
    hung.write_text(f'#!/bin/sh\necho $$ > "{begun}"\nexec sleep 600\n')
    hung.chmod(0o755)
    encoder, house.core.renditions.ffmpeg = house.core.renditions.ffmpeg, str(hung)
    async with httpx.AsyncClient(base_url=house.url, timeout=SOON) as impatient:
        waiting = asyncio.create_task(impatient.get(f"/gallery/{clip.id}/tile.webp"))
        process = int(await asyncio.wait_for(asyncio.to_thread(begun.read_text), SOON))
        waiting.cancel()
        await asyncio.wait([waiting])
    house.core.renditions.ffmpeg = encoder
    async with httpx.AsyncClient(base_url=house.url, timeout=SOON) as patient:
        tile = await patient.get(f"/gallery/{clip.id}/tile.webp")  # it would stand behind the hung one
    assert tile.status_code == 200
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
