"""What somebody may do after everything is merged: the gateway's own decision, shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sluicegate.domain.apikey import ApiKey, TokenScope
from sluicegate.domain.forecast import cap_reached_at
from sluicegate.domain.policy import Budget, RateLimits, Subject, SubjectKind, Window
from sluicegate.kit.clock import Clock
from sluicegate.policy.compile import CompiledModel
from sluicegate.policy.effective import EffectivePolicy
from sluicegate.policy.explain import Explanation
from sluicegate.policy.service import PolicyService
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import SubjectUse
from sluicegate.services.caller import Caller


class EffectiveService:
    """Members ask about themselves, administrators about anyone."""

    def __init__(self, policy: PolicyService, periods: PeriodClock, clock: Clock) -> None:
        self._policy = policy
        self._periods = periods
        self._clock = clock

    async def effective(
        self, caller: Caller, user_ids: Sequence[str]
    ) -> dict[str, tuple[EffectivePolicy, dict[Subject, SubjectUse]]]:
        """With what is used now, by the user and by each pool; without those who are not there."""
        for user_id in user_ids:
            caller.require_self_or_admin(user_id, TokenScope.READ)
        return await self._policy.effective(user_ids)

    async def pool_use(self, caller: Caller, group_id: str, limits: RateLimits, budget: Budget) -> SubjectUse:
        """What all members together use now, of what the pool sets."""
        caller.require_admin(TokenScope.READ)
        limited = not (limits.empty and budget.empty)
        return await self._policy.use_of(Subject(SubjectKind.POOL, group_id), limited=limited)

    async def key_use(self, caller: Caller, key: ApiKey, limits: RateLimits, budget: Budget) -> SubjectUse:
        """What was used through a key, of what is set on it."""
        caller.require_self_or_admin(key.user_id, TokenScope.READ)
        limited = not (limits.empty and budget.empty)
        return await self._policy.use_of(Subject(SubjectKind.KEY, key.id), limited=limited)

    def resets(self) -> Mapping[Window, datetime]:
        """When each budget window ends that is running now."""
        return {window: period.end for window, period in self._periods.at(self._clock.now()).items()}

    def reached_at(self, window: Window, spent: int, cap: int | None) -> datetime | None:
        """When a cap is reached at the pace of the window that runs now; see `domain.forecast`."""
        now = self._clock.now()
        period = self._periods.at(now)[window]
        return cap_reached_at(spent, cap, period.start, now, period.end)

    async def explain(self, caller: Caller, user_id: str, slug: str, key_id: str | None = None) -> Explanation:
        """With the key where one is given."""
        caller.require_self_or_admin(user_id, TokenScope.READ)
        return await self._policy.explain(user_id, slug, key_id)

    async def available(self, caller: Caller) -> list[CompiledModel]:
        """The models that the caller may call."""
        caller.require_scope(TokenScope.READ)
        return await self._policy.models_of_user(caller.user.id)
