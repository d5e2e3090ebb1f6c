"""What is asked back in a chat, and what is said there where nothing could be done."""

from __future__ import annotations

from bot.language import say


def which_prompt() -> str:
    return say("What shall be shown? Answer this message with a few words.")


def prompt_placeholder() -> str:
    return say("a heart bouncing on blue")


def went_wrong() -> str:
    return say("Something went wrong here and this was not done; please try again in a minute.")


def perhaps_sent() -> str:
    return say("Nobody can tell whether it came; if it is not here, find it with /gallery.")


def make_the_first() -> str:
    """On a button, so it is short."""
    return say("No clip found: make one")
