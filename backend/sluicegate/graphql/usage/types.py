"""Usage as the schema shows it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import strawberry

from sluicegate.domain.usage import CallRecord, Outcome
from sluicegate.graphql.catalog import loaders
from sluicegate.graphql.catalog.prices import Charges
from sluicegate.graphql.context import Info
from sluicegate.graphql.pagination import Edge, PageInfo
from sluicegate.graphql.scalars import BigInt, Usd
from sluicegate.ports import usage as ports
from sluicegate.services import leaderboard as places
from sluicegate.services import usage as service
from sluicegate.services.leaderboard import LeaderboardOrder, LeaderboardSpan
from sluicegate.services.usage import Interval, UsageDimension

strawberry.enum(Interval, name="UsageInterval", description="How far the points of a series lie apart.")
strawberry.enum(
    UsageDimension,
    name="UsageDimension",
    description="What usage may be broken down by; groups, those at the time, overlap.",
)


strawberry.enum(LeaderboardSpan, description="The last 7, 30 or 90 days with today, or all time.")
strawberry.enum(LeaderboardOrder, description="What people are ranked by.")
strawberry.enum(Outcome, name="CallOutcome", description="How a call ended.")


@strawberry.type(description="Sums.")
class UsageTotals:
    requests: BigInt = strawberry.field(description="Calls that were let through.")
    errors: BigInt = strawberry.field(description="Those that failed.")
    input_tokens: BigInt = strawberry.field(description="All input: fresh, cache reads and cache writes.")
    cache_read_tokens: BigInt = strawberry.field(description="Input that the provider had cached.")
    cache_write_tokens: BigInt = strawberry.field(description="Input that the provider was asked to cache.")
    output_tokens: BigInt = strawberry.field(description="Output, reasoning included.")
    cost: Usd = strawberry.field(description="What it cost.")

    @classmethod
    def of(cls, totals: ports.UsageTotals) -> UsageTotals:
        return cls(
            requests=BigInt(totals.requests),
            errors=BigInt(totals.errors),
            input_tokens=BigInt(totals.input_tokens),
            cache_read_tokens=BigInt(totals.cache_read_tokens),
            cache_write_tokens=BigInt(totals.cache_write_tokens),
            output_tokens=BigInt(totals.output_tokens),
            cost=Usd(totals.cost_nanos),
        )


@strawberry.type(description="Sums of one hour or day.")
class UsagePoint:
    start: datetime = strawberry.field(description="When the interval begins.")
    totals: UsageTotals = strawberry.field(description="What was used in it.")

    @classmethod
    def all_of(cls, series: service.Series) -> list[UsagePoint]:
        return [cls(start=start, totals=UsageTotals.of(totals)) for start, totals in series]


@strawberry.type(description="The share of one user, model or the like.")
class UsageSlice:
    key: str = strawberry.field(description="Its id, or its name where it has no id.")
    label: str = strawberry.field(description="Its latest name.")
    totals: UsageTotals = strawberry.field(description="What it used.")


By = Annotated[UsageDimension, strawberry.argument(description="What to break down by.")]
First = Annotated[int, strawberry.argument(description="At most so many, 1 to 100.")]


@strawberry.type(description="Calls that were refused for one reason.")
class RefusalCount:
    reason: str = strawberry.field(description="The code that callers got, like `budget_exceeded`.")
    calls: BigInt = strawberry.field(description="How many.")


@strawberry.type(description="What was used in a span of days.")
class UsageReport:
    totals: UsageTotals = strawberry.field(description="Everything in the span.")
    series: list[UsagePoint] = strawberry.field(description="One point per interval, empty ones included.")
    query: strawberry.Private[service.UsageQuery]

    @strawberry.field(description="The same span of time just before, for comparison.")
    async def previous(self, info: Info) -> UsageTotals:
        usage, caller = info.context.services.usage, info.context.require_caller()
        return UsageTotals.of(await usage.previous(caller, self.query))

    @strawberry.field(
        description="That span's points, to be laid under those of `series` one by one; a day on which clocks change "
        "has another number of hours. Null where its hours or minutes are not kept any more."
    )
    async def previous_series(self, info: Info) -> list[UsagePoint] | None:
        usage, caller = info.context.services.usage, info.context.require_caller()
        found = await usage.previous_series(caller, self.query)
        return None if found is None else UsagePoint.all_of(found)

    @strawberry.field(description="The most expensive first.")
    async def breakdown(self, info: Info, by: By, first: First = 20) -> list[UsageSlice]:
        usage, caller = info.context.services.usage, info.context.require_caller()
        found = await usage.breakdown(caller, self.query, by, first)
        return [UsageSlice(key=s.key, label=s.label, totals=UsageTotals.of(s.totals)) for s in found]

    @strawberry.field(
        description="Calls that were not let through, by whole days; the most frequent reason first. Those with a key "
        "that nobody has are in everyone's alone."
    )
    async def refusals(self, info: Info) -> list[RefusalCount]:
        usage, caller = info.context.services.usage, info.context.require_caller()
        found = await usage.refusals(caller, self.query)
        return [RefusalCount(reason=f.reason, calls=BigInt(f.calls)) for f in found]

    @classmethod
    def of(cls, report: service.UsageReport) -> UsageReport:
        return cls(
            totals=UsageTotals.of(report.totals),
            series=UsagePoint.all_of(report.series),
            query=report.query,
        )


@strawberry.type(description="One call in the ledger.")
class Call:
    id: strawberry.ID = strawberry.field(description="Its id.")
    at: datetime = strawberry.field(description="When it was let through.")
    user_label: str = strawberry.field(description="Who called, by the name at that time.")
    key_name: str | None = strawberry.field(description="The key, by its name at that time.")
    model: str = strawberry.field(description="What the caller asked for.")
    provider_model: str = strawberry.field(description="What the provider was asked for.")
    provider_name: str = strawberry.field(description="Who answered.")
    status: int = strawberry.field(description="The HTTP status of the answer.")
    outcome: str = strawberry.field(description="How it ended: ok, aborted, upstream_error, unreachable, recovered.")
    stream: bool = strawberry.field(description="Whether the answer was streamed.")
    input_tokens: BigInt = strawberry.field(description="All input: fresh, cache reads and cache writes.")
    cache_read_tokens: BigInt = strawberry.field(description="Input that the provider had cached.")
    cache_write_tokens: BigInt = strawberry.field(description="Input that the provider was asked to cache.")
    output_tokens: BigInt = strawberry.field(description="Output, reasoning included.")
    cost: Usd = strawberry.field(description="What it cost.")
    estimated: bool = strawberry.field(description="Usage was estimated because the provider reported none.")
    latency_ms: int = strawberry.field(description="From admission to the end of the answer, in milliseconds.")
    first_byte_ms: int | None = strawberry.field(description="From admission to the answer's first byte.")
    client_app: str | None = strawberry.field(description="The program that called.")
    project: str | None = strawberry.field(description="The project that the caller named.")
    stored: strawberry.Private[CallRecord]

    @strawberry.field(
        description="How its cost comes about; null for calls that cost what was estimated, since their server died, "
        "and for those from before prices were kept with them."
    )
    async def charges(self, info: Info) -> Charges | None:
        record = self.stored
        if record.price_list_id is None:
            return None
        found = await info.context.loader(loaders.price_lists).load(record.price_list_id)
        return Charges.of(found, record.usage) if found is not None else None

    @classmethod
    def of(cls, record: CallRecord) -> Call:
        cache_writes = record.cache_write_5m_tokens + record.cache_write_1h_tokens
        return cls(
            id=strawberry.ID(record.call_id),
            at=datetime.fromtimestamp(record.started_ms / 1000, UTC),
            user_label=record.user_label,
            key_name=record.key_label or None,
            model=record.model_slug,
            provider_model=record.provider_model,
            provider_name=record.provider_name,
            status=record.status,
            outcome=record.outcome,
            stream=record.stream,
            input_tokens=BigInt(record.input_tokens + record.cache_read_tokens + cache_writes),
            cache_read_tokens=BigInt(record.cache_read_tokens),
            cache_write_tokens=BigInt(cache_writes),
            output_tokens=BigInt(record.output_tokens),
            cost=Usd(record.cost_nanos),
            estimated=record.estimated,
            latency_ms=max(0, record.finished_ms - record.started_ms),
            first_byte_ms=record.first_byte_ms,
            client_app=record.client_app,
            project=record.project,
            stored=record,
        )


@strawberry.type(description="A page of the ledger, which is never counted: it is too long.")
class CallConnection:
    edges: list[Edge[Call]] = strawberry.field(description="The calls of this page, newest first.")
    page_info: PageInfo = strawberry.field(description="Where this page ends.")


@strawberry.type(description="One person's place.")
class LeaderboardPlace:
    rank: int = strawberry.field(description="1 is who used most.")
    name: str = strawberry.field(description="A pseudonym, unless it is the viewer or an administrator looks.")
    user_id: strawberry.ID | None = strawberry.field(description="Null where the name is a pseudonym.")
    own: bool = strawberry.field(description="Whether it is the viewer.")
    totals: UsageTotals = strawberry.field(description="What was used.")

    @classmethod
    def of(cls, place: places.Place) -> LeaderboardPlace:
        return cls(
            rank=place.rank,
            name=place.name,
            user_id=strawberry.ID(place.user_id) if place.user_id is not None else None,
            own=place.own,
            totals=UsageTotals.of(place.totals),
        )


@strawberry.type(description="Who used most.")
class Leaderboard:
    enabled: bool = strawberry.field(description="Administrators can turn it off; then it is empty.")
    places: list[LeaderboardPlace] = strawberry.field(description="The first ones.")
    own: LeaderboardPlace | None = strawberry.field(description="The viewer's, also further down; null without use.")
    people: int = strawberry.field(description="How many people used anything.")

    @classmethod
    def of(cls, board: places.Leaderboard) -> Leaderboard:
        return cls(
            enabled=board.enabled,
            places=[LeaderboardPlace.of(place) for place in board.places],
            own=LeaderboardPlace.of(board.own) if board.own is not None else None,
            people=board.people,
        )
