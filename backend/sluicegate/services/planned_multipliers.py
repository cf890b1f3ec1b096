"""Multipliers of a provider that are announced before they count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sluicegate.domain.price_list import PlannedMultiplier
from sluicegate.kit.errors import InvalidInput
from sluicegate.services.price_lists import MAX_AHEAD, MAX_COMING


def checked_plan(plan: Sequence[PlannedMultiplier], now: datetime) -> tuple[PlannedMultiplier, ...]:
    """Oldest first; raises InvalidInput."""
    if len(plan) > MAX_COMING:
        raise InvalidInput("plannedMultipliers", f"takes at most {MAX_COMING}")
    starts: set[datetime] = set()
    for index, one in enumerate(plan):
        field = f"plannedMultipliers.{index}.startsAt"
        if one.starts_at <= now:
            raise InvalidInput(field, "must lie in the future; set priceMultiplier to change what calls cost now")
        if one.starts_at > now + MAX_AHEAD:
            raise InvalidInput(field, "must lie within three years")
        if one.starts_at in starts:
            raise InvalidInput(field, "is there twice: only one multiplier can start at an instant")
        starts.add(one.starts_at)
    return tuple(sorted(plan, key=lambda one: one.starts_at))
