"""The tables, each with its sentence.

Times are seconds since the epoch, credits are thousandths of a standard clip. Foreign keys are checked at commit, so
that a transaction may write its rows in the order in which its steps read best.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from db.records import Action, Curb, DeliveryState, JobState, RequestState, ReviewKind


class ReservationState(StrEnum):
    """reserved -> settled / released; both absorb."""

    RESERVED = "reserved"
    SETTLED = "settled"
    RELEASED = "released"


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _time(name: str) -> Column[float]:
    return Column(name, Double, nullable=False)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False)


def _asker() -> tuple[Column[str], Column[str]]:
    return _text("asker_surface"), _text("asker_id")


def _address() -> tuple[Column[str], Column[str], Column[str]]:
    return _text("surface"), _text("place"), _text("thread")


def _refers(name: str, target: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, ForeignKey(target, deferrable=True, initially="DEFERRED"), nullable=nullable)


def _refers_key(name: str, target: str) -> Column[str]:
    return Column(name, Text, ForeignKey(target, deferrable=True, initially="DEFERRED"), primary_key=True)


def _one_of(states: type[StrEnum], column: str = "state") -> CheckConstraint:
    known = ", ".join(f"'{state}'" for state in states)
    return CheckConstraint(f"{column} IN ({known})", name=f"known_{column}")


# The durable unit of work: one clip wanted by one asker, shown on one card, rendered under a lease.
jobs = Table(
    "jobs",
    metadata,
    Column("number", Integer, primary_key=True),  # breaks ties between jobs of the same moment
    Column("id", Text, nullable=False, unique=True),
    *_asker(),
    *_address(),
    _text("message"),
    Column("spec", JSON, nullable=False),
    Column("verdict", JSON, nullable=False),
    _text("format"),
    _count("cost"),
    _text("state"),
    _count("attempt"),
    _time("created_at"),
    _time("changed_at"),
    Column("phase", Text),
    Column("step", Integer),
    Column("steps", Integer),
    _text("reason"),
    Column("cancel_asked", Boolean, nullable=False, server_default=false()),
    _text("origin"),
    Column("language", Text, nullable=False, server_default=text("'en'")),
    Column("runner", Text),
    Column("lease_until", Double),
    _one_of(JobState),
    CheckConstraint("attempt >= 0", name="attempt_counts"),
    CheckConstraint("cost >= 0", name="cost_counts"),
    CheckConstraint(
        "(state = 'rendering') = (runner IS NOT NULL) AND (state = 'rendering') = (lease_until IS NOT NULL)",
        name="leased_while_rendering",
    ),
    Index(None, "state", "created_at", "number"),
    Index(None, "asker_surface", "asker_id", "state"),
    Index(None, "changed_at"),
)

# What came in, under the platform's own id: the key that makes a request seen twice act once.
requests = Table(
    "requests",
    metadata,
    Column("origin", Text, primary_key=True),  # the surface that received it
    Column("id", Text, primary_key=True),
    *_asker(),
    *_address(),
    Column("wish", JSON, nullable=False),
    _time("created_at"),
    _text("state"),
    _text("message"),
    _refers("job", "jobs.id", nullable=True),
    Column("made_from", Text, nullable=False, server_default=text("''")),  # the clip it is made again from
    Column("circumstances", JSON, nullable=False, server_default=text("'{}'")),
    Column("shows", Text, nullable=False, server_default=text("''")),  # the finished clip that is to be shown again
    _one_of(RequestState),
    Index(None, "state", "created_at"),
    Index(None, "asker_surface", "asker_id", "created_at"),
)

# Quota held for a job: written with the job, settled with the clip, released with a failure.
reservations = Table(
    "reservations",
    metadata,
    Column("job", Text, ForeignKey("jobs.id", deferrable=True, initially="DEFERRED"), primary_key=True, nullable=False),
    *_asker(),
    _count("credits"),
    _time("created_at"),
    _text("state"),
    _one_of(ReservationState),
    CheckConstraint("credits >= 0", name="credits_count"),
    Index(None, "asker_surface", "asker_id", "created_at"),
)

# The finished thing; a forgotten one stays as a tombstone without its file.
clips = Table(
    "clips",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("job", Text, ForeignKey("jobs.id", deferrable=True, initially="DEFERRED"), nullable=False, unique=True),
    *_asker(),
    _text("model"),
    Column("spec", JSON, nullable=False),
    Column("verdict", JSON, nullable=False),
    _text("master"),
    _text("sha256"),
    Column("bytes", BigInteger, nullable=False),
    Column("seconds", JSON, nullable=False),
    _time("created_at"),
    Column("hidden", Boolean, nullable=False, server_default=false()),
    Column("forgotten", Boolean, nullable=False, server_default=false()),
    Column("surface", Text, nullable=False, server_default=text("''")),  # where it was asked for
    Column("place", Text, nullable=False, server_default=text("''")),
    Column("hidden_by", Text, nullable=False, server_default=text("''")),  # asker, moderators, both, or nobody
    Column("unlisted", Boolean, nullable=False, server_default=false()),  # labelled, and nobody was asked to look yet
    CheckConstraint("NOT forgotten OR (hidden AND master = '')", name="forgotten_has_no_file"),
    Index(None, "hidden", "created_at"),
    Index(None, "model", "created_at"),
    Index(None, "surface", "place", "created_at"),
    Index(None, "asker_surface", "asker_id", "created_at"),
    Index(None, "unlisted", "created_at"),
)

# The promise to bring one clip to one card, and what came of it.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    _refers("clip", "clips.id"),
    _refers("job", "jobs.id"),
    *_address(),
    _text("message"),
    _text("format"),
    _text("state"),
    _count("attempts"),
    _time("due_at"),
    _time("card_at"),
    Column("sent_at", Double),
    _text("receipt"),
    _text("reason"),
    Column("renewed", Integer, nullable=False, server_default=text("0")),
    _one_of(DeliveryState),
    UniqueConstraint("clip", "surface", "place", "thread", "message"),  # one promise per card
    Index(None, "state", "due_at"),
    Index(None, "job"),
    Index(None, "surface", "place", "message"),
)

# A model as a runner last announced it.
models = Table(
    "models",
    metadata,
    Column("runner", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    _count("position"),
    Column("facts", JSON, nullable=False),
    _time("announced_at"),
)

# A runner's last sign of life.
runners = Table(
    "runners",
    metadata,
    Column("name", Text, primary_key=True, nullable=False),
    _text("device"),
    _time("seen_at"),
)

# The web page's own message store; a deleted message stays as an empty row so that open pages learn of it.
room_messages = Table(
    "room_messages",
    metadata,
    Column("number", Integer, primary_key=True),  # the order of posting
    Column("id", Text, nullable=False, unique=True),
    _text("room"),
    _text("nonce"),
    Column("version", Integer, nullable=False, unique=True),
    Column("card", JSON, nullable=False),
    _text("rendition"),
    _time("created_at"),
    Column("deleted", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("room", "nonce"),
    Index(None, "room", "version"),
    Index(None, "room", "number"),
)

# Credits that no job holds: charges for refused prompts are positive, grants negative and good until a moment, in one
# place where they come from its moderators.
credit_entries = Table(
    "credit_entries",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    *_asker(),
    _count("credits"),
    _text("reason"),
    _time("created_at"),
    Column("until", Double),
    Column("surface", Text, nullable=False, server_default=text("''")),  # empty, as the place: everywhere
    Column("place", Text, nullable=False, server_default=text("''")),
    Index(None, "asker_surface", "asker_id", "created_at"),
)

# What somebody prefers, and which person they are when identities on several surfaces are linked.
people = Table(
    "people",
    metadata,
    Column("asker_surface", Text, primary_key=True),
    Column("asker_id", Text, primary_key=True),
    Column("settings", JSON, nullable=False),
    _text("person"),  # the same for every identity of one person; empty: linked to none
    Index(None, "person"),
)

# One-time codes by which one identity lets another one join it; only a hash of the code is kept.
link_codes = Table(
    "link_codes",
    metadata,
    Column("code_hash", Text, primary_key=True, nullable=False),
    *_asker(),
    _time("until"),
)

# Codes that were tried and were not good: so many in a while, and an identity tries no more.
link_tries = Table(
    "link_tries",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    *_asker(),
    _time("tried_at"),
    Index(None, "asker_surface", "asker_id", "tried_at"),
)

# What the moderators of a place have set.
places = Table(
    "places",
    metadata,
    Column("surface", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("settings", JSON, nullable=False),
    _time("changed_at"),
)

# A place that has a new name on its platform: what was stored under the old one goes on under the new one.
moved_places = Table(
    "moved_places",
    metadata,
    Column("surface", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    _text("to"),
    _time("moved_at"),
)

# Prompts that were refused, so that their askers can appeal; of the gravest kind only a keyed hash.
refusals = Table(
    "refusals",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    _text("request"),
    *_asker(),
    *_address(),
    Column("verdict", JSON, nullable=False),
    _text("prompt"),
    _time("created_at"),
    Column("appealed_at", Double),
    UniqueConstraint("surface", "request"),
    Index(None, "asker_surface", "asker_id", "created_at"),
    Index(None, "surface", "place", "created_at"),
)

# What a platform sent, stored before it is confirmed and handled from here: each update has its effect once.
updates = Table(
    "updates",
    metadata,
    Column("surface", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("body", JSON, nullable=False),
    _time("received_at"),
    Column("handled_at", Double),
    Index(None, "surface", "handled_at"),
)

# By which other way a card of Discord can be edited, where the bot's own token does not reach it.
card_routes = Table(
    "card_routes",
    metadata,
    Column("surface", Text, primary_key=True),
    Column("nonce", Text, primary_key=True),
    *[column for column in _address() if column.name != "surface"],
    _text("message"),
    _text("kind"),
    _text("token"),
    _time("until"),
    Index(None, "surface", "message"),
)

# A platform's own id of a file it holds already: showing it again costs no upload.
platform_files = Table(
    "platform_files",
    metadata,
    Column("surface", Text, primary_key=True),
    _refers_key("clip", "clips.id"),
    Column("format", Text, primary_key=True),
    _text("file"),
)

# Clips that are shown nowhere in a place but their own, because its moderators do not want them (yet).
withheld = Table(
    "withheld",
    metadata,
    _refers_key("clip", "clips.id"),
    Column("surface", Text, primary_key=True),
    Column("place", Text, primary_key=True),
)

# What was decided about people and clips, numbered per place. Rows are never edited: triggers see to that.
cases = Table(
    "cases",
    metadata,
    Column("surface", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    _text("actor_surface"),
    _text("actor_id"),
    Column("target_surface", Text),
    Column("target_id", Text),
    _text("action"),
    _text("rule"),
    _text("policy"),
    _text("reason"),
    Column("about", JSON, nullable=False),
    Column("amends", Integer),
    _time("created_at"),
    _one_of(Action, "action"),
    Index(None, "target_surface", "target_id"),
    Index(None, "created_at"),
)

# The number of the last case of a place: that of a case that was forgotten is not given again.
case_numbers = Table(
    "case_numbers",
    metadata,
    Column("surface", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    _count("last"),
)

# Points against people, until they decay.
strikes = Table(
    "strikes",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    _text("surface"),
    _text("place"),
    *_asker(),
    _count("points"),
    _count("case"),
    _time("created_at"),
    _time("until"),
    Column("lifted_at", Double),
    Index(None, "asker_surface", "asker_id"),
    Index(None, "surface", "place", "until"),
)

# What people may not do for a while, or until a moderator says otherwise.
restrictions = Table(
    "restrictions",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    _text("surface"),
    _text("place"),
    *_asker(),
    _text("curb"),
    _count("case"),
    _time("since"),
    Column("until", Double),
    Column("lifted_at", Double),
    _one_of(Curb, "curb"),
    Index(None, "asker_surface", "asker_id"),
    Index(None, "surface", "place"),
)

# Members' flags on clips.
reports = Table(
    "reports",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    _refers("clip", "clips.id"),
    _text("surface"),
    _text("place"),
    *_asker(),
    _text("reason"),
    _time("created_at"),
    _text("outcome"),
    UniqueConstraint("clip", "surface", "place", "asker_surface", "asker_id"),
    Index(None, "asker_surface", "asker_id", "created_at"),
    Index(None, "surface", "place", "created_at"),
)

# What a moderator is to look at, has looked at, and where the moderators' card of it stands.
reviews = Table(
    "reviews",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    *_address(),
    _text("kind"),
    _text("subject"),
    _text("target_surface"),
    _text("target_id"),
    _time("opened_at"),
    _text("decision"),  # empty while it is open
    _text("decided_by_surface"),
    _text("decided_by_id"),
    Column("decided_at", Double),
    Column("case", Integer),
    _text("card_thread"),
    _text("card_message"),  # empty: no card yet
    Column("drawn", Boolean, nullable=False, server_default=false()),
    Column("version", Integer, nullable=False, server_default=text("0")),  # grows with what its card has to show
    _one_of(ReviewKind, "kind"),
    Index(None, "surface", "place", "decision", "opened_at"),
    Index(None, "drawn", "surface", "card_message", "place"),
    Index(None, "subject", "kind"),
    Index("uq_reviews_open", "surface", "place", "kind", "subject", unique=True, sqlite_where=text("decision = ''")),
)

# Prompts that moderators of a place found harmless: refused there no more, unless for what is never made.
allowed_prompts = Table(
    "allowed_prompts",
    metadata,
    Column("surface", Text, primary_key=True),
    Column("place", Text, primary_key=True),
    Column("prompt", Text, primary_key=True),
    Column("verdict", JSON, nullable=False),  # which was wrong
    _count("case"),
    Column("counts", Boolean, nullable=False),  # whether the place is let make it; else it is a note for the operator
    _time("created_at"),
)

# Sentences that people are to be told, each once.
notices = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    *_address(),
    _text("message"),
    *_asker(),
    _text("sentence"),
    _time("created_at"),
    _count("attempts"),
    _time("due_at"),
    Column("sent_at", Double),
    _text("reason"),  # why it was given up, which counts as sent
    Index(None, "sent_at", "due_at"),
)

# What was asked for and waits to be confirmed.
pending = Table(
    "pending",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    *_asker(),
    _text("surface"),
    _text("place"),
    _text("what"),
    Column("values", JSON, nullable=False),
    _time("until"),
)

# Links by which a moderator signs in to the console, each good once; only a hash of its secret is kept.
console_links = Table(
    "console_links",
    metadata,
    Column("secret_hash", Text, primary_key=True, nullable=False),
    *_asker(),
    _text("surface"),
    _text("place"),
    _time("until"),
)

# Who is signed in to the console; only a hash of the cookie is kept.
console_sessions = Table(
    "console_sessions",
    metadata,
    Column("secret_hash", Text, primary_key=True, nullable=False),
    *_asker(),
    _text("surface"),
    _text("place"),
    Column("operator", Boolean, nullable=False),
    _time("created_at"),
    _time("until"),
)
