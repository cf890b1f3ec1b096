"""Files equal the pages that they come from, to the nano-dollar, for every grouping."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fakes.identity import RecordingFeed, new_site
from sluicegate.domain.usage import RefusalSpot
from sluicegate.domain.user import Role
from sluicegate.kit.clock import SystemClock
from sluicegate.kit.money import format_usd, parse_usd
from sluicegate.services.auth import AuthService
from sluicegate.services.bundle import Services
from sluicegate.services.caller import Caller
from sluicegate.services.usage import Interval, UsageDimension, UsageQuery, UsageService
from sluicegate.storage.engine import SqlStore
from sluicegate.storage.rollups import SqlRollups
from sluicegate.storage.usage_reader import SqlUsageReader
from sluicegate.storage.usage_writer import make_usage_writer
from sluicegate.web.app import create_web_app
from storage.records import call

PASSWORD = "correct horse battery"
FIRST, LAST = date(2026, 11, 22), date(2026, 11, 24)
SPAN = "from=2026-11-22&to=2026-11-24&everyone=true"
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


class Desk:
    def __init__(self, http: httpx.AsyncClient, usage: UsageService, admin: Caller, engine: Any, zone: tzinfo) -> None:
        self.http, self.usage, self.admin, self.engine, self.zone = http, usage, admin, engine, zone

    def write(self, *calls: Any) -> None:
        writer = make_usage_writer(self.engine.url, cast("Any", self.zone))
        writer.write(calls)
        writer.close()

    async def rows(self, path: str) -> list[dict[str, str]]:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return list(csv.DictReader(io.StringIO(answer.text)))

    async def sign_in(self, email: str) -> None:
        assert (await self.http.post("/auth/sign-in", json={"email": email, "password": PASSWORD})).status_code == 200


async def _no_graphql(*_: Any) -> dict[str, Any]:
    raise AssertionError("nobody asks")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(UTC, tmp_path) as desk:
        yield desk


@asynccontextmanager
async def desk_in(zone: tzinfo, tmp_path: Path) -> AsyncIterator[Desk]:
    async with new_site(tmp_path) as site:
        auth = AuthService(site.store, site.clock)
        admin = await auth.create_admin("ada@example.com", PASSWORD, "Ada")
        ada = Caller(admin, (await site.person("bob@example.com", Role.MEMBER)).actor)
        usage = UsageService(SqlUsageReader(site.store.engine, zone), zone, site.clock)
        names = ("audit", "users", "overview", "overrides", "scim_tokens", "scim_people", "scim_groups")
        others = dict.fromkeys((*names, "sso_sign_in", "device_sign_in"))
        some = SimpleNamespace(auth=auth, recovery=site.recovery(), usage=usage, **others)
        app = create_web_app(
            cast("Services", some),
            _no_graphql,
            live=cast("Any", None),
            public_url=lambda: "http://test",
            console=tmp_path / "no",
        )
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
            yield Desk(http, usage, ada, site.store.engine, zone)


CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "hours": st.integers(0, 100),
            "user_id": st.sampled_from(["u1", "u2"]),
            "group_ids": st.sampled_from([(), ("a",)]),
            "model_slug": st.sampled_from(["m1", "=m2"]),
            "provider_id": st.sampled_from(["p1", "p2"]),
            "project": st.sampled_from([None, 'we"b,1']),
            "session_id": st.sampled_from([None, "s1"]),
            "cost_nanos": st.integers(0, 10**15),
        }
    ),
    max_size=15,
)


@settings(
    max_examples=8,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(CALLS, st.booleans())
async def test_every_file_adds_up_to_the_totals_of_the_page(
    desk: Desk, calls: list[dict[str, Any]], fold: bool
) -> None:
    await desk.sign_in("ada@example.com")
    for values in calls:
        at = NOW - timedelta(hours=values.pop("hours"))
        desk.write(call(at, key_id=f"key-{values['user_id']}", **values))
    if fold:
        await SqlRollups(desk.engine, UTC).fold({})
    for interval in (Interval.DAY, Interval.HOUR):
        report = await desk.usage.report(desk.admin, UsageQuery(FIRST, LAST, interval, everyone=True))
        rows = await desk.rows(f"/export/usage.csv?{SPAN}&interval={interval}")
        assert [(r["start"], r["requests"], r["cost_usd"]) for r in rows] == [
            (start.isoformat(), str(t.requests), format_usd(t.cost_nanos)) for start, t in report.series
        ]
        for by in UsageDimension:
            rows = await desk.rows(f"/export/usage-breakdown.csv?{SPAN}&by={by.value}")
            assert sum(parse_usd(row["cost_usd"], "cost") for row in rows) == report.totals.cost_nanos, by
            assert sum(int(row["input_tokens"]) for row in rows) == report.totals.input_tokens
    listed = await desk.rows("/export/calls.csv?everyone=true&from=2026-11-22T00:00:00Z&to=2026-11-25T00:00:00Z")
    assert sum(parse_usd(row["cost_usd"], "cost") for row in listed) == report.totals.cost_nanos
    assert len(listed) == report.totals.requests


@pytest.mark.parametrize(
    ("day", "hours", "first", "last"),
    [
        ("2026-03-29", 23, "2026-03-29T00:00:00+01:00", "2026-03-29T23:00:00+02:00"),
        ("2026-10-25", 25, "2026-10-25T00:00:00+02:00", "2026-10-25T23:00:00+01:00"),
    ],
)
async def test_files_of_a_day_on_which_clocks_change_have_its_hours_and_its_calls_and_no_others(
    tmp_path: Path, day: str, hours: int, first: str, last: str
) -> None:
    midnight, following = datetime.fromisoformat(first), datetime.fromisoformat(last) + timedelta(hours=1)
    async with desk_in(ZoneInfo("Europe/Berlin"), tmp_path) as desk:
        await desk.sign_in("ada@example.com")
        half_hours = [midnight + timedelta(minutes=30 * n) for n in range(2 * hours)]
        inside = [call(at, cost_nanos=(n + 1) ** 5) for n, at in enumerate(half_hours)]
        desk.write(*inside[::2], call(midnight - timedelta(milliseconds=1)))
        await SqlRollups(desk.engine, desk.zone).fold({})
        desk.write(*inside[1::2], call(following))
        span = f"from={day}&to={day}&everyone=true"
        by_hour = await desk.rows(f"/export/usage.csv?{span}&interval=hour")
        assert (len(by_hour), by_hour[0]["start"], by_hour[-1]["start"]) == (hours, first, last)
        costs = [record.cost_nanos for record in inside]
        assert [parse_usd(row["cost_usd"], "cost") for row in by_hour] == [
            one + other for one, other in zip(costs[::2], costs[1::2], strict=True)
        ]
        (of_day,) = await desk.rows(f"/export/usage.csv?{span}")
        by_model = await desk.rows(f"/export/usage-breakdown.csv?{span}&by=model")
        bounds = {"everyone": "true", "from": first, "to": following.isoformat()}
        listed = await desk.rows(f"/export/calls.csv?{httpx.QueryParams(bounds)}")
        assert of_day["start"] == first
        for rows in ([of_day], by_model, listed):
            assert sum(parse_usd(row["cost_usd"], "cost") for row in rows) == sum(costs)


async def test_refused_calls_are_counted_by_reason(desk: Desk) -> None:
    await desk.sign_in("ada@example.com")
    spots = {
        RefusalSpot(round(day.timestamp() * 1000), scope, reason): calls
        for day in (NOW.replace(hour=0, minute=0), NOW.replace(year=2025))
        for scope, reason, calls in ((None, "budget_exceeded", 3), (None, "invalid_api_key", 5), ("eve", "x", 1))
    }
    store = SqlStore(desk.engine, RecordingFeed(), SystemClock())
    async with store.write() as tx:
        await tx.refusals.add(spots)
    rows = [{"reason": "invalid_api_key", "calls": "5"}, {"reason": "budget_exceeded", "calls": "3"}]
    assert await desk.rows(f"/export/refusals.csv?{SPAN}") == rows
    report = await desk.usage.refusals(desk.admin, UsageQuery(FIRST, LAST, everyone=True))
    assert [{"reason": found.reason, "calls": str(found.calls)} for found in report] == rows


async def test_calls_are_filtered_and_come_whole(desk: Desk) -> None:
    await desk.sign_in("ada@example.com")
    desk.write(*(call(NOW - timedelta(seconds=n), status=200 if n % 2 else 502) for n in range(1100)))
    odd = {"key_label": "eve-laptop", "provider_name": "Other"}
    desk.write(call(NOW, model_slug="other", outcome="unreachable", user_id="eve", **odd))
    assert len(await desk.rows("/export/calls.csv?everyone=true")) == 1101
    assert len(await desk.rows("/export/calls.csv?everyone=true&status=502")) == 550
    assert len(await desk.rows("/export/calls.csv?everyone=true&model=other")) == 1
    assert len(await desk.rows("/export/calls.csv?everyone=true&outcome=unreachable")) == 1
    assert len(await desk.rows("/export/calls.csv?everyone=true&key=Eve-Laptop")) == 1
    assert len(await desk.rows("/export/calls.csv?everyone=true&provider=other")) == 1
    assert await desk.rows("/export/calls.csv?everyone=true&provider=other&status=502") == []
    assert len(await desk.rows("/export/calls.csv?userId=eve")) == 1
    assert len(await desk.rows("/export/calls.csv?everyone=true&to=2026-11-24T08:59:51Z")) == 1090


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("usage.csv?from=soon&to=2026-11-24", "from"),
        ("usage.csv?from=2026-11-24&to=2026-11-24&interval=week", "interval"),
        ("usage-breakdown.csv?from=2026-11-24&to=2026-11-24&by=colour", "by"),
        ("calls.csv?everyone=perhaps", "everyone"),
        ("calls.csv?status=many", "status"),
        ("calls.csv?outcome=odd", "outcome"),
    ],
)
async def test_faults_are_named_by_field(desk: Desk, path: str, field: str) -> None:
    await desk.sign_in("ada@example.com")
    answer = await desk.http.get(f"/export/{path}")
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


_FILES = ("usage.csv", "usage-breakdown.csv", "refusals.csv", "calls.csv")


@pytest.mark.parametrize("path", [f"{name}?{SPAN}" for name in _FILES])
async def test_strangers_get_nothing(desk: Desk, path: str) -> None:
    assert (await desk.http.get(f"/export/{path}")).status_code == 401
