"""What can go wrong while clips are made.

    GeneratorError
    ├── ModelUnusable        a folder or hub id can't be used as a model
    ├── AnotherRunner        a runner of the same name already works on the data folder
    ├── EngineGone           the engine died, hung or spoke nonsense
    └── RenderFailed         this one job can't be rendered
        ├── SpecRefused      the model can't make what was asked for
        └── DoesNotFit       the device has too little memory for it

Each one's message is a whole sentence that says what happened and what to do; none of them holds a prompt.
"""


class GeneratorError(Exception):
    """Base of all errors of this house."""


class ModelUnusable(GeneratorError):
    """The model can't be loaded as it lies there."""


class AnotherRunner(GeneratorError):
    """A runner of the same name already works on the data folder and does not end."""


class EngineGone(GeneratorError):
    """The engine is no longer there; the message says how it went, in one sentence."""


class RenderFailed(GeneratorError):
    """The job can't be rendered; `again` says whether another attempt could succeed."""

    def __init__(self, reason: str, *, again: bool = False) -> None:
        super().__init__(reason)
        self.again = again


class SpecRefused(RenderFailed):
    """Size, frames or steps are outside of what the model accepts."""


class DoesNotFit(RenderFailed):
    """Weights or rows need more memory than the device has."""
