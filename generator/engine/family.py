"""What a family of models is to the engine: one file a family, all behind these methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

import torch

from db.records import ClipSpec, ModelFacts
from generator.catalogue import Entry
from generator.engine.previews import Frames


class Work(Protocol):
    """One clip on its way; works of one `shape` can be stepped together."""

    @property
    def at(self) -> int:
        """Steps done."""
        ...

    @property
    def steps(self) -> int: ...

    @property
    def rows(self) -> int:
        """Rows it takes in a forward pass: 2 with guidance, else 1."""
        ...

    @property
    def shape(self) -> tuple[int, int, int]: ...

    @property
    def done(self) -> bool: ...


W = TypeVar("W", bound=Work)


class Family(Protocol[W]):
    """A loaded model. Every method runs on the engine's one device thread."""

    @property
    def facts(self) -> ModelFacts: ...

    @property
    def weights(self) -> int:
        """Bytes the loaded weights take."""
        ...

    @property
    def chunk(self) -> int:
        """How many frames are decoded at once as long as memory lasts."""
        ...

    def need(self, spec: ClipSpec) -> int:
        """Bytes a clip takes on top of the weights. Raises SpecRefused for what the model can't make."""
        ...

    def prepare(self, spec: ClipSpec) -> W:
        """Encode the prompt and draw the noise. Raises RenderFailed."""
        ...

    def step(self, works: Sequence[W]) -> None:
        """One step of each, all of one shape. Running out of memory leaves each either stepped or as it was."""
        ...

    def preview(self, work: W) -> Frames:
        """The estimate of the finished clip, perhaps small, perhaps fewer frames."""
        ...

    def decode(self, work: W, chunk: int) -> Iterator[Frames]:
        """The finished frames in order, at most `chunk` at a time. Raises RenderFailed."""
        ...


class Load(Protocol):
    """Loads a family's model for a first clip, `have` bytes being free once `make_room` was called.

    `make_room` is called when nothing speaks against loading any more, `tick` now and then as a sign of life. Raises
    ModelUnusable and RenderFailed.
    """

    def __call__(
        self,
        entry: Entry,
        device: torch.device,
        *,
        spec: ClipSpec,
        have: int,
        tick: Callable[[], None],
        make_room: Callable[[], None],
    ) -> Family[Any]: ...
