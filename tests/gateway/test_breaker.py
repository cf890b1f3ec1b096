"""When a backend rests, for how long, and what ends it. Time moves only where a test says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sluicegate.domain.catalog import Dialect, Protocol, ProviderKind
from sluicegate.domain.usage import Prices
from sluicegate.gateway.breaker import FAILURES, FIRST_REST_SECONDS, LONGEST_REST_SECONDS, Breaker, Breakers
from sluicegate.gateway.routing import draw_for, in_order, retry_after
from sluicegate.kit.clock import ManualClock
from sluicegate.kit.secret import Secret
from sluicegate.policy.compile import Route
from sluicegate.ports.health import UNTRIED, BackendState
from sluicegate.ports.upstream import Origin

pytestmark = pytest.mark.any_stack

ROUTE = Route(
    provider_id="p",
    provider_name="Acme",
    kind=ProviderKind.CUSTOM_OPENAI,
    dialects=(Dialect.OPENAI,),
    protocols=(Protocol.CHAT,),
    origin=Origin("https", "a.example", 443),
    base_path="/v1",
    credential=Secret("sk"),
    organization=None,
    provider_model="m",
    prices=Prices(0, 0, 0, 0, 0),
    price_list_id="list",
    priority=0,
    weight=1,
    max_output_tokens=None,
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 24, tzinfo=UTC))


@pytest.fixture
def breaker(clock: ManualClock) -> Breaker:
    return Breaker(clock, ROUTE)


def fail(breaker: Breaker, clock: ManualClock, times: int = 1) -> None:
    for _ in range(times):
        breaker.unreached("connect: refused", probe=breaker.begin(clock.monotonic()))


def succeed(breaker: Breaker, clock: ManualClock, times: int = 1) -> None:
    for _ in range(times):
        began = clock.monotonic()
        breaker.answered(began, probe=breaker.begin(began))


def takes(breaker: Breaker, clock: ManualClock) -> tuple[bool, bool]:
    now = clock.monotonic()
    return breaker.takes(now), breaker.takes_at_need(now)


def test_a_few_failures_are_no_reason_to_rest(breaker: Breaker, clock: ManualClock) -> None:
    fail(breaker, clock, FAILURES - 1)
    assert takes(breaker, clock) == (True, True)
    assert breaker.health().state is BackendState.HEALTHY
    fail(breaker, clock)
    assert takes(breaker, clock) == (False, False)
    health = breaker.health()
    assert (health.state, health.unreached, health.in_flight) == (BackendState.RESTING, FAILURES, 0)
    assert health.rests_until == clock.time() + FIRST_REST_SECONDS
    assert (health.last_failure, health.last_failure_at) == ("connect: refused", clock.time())


def test_failures_among_more_good_answers_are_borne(breaker: Breaker, clock: ManualClock) -> None:
    succeed(breaker, clock, 6)
    fail(breaker, clock, 5)
    assert takes(breaker, clock) == (True, True)
    fail(breaker, clock)
    assert takes(breaker, clock) == (False, False)


def test_failures_of_long_ago_do_not_count(breaker: Breaker, clock: ManualClock) -> None:
    for _ in range(10):
        fail(breaker, clock, 2)
        clock.advance(16)
    assert takes(breaker, clock) == (True, True)


def test_one_call_probes_after_the_rest_and_others_wait_for_what_it_finds(breaker: Breaker, clock: ManualClock) -> None:
    fail(breaker, clock, FAILURES)
    clock.advance(FIRST_REST_SECONDS - 0.1)
    assert takes(breaker, clock) == (False, False)
    clock.advance(0.2)
    assert takes(breaker, clock) == (True, True)
    probe = breaker.begin(clock.monotonic())
    assert probe
    assert takes(breaker, clock) == (False, False)
    assert breaker.health().state is BackendState.PROBING
    breaker.answered(clock.monotonic(), probe=probe)
    assert takes(breaker, clock) == (True, True)
    # What was before is forgotten: it takes as many failures again.
    fail(breaker, clock, FAILURES - 1)
    assert takes(breaker, clock) == (True, True)


def test_each_probe_that_fails_doubles_the_rest_up_to_a_bound(breaker: Breaker, clock: ManualClock) -> None:
    fail(breaker, clock, FAILURES)
    for expected in (10, 20, 40, LONGEST_REST_SECONDS, LONGEST_REST_SECONDS):
        clock.advance(breaker.wait(clock.monotonic()))
        fail(breaker, clock)
        assert breaker.wait(clock.monotonic()) == expected
    clock.advance(LONGEST_REST_SECONDS)
    succeed(breaker, clock)
    fail(breaker, clock, FAILURES)
    assert breaker.wait(clock.monotonic()) == FIRST_REST_SECONDS


def test_a_probe_that_is_given_up_leaves_the_way_to_the_next(breaker: Breaker, clock: ManualClock) -> None:
    fail(breaker, clock, FAILURES)
    clock.advance(FIRST_REST_SECONDS)
    breaker.let_go(probe=breaker.begin(clock.monotonic()))
    assert breaker.begin(clock.monotonic())


def test_a_probe_that_takes_its_time_does_not_keep_out_all_others(breaker: Breaker, clock: ManualClock) -> None:
    fail(breaker, clock, FAILURES)
    clock.advance(FIRST_REST_SECONDS)
    first = breaker.begin(clock.monotonic())
    clock.advance(FIRST_REST_SECONDS)
    second = breaker.begin(clock.monotonic())
    assert first
    assert second
    assert not breaker.begin(clock.monotonic())
    breaker.answered(clock.monotonic(), probe=second)
    assert takes(breaker, clock) == (True, True)


def test_a_backend_that_answers_with_errors_is_kept_for_need(breaker: Breaker, clock: ManualClock) -> None:
    for _ in range(FAILURES):
        breaker.refused(500, None, probe=breaker.begin(clock.monotonic()))
    assert takes(breaker, clock) == (False, True)
    succeed(breaker, clock)
    assert takes(breaker, clock) == (True, True)


@pytest.mark.parametrize(("asked", "rest"), [(0.2, 1), (7.0, 7), (3600.0, LONGEST_REST_SECONDS)])
def test_a_backend_that_asks_for_time_gets_it_within_bounds(
    breaker: Breaker, clock: ManualClock, asked: float, rest: float
) -> None:
    breaker.refused(429, asked, probe=breaker.begin(clock.monotonic()))
    assert takes(breaker, clock) == (False, True)
    assert breaker.wait(clock.monotonic()) == rest
    clock.advance(rest)
    assert takes(breaker, clock) == (True, True)


def test_an_answer_to_an_older_call_does_not_end_a_rest(breaker: Breaker, clock: ManualClock) -> None:
    began = clock.monotonic()
    older = breaker.begin(began)
    clock.advance(1)
    breaker.refused(429, 10, probe=breaker.begin(clock.monotonic()))
    breaker.answered(began, probe=older)
    assert takes(breaker, clock) == (False, True)


def test_answers_that_break_off_count_as_failures(breaker: Breaker, clock: ManualClock) -> None:
    for _ in range(FAILURES):
        succeed(breaker, clock)
        breaker.broke_off("broke off: closed")
    assert takes(breaker, clock) == (False, True)
    assert breaker.health().broke_off == FAILURES


def test_the_time_to_the_head_is_averaged(breaker: Breaker, clock: ManualClock) -> None:
    assert breaker.health().head_ms is None
    for seconds in (0.1, 0.2):
        began = clock.monotonic()
        probe = breaker.begin(began)
        clock.advance(seconds)
        breaker.answered(began, probe=probe)
    head_ms = breaker.health().head_ms
    assert head_ms == pytest.approx(120)


def test_a_backend_that_moved_or_got_another_credential_begins_anew(clock: ManualClock) -> None:
    breakers = Breakers(clock)
    fail(breakers.of(ROUTE), clock, FAILURES)
    again = replace(ROUTE, priority=3, credential=Secret("sk"))
    assert not breakers.of(again).takes(clock.monotonic())
    assert breakers.health_of("p", "m").state is BackendState.RESTING
    assert breakers.of(replace(ROUTE, credential=Secret("other"))).takes(clock.monotonic())
    fail(breakers.of(ROUTE), clock, FAILURES)
    assert breakers.of(replace(ROUTE, origin=Origin("https", "b.example", 443))).takes(clock.monotonic())
    assert breakers.health_of("p", "unknown") is UNTRIED


def test_a_session_stays_with_its_backend_and_sessions_share_out_by_weight() -> None:
    routes = [replace(ROUTE, provider_id=str(n), weight=weight) for n, weight in enumerate((1, 3, 0))]
    first = [in_order(routes, draw_for(f"session {n}"))[0].provider_id for n in range(800)]
    again = [in_order(routes[::-1], draw_for(f"session {n}"))[0].provider_id for n in range(800)]
    assert first == again
    assert 120 < first.count("0") < 280
    assert first.count("2") == 0


def test_sessions_of_a_backend_that_went_share_out_and_others_stay() -> None:
    routes = [replace(ROUTE, provider_id=str(n)) for n in range(4)]
    for number in range(200):
        draw = draw_for(f"session {number}")
        before, after = in_order(routes, draw)[0], in_order(routes[:3], draw)[0]
        assert before is after or before is routes[3]


def test_a_lower_priority_number_goes_before_any_weight_and_any_session() -> None:
    routes = [replace(ROUTE, provider_id="heavy", priority=1, weight=1000), replace(ROUTE, provider_id="first")]
    for session in (None, *map(str, range(50))):
        assert in_order(routes, draw_for(session))[0].provider_id == "first"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([(b"retry-after", b"7")], 7.0),
        ([(b"retry-after", b"0.5")], 0.5),
        ([(b"retry-after", b"9"), (b"retry-after-ms", b"250")], 0.25),
        ([(b"retry-after", b"Wed, 21 Oct 2026 07:28:00 GMT")], None),
        ([(b"retry-after", b"-1")], None),
        ([(b"retry-after", b"nan")], None),
        ([(b"retry-after", b".")], None),
        ([(b"retry-after", "²".encode())], None),
        ([], None),
    ],
)
def test_what_an_answer_asks_to_wait(headers: list[tuple[bytes, bytes]], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
