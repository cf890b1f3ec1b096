"""Instants inside cursors: whole microseconds, as exact as the databases keep them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sluicegate.kit.errors import InvalidInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def from_micros(value: object) -> datetime:
    """Raises InvalidInput for `after` when a cursor held something else."""
    try:
        if isinstance(value, int):
            return _EPOCH + value * _MICROSECOND
    except OverflowError:
        pass
    raise InvalidInput("after", "is not a cursor of this list; start again without it")
