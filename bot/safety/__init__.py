"""Whether a writing may become a clip: `judge(writing, policy, house) -> Verdict`, a pure function.

views       one text in several spellings, so that a disguise is read as what it imitates (pure)
lookalikes  which letters look like which, frozen from Unicode's data (pure)
entries     the notation of word lists, and what it stands for (pure)
slips       words that are nearly one of the lists' (pure)
lexicon     all phrases of a policy in one automaton (pure)
policy      word lists and rules as data, read from files (pure)
judging     the rules applied to everything a person wrote (pure)
explaining  what the filter sees in a text, for operators (pure)
rulebook    the policy in force, read again when an operator's folder changes

The files below `rules/` are the policy this program brings along; only the rulebook reads them.
"""

from bot.safety.judging import OVERRIDES, House, Writing, judge
from bot.safety.policy import Files, Policy, PolicyError, parse_policy
from bot.safety.rulebook import Rulebook, built_in_policy

__all__ = [
    "OVERRIDES",
    "Files",
    "House",
    "Policy",
    "PolicyError",
    "Rulebook",
    "Writing",
    "built_in_policy",
    "judge",
    "parse_policy",
]
