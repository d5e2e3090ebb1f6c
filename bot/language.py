"""Which language is being spoken, and sentences in it.

The English sentence is the key, as in gettext; a sentence that a catalogue lacks is said in English. The language is
set around whatever makes cards and sentences for one person:

    with speaking(caller.circumstances.language):
        card = cards.queued(job, place)
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources

LANGUAGES = ("en", "de")  # the first is what is spoken where a catalogue lacks a sentence

_spoken: ContextVar[str] = ContextVar("spoken", default=LANGUAGES[0])


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak the language of `code` ("de", "de-AT" ...) inside; English where it is unknown."""
    token = _spoken.set(known(code))
    try:
        yield
    finally:
        _spoken.reset(token)


def known(code: str) -> str:
    """The language we speak that is nearest to `code`."""
    short = code.replace("_", "-").split("-")[0].casefold()
    return short if short in LANGUAGES else LANGUAGES[0]


def say(sentence: str, /, **values: object) -> str:
    """`sentence` in the language being spoken, its `{places}` filled with `values`."""
    words = catalogue(_spoken.get()).get(sentence, sentence)
    return words.format(**values) if values else words


@cache
def catalogue(code: str) -> Mapping[str, str]:
    """English sentences and what they are in the language of `code`; empty for English itself."""
    if code == LANGUAGES[0]:
        return {}
    text = resources.files("bot").joinpath("languages").joinpath(f"{code}.toml").read_text(encoding="utf-8")
    return {str(key): str(value) for key, value in tomllib.loads(text).items()}
