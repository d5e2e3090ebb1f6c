"""The engine's one device thread: takes jobs in between steps, steps those of one shape together, hands clips out.

turn = take in -> drop the cancelled -> admit -> one step for every group -> finish what is done
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from db.records import ClipSpec
from generator.catalogue import Entry
from generator.engine import memory, unet3d
from generator.engine.family import Family, Load, Work
from generator.engine.master import facts_of, part_of, write_master
from generator.engine.previews import Frames, Pace, write_preview
from generator.errors import GeneratorError, RenderFailed
from generator.protocol import (
    Cancelled,
    Decoding,
    Encoding,
    Failed,
    Judge,
    Loading,
    Message,
    Preview,
    Render,
    Rendered,
    Step,
)

log = logging.getLogger(__name__)

FAMILIES: Mapping[str, Load] = {"unet3d": unet3d.load}
SIGN_OF_LIFE = 10.0  # seconds after which a long decode says again that it goes on
NO_CLASSIFIER = "A second opinion is wanted but this engine has no classifier; please turn `second_opinion` off."
PREVIEW_SIDE = 256  # pixels at most
MOST_ATTENTION_BATCH = 65_535  # CUDA's fused attention kernels have no more grid blocks (pytorch#142228)


class Said(Protocol):
    """What the engine asks its inbox."""

    def take(self, *, wait: bool) -> Judge | Render | None: ...
    def cancelled(self, job: str) -> bool: ...
    def temporary(self, path: Path) -> None: ...


@dataclass
class Job:
    """A clip being rendered: what was asked, how far it is, where the seconds went."""

    render: Render
    work: Work
    pace: Pace
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.render.job

    @property
    def spec(self) -> ClipSpec:
        return self.render.spec

    def spend(self, stage: str, seconds: float) -> None:
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds


class Engine:
    """Holds one model and any number of jobs that fit beside each other; everything it says goes through `send`."""

    def __init__(
        self,
        entries: Sequence[Entry],
        device: torch.device,
        inbox: Said,
        send: Callable[[Message], None],
        *,
        families: Mapping[str, Load] = FAMILIES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._entries = {entry.name: entry for entry in entries}
        self._device = device
        self._inbox = inbox
        self._send = send
        self._families = families
        self._clock = clock
        self._waiting: list[Render] = []
        self._jobs: list[Job] = []
        self._resident: Family[Any] | None = None

    def turn(self) -> None:
        """One step for every job; waits for something to do when there is none."""
        self._take_in()
        self._drop_cancelled()
        while self._waiting and self._admissible(self._waiting[0]):
            self._begin(self._waiting.pop(0))
        for group in self._groups():
            self._step(group)
        for job in [job for job in self._jobs if job.work.done]:
            self._jobs.remove(job)
            self._attempt(job.render, lambda job=job: self._finish(job))  # type: ignore[misc]

    @property
    def _model(self) -> Family[Any]:
        assert self._resident is not None, "jobs exist only while their model is loaded"
        return self._resident

    # --- in

    def _take_in(self) -> None:
        wait = not (self._jobs or self._waiting)
        while (order := self._inbox.take(wait=wait)) is not None:
            if isinstance(order, Judge):
                self._send(Failed(job=order.job, reason=NO_CLASSIFIER, again=False))
            else:
                self._waiting.append(order)
            wait = False

    def _drop_cancelled(self) -> None:
        renders = [*self._waiting, *(job.render for job in self._jobs)]
        gone = {render.job for render in renders if self._inbox.cancelled(render.job)}
        self._waiting = [render for render in self._waiting if render.job not in gone]
        self._jobs = [job for job in self._jobs if job.id not in gone]
        for job_id in gone:
            self._send(Cancelled(job=job_id))

    def _admissible(self, render: Render) -> bool:
        """Whether the oldest waiting job can begin beside the others: same model, and enough memory for all."""
        if not self._jobs:
            return True
        if render.spec.model != self._model.facts.name:
            return False
        try:
            together = sum(self._model.need(spec) for spec in (render.spec, *(job.spec for job in self._jobs)))
        except RenderFailed:
            return True  # it can't be made anyhow, and beginning it says why
        return memory.fits(together, memory.free_bytes(self._device))

    def _begin(self, render: Render) -> None:
        def begin() -> None:
            began = self._clock()
            model = self._load(render)
            loaded = self._clock()
            self._send(Encoding(job=render.job))
            work = model.prepare(render.spec)
            job = Job(render, work, Pace(self._clock), {"load": loaded - began})
            job.spend("encode", self._clock() - loaded)
            self._jobs.append(job)

        self._attempt(render, begin)

    def _load(self, render: Render) -> Family[Any]:
        """The model of the job, loaded in place of another one if need be, with memory for the job."""
        spec, free = render.spec, memory.free_bytes(self._device)
        entry = self._entries.get(spec.model)
        if entry is None:
            raise RenderFailed(f"This machine has no model called {spec.model}; choose another one.")
        if self._resident is not None and self._resident.facts.name == spec.model:
            memory.check_fits("This clip", self._resident.need(spec), free, self._device)
            return self._resident
        self._send(Loading(job=render.job, model=spec.model))
        self._resident = self._families[entry.facts.family](
            entry,
            self._device,
            spec=spec,
            have=free + (self._resident.weights if self._resident is not None else 0),
            tick=lambda: self._send(Loading(job=render.job, model=spec.model)),
            make_room=self._unload,
        )
        return self._resident

    def _unload(self) -> None:
        self._resident = None
        gc.collect()
        memory.release(self._device)

    # --- on

    def _groups(self) -> list[list[Job]]:
        """Jobs that can share a forward pass: one latent shape, and not more rows than attention kernels take."""
        groups: list[list[Job]] = []
        open_ones: dict[tuple[int, int, int], list[Job]] = {}
        for job in self._jobs:
            _, height, width = shape = job.work.shape
            group = open_ones.get(shape, [])
            rows = job.work.rows + sum(other.work.rows for other in group)
            if not group or rows * height * width > MOST_ATTENTION_BATCH:
                group = open_ones[shape] = []
                groups.append(group)
            group.append(job)
        return groups

    def _step(self, group: list[Job]) -> None:
        began, before = self._clock(), {job.id: job.work.at for job in group}
        try:
            self._model.step([job.work for job in group])
        except torch.AcceleratorError:
            raise
        except Exception as error:
            if not memory.is_out_of_memory(error):
                for job in group:
                    self._give_up(job.render, error)
                return
            log.warning("out of memory in a step of %d jobs; each is tried alone", len(group))
        else:
            self._tell(group, began)
            return
        memory.release(self._device)
        self._tell([job for job in group if self._step_alone(job, before[job.id])], began)

    def _step_alone(self, job: Job, before: int) -> bool:
        """Whether the job is a step further than `before`."""
        return job.work.at > before or self._attempt(job.render, lambda: self._model.step([job.work]))

    def _tell(self, group: list[Job], began: float) -> None:
        seconds = self._clock() - began
        for job in group:
            job.spend("denoise", seconds)
            self._send(Step(job=job.id, step=job.work.at, steps=job.work.steps, seconds=seconds))
            if not job.work.done and job.pace.due():
                self._preview(job)

    def _preview(self, job: Job) -> None:
        """Show how far the clip is. A preview that can't be made or written harms nobody."""
        began = self._clock()
        try:
            self._show(job)
        except torch.AcceleratorError:
            raise
        except Exception as error:  # memory, disk, colours: the clip itself may come out well all the same
            log.warning("job %s has no preview at step %d: %s", job.id, job.work.at, type(error).__name__)
        else:
            self._send(Preview(job=job.id, step=job.work.at))
        job.pace.spent(began)
        job.spend("preview", self._clock() - began)

    def _show(self, job: Job) -> None:
        spec, frames = job.spec, self._model.preview(job.work)
        scale = min(1.0, PREVIEW_SIDE / max(spec.width, spec.height))
        size = (max(1, round(spec.width * scale)), max(1, round(spec.height * scale)))
        fps = spec.fps * len(frames) / spec.frames
        write_preview(frames, Path(job.render.preview), fps, size, crisp=self._model.facts.crisp)

    # --- out

    def _finish(self, job: Job) -> None:
        began = self._clock()
        self._send(Decoding(job=job.id))
        frames = self._decode(job)
        if frames is None:
            self._send(Cancelled(job=job.id))
            return
        job.spend("decode", self._clock() - began)
        began, master = self._clock(), Path(job.render.master)
        self._inbox.temporary(part_of(master))
        comment = facts_of(job.spec, self._model.facts.defaults.sampler)
        write_master(frames, master, job.spec.fps, comment)
        job.spend("master", self._clock() - began)
        self._send(Rendered(job=job.id, seconds={stage: round(spent, 4) for stage, spent in job.seconds.items()}))

    def _decode(self, job: Job) -> Frames | None:
        """The finished frames, one at a time if memory runs out; None if the job was cancelled meanwhile."""
        try:
            return self._collect(job, self._model.chunk)
        except Exception as error:
            if not memory.is_out_of_memory(error):
                raise
            log.warning("out of memory while job %s was decoded; one frame at a time now", job.id)
        memory.release(self._device)
        return self._collect(job, 1)

    def _collect(self, job: Job, chunk: int) -> Frames | None:
        parts, said = [], self._clock()
        for part in self._model.decode(job.work, chunk):
            parts.append(part)
            if self._inbox.cancelled(job.id):
                return None
            if self._clock() - said > SIGN_OF_LIFE:
                said = self._clock()
                self._send(Decoding(job=job.id))
        return np.concatenate(parts)

    # --- when it goes wrong

    def _attempt(self, render: Render, action: Callable[[], object]) -> bool:
        """Do something for one job; what goes wrong ends that job only. A broken device ends the process."""
        try:
            action()
        except torch.AcceleratorError:
            raise
        except Exception as error:
            self._give_up(render, error)
            return False
        return True

    def _give_up(self, render: Render, error: Exception) -> None:
        self._jobs = [job for job in self._jobs if job.id != render.job]
        self._send(self._failure(render.job, error))
        error.__traceback__ = None  # its frames hold tensors
        memory.release(self._device)

    def _failure(self, job_id: str, error: Exception) -> Failed:
        if isinstance(error, GeneratorError):
            return Failed(job=job_id, reason=str(error), again=isinstance(error, RenderFailed) and error.again)
        if memory.is_out_of_memory(error):
            reason = f"{self._device} ran out of memory over this clip; ask for a smaller size or fewer frames."
            return Failed(job=job_id, reason=reason, again=False)
        log.error("job %s failed unexpectedly", job_id, exc_info=error)
        reason = (
            f"The engine failed unexpectedly ({type(error).__name__}); its log says more, and asking again may help."
        )
        return Failed(job=job_id, reason=reason, again=True)
