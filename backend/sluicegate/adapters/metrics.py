"""What is counted for Prometheus.

Calls are added up apart from the event loop and only turned into samples when somebody asks, by `exposition`. A set of
labels stays until the process ends, as counters have to; names come from the catalogue, and past a bound further ones
are `other`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from sluicegate.domain.usage import CallRecord
from sluicegate.ports.health import BackendHealth

T = TypeVar("T")
MAX_SERIES = 1000
_OTHER = ("other", "other", "other")
CLASSES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
# Seconds. From what a cached short answer takes to what an agent's longest one does.
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)


@dataclass(frozen=True, slots=True)
class BackendSample:
    provider: str
    provider_model: str
    health: BackendHealth


@dataclass(frozen=True, slots=True)
class RedisSample:
    """`waiting` are ended calls that Redis has not heard of; `outages` counts since the start."""

    shared: bool
    waiting: int
    outages: int


@dataclass(frozen=True, slots=True)
class SpanSample:
    """Spans of traces, since the start: those that a collector took, and those that none did."""

    sent: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Now:
    """What holds at the moment of the scrape."""

    release: str
    in_flight: int
    waiting: int
    accepting: bool
    database: bool
    backends: Sequence[BackendSample]
    redis: RedisSample | None = None
    spans: SpanSample | None = None


@dataclass(slots=True)
class Times:
    """A histogram: how many fell below each bound and above the one before, and their sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class Sums:
    """Of one model at one provider."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    tokens: list[int] = field(default_factory=lambda: [0] * len(CLASSES))
    cost_nanos: int = 0
    estimated: int = 0
    durations: Times = field(default_factory=Times)
    first_bytes: Times = field(default_factory=Times)

    def add(self, record: CallRecord) -> None:
        self.outcomes[record.endpoint, record.outcome] += 1
        tokens = self.tokens
        tokens[0] += record.input_tokens
        tokens[1] += record.cache_read_tokens
        tokens[2] += record.cache_write_5m_tokens
        tokens[3] += record.cache_write_1h_tokens
        tokens[4] += record.output_tokens
        self.cost_nanos += record.cost_nanos
        self.estimated += record.estimated
        self.durations.add((record.finished_ms - record.started_ms) / 1000)
        if record.first_byte_ms is not None:
            self.first_bytes.add(record.first_byte_ms / 1000)


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums by model, provider and the provider's name of the model; refusals by their code; what looks at the loop
    took."""

    sums: Mapping[tuple[str, str, str], Sums]
    refusals: Mapping[str, int]
    looks: Times


class CallMetrics:
    """Counts since the process began. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sums: dict[tuple[str, str, str], Sums] = {}
        self._refusals: Counter[str] = Counter()
        self._looks = Times()

    def settled(self, records: Sequence[CallRecord]) -> None:
        with self._lock:
            for record in records:
                self._sums_of((record.model_slug, record.provider_name, record.provider_model)).add(record)

    def refused(self, code: str) -> None:
        """A call that was not let in, by the code of its refusal, of which there are few."""
        with self._lock:
            self._refusals[code] += 1

    def looked(self, seconds: float) -> None:
        """How long the event loop took to come to a look at it."""
        with self._lock:
            self._looks.add(seconds)

    def forget(self) -> None:
        """All so far."""
        with self._lock:
            self._sums.clear()
            self._refusals.clear()

    def tell(self, say: Callable[[Counts], T]) -> T:
        """What `say` makes of all counts, none of which moves meanwhile."""
        with self._lock:
            return say(Counts(self._sums, self._refusals, self._looks))

    def _sums_of(self, names: tuple[str, str, str]) -> Sums:
        found = self._sums.get(names)
        if found is None:
            if len(self._sums) >= MAX_SERIES:
                names = _OTHER
            found = self._sums.setdefault(names, Sums())
        return found
