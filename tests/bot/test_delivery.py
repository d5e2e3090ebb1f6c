"""Promises are kept: once in effect, however often it takes, and never lost. Real renditions by real ffmpeg."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot import cards, intents
from bot.cards import Card, deleted
from bot.port import Gone, Limits, Receipt, Refused, Rendition, Throttled, TooLarge, Unreachable
from bot.surfaces.recording import ROOMY, RecordingSurface
from db import deliveries, gallery, people, queue
from db.records import Address, Asker, Caller, Delivery, DeliveryState, Handle, PersonSettings, Wish
from db.trouble import PAUSE_SECONDS

if TYPE_CHECKING:
    from tests.bot.conftest import World

ADA = Asker("recording", "ada")


async def test_a_clip_is_brought_to_its_card(world: World) -> None:
    delivery = await world.rendered(seed=7)
    async with world.running(world.delivery):
        await world.surface.until(lambda: world.surface.messages[delivery.handle].card.clip == delivery.clip)
    message = world.surface.messages[delivery.handle]
    assert message.card.final
    assert ("Seed", "7") in message.card.facts
    assert message.renditions[0].path.read_bytes().startswith(b"GIF89a")


async def test_the_receipt_is_kept_and_nothing_is_delivered_twice(world: World) -> None:
    delivery = await world.rendered()
    await world.delivery.attempt(delivery)

    sent = await world.promised(delivery)
    assert sent.state is DeliveryState.SENT
    assert sent.receipt.startswith(f"{delivery.handle.message}/")
    other = await world.rendered()
    async with world.running(world.delivery):
        await world.surface.until(lambda: world.surface.messages[other.handle].card.final)
    assert len(world.surface.messages[delivery.handle].renditions) == 1


async def test_the_format_that_was_asked_for_is_delivered(world: World) -> None:
    delivery = await world.rendered(format="webp")
    await world.delivery.attempt(delivery)
    (rendition,) = world.surface.messages[delivery.handle].renditions
    assert (rendition.format, rendition.path.read_bytes()[8:12]) == ("webp", b"WEBP")


async def test_a_file_that_is_too_large_is_made_smaller(world: World) -> None:
    delivery = await world.rendered()
    world.surface.fail("deliver", TooLarge(ROOMY.upload_bytes), TooLarge(3000))
    await world.delivery.attempt(delivery)

    (rendition,) = world.surface.messages[delivery.handle].renditions
    assert rendition.bytes <= 3000
    assert (await world.promised(delivery)).state is DeliveryState.SENT


async def test_a_clip_that_never_fits_is_given_up_with_a_sentence(world: World, here: Address) -> None:
    delivery = await world.rendered()
    world.surface.limits_at[here] = replace(ROOMY, upload_bytes=20)
    async with world.running(world.delivery):
        await world.surface.until(lambda: "too big" in world.surface.messages[delivery.handle].card.status)


async def test_a_throttled_delivery_is_postponed_and_then_done(world: World) -> None:
    delivery = await world.rendered()
    world.surface.fail("deliver", Throttled(30))
    await world.delivery.attempt(delivery)

    postponed = await world.promised(delivery)
    assert (postponed.state, postponed.due_at) == (DeliveryState.PROMISED, world.clock.now + 30)
    world.clock.now += 30
    async with world.running(world.delivery):
        await world.surface.until(lambda: world.surface.messages[delivery.handle].card.final)


async def test_an_unknown_effect_is_repeated_later_and_later(world: World) -> None:
    class Doubtful(RecordingSurface):
        """The clip arrives, its receipt does not."""

        doubts = 3

        async def deliver(self, handle: Handle, card: Card, rendition: Rendition) -> Receipt:
            receipt = await super().deliver(handle, card, rendition)
            if self.doubts:
                self.doubts -= 1
                raise Unreachable("time-out")
            return receipt

    surface = Doubtful()
    world.on(surface)
    delivery = await world.rendered()
    waits = []
    for _ in range(3):
        delivery = await world.promised(delivery)
        await world.delivery.attempt(delivery)
        waits.append((await world.promised(delivery)).due_at - world.clock.now)
    await world.delivery.attempt(await world.promised(delivery))

    assert waits == [2.0, 4.0, 8.0]
    assert (await world.promised(delivery)).state is DeliveryState.SENT
    assert list(surface.messages) == [delivery.handle]  # edited four times, posted once
    assert len(surface.messages[delivery.handle].renditions) == 4


async def test_a_mistake_in_a_surface_postpones_only(world: World, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(RecordingSurface):
        async def deliver(self, handle: Handle, card: Card, rendition: Rendition) -> Receipt:
            raise RuntimeError(f"a bug with {card.title}")

    world.on(Broken())
    delivery = await world.rendered("a secret heart")
    await world.delivery.attempt(delivery)
    assert (await world.promised(delivery)).state is DeliveryState.PROMISED
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_message_that_is_gone_ends_the_delivery_and_keeps_the_clip(world: World) -> None:
    delivery = await world.rendered()
    world.surface.remove(delivery.handle)
    await world.delivery.attempt(delivery)

    assert (await world.promised(delivery)).state is DeliveryState.GIVEN_UP
    async with world.database.reading() as tx:
        assert await gallery.get(tx, delivery.clip) is not None


async def test_a_place_that_is_gone_before_anything_is_made_ends_the_delivery(world: World) -> None:
    class Closed(RecordingSurface):
        open = True

        async def limits(self, address: Address) -> Limits:
            if not self.open:
                raise Gone("The channel is gone.")
            return await super().limits(address)

    surface = Closed()
    world.on(surface)
    delivery = await world.rendered()
    surface.open = False
    await world.delivery.attempt(delivery)
    assert (await world.promised(delivery)).state is DeliveryState.GIVEN_UP


async def test_a_place_that_says_no_is_believed_and_quoted(world: World) -> None:
    delivery = await world.rendered()
    world.surface.fail("deliver", Refused("files are not allowed in this channel."))
    await world.delivery.attempt(delivery)
    assert "files are not allowed" in world.surface.messages[delivery.handle].card.status
    given_up = await world.promised(delivery)
    assert (given_up.state, given_up.reason) == (DeliveryState.GIVEN_UP, "files are not allowed in this channel.")


async def test_a_master_that_is_lost_ends_the_delivery_with_a_sentence(world: World) -> None:
    delivery = await world.rendered()
    for path in (world.folder / "masters").iterdir():
        path.unlink()
    await world.delivery.attempt(delivery)
    assert (await world.promised(delivery)).state is DeliveryState.GIVEN_UP
    assert "no longer kept" in world.surface.messages[delivery.handle].card.status


async def test_where_there_is_no_room_for_files_it_is_tried_until_there_is(world: World) -> None:
    delivery = await world.rendered()
    (world.folder / "renditions").write_text("in the way")
    for _ in range(20):
        await world.delivery.attempt(await world.promised(delivery))
    (world.folder / "renditions").unlink()
    await world.delivery.attempt(await world.promised(delivery))
    assert (await world.promised(delivery)).state is DeliveryState.SENT


async def test_a_command_that_nobody_sees_to_ends_where_there_is_no_room_for_files(world: World) -> None:
    world.delivery.patience = 1
    delivery = await world.rendered()
    (world.folder / "renditions").write_text("in the way")
    await world.delivery.attempt(delivery)
    assert (await world.promised(delivery)).state is DeliveryState.GIVEN_UP
    assert cards.NO_ROOM in world.surface.messages[delivery.handle].card.status
    assert str(world.folder) not in world.surface.messages[delivery.handle].card.status


async def test_it_is_given_up_only_after_its_card_has_said_so(world: World, here: Address) -> None:
    delivery = await world.rendered()
    world.surface.limits_at[here] = replace(ROOMY, upload_bytes=20)
    world.surface.fail("redraw", Throttled(5))
    await world.delivery.attempt(delivery)
    assert (await world.promised(delivery)).state is DeliveryState.PROMISED

    await world.delivery.attempt(await world.promised(delivery))
    assert (await world.promised(delivery)).state is DeliveryState.GIVEN_UP
    assert "too big" in world.surface.messages[delivery.handle].card.status


async def test_under_an_old_card_a_short_reply_follows_once(world: World) -> None:
    old = await world.rendered("a frog", origin="o1")
    world.clock.now += 61
    young = await world.rendered("a star", origin="o2")
    await world.delivery.attempt(old)
    await world.delivery.attempt(old)
    await world.delivery.attempt(young)

    assert world.surface.messages[old.handle].replies == ["Your clip is ready: a frog"]
    assert world.surface.messages[young.handle].replies == []


async def test_a_reply_that_fails_delivers_nothing_again(world: World) -> None:
    delivery = await world.rendered()
    world.clock.now += 61
    world.surface.fail("notify", Unreachable("time-out"))
    await world.delivery.attempt(delivery)

    assert (await world.promised(delivery)).state is DeliveryState.SENT
    assert len(world.surface.messages[delivery.handle].renditions) == 1


async def test_one_at_a_time_an_address_and_several_addresses_at_once(world: World) -> None:
    class Counting(RecordingSurface):
        """Holds every delivery until both places are being served."""

        def __init__(self) -> None:
            super().__init__()
            self.now: dict[str, int] = {}
            self.most = 0
            self.both = asyncio.Event()

        async def deliver(self, handle: Handle, card: Card, rendition: Rendition) -> Receipt:
            place = handle.address.place
            self.now[place] = self.now.get(place, 0) + 1
            self.most = max(self.most, self.now[place])
            if len(self.now) == 2:
                self.both.set()
            await asyncio.wait_for(self.both.wait(), 30)
            receipt = await super().deliver(handle, card, rendition)
            self.now[place] -= 1
            return receipt

    surface = Counting()
    world.on(surface)
    promises = []
    for number, place in enumerate(["here", "here", "here", "there", "there"]):
        address = Address("recording", place)
        outcome = await world.commands.request_clip(Caller(ADA, address), Wish("a heart"), f"o{number}")
        promises.append(await world.finish(await world.claim(outcome.job)))
    async with world.running(world.delivery):
        await surface.until(lambda: all(surface.messages[promise.handle].card.final for promise in promises))

    assert surface.most == 1
    assert surface.both.is_set()
    assert [len(message.renditions) for message in surface.messages.values()] == [1] * 5


async def test_a_promise_to_a_surface_that_is_off_waits_for_it(world: World) -> None:
    delivery = await world.rendered()
    stranger = RecordingSurface("another")
    world.on(stranger)
    async with world.running(world.delivery):
        await stranger.show(Address("another", "here"), Card("a", "B."), "n")
    assert (await world.promised(delivery)).state is DeliveryState.PROMISED


async def test_promises_to_a_surface_that_is_off_keep_nobody_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.READ_AHEAD", 1)
    off = await world.rendered()
    world.clock.now += 1
    on = RecordingSurface("another")
    world.on(on)
    asker, address = Asker("another", "ada"), Address("another", "here")
    outcome = await world.commands.request_clip(Caller(asker, address), Wish("a heart"), "o2")
    delivery = await world.finish(await world.claim(outcome.job))
    async with world.running(world.delivery):
        await on.until(lambda: on.messages[delivery.handle].card.final)
    assert (await world.promised(off)).state is DeliveryState.PROMISED


async def test_an_address_that_asks_for_patience_gets_it_before_its_next_clip(world: World) -> None:
    tried: list[float] = []

    class Throttling(RecordingSurface):
        async def deliver(self, handle: Handle, card: Card, rendition: Rendition) -> Receipt:
            tried.append(sum(world.naps))
            if len(tried) == 1:
                raise Throttled(3600)
            return await super().deliver(handle, card, rendition)

    surface = Throttling()
    world.on(surface)
    promises = [await world.rendered() for _ in range(2)]
    async with world.running(world.delivery):
        await surface.until(lambda: any(surface.messages[promise.handle].card.final for promise in promises))
    assert tried == [0.0, 3600.0]


async def test_a_clip_deleted_while_its_file_is_made_is_not_drawn(world: World) -> None:
    class Hasty(RecordingSurface):
        """Its clip is deleted between the first look and the file."""

        async def limits(self, address: Address) -> Limits:
            async with world.database.transaction() as tx:
                if delivery:
                    await gallery.forget(tx, delivery[0].clip)
                    await deliveries.give_up(tx, delivery[0].id, "deleted")
            return await super().limits(address)

    delivery: list[Delivery] = []
    surface = Hasty()
    world.on(surface)
    delivery.append(await world.rendered())
    before = surface.messages[delivery[0].handle].card
    await world.delivery.attempt(delivery[0])
    assert surface.messages[delivery[0].handle].card == before
    assert surface.messages[delivery[0].handle].renditions == []


async def test_deliveries_outlast_a_database_in_trouble(world: World) -> None:
    delivery = await world.rendered()
    async with world.running(world.delivery):
        async with world.without("deliveries"), asyncio.timeout(30):
            while PAUSE_SECONDS not in world.naps:  # noqa: ASYNC110
                await asyncio.sleep(0)
        await world.surface.until(lambda: world.surface.messages[delivery.handle].card.final)


class Moving(RecordingSurface):
    """Can't edit: a clip comes as another message, which takes the card's place. `before` runs first."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Callable[[], Awaitable[object]] | None = None

    async def deliver(self, handle: Handle, card: Card, rendition: Rendition) -> Receipt:
        other = await self.show(handle.address, card, nonce=f"instead of {handle.message}")
        receipt = await super().deliver(other, card, rendition)
        self.remove(handle)
        if self.before is not None:
            await self.before()
        return replace(receipt, handle=other)


async def test_a_clip_that_took_another_message_is_found_there_from_then_on(world: World) -> None:
    surface = Moving()
    world.on(surface)
    delivery = await world.rendered()
    world.clock.now += 3600
    await world.delivery.attempt(delivery)
    job, sent = await world.job(delivery.job), await world.promised(delivery)
    assert job.handle == sent.handle != delivery.handle
    assert sent.state is DeliveryState.SENT
    assert surface.messages[job.handle].replies != []
    await world.commands.press(Caller(ADA, job.handle.address), intents.token(intents.Delete(delivery.clip)), "p1")
    async with world.running(world.progress):
        await surface.until(lambda: surface.messages[job.handle].card == deleted())


async def test_a_clip_deleted_while_it_takes_another_message_is_blanked_there(world: World) -> None:
    surface = Moving()
    world.on(surface)
    delivery = await world.rendered()
    press = intents.token(intents.Delete(delivery.clip))
    surface.before = lambda: world.commands.press(Caller(ADA, delivery.handle.address), press, "p1")
    async with world.running(world.progress, world.delivery):
        await surface.until(lambda: [message.card for message in surface.messages.values()] == [deleted()])


async def test_who_does_not_want_replies_gets_none(world: World) -> None:
    delivery = await world.rendered()
    async with world.database.transaction() as tx:
        await people.put(tx, ADA, PersonSettings(notify=False))
    world.clock.now += 3600
    await world.delivery.attempt(delivery)
    assert (await world.promised(delivery)).state is DeliveryState.SENT
    assert world.surface.messages[delivery.handle].replies == []


async def test_a_clip_that_was_hidden_meanwhile_is_withheld(world: World) -> None:
    delivery = await world.rendered("a frog")
    async with world.database.transaction() as tx:
        await gallery.hide(tx, delivery.clip, gallery.MODERATORS)
    await world.delivery.attempt(delivery)
    message = world.surface.messages[delivery.handle]
    assert (await world.promised(delivery)).state is DeliveryState.GIVEN_UP
    assert (message.card.title, message.renditions) == ("Hidden", [])


async def test_a_clip_hidden_after_its_delivery_is_covered_when_its_job_is_touched(world: World) -> None:
    delivery = await world.rendered("a frog")
    await world.delivery.attempt(delivery)
    async with world.database.transaction() as tx:
        await gallery.hide(tx, delivery.clip, gallery.MODERATORS)
        await queue.touch(tx, delivery.job, world.clock())
    async with world.running(world.progress):
        await world.surface.until(lambda: world.surface.messages[delivery.handle].card.title == "Hidden")
