"""Whether a writing may become a clip: `judge(writing, policy, house) -> Verdict`, a pure function.

views       one text in several spellings, so that a disguise is read as what it imitates (pure)
lookalikes  which letters look like which, frozen from Unicode's data (pure)
entries     the notation of word lists, and what it stands for (pure)
slips       words that are nearly one of the lists' (pure)
lexicon     all phrases of a policy in one automaton (pure)
policy      word lists and rules as data, read from files (pure)
judging     the rules applied to everything a person wrote (pure)

The files below `rules/` are the policy this program brings along; only `built_in_policy` reads them.
"""

from importlib import resources

from bot.safety.judging import House, Writing, judge
from bot.safety.policy import Files, Policy, PolicyError, parse_policy

__all__ = ["Files", "House", "Policy", "PolicyError", "Writing", "built_in_policy", "judge", "parse_policy"]


def built_in_files() -> Files:
    """The texts of the files this program brings along, by name."""
    folder = resources.files(__name__).joinpath("rules")
    return {
        file.name: file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith((".toml", ".txt"))
    }


def built_in_policy(extra: Files | None = None) -> Policy:
    """The policy that this program brings along, with an operator's `extra` files. Raises PolicyError."""
    return parse_policy(built_in_files(), extra)
