"""Fields of partial updates: absent, null and given are three different things."""

from __future__ import annotations

from typing import TypeVar

import strawberry

from sluicegate.kit.errors import InvalidInput
from sluicegate.services.absent import ABSENT, Absent

T = TypeVar("T")


def required(value: T | None, field: str) -> T | Absent:
    """Raises InvalidInput for null."""
    if value is strawberry.UNSET:
        return ABSENT
    if value is None:
        raise InvalidInput(field, "must not be null; leave it out to keep what is there")
    return value


def clearable(value: T | None) -> T | Absent | None:
    """Null empties the field."""
    return ABSENT if value is strawberry.UNSET else value
