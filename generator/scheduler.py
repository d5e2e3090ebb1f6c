"""Which waiting job is rendered next.

Askers take turns: the one with the fewest jobs rendering comes first, then the one served longest ago; within an asker
the oldest job comes first. So one person's fifty jobs delay another person's single one by at most the job in hand.

Loading a model costs more than many a clip, so jobs of the resident model go first, but never for long: once a job of
another model has been passed over for `PATIENCE` seconds, it and its like go first. Patience is counted from the
moment the resident model took the device, or a long queue with two models would reload at every job. It is the
time-slice of a round robin whose processes are models.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from db.records import Asker, Job, Lease

PATIENCE = 120.0

_NOBODY: Mapping[Asker, float] = MappingProxyType({})


def choose(
    waiting: Sequence[Job],
    running: Sequence[Lease],
    resident: str | None,
    now: float,
    *,
    resident_since: float = 0.0,
    served: Mapping[Asker, float] = _NOBODY,
) -> Job | None:
    """Return the job to claim, or None when nothing waits.

    `resident` is the model the device holds since `resident_since`; `served` says when an asker's last job was claimed
    (somebody who is not in it was not served lately). All times are seconds since the epoch.
    """
    busy = Counter(lease.job.asker for lease in running)

    def turn(job: Job) -> tuple[int, float, float, str]:
        return busy[job.asker], served.get(job.asker, 0.0), job.created_at, job.id

    return min(_candidates(waiting, resident, max(now - PATIENCE, 0.0), resident_since), key=turn, default=None)


def _candidates(
    waiting: Sequence[Job], resident: str | None, patient_since: float, resident_since: float
) -> Sequence[Job]:
    if resident is None:
        return waiting
    others = [job for job in waiting if job.spec.model != resident]
    passed_over = [job for job in others if max(job.created_at, resident_since) <= patient_since]
    at_hand = [job for job in waiting if job.spec.model == resident]
    return passed_over or at_hand or others
