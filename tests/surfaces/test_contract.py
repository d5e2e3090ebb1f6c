"""What every surface has to do; see bot/port.py."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.cards import Button, Card
from bot.port import Gone, Rendition
from bot.specs import FORMATS
from db.records import Asker, Circumstances, Handle

if TYPE_CHECKING:
    from tests.surfaces.conftest import Stand

QUEUED = Card("a heart", "Next in line.", "busy", buttons=(Button("Cancel", "c:aaaaaaaaaa", dangerous=True),))
RENDERING = Card("a heart", "Rendering: step 1 of 4.", "busy", buttons=QUEUED.buttons, bar=0.25)
DONE = Card(
    "a heart",
    "AI-generated.",
    "good",
    facts=(("Seed", "7"),),
    buttons=(Button("Again", "a:aaaaaaaaaa"), Button("Delete", "d:cccccccccc", dangerous=True)),
    clip="cccccccccc",
    final=True,
)


async def test_limits_are_sane(stand: Stand) -> None:
    limits = await stand.surface.limits(stand.address)

    assert limits.upload_bytes >= 100_000
    assert 0 <= limits.redraw_seconds <= 60
    assert limits.formats
    assert set(limits.formats) <= set(FORMATS)
    assert limits.text_chars >= 200


async def test_show_returns_a_handle_at_the_address_that_can_be_stored(stand: Stand) -> None:
    handle = await stand.surface.show(stand.address, QUEUED, "n1")

    assert handle.address == stand.address
    assert handle.message
    stored = Handle(handle.address, str(handle.message))
    assert await stand.seen(stored) == QUEUED


async def test_the_same_nonce_gives_the_same_message(stand: Stand) -> None:
    first = await stand.surface.show(stand.address, QUEUED, "n1")
    assert await stand.surface.show(stand.address, QUEUED, "n1") == first


async def test_another_nonce_gives_another_message(stand: Stand) -> None:
    first = await stand.surface.show(stand.address, QUEUED, "n1")
    second = await stand.surface.show(stand.address, QUEUED, "n2")

    assert second != first
    await stand.surface.redraw(second, RENDERING)
    assert await stand.seen(first) == QUEUED


async def test_redraw_replaces_the_whole_card_buttons_included(stand: Stand) -> None:
    handle = await stand.surface.show(stand.address, QUEUED, "n1")

    for card in (RENDERING, replace(RENDERING, buttons=()), DONE):
        await stand.surface.redraw(handle, card)
        assert await stand.seen(handle) == card


async def test_redrawing_the_same_card_is_harmless(stand: Stand) -> None:
    handle = await stand.surface.show(stand.address, QUEUED, "n1")

    await stand.surface.redraw(handle, QUEUED)
    await stand.surface.redraw(handle, QUEUED)
    assert await stand.seen(handle) == QUEUED


async def test_deliver_puts_the_clip_and_its_buttons_on_the_card(stand: Stand, rendition: Rendition) -> None:
    handle = await stand.surface.show(stand.address, QUEUED, "n1")

    receipt = await stand.surface.deliver(handle, DONE, rendition)
    assert receipt.proof
    assert await stand.seen(handle) == DONE


async def test_delivering_again_is_harmless(stand: Stand, rendition: Rendition) -> None:
    handle = await stand.surface.show(stand.address, QUEUED, "n1")

    first = await stand.surface.deliver(handle, DONE, rendition)
    assert await stand.surface.deliver(handle, DONE, rendition) == first
    assert await stand.seen(handle) == DONE


async def test_a_delivered_card_can_be_redrawn_without_its_clip(stand: Stand, rendition: Rendition) -> None:
    handle = await stand.surface.show(stand.address, QUEUED, "n1")
    await stand.surface.deliver(handle, DONE, rendition)

    deleted = Card("Deleted", "The clip was deleted.", final=True)
    await stand.surface.redraw(handle, deleted)
    assert await stand.seen(handle) == deleted


async def test_notify_leaves_the_card_alone(stand: Stand) -> None:
    handle = await stand.surface.show(stand.address, QUEUED, "n1")

    await stand.surface.notify(handle, Asker(stand.address.surface, "7"), "Your clip is ready.", "j1")
    await stand.surface.notify(handle, Asker(stand.address.surface, "7"), "Your clip is ready.", "j1")
    assert await stand.seen(handle) == QUEUED


async def test_a_message_that_does_not_exist_is_gone(stand: Stand, rendition: Rendition) -> None:
    nowhere = Handle(stand.address, "0000000000")

    with pytest.raises(Gone):
        await stand.surface.redraw(nowhere, QUEUED)
    with pytest.raises(Gone):
        await stand.surface.deliver(nowhere, DONE, rendition)
    assert await stand.seen(nowhere) is None


async def test_a_hostile_title_is_shown_and_not_obeyed(stand: Stand) -> None:
    hostile = Card("<script>alert(1)</script> **bold** @everyone \u05e9\u05dc\u05d5\u05dd", "Next in line.", "busy")

    handle = await stand.surface.show(stand.address, hostile, "n1")
    assert await stand.seen(handle) == hostile


async def test_whom_the_platform_does_not_know_there_has_no_rights(stand: Stand) -> None:
    known = await stand.surface.circumstances(stand.address, Asker(stand.address.surface, "900000000000000001"))

    assert not known.moderator
    assert not known.roles
    assert not known.age_restricted


async def test_nobody_of_another_platform_has_any(stand: Stand) -> None:
    assert await stand.surface.circumstances(stand.address, Asker("elsewhere", "7")) == Circumstances()
