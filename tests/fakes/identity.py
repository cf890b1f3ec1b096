"""A database with today's schema, and the people in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import stacks
from sluicegate.adapters.vault import EnvelopeVault
from sluicegate.domain.policy import PolicyChange
from sluicegate.domain.user import Role, User, UserStatus
from sluicegate.kit.clock import ManualClock
from sluicegate.kit.ids import new_id
from sluicegate.ports.mail import Mailer
from sluicegate.services.auth import actor_of
from sluicegate.services.caller import Caller
from sluicegate.services.invitations import InvitationService
from sluicegate.services.mail import MailService
from sluicegate.services.passwords import Passwords
from sluicegate.services.recovery import RecoveryService
from sluicegate.storage.engine import SqlStore, database_url, make_engine

SITE_URL = "https://ai.example.com"


@dataclass
class RecordingFeed:
    """Keeps what was published."""

    published: list[PolicyChange] = field(default_factory=list)

    def subscribe(self, listener: object) -> None:
        """Nobody is told."""

    async def publish(self, changes: Sequence[PolicyChange]) -> None:
        self.published += changes


@dataclass
class Site:
    """One deployment's store, with its clock and what it told the other processes."""

    store: SqlStore
    clock: ManualClock
    feed: RecordingFeed

    async def person(self, email: str, role: Role = Role.MEMBER, status: UserStatus = UserStatus.ACTIVE) -> Caller:
        user = User(new_id(), email, email.split("@")[0].title(), role, status, self.clock.now())
        async with self.store.write() as tx:
            await tx.users.add(user)
        return Caller(user, actor_of(user))

    def mail(self, mailer: Mailer | None = None) -> MailService:
        """Without a mailer as in a deployment that has no mail server. Nobody delivers unless told to."""
        return MailService(
            self.store,
            EnvelopeVault(b"k" * 32),
            self.clock,
            mailer,
            lambda: None,
            site=lambda: SITE_URL,
            zone=ZoneInfo("UTC"),
        )

    def invitations(self, mailer: Mailer | None = None) -> InvitationService:
        return InvitationService(self.store, self.clock, lambda: SITE_URL, self.mail(mailer))

    def recovery(self, mailer: Mailer | None = None) -> RecoveryService:
        return RecoveryService(self.store, self.clock, lambda: SITE_URL, self.mail(mailer), Passwords())


@asynccontextmanager
async def new_site(folder: Path) -> AsyncIterator[Site]:
    """One at a time; its database may be in the folder."""
    async with site_at(stacks.current().empty(folder)) as site:
        yield site


@asynccontextmanager
async def site_at(url: str) -> AsyncIterator[Site]:
    """On a database with today's schema and no rows."""
    clock, feed = ManualClock(datetime(2026, 11, 24, 9, tzinfo=UTC)), RecordingFeed()
    store = SqlStore(make_engine(database_url(url)), feed, clock)
    try:
        yield Site(store, clock, feed)
    finally:
        await store.aclose()
