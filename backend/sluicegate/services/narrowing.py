"""What a key may use less than its owner: some of the models, limits and caps of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sluicegate.domain.apikey import ApiKey
from sluicegate.domain.policy import NO_BUDGET, NO_LIMITS, Budget, RateLimits, Subject, SubjectKind
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.store import Transaction
from sluicegate.services.absent import ABSENT, Absent
from sluicegate.services.budgets import checked_budget, shown_budget
from sluicegate.services.limits import checked_limits

MAX_MODELS = 100


@dataclass(frozen=True, slots=True)
class KeyChange:
    """No models at all means all of the owner's."""

    name: str | Absent = ABSENT
    expires_at: datetime | Absent | None = ABSENT
    model_ids: tuple[str, ...] | Absent | None = ABSENT
    limits: RateLimits | Absent = ABSENT
    budget: Budget | Absent = ABSENT


@dataclass(frozen=True, slots=True)
class Narrowing:
    """`model_ids` None: all that the owner may call, as it changes."""

    model_ids: tuple[str, ...] | None = None
    limits: RateLimits = NO_LIMITS
    budget: Budget = NO_BUDGET

    def checked(self) -> Narrowing:
        """With sorted, distinct models; raises InvalidInput."""
        models = None if self.model_ids is None else tuple(sorted(set(self.model_ids)))
        if models is not None and len(models) > MAX_MODELS:
            raise InvalidInput("modelIds", f"takes at most {MAX_MODELS} models")
        if models == ():
            raise InvalidInput("modelIds", "must name at least one model; leave it empty for all that you may call")
        return Narrowing(models, checked_limits(self.limits, "rateLimit."), checked_budget(self.budget, "budget."))

    def changed(self, change: KeyChange) -> Narrowing:
        return Narrowing(
            self.model_ids if change.model_ids is ABSENT else change.model_ids,
            self.limits if change.limits is ABSENT else change.limits,
            self.budget if change.budget is ABSENT else change.budget,
        )


WHOLE = Narrowing()


def _subject(key_id: str) -> Subject:
    return Subject(SubjectKind.KEY, key_id)


async def narrowings_of(tx: Transaction, keys: Sequence[ApiKey]) -> dict[str, Narrowing]:
    """By key id."""
    subjects = [_subject(key.id) for key in keys]
    limits, budgets = await tx.policy.rate_limits(subjects), await tx.policy.budgets(subjects)
    return {
        key.id: Narrowing(key.model_ids, limits.get(subject, NO_LIMITS), budgets.get(subject, NO_BUDGET))
        for key, subject in zip(keys, subjects, strict=True)
    }


async def set_narrowing(tx: Transaction, key_id: str, narrowing: Narrowing) -> None:
    """Limits and caps; the models are columns of the key."""
    await tx.policy.set_rate_limits(_subject(key_id), narrowing.limits)
    await tx.policy.set_budget(_subject(key_id), narrowing.budget)


async def require_granted(tx: Transaction, user_id: str, model_ids: Sequence[str]) -> None:
    """Raises InvalidInput for models that the user may not call: nobody should learn which others there are."""
    if not model_ids:
        return
    groups = (await tx.groups.groups_of([user_id]))[user_id]
    holders = [Subject(SubjectKind.USER, user_id), *(Subject(SubjectKind.GROUP, group.id) for group in groups)]
    granted = {grant.model_id for grant in await tx.policy.grants_of(holders)}
    if not granted.issuperset(model_ids):
        raise InvalidInput("modelIds", "may only name models that the owner of the key may call")


async def shown_key(tx: Transaction, key: ApiKey, narrowing: Narrowing) -> dict[str, Any]:
    """For the audit log, which is read by people."""
    models = await tx.catalog.models(narrowing.model_ids or ())
    return {
        "name": key.name,
        "expires_at": key.expires_at,
        "models": None if narrowing.model_ids is None else sorted(model.slug for model in models.values()),
        **asdict(narrowing.limits),
        **shown_budget(narrowing.budget),
    }
