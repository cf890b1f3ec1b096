"""What people type as names of things."""

from __future__ import annotations

import re
import unicodedata

from sluicegate.kit.errors import InvalidInput

# U+0085, U+2028 and U+2029 end a line, which no subject of a letter can hold. U+200E, U+200F and the ranges from U+202A
# and U+2066 turn the direction of what stands around them: `Ada\u202enimda` looks like another name. The others have no
# width, so that `Ada\u200b` looks like `Ada`; joiners, which scripts and emoji are written with, are no such. Halves of
# surrogate pairs, which JSON can hold, are no letters at all, and no database takes them.
HIDDEN = r"\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff"
"""Characters that are not seen and change what is, for a class in a regular expression."""
_HIDDEN = re.compile(f"[{HIDDEN}]")


def composed(text: str) -> str:
    """Without surrounding blanks, and with each letter written in one way (NFC), so that two names that look the same
    are: one keyboard sends `é` as a letter, another as an `e` and an accent."""
    return unicodedata.normalize("NFC", text.strip())


def check_visible(text: str, field: str) -> None:
    """Raises InvalidInput naming `field` for a name that holds any of them."""
    if _HIDDEN.search(text) is not None:
        raise InvalidInput(field, "must not contain control characters, nor others that are not seen")
