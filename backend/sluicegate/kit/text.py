"""What people type as names of things."""

from __future__ import annotations

import re

from sluicegate.kit.errors import InvalidInput

# U+0085, U+2028 and U+2029 end a line, which no subject of a letter can hold. The last two ranges turn the direction of
# what stands around them: `Ada\u202enimda` looks like another name.
HIDDEN = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
"""Characters that are not seen and change what is, for a class in a regular expression."""
_HIDDEN = re.compile(f"[{HIDDEN}]")


def check_visible(text: str, field: str) -> None:
    """Raises InvalidInput naming `field` for a name that holds any of them."""
    if _HIDDEN.search(text) is not None:
        raise InvalidInput(field, "must not contain control characters, nor those that turn the direction of text")
