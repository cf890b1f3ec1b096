"""Where calls are written down, and how what was used is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sluicegate.domain.policy import Subject, Window
from sluicegate.domain.usage import CallRecord
from sluicegate.ports.store import Page, PageRequest


class UsageSink(Protocol):
    """The journal: durable against the death of the process when either call returns."""

    def open(self, record: CallRecord) -> None:
        """Before the provider is called: the record with estimates, which counts if the process dies.

        Raises OSError when it cannot be kept, and then the call must not go on."""
        ...

    def settle(self, record: CallRecord) -> None:
        """Before the last byte goes to the caller: the record as it turned out."""
        ...

    def discard(self, call_id: str) -> None:
        """The call never reached a provider and is no call after all."""
        ...


class UsageWriter(Protocol):
    """Moves settled records into ledger, roll-ups and budget totals. Blocking: runs in a thread."""

    def write(self, records: Sequence[CallRecord]) -> None:
        """One transaction; a record whose call id is already there changes nothing."""
        ...

    def spent(self, subject: Subject, periods: dict[Window, str]) -> dict[Window, int]:
        """Nano-dollars in the given periods."""
        ...

    def recent(self, subject: Subject, since_ms: int) -> Sequence[tuple[float, int, int]]:
        """As `PastUse.recent`."""
        ...


@dataclass(frozen=True, slots=True)
class UsageTotals:
    requests: int = 0
    errors: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    cost_nanos: int = 0


@dataclass(frozen=True, slots=True)
class UsageScope:
    """Whose usage, from `start` (included) to `end` (excluded), local midnights in UTC. All None: everyone's."""

    start: datetime
    end: datetime
    user_id: str | None = None
    group_id: str | None = None


class UsageReader(Protocol):
    async def totals(self, scope: UsageScope) -> UsageTotals: ...
    async def by_hour(self, scope: UsageScope) -> dict[datetime, UsageTotals]:
        """By where the hour begins, counted from local midnight; hours without calls are absent."""
        ...

    async def breakdown(self, scope: UsageScope, by: str, first: int) -> list[tuple[str, str, UsageTotals]]:
        """(key, newest label, totals) of the dearest; `by` is user, group, model, provider, key, client_app or project.

        By group, somebody's use counts in each of their present groups, or under an empty key when in none."""
        ...

    async def calls(self, user_id: str | None, page: PageRequest) -> Page[CallRecord]:
        """Newest first."""
        ...
