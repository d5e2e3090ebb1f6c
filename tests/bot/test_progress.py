"""Cards are kept true: whole, in order of urgency, at each address's own pace."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot import intents
from bot.cards import Card, deleted
from bot.commands import Commands
from bot.port import Gone, Refused, Throttled, Unreachable
from bot.progress import ProgressLoop
from bot.surfaces.recording import ROOMY, RecordingSurface
from db import gallery
from db.records import Address, Asker, Caller, Circumstances, Handle, Job, Phase, Progress, Wish
from db.trouble import PAUSE_SECONDS

if TYPE_CHECKING:
    from tests.bot.conftest import World

ADA = Asker("recording", "ada")


class Gated(RecordingSurface):
    """Redraws at `held` wait until the gate opens."""

    def __init__(self, held: Address) -> None:
        super().__init__()
        self.held = held
        self.entered = asyncio.Event()
        self.gate = asyncio.Event()

    async def redraw(self, handle: Handle, card: Card) -> None:
        if handle.address == self.held:
            self.entered.set()
            await self.gate.wait()
        await super().redraw(handle, card)


def step(number: int) -> Progress:
    return Progress(Phase.STEP, number, 10)


async def ask_at(commands: Commands, place: str, origin: str) -> str:
    return (await commands.request_clip(Caller(ADA, Address("recording", place)), Wish("a heart"), origin)).job


async def test_steps_are_drawn_on_the_card_with_its_button_and_its_preview(world: World, here: Address) -> None:
    world.surface.limits_at[here] = replace(ROOMY, previews=True)
    job = await world.job((await world.ask()).job)
    lease = await world.claim(job.id)
    (world.folder / "previews").mkdir()
    (world.folder / "previews" / f"{job.id}.webp").write_bytes(b"a preview")

    async with world.running(world.progress):
        await world.report(lease, step(3))
        await world.surface.until(lambda: world.message(job).card.bar == 0.3)

    card = world.message(job).card
    assert card.preview == f"{job.id}.webp"
    assert intents.parse(card.buttons[0].token) == intents.Cancel(job.id)


async def test_no_preview_is_named_where_the_address_takes_none(world: World) -> None:
    job = await world.job((await world.ask()).job)
    (world.folder / "previews").mkdir()
    (world.folder / "previews" / f"{job.id}.webp").write_bytes(b"a preview")
    await world.claim(job.id)

    async with world.running(world.progress):
        await world.surface.until(lambda: world.message(job).card.bar == 0.0)
    assert world.message(job).card.preview == ""


async def test_a_card_that_shows_the_truth_is_not_drawn_again(world: World) -> None:
    first = await world.job((await world.ask()).job)
    second = await world.job((await world.ask()).job)
    async with world.running(world.progress):
        await world.claim(first.id)
        await world.surface.until(lambda: world.message(second).card.status == "Next in line.")
    assert [card.status for card in world.message(second).cards] == ["Number 2 in line.", "Next in line."]


async def test_changes_during_a_slow_redraw_are_merged_into_the_last(world: World, here: Address) -> None:
    surface = Gated(here)
    world.on(surface)
    job = await world.job((await world.ask()).job)
    lease = await world.claim(job.id)
    async with world.running(world.progress):
        await surface.entered.wait()
        for number in range(1, 10):
            await world.report(lease, step(number))
        surface.gate.set()
        await surface.until(lambda: surface.messages[job.handle].card.bar == 0.9)

    assert len(surface.messages[job.handle].cards) <= 4  # shown, held up, perhaps one between, the last


async def test_a_slow_address_does_not_hold_up_another(world: World) -> None:
    surface = Gated(Address("recording", "slow"))
    world.on(surface)
    slow, fast = await ask_at(world.commands, "slow", "o1"), await ask_at(world.commands, "fast", "o2")
    await world.claim(slow)
    async with world.running(world.progress):
        await surface.entered.wait()
        job = await world.job(fast)
        lease = await world.claim(fast)
        for number in range(1, 4):
            await world.report(lease, step(number))
            expected = number / 10
            await surface.until(lambda: surface.messages[job.handle].card.bar == expected)  # noqa: B023
        surface.gate.set()


async def test_each_address_is_left_in_peace_between_two_redraws(world: World, here: Address) -> None:
    world.surface.limits_at[here] = replace(ROOMY, redraw_seconds=3.0)
    job = await world.job((await world.ask()).job)
    lease = await world.claim(job.id)
    async with world.running(world.progress):
        await world.report(lease, step(1))
        await world.surface.until(lambda: world.message(job).card.bar == 0.1)
        await world.report(lease, step(2))
        await world.surface.until(lambda: world.message(job).card.bar == 0.2)

    drawn = len(world.message(job).cards) - 1
    assert world.naps.count(3.0) >= drawn - 1  # the last pause may have been cut off by the end of the test


async def test_a_throttled_address_waits_as_long_as_it_is_told(world: World) -> None:
    world.surface.fail("redraw", Throttled(7.5))
    job = await world.job((await world.ask()).job)
    await world.claim(job.id)
    async with world.running(world.progress):
        await world.surface.until(lambda: world.message(job).card.bar == 0.0)
    assert 7.5 in world.naps


async def test_an_end_is_drawn_for_certain(world: World) -> None:
    job = await world.job((await world.ask()).job)
    lease = await world.claim(job.id)
    world.surface.fail("redraw", Unreachable(), Throttled(1), Unreachable(), Unreachable())
    await world.fail(lease, "The renderer stopped.")
    async with world.running(world.progress):
        await world.surface.until(lambda: world.message(job).card.status == "The renderer stopped.")
    assert sorted(nap for nap in world.naps if nap > 1) == [2.0, 4.0]  # each failure in a row waits longer


async def test_a_mistake_in_a_surface_stops_no_card(world: World) -> None:
    class Broken(RecordingSurface):
        mistakes = 1

        async def redraw(self, handle: Handle, card: Card) -> None:
            if self.mistakes:
                self.mistakes -= 1
                raise RuntimeError("a bug")
            await super().redraw(handle, card)

    surface = Broken()
    world.on(surface)
    job = await world.job((await world.ask()).job)
    await world.claim(job.id)
    async with world.running(world.progress):
        await surface.until(lambda: surface.messages[job.handle].card.bar == 0.0)


async def test_a_card_that_a_surface_can_never_draw_stops_no_other_for_long(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(RecordingSurface):
        async def redraw(self, handle: Handle, card: Card) -> None:
            if handle == poison.handle:
                raise ValueError(f"can't draw {card.title}")
            await super().redraw(handle, card)

    surface = Broken()
    world.on(surface)
    poison, other = [await world.job((await world.ask("a secret heart")).job) for _ in range(2)]
    await world.fail(await world.claim(poison.id), "The end.")  # ends come first
    await world.claim(other.id)
    async with world.running(world.progress):
        await surface.until(lambda: surface.messages[other.handle].card.bar == 0.0)
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_message_that_is_gone_is_left_alone(world: World) -> None:
    for error in (Gone("deleted"), Refused("forbidden")):
        world.surface.fail("redraw", error)
        lost, kept = [await world.job((await world.ask()).job) for _ in range(2)]
        lease = await world.claim(lost.id)
        async with world.running(world.progress):
            await world.surface.until(lambda: not world.surface.troubles["redraw"])
            drawn = len(world.message(lost).cards)
            await world.report(lease, step(5))
            await world.claim(kept.id)
            await world.surface.until(lambda: world.message(kept).card.bar == 0.0)  # noqa: B023
        assert len(world.message(lost).cards) == drawn
        await world.fail(lease, "Enough.")


async def test_places_move_when_somebody_is_served(world: World, here: Address) -> None:
    jobs = [await world.job((await world.ask()).job) for _ in range(3)]
    assert [world.message(job).card.status for job in jobs] == [
        "Next in line.",
        "Number 2 in line.",
        "Number 3 in line.",
    ]

    async with world.running(world.progress):
        await world.claim(jobs[0].id)
        await world.surface.until(lambda: world.message(jobs[2]).card.status == "Number 2 in line.")
        await world.commands.press(Caller(ADA, here), intents.token(intents.Cancel(jobs[1].id)), "p1")
        await world.surface.until(lambda: world.message(jobs[2]).card.status == "Next in line.")
        await world.surface.until(lambda: world.message(jobs[1]).card.status.startswith("Cancelled"))


async def test_waiting_cards_tell_when_and_are_not_drawn_again_for_a_moving_clock(world: World) -> None:
    await world.rendered()  # two seconds, says its clip
    asked_at = world.clock.now
    first, second = [await world.job((await world.ask()).job) for _ in range(2)]
    lease = await world.claim((await world.ask()).job)
    world.clock.now += 1
    async with world.running(world.progress):
        await world.fail(lease, "The renderer stopped.")
        await world.surface.until(lambda: world.message(lease.job).card.final)  # nobody's place has moved
        world.clock.now += 1
        await world.claim(first.id)
        await world.surface.until(lambda: world.message(second).card.status == "Next in line.")
    assert [card.ready_at for card in world.message(second).cards] == [asked_at + 4, asked_at + 4]


async def test_a_card_speaks_the_language_of_its_asker(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    german = {"Next in line.": "Als Nächstes dran.", "Cancel": "Abbrechen", "Loading the model.": "Lädt."}
    monkeypatch.setattr("bot.language.catalogue", lambda code: german if code == "de" else {})
    caller = Caller(ADA, Address("recording", "here"), Circumstances(language="de-AT"))
    outcome = await world.commands.request_clip(caller, Wish("a heart"), "o1")
    assert world.message(outcome).card.status == outcome.sentence == "Als Nächstes dran."
    assert world.message(outcome).card.buttons[0].label == "Abbrechen"
    lease = await world.claim(outcome.job)
    await world.report(lease, Progress(Phase.LOAD, 0, 4))
    async with world.running(world.progress):
        await world.surface.until(lambda: world.message(outcome).card.status == "Lädt.")


async def test_the_end_comes_before_progress_and_progress_before_places(world: World, here: Address) -> None:
    surface = Gated(here)
    world.on(surface)
    blocker, rendering, ending, waiting = [await world.job((await world.ask()).job) for _ in range(4)]
    await world.claim(blocker.id)
    async with world.running(world.progress):
        await surface.entered.wait()
        order: list[Job] = []
        leases = [await world.claim(job.id) for job in (rendering, ending)]
        await world.fail(leases[1], "The end.")
        await world.report(leases[0], step(5))

        def note() -> bool:
            for job in (rendering, ending, waiting):
                if len(surface.messages[job.handle].cards) > 1 and job not in order:
                    order.append(job)
            return len(order) == 3

        surface.gate.set()
        await surface.until(note)
    assert order.index(ending) < order.index(waiting)


async def test_what_changed_while_nobody_looked_is_drawn_at_start(world: World) -> None:
    failed, queued = [await world.job((await world.ask()).job) for _ in range(2)]
    await world.fail(await world.claim(failed.id), "The renderer stopped.")
    await world.claim(queued.id)
    world.clock.now += 3600

    fresh = ProgressLoop(
        world.database,
        world.progress.surfaces,
        type(world.progress.board)(),
        world.folder,
        world.clock,
        world.progress.sleep,
    )
    async with world.running(fresh):
        await world.surface.until(lambda: world.message(failed).card.status == "The renderer stopped.")
        await world.surface.until(lambda: world.message(queued).card.bar == 0.0)


async def test_a_finished_card_is_never_overdrawn_by_old_progress(world: World, here: Address) -> None:
    """The redraw was under way when the clip arrived: the clip is drawn after it, and nothing after the clip."""
    surface = Gated(here)
    world.on(surface)
    job = await world.job((await world.ask()).job)
    lease = await world.claim(job.id)
    async with world.running(world.progress):
        await surface.entered.wait()
        delivery = await world.finish(lease)
        async with asyncio.TaskGroup() as group:
            group.create_task(world.delivery.attempt(delivery))
            surface.gate.set()
        other = await world.job((await world.ask()).job)
        await world.claim(other.id)
        await surface.until(lambda: surface.messages[other.handle].card.bar == 0.0)
    assert surface.messages[job.handle].card.clip == delivery.clip


async def test_a_clip_deleted_just_before_a_stop_has_its_card_redrawn_at_start(world: World) -> None:
    delivery = await world.rendered()
    await world.delivery.attempt(delivery)
    async with world.database.transaction() as tx:
        await gallery.forget(tx, delivery.clip)  # and then the process died

    async with world.running(world.progress):
        await world.surface.until(lambda: world.surface.messages[delivery.handle].card == deleted())


async def test_the_loop_outlasts_a_database_in_trouble(world: World) -> None:
    job = await world.job((await world.ask()).job)
    async with world.running(world.progress):
        async with world.without("jobs"), asyncio.timeout(30):
            while PAUSE_SECONDS not in world.naps:  # noqa: ASYNC110
                await asyncio.sleep(0)
        await world.claim(job.id)
        await world.surface.until(lambda: world.message(job).card.bar == 0.0)


async def test_a_clock_that_is_set_back_freezes_no_card(world: World) -> None:
    first, second = [await world.job((await world.ask()).job) for _ in range(2)]
    async with world.running(world.progress):
        await world.claim(first.id)
        await world.surface.until(lambda: world.message(first).card.bar == 0.0)
        world.clock.now -= 3600
        await world.claim(second.id)
        await world.surface.until(lambda: world.message(second).card.bar == 0.0)


async def test_nothing_is_remembered_of_messages_that_are_gone_once_their_jobs_end(world: World) -> None:
    jobs = [await world.job((await world.ask()).job) for _ in range(2)]
    leases = [await world.claim(job.id) for job in jobs]
    world.surface.fail("redraw", Gone("deleted"), Gone("deleted"))
    last = await world.job((await world.ask()).job)
    async with world.running(world.progress):
        await world.surface.until(lambda: not world.surface.troubles["redraw"])
        for lease in leases:
            await world.fail(lease, "Enough.")
        await world.claim(last.id)
        await world.surface.until(lambda: world.message(last).card.bar == 0.0)
    assert world.progress._lost == set()
