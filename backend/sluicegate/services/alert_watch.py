"""Looks at what was settled, and tells of every threshold that was reached: once, whoever looks how often.

A threshold is told once for each subject, period and amount of the cap. The row that says so is unique in the database
and comes with letters, notices and posts to webhooks in one transaction, so that neither a second process nor a restart
can tell it again, and nothing is told by halves. Jumping over several thresholds tells the highest. When a cap changes,
its thresholds count anew for the new amount; when it comes back to an amount that was told, they stay told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

from sluicegate.domain.alert import AdminAlerts, Alert, concerns_admins, threshold_reached
from sluicegate.domain.policy import Budget, Subject, SubjectKind, Window
from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.kit.clock import Clock
from sluicegate.kit.ids import new_id
from sluicegate.kit.money import Nanos
from sluicegate.policy.effective import effective_policy
from sluicegate.policy.windows import Period, period_of
from sluicegate.ports.alerts import Spend, Told
from sluicegate.ports.pages import PageRequest, UserFilter
from sluicegate.ports.policy import UserRows
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.alert_letters import alert_facts
from sluicegate.services.mail import MailService
from sluicegate.services.webhooks import WebhookService

ADMIN_ALERTS = "alerts.admins"
# What was spent up to the last moment of a period is settled a little later.
_GRACE = timedelta(minutes=10)
# A batch may be visible so much later than the time that it carries.
_OVERLAP_MS = 60_000
# So often everything is looked at: a raise may have run out, or a clock been wrong.
_WHOLE_SECONDS = 600.0
_AT_ONCE = 500
_LETTER_LIFE = timedelta(days=2)


class AlertWatch:
    """Any number of these may run at once. Reads budgets' own totals, so that no call ever waits for it."""

    def __init__(self, store: Store, clock: Clock, zone: tzinfo, mail: MailService, webhooks: WebhookService) -> None:
        self._store = store
        self._clock = clock
        self._zone = zone
        self._mail = mail
        self._webhooks = webhooks
        self._state: tuple[object, ...] = ()
        self._whole_at = 0.0
        self._mark = 0
        self._seen: dict[tuple[Subject, str], int] = {}

    async def look(self) -> None:
        """Tells what has to be told. Cut off or failed, it starts where it began."""
        now, instant = self._clock.now(), self._clock.monotonic()
        periods = {p.key: p for at in (now - _GRACE, now) for p in self._periods(at)}
        async with self._store.read() as tx:
            state = (await tx.alerts.policy_version(), *periods)
            whole = state != self._state or instant >= self._whole_at
            spends = await tx.alerts.spends(periods, 0 if whole else self._mark - _OVERLAP_MS)
            changed = spends if whole else await self._changed(spends)
            told = await tx.alerts.told(periods) if changed else {}
        count = 0
        for some in _chunks(changed):
            for alert in await self._alerts(some, periods, told, now):
                count += await self._tell(alert)
        if count:
            self._mail.nudge()
            self._webhooks.nudge()
        if whole:
            self._seen, self._whole_at, self._state = {}, instant + _WHOLE_SECONDS, state
        for some in _chunks(changed):
            self._seen.update(((s.subject, s.period), s.spent) for s in some)
            await asyncio.sleep(0)
        self._mark = max((s.changed_ms for s in spends), default=self._mark)

    async def _changed(self, spends: Sequence[Spend]) -> list[Spend]:
        found: list[Spend] = []
        for some in _chunks(spends):
            found += [s for s in some if self._seen.get((s.subject, s.period)) != s.spent]
            await asyncio.sleep(0)
        return found

    def _periods(self, at: datetime) -> Iterator[Period]:
        return (period_of(window, at, self._zone) for window in Window)

    async def _alerts(
        self, spends: Sequence[Spend], periods: Mapping[str, Period], told: Mapping[Told, int], now: datetime
    ) -> list[Alert]:
        async with self._store.read() as tx:
            caps = await _caps(tx, {s.subject for s in spends}, now)
        found: list[Alert] = []
        for spend in spends:
            period = periods[spend.period]
            cap = caps.get((spend.subject, period.window))
            if cap is None:
                continue
            threshold = threshold_reached(spend.spent, cap.amount, cap.thresholds)
            if threshold is None or threshold <= told.get(Told(spend.subject, spend.period, cap.amount), 0):
                continue
            found.append(cap.alert(spend, period, threshold, now))
        return found

    async def _tell(self, alert: Alert) -> bool:
        """One transaction for each alert: two who tell the same ones wait for each other once at most."""
        async with self._store.write() as tx:
            if not await tx.alerts.add(alert):
                return False
            people = await _recipients(tx, alert)
            await tx.alerts.notify(alert.id, [user.id for user in people])
            if self._mail.configured:
                expires_at = alert.at + _LETTER_LIFE
                for user in people:
                    facts = alert_facts(alert, user.id, self._zone)
                    await self._mail.queue_alert(tx, user, facts, expires_at)
            await self._webhooks.queue_alert(tx, alert)
        return True


class _Cap:
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


_Caps = dict[tuple[Subject, Window], _Cap]


async def _caps(tx: Transaction, subjects: Iterable[Subject], now: datetime) -> _Caps:
    """The caps in force of all that has one; whoever is gone has none."""
    ids: dict[SubjectKind, list[str]] = {kind: [] for kind in SubjectKind}
    for subject in subjects:
        ids[subject.kind].append(subject.id)
    users = await _user_caps(tx, ids[SubjectKind.USER], now)
    return users | await _key_caps(tx, ids[SubjectKind.KEY]) | await _pool_caps(tx, ids[SubjectKind.POOL])


async def _user_caps(tx: Transaction, ids: Sequence[str], now: datetime) -> _Caps:
    """As admission has them: merged with those of groups, with what overrides say."""
    users, groups, overrides = (
        await tx.users.get_many(ids),
        await tx.groups.groups_of(ids),
        await tx.overrides.of_users(ids),
    )
    sources = {Subject(SubjectKind.GROUP, group.id) for of in groups.values() for group in of}
    budgets = await tx.policy.budgets([*sources, *(Subject(SubjectKind.USER, user_id) for user_id in ids)])
    caps: _Caps = {}
    for user in users.values():
        own = Subject(SubjectKind.USER, user.id)
        policy = effective_policy(
            UserRows(user, groups.get(user.id, []), [], {}, budgets, overrides.get(user.id, [])), now
        )
        for window, merged in policy.budgets.items():
            source = policy.source_of(merged)
            if merged.value is None or source is None:
                continue
            thresholds, amount = policy.alert_thresholds[window], Nanos(merged.value)
            caps[own, window] = _Cap(user.label, user.id, amount, thresholds, source.subject, source.name)
    return caps


async def _key_caps(tx: Transaction, ids: Sequence[str]) -> _Caps:
    subjects = [Subject(SubjectKind.KEY, key_id) for key_id in ids]
    budgets = await tx.policy.budgets(subjects)
    keys = await tx.keys.get_many([subject.id for subject in budgets])
    return {
        place: cap
        for subject, budget in budgets.items()
        if (key := keys.get(subject.id)) is not None
        for place, cap in _own_caps(subject, budget, key.name or key.prefix, key.user_id)
    }


async def _pool_caps(tx: Transaction, ids: Sequence[str]) -> _Caps:
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
) -> Iterator[tuple[tuple[Subject, Window], _Cap]]:
    for window in Window:
        amount = budget.get(window)
        if amount is not None:
            yield (subject, window), _Cap(label, user_id, amount, budget.alert_thresholds, subject, label)


async def _recipients(tx: Transaction, alert: Alert) -> list[User]:
    """The person concerned first, then administrators, as far as they want to hear of it; nobody twice."""
    found: dict[str, User] = {}
    if alert.user_id is not None:
        user = await tx.users.get(alert.user_id)
        if user is not None and user.status is UserStatus.ACTIVE:
            found[user.id] = user
    wanted = AdminAlerts(await tx.switches.get(ADMIN_ALERTS) or AdminAlerts.SHARED)
    if concerns_admins(alert, wanted):
        found |= {admin.id: admin for admin in await _admins(tx) if admin.id not in found}
    return list(found.values())


async def _admins(tx: Transaction) -> list[User]:
    found: list[User] = []
    request = PageRequest(100)
    while True:
        page = await tx.users.page(UserFilter(role=Role.ADMIN, status=UserStatus.ACTIVE), "name_asc", request)
        found += [user for user, _ in page.items]
        if not page.has_next:
            return found
        request = PageRequest(100, page.items[-1][1])


def _chunks(items: Sequence[Spend]) -> Iterator[Sequence[Spend]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
