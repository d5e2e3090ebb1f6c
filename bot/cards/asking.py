"""What people are asked when a prompt is still to be written, and what is said when there is nothing to go on with."""

from __future__ import annotations

from dataclasses import replace

from bot.cards import Card
from bot.language import say

CLIP_FROM_TEXT = "Clip from this text"  # a key: whoever shows it says it
REPORT_CLIP = "Report this clip"  # a key as well
MODERATORS = "For moderators of this place."  # a key as well


def title() -> str:
    """Of the window in which a prompt is written; at most 45 characters in every language."""
    return say("A clip from your words")


def question() -> str:
    """At most 45 characters in every language."""
    return say("What shall it show?")


def report_title() -> str:
    """Of the window in which a report is written; at most 45 characters in every language."""
    return say("Report this clip")


def report_question() -> str:
    """At most 45 characters in every language."""
    return say("What is wrong with it? (may stay empty)")


def no_text() -> str:
    return say("There is no text in this message; please choose one with words.")


def nothing_asked() -> str:
    return say("You have not asked for a clip here yet; say what you want to see.")


def nothing_made() -> str:
    return say("There is no clip here yet that could be shown; please make one.")


def slow() -> str:
    return say("That took too long just now; please try again.")


def words_blocked() -> str:
    return say("This server's own filter blocks the words of this; /zoetrope review shows them to you.")


def after(sentence: str, card: Card) -> Card:
    """What came of the last press above what is next."""
    return replace(card, status=f"{sentence}\n{card.status}" if card.status else sentence)


def only(sentence: str) -> Card:
    """A message that is one sentence."""
    return Card(title="", status=sentence, final=True)
