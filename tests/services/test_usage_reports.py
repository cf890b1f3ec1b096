"""Usage reports: every sum agrees with every other, whatever the zone, the span and the grouping."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL

from fakes.identity import Site, new_site
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.usage import CallRecord
from sluicegate.domain.user import Group, Role
from sluicegate.kit.errors import Forbidden, InvalidInput
from sluicegate.ports.pages import PageRequest
from sluicegate.ports.usage import CallFilter, Grain, UsageTotals
from sluicegate.services.caller import Caller
from sluicegate.services.usage import Interval, UsageDimension, UsageQuery, UsageService, add_up
from sluicegate.storage.rollups import SqlRollups
from sluicegate.storage.usage_reader import SqlUsageReader
from sluicegate.storage.usage_writer import make_usage_writer
from storage.records import call

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2026, 11, 24)
ADA: dict[str, Any] = {"user_id": "ada", "key_id": "key-1"}
BOB: dict[str, Any] = {"user_id": "bob", "key_id": "key-2"}
NOON = datetime(2026, 11, 24, 12, tzinfo=BERLIN)


class Stage:
    def __init__(self, site: Site, admin: Caller, member: Caller, zone: ZoneInfo = BERLIN) -> None:
        self.site, self.admin, self.member, self.zone = site, admin, member, zone
        self.usage = UsageService(SqlUsageReader(site.store.engine, zone), zone, site.clock)

    async def write(self, *records: CallRecord) -> None:
        url: URL = self.site.store.engine.url
        writer = make_usage_writer(url, self.zone)
        await asyncio.to_thread(writer.write, records)
        writer.close()

    async def fold(self) -> None:
        await SqlRollups(self.site.store.engine, self.zone).fold({})

    async def series(self, query: UsageQuery) -> list[tuple[datetime, int]]:
        report = await self.usage.report(self.admin, query)
        return [(start.astimezone(self.zone), totals.requests) for start, totals in report.series]


@pytest.fixture
async def stage(site: Site) -> Stage:
    return Stage(site, await site.person("ada@example.com", Role.ADMIN), await site.person("mia@example.com"))


def everyone(first: date = DAY, last: date = DAY, interval: Interval = Interval.DAY) -> UsageQuery:
    return UsageQuery(first, last, interval, everyone=True)


async def test_totals_count_what_happened_on_those_days(stage: Stage) -> None:
    midnight = datetime(2026, 11, 24, tzinfo=BERLIN)
    await stage.write(
        call(midnight - timedelta(milliseconds=1)),
        call(midnight),
        call(midnight + timedelta(days=1, milliseconds=-1), outcome="unreachable"),
        call(midnight + timedelta(days=1)),
    )
    report = await stage.usage.report(stage.admin, everyone())
    assert report.totals == UsageTotals(2, 1, 290, 80, 10, 100, 2_000)
    assert await stage.usage.previous(stage.admin, everyone()) == UsageTotals(1, 0, 145, 40, 5, 50, 1_000)


async def test_the_previous_span_is_as_long_and_ends_where_this_begins(stage: Stage) -> None:
    for days_ago in range(10):
        await stage.write(call(NOON - timedelta(days=days_ago)))
    query = everyone(DAY - timedelta(days=2), DAY)
    assert (await stage.usage.report(stage.admin, query)).totals.requests == 3
    assert (await stage.usage.previous(stage.admin, query)).requests == 3


async def test_whole_months_and_the_days_around_them_add_up(stage: Stage) -> None:
    """From the sums by month and by day, of every scope and by everything."""
    edges = [datetime(2026, month, 1, tzinfo=BERLIN) for month in (9, 10, 11)]
    times = [edge + timedelta(milliseconds=off) for edge in edges for off in (-1, 0)] + [NOON, NOON]
    records = [
        call(at, **(ADA if n % 2 else BOB), cost_nanos=3**n, session_id=f"s{n % 3}") for n, at in enumerate(times)
    ]
    await stage.write(*records[:5])
    await stage.fold()
    await stage.write(*records[5:])
    for first in (date(2026, 8, 31), date(2026, 9, 1), date(2026, 9, 2), date(2026, 10, 31)):
        start = datetime.combine(first, datetime.min.time(), BERLIN)
        inside = [r for r, at in zip(records, times, strict=True) if at >= start]
        for whose, mine in (
            ({"everyone": True}, inside),
            ({"group_id": "team"}, inside),
            ({"user_id": "ada"}, [r for r in inside if r.user_id == "ada"]),
        ):
            query = UsageQuery(first, DAY, **whose)
            for by in UsageDimension:
                if by is UsageDimension.SESSION and "user_id" not in whose:
                    continue
                slices = await stage.usage.breakdown(stage.admin, query, by, 100)
                assert sum(s.totals.cost_nanos for s in slices) == sum(r.cost_nanos for r in mine), (first, whose, by)
            assert (await stage.usage.report(stage.admin, query)).totals.requests == len(mine)
            assert (await stage.usage.totals(stage.admin, query)).requests == len(mine)


async def test_sessions_of_everybody_are_for_days_those_of_one_person_for_ever(stage: Stage) -> None:
    await stage.write(call(NOON, session_id="s1"), call(NOON))
    few = everyone(DAY - timedelta(days=2), DAY)
    slices = await stage.usage.breakdown(stage.admin, few, UsageDimension.SESSION, 10)
    assert [(s.key, s.label) for s in slices] == [("", "none"), ("s1", "s1")]
    with pytest.raises(InvalidInput, match="for one user"):
        await stage.usage.breakdown(stage.admin, everyone(DAY - timedelta(days=3), DAY), UsageDimension.SESSION, 10)


async def test_hours_are_refused_where_they_are_not_kept(stage: Stage) -> None:
    kept = {Grain.HOUR: 62, Grain.FIVE_MINUTES: 7}
    usage = UsageService(SqlUsageReader(stage.site.store.engine, BERLIN), BERLIN, stage.site.clock, kept)
    for days, interval in ((61, Interval.HOUR), (6, Interval.FIVE_MINUTES)):
        day = DAY - timedelta(days=days)
        assert await usage.report(stage.admin, everyone(day, day, interval))
        assert await usage.previous_series(stage.admin, everyone(day, day, interval)) is None
        assert await usage.previous_series(stage.admin, everyone(DAY, DAY, interval))
        with pytest.raises(InvalidInput, match="ask by DAY"):
            await usage.report(stage.admin, everyone(day - timedelta(days=1), day, interval))


async def test_five_minutes_are_points_of_a_day(stage: Stage) -> None:
    await stage.write(call(NOON), call(NOON + timedelta(minutes=4, seconds=59)), call(NOON + timedelta(minutes=5)))
    await stage.fold()
    for query in (everyone(interval=Interval.FIVE_MINUTES), UsageQuery(DAY, DAY, Interval.FIVE_MINUTES, user_id="ada")):
        series = await stage.series(query)
        assert len(series) == 288
        assert [requests for _, requests in series[143:147]] == [0, 2, 1, 0]


async def test_days_without_calls_are_points_too(stage: Stage) -> None:
    await stage.write(call(NOON), call(NOON - timedelta(days=2)))
    series = await stage.series(everyone(DAY - timedelta(days=3), DAY))
    assert [(start.date().isoformat(), start.hour, requests) for start, requests in series] == [
        ("2026-11-21", 0, 0),
        ("2026-11-22", 0, 1),
        ("2026-11-23", 0, 0),
        ("2026-11-24", 0, 1),
    ]


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (DAY, 24)])
async def test_a_day_has_as_many_hours_as_the_clocks_say(stage: Stage, day: date, hours: int) -> None:
    start = datetime.combine(day, datetime.min.time(), BERLIN).astimezone(UTC)
    await stage.write(*(call(start + timedelta(hours=n, minutes=30)) for n in range(hours)))
    series = await stage.series(everyone(day, day, Interval.HOUR))
    assert len(series) == hours
    assert [requests for _, requests in series] == [1] * hours
    assert [requests for _, requests in await stage.series(everyone(day, day))] == [hours]


@pytest.mark.parametrize(
    ("first", "last", "interval", "points", "points_before"),
    [
        (date(2026, 3, 30), date(2026, 3, 30), Interval.HOUR, 24, 23),
        (date(2026, 3, 29), date(2026, 3, 29), Interval.HOUR, 23, 24),
        (date(2026, 10, 26), date(2026, 10, 27), Interval.HOUR, 48, 49),
        (date(2026, 10, 25), date(2026, 10, 25), Interval.FIVE_MINUTES, 300, 288),
        (date(2026, 10, 26), date(2026, 10, 28), Interval.DAY, 3, 3),
    ],
)
async def test_the_points_before_are_those_of_asking_for_that_span_itself(
    stage: Stage, first: date, last: date, interval: Interval, points: int, points_before: int
) -> None:
    """Around the days on which the clocks change, and with a part of them in the sums already."""
    mia = stage.member.user.id
    days = (last - first).days + 1
    start = datetime.combine(first - timedelta(days=days), datetime.min.time(), BERLIN).astimezone(UTC)
    records = [
        call(
            start + timedelta(minutes=47 * n),
            user_id=mia if n % 2 else "bob",
            key_id="key-1" if n % 2 else "key-2",
            group_ids=("team",) if n % 3 else (),
            cost_nanos=n,
        )
        for n in range(days * 2 * 31)
    ]
    await stage.write(*records[: days * 20])
    await stage.fold()
    await stage.write(*records[days * 20 :])
    whose: list[dict[str, Any]] = [{"everyone": True}, {"group_id": "team"}, {"user_id": mia}]
    for scope in whose:
        asked = UsageQuery(first, last, interval, **scope)
        itself = UsageQuery(first - timedelta(days=days), first - timedelta(days=1), interval, **scope)
        there = await stage.usage.report(stage.admin, itself)
        before = await stage.usage.previous_series(stage.admin, asked)
        assert before is not None
        assert before == there.series
        assert add_up(totals for _, totals in before) == await stage.usage.previous(stage.admin, asked)
        assert there.totals.requests > 0
        assert (len((await stage.usage.report(stage.admin, asked)).series), len(before)) == (points, points_before)
    hers = await stage.usage.previous_series(stage.admin, UsageQuery(first, last, interval, user_id=mia))
    assert await stage.usage.previous_series(stage.member, UsageQuery(first, last, interval)) == hers


async def test_half_hour_zones_have_whole_days(site: Site) -> None:
    kolkata = ZoneInfo("Asia/Kolkata")
    stage = Stage(site, await site.person("ada@example.com", Role.ADMIN), await site.person("mia@example.com"), kolkata)
    midnight = datetime(2026, 11, 24, tzinfo=kolkata)
    await stage.write(call(midnight - timedelta(minutes=1)), call(midnight), call(midnight + timedelta(hours=23.9)))
    assert [n for _, n in await stage.series(everyone())] == [2]
    hours = [n for _, n in await stage.series(everyone(interval=Interval.HOUR))]
    assert (len(hours), hours[0], hours[-1]) == (24, 1, 1)


async def test_a_breakdown_comes_dearest_first_under_the_latest_name(stage: Stage) -> None:
    await stage.write(
        call(NOON - timedelta(hours=3), user_label="Old name", cost_nanos=5),
        call(NOON, user_label="New name", cost_nanos=5),
        call(NOON - timedelta(hours=2), user_id="bob", user_label="Bob", cost_nanos=50, client_app=None),
    )
    slices = await stage.usage.breakdown(stage.admin, everyone(), UsageDimension.USER, 20)
    assert [(s.key, s.label, s.totals.cost_nanos) for s in slices] == [("bob", "Bob", 50), ("ada", "New name", 10)]
    assert len(await stage.usage.breakdown(stage.admin, everyone(), UsageDimension.USER, 1)) == 1
    apps = await stage.usage.breakdown(stage.admin, everyone(), UsageDimension.CLIENT_APP, 20)
    assert [(s.key, s.label) for s in apps] == [("", "none"), ("aider", "aider")]


async def test_who_was_deleted_stays_in_the_sums_and_is_shown_as_deleted(stage: Stage) -> None:
    mia, noor = stage.member.user, (await stage.site.person("noor@example.com")).user
    await stage.write(call(NOON, user_id=mia.id, user_label=mia.label, cost_nanos=5))
    await stage.write(call(NOON, user_id=noor.id, user_label=noor.email, cost_nanos=3))
    await stage.fold()
    async with stage.site.store.write() as tx:
        await tx.users.delete(noor.id)
    for label in ("noor@example.com (deleted)", "Noor (deleted) <noor@example.com>"):
        slices = await stage.usage.breakdown(stage.admin, everyone(), UsageDimension.USER, 20)
        assert {(s.key, s.label) for s in slices} == {(mia.id, mia.label), (noor.id, label)}
        # A call that was in flight at that time.
        await stage.write(call(NOON, user_id=noor.id, user_label="Noor <noor@example.com>", cost_nanos=1))
    assert sum(s.totals.cost_nanos for s in slices) == 9


async def test_a_group_is_those_who_were_in_it_at_the_time(stage: Stage) -> None:
    async with stage.site.store.write() as tx:
        await tx.groups.add(Group("team", "Team", "", stage.site.clock.now()))
        await tx.groups.add_members("team", [stage.member.user.id])
    await stage.write(
        call(NOON, user_id=stage.member.user.id, group_ids=()),
        call(NOON, group_ids=("team",)),
        call(NOON, user_id="gone", group_ids=("club", "team")),
    )
    query = UsageQuery(DAY, DAY, group_id="team")
    assert (await stage.usage.report(stage.admin, query)).totals.requests == 2


async def test_by_group_everybody_counts_in_each_of_their_groups_and_strangers_in_none(stage: Stage) -> None:
    mia, ada = stage.member.user.id, stage.admin.user.id
    async with stage.site.store.write() as tx:
        for group_id, members in (("team", [mia, ada]), ("club", [mia]), ("idle", [])):
            await tx.groups.add(Group(group_id, group_id.title(), "", stage.site.clock.now()))
            await tx.groups.add_members(group_id, members)
    await stage.write(
        call(NOON, user_id=mia, cost_nanos=7, group_ids=("team", "club")),
        call(NOON, user_id=mia, cost_nanos=1, group_ids=("club", "team")),
        call(NOON, user_id=ada, cost_nanos=2, group_ids=("team",)),
        call(NOON, user_id="gone", cost_nanos=4, group_ids=()),
    )
    slices = await stage.usage.breakdown(stage.admin, everyone(), UsageDimension.GROUP, 20)
    assert [(s.key, s.label, s.totals.requests, s.totals.cost_nanos) for s in slices] == [
        ("team", "Team", 3, 10),
        ("club", "Club", 2, 8),
        ("", "none", 1, 4),
    ]
    own = await stage.usage.breakdown(stage.member, UsageQuery(DAY, DAY), UsageDimension.GROUP, 20)
    assert [(s.key, s.totals.cost_nanos) for s in own] == [("club", 8), ("team", 8)]
    assert len(await stage.usage.breakdown(stage.admin, everyone(), UsageDimension.GROUP, 1)) == 1


async def test_members_see_their_own_and_admins_see_all(stage: Stage) -> None:
    me, other = stage.member.user.id, stage.admin.user.id
    await stage.write(call(NOON, user_id=me), call(NOON, user_id=other), call(NOON, user_id="gone"))

    for query in (UsageQuery(DAY, DAY), UsageQuery(DAY, DAY, user_id=me)):
        assert (await stage.usage.report(stage.member, query)).totals.requests == 1
    assert (await stage.usage.report(stage.admin, UsageQuery(DAY, DAY, user_id=me))).totals.requests == 1
    assert (await stage.usage.report(stage.admin, everyone())).totals.requests == 3
    own = await stage.usage.calls(stage.member, CallFilter(), False, PageRequest())
    assert [c.user_id for c, _ in own.items] == [me]
    everybodys = await stage.usage.calls(stage.admin, CallFilter(), True, PageRequest())
    assert len(everybodys.items) == 3

    for query in (UsageQuery(DAY, DAY, user_id=other), UsageQuery(DAY, DAY, group_id="team"), everyone()):
        with pytest.raises(Forbidden):
            await stage.usage.report(stage.member, query)
        with pytest.raises(Forbidden):
            await stage.usage.previous(stage.member, query)
        with pytest.raises(Forbidden):
            await stage.usage.previous_series(stage.member, query)
        with pytest.raises(Forbidden):
            await stage.usage.breakdown(stage.member, query, UsageDimension.USER, 10)
    for user_id, all_of_them in ((other, False), (None, True)):
        with pytest.raises(Forbidden):
            await stage.usage.calls(stage.member, CallFilter(user_id), all_of_them, PageRequest())
    token = replace(stage.member, scopes=frozenset({TokenScope.KEYS}))
    with pytest.raises(Forbidden):
        await stage.usage.report(token, UsageQuery(DAY, DAY))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (UsageQuery(DAY, DAY - timedelta(days=1)), "to"),
        (UsageQuery(DAY - timedelta(days=400), DAY), "to"),
        (UsageQuery(date(1, 1, 1), date(1, 1, 2)), "from"),
        (UsageQuery(date(9999, 12, 31), date(9999, 12, 31)), "from"),
        (UsageQuery(DAY - timedelta(days=31), DAY, Interval.HOUR), "interval"),
        (UsageQuery(DAY, DAY, user_id="a", everyone=True), "everyone"),
        (UsageQuery(DAY, DAY, user_id="a", group_id="b"), "everyone"),
    ],
)
async def test_faulty_questions_are_refused_by_field(stage: Stage, query: UsageQuery, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await stage.usage.report(stage.admin, query)
    assert caught.value.field == field


async def test_400_days_are_the_most(stage: Stage) -> None:
    assert len(await stage.series(everyone(DAY - timedelta(days=399), DAY))) == 400
    with pytest.raises(InvalidInput):
        await stage.usage.breakdown(stage.admin, everyone(), UsageDimension.USER, 0)
    with pytest.raises(InvalidInput):
        await stage.usage.breakdown(stage.admin, everyone(), UsageDimension.USER, 101)


async def test_calls_come_newest_first_page_by_page(stage: Stage) -> None:
    records = [call(NOON + timedelta(seconds=n // 2)) for n in range(7)]
    await stage.write(*records)
    seen: list[CallRecord] = []
    after = None
    while True:
        page = await stage.usage.calls(stage.admin, CallFilter(), True, PageRequest(3, after))
        seen += [record for record, _ in page.items]
        if not page.has_next:
            break
        after = page.items[-1][1]
    assert seen == sorted(records, key=lambda r: (r.started_ms, r.call_id), reverse=True)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (CallFilter(key="k1"), ["a", "c"]),
        (CallFilter(key="laptop"), ["a", "b"]),
        (CallFilter(key="LAPTOP"), ["a", "b"]),
        (CallFilter(key="top"), []),
        (CallFilter(provider="p2"), ["b"]),
        (CallFilter(provider="überall"), ["b"]),
        (CallFilter(provider="k1"), []),
        (CallFilter(provider="demo", key="k1"), ["a", "c"]),
        (CallFilter(provider="demo", key="K1"), []),
        (CallFilter(key="k1", since=NOON + timedelta(hours=1)), ["c"]),
    ],
)
async def test_calls_can_be_narrowed_to_a_key_and_a_provider_by_id_or_name(
    stage: Stage, where: CallFilter, found: list[str]
) -> None:
    demo = {"provider_id": "p1", "provider_name": "Demo"}
    await stage.write(
        call(NOON, call_id="a", key_id="k1", key_label="laptop", **demo),
        call(NOON, call_id="b", key_id="k2", key_label="Laptop", provider_id="p2", provider_name="überall"),
        call(NOON + timedelta(hours=2), call_id="c", key_id="k1", key_label="renamed", **demo),
    )
    page = await stage.usage.calls(stage.admin, where, True, PageRequest())
    assert sorted(record.call_id for record, _ in page.items) == found


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


@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(CALLS, st.integers(0, 25))
def test_every_grouping_adds_up_to_the_totals(calls: Sequence[dict[str, Any]], folded: int) -> None:
    """Over the day on which the clocks go back, too, and with any part of it in the sums already."""
    records = [call(**values, user_id=values["key_id"][:2]) for values in calls]

    async def compare() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with new_site(Path(folder)) as site:
                admin = await site.person("ada@example.com", Role.ADMIN)
                stage = Stage(site, admin, admin)
                await stage.write(*records[:folded])
                await stage.fold()
                await stage.write(*records[folded:])
                for interval in (Interval.HOUR, Interval.DAY):
                    query = everyone(date(2026, 10, 23), date(2026, 10, 27), interval)
                    report = await stage.usage.report(admin, query)
                    assert report.totals == expected(records)
                    assert add_up(totals for _, totals in report.series) == report.totals
                    later = everyone(date(2026, 10, 28), date(2026, 11, 1), interval)
                    assert await stage.usage.previous_series(admin, later) == report.series
                    for by in UsageDimension:
                        if by is UsageDimension.SESSION:
                            continue
                        slices = await stage.usage.breakdown(admin, query, by, 100)
                        assert add_up(s.totals for s in slices) == report.totals, by
                assert (
                    await stage.usage.previous(admin, everyone(date(2026, 10, 28), date(2026, 11, 1))) == report.totals
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
        with tempfile.TemporaryDirectory() as folder:
            async with new_site(Path(folder)) as site:
                admin = await site.person("ada@example.com", Role.ADMIN)
                stage = Stage(site, admin, admin)
                await stage.write(*records[:folded])
                await stage.fold()
                await stage.write(*records[folded:])
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
