"""The moderators' pages: everything below /moderation.

console     the routes put together
entrance    signing in, by a link that is good once or with the operator's password, and out
sessions    the cookie of who is signed in, and the token that each of their posts needs
seats       who is signed in, as their platform says they are at this very request
showing     the pages that are only read
acting      what is decided, changed and asked for
charts      a week as bars, pure
options     the settings of a place as fields of a form, pure
"""

from bot.surfaces.web.moderation.console import Console

__all__ = ["Console"]
