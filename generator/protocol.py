"""Every message between a runner and an engine.

The runner holds leases and knows no torch; the engine owns the device and knows no database. They speak JSON, one
message a line, over a pipe of their own (libraries print on stdout). Frames never travel through the pipe: the engine
writes a file and names it.

    runner -> engine    Judge, Render, Cancel, Shutdown
    engine -> runner    Ready, Judged, Loading, Encoding, Step, Preview, Decoding, Rendered, Failed, Cancelled

Where a second opinion is wanted, a Judge goes before the Render and is answered by Judged, or by Failed if the engine
can't give one: then the job fails, since what was to be judged must not be rendered unjudged.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from db.records import ClipSpec


class Message(BaseModel):
    """A message is a frozen value; unknown fields are an error, not a surprise."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Judge(Message):
    """What does a classifier say about these words? Sent after the claim and before anything is rendered."""

    kind: Literal["judge"] = "judge"
    job: str
    prompt: str
    negative: str


class Render(Message):
    """Render `spec` and write the master to `master` (a path of the runner's choice, on the same file system)."""

    kind: Literal["render"] = "render"
    job: str
    attempt: int
    spec: ClipSpec
    master: str
    preview: str  # path of the preview file, replaced atomically while rendering


class Cancel(Message):
    """Stop `job` before its next step; answered by Cancelled, or by Rendered if it was too late."""

    kind: Literal["cancel"] = "cancel"
    job: str


class Shutdown(Message):
    """Finish nothing, exit with 0."""

    kind: Literal["shutdown"] = "shutdown"


class Ready(Message):
    """The engine is up and can take a Render. `memory_bytes` is what the device has free."""

    kind: Literal["ready"] = "ready"
    device: str
    device_name: str
    memory_bytes: int
    pid: int


class Judged(Message):
    """The second opinion: `category` is that of the policy, `classifier` names the model and its version."""

    kind: Literal["judged"] = "judged"
    job: str
    refused: bool
    category: str = ""
    classifier: str = ""


class Loading(Message):
    """The weights of `model` are being read; steps follow."""

    kind: Literal["loading"] = "loading"
    job: str
    model: str


class Encoding(Message):
    """The prompt is being encoded."""

    kind: Literal["encoding"] = "encoding"
    job: str


class Step(Message):
    """`step` of `steps` denoising steps are done."""

    kind: Literal["step"] = "step"
    job: str
    step: int
    steps: int
    seconds: float


class Preview(Message):
    """The preview file shows the estimate of the final clip after `step` steps."""

    kind: Literal["preview"] = "preview"
    job: str
    step: int


class Decoding(Message):
    """All steps are done; latents become frames."""

    kind: Literal["decoding"] = "decoding"
    job: str


class Rendered(Message):
    """The master lies at the path the Render named. `seconds` are spent per stage."""

    kind: Literal["rendered"] = "rendered"
    job: str
    seconds: dict[str, float]


class Failed(Message):
    """The job can't be rendered; `reason` is one sentence for the asker.

    `again` says whether a new attempt could succeed (a crash of the device could, an impossible size could not).
    """

    kind: Literal["failed"] = "failed"
    job: str
    reason: str
    again: bool


class Cancelled(Message):
    """The job was stopped on request and left nothing behind."""

    kind: Literal["cancelled"] = "cancelled"
    job: str


ToEngine = Annotated[Judge | Render | Cancel | Shutdown, Field(discriminator="kind")]
FromEngine = Annotated[
    Ready | Judged | Loading | Encoding | Step | Preview | Decoding | Rendered | Failed | Cancelled,
    Field(discriminator="kind"),
]

_TO_ENGINE: TypeAdapter[ToEngine] = TypeAdapter(ToEngine)
_FROM_ENGINE: TypeAdapter[FromEngine] = TypeAdapter(FromEngine)


def to_line(message: Message) -> bytes:
    """One line of JSON, newline included."""
    return message.model_dump_json().encode() + b"\n"


def parse_to_engine(line: bytes) -> ToEngine:
    """Raise pydantic.ValidationError for anything that is not one of the messages to an engine."""
    return _TO_ENGINE.validate_json(line)


def parse_from_engine(line: bytes) -> FromEngine:
    """Raise pydantic.ValidationError for anything that is not one of the messages from an engine."""
    return _FROM_ENGINE.validate_json(line)
