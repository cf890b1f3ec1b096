"""Usage reports: what a span, a zone, a grouping and a filter show, and to whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fakes.identity import Site
from services.usage_stage import BERLIN, DAY, Stage, everyone
from sluicegate.domain.apikey import TokenScope
from sluicegate.domain.usage import CallRecord
from sluicegate.domain.user import Group, Role
from sluicegate.kit.errors import Forbidden, InvalidInput
from sluicegate.ports.pages import PageRequest
from sluicegate.ports.usage import CallFilter, Grain, UsageTotals
from sluicegate.services.usage import Interval, UsageDimension, UsageQuery, UsageService, add_up
from sluicegate.storage.usage_reader import SqlUsageReader
from storage.records import call

ADA: dict[str, Any] = {"user_id": "ada", "key_id": "key-1"}


BOB: dict[str, Any] = {"user_id": "bob", "key_id": "key-2"}


NOON = datetime(2026, 11, 24, 12, tzinfo=BERLIN)


@pytest.fixture
async def stage(site: Site) -> Stage:
    return Stage(site, await site.person("ada@example.com", Role.ADMIN), await site.person("mia@example.com"))


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
