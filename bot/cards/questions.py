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


# --- what only the one who asked should read ---


def written_in_private() -> str:
    return say("The answer is in your private chat with the bot.")


def open_private_chat() -> str:
    """It leads into the private chat when it is touched."""
    return say("The answer is for you alone: touch this line, press Start there, and ask here once more.")


def nobody_to_write_to() -> str:
    return say("The answer is for one person alone, and you write in the name of a chat: ask again as yourself.")


# --- whom and what a command means ---


def no_names() -> str:
    return say("Telegram does not tell bots who has an @name: answer a message of theirs, or write their number.")


def nobody_behind() -> str:
    return say("Nobody can tell who is meant by that message: answer one of theirs, or write their number.")


def which_clip() -> str:
    return say("Answer the clip's message with /report and say what is wrong, or write /report and the clip's id.")


def perhaps_done() -> str:
    return say("Zoetrope was stopped in the middle of this: look whether it was done before you ask again.")
