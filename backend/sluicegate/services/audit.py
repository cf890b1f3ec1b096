"""Who changed what."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.audit import AuditEvent
from sluicegate.kit.errors import InvalidInput
from sluicegate.ports.pages import AuditFilter, Page, PageRequest
from sluicegate.ports.store import Store
from sluicegate.services.caller import Caller

_EXPORT_PAGE = 500


class AuditService:
    """For administrators."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, caller: Caller, where: AuditFilter, page: PageRequest) -> Page[AuditEvent]:
        """Newest first."""
        self.check(caller, where)
        async with self._store.read() as tx:
            return await tx.audit.page(where, page)

    async def count(self, caller: Caller, where: AuditFilter) -> int:
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.audit.count(where)

    async def actions(self, caller: Caller) -> list[str]:
        """Those that occur."""
        caller.require_admin(TokenScope.READ)
        async with self._store.read() as tx:
            return await tx.audit.actions()

    def check(self, caller: Caller, where: AuditFilter) -> None:
        """Raises what `page` and `export` would."""
        caller.require_admin(TokenScope.READ)
        if where.since is not None and where.until is not None and where.since >= where.until:
            raise InvalidInput("to", "must lie after `from`")

    async def export(self, caller: Caller, where: AuditFilter) -> AsyncIterator[Sequence[AuditEvent]]:
        """All that match, newest first, a batch at a time; the next one is read when it is asked for."""
        self.check(caller, where)
        after: str | None = None
        while True:
            async with self._store.read() as tx:
                page = await tx.audit.page(where, PageRequest(_EXPORT_PAGE, after))
            yield [event for event, _ in page.items]
            if not page.has_next:
                return
            after = page.items[-1][1]
