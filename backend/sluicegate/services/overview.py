"""All limits and caps that administrators set, with what is used of them."""

from __future__ import annotations

from collections.abc import Sequence

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import Subject, SubjectKind
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import InvalidInput
from sluicegate.policy.service import PolicyService
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.overview import BudgetOwner, CapUse, LimitOwner, Moment, OwnerFilter
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.ports.policy import SubjectUse
from sluicegate.ports.store import Store
from sluicegate.services.caller import Caller


class OverviewService:
    """For administrators."""

    def __init__(self, store: Store, policy: PolicyService, periods: PeriodClock, clock: Clock) -> None:
        self._store = store
        self._policy = policy
        self._periods = periods
        self._clock = clock

    async def budgets(
        self, caller: Caller, where: OwnerFilter, use: CapUse | None, page: PageRequest
    ) -> Page[BudgetOwner]:
        """By name; those without any cap are not among them."""
        _check(caller, where)
        async with self._store.read() as tx:
            return await tx.overview.page_budgets(where, use, self._moment(), page)

    async def count_budgets(self, caller: Caller, where: OwnerFilter, use: CapUse | None) -> int:
        _check(caller, where)
        async with self._store.read() as tx:
            return await tx.overview.count_budgets(where, use, self._moment())

    async def limits(self, caller: Caller, where: OwnerFilter, page: PageRequest) -> Page[LimitOwner]:
        """By name."""
        _check(caller, where)
        async with self._store.read() as tx:
            return await tx.overview.page_limits(where, self._clock.now(), page)

    async def count_limits(self, caller: Caller, where: OwnerFilter) -> int:
        _check(caller, where)
        async with self._store.read() as tx:
            return await tx.overview.count_limits(where, self._clock.now())

    async def uses(self, caller: Caller, subjects: Sequence[Subject]) -> list[SubjectUse | None]:
        """What is in use now; None for groups, which count each member's own."""
        caller.require_admin(TokenScope.READ)
        return [
            None if subject.kind is SubjectKind.GROUP else await self._policy.use_of(subject, limited=True)
            for subject in subjects
        ]

    def _moment(self) -> Moment:
        now = self._clock.now()
        return Moment(now, {window: period.key for window, period in self._periods.at(now).items()})


def _check(caller: Caller, where: OwnerFilter) -> None:
    caller.require_admin(TokenScope.READ)
    if where.kind is SubjectKind.KEY:
        raise InvalidInput("kind", "must be USER, GROUP or POOL; what keys may use stands with their owners")
