"""Every sum of usage agrees with every other, whatever was called and whatever is in the sums already."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from fakes.identity import new_site
from services.usage_stage import BERLIN, DAY, Stage, everyone
from sluicegate.domain.usage import CallRecord
from sluicegate.domain.user import Role
from sluicegate.ports.usage import UsageTotals
from sluicegate.services.usage import Interval, UsageDimension, UsageQuery, add_up
from storage.records import call

# The values alone: an id is made with each record, and not inside a strategy, which must repeat itself.
CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.integers(0, 5 * 86_400).map(
                lambda s: datetime(2026, 10, 22, 22, tzinfo=UTC) + timedelta(seconds=s)
            ),
            "group_ids": st.sampled_from([(), ("team",)]),
            "session_id": st.sampled_from([None, "s1", "s2"]),
            "key_id": st.sampled_from(["u1-a", "u1-b", "u2-a"]),
            "model_slug": st.sampled_from(["m1", "m2"]),
            "provider_id": st.sampled_from(["p1", "p2"]),
            "client_app": st.sampled_from([None, "aider"]),
            "project": st.sampled_from([None, "", "web"]),
            "outcome": st.sampled_from(["ok", "aborted", "unreachable"]),
            "input_tokens": st.integers(0, 10**6),
            "cost_nanos": st.integers(0, 10**12),
        }
    ),
    max_size=25,
)


@asynccontextmanager
async def written(records: Sequence[CallRecord], folded: int) -> AsyncIterator[Stage]:
    """A site with these calls, the first `folded` of them in the sums already."""
    with tempfile.TemporaryDirectory() as folder:
        async with new_site(Path(folder)) as site:
            admin = await site.person("ada@example.com", Role.ADMIN)
            stage = Stage(site, admin, admin)
            await stage.write(*records[:folded])
            await stage.fold()
            await stage.write(*records[folded:])
            yield stage


@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(CALLS, st.integers(0, 25))
def test_every_grouping_adds_up_to_the_totals(calls: Sequence[dict[str, Any]], folded: int) -> None:
    """Over the day on which the clocks go back, too, and with any part of it in the sums already."""
    records = [call(**values, user_id=values["key_id"][:2]) for values in calls]

    async def compare() -> None:
        async with written(records, folded) as stage:
            for interval in (Interval.HOUR, Interval.DAY):
                query = everyone(date(2026, 10, 23), date(2026, 10, 27), interval)
                report = await stage.usage.report(stage.admin, query)
                assert report.totals == expected(records)
                assert add_up(totals for _, totals in report.series) == report.totals
                later = everyone(date(2026, 10, 28), date(2026, 11, 1), interval)
                assert await stage.usage.previous_series(stage.admin, later) == report.series
                for by in UsageDimension:
                    if by is UsageDimension.SESSION:
                        continue
                    slices = await stage.usage.breakdown(stage.admin, query, by, 100)
                    assert add_up(s.totals for s in slices) == report.totals, by
            assert (
                await stage.usage.previous(stage.admin, everyone(date(2026, 10, 28), date(2026, 11, 1)))
                == report.totals
            )

    asyncio.run(compare())


# Over a year, with whole quarters, months and parts of months in it.
OVER_A_YEAR = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.integers(0, 379 * 24).map(
                lambda hours: datetime(2025, 11, 10, tzinfo=UTC) + timedelta(hours=hours)
            ),
            "group_ids": st.sampled_from([(), ("team",), ("team", "other")]),
            "key_id": st.sampled_from(["u1-a", "u1-b", "u2-a"]),
            "model_slug": st.sampled_from(["m1", "m2"]),
            "cost_nanos": st.integers(0, 10**12),
        }
    ),
    max_size=40,
)


@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(OVER_A_YEAR, st.integers(0, 40), st.integers(0, 378), st.integers(1, 379))
def test_every_grouping_of_a_long_span_adds_up_to_its_calls(
    calls: Sequence[dict[str, Any]], folded: int, first: int, days: int
) -> None:
    """Of everybody, of a group and of one person; what is shown first, and all of it, which files hold."""
    records = [call(**values, user_id=values["key_id"][:2]) for values in calls]
    begins = date(2025, 11, 10) + timedelta(days=first)
    ends = min(begins + timedelta(days=days - 1), DAY)
    start = datetime.combine(begins, datetime.min.time(), BERLIN)
    end = datetime.combine(ends + timedelta(days=1), datetime.min.time(), BERLIN)
    inside = [r for r, values in zip(records, calls, strict=True) if start <= values["at"] < end]
    scopes: list[tuple[dict[str, Any], list[CallRecord]]] = [
        ({"everyone": True}, inside),
        ({"group_id": "team"}, [r for r in inside if "team" in r.group_ids]),
        ({"user_id": "u1"}, [r for r in inside if r.user_id == "u1"]),
    ]

    async def compare() -> None:
        async with written(records, folded) as stage:
            for scope, mine in scopes:
                await agree(stage, UsageQuery(begins, ends, Interval.DAY, **scope), mine)

    asyncio.run(compare())


async def agree(stage: Stage, query: UsageQuery, mine: Sequence[CallRecord]) -> None:
    report = await stage.usage.report(stage.admin, query)
    assert (report.totals.requests, report.totals.cost_nanos) == (len(mine), sum(r.cost_nanos for r in mine))
    assert add_up(totals for _, totals in report.series) == report.totals
    assert await stage.usage.totals(stage.admin, query) == report.totals
    # One that is read from each table.
    for by in (UsageDimension.USER, UsageDimension.KEY, UsageDimension.GROUP, UsageDimension.MODEL):
        whole = await stage.usage.whole_breakdown(stage.admin, query, by)
        assert await stage.usage.breakdown(stage.admin, query, by, 100) == whole
        if by is UsageDimension.GROUP:
            # A call counts once in each group of its user.
            assert sum(s.totals.requests for s in whole) == sum(max(1, len(r.group_ids)) for r in mine)
        else:
            assert add_up(s.totals for s in whole) == report.totals, by


def expected(records: Sequence[CallRecord]) -> UsageTotals:
    return UsageTotals(
        requests=len(records),
        errors=sum(r.outcome == "unreachable" for r in records),
        input_tokens=sum(r.input_tokens + r.cache_read_tokens + 5 for r in records),
        cache_read_tokens=sum(r.cache_read_tokens for r in records),
        cache_write_tokens=5 * len(records),
        output_tokens=sum(r.output_tokens for r in records),
        cost_nanos=sum(r.cost_nanos for r in records),
    )


def test_sums_hold_every_figure() -> None:
    one = UsageTotals(*range(1, len(fields(UsageTotals)) + 1))
    assert add_up([one, one]) == UsageTotals(*(2 * n for n in range(1, len(fields(UsageTotals)) + 1)))
