"""What members have over their data: handed out in parts that fit, deleted once they have said so twice."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from bot import cards, intents, parcels
from bot.answers import Answers
from bot.answers.my_data import ASK_SECONDS, Export, days_of
from bot.cards import Card
from bot.outcomes import Result
from bot.parcels import share_out
from db import people, places, quotas, standing
from db.config import RetentionConfig
from db.records import (
    Address,
    Asker,
    Caller,
    Circumstances,
    Curb,
    Handle,
    JobState,
    PersonSettings,
    PlaceSettings,
    Restriction,
)

if TYPE_CHECKING:
    from tests.bot.conftest import World

ADA, BOB = Asker("recording", "ada"), Asker("recording", "bob")
HERE = Address("recording", "here")
ME, OTHER = Caller(ADA, HERE), Caller(BOB, HERE)
ROOMY = 10_000_000


@pytest.fixture
def answers(world: World) -> Answers:
    return Answers(world.commands)


def unpacked(export: Export) -> tuple[dict[str, Any] | None, list[str]]:
    """data.json and the names of the clips of a part."""
    assert export.path is not None
    with zipfile.ZipFile(export.path) as parcel:
        assert parcel.testzip() is None
        names = parcel.namelist()
        data = json.loads(parcel.read("data.json")) if "data.json" in names else None
    return data, [name for name in names if name.startswith("clips/")]


def pending(card: Card) -> str:
    """What the card's first button would confirm."""
    intent = intents.parse(card.buttons[0].token)
    assert isinstance(intent, intents.Confirm)
    return intent.pending


async def everywhere(world: World, needle: str) -> set[str]:
    """The tables in which the needle occurs."""
    found = set()
    async with world.database.reading() as tx:
        names = (await tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))).scalars().all()
        for name in names:
            for row in await tx.execute(text(f'SELECT * FROM "{name}"')):
                if any(needle in str(value) for value in row):
                    found.add(name)
    return found


# --- a copy ---


async def test_everything_about_a_person_is_handed_out_with_their_clips(world: World, answers: Answers) -> None:
    mine = await world.rendered("a quokka")
    await world.rendered("a wombat", asker=BOB)
    async with world.database.transaction() as tx:
        await people.put(tx, ADA, PersonSettings(format="mp4"))
    export = await answers.my_data_export(ME, limit_bytes=ROOMY)
    data, clips = unpacked(export)
    assert data is not None
    assert clips == [f"clips/{mine.clip}.mp4"]
    assert data["people"][0]["settings"]["format"] == "mp4"
    assert [clip["spec"]["prompt"] for clip in data["clips"]] == ["a quokka"]
    assert data["clips"][0]["created at"].startswith("1970-01-12T")
    assert "wombat" not in json.dumps(data)
    assert export.path is not None
    assert export.path.is_relative_to(world.folder / "exports")
    assert export.card.asker == ADA


async def test_what_was_handed_out_is_discarded(world: World, answers: Answers) -> None:
    export = await answers.my_data_export(ME, limit_bytes=ROOMY)
    export.discard()
    assert list((world.folder / "exports").iterdir()) == []


async def test_what_was_left_lying_is_swept_and_what_is_being_sent_is_not(world: World, answers: Answers) -> None:
    old, young = [await answers.my_data_export(ME, limit_bytes=ROOMY) for _ in range(2)]
    somebodys = world.folder / "exports" / "mine"
    somebodys.mkdir()
    assert old.path is not None
    assert young.path is not None
    for path in (old.path.parent, somebodys):
        os.utime(path, (1.0, 1.0))
    parcels.sweep(world.folder)
    assert not old.path.exists()
    assert young.path.exists()
    assert somebodys.exists()


async def test_parts_fit_and_have_every_clip_once(world: World, answers: Answers) -> None:
    clips = []
    for number in range(5):
        world.clock.now += 1
        clips.append((await world.rendered(f"a quokka {number}")).clip)
    size = world.master.stat().st_size
    limit = 5000 + 2 * (size + 400)
    seen: list[str] = []
    part, parts = 1, 1
    while part <= parts:
        export = await answers.my_data_export(ME, part, limit)
        assert export.path is not None
        assert export.parcel is not None
        assert export.path.stat().st_size <= limit
        data, names = unpacked(export)
        assert (data is not None) == (part == 1)
        seen += names
        part, parts = part + 1, export.parcel.parts
    assert parts > 1
    assert seen == [f"clips/{clip}.mp4" for clip in clips]
    beyond = await answers.my_data_export(ME, parts + 1, limit)
    assert beyond.path is None
    assert str(parts) in beyond.card.status


@pytest.mark.parametrize(
    ("sizes", "first", "limit", "shares"),
    [
        ([], 10, 5000, [(0, 0)]),
        ([100, 100], 10, 5000, [(0, 2)]),
        ([2000, 2000, 2000], 10, 6000, [(0, 2), (2, 3)]),
        ([3000], 4000, 5000, [(0, 0), (0, 1)]),  # the data alone fills the first
        ([3000, 3000], 10, 5000, [(0, 1), (1, 2)]),
    ],
)
def test_files_are_shared_out_in_their_order(
    sizes: list[int], first: int, limit: int, shares: list[tuple[int, int]]
) -> None:
    assert share_out(sizes, first, limit) == [slice(*share) for share in shares]


async def test_a_clip_that_is_too_large_comes_as_a_gif_that_fits(world: World, answers: Answers) -> None:
    delivery = await world.rendered("a quokka")
    path = await world.files.local((await world.clip(delivery.clip)).master)  # type: ignore[union-attr]
    with path.open("ab") as master:
        master.write(b"\0" * 200_000)  # still a clip, though a large one
    export = await answers.my_data_export(ME, 1, 100_000)
    assert export.parcel is not None
    _, first = unpacked(export)
    second = [] if export.parcel.parts == 1 else unpacked(await answers.my_data_export(ME, 2, 100_000))[1]
    assert first + second == [f"clips/{delivery.clip}.gif"]


async def test_a_clip_without_a_file_is_named_with_the_reason(world: World, answers: Answers) -> None:
    delivery = await world.rendered("a quokka")
    (await world.files.local((await world.clip(delivery.clip)).master)).unlink()  # type: ignore[union-attr]
    data, clips = unpacked(await answers.my_data_export(ME, limit_bytes=ROOMY))
    assert clips == []
    assert data is not None
    assert data["files"] == [{"clip": delivery.clip, "left out": "Its file is no longer on the disk."}]


async def test_what_fits_into_no_file_of_that_size_is_told(answers: Answers) -> None:
    export = await answers.my_data_export(ME, 1, 100)
    assert export.path is None
    assert "zoetrope mydata export" in export.card.status


async def test_a_full_disk_is_told(world: World, answers: Answers) -> None:
    (world.folder / "exports").write_text("in the way")
    export = await answers.my_data_export(ME, limit_bytes=ROOMY)
    assert export.path is None
    assert "try again" in export.card.status


async def test_of_a_parcel_that_could_not_be_packed_nothing_stays(world: World) -> None:
    delivery = await world.rendered("a quokka")
    clip = await world.clip(delivery.clip)
    assert clip is not None
    path = world.folder / "exports" / "0123456789" / "zoetrope-data-1-of-1.zip"
    with pytest.raises(FileNotFoundError):
        parcels._write(path, b"{}", [parcels._Thing(clip, world.folder / "gone.mkv", 5)])
    assert list((world.folder / "exports").iterdir()) == []


async def test_a_clip_from_before_there_were_zips_is_packed(world: World, answers: Answers) -> None:
    delivery = await world.rendered("a quokka")
    os.utime(await world.files.local((await world.clip(delivery.clip)).master), (0.0, 0.0))  # type: ignore[union-attr]
    _, clips = unpacked(await answers.my_data_export(ME, limit_bytes=ROOMY))
    assert len(clips) == 1


# --- deleting ---


async def test_deleting_asks_first(world: World, answers: Answers) -> None:
    await world.rendered("a quokka")
    card = await answers.my_data_delete(ME)
    assert card.asker == ADA
    assert len(card.buttons) == 2
    outcome = await world.press(ME, intents.Dismiss(pending(card)))
    assert outcome.result is Result.DISMISSED
    assert await everywhere(world, "quokka")
    again = await world.press(ME, intents.Confirm(pending(card)))
    assert again.result is Result.UNKNOWN


@pytest.mark.parametrize("level", ["", "user", "STRICT "])
async def test_what_was_confirmed_is_deleted_with_files_cards_and_words(
    world: World, answers: Answers, level: str
) -> None:
    done = await world.rendered("a quokka")
    waiting = await world.ask("a quokka waiting")
    master = await world.files.local((await world.clip(done.clip)).master)  # type: ignore[union-attr]
    rendition = world.folder / "renditions" / done.clip / "9-16x16.gif"
    rendition.parent.mkdir(parents=True)
    rendition.touch()
    outcome = await world.press(ME, intents.Confirm(pending(await answers.my_data_delete(ME, level))))
    assert outcome.result is Result.CONFIRMED
    assert "clip" in outcome.sentence
    assert await everywhere(world, "quokka") == set()
    assert not master.exists()
    assert not rendition.parent.exists()
    assert (await world.job(waiting.job)).state is JobState.CANCELLED
    assert (await world.usage()).waiting == 0


async def test_what_was_deleted_is_on_the_disk_no_more_while_the_bot_runs(world: World, answers: Answers) -> None:
    await world.rendered("a quokka")
    await world.press(ME, intents.Confirm(pending(await answers.my_data_delete(ME))))
    assert all(b"quokka" not in path.read_bytes() for path in world.folder.glob("zoetrope.db*"))


async def test_cards_in_the_chat_lose_their_clips_and_words(world: World, answers: Answers) -> None:
    done = await world.rendered("a quokka")
    waiting = await world.ask("a quokka waiting")
    assert waiting.handle is not None
    shown = {done.handle: cards.deleted(), waiting.handle: cards.erased()}
    async with world.running(world.progress, world.delivery):
        await world.surface.until(lambda: bool(world.surface.messages[done.handle].renditions))
        await world.press(ME, intents.Confirm(pending(await answers.my_data_delete(ME))))
        await world.surface.until(
            lambda: all(world.surface.messages[handle].card == card for handle, card in shown.items())
        )


@pytest.mark.parametrize("who", [OTHER, Caller(ADA, Address("recording", "elsewhere"))])
async def test_nobody_else_confirms_it_nor_from_elsewhere(world: World, answers: Answers, who: Caller) -> None:
    await world.rendered("a quokka")
    asked = pending(await answers.my_data_delete(ME))
    assert (await world.press(who, intents.Confirm(asked))).result is Result.UNKNOWN
    assert await everywhere(world, "quokka")


async def test_a_question_does_not_wait_for_ever(world: World, answers: Answers) -> None:
    await world.rendered("a quokka")
    asked = pending(await answers.my_data_delete(ME))
    world.clock.now += ASK_SECONDS + 1
    assert (await world.press(ME, intents.Confirm(asked))).result is Result.UNKNOWN
    assert await everywhere(world, "quokka")


@pytest.mark.parametrize("level", ["owner", "platform", "everything", "x" * 100])
async def test_members_have_two_levels(world: World, answers: Answers, level: str) -> None:
    await world.rendered("a quokka")
    card = await answers.my_data_delete(ME, level)
    assert card.buttons == ()
    assert "user or strict" in card.status


async def test_settings_stay_with_user_and_go_with_strict(world: World, answers: Answers) -> None:
    for level, format_ in (("user", "mp4"), ("strict", "")):
        async with world.database.transaction() as tx:
            await people.put(tx, ADA, PersonSettings(format="mp4"))
        await world.press(ME, intents.Confirm(pending(await answers.my_data_delete(ME, level))))
        async with world.database.reading() as tx:
            assert (await people.settings(tx, ADA)).format == format_


async def test_who_is_banned_may_get_and_delete_their_data_and_stays_banned(world: World, answers: Answers) -> None:
    await world.rendered("a quokka")
    async with world.database.transaction() as tx:
        await standing.restrict(tx, Restriction("r", "recording", "here", ADA, Curb.BAN, 1, world.clock()))
    assert (await answers.my_data_export(ME, limit_bytes=ROOMY)).path is not None
    outcome = await world.press(ME, intents.Confirm(pending(await answers.my_data_delete(ME, "strict"))))
    assert outcome.result is Result.CONFIRMED
    async with world.database.reading() as tx:
        assert (await standing.standing(tx, ADA, "recording", "here", world.clock())).curb is Curb.BAN


async def test_what_was_spent_stays_spent(world: World, answers: Answers) -> None:
    await world.rendered("a quokka")
    before = sum(amount for _, amount in (await world.usage()).spent)
    await world.press(ME, intents.Confirm(pending(await answers.my_data_delete(ME, "strict"))))
    async with world.database.reading() as tx:
        after = await quotas.usage(tx, ADA, 0.0, world.clock())
    assert before
    assert sum(amount for _, amount in after.spent) == before


async def test_a_clip_that_is_being_made_never_comes(world: World, answers: Answers) -> None:
    asked = await world.ask("a quokka")
    lease = await world.claim(asked.job)
    preview = world.folder / "previews" / f"{asked.job}.webp"
    preview.parent.mkdir(exist_ok=True)
    preview.touch()
    await world.press(ME, intents.Confirm(pending(await answers.my_data_delete(ME))))
    assert not preview.exists()
    with pytest.raises(AssertionError):  # what a runner does at the end: it is fenced off
        await world.finish(lease)
    assert await everywhere(world, "quokka") == set()


async def test_a_request_whose_card_is_just_being_posted_becomes_no_clip(world: World, answers: Answers) -> None:
    """The words are gone from the store while the platform still answers; they must not come back with a job."""
    asked = pending(await answers.my_data_delete(ME))
    show = world.surface.show

    async def slow(address: Address, card: Card, nonce: str) -> Handle:
        handle = await show(address, card, nonce)
        assert (await world.press(ME, intents.Confirm(asked))).result is Result.CONFIRMED
        return handle

    world.surface.show = slow  # type: ignore[method-assign]
    outcome = await world.ask("a quokka")
    assert outcome.job == ""
    assert await everywhere(world, "quokka") == set()
    assert world.message(outcome).card == cards.erased()


async def test_buttons_of_what_was_deleted_do_nothing_any_more(world: World, answers: Answers) -> None:
    asked = await world.ask("a quokka")
    await world.fail(await world.claim(asked.job), "It broke; please try again.")
    await world.press(ME, intents.Confirm(pending(await answers.my_data_delete(ME))))
    for intent in (intents.Again(asked.job), intents.Edit(asked.job)):
        assert (await world.press(ME, intent)).result is Result.UNKNOWN
    assert await answers.recent_prompts(ME) == []


async def test_deleted_is_told_in_the_language_of_who_asked(world: World, answers: Answers) -> None:
    german = replace(ME, circumstances=Circumstances(language="de"))
    await world.rendered("a quokka")
    card = await answers.my_data_delete(german)
    outcome = await world.press(german, intents.Confirm(pending(card)))
    assert outcome.sentence == "Gelöscht: dein Clip und alles, was du geschrieben hast."


# --- what is stored ---


@pytest.mark.parametrize(
    ("operator", "place", "days"), [(0.0, None, 0.0), (30.0, None, 30.0), (0.0, 7, 7.0), (30.0, 7, 7.0), (5.0, 7, 5.0)]
)
def test_of_two_times_the_shorter_counts(operator: float, place: int | None, days: float) -> None:
    assert days_of(RetentionConfig(clips_days=operator), PlaceSettings(keep_days=place)).clips == days


async def test_privacy_says_how_long_things_are_really_kept(world: World, answers: Answers) -> None:
    world.commands.retention = RetentionConfig(clips_days=0, prompts_days=12, refusals_days=1, cases_days=400)
    said = str((await answers.privacy(ME)).facts)
    assert "until you or the operator deletes it" in said
    assert "12 days" in said
    assert "a day, so that you can appeal" in said
    assert "400 days" in said
    assert "mydata" in said
    async with world.database.transaction() as tx:
        await places.put(tx, "recording", "here", PlaceSettings(keep_days=3), 1.0)
    assert "3 days" in str((await answers.privacy(ME)).facts)


def test_what_is_packed_stands_below_the_folder_that_the_sweep_looks_at(tmp_path: Path) -> None:
    parcels.sweep(tmp_path)  # there need not be one
    assert list(tmp_path.iterdir()) == []
