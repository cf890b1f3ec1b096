"""What Prometheus may scrape of one process, in the text format of its version 0.0.4.

Calls are added up apart from the event loop and only turned into samples when somebody asks. A set of labels stays
until the process ends, as counters have to; names come from the catalogue, and past a bound further ones are `other`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from threading import Lock

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sluicegate.domain.usage import CallRecord
from sluicegate.ports.health import BackendHealth, BackendState

MAX_SERIES = 1000
_OTHER = ("other", "other", "other")
_BACKEND = ("model", "provider", "provider_model")
_CLASSES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
# Seconds. From what a cached short answer takes to what an agent's longest one does.
_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_LABELS = (*map(str, _BOUNDS), "+Inf")


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
class _Times:
    """A histogram: how many fell below each bound and above the one before, and their sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * len(_LABELS))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(_BOUNDS, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class _Sums:
    """Of one model at one provider."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    tokens: list[int] = field(default_factory=lambda: [0] * len(_CLASSES))
    cost_nanos: int = 0
    estimated: int = 0
    durations: _Times = field(default_factory=_Times)
    first_bytes: _Times = field(default_factory=_Times)

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


class CallMetrics:
    """Counts since the process began. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sums: dict[tuple[str, str, str], _Sums] = {}
        self._refusals: Counter[str] = Counter()
        self._looks = _Times()

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

    def families(self, now: Now) -> list[Metric]:
        """All samples; takes a few milliseconds with many models."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Shown([*_present(now), *self._families()]))
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        return list(registry.collect())

    def _sums_of(self, names: tuple[str, str, str]) -> _Sums:
        found = self._sums.get(names)
        if found is None:
            if len(self._sums) >= MAX_SERIES:
                names = _OTHER
            found = self._sums.setdefault(names, _Sums())
        return found

    def _families(self) -> Iterator[Metric]:
        calls = CounterMetricFamily(
            "sluicegate_calls", "Calls that were let in, by how they ended.", labels=(*_BACKEND, "endpoint", "outcome")
        )
        tokens = CounterMetricFamily("sluicegate_tokens", "Tokens used, by class.", labels=(*_BACKEND, "class"))
        cost = CounterMetricFamily("sluicegate_cost_usd", "What calls cost, in US dollars.", labels=_BACKEND)
        estimated = CounterMetricFamily(
            "sluicegate_estimated_calls", "Calls whose tokens the provider did not tell.", labels=_BACKEND
        )
        durations = HistogramMetricFamily(
            "sluicegate_call_duration_seconds", "From the admission of a call to its end.", labels=_BACKEND
        )
        first_bytes = HistogramMetricFamily(
            "sluicegate_first_byte_seconds",
            "From the admission of a call to its first byte.",
            labels=_BACKEND,
        )
        refusals = CounterMetricFamily("sluicegate_refusals", "Calls not let in, by reason.", labels=("reason",))
        lags = HistogramMetricFamily(
            "sluicegate_loop_lag_seconds", "How long the event loop took to come to a look at it, once a second."
        )
        with self._lock:
            for names, sums in self._sums.items():
                for ended, count in sums.outcomes.items():
                    calls.add_metric((*names, *ended), count)
                for name, count in zip(_CLASSES, sums.tokens, strict=True):
                    tokens.add_metric((*names, name), count)
                cost.add_metric(names, sums.cost_nanos / 1e9)
                estimated.add_metric(names, sums.estimated)
                durations.add_metric(names, _buckets(sums.durations), sums.durations.total)
                first_bytes.add_metric(names, _buckets(sums.first_bytes), sums.first_bytes.total)
            for code, count in self._refusals.items():
                refusals.add_metric((code,), count)
            lags.add_metric((), _buckets(self._looks), self._looks.total)
        yield from (calls, tokens, cost, estimated, durations, first_bytes, refusals, lags)


class _Shown(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def exposition(families: Iterable[Metric]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Shown(families))
    return generate_latest(registry)


def _buckets(times: _Times) -> list[tuple[str, float]]:
    return list(zip(_LABELS, accumulate(times.counts), strict=True))


def _counting(redis: RedisSample) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "sluicegate_redis_up", "Whether calls are counted together with those of other processes.", float(redis.shared)
    )
    yield GaugeMetricFamily(
        "sluicegate_redis_waiting_calls", "Ended calls that Redis has not heard of.", float(redis.waiting)
    )
    yield CounterMetricFamily("sluicegate_redis_outages", "How often Redis went away or was emptied.", redis.outages)


def _present(now: Now) -> Iterator[Metric]:
    info = GaugeMetricFamily("sluicegate_build_info", "The release; always 1.", labels=("version",))
    info.add_metric((now.release,), 1)
    yield info
    for name, said, value in (
        ("calls_in_flight", "Calls that were let in and have not ended.", now.in_flight),
        ("journal_waiting_calls", "Ended calls that are not in the database yet.", now.waiting),
        ("journal_accepting", "Whether the journal takes further calls; without, they are refused.", now.accepting),
        ("database_up", "Whether the database answers.", now.database),
    ):
        yield GaugeMetricFamily(f"sluicegate_{name}", said, float(value))
    if now.redis is not None:
        yield from _counting(now.redis)
    if now.spans is not None:
        yield CounterMetricFamily("sluicegate_spans_sent", "Spans that the collector took.", now.spans.sent)
        yield CounterMetricFamily("sluicegate_spans_dropped", "Spans that no collector took.", now.spans.dropped)
    resting = GaugeMetricFamily(
        "sluicegate_backend_resting", "Whether a backend gets no calls after failures.", labels=_BACKEND[1:]
    )
    failures = CounterMetricFamily(
        "sluicegate_backend_failures", "Attempts at a backend that failed, by how.", labels=(*_BACKEND[1:], "kind")
    )
    for backend in now.backends:
        names, health = (backend.provider, backend.provider_model), backend.health
        resting.add_metric(names, float(health.state is BackendState.RESTING))
        for kind in ("refused", "unreached", "broke_off"):
            failures.add_metric((*names, kind), getattr(health, kind))
    yield from (resting, failures)
