"""What caps users, keys and pools, as those who look at what was spent of them need it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sluicegate.domain.alert import Alert
from sluicegate.domain.policy import Budget, Subject, SubjectKind, Window
from sluicegate.kit.ids import new_id
from sluicegate.kit.money import Nanos
from sluicegate.policy.effective import effective_caps
from sluicegate.policy.windows import Period
from sluicegate.ports.alerts import Spend
from sluicegate.ports.policy import UserRows
from sluicegate.ports.store import Transaction

# Of so many people caps are merged before others get their turn: some milliseconds.
_TURN = 20


class Cap:
    """What caps a subject in one window, with who set it."""

    def __init__(
        self,
        label: str,
        user_id: str | None,
        amount: Nanos,
        thresholds: tuple[int, ...],
        set_by: Subject,
        set_by_label: str,
    ) -> None:
        self.amount = amount
        self.thresholds = thresholds
        self._label = label
        self._user_id = user_id
        self._set_by = set_by
        self._set_by_label = set_by_label

    def alert(self, spend: Spend, period: Period, threshold: int, now: datetime) -> Alert:
        return Alert(
            id=new_id(),
            subject=spend.subject,
            subject_label=self._label,
            user_id=self._user_id,
            window=period.window,
            period=period.key,
            threshold=threshold,
            cap=self.amount,
            spent=Nanos(spend.spent),
            set_by=self._set_by,
            set_by_label=self._set_by_label,
            at=now,
            resets_at=period.end,
        )


Caps = dict[tuple[Subject, Window], Cap]


async def caps_of(tx: Transaction, subjects: Iterable[Subject], now: datetime) -> Caps:
    """The caps in force of all that has one; whoever is gone has none."""
    ids: dict[SubjectKind, list[str]] = {kind: [] for kind in SubjectKind}
    for subject in subjects:
        ids[subject.kind].append(subject.id)
    caps: Caps = {}
    if users := ids[SubjectKind.USER]:
        caps |= await _user_caps(tx, users, now)
    if keys := ids[SubjectKind.KEY]:
        caps |= await _key_caps(tx, keys)
    if pools := ids[SubjectKind.POOL]:
        caps |= await _pool_caps(tx, pools)
    return caps


async def _user_caps(tx: Transaction, ids: Sequence[str], now: datetime) -> Caps:
    """As admission has them: merged with those of groups, with what overrides say."""
    users, groups, overrides = (
        await tx.users.get_many(ids),
        await tx.groups.groups_of(ids),
        await tx.overrides.of_users(ids),
    )
    sources = {Subject(SubjectKind.GROUP, group.id) for of in groups.values() for group in of}
    budgets = await tx.policy.budgets([*sources, *(Subject(SubjectKind.USER, user_id) for user_id in ids)])
    caps: Caps = {}
    for place, user in enumerate(users.values()):
        if place % _TURN == 0:
            await asyncio.sleep(0)
        own = Subject(SubjectKind.USER, user.id)
        rows = UserRows(user, groups.get(user.id, []), [], {}, budgets, overrides.get(user.id, []))
        policy = effective_caps(rows, now)
        for window, merged in policy.budgets.items():
            source = policy.source_of(merged)
            if merged.value is None or source is None:
                continue
            thresholds, amount = policy.alert_thresholds[window], Nanos(merged.value)
            caps[own, window] = Cap(user.label, user.id, amount, thresholds, source.subject, source.name)
    return caps


async def _key_caps(tx: Transaction, ids: Sequence[str]) -> Caps:
    subjects = [Subject(SubjectKind.KEY, key_id) for key_id in ids]
    budgets = await tx.policy.budgets(subjects)
    keys = await tx.keys.get_many([subject.id for subject in budgets])
    return {
        place: cap
        for subject, budget in budgets.items()
        if (key := keys.get(subject.id)) is not None
        for place, cap in _own_caps(subject, budget, key.name or key.prefix, key.user_id)
    }


async def _pool_caps(tx: Transaction, ids: Sequence[str]) -> Caps:
    budgets = await tx.policy.budgets([Subject(SubjectKind.POOL, group_id) for group_id in ids])
    groups = await tx.groups.get_many([subject.id for subject in budgets])
    return {
        place: cap
        for subject, budget in budgets.items()
        if (group := groups.get(subject.id)) is not None
        for place, cap in _own_caps(subject, budget, group.name, None)
    }


def _own_caps(
    subject: Subject, budget: Budget, label: str, user_id: str | None
) -> Iterator[tuple[tuple[Subject, Window], Cap]]:
    for window in Window:
        amount = budget.get(window)
        if amount is not None:
            yield (subject, window), Cap(label, user_id, amount, budget.alert_thresholds, subject, label)
