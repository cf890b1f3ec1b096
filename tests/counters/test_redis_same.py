"""Redis decides as memory does, to the last figure of each denial."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counters.stores import ADA, BOB, TEAM, Records, open_stores
from sluicegate.adapters.memory import MemoryAdmission
from sluicegate.domain.policy import Window
from sluicegate.kit.clock import ManualClock
from sluicegate.kit.money import Nanos
from sluicegate.policy.windows import PeriodClock
from sluicegate.ports.policy import Ask, Denial, LimitSet, PastUse

# A billion dollars, in nano-dollars, is far beyond what a double holds exactly.
HUGE = 10**18
_rates = st.one_of(st.none(), st.integers(0, 4))
_tokens = st.one_of(st.none(), st.integers(0, 60))
_caps = st.one_of(st.none(), st.integers(0, 60), st.integers(HUGE - 60, HUGE))
_sets = st.tuples(_rates, _tokens, _tokens, _rates, _caps, _caps, _caps)
_amounts = st.integers(0, 25)
_costs = st.one_of(st.integers(0, 25), st.just(HUGE // 2))
_steps = st.one_of(
    st.tuples(st.just("admit"), st.booleans(), _amounts, _amounts, _costs),
    st.tuples(st.just("settle"), st.integers(0, 9), _amounts, _amounts, _costs),
    st.tuples(st.just("cancel"), st.integers(0, 9)),
    st.tuples(st.just("wait"), st.integers(1, 160).map(lambda quarters: quarters / 4)),
    st.tuples(st.just("peek"), st.booleans(), _amounts, _amounts, _costs),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sets=st.tuples(_sets, _sets),
    spent=st.sampled_from([0, 30, HUGE - 40]),
    steps=st.lists(_steps, min_size=5, max_size=40),
)
def test_both_stores_say_the_same(
    redis_url: str, sets: tuple[Any, Any], spent: int, steps: list[tuple[Any, ...]]
) -> None:
    async def run() -> None:
        clock = ManualClock(datetime(2026, 11, 24, 23, 58, tzinfo=UTC))
        records = Records(PastUse({Window.WEEK: spent, Window.MONTH: spent}, [(clock.time() - 20.125, 3, 4)]))
        (shared,) = await open_stores(redis_url, 1, records, clock, PeriodClock(UTC), server_time=clock.time)
        stores = MemoryAdmission(records, clock, PeriodClock(UTC)), shared
        limits = LimitSet(ADA, *sets[0]), LimitSet(TEAM, *sets[1])
        others = (LimitSet(BOB), limits[1])
        leases: list[tuple[Any, Any]] = []
        for kind, *values in steps:
            match kind:
                case "admit" | "peek":
                    whose, tokens, output, cost = values
                    wanted = Ask(limits if whose else others, tokens, output, Nanos(cost))
                    verdicts = [await getattr(store, kind)(wanted) for store in stores]
                    if verdicts[0] is None or isinstance(verdicts[0], Denial):
                        assert _told(verdicts[0]) == _told(verdicts[1])
                    else:
                        assert not isinstance(verdicts[1], Denial)
                        leases.append((verdicts[0], verdicts[1]))
                case "wait":
                    await shared.drain()
                    clock.advance(values[0])
                case _:
                    for store, lease in zip(stores, leases[values[0]] if values[0] < len(leases) else (), strict=False):
                        getattr(store, kind)(lease, *values[1:])
        for subject in (ADA, BOB, TEAM):
            one, other = [await store.use_of(subject) for store in stores]
            assert (one.used, one.spent, one.reserved) == (other.used, other.spent, other.reserved)
        await shared.close()

    asyncio.run(run())


def _told(denial: Denial | None) -> Any:
    """Fractions of a second differ in the last digits: the two count from different beginnings."""
    if denial is None:
        return None
    wait = denial.retry_after and round(denial.retry_after, 3)
    return (
        denial.subject,
        denial.dimension,
        denial.window,
        denial.limit,
        denial.used,
        denial.reserved,
        denial.asked,
        wait,
    )
