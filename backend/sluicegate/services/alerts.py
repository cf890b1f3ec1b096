"""Alerts as people see them: their own notices, and for administrators everything that was told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sluicegate.domain.alert import AdminAlerts, Alert, Notice
from sluicegate.domain.apikey import TokenScope
from sluicegate.kit.clock import Clock
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.alerts import AlertFilter
from sluicegate.ports.pages import Page, PageRequest
from sluicegate.ports.store import Store
from sluicegate.services.alert_watch import ADMIN_ALERTS
from sluicegate.services.caller import Caller

MAX_MARKED = 100
_REMEMBERED = timedelta(days=400)


class AlertService:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def page(self, caller: Caller, where: AlertFilter, page: PageRequest) -> Page[Alert]:
        """Newest first."""
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.alerts.page(where, page)

    async def count(self, caller: Caller, where: AlertFilter) -> int:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.alerts.count(where)

    async def notices(self, caller: Caller, unread: bool, page: PageRequest) -> Page[Notice]:
        """The caller's own, newest first."""
        caller.require_scope(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.alerts.notices(caller.user.id, unread, page)

    async def count_notices(self, caller: Caller, unread: bool) -> int:
        caller.require_scope(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.alerts.count_notices(caller.user.id, unread)

    async def mark_read(self, caller: Caller, alert_ids: Sequence[str] | None) -> int:
        """The caller's own, all of them for None; gives how many are left unread."""
        caller.require_scope(TokenScope.USERS)
        if alert_ids is not None and len(alert_ids) > MAX_MARKED:
            raise InvalidInput("ids", f"takes at most {MAX_MARKED}; leave it out for all")
        async with self._store.write() as tx:
            await tx.alerts.mark_read(caller.user.id, alert_ids, self._clock.now())
            return await tx.alerts.count_notices(caller.user.id, unread=True)

    async def admin_alerts(self, caller: Caller) -> AdminAlerts:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return AdminAlerts(await tx.switches.get(ADMIN_ALERTS) or AdminAlerts.SHARED)

    async def set_admin_alerts(self, caller: Caller, wanted: AdminAlerts) -> AdminAlerts:
        caller.require_admin(TokenScope.SETTINGS)
        async with self._store.write() as tx:
            before = AdminAlerts(await tx.switches.get(ADMIN_ALERTS) or AdminAlerts.SHARED)
            if before is not wanted:
                await tx.switches.set(ADMIN_ALERTS, wanted.value)
                states = {"admins": before.value}, {"admins": wanted.value}
                await tx.audit.record(caller.actor, "alerts.admins", "alerts", "admins", "Alerts", *states)
        return wanted

    async def tidy(self) -> None:
        """Forgets what is long over."""
        async with self._store.write() as tx:
            await tx.alerts.remove(self._clock.now() - _REMEMBERED)
