"""What every admission store must keep to, whoever races."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counters.conftest import Make
from counters.stores import ADA, BOB, TEAM, Records, Several, admitted, ask
from sluicegate.adapters.memory import MemoryAdmission
from sluicegate.domain.policy import Dimension, Subject, SubjectKind, Window
from sluicegate.kit.clock import ManualClock
from sluicegate.kit.money import Nanos
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import ActiveUse, Ask, Counts, Denial, LimitSet, PastUse, RateRoom, Room


@pytest.mark.parametrize("make", ["memory"], indirect=True)
async def test_one_step_admits_once_the_records_are_read_and_until_they_must_be_again(
    make: Make, clock: ManualClock
) -> None:
    store = await make()
    wanted = ask(LimitSet(ADA, requests=2, day=100), LimitSet(TEAM), cost=10)
    assert store.admit_now(wanted) is None
    first = await store.admit(wanted)
    second = store.admit_now(wanted)
    assert second is not None
    assert not isinstance(first, Denial)
    assert not isinstance(second, Denial)
    assert isinstance(store.admit_now(wanted), Denial)
    store.cancel(second)
    assert not isinstance(store.admit_now(wanted), Denial)
    store.forget(TEAM)
    assert store.admit_now(wanted) is None
    assert isinstance(await store.admit(wanted), Denial)
    # A new day has new budgets, and those are in the records.
    clock.advance(24 * 3600)
    assert store.admit_now(wanted) is None


@pytest.mark.parametrize("make", ["memory", "redis"], indirect=True)
async def test_room_is_what_is_left_of_the_tightest_limit_of_each_kind(make: Make, clock: ManualClock) -> None:
    store = await make(PastUse({Window.DAY: 40, Window.MONTH: 90}))
    own = LimitSet(ADA, requests=5, input_tokens=1_000, day=100, month=1_000)
    pool = LimitSet(TEAM, requests=3, output_tokens=50, week=50)
    lease = await store.admit(ask(own, pool, input_tokens=200, output_tokens=20, cost=10))
    assert not isinstance(lease, Denial)
    clock.advance(10)
    room = store.room_of((own, pool))
    assert room.requests == RateRoom(3, 2, 51.0)
    assert room.input_tokens == RateRoom(1_000, 800, 51.0)
    assert room.output_tokens == RateRoom(50, 30, 51.0)
    # Money that is only held is not spent yet.
    assert room.cap is not None
    assert (room.cap.window, room.cap.cap, room.cap.spent) == (Window.DAY, 100, 40)
    store.settle(lease, 150, 30, Nanos(20))
    room = store.room_of((own, pool))
    assert room.input_tokens == RateRoom(1_000, 850, 51.0)
    # What was used beyond the estimate counts from now on.
    assert room.output_tokens == RateRoom(50, 20, 61.0)
    assert room.cap is not None
    assert (room.cap.window, room.cap.spent) == (Window.DAY, 60)
    clock.advance(61)
    assert store.room_of((own, pool)).requests == RateRoom(3, 3, 0.0)


@pytest.mark.parametrize("make", ["memory", "redis"], indirect=True)
async def test_room_is_never_below_nothing_and_a_reached_cap_goes_first(make: Make, clock: ManualClock) -> None:
    store = await make(PastUse({Window.DAY: 100, Window.WEEK: 500, Window.MONTH: 10_000}))
    limits = LimitSet(ADA, input_tokens=10, day=100, week=100, month=10_001)
    await store.peek(ask(limits))
    lease = await store.admit(ask(LimitSet(ADA), input_tokens=25))
    assert not isinstance(lease, Denial)
    room = store.room_of((limits,))
    assert room.input_tokens == RateRoom(10, 0, 61.0)
    assert room.cap is not None
    assert room.cap.window is Window.WEEK
    assert store.room_of(()) == Room(None, None, None, None)


async def test_racing_callers_never_pass_a_request_limit(make: Make, clock: ManualClock) -> None:
    assert await admitted(await make(), ask(LimitSet(ADA, requests=7)), 200) == 7


async def test_racing_callers_never_pass_a_concurrency_limit_and_leases_free_it(make: Make, clock: ManualClock) -> None:
    store, wanted = await make(), ask(LimitSet(ADA, concurrent_requests=3))
    verdicts = await asyncio.gather(*(store.admit(wanted) for _ in range(50)))
    leases = [v for v in verdicts if not isinstance(v, Denial)]
    assert len(leases) == 3
    store.settle(leases[0], 1, 1, Nanos(0))
    store.settle(leases[0], 1, 1, Nanos(0))
    store.cancel(leases[0])
    assert await admitted(store, wanted, 50) == 1


async def test_token_limits_are_reserved_and_then_settled(make: Make, clock: ManualClock) -> None:
    store, wanted = await make(), ask(LimitSet(ADA, input_tokens=100), input_tokens=50)
    first = await store.admit(wanted)
    assert not isinstance(first, Denial)
    assert await admitted(store, wanted, 10) == 1
    store.settle(first, 5, 0, Nanos(0))
    denial = await store.admit(wanted)
    assert isinstance(denial, Denial)
    assert (denial.dimension, denial.limit, denial.used, denial.asked) == (Dimension.INPUT_TOKENS, 100, 55, 50)
    assert await admitted(store, ask(LimitSet(ADA, input_tokens=100), input_tokens=45), 3) == 1


async def test_an_estimate_above_the_limit_does_not_make_the_limit_unusable(make: Make, clock: ManualClock) -> None:
    wanted = ask(LimitSet(ADA, input_tokens=100, day=10), input_tokens=5000, cost=1000)
    assert await admitted(await make(), wanted, 5) == 1


@pytest.mark.parametrize(
    ("limits", "dimension", "window"),
    [
        (LimitSet(ADA, requests=0), Dimension.REQUESTS, None),
        (LimitSet(ADA, input_tokens=0), Dimension.INPUT_TOKENS, None),
        (LimitSet(ADA, output_tokens=0), Dimension.OUTPUT_TOKENS, None),
        (LimitSet(ADA, concurrent_requests=0), Dimension.CONCURRENT_REQUESTS, None),
        (LimitSet(ADA, day=0), None, Window.DAY),
        (LimitSet(ADA, week=0), None, Window.WEEK),
        (LimitSet(ADA, month=0), None, Window.MONTH),
    ],
)
async def test_zero_blocks_and_no_waiting_is_promised(
    make: Make, clock: ManualClock, limits: LimitSet, dimension: Dimension | None, window: Window | None
) -> None:
    denial = await (await make()).admit(ask(limits, cost=1))
    assert isinstance(denial, Denial)
    assert (denial.dimension, denial.window, denial.limit, denial.retry_after) == (dimension, window, 0, None)


async def test_a_refused_call_takes_nothing_anywhere(make: Make, clock: ManualClock) -> None:
    store = await make()
    both = ask(LimitSet(ADA, requests=100), LimitSet(TEAM, concurrent_requests=0), cost=5)
    assert await admitted(store, both, 20) == 0
    use = await store.use_of(ADA)
    assert set(use.used.values()) == {0}
    assert set(use.reserved.values()) == {0}


async def test_cancelling_gives_back_the_request_too(make: Make, clock: ManualClock) -> None:
    store, wanted = await make(), ask(LimitSet(ADA, requests=1, day=100), cost=60)
    lease = await store.admit(wanted)
    assert not isinstance(lease, Denial)
    store.cancel(lease)
    use = await store.use_of(ADA)
    assert set(use.used.values()) == {0}
    assert set(use.reserved.values()) == {0}
    assert set(use.spent.values()) == {0}
    assert await admitted(store, wanted, 2) == 1


@pytest.mark.parametrize("make", ["memory"], indirect=True)
async def test_who_was_quiet_before_the_records_went_away_is_known_with_what_was_spent(
    make: Make, clock: ManualClock
) -> None:
    records = Records(PastUse({Window.DAY: 60, Window.WEEK: 60, Window.MONTH: 60}))
    store, wanted = await make(records=records), ask(LimitSet(ADA, day=100), cost=30)
    lease = await store.admit(wanted)
    assert not isinstance(lease, Denial)
    store.settle(lease, 1, 1, Nanos(30))
    clock.advance(400)
    assert not isinstance(await store.admit(ask(LimitSet(BOB))), Denial)
    assert [use.subject async for use in store.active()] == [BOB]
    records.away = True
    denial = await store.admit(wanted)
    assert isinstance(denial, Denial)
    assert (denial.used, denial.held) == (90, False)
    assert not isinstance(await store.admit(ask(LimitSet(ADA, day=100), cost=10)), Denial)
    with pytest.raises(OSError, match="away"):
        await store.admit(ask(LimitSet(TEAM)))


@pytest.mark.parametrize("make", ["memory"], indirect=True)
async def test_records_that_are_away_are_asked_by_one_of_all_who_come_until_they_are_back(
    make: Make, clock: ManualClock
) -> None:
    records = Records()
    store = await make(records=records)
    people = [ask(LimitSet(Subject(SubjectKind.USER, f"p{n}"), day=100), cost=1) for n in range(20)]

    async def all_come() -> int:
        before = records.loads
        verdicts = await asyncio.gather(*(store.admit(person) for person in people))
        assert not any(isinstance(verdict, Denial) for verdict in verdicts)
        return records.loads - before

    assert await all_come() == 20
    records.away = True
    clock.advance(86_400)
    assert await all_come() == 1
    assert await all_come() == 0
    clock.advance(86_400)
    assert await all_come() == 1
    records.away = False
    records.past = PastUse({Window.DAY: 7})
    clock.advance(86_400)
    assert await all_come() == 1
    clock.advance(86_400)
    assert await all_come() == 20
    assert (await store.use_of(people[0].limits[0].subject)).spent[Window.DAY] == 7


async def test_the_last_minute_is_read_back_after_a_restart(make: Make, clock: ManualClock) -> None:
    now = clock.time()
    store = await make(PastUse({}, [(now - 10, 30, 5), (now - 59, 30, 5), (now - 70, 30, 5)]))
    use = await store.use_of(ADA)
    assert (use.used[Dimension.REQUESTS], use.used[Dimension.INPUT_TOKENS]) == (2, 60)


async def test_racing_first_callers_load_a_subject_once(make: Make, clock: ManualClock) -> None:
    records = Records()
    store = await make(records=records)
    assert await admitted(store, ask(LimitSet(ADA, requests=5)), 64) == 5
    # Each process by itself at most once; the first of them wins.
    assert records.loads <= (3 if isinstance(store, Several) else 1)


async def test_a_lease_that_nobody_renews_is_taken_as_dead(make: Make, clock: ManualClock) -> None:
    store, wanted = await make(), ask(LimitSet(ADA, concurrent_requests=1), cost=5)
    dead = await store.admit(wanted)
    assert not isinstance(dead, Denial)
    clock.advance(800)
    store.renew(dead)
    clock.advance(800)
    assert await admitted(store, wanted, 1) == 0
    clock.advance(200)
    alive = await store.admit(wanted)
    assert not isinstance(alive, Denial)
    store.settle(dead, 1, 1, Nanos(5))
    use = await store.use_of(ADA)
    assert use.used[Dimension.CONCURRENT_REQUESTS] == 1
    assert (use.spent[Window.DAY], use.reserved[Window.DAY]) == (5, 5)


async def test_forgetting_loses_no_call_in_flight(make: Make, clock: ManualClock) -> None:
    records = Records()
    store = await make(records=records)
    both = Ask((LimitSet(ADA), LimitSet(TEAM, concurrent_requests=2)), 10, 10, Nanos(3), (TEAM,))
    leases = [await store.admit(both) for _ in range(2)]
    for _ in range(3):
        store.forget(TEAM)
        denial = await store.admit(both)
        assert isinstance(denial, Denial)
        assert (denial.subject, denial.used) == (TEAM, 2)
    store.forget()
    for lease in leases:
        assert not isinstance(lease, Denial)
        store.settle(lease, 1, 1, Nanos(3))
    assert not isinstance(await store.admit(both), Denial)
    assert (await store.use_of(ADA)).spent[Window.DAY] == 6


async def test_the_denial_that_lasts_longest_is_the_one_that_is_told(make: Make, clock: ManualClock) -> None:
    store = await make(PastUse({Window.DAY: 50, Window.MONTH: 50}))
    for limits, expected in (
        ([LimitSet(ADA, day=50), LimitSet(TEAM, month=50)], (TEAM, Window.MONTH)),
        ([LimitSet(ADA, month=50), LimitSet(TEAM, day=50)], (ADA, Window.MONTH)),
        ([LimitSet(ADA, month=50), LimitSet(TEAM, day=0)], (TEAM, Window.DAY)),
    ):
        denial = await store.peek(ask(*limits, cost=1))
        assert isinstance(denial, Denial)
        assert (denial.subject, denial.window) == expected
        assert not denial.held


async def test_peeking_takes_nothing(make: Make, clock: ManualClock) -> None:
    store, wanted = await make(), ask(LimitSet(ADA, requests=1))
    assert [await store.peek(wanted) for _ in range(5)] == [None] * 5
    assert await admitted(store, wanted, 2) == 1
    assert isinstance(await store.peek(wanted), Denial)


@settings(max_examples=150, deadline=None)
@given(limit=st.integers(1, 6), pauses=st.lists(st.floats(0, 40), min_size=1, max_size=60))
def test_never_more_than_the_limit_in_any_sixty_seconds(limit: int, pauses: list[float]) -> None:
    async def run() -> list[float]:
        clock = ManualClock(datetime(2026, 11, 24, 12, 0, tzinfo=UTC))
        store, taken = MemoryAdmission(Records(), clock, PeriodClock(UTC)), []
        for pause in pauses:
            clock.advance(pause)
            for _ in range(limit + 1):
                verdict = await store.admit(ask(LimitSet(ADA, requests=limit)))
                if not isinstance(verdict, Denial):
                    taken.append(clock.monotonic())
        return taken

    taken = asyncio.run(run())
    for start in taken:
        assert sum(start <= at < start + 60 for at in taken) <= limit


@settings(max_examples=100, deadline=None)
@given(pauses=st.lists(st.floats(0.1, 30), min_size=1, max_size=12))
def test_the_promised_wait_is_enough_and_not_needlessly_long(pauses: list[float]) -> None:
    async def run() -> None:
        clock = ManualClock(datetime(2026, 11, 24, 12, 0, tzinfo=UTC))
        store, wanted = MemoryAdmission(Records(), clock, PeriodClock(UTC)), ask(LimitSet(ADA, requests=2))
        for pause in pauses:
            clock.advance(pause)
            denial = await store.peek(wanted)
            if denial is None:
                await store.admit(wanted)
                continue
            assert denial.retry_after is not None
            assert 0 < denial.retry_after <= 61
            clock.advance(denial.retry_after + 0.001)
            assert await store.peek(wanted) is None

    asyncio.run(run())


def sorted_by_name(uses: list[ActiveUse]) -> list[ActiveUse]:
    return sorted(uses, key=lambda use: use.subject.id)


async def test_only_those_who_called_of_late_are_active(make: Make, clock: ManualClock) -> None:
    store = await make()
    lease = await store.admit(ask(LimitSet(ADA, requests=5), LimitSet(TEAM), input_tokens=30, output_tokens=7))
    await store.use_of(BOB)
    clock.advance(1)
    taken = Counts(1, 30, 7)
    assert sorted_by_name([use async for use in store.active() if use.subject != BOB]) == [
        ActiveUse(ADA, taken, taken, 1),
        ActiveUse(TEAM, taken, taken, 1),
    ]
    assert ActiveUse(BOB, Counts(), Counts(), 0) in [use async for use in store.active()]
    clock.advance(70)
    nothing = Counts()
    assert sorted_by_name([use async for use in store.active()]) == [
        ActiveUse(ADA, nothing, nothing, 1),
        ActiveUse(TEAM, nothing, nothing, 1),
    ]
    assert not isinstance(lease, Denial)
    store.settle(lease, 30, 5, Nanos(0))
    # It has come to pass at this time, not later.
    await store.use_of(ADA)
    clock.advance(62)
    assert [use async for use in store.active()] == []


@pytest.mark.parametrize("make", ["memory", "redis"], indirect=True)
async def test_whoever_looks_at_all_who_are_active_holds_nobody_up(make: Make, clock: ManualClock) -> None:
    store = await make()
    many = 1_200 if isinstance(store, MemoryAdmission) else 450
    await asyncio.gather(*(store.admit(ask(LimitSet(Subject(SubjectKind.USER, str(n))))) for n in range(many)))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    assert len([use async for use in store.active()]) == many
    assert turns >= 2
    task.cancel()
