"""One job's talk with the engine, from Render to the message that ends it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from db.records import Lease, Phase, Progress
from generator.errors import EngineGone
from generator.protocol import (
    Cancel,
    Cancelled,
    Decoding,
    Encoding,
    Failed,
    FromEngine,
    Judge,
    Judged,
    Loading,
    Ready,
    Render,
    Rendered,
    Step,
)
from generator.watch import Watch
from generator.workplace import Bench

Ending = Rendered | Failed | Cancelled | Judged

logger = logging.getLogger(__name__)


class Rendering:
    """`run` it once; `stop` may be called at any time before, while or after it runs, and more than once."""

    def __init__(
        self,
        watch: Watch,
        lease: Lease,
        bench: Bench,
        report: Callable[[Progress], Awaitable[None]],
        *,
        second_opinion: bool = False,
    ) -> None:
        self._second_opinion = second_opinion
        self._watch = watch
        self._lease = lease
        self._bench = bench
        self._report = report
        self._talking = False
        self._unwanted = asyncio.Event()

    async def run(self) -> Ending:
        """Whatever goes wrong with the engine is an ending too. An engine that was left in mid-talk is killed."""
        try:
            self._bench.open()
        except OSError as error:
            return self._failed(f"The renderer can't write its work files ({error.strerror}); make room for them.")
        try:
            return await self._talk()
        except EngineGone as gone:
            return Cancelled(job=self._lease.job.id) if self._unwanted.is_set() else self._failed(str(gone))
        except BaseException:
            await self._watch.kill()
            raise
        finally:
            self._talking = False

    async def stop(self) -> None:
        """Ask the engine to drop the job; it answers when its step in hand is done."""
        self._unwanted.set()
        if self._talking:
            with contextlib.suppress(EngineGone):  # `run` meets it too, and says so
                await self._watch.send(Cancel(job=self._lease.job.id))

    async def _talk(self) -> Ending:
        await self._watch.ready()
        if self._unwanted.is_set():
            return Cancelled(job=self._lease.job.id)
        if self._second_opinion:
            await self._watch.send(self._question())
            opinion = await self._ending(Judged, Failed, Cancelled)
            if not isinstance(opinion, Judged) or opinion.refused:
                return opinion
            if self._unwanted.is_set():
                return Cancelled(job=self._lease.job.id)
        await self._watch.send(self._order())
        self._talking = True
        if self._unwanted.is_set():
            await self.stop()
        return await self._ending(Rendered, Failed, Cancelled)

    async def _ending(self, *kinds: type[Rendered] | type[Failed] | type[Cancelled] | type[Judged]) -> Ending:
        """What the engine comes to, which is one of these kinds; on the way there, how far it is.

        A clip that comes before its opinion is no answer, nor is an opinion that comes once more.
        """
        while True:
            message = await self._watch.receive()
            if isinstance(message, Ready) or message.job != self._lease.job.id:
                logger.warning("The message %r, which is about another job, was ignored.", message.kind)
            elif isinstance(message, Ending) and not isinstance(message, kinds):
                logger.warning("The message %r was ignored: nobody has asked for that.", message.kind)
            elif isinstance(message, Ending):
                self._watch.praise()
                return message
            elif (progress := progress_of(message, self._lease.job.spec.steps)) is not None:
                await self._report(progress)

    def _question(self) -> Judge:
        spec = self._lease.job.spec
        return Judge(job=self._lease.job.id, prompt=spec.prompt, negative=spec.negative)

    def _order(self) -> Render:
        return Render(
            job=self._lease.job.id,
            attempt=self._lease.attempt,
            spec=self._lease.job.spec,
            master=str(self._bench.master),
            preview=str(self._bench.preview),
        )

    def _failed(self, reason: str) -> Failed:
        return Failed(job=self._lease.job.id, reason=reason, again=True)


def progress_of(message: FromEngine, steps: int) -> Progress | None:
    """What a message says about how far the job is; None when it says nothing about that."""
    match message:
        case Loading():
            return Progress(Phase.LOAD, 0, steps)
        case Encoding():
            return Progress(Phase.ENCODE, 0, steps)
        case Step():
            return Progress(Phase.STEP, message.step, message.steps)
        case Decoding():
            return Progress(Phase.DECODE, steps, steps)
        case _:
            return None
