"""What spending comes to if it goes on as it did."""

from __future__ import annotations

from datetime import datetime, timedelta

_MICROSECOND = timedelta(microseconds=1)
# Of the first twentieth of a period, such as the first hour of a day, nobody can tell how the rest will be.
_TOO_EARLY = 20


def cap_reached_at(spent: int, cap: int | None, start: datetime, now: datetime, end: datetime) -> datetime | None:
    """When `spent` will have grown to `cap` (both nano-dollars), if money goes on being spent at the pace of the period
    so far, which began at `start` and ends at `end`:

        reached = start + (now - start) * cap / spent

    `now` for a cap that is reached already, a cap of 0 included. None without a cap, as long as nothing is spent, when
    less than a twentieth of the period is over, and when the period ends first.
    """
    if cap is None:
        return None
    if spent >= cap:
        return now
    elapsed, whole = (now - start) // _MICROSECOND, (end - start) // _MICROSECOND
    if spent <= 0 or elapsed * _TOO_EARLY < whole:
        return None
    after = elapsed * cap // spent
    return None if after >= whole else start + after * _MICROSECOND
