"""What can go wrong while a rendition is made.

    RenditionError
    ├── UnknownFormat   not one of gif, mp4, webp
    ├── MasterGone      the clip's master is no longer in the store
    ├── Unfit           no quality and no size brings the clip below the limit
    ├── NoRoom          the folder of renditions can't be written
    └── EncodeFailed    ffmpeg could not do it

Each one carries a whole sentence for people, from the cards, that says what happened and what to do; its message may
say more, for the log.
"""


class RenditionError(Exception):
    """Base of all errors of the renditions. `sentence` names no folder and no program; `cause`, for the log, may."""

    def __init__(self, sentence: str, cause: str = "") -> None:
        super().__init__(cause or sentence)
        self.sentence = sentence


class UnknownFormat(RenditionError):
    """The format is not one we make."""


class MasterGone(RenditionError):
    """The master is not there any more."""


class Unfit(RenditionError):
    """The clip can't be made small enough."""


class NoRoom(RenditionError):
    """The folder of renditions can't be written."""


class EncodeFailed(RenditionError):
    """ffmpeg ended with an error or took too long."""
