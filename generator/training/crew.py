"""Several single-threaded processes that train one model together, for machines without a GPU.

Two threads in one process meet thousands of times a step, and when other programs want the cores each meeting can
cost a time slice. Processes that meet once a step, to average gradients, lose nothing but their share of the cores.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path

import torch
from torch import Tensor, distributed, nn


@dataclass(frozen=True)
class Crew:
    """This process's place among `size` workers; worker 0 keeps the clock and writes."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this worker keeps the clock, the log and the checkpoints."""
        return self.rank == 0

    def agree(self, number: float) -> float:
        """The leader's number, for everyone."""
        if self.size == 1:
            return number
        shared = torch.tensor([number], dtype=torch.float64)
        distributed.broadcast(shared, 0)
        return float(shared)

    def average(self, parts: list[nn.Module]) -> None:
        """Averages the gradients of all workers in one message."""
        if self.size == 1:
            return
        gradients: list[Tensor] = [
            weight.grad for part in parts for weight in part.parameters() if weight.grad is not None
        ]
        flat = torch.cat([gradient.flatten() for gradient in gradients]) / self.size
        distributed.all_reduce(flat)
        pieces = torch.split(flat, [gradient.numel() for gradient in gradients])
        for gradient, piece in zip(gradients, pieces, strict=True):
            gradient.copy_(piece.view_as(gradient))


def muster(work: Callable[[int], None], size: int) -> None:
    """Runs `work(rank)` in `size` fresh processes; one that fails ends them all."""
    spawn = multiprocessing.get_context("spawn")
    members = [spawn.Process(target=work, args=(rank,), daemon=True) for rank in range(size)]
    for member in members:
        member.start()
    while alive := [member for member in members if member.is_alive()]:
        connection.wait([member.sentinel for member in alive])
        if any(member.exitcode for member in members):
            break
    for member in members:
        member.terminate()
    if any(member.exitcode for member in members):
        raise ChildProcessError("a worker of the crew failed; what it printed above says why")


@contextmanager
def joined(rank: int, size: int, meeting: Path) -> Iterator[Crew]:
    """A place in the crew that meets at the file `meeting` (which must be new), until everybody is done.

    Whoever leaves waits for the others and ends the library's threads: a process that ends with them still running
    may be aborted.
    """
    if size == 1:
        yield Crew()
        return
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{meeting.absolute()}", rank=rank, world_size=size)
    try:
        yield Crew(rank, size)
        distributed.barrier()
    finally:
        distributed.destroy_process_group()
