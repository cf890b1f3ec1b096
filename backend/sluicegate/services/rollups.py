"""Keeps the sums of the ledger up to date, and forgets calls and sums that are older than the settings want."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

import structlog

from sluicegate.domain.policy import Window
from sluicegate.kit.clock import Clock
from sluicegate.policy.windows import period_of
from sluicegate.ports.usage import SESSION, Grain, Rollups

log = structlog.get_logger(__name__)
# Caps look at the periods that run; calls of earlier ones may still come from a process that was dead for a while.
_SPEND_KEPT = timedelta(days=62)


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days what is kept; None: for ever. Sums by month always are."""

    calls: int | None
    five_minutes: int
    hours: int
    days: int | None
    sessions: int

    @property
    def grains(self) -> Mapping[Grain, int]:
        return {Grain.FIVE_MINUTES: self.five_minutes, Grain.HOUR: self.hours}


class RollupService:
    def __init__(self, rollups: Rollups, clock: Clock, zone: tzinfo, retention: Retention) -> None:
        self._rollups = rollups
        self._clock = clock
        self._zone = zone
        self._retention = retention

    async def ensure(self) -> None:
        """Makes the sums where there are none yet, or where they are by days of another time zone."""
        if not await self._rollups.current():
            log.info("rollups.rebuilding", zone=str(self._zone))
            log.info("rollups.rebuilt", calls=await self.rebuild())
        else:
            await self._rollups.complete()

    async def rebuild(self) -> int:
        return await self._rollups.rebuild(self._kept_from())

    async def fold(self) -> None:
        await self._rollups.fold(self._kept_from())

    async def forget_old(self) -> None:
        kept = self._kept_from()
        for grain in (Grain.FIVE_MINUTES, Grain.HOUR, Grain.DAY):
            if grain.value in kept:
                await self._rollups.forget(grain.value, kept[grain.value])
        await self._rollups.forget_sessions(kept[SESSION])
        past = self._clock.now() - _SPEND_KEPT
        await self._rollups.forget_spend([period_of(window, past, self._zone).key for window in Window])
        if self._retention.calls is not None:
            await self._rollups.forget_calls(self._before(self._retention.calls, whole_month=True))

    def _kept_from(self) -> dict[str, int]:
        retention = self._retention
        kept = {grain.value: self._before(days) for grain, days in retention.grains.items()}
        kept[SESSION] = self._before(retention.sessions)
        if retention.days is not None:
            kept[Grain.DAY.value] = self._before(retention.days, whole_month=True)
        return kept

    def _before(self, days: int, *, whole_month: bool = False) -> int:
        """Where the first of the last so many days begins, or the month that it is in."""
        first = self._clock.now().astimezone(self._zone).date() - timedelta(days=days - 1)
        if whole_month:
            first = first.replace(day=1)
        midnight: datetime = datetime.combine(first, time(), self._zone).astimezone(UTC)
        return round(midnight.timestamp() * 1000)
