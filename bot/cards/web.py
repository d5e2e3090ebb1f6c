"""The words of the web page: its labels, and the sentences that its scripts say themselves."""

from __future__ import annotations

from bot.cards import duration
from bot.language import say

# --- what the page's scripts say; `{places}` are filled there ---


def words() -> dict[str, str]:
    """Everything a script may put on the page, by the name it has there."""
    return {**_of_the_composer(), **_of_a_card(), **_of_the_line()}


def _of_the_composer() -> dict[str, str]:
    return {
        "prompt": say("Prompt or command"),
        "placeholder": say("What to show, or /"),
        "send": say("Send"),
        "commands": say("Commands"),
        "options": say("Options"),
        "usual": say("Default"),
        "editing": say("Other words for “{prompt}”; everything else stays as it was."),
        "stop_editing": say("Stop editing"),
        "recent": say("asked before"),
        "suggested": say("a suggestion"),
        "found": say("{count} to choose from"),
    }


def _of_a_card() -> dict[str, str]:
    return {
        "you": say("You"),
        "guest": say("Guest {tag}"),
        "house": say("Zoetrope"),
        "private": say("Only you see this."),
        "dismiss": say("Dismiss"),
        "done_share": say("Share that is done"),
        "ready_in": say("ready in about {time}"),
        "ready_now": say("ready any moment"),
        "preview": say("Preview of the clip"),
        "play": say("Play the clip"),
        "pause": say("Pause the clip"),
        "uncover": say("Covered: show the clip"),
        "download": say("Download"),
        "clip_id": say("Clip's id"),
        "sure_delete": say("Delete this clip for good?"),
        "yes_delete": say("Delete"),
        "no_delete": say("Keep it"),
        "sure_report": say("Shall a moderator look at this clip?"),
        "yes_report": say("Report"),
        "no_report": say("Cancel"),
        "reason_report": say("What is wrong with it (optional)"),
    }


def _of_the_line() -> dict[str, str]:
    return {
        "away": say("Zoetrope does not answer; this page goes on as soon as it does."),
        "unreached": say("Zoetrope does not answer; please ask again when it runs."),
        "error": say("Zoetrope answered with an error ({status}); please reload the page and ask again."),
    }


# --- what the server puts on the page ---


def labels() -> dict[str, str]:
    """What stands in the templates."""
    return {
        "skip": say("Skip to the prompt"),
        "gallery": say("Gallery"),
        "help": say("Help"),
        "moderation": say("Moderation"),
        "sign_out": say("Sign out"),
        "room": say("Clips of this room, the newest last"),
        "suggestions": say("Suggestions"),
        "welcome": say("What shall move?"),
        "what": say("Say in a few words what to show, and a model on this machine makes a short clip of it."),
        "try": say("Try one of these:"),
        "waiting": say("Suggestions come as soon as a model is loaded."),
        "mark": say("Every clip here is AI-generated, and its file says so."),
        "script": say("The clips are shown by a script; please allow this page to run it."),
        "password": say("Password"),
        "sign_in": say("Sign in"),
        "locked": say("This room is for those who know its password."),
        "back": say("Back to the room"),
    }


def page_not_found() -> str:
    return say("There is no such page here; go back to the room.")


def not_that_way() -> str:
    return say("This can't be asked for in that way; go back to the room.")


def range_of(low: float | None, high: float | None) -> str:
    """What a number may be; beyond a billion nobody wants to read it."""
    if low is None or high is None:
        return ""
    return say("any") if high > 1e9 else say("{low} to {high}", low=f"{low:,g}", high=f"{high:,g}")


# --- signing in ---


def wrong_password() -> str:
    return say("That is not the password; please try again.")


def too_many_attempts(seconds: float) -> str:
    return say("Those were too many wrong passwords; please try again in {time}.", time=duration(seconds))


def signed_out() -> str:
    return say("You are signed out; reload the page and sign in.")


# --- what is answered to one browser alone ---


def not_yours_to_dismiss() -> str:
    return say("Only the one who asked can dismiss this, and only when it is over.")


def file_gone() -> str:
    return say("This file was handed over already or is too old; ask for it again with /mydata export.")
