"""Identifiers: UUID version 7 (RFC 9562 section 5.7), so that they sort by creation time."""

from __future__ import annotations

import secrets
import time
from uuid import UUID

_last_ms = 0
_sequence = 0


def new_id() -> str:
    """A fresh UUIDv7 as 36 characters of text; increases within a process even inside one millisecond."""
    global _last_ms, _sequence
    now = time.time_ns() // 1_000_000
    if now > _last_ms:
        _last_ms, _sequence = now, secrets.randbits(11)
    else:
        _sequence += 1
        if _sequence > 0xFFF:
            _last_ms, _sequence = _last_ms + 1, 0
    value = (_last_ms & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | _sequence << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(UUID(int=value))


def is_id(text: str) -> bool:
    """Whether `text` has the canonical form of a UUID."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
