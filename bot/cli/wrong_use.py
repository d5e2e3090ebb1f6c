"""The one place where errors of a command become a sentence and an exit status."""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from bot.cli.output import remark
from bot.errors import BotError, ReaderGone, WrongUse
from db.errors import StoreError

FAILED = 1
WRONGLY_ASKED = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
READER_GONE = 141  # 128 + SIGPIPE


def guarded(command: click.Command, arguments: Sequence[str], *, debug: bool) -> int:
    """Run `command` and return its exit status; `debug` adds the traceback of an unexpected error."""
    _claim_standard_streams()
    try:
        status = command.main(list(arguments), prog_name="zoetrope", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        remark(error.format_message())
        return WRONGLY_ASKED
    except click.ClickException as error:
        remark(_usage_sentence(error))
        return WRONGLY_ASKED
    except (KeyboardInterrupt, click.Abort):
        remark("Stopped.")
        return INTERRUPTED
    except Exception as error:  # the last door before the interpreter's traceback
        return _failed(error, debug=debug)
    return status if isinstance(status, int) else 0


def _claim_standard_streams() -> None:
    """Where a standard stream is closed, put the null device: a file opened later must not become one by accident."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _usage_sentence(error: click.ClickException) -> str:
    said = " ".join(error.format_message().split()).rstrip(".?!")
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx is not None else "zoetrope"
    return f"{said}: see '{path} --help'."


def _failed(error: Exception, *, debug: bool) -> int:
    if debug:
        remark("".join(traceback.format_exception(error)).rstrip())
    expected = _find(error, (BotError, StoreError))
    if isinstance(expected, ReaderGone):
        return READER_GONE
    remark(str(expected) if expected is not None else _unexpected_sentence(error))
    return WRONGLY_ASKED if isinstance(expected, WrongUse) else FAILED


def _find(error: BaseException, kinds: tuple[type[BaseException], ...]) -> BaseException | None:
    """The first error of `kinds` in `error`, which may be a group of errors from tasks that ran side by side."""
    if isinstance(error, BaseExceptionGroup):
        return next((found for one in error.exceptions if (found := _find(one, kinds))), None)
    return error if isinstance(error, kinds) else None


def _unexpected_sentence(error: BaseException) -> str:
    """Where it happened, without the error's own words: they may hold a prompt."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return (
        f"Something went wrong that should not ({type(error).__name__}{where}): "
        "set ZOETROPE_DEBUG=1 to see all of it, and please report it."
    )
