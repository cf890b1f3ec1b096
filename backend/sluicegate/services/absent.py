"""What a partial update leaves alone, apart from what it empties."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, TypeAlias


class _Absent(Enum):
    ABSENT = "absent"


Absent: TypeAlias = Literal[_Absent.ABSENT]
ABSENT: Final = _Absent.ABSENT
"""The value of a field that was not given."""
