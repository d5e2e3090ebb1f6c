"""What is typed and pressed on the page: commands, answers for one browser alone, other words, cards put away."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bot.cards import Card
from bot.language import catalogue
from bot.surfaces.web.callers import language_of
from db import queue, room
from db.records import Address, Asker

ADDRESS = Address("web", "main")


async def messages(house: Any) -> list[room.RoomMessage]:
    async with house.core.database.reading() as tx:
        return await room.latest(tx, "main", 100)


async def said(visitor: Any, text: str) -> dict[str, Any]:
    answer = await visitor.post("/say", {"text": text})
    assert answer.status_code == 200
    return dict(answer.json())


async def jobs_waiting(house: Any) -> int:
    async with house.core.database.reading() as tx:
        return len(await queue.waiting(tx))


ANSWERED = [
    ("/help", "Zoetrope"),
    ("/start", "Zoetrope"),
    ("/queue", "Your clips"),
    ("/quota", "Your credit"),
    ("/quota --steps 8", "Your credit"),
    ("/settings", "Your settings"),
    ("/settings format=mp4", "Your settings"),
    ("/privacy", "What is stored"),
    ("/link", "Link"),
    ("/cancel", "Zoetrope"),
]


@pytest.mark.parametrize(("text", "title"), ANSWERED)
async def test_an_answer_comes_to_the_browser_that_asked_and_stays_out_of_the_room(
    house: Any, enter: Any, text: str, title: str
) -> None:
    reply = await said(await enter(), text)
    assert (reply["result"], reply["card"]["title"]) == ("answer", title)
    assert await messages(house) == []


@pytest.mark.parametrize(
    ("text", "page"), [("/gallery", "/gallery"), ("/gallery red & blue", "/gallery?q=red+%26+blue")]
)
async def test_the_gallery_is_a_page_of_its_own(house: Any, enter: Any, text: str, page: str) -> None:
    assert (await said(await enter(), text))["go"] == page


async def test_typed_options_and_chosen_ones_come_together_and_what_was_typed_goes_before(
    house: Any, enter: Any
) -> None:
    visitor = await enter()
    await visitor.post("/say", {"text": "/video a heart --steps 3", "steps": "9", "seed": "7", "size": "48x48"})
    spec = (await house.claim()).job.spec
    assert (spec.prompt, spec.steps, spec.seed, spec.width, spec.height) == ("a heart", 3, 7, 48, 48)


async def test_the_newest_clip_can_be_asked_for_again_and_cancelled_by_name(house: Any, enter: Any) -> None:
    visitor = await enter()
    await said(visitor, "a heart")
    again = await said(visitor, "/again")
    assert (again["result"], await jobs_waiting(house)) == ("queued", 2)
    gone = await said(visitor, f"/cancel {again['job']}")
    assert gone["card"]["status"] == "Cancelled; it cost nothing."
    assert await jobs_waiting(house) == 1


async def test_a_clip_can_be_shown_once_more_by_its_id_and_by_chance(house: Any, enter: Any, loops: None) -> None:
    visitor = await enter()
    await said(visitor, "a heart")
    clip = await house.finish(await house.claim())
    assert (await said(visitor, f"/show {clip.id}"))["result"] == "shown"
    assert (await said(visitor, "/random"))["result"] == "shown"
    assert len(await messages(house)) == 3


async def test_other_words_keep_everything_else(house: Any, enter: Any) -> None:
    visitor, other = await enter(), await enter()
    first = await said(visitor, "a heart --steps 3")
    (message,) = await messages(house)
    await house.finish(await house.claim())
    token = f"e:{first['job']}"
    asked = (await visitor.post("/press", {"button": token})).json()
    assert (asked["result"], asked["prompt"], asked["job"]) == ("ask prompt", "a heart", first["job"])
    assert (await other.post("/press", {"button": token})).json()["result"] == "not yours"
    edited = (await visitor.post("/edit", {"job": asked["job"], "text": "a star"})).json()
    assert edited["result"] == "queued"
    assert edited["message"] != message.id
    spec = (await house.claim()).job.spec
    assert (spec.prompt, spec.steps) == ("a star", 3)


async def test_a_prompt_that_is_refused_is_appealed_from_its_card(house: Any, enter: Any) -> None:
    visitor = await enter()
    refused = await said(visitor, "a naked woman")
    assert refused["result"] == "refused"
    (message,) = await messages(house)
    assert "naked" not in str(message.card)
    token = message.card["card"]["buttons"][0]["token"]
    assert (await visitor.post("/press", {"button": token})).json()["result"] == "appealed"


async def test_a_card_that_says_no_is_put_away_by_its_asker_alone(house: Any, enter: Any) -> None:
    visitor, other = await enter(), await enter()
    no = await said(visitor, "a heart --steps 1000")
    assert [message.id for message in await messages(house)] == [no["message"]]
    assert (await other.post("/dismiss", {"message": no["message"]})).json()["result"] == "not yours"
    assert len(await messages(house)) == 1
    assert (await visitor.post("/dismiss", {"message": no["message"]})).json()["result"] == "dismissed"
    assert await messages(house) == []
    assert (await visitor.post("/dismiss", {"message": no["message"]})).json()["result"] == "dismissed"


async def test_a_card_that_goes_on_or_carries_a_clip_stays(house: Any, enter: Any) -> None:
    visitor = await enter()
    running = await said(visitor, "a heart")
    assert (await visitor.post("/dismiss", {"message": running["message"]})).json()["result"] == "not yours"
    assert len(await messages(house)) == 1


async def test_the_card_of_a_deleted_clip_is_still_its_asker_s_to_put_away(house: Any, enter: Any) -> None:
    visitor = await enter()
    asked = await said(visitor, "a heart")
    handle = (await house.claim()).job.handle
    await house.surface.redraw(handle, Card("Deleted", "The clip was deleted.", final=True))
    assert (await visitor.post("/dismiss", {"message": asked["message"]})).json()["result"] == "dismissed"


async def test_nobody_s_id_can_be_read_from_the_room(house: Any, enter: Any) -> None:
    visitor = await enter()
    await said(visitor, "a heart")
    (message,) = await messages(house)
    asker = Asker(**message.card["asker"])
    page = (await visitor.client.get("/")).text
    async with visitor.client.stream("GET", "/events") as stream:
        async for line in stream.aiter_lines():
            if line.startswith("data: ["):
                assert asker.id not in line
                break
    assert asker.id not in page


async def test_suggestions_are_of_the_one_who_types(house: Any, enter: Any) -> None:
    visitor, other = await enter(), await enter()
    await said(visitor, "a heart bouncing")

    async def found(who: Any, kind: str, start: str) -> list[str]:
        answer = await who.client.get("/suggestions", params={"kind": kind, "start": start})
        return [each["value"] for each in answer.json()]

    assert await found(visitor, "prompts", "a he") == ["a heart bouncing"]
    assert await found(other, "prompts", "a he") == []
    assert await found(visitor, "models", "poc") == ["pocket"]
    assert "32x32" in await found(visitor, "sizes", "")
    assert await found(visitor, "passwords", "") == []


# --- language ---


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,en;q=0.8", "de"),
        ("en-GB,de;q=0.9", "en"),
        ("fr,de;q=0.5,en;q=0.4", "de"),
        ("fr", "en"),
        ("en;q=0.1, de;q=0.2", "de"),
        ("de;q=0", "en"),
        ("*;q=0.1", "en"),
        ("de;q=9999999", "en"),
        (",;,=;" * 50, "en"),
    ],
)
def test_the_browser_s_language_is_spoken_where_we_know_it(accepted: str, language: str) -> None:
    assert language_of(accepted) == language


async def test_page_cards_and_sentences_are_in_the_browser_s_language(house: Any, enter: Any) -> None:
    visitor = await enter()
    visitor.client.headers["accept-language"] = "de-CH,de;q=0.9"
    german = catalogue("de")
    page = (await visitor.client.get("/")).text
    assert '<html lang="de">' in page
    assert german["Suggestions"] in page
    assert (await said(visitor, "/queue"))["card"]["title"] == german["Your clips"]
    await said(visitor, "a heart --steps 1000")
    (message,) = await messages(house)
    assert message.card["card"]["title"] == german["Please change one thing"]


# --- pages that are not there ---


async def test_a_page_that_is_not_there_is_a_sentence_with_a_way_back(house: Any) -> None:
    async with httpx.AsyncClient(base_url=house.url) as client:
        seen = await client.get("/nowhere", headers={"accept": "text/html"})
        fetched = await client.get("/nowhere")
        wrong = await client.get("/say", headers={"accept": "text/html"})
    assert (seen.status_code, fetched.status_code, wrong.status_code) == (404, 404, 405)
    assert "There is no such page here; go back to the room." in seen.text
    assert 'href="/"' in seen.text
    assert fetched.text == "There is no such page here; go back to the room."
    assert "go back to the room." in wrong.text
