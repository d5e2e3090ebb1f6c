"""What a person can type wrong on the page: one sentence in the card's place, and nothing is queued or lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.records import JobState

if TYPE_CHECKING:
    from tests.flows.conftest import House

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize(
    ("prompt", "fields"),
    [
        ("", {}),
        ("   \t ", {}),
        ("long " * 2000, {}),
        ("\x07\x00\x1b", {}),
        ("a cat", {"steps": "0"}),
        ("a cat", {"steps": "-1"}),
        ("a cat", {"steps": "1000000000"}),
        ("a cat", {"steps": "abc"}),
        ("a cat", {"size": "1x1"}),
        ("a cat", {"size": "17x33"}),
        ("a cat", {"size": "100000x100000"}),
        ("a cat", {"frames": "100000"}),
        ("a cat", {"model": "pockett"}),
    ],
)
async def test_wrong_wishes_get_one_sentence_and_no_job(
    quiet_house: House, prompt: str, fields: dict[str, str]
) -> None:
    before = len(await quiet_house.jobs())
    answer = await quiet_house.ask(prompt, **fields)
    nothing_said = not any(char.isprintable() and not char.isspace() for char in prompt)
    assert answer["result"] == ("empty" if nothing_said else "problem")
    assert answer["sentence"].endswith((".", "?"))
    assert "\n" not in answer["sentence"]
    assert len(await quiet_house.jobs()) == before


async def test_a_right_to_left_prompt_is_a_prompt_like_any_other(quiet_house: House) -> None:
    answer = await quiet_house.ask("קרפדה קופצת על כחול", steps="1")
    assert answer["result"] == "queued"
    job = next(one for one in await quiet_house.jobs() if one.handle.message == answer["message"])
    assert job.spec.prompt == "קרפדה קופצת על כחול"
    assert (await quiet_house.until_ended(job.id)).state is JobState.DONE


async def test_a_misspelt_model_is_answered_with_the_nearest_name(quiet_house: House) -> None:
    assert "pocket" in (await quiet_house.ask("a cat", model="pockett"))["sentence"]
