"""When credentials expire."""

from __future__ import annotations

from datetime import datetime

from sluicegate.kit.errors import InvalidInput


def checked_expiry(expires_at: datetime | None, now: datetime) -> datetime | None:
    """Raises InvalidInput when it has passed already."""
    if expires_at is not None and expires_at <= now:
        raise InvalidInput("expiresAt", "must lie in the future")
    return expires_at
