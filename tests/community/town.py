"""A community's week, played on the real bot: its commands, its filter, its moderation, its store.

Two things are played by hand: the chat platform (a surface that records) and the generator (a file that lies there
already, instead of rendering).
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import imageio_ffmpeg
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import intents
from bot.commands import Outcome, Result
from bot.core import Core, opened
from bot.surfaces.recording import RecordingSurface
from db import cases, deliveries, gallery, models, queue, quotas, refusals, reviews, standing
from db.config import Config, DataConfig, QuotaConfig
from db.ids import new_id
from db.records import (
    Address,
    Asker,
    Caller,
    Case,
    Circumstances,
    Clip,
    Curb,
    Defaults,
    Delivery,
    DeliveryState,
    Job,
    ModelFacts,
    ModelLimits,
    Range,
    Review,
    ReviewKind,
    Standing,
    Wish,
)
from tests.community.members import DAY, WEEK, Ask, Duty, Event, Kind, Look, Member, population, week

MONDAY = 1_767_571_200.0  # 5 January 2026, midnight UTC
SQUARE = Address("recording", "town", "square")
RENDER_SECONDS = 20.0  # one engine, one clip after the other
POCKET = ModelFacts(
    "pocket",
    "Pocket",
    "unet3d",
    Defaults(steps=4, guidance=3.0, frames=4, width=16, height=16, fps=8, sampler="ddim"),
    ModelLimits(steps=Range(1, 50), frames=Range(1, 32), side=Range(16, 128), multiple=8),
)
CONSCIENCE = 0.5  # how often somebody reports a clip that is meant to hurt
GRUDGE = 0.001  # and one that is not
GIVES_IN = 0.8  # how often a refusal is simply accepted

_WORDS = {True: "this is about somebody we know", False: "I do not like it"}


@dataclass(frozen=True)
class Aftermath:
    """How things are when the week is over. `cases` begin with the first; `shown` is what can be seen."""

    cases: list[Case]
    shown: list[Clip]
    waiting: list[Review]
    stands: dict[Member, Standing]
    harmful: dict[str, bool]
    results: Counter[tuple[Kind, Result]]
    categories: Counter[str]
    reported: set[str]  # ids of clips

    def of(self, kind: Kind) -> list[Standing]:
        return [stands for member, stands in self.stands.items() if member.kind is kind]


@dataclass
class Town:
    """The place and everybody in it. `harmful` is the truth about each prompt."""

    core: Core
    surface: RecordingSurface
    master: Path
    rng: random.Random
    now: float = MONDAY
    harmful: dict[str, bool] = field(default_factory=dict)
    results: Counter[tuple[Kind, Result]] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    reported: set[str] = field(default_factory=set)
    seen: dict[Member, float] = field(default_factory=dict)  # and when they were seen first
    _free_at: float = MONDAY

    async def play(self, events: list[Event]) -> None:
        """The whole week, one deed after the other; at its end the generator has caught up."""
        for event in events:
            self.now = max(self.now, MONDAY + event.at)
            await self._render(self.now)
            self.seen.setdefault(event.member, self.now)
            match event.deed:
                case Ask(prompt, harmful):
                    self.harmful[prompt] = harmful
                    await self._ask(event.member, prompt)
                case Look(clips):
                    await self._look(event.member, clips)
                case Duty():
                    await self._duty(event.member)
        self.now = MONDAY + WEEK
        await self._render(float("inf"))

    # --- members ---

    async def _ask(self, member: Member, prompt: str) -> None:
        outcome = await self.core.commands.request_clip(_caller(member), Wish(prompt), new_id())
        self.results[member.kind, outcome.result] += 1
        if outcome.result is Result.REFUSED:
            self.categories[outcome.verdict.category if outcome.verdict else ""] += 1
            if self.rng.random() > GIVES_IN:
                await self._appeal(member, outcome)

    async def _appeal(self, member: Member, outcome: Outcome) -> None:
        assert outcome.handle is not None
        for button in self.surface.messages[outcome.handle].card.buttons:
            if isinstance(intents.parse(button.token), intents.Appeal):
                pressed = await self.core.commands.press(_caller(member), button.token, new_id())
                self.results[member.kind, pressed.result] += 1

    async def _look(self, member: Member, clips: int) -> None:
        async with self.core.database.reading() as tx:
            newest = await gallery.browse(tx, SQUARE.surface, SQUARE.place, None, "", 0, clips)
        for clip in newest:
            if clip.asker.id != member.id and self._reports(member, clip):
                reason = _WORDS[self.harmful[clip.spec.prompt]]
                outcome = await self.core.commands.report(_caller(member), clip.id, reason)
                self.results[member.kind, outcome.result] += 1
                self.reported.add(clip.id)

    def _reports(self, member: Member, clip: Clip) -> bool:
        if member.kind in {Kind.FALSE_REPORTER, Kind.RAIDER}:
            return True
        return self.rng.random() < (CONSCIENCE if self.harmful[clip.spec.prompt] else GRUDGE)

    # --- moderators ---

    async def _duty(self, member: Member) -> None:
        """Everything that waits, by the same buttons that the cards at a desk have."""
        async with self.core.database.transaction() as tx:
            for clip in await reviews.unlisted_labelled(tx, 100):
                await self.core.commands.moderation.open_labelled(tx, clip)
            waiting = await reviews.waiting(tx, SQUARE.surface, SQUARE.place, 1000)
        for review in waiting:
            button = _button(review, await self._is_harmful(review))
            outcome = await self.core.commands.press(_caller(member), intents.token(button), new_id())
            self.results[member.kind, outcome.result] += 1
        async with self.core.database.reading() as tx:
            culprits = [each for each in self.seen if await self._is_troublemaker(tx, each)]
        for culprit in culprits:
            await self._block(member, culprit)

    async def _is_troublemaker(self, tx: AsyncConnection, member: Member) -> bool:
        """Somebody who came today and has earned three points since."""
        if self.now - self.seen[member] > DAY:
            return False
        stands = await self._standing(tx, member)
        return stands.points >= 3 and stands.curb is not Curb.BAN

    async def _block(self, moderator: Member, culprit: Member) -> None:
        asked = await self.core.answers.bench.block(_caller(moderator), culprit.id, reason="came to make trouble")
        for button in asked.buttons:
            if isinstance(intents.parse(button.token), intents.Confirm):
                outcome = await self.core.commands.press(_caller(moderator), button.token, new_id())
                self.results[moderator.kind, outcome.result] += 1

    async def _is_harmful(self, review: Review) -> bool:
        async with self.core.database.reading() as tx:
            match review.kind:
                case ReviewKind.HELD:
                    job = await queue.get(tx, review.subject)
                    prompt = job.spec.prompt if job else ""
                case ReviewKind.APPEAL:
                    refusal = await refusals.get(tx, review.subject)
                    prompt = refusal.prompt if refusal else ""
                case _:
                    clip = await gallery.get(tx, review.subject)
                    prompt = clip.spec.prompt if clip else ""
        return self.harmful.get(prompt, False)

    # --- the generator ---

    async def _render(self, until: float) -> None:
        """Whatever it has finished by then."""
        while True:
            async with self.core.database.reading() as tx:
                waiting = await queue.waiting(tx)
            if not waiting:
                return
            done_at = max(self._free_at, waiting[0].created_at) + RENDER_SECONDS
            if done_at > until:
                return
            await self._finish(waiting[0], done_at)
            self._free_at = done_at

    async def _finish(self, job: Job, now: float) -> None:
        clip_id = new_id()
        temp = self.master.with_name(f"{clip_id}.tmp")
        shutil.copyfile(self.master, temp)
        kept = await self.core.files.keep(temp, clip_id, ".mp4")
        clip = Clip(clip_id, job.id, job.asker, job.spec, job.verdict, kept, "", 1, {"step": 2.0}, now)
        promise = Delivery(new_id(), clip_id, job.id, job.handle, "gif", DeliveryState.PROMISED, 0, now, job.created_at)
        async with self.core.database.transaction() as tx:
            lease = await queue.claim(tx, job.id, runner="r1", now=now, until=now + 30)
            assert lease is not None
            assert await queue.finish(tx, lease, now)
            await quotas.settle(tx, job.id)
            await gallery.publish(tx, clip)
            await deliveries.promise(tx, promise)
            await deliveries.mark_sent(tx, promise.id, clip_id, now)

    # --- what came of it ---

    async def aftermath(self, members: list[Member]) -> Aftermath:
        here = (SQUARE.surface, SQUARE.place)
        async with self.core.database.reading() as tx:
            return Aftermath(
                cases=(await cases.browse(tx, *here, limit=100_000))[::-1],
                shown=await gallery.browse(tx, *here, None, "", 0, 100_000),
                waiting=await reviews.waiting(tx, *here, 1000),
                stands={member: await self._standing(tx, member) for member in members},
                harmful=self.harmful,
                results=self.results,
                categories=self.categories,
                reported=self.reported,
            )

    async def _standing(self, tx: AsyncConnection, member: Member) -> Standing:
        return await standing.standing(tx, _asker(member), SQUARE.surface, SQUARE.place, self.now)


async def played(folder: Path, size: int, seed: int) -> Aftermath:
    """The week of `size` members, drawn from a seed; everything it writes lies below `folder`."""
    rng, members = random.Random(seed), population(size)
    async with founded(folder / "data", _tiny_master(folder / "master.mp4"), rng) as town:
        await town.play(week(members, rng))
        return await town.aftermath(members)


def _tiny_master(path: Path) -> Path:
    """Four frames that stand for every clip."""
    source = ["-f", "lavfi", "-i", "testsrc=size=16x16:rate=8", "-frames:v", "4"]
    line = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, str(path)]
    subprocess.run(line, check=True, timeout=60)
    return path


@asynccontextmanager
async def founded(folder: Path, master: Path, rng: random.Random) -> AsyncIterator[Town]:
    """An empty town with its bot. `master` is the file that every clip has."""
    config = Config(data=DataConfig(folder=folder), quota=QuotaConfig(credits=20.0, waiting=3))
    town: Town | None = None
    async with opened(config, clock=lambda: town.now if town else MONDAY) as core:
        surface = RecordingSurface()
        core.surfaces[surface.name] = surface
        async with core.database.transaction() as tx:
            await models.announce(tx, "r1", [POCKET], MONDAY)
        town = Town(core, surface, master, rng)
        yield town


def _button(review: Review, harmful: bool) -> intents.Intent:
    """What a moderator of good sense presses."""
    if harmful:
        return intents.Remove(review.id)
    return intents.FalseAlarm(review.id) if review.kind is ReviewKind.REPORTED else intents.Approve(review.id)


def _asker(member: Member) -> Asker:
    return Asker("recording", member.id)


def _caller(member: Member) -> Caller:
    return Caller(_asker(member), SQUARE, Circumstances(moderator=member.kind is Kind.MODERATOR))
