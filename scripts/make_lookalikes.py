"""Freeze `bot/safety/lookalikes.py` from Unicode's confusables, as the package confusable-homoglyphs carries them.

    python -m venv fresh && fresh/bin/pip install confusable-homoglyphs==3.3.1
    fresh/bin/python scripts/make_lookalikes.py > bot/safety/lookalikes.py

Only letters that look like one Latin letter are kept, in the form in which the filter sees them: compatibility forms
unified and case folded.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from importlib import resources

# Not in Unicode's data, or there with another partner than the one that readers see.
OWN = dict(zip("вєкмнптзшκβεηιμοτυχωαδλ", "bekmhntewkbeniuotuxwaol", strict=True)) | {
    "τ": "t",
    "ν": "v",
    "ӏ": "l",
    "ł": "l",
    "ø": "o",
    "đ": "d",
}
SMALL_CAPITAL = re.compile(r"LATIN LETTER SMALL CAPITAL ([A-Z])")
WIDTH = 110

HEAD = '''"""Letters that look like a Latin one, after case folding. Made by `scripts/make_lookalikes.py`: not by hand.

Data: confusables of Unicode Technical Standard #39, Copyright Unicode, Inc., under the Unicode License v3
(https://www.unicode.org/license.txt), as carried by confusable-homoglyphs 3.3.1 (MIT).
"""
'''


def main() -> None:
    """Print the module."""
    data = json.loads(resources.files("confusable_homoglyphs").joinpath("confusables.json").read_text("utf-8"))
    found: dict[str, str] = {}
    for char, alike in sorted(data.items(), key=lambda item: item[0] != item[0].casefold()):
        letter = next(filter(None, (latin(partner["c"]) for partner in alike)), "")
        seen_as = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", char).casefold())
        if letter and len(seen_as) == 1 and not seen_as.isascii() and seen_as.isalpha():
            found.setdefault(seen_as, letter)
    found |= OWN
    keys = sorted(found)
    sys.stdout.write(HEAD)
    sys.stdout.write(f"\nLOOKALIKES = dict(\n    zip(\n        {quoted(keys)},\n")
    sys.stdout.write(f"        {quoted([found[key] for key in keys])},\n        strict=True,\n    )\n)\n")


def latin(partner: str) -> str:
    """The small Latin letter that a partner is, or nothing."""
    partner = partner.strip("\u200e")
    if len(partner) != 1:
        return ""
    small_capital = SMALL_CAPITAL.fullmatch(unicodedata.name(partner, ""))
    letter = small_capital[1].lower() if small_capital else partner.lower()
    return letter if re.fullmatch("[a-z]", letter) else ""


def quoted(chars: list[str]) -> str:
    """The characters as adjacent string literals; those outside the basic plane and right-to-left ones escaped."""
    parts = [char if safe(char) else f"\\U{ord(char):08x}" for char in chars]
    lines, line = [], ""
    for part in parts:
        if len(line) + len(part) > WIDTH - 10:
            lines.append(line)
            line = ""
        line += part
    return "\n        ".join(f'"{text}"' for text in [*lines, line])


def safe(char: str) -> bool:
    """Whether a reader and an editor see it in its place."""
    return ord(char) < 0x10000 and unicodedata.bidirectional(char) == "L"


if __name__ == "__main__":
    main()
