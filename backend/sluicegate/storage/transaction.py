"""The repositories of one transaction."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sqlalchemy import insert, text

from sluicegate.domain.policy import PolicyChange
from sluicegate.kit.clock import Clock
from sluicegate.storage.connections import AsyncConnection
from sluicegate.storage.repositories.alerts import SqlAlertRepository
from sluicegate.storage.repositories.audit import SqlAuditRepository
from sluicegate.storage.repositories.catalog import SqlCatalogRepository
from sluicegate.storage.repositories.credentials import SqlKeyRepository, SqlTokenRepository
from sluicegate.storage.repositories.groups import SqlGroupRepository
from sluicegate.storage.repositories.jobs import SqlJobRepository
from sluicegate.storage.repositories.links import SqlLinkRepository
from sluicegate.storage.repositories.mail import SqlMailRepository
from sluicegate.storage.repositories.overrides import SqlOverrideRepository
from sluicegate.storage.repositories.policy import SqlPolicyRepository
from sluicegate.storage.repositories.price_lists import SqlPriceListRepository
from sluicegate.storage.repositories.refusals import SqlRefusalRepository
from sluicegate.storage.repositories.secret_rules import SqlSecretRuleRepository
from sluicegate.storage.repositories.sessions import SqlSessionRepository
from sluicegate.storage.repositories.switches import SqlSwitchRepository
from sluicegate.storage.repositories.users import SqlUserRepository
from sluicegate.storage.repositories.webhooks import SqlWebhookRepository
from sluicegate.storage.tables.policy import CHANGES

if TYPE_CHECKING:
    from sluicegate.storage.repositories.device import SqlDeviceRepository
    from sluicegate.storage.repositories.overview import SqlOverviewRepository
    from sluicegate.storage.repositories.scim import SqlScimRepository
    from sluicegate.storage.repositories.sealed import SqlSealedRepository
    from sluicegate.storage.repositories.sso import SqlSsoRepository
    from sluicegate.storage.repositories.versions import SqlVersionRepository

# Where other processes are told that there are changes.
CHANGES_CHANNEL = "sluicegate_policy"
# Any number will do, so long as nothing else in the database takes the same advisory lock.
_CHANGES_KEY = 0x51_1C_E6_A7_E2
# The loop is kept from calls for as long as it takes to write down so many.
_ROWS_AT_ONCE = 500
_FOR_PEOPLE = ("device", "overview", "scim", "sso", "versions")


def load_all() -> None:
    """Loads what neither calls nor jobs ask a transaction for, for those who will."""
    for name in _FOR_PEOPLE:
        import_module(f"sluicegate.storage.repositories.{name}")


class SqlTransaction:
    """The repositories over one connection, each made when it is asked for: they hold nothing of their own, and few are
    asked for at once."""

    def __init__(self, connection: AsyncConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        # In their order, each once: there may be as many as a group has members.
        self.changes: dict[PolicyChange, None] = {}

    @property
    def users(self) -> SqlUserRepository:
        return SqlUserRepository(self._connection)

    @property
    def links(self) -> SqlLinkRepository:
        return SqlLinkRepository(self._connection)

    @property
    def sessions(self) -> SqlSessionRepository:
        return SqlSessionRepository(self._connection)

    @property
    def groups(self) -> SqlGroupRepository:
        return SqlGroupRepository(self._connection)

    @property
    def policy(self) -> SqlPolicyRepository:
        return SqlPolicyRepository(self._connection)

    @property
    def overrides(self) -> SqlOverrideRepository:
        return SqlOverrideRepository(self._connection)

    @property
    def secret_rules(self) -> SqlSecretRuleRepository:
        return SqlSecretRuleRepository(self._connection)

    @property
    def keys(self) -> SqlKeyRepository:
        return SqlKeyRepository(self._connection)

    @property
    def tokens(self) -> SqlTokenRepository:
        return SqlTokenRepository(self._connection)

    @property
    def catalog(self) -> SqlCatalogRepository:
        return SqlCatalogRepository(self._connection, self._clock)

    @property
    def prices(self) -> SqlPriceListRepository:
        return SqlPriceListRepository(self._connection)

    @property
    def audit(self) -> SqlAuditRepository:
        return SqlAuditRepository(self._connection, self._clock)

    @property
    def jobs(self) -> SqlJobRepository:
        return SqlJobRepository(self._connection)

    @property
    def mail(self) -> SqlMailRepository:
        return SqlMailRepository(self._connection, self._clock)

    @property
    def switches(self) -> SqlSwitchRepository:
        return SqlSwitchRepository(self._connection)

    @property
    def alerts(self) -> SqlAlertRepository:
        return SqlAlertRepository(self._connection)

    @property
    def refusals(self) -> SqlRefusalRepository:
        return SqlRefusalRepository(self._connection)

    @property
    def webhooks(self) -> SqlWebhookRepository:
        return SqlWebhookRepository(self._connection)

    @property
    def devices(self) -> SqlDeviceRepository:
        from sluicegate.storage.repositories.device import SqlDeviceRepository

        return SqlDeviceRepository(self._connection)

    @property
    def overview(self) -> SqlOverviewRepository:
        from sluicegate.storage.repositories.overview import SqlOverviewRepository

        return SqlOverviewRepository(self._connection)

    @property
    def scim(self) -> SqlScimRepository:
        from sluicegate.storage.repositories.scim import SqlScimRepository

        return SqlScimRepository(self._connection)

    @property
    def sealed(self) -> SqlSealedRepository:
        from sluicegate.storage.repositories.sealed import SqlSealedRepository

        return SqlSealedRepository(self._connection)

    @property
    def sso(self) -> SqlSsoRepository:
        from sluicegate.storage.repositories.sso import SqlSsoRepository

        return SqlSsoRepository(self._connection)

    @property
    def versions(self) -> SqlVersionRepository:
        from sluicegate.storage.repositories.versions import SqlVersionRepository

        return SqlVersionRepository(self._connection)

    def changed(self, *changes: PolicyChange) -> None:
        self.changes.update(dict.fromkeys(changes))

    async def number_changes(self) -> None:
        """Last of all, since on PostgreSQL nobody else can until this transaction has ended: numbers in the order of
        commits are what lets a process that knows one be sure of those before it."""
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHANGES_KEY})
            await self._connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANGES_CHANNEL})
        now = self._clock.now()
        rows = [{"at": now, "kind": change.kind, "subject_id": change.id} for change in self.changes]
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            await self._connection.execute(insert(CHANGES), rows[start : start + _ROWS_AT_ONCE])
