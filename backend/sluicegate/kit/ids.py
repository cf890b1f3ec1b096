"""Identifiers: UUID version 7 (RFC 9562 section 5.7), so that they sort by creation time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import count
from random import getrandbits
from uuid import UUID

_MOST = 0xFFFFFF


def new_id() -> str:
    """A fresh UUIDv7 as 36 characters of text; increases within a process even inside one millisecond, for which its
    last 24 bits count (RFC 9562, section 6.2, method 2) behind 50 that are drawn anew for each millisecond.

    Unique and no secret, so its random part comes from the generator that the interpreter seeds at start and fork.
    """
    global _present
    ms, beginning, numbers = _present
    now = time.time_ns() // 1_000_000
    if now > ms:
        ms, beginning, numbers = _present = _begun(now)
    number = next(numbers)
    if number > _MOST:
        _, beginning, numbers = _present = _begun(ms + 1)
        number = next(numbers)
    return f"{beginning}{number:06x}"


def _begun(ms: int) -> tuple[int, str, Iterator[int]]:
    """A millisecond, what all its identifiers begin with, and the numbers that they end with. The upper half of the
    range is left for those that follow the first."""
    time_part, chance = f"{ms:012x}", getrandbits(24)
    beginning = f"{time_part[:8]}-{time_part[8:]}-7{getrandbits(12):03x}-{0x8000 | getrandbits(14):04x}-{chance:06x}"
    return ms, beginning, count(getrandbits(23))


def _begin_anew() -> None:
    global _present
    _present = _begun(_present[0])


_present = _begun(0)
# A child would go on with its parent's numbers.
os.register_at_fork(after_in_child=_begin_anew)


def is_id(text: str) -> bool:
    """Whether `text` has the canonical form of a UUID."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
