"""Clips that are hidden, by whom, and shown again; clips that one place alone does not show."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from db import deliveries, gallery
from db.database import Database
from db.ids import new_id
from db.records import Address, Asker, Clip, Delivery, DeliveryState, Handle

Film = Callable[..., Awaitable[Clip]]
Promise = Callable[..., Delivery]
ADA, BOB = Asker("web", "ada"), Asker("web", "bob")
HERE, THERE = Address("discord", "g1"), Address("discord", "g2")
BOTH = (gallery.ASKER, gallery.MODERATORS)


async def browsed(database: Database, words: str = "") -> list[Clip]:
    async with database.reading() as tx:
        return await gallery.browse(tx, "discord", "g1", None, words, 0, 9)


@pytest.mark.parametrize("by", BOTH)
async def test_who_has_hidden_a_clip_can_show_it_again_and_it_is_found_as_before(
    database: Database, show: Film, by: str
) -> None:
    clip = await show()
    async with database.transaction() as tx:
        assert not await gallery.unhide(tx, clip.id, by)
        assert await gallery.hide(tx, clip.id, by)
        assert not await gallery.hide(tx, clip.id, by)
        assert await gallery.get(tx, clip.id) == replace(clip, hidden=True, hidden_by=by)
    assert await browsed(database) == await browsed(database, "heart") == []
    async with database.transaction() as tx:
        assert await gallery.unhide(tx, clip.id, by)
        assert not await gallery.unhide(tx, clip.id, by)
        assert await gallery.get(tx, clip.id) == clip
    assert await browsed(database) == await browsed(database, "heart") == [clip]


@pytest.mark.parametrize(("first", "second"), [BOTH, BOTH[::-1]])
async def test_what_both_have_hidden_is_shown_when_both_have_taken_it_back(
    database: Database, show: Film, first: str, second: str
) -> None:
    clip = await show()
    async with database.transaction() as tx:
        assert await gallery.hide(tx, clip.id, first)
        assert not await gallery.unhide(tx, clip.id, second)
        assert await gallery.hide(tx, clip.id, second)
        assert not await gallery.hide(tx, clip.id, first)
        assert not await gallery.unhide(tx, clip.id, first)
        assert not await gallery.unhide(tx, clip.id, first)
        assert await gallery.get(tx, clip.id) == replace(clip, hidden=True, hidden_by=second)
    assert await browsed(database, "heart") == []
    async with database.transaction() as tx:
        assert await gallery.unhide(tx, clip.id, second)
    assert await browsed(database, "heart") == [clip]


async def test_what_was_forgotten_is_never_shown_again(database: Database, show: Film) -> None:
    clip = await show()
    async with database.transaction() as tx:
        await gallery.hide(tx, clip.id, gallery.ASKER)
        await gallery.forget(tx, clip.id)
        assert not await gallery.unhide(tx, clip.id, gallery.ASKER)
        assert not await gallery.hide(tx, clip.id, gallery.MODERATORS)
        assert not await gallery.hide(tx, "nobody", gallery.MODERATORS)
        assert await gallery.get(tx, clip.id) is None


async def test_a_clip_that_is_published_hidden_is_for_moderators_to_show(database: Database, show: Film) -> None:
    clip = await show(hidden=True)
    assert await browsed(database) == []
    async with database.transaction() as tx:
        assert not await gallery.unhide(tx, clip.id, gallery.ASKER)
        assert await gallery.unhide(tx, clip.id, gallery.MODERATORS)
    assert await browsed(database, "heart") == [replace(clip, hidden=False)]


async def test_a_withheld_clip_is_seen_there_by_nobody_and_elsewhere_as_before(
    database: Database, show: Film, make_delivery: Promise
) -> None:
    clip = await show()
    async with database.transaction() as tx:
        await deliveries.promise(tx, make_delivery(clip, handle=Handle(THERE, "m1")))
        assert await gallery.may_see(tx, clip, BOB, THERE)
        assert await gallery.withhold(tx, clip.id, "discord", "g2")
        assert not await gallery.withhold(tx, clip.id, "discord", "g2")
        assert await gallery.is_withheld(tx, clip.id, "discord", "g2")
        assert not await gallery.is_withheld(tx, clip.id, "discord", "g1")
        assert not await gallery.is_withheld(tx, clip.id, "telegram", "g2")
        assert not await gallery.may_see(tx, clip, BOB, THERE)
        assert not await gallery.may_see(tx, clip, ADA, THERE)  # whose clip it is: nobody brings it back there
        assert await gallery.may_see(tx, clip, ADA, Address("discord", "g3"))
        assert await gallery.may_see(tx, clip, BOB, HERE)
        assert await gallery.found(tx, ADA, "heart", 9) == [clip]
        assert await gallery.unwithhold(tx, clip.id, "discord", "g2")
        assert not await gallery.unwithhold(tx, clip.id, "discord", "g2")
        assert await gallery.may_see(tx, clip, BOB, THERE)
    assert await browsed(database) == [clip]


async def test_a_clip_that_is_withheld_at_home_is_in_no_gallery(database: Database, show: Film) -> None:
    clip, other = await show(), await show(created_at=201.0)
    async with database.transaction() as tx:
        await gallery.withhold(tx, clip.id, "discord", "g1")
        assert await gallery.shown(tx, "discord", "g1", clip.id) is None
        assert await gallery.count(tx, "discord", "g1", None) == 1
        assert await gallery.found(tx, ADA, "", 9) == [other]
        assert not await gallery.hide(tx, "nobody", gallery.ASKER)
        assert await gallery.is_at_home(tx, clip.id, "discord", "g1")
        assert not await gallery.is_at_home(tx, clip.id, "discord", "g2")
        assert not await gallery.is_at_home(tx, "nobody", "discord", "g1")
    assert await browsed(database) == await browsed(database, "heart") == [other]


async def test_the_clip_on_a_message_is_found_in_its_place_alone(
    database: Database, show: Film, make_delivery: Promise
) -> None:
    older, newer = await show(), await show()
    first = make_delivery(older, handle=Handle(Address("discord", "g1", "t1"), "m1"))
    second = make_delivery(newer, handle=Handle(Address("discord", "g1", "t1"), "m1"), card_at=150.0)
    async with database.transaction() as tx:
        await deliveries.promise(tx, first)
        assert await deliveries.of_message(tx, "discord", "g1", "m1") == first
        await deliveries.promise(tx, second)  # the message carries another clip now
        assert await deliveries.of_message(tx, "discord", "g1", "m1") == second
        assert await deliveries.of_message(tx, "discord", "g2", "m1") is None
        assert await deliveries.of_message(tx, "telegram", "g1", "m1") is None
        assert await deliveries.of_message(tx, "discord", "g1", "m2") is None


@pytest.mark.parametrize(
    ("where", "again"),
    [((), ["given up", "sent", "there"]), (("discord", "g1"), ["given up", "sent"]), (("discord", "g2"), ["there"])],
)
async def test_cards_that_carried_a_clip_are_promised_it_again(
    database: Database, show: Film, make_delivery: Promise, where: tuple[str, str], again: list[str]
) -> None:
    clip, other = await show(), await show()
    states = {"sent": HERE, "given up": HERE, "open": HERE, "there": THERE}
    async with database.transaction() as tx:
        for name, address in states.items():
            await deliveries.promise(tx, make_delivery(clip, id=name, handle=Handle(address, name)))
        await deliveries.promise(tx, make_delivery(other, id="other", handle=Handle(HERE, new_id())))
        await deliveries.postpone(tx, "given up", 300.0, "busy")
        await deliveries.give_up(tx, "given up", "hidden")
        await deliveries.postpone(tx, "open", 400.0, "busy")
        for name in ("sent", "there", "other"):
            await deliveries.mark_sent(tx, name, "receipt", 210.0)
        assert await deliveries.promise_again(tx, clip.id, 500.0, *where) == len(again)
        due = await deliveries.due(tx, ["discord"], 500.0)
        assert sorted(delivery.id for delivery in due if delivery.id != "open") == again
        for delivery in due:
            if delivery.id != "open":
                assert (delivery.state, delivery.attempts, delivery.due_at) == (DeliveryState.PROMISED, 0, 500.0)
                assert (delivery.receipt, delivery.reason) == ("", "")
        untouched = await deliveries.get(tx, "open")
        assert untouched is not None
        assert (untouched.attempts, untouched.due_at) == (1, 400.0)
        assert await deliveries.promise_again(tx, "nobody", 500.0) == 0
