"""The bot's own parts put together on a real database, with a surface that records; runners are played by hand."""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import imageio_ffmpeg
import pytest
from sqlalchemy import text

from bot import intents
from bot.board import Board
from bot.commands import Commands, Outcome
from bot.delivery import DeliveryLoop
from bot.erasing import Eraser
from bot.moderation import Moderation
from bot.port import Surface
from bot.progress import ProgressLoop
from bot.quota import Allowance
from bot.renditions import Renditions
from bot.reviewing import ReviewLoop
from bot.safety import Policy, built_in_policy
from bot.surfaces.recording import Message, RecordingSurface
from db import cases, deliveries, gallery, models, places, queue, quotas, reviews, standing
from db.clip_files import ClipFiles
from db.config import LimitsConfig, ModerationConfig
from db.database import Database
from db.ids import new_id
from db.records import (
    Address,
    Asker,
    Caller,
    Case,
    Clip,
    Defaults,
    Delivery,
    DeliveryState,
    Handle,
    Job,
    Lease,
    ModelFacts,
    ModelLimits,
    Progress,
    Range,
    Review,
    Standing,
    Usage,
    Wish,
)

ADA = Asker("recording", "ada")
HERE = Address("recording", "here")
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
POCKET = ModelFacts(
    "pocket",
    "Pocket",
    "unet3d",
    Defaults(steps=4, guidance=3.0, frames=4, width=16, height=16, fps=8, sampler="ddim"),
    ModelLimits(steps=Range(1, 50), frames=Range(1, 32), side=Range(16, 128), multiple=8),
    crisp=True,
)


@cache
def policy() -> Policy:
    """Read once: it is frozen."""
    return built_in_policy()


@dataclass
class Clock:
    """Time stands still until a test moves it."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """Everything a test of the bot touches. `naps` are the pauses that the progress loop asked for."""

    database: Database
    surface: RecordingSurface
    commands: Commands
    progress: ProgressLoop
    delivery: DeliveryLoop
    clock: Clock
    files: ClipFiles
    folder: Path
    master: Path
    reviewing: ReviewLoop
    naps: list[float] = field(default_factory=list)

    async def ask(self, prompt: str = "a heart", origin: str = "", asker: Asker = ADA, **more: object) -> Outcome:
        wish = replace(Wish(prompt), **more)  # type: ignore[arg-type]
        return await self.commands.request_clip(Caller(asker, HERE), wish, origin or new_id())

    async def job(self, job_id: str) -> Job:
        async with self.database.reading() as tx:
            job = await queue.get(tx, job_id)
        assert job is not None
        return job

    async def usage(self, asker: Asker = ADA) -> Usage:
        async with self.database.reading() as tx:
            return await quotas.usage(tx, asker, 0.0, self.clock())

    def message(self, job: Job | Outcome) -> Message:
        assert job.handle is not None
        return self.surface.messages[job.handle]

    # --- moderation ---

    async def press(self, caller: Caller, intent: intents.Intent) -> Outcome:
        return await self.commands.press(caller, intents.token(intent), new_id())

    async def waiting(self, address: Address = HERE) -> list[Review]:
        """The open reviews of a place."""
        async with self.database.reading() as tx:
            return await reviews.waiting(tx, address.surface, address.place)

    async def review(self, address: Address = HERE) -> Review:
        """The only open review of a place."""
        (review,) = await self.waiting(address)
        return review

    async def review_now(self, review: Review) -> Review:
        async with self.database.reading() as tx:
            now = await reviews.get(tx, review.id)
        assert now is not None
        return now

    async def cases(self, address: Address = HERE) -> list[Case]:
        """The oldest first."""
        async with self.database.reading() as tx:
            return (await cases.browse(tx, address.surface, address.place, limit=1000))[::-1]

    async def standing(self, asker: Asker = ADA, address: Address = HERE) -> Standing:
        async with self.database.reading() as tx:
            return await standing.standing(tx, asker, address.surface, address.place, self.clock())

    async def clip(self, clip_id: str) -> Clip | None:
        async with self.database.reading() as tx:
            return await gallery.get(tx, clip_id)

    async def told(self, handle: Handle) -> list[str]:
        """Everything that was said below a card, once the loop has gone through what is to be told."""
        await self.reviewing.tick()
        return self.surface.messages[handle].replies

    async def set_desk(self, thread: str = "desk", address: Address = HERE) -> Address:
        """Where moderators of a place get the cards of reviews."""
        async with self.database.transaction() as tx:
            now = await places.settings(tx, address.surface, address.place)
            await places.put(tx, address.surface, address.place, replace(now, desk=thread), self.clock())
        return replace(address, thread=thread)

    def restart(self) -> None:
        """As after a crash: the loops of moderation know nothing any more but what is written down."""
        old = self.reviewing
        self.reviewing = ReviewLoop(
            old.database, old.surfaces, old.moderation, old.files, old.renditions, old.clock, old.sleep
        )

    # --- what a runner does ---

    async def claim(self, job_id: str) -> Lease:
        async with self.database.transaction() as tx:
            lease = await queue.claim(tx, job_id, runner="r1", now=self.clock(), until=self.clock() + 30)
        assert lease is not None
        return lease

    async def report(self, lease: Lease, progress: Progress) -> None:
        async with self.database.transaction() as tx:
            assert await queue.report(tx, lease, progress, self.clock())

    async def fail(self, lease: Lease, reason: str) -> None:
        async with self.database.transaction() as tx:
            await queue.fail(tx, lease, reason, self.clock(), again=False, attempts=3)
            await quotas.release(tx, lease.job.id)

    async def finish(self, lease: Lease) -> Delivery:
        """Step 9."""
        job, clip_id = lease.job, new_id()
        temp = self.folder / f"{clip_id}.tmp"
        shutil.copyfile(self.master, temp)
        kept = await self.files.keep(temp, clip_id, ".mp4")
        now = self.clock()
        clip = Clip(clip_id, job.id, job.asker, job.spec, job.verdict, kept, "", 1, {"step": 2.0}, now)
        promise = Delivery(
            new_id(), clip_id, job.id, job.handle, job.format, DeliveryState.PROMISED, 0, now, job.created_at
        )
        async with self.database.transaction() as tx:
            assert await queue.finish(tx, lease, now)
            await quotas.settle(tx, job.id)
            await gallery.publish(tx, clip)
            await deliveries.promise(tx, promise)
        return promise

    async def rendered(self, prompt: str = "a heart", **more: object) -> Delivery:
        """Asked for and rendered: the promise to deliver it."""
        outcome = await self.ask(prompt, **more)  # type: ignore[arg-type]
        return await self.finish(await self.claim(outcome.job))

    async def promised(self, delivery: Delivery) -> Delivery:
        """The delivery as it is now."""
        async with self.database.reading() as tx:
            (found,) = await deliveries.of_job(tx, delivery.job)
        return found

    @asynccontextmanager
    async def running(self, *loops: ProgressLoop | DeliveryLoop | ReviewLoop) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(loop.run()) for loop in loops]
            yield
            for task in tasks:
                task.cancel()

    @asynccontextmanager
    async def without(self, table: str) -> AsyncIterator[None]:
        """While this lasts, every question to the table fails, as on a database in trouble."""
        async with self.database.transaction() as tx:
            await tx.execute(text(f"ALTER TABLE {table} RENAME TO elsewhere"))
        yield
        async with self.database.transaction() as tx:
            await tx.execute(text(f"ALTER TABLE elsewhere RENAME TO {table}"))

    def on(self, *surfaces: Surface) -> None:
        """Other surfaces instead of the one that is there."""
        named = {surface.name: surface for surface in surfaces}
        self.commands.surfaces = self.progress.surfaces = self.delivery.surfaces = self.reviewing.surfaces = named


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four frames, 16 by 16, lossless: the smallest thing that is a master."""
    path = tmp_path_factory.mktemp("master") / "master.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=size=16x16:rate=8", "-frames:v", "4"]
    subprocess.run(
        [FFMPEG, "-v", "error", *source, "-c:v", "libx264rgb", "-qp", "0", str(path)], check=True, timeout=60
    )
    return path


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def nap(naps: list[float]) -> Callable[[float], Awaitable[None]]:
    """A sleep that takes no time and is written down; a real pause is left only to others on the loop."""

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        await asyncio.sleep(0)

    return sleep


@pytest.fixture
async def world(
    database: Database,
    tmp_path: Path,
    master: Path,
    naps: list[float],
    nap: Callable[[float], Awaitable[None]],
) -> World:
    clock, board, surface = Clock(), Board(), RecordingSurface()
    surfaces = {surface.name: surface}
    files = ClipFiles((tmp_path / "masters").as_uri())
    renditions = Renditions(tmp_path / "renditions", FFMPEG)
    commands = Commands(
        database=database,
        surfaces=surfaces,
        files=files,
        renditions=renditions,
        board=board,
        policy=policy(),
        allowance=Allowance(credits=100_000, window=86_400.0, waiting=100),
        limits=LimitsConfig(),
        default_model="pocket",
        clock=clock,
        rng=random.Random(7),
        hash_key=b"k" * 32,
        moderation=Moderation(database, Eraser(files, renditions), clock, ModerationConfig()),
    )
    progress = ProgressLoop(database, surfaces, board, tmp_path / "previews", clock, nap)
    delivery = DeliveryLoop(database, surfaces, files, renditions, board, clock, nap)
    async with database.transaction() as tx:
        await models.announce(tx, "r1", [POCKET], clock())
    reviewing = ReviewLoop(database, surfaces, commands.moderation, files, renditions, clock, nap)
    return World(database, surface, commands, progress, delivery, clock, files, tmp_path, master, reviewing, naps)


@pytest.fixture
def here() -> Address:
    return HERE


@pytest.fixture
def handle_elsewhere() -> Handle:
    return Handle(Address("recording", "elsewhere"), "404")
