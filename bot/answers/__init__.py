"""The answers to commands other than a clip: what waits, what is left, what is preferred, what has been made.

Each answer is a finished card for its caller alone.
"""

from bot.answers.desk import Answers

__all__ = ["Answers"]
