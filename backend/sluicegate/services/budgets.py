"""How much money somebody may spend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import Budget, Subject, check_cap, check_thresholds
from sluicegate.domain.version import Edited
from sluicegate.kit.money import format_usd
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.caller import Caller
from sluicegate.services.subjects import record_setting, require_visible, subject_label
from sluicegate.services.versions import hold

_FIELDS = {"day": "daily", "week": "weekly", "month": "monthly"}


def checked_budget(budget: Budget, at: str = "") -> Budget:
    """With ascending thresholds; raises InvalidInput for a value that cannot be. `at` is where they stand in the
    input."""
    for name, field in _FIELDS.items():
        check_cap(getattr(budget, name), at + field)
    thresholds = check_thresholds(list(budget.alert_thresholds), f"{at}alertThresholds")
    return Budget(budget.day, budget.week, budget.month, thresholds)


def shown_budget(budget: Budget) -> dict[str, Any]:
    """The audit log is read by people: dollars, not nano-dollars."""
    caps = {field: getattr(budget, name) for name, field in _FIELDS.items()}
    shown = {field: None if cap is None else format_usd(cap) for field, cap in caps.items()}
    return shown | {"alert_thresholds": list(budget.alert_thresholds)}


class BudgetService:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, caller: Caller, subjects: Sequence[Subject]) -> dict[Subject, Budget]:
        """Every subject's own values."""
        require_visible(caller, subjects)
        async with self._store.read() as tx:
            found = await tx.policy.budgets(subjects)
        return {subject: found.get(subject, Budget()) for subject in subjects}

    async def set(
        self, caller: Caller, subject: Subject, budget: Budget, expected_version: int | None = None
    ) -> Budget:
        """Replaces caps and thresholds; raises StaleVersion unless they are at the expected version, where one is
        given."""
        caller.require_admin(TokenScope.POLICY)
        budget = checked_budget(budget)
        async with self._store.write() as tx:
            await set_budget(tx, caller, subject, budget, expected_version)
        return budget


async def set_budget(
    tx: Transaction, caller: Caller, subject: Subject, budget: Budget, expected_version: int | None = None
) -> None:
    """Of values that were checked."""
    await hold(tx, thing := Edited.budget_of(subject), expected_version)
    label = await subject_label(tx, subject)
    before = (await tx.policy.budgets([subject])).get(subject, Budget())
    if before != budget:
        await tx.versions.step(thing)
        await tx.policy.set_budget(subject, budget)
        await record_setting(tx, caller, subject, "budget", label, shown_budget(before), shown_budget(budget))
