"""What members flag and moderators decide: every act one transaction, with its case, told to who it is about.

gate        who may do what, asked inside the transaction that acts
telling     where people are told about decisions
striking    points, thresholds and curbs
showing     where clips are shown and where not
reporting   a member's flag on a clip
subjects    what a review is about
deciding    a moderator's word on a review, carried out
house       all of it, as the commands ask for it
"""

from bot.moderation.house import Confirmed, Handler, Moderation

__all__ = ["Confirmed", "Handler", "Moderation"]
