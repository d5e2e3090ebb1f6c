"""Works that run side by side with something, and end one after the other when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def side_by_side(works: Sequence[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run `works` while the context lasts, then cancel the first, wait for its end, and so on to the last.

    A work that fails ends the context and all the others; the error comes out in a group.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                await asyncio.wait([task])
