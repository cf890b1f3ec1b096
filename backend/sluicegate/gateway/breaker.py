"""Lets backends that fail rest, so that callers need not wait for what is known to fail."""

from __future__ import annotations

from sluicegate.kit.clock import Clock
from sluicegate.policy.compile import Route
from sluicegate.ports.health import UNTRIED, BackendHealth, BackendState

# A backend rests after this many failures within two spans, if they are at least half of its answers.
FAILURES = 5
SPAN_SECONDS = 15.0
# How long; twice as long after each probe that fails.
FIRST_REST_SECONDS = 5.0
LONGEST_REST_SECONDS = 60.0
_WEIGHT_OF_LAST = 0.2


class Breaker:
    """Of one backend. `begin` and then exactly one of `answered`, `refused`, `unreached` and `let_go` surround every
    attempt; none of them awaits. Seconds are monotonic.

    A backend that is not reached at all rests *hard*: it gets no calls. One that answers, but with 429 or 5xx, is
    still better than none: it rests *soft* and is tried when no other backend is left.
    """

    __slots__ = (
        "_answered",
        "_broke_off",
        "_clock",
        "_failures",
        "_hard",
        "_head_ms",
        "_in_flight",
        "_last_failure",
        "_last_failure_at",
        "_probed_at",
        "_probes",
        "_refused",
        "_rest",
        "_rested_at",
        "_span_began",
        "_spans",
        "_unreached",
        "route",
        "until",
    )

    def __init__(self, clock: Clock, route: Route) -> None:
        self._clock = clock
        self.route = route
        self._in_flight = self._answered = self._refused = self._unreached = self._broke_off = 0
        self._head_ms: float | None = None
        self._last_failure: str | None = None
        self._last_failure_at: float | None = None
        # Attempts that ended and failures among them: of the running span, and of the one before it.
        self._span_began = clock.monotonic()
        self._spans = [[0, 0], [0, 0]]
        # While it rests, when that is over.
        self.until: float | None = None
        self._rested_at = 0.0
        self._rest = FIRST_REST_SECONDS
        self._hard = False
        self._probes = 0
        self._probed_at = 0.0

    def takes(self, now: float) -> bool:
        """Whether a call may go there as to any other; at the end of a rest, one may."""
        return self.until is None or (now >= self.until and self._may_probe(now))

    def takes_at_need(self, now: float) -> bool:
        """Whether a call may go there when no other backend takes it."""
        return self.takes(now) or not self._hard

    def wait(self, now: float) -> float:
        """Seconds until the next probe may be sent."""
        return max(self.until - now, 0.0) if self.until is not None else 0.0

    def begin(self, now: float) -> bool:
        """Whether the attempt is a probe; its end has to be told so."""
        self._in_flight += 1
        if self.until is None or now < self.until or not self._may_probe(now):
            return False
        self._probes += 1
        self._probed_at = now
        return True

    def _may_probe(self, now: float) -> bool:
        # Some answers only begin when they are complete: a probe that takes its time must not keep out all others.
        return not self._probes or now - self._probed_at >= FIRST_REST_SECONDS

    def answered(self, began: float, *, probe: bool) -> None:
        """With anything that is no fault of the backend."""
        now = self._ended(probe)
        self._answered += 1
        taken = (now - began) * 1000
        known = self._head_ms
        self._head_ms = taken if known is None else known + _WEIGHT_OF_LAST * (taken - known)
        # An answer to a call from before the rest says nothing of how things are now.
        if self.until is not None and (probe or began >= self._rested_at):
            self._recover(now)
        self._count(now, 0)

    def refused(self, status: int, retry_after: float | None, *, probe: bool) -> None:
        """With 429 or 5xx. `retry_after` is what the backend asks for, in seconds: it is left alone for as long."""
        now = self._ended(probe)
        self._refused += 1
        self._note(f"status {status}")
        self._count(now, 1)
        asked = None if retry_after is None else min(max(retry_after, 1.0), LONGEST_REST_SECONDS)
        if asked is not None or probe or self._fails():
            self._sleep(now, asked, hard=False, probe=probe)

    def unreached(self, what: str, *, probe: bool) -> None:
        """No answer came; `what` says why."""
        now = self._ended(probe)
        self._unreached += 1
        self._note(what)
        self._count(now, 1)
        if probe or self._fails():
            self._sleep(now, None, hard=True, probe=probe)

    def let_go(self, *, probe: bool) -> None:
        """The attempt was given up for a reason that says nothing of the backend."""
        self._ended(probe)

    def broke_off(self, what: str) -> None:
        """After `answered`: the answer ended too early."""
        now = self._clock.monotonic()
        self._broke_off += 1
        self._note(what)
        self._roll(now)
        self._spans[0][1] += 1
        if self.until is None and self._fails():
            self._sleep(now, None, hard=False, probe=False)

    def health(self) -> BackendHealth:
        now = self._clock.monotonic()
        state = BackendState.HEALTHY
        until = self.until
        if until is not None:
            state = BackendState.PROBING if self._probes or now >= until else BackendState.RESTING
        return BackendHealth(
            state,
            self._in_flight,
            self._answered,
            self._refused,
            self._unreached,
            self._broke_off,
            None if until is None else self._clock.time() + max(until - now, 0.0),
            self._head_ms,
            self._last_failure,
            self._last_failure_at,
        )

    def _ended(self, probe: bool) -> float:
        self._in_flight -= 1
        if probe:
            self._probes -= 1
        return self._clock.monotonic()

    def _note(self, what: str) -> None:
        self._last_failure, self._last_failure_at = what, self._clock.time()

    def _roll(self, now: float) -> None:
        passed = now - self._span_began
        if passed >= SPAN_SECONDS:
            self._spans = [[0, 0], self._spans[0] if passed < 2 * SPAN_SECONDS else [0, 0]]
            self._span_began = now

    def _count(self, now: float, failures: int) -> None:
        self._roll(now)
        span = self._spans[0]
        span[0] += 1
        span[1] += failures

    def _fails(self) -> bool:
        (ended, failed), (ended_before, failed_before) = self._spans
        failures = failed + failed_before
        return failures >= FAILURES and 2 * failures >= ended + ended_before

    def _sleep(self, now: float, asked: float | None, *, hard: bool, probe: bool) -> None:
        if asked is not None:
            self.until = now + asked
        elif probe:
            self._rest = min(2 * self._rest, LONGEST_REST_SECONDS)
            self.until = now + self._rest
        elif self.until is None:
            self.until = now + self._rest
        self._rested_at, self._hard = now, hard

    def _recover(self, now: float) -> None:
        self.until, self._hard, self._rest = None, False, FIRST_REST_SECONDS
        self._span_began, self._spans = now, [[0, 0], [0, 0]]


class Breakers:
    """Implements ports.health.HealthBoard. One breaker for each model of a provider, whichever models of ours it is
    behind; a new one when the provider's address or credential changes, since what failed there is past."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_backend: dict[tuple[str, str], Breaker] = {}
        self._last: tuple[Route, Breaker] | None = None

    def of(self, route: Route) -> Breaker:
        last = self._last
        if last is not None and last[0] is route:
            return last[1]
        key = (route.provider_id, route.provider_model)
        breaker = self._by_backend.get(key)
        if breaker is None or (breaker.route is not route and _place(breaker.route) != _place(route)):
            breaker = self._by_backend[key] = Breaker(self._clock, route)
        self._last = (route, breaker)
        return breaker

    def health_of(self, provider_id: str, provider_model: str) -> BackendHealth:
        breaker = self._by_backend.get((provider_id, provider_model))
        return UNTRIED if breaker is None else breaker.health()


def _place(route: Route) -> tuple[object, ...]:
    return (route.origin, route.base_path, route.credential, route.api_version)
