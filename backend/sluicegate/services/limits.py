"""How fast somebody may call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.policy import RateLimits, Subject, check_limit
from sluicegate.domain.version import Edited
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.caller import Caller
from sluicegate.services.subjects import record_setting, require_visible, subject_label
from sluicegate.services.versions import hold

_FIELDS = {
    "requests": "requestsPerMinute",
    "input_tokens": "inputTokensPerMinute",
    "output_tokens": "outputTokensPerMinute",
    "concurrent_requests": "concurrentRequests",
}


def checked_limits(limits: RateLimits, at: str = "") -> RateLimits:
    """Raises InvalidInput for a value that cannot be; `at` is where the four stand in the input."""
    for name, field in _FIELDS.items():
        check_limit(getattr(limits, name), at + field)
    return limits


class LimitService:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, caller: Caller, subjects: Sequence[Subject]) -> dict[Subject, RateLimits]:
        """Every subject's own values."""
        require_visible(caller, subjects)
        async with self._store.read() as tx:
            found = await tx.policy.rate_limits(subjects)
        return {subject: found.get(subject, RateLimits()) for subject in subjects}

    async def set(
        self, caller: Caller, subject: Subject, limits: RateLimits, expected_version: int | None = None
    ) -> RateLimits:
        """Replaces all four values; raises StaleVersion unless they are at the expected version, where one is given."""
        caller.require_admin(TokenScope.POLICY)
        checked_limits(limits)
        async with self._store.write() as tx:
            await set_limits(tx, caller, subject, limits, expected_version)
        return limits


async def set_limits(
    tx: Transaction, caller: Caller, subject: Subject, limits: RateLimits, expected_version: int | None = None
) -> None:
    """Of values that were checked."""
    await hold(tx, thing := Edited.limits_of(subject), expected_version)
    label = await subject_label(tx, subject)
    before = (await tx.policy.rate_limits([subject])).get(subject, RateLimits())
    if before != limits:
        await tx.versions.step(thing)
        await tx.policy.set_rate_limits(subject, limits)
        await record_setting(tx, caller, subject, "rate_limit", label, asdict(before), asdict(limits))
