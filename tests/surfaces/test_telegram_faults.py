"""What goes wrong between us and Telegram: kills, time-outs, floods, bad gateways, chats that close. One clip each."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx
import imageio_ffmpeg
import psutil  # type: ignore[import-untyped]
import pytest

from bot.core import Core, opened
from bot.surfaces.telegram.pace import Pace
from bot.surfaces.telegram.surface import TelegramSurface
from bot.together import side_by_side
from db import cases, deliveries, gallery, models, queue, quotas, updates
from db.clip_files import ClipFiles
from db.config import Config, DataConfig, TelegramConfig
from db.database import Bell, Database
from db.ids import new_id
from db.records import (
    Action,
    Clip,
    Defaults,
    Delivery,
    DeliveryState,
    Job,
    JobState,
    Lease,
    ModelFacts,
    ModelLimits,
    Phase,
    Progress,
    Range,
)
from tests.surfaces.telegram_chats import Chat, Message, Person
from tests.surfaces.telegram_methods import BOT
from tests.surfaces.telegram_server import TOKEN, TelegramServer, serving

T = TypeVar("T")
SECRET = "X-Telegram-Bot-Api-Secret-Token"
CHILD = Path(__file__).parent / "children" / "telegram_bot.py"
AT_ONCE = 4  # bots that are killed at a time
ROOT = Path(__file__).parents[2]
PATIENCE = 40.0  # seconds; an upper bound for what takes a few on an idle machine
MODEL = ModelFacts(
    name="pocket",
    title="Pocket",
    family="unet3d",
    defaults=Defaults(steps=4, guidance=3.0, frames=8, width=32, height=32, fps=8, sampler="ddim"),
    limits=ModelLimits(steps=Range(1, 50), frames=Range(1, 16), side=Range(16, 64), multiple=8),
)


# --- a stand: a Telegram, a bot on it, and a runner ---


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with serving() as ready:
        yield ready


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real film of one second, which all runners of this file finish with."""
    path = tmp_path_factory.mktemp("master") / "master.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=size=32x32:rate=8:duration=1"]
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, "-c:v", "libx264rgb", "-qp", "0", str(path)]
    subprocess.run(program, check=True)
    return path


@dataclass
class Runner:
    """What a runner does, by the same functions of the database."""

    database: Database
    files: ClipFiles
    master: Path

    async def until(self, look: Callable[[], Awaitable[T | None]]) -> T:
        """What `look` finds once it finds something; it looks at each change of the database."""
        async with asyncio.timeout(PATIENCE):
            while True:
                heard = self.database.bell.count()
                if (found := await look()) is not None:
                    return found
                await self.database.bell.wait(heard, 1.0)

    async def announce(self) -> None:
        async with self.database.transaction() as tx:
            await models.announce(tx, "r", [MODEL], time.time())

    async def claim(self) -> Lease:
        """Lease the oldest waiting job as soon as there is one."""

        async def look() -> Lease | None:
            async with self.database.transaction() as tx:
                for job in await queue.waiting(tx):
                    return await queue.claim(tx, job.id, runner="r", now=time.time(), until=time.time() + 600)
            return None

        return await self.until(look)

    async def step(self, lease: Lease, step: int) -> None:
        async with self.database.transaction() as tx:
            await queue.report(tx, lease, Progress(Phase.STEP, step, lease.job.spec.steps), time.time())

    async def finish(self, lease: Lease) -> Clip:
        """Keep a master, publish the clip and promise its delivery."""
        clip_id, job, now = new_id(), lease.job, time.time()
        temp = Path(shutil.copy(self.master, self.master.with_name(f"{clip_id}.part.mp4")))
        kept = await self.files.keep(temp, clip_id, ".mp4")
        clip = Clip(clip_id, job.id, job.asker, job.spec, job.verdict, kept, "", 1, {"steps": 1.0}, now)
        state = DeliveryState.PROMISED
        promise = Delivery(new_id(), clip_id, job.id, job.handle, job.format, state, 0, now, job.created_at)
        async with self.database.transaction() as tx:
            await queue.finish(tx, lease, now)
            await quotas.settle(tx, job.id)
            await gallery.publish(tx, clip)
            await deliveries.promise(tx, promise)
        return clip

    async def serve(self) -> None:
        """Render whatever waits until cancelled."""
        while True:
            await self.finish(await self.claim())

    async def jobs(self) -> list[Job]:
        async with self.database.reading() as tx:
            return await queue.changed_since(tx, 0.0)

    async def until_delivered(self, count: int = 1, state: DeliveryState = DeliveryState.SENT) -> None:
        """Until that many deliveries have come to this end, and every update is handled."""

        async def look() -> bool | None:
            async with self.database.reading() as tx:
                promised = [one for job in await self.jobs() for one in await deliveries.of_job(tx, job.id)]
                waiting = await updates.waiting(tx, "telegram")
            return (sum(one.state is state for one in promised) >= count and not waiting) or None

        await self.until(look)


@dataclass
class Hurry:
    """Time that runs `factor` times as fast, for clocks, sleeps and bells alike."""

    factor: float = 1.0
    begun: float = field(default_factory=time.monotonic)
    epoch: float = field(default_factory=time.time)

    def monotonic(self) -> float:
        return self.begun + (time.monotonic() - self.begun) * self.factor

    def time(self) -> float:
        return self.epoch + (time.monotonic() - self.begun) * self.factor

    async def sleep(self, seconds: float) -> None:
        rung = asyncio.Event()
        asyncio.get_running_loop().call_later(seconds / self.factor, rung.set)
        await rung.wait()


@dataclass
class HastyBell:
    """A bell whose listeners wait in hurried time."""

    bell: Bell
    factor: float

    def count(self) -> int:
        return self.bell.count()

    async def wait(self, seen: int, timeout: float) -> int:  # noqa: ASYNC109
        return await self.bell.wait(seen, timeout / self.factor)

    def close(self) -> None:
        self.bell.close()


@dataclass
class House:
    """The bot with Telegram as its only surface, in this process."""

    core: Core
    runner: Runner
    surface: TelegramSurface


Begin = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
def begin(
    telegram: TelegramServer,
    tmp_path: Path,
    empty_database: Path,
    master: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Begin:
    """Start the bot for as long as a context lasts; `telegram`'s settings by keyword, and how fast time runs."""
    monkeypatch.setattr("bot.commands.use_cases.RETRY_SECONDS", 0.5)  # what could not be shown is shown soon
    shutil.copy(empty_database, tmp_path / "zoetrope.db")

    @asynccontextmanager
    async def begun(hurry: Hurry | None = None, **settings: str | float) -> AsyncIterator[House]:
        pressed = hurry or Hurry()
        urls = {"base_url": telegram.base_url, "base_file_url": telegram.base_file_url}
        config = TelegramConfig.model_validate({**urls, "poll_seconds": 5, **settings})
        async with opened(Config(data=DataConfig(folder=tmp_path), telegram=config), pressed.time) as core:
            core.database.bell = HastyBell(core.database.bell, pressed.factor)
            core.progress.sleep = core.delivery.sleep = pressed.sleep
            pace = Pace(pressed.monotonic)
            surface = TelegramSurface(config, TOKEN, core.database, pressed.time, pace, pressed.sleep)
            surface.commands, surface.answers = core.commands, core.answers
            core.surfaces[surface.name] = surface
            runner = Runner(core.database, core.files, master)
            await runner.announce()
            async with side_by_side([surface.run(), *core.loops()]):
                yield House(core, runner, surface)

    return begun


@pytest.fixture
def ada(telegram: TelegramServer) -> Person:
    return telegram.person("Ada")


@pytest.fixture
def chat(telegram: TelegramServer, ada: Person) -> Chat:
    return telegram.private(ada)


def cards(telegram: TelegramServer, chat: Chat) -> list[Message]:
    """What the bot has said and what still stands."""
    return [one for one in telegram.messages(chat) if one.sender in {BOT, None}]


# --- a process that is killed ---


@dataclass
class Nursery:
    """Where bots are born that have everything imported already; see children/telegram_bot.py."""

    process: subprocess.Popen[str]

    def bear(self, **told: str | int) -> psutil.Process:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(told), file=self.process.stdin, flush=True)
        return psutil.Process(int(self.process.stdout.readline()))


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    command = [sys.executable, str(CHILD)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        yield Nursery(process)


@dataclass
class BotProcess:
    """The bot in a process of its own on one data folder, with a runner in this one."""

    nursery: Nursery
    server: TelegramServer
    folder: Path
    runner: Runner
    process: psutil.Process | None = None

    def start(self, commits: int = 0) -> None:
        """Start it; it dies after so many commits (0: never)."""
        address = self.server.base_url.removesuffix("/bot")
        self.process = self.nursery.bear(folder=str(self.folder), server=address, token=TOKEN, commits=commits)

    def kill(self) -> None:
        """SIGKILL, as the kernel does when memory runs out."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)

    async def killed(self, work: Awaitable[object]) -> bool:
        """Whether it is killed before `work` is done."""
        assert self.process is not None
        dying, working = asyncio.ensure_future(asyncio.to_thread(self._wait)), asyncio.ensure_future(work)
        await asyncio.wait([dying, working], return_when=asyncio.FIRST_COMPLETED)
        dead = not working.done()
        if dead:
            working.cancel()
            await asyncio.wait([working])
            assert not (self.folder / "ended").exists(), (self.folder / "ended").read_text()
        else:
            working.result()
        return dead

    def _wait(self) -> None:
        assert self.process is not None
        self.process.wait(5 * PATIENCE)

    async def stop(self) -> None:
        if self.process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                self.kill()
            await asyncio.to_thread(self._wait)


def fresh_copy(mould: Path, folder: Path) -> str:
    """The URL of a new database in a new folder."""
    folder.mkdir()
    return f"sqlite:///{shutil.copy(mould, folder / 'zoetrope.db')}"


Bear = Callable[[TelegramServer, str], AbstractAsyncContextManager[BotProcess]]


@pytest.fixture
def bear(nursery: Nursery, tmp_path: Path, empty_database: Path, master: Path) -> Bear:
    """A data folder of this name, a runner that renders whatever waits there, and bot processes to start."""

    @asynccontextmanager
    async def born(server: TelegramServer, name: str) -> AsyncIterator[BotProcess]:
        folder = tmp_path / name
        database = await Database.open(fresh_copy(empty_database, folder))
        runner = Runner(database, ClipFiles(Config(data=DataConfig(folder=folder)).masters_url), master)
        await runner.announce()
        one = BotProcess(nursery, server, folder, runner)
        rendering = asyncio.create_task(runner.serve())
        try:
            yield one
        finally:
            rendering.cancel()
            await asyncio.wait([rendering])
            await one.stop()
            await database.close()

    return born


async def assert_one_clip_came_once(bot: BotProcess, chat: Chat) -> None:
    """One request, one job, paid once, and one clip, which stands where its delivery says."""
    (job,) = await bot.runner.jobs()
    assert job.state is JobState.DONE
    async with bot.runner.database.reading() as tx:
        (delivery,) = await deliveries.of_job(tx, job.id)
        usage = await quotas.usage(tx, job.asker, 0.0, time.time())
    (clip,) = bot.server.clips(chat)
    assert (delivery.state, delivery.receipt) == (DeliveryState.SENT, str(clip.id))
    assert sum(cost for _, cost in usage.spent) == job.cost


async def survived(bear: Bear, commits: int) -> bool:
    """Whether a bot was killed after so many commits, and the next one brought all to a good end."""
    async with serving() as server, bear(server, f"killed-{commits}") as bot:
        chat = server.private(ada := server.person("Ada"))
        server.say(chat, ada, "/video a cat")
        bot.start(commits)
        if not await bot.killed(bot.runner.until_delivered()):
            return False
        bot.start()
        assert not await bot.killed(bot.runner.until_delivered()), "killed twice"
        await assert_one_clip_came_once(bot, chat)
        assert len(cards(server, chat)) == 1
        return True


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_kill_after_any_commit_loses_nothing_and_doubles_nothing(bear: Bear) -> None:
    """Between storing an update and handling it, between its card and its job, and everywhere else on the way."""
    kills = 0
    for first in range(1, 40, AT_ONCE):
        survivals = await asyncio.gather(*(survived(bear, first + more) for more in range(AT_ONCE)))
        kills += sum(survivals)
        if not all(survivals):
            break
    assert 5 < kills < 39


@dataclass
class Court:
    """A group whose administrator acts against a member, and what is known of it."""

    bot: BotProcess
    group: Chat
    bob: Person
    words: Message

    @classmethod
    def of(cls, bot: BotProcess) -> Court:
        ada, bob = bot.server.person("Ada"), bot.server.person("Bob")
        group = bot.server.supergroup("Films", bob, ada)
        return cls(bot, group, bob, bot.server.say(group, ada, "spam"))

    def say(self, text: str) -> Message:
        return self.bot.server.say(self.group, self.bob, text, reply_to=self.words)

    async def answered(self, said: Message) -> Message:
        """What the bot answers, once everything is handled."""
        found = await self.bot.server.sees(self.group, lambda one: one.sender == BOT and one.reply_to == said.id)
        await self.bot.runner.until_delivered(0)
        return found

    async def until_closed(self, card: Message) -> None:
        await self.bot.server.until(lambda: not card.buttons)
        await self.bot.runner.until_delivered(0)

    async def actions(self) -> list[Action]:
        async with self.bot.runner.database.reading() as tx:
            return [case.action for case in await cases.browse(tx, "telegram", str(self.group.id))]


@pytest.mark.slow
async def test_what_a_moderator_does_at_once_is_done_once_though_it_meets_a_kill(bear: Bear) -> None:
    async def acted(commits: int) -> int:
        async with serving() as server, bear(server, f"acted-{commits}") as bot:
            court = Court.of(bot)
            said = court.say("/zgrant 1")
            bot.start(commits)
            if killed := await bot.killed(court.answered(said)):
                bot.start()
                assert not await bot.killed(court.answered(said))
            told = [one.text for one in server.messages(court.group) if one.sender == BOT]
            done = await court.actions()
            assert done == [Action.GRANT] or (done == [] and any("stopped in the middle" in each for each in told))
            return killed

    assert sum([sum(await asyncio.gather(*map(acted, range(at, at + AT_ONCE)))) for at in range(1, 13, AT_ONCE)]) > 4


@pytest.mark.slow
async def test_what_a_moderator_confirms_is_done_once_though_it_meets_a_kill(bear: Bear) -> None:
    async def confirmed(commits: int) -> int:
        async with serving() as server, bear(server, f"confirmed-{commits}") as bot:
            court = Court.of(bot)
            said = court.say("/zblock 24")
            bot.start()
            card = await court.answered(said)
            await bot.stop()
            (confirm,) = [each["text"] for each in card.buttons if each["callback_data"].startswith("k:")]
            server.press(card, confirm, court.bob)
            bot.start(commits)
            if killed := await bot.killed(court.until_closed(card)):
                bot.start()
                assert not await bot.killed(court.until_closed(card))
            assert await court.actions() == [Action.BAN]
            return killed

    assert sum([sum(await asyncio.gather(*map(confirmed, range(at, at + AT_ONCE)))) for at in (1, 5)]) > 3


@pytest.mark.slow
async def test_a_press_that_meets_a_kill_acts_once(bear: Bear) -> None:
    async def pressed(commits: int) -> None:
        async with serving() as server, bear(server, f"pressed-{commits}") as bot:
            chat = server.private(ada := server.person("Ada"))
            server.say(chat, ada, "/video a cat")
            bot.start()
            assert not await bot.killed(bot.runner.until_delivered())
            await bot.stop()
            server.press(server.clips(chat)[0], "Again", ada)
            bot.start(commits)
            assert await bot.killed(bot.runner.until_delivered(2))
            bot.start()
            assert not await bot.killed(bot.runner.until_delivered(2))
            assert len(await bot.runner.jobs()) == len(server.clips(chat)) == len(cards(server, chat)) == 2

    await asyncio.gather(*(pressed(commits) for commits in range(1, AT_ONCE + 1)))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["sendMessage", "editMessageMedia"])
async def test_a_kill_before_the_answer_comes_brings_one_clip(
    method: str, bear: Bear, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    """Between the card and our knowing of it; between the upload and its receipt."""
    async with bear(telegram, "data") as bot:
        fault = telegram.fault(method, drop="after", then=bot.kill)
        telegram.say(chat, ada, "/video a cat")
        bot.start()
        assert await bot.killed(bot.runner.until_delivered())
        bot.start()
        assert not await bot.killed(bot.runner.until_delivered())
        await assert_one_clip_came_once(bot, chat)
    assert fault.hits == 1
    assert len(cards(telegram, chat)) == (2 if method == "sendMessage" else 1)  # nobody could know of the first card


# --- nothing definite came back ---


async def test_a_time_out_after_the_animation_was_accepted_brings_it_once(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    fault = telegram.fault("editMessageMedia", hold=True)
    async with begin(Hurry(4), answer_seconds=0.5) as house:
        telegram.say(chat, ada, "/video a cat")
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered()
    assert fault.hits == 1
    assert len(telegram.clips(chat)) == 1
    assert len(cards(telegram, chat)) == 1


@pytest.mark.parametrize("how", [{"drop": "before"}, {"drop": "after"}, {"hold": True}, {"status": 502}])
async def test_a_card_whose_answer_was_lost_costs_one_job_and_brings_one_clip(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat, how: dict[str, str | int | bool]
) -> None:
    telegram.fault("sendMessage", **how)
    async with begin(Hurry(20), answer_seconds=0.5) as house:
        telegram.say(chat, ada, "/video a cat")
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered()
        assert len(await house.runner.jobs()) == 1
    assert len(telegram.clips(chat)) == 1


async def test_an_answer_whose_sending_timed_out_is_not_said_twice(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    fault = telegram.fault("sendMessage", hold=True)
    async with begin(Hurry(20), answer_seconds=0.5) as house:
        telegram.say(chat, ada, "/help")
        await telegram.until(lambda: fault.hits)
        await house.runner.until_delivered(0)
    assert len(cards(telegram, chat)) == 1


async def test_an_answer_that_telegram_did_not_take_is_said_again(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    telegram.fault("sendMessage", status=502)
    async with begin(Hurry(20)) as house:
        telegram.say(chat, ada, "/help")
        await telegram.until(lambda: cards(telegram, chat))
        await house.runner.until_delivered(0)
    assert len(cards(telegram, chat)) == 1


async def test_an_older_server_gets_the_clip_as_a_reply_in_place_of_the_card(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    telegram.world.replaces_text = False
    async with begin(Hurry(20)) as house:
        said = telegram.say(chat, ada, "/video a cat")
        card = await telegram.sees(chat, lambda one: "Cancel" in one.labels)
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered()
        (job,) = await house.runner.jobs()
    (clip,) = telegram.clips(chat)
    assert (cards(telegram, chat), card.deleted) == ([clip], True)
    assert job.handle.message == str(clip.id)
    assert telegram.made("sendAnimation")[0].values["reply_parameters"]["message_id"] == card.id
    assert said.id < card.id


@pytest.mark.parametrize("how", [{"hold": True}, {"drop": "after"}])
async def test_a_clip_that_an_older_server_took_without_a_word_is_not_sent_twice(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat, how: dict[str, str | bool]
) -> None:
    telegram.world.replaces_text = False
    telegram.fault("sendAnimation", **how)
    async with begin(Hurry(20), answer_seconds=0.5) as house:
        telegram.say(chat, ada, "/video a cat")
        card = await telegram.sees(chat, lambda one: "Cancel" in one.labels)
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered(state=DeliveryState.GIVEN_UP)
    assert len(telegram.clips(chat)) == len(telegram.made("sendAnimation")) == 1
    assert "Nobody can tell whether it came" in card.text


async def test_a_clip_that_an_older_server_turned_away_is_sent_again(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    telegram.world.replaces_text = False
    telegram.fault("sendAnimation", status=502)
    async with begin(Hurry(20)) as house:
        telegram.say(chat, ada, "/video a cat")
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered()
    assert len(telegram.clips(chat)) == 1


async def test_a_card_that_could_not_be_removed_yet_goes_in_the_end(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    telegram.world.replaces_text = False
    telegram.fault("deleteMessage", drop="before")
    async with begin(Hurry(20)) as house:
        telegram.say(chat, ada, "/video a cat")
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered()
    assert cards(telegram, chat) == telegram.clips(chat)
    assert len(telegram.clips(chat)) == 1


async def test_a_server_that_holds_no_question_open_is_not_asked_in_a_busy_loop(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = telegram.until

    async def at_once(look: Callable[[], T], patience: float | None = PATIENCE) -> T:
        return await until(look, 0 if patience == 5 else patience)

    monkeypatch.setattr(telegram, "until", at_once)
    async with begin() as house:
        begun, asked = time.monotonic(), telegram.polls
        telegram.say(chat, ada, "/video a cat")
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered()
        assert telegram.polls - asked <= 4 + (time.monotonic() - begun) / 0.15


@pytest.mark.parametrize("slash", ["", "/"])
async def test_addresses_may_end_as_people_write_them(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat, slash: str
) -> None:
    root = f"http://127.0.0.1:{telegram.port}"
    for url, file_url in ((f"{root}/bot{slash}", f"{root}/file/bot{slash}"), (root + slash, root + slash)):
        async with begin(base_url=url, base_file_url=file_url) as house:
            telegram.say(chat, ada, "/help")
            await telegram.until(lambda: cards(telegram, chat))
            await house.runner.until_delivered(0)
        for one in cards(telegram, chat):
            telegram.remove(one)


async def test_bad_gateways_while_asking_for_updates_lose_none(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    gateway = telegram.fault("getUpdates", status=502, times=3)
    cut = telegram.fault("getUpdates", drop="after", times=2)
    async with begin(Hurry(20)) as house:
        telegram.say(chat, ada, "/video a cat")
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered()
        assert len(await house.runner.jobs()) == 1
    assert (gateway.hits, cut.hits) == (3, 2)
    assert len(telegram.clips(chat)) == 1


async def test_a_telegram_that_was_away_finds_us_waiting(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    async with begin(Hurry(20)) as house:
        telegram.say(chat, ada, "/video a cat")
        lease = await house.runner.claim()
        await telegram.stop()
        await house.runner.step(lease, 1)
        await house.runner.finish(lease)
        await telegram.start()
        await house.runner.until_delivered()
    assert len(telegram.clips(chat)) == 1


async def test_another_program_with_our_token_is_named_and_outlived(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    async with begin(Hurry(20)) as house, httpx.AsyncClient(timeout=20) as other:
        await telegram.until(lambda: telegram.polls)
        theirs = await other.get(f"{telegram.base_url}{TOKEN}/getUpdates", params={"timeout": 5})
        assert theirs.status_code == 409  # we came back
        telegram.say(chat, ada, "/video a cat")
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered()
    assert "Somebody else receives this Telegram bot's updates" in caplog.text


# --- floods ---


async def test_one_chat_that_asks_for_patience_gets_it_while_another_is_served(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    hurry = Hurry(10)
    telegram.clock = hurry.monotonic
    telegram.fault("sendMessage", retry_after=20, chat=chat)
    elsewhere = telegram.private(bob := telegram.person("Bob"))
    async with begin(hurry) as house:
        telegram.say(chat, ada, "/video a cat")
        await telegram.until(lambda: telegram.made("sendMessage", chat))
        telegram.say(elsewhere, bob, "/video a dog")
        await telegram.until(lambda: cards(telegram, elsewhere))
        assert not cards(telegram, chat)
        for _ in range(2):
            await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered(2)
    first, second = telegram.made("sendMessage", chat)[:2]
    assert (first.status, second.status) == (429, 200)
    assert second.at - first.at >= 20
    assert len(telegram.clips(chat)) == len(telegram.clips(elsewhere)) == 1


async def test_an_upload_that_must_wait_is_tried_when_the_time_has_come(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    hurry = Hurry(10)
    telegram.clock = hurry.monotonic
    telegram.fault("editMessageMedia", retry_after=15)
    async with begin(hurry) as house:
        telegram.say(chat, ada, "/video a cat")
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered()
    first, second = telegram.made("editMessageMedia", chat)
    assert second.at - first.at >= 15
    assert len(telegram.clips(chat)) == 1


async def test_thirty_jobs_in_a_group_never_flood_it_and_end_as_thirty_clips(
    begin: Begin, telegram: TelegramServer
) -> None:
    hurry = Hurry(40)
    telegram.clock = hurry.monotonic
    telegram.limit(20, minute=50)  # calls are counted where they arrive, and hurried time makes much of every delay
    people = [telegram.person(f"Number {number}") for number in range(30)]
    club = telegram.supergroup("Club", *people)
    async with begin(hurry) as house:
        for person in people:
            telegram.say(club, person, f"/video a cat for {person.first_name}")
        rendering = asyncio.create_task(house.runner.serve())
        await house.runner.until_delivered(30)
        rendering.cancel()
        await asyncio.wait([rendering])
    clips = telegram.clips(club)
    assert Counter(one.text.splitlines()[0] for one in clips) == Counter(
        f"a cat for {one.first_name}" for one in people
    )
    assert [one.text for one in cards(telegram, club) if one.kind == "" and one.buttons] == []  # no card still waits
    told = telegram.traffic(club)
    assert busiest(told, 50.0) <= 20
    assert len(told) <= 20 * (1 + (told[-1] - told[0]) / 60)
    assert len([one for one in telegram.calls if one.status == 429]) <= 2


def busiest(moments: list[float], seconds: float) -> int:
    """The most calls within any such time."""
    return max(sum(0 <= later - first < seconds for later in moments) for first in moments)


# --- chats that close, move, or are tidied up ---


async def test_a_card_that_was_deleted_ends_its_delivery_and_nobody_elses(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    async with begin(Hurry(4)) as house:
        telegram.say(chat, ada, "/video a cat")
        lease = await house.runner.claim()
        telegram.remove(await telegram.sees(chat, lambda one: "Cancel" in one.labels))
        await house.runner.step(lease, 1)
        await house.runner.finish(lease)
        await house.runner.until_delivered(state=DeliveryState.GIVEN_UP)
        assert not cards(telegram, chat)
        telegram.say(chat, ada, "/video a dog")
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered()
    (clip,) = telegram.clips(chat)
    assert clip.text.startswith("a dog")


async def test_a_person_who_blocks_the_bot_stops_nobody_else_and_may_come_back(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    elsewhere = telegram.private(bob := telegram.person("Bob"))
    async with begin(Hurry(4)) as house:
        telegram.say(chat, ada, "/video a cat")
        lease = await house.runner.claim()
        telegram.block(ada)
        await house.runner.finish(lease)
        await house.runner.until_delivered(state=DeliveryState.GIVEN_UP)
        telegram.say(elsewhere, bob, "/video a dog")
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered()
        telegram.unblock(ada)
        telegram.say(chat, ada, "/video a bird")
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered(2)
    assert [one.text.splitlines()[0] for one in telegram.clips(elsewhere)] == ["a dog"]
    assert [one.text.splitlines()[0] for one in telegram.clips(chat)] == ["a bird"]


async def test_a_group_that_throws_the_bot_out_is_left_alone(
    begin: Begin, telegram: TelegramServer, ada: Person
) -> None:
    club = telegram.supergroup("Club", ada)
    async with begin(Hurry(4)) as house:
        telegram.say(club, ada, "/video a cat")
        lease = await house.runner.claim()
        telegram.kick(club, by=ada)
        await house.runner.finish(lease)
        await house.runner.until_delivered(state=DeliveryState.GIVEN_UP)
    assert not telegram.clips(club)
    assert sum(one.status == 403 for one in telegram.calls) <= 3


async def test_a_chat_that_says_no_for_good_is_not_asked_again(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    """Also where nobody told us that we were put out."""
    async with begin(Hurry(20)) as house:
        telegram.say(chat, ada, "/video a cat")
        lease = await house.runner.claim()
        chat.bot = "blocked"
        await house.runner.finish(lease)
        await house.runner.until_delivered(state=DeliveryState.GIVEN_UP)
        telegram.say(chat, ada, "/video a dog")  # not heard while blocked
        assert sum(one.status == 403 for one in telegram.calls) == 1
        chat.bot = "member"
        telegram.say(chat, ada, "/video a bird")
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered()
    assert [one.text.splitlines()[0] for one in telegram.clips(chat)] == ["a bird"]


async def test_a_group_that_becomes_a_supergroup_in_the_middle_of_a_job_gets_its_clip_once(
    begin: Begin, telegram: TelegramServer, ada: Person
) -> None:
    group = telegram.group("Club", ada)
    async with begin(Hurry(4)) as house:
        telegram.say(group, ada, "/video a cat")
        lease = await house.runner.claim()
        await telegram.sees(group, lambda one: "Cancel" in one.labels)
        grown = telegram.migrate(group, by=ada)
        await house.runner.step(lease, 1)
        await house.runner.finish(lease)
        await house.runner.until_delivered()
        assert (len(telegram.clips(group)), len(telegram.clips(grown))) == (0, 1)
        assert len(cards(telegram, grown)) == 1
        telegram.say(grown, ada, "/video a dog")
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered(2)
    assert len(telegram.clips(grown)) == 2


async def test_a_press_that_is_too_old_to_be_answered_still_acts(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    async with begin(Hurry(4)) as house:
        telegram.say(chat, ada, "/video a cat")
        card = await telegram.sees(chat, lambda one: "Cancel" in one.labels)
        telegram.press(card, "Cancel", ada).expired = True
        await telegram.until(lambda: not card.labels or "Cancel" not in card.labels)
        (job,) = await house.runner.jobs()
    assert job.state is JobState.CANCELLED


# --- the webhook ---


async def test_a_webhook_takes_updates_from_whoever_knows_the_secret_and_from_nobody_else(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    telegram.proxy = f"http://127.0.0.1:{port}/telegram"
    async with begin(webhook_url="https://bot.example/telegram", webhook_port=port) as house:
        await telegram.until(lambda: telegram.world.webhook)
        forged = {"update_id": 1, "message": chat.add(sender=ada, text="/video a forged cat").json(BOT)}
        async with httpx.AsyncClient() as stranger:
            for headers in ({}, {SECRET: "wrong"}, {SECRET: telegram.world.webhook["secret_token"][:-1]}):
                assert (await stranger.post(telegram.proxy, json=forged, headers=headers)).status_code == 403
        telegram.say(chat, ada, "/video a cat")
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered()
        assert len(await house.runner.jobs()) == 1
    (clip,) = telegram.clips(chat)
    assert clip.text.startswith("a cat")
    assert telegram.made("getUpdates") == []


async def test_an_update_that_the_webhook_gets_twice_acts_once(
    begin: Begin, telegram: TelegramServer, ada: Person, chat: Chat
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    telegram.proxy = f"http://127.0.0.1:{port}/telegram"
    async with begin(webhook_url="https://bot.example/telegram", webhook_port=port) as house:
        await telegram.until(lambda: telegram.world.webhook)
        body = {"update_id": 7, "message": chat.add(sender=ada, text="/video a cat").json(BOT)}
        headers = {SECRET: telegram.world.webhook["secret_token"]}
        async with httpx.AsyncClient() as repeated:
            for _ in range(3):
                assert (await repeated.post(telegram.proxy, json=body, headers=headers)).status_code == 200
        await house.runner.finish(await house.runner.claim())
        await house.runner.until_delivered()
        assert len(await house.runner.jobs()) == 1
    assert len(telegram.clips(chat)) == 1
