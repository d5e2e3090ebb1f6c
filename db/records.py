"""The words both houses share, as frozen values.

Nothing here touches the database, a clock or a random source. Times are seconds since the Unix epoch (UTC, float),
durations are seconds, credits are thousandths of a standard clip (`MILLI = 1000` is one standard clip).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

MILLI = 1000
BY_MODERATOR = "moderator"  # the view of a verdict that a moderator has given instead of the filter
GRAVEST = "C1"  # the category of refused prompts whose words are not kept, but a keyed hash at most


@dataclass(frozen=True, slots=True)
class Asker:
    """The person who asks: an id that one surface gave to one account."""

    surface: str
    id: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where to speak. Made and understood by its surface only; everybody else stores it and hands it back."""

    surface: str
    place: str
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Handle:
    """Which message to redraw: an address and the plain message id the surface returned from `show`."""

    address: Address
    message: str


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a platform says about a person at the moment of a command or a click; asked anew each time.

    `roles` are the platform's own role ids, `moderator` whether the platform lets them manage the place, `private`
    whether nobody else reads along, `language` a code such as "en" or "de", `parent` the channel that the thread at the
    address belongs to, if there is one.
    """

    language: str = "en"
    roles: tuple[str, ...] = ()
    moderator: bool = False
    age_restricted: bool = False
    private: bool = False
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who gives a command or presses a button, where, and in which circumstances."""

    asker: Asker
    address: Address
    circumstances: Circumstances = Circumstances()


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person typed, before the model's defaults fill the gaps. `None` means: not said."""

    prompt: str
    negative: str = ""
    seed: int | None = None
    steps: int | None = None
    guidance: float | None = None
    frames: int | None = None
    width: int | None = None
    height: int | None = None
    fps: int | None = None
    model: str | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class ClipSpec:
    """What to render, complete: the same spec on the same model gives the same clip."""

    prompt: str
    negative: str
    seed: int
    steps: int
    guidance: float
    frames: int
    width: int
    height: int
    fps: int
    model: str


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a model uses where a wish is silent. Sizes are pixels, `fps` frames a second."""

    steps: int
    guidance: float
    frames: int
    width: int
    height: int
    fps: int
    sampler: str


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends belong to the range."""

    low: int
    high: int

    def __contains__(self, value: int) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """What a model accepts. Width and height are multiples of `multiple` pixels."""

    steps: Range
    frames: Range
    side: Range
    multiple: int


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model as a runner announces it: how to ask for it and what it is good at.

    `crisp` says that its small clips are to be enlarged by whole factors without smoothing.
    """

    name: str
    title: str
    family: str
    defaults: Defaults
    limits: ModelLimits
    crisp: bool = False
    suggestions: tuple[str, ...] = ()


class Ruling(StrEnum):
    """What a verdict says."""

    ALLOWED = "allowed"
    LABELLED = "labelled"  # delivered with a visible mark, listed for after-review
    HELD = "held"  # a moderator looks first; lapses after 24 hours
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about a prompt, and by which rules of which policy version."""

    ruling: Ruling
    category: str = ""
    reason: str = ""
    rules: tuple[str, ...] = ()
    view: str = ""
    policy: str = ""
    spoiler: bool = False  # shown only to those who uncover it


class JobState(StrEnum):
    """held -> queued -> rendering -> done / failed / cancelled / refused; the last four absorb."""

    HELD = "held"
    QUEUED = "queued"
    RENDERING = "rendering"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"

    @property
    def is_end(self) -> bool:
        return self in END_STATES


END_STATES = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.REFUSED})
UNFINISHED_STATES = frozenset(JobState) - END_STATES


class Phase(StrEnum):
    """What an engine is busy with; each has its own stall time."""

    LOAD = "load"
    ENCODE = "encode"
    STEP = "step"
    DECODE = "decode"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rendering job is: `step` of `steps` denoising steps are done."""

    phase: Phase
    step: int
    steps: int


@dataclass(frozen=True, slots=True)
class Job:
    """The durable unit of work: one clip wanted by one asker, shown on one card."""

    id: str
    asker: Asker
    handle: Handle
    spec: ClipSpec
    verdict: Verdict
    format: str
    cost: int
    state: JobState
    attempt: int
    created_at: float
    changed_at: float
    progress: Progress | None = None
    reason: str = ""
    cancel_asked: bool = False
    origin: str = ""  # the id of the clip this one was made again from, or empty
    language: str = "en"  # in which its card speaks


@dataclass(frozen=True, slots=True)
class Lease:
    """A runner's right to render a job until a moment; every write under it names the attempt."""

    job: Job
    runner: str
    attempt: int
    until: float


@dataclass(frozen=True, slots=True)
class Clip:
    """The finished thing. `master` is its path inside the clip store; `seconds` are spent per stage."""

    id: str
    job: str
    asker: Asker
    spec: ClipSpec
    verdict: Verdict
    master: str
    sha256: str
    bytes: int
    seconds: dict[str, float] = field(hash=False)
    created_at: float = 0.0
    hidden: bool = False
    hidden_by: str = ""  # asker, moderators, both (which takes both to show it again), or nobody


class RequestState(StrEnum):
    """draft -> received -> taken (it became a job) / closed (refused, denied or wrong; its card says why).

    A draft holds typed options while its asker is still writing the prompt.
    """

    DRAFT = "draft"
    RECEIVED = "received"
    TAKEN = "taken"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Request:
    """What came in, under the platform's own id: seen twice, it acts once."""

    surface: str
    id: str
    asker: Asker
    address: Address
    wish: Wish
    created_at: float
    state: RequestState = RequestState.RECEIVED
    message: str = ""
    job: str = ""
    made_from: str = ""  # the id of the clip this one is to be made again from, or empty
    circumstances: Circumstances = Circumstances()
    shows: str = ""  # the id of a finished clip that is to be shown once more, instead of making one

    @property
    def caller(self) -> Caller:
        return Caller(self.asker, self.address, self.circumstances)


class DeliveryState(StrEnum):
    """promised -> sent / given up; a promised one may be postponed any number of times."""

    PROMISED = "promised"
    SENT = "sent"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The promise to bring one clip to one card."""

    id: str
    clip: str
    job: str
    handle: Handle
    format: str
    state: DeliveryState
    attempts: int
    due_at: float
    card_at: float  # when the card was first shown: an old card earns a short reply that mentions the asker
    receipt: str = ""
    reason: str = ""
    renewed: int = 0  # how many times its clip was shown again: what was drawn before that may be covered since


@dataclass(frozen=True, slots=True)
class Usage:
    """What a person used, over all their linked identities.

    `spent` are (time, credits) of everything reserved, settled or charged in the window, oldest first; `granted` are
    credits given on top that still count; `waiting` are unfinished jobs; `last_at` is when the last job was asked for.
    """

    spent: tuple[tuple[float, int], ...]
    waiting: int
    granted: int = 0
    last_at: float | None = None


@dataclass(frozen=True, slots=True)
class PersonSettings:
    """What somebody prefers where a wish is silent; empty or None: no preference."""

    format: str = ""
    width: int | None = None
    height: int | None = None
    notify: bool = True  # whether a short reply says that an old card has its clip now


@dataclass(frozen=True, slots=True)
class PlaceSettings:
    """What the moderators of a place have set; empty or None: what the operator's configuration says.

    `credits` are thousandths of a standard clip for a person within the window, `roles` the same by role id, of which
    the most generous counts. `preset` is family, general or adult-channel. `threads` are where Zoetrope may be used.
    """

    paused: bool = False
    threads: tuple[str, ...] = ()
    model: str = ""
    format: str = ""
    steps: int | None = None
    frames: int | None = None
    side: int | None = None
    credits: int | None = None
    roles: tuple[tuple[str, int], ...] = ()
    moderators: tuple[str, ...] = ()  # role ids that count as moderators besides those of the platform
    spoiler: bool = False
    preset: str = "general"
    words: tuple[str, ...] = ()  # refused here besides those of the policy
    overrides: tuple[tuple[str, str], ...] = ()  # rulings by category; looser ones count in age-restricted places only
    budget: int | None = None  # thousandths of a standard clip for everybody here together within the window
    quiet: str = ""  # hours in which nothing is made, such as "22:00-07:00 Europe/Berlin"
    others: str = "everyone"  # who besides its asker may have a clip made again: everyone, moderators or nobody
    reporters: int | None = None  # how many people have to report a clip until it is hidden
    desk: str = ""  # the channel or topic in which moderators get the cards of reviews
    keep_days: int | None = None  # after which clips of this place are deleted
    desk_language: str = ""  # of the moderator who has chosen the desk: what its cards speak


@dataclass(frozen=True, slots=True)
class Refusal:
    """A prompt that was refused, so that its asker can appeal. Of the gravest kind only a keyed hash is kept."""

    id: str
    surface: str
    request: str
    asker: Asker
    address: Address
    verdict: Verdict
    prompt: str  # or "hash:..." for C1
    created_at: float
    appealed_at: float | None = None


class Action(StrEnum):
    """What a case records."""

    STRIKE = "strike"
    COOL_DOWN = "cool-down"
    MUTE = "mute"
    BAN = "ban"
    UNBLOCK = "unblock"
    HIDE = "hide"
    APPROVE = "approve"
    REMOVE = "remove"
    DECLINE = "decline"
    FALSE_ALARM = "false alarm"
    GRANT = "grant"
    PAUSE = "pause"
    RESUME = "resume"
    PURGE = "purge"
    POLICY = "policy"
    ERASE = "erase"
    AMEND = "amend"


NOBODY = Asker("", "")  # Zoetrope itself, where a case or a decision has no person behind it
EVERYWHERE = ("", "")  # the surface and place of what the operator has laid down for all places


@dataclass(frozen=True, slots=True)
class Case:
    """Moderation's numbered record, the first of a place being 1. It is never edited: a later one amends it.

    `about` are links and facts by name: job, clip, refusal, review, points, until, count. No names of people are kept.
    """

    surface: str
    place: str
    number: int
    actor: Asker  # NOBODY: Zoetrope itself
    target: Asker | None
    action: Action
    reason: str
    created_at: float
    rule: str = ""
    policy: str = ""
    about: tuple[tuple[str, str], ...] = ()
    amends: int | None = None


@dataclass(frozen=True, slots=True)
class Strike:
    """Points against a person in one place, until they decay or are lifted; `case` is the number of its case."""

    id: str
    surface: str
    place: str
    asker: Asker
    points: int
    case: int
    created_at: float
    until: float
    lifted_at: float | None = None


class Curb(StrEnum):
    """What somebody may not do for a while, the gravest last.

    Who cools down or is muted asks for no clips, who is muted also reports and appeals nothing; who is banned gets no
    answer but about what concerns their own data.
    """

    COOL_DOWN = "cool-down"
    MUTE = "mute"
    BAN = "ban"


@dataclass(frozen=True, slots=True)
class Restriction:
    """A curb on a person in one place (or EVERYWHERE), until a moment or (None) until a moderator lifts it."""

    id: str
    surface: str
    place: str
    asker: Asker
    curb: Curb
    case: int
    since: float
    until: float | None = None
    lifted_at: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person stands in a place now, over all their identities: the points that count, and the gravest curb."""

    points: int = 0
    curb: Curb | None = None
    until: float | None = None  # of the curb; None: until it is lifted


@dataclass(frozen=True, slots=True)
class Report:
    """A member's flag on a clip; one of a person for a clip and place."""

    id: str
    clip: str
    surface: str
    place: str
    asker: Asker
    reason: str
    created_at: float
    outcome: str = ""  # upheld, dismissed (a moderator saw it otherwise) or false; empty: nobody has looked yet


class ReviewKind(StrEnum):
    """Why a moderator is to look, the most pressing first."""

    HELD = "held"  # its subject is a job
    REPORTED = "reported"  # a clip
    APPEAL = "appeal"  # a refusal
    LABELLED = "labelled"  # a clip


class Decision(StrEnum):
    """What a moderator says: it is well; it goes, with a strike; or nothing should have been said at all."""

    APPROVE = "approve"
    REMOVE = "remove"
    FALSE_ALARM = "false alarm"
    LAPSED = "lapsed"  # nobody looked in time, or there is nothing left to look at


@dataclass(frozen=True, slots=True)
class Review:
    """A moderator's look at one subject. `thread` is where it was asked for; `handle` is its card for the moderators.

    `decision` is None while it is open. `drawn` says whether the card tells the truth.
    """

    id: str
    surface: str
    place: str
    thread: str
    kind: ReviewKind
    subject: str
    target: Asker
    opened_at: float
    decision: Decision | None = None
    decided_by: Asker | None = None
    decided_at: float | None = None
    case: int | None = None
    handle: Handle | None = None
    drawn: bool = False
    version: int = 0  # grows with everything that its card has to show


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that somebody is to be told below a card, once; `sentence` is in their language."""

    id: str
    handle: Handle
    asker: Asker
    sentence: str
    created_at: float
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Pending:
    """What a moderator or member has asked for and must confirm: `what` and its values by name."""

    id: str
    caller: Asker
    surface: str
    place: str
    what: str
    values: tuple[tuple[str, str], ...]
    until: float


class Requester(StrEnum):
    """Who wants a person's data deleted, which says how far it goes (the levels of Red-DiscordBot).

    user       what they made and wrote; what running the bot needs stays
    strict     all but the ids and times that handling abuse needs
    owner      those as well, but for a ban, which is lifted by itself
    platform   the account is no more: not even its id stays
    """

    USER = "user"
    STRICT = "strict"
    OWNER = "owner"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """Somebody signed in to the moderators' pages; `operator` may look at every place."""

    asker: Asker
    surface: str
    place: str
    created_at: float
    until: float
    operator: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a doctor looked at; `sentence` says how it is and, when it is not well, what to do."""

    thing: str
    well: bool
    sentence: str

    def __str__(self) -> str:
        return f"{'ok     ' if self.well else 'PROBLEM'} {self.thing}: {self.sentence}"
