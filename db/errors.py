"""What can go wrong in the store.

    StoreError
    ├── DatabaseUnreachable   the file or server can't be opened
    ├── WrongRevision         the schema is older or newer than this program
    ├── ClipStoreFull         no space while a clip was kept
    ├── ClipStoreUnwritable   the folder can't be written
    └── ConfigError           the configuration can't be used as it is

Each one's message is a whole sentence that says what happened and what to do.
"""


class StoreError(Exception):
    """Base of all errors of this house."""


class DatabaseUnreachable(StoreError):
    """The database can't be opened."""


class WrongRevision(StoreError):
    """The database schema does not match this program."""


class ClipStoreFull(StoreError):
    """There was no space left while a clip was being kept."""


class ClipStoreUnwritable(StoreError):
    """The folder for clips can't be written."""


class ConfigError(StoreError):
    """The configuration can't be used as it is."""
