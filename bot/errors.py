"""What can stop the bot from doing its work (what a surface may raise is in `port.py`).

    BotError
    ├── AlreadyRunning        another Zoetrope works on this data folder
    ├── FolderUnwritable      a folder or file we were told to write can't be written
    ├── PortTaken             the address of the web page is in use or can't be bound
    ├── PasswordMissing       the web page would be open to other machines without a password, or its file is no good
    ├── GeneratorUnavailable  the local generator process does not come up
    ├── OutputClosed          there is nowhere to write a result
    ├── ReaderGone            whoever read our results has closed the pipe
    ├── PolicyError           the safety rules can't be used (safety/policy.py)
    └── WrongUse              the command line asks for something that does not go together

Each one's message is a whole sentence that says what happened and what to do.
"""


class BotError(Exception):
    """Base of all errors of this house outside its surfaces."""


class AlreadyRunning(BotError):
    """Another Zoetrope works on this data folder."""


class FolderUnwritable(BotError):
    """A folder or file we were told to write can't be written."""


class PortTaken(BotError):
    """The address of the web page is in use or can't be bound."""


class PasswordMissing(BotError):
    """The web page would be open to other machines without a password, or the password's file can't be used."""


class GeneratorUnavailable(BotError):
    """The local generator process does not come up."""


class OutputClosed(BotError):
    """There is nowhere to write a result."""


class ReaderGone(BotError):
    """Whoever read our results has closed the pipe: it wants no more, and no word about it."""


class WrongUse(BotError):
    """The command line asks for something that does not go together."""
