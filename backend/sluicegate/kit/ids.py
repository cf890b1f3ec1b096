"""Identifiers: UUID version 7 (RFC 9562 section 5.7), so that they sort by creation time."""

from __future__ import annotations

import time
from random import getrandbits
from uuid import UUID

_last_ms = 0
_sequence = 0
# What all identifiers of the last millisecond begin with.
_beginning = ""


def new_id() -> str:
    """A fresh UUIDv7 as 36 characters of text; increases within a process even inside one millisecond.

    Unique and no secret, so its random part comes from the generator that the interpreter seeds at start and fork.
    """
    global _last_ms, _sequence, _beginning
    now = time.time_ns() // 1_000_000
    if now > _last_ms:
        # The upper half of the range is left for those that follow in the same millisecond.
        _sequence = getrandbits(11)
        _begin(now)
    else:
        _sequence += 1
        if _sequence > 0xFFF:
            _sequence = 0
            _begin(_last_ms + 1)
    return f"{_beginning}{_sequence:03x}-{0x8000 | getrandbits(14):04x}-{getrandbits(48):012x}"


def _begin(ms: int) -> None:
    global _last_ms, _beginning
    digits = f"{ms:012x}"
    _last_ms, _beginning = ms, f"{digits[:8]}-{digits[8:]}-7"


def is_id(text: str) -> bool:
    """Whether `text` has the canonical form of a UUID."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
