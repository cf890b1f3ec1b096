"""Identifiers: UUID version 7 (RFC 9562 section 5.7), so that they sort by creation time."""

from __future__ import annotations

import time
from random import getrandbits
from uuid import UUID

_last_ms = 0
_sequence = 0


def new_id() -> str:
    """A fresh UUIDv7 as 36 characters of text; increases within a process even inside one millisecond.

    Unique and no secret, so its random part comes from the generator that the interpreter seeds at start and fork.
    """
    global _last_ms, _sequence
    now = time.time_ns() // 1_000_000
    chance = getrandbits(73)
    if now > _last_ms:
        # The upper half of the range is left for those that follow in the same millisecond.
        _last_ms, _sequence = now, chance >> 62
    else:
        _sequence += 1
        if _sequence > 0xFFF:
            _last_ms, _sequence = _last_ms + 1, 0
    value = _last_ms << 80 | (0x7000 + _sequence) << 64 | 0b10 << 62 | (chance & 0x3FFFFFFFFFFFFFFF)
    digits = value.to_bytes(16, "big").hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def is_id(text: str) -> bool:
    """Whether `text` has the canonical form of a UUID."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
