"""What people can ask for: a clip, its buttons, a clip once more; and what a start takes up.

deciding    the request decided: a spec, a verdict, a quota, and the card that says so (pure)
buttons     the buttons that change what is there: cancel, delete, appeal
use_cases   the way of a request, steps 2 to 6
"""

from bot.commands.use_cases import RETRY_SECONDS, TOO_LATE_SECONDS, Commands
from bot.outcomes import Outcome, Result

__all__ = ["RETRY_SECONDS", "TOO_LATE_SECONDS", "Commands", "Outcome", "Result"]
