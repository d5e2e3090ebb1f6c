"""Results go to standard output, everything else to standard error, a line at a time."""

from __future__ import annotations

import os
import sys

from bot.errors import OutputClosed, ReaderGone


def say(line: str) -> None:
    """Write one line of result and see that it got out. Raises ReaderGone, or OutputClosed with a sentence."""
    if sys.stdout is None:
        raise OutputClosed("Standard output is closed, so there is nowhere to write the result: leave it open.")
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError as error:
        _abandon_output()
        raise ReaderGone from error
    except OSError as error:
        _abandon_output()
        why = (error.strerror or str(error)).lower()
        raise OutputClosed(f"The result can't be written to standard output ({why}).") from error


def remark(line: str) -> None:
    """Write one line for the person at the terminal; when nobody listens, that is no reason to stop."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
    except OSError:
        return


def _abandon_output() -> None:
    """Let what is still buffered go nowhere, or the interpreter would complain about it when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
