"""What would happen if: before a limit or cap is saved."""

from __future__ import annotations

import asyncio

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import Budget, RateLimits, Subject, SubjectKind
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import InvalidInput
from sluicegate.policy.preview import Edit, Preview, preview
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import CrowdSource
from sluicegate.ports.store import Store
from sluicegate.services.budgets import checked_budget
from sluicegate.services.caller import Caller
from sluicegate.services.limits import checked_limits
from sluicegate.services.subjects import subject_label

MAX_LISTED = 100


class PreviewService:
    def __init__(self, store: Store, source: CrowdSource, periods: PeriodClock, clock: Clock) -> None:
        self._store = store
        self._source = source
        self._periods = periods
        self._clock = clock

    async def of_group(
        self, caller: Caller, group_id: str, limits: RateLimits | None, budget: Budget | None, first: int
    ) -> Preview:
        """What the group's limits and caps for each member would change; None leaves what is set. Names at most
        `first` of the people concerned."""
        return await self._preview(caller, Subject(SubjectKind.GROUP, group_id), limits, budget, first)

    async def of_user(self, caller: Caller, user_id: str, limits: RateLimits | None, budget: Budget | None) -> Preview:
        """As `of_group`, for limits and caps of one person's own."""
        return await self._preview(caller, Subject(SubjectKind.USER, user_id), limits, budget, 1)

    async def _preview(
        self, caller: Caller, subject: Subject, limits: RateLimits | None, budget: Budget | None, first: int
    ) -> Preview:
        caller.require_admin(TokenScope.READ)
        if not 0 <= first <= MAX_LISTED:
            raise InvalidInput("first", f"must lie between 0 and {MAX_LISTED}")
        if limits is not None:
            checked_limits(limits, "rateLimit.")
        if budget is not None:
            budget = checked_budget(budget, "budget.")
        now = self._clock.now()
        async with self._store.read() as tx:
            await subject_label(tx, subject)
        keys = {window: period.key for window, period in self._periods.at(now).items()}
        crowd = await self._source.crowd(subject, keys)
        # For 5,000 members this takes a while that calls should not have to wait for.
        return await asyncio.to_thread(preview, crowd, Edit(subject, limits, budget), now, first)
