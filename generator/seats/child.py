"""An engine in a child process on this machine, with two pipes of its own for the protocol.

What it prints goes into a log file. It is the leader of its own session, so a Ctrl-C meant for us does not reach it
and its own children can be killed with it. It ends at end-of-file on its pipe: we need not live to end it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from generator.errors import EngineGone
from generator.protocol import FromEngine, Ready, Shutdown, ToEngine, parse_from_engine, to_line

LEAVE_SECONDS = 0.7  # within the 2 seconds in which our own supervisor wants us gone
LOG_BYTES = 1_000_000


@dataclass(slots=True)
class _Occupant:
    """One engine: its process and our ends of its pipes."""

    process: Process
    to_engine: asyncio.WriteTransport
    from_engine: asyncio.ReadTransport
    lines: asyncio.StreamReader
    killed: bool = False


class ChildSeat:
    """Starts `command --read-fd N --write-fd M`. `start_seconds` is how long the engine may take until it is Ready."""

    def __init__(self, command: Sequence[str], log: Path, start_seconds: float = 180.0) -> None:
        self._command = command
        self._log = log
        self._start_seconds = start_seconds
        self._occupant: _Occupant | None = None

    @property
    def running(self) -> bool:
        return self._occupant is not None and self._occupant.process.returncode is None

    async def start(self) -> Ready:
        await self.kill()
        self._occupant = await _spawn(self._command, self._log)
        try:
            async with asyncio.timeout(self._start_seconds):
                first = await self.receive()
        except TimeoutError:
            await self.kill()
            raise EngineGone(f"The engine was not ready after {self._start_seconds:.0f} s and was stopped.") from None
        if not isinstance(first, Ready):
            await self.kill()
            raise EngineGone(f"The engine began with {first.kind} instead of ready and was stopped.")
        return first

    async def send(self, message: ToEngine) -> None:
        occupant = self._occupied()
        if occupant.to_engine.is_closing():
            raise EngineGone(await self._farewell(occupant))
        occupant.to_engine.write(to_line(message))

    async def receive(self) -> FromEngine:
        occupant = self._occupied()
        try:
            line = await occupant.lines.readline()
        except ValueError:  # longer than the reader's limit
            line = b"?\n"
        if not line.endswith(b"\n"):
            raise EngineGone(await self._farewell(occupant))
        try:
            return parse_from_engine(line)
        except ValidationError:
            await self.kill()
            raise EngineGone("The engine said something that is not in the protocol and was stopped.") from None

    async def stop(self) -> None:
        occupant = self._occupant
        if occupant is not None and self.running:
            occupant.to_engine.write(to_line(Shutdown()))
            occupant.to_engine.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LEAVE_SECONDS):
                    await occupant.process.wait()
        await self.kill()

    async def kill(self) -> None:
        occupant = self._occupant
        if occupant is None:
            return
        occupant.killed = True
        # The engine may be gone already; a group of zombies may not be signalled on macOS.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(occupant.process.pid, signal.SIGKILL)
        await occupant.process.wait()
        occupant.to_engine.close()
        occupant.from_engine.close()
        self._occupant = None

    def _occupied(self) -> _Occupant:
        if self._occupant is None:
            raise EngineGone("There is no engine.")
        return self._occupant

    async def _farewell(self, occupant: _Occupant) -> str:
        """Why there is nothing more to read: wait a moment for the exit status, then make sure."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await occupant.process.wait()
        status = occupant.process.returncode
        killed_by_us = occupant.killed
        await self.kill()
        return how_it_ended(status, killed_by_us=killed_by_us)


def how_it_ended(status: int | None, *, killed_by_us: bool) -> str:
    """One sentence about an exit status as asyncio gives it: negative for a signal, None for a process that lives."""
    if killed_by_us:
        return "The engine was stopped."
    if status is None:
        return "The engine fell silent without ending and was stopped; please try again later."
    if status == -signal.SIGKILL:
        return "The engine was killed by the system, probably because memory ran out; ask for a smaller clip."
    if status < 0:
        return f"The engine was ended by signal {-status} ({_name_of(-status)}); logs/engine.log may say more."
    return f"The engine ended by itself with exit status {status}; logs/engine.log says more."


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unnamed"


async def _spawn(command: Sequence[str], log: Path) -> _Occupant:
    engine_reads, we_write = os.pipe()
    we_read, engine_writes = os.pipe()
    try:
        with _open_log(log) as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                *("--read-fd", str(engine_reads), "--write-fd", str(engine_writes)),
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(engine_reads, engine_writes),
                start_new_session=True,
            )
    except BaseException as error:
        os.close(we_write)  # an engine that did start while we were cancelled leaves at this end-of-file
        os.close(we_read)
        if isinstance(error, OSError):
            raise EngineGone(f"The engine can't be started: {error}.") from error
        raise
    finally:
        os.close(engine_reads)  # or end-of-file would never come
        os.close(engine_writes)
    return await _connect(process, we_read, we_write)


async def _connect(process: Process, we_read: int, we_write: int) -> _Occupant:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    from_engine, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), os.fdopen(we_read, "rb", buffering=0)
    )
    to_engine, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(we_write, "wb", buffering=0))
    return _Occupant(process, to_engine, from_engine, lines)


def _open_log(log: Path) -> BinaryIO:
    """Append, so that the words of an engine that crashed outlive it; a grown log makes room once."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    return log.open("ab")
