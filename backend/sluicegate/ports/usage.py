"""Where calls are written down, and how what was used is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from sluicegate.domain.policy import Subject, Window
from sluicegate.domain.usage import CallCourse, CallFacts, CallRecord, Outcome, RefusalSpot
from sluicegate.ports.pages import Page, PageRequest


class Grain(StrEnum):
    """How long the spans are that roll-ups sum over."""

    FIVE_MINUTES = "5min"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


# Beside the grains: what sessions used, by days.
SESSION = "session"


class UsageSink(Protocol):
    """The journal: durable against the death of the process when either call returns."""

    def open(self, facts: CallFacts, course: CallCourse) -> None:
        """Before the provider is called: with estimates, which count if the process dies.

        Raises OSError when it cannot be kept, and then the call must not go on."""
        ...

    def settle(self, facts: CallFacts, course: CallCourse) -> None:
        """Before the last byte goes to the caller: as it turned out."""
        ...

    def discard(self, call_id: str) -> None:
        """The call never reached a provider and is no call after all."""
        ...


class UsageWriter(Protocol):
    """Moves settled records into ledger, roll-ups and budget totals. Blocking: runs in a thread. All raise Unavailable
    while the database is away."""

    def write(self, records: Sequence[CallRecord]) -> None:
        """One transaction; a record whose call id is already there changes nothing."""
        ...

    def spent(
        self, subject: Subject, periods: dict[Window, str], calls: Sequence[str] = ()
    ) -> tuple[dict[Window, int], set[str]]:
        """Nano-dollars in the given periods, and those of the calls that are in the ledger at the same instant."""
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


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Every field that is given has to match; `since` is included, `until` is not. `key` and `provider` are an id, or
    the name at the time of the call in upper or lower case."""

    user_id: str | None = None
    model_slug: str | None = None
    outcome: Outcome | None = None
    status: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    key: str | None = None
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderDay:
    """What calls that began on a UTC day used of one model of a provider; `estimated` of them had no usage reported."""

    day: date
    provider_model: str
    requests: int
    estimated: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    cost_nanos: int


class UsageReader(Protocol):
    async def totals(self, scope: UsageScope) -> UsageTotals: ...
    async def by_interval(self, scope: UsageScope, grain: Grain) -> dict[datetime, UsageTotals]:
        """By where the interval begins, counted from local midnight; those without calls are absent."""
        ...

    async def breakdown(
        self, scope: UsageScope, by: str, first: int | None, order: str = "cost_nanos"
    ) -> list[tuple[str, str, UsageTotals]]:
        """(key, newest label, totals) of the `first` greatest by a field of the totals or `tokens`; `by` is user,
        group, model, provider, key, client_app, project or session.

        By group, a call counts in each of the groups that its user was in at the time, or under an empty key."""
        ...

    async def refusals(self, scope: UsageScope) -> dict[str, int]:
        """How many calls were refused, by reason; those for which there were none are absent."""
        ...

    async def calls(self, where: CallFilter, page: PageRequest) -> Page[CallRecord]:
        """Newest first."""
        ...

    async def provider_days(self, provider_id: str, since: datetime, until: datetime) -> list[ProviderDay]:
        """From the ledger, for as far back as it goes, from midnight to midnight UTC; `until` is not included."""
        ...


class RefusalRepository(Protocol):
    async def add(self, counts: Mapping[RefusalSpot, int]) -> None:
        """So many refused calls more for each."""
        ...


class Rollups(Protocol):
    """Sums of the ledger. `kept_from` holds per grain (and for `SESSION`) the instant in milliseconds before which
    nothing is kept; what is absent is kept for ever. Any of these may be cut off and run again, by several at once."""

    async def fold(self, kept_from: Mapping[str, int]) -> int:
        """Adds what was written since to the sums; gives the number of rows that were."""
        ...

    async def current(self) -> bool:
        """Whether sums are there at all, and by days of the present time zone."""
        ...

    async def complete(self) -> None:
        """Makes sums that an older release did not keep, from those that it did; at once when they are there."""
        ...

    async def rebuild(self, kept_from: Mapping[str, int]) -> int:
        """Makes the sums anew from all calls that the ledger has; gives their number. No call is written meanwhile."""
        ...

    async def forget_calls(self, before_ms: int) -> int:
        """From the ledger; must be the beginning of a month."""
        ...

    async def forget(self, grain: str, before_ms: int) -> int: ...
    async def forget_sessions(self, before_ms: int) -> int: ...

    async def forget_spend(self, before: Iterable[str]) -> int:
        """What was spent in periods before these, given by their keys, of each window by itself."""
        ...
