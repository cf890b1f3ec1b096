"""Looks at what was settled, and tells of every threshold that was reached: once, whoever looks how often.

A threshold is told once for each subject, period and amount of the cap. The row that says so is unique in the database
and comes with letters, notices and posts to webhooks in one transaction, so that neither a second process nor a restart
can tell it again, and nothing is told by halves. Jumping over several thresholds tells the highest. When a cap changes,
its thresholds count anew for the new amount; when it comes back to an amount that was told, they stay told.

A look goes only at those whose spending or whose caps may have changed since the last one, of which the database knows
how far it got. Once an hour, and where a clock went back, everybody is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

import msgspec

from sluicegate.domain.alert import AdminAlerts, Alert, concerns_admins, threshold_reached
from sluicegate.domain.policy import ChangeKind, PolicyChange, Subject, SubjectKind, Window
from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.kit.clock import Clock
from sluicegate.policy.windows import Period, period_of
from sluicegate.ports.alerts import Told
from sluicegate.ports.pages import PageRequest, UserFilter
from sluicegate.ports.store import Store, Transaction
from sluicegate.services.alert_caps import caps_of
from sluicegate.services.alert_letters import alert_facts
from sluicegate.services.mail import MailService
from sluicegate.services.webhooks import WebhookService

ADMIN_ALERTS = "alerts.admins"
PROGRESS = "alerts.progress"
# What was spent up to the last moment of a period is settled a little later.
_GRACE = timedelta(minutes=10)
# A transaction may be visible so much later than the time that it carries.
_OVERLAP = timedelta(seconds=60)
_EVERYBODY_AFTER = timedelta(hours=1)
# So many are asked about in one statement, and of so many that are near a threshold caps are merged together.
_AT_ONCE = 500
_NEAR_AT_ONCE = 50
_LETTER_LIFE = timedelta(days=2)


class Progress(msgspec.Struct, frozen=True):
    """How far those who looked got. `looked_at` is the server's time and `database_ms` the database's (milliseconds);
    `version` is the newest policy change then, and `everybody_at` when everybody was looked at."""

    looked_at: datetime
    database_ms: int
    version: int
    periods: tuple[str, ...]
    everybody_at: datetime


class AlertWatch:
    """Any number of these may run at once. Reads budgets' own totals, so that no call ever waits for it."""

    def __init__(self, store: Store, clock: Clock, zone: tzinfo, mail: MailService, webhooks: WebhookService) -> None:
        self._store = store
        self._clock = clock
        self._zone = zone
        self._mail = mail
        self._webhooks = webhooks
        # What is found again only because looks overlap.
        self._seen_spent: Mapping[Subject, int] = {}
        self._seen_changes: Collection[int] = ()

    async def look(self) -> None:
        """Tells what has to be told. Cut off or failed, it starts where it began."""
        now = self._clock.now()
        periods = {p.key: p for at in (now - _GRACE, now) for p in self._periods(at)}
        async with self._store.read() as tx:
            before = _decoded(await tx.switches.get(PROGRESS))
            # Before all else: what is written while this look lasts is found by the next.
            database_ms, version = await tx.alerts.moment()
            changes = {} if before is None else await tx.alerts.changes(before.version, before.looked_at - _OVERLAP)
        fresh = [change for seq, change in changes.items() if seq not in self._seen_changes]
        reached = Progress(now, database_ms, version, tuple(periods), now)
        spent: Mapping[Subject, int] = {}
        if before is None or _astray(before, reached) or PolicyChange(ChangeKind.EVERYTHING) in fresh:
            count = await self._look_at_everybody(periods, now)
        else:
            reached = msgspec.structs.replace(reached, everybody_at=before.everybody_at)
            spent = await self._spent_since(before, periods)
            subjects = {subject for subject, amount in spent.items() if self._seen_spent.get(subject) != amount}
            subjects |= await self._changed(fresh, before.looked_at, now)
            count = 0
            for some in _chunks(sorted(subjects, key=lambda subject: (subject.kind, subject.id)), _AT_ONCE):
                count += await self._look_at(some, periods, now)
        if count:
            self._mail.nudge()
            self._webhooks.nudge()
        async with self._store.write() as tx:
            await tx.switches.set(PROGRESS, msgspec.json.encode(reached).decode())
        self._seen_spent, self._seen_changes = spent, frozenset(changes)

    def _periods(self, at: datetime) -> Iterator[Period]:
        return (period_of(window, at, self._zone) for window in Window)

    async def _spent_since(self, before: Progress, periods: Mapping[str, Period]) -> dict[Subject, int]:
        """Who spent anything since then, with their totals. Of a period that was not looked at yet, all who did."""
        known = [key for key in periods if key in before.periods]
        new = [key for key in periods if key not in before.periods]
        since_ms = before.database_ms - round(_OVERLAP.total_seconds() * 1000)
        found: dict[Subject, int] = {}
        async with self._store.read() as tx:
            for keys, since in ((known, since_ms), (new, 0)):
                for subject, amount in (await tx.alerts.spent_since(keys, since)).items():
                    found[subject] = found.get(subject, 0) + amount
        return found

    async def _changed(self, changes: Iterable[PolicyChange], since: datetime, now: datetime) -> set[Subject]:
        """Whose caps may be others than they were."""
        found: set[Subject] = set()
        async with self._store.read() as tx:
            for user_id in await tx.overrides.users_with_ended(since, now):
                found.add(Subject(SubjectKind.USER, user_id))
            for change in set(changes):
                if change.kind is ChangeKind.GROUP:
                    found.add(Subject(SubjectKind.POOL, change.id))
                    found.update(
                        Subject(SubjectKind.USER, user_id) for user_id in await tx.groups.member_ids(change.id)
                    )
                elif change.kind in (ChangeKind.USER, ChangeKind.KEY):
                    found.add(Subject(SubjectKind(change.kind.value), change.id))
        return found

    async def _look_at_everybody(self, periods: Mapping[str, Period], now: datetime) -> int:
        count = 0
        for kind in (SubjectKind.USER, SubjectKind.KEY, SubjectKind.POOL):
            async for some in self._capped(kind):
                began = self._clock.monotonic()
                count += await self._look_at(some, periods, now)
                # Calls, which may have but one core with this, are to have half of it at least.
                await asyncio.sleep(self._clock.monotonic() - began)
        return count

    async def _capped(self, kind: SubjectKind) -> AsyncIterator[list[Subject]]:
        """All who may have a cap, some at a time."""
        after = ""
        while True:
            async with self._store.read() as tx:
                ids = await tx.alerts.capped(kind, after, _AT_ONCE)
            if not ids:
                return
            yield [Subject(kind, one) for one in ids]
            after = ids[-1]

    async def _look_at(self, subjects: Sequence[Subject], periods: Mapping[str, Period], now: datetime) -> int:
        """Tells what these have reached; gives how many alerts that made."""
        # Most are far from any threshold, which the database can tell without their policy.
        async with self._store.read() as tx:
            near = await tx.alerts.near(subjects, {key: period.window for key, period in periods.items()}, now)
        count = 0
        for some in _chunks(near, _NEAR_AT_ONCE):
            count += await self._look_closer(some, periods, now)
        return count

    async def _look_closer(self, subjects: Sequence[Subject], periods: Mapping[str, Period], now: datetime) -> int:
        async with self._store.read() as tx:
            caps = await caps_of(tx, subjects, now)
            capped = list({subject for subject, _ in caps})
            spends = await tx.alerts.spends(capped, periods) if capped else []
            found: list[Alert] = []
            for spend in spends:
                period = periods[spend.period]
                cap = caps.get((spend.subject, period.window))
                if cap is None:
                    continue
                threshold = threshold_reached(spend.spent, cap.amount, cap.thresholds)
                if threshold is not None:
                    found.append(cap.alert(spend, period, threshold, now))
            told = await tx.alerts.told([alert.subject for alert in found], periods) if found else {}
        count = 0
        for alert in found:
            if alert.threshold > told.get(Told(alert.subject, alert.period, alert.cap), 0):
                count += await self._tell(alert)
        return count

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


def _decoded(text: str | None) -> Progress | None:
    """None too for what another release wrote otherwise."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Progress)
    except msgspec.MsgspecError:
        return None


def _astray(before: Progress, now: Progress) -> bool:
    """Whether what changed since cannot be told by times, or everybody's turn has come."""
    back = _OVERLAP / 2
    return (
        now.looked_at >= before.everybody_at + _EVERYBODY_AFTER
        or now.looked_at < before.looked_at - back
        or now.database_ms < before.database_ms - round(back.total_seconds() * 1000)
        or now.version < before.version
    )


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


def _chunks(items: Sequence[Subject], most: int) -> Iterator[Sequence[Subject]]:
    return (items[start : start + most] for start in range(0, len(items), most))
