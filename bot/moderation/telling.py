"""What people are told about decisions: a sentence under a card of theirs, written down with the decision itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from db import deliveries, notices, queue, requests
from db.records import Address, Asker, Clip, Handle, Job, Notice, Refusal


@dataclass(frozen=True, slots=True)
class Ear:
    """Where somebody is told something, and in which language."""

    asker: Asker
    handle: Handle
    language: str = "en"


def under_job(job: Job) -> Ear:
    """Under the card that the job was asked for with."""
    return Ear(job.asker, job.handle, job.language)


async def under_clip(tx: AsyncConnection, clip: Clip, job: Job, surface: str, place: str) -> Ear:
    """Under a card that carries the clip in a place: what happened there is told there."""
    carriers = [delivery.handle for delivery in await deliveries.of_clip(tx, clip.id)]
    here = [handle for handle in carriers if (handle.address.surface, handle.address.place) == (surface, place)]
    return Ear(job.asker, here[0] if here else job.handle, job.language)


async def under_refusal(tx: AsyncConnection, refusal: Refusal) -> Ear:
    """Under the card that said no."""
    request = await requests.get(tx, refusal.surface, refusal.request)
    if request is None:  # long ago
        return Ear(refusal.asker, Handle(refusal.address, ""))
    return Ear(refusal.asker, Handle(request.address, request.message), request.circumstances.language)


async def anywhere(tx: AsyncConnection, asker: Asker, surface: str, place: str) -> Ear | None:
    """Under the newest card of theirs in a place; None: they have none."""
    job = await queue.last_of(tx, asker, near=Address(surface, place))
    return None if job is None else Ear(asker, job.handle, job.language)


async def tell(tx: AsyncConnection, make_id: Callable[[], str], ear: Ear, sentence: str, now: float) -> None:
    """Once, however often the bot is stopped meanwhile; where no card could be shown nobody can be told."""
    if ear.handle.message:
        await notices.add(tx, Notice(make_id(), ear.handle, ear.asker, sentence, now))
