"""Values to rows and back: what several tables write the same way.

Flat values are rebuilt by their own constructors rather than a validator: what a row holds was checked before it was
written, and a prompt with odd characters must be readable again whatever a validator thinks of it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from db.records import (
    Address,
    Asker,
    Circumstances,
    Clip,
    ClipSpec,
    Handle,
    Job,
    JobState,
    Lease,
    Phase,
    Progress,
    Ruling,
    Verdict,
)

Values = dict[str, Any]


def storable(words: str) -> str:
    """What a person wrote, without the halves of characters that SQLite's texts can't hold."""
    return words.encode(errors="replace").decode()


def asker_values(asker: Asker) -> Values:
    return {"asker_surface": asker.surface, "asker_id": asker.id}


def asker_of(row: Row[Any]) -> Asker:
    return Asker(row.asker_surface, row.asker_id)


def address_values(address: Address) -> Values:
    return {"surface": address.surface, "place": address.place, "thread": address.thread}


def address_of(row: Row[Any]) -> Address:
    return Address(row.surface, row.place, row.thread)


def handle_values(handle: Handle) -> Values:
    return {**address_values(handle.address), "message": handle.message}


def handle_of(row: Row[Any]) -> Handle:
    return Handle(address_of(row), row.message)


def spec_of(stored: Values) -> ClipSpec:
    return ClipSpec(**stored)


def verdict_of(stored: Values) -> Verdict:
    return Verdict(**{**stored, "ruling": Ruling(stored["ruling"]), "rules": tuple(stored["rules"])})


def circumstances_of(stored: Values) -> Circumstances:
    return Circumstances(**{**stored, "roles": tuple(stored.get("roles", ()))})


def progress_values(progress: Progress | None) -> Values:
    if progress is None:
        return {"phase": None, "step": None, "steps": None}
    return {"phase": progress.phase, "step": progress.step, "steps": progress.steps}


def progress_of(row: Row[Any]) -> Progress | None:
    return None if row.phase is None else Progress(Phase(row.phase), row.step, row.steps)


def job_values(job: Job) -> Values:
    return {
        "id": job.id,
        **asker_values(job.asker),
        **handle_values(job.handle),
        "spec": asdict(job.spec),
        "verdict": asdict(job.verdict),
        "format": job.format,
        "cost": job.cost,
        "state": job.state,
        "attempt": job.attempt,
        "created_at": job.created_at,
        "changed_at": job.changed_at,
        **progress_values(job.progress),
        "reason": job.reason,
        "cancel_asked": job.cancel_asked,
        "origin": job.origin,
        "language": job.language,
    }


def job_of(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        asker=asker_of(row),
        handle=handle_of(row),
        spec=spec_of(row.spec),
        verdict=verdict_of(row.verdict),
        format=row.format,
        cost=row.cost,
        state=JobState(row.state),
        attempt=row.attempt,
        created_at=row.created_at,
        changed_at=row.changed_at,
        progress=progress_of(row),
        reason=row.reason,
        cancel_asked=row.cancel_asked,
        origin=row.origin,
        language=row.language,
    )


def lease_of(row: Row[Any]) -> Lease:
    return Lease(job_of(row), row.runner, row.attempt, row.lease_until)


def clip_of(row: Row[Any]) -> Clip:
    return Clip(
        id=row.id,
        job=row.job,
        asker=asker_of(row),
        spec=spec_of(row.spec),
        verdict=verdict_of(row.verdict),
        master=row.master,
        sha256=row.sha256,
        bytes=row.bytes,
        seconds=row.seconds,
        created_at=row.created_at,
        hidden=row.hidden,
        hidden_by=row.hidden_by,
    )
