"""What a review is about: the job, clip or refusal, whose it is, and everything a moderator is to see of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.moderation import telling
from bot.moderation.telling import Ear
from db import gallery, queue, refusals, reports, standing
from db.records import (
    GRAVEST,
    Clip,
    Job,
    JobState,
    Refusal,
    Report,
    Review,
    ReviewKind,
    Standing,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class Subject:
    """`ear` is where its asker is told what was decided. One of `job` and `refusal` is there; `clip` where the review
    is about one. Of the gravest kind the words are empty: they are shown to nobody."""

    prompt: str
    negative: str
    verdict: Verdict
    ear: Ear
    job: Job | None = None
    clip: Clip | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """A review with all that is to be seen of it at one moment. `subject` is None where nothing is left to decide."""

    review: Review
    subject: Subject | None
    reports: tuple[Report, ...]
    standing: Standing


async def look(tx: AsyncConnection, review: Review, now: float) -> Looked:
    """Everything that a moderator is to see of a review. Who may see it is the caller's to ask."""
    return Looked(
        review,
        await of(tx, review),
        tuple(await reports.of_clip(tx, review.subject, review.surface, review.place)),
        await standing.standing(tx, review.target, review.surface, review.place, now),
    )


async def of(tx: AsyncConnection, review: Review) -> Subject | None:
    """None: there is nothing left to decide: it was deleted, cancelled, or is past the point."""
    match review.kind:
        case ReviewKind.HELD:
            return await _held(tx, review)
        case ReviewKind.APPEAL:
            return await _appeal(tx, review)
        case ReviewKind.REPORTED | ReviewKind.LABELLED:
            return await _clip(tx, review)


async def _held(tx: AsyncConnection, review: Review) -> Subject | None:
    job = await queue.get(tx, review.subject)
    if job is None or (job.state is not JobState.HELD and review.decision is None):
        return None
    return _of_job(job, telling.under_job(job))


async def _clip(tx: AsyncConnection, review: Review) -> Subject | None:
    clip = await gallery.get(tx, review.subject)
    job = await queue.get(tx, clip.job) if clip else None
    if clip is None or job is None:
        return None
    return _of_job(job, await telling.under_clip(tx, clip, job, review.surface, review.place), clip)


def _of_job(job: Job, ear: Ear, clip: Clip | None = None) -> Subject:
    unseen = job.verdict.category == GRAVEST
    words = ("", "") if unseen else (job.spec.prompt, job.spec.negative)
    return Subject(*words, job.verdict, ear, job, clip)


async def _appeal(tx: AsyncConnection, review: Review) -> Subject | None:
    refusal = await refusals.get(tx, review.subject)
    if refusal is None:
        return None
    prompt = "" if refusal.verdict.category == GRAVEST else refusal.prompt
    return Subject(prompt, "", refusal.verdict, await telling.under_refusal(tx, refusal), refusal=refusal)
