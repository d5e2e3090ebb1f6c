"""What a request or a button led to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from db.records import Handle, Verdict


class Result(StrEnum):
    """What became of a request or a button."""

    QUEUED = "queued"
    HELD = "held"
    REFUSED = "refused"
    DENIED = "denied"
    PROBLEM = "problem"
    UNSHOWN = "unshown"  # the card can't be shown there, so nothing was done
    UNREACHED = "unreached"  # the card could not be shown yet; the request is taken up again
    SHOWN = "shown"  # a new card will carry a finished clip
    CANCELLED = "cancelled"
    STOPPING = "stopping"  # a rendering job stops after the step it is in
    FINISHED = "finished"  # there was nothing left to cancel
    DELETED = "deleted"
    APPEALED = "appealed"
    REPORTED = "reported"
    HIDDEN = "hidden"
    SHOWN_AGAIN = "shown again"
    DECIDED = "decided"  # a moderator's word on a review
    DECIDED_ALREADY = "decided already"  # by somebody who was faster
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    ASK_PROMPT = "ask prompt"  # the surface asks for other words than `prompt`, and calls `edit` with them and the job
    PAGE = "page"  # the surface shows that page of the gallery
    NOT_YOURS = "not yours"
    UNKNOWN = "unknown"  # a button of no living job or clip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a request or a button led to; `sentence` is for the one who asked, where the surface can whisper."""

    result: Result
    sentence: str
    job: str = ""
    handle: Handle | None = None
    verdict: Verdict | None = None
    prompt: str = ""
