"""What changes while a call is in flight: the call ends as it began, and is on the books of whoever it was for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from fakes.provider import Connection, Exchange
from fakes.wire import completion, whole
from gateway.bench import CREDENTIAL, SUBJECT
from gateway.office import Office
from sluicegate.domain.policy import Budget, Subject, SubjectKind, Window
from sluicegate.domain.usage import CallRecord
from sluicegate.kit.clock import SystemClock
from sluicegate.kit.money import Nanos, format_usd
from sluicegate.services.overrides import NewOverride
from sluicegate.services.usage import UsageDimension, UsageQuery

# As much as is estimated.
_USAGE = {"prompt_tokens": 21, "completion_tokens": 17}
COST = 21 * 3_000 + 17 * 15_000


@asynccontextmanager
async def in_flight(office: Office, credential: str = CREDENTIAL.text) -> AsyncIterator[asyncio.Task[httpx.Response]]:
    """A call that its provider answers when this is left; it costs what it holds, `COST`."""
    release, answer = asyncio.Event(), whole(completion(usage=_USAGE))

    async def answer_late(connection: Connection, exchange: Exchange) -> None:
        await release.wait()
        await answer(connection, exchange)

    asked = len(office.bench.provider.log) + 1
    office.bench.provider.next(answer_late)
    calling = asyncio.create_task(office.call(credential, max_tokens=17))
    try:
        await office.bench.until_asked(asked)
        yield calling
    finally:
        release.set()
        await asyncio.wait([calling])
    assert calling.result().status_code == 200


async def spent(office: Office, kind: SubjectKind, subject_id: str) -> tuple[int, int]:
    """This month, settled and held."""
    use = await office.bench.container.policy.use_of(Subject(kind, subject_id), limited=False)
    return use.spent[Window.MONTH], use.reserved[Window.MONTH]


class Edge:
    """A clock on which a day begins between two looks at it, after `looks` more of them."""

    def __init__(self, midnight: datetime) -> None:
        self.midnight = midnight.timestamp()
        self.looks = 1_000_000_000

    def __call__(self) -> float:
        self.looks -= 1
        return self.midnight + (-0.5 if self.looks >= 0 else 0.5)


async def the_call(office: Office) -> CallRecord:
    (record,) = await office.bench.ledger()
    return record


async def test_a_key_and_its_owner_may_go_and_the_call_is_still_theirs(office: Office) -> None:
    services = office.bench.container.services
    team = await office.group("Team")
    key = await office.hire("bob", team)
    async with in_flight(office, key):
        await services.keys.revoke(await office.as_user("bob"), "key-bob")
        assert (await office.call(key)).status_code == 401
        await services.users.delete(office.admin, "bob")
        assert (await office.call(key)).status_code == 401
    record = await the_call(office)
    assert (record.user_id, record.user_label, record.key_id) == ("bob", "Bob <bob@example.com>", "key-bob")
    assert (record.cost_nanos, record.outcome, record.estimated) == (COST, "ok", False)
    for kind, subject_id in ((SubjectKind.USER, "bob"), (SubjectKind.KEY, "key-bob"), (SubjectKind.POOL, team)):
        assert await spent(office, kind, subject_id) == (COST, 0)
    today = office.bench.container.clock.now().date()
    query = UsageQuery(today - timedelta(days=1), today, everyone=True)
    (slice_,) = await services.usage.breakdown(office.admin, query, UsageDimension.USER, 10)
    assert (slice_.key, slice_.label, slice_.totals.cost_nanos) == ("bob", "Bob <bob@example.com>", COST)


async def test_whoever_leaves_a_pool_has_drawn_from_it_what_the_call_costs(office: Office) -> None:
    groups, budgets = office.bench.container.services.groups, office.bench.container.services.budgets
    team = await office.group("Team", "ada")
    bob = await office.hire("bob", team)
    pool = Subject(SubjectKind.POOL, team)
    await budgets.set(office.admin, pool, Budget(month=Nanos(COST + 1)))
    async with in_flight(office):
        await groups.remove_members(office.admin, team, ["ada"])
        assert (await office.call(bob, max_tokens=17)).status_code == 429, "held by the call in flight"
        assert (await office.bench.container.admission.use_of(pool)).reserved[Window.MONTH] == COST
    refused = await office.call(bob, max_tokens=17)
    assert refused.status_code == 402
    assert await spent(office, SubjectKind.POOL, team) == (COST, 0)
    assert (await office.call(max_tokens=17)).status_code == 200
    await office.bench.container.journal.flush()
    assert await spent(office, SubjectKind.POOL, team) == (COST, 0)


async def test_a_cap_that_is_put_below_what_is_held_stops_the_next_call_and_not_this_one(office: Office) -> None:
    budgets = office.bench.container.services.budgets
    await budgets.set(office.admin, SUBJECT, Budget(day=Nanos(10 * COST)))
    async with in_flight(office):
        await budgets.set(office.admin, SUBJECT, Budget(day=Nanos(COST // 2)))
        assert (await office.call(max_tokens=17)).status_code == 429, "held by the call in flight"
    refused = await office.call(max_tokens=17)
    assert refused.status_code == 402
    details = refused.json()["error"]["details"]
    assert (details["limit_usd"], details["used_usd"]) == (format_usd(COST // 2), format_usd(COST))
    assert (await the_call(office)).cost_nanos == COST
    await budgets.set(office.admin, SUBJECT, Budget(day=Nanos(2 * COST)))
    assert (await office.call(max_tokens=1)).status_code == 200


async def test_a_raise_that_ends_leaves_the_call_its_money_and_nothing_for_the_next(office: Office) -> None:
    services, clock = office.bench.container.services, office.bench.container.clock
    await services.budgets.set(office.admin, SUBJECT, Budget(day=Nanos(COST - 1)))
    ends_at = clock.now() + timedelta(hours=1)
    raised = await services.overrides.create(
        office.admin, NewOverride(SUBJECT.id, Window.DAY, 5 * COST, "release", ends_at)
    )
    async with in_flight(office):
        await services.overrides.end(office.admin, raised.id)
        assert (await office.call(max_tokens=17)).status_code == 429, "held by the call in flight"
    assert (await office.call(max_tokens=17)).status_code == 402
    assert await spent(office, SubjectKind.USER, SUBJECT.id) == (COST, 0)


@pytest.mark.parametrize("looks", range(10))
async def test_a_call_is_in_the_same_day_for_budgets_and_ledger_whenever_that_begins(
    office: Office, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    midnight = datetime(2026, 12, 1, tzinfo=UTC)
    clock = Edge(midnight)
    monkeypatch.setattr(SystemClock, "time", staticmethod(clock))
    assert (await office.call(max_tokens=17)).status_code == 200
    clock.looks = looks
    async with in_flight(office):
        # What was spent in the new month is read while the first is in flight.
        clock.looks = 0
        assert (await office.call(max_tokens=17)).status_code == 200
    counted = (await office.bench.container.admission.use_of(SUBJECT)).spent
    rows = await office.bench.ledger()
    assert len(rows) == 3
    of_the_month = sum(row.cost_nanos for row in rows if row.started_ms >= midnight.timestamp() * 1000)
    assert counted[Window.DAY] == counted[Window.MONTH] == of_the_month
