"""Whether a prompt may become a clip: `judge(prompt, negative, policy) -> Verdict`, a pure function.

views     one text in several spellings, so that a disguise is read as what it imitates (pure)
policy    word lists and rules as data (pure)
judging   the rules applied to the views (pure)

`rules.toml` is the policy this program brings along; only `built_in_policy` reads it.
"""

from importlib import resources

from bot.safety.judging import judge
from bot.safety.policy import Policy, PolicyError, parse_policy

__all__ = ["Policy", "PolicyError", "built_in_policy", "judge", "parse_policy"]


def built_in_policy() -> Policy:
    """The policy that this program brings along."""
    return parse_policy(resources.files(__name__).joinpath("rules.toml").read_text(encoding="utf-8"))
