"""Money of every admission store: held, spent and counted from what is on record."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from counters.conftest import Make
from counters.stores import ADA, BOB, TEAM, Records, admitted, ask
from sluicegate.adapters.memory import MemoryAdmission
from sluicegate.domain.policy import Dimension, Window
from sluicegate.kit.clock import ManualClock
from sluicegate.kit.money import Nanos
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import Ask, Denial, LimitSet, PastUse


def counted_for_team(cost: int) -> Ask:
    """A call of Ada's while her team limits nothing."""
    return Ask((LimitSet(ADA),), 10, 10, Nanos(cost), (TEAM,))


async def test_racing_callers_cannot_slip_past_a_cap_together(make: Make, clock: ManualClock) -> None:
    wanted = ask(LimitSet(ADA, day=200), cost=10)
    assert await admitted(await make(), wanted, 200) == 20


async def test_a_free_call_passes_a_spent_budget(make: Make, clock: ManualClock) -> None:
    store = await make(PastUse({Window.MONTH: 500}))
    limits = LimitSet(ADA, month=100)
    assert isinstance(await store.admit(ask(limits, cost=1)), Denial)
    assert not isinstance(await store.admit(ask(limits, cost=0)), Denial)


async def test_settling_moves_reserved_money_to_spent(make: Make, clock: ManualClock) -> None:
    store = await make(PastUse({Window.DAY: 40, Window.WEEK: 70}))
    lease = await store.admit(ask(cost=25))
    assert not isinstance(lease, Denial)
    assert (await store.use_of(ADA)).reserved[Window.DAY] == 25
    store.settle(lease, 1, 1, Nanos(7))
    use = await store.use_of(ADA)
    assert use.spent == {Window.DAY: 47, Window.WEEK: 77, Window.MONTH: 7}
    assert set(use.reserved.values()) == {0}


async def test_a_cap_set_later_counts_what_was_spent_before(make: Make, clock: ManualClock) -> None:
    store = await make()
    lease = await store.admit(ask(cost=90))
    assert not isinstance(lease, Denial)
    store.settle(lease, 1, 1, Nanos(90))
    denial = await store.admit(ask(LimitSet(ADA, day=100), cost=20))
    assert isinstance(denial, Denial)
    assert (denial.window, denial.used, denial.retry_after) == (Window.DAY, 90, 12 * 3600)


async def test_a_new_period_starts_anew_and_a_late_call_counts_where_it_began(make: Make, clock: ManualClock) -> None:
    store, wanted = await make(), ask(LimitSet(ADA, day=10), cost=10)
    late = await store.admit(wanted)
    assert not isinstance(late, Denial)
    clock.advance(12 * 3600)
    assert await admitted(store, wanted, 3) == 1
    before = (await store.use_of(ADA)).spent[Window.DAY]
    store.settle(late, 1, 1, Nanos(10))
    assert (await store.use_of(ADA)).spent[Window.DAY] == before


async def test_a_day_that_begins_while_the_records_are_away_begins_with_nothing_spent(
    make: Make, clock: ManualClock
) -> None:
    records = Records(PastUse({Window.DAY: 60, Window.WEEK: 60, Window.MONTH: 60}))
    store, wanted = await make(records=records), ask(LimitSet(ADA, day=100, month=120), cost=30)
    lease = await store.admit(wanted)
    assert not isinstance(lease, Denial)
    store.settle(lease, 1, 1, Nanos(30))
    records.away = True
    clock.advance(86_400)
    assert await admitted(store, wanted, 3) == 1, "of the month there are 30 left"
    use = await store.use_of(ADA)
    assert (use.spent[Window.DAY], use.spent[Window.MONTH]) == (0, 90)
    assert (use.reserved[Window.DAY], use.reserved[Window.MONTH]) == (30, 30)
    clock.advance(-3 * 86_400)
    with pytest.raises(OSError, match="away"):
        await store.admit(wanted)


async def test_money_that_a_dead_lease_holds_blocks_nobody_for_longer_than_the_lease(
    make: Make, clock: ManualClock
) -> None:
    store, wanted = await make(), ask(LimitSet(ADA, day=10), cost=6)
    dead = await store.admit(wanted)
    assert not isinstance(dead, Denial)
    for _ in range(17):
        clock.advance(50)
        denial = await store.admit(wanted)
        assert isinstance(denial, Denial)
        assert denial.held
    clock.advance(60)
    assert await store.peek(wanted) is None
    assert not isinstance(await store.admit(wanted), Denial)
    store.settle(dead, 1, 1, Nanos(5))
    use = await store.use_of(ADA)
    assert (use.spent[Window.DAY], use.reserved[Window.DAY]) == (5, 6)


async def test_a_subject_that_limits_from_now_on_counts_calls_in_flight_and_what_is_on_record(
    make: Make,
    clock: ManualClock,
) -> None:
    store = await make(PastUse({Window.DAY: 100, Window.MONTH: 900}))
    verdicts = [await store.admit(counted_for_team(cost=5)) for _ in range(3)]
    leases = [v for v in verdicts if not isinstance(v, Denial)]
    other = await store.admit(ask(LimitSet(BOB), cost=5))
    clock.advance(2)
    use = await store.use_of(TEAM)
    assert (use.used[Dimension.REQUESTS], use.used[Dimension.CONCURRENT_REQUESTS]) == (3, 3)
    assert (use.spent[Window.DAY], use.reserved[Window.DAY]) == (100, 15)
    for lease in (*leases, other):
        assert not isinstance(lease, Denial)
        store.settle(lease, 1, 1, Nanos(4))
    use = await store.use_of(TEAM)
    assert (use.spent[Window.DAY], use.reserved[Window.DAY], use.used[Dimension.CONCURRENT_REQUESTS]) == (112, 0, 0)


async def test_a_call_of_yesterday_reserves_nothing_of_today(make: Make, clock: ManualClock) -> None:
    store = await make()
    clock.advance(12 * 3600 - 10)
    late = await store.admit(counted_for_team(cost=5))
    assert not isinstance(late, Denial)
    clock.advance(90)
    use = await store.use_of(TEAM)
    assert (use.reserved[Window.DAY], use.reserved[Window.MONTH]) == (0, 5)
    assert (use.used[Dimension.REQUESTS], use.used[Dimension.CONCURRENT_REQUESTS]) == (0, 1)
    store.settle(late, 1, 1, Nanos(4))
    use = await store.use_of(TEAM)
    assert (use.spent[Window.DAY], use.spent[Window.MONTH]) == (0, 4)


class _Askew(ManualClock):
    """The seconds by which rates are counted do not begin with those of the day."""

    def monotonic(self) -> float:
        return super().monotonic() + 0.75


async def test_a_call_that_began_right_after_midnight_is_one_of_today_for_who_limits_it_later() -> None:
    clock = _Askew(datetime(2026, 11, 25, 0, 0, 0, 500_000, tzinfo=UTC))
    store = MemoryAdmission(Records(), clock, PeriodClock(UTC))
    lease = await store.admit(counted_for_team(cost=5))
    assert not isinstance(lease, Denial)
    clock.advance(0.25)
    assert (await store.use_of(TEAM)).reserved[Window.DAY] == 5
    store.settle(lease, 1, 1, Nanos(4))
    use = await store.use_of(TEAM)
    assert (use.spent[Window.DAY], use.reserved[Window.DAY]) == (4, 0)


async def test_money_that_is_only_held_is_told_from_money_that_is_spent(make: Make, clock: ManualClock) -> None:
    store, wanted = await make(PastUse({Window.DAY: 40})), ask(LimitSet(ADA, day=100), cost=30)
    leases = [await store.admit(wanted) for _ in range(2)]
    held = await store.admit(wanted)
    assert isinstance(held, Denial)
    assert (held.held, held.used, held.reserved) == (True, 100, 60)
    assert held.retry_after is not None
    assert 1 <= held.retry_after <= 10
    for lease in leases:
        assert not isinstance(lease, Denial)
        store.settle(lease, 1, 1, Nanos(25))
    spent = await store.admit(wanted)
    assert isinstance(spent, Denial)
    assert (spent.held, spent.used, spent.reserved, spent.retry_after) == (False, 90, 0, 12 * 3600)
